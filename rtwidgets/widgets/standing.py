"""Where a chat stands: before a conversation, in it or behind it, and what is said of that."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..session.blocking import Session
from .choices import Choice
from .hints import hint_before, hint_during, hint_without_line
from .status import RUNNING, Status, status_before, status_of

OVER = ("ended", "failed")


@dataclass
class Standing:
    """The state of a chat, one of `status.WORDS`, with what belongs to it.

    Attributes:
        notice: a sentence to agree to before money is spent.
        choice: what was chosen when Start was pressed.
        since, until: when the session opened and when it was over, seconds since 1970, or 0.
    """

    choice: Choice
    state: str = "idle"
    notice: str = ""
    since: float = 0.0
    until: float = 0.0

    @property
    def running(self) -> bool:
        """Whether Stop is offered, and nothing can be chosen."""
        return self.state in RUNNING

    @property
    def listening(self) -> bool:
        """Whether something can be said: it is kept until the line stands."""
        return self.state in ("connecting", "open", "reconnecting")

    def enter(self, state: str, notice: str = "") -> None:
        self.state, self.notice = state, notice
        if state == "connecting":
            self.since = self.until = 0.0
        if state in OVER:
            self.until = time.time()

    def status(self, session: Session | None, chosen: Choice, trouble: str) -> Status:
        """What the status line says; `chosen`: what would be started now."""
        if session is not None and self.state in ("connecting", "open", "reconnecting", "ended"):
            return status_of(self.state, session.asynchronous, self.since, self.until, trouble)
        choice = self.choice if self.state == "confirm" else chosen
        return status_before(self.state, choice, self.notice, trouble)

    def hint(self, session: Session | None, *, empty: bool, unheard: int) -> str:
        """What a person can do next; `empty`: nothing stands in the transcript."""
        if session is None or self.state not in ("open", "reconnecting"):
            return hint_before(self.state, empty)
        if self.state == "reconnecting":
            return hint_without_line(session.conversation)
        return hint_during(session.asynchronous.opening, session.conversation, unheard)
