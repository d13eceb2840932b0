"""Builders for what a client sends: plain dicts, so that what is logged is what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .names import Event


def session_update(**fields: Any) -> Event:
    """`session.update`: only the fields present change; `type` is required by the server."""
    return {"type": "session.update", "session": {"type": "realtime", **fields}}


def item_create(item: Mapping[str, Any], *, previous_item_id: str | None = None) -> Event:
    """`conversation.item.create`: append, or put behind an item (`"root"`: in front of all)."""
    event: Event = {"type": "conversation.item.create", "item": dict(item)}
    if previous_item_id is not None:
        event["previous_item_id"] = previous_item_id
    return event


def user_text(text: str) -> Event:
    """A user message item. Users and systems say `input_text`."""
    return _message("user", "input_text", text)


def system_text(text: str) -> Event:
    """A system message item."""
    return _message("system", "input_text", text)


def assistant_text(text: str) -> Event:
    """An assistant message item. Only `output_text` is accepted: `input_text` is refused."""
    return _message("assistant", "output_text", text)


def _message(role: str, content_type: str, text: str) -> Event:
    return {"type": "message", "role": role, "content": [{"type": content_type, "text": text}]}


def call_output(call_id: str, output: str) -> Event:
    """The item that answers a function call."""
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def item_delete(item_id: str) -> Event:
    """`conversation.item.delete`."""
    return {"type": "conversation.item.delete", "item_id": item_id}


def item_truncate(item_id: str, audio_end_ms: int) -> Event:
    """`conversation.item.truncate`: what was heard of a spoken item, in whole milliseconds."""
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": audio_end_ms,
    }


def response_create(**response: Any) -> Event:
    """`response.create`; without fields a bare one, which uses the session's settings."""
    return {"type": "response.create", **({"response": response} if response else {})}


def response_cancel(response_id: str | None = None) -> Event:
    """`response.cancel`: the active response, or the one named (needed out of band)."""
    return {"type": "response.cancel", **({"response_id": response_id} if response_id else {})}


def input_audio_append(audio: str) -> Event:
    """`input_audio_buffer.append` of base64 audio, at most 15 MiB. There is no acknowledgement."""
    return {"type": "input_audio_buffer.append", "audio": audio}


def input_audio_commit() -> Event:
    """`input_audio_buffer.commit`: end of a manual turn; at least 100 ms must be there."""
    return {"type": "input_audio_buffer.commit"}


def input_audio_clear() -> Event:
    """`input_audio_buffer.clear`."""
    return {"type": "input_audio_buffer.clear"}
