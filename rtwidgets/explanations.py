"""What a server's error means, in a sentence that says what to do next."""

from __future__ import annotations

import re

from .events import Event, text_field

# By code, where the code says it all. Sources: recorded refusals of the GA server, 2026.
_BY_CODE = {
    "invalid_api_key": (
        "The server does not know this key. Check OPENAI_API_KEY, key= or rtwidgets.ask_key()."
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
    return _BY_CODE.get(text_field(error, "code"))
