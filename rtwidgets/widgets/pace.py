"""How often a page is brought up to date with a log: at every flush, and seldom while a microphone
is heard.

Each message costs the kernel, the Jupyter server and above all the page, whose one thread takes the
microphone's chunks and tells the speaker to be silent: whoever talks is waited for, and reads five
times a second what else comes. What is spoken is told at once (transcript.py).
"""

from __future__ import annotations

from ..log.rows import Rows

REST = 3
"""Flushes that are let pass: of the sender's twenty a second it takes five."""

_SOUND = "input_audio_buffer.append"
_ENOUGH = 32  # of the newest rows: a microphone that is heard has some among them


class Pace:
    """Says which flushes to let pass. For one view, on the sender's thread."""

    def __init__(self) -> None:
        self._passed = 0

    def lets_pass(self, news: Rows) -> bool:
        """Whether these new rows, one at least, can wait for another flush."""
        if self._passed < REST and any(row.type == _SOUND for row in news[-_ENOUGH:]):
            self._passed += 1
            return True
        self._passed = 0
        return False
