"""How one item of a conversation reads, where its line stands, and what a page needs to show it.

All of it is pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..items import LINE_LOST, Item, Response, heard_length
from ..render import not_understood, note_of, remembered, speaker, unwritten
from .calls import Called, Details, details_of, standing_of
from .comm import Content

GREY = " The grey words were not heard, as near as the time tells."


@dataclass(frozen=True)
class Line:
    """One line of the transcript.

    Attributes:
        id: of its item, or made up for a notice.
        state: `streaming`, `running` (a tool), `done`, `silent` (remembered, not heard), `cut`,
            `error`, `notice`.
        note: a few words at the right: how long, typed, silent, cancelled.
        more: a sentence or two below the text: what an error means and what to do.
        behind: for a notice, the id of the line it stands behind.
        instead: what is known of a spoken turn where there are no words.
        heard: about how many characters of the text were heard, -1 for all of them.
        details: what a call of a tool unfolds to.
    """

    id: str
    speaker: str
    text: str = ""
    note: str = ""
    state: str = "done"
    more: str = ""
    behind: str = ""
    instead: str = ""
    heard: int = -1
    details: Details = ()


def line_of(
    item: Item,
    response: Response | None = None,
    heard_ms: int | None = None,
    transcribed: bool = False,
) -> Line:
    """How an item reads.

    Args:
        response: that it belongs to, None for an item the client made.
        heard_ms: how much of its audio was played, None where nobody can tell.
        transcribed: whether the session writes down what the user says.
    """
    state = _state(item, response)
    if item.type == "function_call":
        return Line(item.id, "tool", f"{item.name}({item.arguments})", state=state)
    if item.role == "assistant" and not item.response_id:
        return Line(item.id, speaker(item), item.text, note_of(item), "silent")
    if item.role == "system":
        return Line(item.id, speaker(item), item.text, "for the model to know")
    instead = "" if state == "streaming" else unwritten(item, transcribed)
    if response is None:
        note, more = note_of(item, length=not instead), not_understood(item)
        return Line(item.id, speaker(item), item.text, note, more=more, instead=instead)
    note = ", ".join(filter(None, _notes(item, state, response, heard_ms, not instead)))
    more = remembered(item) + (GREY if item.truncated_ms and not instead else "")
    more = response.error or more
    return Line(item.id, speaker(item), item.text, note, state, more, instead=instead)


def call_line(
    item: Item, response: Response | None, called: Called | None, output: Item | None
) -> Line:
    """How a call of a tool reads, with what the session says of it and the item that answers it."""
    line = line_of(item, response)
    if called is None and response is not None and response.active:
        return line  # what becomes of it is decided at the response's end
    if called is None and line.state != "done":
        return replace(line, note=f"not called: {ending(response)}" if response else "not called")
    state, note = standing_of(called, output)
    return replace(line, state=state, note=note, details=details_of(item, called, output))


def heard_of(text: str, item: Item) -> int:
    """How many characters of `text` were heard of an item that was cut short; -1 for all."""
    if item.truncated_ms is None or item.truncated_ms >= item.audio_ms:
        return -1
    return heard_length(text, item.truncated_ms, item.audio_ms)


def _notes(
    item: Item, state: str, response: Response, heard_ms: int | None, length: bool
) -> Iterable[str]:
    if state == "cut" and item.truncated_ms is None and not (item.audio_ms or item.text):
        yield f"{ending(response)} before a word was said"
        return
    if item.audio_ms or state != "streaming":  # what will come of it is not known before
        yield note_of(item, length=length)
    if item.audio_ms and heard_ms is not None and item.truncated_ms is None:
        share = min(100, round(100 * heard_ms / item.audio_ms))
        yield f"heard {share} %" if heard_ms else "none of it heard"
    if state == "cut" and item.truncated_ms is None:
        yield ending(response)


def _state(item: Item, response: Response | None) -> str:
    if item.truncated_ms is not None:
        return "cut"
    # A response known from a stray delta alone says nothing of itself; its item may.
    status = (response.status if response is not None else "") or item.status
    return {
        "in_progress": "done" if item.status == "completed" else "streaming",
        "cancelled": "cut",
        "incomplete": "cut",
        "failed": "error",
    }.get(status, "done")


def ending(response: Response) -> str:
    """How a response ended that did not go well, in a few words."""
    reason = str((response.status_details or {}).get("reason"))
    return {
        "turn_detected": "interrupted by speech",
        "client_cancelled": "interrupted",
        "max_output_tokens": "max_output_tokens reached",
        "content_filter": "stopped by the content filter",
        LINE_LOST: "cut off: the line was lost",
    }.get(reason, response.status)


def in_order(items: Iterable[str], notices: Iterable[Line]) -> list[str]:
    """The ids of all lines: the items as the conversation has them, each notice behind its item.

    A notice behind nothing stands first, one whose item was deleted last.
    """
    behind: dict[str, list[str]] = {}
    for notice in notices:
        behind.setdefault(notice.behind, []).append(notice.id)
    order = behind.pop("", [])
    for item in items:
        order += [item, *behind.pop(item, [])]
    return order + [name for rest in behind.values() for name in rest]


def quotes(text: str, line: Line) -> bool:
    """Whether an error's words hold those of another, and more."""
    return line.state == "error" and len(line.text) < len(text) and line.text in text


def units(text: str) -> int:
    """The length of `text` as a browser counts it, in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def change(line: Line, before: Line | None) -> Content:
    """What a page needs to turn `before` into `line`; `text` belongs at `at` (UTF-16 units)."""
    old = before.text if before is not None and line.text.startswith(before.text) else ""
    return {
        "id": line.id,
        "speaker": line.speaker,
        "note": line.note,
        "state": line.state,
        "more": line.more,
        "instead": line.instead,
        "heard": line.heard if line.heard < 0 else units(line.text[: line.heard]),
        "details": [list(pair) for pair in line.details],
        "at": units(old),
        "text": line.text[len(old) :],
    }
