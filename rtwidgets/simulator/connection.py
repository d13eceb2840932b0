"""One client's session: its frames to an engine, the engine's events to the client."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from .engine import DROPPED, Engine
from .jobs import Job, Result
from .line import Line
from .simulation import Simulation

Json = dict[str, Any]

_log = logging.getLogger(__name__)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_AUDIO_DELTA = "response.output_audio.delta"


def encoded(event: Json) -> str:
    """The event as JSON. Base64 needs no escaping, so it is not searched for what does."""
    if event["type"] != _AUDIO_DELTA:
        return _encode(event)
    sound = event.pop("delta")
    return f'{_encode(event)[:-1]},"delta":"{sound}"}}'


class Connection:
    """The owner of one line: refused at once, or an engine until either side ends it."""

    def __init__(
        self,
        simulation: Simulation,
        engine: Callable[[float], Engine] | None,
        refused: tuple[Json, int, str] | None = None,
    ) -> None:
        """engine: makes one, given the time. refused: an event to send, and the close."""
        self.simulation = simulation
        self._make, self._refused = engine, refused
        self._engine: Engine | None = None  # while the session lasts
        self._opened: Engine | None = None  # until the line is gone
        self._wakes: list[float] = []  # when the ticker will come by, the earliest first
        self.line: Line | None = None
        self.gone = asyncio.get_running_loop().create_future()

    # --- what the line does

    def opened(self) -> None:
        assert self.line is not None
        if self._refused is not None or self._make is None:
            self.simulation.refused += 1
            event, code, reason = self._refused or ({}, 1011, "server_error")
            self.line.send(encoded(event))
            return self.line.close(code, reason)
        self.simulation.sessions.add(self)
        with self._only_this_session():
            self._engine = self._opened = self._make(self._now())
            self._round(self._engine)

    def received(self, message: str | bytes) -> None:
        engine = self._engine
        if engine is None:
            return
        try:  # as in `_only_this_session`, which costs more, and this is for every 40 ms of sound
            now = self._now()
            if not engine.hears(message, now):
                engine.receive(message, now)
            elif not engine.news:
                return
            self._round(engine)
        except Exception:
            self._failed()

    def lost(self) -> None:
        if self._opened is not None:
            self._opened.end()
        elif self._refused is not None:
            self.simulation.refused -= 1
        self._engine = self._opened = None  # the ticker may hold on to this object for a while
        self.simulation.sessions.discard(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def close(self, code: int, reason: str) -> None:
        """End the session and tell the client why."""
        self._engine = None
        if self.line is not None:
            self.line.close(code, reason)

    # --- the session

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @contextlib.contextmanager
    def _only_this_session(self) -> Iterator[None]:
        """A fault of ours in here ends this session and no other."""
        try:
            yield
        except Exception:
            self._failed()

    def _failed(self) -> None:
        _log.exception("the simulator failed in a session")
        self.close(1011, "server_error")

    def _round(self, engine: Engine) -> None:
        """Send what is due, do or start the jobs that are open, come back when more is due."""
        assert self.line is not None
        while True:
            events = engine.take(self._now())
            if events:
                self.line.send(*map(encoded, events))
            if engine.closing is not None:
                return self._end(*engine.closing)
            jobs = engine.take_jobs()
            if not jobs:
                break
            for job in jobs:  # what is done at once may have brought more
                self._start(engine, job)
        self._wake_at(engine.due())

    def _end(self, code: int, reason: str) -> None:
        if (code, reason) != DROPPED:
            return self.close(code, reason)
        self._engine = None
        if self.line is not None:
            self.line.abort()

    def _wake_at(self, due: float | None) -> None:
        if due is None or (self._wakes and self._wakes[0] <= due):
            return
        heapq.heappush(self._wakes, due)
        self.simulation.ticker.at(due, self._woken)

    def _woken(self) -> None:
        due = heapq.heappop(self._wakes)
        if self._engine is not None:
            self.simulation.lateness.add(self._now() - due)
            with self._only_this_session():
                self._round(self._engine)

    # --- jobs

    def _start(self, engine: Engine, job: Job) -> None:
        wanted = partial(engine.wants, job)
        later = partial(self._later, asyncio.get_running_loop(), job)
        result = self.simulation.workers.start(job, wanted, later)
        if result is not None:
            engine.deliver(job, result, self._now())

    def _later(self, loop: asyncio.AbstractEventLoop, job: Job, result: Result) -> None:
        """On another thread: hand over to the loop what came of a job."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            loop.call_soon_threadsafe(self._deliver, job, result)

    def _deliver(self, job: Job, result: Result) -> None:
        if self._engine is not None:
            with self._only_this_session():
                self._engine.deliver(job, result, self._now())
                self._round(self._engine)
