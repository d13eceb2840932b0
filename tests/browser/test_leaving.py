"""A chat whose cell is run again, or whose output is cleared: nobody could press its Stop."""

from __future__ import annotations

import time

import pytest

from .conftest import Notebook
from .test_chat import words

CHAT = """
import gc, weakref
import rtwidgets as rt
from IPython.display import display
chats = globals().get("chats", [])
chat = rt.RealtimeChat(opening=rt.SpokenGreeting("Welcome!"), endpoint=rt.Simulated())
chats.append(weakref.ref(chat))
display(chat)
chat.start()
"""
LEFT = "gc.collect(); print([one() is None for one in chats])"
STATE = "print(chat)"
SLOW = "import time; time.sleep(pause); pause = 8; display(chat)"
"""Longer, when it is run again, than a page has to say that it shows the chat."""
CLEAR = "jupyterapp.commands.execute('notebook:clear-cell-output').then(() => 0)"


def run_until(notebook: Notebook, cell: int, words: str, seconds: float = 30.0) -> None:
    """Run a cell again and again until it prints this."""
    deadline = time.monotonic() + seconds
    while words not in (printed := notebook.run(cell)):
        assert time.monotonic() < deadline, f"{words!r} is not in {printed!r}"
        notebook.page.wait_for_timeout(200)


@pytest.fixture
def chat(bench: Notebook) -> Notebook:
    bench.fill(CHAT, LEFT, STATE, "chat", "chat.close()", "pause = 0", SLOW)
    bench.run(0)
    bench.until("document.querySelector('.rtw-header[data-state=open]')")
    return bench


def test_a_cell_that_is_run_again_ends_the_conversation_before(chat: Notebook) -> None:
    chat.run(0)
    run_until(chat, 1, "[True, False]")
    assert chat.js("document.querySelectorAll('.rtw-header').length") == 1
    assert "Connected" in chat.run(2)
    chat.run(4)


def test_an_output_that_is_cleared_ends_it_unless_another_stands(chat: Notebook) -> None:
    chat.run(3)
    chat.until("document.querySelectorAll('.rtw-header').length === 2")
    chat.js(f"{chat.CONTENT}.activeCellIndex = 0; {CLEAR}")
    chat.until("document.querySelectorAll('.rtw-header').length === 1")
    assert "Connected" in chat.run(2)
    chat.js(f"{chat.CONTENT}.activeCellIndex = 3; {CLEAR}")
    run_until(chat, 2, "Ended")
    chat.run(3)
    chat.until(words("No page showed this chat any more"))
    chat.page.locator(".rtw-start").click()
    chat.until("document.querySelector('.rtw-header[data-state=open]')")
    chat.run(4)


def test_a_cell_that_shows_the_same_chat_at_its_end_does_not_end_it(chat: Notebook) -> None:
    for cell in (5, 6):
        chat.run(cell)
    chat.until("document.querySelectorAll('.rtw-header').length === 2")
    chat.js(f"{chat.CONTENT}.activeCellIndex = 0; {CLEAR}")
    chat.run(6)
    chat.until("document.querySelectorAll('.rtw-header').length === 1")
    assert "Connected" in chat.run(2)
    chat.run(4)
