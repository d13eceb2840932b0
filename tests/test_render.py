"""Plain HTML and text for readers without a kernel: complete, and never markup from outside."""

from __future__ import annotations

import pytest

import rtwidgets as rt
from rtwidgets.explanations import explain
from rtwidgets.render import (
    Said,
    log_html,
    log_text,
    said_html,
    said_text,
    transcript_html,
    transcript_text,
)

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def session() -> rt.Session:
    with rt.Session(
        rt.Simulated(where="memory", latency="none"), rt.ScriptedGreeting("Welcome!")
    ) as s:
        s.ask("hi")
    return s


def test_the_table_folds_runs_and_names_the_simulator(session: rt.Session) -> None:
    html, text = log_html(session.log), log_text(session.log)
    for rendering in (html, text):
        assert "response.output_audio.delta" in rendering and "× " in rendering
        assert "simulator" in rendering
    assert html.count("<tr") < len(session.log)
    assert "session.created" in text.splitlines()[1]


def test_a_long_log_says_that_it_goes_on(session: rt.Session) -> None:
    assert "first 3 lines" in log_html(session.log, limit=3)
    assert len(log_text(session.log, limit=3).splitlines()) == 5


def test_the_transcript_tells_heard_from_silent(session: rt.Session) -> None:
    text = transcript_text(session.conversation)
    assert "Welcome!  (silent: remembered, not heard)" in text
    assert "hi  (typed)" in text
    assert "s of speech" in text
    assert "Welcome!" in transcript_html(session.conversation)


def test_words_that_were_not_heard_are_set_apart() -> None:
    lines = [Said("assistant", "Good", " <day>", "interrupted", "Grey.")]
    assert said_text(lines).split("\n")[0] == "assistant  Good [not heard: <day>]  (interrupted)"
    assert "opacity" in said_html(lines) and "<day>" not in said_html(lines)


def test_what_a_server_says_is_never_markup() -> None:
    log = rt.EventLog(endpoint=HOSTILE)
    conversation = rt.Conversation()
    item = {
        "id": HOSTILE,
        "type": "message",
        "role": HOSTILE,
        "content": [{"type": HOSTILE, "text": HOSTILE}],
    }
    for event in (
        {"type": HOSTILE, "text": HOSTILE},
        {"type": "conversation.item.added", "item": item},
        {"type": "error", "error": {"message": HOSTILE, "code": HOSTILE}},
    ):
        log.append("server", event)
        conversation.receive(event)
    log.append("server", HOSTILE)
    for html in (log_html(log), transcript_html(conversation), log._repr_html_()):
        assert "<script" not in html and "<img" not in html


def test_half_a_character_fails_no_cell() -> None:
    log = rt.EventLog(endpoint="\ud83d")
    conversation = rt.Conversation()
    for event in ({"type": "\ud83d"}, {"type": "error", "error": {"message": "\ud83d"}}):
        log.append("server", event)
        conversation.receive(event)
    shown = (log._repr_html_(), str(log), transcript_html(conversation))
    assert all(text.encode() for text in (*shown, transcript_text(conversation)))


def test_an_empty_log_and_an_empty_conversation() -> None:
    assert "0 events" in log_text(rt.EventLog())
    assert "0 events" in log_html(rt.EventLog())
    assert transcript_text(rt.Conversation()) == ""


@pytest.mark.parametrize(
    ("error", "word"),
    [
        ({"message": "Invalid value: 'input_text'. Value must be 'output_text'."}, "silent"),
        ({"code": "cannot_update_voice", "message": "…"}, "before the first word"),
        ({"message": "Invalid modalities: ['text', 'audio']. …"}, "not both"),
        ({"code": "response_cancel_not_active", "message": "…"}, "Harmless"),
    ],
)
def test_errors_are_explained(error: dict[str, str], word: str) -> None:
    assert word in (explain(error) or "")


def test_what_is_not_known_is_not_explained() -> None:
    assert explain({"code": "brand_new", "message": "…"}) is None
    assert explain({}) is None
