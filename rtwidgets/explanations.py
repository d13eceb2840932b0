"""What is sent and what is refused, in words: what a server's error means and what to do next, and
what a client event does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .events import Event, text_field
from .events import field as value_at

# By code, where the code says it all. Sources: recorded refusals of the GA server, 2026.
_BY_CODE = {
    "invalid_api_key": (
        "The server does not know this key. "
        "Check OPENAI_API_KEY, key=, headers= or rtwidgets.ask_key()."
    ),
    "insufficient_quota": (
        "The account behind this key has no quota left. Check its plan and billing."
    ),
    "billing_hard_limit_reached": (
        "The account reached its spending limit. Raise it, or use rtwidgets.Simulated()."
    ),
    "invalid_model": (
        "This model does not speak the Realtime protocol. Choose one of rtwidgets.endpoints.MODELS."
    ),
    "missing_model": "The address needs ?model=…; pass model= to the session.",
    "beta_api_shape_disabled": (
        "The beta protocol ended in May 2026. Remove the OpenAI-Beta header and use GA names."
    ),
    "conversation_already_has_active_response": (
        "Only one response at a time: wait for response.done, or cancel the one that is speaking."
    ),
    "response_cancel_not_active": (
        "There was nothing left to cancel: the reply had ended already. Harmless."
    ),
    "input_audio_buffer_commit_empty": (
        "A spoken turn needs at least 100 ms of audio. With turn detection on, the server may have "
        "committed it already; then this is harmless."
    ),
    "cannot_update_voice": (
        "The voice is fixed once the assistant has spoken, and the whole update was refused, its "
        "instructions too. Choose the voice before the first word, or start a new session."
    ),
    "cannot_update_speed": "The speed changes between replies: wait for response.done.",
    "cannot_update_model": (
        "The model is chosen with the address and stays for the session. Start a new one for "
        "another."
    ),
    "unsupported_parameter": "This model does not take that field; another may.",
    "invalid_parameter": (
        "A session stays of the type that it was opened with: realtime, or transcription."
    ),
    "item_delete_invalid_item_id": "Nothing was deleted: the item is gone, or never was.",
    "item_retrieve_invalid_item_id": "The item is gone, or never was.",
    "item_truncate_invalid_item_id": "Nothing was cut: the item is gone, or never was.",
    "item_reference_invalid_item_id": (
        "An item_reference names an item of this conversation; this one is gone, or never was."
    ),
    "item_create_duplicate_item_id": (
        "Nothing was added. Choose another id, or leave it out: the server makes one of its own."
    ),
    "item_create_invalid_previous_item_id": (
        "Nothing was added. Leave previous_item_id out to append, or name an item that is there."
    ),
    "unsupported_content_type": (
        "Only what the model spoke can be truncated; an item of text is deleted and written anew."
    ),
    "session_expired": "A session lasts at most 60 minutes. Start again for a new one.",
    "rate_limit_exceeded": (
        "The account's limit of tokens a minute is reached. Wait a little and try again."
    ),
    "invalid_json": "What was sent is not JSON. Check quotes and commas.",
    "unknown_parameter": (
        "The server knows no such field here. Compare the name with the GA protocol."
    ),
    "missing_required_parameter": (
        "A field that the server needs is missing; add it at the place it names."
    ),
    "invalid_tool_call_id": (
        "The output answers a call that is not in the conversation. Use the call_id of the call."
    ),
    "invalid_approval_request_id": (
        "Nobody asked for this approval. Use the id of the item mcp_approval_request."
    ),
}

_ASSISTANT_CONTENT = re.compile(r"^Invalid value: '(\w+)'\. Value must be 'output_text'\.$")


def explain(error: Event) -> str | None:
    """What an `error` event's content means for the person who caused it; None if nothing is
    known."""
    message = text_field(error, "message")
    wrong = _ASSISTANT_CONTENT.match(message)
    if wrong:
        return (
            f"An assistant message says output_text, not {wrong[1]}. Nothing was added to the "
            f"conversation. "
            "With output_text it is accepted, and stays silent: it is remembered, not spoken."
        )
    if message.startswith("Invalid modalities"):
        return (
            "A GA session speaks or writes, not both: ['audio'], which has a transcript too, "
            "or ['text']."
        )
    if "string does not match pattern" in message:
        return "A name has letters, digits, _ and - only: no dots, no blanks."
    return _BY_CODE.get(text_field(error, "code"))


# ---------------------------------------------------------------- what a client event means


@dataclass(frozen=True)
class Meaning:
    """What a client event does, in sentences; a text is empty where there is nothing to say.

    Attributes:
        does: what it asks of the server.
        answer: the server events that it brings.
        heard: whether anything sounds.
        remembered: what of it the conversation keeps.
        costs: what it is billed for.
    """

    does: str
    answer: str = ""
    heard: str = ""
    remembered: str = ""
    costs: str = ""


_RESPONSE = "response.created, its items and deltas, response.done with the usage."
_ITEM = "conversation.item.added and conversation.item.done; no response."
_LATER = "Nothing now; its text is read, and billed, with every later response."
_WHOLE = "session.updated with the whole session, or an error: then nothing of it was applied."

# By the form of the event; the first that fits explains it. Sources: facts §1.1, §1.4, §1.5, §2.
_MEANINGS: tuple[tuple[str, Callable[[Event], bool], Meaning], ...] = (
    (
        "session.update",
        lambda event: _detection(event) is None and _has_detection(event),
        Meaning(
            "Switches turn detection off, so that nothing spoken interrupts. A spoken turn is then "
            "ended by input_audio_buffer.commit and answered only on response.create.",
            _WHOLE,
        ),
    ),
    (
        "session.update",
        lambda event: value_at(_detection(event), "idle_timeout_ms") is not None,
        Meaning(
            "Lets the server speak up when nobody has spoken for idle_timeout_ms, counted from the "
            "end of the last reply's playback. That it brings a first word is unproven.",
            f"{_WHOLE} Later input_audio_buffer.timeout_triggered, an empty user item, a response.",
            "Perhaps, and never at once.",
            "What it says, and an empty user item before it.",
            "One response each time.",
        ),
    ),
    (
        "session.update",
        lambda event: bool(_detection(event)),
        Meaning(
            "Switches turn detection on: the server hears by itself when a turn begins, which "
            "interrupts a reply, and when it ends, which brings one.",
            _WHOLE,
        ),
    ),
    (
        "session.update",
        lambda event: True,
        Meaning("Changes the settings that it names; the others stay as they are.", _WHOLE),
    ),
    (
        "conversation.item.create",
        lambda event: text_field(event, "item", "role") == "assistant",
        Meaning(
            "Writes words into the conversation as the assistant's own, without making them sound.",
            _ITEM,
            "No.",
            "Yes, exactly as written, as text.",
            _LATER,
        ),
    ),
    (
        "conversation.item.create",
        lambda event: text_field(event, "item", "role") == "user",
        Meaning(
            "Puts a message into the conversation as if the user had said it.",
            _ITEM,
            "No.",
            "Yes, as the user's words, until it is deleted.",
            _LATER,
        ),
    ),
    (
        "conversation.item.create",
        lambda event: text_field(event, "item", "role") == "system",
        Meaning(
            "Puts a message of the developer's into the conversation: an instruction at one place "
            "of it rather than above all.",
            _ITEM,
            "No.",
            "Yes, as an instruction, until it is deleted.",
            _LATER,
        ),
    ),
    (
        "conversation.item.create",
        lambda event: text_field(event, "item", "type") == "function_call_output",
        Meaning(
            "Hands in what a tool answered. The model takes it up only in a response that is asked "
            "for.",
            _ITEM,
            "No.",
            "Yes, with the call that it answers.",
            _LATER,
        ),
    ),
    (
        "conversation.item.create",
        lambda event: True,
        Meaning("Adds an item to the conversation.", _ITEM, "No.", "Yes.", _LATER),
    ),
    (
        "response.create",
        lambda event: value_at(event, "response", "conversation") == "none",
        Meaning(
            "Asks for a response outside the conversation. It may be made while another is active.",
            f"{_RESPONSE} No conversation.item events, and conversation_id null.",
            "Yes, if the modality is audio.",
            "No: add its words as an item where the model shall know them.",
            "One response: what it is given to read, and what it says.",
        ),
    ),
    (
        "response.create",
        lambda event: value_at(event, "response", "input") == [],
        Meaning(
            "Asks for a response that sees nothing of the conversation, only its instructions. "
            "Told what to say, it usually says just that; it is never sure to.",
            _RESPONSE,
            "Yes, if the modality is audio.",
            "Yes, what was said; not the instructions.",
            "One response with the smallest input there is.",
        ),
    ),
    (
        "response.create",
        lambda event: isinstance(value_at(event, "response", "input"), list),
        Meaning(
            "Asks for a response that sees these items in place of the conversation.",
            _RESPONSE,
            "Yes, if the modality is audio.",
            "Yes, what was said; not the items of the input.",
            "One response; the items of the input once.",
        ),
    ),
    (
        "response.create",
        lambda event: bool(text_field(event, "response", "instructions")),
        Meaning(
            "Asks for a response by instructions of its own, which replace the session's this "
            "once.",
            _RESPONSE,
            "Yes, if the modality is audio.",
            "Yes, what was said; not the instructions.",
            "One response: instructions and conversation to read, and what it says.",
        ),
    ),
    (
        "response.create",
        lambda event: True,
        Meaning(
            "Asks for a response by the session's instructions and the conversation so far.",
            _RESPONSE,
            "Yes, if the modality is audio.",
            "Yes, with its sound.",
            "One response: instructions and conversation to read, and what it says.",
        ),
    ),
    (
        "conversation.item.delete",
        lambda event: True,
        Meaning(
            "Takes an item out of the conversation: later responses do not see it, nor is it "
            "billed with them.",
            "conversation.item.deleted, or an error where there is no such item.",
            remembered="No longer.",
            costs="Nothing; but what was cached behind the item must be read anew.",
        ),
    ),
    (
        "conversation.item.truncate",
        lambda event: True,
        Meaning(
            "Cuts a spoken reply to what was heard, so that the model remembers no more than that.",
            "conversation.item.truncated; the transcript of the item is gone with it.",
            remembered="What was heard until audio_end_ms.",
        ),
    ),
    (
        "conversation.item.retrieve",
        lambda event: True,
        Meaning("Asks for an item as the server has it.", "conversation.item.retrieved."),
    ),
    (
        "response.cancel",
        lambda event: True,
        Meaning(
            "Stops the response that is being made.",
            "response.done with status cancelled, or an error where none is active.",
            costs="What was made until then.",
        ),
    ),
    (
        "input_audio_buffer.append",
        lambda event: True,
        Meaning(
            "Lets the server hear a piece of sound.",
            "Nothing; turn detection may answer with input_audio_buffer.speech_started.",
            costs="Nothing until it is part of a turn.",
        ),
    ),
    (
        "input_audio_buffer.commit",
        lambda event: True,
        Meaning(
            "Ends a spoken turn: what was appended becomes an item of the user's.",
            "input_audio_buffer.committed, conversation.item.added and .done; no response.",
            remembered="Yes, as the user's speech.",
            costs="Its audio, with every later response.",
        ),
    ),
    (
        "input_audio_buffer.clear",
        lambda event: True,
        Meaning("Throws away what was appended and not committed.", "input_audio_buffer.cleared."),
    ),
)


def meaning_of(event: Event) -> Meaning:
    """What a client event means, from the table above; an empty-handed sentence for an unknown
    one."""
    kind = text_field(event, "type")
    for type_, fits, meaning in _MEANINGS:
        if type_ == kind and fits(event):
            return meaning
    return Meaning(f"Sends {kind or 'an event without a type'}, which is none of the protocol's.")


def _detection(event: Event) -> Any:
    return value_at(event, "session", "audio", "input", "turn_detection")


def _has_detection(event: Event) -> bool:
    heard = value_at(event, "session", "audio", "input")
    return isinstance(heard, dict) and "turn_detection" in heard
