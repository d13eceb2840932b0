"""What was heard, as far as anybody told, and what was cut short."""

from __future__ import annotations

from ..events import text_field
from ..log import Row
from .lanes import Interruption
from .tracks import Moment, Track, Tracks, number_in

SPOKE_OVER = 3.0
"""Seconds between the beginning of speech and a truncation that still count as one barge-in."""


_LATE = 0.35
"""Seconds that word of playback may take; beyond that the sound itself had paused."""


class Playback:
    """Makes the tracks of what was heard, and the interruptions."""

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks
        self._cuts: dict[str, Interruption] = {}  # by item, by response where none had begun

    @property
    def interruptions(self) -> list[Interruption]:
        return sorted(self._cuts.values(), key=lambda one: one.t)

    def heard(self, row: Row, at: float) -> None:
        """The page has played so much of an item (`ms` from its start), or has begun to."""
        ms = number_in(row.event, "ms") or 0.0
        track = self._tracks.of("heard", "heard", row, at)
        track.ms, track.end = max(track.ms, ms), max(track.end, at)
        if self._tracks.timed:
            # Word of it comes late, now more and now less: the earliest is nearest to the truth.
            track.start = max(0.0, min(track.start, at - ms / 1000))
            late = at - track.start - track.ms / 1000
            track.end = at if late > _LATE else track.start + track.ms / 1000
        made = self._tracks.known("generated", row.item_id)
        if made is not None:
            track.response_id, track.words, track.aside = made.response_id, made.words, made.aside
        done = isinstance(row.event, dict) and row.event.get("done") is True
        track.open = track.open and not done and row.type != "playback.flushed"

    def flushed(self, row: Row, at: float) -> None:
        """The page threw the rest of an item away."""
        ms = number_in(row.event, "ms")
        if ms:
            self.heard(row, at)
        if ms is not None:
            self._cut(row, at, row.item_id, int(ms))

    def server_plays(self, row: Row, at: float) -> None:
        """WebRTC and telephony: the server holds the sound and tells when it plays (§3.6)."""
        track = self._tracks.of("heard", "heard", row, at)
        track.end, track.open = at, row.type.endswith(".started")
        track.ms = (at - track.start) * 1000 if self._tracks.timed else 0.0

    def truncated(self, row: Row, at: float) -> None:
        """`audio_end_ms`: what stays of an item, by the client's wish or the server's word."""
        ms = number_in(row.event, "audio_end_ms")
        if ms is not None:
            self._cut(row, at, row.item_id, int(ms))

    def cancelled(self, row: Row, at: float) -> None:
        self._tracks.cancel = (at, row.seq)

    def response_done(self, row: Row, at: float) -> None:
        """`status_details.reason`: `turn_detected` for a barge-in, `client_cancelled` (§3.5)."""
        if text_field(row.event, "response", "status") != "cancelled":
            return
        by_speech = text_field(row.event, "response", "status_details", "reason") == "turn_detected"
        cause = self._tracks.speech if by_speech else self._tracks.cancel
        item = next((one for one in reversed(self._tracks.all[-50:]) if _is_sound(one, row)), None)
        self._cut(row, at, item.item_id if item is not None else "", None, cause)

    def _cut(
        self, row: Row, at: float, item_id: str, ms: int | None, cause: Moment | None = None
    ) -> None:
        """An item was cut short, or its whole response; several rows tell of the same."""
        made = self._tracks.known("generated", item_id) if item_id else None
        response_id = row.response_id or (made.response_id if made is not None else "")
        before = self._cuts.get(item_id or response_id)
        if before is None:
            before = self._began(row, at, made, cause)
        if made is not None and ms is not None:
            made.heard_ms = ms
            self._tracks.changed.add(made.number)
        self._cuts[item_id or response_id] = Interruption(
            *(before.t, max(before.end, at), before.by, item_id, before.response_id or response_id),
            heard_ms=before.heard_ms if ms is None else ms,
            audio_ms=int(made.ms) if made is not None else 0,
            seqs=before.seqs if row.seq in before.seqs else (*before.seqs, row.seq),
        )

    def _began(self, row: Row, at: float, made: Track | None, cause: Moment | None) -> Interruption:
        """How an interruption began: with speech over the sound, else with the client's stop."""
        near = SPOKE_OVER if self._tracks.timed else float("inf")
        causes = [cause] if cause else [self._tracks.speech, self._tracks.cancel]
        start = made.start if made is not None else -1.0
        fits = [one for one in causes if one and start <= one[0] and at - one[0] <= near]
        t, seq = fits[0] if fits else (at, row.seq)
        by_speech = bool(fits) and fits[0] == self._tracks.speech
        seqs = (seq,) if seq == row.seq else (seq, row.seq)
        return Interruption(t, at, "speech" if by_speech else "client", "", "", None, 0, seqs)


def _is_sound(track: Track, row: Row) -> bool:
    return track.lane == "generated" and track.response_id == row.response_id
