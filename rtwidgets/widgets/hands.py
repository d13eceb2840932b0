"""Work of a chat on the shared loop: held until it is done, and its failure told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from .. import loop

T = TypeVar("T")
Tell = Callable[[BaseException], None]


class Hands:
    """Starts work on the shared loop and keeps hold of it.

    Args:
        tell: called with what work raised; not with its cancellation.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._busy: set[Future[Any]] = set()

    def give(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work`; returns at once."""
        hand = loop.submit(work)
        self._busy.add(hand)
        hand.add_done_callback(self._finished)
        return hand

    async def free(self, seconds: float) -> bool:
        """Wait until all work given so far, and what that gave, is done; False if it takes longer.

        On the loop, and not inside such work.
        """
        deadline = time.monotonic() + seconds
        while busy := [asyncio.wrap_future(hand) for hand in tuple(self._busy)]:
            left = max(0.0, deadline - time.monotonic())
            if not (await asyncio.wait(busy, timeout=left))[0]:
                return False
        return True

    def _finished(self, hand: Future[Any]) -> None:
        self._busy.discard(hand)
        error = None if hand.cancelled() else hand.exception()
        if error is not None:
            self._tell(error)
