"""PCM, base64, chunks and wav."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtwidgets import audio
from rtwidgets.errors import Misuse


@given(st.binary(max_size=2000))
def test_base64_returns_what_went_in(pcm: bytes) -> None:
    assert audio.decode(audio.encode(pcm)) == pcm


@pytest.mark.parametrize("text", ["@@@@", "AAA", "AAAA=AAA", "Ünïcode=", "AA AA"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        audio.decode(text)


def test_floats_are_scaled_and_clipped() -> None:
    pcm = audio.pcm_from_samples(np.array([0.0, 1.0, -1.0, 2.0, np.nan]))
    assert audio.samples_from_pcm(pcm).tolist() == [0, 32767, -32767, 32767, 0]


def test_int16_goes_through_unchanged() -> None:
    samples = np.array([0, 1, -32768, 32767], dtype=np.int16)
    assert audio.samples_from_pcm(audio.pcm_from_samples(samples)).tolist() == samples.tolist()


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 100)), np.zeros(3, dtype=np.int32), np.zeros(3, dtype=np.uint8)]
)
def test_what_would_become_noise_is_refused_in_words(wrong: np.ndarray) -> None:
    with pytest.raises(Misuse, match=r"mono|int16"):
        audio.pcm_from_samples(wrong)


@given(st.binary(min_size=1, max_size=10_000), st.integers(1, 100))
def test_chunks_lose_nothing(pcm: bytes, milliseconds: int) -> None:
    pieces = list(audio.chunks(pcm, milliseconds))
    assert b"".join(pieces) == pcm
    assert all(audio.milliseconds_of(len(piece)) == milliseconds for piece in pieces[:-1])


def test_lengths() -> None:
    assert audio.seconds_of(48_000) == 1.0
    assert audio.milliseconds_of(12_000) == 250


def test_a_wav_comes_back_and_stereo_is_mixed(tmp_path: Path) -> None:
    samples = np.arange(-500, 500, dtype=np.int16)
    path = tmp_path / "mono.wav"
    path.write_bytes(audio.wav_bytes(audio.pcm_from_samples(samples)))
    assert audio.read_wav(path).tolist() == samples.tolist()


def test_another_rate_keeps_the_length_and_the_tone(tmp_path: Path) -> None:
    pytest.importorskip("soxr", reason="resampling is in the extra `speech`")
    time = np.arange(48_000) / 48_000
    tone = (np.sin(2 * np.pi * 440 * time) * 20_000).astype(np.int16)
    path = tmp_path / "tone.wav"
    path.write_bytes(audio.wav_bytes(audio.pcm_from_samples(tone), rate=48_000))
    heard = audio.read_wav(path)
    assert abs(len(heard) - audio.RATE) < 10
    assert np.argmax(np.abs(np.fft.rfft(heard[:24_000]))) == pytest.approx(440, abs=1)


def test_a_file_that_is_no_wav_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(Misuse, match=r"notes\.txt"):
        audio.read_wav(path)
