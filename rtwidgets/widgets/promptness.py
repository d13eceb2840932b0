"""Letting threads take their turn sooner while somebody speaks.

A chunk of sound passes four threads on its way through a kernel (zmq's, the subshell's, the
session's, and the one that reports to the page). Beside a cell that computes in pure Python each of
them waits for the interpreter's switch interval, 5 ms by default, before it gets a turn.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERVAL = 0.001
"""Seconds. It costs a cell nothing while no other thread wants a turn."""

_lock = threading.Lock()
_inside = 0
_before = 0.0


@contextmanager
def prompt_threads() -> Iterator[None]:
    """Have threads wait for each other a millisecond at most; how long it was before comes back
    with the last of those who asked, unless somebody else has changed it meanwhile."""
    global _inside, _before
    with _lock:
        _inside += 1
        if _inside == 1:
            _before = sys.getswitchinterval()
            sys.setswitchinterval(min(INTERVAL, _before))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and abs(sys.getswitchinterval() - min(INTERVAL, _before)) < 1e-6:
                sys.setswitchinterval(_before)
