"""The simulator without a socket, on a clock that jumps: a whole conversation in no time.

`connect(...)` gives a transport: `await send(text)`, `await recv()`, `await close()`,
and `clock`, whose time moves only when everybody waits. A second of simulated
latency costs nothing, and two runs with the same seed have the same times.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import time
from collections import deque
from contextlib import suppress
from typing import Any

from ..errors import ConnectFailed, ConnectionLost
from .engine import Engine
from .ids import seeded_ids, seeded_variation
from .jobs import Brain, Job, Result, Said
from .latency import latency_named
from .models import REALTIME_MODELS
from .settings import settings_from
from .speech import shared
from .workers import Workers

#: How often other tasks get a turn before time jumps, so that what they send now comes first: a
#: microphone that wakes sends, and sleeps again, in five.
COURTESY = 8


class LineEnded(ConnectionLost, EOFError):
    """There will be no more frames: the client closed, or the simulated server did."""


class VirtualClock:
    """Seconds since the connection. Time stands still while anybody has work to do."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._driven = False  # whether a reader moves the time

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on by `seconds`."""
        until = self._now + max(0.0, seconds)
        if not self._driven:  # nobody reads: nothing can happen before
            self._now = until
            return await asyncio.sleep(0)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (until, next(self._order), woken))
        self._changed.set()
        await woken

    def _next_wake(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():  # cancelled
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _advance(self, to: float) -> None:
        """Move to `to` and wake whoever slept until then."""
        self._now = max(self._now, to)
        while (wake := self._next_wake()) is not None and wake <= self._now:
            heapq.heappop(self._sleepers)[2].set_result(None)

    def _stop(self) -> None:
        """Nobody drives the clock any more: whoever sleeps goes on at once."""
        self._driven = False
        wakes = [until for until, _, _ in self._sleepers]
        if wakes:
            self._advance(max(wakes))


class MemoryTransport:
    """One session with the simulator, in this process and on this event loop."""

    def __init__(
        self, engine: Engine, clock: VirtualClock, workers: Workers, expires: float
    ) -> None:
        """expires: when, by `clock`, the engine's session ends by itself."""
        self.clock, self._expires = clock, expires
        self._engine, self._workers = engine, workers
        self._frames: deque[str] = deque()
        self._closed = False
        self.close_code: int | None = None
        self.close_reason = ""

    async def send(self, text: str | bytes) -> None:
        """Hand one frame to the simulator. Raises LineEnded once the line is closed."""
        if self._closed:
            raise self._ended()
        self._engine.receive(text, self.clock.now())
        self.clock._changed.set()

    async def recv(self) -> str:
        """The next frame of the server; the clock jumps to it. LineEnded when there is none."""
        self.clock._driven = True
        try:
            while not self._frames:
                if self._closed:
                    raise self._ended()
                await self._step()
        finally:
            self.clock._driven = False
        return self._frames.popleft()

    def _ended(self) -> LineEnded:
        reason = self.close_reason and f": {self.close_reason.rstrip('.')}"
        sentence = f"The line to the simulator is closed{reason}. Start a new session to go on."
        return LineEnded(sentence, code=self.close_code, reason=self.close_reason)

    async def close(self) -> None:
        """End the session. A waiting `recv` raises LineEnded, which is an EOFError too."""
        self._closed = True
        if self.close_code is None:
            self.close_code = 1000
        self.clock._stop()
        self.clock._changed.set()

    async def _step(self) -> None:
        """Do what is next: a job, a frame, a sleeper, or wait for any of them."""
        self.clock._changed.clear()  # before looking: what happens from now on wakes the wait
        for job in self._engine.take_jobs():
            await self._do(job)
        for _ in range(COURTESY):
            await asyncio.sleep(0)
        due, wake = self._due(), self.clock._next_wake()
        times = [time for time in (due, wake) if time is not None]
        if not times:
            await self.clock._changed.wait()
            return
        self.clock._advance(min(times))
        if due is not None and due <= self.clock.now():
            self._take()

    def _due(self) -> float | None:
        """When something happens by itself. Nobody's waiting makes a session grow old: that it
        expires is due only once the clock gets there for another reason."""
        due, wake = self._engine.due(), self.clock._next_wake()
        if due is None or due != self._expires or due <= self.clock.now():
            return due
        return due if wake is not None and wake >= due else None

    def _take(self) -> None:
        events = self._engine.take(self.clock.now())
        self._frames.extend(json.dumps(event, ensure_ascii=False) for event in events)
        if self._engine.closing is not None:
            self.close_code, self.close_reason = self._engine.closing
            self._closed = True

    async def _do(self, job: Job) -> None:
        """Do a job and hand in what came of it: of a streamed answer all, at one virtual time."""
        loop, results = asyncio.get_running_loop(), asyncio.Queue[Result]()

        def later(result: Result) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                loop.call_soon_threadsafe(results.put_nowait, result)

        result = self._workers.start(job, lambda: True, later)
        result = await results.get() if result is None else result
        while isinstance(result, Said):
            self._engine.deliver(job, result, self.clock.now())
            result = await results.get()
        self._engine.deliver(job, result, self.clock.now())


def connect(
    model: str = "gpt-realtime-2.1",
    latency: str = "typical",
    seed: int = 0,
    *,
    brain: Brain | None = None,
    wall_clock: float | None = None,
    nth: int = 1,
    **options: Any,
) -> MemoryTransport:
    """A session with a simulator of its own, in memory.

    latency: "none" or "typical"; it costs virtual time only. seed: of the words and
    the ids and of how much the waits vary. wall_clock: Unix time at the start, now where it
    is not given; only shown in `expires_at`. nth: which session of this seed it is: no two of
    them have the same ids, as a conversation may go on in the next. options: the others of
    `Settings`. Raises ConnectFailed for an unknown model, Misuse for an option that is not
    understood.
    """
    if model not in REALTIME_MODELS:
        known = ", ".join(REALTIME_MODELS)
        raise ConnectFailed(
            f"The simulator has no model {model!r}; it knows {known}.", code="invalid_model"
        )
    chosen = settings_from(latency=latency, seed=seed, brain=brain, **options)
    clock = VirtualClock()
    engine = Engine(
        model,
        seeded_ids(seed if nth == 1 else f"{seed}:{nth}"),
        clock.now(),
        latency=latency_named(latency),
        vary=seeded_variation(seed),
        faults=chosen.found_faults(),
        mcp_tools=chosen.found_tools(),
        idle_before_first_reply=chosen.idle_before_first_reply,
        wall_clock=time.time() if wall_clock is None else wall_clock,
        lifetime=chosen.session_seconds,
    )
    workers = Workers(chosen.found_brain(), shared(), chosen.found_transcriber())
    return MemoryTransport(engine, clock, workers, clock.now() + chosen.session_seconds)
