"""What happened when, as a person can see it: spans in lanes, marks, and where one was cut short.

These are plain values, made from a log by builder.py, drawn by plotting.py and by the page. Every
one names the rows that it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from .envelope import BIN_MS, Peaks

Lane = Literal["user", "generated", "heard", "text", "tools"]
LANES: tuple[Lane, ...] = ("user", "generated", "heard", "text", "tools")
NAMES: dict[Lane, str] = {
    "user": "user speech",
    "generated": "generated audio",
    "heard": "heard audio",
    "text": "text",
    "tools": "tools",
}
Kind = Literal["spoken", "typed", "system", "audio", "heard", "text", "written", "call"]


def no_peaks() -> Peaks:
    """The waveform of what has none."""
    return np.empty(0, np.uint16)


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted.

    Attributes:
        number: its own within the timeline; it stays while a log grows.
        kind: `spoken` and `typed` words of the user, a `system` message, generated `audio`, `heard`
            audio, `text` that streamed (also the transcript of speech), an assistant's message that
            the client has `written`, a tool `call`.
        start, end: on the timeline's axis. Generated audio ends as if it played from when it began
            to arrive; what a client sent at once (typed words) ends where it starts.
        seqs: the numbers of its rows in the log.
        words: what was said, the name and arguments of a call.
        audio_ms: milliseconds of audio, 0 without.
        heard_ms: of generated audio that was cut short, how much of it was heard; else None.
        arrived: when the last of it arrived, for generated audio; else None.
        open: whether it had not ended when the log did.
        aside: whether it belongs to a response out of band.
        peaks: its waveform, one for every 20 ms, 0 to 32768.
    """

    number: int
    lane: Lane
    kind: Kind
    start: float
    end: float
    seqs: tuple[int, ...]
    item_id: str = ""
    response_id: str = ""
    words: str = ""
    audio_ms: int = 0
    heard_ms: int | None = None
    arrived: float | None = None
    open: bool = False
    aside: bool = False
    peaks: Peaks = field(default_factory=no_peaks, repr=False, compare=False)

    @property
    def heard_end(self) -> float:
        """Where the heard part of it ends: its end, where it was not cut short."""
        if self.heard_ms is None or not self.audio_ms:
            return self.end
        return self.start + (self.end - self.start) * min(1.0, self.heard_ms / self.audio_ms)

    def label(self) -> str:
        """What it is, in a line."""
        length = f"{self.audio_ms / 1000:.1f} s" if self.audio_ms else ""
        cut = f"{self.heard_ms / 1000:.1f} s of it heard" if self.heard_ms is not None else ""
        aside = "out of band" if self.aside else ""
        facts = ", ".join(filter(None, [self.kind, length, cut, aside]))
        return f"{facts}: {self.words}" if self.words else facts


@dataclass(frozen=True, slots=True)
class Mark:
    """An event at its moment: every one of the log but those that come in runs (deltas, appended
    audio, progress of playback).

    Attributes:
        label: what it says, in a line.
        turns: whether it turns the conversation (a session, a response asked for, begun, ended or
            cut, a line lost), so that it is worth a name in a figure.
        failed: whether it says that something went wrong.
    """

    t: float
    seq: int
    direction: str
    type: str
    label: str = ""
    turns: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Interruption:
    """A reply that was cut short.

    Attributes:
        t: when the user began to speak over it (barge-in), or somebody stopped it.
        end: when the last word of it came: the truncation, the end of the response.
        by: `speech` for a barge-in, `client` for a stop.
        heard_ms: how much of the item was heard, None where nobody said.
        audio_ms: how much there was of it.
    """

    t: float
    end: float
    by: Literal["speech", "client"]
    item_id: str
    response_id: str
    heard_ms: int | None
    audio_ms: int
    seqs: tuple[int, ...]

    def label(self) -> str:
        who = "barge-in" if self.by == "speech" else "stopped"
        if self.heard_ms is None:
            return who
        of = f" of {self.audio_ms / 1000:.1f} s" if self.audio_ms else ""
        return f"{who}, {self.heard_ms / 1000:.1f} s{of} heard"


@dataclass(frozen=True)
class Timeline:
    """What a log says in time.

    Attributes:
        unit: `s`, or `events` for a log without times: then a place on the axis is a row's number.
        simulated: whether the session was one with a simulator, by its id.
        place: what the session was with (endpoint, model), as far as the log tells.
    """

    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    start: float = 0.0
    end: float = 0.0
    unit: Literal["s", "events"] = "s"
    simulated: bool = False
    place: str = ""

    def lane(self, name: Lane) -> list[Span]:
        """The spans of a lane, by their start."""
        return sorted((one for one in self.spans if one.lane == name), key=lambda one: one.start)

    @property
    def lanes(self) -> list[Lane]:
        """The lanes that hold anything, from top to bottom."""
        used = {span.lane for span in self.spans}
        return [name for name in LANES if name in used]

    def between(self, start: float, end: float) -> Timeline:
        """What lies between two moments, at least in part."""
        return Timeline(
            tuple(one for one in self.spans if one.start <= end and one.end >= start),
            tuple(one for one in self.marks if start <= one.t <= end),
            tuple(one for one in self.interruptions if one.t <= end and one.end >= start),
            *(start, end, self.unit, self.simulated, self.place),
        )

    @property
    def title(self) -> str:
        """What it is of; a simulated session is always called so."""
        of = f" · {self.place}" if self.place else ""
        return ("Simulated session" if self.simulated else "Session") + of

    def __str__(self) -> str:
        return text_of(self)


def stacked(spans: Sequence[Span], rows: int = 3) -> list[int]:
    """For each span of a lane, by their start: the row to draw it in so that few overlap.

    What was not heard of a span does not hold its row, and a tenth of a second is no overlap; more
    than `rows` share the last.
    """
    free: list[float] = []
    places = []
    for span in spans:
        place = next((row for row, end in enumerate(free) if end <= span.start + 0.1), len(free))
        place = min(place, rows - 1)
        free[place : place + 1] = [max(span.heard_end, span.start)]
        places.append(place)
    return places


def by_the_clock(timeline: Timeline) -> list[Span]:
    """The generated audio as one speaker would have played it: in turn, each until it was cut.

    For sessions where nobody played: nobody heard this, and what shows it has to say so.
    """
    played, free = [], timeline.start
    for span in timeline.lane("generated"):
        if span.aside or not span.audio_ms:
            continue
        ms = span.audio_ms if span.heard_ms is None else min(span.heard_ms, span.audio_ms)
        start = max(span.start, free)
        free = start + ms / 1000
        sound = replace(span, audio_ms=ms, heard_ms=None, peaks=span.peaks[: -(-ms // BIN_MS)])
        played.append(
            replace(sound, lane="heard", kind="heard", start=start, end=free, arrived=None)
        )
    return played


_FILL = {"user": "#", "generated": "#", "heard": "#", "text": "=", "tools": "-"}


def text_of(timeline: Timeline, width: int = 64) -> str:
    """The lanes as lines of characters, for a terminal and for readers without a kernel."""
    if not timeline.marks and not timeline.spans:
        return "timeline: nothing yet"
    length = max(timeline.end - timeline.start, 1e-9)

    def column(t: float) -> int:
        return min(width - 1, max(0, int((t - timeline.start) / length * width)))

    lines = []
    for name in timeline.lanes:
        cells = ["."] * width
        for span in timeline.lane(name):
            first, last = column(span.start), column(span.end)
            heard = column(span.heard_end) if span.heard_ms is not None else last
            fill = "'" if span.kind in ("typed", "system", "written") else _FILL[name]
            cells[first : last + 1] = fill * (last - first + 1)
            cells[heard + 1 : last + 1] = "~" * (last - heard)
        lines.append(f"{NAMES[name]:>15}  {''.join(cells)}")
    lines += _events_line(timeline.marks, column, width)
    unit = "s" if timeline.unit == "s" else "events (this log has no times)"
    reach = f"{timeline.start:g} to {timeline.end:.1f} {unit}"
    notes = [f"  {one.t:8.2f}  {one.label()}" for one in timeline.interruptions]
    signs = "   ~ not heard" if any("~" in line for line in lines) else ""
    return "\n".join([f"{timeline.title}, {reach}{signs}", *lines, *notes])


def _events_line(marks: Iterable[Mark], column: Callable[[float], int], width: int) -> list[str]:
    lines = []
    for direction, sign in (("client", ">"), ("server", "<"), ("local", "=")):
        cells = ["."] * width
        those = [mark for mark in marks if mark.direction == direction]
        for mark in those:
            cells[column(mark.t)] = "x" if mark.failed else sign
        if those:
            lines.append(f"{direction:>15}  {''.join(cells)}")
    return lines
