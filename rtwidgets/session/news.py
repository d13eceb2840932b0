"""News of a session: who wants each new row, and who waits until something is so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from fnmatch import fnmatchcase

from ..errors import TimedOut
from ..log import Row

logger = logging.getLogger("rtwidgets")

Listener = Callable[[Row], None]
Ready = Callable[[], bool]


class News:
    """Tells listeners of each row, and looks for those who wait. All on one event loop."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._waiting: list[tuple[Ready, asyncio.Future[None]]] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new row; the result ends that, and may be called again."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            left = list(self._listeners)
            if listener in left:
                left.remove(listener)
                self._listeners = tuple(left)

        return stop

    def announce(self, row: Row) -> None:
        """A row has come. A listener that fails is logged and does not keep it from the others."""
        for listener in self._listeners:
            try:
                listener(row)
            except Exception:
                logger.exception("a listener failed on %s", row.type)
        if self._waiting:
            self.wake()

    def wake(self) -> None:
        """Something has changed: look whether those who wait have what they wait for.

        Looked at here, and not by those who wait: waking a task for every row that is none of its
        business costs more than everything else that is done with the row.
        """
        for ready, future in tuple(self._waiting):
            if future.done():
                continue
            try:
                if ready():
                    future.set_result(None)
            except Exception as ended:
                future.set_exception(ended)

    async def until(
        self, ready: Ready, seconds: float, what: str, hint: Callable[[], str] = str
    ) -> None:
        """Wait until `ready()`, asked at each row; what it raises ends the wait.

        Raises TimedOut after `seconds`, with the `hint` where there is one.
        """
        if ready():
            return
        waiter = (ready, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter[1]
        except TimeoutError:
            more = hint()
            raise TimedOut(
                f"No sign of {what} within {seconds:g} s. The session is as it was; "
                f"its log shows what did come.{more and ' ' + more}"
            ) from None
        finally:
            self._waiting.remove(waiter)


class Lookout:
    """Takes rows until one has a type that fits a pattern.

    Attributes:
        row: that one.
    """

    def __init__(self, pattern: str) -> None:
        self.row: Row | None = None
        self._pattern = pattern
        self._fits: dict[str, bool] = {}

    def take(self, row: Row) -> None:
        if self.row is None and self._is_meant(row.type):
            self.row = row

    def _is_meant(self, type_: str) -> bool:
        fits = self._fits.get(type_)
        if fits is None:
            fits = self._fits[type_] = type_ == self._pattern or fnmatchcase(type_, self._pattern)
        return fits
