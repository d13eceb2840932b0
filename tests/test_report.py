"""What a log says: items, responses, turns, causes; of recordings, made-up logs and sessions."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rtwidgets as rt
from rtwidgets import report
from rtwidgets.events import GA_NAMES, beta_names
from rtwidgets.report import tables

Event = dict[str, Any]


def log_of(*rows: tuple[str, Event] | tuple[str, Event, float]) -> rt.EventLog:
    """A log of ("c" | "s" | "l", event[, seconds]) rows; a second passes between rows."""
    log = rt.EventLog(model="gpt-realtime-2.1")
    directions: dict[str, Any] = {"c": "client", "s": "server", "l": "local"}
    for number, row in enumerate(rows):
        log.append(directions[row[0]], row[1], t=row[2] if len(row) > 2 else float(number))
    return log


def ev(type_: str, **fields: Any) -> Event:
    return {"type": type_, **fields}


CREATED = ("s", ev("session.created", session={"id": "sess_1", "model": "gpt-realtime-2.1"}))


def create_user(text: str, **more: Any) -> tuple[str, Event]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return "c", ev("conversation.item.create", item={**item, **more.pop("item", {})}, **more)


def message(id_: str, role: str, text: str, status: str = "completed") -> Event:
    kind = "input_text" if role == "user" else "output_text"
    content = [{"type": kind, "text": text}]
    return {"id": id_, "type": "message", "role": role, "status": status, "content": content}


def added(item: Event) -> list[tuple[str, Event]]:
    return [("s", ev(f"conversation.item.{what}", item=item)) for what in ("added", "done")]


def pcm(ms: int) -> str:
    return base64.b64encode(bytes(48 * ms)).decode()


USAGE = {
    "total_tokens": 30,
    "input_tokens": 10,
    "output_tokens": 20,
    "input_token_details": {"text_tokens": 10},
    "output_token_details": {"text_tokens": 20},
}


def answer(
    rid: str,
    iid: str,
    text: str,
    *,
    ms: int = 200,
    conversation: str | None = "conv_1",
    status: str = "completed",
    reason: str = "",
    end: bool = True,
    metadata: Any = None,
) -> list[tuple[str, Event]]:
    """A response as the service sends it, speaking `text` for `ms`; without its end on request."""
    ids = {"response_id": rid, "item_id": iid, "output_index": 0, "content_index": 0}
    response = {"id": rid, "status": "in_progress", "conversation_id": conversation}
    response["metadata"] = metadata
    item = {"id": iid, "type": "message", "role": "assistant", "status": "in_progress"}
    rows: list[Event] = [
        ev("response.created", response=response),
        ev("response.output_item.added", response_id=rid, item={**item, "content": []}),
    ]
    if conversation:
        rows.append(ev("conversation.item.added", item={**item, "content": []}))
    rows.append(ev("response.content_part.added", part={"type": "audio", "transcript": ""}, **ids))
    half = len(text) // 2
    for piece in (text[:half], text[half:]):
        rows.append(ev("response.output_audio_transcript.delta", delta=piece, **ids))
        rows.append(ev("response.output_audio.delta", delta=pcm(ms // 2), **ids))
    if end:
        done = {**item, "status": "completed" if status == "completed" else "incomplete"}
        done["content"] = [{"type": "output_audio", "transcript": text}]
        details = {"type": status, "reason": reason} if reason else None
        rows += [
            ev("response.output_audio.done", **ids),
            ev("response.output_audio_transcript.done", transcript=text, **ids),
            *([ev("conversation.item.done", item=done)] if conversation else []),
            ev("response.output_item.done", response_id=rid, item=done),
            ev(
                "response.done",
                response={
                    **response,
                    "status": status,
                    "status_details": details,
                    "output": [done],
                    "usage": USAGE,
                },
            ),
            ev("rate_limits.updated", rate_limits=[{"name": "tokens", "remaining": 1}]),
        ]
    return [("s", row) for row in rows]


def causes(log: rt.EventLog) -> dict[int, int]:
    return dict(report.causes(log).items())


def said_and_answered(log: Any) -> list[tuple[str, str, str]]:
    return [(turn.by, turn.said, turn.answer) for turn in report.turns(log)]


CREATE = ("c", ev("response.create"))


# ------------------------------------------------------------------ recordings, checked by hand


@pytest.fixture
def recorded(shared: Path) -> Any:
    return lambda name: rt.EventLog.from_jsonl(shared / "streams" / f"{name}.jsonl")


def quiet(log: rt.EventLog) -> dict[int, int | None]:
    """The causes of all server rows but deltas."""
    found = report.causes(log)
    rows = (row for row in log.where(direction="server") if not row.type.endswith(".delta"))
    return {row.seq: found.get(row.seq) for row in rows}


def test_recorded_text_in_audio_out(recorded: Any) -> None:
    for name, words, tokens, deltas in (
        ("azure_azure_text_in_audio_out_turn", "Hello there! Great to meet you!", 114, 16),
        ("openai_openai_text_in_audio_out_turn", "Hi there!", 40, 5),
    ):
        log = recorded(name)
        user, said = report.items(log)
        assert (user.role, user.type, user.text) == ("user", "message", "Say a short greeting.")
        assert (said.role, said.text, said.status) == ("assistant", words, "completed")
        assert user.response_id == "" and user.t <= said.t
        assert said.audio_ms == round(32 * deltas / 48) and said.heard_ms is None
        (response,) = report.responses(log)
        assert response.response_id == said.response_id and response.text == words
        assert (response.status, response.reason, response.tokens) == ("completed", "", tokens)
        assert response.conversation.startswith("conv_") and response.cost is not None
        (turn,) = report.turns(log)
        assert (turn.by, turn.said, turn.answer) == ("typed", "Say a short greeting.", words)
        assert (turn.first_seq, turn.last_seq) == (3, len(log) - 1)
        assert turn.response_ids == (response.response_id,) and turn.cost == response.cost
        assert report.turn_starts(log) == [3]
        found = quiet(log)
        assert (found[0], found[2], found[5], found[6]) == (None, 1, 3, 3)
        assert {cause for seq, cause in found.items() if seq >= 7} == {4}


def test_recorded_speech_with_server_vad(recorded: Any) -> None:
    log = recorded("openai_openai_audio_in_server_vad_turn")
    user, said = report.items(log)
    assert user.text == "Hello, my name is Marcelo." and user.role == "user"
    assert user.audio_ms == 4256 - 1460  # as the server measured it
    assert said.text.startswith("Hello, Marcelo!") and said.audio_ms == round(29 * 32 / 48)
    (turn,) = report.turns(log)
    assert (turn.by, turn.first_seq, turn.interrupted) == ("spoken", 58, False)
    assert said_and_answered(log) == [("spoken", user.text, said.text)]
    found = quiet(log)
    assert found[2] == 1
    assert {cause for seq, cause in found.items() if seq >= 58} == {57}  # the last audio before


def test_recorded_history(recorded: Any) -> None:
    log = recorded("openai_openai_message_history_seeding")
    assert [item.role for item in report.items(log)] == ["user", "assistant", "user", "assistant"]
    silent, asked = report.turns(log)
    assert (silent.status, silent.response_ids, silent.wait) == ("silent", (), None)
    assert (silent.said, silent.answer) == (
        "My name is Alice and my favorite color is teal.",
        "Nice to meet you, Alice!",
    )
    assert asked.answer == "Your name is Alice, and your favorite color is teal!"
    assert (silent.first_seq, silent.last_seq, asked.first_seq) == (3, 4, 5)
    found = quiet(log)
    assert [found[seq] for seq in range(7, 14)] == [3, 3, 4, 4, 5, 5, 6]


def test_recorded_tool_calls_are_one_turn(recorded: Any) -> None:
    first = "I’ll check the current weather in London for you."
    for name, call, words, output_row, create_row in (
        ("openai_openai_tool_call_round", '{  \n  "city": "London" \n} \n', "", 23, 27),
        ("openai_parity_text_tool_round_parity_openai_current", '{"city":"London"}', first, 36, 38),
    ):
        log = recorded(name)
        kinds = [item.type for item in report.items(log)]
        assert kinds[-3:] == ["function_call", "function_call_output", "message"]
        assert report.items(log)[-3].text == f"get_weather({call})"
        assert report.items(log)[-2].text == "It is foggy and 12 degrees in London."
        one, two = report.responses(log)
        assert (one.text, one.status, two.status) == (words, "completed", "completed")
        (turn,) = report.turns(log)
        assert turn.response_ids == (one.response_id, two.response_id)
        assert turn.said == "What is the weather in London?"
        assert turn.answer == " ".join(filter(None, (words, two.text)))
        assert turn.cost == pytest.approx(one.cost + two.cost)
        found = quiet(log)
        ended = next(row.seq for row in log.where(type="response.done"))
        assert found[ended] == 4 and found[len(log) - 1] == create_row
        output = next(
            row.seq
            for row in log.where(type="conversation.item.added")
            if row.event and row.event["item"]["type"] == "function_call_output"
        )
        assert found[output] == found[output + 1] == output_row
    assert found[39] == 4  # rate_limits.updated: of the response before it


def test_a_row_knows_its_cause(recorded: Any) -> None:
    log = recorded("openai_openai_tool_call_round")
    assert log[7].cause == log[4] and log[28].cause == log[23]
    assert log[0].cause is None and log[4].cause is None
    part = log.where(type="response.done")
    assert [row.cause.seq for row in part] == [4, 27]


def test_recorded_logs_read_from_any_row_on(recorded: Any, streams: dict[str, Any]) -> None:
    """A log may begin, and end, anywhere: what is there is told, and nothing fails."""
    for name in streams:
        log = recorded(name)
        for cut in range(0, len(log), 3):
            tail, head = log[cut:], log[:cut]
            for rows in (tail, head):
                spans = [(turn.first_seq, turn.last_seq) for turn in report.turns(rows)]
                assert all(a <= b for a, b in spans)
                assert all(a[1] + 1 == b[0] for a, b in zip(spans, spans[1:], strict=False))
                assert [a for a, _ in spans] == report.turn_starts(rows)
                assert len(report.items(rows)) <= len(report.items(log))
                done = {row.response_id for row in rows if row.response_id}
                assert {one.response_id for one in report.responses(rows)} == done


def test_the_words_of_an_item_that_never_ended_are_read_from_its_deltas(recorded: Any) -> None:
    log = recorded("openai_openai_tool_call_round")
    assert report.items(log[:45])[-1].text == "It is foggy and 12 degrees in London."
    assert report.items(log[:20])[-1].text.startswith("get_weather({")
    heard = recorded("openai_openai_audio_in_server_vad_turn")
    assert report.items(heard[:80])[0].text == "Hello, my name is"
    assert report.items(heard[:80])[1].text.startswith("Hello, Marcelo! Great")


# ------------------------------------------------------------------ causes


def test_each_request_is_linked_to_its_answer() -> None:
    log = log_of(
        CREATED,
        ("c", ev("session.update", session={})),
        ("c", ev("input_audio_buffer.clear")),
        create_user("named", item={"id": "item_mine"}),
        create_user("unnamed"),
        ("c", ev("conversation.item.retrieve", item_id="item_b")),
        ("c", ev("conversation.item.retrieve", item_id="item_a")),
        ("c", ev("conversation.item.truncate", item_id="item_a", audio_end_ms=1)),
        ("c", ev("conversation.item.delete", item_id="item_a")),
        ("s", ev("session.updated", session={"id": "sess_1"})),
        ("s", ev("input_audio_buffer.cleared")),
        ("s", ev("conversation.item.added", item=message("item_x", "user", "unnamed"))),
        ("s", ev("conversation.item.added", item=message("item_mine", "user", "named"))),
        ("s", ev("conversation.item.done", item=message("item_x", "user", "unnamed"))),
        ("s", ev("conversation.item.retrieved", item=message("item_a", "user", "a"))),
        ("s", ev("conversation.item.retrieved", item=message("item_b", "user", "b"))),
        ("s", ev("conversation.item.truncated", item_id="item_a", audio_end_ms=1)),
        ("s", ev("conversation.item.deleted", item_id="item_a")),
        ("s", ev("session.updated", session={"id": "sess_1"})),
    )
    expected = {9: 1, 10: 2, 11: 4, 12: 3, 13: 4, 14: 6, 15: 5, 16: 7, 17: 8}
    assert causes(log) == expected  # nothing made the second session.updated
    assert len(report.causes(log)) == len(expected)
    assert report.causes(log).get(99) is None and -1 not in report.causes(log)


def error(
    code: str = "", event_id: str | None = None, param: str | None = None
) -> tuple[str, Event]:
    inner = {"type": "invalid_request_error", "code": code, "message": "…", "param": param}
    return "s", ev("error", error={**inner, "event_id": event_id})


def test_an_error_that_names_its_event() -> None:
    log = log_of(
        CREATED,
        ("c", ev("session.update", event_id="e1", session={"x": 1})),
        create_user("hi", event_id="e2"),
        ("c", ev("input_audio_buffer.append", event_id="e3", audio="!!!")),
        error("invalid_value", "e3"),
        error("unknown_parameter", "e1"),
        error("invalid_value", "e2"),
        error("invalid_value", "never_sent"),
        ("s", ev("invalid_request_error", message="bare", event_id="event_1")),
    )
    assert causes(log) == {4: 3, 5: 1, 6: 2}
    assert [item.status for item in report.items(log)] == ["refused"]


@pytest.mark.parametrize(
    ("code", "param", "meant"),
    [
        ("input_audio_buffer_commit_empty", None, 2),
        ("response_cancel_not_active", None, 3),
        ("item_truncate_invalid_item_id", None, 4),
        ("cannot_update_voice", None, 1),
        ("unknown_parameter", "session.temperature", 1),
        ("invalid_value", "item.content[0].type", 5),
        ("invalid_value", "type", 6),
        ("invalid_value", "audio_end_ms", 4),
        ("", None, None),
        ("brand_new", "brand.new", None),
    ],
)
def test_an_error_without_an_id_that_can_mean_one_only(
    code: str, param: str | None, meant: int | None
) -> None:
    log = log_of(
        CREATED,
        ("c", ev("session.update", session={})),
        ("c", ev("input_audio_buffer.commit")),
        ("c", ev("response.cancel")),
        ("c", ev("conversation.item.truncate", item_id="item_a", audio_end_ms=5)),
        create_user("hi"),
        ("c", ev("session.frobnicate")),
        error(code, None, param),
    )
    assert report.causes(log).get(7) == meant


def test_the_only_request_open_is_what_an_error_is_about() -> None:
    log = log_of(CREATED, ("c", ev("session.update", session={})), error())
    assert causes(log) == {2: 1}


def test_responses_asked_for_at_once_are_told_apart() -> None:
    log = log_of(
        CREATED,
        create_user("hi"),
        CREATE,
        ("c", ev("response.create", response={"conversation": "none"})),
        ("c", ev("response.create", response={"conversation": "none", "metadata": {"for": "b"}})),
        *answer("resp_b", "item_b", "Aside b", conversation=None, metadata={"for": "b"}),
        *answer("resp_a", "item_a", "Aside a", conversation=None),
        *answer("resp_m", "item_m", "The answer"),
    )
    found = {row.response_id: row.cause.seq for row in log.where(type="response.done")}
    assert found == {"resp_b": 4, "resp_a": 3, "resp_m": 2}
    assert {row.cause.seq for row in log.where(type="rate_limits.updated")} == {2, 3, 4}
    (turn,) = report.turns(log)
    assert turn.answer == "The answer" and turn.audio_ms == 200
    assert turn.response_ids == ("resp_b", "resp_a", "resp_m")
    every = [one.cost for one in report.responses(log)]
    assert turn.cost == pytest.approx(sum(every))
    assert [one.conversation for one in report.responses(log)] == ["none", "none", "conv_1"]


@pytest.mark.parametrize("named", [True, False])
def test_a_response_to_speech_that_came_first_is_not_our_requests(named: bool) -> None:
    request = ev("response.create", **({"event_id": "mine"} if named else {}))
    log = log_of(
        CREATED,
        ("c", ev("input_audio_buffer.append", audio=pcm(100))),
        ("s", ev("input_audio_buffer.speech_started", item_id="item_u", audio_start_ms=0)),
        ("s", ev("input_audio_buffer.speech_stopped", item_id="item_u", audio_end_ms=80)),
        ("s", ev("input_audio_buffer.committed", item_id="item_u")),
        ("c", request),
        *answer("resp_1", "item_1", "To what was spoken", end=False),
        error("conversation_already_has_active_response", "mine" if named else None),
    )
    assert log[len(log) - 1].cause == log[5]
    assert {row.cause.seq for row in log.where(response_id="resp_1")} == {1}
    (turn,) = report.turns(log)
    assert (turn.by, turn.answer, turn.status) == ("spoken", "To what was spoken", "in_progress")


def test_the_second_request_is_refused_while_the_first_is_answered() -> None:
    log = log_of(
        CREATED,
        create_user("hi"),
        CREATE,
        *answer("resp_1", "item_1", "Yes", end=False),
        CREATE,
        error("conversation_already_has_active_response"),
    )
    assert log[len(log) - 1].cause == log[len(log) - 2]
    assert {row.cause.seq for row in log.where(response_id="resp_1")} == {2}


def test_mcp_tools_are_listed_because_the_session_was_updated() -> None:
    listed = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "x", "tools": []}
    log = log_of(
        CREATED,
        ("c", ev("session.update", session={"tools": [{"type": "mcp"}]})),
        ("s", ev("session.updated", session={})),
        ("s", ev("mcp_list_tools.in_progress", item_id="mcpl_1")),
        *added(listed),
        ("s", ev("mcp_list_tools.completed", item_id="mcpl_1")),
    )
    assert causes(log) == {2: 1, 3: 1, 4: 1, 5: 1, 6: 1}
    assert report.turns(log) == report.turns(rt.EventLog())


# ------------------------------------------------------------------ turns


def spoken(iid: str, start: int, end: int, words: str) -> list[tuple[str, Event]]:
    item = {"id": iid, "type": "message", "role": "user", "status": "completed"}
    item["content"] = [{"type": "input_audio", "transcript": None}]  # type: ignore[assignment]
    done = "conversation.item.input_audio_transcription.completed"
    return [
        ("s", ev("input_audio_buffer.speech_stopped", item_id=iid, audio_end_ms=end)),
        ("s", ev("input_audio_buffer.committed", item_id=iid)),
        *added(item),
        ("s", ev(done, item_id=iid, content_index=0, transcript=words)),
    ]


def test_barge_in() -> None:
    """The user speaks while the answer is played: cancelled, flushed, truncated, answered anew."""
    start = "input_audio_buffer.speech_started"
    append = ("c", ev("input_audio_buffer.append", audio=pcm(40)))
    first = answer("resp_1", "item_1", "A very long story", ms=4000, end=False)
    rest = answer(
        "resp_1", "item_1", "A very long story", status="cancelled", reason="turn_detected"
    )
    log = log_of(
        CREATED,
        append,
        ("s", ev(start, item_id="item_u", audio_start_ms=0)),
        *spoken("item_u", 0, 900, "Tell me a story"),
        *first,
        ("l", ev("playback.started", item_id="item_1")),
        ("l", ev("playback.heard", item_id="item_1", ms=500, done=False)),
        ("l", ev("playback.heard", item_id="item_1", ms=1200, done=False)),
        append,
        ("s", ev(start, item_id="item_v", audio_start_ms=2000)),
        ("l", ev("playback.flushed", item_id="item_1", ms=1250)),
        ("c", ev("conversation.item.truncate", item_id="item_1", audio_end_ms=1250)),
        *rest[len(first) :],
        ("s", ev("conversation.item.truncated", item_id="item_1", audio_end_ms=1250)),
        *spoken("item_v", 2000, 2500, "Wait"),
        *answer("resp_2", "item_2", "Yes?"),
        ("l", ev("playback.heard", item_id="item_2", ms=200, done=True)),
    )
    one, two = report.turns(log)
    assert (one.by, one.said, one.answer) == ("spoken", "Tell me a story", "A very long story")
    assert (one.audio_ms, one.heard_ms, one.status, one.interrupted) == (
        4000,
        1250,
        "cancelled",
        True,
    )
    assert (two.by, two.said, two.answer) == ("spoken", "Wait", "Yes?")
    assert (two.audio_ms, two.heard_ms, two.status, two.interrupted) == (
        200,
        200,
        "completed",
        False,
    )
    barge = next(row.seq for row in log.where(type=start, item_id="item_v"))
    assert report.turn_starts(log) == [2, barge] and one.last_seq == barge - 1
    (cut,) = (item for item in report.items(log) if item.item_id == "item_1")
    assert (cut.audio_ms, cut.heard_ms, cut.truncated_ms) == (4000, 1250, 1250)
    assert cut.text == "A very long story"  # what was said, though the server forgot it
    cancelled, _ = report.responses(log)
    assert (cancelled.status, cancelled.reason, cancelled.heard_ms) == (
        "cancelled",
        "turn_detected",
        1250,
    )
    appended = [row.seq for row in log.where(type="input_audio_buffer.append")]
    assert {row.cause.seq for row in log.where(response_id="resp_1")} == {appended[0]}
    assert {row.cause.seq for row in log.where(response_id="resp_2")} == {appended[1]}
    truncated = next(iter(log.where(type="conversation.item.truncated")))
    assert truncated.cause == next(iter(log.where(type="conversation.item.truncate")))


def test_wait_is_from_the_end_of_the_users_part_to_the_first_word() -> None:
    rows = answer("resp_1", "item_1", "Yes")
    log = log_of(
        CREATED,
        (*create_user("hi"), 1.0),
        (*CREATE, 1.5),
        *((*row, 2.0 + at) for at, row in enumerate(rows)),
    )
    (response,) = report.responses(log)
    assert (response.asked_t, response.created_t) == (1.5, 2.0)
    assert (response.first_text_t, response.first_audio_t) == (6.0, 7.0)
    assert response.done_t == 2.0 + len(rows) - 2
    assert report.turns(log)[0].wait == 4.5
    speech = log_of(
        ("s", ev("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0), 1.0),
        ("s", ev("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=9), 2.0),
        ("s", ev("input_audio_buffer.committed", item_id="u"), 2.1),
        *((*row, 3.0) for row in rows),
    )
    assert report.turns(speech)[0].wait == 1.0


def test_push_to_talk() -> None:
    log = log_of(
        CREATED,
        ("c", ev("input_audio_buffer.append", audio=pcm(300))),
        ("c", ev("input_audio_buffer.append", audio=pcm(200))),
        ("c", ev("input_audio_buffer.commit")),
        CREATE,
        *spoken("item_u", 0, 0, "Hello")[1:],
        *answer("resp_1", "item_1", "Hi"),
    )
    (turn,) = report.turns(log)
    assert (turn.by, turn.said, turn.answer, turn.first_seq) == ("spoken", "Hello", "Hi", 3)
    assert report.items(log)[0].audio_ms == 500
    found = causes(log)
    assert found[5] == found[6] == 3 and found[len(log) - 1] == 4


@pytest.mark.parametrize(
    ("rows", "by"),
    [
        ([CREATE, *answer("r", "i", "Welcome")], "opening"),
        (
            [
                ("c", ev("conversation.item.create", item=message("i", "assistant", "Welcome"))),
                *added(message("i", "assistant", "Welcome")),
            ],
            "opening",
        ),
        (
            [
                ("c", ev("response.create", response={"conversation": "none"})),
                *answer("r", "o", "Welcome", conversation=None),
                ("c", ev("conversation.item.create", item=message("i", "assistant", "Welcome"))),
                *added(message("i", "assistant", "Welcome")),
            ],
            "opening",
        ),
        (
            [
                create_user("Greet me", item={"id": "seed"}),
                CREATE,
                *added(message("seed", "user", "Greet me")),
                *answer("r", "i", "Welcome"),
                ("c", ev("conversation.item.delete", item_id="seed")),
                ("s", ev("conversation.item.deleted", item_id="seed")),
            ],
            "opening",
        ),
        (
            [
                create_user("Greet me", item={"id": "opening_seed"}),
                CREATE,
                *added(message("opening_seed", "user", "Greet me")),
                *answer("r", "i", "Welcome"),
            ],
            "opening",
        ),
        ([create_user("Greet me"), CREATE, *answer("r", "i", "Welcome")], "typed"),
    ],
)
def test_openings_are_turns_of_their_own(rows: list[Any], by: str) -> None:
    log = log_of(CREATED, *rows, create_user("Thanks"), CREATE, *answer("r2", "i2", "Sure"))
    first, second = said_and_answered(log)
    assert (first[0], first[2]) == (by, "Welcome")
    assert first[1] == ("" if by == "opening" else "Greet me")
    assert second == ("typed", "Thanks", "Sure")


def test_a_recorded_greeting_that_is_spoken_over() -> None:
    """What was heard of it is written in front of all, and is of the opening all the same."""
    words, heard = message("opening_words", "assistant", "Welcome to us"), "opening_words_heard"
    put = ev("conversation.item.create", item=message(heard, "assistant", "Welcome"))
    log = log_of(
        CREATED,
        ("c", ev("conversation.item.create", item=words)),
        *added(words),
        ("l", ev("playback.heard", item_id="opening_words", ms=700, done=False)),
        create_user("Stop"),
        ("l", ev("playback.flushed", item_id="opening_words", ms=800)),
        ("c", ev("conversation.item.delete", item_id="opening_words")),
        ("c", {**put, "previous_item_id": "root"}),
        create_user("please"),
        CREATE,
        ("s", ev("conversation.item.deleted", item_id="opening_words")),
        *added(message(heard, "assistant", "Welcome")),
        *answer("r", "i", "Yes"),
    )
    assert said_and_answered(log) == [("opening", "", "Welcome"), ("typed", "Stop please", "Yes")]


def test_an_idle_prompt() -> None:
    silence = ev(
        "input_audio_buffer.timeout_triggered", item_id="u", audio_start_ms=0, audio_end_ms=6000
    )
    log = log_of(
        CREATED,
        create_user("hi"),
        CREATE,
        *answer("r1", "i1", "Hello"),
        ("s", silence),
        ("s", ev("input_audio_buffer.committed", item_id="u")),
        *spoken("u", 0, 0, "Switch off the light!")[2:],
        *answer("r2", "i2", "Still there?"),
    )
    assert said_and_answered(log)[1] == ("idle", "", "Still there?")  # made up from silence
    opening = log_of(CREATED, *log_rows(log)[len(answer("r1", "i1", "x")) + 3 :])
    assert said_and_answered(opening) == [("opening", "", "Still there?")]


def log_rows(log: rt.EventLog) -> list[tuple[str, Event]]:
    return [(row.direction[0], row.event or {}) for row in log]


def test_a_response_asked_for_without_new_words() -> None:
    log = log_of(
        CREATED, create_user("hi"), CREATE, *answer("r1", "i1", "Hello"),
        CREATE, *answer("r2", "i2", "And more"),
    )  # fmt: skip
    assert said_and_answered(log) == [("typed", "hi", "Hello"), ("asked", "", "And more")]


def test_what_is_asked_again_after_a_refusal_is_the_same_turn() -> None:
    log = log_of(
        CREATED,
        create_user("hi"),
        ("c", ev("response.create", event_id="no", response={"x": 1})),
        error("unknown_parameter", "no"),
        CREATE,
        *answer("r1", "i1", "Hello"),
    )
    assert said_and_answered(log) == [("typed", "hi", "Hello")]
    refused = log[:4]
    assert [turn.status for turn in report.turns(refused)] == ["refused"]


def test_mcp_calls_go_on_with_a_second_response() -> None:
    call = {"id": "mcp_1", "type": "mcp_call", "name": "ask", "arguments": "{}", "output": "42"}
    log = log_of(
        CREATED,
        create_user("hi"),
        CREATE,
        ("s", ev("response.created", response={"id": "r1", "conversation_id": "c"})),
        ("s", ev("response.output_item.added", response_id="r1", item={**call, "output": None})),
        ("s", ev("response.mcp_call.in_progress", item_id="mcp_1", output_index=0)),
        ("s", ev("response.done", response={"id": "r1", "status": "completed"})),
        ("s", ev("response.output_item.done", response_id="r1", item=call)),
        ("s", ev("response.mcp_call.completed", item_id="mcp_1", output_index=0)),
        ("c", ev("response.create", response={"tool_choice": "none"})),
        *answer("r2", "i2", "It is 42"),
    )
    (turn,) = report.turns(log)
    assert turn.response_ids == ("r1", "r2") and turn.answer == "It is 42"
    assert log[5].cause == log[8].cause == log[2]


def test_several_user_items_before_one_answer_are_one_turn() -> None:
    log = log_of(
        CREATED, create_user("one"), create_user("two"), CREATE, *answer("r", "i", "three")
    )
    assert said_and_answered(log) == [("typed", "one two", "three")]


def test_typed_while_the_model_speaks() -> None:
    rows = answer("r1", "i1", "A story")
    log = log_of(
        CREATED, create_user("one"), CREATE, *rows[:5], create_user("two"), *rows[5:],
        *added(message("x", "user", "one")), *added(message("y", "user", "two")),
        CREATE, *answer("r2", "i2", "Yes"),
    )  # fmt: skip
    assert said_and_answered(log) == [("typed", "one", "A story"), ("typed", "two", "Yes")]


# ------------------------------------------------------------------ logs of others


def test_beta_names_say_the_same() -> None:
    rows = [CREATED, create_user("hi"), CREATE, *added(message("u", "user", "hi"))]
    rows += answer("r1", "i1", "Hello")
    old = {new: beta for beta, new in GA_NAMES.items()}

    def beta(row: tuple[str, Event]) -> Iterable[tuple[str, Event]]:
        type_ = row[1]["type"]
        if type_ == "conversation.item.done":
            return []
        if type_ == "conversation.item.added":
            return [(row[0], {**row[1], "type": "conversation.item.created"})]
        return [(row[0], {**row[1], "type": old.get(type_, type_)})]

    today = log_of(*rows)
    before = log_of(*(one for row in rows for one in beta(row)))
    assert any(row.type in beta_names(old) for row in before)
    assert said_and_answered(before) == said_and_answered(today) == [("typed", "hi", "Hello")]
    fields = ("item_id", "role", "text", "status", "audio_ms", "response_id")
    for old_item, item in zip(report.items(before), report.items(today), strict=True):
        assert [getattr(old_item, one) for one in fields] == [getattr(item, one) for one in fields]


def test_a_log_without_times_tells_no_wait() -> None:
    rows = [CREATED, create_user("hi"), CREATE, *added(message("u", "user", "hi"))]
    rows += answer("r1", "i1", "Hello")
    bare = "\n".join(json.dumps(event) for _, event in rows)
    log = rt.EventLog.from_jsonl(bare + "\n")
    assert said_and_answered(log) == [("typed", "hi", "Hello")]
    assert not log.timed and report.turns(log)[0].wait is None
    assert log_of(*rows).timed and report.turns(log_of(*rows))[0].wait is not None


def test_a_part_of_what_a_turn_cost_is_not_what_it_cost() -> None:
    output = {"type": "function_call_output", "call_id": "call_1", "output": "42"}
    result = ("c", ev("conversation.item.create", item=output))
    first, second = answer("r1", "i1", "I look."), answer("r2", "i2", "It is 42.")
    asked = (CREATED, create_user("hi"), CREATE)
    whole = log_of(*asked, *first, result, CREATE, *second)
    so_far = log_of(*asked, *first, result, CREATE, *second[:-2])
    both, one = (report.turns(log)[0].cost for log in (whole, so_far))
    assert both is not None and one is not None and both == 2 * one
    del first[-2][1]["response"]["usage"]
    part = report.turns(log_of(*asked, *first, result, CREATE, *second))
    assert len(part) == 1 and part[0].cost is None


def test_a_log_of_the_server_alone() -> None:
    rows = [
        CREATED, *added(message("u", "user", "hi")), *answer("r1", "i1", "Hello"),
        *added(message("v", "user", "and?")), *answer("r2", "i2", "That is all"),
    ]  # fmt: skip
    assert said_and_answered(log_of(*rows)) == [
        ("typed", "hi", "Hello"),
        ("typed", "and?", "That is all"),
    ]
    assert causes(log_of(*rows)) == {}


def test_a_log_of_the_client_alone() -> None:
    log = log_of(create_user("hi"), CREATE, create_user("and?"), CREATE)
    assert said_and_answered(log) == [("typed", "hi", ""), ("typed", "and?", "")]
    assert [(item.item_id, item.status) for item in report.items(log)] == [("", "sent")] * 2


def test_a_server_that_says_little() -> None:
    """No items, no parts, no .done of text: words and audio come from the deltas."""
    log = log_of(
        create_user("hi"),
        CREATE,
        ("s", ev("response.created", response={"id": "r1"})),
        ("s", ev("response.output_text.delta", response_id="r1", item_id="i1", delta="Hel")),
        ("s", ev("response.output_text.delta", response_id="r1", item_id="i1", delta="lo")),
        ("s", ev("response.done", response={"id": "r1"})),
    )
    assert said_and_answered(log) == [("typed", "hi", "Hello")]
    (response,) = report.responses(log)
    assert (response.status, response.conversation, response.tokens) == ("completed", "", None)
    assert response.cost is None and report.turns(log)[0].cost is None


def test_an_end_without_a_beginning_and_a_beginning_in_the_middle() -> None:
    whole = answer("r1", "i1", "Hello")
    log = log_of(CREATED, create_user("hi"), CREATE, whole[-2], create_user("more"))
    assert log[3].cause == log[2]
    assert said_and_answered(log) == [("typed", "hi", "Hello"), ("typed", "more", "")]
    middle = log_of(*whole[6:], create_user("more"), CREATE, *answer("r2", "i2", "Yes"))
    assert said_and_answered(middle) == [("unknown", "", "Hello"), ("typed", "more", "Yes")]
    assert {row.cause for row in middle.where(response_id="r1")} == {None}
    # A request that is sent while an unknown response ends is not the answer to it.
    between = log_of(*whole[6:8], create_user("more"), CREATE, *whole[8:])
    assert {row.cause for row in between.where(response_id="r1")} == {None}


def test_telephone_audio_is_one_byte_a_sample() -> None:
    fmt = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    log = log_of(("s", ev("session.updated", session=fmt)), *answer("r", "i", "x", ms=100))
    assert report.responses(log)[0].audio_ms == 600


HOSTILE_EVENTS: list[Any] = [
    {"type": type_, **fields}
    for type_ in (
        "session.created", "session.updated", "conversation.item.added", "conversation.item.done",
        "conversation.item.retrieved", "conversation.item.deleted", "conversation.item.truncated",
        "conversation.item.create", "response.create", "response.created", "response.done",
        "response.output_item.added", "response.content_part.done", "response.output_text.delta",
        "response.output_text.done", "response.output_audio.delta", "rate_limits.updated",
        "response.function_call_arguments.done", "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped", "input_audio_buffer.committed", "error", "x_error",
        "input_audio_buffer.timeout_triggered", "playback.heard", "playback.flushed",
        "conversation.item.input_audio_transcription.completed", "mcp_list_tools.completed", "",
    )
    for fields in (
        {},
        {"item": None, "response": None, "session": None, "error": None, "part": None},
        {"item": [], "response": [], "session": "x", "error": [], "part": 1, "delta": 5},
        {"item": {"id": 5, "content": 7}, "response": {"id": [], "output": {}}, "item_id": {}},
        {"item": {"id": "i", "type": [], "content": [None, 1, {"text": 5}], "output": 9},
         "response": {"id": "r", "status": 4, "output": [None, 1, {"id": "i"}], "usage": "no",
                      "status_details": [], "metadata": [1], "conversation_id": 5},
         "item_id": "i", "response_id": "r", "content_index": "a", "ms": "b", "audio_end_ms": "c",
         "error": {"code": [], "param": {}, "event_id": 5, "message": None}, "event_id": [1],
         "part": {"text": 1}, "delta": None, "text": None, "transcript": {}},
        {"item_id": "<script>\x1b\ud83d", "response_id": "\x00", "audio_end_ms": True,
         "content_index": -5, "item": {"id": "row 3", "type": "message", "role": "user"}},
    )
]  # fmt: skip


def test_nothing_that_is_said_fails_a_report() -> None:
    rows = [(side, event) for event in HOSTILE_EVENTS for side in "csl"]
    for order in (rows, rows[::-1]):
        log = log_of(*order)
        log.append("server", "not JSON \x1b")
        log.append("server", "[1,2]")
        for table in (report.items(log), report.responses(log), report.turns(log)):
            assert str(table).encode() and table._repr_html_().encode()
            assert "<script" not in table.to_html() and "\x1b" not in str(table)
            assert len(table.to_dataframe()) == len(table)
        causes(log)
        assert all(log[a].direction == "client" for a in causes(log).values())


# ------------------------------------------------------------------ while a log grows


def test_a_growing_log_says_the_same_as_a_whole_one(recorded: Any, streams: dict[str, Any]) -> None:
    for name in streams:
        whole, growing = recorded(name), rt.EventLog()
        starts: list[int] = []
        for row in whole:
            growing.append(row.direction, row.raw, t=row.t)
            now = report.turn_starts(growing)
            assert now[: len(starts)] == starts  # marks are never taken back
            starts = now
        assert str(report.items(growing)) == str(report.items(whole))
        assert causes(growing) == causes(whole)


def test_what_was_read_is_not_read_again() -> None:
    log = log_of(CREATED, create_user("hi"), CREATE, *answer("r1", "i1", "Hello"))
    report.turns(log)
    told = tables._told(log)
    assert tables._told(log) is told
    log.append("client", create_user("more")[1])
    assert tables._told(log) is told and told.length == len(log)
    assert report.turn_starts(log) == [1, len(log) - 1]


def test_a_log_that_is_let_go_is_not_kept() -> None:
    import gc
    import weakref

    log = log_of(CREATED, create_user("hi"), CREATE, *answer("r1", "i1", "Hello"))
    report.items(log)
    gone = weakref.ref(log)
    del log
    gc.collect()
    assert gone() is None


# ------------------------------------------------------------------ real sessions


def simulated() -> rt.Simulated:
    return rt.Simulated(where="memory", latency="typical")


def test_a_session_with_an_opening_and_typed_turns() -> None:
    async def talk() -> rt.EventLog:
        async with rt.AsyncSession(simulated(), rt.GeneratedGreeting("Greet.")) as s:
            await s.ask("What is the time?")
            await s.ask("And the weather?")
            return s.log

    log = asyncio.run(talk())
    turns = report.turns(log)
    assert [turn.by for turn in turns] == ["opening", "typed", "typed"]
    assert [turn.said for turn in turns] == ["", "What is the time?", "And the weather?"]
    assert all(turn.answer and turn.status == "completed" for turn in turns)
    assert all(turn.audio_ms > 100 and turn.wait and turn.cost for turn in turns)
    spoken = [response.audio_ms for response in report.responses(log)]
    assert spoken == [turn.audio_ms for turn in turns]
    found = report.causes(log)
    unexplained = {row.type for row in log.where(direction="server") if row.seq not in found}
    assert unexplained == {"session.created"}


def test_every_opening_is_a_turn_of_its_own() -> None:
    openings = [
        rt.ScriptedGreeting("Welcome!"),
        rt.SpokenGreeting("Welcome!"),
        rt.ModelGreeting(),
        rt.SeededGreeting("Greet the visitor.", delete=True),
        rt.SeededGreeting("Greet the visitor."),
        rt.OutOfBandGreeting("Greet.", remember=True),
        rt.ContextGreeting([{"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "Greet Kim."}]}]),
        rt.RecordedGreeting(np.zeros(2400, np.int16), "Welcome!"),
    ]  # fmt: skip
    for opening in openings:
        with rt.Session(rt.Simulated(where="memory", latency="none"), opening) as s:
            s.ask("What is it?")
        first, second = report.turns(s.log)
        assert (first.by, first.said, bool(first.answer)) == ("opening", "", True), opening
        assert (second.by, second.said, bool(second.answer)) == ("typed", "What is it?", True)


def test_a_session_that_is_interrupted() -> None:
    async def talk() -> tuple[rt.EventLog, str]:
        async with rt.AsyncSession(simulated()) as s:
            await s.say("Tell me a very long story.")
            await s.wait_for("response.output_audio.delta")
            await s.interrupt(heard_ms=10)
            await s.wait_for("response.done")
            reply = await s.ask("Never mind.")
            return s.log, reply.text

    log, text = asyncio.run(talk())
    first, second = report.turns(log)
    assert (first.status, first.interrupted) == ("cancelled", True)
    assert (second.said, second.answer, second.interrupted) == ("Never mind.", text, False)
    assert report.responses(log)[0].reason == "client_cancelled"
    assert report.items(log)[1].truncated_ms == 10


def test_a_session_that_is_spoken_to() -> None:
    from rtwidgets.simulator import speech

    words = np.frombuffer(speech.shared().speak("Hello there, how are you?", "cedar"), "<i2")

    async def talk() -> rt.EventLog:
        async with rt.AsyncSession(simulated()) as s:
            await s.hear(words)
            return s.log

    log = asyncio.run(talk())
    (turn,) = report.turns(log)
    assert turn.by == "spoken" and turn.answer and turn.audio_ms > 0
    user = report.items(log)[0]
    assert user.role == "user" and abs(user.audio_ms - len(words) / 24) < 1500
    created = next(iter(log.where(type="response.created")))
    assert created.cause is not None and created.cause.type == "input_audio_buffer.append"


def test_a_hundred_thousand_rows_are_told_from_their_columns(monkeypatch: Any) -> None:
    """Deltas are most of a log: none of them is parsed when what they add up to is known."""
    log = rt.EventLog()
    for at in range(100):
        for direction, event in (create_user("hi"), CREATE, *answer(f"r{at}", f"i{at}", "Yes")):
            sides: Any = {"c": "client", "s": "server"}
            log.append(sides[direction], event)
    parsed: list[str] = []
    kind = type(log[0])
    original = kind.event.fget  # type: ignore[attr-defined]

    def counted(row: Any) -> Any:
        if row.log is log:  # and not one of another test's, whose thread still runs
            parsed.append(row.type)
        return original(row)

    monkeypatch.setattr(kind, "event", property(counted))
    assert len(report.turns(log)) == 100 and len(report.responses(log)) == 100
    assert parsed and not any(type_.endswith(".delta") for type_ in parsed)
    json.dumps(report.items(log).to_dicts())
