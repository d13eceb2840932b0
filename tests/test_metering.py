"""The bill of a session: against the recordings, simulated sessions, and sums done by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from billed_events import a_log, response, session, usage

import rtwidgets as rt
from rtwidgets.money.ledger import Ledger, ledger_of
from rtwidgets.money.metering import Bill, bill
from rtwidgets.pricing import Price, Tokens, cost_of, set_prices

TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


@pytest.fixture(autouse=True)
def the_built_in_table() -> Iterator[None]:
    yield
    set_prices(None)


# ---------------------------------------------------------------- against what was recorded


def test_every_recording_is_billed_as_its_usage_says(shared: Path) -> None:
    seen = 0
    for path in sorted((shared / "streams").glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        events = [row["event"] for row in rows if "event" in row]
        made = next(one for one in events if one["type"] == "session.created")
        model = made["session"]["model"]
        done = [one["response"] for one in events if one["type"] == "response.done"]
        heard = [one["usage"] for one in events if one["type"] == TRANSCRIBED]
        by_hand = [cost_of(one["usage"], model) for one in done]
        by_hand += [one["seconds"] / 60 * 0.017 for one in heard]
        it = bill(rt.EventLog.from_jsonl(path))
        assert len(it) == len(done) + len(heard) > 0
        assert it.dollars == pytest.approx(sum(cost or 0 for cost in by_hand)) and it.dollars
        tokens = [row.text_in + row.audio_in + row.text_out + row.audio_out for row in it if row.id
                  and row.text_in is not None]  # fmt: skip
        assert tokens == [one["usage"]["total_tokens"] for one in done]
        assert it.total.text_in == sum(row.text_in or 0 for row in it)
        assert not it.simulated and "prices of" in it.caption
        seen += len(it)
    assert seen >= 9


def test_a_simulated_session_adds_up_and_says_that_nothing_is_charged(tmp_path: Path) -> None:
    with rt.Session(rt.Simulated(latency="none", where="memory"), rt.ModelGreeting()) as s:
        replies = [s.opening_reply, s.ask("Who are you?"), s.ask("And the dinosaurs?")]
    it = s.log.cost()
    assert isinstance(it, Bill) and it.simulated and "nothing is charged" in str(it)
    assert it.dollars == pytest.approx(sum(one.cost or 0 for one in replies if one))
    assert it.dollars == s.cost == s.log.usage().dollars
    sums = s.conversation.usage["input_token_details"]
    assert it.total.text_in == sums["text_tokens"]
    assert it.total.audio_in == sums["audio_tokens"]
    assert it.total.text_cached == sums["cached_tokens_details"]["text_tokens"]
    assert [row.id for row in it] == list(s.conversation.responses)
    assert all(s.log[row.seq].response_id == row.id for row in it if row.seq is not None)
    s.log.to_jsonl(tmp_path / "log.jsonl")
    assert bill(rt.EventLog.from_jsonl(tmp_path / "log.jsonl")) == it


def test_the_ledger_of_a_live_session_is_the_bill_of_its_log() -> None:
    async def talk() -> rt.AsyncSession:
        async with rt.AsyncSession(rt.Simulated(latency="typical", where="memory")) as s:
            await s.ask("Hello")
            await s.say("More")
            await s.interrupt()
            await s.settled()
            return s

    s = asyncio.run(talk())
    assert Bill(s.ledger) == bill(s.log)


# ---------------------------------------------------------------- what is not known


def test_what_is_not_reported_is_unknown_and_the_sum_says_at_least() -> None:
    log = a_log(session(), response("r1", usage(text_out=1000)), response("r2", None))
    it = bill(log)
    assert [row.dollars for row in it] == [pytest.approx(0.016), None]
    assert it[1].text_out is None and it.unknown == 1
    assert it.dollars is None and it.total.dollars is None and it.known == pytest.approx(0.016)
    assert "at least $0.0160" in str(it) and "1 of unknown cost" in str(it)


def test_a_response_under_way_is_listed_and_not_counted_yet() -> None:
    it = bill(a_log(session(), response("r1", done=False)))
    assert [(row.status, row.dollars, row.text_in) for row in it] == [("in_progress", None, None)]
    ledger = ledger_of(a_log(session(), response("r1", done=False)))
    assert ledger.under_way == 1 and ledger.dollars == 0.0


@pytest.mark.parametrize("model", ["some-model", ""])
def test_a_model_without_a_price_costs_unknown(model: str) -> None:
    it = bill(a_log(session(model), response("r1", usage(text_out=5))))
    assert it.dollars is None and it[0].text_out == 5
    assert bill(a_log(session(model), response("r1", usage(text_out=5))), {
        model: Price(text_out=2)
    }).dollars == pytest.approx(1e-5)  # fmt: skip


def test_nothing_used_costs_nothing() -> None:
    for log in (rt.EventLog(), a_log(session())):
        it = bill(log)
        assert (len(it), it.dollars, it.unknown) == (0, 0.0, 0) and str(it)


STRANGE: list[Any] = [
    {"type": "response.done"},
    {"type": "response.done", "response": None},
    {"type": "response.done", "response": {"id": 7}},
    {"type": "response.done", "response": {"id": "", "usage": {}}},
    {"type": "session.updated", "session": "none"},
    {"type": TRANSCRIBED},
    {"type": TRANSCRIBED, "item_id": "a", "usage": 5},
    {"type": "input_audio_buffer.speech_started", "audio_start_ms": "soon"},
    {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": None},
    {"type": "conversation.item.create", "item": {"content": ["text", 3, {"text": 4}]}},
    {"type": "conversation.item.create", "item": 3},
]


@pytest.mark.parametrize("event", STRANGE)
def test_strange_events_break_nothing_and_cost_nothing(event: Any) -> None:
    assert len(bill(a_log(session(), event, "no json", "[1]"))) == 0
    ledger_of(a_log(session(), event))


@pytest.mark.parametrize("seconds", ["3", -1, float("nan"), float("inf"), True, None])
def test_strange_seconds_are_unknown(seconds: Any) -> None:
    event = {"type": TRANSCRIBED, "item_id": "a", "usage": {"type": "duration", "seconds": seconds}}
    it = bill(a_log(session(audio={"input": {"transcription": {"model": "whisper-1"}}}), event))
    assert [row.dollars for row in it] == [None] and it[0].seconds is None


# ---------------------------------------------------------------- what is counted once


def test_a_response_that_is_said_twice_is_billed_once() -> None:
    done = response("r1", usage(text_out=10))
    it = bill(a_log(session(), response("r1", done=False), done, done))
    assert len(it) == 1 and it[0].text_out == 10


def test_a_response_whose_beginning_is_missing_is_billed() -> None:
    assert len(bill(a_log(response("r1", usage(text_out=10)), model="gpt-realtime"))) == 1


def test_interrupted_failed_and_out_of_band_responses_are_billed() -> None:
    used = usage(audio_out=100)
    events = [
        response("a", used, status="cancelled"),
        response("b", used, status="incomplete"),
        response("c", used, status="failed"),
        response("d", used, conversation_id=None),
    ]
    it = bill(a_log(session(), *events))
    assert it.dollars == pytest.approx(4 * 100 * 64 / 1e6)
    assert [row.status for row in it] == ["cancelled", "incomplete", "failed", "completed"]


def test_a_transcription_has_the_price_of_its_own_model() -> None:
    whisper = {"input": {"transcription": {"model": "whisper-1"}}}
    timed = {"type": TRANSCRIBED, "item_id": "a", "usage": {"type": "duration", "seconds": 30}}
    counted = {"type": TRANSCRIBED, "item_id": "b", "usage": {"type": "tokens", **usage(0, 100, 8)}}
    mini = {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}
    log = a_log(session(audio=whisper), timed, timed, session(audio=mini), counted)
    it = bill(log)
    assert [row.model for row in it] == ["whisper-1", "gpt-4o-mini-transcribe"]
    assert it[0].dollars == pytest.approx(0.003) and it[0].seconds == 30
    assert it[1].dollars == pytest.approx((100 * 1.25 + 8 * 5) / 1e6)
    assert bill(a_log(session(), timed)).dollars is None, "nobody said which model"


def test_a_deployment_has_the_price_of_the_model_the_server_names() -> None:
    log = a_log(session("gpt-realtime"), response("r", usage(text_out=1000)), model="my-deployment")
    assert bill(log).dollars == pytest.approx(0.016)
    set_prices({"my-deployment": Price(text_out=1)})
    assert bill(log).dollars == pytest.approx(0.001)
    assert "your prices" in bill(log).caption


def test_beta_logs_are_billed() -> None:
    log = a_log(session("gpt-4o-realtime-preview"), response("r", usage(text_out=1000)))
    assert bill(log).dollars == pytest.approx(0.02)


def test_a_part_of_a_log_is_billed_as_a_part_by_the_sessions_model() -> None:
    log = a_log(session(), response("r1", usage(text_out=10)), response("r2", usage(text_out=20)))
    assert [row.id for row in bill(log[2:])] == ["r2"]
    assert bill(log.where(response_id="r1")).dollars == pytest.approx(10 * 16 / 1e6)
    assert len(bill(log.where(type="session.created"))) == 0


def test_a_bill_is_a_table() -> None:
    pytest.importorskip("pandas")
    log = a_log(session(), response("r1", usage(1, 2, 3, 4)), response("r2", usage(5, 6, 7, 8)))
    frame = bill(log).to_dataframe()
    assert list(frame["audio_out"]) == [4, 8] and frame["dollars"].sum() == bill(log).dollars
    assert "audio out" in bill(log)._repr_html_()


def test_a_price_that_comes_later_counts_at_once() -> None:
    ledger = ledger_of(a_log(session("my-model"), response("r1", usage(text_out=1000))))
    assert ledger.sums() == (0.0, 1) and ledger.dollars is None
    set_prices({"my-model": Price(text_out=3)})
    assert ledger.sums() == (pytest.approx(0.003), 0)
    set_prices({"my-model": Price(text_out=5)})
    assert ledger.dollars == pytest.approx(0.005)
    set_prices(None)
    assert ledger.dollars is None


# ---------------------------------------------------------------- what is to be read next


def client(ledger: Ledger, log: rt.EventLog, event: Any) -> None:
    ledger.take(log.append("client", event, t=0.0))


def test_the_ledger_knows_what_has_not_been_read_yet() -> None:
    log, ledger = rt.EventLog(), Ledger("gpt-realtime")
    words = {"type": "message", "content": [{"type": "input_text", "text": "x" * 30}]}
    client(ledger, log, {"type": "conversation.item.create", "item": words})
    assert ledger.unread == Tokens(text_in=10)
    pcm = rt.audio.encode(bytes(24_000 * 2))  # one second
    for _ in range(2):
        client(ledger, log, {"type": "input_audio_buffer.append", "audio": pcm})
    client(ledger, log, {"type": "input_audio_buffer.commit"})
    assert ledger.unread.audio_in == 20
    client(ledger, log, {"type": "input_audio_buffer.append", "audio": pcm})
    client(ledger, log, {"type": "input_audio_buffer.clear"})
    client(ledger, log, {"type": "input_audio_buffer.commit"})
    assert ledger.unread.audio_in == 20
    for event in (
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": 1000},
        {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": 1750},
    ):
        ledger.take(log.append("server", event, t=0.0))
    assert ledger.unread.audio_in == 28
    aside = response("r0", usage(text_in=5), conversation_id=None)
    ledger.take(log.append("server", aside, t=0.0))
    assert ledger.unread.audio_in == 28, "what is out of band reads nothing of it"
    ledger.take(log.append("server", response("r1", usage(text_in=10)), t=0.0))
    assert ledger.unread == Tokens()
