"""The chat without a browser: every button is a method, nothing hangs, and errors are sentences.

The simulator runs in memory on a virtual clock: no socket, no waiting.
"""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets import endpoints
from rtwidgets.events import item_create
from rtwidgets.widgets.chat import RealtimeChat
from rtwidgets.widgets.choices import Choices, words_field
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.controls import Controls

SOON = 30.0
HELLO = rt.SpokenGreeting("Welcome to the museum!")


@pytest.fixture
def chat() -> Iterator[RealtimeChat]:
    chat = a_chat(opening=HELLO)
    yield chat
    chat.stop()
    assert not chat._sender.failures


def a_chat(**options: Any) -> RealtimeChat:
    return RealtimeChat(endpoint=rt.Simulated(latency="none", where="memory"), **options)


def said(chat: RealtimeChat) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for line in chat._transcript.lines()]


def last_word(chat: RealtimeChat) -> str:
    return said(chat)[-1][1]


def test_a_conversation_from_start_to_stop(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)
    chat.say("What did you say first?")
    chat.wait(SOON)
    speakers = [speaker for speaker, _ in said(chat)]
    assert speakers == ["assistant", "you", "assistant"]
    assert "Welcome to the museum!" in said(chat)[0][1]
    assert "Welcome to the museum!" in last_word(chat)
    assert chat.session is not None and chat.session.label == "Simulator"
    assert len(chat.log.where(type="response.done")) == 2
    chat.stop()
    assert "Ended" in repr(chat)
    assert said(chat)[0][0] == "assistant"


def test_what_is_said_before_the_line_stands_is_said_when_it_does(chat: RealtimeChat) -> None:
    chat.start()
    chat.say("Hello")
    chat.wait(SOON)
    assert ("you", "Hello") in said(chat)


def test_started_twice_it_says_so_and_goes_on(chat: RealtimeChat) -> None:
    chat.start()
    chat.start()
    chat.wait(SOON)
    assert any("running already" in text for _, text in said(chat))
    assert len(chat.sessions) == 1


@pytest.mark.parametrize("act", ["stop", "wait", "interrupt", "talk", "decline", "approve"])
def test_before_start_nothing_breaks(chat: RealtimeChat, act: str) -> None:
    getattr(chat, act)()
    assert chat.session is None and len(chat.log) == 0


def test_said_before_start_it_says_what_to_do(chat: RealtimeChat) -> None:
    chat.say("Hello")
    assert "Press Start" in last_word(chat)


def test_stopped_twice_and_started_again_it_is_another_conversation(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)
    first = chat.log
    chat.stop()
    chat.stop()
    chat.start()
    chat.wait(SOON)
    assert chat.log is not first and len(chat.sessions) == 2
    assert len(first.where(type="session.created")) == 1
    assert [speaker for speaker, _ in said(chat)] == ["assistant"]


def test_a_refusal_of_the_server_stands_in_the_transcript_with_its_meaning(
    chat: RealtimeChat,
) -> None:
    chat.start()
    chat.wait(SOON)
    assert chat.session is not None
    content = [{"type": "input_text", "text": "Hello"}]
    wrong = item_create({"type": "message", "role": "assistant", "content": content})
    chat.session.send(wrong)
    chat.session.wait_for("error", SOON)
    line = chat._transcript.lines()[-1]
    assert line.text == "Invalid value: 'input_text'. Value must be 'output_text'."
    assert line.state == "error" and "output_text" in line.more
    chat.say("Are you still there?")
    chat.wait(SOON)
    assert [speaker for speaker, _ in said(chat)][-2:] == ["you", "assistant"]


def test_no_server_is_one_sentence_and_the_chat_can_start_again() -> None:
    chat = RealtimeChat(endpoint=rt.Endpoint("ws://127.0.0.1:9/v1/realtime", name="Nobody"))
    for _ in range(2):
        chat.start()
        chat.wait(SOON)
        assert "No connection to" in last_word(chat)
        assert "Not connected" in repr(chat)


def test_tools_that_are_none_are_one_sentence() -> None:
    chat = a_chat(tools=[print])
    chat.start()
    chat.wait(SOON)
    assert said(chat)[-1][0] == "error"


def test_a_line_that_falls_is_one_sentence_and_the_log_stays() -> None:
    with rt.Simulator(latency="none", in_process=True) as simulator:
        chat = RealtimeChat(opening=HELLO, endpoint=rt.Endpoint(simulator.url, key=simulator.key))
        chat.start()
        chat.wait(SOON)
    assert chat.session is not None
    with pytest.raises((rt.ConnectionLost, rt.Misuse)):
        chat.session.wait_for("never", SOON)
    chat.say("Hello")
    chat.wait(SOON)
    assert chat._transcript.lines()[1].state == "error"
    assert "Press Start" in last_word(chat)
    assert "Ended" in repr(chat)
    assert len(chat.log.where(type="response.done")) == 1


def test_interrupt_ends_the_reply_and_the_conversation_goes_on(chat: RealtimeChat) -> None:
    chat.start()
    chat.interrupt()
    chat.wait(SOON)
    chat.say("Hello")
    chat.wait(SOON)
    assert said(chat)[-1][0] == "assistant"


def test_the_volume_is_a_number_from_0_to_1(chat: RealtimeChat) -> None:
    chat.volume = 0.25
    chat.mute()
    assert chat._sender.drain(SOON)
    assert (chat.volume, chat._speaker.muted) == (0.25, True)
    chat.mute(False)
    assert chat._sender.drain(SOON)
    assert not chat._speaker.muted
    with pytest.raises(rt.Misuse, match="from 0 to 1"):
        chat.volume = 11


def test_what_is_saved_can_be_read(chat: RealtimeChat, tmp_path: Path) -> None:
    chat.start()
    chat.wait(SOON)
    log = rt.EventLog.from_jsonl(chat.save(tmp_path / "chat.jsonl"))
    assert [row.type for row in log] == [row.type for row in chat.log]
    with wave.open(str(chat.save(tmp_path / "chat.wav"))) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (24_000, len(chat.log.audio()))
    page = chat.save(tmp_path / "chat.html").read_text()
    assert "Welcome to the museum!" in page and "response.done" in page
    with pytest.raises(rt.Misuse, match=r"\.jsonl, \.wav or \.html"):
        chat.save(tmp_path / "chat.txt")


def test_what_was_heard_is_in_the_log(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)
    item = chat.conversation.items[-1].id
    stats = {"played": 1, "nonzero": 1, "underruns": 0}
    chat._speaker.page_heard({"item_id": item, "ms": 120, "done": False, "stats": stats}, [])
    chat.wait(SOON)
    (row,) = chat.log.where(type="playback.heard", direction="local")
    assert row.event is not None and (row.item_id, row.event["ms"]) == (item, 120)
    assert "heard" in chat._transcript.lines()[-1].note


# ---------------------------------------------------------------- money


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RealtimeChat]]:
    """A chat with an endpoint that costs money, at an address where nobody is."""
    monkeypatch.setattr(endpoints, "_spending_approved", False)

    nobody = rt.Endpoint("ws://127.0.0.1:9/v1/realtime", name="Paid", paid=True)
    yield lambda **options: RealtimeChat(endpoint=nobody, **options)


def status(chat: RealtimeChat) -> Any:
    return chat._status()


def test_a_paid_session_asks_first(paid: Callable[..., RealtimeChat]) -> None:
    chat = paid()
    chat.start()
    assert status(chat).state == "confirm"
    assert "Paid with gpt-realtime-2.1 costs money" in status(chat).notice
    assert chat.session is None
    chat.wait(SOON)
    chat.decline()
    assert (status(chat).state, status(chat).notice) == ("idle", "")


def test_once_agreed_it_connects(paid: Callable[..., RealtimeChat]) -> None:
    chat = paid()
    chat.start()
    chat.approve()
    chat.wait(SOON)
    assert chat.session is not None and "No connection to" in last_word(chat)


def test_a_budget_is_an_agreement(paid: Callable[..., RealtimeChat]) -> None:
    chat = paid(budget=0.5)
    chat.start()
    chat.wait(SOON)
    assert chat.session is not None


# ---------------------------------------------------------------- what is chosen


def test_every_opening_and_endpoint_can_be_chosen() -> None:
    choices = Choices(Sender())
    names = list(choices.fields["opening"].options)
    assert names == [kind.name for kind in rt.openings.BUILT_IN]
    for name in names:
        choices.fields["opening"].value = name
        assert choices.current().opening.name == name
    assert {"Simulator", "OpenAI"} <= set(choices.fields["endpoint"].options)


def test_what_was_given_is_chosen_and_its_words_can_be_changed() -> None:
    choices = Choices(Sender(), opening=HELLO, model="gpt-realtime-2.1-mini", voice="cedar")
    choice = choices.current()
    assert (choice.opening, choice.model, choice.voice) == (HELLO, "gpt-realtime-2.1-mini", "cedar")
    choices.fields[f"words of {HELLO.name}"].value = "Good day!"
    assert choices.current().opening == rt.SpokenGreeting("Good day!")
    assert words_field(rt.WaitForUser()) == ""


def test_choosing_an_endpoint_brings_its_model() -> None:
    deployment = rt.Azure("museum", "my-deployment", key="sk-test-not-a-key")
    sender = Sender()
    choices = Choices(sender, endpoint=deployment)
    assert choices.current().model == "my-deployment"
    choices.fields["endpoint"].value = "Simulator"
    assert sender.drain(SOON)
    assert choices.current().model == endpoints.DEFAULT_MODEL
    choices.fields["endpoint"].value = deployment.name
    assert sender.drain(SOON)
    assert choices.current().model == "my-deployment"


# ---------------------------------------------------------------- the page


def test_what_a_person_does_in_the_page_is_done(chat: RealtimeChat) -> None:
    def press(widget: Controls, **message: Any) -> None:
        widget._handle_custom_msg(message, [])

    press(chat._header, t="do", what="start")
    press(chat._composer, t="say", id="one", text="Hello")
    chat.wait(SOON)
    assert ("you", "Hello") in said(chat)
    assert chat._sender.drain(SOON)
    assert chat._header.status["words"] == "Connected"
    assert chat._header.status["endpoint"] == "Simulator"
    assert chat._composer.status == chat._header.status
    press(chat._header, t="do", what="stop")
    chat.wait(SOON)
    assert chat._sender.drain(SOON)
    assert chat._header.status["state"] == "ended"


def test_nothing_that_a_page_is_told_holds_a_key() -> None:
    chat = RealtimeChat(endpoint=rt.OpenAI(key="sk-test-not-a-key"))
    children = [chat._header, chat._composer, chat._transcript, chat._table, chat._speaker]
    states = json.dumps([child.get_state() for child in (*children, chat.view)], default=str)
    assert "sk-test" not in states and "sk-test" not in repr(chat) + str(vars(chat))


def test_a_chat_can_be_waited_for_from_code_that_awaits(chat: RealtimeChat) -> None:
    async def talk() -> None:
        chat.start()
        await asyncio.to_thread(chat.wait, SOON)

    asyncio.run(talk())
    assert said(chat)
