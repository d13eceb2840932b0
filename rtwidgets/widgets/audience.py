"""Whether any page shows a chat.

A person who deletes a cell, runs it again or clears its output cannot press Stop any more. The page
says so when its last view goes; other pages may have one, so all are asked. A page that vanishes
says nothing (a reload, a notebook that is closed, a line that falls, a laptop that sleeps), and
nothing is concluded from that: the conversation waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .. import loop
from .comm import when_free

PATIENCE = 5.0
"""Seconds that a page has to say that it shows the chat: a cell that is moved or shown anew takes
its view away and makes another, and on a machine that computes an answer may be late."""


class Audience:
    """Finds out when nobody looks any more.

    Args:
        ask: has every page say so that shows the chat.
        gone: called on the shared loop when none has.
        when_free: calls a function once no cell computes. Not before is anything concluded: the
            cell that is running may be about to show the chat again.

    Attributes:
        patience: seconds that a page has to say so.
    """

    def __init__(
        self,
        ask: Callable[[], None],
        gone: Callable[[], None],
        when_free: Callable[[Callable[[], None]], None] = when_free,
    ) -> None:
        self._ask, self._gone, self._when_free = ask, gone, when_free
        self.patience = PATIENCE
        self._doubt: object | None = None  # one that no page has answered yet
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether no page has answered yet."""
        return self._doubt is not None

    def shown(self, there: bool) -> None:
        """A page shows the chat, or its last view there was taken away. From any thread."""
        self._soon(self._stay if there else self._begin)

    def _soon(self, do: Callable[..., None], *given: object) -> None:
        loop.shared_loop().call_soon_threadsafe(do, *given)

    def _stay(self) -> None:
        self._doubt = None
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self) -> None:
        self._stay()
        self._doubt = doubt = object()
        self._when_free(lambda: self._soon(self._ask_all, doubt))

    def _ask_all(self, doubt: object) -> None:
        if doubt is self._doubt:
            self._timer = asyncio.get_running_loop().call_later(self.patience, self._conclude)
            self._ask()

    def _conclude(self) -> None:
        self._doubt = None
        self._gone()
