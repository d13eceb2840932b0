"""What is accepted and may yet surprise: one table, a sentence a row (facts §1.4, §2, §3)."""

from __future__ import annotations

from collections.abc import Callable

from ..events import Event, field, text_field
from .state import State

Fits = Callable[[Event, "State | None"], bool]

_NOTES: tuple[tuple[str, Fits, str], ...] = (
    (
        "conversation.item.create",
        lambda event, state: text_field(event, "item", "role") == "assistant",
        "It is silent: the words are remembered as the assistant's, and nothing is spoken. To have "
        "them heard, ask for a response (SpokenGreeting) or play a recording (RecordedGreeting).",
    ),
    (
        "conversation.item.create",
        lambda event, state: text_field(event, "item", "role") in ("user", "system"),
        "It brings no reply by itself: send response.create behind it.",
    ),
    (
        "conversation.item.create",
        lambda event, state: text_field(event, "item", "type") == "function_call_output",
        "The model takes it up only in a response that is asked for: send response.create behind "
        "it.",
    ),
    (
        "response.create",
        lambda event, state: state is None and field(event, "response", "conversation") != "none",
        "Only one response at a time: while one is active this is refused "
        "(conversation_already_has_active_response).",
    ),
    (
        "response.create",
        lambda event, state: (
            bool(text_field(event, "response", "instructions"))
            and field(event, "response", "conversation") != "none"
        ),
        "Its instructions replace the session's for this response: persona, language and rules "
        "given there are not known to it.",
    ),
    (
        "response.create",
        lambda event, state: field(event, "response", "input") == [],
        "With an empty input it sees nothing of the conversation; what it says is added to it all "
        "the same.",
    ),
    (
        "response.create",
        lambda event, state: field(event, "response", "conversation") == "none",
        "Outside the conversation nothing is remembered: add its words as an item where the model "
        "shall know them.",
    ),
    (
        "session.update",
        lambda event, state: field(event, "session", "instructions") == "",
        "Empty instructions do not clear them: the server's own default comes back.",
    ),
    (
        "session.update",
        lambda event, state: (
            field(event, "session", "audio", "output", "voice") is not None
            and not (state is not None and state.conversation is not None)
        ),
        "Once the assistant has spoken, another voice is refused, and the whole update with it.",
    ),
    (
        "session.update",
        lambda event, state: _switches_detection_off(event),
        "With turn detection off, end each spoken turn by input_audio_buffer.commit and ask for "
        "the reply by response.create.",
    ),
    (
        "session.update",
        lambda event, state: _detection(event, "create_response") is False,
        "create_response false alone still lets speech interrupt a reply; for that there is "
        "interrupt_response.",
    ),
    (
        "session.update",
        lambda event, state: _detection(event, "idle_timeout_ms") is not None,
        "It counts from the end of the last reply, so it prompts again; that it brings a first "
        "word is unproven.",
    ),
    (
        "session.update",
        lambda event, state: field(event, "session", "prompt") is not None,
        "Stored prompts end on 2026-11-30.",
    ),
    (
        "session.update",
        lambda event, state: state is None and field(event, "session", "reasoning") is not None,
        "Only the models that reason take it; gpt-realtime refuses the whole update.",
    ),
    (
        "conversation.item.truncate",
        lambda event, state: True,
        "The transcript of the item is deleted with the sound that nobody heard.",
    ),
    (
        "input_audio_buffer.commit",
        lambda event, state: state is None or state.log is None,
        "At least 100 ms of audio must have been appended; with turn detection on, the server may "
        "have committed it already.",
    ),
    (
        "input_audio_buffer.commit",
        lambda event, state: True,
        "It brings no reply: send response.create behind it.",
    ),
    (
        "input_audio_buffer.append",
        lambda event, state: True,
        "There is no acknowledgement.",
    ),
    (
        "session.close",
        lambda event, state: True,
        "The server names it among its types, and nothing documents it.",
    ),
    (
        "session.input_audio_buffer.append",
        lambda event, state: True,
        "The server names it among its types, and nothing documents it: "
        "input_audio_buffer.append is the documented one.",
    ),
)


def notes_on(event: Event, state: State | None) -> tuple[str, ...]:
    """What is worth knowing about an event that is accepted."""
    kind = event.get("type")
    return tuple(text for type_, fits, text in _NOTES if type_ == kind and fits(event, state))


def _detection(event: Event, key: str) -> object:
    return field(event, "session", "audio", "input", "turn_detection", key)


def _switches_detection_off(event: Event) -> bool:
    heard = field(event, "session", "audio", "input")
    return isinstance(heard, dict) and "turn_detection" in heard and heard["turn_detection"] is None
