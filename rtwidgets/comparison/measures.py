"""What one trial shows: every number from its log alone, so that anybody can have it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..conversation import Conversation
from ..events import error_of, text_field
from ..events import field as value_at
from ..items import Item
from ..log import EventLog
from ..log.rows import Row, Rows
from ..money.metering import bill
from ..pricing import Tokens, tokens_of
from ..report import ResponseRow, responses
from . import words
from .marks import FAILED, OPENED, PROBE_MARK, Setup

Heard = Literal["audio", "text", "played here", "silent"]
Interruption = Literal["not tried", "interrupted", "spoken through", "nothing to interrupt"]

KNOWN_FROM = 0.6
"""Share of the greeting's words that an answer must hold to count as knowing it: an answer may say
"I welcomed you and offered the fossils", or leave out a name."""


@dataclass(frozen=True)
class Measures:
    """One trial in numbers. Seconds count from when the server had confirmed the settings.

    Attributes:
        heard: whether a person would hear the greeting, from where, or read it, or neither.
        created, first_text, first_audio: seconds to `response.created`, to the first words and to
            the first sound; None for what did not come.
        speech: seconds of speech.
        said: the greeting's words, heard or silent.
        likeness: of these words to the script, 0 to 1; None without a script.
        greetings: how often the model spoke or wrote by itself. More than one is a fault.
        status: of the last of these responses; empty without one.
        tokens, cost: of the opening alone, without the probe; US dollars, None where unknown.
        items: what it left in the conversation, a line each.
        answer: what the model says when it is asked what it said; empty where it was not asked.
        knows: whether that answer holds the greeting; None where there was nothing to know.
        interruption: what happened when somebody spoke over it.
        errors: what the server or this side complained of.
    """

    setup: Setup
    simulated: bool
    heard: Heard
    created: float | None
    first_text: float | None
    first_audio: float | None
    speech: float
    said: str
    likeness: float | None
    greetings: int
    status: str
    tokens: Tokens
    cost: float | None
    items: tuple[str, ...]
    answer: str
    knows: bool | None
    interruption: Interruption
    errors: tuple[str, ...]


def measure(log: EventLog) -> Measures:
    """The measures of a trial's log. Tolerant: what did not happen is None, empty or nought."""
    setup = Setup.of(log) or Setup("")
    opening = _until_opened(log)
    zero = ready(log)
    greeted = list(responses(opening))
    conversation = _played(opening)
    spoken_ms = sum(one.audio_ms for one in greeted)
    said = " ".join(one.text for one in greeted if one.text) or _silent_words(conversation)
    answer = _answer(log)
    used = [tokens for one in greeted if (tokens := tokens_of(one.usage)) is not None]

    def after(times: Iterable[float | None]) -> float | None:
        # In microseconds, as a file keeps them: the same numbers come from it again.
        came = [round(round(time, 6) - round(zero, 6), 6) for time in times if time is not None]
        return min(came, default=None)

    return Measures(
        setup=setup,
        simulated=log.simulated,
        heard=_heard(setup, spoken_ms, greeted),
        created=after(one.created_t for one in greeted),
        first_text=after(one.first_text_t for one in greeted),
        first_audio=after(one.first_audio_t for one in greeted),
        speech=(spoken_ms or setup.plays_ms) / 1000,
        said=said,
        likeness=words.similarity(setup.script, said) if setup.script else None,
        greetings=len(greeted),
        status=greeted[-1].status if greeted else "",
        tokens=sum(used, Tokens()),
        cost=bill(opening).dollars,
        items=tuple(_line_of(item) for item in conversation.items),
        answer=answer,
        knows=words.coverage(said, answer) >= KNOWN_FROM if said and answer else None,
        interruption=_interruption(log, setup, greeted),
        errors=_errors(log),
    )


def _until_opened(log: Rows) -> Rows:
    mark = next(iter(log.where(type=OPENED)), None)
    return log if mark is None else log[: mark.seq]


def ready(log: Rows) -> float:
    """When the settings stood: from here on nothing but the opening takes time."""
    for type_ in ("session.updated", "session.created"):
        row = next(iter(log.where(type=type_)), None)
        if row is not None:
            return row.t
    return log[0].t if len(log) else 0.0


def _played(opening: Rows) -> Conversation:
    conversation = Conversation()
    for row in opening.where(direction="server"):
        if row.event is not None:
            conversation.receive(row.event)
    return conversation


def _silent_words(conversation: Conversation) -> str:
    """What stands there as said by the assistant without a response."""
    silent = (item for item in conversation.items if item.role == "assistant")
    return next((item.text for item in silent if not item.response_id), "")


def _heard(setup: Setup, spoken_ms: int, greeted: Sequence[ResponseRow]) -> Heard:
    if spoken_ms:
        return "audio"
    if setup.plays_ms:
        return "played here"
    return "text" if any(one.text for one in greeted) else "silent"


def _line_of(item: Item) -> str:
    who = item.role or item.type
    how = "" if item.role != "assistant" else " (spoken)" if item.audio_ms else " (text)"
    return f"{who}{how}: {item.text}" if item.text else f"{who}{how}"


def _answer(log: Rows) -> str:
    """What the model said when it was asked what it said."""
    asked = log.where(type="response.create", direction="client", text=next(iter(PROBE_MARK)))
    ask = next((row for row in asked if _mark_of(row) == PROBE_MARK), None)
    began = (row for row in log.where(type="response.created") if ask and row.cause == ask)
    ids = {row.response_id for row in began}
    return next((one.text for one in responses(log) if one.response_id in ids), "")


def _mark_of(row: Row) -> object:
    return value_at(row.event, "response", "metadata")


def _interruption(log: Rows, setup: Setup, greeted: Sequence[ResponseRow]) -> Interruption:
    if setup.kind != "interruption":
        return "not tried"
    if any(one.reason == "turn_detected" for one in greeted):
        return "interrupted"
    window = _playing(log, setup, greeted)
    if window is None:
        return "nothing to interrupt"
    begins, ends = window
    started = log.where(type="input_audio_buffer.speech_started")
    return "interrupted" if any(begins <= row.t <= ends for row in started) else "spoken through"


def _playing(log: Rows, setup: Setup, greeted: Sequence[ResponseRow]) -> tuple[float, float] | None:
    """From when to when the greeting would be heard, were it played as it came."""
    spoken = [one for one in greeted if one.first_audio_t is not None]
    if spoken and spoken[0].first_audio_t is not None:
        begins = spoken[0].first_audio_t
        return begins, begins + sum(one.audio_ms for one in spoken) / 1000
    if setup.plays_ms:
        begins = ready(log)
        return begins, begins + setup.plays_ms / 1000
    return None


def _errors(log: Rows) -> tuple[str, ...]:
    said = []
    for row in log.where(type=("error", FAILED, "line.lost", "opening.failed", "response.done")):
        said += _complaint(row)
    return tuple(dict.fromkeys(said))


def _complaint(row: Row) -> list[str]:
    event = row.event or {}
    if row.direction == "local":
        return [text_field(event, "message")]
    if row.type == "response.done":
        message = text_field(event, "response", "status_details", "error", "message")
        return [message] if message else []
    return [text_field(error_of(event), "message")]
