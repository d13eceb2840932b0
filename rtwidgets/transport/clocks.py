"""What times a line: the wall's clock, a virtual one, and one time over several lines."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where a session's times come from: the wall's, or a virtual one."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long by this clock."""
        ...


class WallClock:
    """Time as it passes."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


_WALL = WallClock()


class VirtualClock:
    """Time that passes at once: it jumps to the next moment for which anybody waits.

    For tests and for what runs without a person: an hour of waiting costs nothing. All who wait
    have to be on one event loop.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._waiting: list[tuple[float, int]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        mine = (self._now + max(0.0, seconds), self._count)
        self._waiting.append(mine)
        try:
            for _ in range(_COURTESY):
                await asyncio.sleep(0)
            while min(self._waiting) != mine:  # it is somebody else's turn before
                await asyncio.sleep(0)
            self._now = max(self._now, mine[0])
        finally:
            self._waiting.remove(mine)


class OneClock:
    """One time over several lines: it goes on where it stood when another line is taken up, or the
    first one after somebody asked for the time: until then it is the wall's."""

    def __init__(self) -> None:
        self._clock: Clock = _WALL
        self._ahead = 0.0
        self._begun = False
        self._changed = asyncio.Event()

    def follow(self, clock: Clock) -> None:
        """Go by this clock from now on."""
        if self._begun and clock is not self._clock:
            self._ahead = self.now() - clock.now()
        self._clock, self._begun = clock, True
        self._changed.set()
        self._changed = asyncio.Event()

    def now(self) -> float:
        self._begun = True
        return self._clock.now() + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Wait that long, also where the line whose clock is waited for ends meanwhile."""
        if seconds <= 0:
            return await self._clock.sleep(0)
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            if isinstance(self._clock, WallClock):
                return await self._clock.sleep(left)
            sleeping = asyncio.ensure_future(self._clock.sleep(left))
            changed = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait((sleeping, changed), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                changed.cancel()


# How often others get a turn before time jumps: what they do now comes first.
_COURTESY = 10
