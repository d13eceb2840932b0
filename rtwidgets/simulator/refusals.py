"""The words with which the server refuses, one function a family.

The words are the real server's (facts: captures of the live service); where a
family has no capture the words follow OpenAI's other interfaces, and the
function says so. Every function returns a `Refusal`, to be raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

REQUEST_ERROR = "invalid_request_error"
LONGEST_NAME = 10  # characters that a refusal repeats whole


class Refusal(Exception):
    """One `error` event about to be sent. It never leaves the simulator as an exception."""

    def __init__(
        self,
        message: str,
        code: str | None = None,
        param: str | None = None,
        type: str = REQUEST_ERROR,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.param, self.type = message, code, param, type

    def error(self, client_event_id: str | None = None) -> Json:
        """The `error` object of the frame; `client_event_id` is echoed as the server echoes it."""
        return {
            "type": self.type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": client_event_id,
        }


def listed(values: Sequence[str]) -> str:
    """`'a' and 'b'`, `'a', 'b', and 'c'`: the way the server writes a list of choices."""
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + ", and " + quoted[-1]


def alternatives(values: Sequence[str]) -> str:
    """`one of 'a' or 'b'`, `one of 'a', 'b', or 'c'`: how a refusal names what a choice wants.

    Captured on OpenAI's other interfaces, long names cut in the middle ('mes...obs'); how long
    a name has to be for that is our guess.
    """
    quoted = [f"'{shortened(value)}'" for value in values]
    if len(quoted) == 1:
        return quoted[0]
    if len(quoted) == 2:
        return f"one of {quoted[0]} or {quoted[1]}"
    return f"one of {', '.join(quoted[:-1])}, or {quoted[-1]}"


def shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:3]}...{name[-3:]}"


def invalid_value(got: object, allowed: Sequence[str], param: str) -> Refusal:
    """Captured: one allowed value reads 'Value must be', several read 'Supported values are:'."""
    if len(allowed) == 1:
        choices = f"Value must be '{allowed[0]}'."
    else:
        choices = f"Supported values are: {listed(allowed)}."
    return Refusal(f"Invalid value: '{got}'. {choices}", "invalid_value", param)


def missing(param: str) -> Refusal:
    return Refusal(f"Missing required parameter: '{param}'.", "missing_required_parameter", param)


def unknown(param: str) -> Refusal:
    return Refusal(f"Unknown parameter: '{param}'.", "unknown_parameter", param)


def wrong_type(param: str, expected: str, got: object) -> Refusal:
    """Captured: an object expected, a string got (session.audio.input.format).

    The names of the other types are those of OpenAI's other interfaces.
    """
    message = f"Invalid type for '{param}': expected {expected}, but got {described(got)} instead."
    return Refusal(message, "invalid_type", param)


def described(value: object) -> str:
    """What a JSON value is called in a refusal: `a string`, `an integer`, `null` …"""
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "an integer",
        float: "a decimal",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), "an unknown value")


def below(param: str, kind: str, limit: float, got: float) -> Refusal:
    """`kind` is 'integer' or 'decimal'. Captured for integers (integer_below_min_value)."""
    message = (
        f"Invalid '{param}': {kind} below minimum value. "
        f"Expected a value >= {limit}, but got {got} instead."
    )
    return Refusal(message, f"{kind}_below_min_value", param)


def above(param: str, kind: str, limit: float, got: float) -> Refusal:
    message = (
        f"Invalid '{param}': {kind} above maximum value. "
        f"Expected a value <= {limit}, but got {got} instead."
    )
    return Refusal(message, f"{kind}_above_max_value", param)


def string_too_long(param: str, limit: int, got: int) -> Refusal:
    """Captured for item.id."""
    message = (
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {got} instead."
    )
    return Refusal(message, "string_above_max_length", param)


def too_many_properties(param: str, limit: int, got: int) -> Refusal:
    message = (
        f"Invalid '{param}': too many properties. Expected an object with at most {limit} "
        f"properties, but got an object with {got} properties instead."
    )
    return Refusal(message, "object_above_max_properties", param)


def property_name_too_long(param: str, limit: int, name: str) -> Refusal:
    """No capture on the Realtime service; the words are those of OpenAI's other interfaces."""
    message = (
        f"Invalid property name in '{param}': '{shortened(name)}' is too long. Expected a string "
        f"with maximum length {limit}, but got a string with length {len(name)} instead."
    )
    return Refusal(message, "property_name_above_max_length", f"{param}.{name}")


def pattern_mismatch(param: str, pattern: str) -> Refusal:
    """Reported from the live service for a tool's name; the words are those of OpenAI's other
    interfaces."""
    message = (
        f"Invalid '{param}': string does not match pattern. "
        f"Expected a string that matches the pattern '{pattern}'."
    )
    return Refusal(message, "invalid_value", param)


def invalid_modalities(got: Sequence[str], param: str) -> Refusal:
    """Captured: GA takes one modality at a time."""
    message = (
        f"Invalid modalities: {list(got)}. Supported combinations are: ['text'] and ['audio']."
    )
    return Refusal(message, "invalid_value", param)


def invalid_audio(param: str, got: str) -> Refusal:
    """`got` is 'empty bytes' or 'an invalid value' (both reported from the live service)."""
    message = (
        f"Invalid '{param}'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) "
        f"but got {got}."
    )
    return Refusal(message, "invalid_value", param)


def invalid_address(param: str) -> Refusal:
    """No capture on the Realtime service; the words are those of OpenAI's other interfaces."""
    message = f"Invalid '{param}'. Expected a valid URL, but got a value with an invalid format."
    return Refusal(message, "invalid_value", param)


# --- refusals that depend on the state of the session, not on the shape of the event


def not_json() -> Refusal:
    """The code is captured, the end of the sentence is ours."""
    message = (
        "Invalid event: failed to parse JSON value. "
        "Please check the value to ensure it is valid JSON."
    )
    return Refusal(message, "invalid_json")


def not_an_object() -> Refusal:
    return Refusal("Invalid event: expected a JSON object.", "invalid_event")


def binary_frame() -> Refusal:
    message = "Expected a text WebSocket message; binary frames are not supported."
    return Refusal(message, "invalid_event")


def type_field_missing() -> Refusal:
    """The example in OpenAI's reference of the `error` event."""
    return Refusal("The 'type' field is missing.", "invalid_event")


def active_response(response_id: str) -> Refusal:
    message = (
        f"Conversation already has an active response in progress: {response_id}. "
        "Wait until the response is finished before creating a new one."
    )
    return Refusal(message, "conversation_already_has_active_response")


def too_many_responses(most: int) -> Refusal:
    """Ours: that there is a limit is likely, which one is not known."""
    message = f"This session has {most} responses in progress already. Wait until one is finished."
    return Refusal(message, "rate_limit_exceeded")


def conversation_full(most: int) -> Refusal:
    """Ours: the real server forgets by tokens long before."""
    message = (
        f"This simulator keeps {most // 1024 // 1024} MiB of a conversation, and this one has as "
        "much. Delete items, or begin a new session."
    )
    return Refusal(message, "rate_limit_exceeded")


def nothing_to_cancel() -> Refusal:
    return Refusal("Cancellation failed: no active response found", "response_cancel_not_active")


def buffer_too_small(milliseconds: float) -> Refusal:
    message = (
        "Error committing input audio buffer: buffer too small. Expected at least 100ms of "
        f"audio, but buffer only has {milliseconds:.2f}ms of audio."
    )
    return Refusal(message, "input_audio_buffer_commit_empty")


def no_such_item(verb: str, item_id: str) -> Refusal:
    """`verb` is 'delete' or 'retrieve'."""
    gerund = {"delete": "deleting", "retrieve": "retrieving"}[verb]
    message = f"Error {gerund} item: the item with id '{item_id}' does not exist."
    return Refusal(message, f"item_{verb}_invalid_item_id")


def no_item_to_truncate(item_id: str) -> Refusal:
    """Reported, the code is the family's (item_truncate_invalid_item_id)."""
    return Refusal(f"Item with item_id not found: {item_id}", "item_truncate_invalid_item_id")


def not_truncatable() -> Refusal:
    message = "Only model output audio messages can be truncated"
    return Refusal(message, "unsupported_content_type")


def already_shorter(audio_ms: int, asked_ms: int) -> Refusal:
    message = f"Audio content of {audio_ms}ms is already shorter than {asked_ms}ms"
    return Refusal(message, "invalid_value", "audio_end_ms")


def duplicate_item(item_id: str) -> Refusal:
    message = f"Error adding item: an item with id '{item_id}' already exists."
    return Refusal(message, "item_create_duplicate_item_id")


def no_previous_item(item_id: str) -> Refusal:
    """Not captured (protocol facts, §8.8): words and code follow the duplicate's."""
    message = f"Error adding item: the previous item with id '{item_id}' does not exist."
    return Refusal(message, "item_create_invalid_previous_item_id")


def no_referenced_item(item_id: str, param: str) -> Refusal:
    """Not captured: the words of retrieving."""
    message = f"Error referencing item: the item with id '{item_id}' does not exist."
    return Refusal(message, "item_reference_invalid_item_id", param)


def no_such_call(call_id: str) -> Refusal:
    message = f"Tool call ID '{call_id}' not found in conversation."
    return Refusal(message, "invalid_tool_call_id")


def no_such_approval_request(request_id: str) -> Refusal:
    """Not captured: the words of a tool call that is not there."""
    message = f"Approval request ID '{request_id}' not found in conversation."
    return Refusal(message, "invalid_approval_request_id")


def no_tools_to_choose(param: str) -> Refusal:
    """No capture on the Realtime service; the words are those of OpenAI's Responses API."""
    message = "Tool choice 'required' must be specified with 'tools' parameter."
    return Refusal(message, "invalid_value", param)


def no_such_tool(name: str, param: str) -> Refusal:
    """No capture on the Realtime service; the words are those of OpenAI's Responses API."""
    return Refusal(f"Tool choice '{name}' not found in 'tools' parameter.", "invalid_value", param)


def voice_is_fixed() -> Refusal:
    message = "Cannot update a conversation's voice if assistant audio is present."
    return Refusal(message, "cannot_update_voice")


def speed_is_in_use() -> Refusal:
    """Documented is that it changes "only in between model turns, not while a response is in
    progress"; the words follow those of the voice."""
    message = "Cannot update a conversation's speed while a response is in progress."
    return Refusal(message, "cannot_update_speed")


def wrong_session_type(asked: str, actual: str) -> Refusal:
    message = f"Passing a {asked} session update event to a {actual} session is not allowed."
    return Refusal(message, "invalid_parameter")


def turn_detection_unsupported() -> Refusal:
    message = "Turn detection is not supported for this transcription model"
    return Refusal(message, "invalid_value", "session.audio.input.turn_detection")


def unsupported_with_model(param: str) -> Refusal:
    """That it is refused is captured, the words are those of OpenAI's other interfaces."""
    message = f"Unsupported parameter: '{param}' is not supported with this model."
    return Refusal(message, "unsupported_parameter", param)


def model_is_fixed(param: str) -> Refusal:
    """Ours: that the model is fixed for the session is documented, the words are not."""
    return Refusal("Cannot update a session's model.", "cannot_update_model", param)


def tracing_is_fixed(param: str) -> Refusal:
    """Ours: that tracing stays what it is once it is on is documented, the words are not."""
    message = "Cannot update a session's tracing once it is enabled."
    return Refusal(message, "invalid_parameter", param)


def not_in_a_transcription_session(event_type: str) -> Refusal:
    """Ours: no capture of a response asked for in a transcription session."""
    message = f"'{event_type}' is not allowed in a transcription session."
    return Refusal(message, "invalid_parameter", "type")


def session_expired() -> Refusal:
    message = "Your session hit the maximum duration of 60 minutes."
    return Refusal(message, "session_expired")


# --- refusals of a connection: the server accepts the WebSocket, says this, and closes


def beta_is_over() -> Refusal:
    message = (
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
    )
    return Refusal(message, "beta_api_shape_disabled")


def missing_model() -> Refusal:
    message = (
        "You must provide a model parameter, for example "
        "wss://api.openai.com/v1/realtime?model=gpt-realtime-1.5"
    )
    return Refusal(message, "missing_model")


def model_in_transcription() -> Refusal:
    return Refusal("You must not provide a model parameter for transcription sessions.")


def unknown_model(model: str) -> Refusal:
    message = (
        f'Model "{model}" is not supported in realtime mode. '
        "See https://platform.openai.com/docs/models for a list of supported models."
    )
    return Refusal(message, "invalid_model")


# --- over HTTP


def method_not_supported(method: str, path: str) -> Refusal:
    """The words of OpenAI's other addresses."""
    message = (
        f"Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP "
        "method?)"
    )
    return Refusal(message, "method_not_supported")
