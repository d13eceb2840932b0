"""Openings side by side, measured: `rtwidgets.compare([...])` gives a `Comparison`.

words      whether what was said is what was written
marks      what a trial writes into its own log, so that the log alone tells everything
measures   one log in numbers
trial      one session that opens, is asked what it said, or is spoken over
results    all trials together: `Comparison`
text       for a terminal       page       as HTML
figure     as a picture         folder     on disk
progress   how far it is        purse      what it may spend        running    `compare`
"""

from .results import Comparison, Spread, Summary, Trial
from .running import compare

__all__ = ["Comparison", "Spread", "Summary", "Trial", "compare"]
