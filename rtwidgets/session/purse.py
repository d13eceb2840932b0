"""The money of one session: agreed to before it opens, and held back before it is spent."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..endpoints import Endpoint, approve_spending, spending_notice
from ..errors import Misuse, SpendingNotApproved
from ..events import Event
from ..money.budgeting import Budget
from ..money.ledger import Ledger
from ..pricing import PRICES
from ..turns import Turns


class Purse:
    """Keeps a session to its budget.

    Args:
        dollars: what it may spend, None for no limit. Raises Misuse for what is no amount.
        record: writes a `local` row.

    Attributes:
        limit: the budget itself, and what the next reply may cost.
    """

    def __init__(
        self,
        dollars: float | None,
        ledger: Ledger,
        turns: Turns,
        record: Callable[[Event], object],
    ) -> None:
        if dollars is not None and not (math.isfinite(dollars) and dollars > 0):
            raise Misuse(f"A budget is an amount in dollars greater than 0, not {dollars!r}.")
        self.limit = Budget(dollars, ledger)
        self._ledger = ledger
        self._turns = turns
        self._record = record
        turns.gate = self._over_budget

    def agree(self, endpoint: Endpoint, model: str) -> None:
        """State what a paid session costs. Raises SpendingNotApproved where nobody agreed to it."""
        notice = spending_notice(endpoint, model)
        if notice is None:
            return
        if self.limit.dollars is not None and model not in PRICES:
            raise SpendingNotApproved(
                f"{notice} A budget cannot be kept where the price of {model} is not known: "
                "add it to rtwidgets.pricing.PRICES, or agree by a click in RealtimeChat."
            )
        if self.limit.dollars is None:
            raise SpendingNotApproved(
                f"{notice} Agree by budget=, in dollars, for example budget=0.50; "
                "endpoint=rtwidgets.Simulated() costs nothing."
            )
        print(f"{notice} This session stops asking at ${self.limit.dollars:.2f}.")
        approve_spending()

    def check(self, request: Event | None = None) -> None:
        """Raises SpendingNotApproved where one more reply may pass the budget."""
        reason = self.limit.reason(request)
        if reason is not None:
            raise SpendingNotApproved(reason)

    def hold(self) -> Event | None:
        """The event by which the server answers nothing by itself any more, where that might pass
        the budget."""
        reason = self.limit.reason(beside=self._turns.outstanding)
        hold = self.limit.hold() if reason is not None else None
        if reason is not None and hold is not None:
            self._record(self.limit.reached(reason))
        return hold

    def _over_budget(self, request: Event) -> str | None:
        """Why this reply may not be asked for now; None while the budget allows it."""
        reason = self.limit.reason(request, self._turns.outstanding + self._ledger.under_way)
        if reason is not None:
            self._record(self.limit.reached(reason))
        return reason
