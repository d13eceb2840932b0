"""Who has no key, stalls or floods gets nothing, and the honest session beside them is unharmed."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from simulator_driver import Desk, respond, types, update, user_text
from test_simulator_line import port_of
from test_simulator_server import KEY, ending, event, in_session, post, until
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from rtwidgets.simulator import Simulator, items, line, server
from rtwidgets.simulator.access import Gate

MODEL = "?model=gpt-realtime-2.1"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(latency="none", in_process=True, key=KEY) as running:
        yield running


async def a_turn(client: ClientConnection) -> str:
    """What an honest session does: it asks, and is answered."""
    for sent in (update(output_modalities=["text"]), user_text("Hello"), respond()):
        await client.send(json.dumps(sent))
    done = await until(client, "response.done")
    return str(done[-1]["response"]["status"])


def knock(simulator: Simulator, *lines: str) -> socket.socket:
    """A connection that has sent these lines of a request, and no more."""
    client = socket.create_connection(("127.0.0.1", port_of(simulator)))
    client.settimeout(20)
    client.sendall("".join(f"{line}\r\n" for line in lines).encode())
    return client


def has_ended(client: socket.socket) -> bool:
    """Waits for the other end to hang up."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


# ------------------------------------------------------------------ who stalls


def test_who_connects_and_says_nothing_makes_room_for_others(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_WAITING", 8)

    async def beside(honest: ClientConnection) -> str:
        await event(honest)
        silent = [knock(simulator) for _ in range(20)]
        silent += [knock(simulator, "GET / HTTP/1.1", "Host: 127.0.0.1") for _ in range(20)]
        try:
            assert await asyncio.to_thread(lambda: all(map(has_ended, silent[:30])))
            status = await a_turn(honest)
            async with connect(
                simulator.url + MODEL, additional_headers={"Authorization": f"Bearer {KEY}"}
            ) as another:
                return status + " " + await a_turn(another)
        finally:
            for client in silent:
                client.close()

    assert in_session(simulator, beside) == "completed completed"


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("GET / HTTP/1.1", "Host: 127.0.0.1"),
        ("POST /v1/realtime/client_secrets HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 99", ""),
    ],
    ids=["nothing", "half a request", "no body"],
)
def test_a_request_that_does_not_come_whole_is_hung_up_on(
    lines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", 0.1)
    with Simulator(in_process=True, key=KEY) as simulator, knock(simulator, *lines) as client:
        assert has_ended(client)


def test_endless_headers_are_hung_up_on(simulator: Simulator) -> None:
    with knock(simulator, "GET / HTTP/1.1") as client:
        try:
            for _ in range(10_000):
                client.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")
        except OSError:
            return
        assert has_ended(client)


# ------------------------------------------------------------------ who has no key

A_WRONG_KEY = (
    f"GET /v1/realtime{MODEL} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket",
    "Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version: 13", "Authorization: Bearer sk-wrong-not-a-key", "",
)  # fmt: skip


def test_of_those_with_a_wrong_key_few_are_told_at_length(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hang on until they have been told why: beyond a number they are refused by HTTP."""
    monkeypatch.setattr(server, "MOST_REFUSED", 4)
    monkeypatch.setattr(line, "CLOSE_SECONDS", 60.0)  # the test ends before they are hung up on

    async def beside(honest: ClientConnection) -> str:
        await event(honest)
        clients = []
        statuses = []
        for _ in range(6):
            clients.append(knock(simulator, *A_WRONG_KEY))
            answer = await asyncio.to_thread(clients[-1].recv, 12)
            statuses.append(answer.split()[1].decode())
        assert statuses == ["101"] * 4 + ["429"] * 2
        for client in clients:
            client.close()
        return await a_turn(honest)

    assert in_session(simulator, beside) == "completed"
    said, code, _ = in_session(simulator, ending, key="sk-wrong-not-a-key")
    assert (said["error"]["code"], code) == ("invalid_api_key", 3000), "there is room again"


def test_of_a_client_without_the_key_nothing_large_is_kept(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty-four of them, each in the middle of a frame of 15 MiB, were a gigabyte."""
    monkeypatch.setattr(line, "CLOSE_SECONDS", 60.0)  # it is not for its silence that it is ended
    with knock(simulator, *A_WRONG_KEY) as client:
        head = b"\x81\xff" + (15 << 20).to_bytes(8, "big") + bytes(4)
        try:
            client.sendall(head + bytes(100_000))  # and the rest never comes
        except ConnectionError:
            return
        assert has_ended(client)


@pytest.mark.parametrize(
    "key", ["sk-wrong-not-a-key", "", KEY[:-1], KEY + "x", "\xff\xfe", "a" * 9000]
)
def test_a_second_user_of_this_machine_without_the_key_gets_nothing(
    simulator: Simulator, key: str
) -> None:
    def attempt(path: str, body: Any) -> int:
        return post(simulator, path, body, key=key or None)[0]

    assert attempt("/v1/realtime/client_secrets", {}) == 401
    with knock(
        simulator, "GET /status.json HTTP/1.1", "Host: 127.0.0.1", "Connection: close", ""
    ) as client:
        told = b""
        while piece := client.recv(4096):
            told += piece
    assert KEY.encode() not in told and b"sess_" not in told


def test_client_secrets_are_kept_and_looked_up_by_their_digest() -> None:
    gate = Gate(KEY)
    secret = gate.mint(60, {"type": "realtime"})
    assert gate.check({"Authorization": f"Bearer {secret}"}) == {"type": "realtime"}
    assert secret not in repr(vars(gate))


# ------------------------------------------------------------------ pages of others


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "http://evil.example:8888", "null", "file://", "",
        "http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://[::2]",
        "chrome-extension://abcdef", "http://evil.example#127.0.0.1", "http://127.0.0.1@evil.example",
    ],
)  # fmt: skip
def test_a_page_of_another_site_is_refused_even_with_the_key(
    simulator: Simulator, origin: str
) -> None:
    async def beside(honest: ClientConnection) -> str:
        await event(honest)
        headers = {"Authorization": f"Bearer {KEY}", "Origin": origin}
        if origin:
            with pytest.raises(InvalidStatus) as refused:
                async with connect(simulator.url + MODEL, additional_headers=headers):
                    pass
            assert refused.value.response.status_code == 403
        return await a_turn(honest)

    assert in_session(simulator, beside) == "completed"


# ------------------------------------------------------------------ who floods

FLOOD = """
import json, socket, struct, sys, threading
port, key, what = int(sys.argv[1]), sys.argv[2], sys.argv[3]
item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "more"}]}
payload = {
    "garbage": b"x",
    "nothing": b"{}",
    "items": json.dumps({"type": "conversation.item.create", "item": item}).encode(),
    "large": json.dumps({"type": "nope", "padding": "x" * 3_000_000}).encode(),
    "pings": b"",
}[what]
opcode = 0x89 if what == "pings" else 0x81
size = len(payload)
head = bytes([opcode, 0x80 | size]) if size < 126 else (
    bytes([opcode, 0xFE]) + struct.pack("!H", size) if size < 65536
    else bytes([opcode, 0xFF]) + struct.pack("!Q", size))
frame = head + bytes(4) + payload
line = socket.create_connection(("127.0.0.1", port))
line.sendall((
    "GET /v1/realtime?model=gpt-realtime-2.1 HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n"
    "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\n"
    f"Authorization: Bearer {key}\\r\\n\\r\\n").encode() + frame * 9)
def read():
    while line.recv(1 << 20):
        pass
if sys.argv[4] == "reads":
    threading.Thread(target=read, daemon=True).start()
print("flooding", flush=True)
while True:
    line.sendall(frame * max(1, 100_000 // len(frame)))
"""


@pytest.mark.parametrize("reads", ["reads", "reads nothing"])
@pytest.mark.parametrize("what", ["garbage", "nothing", "items", "large", "pings"])
def test_a_client_that_floods_does_not_keep_others_from_being_served(what: str, reads: str) -> None:
    """It sends as fast as it can, from a process of its own; before, it was read without end."""
    with Simulator(latency="none", key=KEY) as simulator:
        arguments = [str(port_of(simulator)), KEY, what, reads]

        async def beside(honest: ClientConnection) -> list[str]:
            await event(honest)
            flood = subprocess.Popen(
                [sys.executable, "-c", FLOOD, *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                assert flood.stdout is not None
                await asyncio.to_thread(flood.stdout.readline)
                return [await a_turn(honest) for _ in range(10)]
            finally:
                flood.kill()
                flood.wait()

        assert in_session(simulator, beside) == ["completed"] * 10


def test_a_conversation_takes_so_much_memory_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "MOST_CHARACTERS", 100_000)
    desk = Desk()
    for _ in range(3):
        assert "error" not in types(desk.send(user_text("x" * 30_000)))
    (refused,) = desk.send(user_text("x" * 30_000))
    assert "Delete items" in refused["error"]["message"]
    first = next(iter(desk.engine.items))
    desk.send({"type": "conversation.item.delete", "item_id": first.id})
    assert "error" not in types(desk.send(user_text("x" * 30_000)))
    for _ in range(500):  # small ones take room too
        answered = types(desk.send(user_text("")))
    assert answered == ["error"]
    assert len(desk.engine.items) < 200


def test_more_sessions_than_there_is_room_for_are_refused_and_the_others_go_on(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_SESSIONS", 1)

    async def beside(honest: ClientConnection) -> str:
        await event(honest)
        with pytest.raises(InvalidStatus) as refused:
            async with connect(
                simulator.url + MODEL, additional_headers={"Authorization": f"Bearer {KEY}"}
            ):
                pass
        assert refused.value.response.status_code == 503
        return await a_turn(honest)

    assert in_session(simulator, beside) == "completed"


def test_it_listens_on_this_machine_alone(simulator: Simulator) -> None:
    """Another address of this machine, where it has one, is not answered."""
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(OSError):
        socket.create_connection((own, port_of(simulator)), timeout=5)
