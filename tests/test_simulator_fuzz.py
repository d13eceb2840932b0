"""Ten thousand client events, half of them broken somewhere: nothing breaks, nothing invalid
is sent, and a server that had them all is no larger for it.

The short run is part of every test run; the long one is marked slow.
"""

from __future__ import annotations

import gc
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from simulator_driver import (
    Desk,
    Event,
    assistant_text,
    hum,
    respond,
    silence,
    types,
    update,
    user_text,
)

pytest.importorskip("openai")

from openai_events import problems  # noqa: E402

from rtwidgets.simulator.jobs import Answer, Call, Question  # noqa: E402
from rtwidgets.simulator.latency import TYPICAL  # noqa: E402
from rtwidgets.simulator.scripts import UserLines  # noqa: E402

#: Known from recordings (protocol facts §6), and not in the official types.
RECORDED = ".reasoning_tokens"

PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
SERVER = {"type": "mcp", "server_label": "dice", "require_approval": "never"}
IDLE = {"type": "server_vad", "idle_timeout_ms": 5000, "threshold": 0.4}
HALF = {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {}}
APPROVAL = {"type": "mcp_approval_response", "approval_request_id": "item_x", "approve": True}


def create(item: Event, **fields: Any) -> Event:
    return {"type": "conversation.item.create", "item": item, **fields}


def about(verb: str, **fields: Any) -> Event:
    return {"type": f"conversation.item.{verb}", "item_id": "item_a", **fields}


EVENTS: list[Event] = [
    update(instructions="x", output_modalities=["text"], tools=[TOOL, SERVER]),
    update(tools=[{**SERVER, "require_approval": "always"}], tool_choice="auto"),
    update(audio={"input": {"turn_detection": IDLE, "transcription": {"model": "whisper-1"}}}),
    update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}),
    update(audio={"input": {"turn_detection": None, "format": {"type": "audio/pcmu"}}}),
    update(audio={"output": {"voice": {"id": "voice_x"}, "speed": 1.0}}),
    update(include=["item.input_audio_transcription.logprobs"], truncation=HALF),
    update(reasoning={"effort": "low"}, max_output_tokens=20, output_modalities=["audio"]),
    user_text("Hello"),
    assistant_text("Hi", id="item_a"),
    create(user_text("c")["item"], previous_item_id="root"),
    create({"type": "message", "role": "user", "content": [PICTURE]}),
    create({"type": "function_call", "name": "f", "arguments": "{}", "call_id": "call_a"}),
    create({"type": "function_call_output", "call_id": "call_a", "output": "1"}),
    create(APPROVAL),
    about("retrieve"),
    about("delete"),
    about("truncate", content_index=0, audio_end_ms=9),
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    hum(120),
    respond(input=[], conversation="none", metadata={"a": "b"}, max_output_tokens=5),
    respond(input=[{"type": "item_reference", "id": "item_a"}], instructions="Say hi."),
    respond(),
    {"type": "response.cancel"},
]
SCALARS = st.none() | st.booleans() | st.integers(-2, 70_000) | st.text(max_size=4)
JSON = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=4), SCALARS)


@st.composite
def client_events(draw: Any) -> Event:
    """An event, in half of all cases with one value in it exchanged, dropped or added."""
    event: Event = json.loads(json.dumps(draw(st.sampled_from(EVENTS))))
    if draw(st.booleans()):
        return event
    place: Any = event
    key = draw(st.sampled_from(list(event)))
    while isinstance(place[key], (dict, list)) and place[key] and draw(st.booleans()):
        place = place[key]
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
    change = draw(st.sampled_from(["exchange", "drop", "add"]))
    if change == "drop":
        del place[key]
    elif change == "add" and isinstance(place, dict):
        place[draw(st.text(max_size=5))] = draw(JSON)
    else:
        place[key] = draw(JSON)
    return event


class Varied:
    """A brain that talks, calls and falls silent in turn."""

    def answer(self, question: Question) -> Answer:
        calls = tuple(Call(tool["name"], '{"a": 1}') for tool in question.tools[-1:])
        answers = (Answer("Hi there."), Answer("", calls), Answer("Well.", calls), Answer(""))
        return answers[question.replies_before % 4]


def survive(events: list[Event]) -> None:
    """Send the events to a session of their own, and look at all that comes."""
    lines = UserLines(["One.", "Two."])
    desk = Desk(
        "gpt-realtime-2.1", brain=Varied(), voice_ms=300, latency=TYPICAL, transcriber=lines
    )
    for event in events:
        if desk.engine.closing is None:
            desk.send_for(0.4, event)
    desk.send_for(1.0, update(instructions="Still there."))
    wrong = [problem for event in desk.events for problem in problems(event)]
    assert [problem for problem in wrong if RECORDED not in problem] == []
    assert "session.updated" in types(desk.events) or desk.engine.closing is not None
    ids = [event["event_id"] for event in desk.events]
    assert len(ids) == len(set(ids))


ALWAYS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@given(st.lists(client_events(), min_size=10, max_size=10))
@settings(max_examples=40, **ALWAYS)  # type: ignore[arg-type]
def test_four_hundred_events(events: list[Event]) -> None:
    survive(events)


@pytest.mark.slow
def test_ten_thousand_events_and_memory_stays_flat() -> None:
    sizes: list[int] = []

    @given(st.lists(client_events(), min_size=20, max_size=20))
    @settings(max_examples=500, phases=[Phase.generate], database=None, **ALWAYS)  # type: ignore[arg-type]
    def half_of_them(events: list[Event]) -> None:
        survive(events)

    half_of_them()  # what is loaded and cached once is there after this
    tracemalloc.start()
    try:
        for _ in range(2):
            survive(EVENTS)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
            for _ in range(125):
                survive(EVENTS[:20])
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[2] - sizes[1] < 64 * 1024


def test_a_long_session_keeps_only_its_conversation() -> None:
    """Items that are deleted again leave nothing behind, however many there were."""
    desk = Desk(brain=Varied(), voice_ms=100)

    def turns(count: int) -> int:
        for _ in range(count):
            desk.send(user_text("Hello", id="mine"), hum(200), silence(400))
            desk.send(respond(output_modalities=["text"]))
            for entry in list(desk.engine.items):
                desk.send({"type": "conversation.item.delete", "item_id": entry.id})
            desk.events.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    turns(50)
    tracemalloc.start()
    try:
        before = turns(50)
        assert turns(300) - before < 64 * 1024
    finally:
        tracemalloc.stop()
