"""Client events as hypothesis draws them: half of them broken somewhere, with ids that exist.

An id of something that the server has announced cannot be known when an event is drawn. So a
drawn event names it by a placeholder, and `Known` puts the id in its place when it is sent.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import strategies as st
from simulator_driver import Event, append, assistant_text, hum, respond, update, user_text

PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "high"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
SERVER = {"type": "mcp", "server_label": "dice", "require_approval": "never"}
ASKING = {**SERVER, "server_label": "demo", "require_approval": "always"}
IDLE = {"type": "server_vad", "idle_timeout_ms": 5000, "threshold": 0.4}
HALF = {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {}}
ULAW, PCM = {"type": "audio/pcmu"}, {"type": "audio/pcm", "rate": 24000}
STREAMED = {"transcription": {"model": "gpt-realtime-whisper"}, "format": PCM}

#: What `Known` replaces, by the kind of id.
ITEM, CALL, RESPONSE, APPROVAL = "<item>", "<call>", "<response>", "<approval>"
PLACEHOLDERS = (ITEM, CALL, RESPONSE, APPROVAL)


#: A whole turn in one append: 600 ms that are heard, and as long a silence.
SPOKEN = append(np.concatenate([np.sin(np.arange(600 * 24) / 24) * 8000, np.zeros(600 * 24)]))


def create(item: Event, **fields: Any) -> Event:
    return {"type": "conversation.item.create", "item": item, **fields}


def about(verb: str, item_id: str = ITEM, **fields: Any) -> Event:
    return {"type": f"conversation.item.{verb}", "item_id": item_id, **fields}


def approval(approve: bool) -> Event:
    item = {"type": "mcp_approval_response", "approval_request_id": APPROVAL, "approve": approve}
    return create(item)


EVENTS: list[Event] = [
    update(instructions="x", output_modalities=["text"], tools=[TOOL, SERVER]),
    update(tools=[ASKING, TOOL], tool_choice="auto"),
    update(tools=[TOOL], tool_choice={"type": "function", "name": "f"}),
    update(tools=[], tool_choice="required"),
    update(audio={"input": {"turn_detection": IDLE, "transcription": {"model": "whisper-1"}}}),
    update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}),
    update(audio={"input": {"turn_detection": None, "format": ULAW}}),
    update(audio={"input": STREAMED, "output": {"format": ULAW}}),
    update(audio={"output": {"voice": {"id": "voice_x"}, "speed": 1.0}}),
    update(include=["item.input_audio_transcription.logprobs"], truncation=HALF),
    update(reasoning={"effort": "low"}, max_output_tokens=20, output_modalities=["audio"]),
    user_text("Hello"),
    assistant_text("Hi", id="item_a"),
    create(user_text("c")["item"], previous_item_id=ITEM),
    create(user_text("c", id=ITEM)["item"], previous_item_id="root"),
    create({"type": "message", "role": "user", "content": [PICTURE]}),
    create({"type": "function_call", "name": "f", "arguments": "{}", "call_id": "call_a"}),
    create({"type": "function_call_output", "call_id": CALL, "output": "1"}),
    approval(True),
    approval(False),
    about("retrieve"),
    about("delete"),
    about("truncate", content_index=0, audio_end_ms=9),
    about("truncate", content_index=0, audio_end_ms=10**9),
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    hum(120),
    SPOKEN,
    respond(input=[], conversation="none", metadata={"a": "b"}, max_output_tokens=5),
    respond(input=[{"type": "item_reference", "id": ITEM}], instructions="Say hi."),
    respond(),
    respond(tools=[ASKING], output_modalities=["text"]),
    respond(tools=[TOOL], tool_choice="required", output_modalities=["text"]),
    respond(tools=[TOOL, SERVER], conversation="none"),
    {"type": "response.cancel"},
    {"type": "response.cancel", "response_id": RESPONSE},
]

deep: Any = "end"
for _ in range(80):
    deep = {"type": deep, "inner": [deep]} if isinstance(deep, str) else {"inner": [deep]}

ODD_TEXT = st.sampled_from(
    ["", "\x00", "\ud800", "\udfff\ud800", "😀" * 40, "\u202eabc", "a\u0301", "\ufeff", "x" * 5000]
)
NUMBERS = st.sampled_from([-1, 0, 2**31, 2**63, -(2**64), 10**400, 1e308, -0.0, 5e-324, 24000])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 70_000), NUMBERS, st.text(max_size=4), ODD_TEXT,
    st.sampled_from(PLACEHOLDERS),
)  # fmt: skip
JSON = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.dictionaries(st.text(max_size=4), SCALARS),
    st.just(deep),
    st.sampled_from(EVENTS),
)
#: What is no event at all.
GARBAGE = st.one_of(
    st.text(max_size=20),
    st.binary(max_size=40),
    st.sampled_from(["[" * 50_000, '{"a":' * 3000 + "1" + "}" * 3000, "NaN", "[]", "7", '"x"']),
    st.sampled_from(['{"type":"response.create","response":{"max_output_tokens":1e999}}', "{"]),
)


@st.composite
def broken(draw: Any) -> Event | str | bytes:
    """An event with one value in it exchanged, dropped or added; or what is none."""
    if draw(st.integers(0, 15)) == 0:
        garbage: str | bytes = draw(GARBAGE)
        return garbage
    event: Event = json.loads(json.dumps(draw(st.sampled_from(EVENTS))))
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
        place[draw(st.text(max_size=5) | ODD_TEXT)] = draw(JSON)
    else:
        place[key] = draw(JSON)
    return event


Sent = tuple[Event | str | bytes, int]
"""The event, and which of the known ids its placeholders mean."""

WHICH = st.integers(0, 50)
GOOD, BROKEN = st.tuples(st.sampled_from(EVENTS), WHICH), st.tuples(broken(), WHICH)


def talks(size: int) -> st.SearchStrategy[list[Sent]]:
    """So many client events, exactly half of them broken, in any order of each two."""
    pair = st.tuples(GOOD, BROKEN, st.booleans()).map(lambda p: p[:2] if p[2] else p[1::-1])
    pairs = st.lists(pair, min_size=size // 2, max_size=size // 2)
    return pairs.map(lambda found: [event for each in found for event in each])


class Known:
    """The ids that a server has announced so far; reads every event that comes."""

    def __init__(self) -> None:
        self._ids: dict[str, list[str]] = {kind: [] for kind in PLACEHOLDERS}

    def read(self, event: Event) -> None:
        item = event.get("item") or {}
        kind = APPROVAL if item.get("type") == "mcp_approval_request" else ITEM
        for found, name in ((kind, item.get("id")), (CALL, item.get("call_id"))):
            self._add(found, name)
        self._add(ITEM, event.get("item_id"))  # also of turns that are being spoken
        self._add(RESPONSE, (event.get("response") or {}).get("id"))

    def _add(self, kind: str, name: Any) -> None:
        if name and name not in self._ids[kind]:
            self._ids[kind].append(name)

    def frame(self, event: Event | str | bytes, which: int) -> str | bytes:
        """The frame to send: the event with ids that are known in the places for them."""
        if isinstance(event, bytes):
            return event
        text = event if isinstance(event, str) else json.dumps(event)
        for kind, ids in self._ids.items():
            text = text.replace(kind, ids[-1 - which % len(ids)] if ids else f"no_{kind[1:-1]}")
        return text
