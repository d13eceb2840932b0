"""Wrong use of a session is answered in words, and breaks nothing."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from scripted import simulated, types

import rtwidgets as rt
from rtwidgets import loop
from rtwidgets.events import response_create


def test_before_and_after_the_session() -> None:
    s = rt.Session(simulated())
    with pytest.raises(rt.Misuse, match="not open"):
        s.send(response_create())
    with s:
        s.ask("hi")
    with pytest.raises(rt.Misuse, match="not open"):
        s.ask("still there?")
    s.close()
    assert "response.done" in types(s.log)


def test_a_session_opens_once() -> None:
    with rt.Session(simulated()) as s, pytest.raises(rt.Misuse, match="opened before"):
        s.open()


def test_a_blocking_call_on_the_sessions_own_thread_is_refused() -> None:
    async def inside() -> None:
        rt.Session(simulated()).open()

    with pytest.raises(rt.Misuse, match="AsyncSession"):
        loop.run(inside(), timeout=5)


@pytest.mark.parametrize("settings", [{"modality": "smell"}, {"tools": [print]}])
def test_wrong_arguments_are_refused_in_words(settings: dict[str, Any]) -> None:
    with pytest.raises(rt.Misuse):
        rt.Session(simulated(), **settings)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"opening": "Hello"}, "GeneratedGreeting"),
        ({"opening": rt.ModelGreeting}, "parentheses"),
        ({"endpoint": "wss://a.example/"}, "Endpoint"),
        ({"endpoint": rt.OpenAI}, "Simulated"),
    ],
)
def test_what_is_no_opening_or_endpoint_is_said_at_once(settings: Any, word: str) -> None:
    with pytest.raises(rt.Misuse, match=word):
        rt.AsyncSession(**{"endpoint": simulated(), **settings})


def test_without_a_key_a_script_is_told_once_that_a_simulator_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rtwidgets.endpoints.choosing._told", False)
    monkeypatch.setattr("rtwidgets.keys._asked_key", None)
    rt.AsyncSession()
    rt.AsyncSession()
    assert capsys.readouterr().err.count("simulator on this machine") == 1


def test_a_simulated_reply_says_so() -> None:
    with rt.Session(simulated(), rt.ModelGreeting()) as s:
        assert repr(s.opening_reply).startswith("<simulated reply, completed, ")


def test_a_session_works_where_a_loop_runs_already() -> None:
    async def like_a_cell() -> str:
        with rt.Session(simulated()) as s:
            return s.ask("hi").text

    assert asyncio.run(like_a_cell())


def test_many_sessions_share_one_thread() -> None:
    for _ in range(3):
        with rt.Session(simulated()) as s:
            s.ask("hi")
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("rtwidgets-loop") == 1


@pytest.mark.parametrize("words", [b"bytes", None, 7])
def test_what_is_no_text_is_refused_and_the_next_question_answered(words: Any) -> None:
    with rt.Session(simulated()) as s:
        with pytest.raises(rt.Misuse, match="text"):
            s.ask(words)
        assert s.ask("hello").text


def test_asking_before_opening_leaves_the_opening_as_it_was() -> None:
    s = rt.Session(simulated(), rt.ModelGreeting())
    with pytest.raises(rt.Misuse, match="not open"):
        s.ask("too early")
    with s:
        assert s.opening_reply is not None and s.opening_reply.status == "completed"


def test_half_a_character_does_not_cut_the_line() -> None:
    with rt.Session(simulated()) as s:
        assert s.ask("hi \ud83d").text
        assert s.conversation.items[0].text == "hi \ufffd"
        s.send({"type": "conversation.item.delete", "item_id": "\ud83d"})  # as it is: an escape
        assert s.wait_for("error", timeout=5).event


def test_a_closed_session_is_not_opened_again() -> None:
    s = rt.Session(simulated())
    with s:
        pass
    with pytest.raises(rt.Misuse, match="new one"), s:
        pass
