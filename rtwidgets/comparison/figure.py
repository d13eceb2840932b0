"""A comparison as a figure: each opening a lane, all on one time axis from `session.updated`."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from ..errors import Misuse
from ..tables import printable
from ..timeline import timeline_of
from ..timeline.drawing import INK
from ..timeline.plotting import draw_strip, new_figure
from .measures import ready, without_probe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .results import Comparison, Trial


_NAME, _LINES = 32, 3  # characters, and lines, of what stands beside a lane
_AXIS = (
    "seconds since session.updated\n"
    "▼ sent by the client   ▲ sent by the server   the bar below a waveform: while it came in"
)


def draw(
    comparison: Comparison, *, trial: int = 1, seconds: float | None = None, title: str = ""
) -> Figure:
    """The openings as lanes: client events above, server events below, speech as waveform.

    Args:
        trial: which of the trials of each opening, from 1.
        seconds: how much of the time is shown; all of the opening where not given.

    Raises Misuse where matplotlib is missing, or no opening has that trial.
    """
    chosen = [
        one
        for one in comparison.trials
        if one.setup.kind == "greeting" and one.setup.number == trial
    ]
    if not chosen:
        raise Misuse(f"No opening has a trial number {trial}.")
    figure = new_figure(width=10.0, height=1.2 + 0.72 * len(chosen))
    axes = figure.add_subplot()
    ends = [_draw_one(axes, one, -place) for place, one in enumerate(chosen)]
    many = len(comparison.endpoints) > 1
    names = [_name(one, many) for one in chosen]
    axes.set_yticks(range(0, -len(chosen), -1), names, parse_math=False)
    axes.set_ylim(-len(chosen) + 0.4, 0.6)
    axes.set_xlim(-0.02 * (seconds or max(ends)), seconds or max(ends))
    # From the right: names of openings may take half of the width, and this is a long line.
    axes.set_xlabel(_AXIS, color=INK, loc="right")
    axes.set_title(title or _title(comparison), color=INK, loc="left", fontsize=10)
    axes.tick_params(colors=INK, length=0)
    axes.patch.set_alpha(0.0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(INK)
    return figure


def _draw_one(axes: Axes, trial: Trial, y: float) -> float:
    """Draw a trial at `y`, and give where it ends, in seconds."""
    log = trial.log
    rows, zero = without_probe(log), ready(log)
    draw_strip(axes, timeline_of(rows, timed=True), y=y, height=0.8, zero=zero)
    if trial.measures.heard == "played here":  # not in the log: the page plays it, nothing is sent
        played = trial.setup.plays_ms / 1000
        axes.barh(y, played, height=0.3, facecolor="none", edgecolor=INK, hatch="///", lw=0.8)
        axes.text(0.08, y + 0.25, "a recording, played here", color=INK, fontsize=8)
    sound = (trial.measures.first_audio or 0.0) + trial.measures.speech
    return max(sound, rows[-1].t - zero if len(rows) else 0.0, 0.1)


def _name(trial: Trial, many: bool) -> str:
    setup = trial.setup
    label = "\n".join(wrap(printable(setup.label), _NAME)[:_LINES])
    return f"{label}\n{printable(setup.column)}" if many else label


def _title(comparison: Comparison) -> str:
    simulated = " (simulated: not the real service's times)" if comparison.simulated else ""
    return f"Who speaks first?{simulated}"
