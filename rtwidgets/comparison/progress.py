"""How far a comparison is: a bar in a notebook, one line in a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_WIDTH = 24


def shown(total: int) -> Callable[[int, int, str], None]:
    """What tells the progress of `total` trials where this runs."""
    if _in_notebook():
        return _Bar(total).tell
    return _line if sys.stderr.isatty() else _nothing


def bar(done: int, total: int) -> str:
    """`███████░░░░░ 12 of 20`, for one line of text."""
    full = _WIDTH * done // total if total else _WIDTH
    return f"{'█' * full}{'░' * (_WIDTH - full)} {done} of {total}"


class _Bar:
    """A line of output that is written again and again, and taken away at the end."""

    def __init__(self, total: int) -> None:
        from IPython import display

        ipython: Any = display  # untyped
        self._handle = ipython.DisplayHandle()
        self._handle.display(_text(bar(0, total)), raw=True)

    def tell(self, done: int, total: int, label: str) -> None:
        words = "" if done == total else f"{bar(done, total)}  {label}"
        self._handle.update(_text(words), raw=True)


def _text(words: str) -> dict[str, str]:
    return {"text/plain": words}


def _line(done: int, total: int, label: str) -> None:
    end = "\n" if done == total else ""
    print(f"\r\033[K{bar(done, total)}  {label[:40]}", end=end, file=sys.stderr, flush=True)


def _nothing(done: int, total: int, label: str) -> None:
    """Nobody is looking."""


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
