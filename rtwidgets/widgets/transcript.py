"""The conversation as people read it: who said what, and what became of it.

`line_of` says what one item looks like, `in_order` where the lines stand; both are pure. The widget
sends what changed, in pieces that say where in the text they belong, so that a page which sees one
twice, or appears late, ends with the same text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import traitlets

from ..conversation import Conversation, Item, Response
from ..log import Row
from ..render import note_of, speaker
from .comm import STATIC, Buffers, Content, Live, Sender


@dataclass(frozen=True)
class Line:
    """One line of the transcript.

    Attributes:
        id: of its item, or made up for a notice.
        state: `streaming`, `done`, `silent` (remembered, not heard), `cut`, `error`, `notice`.
        note: a few words at the right: how long, typed, silent, cancelled.
        more: a sentence or two below the text: what an error means and what to do.
        behind: for a notice, the id of the line it stands behind.
    """

    id: str
    speaker: str
    text: str = ""
    note: str = ""
    state: str = "done"
    more: str = ""
    behind: str = ""


def line_of(item: Item, response: Response | None = None, heard_ms: int | None = None) -> Line:
    """How an item reads.

    Args:
        response: that it belongs to, None for an item the client made.
        heard_ms: how much of its audio was played, None where nobody can tell.
    """
    state = _state(item, response)
    if item.type == "function_call":
        return Line(item.id, speaker(item), f"{item.name}({item.arguments})", state=state)
    if item.role == "assistant" and not item.response_id:
        return Line(item.id, speaker(item), item.text, note_of(item), "silent")
    if item.role == "system":
        return Line(item.id, speaker(item), item.text, "for the model to know")
    if response is None:
        return Line(item.id, speaker(item), item.text, note_of(item))
    note = ", ".join(_notes(item, state, response, heard_ms))
    return Line(item.id, speaker(item), item.text, note, state, response.error)


def _notes(item: Item, state: str, response: Response, heard_ms: int | None) -> Iterable[str]:
    if item.audio_ms or state != "streaming":  # what will come of it is not known before
        yield note_of(item)
    if item.audio_ms and heard_ms is not None and item.truncated_ms is None:
        yield f"heard {min(100, round(100 * heard_ms / item.audio_ms))} %"
    if state == "cut":
        yield _ending(response)


def _state(item: Item, response: Response | None) -> str:
    status = response.status if response is not None else item.status
    return {
        "in_progress": "done" if item.status == "completed" else "streaming",
        "cancelled": "cut",
        "incomplete": "cut",
        "failed": "error",
    }.get(status, "done")


def _ending(response: Response) -> str:
    reason = str((response.status_details or {}).get("reason"))
    return {
        "turn_detected": "interrupted by speech",
        "client_cancelled": "interrupted",
        "max_output_tokens": "max_output_tokens reached",
        "content_filter": "stopped by the content filter",
    }.get(reason, response.status)


def in_order(items: Iterable[str], notices: Iterable[Line]) -> list[str]:
    """The ids of all lines: the items as the conversation has them, each notice behind its item.

    A notice behind nothing stands first, one whose item was deleted last.
    """
    behind: dict[str, list[str]] = {}
    for notice in notices:
        behind.setdefault(notice.behind, []).append(notice.id)
    order = behind.pop("", [])
    for item in items:
        order += [item, *behind.pop(item, [])]
    return order + [name for rest in behind.values() for name in rest]


def units(text: str) -> int:
    """The length of `text` as a browser counts it, in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def change(line: Line, before: Line | None) -> Content:
    """What a page needs to turn `before` into `line`; `text` belongs at `at` (UTF-16 units)."""
    old = before.text if before is not None and line.text.startswith(before.text) else ""
    return {
        "id": line.id,
        "speaker": line.speaker,
        "note": line.note,
        "state": line.state,
        "more": line.more,
        "at": units(old),
        "text": line.text[len(old) :],
    }


class Transcript(Live):
    """Shows a conversation as it happens; `take` its log's rows, and it reads what they changed."""

    _esm = STATIC / "transcript.js"
    _css = STATIC / "theme.css"
    height = traitlets.Unicode("15rem").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, *, hint: str = "", height: str = "15rem", sender: Sender | None = None
    ) -> None:
        self._conversation = Conversation()
        self._notices: list[Line] = []
        self._heard: dict[str, int] = {}
        self._said: dict[str, str] = {}  # a truncated item loses its transcript, but it was said
        self._lines: dict[str, Line] = {}  # as they were sent last
        self._order: list[str] = []
        self._part = 0  # which conversation the page's lines belong to: `follow` begins another
        self._asked = False  # whether any page is there
        super().__init__(sender, hint=hint, height=height)

    def follow(self, conversation: Conversation) -> None:
        """Show another conversation from here on, beginning empty."""
        self._sender.call(lambda: self._turn_to(conversation))
        self.wake()

    def take(self, row: Row) -> None:
        """A row of the session's log: something may have changed."""
        self.wake()

    def heard(self, item_id: str, milliseconds: int) -> None:
        """So much of an item's audio has been played."""
        self._heard[item_id] = milliseconds
        self.wake()

    def notice(
        self, text: str, more: str = "", *, by: str = "notice", state: str = "notice"
    ) -> None:
        """Add a line that nobody said: an error with its explanation, a word about the line."""
        items = self._item_ids()
        behind = items[-1] if items else ""
        name = f"notice_{self._part}_{len(self._notices)}"
        self._notices.append(Line(name, by, text, "", state, more, behind))
        self.wake()

    def lines(self) -> list[Line]:
        """What stands in the transcript, in order."""
        now = {line.id: line for line in self._current()}
        return [now[name] for name in in_order(self._item_ids(), self._notices) if name in now]

    def flush(self) -> None:
        if not self._asked:
            return
        lines = {line.id: line for line in self.lines()}
        order = list(lines)
        before = self._lines
        changed = [
            change(line, before.get(name))
            for name, line in lines.items()
            if line != before.get(name)
        ]
        if changed or order != self._order:
            self.send({"t": "lines", "part": self._part, "order": order, "lines": changed})
        self._lines, self._order = lines, order

    def page_all(self, _content: Content, _buffers: Buffers) -> None:
        """A page has just appeared, or missed something: everything again."""
        self._sender.call(self._send_again)
        self.wake()

    def _send_again(self) -> None:
        self._asked, self._lines = True, {}

    def _turn_to(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._part += 1
        self._notices, self._order = [], []
        for memory in (self._heard, self._said, self._lines):
            memory.clear()
        if self._asked:
            self.send({"t": "lines", "part": self._part, "order": [], "lines": []})

    def _item_ids(self) -> list[str]:
        return [item.id for item in tuple(self._conversation.items)]

    def _current(self) -> Iterable[Line]:
        for item in tuple(self._conversation.items):
            response = self._conversation.responses.get(item.response_id)
            line = line_of(item, response, self._heard.get(item.id))
            self._said[item.id] = line.text or self._said.get(item.id, "")
            yield replace(line, text=self._said[item.id])
        yield from tuple(self._notices)
