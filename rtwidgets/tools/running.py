"""One call of a tool: on a thread of its own or on the loop, and never for longer than it has.

A thread cannot be stopped from outside. One that hangs is left behind; being a daemon it does not
keep a kernel from ending, which a thread of asyncio's own pool would.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .function import Tool
from .results import failure, text_of, told
from .shapes import Unfit

logger = logging.getLogger("rtwidgets")


@dataclass(frozen=True)
class Outcome:
    """What a call brought.

    Attributes:
        output: the text that the model reads.
        ok: whether the function returned.
        seconds: how long it took, or was waited for.
    """

    output: str
    ok: bool
    seconds: float = 0.0


@dataclass(frozen=True)
class _Came:
    """What a piece of the user's code returned or raised, whatever that was."""

    value: Any = None
    problem: BaseException | None = None


async def outcome_of(tool: Tool, arguments: str) -> Outcome:
    """Call a tool with a model's JSON. Raises nothing: what goes wrong is told to the model."""
    began = time.perf_counter()
    try:
        async with asyncio.timeout(tool.timeout):
            came = await _called(tool, arguments)
            if came.problem is None:
                came = await _aside(lambda: text_of(came.value))
    except TimeoutError:  # the clock's: what the tool raises is in what came
        seconds = f"{tool.timeout:g} s"
        late = f"{tool.name} did not finish within {seconds} and was given up."
        return Outcome(failure(late), False, time.perf_counter() - began)
    seconds_taken = time.perf_counter() - began
    if came.problem is None:
        return Outcome(came.value, True, seconds_taken)
    return Outcome(failure(_reason(tool, came.problem)), False, seconds_taken)


def _reason(tool: Tool, problem: BaseException) -> str:
    if isinstance(problem, Unfit):
        return f"{tool.name} was not called: {problem}."
    logger.warning("the tool %s failed", tool.name, exc_info=problem)
    return f"{tool.name} failed. {told(problem)}"


async def _called(tool: Tool, arguments: str) -> _Came:
    if tool.asynchronous:
        return await _awaited(lambda: tool.bound(arguments)())
    came = await _aside(lambda: tool.bound(arguments)())
    if inspect.isawaitable(came.value):  # a plain function that gave something to be awaited
        return await _awaited(lambda: came.value)
    return came


async def _awaited(start: Callable[[], Any]) -> _Came:
    """The outcome of the user's coroutine, as a task: one that will not be cancelled is left."""

    async def work() -> _Came:
        try:
            return _Came(await start())
        except asyncio.CancelledError as problem:
            return _Came(problem=problem)
        except BaseException as problem:  # also SystemExit: it would end everyone's loop
            return _Came(problem=problem)

    task = asyncio.ensure_future(work())
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        raise
    return _Came(problem=asyncio.CancelledError()) if task.cancelled() else task.result()


async def _aside(work: Callable[[], Any]) -> _Came:
    """The outcome of the user's function on a thread of its own."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Came] = loop.create_future()

    def tell(came: _Came) -> None:
        if not done.done():  # else nobody waits any more
            done.set_result(came)

    def run() -> None:
        try:
            came = _Came(work())
        except BaseException as problem:  # also SystemExit: this is not the program's end
            came = _Came(problem=problem)
        try:
            loop.call_soon_threadsafe(tell, came)
        except RuntimeError:
            pass  # the loop ended meanwhile

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), name="rtwidgets-tool", daemon=True).start()
    return await done


# In which of the tasks below somebody runs, on whatever thread: a tool may close its session.
_inside: contextvars.ContextVar[asyncio.Task[Any] | None] = contextvars.ContextVar(
    "rtwidgets_call", default=None
)


async def _marked(work: Coroutine[Any, Any, None]) -> None:
    _inside.set(asyncio.current_task())
    await work


class Tasks:
    """Work under way, held until it is done."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_marked(work))
        self._running.add(task)
        task.add_done_callback(self._forget)
        task.add_done_callback(lambda _: work.close())  # where it was ended before it began

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("the answer to a call failed", exc_info=task.exception())

    async def stop(self) -> None:
        """End it all, except the work that asks for this."""
        running = [task for task in self._running if task is not _inside.get()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
