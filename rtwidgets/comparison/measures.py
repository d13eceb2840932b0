"""What one trial shows: every number from its log alone, so that anybody can have it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..conversation import Conversation
from ..events import error_of, text_field
from ..events import field as value_at
from ..items import Item
from ..log import EventLog
from ..log.rows import Row, Rows, View
from ..money.metering import bill
from ..pricing import Tokens, tokens_of
from ..report import ResponseRow, responses
from . import words
from .marks import FAILED, PROBE_MARK, Setup

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
        likeness: of these words to the script, 0 to 1; None without a script, or a session.
        greetings: how often the model spoke or wrote by itself. More than one is a fault.
        status: of the last response of the opening; empty without one.
        tokens, cost: of the opening alone, without the probe; US dollars. None where a response
            did not say what it used, or has no price.
        items: what it left in the conversation, a line each.
        answer: what the model says when it is asked what it said; empty where it was not asked.
        knows: whether that answer holds the greeting; None where there was nothing to know, or the
            answer was cut short.
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
    tokens: Tokens | None
    cost: float | None
    items: tuple[str, ...]
    answer: str
    knows: bool | None
    interruption: Interruption
    errors: tuple[str, ...]


def measure(log: EventLog) -> Measures:
    """The measures of a trial's log. Tolerant: what did not happen is None, empty or nought."""
    setup = Setup.of(log) or Setup("")
    met = bool(len(log.where(type="session.created", direction="server")))
    plays_ms = setup.plays_ms if met else 0
    asked = _asked(log)
    opening = without_probe(log)
    zero = ready(log)
    greeted = list(responses(opening))
    conversation = Conversation.of(opening)
    spoken_ms = sum(one.audio_ms for one in greeted)
    said = " ".join(one.text for one in greeted if one.text) or _silent_words(conversation)
    reply = next((one for one in responses(log) if one.response_id in asked), None)
    answer = reply.text if reply is not None else ""
    whole = reply is not None and reply.status == "completed"

    def after(times: Iterable[float | None]) -> float | None:
        # In microseconds, as a file keeps them: the same numbers come from it again.
        came = [round(round(time, 6) - round(zero, 6), 6) for time in times if time is not None]
        return min(came, default=None)

    return Measures(
        setup=setup,
        simulated=log.simulated,
        heard=_heard(plays_ms, spoken_ms, greeted),
        created=after(one.created_t for one in greeted),
        first_text=after(one.first_text_t for one in greeted),
        first_audio=after(one.first_audio_t for one in greeted),
        speech=(spoken_ms or plays_ms) / 1000,
        said=said,
        likeness=words.similarity(setup.script, said) if setup.script and met else None,
        greetings=sum(bool(one.audio_ms or one.text) for one in greeted),
        status=greeted[-1].status if greeted else "",
        tokens=_used(greeted),
        cost=bill(opening).dollars,
        items=tuple(_line_of(item) for item in conversation.items),
        answer=answer,
        knows=words.coverage(said, answer) >= KNOWN_FROM if said and answer and whole else None,
        interruption=_interruption(log, setup, plays_ms, greeted),
        errors=_errors(log),
    )


def without_probe(log: EventLog) -> Rows:
    """The rows of a trial that are the opening's: all but the question about it and its answer. A
    greeting that comes when nobody waited for it any more is a greeting too."""
    ids, asked = _asked(log), _question(log)
    items = {row.item_id for row in log if row.item_id and row.response_id in ids}
    mine = [
        row.seq
        for row in log
        if row != asked and row.response_id not in ids and row.item_id not in items
    ]
    return log if len(mine) == len(log) else View(log, np.array(mine, dtype=np.int64))


def ready(log: Rows) -> float:
    """When the settings stood: from here on nothing but the opening takes time."""
    for type_ in ("session.updated", "session.created"):
        row = next(iter(log.where(type=type_)), None)
        if row is not None:
            return row.t
    return log[0].t if len(log) else 0.0


def _silent_words(conversation: Conversation) -> str:
    """What stands there as said by the assistant without a response."""
    silent = (item for item in conversation.items if item.role == "assistant")
    return next((item.text for item in silent if not item.response_id), "")


def _used(greeted: Iterable[ResponseRow]) -> Tokens | None:
    used = [tokens_of(one.usage) for one in greeted]
    known = [tokens for tokens in used if tokens is not None]
    return sum(known, Tokens()) if len(known) == len(used) else None


def _heard(plays_ms: int, spoken_ms: int, greeted: Sequence[ResponseRow]) -> Heard:
    if spoken_ms:
        return "audio"
    if plays_ms:
        return "played here"
    return "text" if any(one.text for one in greeted) else "silent"


def _line_of(item: Item) -> str:
    who = item.role or item.type
    how = "" if item.role != "assistant" else " (spoken)" if item.audio_ms else " (text)"
    return f"{who}{how}: {item.text}" if item.text else f"{who}{how}"


def _question(log: Rows) -> Row | None:
    """Where the model was asked what it said."""
    asked = log.where(type="response.create", direction="client", text=next(iter(PROBE_MARK)))
    return next((row for row in asked if _mark_of(row) == PROBE_MARK), None)


def _asked(log: Rows) -> set[str]:
    """The ids of the responses to that: one, or none yet."""
    ask = _question(log)
    began = log.where(type="response.created") if ask is not None else ()
    return {row.response_id for row in began if row.cause == ask}


def _mark_of(row: Row) -> object:
    return value_at(row.event, "response", "metadata")


def _interruption(
    log: Rows, setup: Setup, plays_ms: int, greeted: Sequence[ResponseRow]
) -> Interruption:
    if setup.kind != "interruption":
        return "not tried"
    if any(one.reason == "turn_detected" for one in greeted):
        return "interrupted"
    speech = log.where(type="input_audio_buffer.append", direction="client")
    if not len(speech):
        return "not tried"  # the line was gone before anybody had spoken
    window = _playing(log, plays_ms, greeted)
    if window is None:
        return "nothing to interrupt"
    begins, ends = window
    started = log.where(type="input_audio_buffer.speech_started")
    if any(begins <= row.t <= ends for row in started):
        return "interrupted"
    refused = any(row.seq > speech[0].seq for row in log.where(type=("error", "line.lost", FAILED)))
    return "not tried" if refused else "spoken through"


def _playing(
    log: Rows, plays_ms: int, greeted: Sequence[ResponseRow]
) -> tuple[float, float] | None:
    """From when to when the greeting would be heard, were it played as it came."""
    spoken = [one for one in greeted if one.first_audio_t is not None]
    if spoken and spoken[0].first_audio_t is not None:
        begins = spoken[0].first_audio_t
        return begins, begins + sum(one.audio_ms for one in spoken) / 1000
    if plays_ms:
        begins = ready(log)
        return begins, begins + plays_ms / 1000
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
