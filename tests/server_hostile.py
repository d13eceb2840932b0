"""Server events as no server should send them: lost, doubled, out of order, broken in any place.

The same seed gives the same frames. The events that are broken come from the recorded sessions,
where these are there, and from our own simulator, driven by hand.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from conftest import SHARED, rows_of
from simulator_driver import Desk, Event, hum, respond, silence, update, user_text

from rtwidgets.events import CLIENT_EVENTS, LOCAL_EVENTS, field
from rtwidgets.simulator.jobs import Answer, Call, Question
from rtwidgets.simulator.scripts import UserLines

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
STREAMED = {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}


class Varied:
    """A brain that talks and calls in turn."""

    def answer(self, question: Question) -> Answer:
        calls = (Call("weather", '{"city": "Berlin"}'),)
        answers = (Answer("Hi there, how are you?"), Answer("", calls), Answer("Well.", calls))
        return answers[question.replies_before % 3]


@cache
def simulated() -> list[Event]:
    """What our simulator sends in a conversation with a bit of everything."""
    lines = UserLines(["What is the weather?", "Thanks."])
    desk = Desk("gpt-realtime-2.1", brain=Varied(), voice_ms=400, transcriber=lines)
    desk.send(update(tools=[TOOL], audio=STREAMED))
    desk.send(user_text("Hello"), respond())
    desk.send(hum(600), silence(800))
    desk.send(respond(conversation="none", output_modalities=["text"], metadata={"a": "b"}))
    desk.send_for(0.2, user_text("Once more"), respond())
    desk.send({"type": "response.cancel"}, user_text("Never mind", id="item_mine"))
    spoken = next(one for one in desk.events if one["type"] == "response.output_audio.delta")
    about: Event = {"type": "conversation.item.truncate", "item_id": spoken["item_id"]}
    desk.send({**about, "content_index": 0, "audio_end_ms": 100})
    desk.send({"type": "conversation.item.delete", "item_id": "item_mine"}, respond())
    desk.send({"type": "response.cancel"}, {"type": "no.such.event"})
    return desk.events


@cache
def streams() -> dict[str, list[Event]]:
    """What servers sent, session by session: the simulator's, and those that were recorded."""
    found = {"simulator": simulated()}
    for path in sorted(Path(SHARED, "streams").glob("*.jsonl")):
        found[path.stem] = [one["event"] for one in rows_of(path) if one["direction"] == "server"]
    return found


DEEP = "[deep]"
"""Stands for what is nested too deep to be a value here; it is put in when the frame is written."""
DEPTH = 900  # the parser takes it, and code that calls itself for each level may not

TYPES = sorted(
    {event["type"] for event in simulated()}
    | {"error", "response.text.delta", "conversation.item.created", "ping", "x" * 3000, "a\0b"}
    | set(CLIENT_EVENTS)
    | set(LOCAL_EVENTS)
)
HALF, WHOLE = "\ud83d", "🦕"
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 7, 2**31, 2**63, -(2**64), 10**400, 10**4000, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), float("-inf"), "NaN", "", " ", "\x00", HALF, f"{HALF}{HALF}", WHOLE,
    "\u202eabc", "a\u0301", "<script>alert(1)</script>", "x" * 20_000, "@@@", "AAAA", "{", "[1,2]",
    "in_progress", "completed", "cancelled", "failed", "root", "none", [], {}, [None], [[[]]],
    {"": None}, {"type": "message"}, {"id": 3}, {"total_tokens": -5}, ["audio"], [1, "2", None],
    {"id": "item_x", "type": "message", "role": "assistant", "content": [None, {"text": 3}]}, DEEP,
]  # fmt: skip
GARBAGE: list[str | bytes] = [
    "", " ", "null", "[]", "7", '"text"', "NaN", "{", '{"type":', "[" * 50_000, "{}" * 2,
    '{"a":' * 3000 + "1" + "}" * 3000, '{"type":"response.done","response":1e999}', "\x00" * 10,
    b"", b"\xff\xfe\x00", b'{"type":"ping"}', '{"type":"größer"}'.encode(), b'{"type":"\xed\xa0"}',
]  # fmt: skip

ITEM, RESPONSE, REQUEST, VALUE = "<item>", "<response>", "<request>", "<value>"
"""In what is thrown in between: an id that is known, and any value at all."""

BETWEEN: list[Event] = [
    {"type": "conversation.item.truncated", "item_id": ITEM, "audio_end_ms": VALUE},
    {"type": "conversation.item.deleted", "item_id": ITEM},
    {"type": "conversation.item.added", "item": {"id": ITEM}, "previous_item_id": ITEM},
    {"type": "conversation.item.done", "item": {"id": ITEM, "content": VALUE}},
    {"type": "response.created", "response": {"id": RESPONSE, "status": VALUE}},
    {"type": "response.created", "response": {"id": RESPONSE, "conversation_id": VALUE}},
    {"type": "response.done", "response": {"id": RESPONSE, "usage": {"total_tokens": VALUE}}},
    {"type": "response.done", "response": {"id": RESPONSE, "usage": {
        "total_tokens": 9, "input_token_details": {"audio_tokens": VALUE, "text_tokens": VALUE},
        "output_token_details": {"text_tokens": VALUE, "reasoning_tokens": VALUE}}}},
    {"type": "response.done", "response": {"id": RESPONSE, "status_details": {"error": VALUE}}},
    {"type": "response.output_audio.delta", "item_id": ITEM, "content_index": VALUE,
     "delta": "AAAA"},
    {"type": "response.output_audio.delta", "item_id": ITEM, "response_id": RESPONSE,
     "delta": VALUE},
    {"type": "conversation.item.input_audio_transcription.completed", "item_id": ITEM,
     "transcript": VALUE, "usage": {"type": "duration", "seconds": VALUE}},
    {"type": "input_audio_buffer.speech_started", "audio_start_ms": VALUE, "item_id": ITEM},
    {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": VALUE, "item_id": ITEM},
    {"type": "input_audio_buffer.committed", "item_id": ITEM, "previous_item_id": VALUE},
    {"type": "session.updated", "session": {"id": "sess_x", "audio": VALUE, "model": VALUE}},
    {"type": "rate_limits.updated", "rate_limits": [{"remaining": VALUE}]},
    {"type": "playback.heard", "item_id": ITEM, "ms": VALUE, "done": True},
    {"type": "tool.answered", "call_id": ITEM, "ms": VALUE, "ok": True},
    {"type": "error", "error": {"code": "response_cancel_not_active", "message": VALUE}},
    {"type": "error", "error": {"code": "conversation_already_has_active_response",
                                "event_id": REQUEST, "message": VALUE}},
    {"type": "error", "error": {"code": VALUE, "message": "No.", "event_id": REQUEST}},
    {"type": "error", "error": VALUE},
    {"type": "server_error", "message": VALUE},
]  # fmt: skip


class Hostile:
    """Breaks events, as a seed says."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._ids: list[str] = ["item_none"]

    def frames(self, events: Sequence[Event], broken: float = 0.4) -> Iterator[str | bytes]:
        """The frames of a session in which things go wrong.

        Args:
            broken: the share of events in which something is exchanged, dropped or added.
        """
        chance = self._random.random
        for event in self._shuffled(events):
            self._ids += [id_ for id_ in _ids_in(event) if id_ not in self._ids]
            if chance() < 0.02:
                yield self._random.choice(GARBAGE)
            if chance() < 0.1:
                yield self._frame(self._filled(self._random.choice(BETWEEN)))
            if chance() < broken:
                event = copy.deepcopy(event)
                for _ in range(self._random.choice((1, 1, 1, 2, 5))):
                    self._break(event)
            yield self._frame(event)

    def _shuffled(self, events: Sequence[Event]) -> list[Event]:
        """Some are lost, some come twice, some at another time, and some from before again."""
        order: list[tuple[float, int]] = []
        for number in range(len(events)):
            lot = self._random.random()
            times = 0 if lot < 0.05 else 2 if lot < 0.1 else 1
            for _ in range(times):
                late = self._random.choice((3, 40)) if self._random.random() < 0.1 else 0
                order.append((number + late * self._random.random(), number))
        return [events[number] for _, number in sorted(order)]

    def _break(self, event: Event) -> None:
        if not event:
            return
        place, key = self._place_in(event)
        lot = self._random.random()
        if lot < 0.15:
            del place[key]
        elif lot < 0.25 and isinstance(place, dict):
            place[self._random.choice(("", "x", HALF, "__class__", "item_id"))] = self._value()
        elif lot < 0.45 and isinstance(place[key], str):
            place[key] = self._random.choice(self._ids)
        elif lot < 0.55:
            event["type"] = self._random.choice(TYPES)
        elif lot < 0.65:
            place, key = self._random.choice(_numbers_in(event) or [(place, key)])
            place[key] = self._value()
        else:
            place[key] = self._value()

    def _place_in(self, event: Event) -> tuple[Any, Any]:
        """Anywhere in it: what holds a value, and by which key or index."""
        place: Any = event
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = self._random.choice(keys)
            inner = place[key]
            if not (isinstance(inner, dict | list) and inner) or self._random.random() < 0.2:
                return place, key
            place = inner

    def _filled(self, place: Any) -> Any:
        """A copy with values in the places for them."""
        if isinstance(place, dict):
            return {key: self._filled(value) for key, value in place.items()}
        if isinstance(place, list):
            return [self._filled(value) for value in place]
        if place == VALUE:
            return self._value()
        kinds = {ITEM: "item_", RESPONSE: "resp_", REQUEST: "create_"}
        if place not in kinds:
            return place
        known = [id_ for id_ in self._ids if id_.startswith(kinds[place])]
        return self._random.choice(known or ["create_1"])

    def _value(self) -> Any:
        return copy.deepcopy(self._random.choice(ODD))

    def _frame(self, event: Event) -> str | bytes:
        ascii_only = self._random.random() < 0.7
        text = json.dumps(event)
        if not ascii_only:
            plain = json.dumps(event, ensure_ascii=False)
            text = plain if plain.isprintable() and HALF not in plain else text
        text = text.replace(json.dumps(DEEP), '{"type":' * DEPTH + "1" + "}" * DEPTH)
        return text.encode() if self._random.random() < 0.03 else text


def _numbers_in(place: Any) -> list[tuple[Any, Any]]:
    """Where in an event numbers stand: what they are counted for goes wrong first."""
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    found = [(place, key) for key in keys if isinstance(place[key], int | float)]
    inner = [place[key] for key in keys if isinstance(place[key], dict | list)]
    return found + [one for deeper in inner for one in _numbers_in(deeper)]


def _ids_in(event: Event) -> list[str]:
    paths = (("item_id",), ("response_id",), ("item", "id"), ("response", "id"), ("event_id",))
    paths += (("item", "call_id"), ("previous_item_id",), ("session", "id"))  # type: ignore[assignment]
    return [found for path in paths if isinstance(found := field(event, *path), str) and found]
