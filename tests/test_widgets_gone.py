"""A chat that nobody holds, and one that no page shows any more: it ends, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets import loop
from rtwidgets.widgets.audience import Audience
from rtwidgets.widgets.chat import RealtimeChat
from rtwidgets.widgets.comm import shared_sender
from rtwidgets.widgets.narration import LEFT

SOON = 20.0
NEVER = 3600.0


def new_chat() -> RealtimeChat:
    return RealtimeChat(
        endpoint=rt.Simulated(latency="none", where="memory"), opening=rt.SpokenGreeting("Hi")
    )


def all_widgets() -> set[str]:
    """What ipywidgets holds, by id."""
    from ipywidgets.widgets.widget import _instances

    return set(_instances)


def collected(*remains: Callable[[], object], rounds: int = 20) -> bool:
    """Whether nothing of these is left, once the sender and the loop have done what was given."""
    for _ in range(rounds):
        gc.collect()
        assert shared_sender().drain(SOON)
        loop.run(tasks_over(), SOON)
        if all(one() is None for one in remains):
            return True
    return False


async def tasks_over() -> None:
    """Wait for what ends; what serves other sessions does not, and is not waited for long."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=0.2)


# ---------------------------------------------------------------- nobody holds it


def never_started(chat: RealtimeChat) -> None:
    pass


def connecting(chat: RealtimeChat) -> None:
    chat.start()


def running(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)


def stopped(chat: RealtimeChat) -> None:
    running(chat)
    chat.stop()


def closed(chat: RealtimeChat) -> None:
    running(chat)
    chat.close()


@pytest.mark.parametrize("how", [never_started, connecting, running, stopped, closed])
def test_a_chat_that_is_deleted_is_collected(how: Callable[[RealtimeChat], None]) -> None:
    before = all_widgets()
    chat = new_chat()
    how(chat)
    remains: list[Callable[[], object]] = [weakref.ref(chat), weakref.ref(chat._presenter)]
    if chat.session is not None:
        remains.append(weakref.ref(chat.session.asynchronous))
    del chat
    assert collected(*remains)
    assert all_widgets() <= before


def test_what_it_logged_stays_with_who_holds_it() -> None:
    chat = new_chat()
    running(chat)
    log, presenter = chat.log, chat._presenter
    del chat
    gc.collect()
    shared_sender().drain(SOON)
    assert loop.run(presenter._hands.free(SOON), SOON)
    session = presenter.session
    assert session is not None and not session.is_open
    assert log.where(type="response.done") and log[-1].seq == len(log) - 1


# ---------------------------------------------------------------- no page shows it


class Page:
    """What a page says of its views of a chat."""

    def __init__(self, chat: RealtimeChat, *, answers: bool = False) -> None:
        self.presenter = chat._presenter
        self.asked = threading.Event()
        presence: Any = self.presenter._parts.presence
        presence.send = lambda content, buffers=(): self.take(content)
        self.answers = answers

    def take(self, content: dict[str, Any]) -> None:
        if content["t"] == "shown?":
            if self.answers:
                self.say(True)
            self.asked.set()

    def say(self, there: bool) -> None:
        self.presenter._parts.presence._handle_custom_msg({"t": "shown", "there": there}, [])


def ended(chat: RealtimeChat) -> threading.Event:
    """Set once the chat's session is closed."""
    over = threading.Event()
    assert chat.session is not None
    session = chat.session.asynchronous

    async def look() -> None:
        while session.is_open:
            await asyncio.sleep(0.01)
        over.set()

    chat.give(lambda _: look())
    return over


def test_a_conversation_that_no_page_shows_any_more_ends_and_says_so() -> None:
    chat = new_chat()
    chat._presenter._parts.presence.audience.patience = 0.01
    page = Page(chat)
    running(chat)
    assert chat.view is not None
    over = ended(chat)
    page.say(False)
    assert page.asked.wait(SOON) and over.wait(SOON)
    assert chat._presenter._status().words == "Ended"
    assert chat._presenter._transcript.lines()[-1].text == LEFT
    assert len(chat.log.where(type="response.done")) == 1
    chat.start()  # whoever holds it may go on
    chat.wait(SOON)
    assert chat.session is not None and chat.session.is_open and len(chat.sessions) == 2
    chat.close()


def test_one_that_another_page_shows_goes_on() -> None:
    chat = new_chat()
    chat._presenter._parts.presence.audience.patience = NEVER
    page = Page(chat, answers=True)
    running(chat)
    page.say(False)
    assert page.asked.wait(SOON)
    loop.run(asyncio.sleep(0), SOON)
    assert chat._presenter._parts.presence.audience.in_doubt is False
    assert chat.session is not None and chat.session.is_open
    chat.close()


def test_what_a_page_shows_needs_no_name() -> None:
    chat = new_chat()
    chat._presenter._parts.presence.audience.patience = 0.01
    page, presenter, handle = Page(chat), weakref.ref(chat._presenter), weakref.ref(chat)
    running(chat)
    over = ended(chat)
    assert chat.view is not None  # as who displays it, or puts it in a box
    del chat
    assert not collected(handle, rounds=2) and not over.is_set()
    page.say(False)
    assert over.wait(SOON)
    del page
    assert collected(handle, presenter)


def test_before_a_conversation_there_is_nothing_to_say() -> None:
    chat = new_chat()
    chat._presenter._leave()
    assert chat._presenter._transcript.empty and chat._presenter._status().words == "Not connected"
    chat.close()


def test_who_leaves_and_comes_back_in_time_has_not_left() -> None:
    gone = threading.Event()
    audience = Audience(ask=lambda: None, gone=gone.set)
    audience.patience = NEVER
    for there in (False, True, False, False, True):
        audience.shown(there)
    loop.run(asyncio.sleep(0), SOON)
    assert not audience.in_doubt and not gone.is_set()
    audience.patience = 0.0
    audience.shown(False)
    assert gone.wait(SOON)


def test_one_that_was_closed_is_not_started_again() -> None:
    chat = new_chat()
    running(chat)
    chat.close()
    with pytest.raises(rt.Misuse, match="closed"):
        chat.start()
    assert len(chat.sessions) == 1


def test_while_a_cell_computes_nothing_is_concluded() -> None:
    """It may show the chat again at its end."""
    free: list[Callable[[], None]] = []
    asked, gone = threading.Event(), threading.Event()
    audience = Audience(ask=asked.set, gone=gone.set, when_free=free.append)
    audience.patience = 0.0
    audience.shown(False)
    loop.run(asyncio.sleep(0), SOON)
    assert len(free) == 1 and not asked.is_set()
    audience.shown(True)
    free.pop()()
    loop.run(asyncio.sleep(0.01), SOON)
    assert not asked.is_set() and not gone.is_set()
    audience.shown(False)
    loop.run(asyncio.sleep(0), SOON)
    free.pop()()
    assert asked.wait(SOON) and gone.wait(SOON)
