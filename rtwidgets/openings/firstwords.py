"""When the opening's sound is over: said once a session, as `opening.ended`.

A page that plays says how far it was heard. Where none plays, as in a plain Session, the clock
decides: whoever had listened from the first sound on would have heard the last by then. An opening
that protects its greeting waits for this to switch turn detection on again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import audio
from ..conversation import Conversation
from ..events import Event, count_field, field, ga_name, opening_ended, text_field
from ..items import ENDED as RESPONSE_ENDED
from ..items import Response
from . import WORDS, Opening

PATIENCE = 30.0
"""Seconds beyond the sound's length after which a page that plays is not waited for any more."""
_JUST = 1e-6  # seconds: a clock that was slept by may come out a rounding short


class FirstWords:
    """Follows the opening of one session.

    Call `begun` when its events are sent, `take` with every event after that, then `over`; it gives
    the event to record, once. `due` is when to ask again if nothing comes.

    Args:
        playing: whether a page plays sound and will say what was heard.
    """

    def __init__(
        self, opening: Opening, conversation: Conversation, playing: Callable[[], bool]
    ) -> None:
        self._opening, self._conversation, self._playing = opening, conversation, playing
        self._requests: Sequence[str] = ()
        self._waits = False
        self._since: float | None = None  # when the first sound came, by the session's clock
        self._heard: dict[str, int] = {}  # items the page is through with, and how far it came

    def begun(self, requests: Sequence[str], now: float) -> None:
        """The opening's events are on their way; `requests` are the ids of its response.create."""
        own = self._opening.audio is not None
        self._requests = requests
        self._since = now if own else None
        self._waits = self._opening.reacts and (own or bool(requests))

    @property
    def waits(self) -> bool:
        """Whether there is anything to follow still."""
        return self._waits

    def take(self, event: Event, now: float) -> None:
        """Take any server or local event."""
        kind = ga_name(text_field(event, "type"))
        if kind == "response.output_audio.delta" and self._since is None:
            if text_field(event, "response_id") in {one.id for one in self._responses()}:
                self._since = now
        is_last = kind == "playback.flushed" or field(event, "done") is True
        if kind in ("playback.heard", "playback.flushed") and is_last:
            self._heard[text_field(event, "item_id")] = count_field(event, "ms") or 0

    @property
    def due(self) -> float | None:
        """When the sound ends by the clock, None while that is not known or once it is said."""
        if not self._waits or not self._complete():
            return None
        length = sum(self._lengths().values()) / 1000
        return (self._since or 0.0) + length + (PATIENCE if self._playing() else 0.0)

    def over(self, now: float) -> Event | None:
        """`opening.ended`, the first time that the sound is over."""
        if not self._waits or not self._complete():
            return None
        lengths = self._lengths()
        by, ms = "", 0
        if not any(lengths.values()):
            by = "silence"
        elif lengths.keys() <= self._heard.keys():
            by, ms = "page", sum(self._heard[item_id] for item_id in lengths)
        elif now >= (self.due or 0.0) - _JUST:
            by, ms = "clock", sum(lengths.values())
        if not by:
            return None
        self._waits = False
        return opening_ended(ms, by)

    def _complete(self) -> bool:
        """Whether all its sound has come from the server, or been refused."""
        refused = self._conversation.refusal_of
        answered = [one for one in self._requests if refused(one) is None]
        responses = self._responses()
        return len(responses) == len(answered) and all(
            one.status in RESPONSE_ENDED for one in responses
        )

    def _responses(self) -> list[Response]:
        found = (self._conversation.response_to(one) for one in self._requests)
        return [one for one in found if one is not None]

    def _lengths(self) -> dict[str, int]:
        """Milliseconds of each item of the opening that sounds."""
        items = [item for response in self._responses() for item in response.items]
        lengths = {
            item.id: item.audio_ms if item.truncated_ms is None else item.truncated_ms
            for item in items
            if item.audio_ms
        }
        sound = self._opening.audio
        if sound is not None:
            lengths[WORDS] = 1000 * len(sound) // audio.RATE
        return lengths
