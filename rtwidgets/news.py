"""News of a session: who wants each new row, and who waits until something is so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .errors import TimedOut
from .log import Row

logger = logging.getLogger("rtwidgets")

Listener = Callable[[Row], None]


class News:
    """Tells listeners of each row, and wakes whoever waits. All on one event loop."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._next = asyncio.Event()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new row; the result ends that, and may be called again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def announce(self, row: Row) -> None:
        """A row has come. A listener that fails is logged and does not keep it from the others."""
        for listener in tuple(self._listeners):
            try:
                listener(row)
            except Exception:
                logger.exception("a listener failed on %s", row.type)
        self.wake()

    def wake(self) -> None:
        """Something has changed: let those who wait look again."""
        news, self._next = self._next, asyncio.Event()
        news.set()

    async def until(self, ready: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `ready()`, asked again at each row; what it raises ends the wait.

        Raises TimedOut after `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                while not ready():
                    await self._next.wait()
        except TimeoutError:
            raise TimedOut(
                f"No sign of {what} within {seconds:g} s. The session is as it was; "
                "its log shows what did come."
            ) from None
