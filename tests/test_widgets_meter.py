"""The meter and the sections below a conversation: what they say, and that they say it once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from billed_events import a_log, response, session, usage

import rtwidgets as rt
from rtwidgets.money.budgeting import Budget
from rtwidgets.money.ledger import Ledger, ledger_of
from rtwidgets.money.metering import bill
from rtwidgets.pricing import Price, set_prices
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.meter import Meter, Reading, reading_of
from rtwidgets.widgets.panels import Panels

SOON = 10.0


@pytest.fixture(autouse=True)
def the_built_in_table() -> Iterator[None]:
    yield
    set_prices(None)


def read(*events: Any, dollars: float | None = None, before: float = 0.0, **fields: Any) -> Reading:
    ledger = ledger_of(a_log(session(**fields), *events))
    return reading_of(ledger, Budget(dollars, ledger, before))


def names(reading: Reading) -> list[str]:
    return [line.name for line in reading.lines]


def test_before_anything_was_used_there_are_no_lines() -> None:
    reading = reading_of(Ledger())
    assert (reading.lines, reading.notes, reading.budget) == ([], [], None)
    assert read().lines == [] and read().total.dollars == 0


def test_the_lines_add_up_to_the_bill() -> None:
    details = {
        "text_tokens": 200,
        "audio_tokens": 50,
        "image_tokens": 30,
        "cached_tokens_details": {"text_tokens": 128, "audio_tokens": 10},
    }
    out = {"text_tokens": 30, "audio_tokens": 120, "reasoning_tokens": 12}
    used = {"input_token_details": details, "output_token_details": out}
    events = (response("r1", usage(10, 20, 30, 40)), response("r2", used))
    reading, whole = read(*events), bill(a_log(session(), *events))
    assert sum(line.dollars or 0 for line in reading.lines) == pytest.approx(whole.dollars)
    assert reading.total.dollars == pytest.approx(whole.dollars)
    assert reading.total.last_dollars == pytest.approx(whole[1].dollars)
    assert (reading.total.used, reading.total.last) == (100 + 430, 430)
    by_name = {(line.name, at): line for at, line in enumerate(reading.lines)}
    assert list(by_name)[:3] == [("Text in", 0), ("of it cached", 1), ("Audio in", 2)]
    cached = reading.lines[1]
    assert (cached.part, cached.used, cached.last, cached.rate) == (True, 128, 128, 0.4)
    assert "Image in" in names(reading) and "of it reasoning" in names(reading)
    reasoning = next(line for line in reading.lines if line.name == "of it reasoning")
    assert (reasoning.used, reasoning.dollars) == (12, None), "it is billed as text"


def test_kinds_that_were_not_used_are_left_out_but_the_four_that_everyone_asks_for() -> None:
    reading = read(response("r1", usage(text_out=3)))
    assert names(reading) == ["Text in", "Audio in", "Text out", "Audio out"]


TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


def test_transcription_has_a_line_of_its_own() -> None:
    whisper = {"input": {"transcription": {"model": "whisper-1"}}}
    heard = {"type": TRANSCRIBED, "item_id": "a", "usage": {"type": "duration", "seconds": 30}}
    reading = read(heard, response("r1", usage(text_out=3)), audio=whisper)
    line = reading.lines[-1]
    assert (line.name, line.used, line.unit) == ("Transcription", 30, "s")
    assert line.dollars == pytest.approx(0.003)
    assert reading.total.dollars == pytest.approx(0.003 + 3 * 16 / 1e6)


def test_what_is_unknown_is_said_and_not_shown_as_nothing() -> None:
    reading = read(response("r1", usage(text_out=1000)), response("r2", None))
    assert reading.at_least and reading.total.dollars == pytest.approx(0.016)
    assert reading.total.last is None and reading.lines[0].last is None
    assert any("At least" in note for note in reading.notes)
    lost = read(response("r1", None))
    assert lost.total.dollars is None and lost.at_least


def test_a_model_without_a_price_says_how_to_give_it_one() -> None:
    reading = read(response("r1", usage(text_out=1000)), model="my-model")
    assert reading.total.dollars is None and reading.lines[2].dollars is None
    (note,) = reading.notes
    assert "No price is known for my-model" in note and "set_prices" in note
    set_prices({"my-model": Price(text_in=1, text_out=2)})
    reading = read(response("r1", usage(text_out=1000)), model="my-model")
    assert reading.total.dollars == pytest.approx(0.002)
    assert reading.notes == ["my-model: your prices."]


def test_a_simulator_charges_nothing_and_the_date_of_the_prices_is_there() -> None:
    real, simulated = read(), read(id="sess_simulated_1")
    assert not real.simulated and "prices of 20" in real.notes[0]
    assert simulated.simulated and "nothing is charged" in simulated.notes[0]
    assert "would cost" in simulated.notes[0] and "prices of 20" in simulated.notes[0]


def test_a_reply_under_way_is_said() -> None:
    assert any("being made" in note for note in read(response("r1", done=False)).notes)


def test_the_budget_is_a_bar_with_words() -> None:
    used = response("r1", usage(audio_out=100))  # $0.0064; another may cost $0.0100 with its input
    assert read(used).budget is None
    within = read(used, dollars=0.1).budget
    assert within is not None and within.level == "within"
    assert within.spent == pytest.approx(0.064) and 0 < within.next < 0.2
    assert within.words.startswith("$0.0064 of the budget of $0.10 spent; the next reply may cost")
    near = read(used, dollars=0.02).budget
    assert near is not None and near.level == "near" and "nearly reached" in near.words
    reached = read(used, dollars=0.012).budget
    assert reached is not None and reached.level == "reached"
    assert "larger budget=" in reached.words and reached.spent + reached.next <= 1


def test_a_budget_that_earlier_conversations_drew_on_says_so() -> None:
    bar = read(response("r1", usage(audio_out=100)), dollars=0.06, before=0.04).budget
    assert bar is not None and bar.spent == pytest.approx(0.464)
    assert "of the budget of $0.10" in bar.words and "$0.04 of it in earlier" in bar.words


# ---------------------------------------------------------------- the widgets


def test_the_meter_tells_the_page_only_what_changed() -> None:
    log, sender = a_log(session()), Sender()
    ledger = ledger_of(log)
    meter = Meter(ledger, sender=sender)
    changes: list[Any] = []
    meter.observe(lambda change: changes.append(change["new"]), "reading")
    for _ in range(5):
        meter.wake()
        assert sender.drain(SOON)
    assert changes == []
    ledger.take(log.append("server", response("r1", usage(text_out=5)), t=1.0))
    for _ in range(5):
        meter.wake()
        assert sender.drain(SOON)
    assert len(changes) == 1 and changes[0]["total"]["used"] == 5
    other = ledger_of(a_log(session(), response("r1", usage(text_out=7))))
    meter.show(other, Budget(1.0, other, before=0.5))
    assert sender.drain(SOON)
    assert meter.reading["total"]["used"] == 7
    assert "of the budget of $1.50" in meter.reading["budget"]["words"]
    assert not sender.failures


def test_the_kernel_remembers_which_sections_are_open() -> None:
    sender = Sender()
    panels = Panels({"cost": "Cost", "events": "Events"}, ["events"], sender=sender)
    panels._handle_custom_msg({"t": "open", "open": ["events", "cost", "nonsense"]}, [])
    assert sender.drain(SOON)
    assert panels.opened == ["cost", "events"]
    told: list[Any] = []
    panels.send = lambda content, buffers=(): told.append(content)
    panels.reveal("cost")
    assert sender.drain(SOON)
    assert told == [{"t": "reveal", "section": "cost"}]


# ---------------------------------------------------------------- in the chat


def a_chat(**options: Any) -> rt.RealtimeChat:
    return rt.RealtimeChat(endpoint=rt.Simulated(latency="none", where="memory"), **options)


def test_the_chats_meter_shows_the_bill_of_its_log() -> None:
    chat = a_chat(opening=rt.SpokenGreeting("Welcome!"))
    chat.start()
    chat.wait(SOON)
    chat.say("Hello")
    chat.wait(SOON)
    assert chat._presenter._sender.drain(SOON)
    reading, whole = chat._presenter._parts.meter.reading, chat.log.cost()
    assert reading["total"]["dollars"] == pytest.approx(whole.dollars) and reading["simulated"]
    assert reading["total"]["used"] == chat.conversation.usage["total_tokens"]
    assert chat._presenter._status().spent == f"would be ${whole.dollars:.4f}"
    chat.stop()
    chat.start()
    chat.wait(SOON)
    assert chat._presenter._sender.drain(SOON)
    assert chat._presenter._parts.meter.reading["total"]["dollars"] == pytest.approx(
        chat.log.cost().dollars
    )
    chat.stop()


def test_where_the_budget_is_reached_the_chat_says_so_once_and_asks_no_more() -> None:
    chat = a_chat(budget=0.03)
    chat.start()
    chat.wait(SOON)
    for _ in range(30):
        chat.say("Tell me more about the dinosaurs of this museum.")
        chat.wait(SOON)
    lines = chat._presenter._transcript.lines()
    said = [line for line in lines if line.speaker == "budget"]
    assert len(said) == 1 and "larger budget=" in said[0].text and said[0].state == "notice"
    assert chat.session is not None and 0.01 < (chat.session.cost or 0) <= 0.03
    assert len(chat.conversation.responses) < 30
    assert chat._presenter._sender.drain(SOON)
    assert chat._presenter._parts.meter.reading["budget"]["level"] == "reached"
    chat.stop()


def test_a_second_conversation_goes_on_with_what_the_first_left() -> None:
    chat = a_chat(opening=rt.SpokenGreeting("Welcome!"), budget=0.04)
    for _ in range(2):
        chat.start()
        chat.wait(SOON)
        chat.stop()
        chat.wait(SOON)
    assert chat._presenter._sender.drain(SOON)
    first, second = (one.cost or 0 for one in chat.sessions)
    words = chat._presenter._parts.meter.reading["budget"]["words"]
    assert f"${first + second:.4f} of the budget of $0.04 spent" in words
    assert f"${first:.4f} of it in earlier conversations" in words
    assert chat._presenter._status().spent == f"would be ${second:.4f} of ${0.04 - first:.4f} left"


def send(chat: rt.RealtimeChat, text: str) -> str:
    """Press Send in the table's box; gives what is told beside it."""
    told: list[Any] = []
    table = chat._presenter._parts.table
    table.send = lambda content, buffers=(): told.append(content)
    table._handle_custom_msg({"t": "send", "id": 1, "text": text}, [])
    assert chat._presenter._sender.drain(SOON)
    return str(next(one["problem"] for one in told if one["t"] == "sent"))


def test_the_tables_box_sends_an_event_as_it_is_written() -> None:
    chat = a_chat()
    assert "Press Start" in send(chat, '{"type": "response.create"}')
    assert len(chat.log) == 0
    chat.start()
    chat.wait(SOON)
    written = '{\n  "type": "response.create"\n}'
    assert send(chat, written) == ""
    chat.wait(SOON)
    (row,) = chat.log.where(type="response.create")
    assert row.raw == written and len(chat.conversation.responses) == 1
    chat.stop()
    chat.wait(SOON)
    assert "Press Start" in send(chat, written)


@pytest.mark.parametrize("text", ["", "Hello", '{"type": "no.such.event"}', '{"type": 3}', "[]"])
def test_what_the_server_refuses_comes_back_as_an_event(text: str) -> None:
    chat = a_chat()
    chat.start()
    chat.wait(SOON)
    assert send(chat, text) == ""
    chat.wait(SOON)
    assert chat.session is not None
    chat.session.wait_for("error", SOON)
    assert any(line.state == "error" for line in chat._presenter._transcript.lines())
    chat.say("Are you still there?")
    chat.wait(SOON)
    assert chat._presenter._transcript.lines()[-1].speaker == "assistant"
    chat.stop()


def test_an_event_is_checked_while_it_is_written() -> None:
    chat = a_chat()
    advice = chat._presenter._parts.table._check
    assert advice is not None
    assert "accepted" in str(advice({"type": "response.create"}))
    assert "refused" in str(advice({"type": "response.creat"}))
    chat.start()
    chat.wait(SOON)
    assert "accepted" in str(advice({"type": "response.create"}))
    chat.stop()


def test_a_log_to_share_holds_no_audio(tmp_path: Any) -> None:
    chat = a_chat(opening=rt.SpokenGreeting("Write to ada@example.com!"))
    chat.start()
    chat.wait(SOON)
    whole = chat.save(tmp_path / "whole.jsonl")
    shared = chat.save(tmp_path / "shared.jsonl", redacted=True)
    assert b"ada@example.com" in whole.read_bytes()
    assert b"ada@example.com" not in shared.read_bytes()
    assert shared.stat().st_size < whole.stat().st_size
    log = rt.EventLog.from_jsonl(shared)
    assert [row.type for row in log] == [row.type for row in chat.log]
    assert log.cost() == chat.log.cost()
    assert chat._presenter._keeping.file("redacted").name == "conversation.redacted.jsonl"
    with pytest.raises(rt.Misuse, match="jsonl"):
        chat.save(tmp_path / "shared.wav", redacted=True)
    chat.stop()
