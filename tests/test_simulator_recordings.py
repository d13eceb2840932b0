"""The simulator beside the real service: the same client events give the same events back.

The recorded answers are put into the brain's mouth, and then order, fields and usage of
what the engine sends are compared with ../shared/streams, turn by turn.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulator_driver import MS, Desk, Event, Says, folded, types

from rtwidgets.simulator.jobs import Answer, Call

STREAMS = Path(__file__).resolve().parents[2] / "shared" / "streams"
NAMES = sorted(path.stem for path in STREAMS.glob("*.jsonl")) if STREAMS.is_dir() else []

if not NAMES:
    pytest.skip(f"there are no recordings in {STREAMS}", allow_module_level=True)

#: May come at any time, or not at all (facts §3.1, §3.4): compared apart from the rest.
LOOSE = (
    "rate_limits.updated",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
)
DELTAS = ("response.output_audio.delta", "response.output_audio_transcript.delta")


class Recording:
    """One recorded session, and the same client events played to the engine."""

    def __init__(self, name: str) -> None:
        rows = [json.loads(line) for line in (STREAMS / f"{name}.jsonl").read_text().splitlines()]
        self.server = [row["event"] for row in rows if row["direction"] == "server"]
        self.client = [row["event"] for row in rows if row["direction"] == "client"]
        done = [e["response"] for e in self.server if e["type"] == "response.done"]
        self.usage = [response["usage"] for response in done]
        self.answers = [answer_in(response) for response in done]
        self.azure = name.startswith("azure")

    def played(self) -> Desk:
        model = self.server[0]["session"]["model"]
        desk = Desk(model, brain=Says(*self.answers), new_id=self._ids())
        desk.voice.milliseconds = self._milliseconds()
        spoken = False
        for event in self.client:
            if event["type"] != "input_audio_buffer.append":
                desk.send(event)
            elif not spoken:  # recordings keep 32 bytes of each chunk: speak something instead
                spoken = True
                desk.send(*spoken_turn())
        return desk

    def _ids(self) -> Any:
        """Ids that count, but for the calls, whose outputs the recorded client sends."""
        calls = [e["item"]["call_id"] for e in self.client if "call_id" in e.get("item", {})]
        count = 0

        def new_id(prefix: str, length: int) -> str:
            nonlocal count
            count += 1
            if prefix == "call_" and calls and count_calls(count):
                return str(calls.pop(0))
            return prefix + str(count).rjust(length, "0")[:length]

        made = iter(range(1000))

        def count_calls(_: int) -> bool:
            # Items of the client ask for a call id too and leave it unused: skip those.
            return next(made) >= self._items_before_the_call()

        return new_id

    def _items_before_the_call(self) -> int:
        kinds = [event["type"] for event in self.client]
        before = kinds[: kinds.index("response.create")] if "response.create" in kinds else kinds
        return before.count("conversation.item.create")

    def _milliseconds(self) -> int:
        tokens = [usage["output_token_details"]["audio_tokens"] for usage in self.usage]
        return max(tokens, default=0) * 50


def answer_in(response: Event) -> Answer:
    text, calls = "", []
    for item in response["output"]:
        if item["type"] == "function_call":
            calls.append(Call(item["name"], item["arguments"]))
        else:
            part = item["content"][0]
            text = part.get("text") or part.get("transcript")
    return Answer(text, tuple(calls))


def spoken_turn() -> list[Event]:
    """1770 ms of silence, 2260 ms of a hum, 1000 ms of silence, in chunks of 100 ms."""
    hum = np.sin(np.arange(2260 * 24) / 24) * 8000
    quiet = np.zeros(1770 * 24), np.zeros(1000 * 24)
    pcm = np.concatenate([quiet[0], hum, quiet[1]]).astype("<i2").tobytes()
    parts = [pcm[i : i + 100 * MS] for i in range(0, len(pcm), 100 * MS)]
    encoded = [base64.b64encode(part).decode() for part in parts]
    return [{"type": "input_audio_buffer.append", "audio": audio} for audio in encoded]


def strict(events: list[Event]) -> list[str]:
    """The order that is promised: runs of deltas as one, what may come anywhere left out."""
    kinds = ["deltas" if kind in DELTAS else kind for kind in types(events) if kind not in LOOSE]
    return folded(kinds)


def shape(value: Any) -> Any:
    """The keys of an event at every depth, in order, without the values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__ if not isinstance(value, (int, float)) else "number"


@pytest.mark.parametrize("name", NAMES)
def test_the_order_is_the_recorded_one(name: str) -> None:
    recording = Recording(name)
    assert strict(recording.played().events) == strict(recording.server)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("azure")])
def test_events_have_the_recorded_fields_in_the_recorded_order(name: str) -> None:
    recording = Recording(name)
    first_recorded, first_played = {}, {}
    for event in recording.server:
        first_recorded.setdefault(event["type"], event)
    for event in recording.played().events:
        first_played.setdefault(event["type"], event)
    for kind in set(first_recorded) & set(first_played):
        mine, real = shape(first_played[kind]), shape(first_recorded[kind])
        assert mine == real, kind
        assert json.dumps(mine) == json.dumps(real), f"{kind}: the order of the keys"


@pytest.mark.parametrize("name", NAMES)
def test_the_previous_item_is_named_as_recorded(name: str) -> None:
    def links(events: list[Event]) -> list[tuple[str, int | None]]:
        order: dict[str | None, int | None] = {None: None}
        found = []
        for event in events:
            if event["type"] in ("conversation.item.added", "conversation.item.done"):
                order.setdefault(event["item"]["id"], len(order))
                found.append((event["type"], order[event["previous_item_id"]]))
        return found

    recording = Recording(name)
    assert links(recording.played().events) == links(recording.server)


@pytest.mark.parametrize("name", NAMES)
def test_usage_is_close_to_the_recorded_bill(name: str) -> None:
    recording = Recording(name)
    done = [e for e in recording.played().events if e["type"] == "response.done"]
    for mine, real in zip([e["response"]["usage"] for e in done], recording.usage, strict=True):
        assert shape(mine) == shape(real)
        assert mine["output_token_details"] == pytest.approx(real["output_token_details"], abs=4)
        assert mine["input_tokens"] == pytest.approx(real["input_tokens"], rel=0.1)
        cached = mine["input_token_details"]["cached_tokens"]
        assert cached % 64 == 0
        assert cached == pytest.approx(real["input_token_details"]["cached_tokens"], abs=64)


def test_a_spoken_turn_has_the_recorded_offsets_and_bill() -> None:
    """Speech that begins and ends between two steps of 32 ms is told to begin and end on them."""
    recording = Recording("openai_openai_audio_in_server_vad_turn")
    desk = recording.played()
    for kind, offset in (("started", "audio_start_ms"), ("stopped", "audio_end_ms")):
        name = f"input_audio_buffer.speech_{kind}"
        real = next(event for event in recording.server if event["type"] == name)
        assert desk.last(name)[offset] == real[offset]
    heard = desk.last("response.done")["response"]["usage"]["input_token_details"]
    assert heard["audio_tokens"] == recording.usage[0]["input_token_details"]["audio_tokens"] == 27


@pytest.mark.parametrize("name", NAMES)
def test_rate_limits_come_directly_after_the_response(name: str) -> None:
    kinds = types(Recording(name).played().events)
    for place, kind in enumerate(kinds):
        if kind == "rate_limits.updated":
            assert kinds[place - 1] == "response.done"
