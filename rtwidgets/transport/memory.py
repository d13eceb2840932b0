"""A line inside this process."""

from __future__ import annotations

import asyncio

from .clocks import Clock, WallClock
from .line import lost_line


class MemoryTransport:
    """One end of a line inside this process: what one end sends the other receives.

    For tests, and for servers written in a few lines of Python.
    """

    def __init__(
        self,
        inbox: asyncio.Queue[str | bytes | None],
        outbox: asyncio.Queue[str | bytes | None],
        clock: Clock | None = None,
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._closed = False
        self.clock = clock or WallClock()

    @classmethod
    def pair(cls, clock: Clock | None = None) -> tuple[MemoryTransport, MemoryTransport]:
        """Two ends of one line. Make them on the loop that uses them."""
        there: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        back: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        return cls(there, back, clock), cls(back, there, clock)

    async def send(self, frame: str) -> None:
        if self._closed:
            raise lost_line(1000, "")
        self._outbox.put_nowait(frame)

    async def recv(self) -> str | bytes:
        frame = await self._inbox.get()
        if frame is None:
            self._closed = True
            self._inbox.put_nowait(None)
            raise lost_line(1000, "")
        return frame

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._outbox.put_nowait(None)
            self._inbox.put_nowait(None)
