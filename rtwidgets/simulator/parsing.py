"""From a frame to an event: what is no JSON object is refused before any shape is looked at."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from ..audio import decode
from . import refusals
from .item_shapes import APPEND_MAX

DEEPEST = 64  # levels of nesting; nothing legal comes near it
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_APPENDS = (
    '{"type":"input_audio_buffer.append","audio":"',
    '{"type": "input_audio_buffer.append", "audio": "',
)


def appended(frame: str | bytes) -> bytes | None:
    """The sound of an append as clients write it, None for anything else.

    Most of what a session is sent is this, so it is read without a parser: between this beginning
    and this end base64 is all that can stand, and what is no base64 goes the long way.
    """
    if not isinstance(frame, str) or not frame.startswith(_APPENDS) or not frame.endswith('"}'):
        return None
    start = len(_APPENDS[frame[8] == " "])
    if not start < len(frame) - 2 <= APPEND_MAX:
        return None
    try:
        return decode(frame[start:-2])
    except ValueError:
        return None


def parsed(frame: str | bytes) -> dict[str, Any]:
    """The event in a frame. Raises Refusal for a binary frame and for what is no JSON object."""
    if isinstance(frame, bytes):
        raise refusals.binary_frame()
    try:
        event = json.loads(frame, parse_constant=_not_finite, parse_float=_finite)
        if "\\u" in frame and _SURROGATE.search(
            frame
        ):  # half a character: no text that could be sent again
            json.dumps(event, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise refusals.not_json() from None
    if not isinstance(event, dict) or _depth_exceeds(event, DEEPEST):
        raise refusals.not_an_object()
    return event


def _not_finite(text: str) -> float:
    """Python reads NaN and Infinity, JSON does not have them."""
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_finite(text)


def _depth_exceeds(value: Any, left: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_depth_exceeds(one, left - 1) for one in inner)


def event_id_of(event: dict[str, Any]) -> str | None:
    """The client's own event id, when it is one that can be echoed in an error."""
    value = event.get("event_id")
    return value if isinstance(value, str) else None
