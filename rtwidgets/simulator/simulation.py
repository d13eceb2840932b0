"""What the connections of one server share: the gate, the brain, the voice, one timer."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from . import models
from .access import Gate
from .jobs import Brain
from .latency import Latency
from .refusals import unknown_model
from .speech import Speaker

TICK = 0.005  # what is due within one tick is sent together


class Closable(Protocol):
    """An open session."""

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Ticker:
    """One timer for all sessions: calls back whoever is due, in the order of time."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call `call` at `when` (loop time), or within one tick after."""
        self._count += 1
        heapq.heappush(self._due, (when, self._count, call))
        if self._due[0][1] == self._count:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        when = max(self._due[0][0], loop.time())
        self._timer = loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        if self._due:
            self._timer = asyncio.get_running_loop().call_at(
                max(self._due[0][0], now + TICK), self._ring
            )


@dataclass
class Simulation:
    """What all connections of one server share."""

    gate: Gate
    latency: Latency
    brain: Brain
    speaker: Speaker
    handshake_errors: bool = False
    session_seconds: float = models.SESSION_SECONDS
    ticker: Ticker = field(default_factory=Ticker)
    sessions: set[Closable] = field(default_factory=set)


def check_model(model: str) -> None:
    """Raises Refusal for a model the simulator does not play."""
    if model not in models.REALTIME_MODELS:
        raise unknown_model(model)
