"""What the simulator hears: where speech begins and ends, and telephone audio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from simulator_driver import MS

from rtwidgets.audio import samples_from_pcm
from rtwidgets.simulator import g711
from rtwidgets.simulator.vad import ServerVad, Started, Stopped, level

CONFIG: dict[str, Any] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
}


def tone(milliseconds: int, loudness: float = 0.3) -> bytes:
    wave = np.sin(np.arange(milliseconds * 24) / 12) * loudness * 32767
    return wave.astype("<i2").tobytes()


def quiet(milliseconds: int) -> bytes:
    return bytes(milliseconds * MS)


def heard(*parts: bytes, chunk: int = 0, **changes: Any) -> list[Started | Stopped]:
    vad, pcm = ServerVad({**CONFIG, **changes}), b"".join(parts)
    step = chunk or len(pcm)
    return [event for at in range(0, len(pcm), step) for event in vad.hear(pcm[at : at + step])]


@pytest.mark.parametrize("chunk", [0, 1, 7, 480, 1920, 4801])
def test_offsets_do_not_depend_on_the_chunks(chunk: int) -> None:
    sound = (
        (quiet(100), tone(100), quiet(240)) if chunk == 1 else (quiet(600), tone(500), quiet(300))
    )
    assert heard(*sound, chunk=chunk) == heard(*sound)


def test_padding_before_and_silence_after_belong_to_the_turn() -> None:
    """200 ms of silence are over with the seventh step of 32 ms."""
    assert heard(quiet(640), tone(512), quiet(300)) == [
        Started(340),
        Stopped(640 + 512 + 224, started_ms=340, spoken_ms=512),
    ]


def test_it_steps_as_the_real_one() -> None:
    """Recorded: 1460 (with 300 ms of padding) and 4256, both on steps of 32 ms."""
    started, stopped = heard(quiet(1770), tone(2260), quiet(300), chunk=1920)
    assert (started.at_ms, stopped.at_ms) == (1460, 4256)


def test_padding_does_not_reach_before_the_beginning_or_into_the_last_turn() -> None:
    first, _, second, _ = heard(tone(512), quiet(256), tone(512), quiet(256))
    assert first == Started(0)
    assert second == Started(512 + 224)


def test_a_short_pause_does_not_end_a_turn() -> None:
    assert len(heard(tone(300), quiet(190), tone(300), quiet(300))) == 2
    assert len(heard(tone(300), quiet(260), tone(300), quiet(300))) == 4


def test_a_click_is_no_speech() -> None:
    assert heard(quiet(100), tone(20), quiet(500)) == []


def test_a_higher_threshold_hears_less() -> None:
    whisper = tone(500, loudness=0.02)
    assert heard(whisper, quiet(300), threshold=0.1)
    assert not heard(whisper, quiet(300), threshold=0.9)
    assert level(0.2) < level(0.8)


def test_semantic_vad_waits_by_its_eagerness() -> None:
    vad = {"type": "semantic_vad", "silence_duration_ms": None}
    sound = (tone(300), quiet(500))
    assert len(heard(*sound, **vad, eagerness="high")) == 2
    assert len(heard(*sound, **vad, eagerness="low")) == 1


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
def test_telephone_audio_survives_the_way_there_and_back(kind: str) -> None:
    pcm = tone(200, loudness=0.5)
    data = g711.from_pcm(pcm, kind)
    assert len(data) == 200 * g711.bytes_per_ms(kind)
    back = samples_from_pcm(g711.to_pcm(data, kind)).astype(float)
    original = samples_from_pcm(pcm).astype(float)
    assert np.corrcoef(back, original)[0, 1] > 0.99
    assert np.abs(back).max() == pytest.approx(np.abs(original).max(), rel=0.05)


def test_telephone_codes_are_those_of_the_standard() -> None:
    """G.711: the extremes and the zeros."""
    mu = samples_from_pcm(g711.to_pcm(b"\x00\x80\xff\x7f", "audio/pcmu"))[::3]
    assert mu.tolist() == [-32124, 32124, 0, 0]
    a = samples_from_pcm(g711.to_pcm(b"\xd5\x55\xaa\x2a", "audio/pcma"))[::3]
    assert a.tolist() == [8, -8, 32256, -32256]
