"""Openings that ask the model for a response: what it is told, what it sees, what stays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..errors import Misuse
from ..events import (
    Event,
    assistant_text,
    item_create,
    item_delete,
    response_create,
    system_text,
    text_field,
    user_text,
)
from .base import Greeting, answer_text, checked_words, is_answer, marked

SEED = "opening_seed"
"""The id of the item that a seeded greeting puts in, by which it is deleted again."""
_ORDER = "Greet the visitor."


@dataclass(frozen=True, repr=False)
class ModelGreeting(Greeting):
    """A bare `response.create` on an empty conversation: the model greets by the session's
    instructions alone. If they do not say to greet, it says whatever it finds fitting, in whatever
    language: pin both in the instructions. (facts §2b: an English "Say a short greeting." came
    back as "Hola, ¿qué tal?")
    """

    name: ClassVar[str] = "Model greeting (bare response.create)"

    def events(self, session: Event) -> list[Event]:
        return [response_create()]


@dataclass(frozen=True, repr=False)
class GeneratedGreeting(Greeting):
    """The model greets in its own words, by instructions for this one response.

    They replace the session's instructions for that response: persona, language and rules given
    there are not known to the greeting, unless `join` puts the session's in front. No tool is
    called. The words are seldom the same twice; they stay in the conversation. (facts §2c)

    Args:
        instructions: what the greeting should do.
        join: keep the session's instructions too.
    """

    instructions: str
    join: bool = False
    name: ClassVar[str] = "Generated greeting"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_words(self.instructions, "GeneratedGreeting", "instructions", _ORDER)

    def events(self, session: Event) -> list[Event]:
        words = joined(session, self.instructions) if self.join else self.instructions
        return [response_create(instructions=words, tool_choice="none")]


@dataclass(frozen=True, repr=False)
class SpokenGreeting(Greeting):
    """The model is told to say exactly this: heard, remembered, and usually but never surely exact.

    OpenAI's recipe for speech without context: `input: []`, so that nothing else is in its view,
    and no tools. It is the cheapest spoken opening, and the words stay in the conversation. The
    model may still add "Sure!", translate or go on, and an equal transcript proves nothing about
    the sound, being generated too: for words that must be exact there is RecordedGreeting.
    (facts §2d, §2f)
    """

    text: str
    name: ClassVar[str] = "Spoken greeting (say exactly)"

    @property
    def script(self) -> str:
        return self.text

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_words(self.text, "SpokenGreeting", "text", "Welcome to the museum!")

    def events(self, session: Event) -> list[Event]:
        words = f"Say exactly the following, and nothing else: {self.text}"
        return [response_create(instructions=words, input=[], tool_choice="none")]


@dataclass(frozen=True, repr=False)
class SeededGreeting(Greeting):
    """A message that asks for the greeting is put into the conversation, then a response asked for.

    The most used way (Twilio's samples and many others): the session's own instructions stay in
    force. But the seed stays too: it is billed with every later turn, and the model believes that
    someone said it, so asked who spoke first it may well name the user. `delete` takes it out
    once the greeting is done. (facts §2e)

    Args:
        prompt: what the seed says.
        role: "user", or "system", which no one mistakes for the user's words.
        delete: delete the seed when the greeting's response is done.
    """

    prompt: str
    role: Literal["user", "system"] = "user"
    delete: bool = False
    name: ClassVar[str] = "Seeded greeting"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_words(self.prompt, "SeededGreeting", "prompt", _ORDER)
        if self.role not in ("user", "system"):
            raise Misuse(
                f'The role of a seed is "user" or "system", not {self.role!r}. '
                "What the assistant shall have said is a ScriptedGreeting."
            )

    def events(self, session: Event) -> list[Event]:
        message = user_text if self.role == "user" else system_text
        mark = {"metadata": marked("seed")} if self.delete else {}
        return [item_create({"id": SEED, **message(self.prompt)}), response_create(**mark)]

    def react(self, event: Event) -> list[Event]:
        done = self.delete and is_answer(event, "seed")
        return [*super().react(event), *([item_delete(SEED)] if done else ())]

    @property
    def reacts(self) -> bool:
        return self.delete or self.protect is not False


@dataclass(frozen=True, repr=False)
class ContextGreeting(Greeting):
    """The greeting's response sees these items and nothing else (`input`), and they stay out of
    the conversation: what is said is remembered, what led to it is not.

    Good for a greeting that depends on much: yesterday's conversation, a customer's record. With
    an assistant's text as the only item one project has it spoken word for word; there is no
    evidence that this is reliable. (facts §2d)

    Args:
        items: as the protocol has them, such as `rt.events.user_text("Greet Kim by name.")`.
        instructions: for this response; they replace the session's. None keeps those.
    """

    items: Sequence[Mapping[str, Any]]
    instructions: str | None = None
    name: ClassVar[str] = "Context greeting"

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.items
        listed = isinstance(given, Sequence) and not isinstance(given, (str, bytes))
        if not listed or not all(isinstance(one, Mapping) and "type" in one for one in given):
            raise Misuse(
                "ContextGreeting needs a list of items, each a dict with its type: "
                'ContextGreeting([rt.events.user_text("Greet Kim by name.")]).'
            )
        # A copy: the opening is a value, whatever becomes of the list it was made from.
        kept = tuple(json.loads(_written(one)) for one in given)
        object.__setattr__(self, "items", kept)
        if self.instructions is not None:
            checked_words(self.instructions, "ContextGreeting", "instructions", _ORDER)

    def events(self, session: Event) -> list[Event]:
        more = {} if self.instructions is None else {"instructions": self.instructions}
        items = [json.loads(_written(one)) for one in self.items]
        return [response_create(input=items, tool_choice="none", **more)]


@dataclass(frozen=True, repr=False)
class OutOfBandGreeting(Greeting):
    """A response outside the conversation (`conversation: "none"`): heard, and forgotten.

    Asked later what it said first, the model honestly does not know. It may be made while another
    response is active, which no other opening can. `remember` adds its words afterwards as a
    silent item, in front of what was said meanwhile: a greeting that the conversation knows as
    text, cheaper on later turns than the audio that other openings leave behind. (facts §2d)

    Args:
        instructions: what the greeting should do; they replace the session's.
        remember: add what was said as an item of the conversation.
        join: keep the session's instructions too.
    """

    instructions: str
    remember: bool = False
    join: bool = False
    name: ClassVar[str] = "Out-of-band greeting"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_words(self.instructions, "OutOfBandGreeting", "instructions", _ORDER)

    def events(self, session: Event) -> list[Event]:
        words = joined(session, self.instructions) if self.join else self.instructions
        aside = {"conversation": "none", "metadata": marked("aside")}
        return [response_create(**aside, instructions=words, tool_choice="none")]

    def react(self, event: Event) -> list[Event]:
        said = answer_text(event) if self.remember and is_answer(event, "aside") else ""
        item = item_create(assistant_text(said), previous_item_id="root")
        return [*super().react(event), *([item] if said else ())]

    @property
    def reacts(self) -> bool:
        return self.remember or self.protect is not False


def joined(session: Event, instructions: str) -> str:
    """The session's instructions and these, the session's first."""
    kept = text_field(session, "instructions")
    return f"{kept}\n\n{instructions}" if kept else instructions


def _written(item: Mapping[str, Any]) -> str:
    try:
        return json.dumps(item, allow_nan=False)
    except (TypeError, ValueError) as problem:
        raise Misuse(f"An item of ContextGreeting cannot be written as JSON: {problem}.") from None
