"""What the status line says of a chat."""

from __future__ import annotations

from dataclasses import dataclass

from ..events import count_field, text_field
from ..money.budgeting import money
from ..session import AsyncSession
from .choices import Choice

WORDS = {
    "idle": "Not connected",
    "confirm": "Waiting for your agreement",
    "connecting": "Connecting",
    "open": "Connected",
    "reconnecting": "Reconnecting",
    "ended": "Ended",
    "failed": "Not connected",
}
"""The states of a chat, and what they are called."""

RUNNING = ("confirm", "connecting", "open", "reconnecting")
"""The states in which Stop is offered, and nothing can be chosen."""


@dataclass(frozen=True)
class Status:
    """What the status line says.

    Attributes:
        state: `idle`, `confirm`, `connecting`, `open`, `reconnecting`, `ended`, `failed`.
        words: the state, for people.
        notice: a sentence to agree to before money is spent.
        since: when the session opened, milliseconds since 1970; 0 while there is none.
        seconds: how long it lasted, once it is over.
        all_told: whether every reply that ended was reported with its tokens.
        spent: what it cost by the price table, in words: what it would have cost where simulated,
            of which budget; empty while that is not known.
        trouble: a sentence about what went wrong on this side.
    """

    state: str = "idle"
    words: str = "Not connected"
    endpoint: str = ""
    model: str = ""
    voice: str = ""
    notice: str = ""
    since: float = 0.0
    seconds: float = 0.0
    tokens: int = 0
    all_told: bool = True
    spent: str = ""
    trouble: str = ""


def status_before(state: str, choice: Choice, notice: str = "", trouble: str = "") -> Status:
    """What is said while no session stands: what would be connected to."""
    return Status(
        state=state,
        words=WORDS[state],
        endpoint=choice.endpoint.name,
        model=choice.model,
        notice=notice,
        trouble=trouble,
    )


def status_of(
    state: str, session: AsyncSession, since: float, until: float, trouble: str = ""
) -> Status:
    """What is said of a session from `since` to `until`, both in seconds since 1970, or 0."""
    return Status(
        state=state,
        words=WORDS[state],
        endpoint=session.label,
        model=session.model,
        voice=text_field(session.conversation.session, "audio", "output", "voice"),
        since=round(since * 1000),
        seconds=max(0.0, until - since),
        tokens=count_field(session.conversation.usage, "total_tokens") or 0,
        all_told=not any(one.done and one.tokens is None for one in session.ledger.responses),
        spent=spent_words(session),
        trouble=trouble,
    )


def spent_words(session: AsyncSession) -> str:
    """What a session cost, in a few words; empty where no price is known."""
    known, unknown = session.ledger.sums()
    if unknown and not known:
        return ""
    words = f"{'at least ' if unknown else ''}{money(known)}"
    if session.budget is not None:
        words += f" of {money(session.budget)}{' left' if session.limit.before else ''}"
    return f"would be {words}" if session.simulated else words
