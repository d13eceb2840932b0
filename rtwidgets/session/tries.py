"""Tries for a line: how many, with which pauses, and what no further one changes.

Two kinds. The first session of a conversation is looked for within a time, and only where what is
in the way will pass: of a wrong address somebody has to be told at once. A line that stood and was
lost is looked for a number of times, whatever is in the way but what is final.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import ConnectFailed, ConnectionLost, Misuse, RealtimeError
from ..events import Event, field, line_trying
from ..log import Row
from ..transport import FAREWELL, Clock, Transport
from .line import NOT_OPEN

FATAL = (
    "invalid_api_key",
    "insufficient_quota",
    "account_deactivated",
    "billing_hard_limit_reached",
    "beta_api_shape_disabled",
    "model_not_found",
    "invalid_model",
    401,
    403,
    404,
)
"""What no second try changes: the codes of errors, and HTTP statuses of a refused handshake."""
EXPIRED = "session_expired"
PASSING = (
    429,
    500,
    502,
    503,
    504,
    "server_error",
    "rate_limit_exceeded",
    "inference_rate_limit_exceeded",
    EXPIRED,
)
"""What passes, said before a first session stands: HTTP statuses, and codes or types of errors."""
ATTEMPTS = 8
"""For a line that was lost; for a first session there are as many as the time allows."""
FIRST_S, LONGEST_S = 0.5, 8.0
ANSWER_S = 15.0
"""How long a server may take to answer each thing that it is told."""
LAST_S = 1.0
"""A try for a first session is left that much of the time, at the least."""

Connect = Callable[[float], Awaitable[Transport]]
"""Opens a line, in so many seconds. Raises ConnectFailed."""


class Tries:
    """Looks for lines to one server.

    Args:
        record: writes a `local` row.
        vary: a number from 0 to 1, by which a pause is uneven: many who lost their line at once
            must not come back at once.

    Attributes:
        made: how many there were since a line held.
        again: whether there is more than one.
        problem: what was in the way of a first session last, where it was given up; else None.
    """

    def __init__(
        self, record: Callable[[Event], Row], vary: Callable[[], float] = random.random
    ) -> None:
        self.made = 0
        self.again = False
        self.problem: Exception | None = None
        self._finding: asyncio.Task[Transport] | None = None
        self._stopped = False
        self._record, self._vary = record, vary
        self._connect: Connect | None = None
        self._timeout = 0.0
        self._until: float | None = None  # by the loop's time: when the first is given up

    @property
    def first(self) -> bool:
        """Whether no session stood yet."""
        return self._until is not None

    async def begin(self, connect: Connect, again: bool, timeout: float, clock: Clock) -> Transport:
        """The first line, tried at once, and again within `timeout` seconds where what is in the
        way will pass. Raises what was in the way last."""
        self._connect, self.again, self._timeout = connect, again, timeout
        self._until = asyncio.get_running_loop().time() + timeout
        self._finding = finding = asyncio.create_task(self._find(clock))
        try:
            found = await finding
        except asyncio.CancelledError:
            if finding.done() and not finding.cancelled() and finding.exception() is None:
                await finding.result().close()  # interrupted just when it stood
            task = asyncio.current_task()
            if self._stopped and task is not None and not task.cancelling():
                raise Misuse(NOT_OPEN) from None
            raise
        if self._stopped:
            await found.close()
            raise Misuse(NOT_OPEN)
        return found

    def stop(self) -> None:
        """The session is closed: no first line is looked for any more."""
        self._stopped = True
        if self._finding is not None:
            self._finding.cancel()

    async def _find(self, clock: Clock) -> Transport:
        try:
            return await self._one()
        except (RealtimeError, OSError) as problem:
            why: Exception = problem
        return await self.another(why, clock)

    async def another(self, why: Exception, clock: Clock) -> Transport:
        """A line behind one that ended so or did not come to stand. Raises what was in the way
        last."""
        while self._is_worth_it(why):
            pause = self._pause(why)
            said = str(why).removesuffix(FAREWELL)
            self._record(line_trying(self.made + 1, pause, said))
            await clock.sleep(pause)
            try:
                return await self._one()
            except (RealtimeError, OSError) as problem:
                why = problem
        if self.first:
            self.problem = why
        raise why

    async def open(self) -> Transport:
        """A line, beside the one that stands; not counted as a try."""
        assert self._connect is not None  # there is one that stands
        return await self._connect(self._seconds())

    def stands(self) -> None:
        """The first session stands."""
        self._until, self.made = None, 0

    def count(self) -> str:
        """How many there were, in words."""
        return f"{self.made} {'tries' if self.made > 1 else 'try'}"

    async def _one(self) -> Transport:
        self.made += 1
        return await self.open()

    def _is_worth_it(self, why: Exception) -> bool:
        if not self.again or is_fatal(why):
            return False
        if not self.first:
            return self.made < ATTEMPTS
        if isinstance(why, ConnectFailed) and not (why.timed_out or why.code in PASSING):
            return False
        fits = self._left() > LAST_S + FIRST_S / 2  # the shortest pause, and a try
        return fits and isinstance(why, ConnectFailed | ConnectionLost)

    def _left(self) -> float:
        assert self._until is not None
        return self._until - asyncio.get_running_loop().time()

    def _seconds(self) -> float:
        if not self.first or not self.again:
            return self._timeout
        left = self._timeout if self.made <= 1 else max(LAST_S, int(10 * self._left()) / 10)
        return min(left, max(ANSWER_S, left / 2))  # a longer timeout helps with a slow server, too

    def _pause(self, why: Exception) -> float:
        pauses = self.made - self.first  # the very first try had none
        longest: float = min(LONGEST_S, FIRST_S * 2 ** min(pauses, ATTEMPTS))
        own = longest * (0.5 + self._vary() / 2)
        asked = getattr(why, "retry_after", None) or 0.0
        if not self.first:
            return max(own, min(asked, LONGEST_S))
        return min(max(own, asked), self._left() - LAST_S)


def is_fatal(why: Exception) -> bool:
    """Whether a handshake failed by what no second one changes."""
    return isinstance(why, ConnectFailed) and (why.code in FATAL or why.body_code in FATAL)


def passes(error: Event) -> bool:
    """Whether an error that came in place of a session is one that passes."""
    names: list[Any] = [field(error, "code"), field(error, "type")]
    if any(name in FATAL for name in names):
        return False
    return any(name in PASSING for name in names)
