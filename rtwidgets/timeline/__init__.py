"""What a log says in time: `timeline_of(rows)`, or a `Builder` for a log that grows.

envelope.py   the outline of sound, and when which part of it was sent
lanes.py      the values: spans in lanes, marks, interruptions; the same as characters
tracks.py     spans that are still being made
user.py       what the user said, by voice or by hand
model.py      what the model made: audio, words, calls of tools
playback.py   what was heard, and what was cut short
builder.py    rows in, a timeline out
drawing.py    spans, marks and waveforms on a sheet
plotting.py   `log.plot()`: a figure
"""

from .builder import Builder, timeline_of
from .lanes import (
    LANES,
    NAMES,
    Interruption,
    Lane,
    Mark,
    Span,
    Timeline,
    by_the_clock,
    stacked,
    text_of,
)

__all__ = [
    "LANES",
    "NAMES",
    "Builder",
    "Interruption",
    "Lane",
    "Mark",
    "Span",
    "Timeline",
    "by_the_clock",
    "stacked",
    "text_of",
    "timeline_of",
]
