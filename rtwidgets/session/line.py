"""The way to the server: one transport, and everything that leaves by it a row of the log first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..errors import ConnectionLost, Misuse, TimedOut
from ..events import Event, line_resumed, line_stalled
from ..log import EventLog, Row
from ..transport import Transport
from ..turns import Turns

T = TypeVar("T")

STALLED_S = 5.0
"""Seconds after which a frame that the server does not take is spoken of."""

STALLED = (
    "The server takes nothing at the moment. What you say waits; a microphone's sound is kept for "
    "some seconds only."
)
NOT_OPEN = "The session is not open. Use it inside `with`, or start the chat."

logger = logging.getLogger("rtwidgets")


class Line:
    """Sends in one order: the log's is the wire's.

    Args:
        log: takes each frame before it leaves.
        turns: holds the frames that are to leave.
        tell: called with the row of each.
        record: writes a `local` row: the server takes nothing, or takes again.

    Attributes:
        patience: seconds that a caller waits for its frame to leave; then it raises TimedOut, and
            the frame leaves when the server takes it.
        stalled: whether a frame has been waiting for long.
        transport: None before it stands and after it is closed.
        lost: what ended it, None while nothing has.
    """

    def __init__(
        self,
        log: EventLog,
        turns: Turns,
        tell: Callable[[Row], None],
        record: Callable[[Event], object],
    ) -> None:
        self.patience = 30.0
        self.stalled = False
        self.transport: Transport | None = None
        self.lost: ConnectionLost | None = None
        self._log = log
        self._turns = turns
        self._tell = tell
        self._record = record
        self._waiting: asyncio.Task[None] | None = None  # for its turn to send all
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
        begun: list[bool] = []

        def noted() -> None:
            begun.append(True)
            if note is not None:
                note()

        sending = self.spawn(self._send_one(frame, noted))
        try:
            return await self._patiently(sending, self.patience, "This event was not sent.")
        except TimedOut:
            if not begun:
                sending.cancel()
            raise

    async def flush(self, seconds: float | None = None) -> None:
        """Send all that is to be sent, to the end even if the caller is interrupted meanwhile.
        Raises TimedOut after so many seconds."""
        seconds = self.patience if seconds is None else seconds
        sending = self.spawn(self._send_all())
        await self._patiently(sending, seconds, "What was said leaves when it goes on.")

    def flush_soon(self) -> None:
        """The same, without waiting for it. One at a time waits: it will take what comes too."""
        if not self._turns.outbox or not self.is_open:
            return
        if self._waiting is None or self._waiting.done():
            self._waiting = self.spawn(self._send_all())

    async def _patiently(self, sending: asyncio.Task[T], seconds: float, then: str) -> T:
        """Wait until it is sent; `then` says what becomes of it otherwise."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait([sending])
        except TimeoutError:
            pass
        if not sending.done():
            raise TimedOut(f"The server took nothing for {seconds:g} s. {then}")
        if sending.cancelled():  # the session was closed meanwhile
            raise self.lost or Misuse(NOT_OPEN)
        return sending.result()

    def stop(self) -> None:
        """The transport is closed: what still waits for it waits in vain."""
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()

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
            self._waiting = None
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
        began = asyncio.get_running_loop().time()
        watch = asyncio.get_running_loop().call_later(STALLED_S, self._stall, transport)
        try:
            await transport.send(frame)
        finally:
            watch.cancel()
        if self.stalled:
            self.stalled = False
            waited = asyncio.get_running_loop().time() - began
            self._record(line_resumed(round(1000 * waited)))
        return row

    def _stall(self, transport: Transport) -> None:
        if transport is self.transport and self.is_open:
            self.stalled = True
            self._record(line_stalled(STALLED))
