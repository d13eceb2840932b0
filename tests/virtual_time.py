"""An event loop whose time jumps: thirty seconds of waiting cost nothing, and every timer is kept.

Unlike a clock that is handed in it moves `asyncio.timeout` too, so that a test can say how long a
call was blocked, to the millisecond, without waiting for it. Work on a thread takes no time at all:
the loop does not jump while a thread of a tool's runs.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from rtwidgets.transport import Clock

T = TypeVar("T")

_THREADS = "rtwidgets-tool"
_LOOK_S = 0.002
"""How often it is looked whether a thread has ended; real time."""


class _Jumping(selectors.DefaultSelector):  # type: ignore[misc]  # which class depends on the system
    """Waits for nothing but threads; says how far time would have moved otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        while True:
            busy = any(thread.name == _THREADS for thread in threading.enumerate())
            ready = super().select(_LOOK_S if busy and timeout != 0 else 0)
            if ready or timeout == 0:
                return ready
            if not busy:
                break
        if timeout is None:
            raise RuntimeError("Nothing will ever happen again: all wait for each other.")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a time of its own, which begins at 0."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class LoopClock:
    """The running loop's time, as a line's clock."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


clock: Clock = LoopClock()


def run(work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives, on a loop of its own whose time jumps."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
