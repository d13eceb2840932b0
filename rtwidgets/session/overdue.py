"""A response of which nothing comes, not even its end, while another waits to be asked for.

A server makes one response at a time, so the next waits for `response.done`. Where that is lost, or
where nothing at all comes of a request, it would wait for ever: after a while of silence it is
asked for all the same. A server that is still at work refuses that
(`conversation_already_has_active_response`), and the request waits again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..conversation import Conversation
from ..events import Event, response_overdue
from ..log import EventLog
from .line import Line

OVERDUE_S = 10.0
"""So long nothing may come of a response before it is not waited for any more. Recorded responses
are silent for a second or two; one that thinks for longer costs a refused request."""


class Overdue:
    """Looks after what waits in one session.

    Args:
        record: writes a `local` row, and has what is due leave.
    """

    def __init__(
        self,
        line: Line,
        log: EventLog,
        conversation: Conversation,
        record: Callable[[Event], object],
    ) -> None:
        self._line, self._log, self._conversation = line, log, conversation
        self._record = record
        self._alarm: asyncio.TimerHandle | None = None
        self._seen = ("", 0)

    def look(self) -> None:
        """Something may wait behind a response: see whether more comes of that."""
        if self._alarm is None and self._blocks:
            self._seen = self._progress()
            self._alarm = asyncio.get_running_loop().call_later(OVERDUE_S, self._ring)

    @property
    def _blocks(self) -> bool:
        """Whether something waits, and the line is there for it."""
        turns, ready = self._conversation.turns, self._line.is_open and not self._line.mending
        under_way = turns.asked or self._conversation.active_response is not None
        return ready and turns.waiting and under_way

    def stop(self) -> None:
        """The session is over."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _progress(self) -> tuple[str, int]:
        """The response that is under way, and how much has come of it; of one that has not begun,
        whether the server says anything."""
        active = self._conversation.active_response
        if active is None:
            return "", len(self._log.where(direction="server"))
        return active.id, len(self._log.where(response_id=active.id))

    def _ring(self) -> None:
        self._alarm = None
        if not self._blocks:
            return
        if self._line.stalled or self._progress() != self._seen:
            return self.look()
        response_id, _ = self._seen
        self._conversation.overdue(response_id)
        self._record(response_overdue(response_id, OVERDUE_S))
