"""Names of events: the client's, the beta's for the server's, and the groups they fall into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]

CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.delete",
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
    "transcription_session.update",  # the beta's
)

# The beta's names, dead on the wire since 2026-05 but alive in old logs and in other servers.
GA_NAMES = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}

# Where an event carries base64 audio: the field's name. Everything else with audio inside items
# (a spoken user item sent whole, a retrieved item) is rare and stays in the JSON.
AUDIO_FIELDS = {
    "response.output_audio.delta": "delta",
    "response.audio.delta": "delta",
    "input_audio_buffer.append": "audio",
}


def ga_name(type_: str) -> str:
    """The GA name of an event type, for a beta name; any other name as it is."""
    return GA_NAMES.get(type_, type_)


def beta_names(types: Iterable[str]) -> list[str]:
    """The names that events of these GA types had in the beta."""
    wanted = set(types)
    return [beta for beta, name in GA_NAMES.items() if name in wanted]


_FAMILIES = (
    ("error", ("error",)),
    ("audio", ("response.output_audio.", "response.audio.")),
    (
        "text",
        (
            "response.output_text",
            "response.output_audio_transcript",
            "response.text",
            "response.audio_transcript",
            "response.content_part",
        ),
    ),
    ("tools", ("response.function_call", "response.mcp", "mcp_list_tools", "tool.")),
    ("response", ("response.", "rate_limits")),
    ("input", ("input_audio_buffer", "conversation.item.input_audio_transcription")),
    ("item", ("conversation.",)),
    ("session", ("session", "transcription_session")),
    ("local", ("playback.", "line.", "opening.", "microphone.", "budget.")),
)
FAMILIES = (*(name for name, _ in _FAMILIES), "other")
"""The names of the groups, for a filter."""


def family_of(type_: str) -> str:
    """The group an event type belongs to, for filters and colours."""
    for name, prefixes in _FAMILIES:
        if type_.startswith(prefixes):
            return name
    return "other"
