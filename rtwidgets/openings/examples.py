"""One opening of each kind, as a page offers them before anyone has written a word."""

from __future__ import annotations

from pathlib import Path

from ..events import user_text
from .base import Opening
from .silent import IdleGreeting, RecordedGreeting, ScriptedGreeting, WaitForUser
from .spoken import (
    ContextGreeting,
    GeneratedGreeting,
    ModelGreeting,
    OutOfBandGreeting,
    SeededGreeting,
    SpokenGreeting,
)

FIRST_WORDS = {
    "text": "Welcome to the museum! Shall I show you the fossils?",
    "instructions": "You guide visitors through a museum. Greet one, and offer a tour.",
    "prompt": "A visitor has come in. Greet them, and offer a tour.",
}
"""What stands in an opening's field of that name before anyone writes there."""

RECORDING = Path(__file__).with_name("welcome.wav")
"""`FIRST_WORDS["text"]`, spoken by eSpeak NG."""


def examples(text: str | None = None) -> tuple[Opening, ...]:
    """One of each kind, in the order in which they are offered; with a script of one's own, but
    for the recording, which says what it says."""
    text, instructions = text or FIRST_WORDS["text"], FIRST_WORDS["instructions"]
    return (
        WaitForUser(),
        ScriptedGreeting(text),
        SpokenGreeting(text),
        GeneratedGreeting(instructions),
        ModelGreeting(),
        SeededGreeting(FIRST_WORDS["prompt"]),
        ContextGreeting([user_text("My name is Kim, and I like fossils. Greet me.")]),
        OutOfBandGreeting(instructions),
        RecordedGreeting(RECORDING, FIRST_WORDS["text"]),
        IdleGreeting(6000),
    )
