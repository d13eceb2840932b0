"""The conversation as people read it: who said what, and what became of it.

How one item reads is in lines.py. The widget sends what changed, in pieces that say where in the
text they belong, so that a page which sees one twice, or appears late, ends with the same text.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

import traitlets

from ..conversation import Conversation
from ..dialects import transcribes
from ..events import whole_characters
from ..items import Item
from .calls import Called
from .comm import Buffers, Content, Live, Sender
from .lines import Line, call_line, change, heard_of, in_order, line_of, quotes
from .page import page_code

UNHEARD = "interrupted, none of it heard"
LEFT = "not carried over"
LEFT_MORE = "The model does not know this any more: no new session can be told of it."
FORGOTTEN = "The grey words were not heard, and the model does not remember them."

LATEST = 1000
"""Lines that a page is sent: more of them, of a long day or a server that floods, nobody reads."""


class Talk:
    """One conversation with what stands beside it: notices, and how much was heard.

    Attributes:
        number: tells one conversation from the next.
        over: how it ended, in a few words; what still streamed then was cut off. Empty before.
    """

    def __init__(self, conversation: Conversation, number: int) -> None:
        self.conversation = conversation
        self.number = number
        self.heard: dict[str, int] = {}
        self.called: dict[str, Called] = {}  # by call id
        self.over = ""
        self._notices: list[Line] = []
        self._count = itertools.count()
        self._gone: dict[str, Line] = {}  # of items that are deleted, but were here to be read
        self._before: dict[str, Line] = {}  # what stood here when the line ended

    def notice(self, text: str, more: str, by: str, state: str, once: bool = False) -> None:
        """Add a line behind what was said last. An error that quotes the one before replaces it;
        what is to be said `once` is not added where it was the last thing said."""
        behind = self._last_id()
        name = f"notice_{self.number}_{next(self._count)}"
        said, meaning = whole_characters(text), whole_characters(more)
        if once and self._notices and self._notices[-1].text == said:
            if self._notices[-1].behind == behind:
                return
        if state == "error" and self._notices and quotes(said, self._notices[-1]):
            self._notices.pop()
        self._notices.append(Line(name, by, said, "", state, meaning, behind))

    def unheard(self, item_id: str) -> None:
        """Nobody heard any of this item, and it will be deleted: its line stays, all of it grey."""
        names = self._item_ids()
        line = next((one for one in self.lines() if one.id == item_id), None)
        if line is not None and (line.text or line.instead):
            behind = names[names.index(item_id) - 1] if names.index(item_id) else ""
            self._gone[item_id] = replace(
                line, note=UNHEARD, state="cut", more=FORGOTTEN, behind=behind, heard=0
            )

    @property
    def empty(self) -> bool:
        """Whether there is no line yet."""
        return not (self.conversation.items or self._notices)

    def line_ends(self) -> None:
        """The line ends: what stands here now may not be known to the next session."""
        self._before = {line.id: line for line in self.lines()}

    def left_behind(self, item_ids: Iterable[str]) -> None:
        """A new session could not be told of these items: their lines stay."""
        names = list(self._before)
        for item_id in item_ids:
            line = self._before.get(item_id)
            if line is not None:
                behind = names[names.index(item_id) - 1] if names.index(item_id) else ""
                note = ", ".join(filter(None, (line.note, LEFT)))
                self._gone[item_id] = replace(line, note=note, more=LEFT_MORE, behind=behind)

    def lines(self, latest: int = 0) -> list[Line]:
        """All lines as they are now, in order; with `latest` so many at most, the last ones, and a
        line in front of them that says how many there are before."""
        every = len(self.conversation.items) + len(self._notices)
        cut = 0 < latest < every
        items = self.conversation.items[-latest if cut else 0 :]
        names, notices = self._with_unheard(items), self._notices[-latest if cut else 0 :]
        if cut:  # behind an item that is not shown stands nothing that is
            shown = {*names, *([""] if len(items) < latest else [])}
            notices = [one for one in notices if one.behind in shown]
        now = {line.id: line for line in self._all(items, notices)}
        lines = [now[name] for name in in_order(names, notices) if name in now]
        if not cut:
            return lines
        lines = lines[-latest:]
        said = (
            f"{every - len(lines)} earlier lines are not shown here; the events have all of them."
        )
        return [Line(f"earlier_{self.number}", "notice", said, state="notice"), *lines]

    def _last_id(self) -> str:
        """The id of what was said last, or an empty string."""
        if self._gone:
            return next(reversed(self._item_ids()), "")
        return self.conversation.items[-1].id if self.conversation.items else ""

    def _item_ids(self) -> list[str]:
        return self._with_unheard(tuple(self.conversation.items))

    def _with_unheard(self, items: Sequence[Item]) -> list[str]:
        """The ids of the items, and the places of those that were deleted unheard."""
        names = [item.id for item in items]
        for name, line in self._gone.items():
            if name not in names:
                names.insert(names.index(line.behind) + 1 if line.behind in names else 0, name)
        return names

    def _all(self, items: Sequence[Item], notices: Sequence[Line]) -> Iterable[Line]:
        yield from tuple(self._gone.values())  # where the item is still there, its line is newer
        outputs = {one.call_id: one for one in items if one.type == "function_call_output"}
        calls = {one.call_id for one in items if one.type == "function_call"}
        to_come = not self.over and transcribes(self.conversation.session)
        for item in items:
            if item.type == "function_call_output" and item.call_id in calls:
                continue  # it stands in the row of its call
            response = self.conversation.responses.get(item.response_id)
            if item.type == "function_call":
                of = item.call_id
                line = call_line(item, response, self.called.get(of), outputs.get(of))
            else:
                line = line_of(item, response, self.heard.get(item.id), to_come)
            # Mended here, not only on the way: half a character and its other half, which comes
            # with the next delta, are one piece of text to the page.
            said = whole_characters(line.text or item.said)
            yield self._ended(replace(line, text=said, heard=heard_of(said, item)))
        yield from notices

    def _ended(self, line: Line) -> Line:
        if not self.over or line.state not in ("streaming", "running"):
            return line
        return replace(line, state="cut", note=", ".join(filter(None, (line.note, self.over))))


class Transcript(Live):
    """Shows a conversation as it happens: `wake` it when something may have changed."""

    _esm = page_code("transcript.js")
    height = traitlets.Unicode("15rem").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)  # what to do next; below the lines

    def __init__(
        self, *, hint: str = "", height: str = "15rem", sender: Sender | None = None
    ) -> None:
        self._talk = Talk(Conversation(), 0)
        # What the pages were told, on the sender's thread only.
        self._asked = False  # whether any page is there
        self._told = 0  # the number of the conversation
        self._lines: dict[str, Line] = {}
        super().__init__(sender, hint=hint, height=height)

    def follow(self, conversation: Conversation) -> None:
        """Show another conversation from here on, beginning empty."""
        self._talk = Talk(conversation, self._talk.number + 1)
        self.wake()

    def heard(self, item_id: str, milliseconds: int) -> None:
        """So much of an item's audio has been played."""
        self._talk.heard[item_id] = milliseconds
        self.wake()

    def unheard(self, item_id: str) -> None:
        """None of an item was heard, and it is about to be deleted."""
        self._talk.unheard(item_id)
        self.wake()

    def line_ends(self) -> None:
        """The line ends, and another may be found."""
        self._talk.line_ends()

    def left_behind(self, item_ids: Iterable[str]) -> None:
        """A new session could not be told of these items."""
        self._talk.left_behind(item_ids)
        self.wake()

    def called(self, call_id: str, ms: int | None = None, ok: bool = False) -> None:
        """A Python function is called; with `ms` it is over, and `ok` where it returned."""
        self._talk.called[call_id] = Called(ms, ok)
        self.wake()

    def over(self, how: str) -> None:
        """The conversation has ended, in a few words: nothing more will stream."""
        self._talk.over = how
        self.wake()

    def notice(
        self,
        text: str,
        more: str = "",
        *,
        by: str = "notice",
        state: str = "notice",
        once: bool = False,
    ) -> None:
        """Add a line that nobody said: an error with its explanation, a word about the line; with
        `once` only where it was not the last thing said."""
        self._talk.notice(text, more, by, state, once)
        self.wake()

    @property
    def empty(self) -> bool:
        """Whether nothing stands in it yet."""
        return self._talk.empty

    def lines(self) -> list[Line]:
        """What stands in the transcript, in order."""
        return self._talk.lines()

    def flush(self) -> None:
        if not self._asked:
            return
        talk = self._talk
        before = self._lines if talk.number == self._told else {}
        lines = {line.id: line for line in talk.lines(LATEST)}
        if (list(before.items()), self._told) != (list(lines.items()), talk.number):
            changed = [
                change(line, before.get(name))
                for name, line in lines.items()
                if line != before.get(name)
            ]
            self.send({"t": "lines", "part": talk.number, "order": list(lines), "lines": changed})
        self._lines, self._told = lines, talk.number

    def page_all(self, _content: Content, _buffers: Buffers) -> None:
        """A page has just appeared, or missed something: everything again."""
        self.soon(self._forget, "all")
        self.wake()

    def _forget(self) -> None:
        self._asked, self._lines, self._told = True, {}, -1  # -1: an answer comes in any case
