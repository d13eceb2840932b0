"""What a paid comparison may spend, shared by sessions that run at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Purse:
    """So many US dollars for all sessions together.

    A session that begins takes a part of it, beyond which it asks for no further response, and
    gives back what it did not need: several at once cannot pass the whole.

    Attributes:
        budget: None where nothing is charged.
        spent: by sessions that have ended.
        refused: how many sessions there was not enough for.
    """

    def __init__(self, budget: float | None, at_once: int = 1) -> None:
        self.budget = budget
        self.spent = 0.0
        self.refused = 0
        self._at_once = at_once
        self._held = 0.0
        self._returned = asyncio.Condition()

    @asynccontextmanager
    async def part(self, needed: float) -> AsyncIterator[float | None]:
        """A part for one session, `needed` or more; None, and `refused`, where it is not there.

        Waits as long as others may still give something back. Tell `spent` before it ends.
        """
        async with self._returned:
            await self._returned.wait_for(lambda: self._left() >= needed or not self._held)
            left = self._left()
            part = min(left, max(_ROOM * needed, left / self._at_once))
            if part < needed or part <= 0:
                self.refused += 1
                yield None
                return
            self._held += part
        try:
            yield part
        finally:
            self._held = max(0.0, self._held - part)
            async with self._returned:
                self._returned.notify_all()

    def _left(self) -> float:
        return (self.budget or 0.0) - self.spent - self._held


_ROOM = 3.0
"""A session may need more than was estimated: a greeting longer than usual, and the question."""
