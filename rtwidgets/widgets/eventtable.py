"""The live table of a log's raw events.

The page holds one short line an event; the full JSON is fetched by number when a person asks for
it. Rows carry their place in the log, so sending one twice does no harm: a page that appears late,
or missed some, says from where it wants them, and every page sees the same table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import traitlets

from ..log import Row, Rows
from .comm import Buffers, Content, Live, Sender
from .fallback import Fallback
from .page import page_code, page_style

BATCH = 2000
"""Rows in one message at most: some 200 kB."""

Cells = list[Any]


def cells_of(row: Row) -> Cells:
    """What the page gets of a row: [seq, s, direction, type, summary, item id, audio ms, text].

    The text only of deltas: a folded run shows them put together.
    """
    text = row.text if row.type.endswith(".delta") and not row.audio_ms else ""
    time = round(row.t, 4)
    return [row.seq, time, row.direction, row.type, row.summary, row.item_id, row.audio_ms, text]


def batches(rows: Rows, start: int, size: int = BATCH) -> Sequence[range]:
    """The places in `rows` from `start` on that are not sent yet, in ranges of at most `size`."""
    stop = len(rows)
    return [range(at, min(at + size, stop)) for at in range(start, stop, size)]


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
    """

    _esm = page_code("eventtable.js")
    # One look for all widgets, carried by this one alone: every chat has a table, and each copy
    # would stand in every saved notebook again.
    _css = page_style("theme.css")
    height = traitlets.Unicode("20rem").tag(sync=True)
    title = traitlets.Unicode("Events").tag(sync=True)
    hides = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        rows: Rows,
        *,
        height: str = "20rem",
        title: str = "Events",
        sender: Sender | None = None,
    ) -> None:
        self._shown = Shown(rows, 0)
        self._plain = Fallback(
            lambda: self._shown.rows._repr_html_(), lambda: str(self._shown.rows)
        )
        # What the pages were told, on the sender's thread only.
        self._told = 0  # the number of the table
        self._sent: int | None = None  # rows of it; None: no page has asked yet
        super().__init__(sender, height=height, title=title, hides=self._plain.name)
        self._unwatch = rows.watch(self.wake)

    def refresh(self) -> None:
        """Look for new rows now."""
        self.wake()

    def show(self, rows: Rows) -> None:
        """Show other rows from here on."""
        self._unwatch()
        self._shown = Shown(rows, self._shown.number + 1)
        self._unwatch = rows.watch(self.wake)
        self.wake()

    def close(self) -> None:
        self._unwatch()
        super().close()

    def flush(self) -> None:
        if self._sent is None:
            return
        rows, number = self._shown.rows, self._shown.number
        if number != self._told:
            self._told, self._sent = number, 0
            self._begin()
        for places in batches(rows, self._sent):
            cells = [cells_of(rows[place]) for place in places]
            self.send({"t": "rows", "table": number, "start": places.start, "rows": cells})
            self._sent = places.stop

    def page_more(self, content: Content, _buffers: Buffers) -> None:
        """A page wants the rows from a place on: it has just appeared, or it missed some."""
        number, start = content["table"], int(content["start"])
        self.soon(lambda: self._send_again(number, start), "more")
        self.wake()

    def page_json(self, content: Content, _buffers: Buffers) -> None:
        """A page wants an event in full, by its place among the rows."""
        shown, number, place = self._shown, content["table"], int(content["place"])
        if number == shown.number and 0 <= place < len(shown.rows):
            text = shown.rows[place].json()
            self.tell({"t": "json", "table": number, "place": place, "json": text})

    def _send_again(self, number: int, start: int) -> None:
        start = start if number == self._told else 0
        self._sent = start if self._sent is None else min(start, self._sent)
        self._begin()

    def _begin(self) -> None:
        """Answer a page even where there are no rows yet, and tell it which table this is."""
        self.send({"t": "rows", "table": self._told, "start": 0, "rows": []})

    def _ipython_display_(self) -> None:
        self._plain.display(self)
