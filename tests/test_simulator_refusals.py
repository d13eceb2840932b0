"""Every refusal whose words were seen on the live service, word for word.

The rows are those of ../shared/facts/errors.jsonl, all of them: a row is sent here, or it says
where else it is shown, or why it cannot be. Ids and lengths in a row are part of its words, so the
state that leads there is built with exactly these. Fields that a row's source did not show
(`unknown_fields`) and words that are not verbatim ("…", a full stop at the end) are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import test_simulator_server
from simulator_driver import Desk, Event, Says, hum, respond, silence, update, user_text

from rtwidgets.simulator.schema import EVENTS

FACTS = Path(__file__).resolve().parents[2] / "shared" / "facts" / "errors.jsonl"
ROWS = [json.loads(line) for line in FACTS.read_text().splitlines()] if FACTS.exists() else []

#: Rows that no client event on a plain GA WebSocket can bring about, and why.
NOT_HERE = {
    "item_content_type_assistant_input_text_beta": "the beta is over; words of old logs",
    "version_mismatch_ga_beta": "beta client secrets do not exist here",
    "response_done_failed_azure": "of Azure; on request: the fault rate-limit",
    "response_done_failed_tpm": "of the beta; on request: the fault rate-limit",
    "transcription_failed_azure": "of Azure; on request: the fault fail-transcription",
}
#: Rows about the connection and about time, and the test that shows each.
ELSEWHERE = {
    **dict.fromkeys(
        ("beta_header_on_ga", "bad_api_key", "no_api_key", "bad_model", "missing_model"),
        test_simulator_server.test_is_let_in_told_and_closed_as_by_the_real_server,
    ),
    "model_param_on_transcription": (
        test_simulator_server.test_is_let_in_told_and_closed_as_by_the_real_server
    ),
    "beta_shape_http": test_simulator_server.test_http_refusals,
    "session_expired_60min": "below",
}


def a_response_is_active() -> Desk:
    desk = Desk(new_id=named(resp="resp_CdulSkgwnvcvHPA8FsqBM"))
    desk.hold_jobs = True
    desk.send(respond())
    return desk


def a_reply_of_9800_ms() -> Desk:
    desk = Desk(brain=Says("A long reply."), voice_ms=9800, new_id=named(item="item_x"))
    desk.send(respond())
    return desk


def an_item_with_that_id() -> Desk:
    desk = Desk()
    desk.send(user_text("x", id="sonic_mt_dup0001test"))
    return desk


def the_assistant_has_sounded() -> Desk:
    desk = Desk()
    desk.send(respond())
    return desk


def a_transcription_session() -> Desk:
    return Desk("", intent="transcription")


def a_users_item() -> Desk:
    desk = Desk()
    desk.send(user_text("x", id="<user item, or assistant item with no audio yet>"[:32]))
    return desk


#: Rows whose words are a guess of the facts themselves.
GUESSED = {"create_unknown_previous_item"}
STATES: dict[str, Callable[[], Desk]] = {
    "active_response": a_response_is_active,
    "truncate_beyond_audio": a_reply_of_9800_ms,
    "create_duplicate_item_id": an_item_with_that_id,
    "voice_change_after_audio": the_assistant_has_sounded,
    "turn_detection_on_whisper": a_transcription_session,
    "realtime_update_on_transcription": a_transcription_session,
    "rate_below_24000": a_transcription_session,
    "truncate_not_audio": a_users_item,
}


def named(**fixed: str) -> Callable[[str, int], str]:
    """An id maker that gives these ids to the first of their kind."""
    count = 0

    def new_id(prefix: str, length: int) -> str:
        nonlocal count
        count += 1
        return fixed.pop(prefix.rstrip("_"), prefix + str(count).rjust(length, "0")[:length])

    return new_id


def judged(row: dict[str, Any]) -> bool:
    return row["key"] not in NOT_HERE and row["key"] not in ELSEWHERE


def sent(row: dict[str, Any]) -> Event | str | bytes:
    """What the row's client sent, or one of its kind where the row only describes it."""
    event: Any = row["client_event"]
    if row["key"] == "binary_frame":
        return b"\0" * 64
    if row["key"] == "truncate_not_audio":
        return {**event, "item_id": event["item_id"][:32]}
    found: Event | str = event
    return found


def agrees(real: Any, ours: Any) -> bool:
    """Whether our value is the real one, as far as the row shows it."""
    if not isinstance(real, str):
        return bool(real == ours)
    parts = [part.strip() for part in real.rstrip(".").split("…")]
    return all(part in str(ours) for part in parts) and (
        "…" in real or ours.rstrip(".") == parts[0]
    )


@pytest.mark.skipif(not ROWS, reason=f"there is no {FACTS}")
@pytest.mark.parametrize("row", [r for r in ROWS if judged(r)], ids=lambda row: row["key"])
def test_is_refused_in_the_live_services_words(row: dict[str, Any]) -> None:
    desk = STATES.get(row["key"], Desk)()
    came = desk.send(sent(row))
    assert came[0]["type"] == "error"
    error, real = came[0]["error"], row["error"]
    message_shown = "message" not in row["unknown_fields"] or "…" in real["message"]
    if message_shown and row["key"] not in GUESSED:
        exact = row["verified_text"]
        assert (
            real["message"] == error["message"]
            if exact
            else agrees(real["message"], error["message"])
        )
    for field in {"type", "code", "param", "event_id"} - set(row["unknown_fields"]):
        assert error[field] == real[field], field
    if "followed_by" not in row:
        assert len(came) == 1
    else:
        assert [event["type"] for event in came[1:]] == [row["followed_by"]["type"]]


@pytest.mark.skipif(not ROWS, reason=f"there is no {FACTS}")
def test_every_row_is_sent_or_set_aside_with_a_reason() -> None:
    keys = {row["key"] for row in ROWS}
    assert set(NOT_HERE) | set(ELSEWHERE) <= keys
    assert not set(NOT_HERE) & set(ELSEWHERE)
    described = {row["key"] for row in ROWS if judged(row) and isinstance(row["client_event"], str)}
    assert described <= {"binary_frame", "not_json"}


EVERY_EVENT = [
    {"type": kind, "item": {}, "session": {"type": "realtime"}, "audio": 5, "nonsense": 1}
    for kind in EVENTS
]


@pytest.mark.parametrize("event", EVERY_EVENT, ids=lambda event: str(event["type"]))
@pytest.mark.parametrize("event_id", ["mine", None, "absent"])
def test_the_clients_event_id_is_echoed_in_every_refusal(event: Event, event_id: Any) -> None:
    """Captured: it is that of the client's event, null where there was none."""
    named = event if event_id == "absent" else {**event, "event_id": event_id}
    (refused,) = Desk().send(named)
    assert refused["error"]["event_id"] == (event_id if event_id == "mine" else None)
    assert refused["event_id"].startswith("event_")


def test_the_hour_ends_with_an_error_and_a_close() -> None:
    desk = Desk(lifetime=3600.0)
    error = desk.events[-1]["error"]
    assert error["code"] == "session_expired"
    assert error["message"] == "Your session hit the maximum duration of 60 minutes."
    assert desk.engine.closing == (1001, "Your session hit the maximum duration of 60 minutes.")


def test_the_support_bots_advice_is_refused_and_adds_nothing() -> None:
    desk = Desk()
    content = [{"type": "input_text", "text": "Hello, I am your guide."}]
    item = {"type": "message", "role": "assistant", "content": content}
    event: Event = {"type": "conversation.item.create", "item": item, "event_id": "mine"}
    (refused,) = desk.send(event)
    assert refused["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "Invalid value: 'input_text'. Value must be 'output_text'.",
        "param": "item.content[0].type",
        "event_id": "mine",
    }
    assert len(desk.engine.items) == 0


#: Misuses nobody captured: the family's words, from the schema alone.
FAMILIES: list[tuple[Event, str, str, str]] = [
    (
        {"type": "session.update", "session": {"type": "realtime", "instructions": 5}},
        "invalid_type",
        "session.instructions",
        "Invalid type for 'session.instructions': expected a string, but got an integer instead.",
    ),
    (
        {
            "type": "session.update",
            "session": {"type": "realtime", "audio": {"output": {"speed": 3.0}}},
        },
        "decimal_above_max_value",
        "session.audio.output.speed",
        "Invalid 'session.audio.output.speed': decimal above maximum value. "
        "Expected a value <= 1.5, but got 3.0 instead.",
    ),
    (
        {
            "type": "session.update",
            "session": {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm"}}}},
        },
        "missing_required_parameter",
        "session.audio.input.format.rate",
        "Missing required parameter: 'session.audio.input.format.rate'.",
    ),
    (
        {
            "type": "session.update",
            "session": {
                "type": "realtime",
                "audio": {"input": {"turn_detection": {"type": "server_vad", "eagerness": "low"}}},
            },
        },
        "unknown_parameter",
        "session.audio.input.turn_detection.eagerness",
        "Unknown parameter: 'session.audio.input.turn_detection.eagerness'.",
    ),
    (
        {
            "type": "session.update",
            "session": {"type": "realtime", "tools": [{"type": "function"}]},
        },
        "missing_required_parameter",
        "session.tools[0].name",
        "Missing required parameter: 'session.tools[0].name'.",
    ),
    (
        {"type": "response.create", "response": {"temperature": 0.8}},
        "unknown_parameter",
        "response.temperature",
        "Unknown parameter: 'response.temperature'.",
    ),
    (
        {"type": "response.create", "response": {"metadata": {str(n): "x" for n in range(17)}}},
        "object_above_max_properties",
        "response.metadata",
        "Invalid 'response.metadata': too many properties. Expected an object with at most 16 "
        "properties, but got an object with 17 properties instead.",
    ),
    (
        {"type": "conversation.item.create", "item": {"role": "user", "content": []}},
        "missing_required_parameter",
        "item.type",
        "Missing required parameter: 'item.type'.",
    ),
    (
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0},
        "missing_required_parameter",
        "audio_end_ms",
        "Missing required parameter: 'audio_end_ms'.",
    ),
    (
        {"type": "input_audio_buffer.append", "audio": "not base64!"},
        "invalid_value",
        "audio",
        "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) "
        "but got an invalid value.",
    ),
]


@pytest.mark.parametrize(("event", "code", "param", "message"), FAMILIES, ids=lambda v: str(v)[:40])
def test_a_misuse_nobody_listed(event: Event, code: str, param: str, message: str) -> None:
    desk = Desk()
    (refused,) = desk.send(event)
    error = refused["error"]
    assert (error["code"], error["param"], error["message"]) == (code, param, message)


def test_a_rejected_update_applies_nothing() -> None:
    desk = Desk()
    desk.send(respond())
    before = json.dumps(desk.session())
    changes = {"type": "realtime", "instructions": "New.", "audio": {"output": {"voice": "cedar"}}}
    (refused,) = desk.send({"type": "session.update", "session": changes})
    assert refused["error"]["code"] == "cannot_update_voice"
    assert json.dumps(desk.session()) == before


def test_reasoning_is_for_reasoning_models() -> None:
    event = {
        "type": "session.update",
        "session": {"type": "realtime", "reasoning": {"effort": "low"}},
    }
    (refused,) = Desk("gpt-realtime").send(event)
    assert refused["error"]["param"] == "session.reasoning"
    (updated,) = Desk("gpt-realtime-2.1").send(event)
    assert updated["session"]["reasoning"] == {"effort": "low"}


FUNCTION = {"type": "function", "name": "f"}
SERVER = {"type": "mcp", "server_label": "dice", "server_url": "https://example.com/mcp"}


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("required", "Tool choice 'required' must be specified with 'tools' parameter."),
        ({"type": "function", "name": "g"}, "Tool choice 'g' not found in 'tools' parameter."),
        ({"type": "mcp", "server_label": "x"}, "Tool choice 'x' not found in 'tools' parameter."),
    ],
)
def test_a_tool_that_must_be_called_has_to_be_there(choice: Any, message: str) -> None:
    tools = [] if choice == "required" else [FUNCTION, SERVER]
    desk = Desk()
    asked = {**respond(tool_choice=choice, tools=tools), "event_id": "mine"}
    (refused,) = desk.send(asked)
    error = refused["error"]
    assert (error["message"], error["param"]) == (message, "response.tool_choice")
    assert error["event_id"] == "mine"
    desk.send({"type": "session.update", "session": {"type": "realtime", "tool_choice": choice}})
    (refused,) = desk.send(respond(tools=tools))
    assert refused["error"]["param"] == "session.tool_choice"
    assert desk.send(respond(tools=tools, tool_choice="auto"))[0]["type"] == "response.created"


def test_turn_detection_cannot_answer_with_a_tool_that_is_not_there() -> None:
    desk = Desk()
    desk.send(update(tool_choice="required"))
    came = desk.send(hum(500), silence(400))
    assert came[-1]["type"] == "error"
    assert came[-1]["error"]["event_id"] is None
    assert "response.created" not in [event["type"] for event in came]


@pytest.mark.parametrize(
    "choice",
    ["required", {"type": "function", "name": "f"}, {"type": "mcp", "server_label": "dice"}],
)
def test_a_tool_that_is_there_may_be_demanded(choice: Any) -> None:
    came = Desk().send(respond(tools=[FUNCTION, SERVER], tool_choice=choice))
    assert "response.created" in [event["type"] for event in came]
