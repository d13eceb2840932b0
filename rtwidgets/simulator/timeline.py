"""What will happen when: calls in the order of their time, and of their asking at one moment."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class Due:
    """A call that is to come. `cancel()` and it will not."""

    time: float
    order: int
    call: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Timeline:
    """Knows no clock: whoever drives it says how late it is."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._order = 0
        self._heap: list[Due] = []

    def at(self, time: float, call: Callable[[], None]) -> Due:
        """Have `call` called at `time`, never before what was asked for earlier at that time."""
        self._order += 1
        due = Due(max(time, self.now), self._order, call)
        heapq.heappush(self._heap, due)
        return due

    def next_time(self) -> float | None:
        """When the next call is due, None when there is none."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].time if self._heap else None

    def step(self, until: float) -> bool:
        """Make the next call that is due by `until`, at its own time. False: there is none."""
        time = self.next_time()
        if time is None or time > until:
            self.now = max(self.now, until)
            return False
        due = heapq.heappop(self._heap)
        self.now = due.time
        due.call()
        return True
