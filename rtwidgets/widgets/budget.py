"""What a chat may still spend: its sessions share one budget."""

from __future__ import annotations

from collections.abc import Iterable

from ..endpoints import Endpoint
from ..errors import SpendingNotApproved
from ..session.blocking import Session


def budget_left(
    budget: float | None, sessions: Iterable[Session], endpoint: Endpoint
) -> float | None:
    """US dollars that a new session at `endpoint` may spend; None for no limit.

    A simulator's dollars are nobody's: they count against the budget, so that it can be tried, but
    only among themselves. Raises SpendingNotApproved where nothing is left.
    """
    costs = (one.cost or 0.0 for one in sessions if one.endpoint.paid == endpoint.paid)
    spent = sum(costs)
    if budget is None or not spent:
        return budget
    if spent >= budget:
        raise SpendingNotApproved(
            f"This chat has spent ${spent:.4f} of its budget of ${budget:.4f}. "
            "Make a new one, RealtimeChat(budget=...), to go on."
        )
    return budget - spent
