"""What an event says in one line, for tables, timelines and terminals."""

from __future__ import annotations

import json
from typing import Any

from .events import (
    MOST,
    Event,
    count_field,
    error_of,
    field,
    ga_name,
    item_id_of,
    item_text,
    text_field,
    text_of,
)


def describe(event: Event) -> str:
    """What an event says, in one line for a table, without its audio."""
    type_ = ga_name(text_field(event, "type"))
    error = error_of(event)
    if error:
        return text_field(error, "message")
    if type_ in ("session.created", "session.update", "session.updated"):
        return _describe_session(event)
    if type_.startswith("conversation.item.") and "item" in event:
        return _describe_item(event["item"])
    if type_ == "response.create":
        return _describe_request(event.get("response"))
    if type_ in ("response.created", "response.done"):
        return _describe_response(event)
    if type_.startswith("response.output_item"):
        return _describe_item(event.get("item"))
    if type_.startswith("response.content_part"):
        words = text_of(event)
        kind = text_field(event, "part", "type")
        return f"{kind} “{_short(words)}”" if words else kind
    if type_ == "rate_limits.updated":
        return "tokens left: " + str(field(event, "rate_limits", 0, "remaining"))
    heard = count_field(event, "ms")
    if type_.startswith("playback.") and heard is not None:
        return f"{heard / 1000:.1f} s {'not played' if type_.endswith('skipped') else 'heard'}"
    if type_.startswith("tool."):
        return _describe_call(event)
    if type_.startswith("line."):
        return _describe_line(event)
    words = text_of(event)
    if words:
        return f"“{_short(words)}”"
    pairs = ((key, event.get(key)) for key in ("audio_start_ms", "audio_end_ms", "ms"))
    known = ", ".join(f"{key} {value}" for key, value in pairs if value is not None)
    return known or text_field(event, "message") or item_id_of(event)


def _describe_session(event: Event) -> str:
    session = event.get("session")
    if not isinstance(session, dict):
        return ""
    if "id" in session:
        model, voice = text_field(session, "model"), text_field(session, "audio", "output", "voice")
        return " · ".join(
            word for word in (session["id"], model, voice) if isinstance(word, str) and word
        )
    return ", ".join(key for key in session if key != "type")


def _describe_item(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    kind = text_field(item, "role") or text_field(item, "type")
    name = text_field(item, "name")
    words = item_text(item)
    return " ".join(part for part in (kind, name, f"“{_short(words)}”" if words else "") if part)


def _describe_call(event: Event) -> str:
    if "ms" in event:
        return f"{'answered' if event.get('ok') is True else 'failed'} after {event['ms']} ms"
    given = event.get("arguments")
    words = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    return _short(f"{text_field(event, 'name')}({words if given else ''})")


def _describe_line(event: Event) -> str:
    """What became of the line: in how long, and why or with what."""
    type_, message = text_field(event, "type"), text_field(event, "message")
    seconds, ms = _seconds(event.get("seconds")), count_field(event, "ms")
    attempt = count_field(event, "attempt")
    when = ""
    if type_ == "line.trying" and attempt is not None:
        when = f"try {attempt} in {seconds}" if seconds else f"try {attempt}"
    elif type_ == "line.restored":
        when, message = f"after {seconds}" if seconds else "", _carried(event) or message
    elif type_ == "line.resumed" and ms is not None:
        when = f"after {ms / 1000:.1f} s"
    return ": ".join(part for part in (when, message) if part)


def _seconds(value: Any) -> str:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST
    return f"{value:.1f} s" if known else ""


def _carried(event: Event) -> str:
    """What a new session was told; empty where nobody counted."""
    carried, left_out = count_field(event, "carried"), event.get("left_out")
    if carried is None:
        return ""
    not_told = len(left_out) if isinstance(left_out, list) else 0
    return carried_words(carried, not_told, count_field(event, "sent_again") or 0)


def carried_words(carried: int, left_out: int, sent_again: int) -> str:
    """What became of a conversation that moved: items carried over, items that could not be, and
    how much was sent again."""
    said = f"{carried} item{'s' if carried != 1 else ''} carried over" if carried else ""
    left = f"{left_out} could not be" if left_out else ""
    again = "what was not answered yet was sent again" if sent_again else ""
    parts = [one for one in (said, left, again) if one]
    return "; ".join(parts) or "there was nothing to carry over"


def _describe_request(response: Any) -> str:
    if not isinstance(response, dict) or not response:
        return "bare: the session's own settings"
    words = (
        [f"“{_short(text_field(response, 'instructions'))}”"] if "instructions" in response else []
    )
    others = [
        f"{key} {response[key]}" for key in ("conversation", "tool_choice") if key in response
    ]
    if "input" in response:
        given = response["input"]
        others.append(_describe_input(given) if isinstance(given, list) else "input")
    return ", ".join(words + others) or ", ".join(response)


def _describe_input(items: list[Any]) -> str:
    if not items:
        return "empty input"
    return f"input of {len(items)} {'item' if len(items) == 1 else 'items'}"


def _describe_response(event: Event) -> str:
    response = event.get("response")
    status = text_field(response, "status").replace("_", " ")
    reason = text_field(response, "status_details", "reason").replace("_", " ")
    failure = text_field(response, "status_details", "error", "message")
    # xAI reports beside the response; a sum of 0 is of a server that does not count, or not yet.
    tokens = field(response, "usage", "total_tokens") or field(event, "usage", "total_tokens")
    words = [status, reason, _short(failure), f"{tokens} tokens" if tokens else ""]
    return ", ".join(word for word in words if word)


def _short(text: str, limit: int = 90) -> str:
    flat = " ".join(text.split()) if text.strip() else text
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
