"""What could not be shown in the page, until it can."""

from __future__ import annotations

from ..errors import RealtimeError, SpendingNotApproved
from .comm import Failure
from .transcript import Transcript


class Troubles:
    """The failures that stand, by what was being done."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}

    def note(self, what: str, failure: Failure | None) -> bool:
        """Something was done, or failed. Gives whether that changes what `sentence` says."""
        before = self._standing.pop(what, "")
        if failure is not None:
            self._standing[what] = str(failure)
        return self._standing.get(what, "") != before

    @property
    def sentence(self) -> str:
        """What to tell a person; empty while all is well."""
        last = next(reversed(tuple(self._standing.values())), "")
        said = f"The page could not be brought up to date ({last}). The log is complete."
        return said if last else ""


def say_trouble(error: BaseException, transcript: Transcript) -> None:
    """Say in the transcript what went wrong. Our own exceptions are sentences already; that a
    budget is kept is no error."""
    if isinstance(error, SpendingNotApproved):
        transcript.notice(str(error), by="budget", once=True)
        return
    known = isinstance(error, RealtimeError)
    said = str(error) if known else f"{type(error).__name__}: {error}"
    transcript.notice(said, by="error", state="error")
