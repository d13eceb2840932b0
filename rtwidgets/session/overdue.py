"""A response whose end does not come, while another waits to be asked for.

A server makes one response at a time, so the next waits for `response.done`. Where that is lost, it
would wait for ever: after a while of silence it is asked for all the same. A server that is still
at work refuses that (`conversation_already_has_active_response`), and the request waits again.
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
        active = self._conversation.active_response
        if self._alarm is None and active is not None and self._conversation.turns.waiting:
            self._seen = self._progress(active.id)
            self._alarm = asyncio.get_running_loop().call_later(OVERDUE_S, self._ring)

    def stop(self) -> None:
        """The session is over."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _progress(self, response_id: str) -> tuple[str, int]:
        return response_id, len(self._log.where(response_id=response_id))

    def _ring(self) -> None:
        self._alarm = None
        active = self._conversation.active_response
        if active is None or not self._conversation.turns.waiting or not self._line.is_open:
            return
        if self._line.stalled or self._progress(active.id) != self._seen:
            return self.look()
        self._conversation.overdue(active.id)
        self._record(response_overdue(active.id, OVERDUE_S))
