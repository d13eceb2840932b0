"""The live table of a log's raw events.

The page holds a short line for every event, so that it scrolls, folds and filters by itself; what
is long (an event in full, a search through all of them) it asks for. Rows carry their place in the
log: sending one twice does no harm, a page that appears late or missed some says from where it
wants them, and every page sees the same table.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import traitlets

from ..errors import Misuse
from ..log import EventLog
from ..log.rows import Row, Rows
from ..report import turn_starts
from .comm import Buffers, Content, Live, Sender, Work
from .fallback import Fallback
from .pace import Pace
from .packing import pack
from .page import page_code, page_style

BATCH = 4000
"""Rows in one message at most, some 150 kB; there is one message a flush, between which the
sender's other work (sound above all) has its turn."""

MUCH = 25
"""Rows in a message at the sender's 20 Hz from which on the table is content with 10 Hz."""

NEAR = 500
"""Rows of a log that are looked through for turns as they are sent; more are the clerk's."""

REMEMBERED = 20
"""Events sent from the box that are offered again."""

COLUMNS = ("time", "delta", "direction", "type", "summary", "item", "response", "size", "audio")
"""Columns of the table; `delta` is the time since the line above."""

Checker = Callable[[dict[str, Any]], object]
Selected = Callable[[Sequence[int]], object]


@dataclass(frozen=True)
class Shown:
    """The rows a table shows, and the number that tells them from those it showed before."""

    rows: Rows
    number: int


class EventTable(Live):
    """Shows `rows`, a log or a part of one. A log that grows is followed as it does.

    Args:
        rows: the events to show.
        height: of the table, as CSS.
        send: takes an event to send, as the text a person wrote. With it the table has a box for
            that. What it raises is told beside the box; what a server refuses comes as an event.
        check: takes an event, as a dict, while it is written, and gives what `str` turns into words
            of advice, or None. Where it has a `fixed`, an event, that is offered: `rt.check` fits.
        on_select: takes the numbers (`row.seq`) of the rows that a person selected in the page.
        columns: which of `COLUMNS` to show at first; by default what the person chose last.

    `send` and `on_select` run on whatever thread the kernel chooses, `check` on one of the table's
    own: they work while a cell computes, and hand longer work over.
    """

    _esm = page_code("eventtable.js")
    # One look for all widgets, carried by this one alone: every chat has a table, and each copy
    # would stand in every saved notebook again.
    _css = page_style("theme.css")
    height = traitlets.Unicode("20rem").tag(sync=True)
    title = traitlets.Unicode("Events").tag(sync=True)
    hides = traitlets.Unicode("").tag(sync=True)
    columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sends = traitlets.Bool(False).tag(sync=True)
    checks = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        rows: Rows,
        *,
        height: str = "20rem",
        title: str = "Events",
        sender: Sender | None = None,
        send: Callable[[str], object] | None = None,
        check: Checker | None = None,
        on_select: Selected | None = None,
        columns: Iterable[str] = (),
    ) -> None:
        columns = list(columns)
        for name in columns:
            if name not in COLUMNS:
                raise Misuse(f"A column is one of {', '.join(COLUMNS)}, not {name!r}.")
        self.on_select = on_select
        self._give, self._check = send, check
        self._given: deque[str] = deque(maxlen=REMEMBERED)
        self._shown = Shown(rows, 0)
        self._plain = Fallback(
            lambda: self._shown.rows._repr_html_(), lambda: str(self._shown.rows)
        )
        # Answers what a page asks: neither the sender nor the thread of messages waits for it.
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="rtwidgets-table")
        self._looking = False  # whether it is about to look for turns
        self._wanted: dict[str, int] = {}  # each view's last search; earlier ones are given up
        self._noticed = self._busy = False
        # What the pages were told, on the sender's thread only.
        self._told = 0  # the number of the table
        self._sent: int | None = None  # rows of it; None: no page has asked yet
        self._pace = Pace()
        self._turns: list[int] = []  # the places where a turn begins
        self._looked = 0  # rows that were looked through for these
        self._selected: list[int] = []
        traits = {"height": height, "title": title, "hides": self._plain.name, "columns": columns}
        super().__init__(sender, **traits, sends=send is not None, checks=check is not None)
        self._unwatch = rows.watch(self._notice)

    # ------------------------------------------------------------ from Python

    def refresh(self) -> None:
        """Look for new rows now."""
        self.wake()

    def show(self, rows: Rows) -> None:
        """Show other rows from here on."""
        self._unwatch()
        self._shown = Shown(rows, self._shown.number + 1)
        self._unwatch = rows.watch(self._notice)
        self.wake()

    def select(self, seqs: Iterable[int]) -> None:
        """Select rows by their numbers (`row.seq`), and bring the first of them into sight.

        Numbers that the table does not show are left out.
        """
        shown, wanted = self._shown, sorted(set(seqs))
        self.soon(lambda: self._select(shown.number, places_of(shown.rows, wanted)), "select")

    def close(self) -> None:
        if not hasattr(self, "_clerk"):
            return  # it was refused before it was a widget
        self._unwatch()
        self._clerk.shutdown(wait=False, cancel_futures=True)
        super().close()

    # ------------------------------------------------------------ on the sender's thread

    def flush(self) -> None:
        self._noticed = False  # before it counts the rows: who adds one from now on wakes it again
        if self._sent is None:
            return
        if self._busy:
            self._busy = False  # much comes: every other flush, in messages twice as large
            self._notice()
            return
        rows, number = self._shown.rows, self._shown.number
        if number != self._told:
            self._told, self._sent = number, 0
            self._turns, self._looked, self._selected = [], 0, []
            self._begin()
        start, total = self._sent, len(rows)
        if start >= total:
            return
        if self._pace.lets_pass(rows[start:total]):
            self._notice()
            return
        stop = min(start + BATCH, total)
        news = {"t": "rows", "table": number, "start": start, "count": stop - start}
        near = isinstance(rows, EventLog) and total - self._looked <= NEAR
        turns = self._news_of_turns(turn_starts(rows)) if near else {}
        self.send({**news, "total": total, **turns}, pack(rows[start:stop]))
        self._sent = stop
        self._busy = MUCH <= stop - start < BATCH
        self._looked = total if near else self._looked
        if stop < total:
            self.wake()
        elif not near and not self._looking:
            self._looking = True
            self._clerk_does(self._look_for_turns, "turns")

    def _notice(self) -> None:
        """Wake the sender, once until it looks: this is called for every row of a session."""
        if not self._noticed:
            self._noticed = True
            self.wake()

    def _send_again(self, number: int, start: int) -> None:
        start = start if number == self._told else 0
        self._sent = start if self._sent is None else min(start, self._sent)
        self._begin()

    def _begin(self) -> None:
        """Answer a page even where there are no rows yet, and tell it what it cannot know."""
        total = len(self._shown.rows) if self._shown.number == self._told else 0
        news = {"turns": self._turns, "given": list(self._given), "total": total}
        self.send({"t": "rows", "table": self._told, "start": 0, "count": 0, **news})
        if self._selected:
            self._select(self._told, self._selected)

    def _tell_turns(self, number: int, length: int, starts: list[int]) -> None:
        if number != self._told or length < self._looked:
            return
        self._looked = length
        if news := self._news_of_turns(starts):
            self.send({"t": "turns", "table": number, **news})

    def _news_of_turns(self, starts: list[int]) -> Content:
        if starts == self._turns:
            return {}
        self._turns = starts
        return {"turns": starts}

    def _select(self, number: int, places: list[int]) -> None:
        self._selected = places
        if self._sent is not None and number == self._shown.number:
            self.send({"t": "select", "table": number, "places": places})

    # ------------------------------------------------------------ what a page says

    def page_more(self, content: Content, _buffers: Buffers) -> None:
        """A page wants the rows from a place on: it has just appeared, or it missed some."""
        number, start = content["table"], int(content["start"])
        self.soon(lambda: self._send_again(number, start), "more")
        self.wake()

    def page_json(self, content: Content, _buffers: Buffers) -> None:
        """A page wants an event in full, by its place among the rows."""
        self._ask(content, lambda row: {"json": row.json()})

    def page_raw(self, content: Content, _buffers: Buffers) -> None:
        """A page wants a frame exactly as it was on the wire."""
        self._ask(content, lambda row: {"raw": row.raw})

    def page_cause(self, content: Content, _buffers: Buffers) -> None:
        """A page wants the place of the client event that made the server send a row."""
        rows = self._shown.rows

        def answer(row: Row) -> Content:
            cause = row.cause
            return {"cause": next(iter(places_of(rows, [cause.seq] if cause else [])), None)}

        self._ask(content, answer)

    def page_find(self, content: Content, _buffers: Buffers) -> None:
        """A page wants the rows from a place on in which all of some words stand."""
        self._wanted[content["view"]] = content["id"]
        self._clerk_does(lambda: self._find(content), "find")

    def page_select(self, content: Content, _buffers: Buffers) -> None:
        """A person selected rows."""
        shown = self._shown
        if self.on_select is not None and content["table"] == shown.number:
            places = [place for place in content["places"] if 0 <= place < len(shown.rows)]
            self.on_select([shown.rows[place].seq for place in places])

    def page_send(self, content: Content, _buffers: Buffers) -> None:
        """A person sends what they wrote."""
        text, problem = str(content["text"]), ""
        try:
            if self._give is None:
                raise Misuse("This table cannot send: it was made without send=.")
            self._give(text)
            if text in self._given:
                self._given.remove(text)
            self._given.append(text)
        except Exception as refused:
            problem = str(refused) or type(refused).__name__
        given = list(self._given)
        self.tell({"t": "sent", "id": content["id"], "problem": problem, "given": given})

    def page_check(self, content: Content, _buffers: Buffers) -> None:
        """A person wrote an event: what is there to say about it?"""
        self._clerk_does(lambda: self._advise(content), "check")

    # ------------------------------------------------------------ on the clerk's thread

    def _clerk_does(self, do: Callable[[], object], what: str) -> None:
        work = Work(f"{type(self).__name__}.{what}", do, self.outcome)
        self._clerk.submit(self._sender.attempt, work)

    def _ask(self, content: Content, answer: Callable[[Row], Content]) -> None:
        """Answer a question about a row, in a message of the same kind."""
        shown, number, place = self._shown, content["table"], int(content["place"])
        if number != shown.number or not 0 <= place < len(shown.rows):
            return
        head = {"t": content["t"], "table": number, "place": place}
        self._clerk_does(
            lambda: self.tell({**head, **answer(shown.rows[place])}), str(content["t"])
        )

    def _look_for_turns(self) -> None:
        self._looking = False  # before it reads: rows that come meanwhile are looked at next
        shown, length = self._shown, len(self._shown.rows)
        starts = places_of(shown.rows, turn_starts(shown.rows))
        self.soon(lambda: self._tell_turns(shown.number, length, starts), "turns")

    def _find(self, content: Content) -> None:
        shown, start = self._shown, int(content["start"])
        view, wanted = content["view"], content["id"]
        if content["table"] != shown.number or wanted != self._wanted[view]:
            return
        stop = len(shown.rows)
        found: Rows = shown.rows[start:stop]
        for word in content["words"]:
            found = found.where(text=word)
        places = array("I", places_of(shown.rows, [row.seq for row in found])).tobytes()
        head = {"t": "found", "table": shown.number, "view": view, "id": wanted}
        self.tell({**head, "start": start, "stop": stop}, [places])

    def _advise(self, content: Content) -> None:
        found = self._check(json.loads(content["text"])) if self._check is not None else None
        meant = getattr(found, "fixed", None)
        news = {"advice": "" if found is None else str(found)}
        news["fixed"] = "" if meant is None else json.dumps(meant, ensure_ascii=False)
        self.tell({"t": "advice", "id": content["id"], **news})

    def _ipython_display_(self) -> None:
        self._plain.display(self)


def places_of(rows: Rows, seqs: Iterable[int]) -> list[int]:
    """Where among `rows`, which are in order, the rows with these numbers stand."""
    if isinstance(rows, EventLog):  # a row's place in its log is its number
        return [seq for seq in seqs if 0 <= seq < len(rows)]
    places, length = [], len(rows)
    for seq in seqs:
        place = bisect_left(rows, seq, key=lambda row: row.seq)
        if place < length and rows[place].seq == seq:
            places.append(place)
    return places
