"""Lines on which one side takes nothing, or gives more than enough: bounded, and said so."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from scripted import CREATED, UPDATED, Scripted, greet, types
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serving
from websockets.exceptions import ConnectionClosed

import rtwidgets as rt
from rtwidgets import audio, loop
from rtwidgets.log import Row
from rtwidgets.session import line as module
from rtwidgets.transport import MemoryTransport, Transport
from rtwidgets.widgets import takes, voice
from rtwidgets.widgets.chat import RealtimeChat
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.transcript import LATEST, Transcript

SOON = 20.0


class Narrow(MemoryTransport):
    """An end of a line whose frames wait while the gate is shut."""

    def __init__(self, *ends: asyncio.Queue[str | bytes | None]) -> None:
        super().__init__(*ends)
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, frame: str) -> None:
        await self.gate.wait()
        await super().send(frame)


class Slow(Scripted):
    """A scripted server that takes nothing while `line.gate` is shut."""

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        there: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        back: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.line = Narrow(there, back)
        self.serving = asyncio.ensure_future(self._serve(MemoryTransport(back, there)))
        return self.line


class Listener:
    """A server that greets, and then keeps what it is sent."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.line: MemoryTransport

    async def __call__(self, line: MemoryTransport) -> None:
        self.line = line
        await greet(line)
        with contextlib.suppress(rt.ConnectionLost):
            while True:
                self.came.append(json.loads(await line.recv())["type"])


Scene = Callable[[rt.AsyncSession, Slow, Listener], Awaitable[None]]


def played(scene: Scene, timeout: float = SOON) -> rt.AsyncSession:
    """The session, open and its line shut, in which the scene was played."""

    async def play() -> rt.AsyncSession:
        listener = Listener()
        endpoint = Slow(listener)
        async with asyncio.timeout(SOON), rt.AsyncSession(endpoint, timeout=timeout) as s:
            await asyncio.sleep(0)
            endpoint.line.gate.clear()
            await scene(s, endpoint, listener)
        return s

    return asyncio.run(play())


async def arrived(listener: Listener, count: int) -> list[str]:
    while len(listener.came) < count:
        await asyncio.sleep(0.001)
    return listener.came


def test_what_is_said_ends_by_its_timeout_and_leaves_once_when_the_server_goes_on() -> None:
    async def scene(s: rt.AsyncSession, slow: Slow, listener: Listener) -> None:
        for _ in range(3):
            with pytest.raises(rt.TimedOut, match="took nothing.*leaves when it goes on"):
                await s.ask("Hello?", timeout=0.01)
        assert listener.came == []
        slow.line.gate.set()
        await s.send({"type": "session.update"})
        said = ["conversation.item.create", "response.create", *["conversation.item.create"] * 2]
        assert await arrived(listener, 5) == [*said, "session.update"]

    assert types(played(scene).log, "local") == []


def test_sound_that_is_not_taken_is_not_kept() -> None:
    async def scene(s: rt.AsyncSession, slow: Slow, listener: Listener) -> None:
        for _ in range(50):
            with pytest.raises(rt.TimedOut, match="took nothing"):
                await s.append(bytes(960))
        assert len(s._line._tasks) <= 2
        assert len(s.log.where(type="input_audio_buffer.append")) == 1
        slow.line.gate.set()
        await s.append(bytes(960))
        assert await arrived(listener, 2) == ["input_audio_buffer.append"] * 2

    played(scene, timeout=0.005)


def test_a_server_that_floods_and_takes_nothing_leaves_one_piece_of_work_waiting() -> None:
    async def scene(s: rt.AsyncSession, slow: Slow, listener: Listener) -> None:
        with pytest.raises(rt.TimedOut):
            await s.say("One", 0.01)
        with pytest.raises(rt.TimedOut):
            await s.say("Two", 0.01)
        for number in range(2000):
            await listener.line.send(json.dumps({"type": "ping", "n": number}))
        await listener.line.send(json.dumps({"type": "the.end"}))
        await s.wait_for("the.end")
        assert len(s._line._tasks) <= 4

    played(scene)


def test_a_stalled_line_is_said_once_and_its_going_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STALLED_S", 0.001)

    async def scene(s: rt.AsyncSession, slow: Slow, listener: Listener) -> None:
        said = asyncio.ensure_future(s.say("Hello?"))
        row = await s.wait_for("line.stalled")
        assert "takes nothing" in (row.event or {})["message"]
        slow.line.gate.set()
        await said
        await s.wait_for("line.resumed")

    assert types(played(scene).log, "local") == ["line.stalled", "line.resumed"]


def test_a_stalled_session_can_be_closed_and_who_waits_is_told() -> None:
    async def scene(s: rt.AsyncSession, slow: Slow, listener: Listener) -> None:
        said = [asyncio.ensure_future(s.say("Hello?")) for _ in range(3)]
        await s.wait_for("conversation.item.create")
        await s.close()
        for one in said:
            with pytest.raises(rt.Misuse, match="not open"):
                await one
        assert not s._line._tasks

    played(scene)


# ---------------------------------------------------------------- a chat on such a line


async def set_gate(slow: Slow, open_: bool) -> None:
    slow.line.gate.set() if open_ else slow.line.gate.clear()


async def row_of(chat: RealtimeChat, type_: str) -> dict[str, Any]:
    while not (rows := chat.log.where(type=type_)):
        await asyncio.sleep(0.001)
    return rows[0].event or {}


def test_of_what_is_spoken_into_a_stalled_line_the_last_is_kept_and_the_rest_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(takes, "HELD", 10)
    slow = Slow(Listener())
    chat = RealtimeChat(endpoint=slow, opening=rt.WaitForUser())
    chat.start()
    chat.wait(SOON)
    loop.run(set_gate(slow, False), SOON)
    microphone = chat._presenter._parts.microphone
    microphone._handle_custom_msg({"t": "take", "take": "p-1", "page": "p"}, [])
    for n in range(40):
        chunk = {"t": "chunks", "take": "p-1", "n": n, "at": [0]}
        microphone._handle_custom_msg(chunk, [bytes(1920)])
    microphone._handle_custom_msg({"t": "over", "take": "p-1", "count": 40, "why": "released"}, [])
    loop.run(set_gate(slow, True), SOON)
    told = loop.run(row_of(chat, "microphone.dropped"), SOON)
    loop.run(row_of(chat, "microphone.stopped"), SOON)
    sent = len(chat.log.where(type="input_audio_buffer.append"))
    assert told["ms"] == 40 * (40 - sent) and 10 <= sent <= 12
    chat.stop()
    assert told["message"] in [line.text for line in chat._presenter._transcript.lines()]


def test_sound_that_no_page_takes_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "WAITING", 48_000)
    sound = audio.encode(bytes(24_000))

    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        for number in range(20):
            names = {"response_id": "resp_1", "item_id": f"item_{number}"}
            delta = {"type": "response.output_audio.delta", **names, "delta": sound}
            await line.send(json.dumps(delta))
        await line.send(json.dumps({"type": "the.end"}))
        await line.recv()

    chat = RealtimeChat(endpoint=Scripted(serve), opening=rt.WaitForUser())
    chat.start()
    loop.run(row_of(chat, "the.end"), SOON)
    speaker = chat._presenter._speaker
    assert [row.item_id for row in speaker._queue] == ["item_18", "item_19"]
    assert all(isinstance(row, Row) and row._event is None for row in speaker._queue)
    speaker._handle_custom_msg({"t": "hello", "page": "p"}, [])
    assert loop.run(row_of(chat, "playback.skipped"), SOON)["ms"] == 18 * 500
    chat.stop()
    assert any(
        "9 s of sound came long before" in line.text for line in chat._presenter._transcript.lines()
    )


def test_one_huge_frame_of_sound_is_played_in_pieces() -> None:
    log = rt.EventLog()
    huge = audio.encode(bytes(11 << 20))
    log.append("server", {"type": "response.output_audio.delta", "item_id": "a", "delta": huge})
    pieces = [len(pcm) for _, pcm in voice.bundles(list(log))]
    assert sum(pieces) == 11 << 20 and max(pieces) == voice.LONGEST


def test_of_thousands_of_lines_a_page_is_sent_the_last_and_exports_have_all() -> None:
    conversation, transcript = rt.Conversation(), Told()
    transcript.follow(conversation)
    for number in range(3 * LATEST):
        item = {"id": f"item_{number}", "type": "message", "role": "user"}
        conversation.receive({"type": "conversation.item.added", "item": item})
        transcript.notice(f"No {number}.", by="server", state="error")
    assert len(transcript.lines()) == 6 * LATEST
    transcript._handle_custom_msg({"t": "all"}, [])
    assert transcript._sender.drain(SOON)
    order = transcript.sent[-1]["order"]
    assert len(order) == LATEST + 1
    first, *_ = transcript.sent[-1]["lines"]
    assert first["text"].startswith(f"{5 * LATEST} earlier lines")
    assert order[-2:] == [f"item_{3 * LATEST - 1}", f"notice_1_{3 * LATEST - 1}"]


class Told(Transcript):
    """A transcript whose messages are kept instead of sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(sender=Sender(interval=0.001))

    def send(self, content: dict[str, Any], buffers: Any = ()) -> None:
        self.sent.append(content)


# ---------------------------------------------------------------- much of it, over a real socket

FLOOD = 100_000
HUGE = bytes(11 << 20)
"""Sound that makes a frame of nearly 15 MiB, the largest that is legal."""

Serve = Callable[[ServerConnection], Awaitable[None]]


def over_a_socket(
    serve: Serve, scene: Callable[[rt.AsyncSession], Awaitable[None]], largest: int = 1 << 24
) -> None:
    """Play a scene with a server of the test on this machine."""

    async def greeted(line: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await line.send(json.dumps(CREATED))
            await line.recv()
            await line.send(json.dumps(UPDATED))
            await serve(line)

    async def play() -> None:
        async with serving(greeted, "127.0.0.1", 0, max_size=largest, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = rt.Endpoint(f"ws://127.0.0.1:{port}/v1/realtime")
            async with rt.AsyncSession(endpoint, rt.WaitForUser(), timeout=2 * SOON) as s:
                await scene(s)

    asyncio.run(play())


def test_a_hundred_thousand_events_at_full_speed_and_what_is_sent_gets_through() -> None:
    heard = asyncio.Event()

    async def flood(line: ServerConnection) -> None:
        async def listen() -> None:
            await line.recv()
            heard.set()

        listening = asyncio.ensure_future(listen())
        for number in range(FLOOD):
            await line.send(f'{{"type":"ping","event_id":"event_{number}"}}')
        await listening
        await line.send('{"type":"the.end"}')
        await line.wait_closed()

    async def scene(s: rt.AsyncSession) -> None:
        await s.send({"type": "input_audio_buffer.clear"})
        await s.wait_for("the.end")
        assert heard.is_set() and len(s.log.where(type="ping")) == FLOOD
        assert s.log.where(type="ping")[-1].raw.endswith(f'"event_{FLOOD - 1}"}}')

    over_a_socket(flood, scene)


def test_the_largest_frames_go_both_ways() -> None:
    async def echo(line: ServerConnection) -> None:
        sound = json.loads(await line.recv())["audio"]
        delta = {"type": "response.output_audio.delta", "item_id": "a", "delta": sound}
        await line.send(json.dumps(delta))
        await line.wait_closed()

    async def scene(s: rt.AsyncSession) -> None:
        await s.append(HUGE)
        row = await s.wait_for("response.output_audio.delta")
        assert row.pcm == HUGE and row.size > 14 << 20

    over_a_socket(echo, scene)


def test_a_server_that_hangs_up_on_a_huge_frame_leaves_a_complete_log_and_a_closed_session() -> (
    None
):
    async def cut(line: ServerConnection) -> None:
        await line.recv()

    async def scene(s: rt.AsyncSession) -> None:
        with contextlib.suppress(rt.RealtimeError):  # it may be gone before all was taken
            await s.append(HUGE)
        await s.wait_for("line.lost")
        assert len(s.log.where(type="input_audio_buffer.append")) == 1

    over_a_socket(cut, scene, largest=1 << 20)
