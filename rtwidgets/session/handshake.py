"""The beginning of a session: what is asked of the server, and whether it agreed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..conversation import Conversation
from ..errors import ConnectFailed, Misuse
from ..events import Event, text_field
from ..explanations import explain
from ..tables import quoted
from .news import Lookout

Modality = Literal["audio", "text"]


def settings_of(
    instructions: str | None,
    voice: str | None,
    modality: Modality,
    tools: Sequence[Event],
) -> Event:
    """The fields of the first `session.update`. Raises Misuse for what is no setting."""
    if modality not in ("audio", "text"):
        raise Misuse(f'modality is "audio" or "text", not {modality!r}.')
    fields: Event = {"output_modalities": [modality]}
    if instructions is not None:
        fields["instructions"] = instructions
    if voice is not None:
        fields["audio"] = {"output": {"voice": voice}}
    if tools:
        fields["tools"] = list(tools)
    return fields


def greeted(conversation: Conversation) -> bool:
    """Whether the session stands. Raises ConnectFailed with the server's words when it will not."""
    refused = conversation.errors
    if refused and not conversation.session:
        raise ConnectFailed(refusal(refused[0]), code=text_field(refused[0], "code") or None)
    return bool(conversation.session)


def confirmed(updated: Lookout, conversation: Conversation, errors_before: int) -> bool:
    """Whether `session.updated` has come. Raises Misuse with the server's words when the settings
    were refused.

    Args:
        errors_before: how many errors the conversation had before they were sent.
    """
    errors = conversation.errors
    if updated.row is None and len(errors) > errors_before:
        raise Misuse(f"The server refused the session's settings. {refusal(errors[errors_before])}")
    return updated.row is not None


def refusal(error: Event) -> str:
    """What the server said, and what to do about it where that is known."""
    said = quoted(text_field(error, "message")) or "no details given"
    advice = explain(error)
    return f"The server said: {said}" + (f" {advice}" if advice else "")
