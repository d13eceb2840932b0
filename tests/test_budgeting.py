"""What the next reply may cost, and when it is not asked for: sums done by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from billed_events import a_log, response, session, usage

import rtwidgets as rt
from rtwidgets.events import response_create
from rtwidgets.money.budgeting import FIRST_REPLY, NEXT_WORDS, Budget, money
from rtwidgets.money.ledger import ledger_of
from rtwidgets.pricing import Price, Tokens, cost_of_tokens, set_prices

MODEL = "gpt-realtime"


@pytest.fixture(autouse=True)
def the_built_in_table() -> Iterator[None]:
    yield
    set_prices(None)


def budget(dollars: float | None, *events: Any, **fields: Any) -> Budget:
    return Budget(dollars, ledger_of(a_log(session(**fields), *events)))


def cost(tokens: Tokens) -> float:
    dollars = cost_of_tokens(tokens, MODEL)
    assert dollars is not None
    return dollars


def test_a_first_reply_is_taken_for_a_short_one() -> None:
    words = "x" * 300
    expected = cost(NEXT_WORDS + Tokens(text_in=100) + FIRST_REPLY)
    assert budget(1, instructions=words).next_cost() == pytest.approx(expected)
    text = budget(1, output_modalities=["text"]).next_cost()
    assert text == pytest.approx(cost(NEXT_WORDS + Tokens(text_out=FIRST_REPLY.total)))


def test_all_that_was_read_and_said_is_read_again_and_cached_as_before() -> None:
    details = {
        "text_tokens": 200,
        "audio_tokens": 50,
        "cached_tokens_details": {"text_tokens": 128},
    }
    out = {"text_tokens": 30, "audio_tokens": 120}
    used = {"input_token_details": details, "output_token_details": out}
    expected = Tokens(text_in=200, text_cached=128, audio_in=50 + 120, text_out=30, audio_out=120)
    assert budget(1, response("r1", used)).next_cost() == pytest.approx(cost(expected + NEXT_WORDS))


def test_a_written_reply_is_read_again_as_text() -> None:
    events = (response("r1", usage(text_in=100, text_out=40)),)
    it = budget(1, *events, output_modalities=["text"])
    expected = Tokens(text_in=140, text_out=40) + NEXT_WORDS
    assert it.next_cost() == pytest.approx(cost(expected))


def test_the_next_reply_is_taken_for_the_longest_so_far_of_its_kind() -> None:
    events = [
        response("r1", usage(audio_out=300, text_out=20)),
        response("r2", usage(text_out=900)),
        response("r3", usage(audio_out=100, text_out=50)),
    ]
    it = budget(1, *events)
    read = Tokens(audio_in=100) + NEXT_WORDS
    assert it.next_cost() == pytest.approx(cost(read + Tokens(text_out=50, audio_out=300)))
    request = response_create(output_modalities=["text"])
    assert it.next_cost(request) == pytest.approx(cost(read + Tokens(text_out=900)))


def test_a_limit_is_taken_at_its_word_and_a_requests_own_wins() -> None:
    it = budget(1, max_output_tokens=500)
    assert it.next_cost() == pytest.approx(cost(NEXT_WORDS + Tokens(audio_out=500)))
    request = response_create(max_output_tokens=20)
    assert it.next_cost(request) == pytest.approx(cost(NEXT_WORDS + Tokens(audio_out=20)))
    assert budget(1, max_output_tokens="inf").next_cost() == budget(1).next_cost()


def test_it_stops_before_and_not_behind() -> None:
    events = (response("r1", usage(audio_out=100)),)
    spent = cost(Tokens(audio_out=100))
    following = budget(1, *events).next_cost()
    assert following is not None
    enough = spent + following + 1e-9
    assert budget(enough, *events).reason() is None
    short = budget(enough - 1e-6, *events).reason()
    assert short is not None and money(spent) in short and money(following) in short
    assert "larger budget=" in short
    assert budget(None, *events).reason() is None


def test_what_earlier_sessions_took_is_said_and_not_taken_twice() -> None:
    it = budget(0.02, response("r1", usage(audio_out=100)))
    it.before = 0.03
    assert it.reason() is None and it.whole == 0.05
    it.dollars = 0.01
    reason = it.reason()
    assert reason is not None and "budget of $0.04 would" in reason
    assert "$0.0364 spent ($0.03 of it in earlier conversations)" in reason
    row = it.reached(reason)
    assert (row["budget"], row["spent"]) == (pytest.approx(0.04), pytest.approx(0.0364))


def test_what_is_on_its_way_is_reckoned_with() -> None:
    it = budget(0.02)
    one = it.next_cost()
    assert one is not None and one < 0.02 < 2 * one
    assert it.reason() is None
    assert it.reason(beside=1) is not None


def test_a_reply_that_did_not_say_what_it_used_counts_as_one() -> None:
    lost = (response("r1", None),)
    assert budget(0.02, *lost).reason() is not None
    assert "1 of unknown cost" in str(budget(0.02, *lost).reason())
    assert budget(0.03, *lost).reason() is None


def test_without_a_price_no_budget_can_be_kept() -> None:
    it = budget(1, model="some-model")
    assert it.next_cost() is None and it.reason() is None
    it = budget(1, response("r1", usage(text_out=1)), model="some-model")
    assert "set_prices" in str(it.reason())
    set_prices({"some-model": Price(text_in=1, text_out=1, audio_in=1, audio_out=1)})
    assert it.reason() is None


VAD = {"type": "server_vad", "threshold": 0.5, "create_response": True, "interrupt_response": True}


def detecting(detection: Any) -> Any:
    return budget(1, audio={"input": {"turn_detection": detection}}).hold()


def test_the_server_is_told_to_answer_nothing_by_itself_and_all_else_stays() -> None:
    held = detecting(VAD)
    assert held["type"] == "session.update"
    assert held["session"]["audio"]["input"]["turn_detection"] == {**VAD, "create_response": False}
    held = detecting({**VAD, "create_response": False, "idle_timeout_ms": 6000})
    assert held["session"]["audio"]["input"]["turn_detection"]["idle_timeout_ms"] is None
    assert detecting({"type": "semantic_vad"})["session"]["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "create_response": False,
    }


@pytest.mark.parametrize("detection", [None, "none", {**VAD, "create_response": False}])
def test_where_it_answers_nothing_by_itself_nothing_is_sent(detection: Any) -> None:
    assert detecting(detection) is None


def test_the_row_says_what_happened() -> None:
    it = budget(0.01, response("r1", usage(audio_out=100)))
    row = it.reached("Enough.")
    assert row["type"] == "budget.reached" and row["message"] == "Enough."
    assert (row["budget"], row["spent"]) == (0.01, pytest.approx(0.0064))
    assert row["next"] == it.next_cost() and row["unknown"] == 0
    log = rt.EventLog()
    assert log.append("local", row, t=0.0).event == row


def test_small_sums_have_the_digits_they_need() -> None:
    sums = {0.0: "$0.00", 0.0042: "$0.0042", 0.05: "$0.05", 0.25: "$0.25", 12.5: "$12.50"}
    assert {one: money(one) for one in sums} == sums
