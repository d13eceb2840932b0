"""What careless and hostile clients do, and that it costs nobody else anything."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import numpy as np
import pytest
from simulator_driver import MS, Desk, append, hum, respond, silence, types, update, user_text
from test_simulator_line import masked, port_of, read
from test_simulator_listening import heard, quiet, tone
from test_simulator_server import KEY, event, http, in_session, post, until

from rtwidgets.audio import decode
from rtwidgets.errors import Misuse
from rtwidgets.simulator import Simulator
from rtwidgets.simulator.chat import ChatBrain, shown_url
from rtwidgets.simulator.engine import Engine
from rtwidgets.simulator.frames import TEXT, Fault, Reader
from rtwidgets.simulator.item_shapes import APPEND_MAX
from rtwidgets.simulator.jobs import Question
from rtwidgets.simulator.memory import connect
from rtwidgets.simulator.settings import Settings

COMMIT = {"type": "input_audio_buffer.commit"}
NO_TURNS = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


@pytest.fixture(scope="module")
def simulator() -> Any:
    with Simulator(in_process=True, key=KEY) as running:
        yield running


def listening(**fields: Any) -> dict[str, Any]:
    """A session.update of turn detection that answers nothing."""
    detection = {"type": "server_vad", "create_response": False, **fields}
    return update(audio={"input": {"turn_detection": detection}})


def billed_ms(desk: Desk) -> int:
    return list(desk.engine.items)[-1].audio_ms


# --- turns


@pytest.mark.parametrize("then", [silence(1000), COMMIT])
def test_the_id_of_a_turn_that_is_being_spoken_is_taken(then: dict[str, Any]) -> None:
    desk = Desk()
    desk.send(listening())
    desk.send(hum(500))
    item_id = desk.last("input_audio_buffer.speech_started")["item_id"]
    (refused,) = desk.send(user_text("Mine!", id=item_id))
    assert refused["error"]["code"] == "item_create_duplicate_item_id"
    assert "error" not in types(desk.send(then))
    assert desk.last("input_audio_buffer.committed")["item_id"] == item_id
    (retrieved,) = desk.send({"type": "conversation.item.retrieve", "item_id": item_id})
    assert retrieved["item"]["content"][0]["audio"]


@pytest.mark.parametrize("what", ["hears", "receive", "take"])
def test_a_fault_of_ours_ends_one_session_and_tells_its_client(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a fault that nobody foresaw")

    async def bystander(other: Any) -> str:
        await event(other)

        async def talk(client: Any) -> int:
            await event(client)
            with monkeypatch.context() as patch:
                patch.setattr(Engine, what, broken)
                await client.send(json.dumps({"type": "response.create"}))
                await client.wait_closed()
            return int(client.close_code)

        assert await _beside(simulator, talk) == 1011
        await other.send(json.dumps(update()))
        return str((await until(other, "session.updated"))[-1]["type"])

    assert in_session(simulator, bystander) == "session.updated"


def test_an_engine_that_cannot_be_made_is_told_to_its_client(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(client: Any) -> int:
        await client.wait_closed()
        return int(client.close_code)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "__init__", lambda *_, **__: 1 / 0)
        assert in_session(simulator, talk) == 1011
    assert in_session(simulator, event)["type"] == "session.created"


async def _beside(simulator: Simulator, work: Any) -> Any:
    from websockets.asyncio.client import connect

    headers = {"Authorization": f"Bearer {KEY}"}
    url = simulator.url + "?model=gpt-realtime-2.1"
    async with connect(url, additional_headers=headers) as line:
        return await work(line)


def test_padding_without_end_is_padding_of_five_seconds() -> None:
    desk = Desk()
    desk.send(listening(prefix_padding_ms=10**400, silence_duration_ms=10**400))
    desk.send(silence(7040), hum(500))
    assert desk.last("input_audio_buffer.speech_started")["audio_start_ms"] == 2040


def test_no_silence_at_all_ends_no_turn_that_is_loud() -> None:
    assert len(heard(tone(1000), silence_duration_ms=0)) == 1
    stopped = heard(tone(1024), quiet(40), silence_duration_ms=0)[-1]
    assert (stopped.at_ms, stopped.spoken_ms) == (1056, 1024)  # type: ignore[union-attr]


def test_two_turns_in_one_append_have_each_its_own_sound() -> None:
    parts = [silence(416), hum(608), silence(704), hum(800), silence(374)]
    whole = b"".join(decode(part["audio"]) for part in parts)
    at_once, bit_by_bit = Desk(), Desk()
    for desk, events in ((at_once, [append(np.frombuffer(whole, "<i2"))]), (bit_by_bit, parts)):
        desk.send(listening(silence_duration_ms=200))
        desk.send(*events)
        ids = [e["item_id"] for e in desk.events if e["type"].endswith("committed")]
        sounds = [desk.engine.recordings.get(item_id) for item_id in ids]
        assert [len(sound) // MS for sound in sounds] == [300 + 608 + 224, 300 + 800 + 224]
        assert sounds[1] == whole[1428 * MS : 2752 * MS]
        desk.send(COMMIT)  # 150 ms came after the second turn
        assert billed_ms(desk) == 150
    assert types(at_once.events) == types(bit_by_bit.events)


def test_of_a_silence_no_more_is_billed_than_is_kept() -> None:
    desk = Desk()
    desk.send(listening())
    desk.send(*[silence(1000)] * 60, COMMIT)
    item_id = desk.last("input_audio_buffer.committed")["item_id"]
    assert billed_ms(desk) == len(desk.engine.recordings.get(item_id)) // MS <= 3000
    desk.send(*[silence(1000)] * 60, hum(500), COMMIT)
    assert 800 <= billed_ms(desk) <= 1000


def test_without_turn_detection_the_buffer_goes_on_with_what_was_kept() -> None:
    desk = Desk()
    desk.send(listening())
    desk.send(*[silence(1000)] * 60, {"type": "session.update", "session": NO_TURNS})
    desk.send(silence(500), COMMIT)
    item_id = desk.last("input_audio_buffer.committed")["item_id"]
    kept = len(desk.engine.recordings.get(item_id)) // MS
    assert 500 + 300 <= billed_ms(desk) == kept <= 3000


# --- frames


def test_a_message_in_endless_parts_is_refused_and_costs_no_time() -> None:
    """Not only their number: a long message in parts is not added up again for each of them."""
    first = masked(TEXT, b"", final=False)
    with pytest.raises(Fault) as fault:
        read(first, *[masked(0, b"", final=False) * 100] * 400)
    assert fault.value.code == 1009
    reader = Reader(1 << 20)
    for piece in (first, *[masked(0, b"x", final=False)] * 3000):
        assert list(reader.feed(piece)) == []
    assert reader._parts_size == 3000
    assert list(reader.feed(masked(0, b"y"))) == [(TEXT, b"x" * 3000 + b"y")]
    assert reader._parts_size == 0


def test_fifteen_mebibytes_may_be_appended_at_once(simulator: Simulator) -> None:
    pcm = bytes(15 * 1024 * 1024)

    async def talk(client: Any) -> list[str]:
        await event(client)
        await client.send(json.dumps({"type": "session.update", "session": NO_TURNS}))
        await client.send(json.dumps(append(np.frombuffer(pcm, "<i2"))))
        await client.send(json.dumps(COMMIT))
        return types(await until(client, "conversation.item.done"))

    assert "error" not in in_session(simulator, talk)


def test_what_is_longer_is_refused_in_words(simulator: Simulator) -> None:
    async def talk(client: Any) -> Any:
        await event(client)
        audio = "A" * (APPEND_MAX + 4)
        await client.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        return (await event(client))["error"]["code"]

    assert in_session(simulator, talk) == "string_above_max_length"


# --- who gets in


def test_a_key_that_holds_the_word_beta_is_no_beta_client(simulator: Simulator) -> None:
    with Simulator(in_process=True, key="my-beta-key-123456") as other:
        offer = ["realtime", "openai-insecure-api-key.my-beta-key-123456"]
        created = in_session(other, event, key=None, subprotocols=offer)
        assert created["type"] == "session.created"
    offer = ["realtime", f"openai-insecure-api-key.{KEY}", "openai-beta.realtime-v1"]
    said = in_session(simulator, event, key=None, subprotocols=offer)
    assert said["error"]["code"] == "beta_api_shape_disabled"


SECRETS = "/v1/realtime/client_secrets"


@pytest.mark.parametrize(
    "body",
    [
        b'{"session": {"type": "realtime", "instructions": "\\ud800"}}',
        b"[" * 50_000,
        b"[]",
        b"\xff",
        b'{"session": {"type": "realtime", "max_output_tokens": NaN}}',
    ],
)
def test_a_body_that_cannot_be_used_is_refused_in_words(simulator: Simulator, body: bytes) -> None:
    status, content = post(simulator, SECRETS, body)
    assert (status, bool(content["error"]["message"])) == (400, True)
    assert content["error"]["code"] in ("invalid_json", "invalid_event")


def test_a_client_secret_makes_no_client_secrets(simulator: Simulator) -> None:
    secret = post(simulator, SECRETS, {})[1]["value"]
    status, content = post(simulator, SECRETS, {}, key=secret)
    assert status == 401
    assert "client secret" in content["error"]["message"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", "Host: ["),
        ("/v1/realtime?model=gpt-realtime", "Host: ["),
        ("/v1/realtime?model=gpt-realtime", "Host: 127.0.0.1\r\nOrigin: http://["),
    ],
)
def test_a_name_that_cannot_be_read_is_a_foreign_name(
    simulator: Simulator, path: str, headers: str
) -> None:
    request = f"GET {path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(simulator))) as client:
        client.sendall(request.encode())
        assert client.recv(200).split()[1] == b"403"


def test_the_status_page_says_where_words_go() -> None:
    chat = {"chat_url": "http://me:secret@127.0.0.1:9/v1", "chat_model": "m"}
    for options, where in (({}, "sends nothing anywhere"), (chat, "to http://127.0.0.1:9/v1.")):
        with Simulator(in_process=True, key=KEY, **options) as running:
            with urllib.request.urlopen(http(running, "/")) as answer:
                page = answer.read().decode()
        assert where in page and "secret" not in page
        assert ("sends nothing" in page) == (not options)


# --- options, and a session in memory


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 0.0, -1.0])
def test_a_session_lasts_for_some_time(seconds: float) -> None:
    with pytest.raises(Misuse, match="not for ever"):
        Settings(session_seconds=seconds)


async def _in_memory(*sent: dict[str, Any], sleep: float = 0.0, **options: Any) -> Any:
    line = connect(latency="none", wall_clock=1_800_000_000.0, **options)
    created = json.loads(await line.recv())
    waiting = asyncio.ensure_future(line.recv())
    await asyncio.sleep(0.01)  # it waits, and that is no reason to grow old
    assert not waiting.done()
    await line.send(json.dumps(update()))
    assert json.loads(await waiting)["type"] == "session.updated"
    await line.clock.sleep(sleep)
    return created, line


def test_a_session_in_memory_says_when_it_ends() -> None:
    created, _ = asyncio.run(_in_memory())
    assert created["session"]["expires_at"] == 1_800_003_600
    created, _ = asyncio.run(_in_memory(session_seconds=60))
    assert created["session"]["expires_at"] == 1_800_000_060


def test_a_session_in_memory_ends_when_its_time_has_come() -> None:
    async def work() -> Any:
        _, line = await _in_memory(session_seconds=60, sleep=61.0)
        return json.loads(await line.recv())["error"]["code"]

    assert asyncio.run(work()) == "session_expired"


# --- chat endpoints


class Chat(BaseHTTPRequestHandler):
    """Sends what its model's name says."""

    STREAMS: ClassVar[dict[str, list[Any]]] = {
        "emoji": ["Hi \ud83d", "\ude00!", {"finish_reason": "stop"}],
        "half": ["Hi \ud83d", " and \ude00 \ud83d", {"finish_reason": "stop"}],
        "no-done": ["Hi.", {"finish_reason": "stop"}],
        "broken-off": ["Hi and"],
        "empty": [],
    }

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in self.STREAMS[body["model"]]:
            text = {"delta": {"content": piece}} if isinstance(piece, str) else None
            choice = text or {"delta": {}, **piece}
            self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def chat() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://me:secret@127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("model", "said"), [("emoji", "Hi 😀!"), ("half", "Hi � and � �"), ("no-done", "Hi.")]
)
def test_characters_that_come_in_halves_arrive_whole(chat: str, model: str, said: str) -> None:
    assert ChatBrain(chat, model).answer(Question("")).text == said
    parts = [part.text for part in ChatBrain(chat, model).stream(Question(""))]
    assert "".join(parts).encode().decode() == said


@pytest.mark.parametrize("model", ["broken-off", "empty"])
def test_a_stream_that_breaks_off_is_a_failed_response_with_the_reason(
    chat: str, model: str
) -> None:
    desk = Desk(brain=ChatBrain(chat, model))
    desk.send(respond(output_modalities=["text"]))
    response = desk.last("response.done")["response"]
    assert response["status"] == "failed"
    message = response["status_details"]["error"]["message"]
    assert "broke off" in message and "secret" not in message


@pytest.mark.parametrize("url", ["ftp://me:secret@host/v1", "http://me:secret@[", "http://a:b/v1"])
def test_an_address_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Misuse, match="no chat endpoint") as refused:
        ChatBrain(url, "m")
    assert "secret" not in str(refused.value)


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    assert shown_url("http://me:p@ss@host:1/v1?key=k") == "http://host:1/v1"
    assert shown_url("http://host/@v1") == "http://host/@v1"
