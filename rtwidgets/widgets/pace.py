"""How often a page is brought up to date with a log: at every flush, and seldom while only the
microphone's sound comes.

A chunk comes twenty-five times a second, says nothing to read, and each message costs the kernel,
the Jupyter server and above all the page: what the speaker is told, silence before all, would wait
behind them.
"""

from __future__ import annotations

from ..log.rows import Rows

REST = 3
"""Flushes that are let pass: of the sender's twenty a second it takes five."""

_SOUND = "input_audio_buffer.append"


class Pace:
    """Says which flushes to let pass. For one view, on the sender's thread."""

    def __init__(self) -> None:
        self._passed = 0

    def lets_pass(self, news: Rows) -> bool:
        """Whether these new rows, one at least, can wait for another flush."""
        if self._passed < REST and all(row.type == _SOUND for row in news):
            self._passed += 1
            return True
        self._passed = 0
        return False
