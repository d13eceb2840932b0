"""Which reply answers which request, and waiting for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from ..conversation import Conversation
from ..errors import Misuse, SpendingNotApproved
from ..events import text_field
from ..items import ENDED
from ..log import EventLog
from ..money.ledger import Ledger
from ..pricing import priced_as
from .reply import Reply, Timing, reply_of


class Until(Protocol):
    """Waits until something is so; see AsyncSession."""

    def __call__(
        self, ready: Callable[[], bool], timeout: float | None, what: str
    ) -> Awaitable[None]: ...


class Answers:
    """The replies of one session."""

    def __init__(
        self, conversation: Conversation, log: EventLog, ledger: Ledger, until: Until
    ) -> None:
        self._conversation, self._log, self._ledger = conversation, log, ledger
        self._until = until

    async def to(self, request_id: str, timeout: float | None) -> Reply:
        """The reply to a `response.create`, once it is done or refused.

        Raises SpendingNotApproved where the budget forbade it, TimedOut, ConnectionLost.
        """
        turns = self._conversation.turns
        try:
            await self._until(lambda: self._came(request_id), timeout, "the reply")
        except BaseException:
            turns.give_up(request_id)
            raise
        response_id = turns.response_to(request_id)
        if response_id:
            return self.reply(response_id)
        refusal = turns.refusal_of(request_id) or {}
        if text_field(refusal, "code") == "budget_spent":
            raise SpendingNotApproved(text_field(refusal, "message"))
        message = text_field(refusal, "message") or "refused without a reason"
        return Reply("", "", None, None, Timing(), "", "failed", message, self._log)

    def _came(self, request_id: str) -> bool:
        response = self._conversation.response_to(request_id)
        if response is None:
            return self._conversation.refusal_of(request_id) is not None
        return response.status in ENDED

    async def first(
        self, response_ids: Callable[[], Iterable[str]], timeout: float | None
    ) -> Reply:
        """The first of these replies that is done."""

        def ended() -> str:
            responses = map(self._conversation.responses.get, response_ids())
            return next((one.id for one in responses if one and one.status in ENDED), "")

        await self._until(lambda: ended() != "", timeout, "the reply")
        return self.reply(ended())

    def reply(self, response_id: str) -> Reply:
        """The reply with that id as it stands now. Raises Misuse when there is none."""
        response = self._conversation.responses.get(response_id)
        if response is None:
            raise Misuse(f"There is no response {response_id!r} in this session.")
        request_id = self._conversation.turns.request_of(response_id)
        return reply_of(response, self._log, priced_as(self._ledger.models), request_id)
