"""How the simulator sounds: real speech, told from the fallback, never twice the work."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from rtwidgets.audio import RATE, samples_from_pcm
from rtwidgets.simulator import speech
from rtwidgets.simulator.speech import VOICES, Speaker, language_of, syllables, tones

WORDS = "Welcome to the museum! Shall I show you the fossils?"
needs_espeak = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed"
)


def seconds(pcm: bytes) -> float:
    return len(samples_from_pcm(pcm)) / RATE


def loudness(pcm: bytes) -> float:
    return float(np.sqrt(np.mean(samples_from_pcm(pcm).astype(float) ** 2)))


@needs_espeak
def test_it_speaks() -> None:
    pcm = speech.shared().speak(WORDS, "marin")
    assert 2.0 < seconds(pcm) < 5.0
    assert loudness(pcm) > 500
    assert np.abs(samples_from_pcm(pcm)).max() < 32767


@needs_espeak
def test_more_words_take_longer_and_speed_shortens() -> None:
    speaker = speech.shared()
    assert seconds(speaker.speak(WORDS * 2, "marin")) > 1.7 * seconds(speaker.speak(WORDS, "marin"))
    assert seconds(speaker.speak(WORDS, "marin", 1.5)) < 0.8 * seconds(
        speaker.speak(WORDS, "marin")
    )


@needs_espeak
def test_every_voice_is_another() -> None:
    speaker = speech.shared()
    sounds = {voice: speaker.speak("Good morning.", voice) for voice in VOICES}
    assert len(set(sounds.values())) == len(VOICES)


@needs_espeak
def test_the_same_words_sound_the_same() -> None:
    """To the ear: eSpeak's oscillators run on, so a few samples differ."""
    once, again = (seconds(Speaker().speak(WORDS, "cedar")) for _ in range(2))
    assert once == pytest.approx(again, abs=0.05)


def test_what_was_said_is_kept() -> None:
    speaker = Speaker()
    first = speaker.speak(WORDS, "marin")
    assert speaker.speak(WORDS, "marin") is first
    assert speaker.submit(WORDS, "marin").done()


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "KEPT_BYTES", 100_000)
    speaker = Speaker(fallback=True)
    first = speaker.speak("The very first words.", "marin")
    for number in range(8):
        speaker.speak(f"Some other words, number {number}.", "marin")
    assert speaker.speak("The very first words.", "marin") is not first


def test_the_fallback_is_clearly_no_speech() -> None:
    speaker = Speaker(fallback=True)
    pcm = speaker.speak(WORDS, "marin")
    assert 1.5 < seconds(pcm) < 6.0
    assert loudness(pcm) > 300
    # One tone at a time: nearly all energy of a syllable is in one narrow band.
    sound = tones("la", VOICES["marin"], 1.0).astype(float)
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    peak = int(spectrum.argmax())
    assert spectrum[max(0, peak - 3) : peak + 4].sum() > 0.9 * spectrum.sum()


@needs_espeak
def test_the_fallback_differs_from_speech() -> None:
    assert Speaker(fallback=True).speak(WORDS, "marin") != speech.shared().speak(WORDS, "marin")


def test_the_fallback_is_as_long_as_the_text() -> None:
    sound = VOICES["marin"]
    assert len(tones(WORDS * 3, sound, 1.0)) == 3 * len(tones(WORDS, sound, 1.0))
    assert syllables("museum visitors") == 5


@pytest.mark.parametrize("text", ["", "   ", "\0", "🦕", "x" * 20_000, "日本語", "\ud800"])
def test_no_text_breaks_it(text: str) -> None:
    assert len(speech.shared().speak(text, "no such voice", 0.25)) % 2 == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (WORDS, "en-us"),
        ("Guten Tag und willkommen im Museum!", "de"),
        ("Bonjour et bienvenue, je suis Ada.", "fr-fr"),
        ("Hola, soy Ada y estoy en el museo.", "es"),
        ("Привет", "ru"),
        ("", "en-us"),
    ],
)
def test_the_language_is_guessed(text: str, language: str) -> None:
    assert language_of(text) == language
