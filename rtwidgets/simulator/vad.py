"""server_vad: where speech starts and stops, judged by the energy of the signal.

An approximation of the real thing (a trained detector), on the same dials:
`threshold` 0..1 is mapped to a level, `prefix_padding_ms` moves the start back,
`silence_duration_ms` is what ends a turn. Offsets count all audio ever appended,
as on the wire (protocol facts §3.4). semantic_vad is taken as server_vad whose
silence follows its eagerness; words are not understood here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..audio import BYTES_PER_MS, samples_from_pcm

FRAME_MS = 32  # as the real one steps: recorded offsets are multiples of it, padding aside
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
MOST_PREFIX_MS = 5000  # of sound before a turn are kept, whatever a client asks for
ONSET_FRAMES = 2  # so much sound in a row is speech: a click of one frame is not
NOTICED_MS = (ONSET_FRAMES + 1) * FRAME_MS  # after its beginning at the latest

#: Silence that ends a turn, by eagerness: our reading of 'low' waits longest (an assumption).
EAGERNESS_MS = {"low": 1200, "medium": 700, "auto": 700, "high": 400}


@dataclass(frozen=True)
class Started:
    at_ms: int


@dataclass(frozen=True)
class Stopped:
    """`at_ms` includes the silence that ended the turn, as recorded."""

    at_ms: int
    started_ms: int
    spoken_ms: int  # without the padding before and the silence after


def level(threshold: float) -> float:
    """The root mean square (of 32768) that counts as sound: -45 dB at 0, -33 dB at 0.5."""
    return float(32768 * 10 ** ((-45 + 24 * threshold) / 20))


class ServerVad:
    """Feed it sound with `hear`, it says when a turn started or stopped."""

    def __init__(self, config: dict[str, Any], at_ms: float = 0.0) -> None:
        self._rest = b""
        self._speech_started: int | None = None
        self._loud = self._quiet = 0
        self._clock = self._floor = self._onset = at_ms
        self.configure(config)

    def configure(self, config: dict[str, Any]) -> None:
        self._power = level(config.get("threshold", 0.5)) ** 2 * (FRAME_BYTES // 2)
        self._prefix_ms = min(config.get("prefix_padding_ms", 300), MOST_PREFIX_MS)
        silence = config.get("silence_duration_ms")
        self._silence_ms = EAGERNESS_MS[config.get("eagerness", "auto")]
        if silence is not None:
            self._silence_ms = silence

    def forget(self, at_ms: float) -> None:
        """The buffer was committed or cleared: a new turn can only start after `at_ms`."""
        self._rest = b""
        self._speech_started = None
        self._loud = self._quiet = 0
        self._clock = self._floor = at_ms

    def hear(self, pcm: bytes) -> list[Started | Stopped]:
        """What `pcm` (PCM16 24 kHz, any length) brings about, in order."""
        return [found for _, found in self.hear_when(pcm)]

    def hear_when(self, pcm: bytes) -> list[tuple[float, Started | Stopped]]:
        """The same, each with the offset (ms) of the sound that brought it about."""
        data = self._rest + pcm if self._rest else pcm
        whole = len(data) // FRAME_BYTES * FRAME_BYTES
        self._rest = data[whole:]
        if not whole:
            return []
        frames = samples_from_pcm(data[:whole]).reshape(-1, FRAME_BYTES // 2).astype(np.float32)
        power = np.einsum("ij,ij->i", frames, frames)  # the sum of squares of each frame
        found: list[tuple[float, Started | Stopped]] = []
        for loud in (power >= self._power).tolist():
            self._clock += FRAME_MS
            found += [(self._clock, each) for each in self._step(loud)]
        return found

    def _step(self, loud: bool) -> list[Started | Stopped]:
        self._loud = self._loud + 1 if loud else 0
        self._quiet = 0 if loud else self._quiet + 1
        if self._speech_started is None:
            return [self._start()] if self._loud >= ONSET_FRAMES else []
        if loud or self._quiet * FRAME_MS < self._silence_ms:  # loud: even where 0 ms end a turn
            return []
        return [self._stop()]

    def _start(self) -> Started:
        self._onset = self._clock - ONSET_FRAMES * FRAME_MS
        self._speech_started = round(max(self._onset - self._prefix_ms, self._floor))
        return Started(self._speech_started)

    def _stop(self) -> Stopped:
        assert self._speech_started is not None
        spoken = self._clock - self._quiet * FRAME_MS - self._onset
        stopped = Stopped(round(self._clock), self._speech_started, round(spoken))
        self._speech_started = None
        self._floor = self._clock
        return stopped
