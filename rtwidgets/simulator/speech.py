"""The voice of the simulator: eSpeak NG where it is installed, soft tones where it is not.

eSpeak NG comes with the wheel `espeakng-loader` (the extra `speech`); it is
loaded at run time and is GPL-3. It has no threads and one global state, so
exactly one thread of ours speaks with it. Words said before are kept. Said anew they
sound the same to the ear, not bit for bit: its oscillators run on from text to text.

Without the wheel, or when it does not load, every syllable is one soft tone
(`tones`): nobody takes that for speech, and the length still follows the text.

Language: English unless the text is written in a script of another language, or
clearly uses the small words of German, French, Spanish, Italian or Dutch. This is
a guess from a short list, good for greetings, and no more.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..audio import RATE, pcm_from_samples, resample

KEPT_BYTES = 32 * 1024 * 1024  # about eleven minutes of speech
LONGEST_TEXT = 10_000  # characters; some ten minutes, more is cut


@dataclass(frozen=True)
class Sound:
    """How one voice of the API sounds here: eSpeak's variant, pitch 0-99, words a minute."""

    variant: str
    pitch: int
    words_per_minute: int


#: One row a voice, chosen so that they are told apart; they do not imitate OpenAI's.
VOICES: dict[str, Sound] = {
    "alloy": Sound("f2", 46, 172),
    "ash": Sound("m3", 34, 168),
    "ballad": Sound("m2", 56, 150),
    "coral": Sound("f3", 66, 178),
    "echo": Sound("m1", 30, 176),
    "sage": Sound("f4", 40, 156),
    "shimmer": Sound("f5", 78, 184),
    "verse": Sound("m4", 50, 184),
    "marin": Sound("f1", 58, 170),
    "cedar": Sound("m7", 22, 158),
}
OTHER_VOICE = Sound("m5", 44, 168)  # a custom voice id

#: Scripts, then small words, by which a language is guessed. English has none: it is the default.
SCRIPTS = {
    "ru": r"[Ѐ-ӿ]",
    "el": r"[Ͱ-Ͽ]",
    "ja": r"[぀-ヿ]",
    "ko": r"[가-힯]",
    "cmn": r"[一-鿿]",
    "ar": r"[؀-ۿ]",
    "hi": r"[ऀ-ॿ]",
}
SMALL_WORDS = {
    "de": "der die das und ist nicht ich sie ein eine willkommen hallo wie guten heute mit",
    "fr-fr": "le la les et est je vous un une bonjour bienvenue comment avec pour dans suis",
    "es": "el los las y es yo usted un una hola bienvenido bienvenida bienvenidos soy con como",
    "it": "il gli e sono un una ciao benvenuti benvenuto come posso aiutarti con per",
    "nl": "de het een en ik jij niet hallo welkom bij met voor kan",
}


def language_of(text: str) -> str:
    """eSpeak's name of the language of `text`: 'en-us' unless something speaks for another."""
    for language in ("ja", *SCRIPTS):
        if re.search(SCRIPTS[language], text):
            return language
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    counts = {name: len(words & set(small.split())) for name, small in SMALL_WORDS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] >= 2 else "en-us"


# --- eSpeak NG -------------------------------------------------------------------------

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: the callback gets the sound, Synth returns when done
_CHARACTERS = 1  # POS_CHARACTER
_UTF8 = 1  # espeakCHARS_UTF8
_RATE, _PITCH = 1, 3  # espeakRATE, espeakPITCH
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class ESpeak:
    """The library, loaded once. Only ever used by the one speaking thread.

    Raises OSError or ImportError when it is not installed or does not start.
    """

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if self.rate <= 0:
            raise OSError(f"eSpeak NG did not start: {self.rate}")
        self._heard: list[NDArray[np.int16]] = []
        self._callback = _CALLBACK(self._collect)  # kept: C holds only the pointer
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._heard.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def speak(self, text: str, sound: Sound, speed: float) -> NDArray[np.int16]:
        """Samples at `self.rate`."""
        self._heard = []
        self._voice(language_of(text), sound)
        self._library.espeak_SetParameter(_RATE, round(sound.words_per_minute * speed), 0)
        self._library.espeak_SetParameter(_PITCH, sound.pitch, 0)
        # A NUL byte would end the text for C.
        raw = text.replace("\0", " ").encode("utf-8", "replace") + b"\0"
        self._library.espeak_Synth(raw, len(raw), 0, _CHARACTERS, 0, _UTF8, None, None)
        return np.concatenate(self._heard) if self._heard else np.zeros(0, np.int16)

    def _voice(self, language: str, sound: Sound) -> None:
        name = f"{language}+{sound.variant}".encode()
        if self._library.espeak_SetVoiceByName(name) != 0:
            self._library.espeak_SetVoiceByName(b"en-us")


_one_at_a_time = threading.Lock()  # the library has one state, however many speakers there are


@cache
def espeak() -> ESpeak | None:
    """The library, or None where it is not installed. Speak through a `Speaker` only."""
    try:
        import soxr  # noqa: F401 - its 22 kHz cannot be made 24 without, so there is no half way

        return ESpeak()
    except (ImportError, OSError, AttributeError):
        return None


# --- the fallback ----------------------------------------------------------------------


def syllables(text: str) -> int:
    """About how many syllables `text` has: groups of vowels, at least one a word."""
    words = re.findall(r"\w+", text)
    return sum(max(1, len(re.findall(r"[aeiouyäöüáéíóúàèêâ]+", word.lower()))) for word in words)


def tones(text: str, sound: Sound, speed: float) -> NDArray[np.int16]:
    """One soft tone a syllable, at 24 kHz: clearly no speech, as long as speech would be."""
    step = 60 / (sound.words_per_minute * 1.5 * speed)  # about 1.5 syllables a word
    seconds = np.arange(round(step * RATE)) / RATE
    envelope = np.sin(np.pi * np.minimum(seconds / (0.8 * step), 1.0)) ** 2
    base = 180 * 2 ** (sound.pitch / 60)
    notes = [base * 2 ** (offset / 12) for offset in (0, 3, 5, 2, 7, 5)]
    count = syllables(text)
    waves = [np.sin(2 * np.pi * notes[i % len(notes)] * seconds) * envelope for i in range(count)]
    return (np.concatenate(waves or [np.zeros(0)]) * 6000).astype(np.int16)


Key = tuple[str, str, float]  # text, voice, speed

# --- the speaker -----------------------------------------------------------------------


class Speaker:
    """Speaks on one thread of its own and remembers what it said.

    `fallback=True` uses the tones even where eSpeak NG is there.
    """

    def __init__(self, fallback: bool = False) -> None:
        self._fallback = fallback
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rtwidgets-speech")
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._working: dict[Key, Future[bytes]] = {}
        self._lock = threading.Lock()

    def submit(self, text: str, voice: str, speed: float = 1.0) -> Future[bytes]:
        """PCM16 24 kHz of `text`, when the thread has come to it."""
        key = (text[:LONGEST_TEXT], voice, speed)
        kept = self._recall(key)
        if kept is None:
            return self._begun(key)
        done: Future[bytes] = Future()
        done.set_result(kept)
        return done

    def _begun(self, key: Key) -> Future[bytes]:
        """The work on `key`: what is being said already is not said twice."""
        with self._lock:
            work = self._working.get(key)
            if work is None:
                work = self._working[key] = self._thread.submit(self._speak, key)
        work.add_done_callback(lambda done: self._working.pop(key, None))
        return work

    def speak(self, text: str, voice: str, speed: float = 1.0) -> bytes:
        """PCM16 24 kHz of `text`; waits for it."""
        return self.submit(text, voice, speed).result()

    def _recall(self, key: Key) -> bytes | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _remember(self, key: Key, pcm: bytes) -> None:
        with self._lock:
            self._kept[key] = pcm
            while sum(map(len, self._kept.values())) > KEPT_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)

    def _speak(self, key: Key) -> bytes:
        text, voice, speed = key
        sound = VOICES.get(voice, OTHER_VOICE)
        engine = None if self._fallback else espeak()
        if engine is None:
            samples = tones(text, sound, speed)
        else:
            with _one_at_a_time:
                spoken = engine.speak(text, sound, speed)
            samples = resample(spoken, engine.rate, RATE)
        pcm = pcm_from_samples(samples)
        self._remember(key, pcm)
        return pcm


@cache
def shared() -> Speaker:
    """The speaker of this process: eSpeak has one state, so there is one thread for it."""
    return Speaker()
