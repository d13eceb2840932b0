"""What a chat leaves: the plain copy in its notebook, and the files that are saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import Misuse
from ..log import EventLog
from .comm import Duty, Outcome, Sender
from .fallback import Fallback
from .files import File, file_of, small_page_of, text_of
from .lines import Line

STATIC_COPY = (
    "Static copy: run the notebook for the live chat. A conversation that is running goes on in "
    "the kernel."
)


class Keeping:
    """Writes down what stands in a chat.

    Args:
        lines, log, opening: give what there is now: the transcript, the events, the opening's name.
        outcome: told how rewriting the copy went.

    Attributes:
        name: the class of the plain copy, which the live view hides.
    """

    def __init__(
        self,
        lines: Callable[[], Sequence[Line]],
        log: Callable[[], EventLog],
        opening: Callable[[], str],
        sender: Sender,
        outcome: Outcome,
    ) -> None:
        self._lines, self._log, self._opening = lines, log, opening
        self._plain = Fallback(
            lambda: small_page_of(lines(), log()), lambda: text_of(lines(), log()), STATIC_COPY
        )
        self._rewriting = Duty(self._plain.update, sender, outcome)
        self.name = self._plain.name

    def display(self, view: Any) -> None:
        """Show `view`, and the plain copy for readers without a kernel."""
        self._plain.display(view)

    def rewrite(self) -> None:
        """Bring the copy up to date now; nbclient takes it only from the cell's own thread."""
        self._plain.update()

    def wake(self) -> None:
        """Bring the copy up to date soon."""
        self._rewriting.wake()

    def bundle(self) -> dict[str, str]:
        """The copy as it is now, by MIME type."""
        return self._plain.bundle()

    def file(self, kind: str) -> File:
        """What is saved as `jsonl`, `redacted`, `wav` or `html`. Raises Misuse."""
        return file_of(kind, self._lines(), self._log(), self._opening())

    def file_or_none(self, kind: str, tell: Callable[[BaseException], None]) -> File | None:
        """The same for a page; where there is nothing to save, `tell` is called with why."""
        try:
            return self.file(kind)
        except Exception as error:
            tell(error)
            return None

    def save(self, path: Path, redacted: bool) -> None:
        """Write a file of the kind that its name ends with. Raises Misuse."""
        kind = path.suffix.removeprefix(".")
        if redacted and kind != "jsonl":
            raise Misuse(f"Only the log is redacted: save it as .jsonl, not as {path.suffix!r}.")
        path.write_bytes(self.file("redacted" if redacted else kind).data)
