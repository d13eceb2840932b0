"""What the connections of one server share: the gate, the brain, the voice, one timer."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import models
from .access import Gate
from .engine import Engine
from .ids import random_ids, seeded_variation
from .latency import latency_named
from .recordings import Recordings
from .refusals import unknown_model
from .settings import Settings
from .speech import Speaker
from .workers import Workers

Json = dict[str, Any]

TICK = 0.005  # what is due within one tick is sent together


class Closable(Protocol):
    """An open session."""

    gone: asyncio.Future[None]

    def close(self, code: int, reason: str) -> None: ...


class Ticker:
    """One timer for all sessions: calls back whoever is due, in the order of time."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0
        self._rests_until = 0.0
        self._ringing = False

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call `call` at `when` (loop time), or within one tick after."""
        self._count += 1
        heapq.heappush(self._due, (when, self._count, call))
        if not self._ringing:
            self._arm()

    def _arm(self) -> None:
        """See that the timer rings for the first that is due, but not twice in one tick."""
        when = max(self._due[0][0], self._rests_until)
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer, self._ringing = None, True
        now = asyncio.get_running_loop().time()
        self._rests_until = now + TICK
        try:
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
        finally:
            self._ringing = False
        if self._due:
            self._arm()


class Lateness:
    """How late what was due has been sent: counts by steps of a tenth of a millisecond."""

    STEPS = 10_000

    def __init__(self) -> None:
        self.counts = [0] * (self.STEPS + 1)

    def add(self, seconds: float) -> None:
        self.counts[min(int(seconds * 10_000), self.STEPS)] += 1

    def by_millisecond(self) -> dict[str, int]:
        """{"0.3": 17} is 17 times between 0.3 and 0.4 ms late; the last is a second and more."""
        return {f"{step / 10:.1f}": count for step, count in enumerate(self.counts) if count}


@dataclass
class Simulation:
    """What all connections of one server share."""

    gate: Gate
    settings: Settings
    speaker: Speaker
    ticker: Ticker = field(default_factory=Ticker)
    sessions: set[Closable] = field(default_factory=set)
    lateness: Lateness = field(default_factory=Lateness)
    recordings: Recordings = field(default_factory=Recordings)
    refused: int = 0  # lines that stand only until they have been told why

    def __post_init__(self) -> None:
        chosen = self.settings
        self.latency = latency_named(chosen.latency)
        self.handshake_errors = chosen.handshake_errors
        self.workers = Workers(chosen.found_brain(), self.speaker, chosen.found_transcriber())
        self._faults, self._tools = chosen.found_faults(), chosen.found_tools()
        self._opened = 0

    def engine(self, model: str, intent: str, configuration: Json | None, now: float) -> Engine:
        """The engine of a new connection. Its waits vary in its own way, the same in each run."""
        self._opened += 1
        return Engine(
            model,
            random_ids(),
            now,
            latency=self.latency,
            vary=seeded_variation(f"{self.settings.seed}:{self._opened}"),
            faults=self._faults,
            mcp_tools=self._tools,
            idle_before_first_reply=self.settings.idle_before_first_reply,
            recordings=self.recordings,
            intent=intent,
            wall_clock=time.time(),
            lifetime=self.settings.session_seconds,
            configuration=configuration,
        )


def check_model(model: str) -> None:
    """Raises Refusal for a model the simulator does not play."""
    if model not in models.REALTIME_MODELS:
        raise unknown_model(model)
