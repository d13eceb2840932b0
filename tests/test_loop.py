"""The shared loop: blocking calls that end, whatever happens."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

import pytest

from rtwidgets import loop
from rtwidgets.errors import Misuse, TimedOut


async def value() -> str:
    return threading.current_thread().name


def test_work_runs_on_the_one_thread_of_the_process() -> None:
    assert loop.run(value(), 5) == loop.submit(value()).result(5) == "rtwidgets-loop"
    assert not loop.on_loop_thread()


def test_the_works_own_exception_comes_out() -> None:
    async def fail() -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        loop.run(fail(), 5)


def test_a_timeout_cancels_the_work_and_leaves_the_loop_usable() -> None:
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(TimedOut):
        loop.run(forever(), 0.01)
    assert cancelled.wait(5)
    assert loop.run(value(), 5)


def waiting_function() -> str:
    """The function in which the main thread is."""
    main = threading.main_thread().ident
    assert main is not None
    return sys._current_frames()[main].f_code.co_name


def test_the_stop_button_cancels_the_work_and_leaves_the_loop_usable() -> None:
    cancelled = threading.Event()

    async def interrupted() -> None:
        while waiting_function() != "wait":  # a person presses while the cell waits, not before
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        loop.run(interrupted(), 5)
    assert cancelled.wait(5)
    assert loop.run(value(), 5)


def test_blocking_on_the_loops_own_thread_is_refused() -> None:
    async def inside() -> str:
        return loop.run(value(), 5)

    with pytest.raises(Misuse, match="AsyncSession"):
        loop.run(inside(), 5)
