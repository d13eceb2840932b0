"""The timeline under the chat: what was said, made, heard and done, as it happens.

The page draws it; here a builder reads each new row once, and what changed goes out in small
messages: spans by their number, marks by their place, waveforms as bytes. Everything that a message
says can be said again, so a page that appears late is sent the same as those that are there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import traitlets

from ..log import Rows
from ..timeline import LANES, Builder, Interruption, Mark, timeline_of
from ..timeline.envelope import FULL, Peaks
from ..timeline.tracks import Track
from .comm import Buffers, Content, Live, Sender
from .fallback import Fallback
from .pace import Pace
from .page import page_code, page_style

STEP = 5000
"""Rows read in one flush at most, some 20 ms: sound for the page waits behind no long log."""
QUIET = 0.25
"""Seconds after which time is told to have passed, where nothing else is to be said."""
BATCH = 1000
"""Spans, or marks, in one message at most."""
_WORDS = 300  # characters of a span's words that the page gets
_DIRECTIONS = {"client": 0, "server": 1, "local": 2}

Cells = list[Any]


def cells_of(track: Track) -> Cells:
    """What the page gets of a span: [number, lane, kind, start, end, audio ms, heard ms or -1,
    arrived or -1, open, out of band, words]."""
    heard = -1 if track.heard_ms is None else track.heard_ms
    arrived = -1 if track.arrived is None else round(track.arrived, 3)
    times = [round(track.start, 3), round(max(track.start, track.end), 3)]
    facts = [int(track.ms), heard, arrived, int(track.open), int(track.aside)]
    lane = LANES.index(track.lane)
    return [track.number, lane, track.kind, *times, *facts, track.words[:_WORDS]]


def mark_cells(mark: Mark) -> Cells:
    """What the page gets of a mark: [s, direction, type, label, weight]; weight is 0, 1 where the
    conversation turns, 2 for a failure."""
    weight = 2 if mark.failed else int(mark.turns)
    return [round(mark.t, 3), _DIRECTIONS[mark.direction], mark.type, mark.label, weight]


def cut_cells(cut: Interruption) -> Cells:
    """What the page gets of an interruption: [s, end, label]."""
    return [round(cut.t, 3), round(cut.end, 3), cut.label()]


def loudness(peaks: Peaks) -> bytes:
    """Peaks in a byte each: the root of their share of the loudest, so that quiet sound is seen."""
    return np.sqrt(peaks / FULL * 65025).astype(np.uint8).tobytes()


@dataclass(frozen=True)
class Shown:
    """The rows a timeline shows, and the number that tells them from those it showed before."""

    rows: Rows
    number: int


class Timeline(Live):
    """Shows a log, or a part of one, in time. A log that grows is followed as it does.

    Args:
        rows: the events to show.
        on_select: called with the numbers of the rows behind what a person clicked, on the sender's
            thread; it must be quick.
        height: of the drawing, as CSS.
    """

    _esm = page_code("timeline.js")
    _css = page_style("timeline.css")
    height = traitlets.Unicode("12rem").tag(sync=True)
    title = traitlets.Unicode("Timeline").tag(sync=True)
    hides = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        rows: Rows,
        *,
        on_select: Callable[[Sequence[int]], None] | None = None,
        sender: Sender | None = None,
        height: str = "12rem",
        title: str = "Timeline",
    ) -> None:
        self._shown = Shown(rows, 0)
        self._on_select = on_select
        self._plain = Fallback(lambda: f"<pre>{escape(self._text())}</pre>", self._text)
        # What the pages were told, on the sender's thread only.
        self._told: int | None = None  # the number of the timeline; None: no page has asked yet
        self._builder = Builder()
        self._taken = 0  # rows
        self._pace = Pace()
        self._marks = 0
        self._now = 0.0
        self._cuts: list[Interruption] = []
        self._peaks: dict[int, int] = {}  # of each track, those that will not change
        self._unwatch: Callable[[], None] = lambda: None
        self._noticed = False
        super().__init__(sender, height=height, title=title, hides=self._plain.name)
        self._unwatch = rows.watch(self._notice)

    def show(self, rows: Rows) -> None:
        """Show other rows from here on."""
        self._unwatch()
        self._shown = Shown(rows, self._shown.number + 1)
        self._unwatch = rows.watch(self._notice)
        self.wake()

    def select(self, seqs: Sequence[int]) -> None:
        """Show where these rows are: the mark of the first, or the span that it belongs to.

        From any thread. Rows of another log, or that say nothing in time, change nothing.
        """
        first = next(iter(seqs), None)
        if first is not None:
            self.soon(lambda: self._point_at(first), "select")

    def close(self) -> None:
        self._unwatch()
        super().close()

    def _notice(self) -> None:
        """Wake the sender, once until it looks: this is called for every row of a session."""
        if not self._noticed:
            self._noticed = True
            self.wake()

    def flush(self) -> None:
        self._noticed = (
            False  # before it counts the rows: one that comes from now on wakes it again
        )
        if self._told is None:
            return
        rows, number = self._shown.rows, self._shown.number
        if number != self._told:
            self._told = number
            self._start_anew(rows)
        if self._taken < len(rows) and self._pace.lets_pass(rows[self._taken :]):
            self._notice()
            return
        stop = min(len(rows), self._taken + STEP)
        self._builder.take(rows[self._taken : stop])
        self._taken = stop
        self._tell_changes()
        if stop < len(rows):
            self.wake()

    def page_more(self, _content: Content, _buffers: Buffers) -> None:
        """A page has appeared, or missed some: everything is said again."""
        self.soon(self._send_again, "more")
        self.wake()

    def page_select(self, content: Content, _buffers: Buffers) -> None:
        """A person clicked a span, a mark or an interruption, by its number there."""
        number, kind, place = content["line"], str(content["kind"]), int(content["number"])
        self.soon(lambda: self._select(number, kind, place), "select")

    def _start_anew(self, rows: Rows) -> None:
        self._builder = Builder(timed=rows.timed)
        self._taken = 0
        self._say_all()

    def _send_again(self) -> None:
        if self._told is None:
            self._told = self._shown.number
            self._start_anew(self._shown.rows)
        else:
            self._say_all()

    def _say_all(self) -> None:
        builder = self._builder
        builder.changed.update(range(len(builder.tracks)))
        self._marks, self._cuts = 0, []
        self._peaks.clear()
        self._say(unit="s" if builder.timed else "events")

    def _say(self, buffers: Buffers = (), **what: Any) -> None:
        if self._told is None:
            return  # no page is there
        self._now = self._builder.now
        self.send({"t": "news", "line": self._told, "now": round(self._now, 3), **what}, buffers)

    def _tell_changes(self) -> None:
        builder = self._builder
        changed = sorted(builder.changed)
        builder.changed.clear()
        while changed or self._marks < len(builder.marks):
            tracks, changed = [builder.tracks[one] for one in changed[:BATCH]], changed[BATCH:]
            places, sound = self._new_peaks(tracks)
            marks = builder.marks[self._marks : self._marks + BATCH]
            what: dict[str, Any] = {"spans": [cells_of(track) for track in tracks]}
            if marks:
                what["marks"] = [self._marks, [mark_cells(mark) for mark in marks]]
                self._marks += len(marks)
            cuts = builder.interruptions
            if cuts != self._cuts:
                self._cuts = cuts
                what["cuts"] = [cut_cells(cut) for cut in cuts]
            if places:
                what["peaks"] = places
            self._say([sound] if places else (), **what)
        if builder.now - self._now > QUIET:
            self._say()

    def _new_peaks(self, tracks: Sequence[Track]) -> tuple[list[Cells], bytes]:
        """The new parts of waveforms: [number, place, count] each, and all their bytes together."""
        places: list[Cells] = []
        pieces: list[bytes] = []
        for track in tracks:
            start = self._peaks.get(track.number, 0)
            peaks = self._builder.peaks(track, start)
            if len(peaks):
                places.append([track.number, start, len(peaks)])
                pieces.append(loudness(peaks))
                self._peaks[track.number] = start + len(peaks) - 1  # the last may still grow
        return places, b"".join(pieces)

    def _select(self, number: object, kind: str, place: int) -> None:
        builder = self._builder
        sources: dict[str, Callable[[], Sequence[int]]] = {
            "span": lambda: list(builder.tracks[place].seqs),
            "mark": lambda: [builder.marks[place].seq],
            "cut": lambda: list(self._cuts[place].seqs),
        }
        counts = {"span": len(builder.tracks), "mark": len(builder.marks), "cut": len(self._cuts)}
        known = kind in sources and 0 <= place < counts[kind]
        if self._on_select is not None and number == self._told and known:
            self._on_select(sources[kind]())

    def _point_at(self, seq: int) -> None:
        builder = self._builder
        at = bisect_left(builder.marks, seq, key=lambda mark: mark.seq)
        if at < len(builder.marks) and builder.marks[at].seq == seq:
            self._say(show=["mark", at])
            return
        spans = (track.number for track in builder.tracks if seq in track.seqs)
        number = next(spans, None)
        if number is not None:
            self._say(show=["span", number])

    def _text(self) -> str:
        return str(timeline_of(self._shown.rows, peaks=False))

    def _ipython_display_(self) -> None:
        self._plain.display(self)
