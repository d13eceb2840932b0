"""Which reply answers which request, and waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from ..conversation import Conversation
from ..errors import Misuse, SpendingNotApproved
from ..events import text_field
from ..items import ENDED
from ..log import EventLog
from ..money.ledger import Ledger
from ..pricing import priced_as
from ..tables import quoted
from ..tools import Calls, ToolCall
from .reply import Reply, Timing, reply_of


class Until(Protocol):
    """Waits until something is so; see AsyncSession."""

    def __call__(
        self, ready: Callable[[], bool], timeout: float | None, what: str
    ) -> Awaitable[None]: ...


@dataclass
class End:
    """Where an answer ends: calls of tools and further responses may stand between.

    Attributes:
        request_id: what was asked last. response_id: what that brought, "" while there is none.
        calls: those that were answered before.
        waits: whether calls run behind which more will come.
    """

    request_id: str
    response_id: str
    calls: list[ToolCall] = field(default_factory=list)
    waits: bool = False


class Answers:
    """The replies of one session."""

    def __init__(
        self,
        conversation: Conversation,
        log: EventLog,
        ledger: Ledger,
        calls: Calls,
        until: Until,
    ) -> None:
        self._conversation, self._log, self._ledger = conversation, log, ledger
        self._calls, self._until = calls, until

    async def to(self, request_id: str, timeout: float | None) -> Reply:
        """The reply to a `response.create`, once it is done or refused. Where the model calls
        functions, that is the reply in which it has called enough.

        Raises SpendingNotApproved where the budget forbade it, TimedOut, ConnectionLost.
        """
        turns = self._conversation.turns
        try:
            await self._until(lambda: self._came(request_id), timeout, "the reply")
        except BaseException as ended:
            end = self._end(request_id)
            turns.give_up(end.request_id)
            running = self._calls.round_of(end.response_id)
            if running is not None and isinstance(ended, asyncio.CancelledError):
                running.asks = False  # the user has stopped waiting, and wants no further reply
            raise
        end = self._end(request_id)
        if end.response_id:
            return self._reply(end)
        refusal = turns.refusal_of(end.request_id) or {}
        if text_field(refusal, "code") == "budget_spent":
            raise SpendingNotApproved(quoted(text_field(refusal, "message")))
        message = text_field(refusal, "message") or "refused without a reason"
        calls = tuple(end.calls)
        return Reply("", "", None, None, Timing(), "", "failed", message, self._log, calls)

    def _came(self, request_id: str) -> bool:
        end = self._end(request_id)
        if not end.response_id:
            return self._conversation.refusal_of(end.request_id) is not None
        return self._over(end)

    def _end(self, request_id: str) -> End:
        return self._behind(End(request_id, self._conversation.turns.response_to(request_id)))

    def _behind(self, end: End) -> End:
        """Go on to where an answer ends, as far as it has come."""
        while (one := self._calls.round_of(end.response_id)) is not None:
            end.calls += one.made
            end.waits = one.open
            if not one.request_id:
                break
            end.request_id = one.request_id
            end.response_id = self._conversation.turns.response_to(one.request_id)
        return end

    def _over(self, end: End) -> bool:
        response = self._conversation.responses.get(end.response_id)
        return response is not None and response.status in ENDED and not end.waits

    async def first(
        self, response_ids: Callable[[], Iterable[str]], timeout: float | None
    ) -> Reply:
        """The first of these replies that is done, with what follows its calls of functions. One
        that is asked for again, over another line, is none."""

        def ended() -> End | None:
            stand = filter(self._stands, response_ids())
            ends = (self._behind(End("", response_id)) for response_id in stand)
            return next((end for end in ends if self._over(end)), None)

        await self._until(lambda: ended() is not None, timeout, "the reply")
        end = ended()
        assert end is not None  # else it had raised
        return self._reply(end)

    def _stands(self, response_id: str) -> bool:
        response = self._conversation.responses.get(response_id)
        return response is None or not response.cut_unheard

    def reply(self, response_id: str) -> Reply:
        """The reply with that id as it stands now. Raises Misuse when there is none."""
        one = self._calls.round_of(response_id)
        return self._reply(End("", response_id, one.made if one else []))

    def _reply(self, end: End) -> Reply:
        response = self._conversation.responses.get(end.response_id)
        if response is None:
            raise Misuse(f"There is no response {end.response_id!r} in this session.")
        request_id = self._conversation.turns.request_of(end.response_id)
        model = priced_as(self._ledger.models)
        return reply_of(response, self._log, model, request_id, end.calls)
