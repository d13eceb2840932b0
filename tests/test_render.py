"""Plain HTML and text for readers without a kernel: complete, and never markup from outside."""

from __future__ import annotations

import re

import pytest

import rtwidgets as rt
from rtwidgets.explanations import explain
from rtwidgets.log.folding import fold
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
    assert "response.<wbr>output_<wbr>audio.<wbr>delta" in html  # it breaks there, not in a word
    for rendering in (html.replace("<wbr>", ""), text):
        assert "response.output_audio.delta" in rendering and "× " in rendering
        assert "simulator" in rendering
    assert html.count("<tr") < len(session.log)
    assert "session.created" in text.splitlines()[1]


def test_a_long_log_says_that_it_goes_on(session: rt.Session) -> None:
    html = log_html(session.log, limit=3)
    assert f"and {len(session.log) - 3} more events (the first 3 lines are shown)" in html
    assert len(log_text(session.log, limit=3).splitlines()) == 5
    assert "more events" not in log_html(session.log, limit=1000)


def test_a_line_of_deltas_opens_and_shows_them(session: rt.Session) -> None:
    html = log_html(session.log)
    run = next(run for run in fold(session.log) if "transcript.delta" in run.first.type)
    start = html.index("response.<wbr>output_<wbr>audio_<wbr>transcript.<wbr>delta")
    opened = html[start : html.index("</details>", start)]
    assert opened.count("\n") == min(run.count, 12) - (run.count <= 12)
    assert all(row.text.strip() in opened for row in run.rows[:12])


def test_numbers_are_on_the_right_and_words_on_the_left_without_styles(session: rt.Session) -> None:
    """An untrusted notebook and a mail program throw <style> away."""
    bare = re.sub("<style>.*?</style>", "", log_html(session.log))
    assert '<th class="rt-n" style="text-align:right">s</th>' in bare
    assert 'style="text-align:left">← server' in bare
    assert "#fff" not in bare and "background" not in bare  # light and dark are the page's


def test_control_characters_are_shown_and_not_obeyed() -> None:
    text = "\x1b[2J\x9b\x00\u202ea\u2066"
    log = rt.EventLog(endpoint=text)
    conversation = rt.Conversation()
    item = {"id": "i", "type": "message", "role": text, "content": [{"text": text}]}
    for event in ({"type": text, "text": text}, {"type": "conversation.item.added", "item": item}):
        log.append("server", event)
        conversation.receive(event)
    log.append("server", text)
    for shown in (
        log_html(log),
        log_text(log),
        str(log),
        transcript_html(conversation),
        transcript_text(conversation),
        said_text([Said(text, text, text, text, text)]),
    ):
        assert not any(one in shown for one in "\x1b\x9b\x00\u202e\u2066") and "\\x1b" in shown


def test_the_transcript_tells_heard_from_silent(session: rt.Session) -> None:
    text = transcript_text(session.conversation)
    assert "Welcome!  (silent: remembered, not heard)" in text
    assert "hi  (typed)" in text
    assert "s of speech" in text
    assert "Welcome!" in transcript_html(session.conversation)


def test_the_tools_of_an_mcp_server_are_told_by_name() -> None:
    item = {"id": "item_1", "type": "mcp_list_tools", "server_label": "dice"}
    tools = [{"name": "roll"}, {"name": "throw"}, None, {}]
    conversation = rt.Conversation()
    conversation.receive({"type": "conversation.item.added", "item": {**item, "tools": tools}})
    assert transcript_text(conversation).strip() == "tools of dice  roll, throw"
    conversation.receive({"type": "conversation.item.done", "item": {**item, "tools": 1}})
    assert "roll, throw" in transcript_text(conversation)


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


def test_what_logs_in_to_an_mcp_server_is_not_shown() -> None:
    """A session.update carries it, and what is shown is saved with the notebook."""
    login = {"authorization": "Zq87Kd2Vw9Xb", "headers": {"X-Team": "Xb4Nf6Hj8Rt3"}}
    tool = {"type": "mcp", "server_label": "museum", **login}
    log = rt.EventLog()
    for type_, owner in (("session.update", "session"), ("response.create", "response")):
        log.append("client", {"type": type_, owner: {"tools": [None, tool]}}, t=0.0)
    html = log_html(log)
    assert html.count("museum") == html.count("X-Team") == 2 and "[hidden]" in html
    secrets = ("Zq87Kd2Vw9Xb", "Xb4Nf6Hj8Rt3")
    assert not [one for one in secrets if one in html + "".join(row.json() for row in log)]
    assert all(one in row.raw for row in log for one in secrets), "as it was sent"
    assert not [one for one in secrets for row in log.redact() if one in row.raw]


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
