"""Work in a chat's session, on the shared loop: done behind the opening, waited for to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from ..errors import ConnectionLost, Misuse, TimedOut
from ..events import Event
from ..session import AsyncSession
from ..session.blocking import Session
from .hands import Hands
from .voice import Speaker

Work = Callable[[AsyncSession], Coroutine[Any, Any, object]]


async def done_in(session: AsyncSession, opening: Future[None], work: Work) -> bool:
    """Do `work` once the opening is sent; gives whether there was a line to do it on."""
    await asyncio.wait([asyncio.wrap_future(opening)])
    if session.is_open:
        await work(session)
        return True
    return False


@dataclass(frozen=True)
class Advice:
    """On an event that is being written: a line or two, and the event that was probably meant."""

    text: str
    fixed: Event | None

    def __str__(self) -> str:
        return self.text


def advice_on(event: Event, session: Session | None) -> Advice:
    """What the server would say to an event that is being written, as far as it can be told."""
    from ..checking import check

    running = session is not None and session.is_open
    verdict = check(event, session=session if running else None)
    return Advice(verdict.in_short, verdict.fixed)


async def quiet(
    hands: Hands, session: Callable[[], AsyncSession | None], speaker: Speaker, timeout: float
) -> None:
    """Wait until all work is done, the opening and every reply are over, and were heard where a
    page plays. Raises TimedOut."""
    deadline = time.monotonic() + timeout
    if not await hands.free(timeout):
        raise TimedOut(f"The chat was not ready within {timeout:g} s; its log says how far.")
    running = session()
    if running is None or not running.is_open:
        return
    try:
        await running.opened(max(0.0, deadline - time.monotonic()))
        await running.settled(max(0.0, deadline - time.monotonic()))
    except (ConnectionLost, Misuse):
        return  # the line fell or was closed: the transcript says so
    await speaker.played_out()
