"""Openings without a response: nothing, a written sentence, a recording, a timer."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from .. import audio as pcm16
from ..audio import Samples
from ..errors import Misuse
from ..events import Event, assistant_text, item_create, item_delete, text_field
from ..events import field as value_at
from .base import WORDS, Greeting, Opening, checked_words

HEARD = "opening_words_heard"
"""The item that takes the place of `WORDS` when a recording was cut short."""
_WELCOME = "Welcome to the museum!"


@dataclass(frozen=True, repr=False)
class WaitForUser(Opening):
    """The model stays silent until someone speaks or types.

    This is what the API does by itself: nothing is generated on connect. It costs nothing, and
    leaves a person before a silent machine. (facts §2: no capture shows otherwise.)
    """

    name: ClassVar[str] = "Wait for the user"
    heard: ClassVar[bool] = False


@dataclass(frozen=True, repr=False)
class ScriptedGreeting(Opening):
    """A sentence written into the conversation as the assistant's: remembered, exact, and silent.

    The item's content must be `output_text`; `input_text`, which a support bot once advised, is
    refused ("Invalid value: 'input_text'. Value must be 'output_text'.", live 2026-08-19). No
    response is made, so nothing is heard and nothing is billed until the next turn reads it as
    text. In the beta, models answered in text alone after such an item; in GA that is possible,
    and not confirmed. (facts §2a)
    """

    text: str
    name: ClassVar[str] = "Scripted greeting (silent)"
    heard: ClassVar[bool] = False

    @property
    def script(self) -> str:
        return self.text

    def __post_init__(self) -> None:
        checked_words(self.text, "ScriptedGreeting", "text", _WELCOME)

    def events(self, session: Event) -> list[Event]:
        return [item_create(assistant_text(self.text))]


@dataclass(frozen=True, eq=False, repr=False)
class RecordedGreeting(Greeting):
    """A recording plays here at once, while a silent item tells the model what was said.

    The only opening that is exact, heard and immediate, and free until a later turn reads its
    text. The price: the recorded voice is not the model's, the server knows nothing of the sound
    (no barge-in, no truncation of its own), and the text is only as true as whoever wrote it.
    Where the recording is cut short, the item is replaced by one with the words that were heard.
    In a plain Session there is no speaker and nothing sounds. (facts §2h)

    Args:
        audio: a path to a 16-bit wav, samples (int16, or floats in [-1, 1], mono 24 kHz), or bytes
            of a wav or of PCM16.
        text: what is said in it.

    Attributes:
        audio: the samples, int16 mono 24 kHz, shape (n,).
    """

    audio: Any = field()  # type: ignore[misc]  # of the class, None, in every other opening
    text: str
    name: ClassVar[str] = "Recorded greeting"
    heard: ClassVar[bool] = False

    @property
    def script(self) -> str:
        return self.text

    def __post_init__(self) -> None:
        super().__post_init__()
        checked = samples_of(self.audio)
        source = str(self.audio) if isinstance(self.audio, (str, Path)) else ""
        object.__setattr__(self, "audio", checked)
        object.__setattr__(self, "_source", source)
        if not isinstance(self.text, str):
            raise Misuse(
                "RecordedGreeting needs what the recording says as text: "
                f'RecordedGreeting("welcome.wav", "{_WELCOME}").'
            )

    def events(self, session: Event) -> list[Event]:
        return [item_create({"id": WORDS, **assistant_text(self.text)})]

    def react(self, event: Event) -> list[Event]:
        return [*super().react(event), *self._take_back(event)]

    def _take_back(self, event: Event) -> list[Event]:
        """An item of text cannot be truncated ("Only model output audio messages can be
        truncated"): it is written anew, in front of what came since."""
        cut = text_field(event, "type") == "playback.flushed"
        if not cut or text_field(event, "item_id") != WORDS:
            return []
        ms, length = value_at(event, "ms") or 0, 1000 * len(self.audio) / pcm16.RATE
        if ms >= length:
            return []
        # As if all words were spoken evenly; of the last one, only if it was whole.
        words = self.text.split()
        heard = " ".join(words[: int(len(words) * ms / length)])
        kept = {"id": HEARD, **assistant_text(heard)}
        anew = [item_create(kept, previous_item_id="root")] if heard else []
        return [item_delete(WORDS), *anew]

    def __repr__(self) -> str:
        source: str = getattr(self, "_source", "")
        seconds = len(self.audio) / pcm16.RATE
        sound = repr(source) if source else f"<{seconds:.2f} s of audio>"
        options = [f"{name}={value!r}" for name, value in self._given() if name not in _OWN]
        return f"RecordedGreeting({', '.join([sound, repr(self.text), *options])})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecordedGreeting):
            return NotImplemented
        return (self.text, self.protect, self.wait, self.audio.tobytes()) == (
            *(other.text, other.protect, other.wait),
            other.audio.tobytes(),
        )

    def __hash__(self) -> int:
        return hash((self.text, len(self.audio)))


_OWN = ("audio", "text")


@dataclass(frozen=True, repr=False)
class IdleGreeting(Opening):
    """The server speaks up by itself once nobody has spoken for `ms` milliseconds.

    `turn_detection.idle_timeout_ms` counts from the end of the last reply's playback, so it
    prompts again. That it ever brings a first word is unproven: nothing documents it, and no
    recording shows it. Expect silence until someone else has spoken first. Each time it fires it
    leaves an empty user item, and one transcript of such a silence is known that was a made-up
    command. The simulator fires it first only with `idle_before_first_reply=True`. (facts §2g)

    Args:
        ms: milliseconds of silence, 5000 to 30000.
    """

    ms: int
    name: ClassVar[str] = "Idle greeting (unproven as a first word)"
    heard: ClassVar[bool] = False

    def __post_init__(self) -> None:
        whole = isinstance(self.ms, int) and not isinstance(self.ms, bool)
        if not whole or not 5000 <= self.ms <= 30000:
            raise Misuse(
                "IdleGreeting needs whole milliseconds from 5000 to 30000, for example "
                f"IdleGreeting(6000), not {self.ms!r}."
            )

    def session(self) -> Event:
        detection = {"type": "server_vad", "idle_timeout_ms": self.ms}
        return {"audio": {"input": {"turn_detection": detection}}}


def samples_of(sound: object) -> Samples:
    """The samples in a wav (by path or bytes), in PCM16 bytes, or in samples, read-only.

    Raises Misuse for what holds none.
    """
    if isinstance(sound, (str, Path)):
        if not Path(sound).is_file():
            raise Misuse(
                f"There is no recording at {str(sound)!r}. RecordedGreeting takes the path of a "
                "wav, samples, or bytes."
            )
        samples = pcm16.read_wav(sound)
    elif isinstance(sound, (bytes, bytearray, memoryview)):
        samples = _from_bytes(bytes(sound))
    elif sound is None or isinstance(sound, (bool, int, float, dict)):
        raise Misuse(
            f'RecordedGreeting needs its sound first, for example RecordedGreeting("welcome.wav", '
            f'"{_WELCOME}"), not {type(sound).__name__}.'
        )
    else:
        samples = pcm16.samples_from_pcm(pcm16.pcm_from_samples(sound))
    if not len(samples):
        raise Misuse("The recording is empty: there is nothing to play.")
    samples.flags.writeable = False
    return samples


def _from_bytes(sound: bytes) -> Samples:
    if sound[:4] in (b"RIFF", b"RIFX"):
        return pcm16.read_wav(sound)
    return pcm16.samples_from_pcm(sound)
