"""An opening in a session: its events are sent, and it is told what happens until it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..conversation import Conversation
from ..events import Event, text_field
from ..items import Item, Response
from ..openings import Opening
from ..openings.firstwords import FirstWords
from ..transport import Clock
from .history import heard_words
from .line import Line

logger = logging.getLogger("rtwidgets")


class Stage:
    """Where one opening performs.

    Args:
        request: asks for a client event to be sent, and gives it as it will be.
        record: writes a `local` row, of which the opening is told.
        note: writes one of which it is not.
        playing: whether a page plays sound and will say what was heard.

    Attributes:
        requests: the event ids of the replies it asked for.
        reacts: whether it wants to be told of events.
    """

    def __init__(
        self,
        opening: Opening,
        conversation: Conversation,
        request: Callable[[Event], Event],
        record: Callable[[Event], object],
        note: Callable[[Event], object],
        playing: Callable[[], bool],
    ) -> None:
        self.opening = opening
        self.requests: list[str] = []
        self._first_words = FirstWords(opening, conversation, playing)
        self._request = request
        self._record = record
        self._note = note
        self.reacts = opening.reacts
        self._alarm: asyncio.Task[None] | None = None  # when its sound ends by the clock

    def enter(self, session: Event, clock: Clock) -> None:
        """Ask for its events to be sent."""
        for event in self.opening.events(session):
            asked = self._request(event)
            if asked.get("type") == "response.create":
                self.requests.append(text_field(asked, "event_id"))
        self._first_words.begun(self.requests, clock.now())

    @property
    def follows(self) -> bool:
        """Whether the end of its sound is still to be told."""
        return self._first_words.waits

    def leave(self) -> None:
        """The session is over."""
        if self._alarm is not None:
            self._alarm.cancel()

    def react(self, event: Event) -> None:
        """Tell it of any server or local event, where it `reacts`; ask for what it answers."""
        try:
            answers = self.opening.react(event)
            for answer in answers:
                self._request(answer)
        except Exception as problem:  # the opening is the user's code: the session outlives it
            logger.exception("%r failed to react", self.opening)
            name, kind = type(self.opening).__name__, text_field(event, "type")
            message = f"{name}.react failed on {kind}: {problem!r}"
            self._note({"type": "opening.failed", "message": message})

    def cut_off(self, response: Response) -> None:
        """Tell it of the end of a response that the line's end cut: it waits for that one, perhaps,
        and no server says it any more. Told once the new session stands, for what it answers is
        meant for that."""
        if self.reacts:
            self.react(_done(response))

    def follow(self, event: Event | None, line: Line, clock: Clock) -> None:
        """Say so when its sound is over, and look again when it may be by the clock."""
        if not self._first_words.waits:
            return
        now = clock.now()
        if event is not None:
            self._first_words.take(event, now)
        ended, due = self._first_words.over(now), self._first_words.due
        if ended is not None:
            self._record(ended)
        elif due is not None and self._alarm is None and line.is_open:
            self._alarm = line.spawn(self._follow_later(due - now, line, clock))

    async def _follow_later(self, seconds: float, line: Line, clock: Clock) -> None:
        await clock.sleep(max(0.0, seconds))
        self._alarm = None
        if line.is_open:
            self.follow(None, line, clock)


def _done(response: Response) -> Event:
    """The `response.done` that never came, with the words that were heard."""
    output = [_said(item) for item in response.items if item.type in ("message", "")]
    return {
        "type": "response.done",
        "response": {
            "object": "realtime.response",
            "id": response.id,
            "conversation_id": response.conversation_id,
            "status": response.status,
            "status_details": response.status_details,
            "metadata": response.metadata,
            "output": output,
        },
    }


def _said(item: Item) -> Event:
    part = {"type": "output_audio", "transcript": heard_words(item)}
    return {"id": item.id, "type": "message", "role": "assistant", "content": [part]}
