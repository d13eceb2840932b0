"""The chat without a browser: every button is a method, nothing hangs, and errors are sentences.

The simulator runs in memory on a virtual clock: no socket, no waiting.
"""

from __future__ import annotations

import asyncio
import gc
import json
import wave
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from breaking import Fragile, at, never, refused

import rtwidgets as rt
from rtwidgets import endpoints, loop
from rtwidgets.events import item_create
from rtwidgets.openings import Opening
from rtwidgets.widgets import hints
from rtwidgets.widgets.chat import RealtimeChat
from rtwidgets.widgets.choices import FIRST_WORDS, Choices, words_field
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.controls import Controls
from rtwidgets.widgets.hints import RECONNECTING
from rtwidgets.widgets.narration import FELL
from rtwidgets.widgets.sessions import budget_left

SOON = 30.0
HELLO = rt.SpokenGreeting("Welcome to the museum!")


@pytest.fixture
def chat() -> Iterator[RealtimeChat]:
    chat = a_chat(opening=HELLO)
    yield chat
    chat.stop()
    assert not chat._presenter._sender.failures


def a_chat(**options: Any) -> RealtimeChat:
    return RealtimeChat(endpoint=rt.Simulated(latency="none", where="memory"), **options)


def said(chat: RealtimeChat) -> list[tuple[str, str]]:
    return [(line.speaker, line.text) for line in chat._presenter._transcript.lines()]


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


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"opening": "Hello"}, "An opening is"), ({"endpoint": "wss://x"}, "An endpoint is")],
)
def test_what_is_no_opening_or_endpoint_is_told_at_once(wrong: Any, words: str) -> None:
    with pytest.raises(rt.Misuse, match=words):
        RealtimeChat(**wrong)


def test_a_chat_that_names_its_endpoint_prints_no_notice(capsys: Any) -> None:
    RealtimeChat()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("wrong", "words"), [({"voice": "nova"}, "The server said"), ({"model": "gpt-9"}, "gpt-9")]
)
def test_refused_settings_are_told_once(wrong: Any, words: str) -> None:
    chat = a_chat(**wrong)
    chat.start()
    chat.wait(SOON)
    (line,) = chat._presenter._transcript.lines()
    assert line.state == "error" and words in line.text


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
    line = chat._presenter._transcript.lines()[-1]
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


def test_tools_that_are_none_are_refused_at_once_in_words() -> None:
    with pytest.raises(rt.Misuse, match="print"):
        a_chat(tools=[print])


def test_a_line_that_falls_is_one_sentence_and_the_log_stays() -> None:
    with rt.Simulator(latency="none", in_process=True) as simulator:
        there = rt.Endpoint(simulator.url, key=simulator.key)
        chat = RealtimeChat(opening=HELLO, endpoint=there, reconnect=False)
        chat.start()
        chat.wait(SOON)
    assert chat.session is not None
    with pytest.raises((rt.ConnectionLost, rt.Misuse)):
        chat.session.wait_for("never", SOON)
    chat.say("Hello")
    chat.wait(SOON)
    assert chat._presenter._transcript.lines()[1].state == "error"
    assert "Press Start" in last_word(chat)
    assert "Ended" in repr(chat)
    assert len(chat.log.where(type="response.done")) == 1


def test_a_line_that_falls_is_mended_and_the_chat_says_what_was_carried_over() -> None:
    endpoint = Fragile(at("server", "response.output_audio.delta", 2), refused(), refused())
    chat = RealtimeChat(opening=HELLO, endpoint=endpoint)
    chat.start()
    chat.wait(SOON)
    chat.say("Go on.")
    chat.wait(SOON)
    assert "Connected" in repr(chat)
    greeting, fell, hard, restored = chat._presenter._transcript.lines()[:4]
    assert (greeting.state, greeting.note.split(", ")[-1]) == ("cut", "cut off: the line was lost")
    assert fell.text.startswith(FELL) and fell.state == "notice"
    assert "the test refuses it" in hard.text
    assert "1 item carried over" in restored.text
    assert said(chat)[-2:] == [("you", "Go on."), ("assistant", said(chat)[-1][1])]
    chat.stop()


def test_what_is_said_while_the_line_is_looked_for_is_kept() -> None:
    there = asyncio.Event()
    endpoint = Fragile(never, there)
    chat = RealtimeChat(opening=HELLO, endpoint=endpoint)
    chat.start()
    chat.wait(SOON)
    session = chat.session
    assert session is not None
    loop.run(endpoint.lines[0].cut(), SOON)
    session.wait_for("line.trying", SOON)
    assert "Reconnecting" in repr(chat)
    assert chat._presenter._standing.hint(session, empty=False, unheard=0) == RECONNECTING
    chat.say("Are you there?")
    while not session.conversation.turns.unsent:  # handed over to the loop's thread
        loop.run(asyncio.sleep(0), SOON)
    hint = chat._presenter._standing.hint(session, empty=False, unheard=0)
    assert hint == f"{RECONNECTING} It waits: “Are you there?”"
    loop.shared_loop().call_soon_threadsafe(there.set)
    session.wait_for("line.restored", SOON)
    chat.wait(SOON)
    assert "Connected" in repr(chat)
    assert [speaker for speaker, _ in said(chat)] == [
        *("assistant", "notice", "notice"),
        *("you", "assistant"),
    ]
    chat.stop()


def test_a_line_that_does_not_come_back_ends_the_chat() -> None:
    chat = RealtimeChat(opening=HELLO, endpoint=Fragile(never, *[refused()] * 20))
    chat.start()
    chat.wait(SOON)
    assert chat.session is not None
    loop.run(chat.session.endpoint.lines[0].cut(), SOON)
    with pytest.raises((rt.ConnectionLost, rt.Misuse)):
        chat.session.wait_for("never", SOON)
    chat.wait(SOON)
    assert "Ended" in repr(chat) and "8 tries" in last_word(chat)
    assert "start again" in last_word(chat)


def test_interrupt_ends_the_reply_and_the_conversation_goes_on(chat: RealtimeChat) -> None:
    chat.start()
    chat.interrupt()
    chat.wait(SOON)
    chat.say("Hello")
    chat.wait(SOON)
    assert said(chat)[-1][0] == "assistant"


def test_an_interrupt_takes_back_all_that_was_not_heard_of_replies_that_waited(
    chat: RealtimeChat,
) -> None:
    chat.start()
    chat.wait(SOON)
    chat.say("Hello")
    chat.wait(SOON)
    first, second = [item for item in chat.conversation.items if item.role == "assistant"]
    play(chat, {first.id: 300})
    chat.interrupt()
    chat.wait(SOON)
    truncated = {
        row.item_id: row.event["audio_end_ms"]
        for row in chat.log.where(type="conversation.item.truncated")
        if row.event
    }
    assert truncated == {first.id: 300}
    assert [row.item_id for row in chat.log.where(type="conversation.item.deleted")] == [second.id]
    assert not chat.log.where(type="error")
    lines = {line.id: line for line in chat._presenter._transcript.lines()}
    assert [line.speaker for line in lines.values()] == ["assistant", "you", "assistant"]
    assert (lines[second.id].heard, lines[second.id].state) == (0, "cut")
    assert lines[second.id].text and "none of it heard" in lines[second.id].note


def test_an_interrupt_takes_back_nothing_that_was_heard(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)
    play(chat, {item.id: item.audio_ms for item in chat.conversation.items})
    chat.interrupt()
    chat.wait(SOON)
    assert not chat.log.where(type=("conversation.item.truncate", "error"))


def play(chat: RealtimeChat, heard: dict[str, int]) -> None:
    """Be a page that has played so much of each item when it is told to be silent."""
    speaker, stats = chat._presenter._speaker, {"played": 0, "nonzero": 0, "underruns": 0}

    def send(content: dict[str, Any], buffers: Any = ()) -> None:
        if content["t"] == "flush":
            speaker.page_flushed({"id": content["id"], "heard": heard, "stats": stats}, [])

    speaker.send = send
    speaker.page_hello({"page": "one"}, [])
    speaker.page_speaker({"kind": "worklet", "rate": 24_000, "state": "suspended"}, [])
    assert chat._presenter._sender.drain(SOON)


def test_after_an_interrupt_nothing_more_of_the_reply_is_played(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)
    chat.interrupt()
    chat.wait(SOON)
    assert chat.session is not None
    (response,) = chat.conversation.responses
    for name, of in (("late", response), ("next", "resp_next")):
        delta = {"type": "response.output_audio.delta", "item_id": name, "delta": "AAAA"}
        chat._presenter._take(chat.session, chat.log.append("server", {**delta, "response_id": of}))
    sent: list[dict[str, Any]] = []
    chat._presenter._speaker.send = lambda content, buffers=(): sent.append(content)
    chat._presenter._speaker._handle_custom_msg({"t": "hello", "page": "one"}, [])
    assert chat._presenter._sender.drain(SOON)
    assert [one["item_id"] for one in sent if one["t"] == "audio"] == ["next"]


def test_an_interrupt_before_the_first_word_says_so_and_asks_what_was_typed_meanwhile() -> None:
    chat = RealtimeChat(opening=HELLO, endpoint=rt.Simulated(where="thread"))
    chat.start()
    while chat.session is None or not chat.session.is_open:
        loop.run(asyncio.sleep(0), SOON)
    chat.session.wait_for("response.created", SOON)
    chat.say("Hello")
    chat.interrupt()
    chat.wait(SOON)
    speakers = {speaker: text for speaker, text in said(chat)[:-1]}
    assert speakers == {"you": "Hello", "assistant": "No word was said: interrupted."}
    assert chat.conversation.items[-1].role == "assistant" and chat.conversation.items[-1].text
    assert not chat.log.where(type="error")
    chat.stop()


def test_stopped_before_it_was_heard_a_line_says_so(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)
    play(chat, {})
    chat.stop()
    chat.wait(SOON)
    assert "none of it heard" in chat._presenter._transcript.lines()[-1].note


def hint_of(chat: RealtimeChat) -> str:
    assert chat._presenter._sender.drain(SOON)
    return chat._presenter._transcript.hint


@pytest.mark.parametrize(
    ("opening", "hint"),
    [
        (rt.WaitForUser(), hints.SPEAK),
        (rt.ScriptedGreeting("Hello"), hints.YOUR_TURN),
        (HELLO, ""),
    ],
)
def test_the_hint_says_what_to_do_next(opening: Any, hint: str) -> None:
    chat = a_chat(opening=opening)
    assert hint_of(chat) == hints.CHOOSE
    chat.start()
    chat.wait(SOON)
    assert hint_of(chat) == hint
    chat.say("Hello")
    chat.wait(SOON)
    assert hint_of(chat) == ""
    chat.stop()
    assert hint_of(chat) == ""


def test_words_that_have_to_wait_are_hinted_at() -> None:
    conversation = rt.Conversation()
    response = {"id": "r", "status": "in_progress", "conversation_id": "c"}
    conversation.receive({"type": "response.created", "response": response})
    assert hints.hint_during(HELLO, conversation, 0) == ""
    conversation.request({"type": "response.create"})
    assert hints.hint_during(HELLO, conversation, 0) == hints.QUEUED


def test_the_volume_is_a_number_from_0_to_1(chat: RealtimeChat) -> None:
    chat.volume = 0.25
    chat.mute()  # is of the microphone
    assert chat._presenter._sender.drain(SOON)
    assert (chat.volume, chat._presenter._speaker.muted) == (0.25, False)
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
    assert "<title>Conversation with gpt-realtime-2.1</title>" in page
    assert f"Simulator · {HELLO.name}" in page
    assert "<h2>Cost</h2>" in page and "nothing is charged" in page
    with pytest.raises(rt.Misuse, match=r"\.jsonl, \.wav or \.html"):
        chat.save(tmp_path / "chat.txt")


def test_what_was_heard_is_in_the_log(chat: RealtimeChat) -> None:
    chat.start()
    chat.wait(SOON)
    item = chat.conversation.items[-1].id
    stats = {"played": 1, "nonzero": 1, "underruns": 0}
    chat._presenter._speaker.page_heard(
        {"item_id": item, "ms": 120, "done": False, "stats": stats}, []
    )
    chat.wait(SOON)
    (row,) = chat.log.where(type="playback.heard", direction="local")
    assert row.event is not None and (row.item_id, row.event["ms"]) == (item, 120)
    assert "heard" in chat._presenter._transcript.lines()[-1].note


# ---------------------------------------------------------------- money


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RealtimeChat]]:
    """A chat with an endpoint that costs money, at an address where nobody is."""
    monkeypatch.setattr(endpoints.spending, "_spending_approved", False)

    nobody = rt.Endpoint("ws://127.0.0.1:9/v1/realtime", name="Paid", paid=True)
    yield lambda **options: RealtimeChat(endpoint=nobody, **options)


def status(chat: RealtimeChat) -> Any:
    return chat._presenter._status()


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


def test_what_was_agreed_to_is_started_whatever_is_chosen_meanwhile(
    paid: Callable[..., RealtimeChat],
) -> None:
    chat = paid(opening=HELLO)
    chat.start()
    asked = status(chat)
    chat._presenter._choices.fields["endpoint"].value = "Simulator"
    chat._presenter._choices.fields["model"].value = "gpt-realtime-2"
    chat._presenter._choices.fields["opening"].value = rt.ModelGreeting.name
    assert (status(chat).endpoint, status(chat).model) == (asked.endpoint, asked.model)
    chat.approve()
    chat.wait(SOON)
    assert chat.session is not None
    session = chat.session.asynchronous
    assert (session.endpoint.name, session.model) == ("Paid", asked.model)
    assert session.opening == HELLO


def test_a_budget_is_spent_once_however_often_it_is_started() -> None:
    price = 0.0
    chat = a_chat(opening=HELLO, budget=1e6)
    for number in range(3):
        chat.start()
        chat.wait(SOON)
        assert chat.session is not None and chat.session.cost
        left = chat.session.asynchronous.budget
        assert left == pytest.approx(1e6 - price * number, abs=1e-9)
        price = chat.session.cost
        chat.stop()
    chat.wait(SOON)
    chat._presenter.sessions.budget = 2 * price
    chat.start()
    assert "has spent" in last_word(chat) and len(chat.sessions) == 3
    assert status(chat).state == "failed"


def test_simulated_dollars_are_not_taken_from_a_real_budget(
    paid: Callable[..., RealtimeChat],
) -> None:
    chat = paid(budget=0.5)
    chat._presenter._choices.fields["endpoint"].value = "Simulator"
    elsewhere = rt.Session(rt.Simulated(latency="none", where="memory"), HELLO)
    with elsewhere:
        chat.sessions.append(elsewhere)
    assert elsewhere.cost
    nobody = chat._presenter._choices._endpoints["Paid"]
    assert budget_left(0.5, chat.sessions, nobody) == 0.5
    assert budget_left(0.5, chat.sessions, elsewhere.endpoint) == 0.5 - elsewhere.cost


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_one_sentence(budget: float) -> None:
    chat = a_chat(budget=budget)
    chat.start()
    assert "budget" in last_word(chat) and chat.session is None


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


def test_an_opening_never_has_the_words_of_another() -> None:
    given = rt.GeneratedGreeting("A secret: you are a dinosaur.")
    choices = Choices(Sender(), opening=given)
    choices.fields["opening"].value = rt.SpokenGreeting.name  # and Start at once
    assert choices.current().opening == rt.SpokenGreeting(FIRST_WORDS["text"])
    choices.fields["opening"].value = given.name
    assert choices.current().opening == given


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

    press(chat._presenter._parts.header, t="do", what="start")
    press(chat._presenter._parts.composer, t="say", id="one", text="Hello")
    chat.wait(SOON)
    assert ("you", "Hello") in said(chat)
    assert chat._presenter._sender.drain(SOON)
    assert chat._presenter._parts.header.status["words"] == "Connected"
    assert chat._presenter._parts.header.status["endpoint"] == "Simulator"
    assert chat._presenter._parts.composer.status == chat._presenter._parts.header.status
    press(chat._presenter._parts.header, t="do", what="stop")
    chat.wait(SOON)
    assert chat._presenter._sender.drain(SOON)
    assert chat._presenter._parts.header.status["state"] == "ended"


def shown(chat: RealtimeChat, **other: str) -> dict[str, Any]:
    """What a page shows as chosen where a person has changed these fields."""
    return {name: field.value for name, field in chat._presenter._choices.fields.items()} | other


def test_it_starts_with_what_the_page_shows_though_the_kernel_has_not_heard_of_it(
    chat: RealtimeChat,
) -> None:
    words = {"opening": rt.ScriptedGreeting.name, f"words of {rt.ScriptedGreeting.name}": "Hush!"}
    chosen = shown(chat, model="gpt-realtime-2", voice="cedar", **words)
    chat._presenter._parts.header._handle_custom_msg(
        {"t": "do", "what": "start", "chosen": chosen}, []
    )
    chat.wait(SOON)
    assert chat.session is not None
    assert chat.session.asynchronous.opening == rt.ScriptedGreeting("Hush!")
    assert chat.session.model == "gpt-realtime-2"
    assert chat.session.conversation.session["audio"]["output"]["voice"] == "cedar"


@pytest.mark.parametrize("wrong", [{"opening": "Sing"}, {"endpoint": "Elsewhere"}, None])
def test_a_page_that_shows_what_this_kernel_does_not_know_is_told(
    chat: RealtimeChat, wrong: Any
) -> None:
    chosen = shown(chat, **wrong) if wrong else {}
    chat._presenter._parts.header._handle_custom_msg(
        {"t": "do", "what": "start", "chosen": chosen}, []
    )
    assert "Run the cell again" in last_word(chat)
    assert chat.session is None


class Heard(RealtimeChat):
    """A chat whose composer's messages to the page are kept."""

    told: list[dict[str, Any]]

    def answers(self) -> list[bool]:
        assert self._presenter._sender.drain(SOON)
        return [one["taken"] for one in self.told if one["t"] == "said"]

    def type(self, text: str) -> None:
        self._presenter._parts.composer._handle_custom_msg(
            {"t": "say", "id": "one", "text": text}, []
        )


def heard(**options: Any) -> Heard:
    chat = Heard(**options)
    chat.told = []
    chat._presenter._parts.composer.send = lambda content, buffers=(): chat.told.append(content)
    return chat


def test_the_page_hears_when_what_was_typed_is_taken() -> None:
    chat = heard(endpoint=rt.Simulated(latency="none", where="memory"))
    chat.start()
    chat.type("Hello")
    chat.wait(SOON)
    assert ("you", "Hello") in said(chat) and chat.answers() == [True]
    chat.stop()


def test_the_page_keeps_what_was_typed_where_nothing_runs_or_the_start_fails() -> None:
    chat = heard(endpoint=rt.Endpoint("ws://127.0.0.1:9/v1/realtime", name="Nobody"))
    chat.type("Hello")
    assert chat.answers() == [False]
    chat.start()
    chat.type("Hello")
    chat.wait(SOON)
    assert chat.answers() == [False, False]


def test_the_page_keeps_what_was_typed_before_the_cost_was_agreed_to(
    paid: Callable[..., RealtimeChat],
) -> None:
    nobody = paid()._presenter._choices._endpoints["Paid"]
    chat = heard(endpoint=nobody)
    chat.start()
    chat.type("Hello")
    assert (status(chat).state, chat.answers()) == ("confirm", [False])


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("options", [{"tools": 5}, {"instructions": object()}, {"model": object()}])
def test_nonsense_is_one_sentence(options: dict[str, Any]) -> None:
    try:
        chat = a_chat(**options)
    except Exception as refused:
        assert isinstance(refused, rt.RealtimeError)
        return
    chat.start()
    chat.wait(SOON)
    assert said(chat)[-1][0] == "error" and "Not connected" in repr(chat)


@dataclass(frozen=True)
class Clumsy(Opening):
    """Its reaction fails."""

    name: ClassVar[str] = "Clumsy"
    heard: ClassVar[bool] = False

    def react(self, event: Any) -> list[Any]:
        raise RuntimeError("Oh dear.")


def test_an_opening_that_fails_is_a_sentence_in_the_transcript() -> None:
    chat = a_chat(opening=Clumsy())
    chat.start()
    chat.wait(SOON)
    assert "Oh dear." in last_word(chat)
    chat.stop()


def quiet(chat: RealtimeChat) -> None:
    """Wait until what was asked for is sent, and what that asked for in its turn."""
    for _ in range(4):
        assert chat._presenter._sender.drain(SOON)


def test_a_part_that_cannot_be_shown_is_said_until_it_can_and_only_by_its_own_chat() -> None:
    one, other = a_chat(), a_chat()
    one._presenter._transcript.flush, whole = lambda: 1 / 0, one._presenter._transcript.flush
    one._presenter._transcript.wake()
    quiet(one)
    assert "ZeroDivisionError" in status(one).trouble
    assert one._presenter._parts.header.status["trouble"] == status(one).trouble
    assert status(other).trouble == ""
    one._presenter._transcript.flush = whole
    one._presenter._transcript.wake()
    quiet(one)
    assert status(one).trouble == one._presenter._parts.header.status["trouble"] == ""
    one._presenter._sender.failures.clear()


def test_a_status_that_cannot_be_shown_does_not_wake_itself() -> None:
    chat, tries = a_chat(), []
    quiet(chat)
    chat._presenter._parts.header._put = lambda traits: tries.append(traits) or 1 / 0
    chat._presenter._duty.wake()
    quiet(chat)
    assert len(tries) == 1
    chat._presenter._sender.failures.clear()


def closed(state: str) -> weakref.ref[RealtimeChat]:
    chat = a_chat(opening=HELLO)
    if state != "fresh":
        chat.start()
        chat.wait(SOON)
    if state == "shown":
        chat._presenter._speaker._handle_custom_msg({"t": "hello", "page": "p"}, [])
        chat._presenter._transcript._handle_custom_msg({"t": "all"}, [])
        chat.say("Tell me more.")
    if state == "stopped":
        chat.stop()
        chat.wait(SOON)
    chat.close()

    async def gone() -> None:
        while chat.view.comm is not None:
            await asyncio.sleep(0.001)

    loop.run(gone(), SOON)
    assert chat._presenter._sender.drain(SOON)
    assert chat.session is None or not chat.session.is_open
    return weakref.ref(chat)


@pytest.mark.parametrize("state", ["fresh", "running", "shown", "stopped"])
def test_a_closed_chat_is_forgotten_whatever_it_was_doing(state: str) -> None:
    chat = closed(state)
    loop.run(asyncio.sleep(0), SOON)
    gc.collect()
    assert chat() is None


HALF = "\ud83d"  # of a dinosaur: legal in JSON, impossible in UTF-8


def test_half_a_character_breaks_neither_the_page_nor_the_files(tmp_path: Path) -> None:
    chat = a_chat(opening=rt.ScriptedGreeting(f"Hello {HALF}"), instructions=f"Be {HALF}")
    chat.start()
    chat.wait(SOON)
    assert chat.session is not None
    conversation = chat.session.conversation
    item = {"id": f"item_{HALF}", "type": "message", "role": "assistant", "status": "completed"}
    part = {"type": "output_text", "text": f"A {HALF}"}
    added = {"type": "conversation.item.added", "item": {**item, "content": [part]}}
    error = {"type": "error", "error": {"type": "x", "code": HALF, "message": f"No {HALF}"}}
    for event in (added, error, {"type": HALF}):
        row = chat.log.append("server", event)
        conversation.receive(event)
        chat._presenter._take(chat.session, row)
    for kind in ("jsonl", "html"):
        assert chat.save(tmp_path / f"chat.{kind}").stat().st_size
    with pytest.raises(rt.Misuse, match="no WAV"):
        chat.save(tmp_path / "chat.wav")
    assert len(rt.EventLog.from_jsonl(tmp_path / "chat.jsonl")) == len(chat.log)
    assert "A \ufffd" in (tmp_path / "chat.html").read_text()
    assert all(text.encode() for text in chat._presenter._keeping.bundle().values())
    assert {"A \ufffd", "No \ufffd"} <= {line.text for line in chat._presenter._transcript.lines()}
    chat.stop()


def test_nothing_that_a_page_is_told_holds_a_key() -> None:
    chat = RealtimeChat(endpoint=rt.OpenAI(key="sk-test-not-a-key"))
    parts = chat._presenter._parts
    children = [
        parts.header,
        parts.composer,
        chat._presenter._transcript,
        parts.table,
        chat._presenter._speaker,
    ]
    states = json.dumps([child.get_state() for child in (*children, chat.view)], default=str)
    assert "sk-test" not in states and "sk-test" not in repr(chat) + str(vars(chat._presenter))


def test_a_chat_can_be_waited_for_from_code_that_awaits(chat: RealtimeChat) -> None:
    async def talk() -> None:
        chat.start()
        await asyncio.to_thread(chat.wait, SOON)

    asyncio.run(talk())
    assert said(chat)
