"""Reading any event. Servers differ and events come broken: readers ask, they do not assume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .names import AUDIO_FIELDS, Event, ga_name

SIMULATED_ID = "sess_simulated_"
"""How a session id begins that no real service gave out; every label derives from it."""

CARRIED_ID = "carried_"
"""How the event ids begin of what only tells a new session what was before: nobody says it now."""


def merged(base: Event, more: Event) -> Event:
    """`base` with the fields of `more`, object by object, as `session.update` merges them."""
    both = {**base, **more}
    for key in base.keys() & more.keys():
        if isinstance(base[key], dict) and isinstance(more[key], dict):
            both[key] = merged(base[key], more[key])
    return both


def field(event: Any, *path: str | int) -> Any:
    """The value at `path` inside nested dicts and lists, None where anything is missing.

    Servers differ and events come broken: readers ask, they do not assume.
    """
    for step in path:
        if isinstance(step, str):
            event = event.get(step) if isinstance(event, dict) else None
        else:
            event = (
                event[step]
                if isinstance(event, list) and -len(event) <= step < len(event)
                else None
            )
        if event is None:
            return None
    return event


def text_field(event: Any, *path: str | int) -> str:
    """Like `field`, but a string always: empty where there is none."""
    value = field(event, *path)
    return value if isinstance(value, str) else ""


MOST = 2**53 - 1
"""The largest whole number that every reader of JSON takes for the same."""


def count_field(event: Any, *path: str | int) -> int | None:
    """Like `field`, for what is counted: a whole number from 0 to `MOST`, else None."""
    value = field(event, *path)
    return value if value.__class__ is int and 0 <= value <= MOST else None


def item_id_of(event: Event) -> str:
    """The item an event is about, or an empty string."""
    return text_field(event, "item_id") or text_field(event, "item", "id")


def response_id_of(event: Event) -> str:
    """The response an event is about, or an empty string."""
    return text_field(event, "response_id") or text_field(event, "response", "id")


def error_of(event: Event) -> Event | None:
    """The error an event carries: an `error` event's, or one that came without its wrapper.

    Some gateways send the inner object bare, its own `type` being `invalid_request_error`.
    """
    if text_field(event, "type") == "error":
        inner = field(event, "error")
        return inner if isinstance(inner, dict) else {"message": str(inner or "no details given")}
    if text_field(event, "type").endswith("_error") and "message" in event:
        # Its event_id is the frame's own here, not the id of what caused it.
        return {key: value for key, value in event.items() if key != "event_id"}
    return None


def is_carried(event: Event | None) -> bool:
    """Whether a client event repeats to a new session what an old one knew."""
    return text_field(event, "event_id").startswith(CARRIED_ID)


def text_of(event: Event) -> str:
    """The words an event carries: a delta, a transcript, a text, an error's message."""
    type_ = ga_name(text_field(event, "type"))
    if type_ in AUDIO_FIELDS:
        return ""
    for key in ("delta", "transcript", "text", "arguments"):
        if text_field(event, key):
            return text_field(event, key)
    if type_.startswith(("conversation.item", "response.output_item")) and isinstance(
        event.get("item"), dict
    ):
        return item_text(event["item"])
    error = error_of(event)
    return (
        text_field(error, "message")
        if error
        else text_field(event, "part", "text") or text_field(event, "part", "transcript")
    )


def item_text(item: Mapping[str, Any]) -> str:
    """The words of an item: its texts and transcripts, a call's arguments, an output."""
    parts = item.get("content")
    if isinstance(parts, Sequence) and not isinstance(parts, str):
        words = (text_field(part, "text") or text_field(part, "transcript") for part in parts)
        return " ".join(word for word in words if word)
    return text_field(item, "output") or text_field(item, "arguments")
