"""PCM16 mono audio at 24 kHz, the Realtime API's own format: bytes, samples, chunks, wav.

Everywhere in this package `pcm` means little-endian 16-bit mono bytes at `RATE`, and `samples` a
one-dimensional int16 numpy array of the same.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pybase64
from numpy.typing import NDArray

from .errors import Misuse

Samples = NDArray[np.int16]

RATE = 24_000
"""Samples a second of `audio/pcm` in both directions (facts: `rate` 24000 is the only one)."""
SAMPLE_BYTES = 2
BYTES_PER_MS = RATE * SAMPLE_BYTES // 1000
G711_BYTES_PER_MS = 8
"""Of `audio/pcmu` and `audio/pcma`: one byte a sample, 8000 a second."""


def samples_from_pcm(pcm: bytes) -> Samples:
    """The samples in `pcm`, as a read-only int16 view of shape (n,). An odd last byte is left
    out."""
    return np.frombuffer(pcm, dtype="<i2", count=len(pcm) // SAMPLE_BYTES)


def pcm_from_samples(samples: Any) -> bytes:
    """PCM of `samples`: int16 as it is, or floats in [-1, 1], clipped. Shape (n,), or (n, 1).

    Raises Misuse for stereo and for other number types, where guessing a scale would make noise.
    """
    array = np.asarray(samples)
    if array.ndim == 2 and 1 in array.shape:
        array = array.reshape(-1)
    if array.ndim != 1:
        raise Misuse(
            f"Audio must be mono, shape (n,), but has shape {array.shape}. "
            "Mix it down first, for example with samples.mean(axis=1)."
        )
    if np.issubdtype(array.dtype, np.floating):
        array = np.clip(np.nan_to_num(array), -1.0, 1.0) * 32767.0
    elif array.dtype != np.int16 and array.size:
        raise Misuse(
            f"Audio samples must be int16, or floats between -1 and 1, not {array.dtype}. "
            "Convert with samples.astype('int16') if they are 16-bit values already."
        )
    return array.astype("<i2").tobytes()


def seconds_of(pcm_bytes: int) -> float:
    """Length in seconds of that many bytes of PCM."""
    return pcm_bytes / (RATE * SAMPLE_BYTES)


def milliseconds_of(pcm_bytes: int) -> int:
    """Length in whole milliseconds, rounded down as the server counts it."""
    return pcm_bytes // BYTES_PER_MS


def describe(pcm_bytes: int) -> str:
    """How long that much PCM sounds, in words for a table."""
    return f"{seconds_of(pcm_bytes):.2f} s of audio"


def chunks(pcm: bytes, milliseconds: int = 40) -> Iterator[bytes]:
    """`pcm` in pieces of `milliseconds`, the last one shorter; 40 ms is the microphone's rhythm."""
    step = milliseconds * BYTES_PER_MS
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]


def encode(pcm: bytes) -> str:
    """Base64 text of `pcm`, as it travels inside the JSON of an event."""
    return pybase64.b64encode_as_string(pcm)


def decode(text: str) -> bytes:
    """The PCM in base64 `text`. Raises ValueError when it is not base64."""
    return pybase64.b64decode(text, validate=True)


def resample(samples: Samples, from_rate: int, to_rate: int = RATE) -> Samples:
    """`samples` at another rate, band-limited. Needs the package soxr (extra `speech`)."""
    if from_rate == to_rate:
        return samples
    try:
        import soxr
    except ImportError:
        raise Misuse(
            f"Audio at {from_rate} Hz must be converted to {to_rate} Hz, which needs soxr. "
            "Install it with: pip install 'rtwidgets[speech]'"
        ) from None
    converted: Samples = soxr.resample(samples, from_rate, to_rate)
    return converted


def wav_bytes(pcm: bytes, rate: int = RATE) -> bytes:
    """A whole RIFF/WAVE file holding `pcm`, mono, 16 bit."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate)
        file.writeframes(pcm)
    return buffer.getvalue()


def read_wav(path: str | Path | bytes) -> Samples:
    """The 16-bit PCM wav at `path`, or in these bytes, as mono samples at 24 kHz; channels are
    averaged.

    Raises Misuse for another sample width or a file that is not a wav.
    """
    source = io.BytesIO(path) if isinstance(path, bytes) else str(path)
    path = "What was given" if isinstance(path, bytes) else path
    try:
        with wave.open(source, "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as problem:
        raise Misuse(f"{path} is not a wav file that can be read here: {problem}.") from problem
    if width != SAMPLE_BYTES:
        raise Misuse(f"{path} has {8 * width}-bit samples; save it as 16-bit PCM first.")
    samples = np.frombuffer(frames, dtype="<i2")
    if channels > 1:
        samples = samples.reshape(-1, channels).mean(axis=1).astype(np.int16)
    return resample(samples, rate)
