"""WebSocket frames and the store of sound: what the server's own bytes do."""

from __future__ import annotations

import asyncio
import json
import random
import select
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_driver import Desk, hum, respond, silence, update
from test_simulator_server import KEY, MODEL, event, in_session, until

from rtwidgets.audio import decode
from rtwidgets.simulator import Simulator, line, parsing
from rtwidgets.simulator.frames import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    Fault,
    Reader,
    close_frame,
    frame,
    unmasked,
)
from rtwidgets.simulator.latency import TYPICAL
from rtwidgets.simulator.recordings import Recordings


def masked(opcode: int, payload: bytes, final: bool = True, mask: bytes = b"abcd") -> bytes:
    """A client's frame."""
    head = bytearray(frame(opcode, payload)[: -len(payload) or None])
    head[0] = opcode | (0x80 if final else 0)
    head[1] |= 0x80
    return bytes(head) + mask + unmasked(payload, mask)


def read(*pieces: bytes, largest: int = 1 << 20) -> list[tuple[int, bytes]]:
    reader = Reader(largest)
    return [message for piece in pieces for message in reader.feed(piece)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_a_frame_of_any_size_arrives(size: int) -> None:
    payload = random.Random(size).randbytes(size)
    assert read(masked(TEXT, payload)) == [(TEXT, payload)]
    assert read(masked(TEXT, payload, mask=bytes(4))) == [(TEXT, payload)]


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 700))
def test_frames_arrive_however_they_are_cut(payloads: list[bytes], size: int) -> None:
    sent = b"".join(masked(BINARY, payload) for payload in payloads)
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    assert [payload for _, payload in read(*pieces)] == payloads


def test_a_message_may_come_in_parts_with_a_ping_between() -> None:
    parts = [masked(TEXT, b"one ", final=False), masked(PING, b"?"), masked(0, b"two")]
    assert read(*parts) == [(PING, b"?"), (TEXT, b"one two")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(TEXT, b"not masked"), 1002),
        (b"\xc1\x80abcd", 1002),  # a reserved bit
        (masked(11, b""), 1002),
        (masked(3, b""), 1002),
        (masked(0, b"nothing to go on with"), 1002),
        (masked(TEXT, b"a", final=False) + masked(TEXT, b"b"), 1002),
        (masked(PING, b"a", final=False), 1002),
        (masked(PING, bytes(126)), 1002),
        (masked(TEXT, bytes(101)), 1009),
        (masked(TEXT, bytes(60), final=False) + masked(0, bytes(60)), 1009),
    ],
)
def test_a_broken_rule_is_a_fault(data: bytes, code: int) -> None:
    with pytest.raises(Fault) as fault:
        read(data, largest=100)
    assert fault.value.code == code


def test_a_reason_is_cut_to_what_fits() -> None:
    sent = close_frame(1000, "ä" * 100)
    assert sent[0] & 0x0F == CLOSE and sent[1] <= 125
    sent[4:].decode()


# --- a line


@pytest.fixture(scope="module")
def simulator() -> Any:
    with Simulator(in_process=True, key=KEY) as running:
        yield running


REQUEST = (
    f"GET /v1/realtime{MODEL} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {KEY}\r\n\r\n"
).encode()


def port_of(simulator: Simulator) -> int:
    return int(simulator.url.split(":")[2].split("/")[0])


def test_text_that_is_no_utf8_closes_the_line(simulator: Simulator) -> None:
    async def talk(client: Any) -> int:
        await event(client)
        client.transport.write(masked(TEXT, b"\xff"))
        await client.wait_closed()
        return int(client.close_code)

    assert in_session(simulator, talk) == 1007


def test_a_ping_is_answered_and_parts_are_put_together(simulator: Simulator) -> None:
    async def talk(client: Any) -> str:
        await event(client)
        await (await client.ping())
        text = json.dumps(update())
        await client.send([text[:20], text[20:]])
        return (await until(client, "session.updated"))[-1]["type"]  # type: ignore[no-any-return]

    assert in_session(simulator, talk) == "session.updated"


def test_a_client_that_does_not_read_is_dropped(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks for replies and reads none; the server does not keep them for ever."""
    monkeypatch.setattr(line, "MOST_UNSENT_BYTES", 1 << 20)
    words = "Say exactly: " + "one two three four five six seven. " * 60
    asked = masked(TEXT, json.dumps(respond(conversation="none", instructions=words)).encode())
    with socket.create_connection(("127.0.0.1", port_of(simulator))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(REQUEST + asked)
        hung_up = select.poll()
        hung_up.register(client, 0)  # nothing but errors and the end, which are always told
        assert hung_up.poll(60_000)
    assert in_session(simulator, event)["type"] == "session.created"


def test_what_is_sent_behind_the_handshake_is_not_lost(simulator: Simulator) -> None:
    with socket.create_connection(("127.0.0.1", port_of(simulator))) as client:
        client.settimeout(10)
        client.sendall(REQUEST + masked(TEXT, json.dumps(update()).encode()))
        received = b""
        while b"session.updated" not in received:
            received += client.recv(4096)
    assert received.startswith(b"HTTP/1.1 101 ")


def test_a_handshake_without_its_key_is_refused(simulator: Simulator) -> None:
    request = f"GET /v1/realtime{MODEL} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    request += f"Connection: close\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(simulator))) as client:
        client.sendall(request.encode())
        assert b" 400 " in client.recv(200)


# --- appended sound, read without a parser


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ('{"type":"input_audio_buffer.append","audio":"AAAA"}', bytes(3)),
        ('{"type": "input_audio_buffer.append", "audio": "AAAA"}', bytes(3)),
        ('{"type":"input_audio_buffer.append","audio":"AA"A"}', None),
        ('{"type":"input_audio_buffer.append","audio":"AAAA","event_id":"a"}', None),
        ('{"type":"input_audio_buffer.append","audio":"AA\\u0041A"}', None),
        ('{"type":"input_audio_buffer.append","audio":""}', None),
        ('{"type":"input_audio_buffer.append","audio":"AAA"}', None),
        ('{"type":"input_audio_buffer.append"}', None),
    ],
)
def test_an_append_is_read_at_once_or_not_at_all(text: str, sound: bytes | None) -> None:
    assert parsing.appended(text) == sound


def test_the_short_cut_hears_the_same() -> None:
    chunks = [silence(40)] * 10 + [hum(40)] * 20 + [silence(40)] * 20
    slow, quick = Desk(), Desk()
    for chunk in chunks:
        slow.send(chunk)
        frame = json.dumps(chunk)
        if not quick.engine.hears(frame, quick.now):
            quick.engine.receive(frame, quick.now)
        quick.settle()
    assert quick.events == slow.events


def test_the_short_cut_is_not_taken_where_something_comes_first() -> None:
    frame = json.dumps(hum(40))
    desk = Desk()
    assert not desk.engine.hears(json.dumps(respond()), desk.now)
    assert desk.engine.hears(frame, desk.now)
    desk.engine.receive(json.dumps(respond()), desk.now)
    assert not desk.engine.hears(frame, desk.now)
    assert not Desk(latency=TYPICAL).engine.hears(frame, 9.0)


# --- the sound of turns


def test_retrieving_a_spoken_turn_gives_its_sound() -> None:
    desk = Desk()
    desk.send(silence(704), hum(1024), silence(300))
    item_id = desk.last("input_audio_buffer.committed")["item_id"]
    (retrieved,) = desk.send({"type": "conversation.item.retrieve", "item_id": item_id})
    sound = decode(retrieved["item"]["content"][0]["audio"])
    assert len(sound) / 48 == 300 + 1024 + 224
    spoken = decode(hum(1024)["audio"])
    assert sound[300 * 48 : 1324 * 48] == spoken


def test_retrieving_an_item_that_was_created_with_sound_gives_it_back() -> None:
    desk = Desk()
    sound = hum(500)["audio"]
    content = [{"type": "input_audio", "audio": sound, "transcript": "Hm."}]
    item = {"id": "item_mine", "type": "message", "role": "user", "content": content}
    came = desk.send({"type": "conversation.item.create", "item": item})
    assert all("audio" not in event["item"]["content"][0] for event in came)
    (retrieved,) = desk.send({"type": "conversation.item.retrieve", "item_id": "item_mine"})
    assert retrieved["item"]["content"] == content
    desk.send({"type": "conversation.item.delete", "item_id": "item_mine"})
    assert desk.engine.recordings.size == 0


def test_a_sound_without_room_is_not_kept() -> None:
    store = Recordings(room=100)
    store.keep("item_long", bytes(101))
    store.keep("item_1", bytes(60))
    store.keep("item_2", bytes(60))
    assert [len(store.get(f"item_{name}")) for name in ("long", "1", "2")] == [0, 0, 60]
    assert store.size == 60


def test_other_events_never_carry_it() -> None:
    desk = Desk()
    came = desk.send(hum(1000), silence(300))
    assert not any("audio" in part for e in came for part in e.get("item", {}).get("content", ()))


def test_the_oldest_sound_gives_way() -> None:
    store = Recordings(room=100)
    for n in range(5):
        store.add("session", bytes([n]) * 40)
        store.finish("session", f"item_{n}", 999)
    assert [bool(store.get(f"item_{n}")) for n in range(5)] == [False, False, False, True, True]
    assert store.size == 80


def test_a_turn_that_does_not_fit_is_not_kept_by_half() -> None:
    store = Recordings(room=100)
    for _ in range(5):
        store.add("session", bytes(40))
    store.finish("session", "item", 999)
    assert store.get("item") == b""
    store.add("session", bytes(40))
    store.finish("session", "next", 30)
    assert len(store.get("next")) == store.size == 30


def test_a_session_that_ended_keeps_nothing() -> None:
    store = Recordings()
    desk = Desk(recordings=store)
    desk.send(hum(1000), silence(300), hum(500))
    assert store.size
    desk.engine.end()
    assert store.size == 0


# --- many


def test_many_sessions_are_served_at_once(simulator: Simulator) -> None:
    from websockets.asyncio.client import connect

    async def one(number: int) -> str:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with connect(simulator.url + MODEL, additional_headers=headers) as client:
            words = f"Say exactly: number {number}."
            text = respond(instructions=words, output_modalities=["text"])
            await client.send(json.dumps(text))
            done = (await until(client, "response.done"))[-1]
            return str(done["response"]["output"][0]["content"][0]["text"])

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(one(number) for number in range(60)))

    said = asyncio.run(asyncio.wait_for(all_of_them(), 60))
    assert said == [f"number {number}." for number in range(60)]


def test_the_server_says_how_late_it_is(simulator: Simulator) -> None:
    import urllib.request

    address = simulator.url.replace("ws://", "http://").removesuffix("/v1/realtime")
    with urllib.request.urlopen(f"{address}/status.json") as answer:
        told = json.load(answer)
    assert told["simulator"] == "rtwidgets-simulator"
    assert all(float(late) >= 0 and count for late, count in told["late_ms"].items())
