"""A timeline drawn into matplotlib's axes: waveforms, bars, words, marks, interruptions.

Used by plotting.py. The ink lies in the middle between black and white, so that one picture can be
read in a light and in a dark notebook; no colour says anything alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..events import whole_characters
from . import Interruption, Lane, Mark, Span, stacked
from .envelope import fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#747b85"
FAINT = "#8a919b"
CUT = "#d6455d"
COLOURS: dict[Lane, str] = {
    "user": "#2f8fd0",
    "generated": "#d9822b",
    "heard": "#2a9d78",
    "text": INK,
    "tools": "#a774c9",
}
"""Mid tones that differ in lightness too: they hold on white and on black, and for the
colour-blind."""

_WORDS = 7.5  # points
_LETTER = 0.52  # of its height is a letter wide, on average
_COLUMNS = 1600  # of a waveform over the whole width
_HALF = 0.40  # of a lane is the waveform high, up and down
_SOUNDS: tuple[Lane, ...] = ("user", "generated", "heard")
_SHORT = {
    "conversation.item.truncate": "truncate",
    "conversation.item.create": "item.create",
}


class Sheet:
    """Axes to draw a session into, and how much room words have there."""

    def __init__(
        self,
        ax: Axes,
        start: float,
        end: float,
        unit: str,
        zero: float = 0.0,
        height: float = 1.0,
    ) -> None:
        self._ax = ax
        self._zero, self._height = zero, height
        self._unit = unit
        self._topmost: list[tuple[float, float]] = []  # what is taken of the topmost row
        length = max(end - start, 1e-3)
        self._limits = (start - 0.012 * length, end + 0.02 * length)
        self._length = self._limits[1] - self._limits[0]
        # The figure may be a part of another; its width in inches is that of its box.
        inches = float(ax.bbox.width) / float(ax.figure.dpi) or 1.0
        self._letter = self._length * _WORDS * _LETTER / 72 / inches  # width of one, on the axis

    # ------------------------------------------------------------ a lane

    def lane(self, name: Lane, spans: Sequence[Span], y: float, words: bool) -> None:
        rows = stacked(spans)
        high = self._height / (max(rows, default=0) + 1)
        tops = [y + self._height / 2 - (row + 0.5) * high for row in rows]
        worded = words and name in ("user", "text", "tools")
        if name in _SOUNDS:  # what was said stands below
            lift = 0.13 * high if worded else 0.0
            half = (0.27 if worded else _HALF) * high
            self._sounds(name, spans, [top + lift for top in tops], half, words)
        elif worded:
            self._bars(name, spans, [top + 0.24 * high for top in tops], 0.08 * high)
        else:
            self._bars(name, spans, tops, 0.16 * high)
        self._at_once(name, spans, tops)
        if worded:
            self._write(spans, tops, high)

    def _sounds(
        self, name: Lane, spans: Sequence[Span], tops: list[float], half: float, words: bool
    ) -> None:
        """Waveforms: full where it was heard, hatched where it was not."""
        from matplotlib.collections import LineCollection, PolyCollection

        heard, unheard, arriving = [], [], []
        loudest = max((int(span.peaks.max()) for span in spans if len(span.peaks)), default=0)
        for span, y in zip(spans, tops, strict=True):
            if span.end <= span.start:
                continue
            full, cut = self._waveform(span, y, half, max(loudest, 300))
            heard.append(full)
            if len(cut):
                unheard.append(cut)
            if span.arrived is not None and span.arrived > span.start and self._unit == "s":
                low = y - half * 1.12
                arriving.append([(self._x(span.start), low), (self._x(span.arrived), low)])
        add, colour = self._ax.add_collection, COLOURS[name]
        add(PolyCollection(heard, facecolors=colour, edgecolors=colour, linewidths=0.5, gid=name))
        add(
            PolyCollection(
                unheard,
                facecolors="none",
                edgecolors=colour,
                linewidths=0.7,
                alpha=0.75,
                hatch="//////",
                gid=f"{name}, not heard",
            )  # fmt: skip
        )
        add(LineCollection(arriving, colors=colour, linewidths=2.0, gid="arriving"))
        if words and arriving and half > 0.3 * self._height:
            self._explain("arriving", arriving[0][1])
        if words and unheard:
            first = next(span for span in spans if span.heard_ms is not None)
            low = tops[list(spans).index(first)] - half * 1.12
            self._explain("not heard", (self._x(first.heard_end), low))

    def _waveform(self, span: Span, y: float, half: float, loudest: int) -> tuple[Any, Any]:
        share = min(1.0, (span.end - span.start) / self._length)
        peaks = fitted(span.peaks, max(4, int(share * _COLUMNS)))
        if len(peaks) < 4:
            peaks = np.full(4, 0 if self._unit == "s" else loudest // 9, np.uint16)
        # The root of the loudness: a quiet word is seen beside a loud one.
        size = half * np.maximum(0.05, np.sqrt(np.minimum(1.0, peaks / loudest)))
        x = self._x(np.linspace(span.start, span.end, len(peaks)))
        last = self._x(span.heard_end)
        at = max(1, int(np.searchsorted(x, last))) if span.heard_ms is not None else len(x)
        return _outline(x[:at], y, size[:at]), _outline(x[at - 1 :], y, size[at - 1 :], len(x) - at)

    def _bars(self, name: Lane, spans: Sequence[Span], tops: list[float], half: float) -> None:
        from matplotlib.collections import PolyCollection

        bars: list[Any] = []
        open_: list[Any] = []
        for span, y in zip(spans, tops, strict=True):
            if span.end <= span.start and not span.open:
                continue
            least = self._length / 400
            x, end = self._x(span.start), self._x(max(span.end, span.start + least))
            bar = [(x, y - half), (x, y + half), (end, y + half), (end, y - half)]
            (open_ if span.open and name == "tools" else bars).append(bar)
        colour = COLOURS[name]
        add = self._ax.add_collection
        add(PolyCollection(bars, facecolors=colour, edgecolors=colour, alpha=0.75, gid=name))
        add(PolyCollection(open_, facecolors="none", edgecolors=colour, linestyles="--", gid=name))

    def _at_once(self, name: Lane, spans: Sequence[Span], tops: list[float]) -> None:
        """What was there at once: typed, of the system, written for the assistant."""
        signs = {"typed": "s", "system": "D", "written": "s"}
        for kind, sign in signs.items():
            places = [(self._x(s.start), y) for s, y in zip(spans, tops, strict=True)
                      if s.kind == kind]  # fmt: skip
            if places:
                fill = COLOURS[name] if kind == "typed" else "none"
                self._ax.plot(
                    *zip(*places, strict=True), linestyle="none", marker=sign, markersize=5.5,
                    markerfacecolor=fill, markeredgecolor=COLOURS[name], gid=kind,
                )  # fmt: skip

    # ------------------------------------------------------------ words

    def _write(self, spans: Sequence[Span], tops: list[float], high: float) -> None:
        """What was said, below where it was or beside the moment that it was typed, as far as there
        is room until the next."""
        starts: dict[float, list[float]] = {}
        for span, y in zip(spans, tops, strict=True):
            starts.setdefault(y, []).append(span.start)
        busy = dict.fromkeys(starts, self._limits[0])
        for span, y in zip(spans, tops, strict=True):
            starts[y].pop(0)
            said = _said(span)
            until = min([self._limits[1], *starts[y][:1]])
            at_once = span.end <= span.start
            x = max(span.start, self._limits[0]) + (1.3 * self._letter if at_once else 0.0)
            width = len(said) * self._letter
            flip = at_once and x + width > until and span.start - width > busy[y]
            room = width if flip else until - x - self._letter
            if not said or (room < min(width, 8 * self._letter)):
                continue
            x = span.start - 1.3 * self._letter if flip else x
            low = y if at_once else y - (0.44 if span.lane == "user" else 0.34) * high
            self._say(x, low, said, room, flip, "center" if at_once else "bottom")
            busy[y] = span.start if flip else x + min(width, room)

    def _say(
        self, x: float, y: float, said: str, room: float, left: bool = False, va: str = "center"
    ) -> None:
        fit = int(room / self._letter)
        said = said if len(said) <= fit else said[: max(1, fit - 1)].rstrip() + "…"
        self._ax.text(
            self._x(x), y, said, fontsize=_WORDS, color=INK, clip_on=True, parse_math=False,
            va=va, ha="right" if left else "left", gid="words",
        )  # fmt: skip

    def _explain(self, sign: str, place: tuple[float, float]) -> None:
        """What a sign means, beside the first of its kind."""
        x, y = place
        if self._limits[0] <= x + self._zero <= self._limits[1] - (len(sign) + 2) * self._letter:
            self._ax.text(
                x + 0.6 * self._letter, y, sign, fontsize=_WORDS - 1.5, color=INK, va="center",
                style="italic", clip_on=True, gid="sign",
            )  # fmt: skip

    # ------------------------------------------------------------ events

    def marks(self, marks: Sequence[Mark], y: float, up: bool, named: bool = True) -> None:
        """Events: a tick each, a triangle where the conversation turns, a cross where it failed."""
        from matplotlib.collections import LineCollection

        tick = 0.10 * self._height
        lines = [[(self._x(one.t), y - tick), (self._x(one.t), y + tick)] for one in marks]
        self._ax.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.8, gid="events"))
        turns = [one for one in marks if one.turns and not one.failed]
        groups = (
            ([one for one in turns if one.direction == "client"], 7, INK),
            ([one for one in turns if one.direction == "server"], 6, INK),
            ([one for one in turns if one.direction == "local"], "d", INK),
            ([one for one in marks if one.failed], "X", CUT),
        )
        for those, sign, colour in groups:
            if those:
                size = 7.0 if sign == "X" else 5.0
                self._ax.plot(
                    [self._x(one.t) for one in those], [y] * len(those), linestyle="none",
                    marker=sign, markersize=size, color=colour, zorder=4, gid="marks",
                )  # fmt: skip
        if named:
            self._name(marks, y - (0.42 if up else -0.16), "bottom")

    def _name(self, marks: Iterable[Mark], y: float, va: str) -> None:
        """Names of the events that turn things, the weightiest first, where there is room."""
        taken: list[tuple[float, float]] = []
        for mark in sorted((one for one in marks if one.turns), key=_weight):
            name = _SHORT.get(mark.type, mark.type) + (f": {mark.label}" if mark.failed else "")
            name = name if len(name) <= 48 else name[:47] + "…"
            width = (len(name) + 1.5) * self._letter
            x = mark.t
            flip = x + width > self._limits[1]
            if flip:
                x -= width
            if any(x < end and begin < x + width for begin, end in taken):
                continue
            taken.append((x, x + width))
            colour = CUT if mark.failed else INK
            self._ax.text(
                self._x(mark.t), y, whole_characters(name), fontsize=_WORDS - 0.5, color=colour,
                va=va, ha="right" if flip else "left", clip_on=True, parse_math=False, gid="event",
            )  # fmt: skip

    def interruptions(
        self, cuts: Sequence[Interruption], reach: tuple[float, float], named: bool = True
    ) -> None:
        """Where a reply was cut short: a dashed line through the lanes, with its words."""
        for cut in cuts:
            x = self._x(cut.t)
            self._ax.plot([x, x], reach, color=CUT, linestyle=(0, (4, 2)), linewidth=1.2,
                          gid="interruption", zorder=3)  # fmt: skip
            width = (len(cut.label()) + 2) * self._letter
            left = cut.t + width > self._limits[1]
            if named and self._room(cut.t - width if left else cut.t, width):
                self._ax.text(
                    x, reach[1], f"{cut.label()} ╶" if left else f"╴{cut.label()}",
                    fontsize=_WORDS, color=CUT, va="center", ha="right" if left else "left",
                    clip_on=True, gid="interruption",
                )  # fmt: skip

    def turns(self, starts: Sequence[float], y: float) -> None:
        """Where a turn begins: its number, in the row of the interruptions where there is room."""
        for number, start in enumerate(starts, start=1):
            name = f"turn {number}"
            if self._room(start, (len(name) + 2) * self._letter):
                self._ax.text(
                    self._x(start), y, f"╴{name}", fontsize=_WORDS, color=INK, va="center",
                    clip_on=True, gid="turn",
                )  # fmt: skip

    def _room(self, start: float, width: float) -> bool:
        """Take room in the topmost row; False where something is there already."""
        end = start + width
        if start < self._limits[0] or end > self._limits[1]:
            return False
        if any(start < other_end and other < end for other, other_end in self._topmost):
            return False
        self._topmost.append((start, end))
        return True

    # ------------------------------------------------------------ the axes themselves

    def _x(self, t: Any) -> Any:
        return t - self._zero

    def frame(self, labels: dict[float, str], reach: tuple[float, float], title: str) -> None:
        ax = self._ax
        ax.patch.set_alpha(0.0)
        ax.set_xlim(self._x(self._limits[0]), self._x(self._limits[1]))
        ax.set_ylim(*reach)
        ax.set_yticks(list(labels), list(labels.values()), fontsize=8.5)
        ax.set_xlabel(
            "seconds" if self._unit == "s" else "events (this log has no times)",
            color=INK, fontsize=8.5,
        )  # fmt: skip
        ax.tick_params(axis="both", colors=INK, length=0, labelsize=8.5)
        for y in labels:
            ax.axhline(y + 0.5, color=FAINT, linewidth=0.4, alpha=0.45, zorder=0)
        ax.grid(axis="x", color=FAINT, linewidth=0.4, alpha=0.45)
        ax.set_axisbelow(True)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_title(title, loc="left", color=INK, fontsize=10, fontweight="bold",
                     parse_math=False)  # fmt: skip


def _said(span: Span) -> str:
    """The words of a span as a figure has them."""
    if not span.words:
        return ""
    said = f"“{span.words}”" if span.lane == "user" else span.words
    said += {"system": " (system)", "written": " (written, silent)"}.get(span.kind, "")
    said += " (out of band)" if span.aside else ""
    return " ".join(whole_characters(said).split())


def _outline(x: Any, y: float, size: Any, count: int = 1) -> Any:
    """The polygon of a waveform around `y`, nothing where it has no columns."""
    if count < 1 or not len(x):
        return np.empty((0, 2))
    top, low = np.column_stack([x, y + size]), np.column_stack([x, y - size])
    return np.concatenate([top, low[::-1]])


_HEAVY = ("response.cancel", "conversation.item.truncate", "response.create", "response.done")


def _weight(mark: Mark) -> tuple[bool, int, float]:
    """The order in which events get their names."""
    heavy = _HEAVY.index(mark.type) if mark.type in _HEAVY else len(_HEAVY)
    return not mark.failed, heavy, mark.t
