"""G.711 (audio/pcmu, audio/pcma, 8 kHz) to and from PCM16 at 24 kHz, for telephone clients.

Tables and formulas after ITU-T G.711; resampling is the plainest that keeps the length
(repeat, or average, three samples), good enough for a simulator's ear and voice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..audio import BYTES_PER_MS, pcm_from_samples, samples_from_pcm

Samples = NDArray[np.int16]

PCM = "audio/pcm"
MU_LAW = "audio/pcmu"
RATIO = 3  # 24 kHz / 8 kHz
BIAS = 132


def bytes_per_ms(format_type: str) -> int:
    return BYTES_PER_MS if format_type == PCM else 8


def to_pcm(data: bytes, format_type: str) -> bytes:
    """PCM16 24 kHz of `data` in the named format."""
    if format_type == PCM:
        return data
    table = _MU_TABLE if format_type == MU_LAW else _A_TABLE
    narrow = table[np.frombuffer(data, dtype=np.uint8)]
    return pcm_from_samples(np.repeat(narrow, RATIO))


def from_pcm(pcm: bytes, format_type: str) -> bytes:
    """`pcm` (PCM16 24 kHz) in the named format."""
    if format_type == PCM:
        return pcm
    samples = samples_from_pcm(pcm)
    whole = samples[: len(samples) // RATIO * RATIO].reshape(-1, RATIO)
    narrow = whole.mean(axis=1).astype(np.int32)
    table = _MU_TABLE if format_type == MU_LAW else _A_TABLE
    return _nearest(narrow, table).tobytes()


def _nearest(samples: NDArray[np.int32], table: Samples) -> NDArray[np.uint8]:
    """The code whose value is nearest: a search in the sorted table."""
    order = np.argsort(table, kind="stable")
    values = table[order].astype(np.int32)
    right = np.clip(np.searchsorted(values, samples), 1, len(values) - 1)
    nearer_left = samples - values[right - 1] < values[right] - samples
    codes: NDArray[np.uint8] = order[right - nearer_left].astype(np.uint8)
    return codes


def _mu_table() -> Samples:
    codes = ~np.arange(256, dtype=np.uint8)
    exponent = (codes >> 4 & 7).astype(np.int32)
    mantissa = (codes & 15).astype(np.int32)
    value = ((mantissa << 3) + BIAS << exponent) - BIAS
    return np.where(codes & 128, -value, value).astype(np.int16)


def _a_table() -> Samples:
    codes = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = (codes >> 4 & 7).astype(np.int32)
    mantissa = (codes & 15).astype(np.int32)
    value = np.where(
        exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 264) << np.maximum(exponent - 1, 0)
    )
    return np.where(codes & 128, value, -value).astype(np.int16)


_MU_TABLE = _mu_table()
_A_TABLE = _a_table()
