"""A call of a tool in the chat: one row that unfolds, live and in the plain copy."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets.conversation import Conversation
from rtwidgets.items import Item, Response
from rtwidgets.log import EventLog
from rtwidgets.widgets.calls import SHOWN, Called, details_of, readable, standing_of
from rtwidgets.widgets.files import small_page_of, text_of
from rtwidgets.widgets.lines import Line, call_line, change
from rtwidgets.widgets.narration import narrate
from rtwidgets.widgets.transcript import Talk, Transcript

EVIL = "<img src=x onerror=alert(1)>"


def called(status: str = "completed", arguments: str = '{"city": "Bonn"}') -> Item:
    return Item(
        "i", "function_call", status=status, name="weather", call_id="c", arguments=arguments,
        response_id="r",
    )  # fmt: skip


def output(text: str) -> Item:
    return Item("o", "function_call_output", call_id="c", output=text)


DONE = Response("r", "completed", conversation_id="conv")


@pytest.mark.parametrize(
    ("said", "answer", "state", "note"),
    [
        (Called(), None, "running", "running"),
        (Called(12, ok=True), output("3"), "done", "done in 12 ms"),
        (Called(1234, ok=True), output("3"), "done", "done in 1.2 s"),
        (Called(1234, ok=False), output("3"), "error", "failed after 1.2 s"),
        (None, output("3"), "done", "answered"),
        (None, None, "done", "to be answered"),
    ],
)
def test_how_a_call_stands(said: Called | None, answer: Item | None, state: str, note: str) -> None:
    assert standing_of(said, answer) == (state, note)
    line = call_line(called(), DONE, said, answer)
    assert (line.speaker, line.text) == ("tool", 'weather({"city": "Bonn"})')
    assert (line.state, line.note) == (state, note)


def test_a_call_that_was_cut_off_was_not_made() -> None:
    cancelled = Response("r", "cancelled", {"reason": "turn_detected"}, "conv")
    line = call_line(called("incomplete", '{"ci'), cancelled, None, None)
    assert (line.state, line.note) == ("cut", "not called: interrupted by speech")
    assert line.details == ()


def test_while_the_model_still_writes_nothing_is_said_of_it() -> None:
    line = call_line(called("in_progress"), Response("r", "in_progress", None, "conv"), None, None)
    assert (line.state, line.note, line.details) == ("streaming", "", ())


def test_what_it_unfolds_to() -> None:
    details = details_of(called(), Called(1, ok=True), output('{"sky": ["clear"]}'))
    assert dict(details) == {
        "Arguments": '{\n  "city": "Bonn"\n}',
        "Result": '{\n  "sky": [\n    "clear"\n  ]\n}',
    }
    failed = details_of(called(arguments="{}"), Called(1), output('{"error": "no"}'))
    assert [name for name, _ in failed] == ["Arguments", "Error"]
    assert failed[0][1] == "none"
    assert details_of(called(), None, output(""))[1] == ("Result", "an empty text")


@pytest.mark.parametrize("text", ['{"cut', "plain words", "[" * 100_000, "3", "NaN"])
def test_what_is_not_json_is_shown_as_it_is(text: str) -> None:
    assert readable(text).startswith(text[:SHOWN])


def test_of_much_a_part_is_shown_and_that_it_is_one() -> None:
    assert readable("x" * 20_000).endswith("\n… (20,000 characters; the log has them all)")


def test_a_page_is_sent_plain_pairs_of_text() -> None:
    line = Line("i", "tool", "f()", details=(("Result", EVIL),))
    assert json.loads(json.dumps(change(line, None)))["details"] == [["Result", EVIL]]


def conversation_with(*items: dict[str, Any]) -> Conversation:
    conversation = Conversation()
    for item in items:
        conversation.receive({"type": "conversation.item.added", "item": item})
    return conversation


CALL = {"id": "i", "type": "function_call", "status": "completed", "name": "weather",
        "call_id": "c", "arguments": "{}"}  # fmt: skip
OUTPUT = {"id": "o", "type": "function_call_output", "call_id": "c", "output": EVIL}


def test_the_output_stands_in_the_row_of_its_call() -> None:
    [line] = Talk(conversation_with(CALL, OUTPUT), 1).lines()
    assert line.details[1] == ("Result", EVIL)
    [alone] = Talk(conversation_with({**OUTPUT, "call_id": "other"}), 1).lines()
    assert (alone.speaker, alone.text) == ("result", EVIL)


def test_a_call_that_runs_when_the_line_is_lost_ends() -> None:
    talk = Talk(conversation_with(CALL), 1)
    talk.called["c"] = Called()
    assert talk.lines()[0].state == "running"
    talk.over = "cut off: the line was lost"
    assert (talk.lines()[0].state, talk.lines()[0].note) == (
        "cut",
        "running, cut off: the line was lost",
    )


def test_the_rows_of_a_session_are_narrated() -> None:
    log, transcript = EventLog(), Transcript()
    conversation = conversation_with(CALL)
    transcript.follow(conversation)
    states = []
    for event in (
        {"type": "tool.called", "call_id": "c", "name": "weather", "arguments": {}},
        {"type": "tool.answered", "call_id": "c", "ms": 1500, "ok": False},
        {"type": "tool.answered"},  # of somebody else's making
    ):
        narrate(log.append("local", event), conversation, transcript)
        states.append(transcript.lines()[0].note)
    assert states == ["running", "failed after 1.5 s", "failed after 1.5 s"]


def test_the_plain_copy_unfolds_too_and_is_never_markup() -> None:
    lines = Talk(conversation_with(CALL, OUTPUT), 1).lines()
    page, text = small_page_of(lines, EventLog()), text_of(lines, EventLog())
    assert "<details><summary>weather({})</summary>" in page and EVIL not in page
    assert "&lt;img src=x" in page
    assert f"Result: {EVIL}" in text


def test_a_chat_calls_functions_and_shows_it() -> None:
    go = threading.Event()

    def weather(city: str) -> str:
        """The weather in a city."""
        assert go.wait(10)
        return f"Clear in {city}."

    chat = rt.RealtimeChat(endpoint=rt.Simulated(latency="none"), tools=[weather])
    chat.start()
    chat.wait()
    chat.say("What is the weather in Bonn?")
    chat.session.wait_for("tool.called")
    [row] = [line for line in chat._presenter._transcript.lines() if line.speaker == "tool"]
    assert row.state == "running"
    go.set()
    chat.wait()
    [row] = [line for line in chat._presenter._transcript.lines() if line.speaker == "tool"]
    assert row.state == "done" and ("Result", "Clear in Bonn.") in row.details
    assert "Clear in Bonn." in chat.conversation.items[-1].text
    chat.close()


def test_a_chat_refuses_wrong_tools_where_it_is_made() -> None:
    with pytest.raises(rt.Misuse, match=r"tools=\[function\]"):
        rt.RealtimeChat(endpoint=rt.Simulated(), tools=print)  # type: ignore[arg-type]
