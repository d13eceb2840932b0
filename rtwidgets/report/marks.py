"""Where the turns of a log begin.

A turn is what the user said, typed or spoken, and everything that answers it: a response, the tool
calls it makes, and the responses that use their results. What comes before the user said anything
is the opening. Marks are only ever added at the end, so that whoever shows a log while it grows
need not take one back.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from ..log.rows import Row


@dataclass(frozen=True)
class TurnStart:
    """Where a turn begins, and by what: opening, typed, spoken, tool, idle, asked or unknown."""

    seq: int
    t: float
    by: str


class Marks:
    """The beginnings of turns, told row by row.

    Attributes:
        goes_on: the last turn has work whose result a further response will use.
        responded: a response of the conversation began in the last turn.
    """

    def __init__(self) -> None:
        self.starts: list[TurnStart] = []
        self.goes_on = False
        self.responded = False
        self._words_open = False  # the last turn may still take more of the user's words

    def turn_at(self, seq: int) -> int:
        """The number of the turn that a row lies in, from 0; -1 before the first."""
        return bisect_right(self.starts, seq, key=lambda start: start.seq) - 1

    def begin(self, row: Row, by: str) -> None:
        """A turn begins here, whatever went before."""
        self.starts.append(TurnStart(row.seq, row.t, by))
        self._words_open = by in ("typed", "spoken", "idle")
        self.goes_on = self.responded = False

    def user_speaks(self, row: Row, by: str) -> None:
        """Words of the user come: a new turn, or more of the one that nothing answered yet."""
        if not self.starts or not self._words_open:
            self.begin(row, by)

    def silence(self, row: Row) -> None:
        """The server makes a turn of the user's silence."""
        self.user_speaks(row, "idle" if self.starts else "opening")
        self._words_open = True

    def model_speaks(self, row: Row, by: str) -> None:
        """What answers, or opens: no more words of the user belong to the turn."""
        if not self.starts:
            self.begin(row, by)
        self._words_open = False

    def asked_again(self) -> None:
        """A response is asked for that an ended line did not bring: in the same turn."""
        self._words_open = self.goes_on = False

    def asked(self, row: Row, by: str = "opening") -> None:
        """A response is asked for in the conversation; `by` is what opens a log that begins so."""
        if self.starts and self.responded and not (self._words_open or self.goes_on):
            self.begin(row, "asked")
        self.model_speaks(row, by)
        self.goes_on = False
