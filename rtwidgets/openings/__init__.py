"""Who speaks first: the ways in which a conversation can open, as small pure objects.

An opening says what it adds to the session's settings, which client events it sends once the server
has confirmed them, and what it does later. It holds no connection and no state: the same object can
open any number of sessions, and printing it prints every event it will send.

One of your own is a class with one method:

    @dataclass(frozen=True)
    class Question(Opening):
        text: str
        def events(self, session):
            return [item_create(user_text(self.text)), response_create()]

A subclass of `Greeting` has the options `protect=` and `wait=` besides. Each says what it gives and
what it takes; "facts §2c" names the section of the project's notes on the protocol that shows it.

    base.py         the shape of an opening, protecting a greeting      rehearsal.py   what it sends
    silent.py       openings without a response of the model's                         later
    spoken.py       openings that ask for one                           explained.py   in words
    examples.py     one of each kind                                    firstwords.py  when it ended
"""

from __future__ import annotations

from ..errors import Misuse
from .base import ENDED, WORDS, Greeting, Opening
from .examples import FIRST_WORDS, RECORDING
from .silent import IdleGreeting, RecordedGreeting, ScriptedGreeting, WaitForUser
from .spoken import (
    SEED,
    ContextGreeting,
    GeneratedGreeting,
    ModelGreeting,
    OutOfBandGreeting,
    SeededGreeting,
    SpokenGreeting,
)

__all__ = [
    "BUILT_IN",
    "ENDED",
    "FIRST_WORDS",
    "RECORDING",
    "SEED",
    "WORDS",
    "ContextGreeting",
    "GeneratedGreeting",
    "Greeting",
    "IdleGreeting",
    "ModelGreeting",
    "Opening",
    "OutOfBandGreeting",
    "RecordedGreeting",
    "ScriptedGreeting",
    "SeededGreeting",
    "SpokenGreeting",
    "WaitForUser",
    "checked",
]

BUILT_IN: tuple[type[Opening], ...] = (
    WaitForUser,
    ScriptedGreeting,
    SpokenGreeting,
    GeneratedGreeting,
    ModelGreeting,
    SeededGreeting,
    ContextGreeting,
    OutOfBandGreeting,
    RecordedGreeting,
    IdleGreeting,
)


def checked(opening: object) -> Opening:
    """`opening`, or the waiting one for None. Raises Misuse for what is no opening."""
    if opening is None:
        return WaitForUser()
    if isinstance(opening, Opening):
        return opening
    if isinstance(opening, type) and issubclass(opening, Opening):
        raise Misuse(f"An opening is an object: write {opening.__name__}(…), with parentheses.")
    raise Misuse(
        f'An opening is an object such as GeneratedGreeting("Greet the visitor."), '
        f"not {type(opening).__name__}."
    )
