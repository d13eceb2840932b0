"""Spans that are still being made: one for each thing that lasts, found again by lane and item."""

from __future__ import annotations

from array import array

from ..events import Event, field, item_text, text_field
from ..log import Row
from .envelope import PCM, Envelope, Peaks, Sent, format_named
from .lanes import Kind, Lane, Span, no_peaks

_LOOSE = 2_000_000  # bytes of sound that are gathered before they become waveforms

Moment = tuple[float, int]
"""A place on the axis, and the number of the row that it is from."""


class Track:
    """A span that is still being made; the fields are those of `Span`.

    Attributes:
        ms: milliseconds of its audio.
        envelope: the waveform of what it has of its own.
        sent_ms: which part of the audio that the client appended it is, the end None until known.
    """

    def __init__(self, number: int, lane: Lane, kind: Kind, at: float, row: Row) -> None:
        self.number, self.lane, self.kind = number, lane, kind
        self.start = self.end = at
        self.item_id, self.response_id = row.item_id, row.response_id
        self.seqs = array("Q", [row.seq])
        self.words = ""
        self.ms = 0.0
        self.heard_ms: int | None = None
        self.arrived: float | None = None
        self.open = True
        self.aside = False
        self.envelope: Envelope | None = None
        self.sent_ms: tuple[float, float | None] | None = None


class Tracks:
    """All tracks of a timeline, and what is known of the session that they are of.

    Args:
        timed: the axis is seconds; else the numbers of rows.
        peaks: make waveforms too.

    Attributes:
        changed: numbers of the tracks that are new or changed; whoever shows them clears it.
        sent: what the client appended.
        whole: whether the log has the session from before its first audio, so that the server's
            offsets into it can be found.
        speech, cancel: when the user began to speak last, and the client cancelled last.
    """

    def __init__(self, *, timed: bool, peaks: bool) -> None:
        self.timed = timed
        self.all: list[Track] = []
        self.changed: set[int] = set()
        self.aside: set[str] = set()  # responses out of band
        self.sent = Sent(timed)
        self.formats = {"input": PCM, "output": PCM}
        self.whole = False
        self.speech: Moment | None = None
        self.cancel: Moment | None = None
        self._peaks = peaks
        self._known: dict[tuple[str, str], Track] = {}
        self._sounds: dict[Envelope, list[bytes]] = {}
        self._loose = 0  # bytes in there

    def known(self, lane: Lane, key: str) -> Track | None:
        """The track of an item (or call, or response) in a lane."""
        return self._known.get((lane, key))

    def name(self, track: Track, key: str) -> None:
        """Let a track be found by this too."""
        self._known[track.lane, key] = track

    def of(self, lane: Lane, kind: Kind, row: Row, at: float) -> Track:
        """The track in a lane that a row belongs to by its item or response, else a new one."""
        key = row.item_id or row.response_id
        track = self._known.get((lane, key))
        if track is None:
            track = self.new(lane, kind, row, at)
            self._known[lane, key] = track
        else:
            track.seqs.append(row.seq)
            self.changed.add(track.number)
        return track

    def new(self, lane: Lane, kind: Kind, row: Row, at: float) -> Track:
        track = Track(len(self.all), lane, kind, at, row)
        track.aside = row.response_id in self.aside
        self.all.append(track)
        self.changed.add(track.number)
        return track

    def moment(self, lane: Lane, kind: Kind, row: Row, at: float, words: str) -> Track:
        """Something that was there at once."""
        track = self.new(lane, kind, row, at)
        track.words, track.open = words, False
        return track

    def join(self, track: Track | None, row: Row) -> None:
        """Another row belongs to a track."""
        if track is not None:
            track.seqs.append(row.seq)
            self.changed.add(track.number)

    # ------------------------------------------------------------ sound

    def take_formats(self, session: Event) -> None:
        """What a session (GA or beta) says of its formats."""
        for side, beta in (("input", "input_audio_format"), ("output", "output_audio_format")):
            named = text_field(session, "audio", side, "format", "type") or text_field(
                session, beta
            )
            if named:
                self.formats[side] = format_named(named)
        if self.sent.envelope.format != self.formats["input"]:
            self.settle()
            self.sent.envelope.change(self.formats["input"])

    def take_sound(self, envelope: Envelope, row: Row) -> None:
        """The audio of a row goes on a waveform, soon."""
        if self._peaks:
            self._sounds.setdefault(envelope, []).append(row.pcm)
            self._loose += row.audio_bytes
            if self._loose > _LOOSE:
                self.settle()

    def settle(self) -> None:
        """Add the sound that came to its waveforms, in few pieces."""
        for envelope, pieces in self._sounds.items():
            envelope.extend(b"".join(pieces))
        self._sounds.clear()
        self._loose = 0

    def peaks(self, track: Track, start: int = 0) -> Peaks:
        """The waveform of a track from a place on, one peak for every 20 ms."""
        if not self._peaks:
            return no_peaks()
        if track.envelope is not None:
            return track.envelope.peaks(start)
        if track.sent_ms is not None and track.sent_ms[1] is not None:
            return self.sent.peaks(track.sent_ms[0], track.sent_ms[1])[start:]
        made = self.known("generated", track.item_id) if track.lane == "heard" else None
        if made is None or made.envelope is None:
            return no_peaks()
        return made.envelope.peaks(start, -(-int(track.ms) // 20))

    def span(self, track: Track, now: float) -> Span:
        """A track as it is now."""
        end = max(track.start, track.end)
        if track.open and track.lane in ("user", "tools"):
            end = max(end, now)
        return Span(
            *(track.number, track.lane, track.kind, track.start, end, tuple(track.seqs)),
            *(track.item_id, track.response_id, track.words, int(track.ms), track.heard_ms),
            *(track.arrived, track.open, track.aside, self.peaks(track)),
        )


_LONGEST = 1e10  # ms, some four months: what is longer was never said or heard


def number_in(event: object, name: str) -> float | None:
    """Milliseconds in an event that may be anything; None where they are none."""
    value = field(event, name)
    return float(value) if isinstance(value, int | float) and 0 <= value <= _LONGEST else None


def words_of(item: object) -> str:
    """The words of an item that may be anything."""
    return item_text(item) if isinstance(item, dict) else ""
