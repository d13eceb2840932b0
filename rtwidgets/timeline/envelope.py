"""The outline of sound: how loud it was, fifty times a second, cheap enough to follow a session.

A waveform on a screen is a few hundred columns wide. So of the audio only the peak of every 20 ms
is kept: two bytes for 960, and ten minutes of it are found in milliseconds.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

import numpy as np
from numpy.typing import NDArray

from ..audio import RATE, SAMPLE_BYTES

Peaks = NDArray[np.uint16]

BIN_MS = 20
"""Milliseconds behind one peak."""
FULL = 32768
"""The loudest peak there can be: the largest distance of a 16-bit sample from 0."""

PCM, ULAW, ALAW = "audio/pcm", "audio/pcmu", "audio/pcma"
_G711_RATE = 8000
# The beta's names of the formats.
_BETA = {"pcm16": PCM, "g711_ulaw": ULAW, "g711_alaw": ALAW}


def format_named(name: str) -> str:
    """The format that a session names: `audio/pcm` (16 bit, 24 kHz), or G.711 at 8 kHz as
    `audio/pcmu` or `audio/pcma`; the beta's names are understood, any other counts as PCM."""
    known = _BETA.get(name, name)
    return known if known in (ULAW, ALAW) else PCM


def bytes_per_ms(format_: str) -> int:
    """Bytes of a millisecond in that format: 48 of PCM, 8 of G.711."""
    return RATE * SAMPLE_BYTES // 1000 if format_ == PCM else _G711_RATE // 1000


def _ulaw_table() -> NDArray[np.int16]:
    """G.711 mu-law as ITU-T has it: all bits inverted; sign, exponent, mantissa."""
    code = ~np.arange(256) & 0xFF
    size = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _alaw_table() -> NDArray[np.int16]:
    """G.711 A-law as ITU-T has it: even bits inverted; the lowest segment has no leading one."""
    code = np.arange(256) ^ 0x55
    exponent, size = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    size = np.where(exponent, (size + 0x100) << np.maximum(exponent - 1, 0), size)
    return np.where(code & 0x80, size, -size).astype(np.int16)


_TABLES: dict[str, NDArray[np.int16]] = {}


def samples_of(sound: bytes, format_: str) -> NDArray[np.int16]:
    """The samples in `sound`, at that format's own rate. An odd last byte of PCM is left out."""
    if format_ == PCM:
        return np.frombuffer(sound, dtype="<i2", count=len(sound) // SAMPLE_BYTES)
    if not _TABLES:
        _TABLES.update({ULAW: _ulaw_table(), ALAW: _alaw_table()})
    return _TABLES[format_][np.frombuffer(sound, dtype=np.uint8)]


def peaks_of(sound: bytes, format_: str = PCM) -> Peaks:
    """The peak of each 20 ms of `sound`, 0 to 32768, shape (n,); the last one may be shorter."""
    samples = samples_of(sound, format_)
    step = bytes_per_ms(format_) * BIN_MS // (SAMPLE_BYTES if format_ == PCM else 1)
    whole = len(samples) // step * step
    pieces = samples[:whole].reshape(-1, step)
    peaks = _loudest(pieces) if whole else np.empty(0, np.uint16)
    if whole < len(samples):
        peaks = np.append(peaks, _loudest(samples[whole:].reshape(1, -1)))
    return peaks


def _loudest(pieces: NDArray[np.int16]) -> Peaks:
    high = pieces.max(axis=1).astype(np.int32)
    low = pieces.min(axis=1).astype(np.int32)  # -32768 has no positive in 16 bits
    loudest: Peaks = np.maximum(high, -low).astype(np.uint16)
    return loudest


class Envelope:
    """The peaks of a sound that is still coming.

    Attributes:
        ms: milliseconds of it so far.
    """

    def __init__(self, format_: str = PCM) -> None:
        self.format = format_
        self.ms = 0.0
        self._whole = array("H")  # peaks that will not change
        self._rest = b""  # sound behind them, less than 20 ms

    def extend(self, sound: bytes) -> None:
        """Take more of the sound; all at once costs less than in pieces."""
        self.ms += len(sound) / bytes_per_ms(self.format)
        sound = self._rest + sound
        step = bytes_per_ms(self.format) * BIN_MS
        whole = len(sound) // step * step
        self._whole.frombytes(peaks_of(sound[:whole], self.format).tobytes())
        self._rest = sound[whole:]

    def change(self, format_: str) -> None:
        """What comes from here on is in another format."""
        if format_ != self.format:
            self._whole.frombytes(peaks_of(self._rest, self.format).tobytes())
            self.format, self._rest = format_, b""

    @property
    def settled(self) -> int:
        """How many peaks will not change any more."""
        return len(self._whole)

    def peaks(self, start: int = 0, stop: int | None = None) -> Peaks:
        """The peaks from one place to another, the unfinished one at the end included."""
        whole = np.array(self._whole[start:stop], dtype=np.uint16)
        beyond = stop is None or stop > len(self._whole)
        if not (self._rest and beyond and start <= len(self._whole)):
            return whole
        return np.append(whole, peaks_of(self._rest, self.format)).astype(np.uint16)


class Sent:
    """The audio that a client has appended, and when it sent which part of it.

    The server tells moments of speech as milliseconds from the start of all appended audio: this
    finds the moment on the session's own axis, and the rows.

    Args:
        timed: the axis is seconds: audio sent at its own pace is as long as it sounds, audio sent
            faster (a file in one event) as long as its sending took. Else the axis is the numbers
            of rows, and each chunk has one.
    """

    def __init__(self, timed: bool = True) -> None:
        self.envelope = Envelope()
        self.ms = 0.0
        self._timed = timed
        self._starts = array("d")  # milliseconds before each chunk
        self._at = array("d")
        self._until = array("d")
        self._seqs = array("Q")

    def append(self, at: float, seq: int, size: int) -> None:
        """A chunk of `size` bytes was sent in row `seq`."""
        self.pause(at)
        length = size / bytes_per_ms(self.envelope.format)
        self._starts.append(self.ms)
        self._at.append(at)
        self._until.append(at + (length / 1000 if self._timed else 1.0))
        self._seqs.append(seq)
        self.ms += length

    def pause(self, at: float) -> None:
        """What was sent so far had been sent by then."""
        if self._until and self._until[-1] > at:
            self._until[-1] = max(at, self._at[-1])

    def holds(self, ms: float) -> bool:
        """Whether so much was appended that this moment is in it."""
        return bool(self._at) and 0 <= ms <= self.ms

    def moment(self, ms: float) -> float:
        """When the audio at `ms` was sent. Only for what it holds."""
        chunk = max(0, bisect_right(self._starts, ms) - 1)
        behind = self._starts[chunk + 1] if chunk + 1 < len(self._starts) else self.ms
        length = behind - self._starts[chunk]
        share = min(1.0, (ms - self._starts[chunk]) / length) if length else 0.0
        return self._at[chunk] + share * (self._until[chunk] - self._at[chunk])

    def rows(self, start_ms: float, end_ms: float) -> array[int]:
        """The numbers of the rows that hold the audio between two moments."""
        first = max(0, bisect_right(self._starts, start_ms) - 1)
        return self._seqs[first : max(first + 1, bisect_left(self._starts, end_ms))]

    def peaks(self, start_ms: float, end_ms: float) -> Peaks:
        """The peaks of the audio between two moments."""
        return self.envelope.peaks(int(start_ms) // BIN_MS, -int(-end_ms // BIN_MS))


def fitted(peaks: Peaks, columns: int) -> Peaks:
    """At most `columns` peaks that say the same: the loudest of each group of neighbours."""
    if columns < 1 or len(peaks) <= columns:
        return peaks
    starts = np.linspace(0, len(peaks), columns, endpoint=False).astype(np.intp)
    loudest: Peaks = np.maximum.reduceat(peaks, starts)
    return loudest
