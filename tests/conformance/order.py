"""In what order the real server sends its events, and whether a session kept to it.

The orders are those of the recordings (protocol facts §3.1, §3.2, §3.4). Items of one response
may interleave, and transcripts of what the user said come when they come, so each item and each
response is looked at by itself; a run of deltas counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]

DELTAS = "deltas"
BEGIN = ("response.output_item.added", "conversation.item.added")
END = ("conversation.item.done", "response.output_item.done")
SPOKEN = (
    *BEGIN,
    "response.content_part.added",
    DELTAS,
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    *END,
)
WRITTEN = (
    *BEGIN,
    "response.content_part.added",
    DELTAS,
    "response.output_text.done",
    "response.content_part.done",
    *END,
)
CALL = (*BEGIN, DELTAS, "response.function_call_arguments.done", *END)
CREATED = ("conversation.item.added", "conversation.item.done")
COMMITTED = ("input_audio_buffer.committed", *CREATED)
HEARD = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    *COMMITTED,
)
ITEMS = {SPOKEN, WRITTEN, CALL, CREATED, COMMITTED, HEARD}
# Of an item, but no part of how it comes about.
LATER = ("conversation.item.truncated", "conversation.item.deleted", "conversation.item.retrieved")
ANY_TIME = "conversation.item.input_audio_transcription."


def disorder(events: list[Json]) -> list[str]:
    """What came in another order than the real server's, in words."""
    return [*first(events), *items(events), *responses(events), *limits(events)]


def first(events: list[Json]) -> Iterator[str]:
    if events and events[0]["type"] not in ("session.created", "error"):
        yield f"the first event is {events[0]['type']}, not session.created"


def items(events: Iterable[Json]) -> Iterator[str]:
    """Each item on its own. One that a conversation of its own never saw lacks the middle."""
    by_item: dict[str, list[str]] = {}
    under_way: set[str] = set()  # items of responses that are not done yet
    for event in events:
        kind = event["type"]
        item_id = event.get("item_id") or event.get("item", {}).get("id")
        if item_id and kind not in LATER and not kind.startswith(ANY_TIME):
            add(by_item.setdefault(item_id, []), DELTAS if kind.endswith(".delta") else kind)
        if item_id and event.get("response_id"):
            under_way.add(item_id)
        if kind == "response.done":
            under_way -= {item["id"] for item in event["response"]["output"]}
    for item_id, kinds in by_item.items():
        unfinished = item_id in under_way or kinds == list(HEARD[:1])  # somebody speaks still
        if not any(agrees(kinds, order, unfinished) for order in ITEMS):
            yield f"{item_id} came as {', '.join(kinds)}"


def add(kinds: list[str], kind: str) -> None:
    if kinds[-1:] != [kind] or kind != DELTAS:
        kinds.append(kind)


def agrees(kinds: list[str], order: tuple[str, ...], unfinished: bool) -> bool:
    """In this order, to its end or, where the session ended first, as far as it came."""
    out_of_band = tuple(kind for kind in order if not kind.startswith("conversation.item."))
    without_deltas = tuple(kind for kind in order if kind != DELTAS)
    orders = (order, out_of_band, without_deltas)
    return any(tuple(kinds) == (o[: len(kinds)] if unfinished else o) for o in orders)


def responses(events: Iterable[Json]) -> Iterator[str]:
    """Created first, done last, one after the other in the conversation."""
    begun: set[str] = set()
    done: set[str] = set()
    active = ""
    for event in events:
        response = event.get("response") or {}
        response_id = event.get("response_id") or response.get("id")
        if not response_id:
            continue
        if event["type"] == "response.created":
            if active and response.get("conversation_id"):
                yield f"{response_id} began before {active} was done"
            active = response_id if response.get("conversation_id") else active
            begun.add(response_id)
        if response_id not in begun or response_id in done:
            yield f"{event['type']} of {response_id} came outside of its response"
        if event["type"] == "response.done":
            done.add(response_id)
            active = "" if active == response_id else active


def limits(events: list[Json]) -> Iterator[str]:
    for before, event in zip(events, events[1:], strict=False):
        if event["type"] == "rate_limits.updated" and before["type"] != "response.done":
            yield f"rate_limits.updated came after {before['type']}"
