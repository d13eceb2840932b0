"""The one shared event loop on a thread of its own, started on first use.

Tasks on a kernel's own loop stop while a cell computes; a thread does not. Sessions, chats and
blocking calls of one process all share this one.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from .errors import Misuse, TimedOut

T = TypeVar("T")

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None


def shared_loop() -> asyncio.AbstractEventLoop:
    """The loop, running. Its thread is a daemon: it never keeps a kernel from ending."""
    global _loop, _thread
    with _starting:
        if _loop is None or _thread is None or not _thread.is_alive():
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_loop.run_forever, name="rtwidgets-loop", daemon=True)
            _thread.start()
        return _loop


def on_loop_thread() -> bool:
    """Whether the caller runs on the shared loop's thread, where blocking would stop everything."""
    return threading.current_thread() is _thread


def submit(work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Start `work` on the shared loop and return at once. Keep the future: it holds the outcome."""
    return asyncio.run_coroutine_threadsafe(work, shared_loop())


def run(work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
    """Run `work` on the shared loop and wait for its result.

    An interrupt of the waiting cell, or the timeout, cancels the work and leaves the loop usable.
    Raises TimedOut after `timeout` seconds, Misuse on the loop's own thread.
    """
    if on_loop_thread():
        work.close()
        raise Misuse(
            "A blocking call was made from a session's own thread and would stop it. Use "
            "AsyncSession there, or hand the work to another thread; a tool that is written with "
            "def instead of async def runs on one."
        )
    future: concurrent.futures.Future[T] | None = None
    try:
        future = submit(work)
        return future.result(timeout)
    except BaseException as interrupted:
        if future is None or future.done():  # the work's own exception, or its own timeout
            raise
        future.cancel()
        if isinstance(interrupted, concurrent.futures.TimeoutError):
            raise TimedOut(f"Nothing came back within {timeout:g} s.") from None
        raise
