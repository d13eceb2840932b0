"""How long a session may last, and when its conversation moves to another before that.

"Your session hit the maximum duration of 60 minutes." then the line is closed (captured); when that
will be stands in `expires_at` of the session.
"""

from __future__ import annotations

from ..events import field

AHEAD_S = 120.0
"""So long before the end a pause is looked for."""
LEAST_S = 2.0
"""So long before the end it moves in any case."""
_LONGEST = 24 * 3600.0


class Lifetime:
    """The end of one session, by the clock of its line."""

    def __init__(self) -> None:
        self._pause_from: float | None = None
        self._at_last = 0.0

    def begin(self, session: object, wall: float, now: float) -> None:
        """A session began.

        Args:
            session: as the server states it. wall: seconds since 1970. now: the line's clock.
        """
        expires = field(session, "expires_at")
        left = expires - wall if isinstance(expires, int | float) else 0.0
        if not LEAST_S < left < _LONGEST:  # not told, or by a clock that is not ours
            self._pause_from = None
            return
        self._pause_from = now + left - min(AHEAD_S, left / 10)
        self._at_last = now + left - min(LEAST_S, left / 20)

    @property
    def pause_from(self) -> float | None:
        """From when on a pause is looked for; None where nobody knows the end."""
        return self._pause_from

    def is_over(self, now: float, quiet: bool) -> bool:
        """Whether the conversation is to move now; `quiet`: nobody speaks or is about to."""
        if self._pause_from is None or now < self._pause_from:
            return False
        return quiet or now >= self._at_last
