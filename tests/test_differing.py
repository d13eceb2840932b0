"""Two runs side by side: what differs in meaning is named, what differs in ids and times is not."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets.report.differing import Difference, diff

Event = dict[str, Any]


def ev(type_: str, **fields: Any) -> Event:
    return {"type": type_, **fields}


def log_of(*events: Any) -> rt.EventLog:
    log = rt.EventLog()
    for number, event in enumerate(events):
        sent = isinstance(event, dict) and event["type"] in ("response.create", "session.update")
        log.append("client" if sent else "server", event, t=float(number))
    return log


def words(text: str, iid: str = "i", cut: int = 3) -> list[Event]:
    ids = {"response_id": "r" + iid, "item_id": iid}
    pieces = [text[at : at + cut] for at in range(0, len(text), cut)]
    run = [ev("response.output_text.delta", delta=piece, **ids) for piece in pieces]
    return [*run, ev("response.output_text.done", text=text, **ids)]


def sound(ms: int, iid: str = "i", step: int = 100) -> list[Event]:
    deltas = [bytes(48 * min(step, ms - at)) for at in range(0, ms, step)]
    return [
        ev("response.output_audio.delta", item_id=iid, delta=base64.b64encode(one).decode())
        for one in deltas
    ]


def lines(found: Any) -> list[tuple[str, str, str, str, str]]:
    return [(one.what, one.type, one.field, one.here, one.there) for one in found]


@pytest.fixture
def recorded(shared: Path) -> Any:
    return lambda name: rt.EventLog.from_jsonl(shared / "streams" / f"{name}.jsonl")


def test_a_log_does_not_differ_from_itself(recorded: Any, streams: dict[str, Any]) -> None:
    for name in streams:
        found = diff(recorded(name), recorded(name))
        assert len(found) == 0 and "No difference" in found.caption


def test_ids_times_and_padding_do_not_count(recorded: Any, streams: dict[str, Any]) -> None:
    for name in streams:
        log, other = recorded(name), rt.EventLog()
        for row in log:
            renamed = re.sub(r"\b(event|item|resp|sess|conv|call)_(\w{10})", r"\1_x\2", row.raw)
            event = json.loads(renamed)
            if "obfuscation" in event:
                event["obfuscation"] = "other"
            other.append(row.direction, event, t=row.seq * 2.0)
        assert len(diff(log, other)) == 0


def test_recorded_runs_of_the_same_question(recorded: Any) -> None:
    azure = recorded("azure_azure_text_in_audio_out_turn")
    openai = recorded("openai_openai_text_in_audio_out_turn")
    found = diff(azure, openai)
    assert {one.what for one in found} == {"differs"}
    said = next(one for one in found if one.type == "response.output_audio_transcript.delta")
    assert (said.here, said.there) == ("Hello there! Great to meet you!", "Hi there!")
    assert (said.seq, said.other_seq, said.field) == (11, 11, "text") and said.repeated >= 3
    assert ("differs", "response.done", "response.usage.total_tokens", "114", "40") in lines(found)
    back = diff(openai, azure)
    assert sorted((one.there, one.here) for one in back) == sorted(
        (one.here, one.there) for one in found
    )


def test_the_pieces_do_not_count_and_the_words_do() -> None:
    assert (
        len(diff(log_of(*words("Hello there", cut=2)), log_of(*words("Hello there", cut=5)))) == 0
    )
    (found,) = diff(log_of(*words("Hello there")), log_of(*words("Hello you")))
    assert (found.field, found.here, found.there) == ("text", "Hello there", "Hello you")
    assert found.repeated == 1  # response.output_text.done says it again


def test_audio_is_compared_by_its_length() -> None:
    one = log_of(*sound(300, step=100))
    loud = rt.EventLog()
    pcm = base64.b64encode(b"\x01\x7f" * 24 * 300).decode()
    loud.append("server", ev("response.output_audio.delta", item_id="i", delta=pcm))
    assert len(diff(one, loud)) == 0
    (found,) = diff(one, log_of(*sound(200)))
    assert (found.field, found.here, found.there) == ("audio", "300 ms of audio", "200 ms of audio")
    item = {"type": "message", "content": [{"type": "input_audio", "audio": pcm}]}
    (found,) = diff(
        log_of(ev("conversation.item.done", item=item)),
        log_of(ev("conversation.item.done", item={"type": "message", "content": []})),
    )[:1]
    assert found.field.startswith("item.content[0]") and "AA" not in found.here


def test_deltas_that_interleave_differently_are_the_same() -> None:
    a, b = words("one two three", "a"), words("four five six", "b")
    mixed = [event for pair in zip(a, b, strict=True) for event in pair]
    one, two = log_of(*mixed), log_of(*mixed[:1], *mixed[1:2], *a[1:-1], *b[1:-1], a[-1], b[-1])
    assert len(diff(one, two)) == 0


def turn(text: str, reply: str, iid: str) -> list[Event]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return [
        ev("conversation.item.added", item=item),
        ev("response.create"),
        ev("response.created", response={"id": "r" + iid, "status": "in_progress"}),
        *words(reply, iid),
        ev("response.done", response={"id": "r" + iid, "status": "completed"}),
        ev("rate_limits.updated", rate_limits=[{"remaining": len(text)}]),
    ]


def test_a_turn_that_is_missing_is_named_and_the_others_stay_together() -> None:
    first, second, third = turn("a", "A!", "1"), turn("b", "B!", "2"), turn("c", "C!", "3")
    here, there = log_of(*first, *second, *third), log_of(*first, *third)
    found = diff(here, there)
    assert {one.what for one in found} == {"only here"}
    assert len(found) == len(second) and "B!" in [one.here for one in found]
    assert all(one.seq is not None and one.other_seq is None for one in found)
    back = diff(there, here)
    assert {one.what for one in back} == {"only there"} and len(back) == len(second)


def test_an_event_with_another_status_is_the_same_event() -> None:
    here = log_of(*turn("a", "A!", "1"))
    changed = turn("a", "A!", "1")
    changed[-2] = ev(
        "response.done",
        response={"id": "x", "status": "cancelled", "status_details": {"reason": "turn_detected"}},
    )
    assert lines(diff(here, log_of(*changed))) == [
        ("differs", "response.done", "response.status", "completed", "cancelled"),
        ("differs", "response.done", "response.status_details.reason", "", "turn_detected"),
    ]


def test_frames_that_are_not_json_are_compared_as_they_are() -> None:
    (found,) = diff(log_of("abc"), log_of("abd"))
    assert (found.what, found.field, found.here, found.there) == ("differs", "frame", "abc", "abd")


def test_beta_names_are_the_same_events() -> None:
    new = [ev("response.output_text.delta", delta="x"), ev("response.output_text.done", text="x")]
    old = [ev("response.text.delta", delta="x"), ev("response.text.done", text="x")]
    assert len(diff(log_of(*new), log_of(*old))) == 0


def test_a_long_text_is_shown_where_it_begins_to_differ() -> None:
    same = "The same beginning. " * 500
    here = log_of(ev("session.update", session={"instructions": same + "Be kind."}))
    there = log_of(ev("session.update", session={"instructions": same + "Be quick."}))
    (found,) = diff(here, there)
    assert found.here.endswith("Be kind.") and found.there.endswith("Be quick.")
    assert found.here.startswith("…") and len(found.here) < 300


def test_empty_logs() -> None:
    assert len(diff(rt.EventLog(), rt.EventLog())) == 0
    assert [one.what for one in diff(log_of(ev("x")), rt.EventLog())] == ["only here"]
    assert [one.what for one in diff(rt.EventLog(), log_of(ev("x")))] == ["only there"]


HOSTILE = "<script>\x1b[31m\ud83d\x00\u202e"


@pytest.mark.parametrize(
    "event",
    [
        {"type": HOSTILE, HOSTILE: HOSTILE},
        {"type": "x", "a": json.loads("[" * 200 + "]" * 200), "b": list(range(10_000))},
        {"type": "x", "a": "y" * 1_000_000},
        {"type": "response.output_text.delta", "delta": 5, "item_id": []},
        {"type": "response.output_audio.delta", "delta": "no base64!"},
        {"type": "conversation.item.done", "item": [1], "audio": 7},
        HOSTILE,
    ],
)
def test_anything_can_be_compared(event: Any) -> None:
    one, two = log_of(event, ev("y")), log_of(ev("y"), event, event)
    found = diff(one, two)
    assert len(found) >= 1
    assert "<script" not in found.to_html() and "\x1b" not in str(found)
    assert str(found).encode() and len(str(found)) < 10_000
    assert len(diff(one, one)) == 0


def test_long_logs_are_compared_at_a_bounded_cost() -> None:
    """Each with each would be a thousand million comparisons: whoever does that waits here."""
    many = [ev("response.create") if at % 3 else ev("ping", n=at % 5) for at in range(30_000)]
    here, there = log_of(*many), log_of(*many[10:], *many[:7])
    assert 17 <= len(diff(here, there)) < 5000
    turns = [event for at in range(3000) for event in turn(f"q{at}", f"a{at}", str(at))]
    other = [*turns[:9000], ev("error", error={"message": "oops"}), *turns[9000:]]
    (found,) = diff(log_of(*turns), log_of(*other))
    assert (found.what, found.type, found.other_seq) == ("only there", "error", 9000)


def test_two_sessions_with_the_simulator_differ_in_what_was_said_alone() -> None:
    def run(question: str) -> rt.EventLog:
        with rt.Session(rt.Simulated(where="memory", latency="none")) as s:
            s.ask(question)
            return s.log

    same = diff(run("What time is it?"), run("What time is it?"))
    assert [one for one in same if one.field and "usage" not in one.field] == []
    found = run("What time is it?").diff(run("Where am I?"))
    asked = next(one for one in found if one.direction == "client")
    assert isinstance(asked, Difference)
    assert (asked.here, asked.there) == ("What time is it?", "Where am I?")
