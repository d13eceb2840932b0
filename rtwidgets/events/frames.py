"""A frame: the JSON text of one event, written and read."""

from __future__ import annotations

import json

from ..errors import Misuse
from .names import Event


def frame_of(event: Event) -> str:
    """The JSON text of an event. Raises Misuse for what JSON cannot hold."""
    try:
        frame = json.dumps(event, ensure_ascii=False, allow_nan=False)
        # Half a character (a lone surrogate) has no UTF-8, but JSON can escape it.
        return frame if _is_utf8(frame) else json.dumps(event, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise Misuse(
            f"This event cannot be written as JSON ({problem}). "
            "Use plain dicts, lists, text and numbers."
        ) from None


def parse(frame: str) -> Event | None:
    """The event in a frame, None where it is not a JSON object."""
    try:
        event = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def whole_characters(text: str) -> str:
    """`text` with half characters (lone surrogates, as a cut emoji leaves them) made whole, or
    marked. A server refuses them: they have no UTF-8."""
    if _is_utf8(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
