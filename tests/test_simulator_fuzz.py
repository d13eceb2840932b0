"""Ten thousand client events, half of them broken somewhere: nothing breaks, nothing invalid is
sent, every one is answered, and a server that had them all is no larger for it.

Once over a real socket to `rtwidgets serve` in a process of its own, and once in memory on a
clock that runs, where a failing example is made small.
"""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from simulator_driver import Desk, Event, Says, hum, respond, silence, types, update, user_text
from simulator_hostile import EVENTS, Known, Sent, talks

pytest.importorskip("openai")

from openai_events import problems  # noqa: E402
from websockets.asyncio.client import ClientConnection, connect  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402

from rtwidgets.simulator import Simulator  # noqa: E402
from rtwidgets.simulator.jobs import Answer, Call, Question  # noqa: E402
from rtwidgets.simulator.latency import TYPICAL  # noqa: E402
from rtwidgets.simulator.scripts import UserLines  # noqa: E402

KEY = "sk-test-not-a-key"
#: Known from recordings (protocol facts §6), and not in the official types.
RECORDED = ".reasoning_tokens"
ALWAYS: dict[str, Any] = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "database": None,
}  # fmt: skip


class Varied:
    """A brain that talks, calls and falls silent in turn."""

    def answer(self, question: Question) -> Answer:
        calls = tuple(Call(tool["name"], '{"a": 1}') for tool in question.tools[-1:])
        answers = (Answer("Hi there."), Answer("", calls), Answer("Well.", calls), Answer(""))
        return answers[question.replies_before % 4]


def check(events: Iterable[Event]) -> None:
    """Every event fits the official types, and no two have the same id."""
    events = list(events)
    wrong = [problem for event in events for problem in problems(event)]
    assert [problem for problem in wrong if RECORDED not in problem] == []
    ids = [event["event_id"] for event in events]
    assert len(ids) == len(set(ids))


# --- in memory


def survive(sent: Iterable[Sent], validate: bool = True) -> None:
    """Send the events to a session of their own, and look at all that comes."""
    lines, known, read = UserLines(["One.", "Two."]), Known(), 0
    desk = Desk(
        "gpt-realtime-2.1", brain=Varied(), voice_ms=300, latency=TYPICAL, transcriber=lines
    )
    for event, which in sent:
        for came in desk.events[read:]:
            known.read(came)
        read = len(desk.events)
        if desk.engine.closing is None:
            desk.engine.receive(known.frame(event, which), desk.now)
            desk.settle(until=desk.now + 0.4)
    desk.send_for(1.0, update(instructions="Still there."))
    assert "session.updated" in types(desk.events) or desk.engine.closing is not None
    if validate:
        check(desk.events)


@given(talks(10))
@settings(max_examples=60, **ALWAYS)
def test_a_session_survives_whatever_is_sent(sent: list[Sent]) -> None:
    survive(sent)


@given(talks(8))
@settings(max_examples=60, **ALWAYS)
def test_every_event_is_answered_and_refused_once_at_most(sent: list[Sent]) -> None:
    desk, known = Desk("gpt-realtime-2.1", brain=Says("Hi."), voice_ms=300), Known()
    for event, which in sent:
        before = len(desk.events)
        desk.engine.receive(known.frame(event, which), desk.now)
        desk.settle(until=desk.now + 1.0)  # not for ever: an idle session prompts again and again
        came = desk.events[before:]
        for each in came:
            known.read(each)
        refused = [each["error"]["message"] for each in came if each["type"] == "error"]
        # What turn detection and the idle timeout may not do is no answer to this event.
        by_themselves = ["Tool choice"]
        if isinstance(event, dict) and str(event.get("type")).endswith("append"):
            by_themselves.append("already has an active response")
        own = [one for one in refused if not any(words in one for words in by_themselves)]
        assert len(own) <= 1
        if not came and desk.engine.closing is None:  # only this event has no answer
            assert isinstance(event, dict) and event["type"].endswith("input_audio_buffer.append")


def test_an_engine_forgets_the_sessions_it_survived() -> None:
    sessions = [(event, 0) for event in EVENTS]
    survive(sessions)
    tracemalloc.start()
    try:
        survive(sessions, validate=False)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(40):
            survive(sessions, validate=False)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 64 * 1024
    finally:
        tracemalloc.stop()


def test_a_long_session_keeps_only_its_conversation() -> None:
    """Items that are deleted again leave nothing behind, however many there were."""
    desk = Desk(brain=Varied(), voice_ms=100)

    def turns(count: int) -> int:
        for _ in range(count):
            desk.send(user_text("Hello", id="mine"), hum(200), silence(400))
            desk.send(respond(output_modalities=["text"]))
            for entry in list(desk.engine.items):
                desk.send({"type": "conversation.item.delete", "item_id": entry.id})
            desk.events.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    turns(50)
    tracemalloc.start()
    try:
        before = turns(50)
        assert turns(200) - before < 64 * 1024
    finally:
        tracemalloc.stop()


# --- over a real socket

EXAMPLES, EACH, MARKED = 250, 40, 10  # 10 000 events; so often the server has to show that it lives


class Talk:
    """One session over the socket. What comes is kept, to be looked at once it is over."""

    def __init__(self, line: ClientConnection) -> None:
        self._line, self._known = line, Known()
        self.events: list[Event] = []

    async def through(self, sent: list[Sent]) -> int | None:
        """Send it all; the close code if the server ended the session."""
        try:
            for start in range(0, len(sent), MARKED):
                for event, which in sent[start : start + MARKED]:
                    await self._line.send(self._known.frame(event, which))
                await self._answered(f"mark-{start}")
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        return None

    async def _answered(self, mark: str) -> None:
        """Ask for what is not there, and read on until that is said."""
        asked = {"type": "conversation.item.retrieve", "item_id": "nowhere", "event_id": mark}
        await self._line.send(json.dumps(asked))
        while True:
            event = json.loads(await asyncio.wait_for(self._line.recv(), 20))
            self.events.append(event)
            self._known.read(event)
            if event["type"] == "error" and event["error"]["event_id"] == mark:
                return


async def talk(simulator: Simulator, sent: list[Sent]) -> tuple[list[Event], int | None]:
    url = simulator.url + "?model=gpt-realtime-2.1"
    headers = {"Authorization": f"Bearer {KEY}"}
    async with connect(url, additional_headers=headers, max_size=None, compression=None) as line:
        session = Talk(line)
        return session.events, await session.through(sent)


def resident(simulator: Simulator) -> int:
    """Bytes of memory that the server's process holds."""
    child: Any = simulator._runner
    pages = Path(f"/proc/{child._process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ten_thousand_events_over_a_real_socket_and_memory_stays_flat() -> None:
    """What comes is looked at outside of the talking, so that reading is no hold-up."""
    sizes: list[int] = []
    count = 0
    with Simulator(key=KEY, user_lines=["One.", "Two."]) as simulator, asyncio.Runner() as runner:

        @given(talks(EACH))
        @settings(max_examples=EXAMPLES, phases=[Phase.generate], **ALWAYS)
        def survived(sent: list[Sent]) -> None:
            nonlocal count
            events, closed = runner.run(talk(simulator, sent))
            assert closed in (None, 1000)  # by a session.close
            assert simulator.running
            check(events)
            count += len(sent)
            if count % (EXAMPLES * EACH // 5) == 0 and Path("/proc/self/statm").exists():
                sizes.append(resident(simulator))

        survived()
    assert count >= EXAMPLES * EACH
    if sizes:  # by the first fifth everything was loaded and cached once
        assert max(sizes[2:]) - sizes[1] < 8 * 1024 * 1024
