"""A comparison in a notebook: its table, with buttons that fetch the speech from the kernel.

A saved notebook holds the table as plain HTML beside it and none of the sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import traitlets

from .. import audio
from .comm import Buffers, Content, Live, Sender
from .fallback import Fallback
from .page import page_code, page_style

if TYPE_CHECKING:
    from ..comparison import Comparison


class ComparisonView(Live):
    """Shows a comparison, and plays the first greeting of each opening on demand."""

    _esm = page_code("comparison.js")
    _css = page_style("theme.css")
    hides = traitlets.Unicode("").tag(sync=True)

    def __init__(self, comparison: Comparison, sender: Sender | None = None) -> None:
        self._comparison = comparison
        self._plain = Fallback(comparison._repr_html_, lambda: str(comparison))
        super().__init__(sender, hides=self._plain.name)

    def page_more(self, content: Content, _buffers: Buffers) -> None:
        """A page has just appeared."""
        from ..comparison.page import table_html

        self.tell({"t": "table", "html": table_html(self._comparison, "button")})

    def page_play(self, content: Content, _buffers: Buffers) -> None:
        """Somebody wants to hear a trial, by its place."""
        trials, place = self._comparison.trials, content["trial"]
        if isinstance(place, int) and 0 <= place < len(trials):
            pcm = audio.pcm_from_samples(trials[place].samples)
            self.tell({"t": "sound", "trial": place}, [audio.wav_bytes(pcm)])

    def _ipython_display_(self) -> None:
        self._plain.display(self)
