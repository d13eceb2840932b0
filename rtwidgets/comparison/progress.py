"""How far a comparison is: a bar in a notebook, one line in a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_WIDTH = 24


@contextmanager
def shown(total: int) -> Iterator[Callable[[int, int, str], None]]:
    """What tells the progress of `total` trials where this runs; it is gone at the end."""
    show = _Bar(total).show if _in_notebook() else _line if sys.stderr.isatty() else _nothing
    try:
        yield lambda done, total, label: show(f"{bar(done, total)}  {label[:40]}")
    finally:
        show("")


def bar(done: int, total: int) -> str:
    """`███████░░░░░ 12 of 20`, for one line of text."""
    full = _WIDTH * done // total if total else _WIDTH
    return f"{'█' * full}{'░' * (_WIDTH - full)} {done} of {total}"


class _Bar:
    """A line of a cell's output that is written again and again."""

    def __init__(self, total: int) -> None:
        from IPython import display

        ipython: Any = display  # untyped
        self._handle = ipython.DisplayHandle()
        self._handle.display({"text/plain": bar(0, total)}, raw=True)

    def show(self, words: str) -> None:
        self._handle.update({"text/plain": words}, raw=True)


def _line(words: str) -> None:
    print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def _nothing(words: str) -> None:
    """Nobody is looking."""


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
