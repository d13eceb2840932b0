"""What the user said: speech that was heard or sent, when it ended, and what was understood."""

from __future__ import annotations

from .. import audio
from ..events import count_field, text_field
from ..events import field as value_at
from ..log.rows import Row
from .facts import ItemFacts, Known
from .linking import COMMIT, Links
from .marks import Marks


class UserSpeech(Known):
    """The half of a chronicle that is about the user's speech.

    Attributes:
        links: which client row caused what. marks: where turns begin.
        rates: bytes of a millisecond of input and of output audio.
        unanswered: what was spoken and is committed, to which no response has begun.
    """

    def __init__(self) -> None:
        super().__init__()
        self.links = Links()
        self.marks = Marks()
        self.rates = [audio.BYTES_PER_MS, audio.BYTES_PER_MS]
        self.unanswered: ItemFacts | None = None
        self._appended_ms = 0.0  # since the input buffer was last emptied

    def append(self, row: Row) -> None:
        self.links.appended(row.seq)
        self._appended_ms += row.audio_bytes / self.rates[0]

    def speech_started(self, row: Row) -> None:
        self.marks.user_speaks(row, "spoken")
        self.spoken_item(row).span = (count_field(row.event, "audio_start_ms"), None)
        self._by_audio(row)

    def speech_stopped(self, row: Row) -> None:
        item = self.spoken_item(row)
        item.span = (item.span[0], count_field(row.event, "audio_end_ms"))
        item.asked_t = row.t
        self._by_audio(row)

    def timed_out(self, row: Row) -> None:
        self.marks.silence(row)
        item = self.spoken_item(row)
        item.span = tuple(count_field(row.event, f"audio_{one}_ms") for one in ("start", "end"))
        item.idle, item.asked_t = True, row.t

    def committed(self, row: Row) -> None:
        known = self.items.get(row.item_id)
        detected = known is not None and known.asked_t is not None
        request = None if detected else self.links.answered(COMMIT, row.seq)
        if known is None and request is None:
            self.marks.user_speaks(row, "spoken")
        item = self.spoken_item(row)
        if request is not None:
            item.cause, item.origin, item.asked_t = request.seq, request.seq, request.t
        elif not item.idle:
            item.cause = self.links.last_append
            self._by_audio(row)
        item.asked_t = row.t if item.asked_t is None else item.asked_t
        item.audio_ms = _length(item.span, self._appended_ms)
        self._appended_ms = 0.0
        self.unanswered = item

    def cleared(self, row: Row) -> None:
        self.links.answered("input_audio_buffer.clear", row.seq)
        self._appended_ms = 0.0

    def _by_audio(self, row: Row) -> None:
        if self.links.last_append is not None:
            self.links.direct[row.seq] = self.links.last_append

    def heard_delta(self, row: Row) -> None:
        if row.item_id:  # it may come before its item does
            self.spoken_item(row).unread.append(row.seq)

    def heard_done(self, row: Row) -> None:
        if row.item_id:
            words, index = text_field(row.event, "transcript"), value_at(row.event, "content_index")
            self.say(self.spoken_item(row), index, words)


def _length(span: tuple[int | None, ...], appended_ms: float) -> float:
    """Milliseconds of a spoken turn: as the server measured it, else as it was sent."""
    start, end = span
    return max(0, end - start) if start is not None and end is not None else appended_ms
