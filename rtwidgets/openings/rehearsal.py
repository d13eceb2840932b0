"""What an opening sends later, found by asking it: its `react` is shown the events that its first
ones bring when all goes well, and then those of a listener who cuts it short.

So the answers that are printed are those that will be given, also of an opening of the user's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..audio import RATE
from ..events import Event, field, item_text, text_field
from .base import ENDED, WORDS, Opening

_SAID = "(what was said)"


@dataclass(frozen=True)
class Scene:
    """Something that happens later, and what the opening sends then.

    Attributes:
        when: in words: "when its response is done".
    """

    when: str
    events: tuple[Event, ...]


def rehearsed(opening: Opening) -> list[Scene]:
    """The scenes in which an opening sends something, each answer once, in their order."""
    scenes: list[Scene] = []
    for when, event in _scenes(opening) if opening.reacts else ():
        try:
            events = tuple(opening.react(event))
        except Exception:  # the user's code, on an event made up here: it proves nothing
            continue
        if events and all(scene.events != events for scene in scenes):
            scenes.append(Scene(when, events))
    return scenes


def _scenes(opening: Opening) -> Iterator[tuple[str, Event]]:
    item_id = ""
    for event in opening.events({}):
        kind = text_field(event, "type")
        if kind == "conversation.item.create":
            item = {"id": "item_1", "status": "completed", **event["item"]}
            item_id = item["id"]
            for what in ("added", "done"):
                words = "when its item stands in the conversation"
                yield words, {"type": f"conversation.item.{what}", "item": item}
        elif kind == "response.create":
            item_id = "item_2"
            yield from _response(event)
    if opening.audio is None:
        yield from _playback(item_id, 1000)
    else:
        yield from _playback(WORDS, 1000 * len(opening.audio) // RATE)


def _response(asked: Event) -> Iterator[tuple[str, Event]]:
    aside = field(asked, "response", "conversation") == "none"
    response = {
        "id": "resp_1",
        "status": "in_progress",
        "output": [],
        "conversation_id": None if aside else "conv_1",
        "metadata": field(asked, "response", "metadata"),
    }
    content = [{"type": "output_audio", "transcript": _SAID}]
    item = {"id": "item_2", "type": "message", "role": "assistant", "content": content}
    place = {"response_id": "resp_1", "item_id": "item_2", "output_index": 0, "content_index": 0}
    yield "when its response begins", {"type": "response.created", "response": response}
    for type_, more in (
        ("response.output_audio.delta", {"delta": "AAAA"}),
        ("response.output_audio_transcript.delta", {"delta": item_text(item)}),
        ("response.output_audio_transcript.done", {"transcript": item_text(item)}),
    ):
        yield "while it is made", {"type": type_, **place, **more}
    done = {**response, "status": "completed", "output": [{**item, "status": "completed"}]}
    yield "when its response is done", {"type": "response.done", "response": done}


def _playback(item_id: str, ms: int) -> Iterator[tuple[str, Event]]:
    started = {"type": "playback.started", "item_id": item_id}
    heard = {"type": "playback.heard", "item_id": item_id, "ms": ms, "done": True}
    ended = {"type": ENDED, "ms": ms, "by": "page"}
    yield "when its sound begins", started
    yield "when it was heard to its end", heard
    yield "when its sound is over", ended
    yield "when it is cut short", {**heard, "type": "playback.flushed", "ms": ms // 2}
