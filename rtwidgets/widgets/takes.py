"""A take: what is said from one press of the microphone's button to its end, in numbered chunks.

The page numbers them, and here the numbers are checked. ipykernel 7.4 may hand over two messages of
a page on two threads, so that one overtakes the other; and a message may be lost for good.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

PATIENCE = 25
"""Later chunks (1 s) after which one that is missing is not waited for any more."""

TICK_S = 1.0
TICKS = 4
"""So many seconds without a chunk, and the page is gone. They are counted by the loop's own waking:
while C code holds the interpreter nothing is counted."""
HELD = 750
"""Chunks that wait while the server takes nothing, half a minute of them: older ones are let go."""


class Take:
    """Gives the chunks back in order, and counts those that never came.

    Attributes:
        lost: how many chunks did not come. why: how it ended, in the page's words; empty before.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.lost = 0
        self.why = ""
        self._next = 0
        self._early: dict[int, bytes] = {}
        self._count: int | None = None

    @property
    def complete(self) -> bool:
        """Whether it is over and all of it was given, or counted as lost."""
        return self._count is not None and self._next >= self._count

    def chunk(self, number: int, pcm: bytes) -> list[bytes]:
        """Take a chunk; gives what is to be sent now. One that comes twice or too late is
        nothing."""
        if number >= self._next:
            self._early.setdefault(number, pcm)
        if len(self._early) > PATIENCE:
            self._skip_to(min(self._early))
        return self._due()

    def over(self, count: int, why: str) -> None:
        """The page says how many chunks there are."""
        self._count, self.why = count, why

    def give_up(self, why: str = "") -> list[bytes]:
        """Wait for nothing more; gives what came, in order."""
        self.why = self.why or why
        rest = []
        while self._early:
            self._skip_to(min(self._early))
            rest += self._due()
        self._skip_to(max(self._next, self._count or 0))
        self._count = self._next
        return rest

    def _skip_to(self, number: int) -> None:
        self.lost += number - self._next
        self._next = number

    def _due(self) -> list[bytes]:
        due = []
        while self._next in self._early:
            due.append(self._early.pop(self._next))
            self._next += 1
        return due


class Spoken:
    """A take under way, and its chunks in order; None ends them.

    Attributes:
        dropped: bytes that waited too long for the server to take them.
    """

    def __init__(self, id: str) -> None:
        self.take = Take(id)
        self.chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.dropped = 0
        self.work: Future[None] | None = None

    def put(self, chunks: list[bytes]) -> None:
        for pcm in chunks:
            if self.chunks.qsize() >= HELD:
                self.dropped += len(self.chunks.get_nowait() or b"")
            self.chunks.put_nowait(pcm)
        if self.take.complete:
            self.chunks.put_nowait(None)

    async def next(self) -> bytes | None:
        """The next chunk, None behind the last one."""
        for _ in range(TICKS):
            try:
                return await asyncio.wait_for(self.chunks.get(), TICK_S)
            except TimeoutError:
                self.put(self.take.give_up() if self.take.why else [])
        self.take.give_up("gone")
        return None
