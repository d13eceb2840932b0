"""Openings in a real notebook: a recording plays, a greeting is protected, words are shown."""

from __future__ import annotations

import json

from .conftest import Notebook

NONZERO = "Number(document.querySelector('.rtw-voice')?.dataset.nonzero ?? 0)"
RECORDED = """
import rtwidgets as rt
from rtwidgets.openings.examples import RECORDING
opening = rt.RecordedGreeting(RECORDING, "Welcome to the museum! Shall I show you the fossils?")
chat = rt.RealtimeChat(opening=opening, endpoint=rt.Simulated())
chat
"""
PROTECTED = """
import rtwidgets as rt
opening = rt.SpokenGreeting("Welcome to the museum!", protect=True)
chat = rt.RealtimeChat(opening=opening, endpoint=rt.Simulated())
chat
"""
ROWS = """
import time
for _ in range(100):
    if chat.log.where(type="opening.ended"):
        break
    time.sleep(0.1)
print([row.event for row in chat.log.where(direction="local")])
print([row.type for row in chat.log.where(direction="client")])
"""

HEEDED = """
import json
for _ in range(100):
    sessions = [row.event["session"] for row in chat.log.where(type="session.updated")]
    if len(sessions) == 2:
        break
    time.sleep(0.1)
print(json.dumps([one["audio"]["input"]["turn_detection"] for one in sessions]))
"""


def start(notebook: Notebook, chat: str, *cells: str) -> None:
    notebook.fill(chat, *cells, "chat.stop()")
    notebook.run(0)
    notebook.until("document.querySelector('.rtw-start')")
    notebook.page.locator(".rtw-start").click()


def test_a_recording_is_heard_and_the_model_knows_its_words(bench: Notebook) -> None:
    start(bench, RECORDED, ROWS, "print(chat.session.ask('What did you say first?').text)")
    bench.until(f"{NONZERO} > 24000")
    told = bench.run(1)
    assert "'by': 'page'" in told and "'item_id': 'opening_words'" in told
    assert "response.create" not in told  # nothing was asked of the model
    assert "Welcome to the museum! Shall I show you the fossils?" in bench.run(2)
    bench.run(3)


def test_a_protected_greeting_listens_again_once_it_was_heard(bench: Notebook) -> None:
    start(bench, PROTECTED, ROWS, HEEDED)
    bench.until(f"{NONZERO} > 2400")
    assert "'by': 'page'" in bench.run(1)
    first, then = json.loads(bench.run(2))
    assert first is None and then["type"] == "server_vad"
    bench.run(3)


def test_an_explanation_and_a_verdict_are_shown_as_pages(bench: Notebook) -> None:
    bench.fill(
        "import rtwidgets as rt\nrt.SeededGreeting('<b>Greet</b> me.', delete=True).explain()",
        "rt.check({'type': 'conversation.item.create', 'item': {'type': 'message', "
        "'role': 'assistant', 'content': [{'type': 'input_text', 'text': '<b>Hi</b>'}]}})",
    )
    bench.run(0)
    bench.run(1)
    shown = "[...document.querySelectorAll('.jp-OutputArea-output')].map(one => one.innerText)"
    bench.until(f"{shown}.length === 2")
    explained, judged = bench.js(shown)
    assert "“<b>Greet</b> me.”" in explained and "when its response is done" in explained
    assert "Send this instead" in judged and "output_text" in judged and "<b>Hi</b>" in judged
