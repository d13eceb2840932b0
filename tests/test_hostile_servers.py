"""A server that breaks every rule: sessions and calls end, pages and exports are made all the same.

What it sends is in server_hostile.py; what the conversation makes of it is in test_server_fuzz.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm
from scripted import Scripted, greet
from server_hostile import Hostile, streams

import rtwidgets as rt
from rtwidgets import loop
from rtwidgets.render import transcript_html, transcript_text
from rtwidgets.timeline import timeline_of
from rtwidgets.transport import MemoryTransport
from rtwidgets.widgets.chat import RealtimeChat

SOON = 60.0
OPENINGS = (
    rt.WaitForUser(), rt.ModelGreeting(), rt.SpokenGreeting("Welcome!", protect=True),
    rt.SeededGreeting("Greet the user."), rt.OutOfBandGreeting("Say hi."),
    rt.ScriptedGreeting("Hello."), rt.GeneratedGreeting("Be brief.", protect=True),
    rt.IdleGreeting(5000),
)  # fmt: skip

Frames = list[str | bytes]


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


@pytest.fixture(autouse=True)
def nothing_failed(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What fails on the way of an event is logged, not raised: nothing did."""
    caplog.set_level(logging.ERROR, logger="rtwidgets")
    yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


def frames_of(seed: int) -> Frames:
    sources = list(streams().values())
    return list(Hostile(seed).frames(sources[seed % len(sources)]))


def server(frames: Frames, *, greets: bool, closes: bool) -> Scripted:
    async def serve(line: MemoryTransport) -> None:
        if greets:
            await greet(line)
        for number, frame in enumerate(frames):
            await line.send(frame)  # type: ignore[arg-type]  # bytes: that is the point
            if number % 5 == 0:
                await asyncio.sleep(0)  # the client takes some, and answers
        if closes:
            await line.close()

    return Scripted(serve)


async def talked(seed: int, frames: Frames) -> tuple[rt.AsyncSession, list[str]]:
    """A session with that server, and how each thing that was waited for ended."""
    endpoint = server(frames, greets=seed % 4 > 0, closes=seed % 2 > 0)
    session = rt.AsyncSession(
        endpoint, OPENINGS[seed % len(OPENINGS)], tools=[weather], timeout=0.1
    )
    ends = []
    try:
        async with session as s:
            for text in ("One", "Two"):
                ends.append((await s.ask(text)).status)
            await s.settled()
    except rt.RealtimeError as ended:
        ends.append(type(ended).__name__)
    return session, ends


@pytest.mark.parametrize("first", range(0, 84, 12))
def test_every_wait_ends_and_the_log_has_every_frame(first: int) -> None:
    for seed in range(first, first + 12):
        frames = frames_of(seed)

        async def scene(seed: int = seed, frames: Frames = frames) -> Any:
            async with asyncio.timeout(SOON):
                return await talked(seed, frames)

        session, ends = asyncio.run(scene())
        came = [row.frame for row in session.log.where(direction="server")]
        greeting = 2 if seed % 4 and len(came) > 1 else 0
        assert came[greeting:] == frames[: len(came) - greeting], seed
        if session.lost is not None:
            assert len(came) == len(frames) + greeting, seed
        assert ends and not session.is_open, seed


class Picky(BaseComm):
    """The way to a page, for which every message has to be JSON as browsers read it."""

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **more: Any,
    ) -> None:
        json.dumps(data, allow_nan=False).encode()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[[RealtimeChat], None]:
    """Shows a chat in a page that takes everything."""
    monkeypatch.setattr(comm, "create_comm", Picky)

    def show(chat: RealtimeChat) -> None:
        chat._presenter._transcript._handle_custom_msg({"t": "all"}, [])
        chat._presenter._parts.timeline._handle_custom_msg({"t": "more"}, [])
        chat._presenter._parts.table._handle_custom_msg({"t": "more", "table": 0, "start": 0}, [])
        chat._presenter._speaker._handle_custom_msg({"t": "hello", "page": "p"}, [])

    return show


async def lost(chat: RealtimeChat) -> None:
    assert chat.session is not None
    await chat.session.asynchronous.wait_for("line.lost", SOON)


@pytest.mark.parametrize("seed", [100, 200])
def test_pages_tables_and_exports_are_made(seed: int, page: Callable[[RealtimeChat], None]) -> None:
    frames = list(chain(*(frames_of(one) for one in range(seed, seed + len(streams()) + 1))))
    chat = RealtimeChat(
        endpoint=server(frames, greets=True, closes=True), tools=[weather], opening=OPENINGS[2]
    )
    page(chat)
    chat.start()
    chat.say("Hello")
    loop.run(lost(chat), SOON)
    chat.wait(SOON)
    chat.stop()
    assert chat._presenter._sender.drain(SOON)
    assert [str(failure) for failure in chat._presenter._sender.failures] == []
    assert [row.frame for row in chat.log.where(direction="server")][2:] == frames
    chat.wait(SOON)
    look_at_everything(chat)
    chat.close()


def look_at_everything(chat: RealtimeChat) -> None:
    """Make what is made of a log and a conversation, and see that it can be written down."""
    log, state = chat.log, chat.conversation
    for kind in ("html", "jsonl", "redacted"):
        assert chat._presenter._keeping.file(kind).data
    shown = [
        *chat._presenter._keeping.bundle().values(),
        transcript_html(state),
        transcript_text(state),
    ]
    shown += [str(log), repr(log), log._repr_html_()]
    for table in (log.turns(), log.responses(), log.items(), log.cost(), log.diff(log.redact())):
        shown += [str(table), table._repr_html_()]
        table.to_dataframe()
    for text in shown:
        text.encode()  # no half characters: a cell that shows them would fail
    for row in log:
        assert isinstance(row.summary + row.text + row.json() + repr(row), str)
        assert row.cause is None or row.cause.direction == "client"
    assert str(timeline_of(log))
    assert len(log.to_dataframe(summary=True, raw=True)) == len(log)
    assert len(log.redact(text=True)) == len(log)
    log.to_dataframe(folded=True)
    log.wav()
    back = rt.EventLog.from_jsonl(log.to_jsonl() or "")
    assert [row.raw for row in back] == [row.raw for row in log]
