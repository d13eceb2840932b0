"""The timeline as a figure, with matplotlib: lanes on one axis, for slides, papers and notebooks.

The background is transparent, so that one picture can be read in a light and in a dark notebook. No
colour says anything alone: what was not heard is hatched, what failed is a cross, every lane has
its name.

`plot` makes the figure of a log. `draw_lanes` draws the same into axes of yours, `draw_strip` a
session as one slim lane: to put several below each other on one axis.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Misuse
from ..events import whole_characters
from ..log.rows import Rows
from ..report import turn_starts
from . import NAMES, Lane, Timeline, by_the_clock, timeline_of
from .drawing import INK, Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot(
    rows: Rows,
    *,
    start: float | None = None,
    end: float | None = None,
    words: bool = True,
    lanes: Sequence[Lane] | None = None,
    heard: Literal["told", "clock"] = "told",
    title: str | None = None,
    ax: Axes | None = None,
) -> Figure | Axes:
    """What a log says in time, as a figure: user, model, what was heard, text, tools, events.

    Args:
        start, end: seconds, where only a part is to be seen.
        words: write what was said, and number the turns.
        lanes: only these: `user`, `generated`, `heard`, `text`, `tools`.
        heard: the lane of what was heard is what a page `told`; or, where nobody played, what one
            speaker would have played by the `clock`, and the lane says so.
        title: another than the session's own. A simulated session is called so in any case.
        ax: axes to draw into.

    Returns the figure, which a notebook shows once; the axes where they were given.
    """
    _check(start, end, lanes, heard)
    _figure_class()
    timeline = timeline_of(rows)
    clock = heard == "clock" and timeline.unit == "s" and "heard" not in timeline.lanes
    timeline = _part(_with_the_clock(timeline) if clock else timeline, start, end)
    turns = [float(seq) if timeline.unit == "events" else rows.log[seq].t
             for seq in (turn_starts(rows) if words else ())]  # fmt: skip
    options: dict[str, Any] = {"words": words, "lanes": lanes, "title": title, "clock": clock}
    if ax is not None:
        draw_lanes(ax, timeline, turns=turns, **options)
        return ax
    count = len(lanes if lanes is not None else timeline.lanes)
    figure = new_figure(10.0, 1.35 + 0.46 * max(1, count))
    axes = figure.add_subplot()
    draw_lanes(axes, timeline, turns=turns, **options)
    return figure


def _check(start: Any, end: Any, lanes: Any, heard: str) -> None:
    for name, value in (("start", start), ("end", end)):
        if value is not None and not (isinstance(value, int | float) and isfinite(value)):
            raise Misuse(f"{name} is a number of seconds, not {value!r}.")
    if heard not in ("told", "clock"):
        raise Misuse(f"heard is 'told' or 'clock', not {heard!r}.")
    unknown = [one for one in lanes or () if one not in NAMES]
    if isinstance(lanes, str) or unknown:
        raise Misuse(f"lanes is a list of {', '.join(NAMES)}; not {lanes!r}.")


def _with_the_clock(timeline: Timeline) -> Timeline:
    spans = (*timeline.spans, *by_the_clock(timeline))
    last = max([timeline.end, *(span.end for span in spans)])
    return replace(timeline, spans=spans, end=last)


def _part(timeline: Timeline, start: float | None, end: float | None) -> Timeline:
    if start is None and end is None:
        return timeline
    first = timeline.start if start is None else float(start)
    last = timeline.end if end is None else float(end)
    if last <= first:
        raise Misuse(f"The end ({last:g}) must lie behind the start ({first:g}).")
    return timeline.between(first, last)


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches, transparent, that a notebook shows once."""
    figure = _figure_class()(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    return figure


@cache
def _figure_class() -> type[Figure]:
    """A figure that a notebook shows once, as the value of its cell, whatever backend is set up:
    pyplot knows nothing of it and shows it no second time."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Misuse("plot() needs matplotlib: pip install matplotlib") from None

    class TimelineFigure(Figure):
        def _repr_png_(self) -> tuple[bytes, dict[str, float]]:
            width, height = self.get_size_inches() * 96
            return _small_png(self), {"width": float(width), "height": float(height)}

        def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
            # In front of what pyplot may have told the notebook of figures: sharp, transparent.
            png, size = self._repr_png_()
            encoded = base64.b64encode(png).decode("ascii")
            titles = [axes.get_title(loc="left") for axes in self.axes]
            said = {"image/png": encoded, "text/plain": f"<Figure: {', '.join(titles)}>"}
            return said, {"image/png": size}

    return TimelineFigure


def _small_png(figure: Figure) -> bytes:
    """The figure at twice a screen's points, in 128 colours: it stands in a saved notebook, where a
    third of the size is worth more than shades nobody sees."""
    from PIL import Image

    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=192)
    Image.open(full).quantize(128, method=Image.Quantize.FASTOCTREE).save(
        small, format="png", optimize=True
    )
    return small.getvalue()


# ---------------------------------------------------------------- lanes


def draw_lanes(
    ax: Axes,
    timeline: Timeline,
    *,
    words: bool = True,
    lanes: Sequence[Lane] | None = None,
    title: str | None = None,
    clock: bool = False,
    turns: Sequence[float] = (),
) -> None:
    """Draw a session into axes: a lane each, events above (client) and below (server).

    Args:
        turns: where the turns of the conversation begin, to be numbered.
        clock: say that the lane of what was heard goes by the clock.
    """
    shown = list(lanes) if lanes is not None else timeline.lanes
    sheet = Sheet(ax, timeline.start, timeline.end, timeline.unit)
    places = {name: -1.0 - number for number, name in enumerate(shown)}
    bottom = -1.0 - len(shown)
    for name, y in places.items():
        sheet.lane(name, timeline.lane(name), y, words)
    above = [mark for mark in timeline.marks if mark.direction != "server"]
    below = [mark for mark in timeline.marks if mark.direction == "server"]
    if above:
        sheet.marks(above, 0.0, up=False)
    if below:
        sheet.marks(below, bottom, up=True)
    sheet.interruptions(timeline.interruptions, (bottom + 0.4, 0.62))
    sheet.turns(turns, 0.62)
    labels = {0.0: "client events", **{y: NAMES[name] for name, y in places.items()}}
    if clock and "heard" in places:
        labels[places["heard"]] = "heard, by the clock"
    labels[bottom] = "server events"
    if not shown and not timeline.marks:
        ax.text(0.5, 0.5, "nothing yet", transform=ax.transAxes, ha="center", color=INK)
    sheet.frame(labels, (bottom - 0.5, 0.9), _titled(timeline, title))


def _titled(timeline: Timeline, title: str | None) -> str:
    """The title asked for; nobody is to quote a simulated session for a real one."""
    if title is not None and timeline.simulated and "simulated" not in title.casefold():
        title += " (simulated)"
    return whole_characters(timeline.title if title is None else title)


def draw_strip(
    ax: Axes, timeline: Timeline, *, y: float = 0.0, height: float = 1.0, zero: float = 0.0
) -> None:
    """Draw a session as one slim lane: speech as waveform, client events above it, server events
    below, where it was cut short. Axes and their limits are the caller's.

    Args:
        y, height: of the lane, in the axes' own units.
        zero: the moment of the session that lies at 0 of the axis.
    """

    def sheet(share: float) -> Sheet:
        return Sheet(ax, timeline.start, timeline.end, timeline.unit, zero, share * height)

    spoken = bool(timeline.lane("generated"))
    lanes: tuple[Lane, ...] = ("generated",) if spoken else ("text", "tools")
    for name in lanes:
        sheet(0.74).lane(name, timeline.lane(name), y, words=False)
    sheet(0.5).lane("user", timeline.lane("user"), y, words=False)  # who speaks over it is seen
    marks = sheet(0.8)
    top = y + 0.44 * height
    marks.marks([one for one in timeline.marks if one.direction == "client"], top, False, False)
    low = y - 0.44 * height
    marks.marks([one for one in timeline.marks if one.direction == "server"], low, True, False)
    marks.interruptions(timeline.interruptions, (y - 0.5 * height, y + 0.5 * height), False)
