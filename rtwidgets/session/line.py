"""The way to the server: one transport, and everything that leaves by it a row of the log first.

While a line that ended is being mended, what is to leave waits; only what mends it goes.
"""

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
    "The server takes nothing at the moment. What you say waits; of what you speak, the last half "
    "minute."
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
        transport: None before it stands, after it is closed, and while another is looked for.
        lost: what ended it for good, None while nothing has.
        mends: whether another is looked for when it ends: what could not be sent is not lost then.
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
        self.mends = False
        self._stands = asyncio.Event()
        self._stands.set()
        self._log = log
        self._turns = turns
        self._tell = tell
        self._record = record
        self._waiting: asyncio.Task[None] | None = None  # for its turn to send all
        self._order = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def is_open(self) -> bool:
        """Whether what is given leaves: now, or when the line is mended."""
        return self.lost is None and (self.transport is not None or self.mending)

    @property
    def mending(self) -> bool:
        return not self._stands.is_set()

    def break_off(self) -> None:
        """The transport ended, and another is looked for: what is to leave waits."""
        self._stands.clear()
        self.transport = None

    def stand(self) -> None:
        """What waited may leave; after `close` or a loss, those who wait are told."""
        self._stands.set()

    def close(self) -> Transport | None:
        """Nothing leaves any more; gives the transport, to be closed."""
        transport, self.transport = self.transport, None
        self.stand()
        return transport

    def check(self) -> None:
        """Raises ConnectionLost, or Misuse where it never stood or is closed."""
        if not self.is_open:
            raise self.lost or Misuse(NOT_OPEN)

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

    async def standing(self, seconds: float) -> None:
        """Wait until it is mended, if it is being mended. Raises TimedOut after so many seconds."""
        if self.mending:
            waiting = self.spawn(self._stands.wait())
            await self._patiently(waiting, seconds, "Another line is being looked for.")

    async def send_first(self, frame: str, note: Callable[[], None] | None = None) -> Row:
        """Send a frame while the line is being mended, before all that waits."""
        async with self._order:
            return await self._transmit(frame, note)

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
            while self._turns.outbox and not self.mending:
                await self._transmit(self._turns.next_frame())

    async def _send_one(self, frame: str, note: Callable[[], None] | None) -> Row:
        while True:
            await self._stands.wait()
            async with self._order:
                if not self.mending:
                    return await self._transmit(frame, note)

    async def _transmit(self, frame: str, note: Callable[[], None] | None = None) -> Row:
        self.check()
        transport = self.transport
        if transport is None:  # it broke off while a frame was being sent that mends it
            raise ConnectionLost("The line was cut.")
        row = self._log.append("client", frame)
        if note is not None:
            note()
        self._tell(row)
        began = asyncio.get_running_loop().time()
        watch = asyncio.get_running_loop().call_later(STALLED_S, self._stall, transport)
        try:
            await transport.send(frame)
        except ConnectionLost:
            if not self.mends:
                raise
            if self.transport is transport:  # the pump will notice too: nothing leaves until then
                self._stands.clear()
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
