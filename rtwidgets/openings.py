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
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from .audio import Samples
from .errors import Misuse
from .events import Event, assistant_text, item_create, response_create, session_update, text_field


@dataclass(frozen=True)
class Opening:
    """The shape of every opening; by itself it opens with nothing.

    Attributes:
        name: what a person calls it.
        heard: whether the server's reply is awaited (and heard) when the session opens.
        audio: samples to play on this side, int16 mono 24 kHz, or None.
    """

    name: ClassVar[str] = "Opening"
    heard: ClassVar[bool] = True
    audio: ClassVar[Samples | None] = None

    def session(self) -> Event:
        """Fields merged into the first `session.update`."""
        return {}

    def events(self, session: Event) -> list[Event]:
        """The first client events, given the session as the server confirmed it."""
        return []

    def react(self, event: Event) -> list[Event]:
        """Further client events, on a server event or on one of playback. None by default."""
        return []

    def __str__(self) -> str:
        fields = self.session()
        first = [session_update(**fields)] if fields else []
        events = first + self.events({})
        lines = [json.dumps(event, indent=2, ensure_ascii=False) for event in events]
        first_words = "sends first:" if lines else "sends nothing first."
        later = "" if type(self).react is not Opening.react else "Later: nothing."
        return "\n".join(part for part in (f"{self!r} {first_words}", *lines, later) if part)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        # Not _repr_pretty_: IPython takes a subclass's generated __repr__ before it.
        return {"text/plain": str(self)}


@dataclass(frozen=True)
class WaitForUser(Opening):
    """The model stays silent until someone speaks or types.

    This is what the API does by itself: nothing is generated on connect.
    """

    name: ClassVar[str] = "Wait for the user"
    heard: ClassVar[bool] = False


@dataclass(frozen=True)
class ScriptedGreeting(Opening):
    """A sentence written into the conversation as the assistant's: remembered, exact, and silent.

    The item's content must be `output_text`; `input_text`, which a support bot once advised, is
    refused ("Invalid value: 'input_text'. Value must be 'output_text'.", live 2026-08-19). No
    response is made, so nothing is heard and nothing is billed until the next turn reads it as
    text.
    """

    text: str
    name: ClassVar[str] = "Scripted greeting (silent)"
    heard: ClassVar[bool] = False

    def events(self, session: Event) -> list[Event]:
        return [item_create(assistant_text(self.text))]


@dataclass(frozen=True)
class SpokenGreeting(Opening):
    """The model is told to say exactly this: heard, remembered, and usually but never surely exact.

    OpenAI's recipe for speech without context: `input: []`, so that nothing else is in its view,
    and no tools. The words stay in the conversation. The model may still add, translate or go on.
    """

    text: str
    name: ClassVar[str] = "Spoken greeting (say exactly)"

    def events(self, session: Event) -> list[Event]:
        words = f"Say exactly the following, and nothing else: {self.text}"
        return [response_create(instructions=words, input=[], tool_choice="none")]


@dataclass(frozen=True)
class GeneratedGreeting(Opening):
    """The model greets in its own words, by instructions for this one response.

    They replace the session's instructions for that response: persona, language and rules given
    there are not known to the greeting, unless `join` puts the session's in front.

    Args:
        instructions: what the greeting should do.
        join: keep the session's instructions too.
    """

    instructions: str
    join: bool = False
    name: ClassVar[str] = "Generated greeting"

    def events(self, session: Event) -> list[Event]:
        kept = text_field(session, "instructions") if self.join else ""
        words = f"{kept}\n\n{self.instructions}" if kept else self.instructions
        return [response_create(instructions=words, tool_choice="none")]


@dataclass(frozen=True)
class ModelGreeting(Opening):
    """A bare `response.create` on an empty conversation: the model greets by the session's
    instructions alone. If they do not say to greet, it says whatever it finds fitting, in whatever
    language: pin both in the instructions.
    """

    name: ClassVar[str] = "Model greeting (bare response.create)"

    def events(self, session: Event) -> list[Event]:
        return [response_create()]


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


BUILT_IN: tuple[type[Opening], ...] = (
    WaitForUser,
    ScriptedGreeting,
    SpokenGreeting,
    GeneratedGreeting,
    ModelGreeting,
)
