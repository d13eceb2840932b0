"""Lines to the simulator's engine in memory on which something goes wrong, on virtual time.

A `Line` behaves until it is struck; a fault is a function that strikes it: it cuts, mutes, delays,
doubles, exchanges, drops, or adds to what comes. What the line handed over and what the server
holds can be asked afterwards. All on the running loop's time: see virtual_time.py.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import virtual_time
from simulator_driver import MS

import rtwidgets as rt
from rtwidgets.simulator.engine import Engine
from rtwidgets.simulator.ids import seeded_ids
from rtwidgets.simulator.jobs import Answer, Call, Deaf, Question, do
from rtwidgets.simulator.latency import TYPICAL
from rtwidgets.transport import PING_S, PONG_S, lost_line

Frame = str | bytes
Event = dict[str, Any]
MS_A_CHARACTER = 40
FOUND_OUT_S = PING_S + PONG_S
"""When a WebSocket whose other end says nothing is given up: see transport/websocket.py."""


class Guide:
    """A brain that answers with what it was asked, and calls the tool when that is named."""

    quick = True

    def answer(self, question: Question) -> Answer:
        last = question.history[-1] if question.history else None
        asked = last.text if last is not None and last.role == "user" else ""
        if "tool" in asked:
            return Answer("", (Call("fossils", '{"room": "Trias"}'),))
        found = last.text[:60] if last is not None and last.role == "output" else asked
        return Answer(f"In this museum everybody likes to answer that. You said: {found or '…'}")


class Drone:
    """A voice of one low tone, as long as the words take."""

    def speak(self, text: str, voice: str, speed: float) -> bytes:
        return b"\x10\x00" * (len(text) * MS_A_CHARACTER * MS // 2)


class Line:
    """One session with an engine of its own.

    Attributes:
        handed: every frame that was handed over, in order.
        engine: what the server knows.
        ended: by which close code and reason it ended; None while it stands.
        delay: seconds that each frame takes longer, both ways. mute: nothing passes any more.
        gate: while it is shut, the server takes nothing.
        deliver: what comes in place of a frame of the server's.
        left: whether the client closed it.
    """

    clock = virtual_time.clock

    def __init__(self, model: str, seed: int, seconds: float) -> None:
        self.handed: list[Frame] = []
        self.ended: tuple[int | None, str] | None = None
        self.delay, self.mute, self.left = 0.0, False, False
        self.gate = asyncio.Event()
        self.gate.set()
        self.deliver: Callable[[str], Iterable[Frame]] = lambda frame: (frame,)
        self.watch: Callable[[str, Event], None] = lambda _way, _event: None
        self._loop = asyncio.get_running_loop()
        self._came: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self.engine = Engine(
            model,
            seeded_ids(seed),
            self._loop.time(),
            latency=TYPICAL,
            wall_clock=time.time(),
            lifetime=seconds,
        )
        self._round()

    # ------------------------------------------------------------ the client's end

    async def send(self, frame: str) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self.gate.wait()
        self.watch("client", event_in(frame))
        if self.ended is not None:
            raise lost_line(*self.ended)
        if not self.mute:
            self.engine.receive(frame, self._loop.time())
            self._round()

    async def recv(self) -> Frame:
        frame = await self._came.get()
        if frame is None:
            self._came.put_nowait(None)
            raise lost_line(*(self.ended or (1000, "")))
        if self.delay:
            await asyncio.sleep(self.delay)
        self.handed.append(frame)
        return frame

    async def close(self) -> None:
        self.left = self.ended is None
        self.cut(1000, "")

    # ------------------------------------------------------------ what befalls it

    def cut(self, code: int | None = None, reason: str = "") -> None:
        """It ends; what has come before is still handed over."""
        if self.ended is None:
            self.ended = (code, reason)
            self._came.put_nowait(None)
            self.gate.set()
            if self._timer is not None:
                self._timer.cancel()

    def add(self, *frames: Frame | Event) -> None:
        """The server says this, too."""
        for frame in frames:
            self._came.put_nowait(json.dumps(frame) if isinstance(frame, dict) else frame)

    # ------------------------------------------------------------ the server

    def _round(self) -> None:
        """Let happen what is due, and come back when more is."""
        engine, now = self.engine, self._loop.time()
        while self.ended is None:
            events = engine.take(now)
            jobs = engine.take_jobs()
            for event in events:
                self._arrives(event)
            for job in jobs:
                engine.deliver(job, do(job, Guide(), Drone(), Deaf()), now)
            if engine.closing is not None:
                return self.cut(*engine.closing)
            if not events and not jobs:
                break
        if self._timer is not None:
            self._timer.cancel()
        due = engine.due()
        if due is not None and self.ended is None:
            self._timer = self._loop.call_at(due, self._round)

    def _arrives(self, event: Event) -> None:
        self.watch("server", event)
        if self.ended is None and not self.mute:
            self.add(*self.deliver(json.dumps(event, ensure_ascii=False)))


def event_in(frame: str) -> Event:
    try:
        event = json.loads(frame)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


Prepare = Callable[[Line], None]
"""Readies a new line: has it watch for when to be struck."""


class Troubled(rt.Endpoint):
    """Each connection is a new session; the first ones are readied as told, later ones hold.

    Args:
        ready: for each connection what readies it, or an exception with which it fails: after all
            the time that it is given where that says that nothing was answered.

    Attributes:
        lines: the connections that stood, in order.
    """

    def __init__(self, *ready: Prepare | Exception, seconds: float = 3600.0) -> None:
        super().__init__("ws://localhost/v1/realtime", model="gpt-realtime-2.1", name="Troubled")
        self.lines: list[Line] = []
        self._ready, self._seconds = iter(ready), seconds

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Any:
        ready = next(self._ready, None)
        if isinstance(ready, Exception):
            if getattr(ready, "timed_out", False):
                await asyncio.sleep(timeout)
            raise ready
        line = Line(model or self.model, len(self.lines) + 1, self._seconds)
        self.lines.append(line)
        if ready is not None:
            ready(line)
        return line


# ---------------------------------------------------------------- when


def struck_at(strike: Prepare, way: str, type_: str, nth: int = 1, behind: str = "") -> Prepare:
    """Has a line be struck at the nth event of a type, counted from an event `behind` it on."""

    def ready(line: Line) -> None:
        left, counts = nth, not behind

        def watch(this_way: str, event: Event) -> None:
            nonlocal left, counts
            counts = counts or event.get("type") == behind
            if counts and (this_way, event.get("type")) == (way, type_):
                left -= 1
                if left == 0:
                    strike(line)

        line.watch = watch

    return ready


# ---------------------------------------------------------------- faults


def cut(code: int | None = None, reason: str = "") -> Prepare:
    return partial(Line.cut, code=code, reason=reason)


def half_open(line: Line) -> None:
    """It takes everything and says nothing, until a ping is not answered."""
    line.mute = True
    asyncio.get_running_loop().call_later(FOUND_OUT_S, line.cut)


def dead(line: Line) -> None:
    """The same, and nobody ever finds out."""
    line.mute = True


def slow(seconds: float) -> Prepare:
    def strike(line: Line) -> None:
        line.delay = seconds

    return strike


def stalled(seconds: float) -> Prepare:
    """The server takes nothing for so long."""

    def strike(line: Line) -> None:
        line.gate.clear()
        asyncio.get_running_loop().call_later(seconds, line.gate.set)

    return strike


def doubled(line: Line) -> None:
    line.deliver = lambda frame: (frame, frame)


def exchanged(line: Line) -> None:
    """Of each two events the later comes first."""
    kept: list[str] = []

    def deliver(frame: str) -> Iterable[Frame]:
        kept.append(frame)
        if len(kept) < 2:
            asyncio.get_running_loop().call_later(0.5, late)
            return ()
        pair = kept[::-1]
        kept.clear()
        return pair

    def late() -> None:  # nothing came behind it
        line.add(*kept)
        kept.clear()

    line.deliver = deliver


def dropped(count: int) -> Prepare:
    """The next events are lost."""

    def strike(line: Line) -> None:
        left = count

        def deliver(frame: str) -> Iterable[Frame]:
            nonlocal left
            left -= 1
            return (frame,) if left < 0 else ()

        line.deliver = deliver

    return strike


def without(type_: str, ever: bool = False) -> Prepare:
    """The next event of a type is lost; or `ever`, each of them."""

    def strike(line: Line) -> None:
        lost = False

        def deliver(frame: str) -> Iterable[Frame]:
            nonlocal lost
            if event_in(frame).get("type") != type_ or (lost and not ever):
                return (frame,)
            lost = True
            return ()

        line.deliver = deliver

    return strike


def interspersed(frames: Iterable[Frame]) -> Prepare:
    """Before each event comes one of these, as long as there are any."""

    def strike(line: Line) -> None:
        waiting = iter(frames)

        def deliver(frame: str) -> Iterable[Frame]:
            more = next(waiting, None)
            return (frame,) if more is None else (more, frame)

        line.deliver = deliver

    return strike


def error(code: str | None, message: str = "No.", **fields: Any) -> Event:
    kind = "server_error" if code is None else "invalid_request_error"
    return {"type": "error", "error": {"type": kind, "code": code, "message": message, **fields}}


def told(event: Event, then: Prepare | None = None) -> Prepare:
    """The server says this, and something befalls the line behind it."""

    def strike(line: Line) -> None:
        line.add(event)
        if then is not None:
            then(line)

    return strike


def expired(line: Line) -> None:
    line.add(error("session_expired", "Your session hit the maximum duration of 60 minutes."))
    line.cut(1001, "Your session hit the maximum duration of 60 minutes.")


def failing_from(type_: str) -> Prepare:
    """From the next event of a type on nothing of its response comes but an error and its end."""

    def strike(line: Line) -> None:
        failing = ""

        def deliver(frame: str) -> Iterable[Frame]:
            nonlocal failing
            event = event_in(frame)
            response = event.get("response") or {}
            id_ = event.get("response_id") or response.get("id") or ""
            if not failing and event.get("type") == type_ and id_:
                failing = id_
                line.add(error(None, "The server had an error."))
            if id_ != failing or not failing:
                return (frame,)
            if event.get("type") != "response.done":
                return ()
            details = {"type": "failed", "error": {"type": "server_error", "message": "Sorry."}}
            response |= {"status": "failed", "status_details": details}
            return (json.dumps(event),)

        line.deliver = deliver

    return strike
