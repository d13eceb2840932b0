"""Who decides when a turn ends, and what else may be changed while talking: settings into events.

What nobody chose stays as the session has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..dialects import turn_detection_of
from ..endpoints import VOICES
from ..errors import Misuse
from ..events import Event, field, session_update, text_field

PUSH_TO_TALK = "push_to_talk"
SERVER_VAD = "server_vad"
SEMANTIC_VAD = "semantic_vad"
CAPTIONS = "gpt-4o-mini-transcribe"
"""What writes down the user's words: the cheapest of those that are not about to end."""

CHOICES: dict[str, tuple[str, ...]] = {
    "turns": (PUSH_TO_TALK, SERVER_VAD, SEMANTIC_VAD),
    "eagerness": ("auto", "low", "medium", "high"),
    "noise_reduction": ("", "near_field", "far_field"),
    "voice": ("", *VOICES),
}
RANGES: dict[str, tuple[float, float]] = {
    "threshold": (0.0, 1.0),
    "silence_ms": (0, 10_000),
    "speed": (0.25, 1.5),
}
INPUT, OUTPUT = ("audio", "input"), ("audio", "output")


@dataclass(frozen=True)
class TurnSettings:
    """What a person chose at the microphone; None where nothing was chosen.

    Attributes:
        turns: `push_to_talk` (no turn detection), `server_vad` or `semantic_vad`.
        threshold, silence_ms: how loud speech is for server_vad, 0 to 1, and how long a silence
            ends it. eagerness: how soon semantic_vad takes a turn to be over.
        noise_reduction: `near_field`, `far_field`, or empty for none.
        voice: of the assistant; the service takes it before its first sound only.
        speed: of the assistant, 0.25 to 1.5, from the next reply on.
        captions: whether what the user says is written down.
    """

    turns: str = PUSH_TO_TALK
    threshold: float | None = None
    silence_ms: int | None = None
    eagerness: str | None = None
    noise_reduction: str | None = None
    voice: str | None = None
    speed: float | None = None
    captions: bool = True

    @property
    def held(self) -> bool:
        """Whether a person says when a turn begins and ends."""
        return self.turns == PUSH_TO_TALK

    def changed(self, given: Mapping[str, Any]) -> TurnSettings:
        """The same with these chosen. Raises Misuse for what cannot be."""
        known = {one.name for one in fields(self)}
        for name, value in given.items():
            if name not in known or not _possible(name, value):
                raise Misuse(
                    f"The microphone cannot be set to {name}={value!r}. {_possibilities()}"
                )
        return replace(self, **given)

    def without(self, names: set[str]) -> TurnSettings:
        """The same with these not chosen: the service refused them."""
        nothing: dict[str, Any] = dict.fromkeys(names - {"turns"})
        return replace(self, **nothing | ({"captions": False} if "captions" in names else {}))

    def shown(self, session: Event) -> dict[str, Any]:
        """What a page shows: what was chosen, else what the session has."""
        detection = turn_detection_of(session)
        now = {
            "threshold": field(detection, "threshold") or 0.5,
            "silence_ms": field(detection, "silence_duration_ms") or 500,
            "eagerness": text_field(detection, "eagerness") or "auto",
            "noise_reduction": text_field(session, *INPUT, "noise_reduction", "type"),
            "voice": "",
            "speed": field(session, *OUTPUT, "speed") or 1.0,
        }
        chosen = {one.name: getattr(self, one.name) for one in fields(self)}
        return now | {name: value for name, value in chosen.items() if value is not None}

    def detection(self, now: Any) -> Event | None:
        """The `turn_detection` to have, given the session's: of the same kind, what is not chosen
        here stays (`prefix_padding_ms`, `idle_timeout_ms`, `create_response`, …)."""
        if self.held:
            return None
        chosen: dict[str, Event] = {
            SERVER_VAD: {"threshold": self.threshold, "silence_duration_ms": self.silence_ms},
            SEMANTIC_VAD: {"eagerness": self.eagerness},
        }
        own = {name: value for name, value in chosen[self.turns].items() if value is not None}
        kept = now if isinstance(now, dict) and now.get("type") == self.turns else {}
        return {**kept, "type": self.turns, **own}


@dataclass(frozen=True)
class Update:
    """One `session.update` and the settings it is about, which a refusal takes back.

    Attributes:
        between: whether it has to wait until no reply is being made.
    """

    event: Event
    names: frozenset[str]
    between: bool = False


def updates(settings: TurnSettings, session: Event, *, turns: bool) -> list[Update]:
    """What to send so that the session is as it was chosen; nothing where it is.

    Captions, voice and speed go by themselves: a refusal takes back all that an update holds.

    Args:
        session: the configuration as the server last stated it.
        turns: whether turn detection and captions are to be looked after too.
    """
    wanted = []
    ear = _ear(settings, session, turns)
    if ear:
        names = frozenset({"threshold", "silence_ms", "eagerness", "noise_reduction"})
        wanted.append(Update(session_update(audio={"input": ear}), names))
    writer = text_field(session, *INPUT, "transcription", "model")
    if turns and settings.captions == (not writer) and writer in ("", CAPTIONS):
        transcription = {"model": CAPTIONS} if settings.captions else None
        captions = session_update(audio={"input": {"transcription": transcription}})
        wanted.append(Update(captions, frozenset({"captions"})))
    if settings.voice and settings.voice != text_field(session, *OUTPUT, "voice"):
        voice = session_update(audio={"output": {"voice": settings.voice}})
        wanted.append(Update(voice, frozenset({"voice"})))
    if settings.speed is not None and settings.speed != (field(session, *OUTPUT, "speed") or 1.0):
        speed = session_update(audio={"output": {"speed": settings.speed}})
        wanted.append(Update(speed, frozenset({"speed"}), between=True))
    return wanted


def _ear(settings: TurnSettings, session: Event, turns: bool) -> Event:
    ear: Event = {}
    noise = text_field(session, *INPUT, "noise_reduction", "type")
    if settings.noise_reduction is not None and settings.noise_reduction != noise:
        kind = settings.noise_reduction
        ear["noise_reduction"] = {"type": kind} if kind else None
    if not turns:
        return ear
    now = turn_detection_of(session)
    wanted = settings.detection(now)
    if wanted != now:
        ear["turn_detection"] = wanted
    return ear


def _possible(name: str, value: Any) -> bool:
    if name == "captions":
        return isinstance(value, bool)
    if value is None:
        return name != "turns"
    if name in CHOICES:
        return value in CHOICES[name]
    least, most = RANGES[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and least <= value <= most and (name != "silence_ms" or value == int(value))


def _possibilities() -> str:
    lists = [f"{name}: {', '.join(filter(None, values))}" for name, values in CHOICES.items()]
    ranges = [f"{name}: {least:g} to {most:g}" for name, (least, most) in RANGES.items()]
    return f"There are {'; '.join([*lists, *ranges])}; captions: True or False."
