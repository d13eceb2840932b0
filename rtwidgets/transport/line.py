"""What a session needs of a line, and what is said when one has ended."""

from __future__ import annotations

from typing import Protocol

from ..errors import ConnectionLost
from ..tables import quoted
from .clocks import Clock


class Transport(Protocol):
    """What a session needs of a line. Frames are JSON text, one event each."""

    @property
    def clock(self) -> Clock:
        """What times this line."""
        ...

    async def send(self, frame: str) -> None:
        """Send one text frame. Raises ConnectionLost when the line is gone."""
        ...

    async def recv(self) -> str | bytes:
        """The next frame. Raises ConnectionLost when there will be none."""
        ...

    async def close(self) -> None:
        """End the line; safe to call again."""
        ...


FAREWELL = " The log up to then is complete; start again for a new session."
"""What the exception says behind what happened; no use where the line is mended."""
GOING_ON = " Another is tried: the conversation goes on there."
"""What is said there instead."""
TRIED_AGAIN = " It is tried again."
"""And where no session stood yet: there is nothing that could go on."""


def lost_line(code: int | None, reason: str) -> ConnectionLost:
    """The exception for a line that ended, with the sentence a person reads."""
    how = f"closed by the server with code {code}" if code else "cut without a word from the server"
    said = f": {quoted(reason.rstrip('.'))}" if reason else ""
    return ConnectionLost(
        f"The line was {how}{said}.{FAREWELL}",
        code=code,
        reason=reason,
    )
