"""The sessions of one chat, one after another: what they have in common, and their budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..endpoints import Endpoint
from ..errors import SpendingNotApproved
from ..session.blocking import Session
from ..tools import Given, toolbox
from .choices import Choice


class Sessions:
    """Makes a chat's sessions.

    Args:
        instructions, tools, reconnect: as Session takes them.
        budget: US dollars that all of them together may spend; None for no limit.

    Attributes:
        every: every session so far, the last one last.
    """

    def __init__(
        self,
        instructions: str | None,
        tools: Sequence[Given],
        budget: float | None,
        reconnect: bool,
    ) -> None:
        self.every: list[Session] = []
        self.budget = budget
        self._instructions, self._tools = instructions, toolbox(tools).every
        self._reconnect = reconnect

    @property
    def latest(self) -> Session | None:
        """The one that stands or was last."""
        return self.every[-1] if self.every else None

    def begin(self, choice: Choice) -> Session:
        """One more. Raises Misuse, SpendingNotApproved."""
        left = budget_left(self.budget, self.every, choice.endpoint)
        session = Session(
            choice.endpoint,
            choice.opening,
            instructions=self._instructions,
            model=choice.model,
            voice=choice.voice,
            tools=self._tools,
            budget=left,
            reconnect=self._reconnect,
        )
        session.asynchronous.limit.before = (self.budget or 0.0) - (left or 0.0)
        self.every.append(session)
        return session


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
