"""What the user said: spoken, as the server or a commit by hand tells it, or typed."""

from __future__ import annotations

from array import array
from typing import Any

from ..events import field, text_field
from ..log import Row
from .lanes import Kind, Lane
from .tracks import Track, Tracks, number_in, words_of

_WRITTEN: dict[str, tuple[Lane, Kind]] = {
    "user": ("user", "typed"),
    "system": ("user", "system"),
    "assistant": ("text", "written"),  # an opening's script: remembered, not heard
}
SOUND = "sound"
"""What an item without words goes by."""


class User:
    """Makes the tracks of what goes into the conversation from this side."""

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks
        self._speaking: Track | None = None
        self._taken_ms = 0.0  # of what was appended: in turns already, or cleared
        self._commits: list[float] = []  # by hand, not acknowledged: how much was appended then
        self._typed: list[Track] = []  # words whose item the server has not named
        self._uncommitted: Track | None = None  # speech of which the server has made no item
        # What a lost line left behind: it goes on over the next one, or is sent again.
        self._base = 0.0  # of what was appended: so much was for sessions before this one
        self._halved: Track | None = None
        self._halved_start: float | None = None  # of a turn by hand
        self._again: list[Track] = []

    # ------------------------------------------------------------ spoken

    def appended(self, row: Row, at: float) -> None:
        if row.direction != "client" or not row.audio_bytes:
            return
        sent = self._tracks.sent
        sent.append(at, row.seq, row.audio_bytes)
        self._tracks.take_sound(sent.envelope, row)
        if self._speaking is not None:
            self._speaking.seqs.append(row.seq)
            self._speak_until(self._speaking, None, at)

    def speech_started(self, row: Row, at: float) -> None:
        """`audio_start_ms`: offset into all appended audio, prefix padding included (§3.4)."""
        self._tracks.speech = (at, row.seq)
        self._speaking = self._uncommitted = self._spoken(row, at, self._offset(row, "start"))
        self._speak_until(self._speaking, None, at)

    def speech_stopped(self, row: Row, at: float) -> None:
        """`audio_end_ms`: the same for the end, the silence that proved it included."""
        self._tracks.sent.pause(at)
        track = self._tracks.known("user", row.item_id) or self._speaking
        if track is not None:
            self._speak_until(track, self._offset(row, "end"), at)
            self._end(track)
            self._tracks.join(track, row)

    def _offset(self, row: Row, which: str) -> float | None:
        """A place in all that was appended; the server counts from its session's beginning."""
        ms = number_in(row.event, f"audio_{which}_ms")
        return None if ms is None else self._base + ms

    def _spoken(self, row: Row, at: float, ms: float | None) -> Track:
        track, self._halved = self._halved, None
        began = at if track is None else track.start
        if track is None:
            track = self._tracks.new("user", "spoken", row, at)
            before = array("Q")
        else:
            track.item_id, track.open, before = row.item_id, True, track.seqs
            self._tracks.join(track, row)
        self._tracks.name(track, row.item_id)
        sent = self._tracks.sent
        if ms is not None and self._tracks.whole and sent.holds(ms):
            track.sent_ms = (ms, None)
            track.start = min(began, sent.moment(ms))
            track.seqs = before + sent.rows(ms, sent.ms)
            track.seqs.append(row.seq)
        return track

    def _speak_until(self, track: Track, ms: float | None, at: float) -> None:
        """Speech went on until there (None: until the end of what was appended so far)."""
        track.end = max(track.start, at)
        if track.sent_ms is not None:
            sent, start = self._tracks.sent, track.sent_ms[0]
            end = sent.ms if ms is None or not sent.holds(ms) else max(start, ms)
            track.sent_ms, track.ms = (start, end), end - start
            track.end = max(track.start, sent.moment(end))
        self._tracks.changed.add(track.number)

    def _end(self, track: Track) -> None:
        track.open = False
        if track is self._speaking:
            self._speaking = None

    def commit(self, _row: Row, at: float) -> None:
        self._tracks.sent.pause(at)
        self._commits.append(self._tracks.sent.ms)

    def committed(self, row: Row, at: float) -> None:
        """A turn ended, by turn detection or by hand: then it is what was appended since the
        last."""
        sent = self._tracks.sent
        sent.pause(at)
        by_hand = self._commits.pop(0) if self._commits else None
        track = self._tracks.known("user", row.item_id)
        if track is None and by_hand is not None and by_hand > self._taken_ms:
            track = self._spoken(row, at, None)
            track.sent_ms = (self._taken_ms, None)
            track.start = sent.moment(self._taken_ms)
            if self._halved_start is not None:
                track.start = min(track.start, self._halved_start)
            track.seqs = sent.rows(self._taken_ms, by_hand)
            track.seqs.append(row.seq)
            self._speak_until(track, by_hand, at)
        elif track is not None:
            self._tracks.join(track, row)
        if track is not None:
            self._end(track)
        self._uncommitted = self._halved_start = None
        self._taken_ms = sent.ms if by_hand is None else by_hand

    def cleared(self, _row: Row, _at: float) -> None:
        self._taken_ms = self._tracks.sent.ms

    def heard_words(self, row: Row, _at: float) -> None:
        """The transcript of what the user said; it may come any time, before its item too."""
        track = self._tracks.known("user", row.item_id)
        if track is not None:
            whole = not row.type.endswith(".delta")
            track.words = row.text if whole else track.words + row.text
            self._tracks.join(track, row)

    # ------------------------------------------------------------ the end of a line

    def cut(self, at: float) -> None:
        """The line has ended: what was said and has not become an item is sent again.

        It is one span all the same, from when it was said first; its sound and its length are of
        what was sent again.
        """
        sent = self._tracks.sent
        sent.pause(at)
        if self._speaking is not None:
            self._end(self._speaking)
        self._halved = self._uncommitted or self._halved
        if self._halved_start is None and sent.ms > self._taken_ms:
            self._halved_start = sent.moment(self._taken_ms)
        self._again += self._typed
        self._typed, self._uncommitted = [], None
        self._commits.clear()
        self._base = self._taken_ms = sent.ms

    # ------------------------------------------------------------ typed

    def created(self, row: Row, at: float) -> None:
        """The client puts an item into the conversation."""
        item = field(row.event, "item")
        role = text_field(item, "role")
        if role not in _WRITTEN:
            return
        lane, words = _WRITTEN[role][0], words_of(item) or SOUND
        before = (one for one in self._again if (one.lane, one.words) == (lane, words))
        track = next(before, None)
        if track is None:
            track = self._written(row, at, item, role)
        else:
            self._again.remove(track)
            self._tracks.join(track, row)
        self._typed.append(track)

    def _written(self, row: Row, at: float, item: Any, role: str) -> Track:
        lane, kind = _WRITTEN[role]
        return self._tracks.moment(lane, kind, row, at, words_of(item) or SOUND)

    def added(self, row: Row, at: float) -> None:
        """The conversation has an item: one that we know, or one that only the server tells of."""
        item = field(row.event, "item")
        role = text_field(item, "role")
        if role not in _WRITTEN:
            return
        lane = _WRITTEN[role][0]
        known = self._tracks.known(lane, row.item_id)
        mine = [one for one in self._typed if one.lane == lane]
        if known is not None:
            self._tracks.join(known if known.kind != "text" else None, row)
        elif mine:
            known = next((one for one in mine if one.item_id == row.item_id), mine[0])
            self._typed.remove(known)
            self._tracks.join(known, row)
        elif role != "assistant" and words_of(item):
            known = self._written(row, at, item, role)
        if known is not None:
            known.item_id = row.item_id
            self._tracks.name(known, row.item_id)
