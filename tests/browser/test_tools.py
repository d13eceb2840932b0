"""A call of a tool in a chat, in a real page: it runs, it unfolds by the keyboard, it is text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Notebook
from .test_access import THEMES, violations
from .test_chat import words

CHAT = """
import threading
import rtwidgets as rt
go = threading.Event()
def weather(city: str) -> str:
    '''The weather in a city.'''
    go.wait(60)
    return f"<b>Clear</b> in {city}."
chat = rt.RealtimeChat(endpoint=rt.Simulated(latency="none"), tools=[weather])
chat
"""
ASK = "chat.start(); chat.wait(30); chat.say('What is the weather in Bonn?')"
ROW = "document.querySelector('[data-speaker=tool]')"
SHOWN = "[...document.querySelectorAll('.rtw-call-text')].filter(one => one.checkVisibility())"


@pytest.fixture
def chat(bench: Notebook) -> Iterator[Notebook]:
    bench.fill(CHAT, ASK, "go.set(); chat.wait(30)", "chat.stop()")
    bench.run(0)
    bench.until("document.querySelector('.rtw-start')")
    bench.run(1)
    bench.until(ROW)
    yield bench
    bench.run(3)


def test_a_call_runs_unfolds_by_the_keyboard_and_is_text(chat: Notebook) -> None:
    chat.until(f"{ROW}.dataset.state === 'running' && {ROW}.innerText.includes('running')")
    summary = chat.page.locator(".rtw-call-name")
    assert 'weather({"city": "Bonn"})' in summary.inner_text()
    assert chat.js(f"{SHOWN}.length") == 0
    summary.focus()
    chat.page.keyboard.press("Enter")
    chat.until(f'{SHOWN}.length === 1 && {SHOWN}[0].innerText.includes(\'"city": "Bonn"\')')
    chat.run(2)
    chat.until(f"{ROW}.dataset.state === 'done' && {ROW}.innerText.includes('done in')")
    chat.until(f"{SHOWN}.length === 2")  # it stayed open
    assert "<b>Clear</b> in Bonn." in chat.js(f"{SHOWN}[1].innerText")
    assert chat.js(f"{ROW}.querySelectorAll('b').length") == 0
    chat.until(words("Clear"))
    for theme in THEMES:
        chat.set_theme(theme)
        found = violations(chat, ".rtw-transcript")
        assert not found, "\n".join(found)
    summary.focus()
    chat.page.keyboard.press("Space")
    chat.until(f"{SHOWN}.length === 0")
