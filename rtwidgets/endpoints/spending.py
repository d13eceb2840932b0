"""Whether a person has agreed that sessions of this process cost money."""

from __future__ import annotations

from ..pricing import PRICES_AS_OF, rough_cost_of_minutes
from .endpoint import Endpoint

_spending_approved = False


def spending_notice(endpoint: Endpoint, model: str | None = None) -> str | None:
    """What a session would cost, in a sentence to agree to; None when nobody has to be asked.

    A key in the environment never makes a notebook spend silently: the first paid session of a
    process asks, by a click or by `budget=`.
    """
    if not endpoint.paid or _spending_approved or endpoint.lacks_key:
        return None  # without a key the session fails before it costs anything
    model = model or endpoint.model
    cost = rough_cost_of_minutes(1, model)
    price = (
        f"very roughly ${cost:.2f} for a minute of conversation (prices of {PRICES_AS_OF})"
        if cost is not None
        else "at a price this table does not know"
    )
    return f"{endpoint.name} with {model} costs money: {price}."


def approve_spending() -> None:
    """Remember for this process that someone agreed to paid sessions."""
    global _spending_approved
    _spending_approved = True
