"""How a call of a tool reads in the transcript: what it was given, what it gave, how it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from ..items import Item

SHOWN = 4000
"""Characters of arguments and of a result that a row holds; the log has all of them."""

Details = tuple[tuple[str, str], ...]
"""What a row unfolds to: pairs of a heading and a text."""


@dataclass
class Called:
    """What the session says of a call of a Python function.

    Attributes:
        ms: how long it took, None while it runs. ok: whether the function returned.
    """

    ms: int | None = None
    ok: bool = False


def standing_of(called: Called | None, output: Item | None) -> tuple[str, str]:
    """The state of a call and a note on it.

    Args:
        called: None where the call is not the session's to answer.
        output: the item that answers it, None while there is none.
    """
    if called is None:
        return "done", "answered" if output is not None else "to be answered"
    if called.ms is None:
        return "running", "running"
    seconds = f"{called.ms / 1000:.1f} s" if called.ms >= 100 else f"{called.ms} ms"
    return ("done", f"done in {seconds}") if called.ok else ("error", f"failed after {seconds}")


def details_of(item: Item, called: Called | None, output: Item | None) -> Details:
    """What stands in a call's row when it is unfolded."""
    rows = [("Arguments", readable(item.arguments) or "none")]
    if output is not None:
        failed = called is not None and called.ms is not None and not called.ok
        rows.append(("Error" if failed else "Result", readable(output.output) or "an empty text"))
    return tuple(rows)


@lru_cache(maxsize=256)
def readable(text: str) -> str:
    """JSON laid out over lines, any other text as it is, and so much of it as is shown."""
    try:
        value = json.loads(text)
        if isinstance(value, dict | list):
            text = json.dumps(value, ensure_ascii=False, indent=2) if value else ""
    except (ValueError, RecursionError):
        pass
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}\n… ({len(text):,} characters; the log has them all)"
