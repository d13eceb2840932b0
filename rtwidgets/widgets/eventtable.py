"""The live table of a log's raw events.

The page holds one short line an event; the full JSON is fetched by number when a person asks for
it. Rows carry their place in the log, so sending one twice does no harm: a page that appears late,
or missed some, says from where it wants them, and every page sees the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from ..log import Row, Rows
from .comm import STATIC, Buffers, Content, Live, Sender
from .fallback import Fallback

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


class EventTable(Live):
    """Shows `rows`, a log or a part of one. A log that grows is followed as it does.

    Args:
        rows: the events to show.
        height: of the table, as CSS.
    """

    _esm = STATIC / "eventtable.js"
    _css = STATIC / "theme.css"
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
        self._rows = rows
        self._sent: int | None = None  # None: no page has asked yet, so nothing is sent
        self._plain = Fallback(lambda: self._rows._repr_html_(), lambda: str(self._rows))
        self._table = 0  # which table the page's places belong to: `show` begins another
        self._unwatch: Callable[[], None] = lambda: None
        super().__init__(sender, height=height, title=title, hides=self._plain.name)
        self._watch(rows)

    def refresh(self) -> None:
        """Look for new rows now."""
        self.wake()

    def show(self, rows: Rows) -> None:
        """Show other rows from here on."""
        self._sender.call(lambda: self._turn_to(rows))
        self.wake()

    def flush(self) -> None:
        if self._sent is None:
            return
        for places in batches(self._rows, self._sent):
            cells = [cells_of(self._rows[place]) for place in places]
            self.send({"t": "rows", "table": self._table, "start": places.start, "rows": cells})
            self._sent = places.stop

    def page_more(self, content: Content, _buffers: Buffers) -> None:
        """A page wants the rows from a place on: it has just appeared, or it missed some."""
        start = int(content["start"]) if content.get("table") == self._table else 0
        self._sender.call(lambda: self._send_again(start))
        self.wake()

    def page_json(self, content: Content, _buffers: Buffers) -> None:
        """A page wants an event in full, by its place among the rows."""
        table, place = content["table"], int(content["place"])
        if table == self._table and 0 <= place < len(self._rows):
            text = self._rows[place].json()
            self.tell({"t": "json", "table": table, "place": place, "json": text})

    def _send_again(self, start: int) -> None:
        self._sent = min(start, len(self._rows) if self._sent is None else self._sent)

    def close(self) -> None:
        self._unwatch()
        super().close()

    def _watch(self, rows: Rows) -> None:
        self._unwatch()
        self._unwatch = rows.watch(self.wake)

    def _turn_to(self, rows: Rows) -> None:
        self._rows = rows
        self._watch(rows)
        self._table += 1
        self._sent = None if self._sent is None else 0
        if self._sent is not None:
            self.send({"t": "rows", "table": self._table, "start": 0, "rows": []})

    def _ipython_display_(self) -> None:
        self._plain.display(self)
