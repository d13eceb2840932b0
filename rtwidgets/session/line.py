"""The way to the server: one transport, and everything that leaves by it a row of the log first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import ConnectionLost, Misuse
from ..log import EventLog, Row
from ..transport import Transport
from ..turns import Turns

T = TypeVar("T")

NOT_OPEN = "The session is not open. Use it inside `with`, or start the chat."

logger = logging.getLogger("rtwidgets")


class Line:
    """Sends in one order: the log's is the wire's.

    Args:
        log: takes each frame before it leaves.
        turns: holds the frames that are to leave.
        tell: called with the row of each.

    Attributes:
        transport: None before it stands and after it is closed.
        lost: what ended it, None while nothing has.
    """

    def __init__(self, log: EventLog, turns: Turns, tell: Callable[[Row], None]) -> None:
        self.transport: Transport | None = None
        self.lost: ConnectionLost | None = None
        self._log = log
        self._turns = turns
        self._tell = tell
        self._order = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def is_open(self) -> bool:
        return self.transport is not None and self.lost is None

    def check(self) -> Transport:
        """The transport. Raises ConnectionLost, or Misuse where it never stood or is closed."""
        if self.transport is None or self.lost is not None:
            raise self.lost or Misuse(NOT_OPEN)
        return self.transport

    async def send(self, frame: str, note: Callable[[], None] | None = None) -> Row:
        """Send a frame now, to the end even if the caller is interrupted meanwhile.

        Args:
            note: called when it is in the log, before any answer can come.
        """
        return await asyncio.shield(self.spawn(self._send_one(frame, note)))

    async def flush(self) -> None:
        """Send all that is to be sent, to the end even if the caller is interrupted meanwhile."""
        await asyncio.shield(self.spawn(self._send_all()))

    def flush_soon(self) -> None:
        """The same, without waiting for it."""
        if self._turns.outbox and self.is_open:
            self.spawn(self._send_all())

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do `work` beside the caller's, and hold it until it is done."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.info("not sent: %s", task.exception())  # the line is gone; the pump says so

    async def _send_all(self) -> None:
        async with self._order:
            for frame in self._turns.frames():
                await self._transmit(frame, None)

    async def _send_one(self, frame: str, note: Callable[[], None] | None) -> Row:
        async with self._order:
            return await self._transmit(frame, note)

    async def _transmit(self, frame: str, note: Callable[[], None] | None) -> Row:
        transport = self.check()
        row = self._log.append("client", frame)
        if note is not None:
            note()
        self._tell(row)
        await transport.send(frame)
        return row
