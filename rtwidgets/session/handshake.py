"""The beginning of a session: what is asked of the server, and whether it agreed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ..conversation import Conversation
from ..errors import ConnectFailed, ConnectionLost, Misuse, TimedOut
from ..events import Event, error_of, text_field
from ..explanations import explain
from ..log import Row
from ..tables import quoted
from ..transport import FAREWELL
from .news import Lookout
from .tries import Tries, passes

Modality = Literal["audio", "text"]


def settings_of(
    instructions: str | None,
    voice: str | None,
    modality: Modality,
    tools: Sequence[Event],
) -> Event:
    """The fields of the first `session.update`. Raises Misuse for what is no setting."""
    if modality not in ("audio", "text"):
        raise Misuse(f'modality is "audio" or "text", not {modality!r}.')
    fields: Event = {"output_modalities": [modality]}
    if instructions is not None:
        fields["instructions"] = instructions
    if voice is not None:
        fields["audio"] = {"output": {"voice": voice}}
    if tools:
        fields["tools"] = list(tools)
    return fields


class Greeting:
    """Says, asked at each row, whether the session stands. Raises ConnectFailed with the server's
    words when it will not, and no other line is tried for it.
    """

    def __init__(self, conversation: Conversation, tries: Tries) -> None:
        self._conversation, self._tries = conversation, tries
        self._passed = 0  # errors: a server may say thousands
        self._last: tuple[int, Event] = (0, {})  # and at which try

    def __call__(self) -> bool:
        if self._conversation.session:
            return True
        for error in self._conversation.errors[self._passed :]:
            if not (self._tries.again and passes(error)):
                raise ConnectFailed(refusal(error), code=text_field(error, "code") or None)
            self._passed += 1
            self._last = self._tries.made, error
        return False

    @property
    def said(self) -> Event:
        """The last error of the last try; empty where that had none."""
        made, error = self._last
        return error if made == self._tries.made else {}


def unopened(problem: Exception, tries: int, said: Event) -> Exception:
    """What to raise where no session came to stand: what was in the way last, and how often it was
    tried where that was more than once.

    Args:
        said: the error that the server said last, where nothing came behind it.
    """
    if said and isinstance(problem, TimedOut):
        problem = ConnectFailed(refusal(said), code=text_field(said, "code") or None)
    lost = isinstance(problem, ConnectionLost)
    if tries <= 1 and not lost:
        return problem
    words = str(problem).removesuffix(FAREWELL)
    if tries > 1:
        words = f"No session came to stand in {tries} tries. The last one: {words}"
    return ConnectFailed(
        words,
        code=getattr(problem, "code", None),
        body_code=getattr(problem, "body_code", ""),
        retry_after=getattr(problem, "retry_after", None),
        timed_out=getattr(problem, "timed_out", False),
    )


class Agreement:
    """Says, asked at each row, whether the settings that were asked for stand. Raises Misuse with
    the server's words when they were refused.

    Args:
        mending: whether the line is being mended: what is refused then is another session.
    """

    def __init__(self, mending: Callable[[], bool]) -> None:
        self._mending = mending
        self._updated, self._error = Lookout("session.updated"), Lookout("error")

    def take(self, row: Row) -> None:
        self._updated.take(row)
        if not self._mending():
            self._error.take(row)

    def __call__(self) -> bool:
        if self._updated.row is not None:
            return True
        if self._error.row is not None:
            said = refusal(error_of(self._error.row.event or {}) or {})
            raise Misuse(f"The server refused the session's settings. {said}")
        return False


def refusal(error: Event) -> str:
    """What the server said, and what to do about it where that is known."""
    said = quoted(text_field(error, "message")) or "no details given"
    advice = explain(error)
    return f"The server said: {said}" + (f" {advice}" if advice else "")
