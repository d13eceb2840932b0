"""The microphone's Python side: chunks in order, settings as events, turns that are spoken."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets import loop
from rtwidgets.audio import BYTES_PER_MS, chunks
from rtwidgets.simulator.speech import shared as voice
from rtwidgets.widgets import takes, talking
from rtwidgets.widgets.chat import RealtimeChat
from rtwidgets.widgets.microphone import Microphone, old_kernel
from rtwidgets.widgets.promptness import prompt_threads
from rtwidgets.widgets.takes import PATIENCE, Take
from rtwidgets.widgets.turntaking import CAPTIONS, TurnSettings, updates

SOON = 30.0
WORDS = voice().speak("Please tell me about the dinosaurs.", "alloy")
SILENCE = bytes(1000 * BYTES_PER_MS)


# ---------------------------------------------------------------- takes


def pcm(number: int) -> bytes:
    return number.to_bytes(2, "little")


def test_chunks_in_any_order_come_out_in_theirs() -> None:
    for seed in range(50):
        order = list(range(60))
        for at in range(0, 60, 10):  # as two threads may mix them up
            part = order[at : at + 10]
            random.Random(seed + at).shuffle(part)
            order[at : at + 10] = part
        take = Take("a")
        given = [chunk for number in order for chunk in take.chunk(number, pcm(number))]
        take.over(60, "released")
        assert given == [pcm(number) for number in range(60)]
        assert (take.complete, take.lost, take.why) == (True, 0, "released")


def test_what_never_comes_is_counted_and_not_waited_for_any_longer_than_a_second() -> None:
    take = Take("a")
    numbers = [number for number in range(PATIENCE + 20) if number not in (0, 5, 6)]
    given = [chunk for number in numbers for chunk in take.chunk(number, pcm(number))]
    take.over(PATIENCE + 22, "released")  # the last two are missing too
    assert not take.complete
    given += take.give_up()
    assert given == [pcm(number) for number in numbers]
    assert (take.complete, take.lost) == (True, 5)


def test_a_chunk_that_comes_twice_or_too_late_is_nothing() -> None:
    take = Take("a")
    assert take.chunk(0, pcm(0)) and not take.chunk(0, pcm(0))
    assert not take.chunk(2, pcm(2)) and not take.chunk(2, pcm(9))
    assert take.give_up() == [pcm(2)]
    assert not take.chunk(1, pcm(1))
    assert take.lost == 1


def test_the_end_may_overtake_the_last_chunk() -> None:
    take = Take("a")
    take.over(1, "released")
    assert not take.complete
    assert take.chunk(0, pcm(0)) and take.complete


# ---------------------------------------------------------------- settings


def sent(settings: TurnSettings, session: Any = None, turns: bool = True) -> list[Any]:
    return [
        update.event["session"]["audio"] for update in updates(settings, session or {}, turns=turns)
    ]


def with_ear(**ear: Any) -> Any:
    return {"audio": {"input": {"transcription": {"model": CAPTIONS}, **ear}}}


VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "create_response": False}


def test_push_to_talk_switches_turn_detection_off_once() -> None:
    assert sent(TurnSettings(), with_ear(turn_detection=VAD)) == [
        {"input": {"turn_detection": None}}
    ]
    assert sent(TurnSettings(), with_ear(turn_detection=None)) == []


def test_what_was_not_chosen_stays_as_the_session_has_it() -> None:
    hands_free = TurnSettings(turns="server_vad")
    assert sent(hands_free, with_ear(turn_detection=VAD)) == []
    louder = hands_free.changed({"threshold": 0.8, "silence_ms": 900})
    wanted = {**VAD, "threshold": 0.8, "silence_duration_ms": 900}
    assert sent(louder, with_ear(turn_detection=VAD)) == [{"input": {"turn_detection": wanted}}]
    eager = TurnSettings(turns="semantic_vad", eagerness="high", threshold=0.8)
    semantic = {"type": "semantic_vad", "eagerness": "high"}
    assert sent(eager, with_ear(turn_detection=VAD)) == [{"input": {"turn_detection": semantic}}]


def test_while_a_greeting_is_protected_turns_are_left_alone() -> None:
    noisy = TurnSettings(turns="server_vad", noise_reduction="far_field")
    only = {"input": {"noise_reduction": {"type": "far_field"}}}
    assert sent(noisy, with_ear(turn_detection=None), turns=False) == [only]


def test_voice_and_speed_go_alone_for_a_refusal_takes_back_all() -> None:
    session = with_ear(turn_detection=None)
    session["audio"]["output"] = {"voice": "marin", "speed": 1.0}
    chosen = TurnSettings(noise_reduction="near_field", voice="cedar", speed=1.2)
    assert len(sent(chosen, session)) == 3
    assert [one.between for one in updates(chosen, session, turns=True)] == [False, False, True]
    assert sent(TurnSettings(voice="marin", speed=1.0, noise_reduction=""), session) == []


def test_captions_are_switched_on_and_off_but_another_transcriber_is_left_alone() -> None:
    ear: dict[str, Any] = {"turn_detection": None}
    on = [{"input": {"transcription": {"model": CAPTIONS}}}]
    assert sent(TurnSettings(), {"audio": {"input": ear}}) == on
    off = TurnSettings(captions=False)
    assert sent(off, with_ear(**ear)) == [{"input": {"transcription": None}}]
    for settings in (TurnSettings(), off):
        assert sent(settings, with_ear(**ear, transcription={"model": "whisper-1"})) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"turns": "never"},
        {"turns": None},
        {"threshold": 1.1},
        {"threshold": "loud"},
        {"threshold": True},
        {"silence_ms": 0.5},
        {"silence_ms": -1},
        {"eagerness": "very"},
        {"noise_reduction": "off"},
        {"voice": "nova"},
        {"speed": 9},
        {"captions": "yes"},
        {"volume": 1},
    ],
)
def test_what_cannot_be_set_is_refused_with_what_can(wrong: Any) -> None:
    with pytest.raises(rt.Misuse, match="push_to_talk, server_vad, semantic_vad"):
        TurnSettings().changed(wrong)


def test_what_was_refused_is_not_chosen_any_more() -> None:
    session: Any = {"audio": {"input": {"turn_detection": None}}}
    [captions] = updates(TurnSettings(), session, turns=True)
    refused = TurnSettings(voice="cedar").without(set(captions.names))
    assert (refused.captions, refused.voice, refused.without({"voice"}).voice) == (
        False,
        "cedar",
        None,
    )
    assert sent(refused.without({"voice"}), session) == []


def test_a_page_is_shown_what_was_chosen_else_what_the_session_has() -> None:
    session = with_ear(turn_detection={**VAD, "threshold": 0.3})
    shown = TurnSettings(silence_ms=700).shown(session)
    assert (shown["threshold"], shown["silence_ms"], shown["speed"]) == (0.3, 700, 1.0)


# ---------------------------------------------------------------- the kernel


class Kernel:
    def __init__(self, subshells: bool) -> None:
        self._supports_kernel_subshells = subshells


@pytest.mark.parametrize(
    ("installed", "subshells", "words"),
    [
        ("6.31.0", False, "too old"),
        ("7.4.0", False, "without subshells"),
        ("7.3.0", True, "stands still"),
        ("7.4.0", True, ""),
        ("8.0.0rc1", True, ""),
    ],
)
def test_a_kernel_that_is_deaf_while_a_cell_computes_is_named(
    installed: str, subshells: bool, words: str
) -> None:
    said = old_kernel(Kernel(subshells), installed)
    assert words in said if words else said == ""
    assert old_kernel() == ""  # no kernel at all: a script


def test_threads_take_turns_sooner_while_anybody_speaks() -> None:
    before = sys.getswitchinterval()
    with prompt_threads():
        with prompt_threads():
            pass
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
    with prompt_threads():
        sys.setswitchinterval(0.02)  # somebody else's wish
    assert sys.getswitchinterval() == pytest.approx(0.02)
    sys.setswitchinterval(before)


# ---------------------------------------------------------------- spoken turns


class Page:
    """A page with a microphone: what it says, and what it was told."""

    def __init__(self, chat: RealtimeChat) -> None:
        self.microphone: Microphone = chat._presenter._parts.microphone
        self.told: list[dict[str, Any]] = []
        self.send: Callable[..., None] = lambda content, buffers=(): self.told.append(content)
        self.microphone.send = self.send
        self._sender = chat._presenter._sender
        self._takes = 0
        self.say(t="hello", page="p")

    def say(self, *buffers: bytes, **message: Any) -> None:
        self.microphone._handle_custom_msg(message, list(buffers))

    def press(self, page: str = "p") -> str:
        self._takes += 1
        take = f"{page}-{self._takes}"
        self.say(t="take", take=take, page=page)
        return take

    def chunks(self, take: str, pcm: bytes, lose: tuple[int, ...] = ()) -> int:
        parts = list(chunks(pcm))
        for n, part in enumerate(parts):
            if n not in lose:
                self.say(memoryview(part), t="chunks", take=take, n=n, at=[0])
        return len(parts)

    def release(self, take: str, count: int, why: str = "released") -> None:
        self.say(t="over", take=take, count=count, why=why)

    def speak(self, pcm: bytes, why: str = "released", lose: tuple[int, ...] = ()) -> None:
        take = self.press()
        self.release(take, self.chunks(take, pcm, lose), why)

    def settled(self) -> list[str]:
        assert self._sender.drain(SOON)
        return [content["t"] for content in self.told]

    @property
    def note(self) -> str:
        self.settled()
        return str(self.microphone.note)


@pytest.fixture
def chat() -> Iterator[RealtimeChat]:
    chat = a_chat(rt.WaitForUser())
    yield chat
    chat.stop()
    assert not chat._presenter._sender.failures


def a_chat(opening: rt.openings.Opening, where: Any = "memory") -> RealtimeChat:
    lines = ["Please tell me about the dinosaurs."] * 9
    endpoint = rt.Simulated(latency="none", where=where, user_lines=lines)
    return RealtimeChat(opening=opening, endpoint=endpoint)


def wait_for(chat: RealtimeChat, type_: str, count: int = 1) -> list[Any]:
    """The first `count` rows of a type, once they are there."""

    async def there() -> list[Any]:
        assert chat.session is not None
        while len(rows := chat.log.where(type=type_)) < count:
            await asyncio.sleep(0.001)
        return list(rows)[:count]

    return loop.run(there(), SOON)


def types(chat: RealtimeChat, direction: str) -> list[str]:
    """The types of the rows, each run of one as one."""
    rows = [row.type for row in chat.log.where(direction=direction)]
    return [type_ for at, type_ in enumerate(rows) if at == 0 or rows[at - 1] != type_]


def start(chat: RealtimeChat) -> Page:
    page = Page(chat)
    chat.start()
    chat.wait(SOON)
    return page


def test_a_turn_that_is_held_is_appended_committed_and_answered(chat: RealtimeChat) -> None:
    page = start(chat)
    page.speak(WORDS)
    wait_for(chat, "response.done")
    assert types(chat, "client") == [
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "response.create",
    ]
    appended = chat.log.where(type="input_audio_buffer.append")
    assert b"".join(row.pcm for row in appended) == WORDS
    assert types(chat, "local") == ["microphone.started", "microphone.stopped"]
    wait_for(chat, "conversation.item.input_audio_transcription.completed")
    user, assistant = chat.conversation.items
    assert "dinosaurs" in user.text and assistant.text
    assert page.note == ""


def test_a_frame_put_together_by_hand_is_the_event(chat: RealtimeChat) -> None:
    page = start(chat)
    page.speak(WORDS)
    row = wait_for(chat, "input_audio_buffer.append")[0]
    assert set(row.event) == {"type", "audio"} and row.pcm == WORDS[: 40 * BYTES_PER_MS]


@pytest.mark.parametrize("ms", [0, 40, 160])
def test_a_press_that_is_too_short_says_so_and_asks_for_nothing(
    chat: RealtimeChat, ms: int
) -> None:
    page = start(chat)
    page.speak(WORDS[: ms * BYTES_PER_MS])
    while talking.TOO_SHORT not in page.note:
        pass
    assert not chat.log.where(type=("input_audio_buffer.commit", "response.create", "error"))
    assert bool(chat.log.where(type="input_audio_buffer.clear")) == bool(ms)
    page.speak(WORDS)
    wait_for(chat, "response.done")
    assert page.note == ""


def test_what_was_lost_on_the_way_is_counted_and_shown(chat: RealtimeChat) -> None:
    page = start(chat)
    page.speak(WORDS, lose=(2, 3))
    wait_for(chat, "response.done")
    page.settled()
    assert page.microphone.lost == 2
    appended = chat.log.where(type="input_audio_buffer.append")
    assert sum(len(row.pcm) for row in appended) == len(WORDS) - 80 * BYTES_PER_MS


@pytest.mark.parametrize("why", ["page left", "off", "closed"])
def test_a_take_that_nobody_ended_on_purpose_is_thrown_away(chat: RealtimeChat, why: str) -> None:
    page = start(chat)
    page.speak(WORDS, why=why)
    wait_for(chat, "input_audio_buffer.cleared")
    assert not chat.log.where(type="input_audio_buffer.commit")


def test_unplugged_in_the_middle_what_was_said_counts(chat: RealtimeChat) -> None:
    page = start(chat)
    page.speak(WORDS, why="unplugged")
    wait_for(chat, "response.done")


def test_a_page_that_vanishes_ends_the_take_after_a_while(
    chat: RealtimeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takes, "TICK_S", 0.01)
    page = start(chat)
    page.chunks(page.press(), WORDS)
    wait_for(chat, "microphone.stopped")
    wait_for(chat, "input_audio_buffer.cleared")
    assert page.note == talking.GONE_HELD
    monkeypatch.setattr(takes, "TICK_S", SOON)
    take = page.press()
    count = page.chunks(take, WORDS)
    while page.note:  # while one talks again it says nothing of the take before
        pass
    page.release(take, count)
    wait_for(chat, "input_audio_buffer.committed")


def test_of_two_pages_that_record_the_last_one_is_heard(chat: RealtimeChat) -> None:
    page = start(chat)
    first = page.press("one")
    page.chunks(first, SILENCE)
    wait_for(chat, "microphone.started")
    second = page.press("two")
    wait_for(chat, "microphone.stopped")
    page.chunks(first, WORDS)  # comes too late
    page.release(first, 99)
    page.release(second, page.chunks(second, WORDS))
    wait_for(chat, "response.done")
    page.settled()
    assert {"t": "stop", "page": "one", "take": first} in page.told
    [item] = [item for item in chat.conversation.items if item.role == "user"]
    rows = chat.log.where(type="input_audio_buffer.append")
    assert sum(len(row.pcm) for row in rows) == len(SILENCE) + len(WORDS)


def test_without_a_session_the_page_is_told_to_let_go(chat: RealtimeChat) -> None:
    page = Page(chat)
    page.press()
    while talking.NO_SESSION not in page.note:
        pass
    assert "stop" in page.settled()


def test_stop_in_the_middle_of_speaking_ends_everything_cleanly(chat: RealtimeChat) -> None:
    page = start(chat)
    take = page.press()
    page.chunks(take, WORDS)
    wait_for(chat, "microphone.started")
    chat.stop()
    wait_for(chat, "microphone.stopped")
    assert "close" in page.settled() and not page.microphone.ready
    page.chunks(take, WORDS)
    chat.start()
    chat.wait(SOON)
    page.speak(WORDS)
    wait_for(chat, "response.done")
    assert len(chat.sessions[0].log.where(type="response.done")) == 0


def test_talk_and_mute_are_the_buttons(chat: RealtimeChat) -> None:
    chat.talk()
    assert talking.NO_SESSION in [line.text for line in chat._presenter._transcript.lines()]
    chat.start()
    chat.wait(SOON)
    chat.talk()
    assert talking.NO_PAGE in [line.text for line in chat._presenter._transcript.lines()]
    page = Page(chat)
    chat.talk()
    chat.mute()
    assert page.settled()[-2:] == ["talk", "mute"]
    assert page.told[-1]["page"] == "p"


# ---------------------------------------------------------------- hands-free and barging in


def choose(chat: RealtimeChat, page: Page, **settings: Any) -> None:
    before = len(chat.log.where(type="session.updated"))
    page.say(t="set", settings=settings)
    wait_for(chat, "session.updated", before + 1)


def test_hands_free_the_server_decides_and_nothing_is_committed_here(chat: RealtimeChat) -> None:
    page = start(chat)
    choose(chat, page, turns="server_vad", threshold=0.4, silence_ms=300)
    take = page.press()
    page.chunks(take, SILENCE + WORDS + SILENCE)
    wait_for(chat, "response.done")
    assert not chat.log.where(type=("input_audio_buffer.commit", "response.create"))
    detection = chat.conversation.session["audio"]["input"]["turn_detection"]
    assert (detection["threshold"], detection["silence_duration_ms"]) == (0.4, 300)
    page.settled()
    assert page.microphone.settings["turns"] == "server_vad"


def test_muted_in_the_middle_of_a_word_it_is_answered_all_the_same(chat: RealtimeChat) -> None:
    page = start(chat)
    choose(chat, page, turns="server_vad")
    page.speak(SILENCE + WORDS, why="released")
    wait_for(chat, "response.done")
    assert len(chat.log.where(type="input_audio_buffer.commit")) == 1


def be_heard(chat: RealtimeChat, page: Page, ms: int) -> None:
    """Be a page whose speaker has played `ms` of every item when it is told to be silent."""
    speaker, stats = chat._presenter._speaker, {"played": 0, "nonzero": 0, "underruns": 0}

    def send(content: dict[str, Any], buffers: Any = ()) -> None:
        if content["t"] == "flush":
            heard = {item.id: ms for item in chat.conversation.items if item.audio_ms}
            speaker.page_flushed({"id": content["id"], "heard": heard, "stats": stats}, [])

    speaker.send = send
    speaker.page_hello({"page": "one"}, [])
    speaker.page_speaker({"kind": "worklet", "rate": 24_000, "state": "suspended"}, [])
    page.settled()


@pytest.mark.parametrize(("ms", "told"), [(700, "truncate"), (0, "delete")])
def test_speech_silences_the_assistant_and_takes_back_what_nobody_heard(ms: int, told: str) -> None:
    chat = a_chat(rt.SpokenGreeting("Welcome to the museum! Shall I show you the fossils?"))
    page = start(chat)
    [greeting] = chat.conversation.items
    be_heard(chat, page, ms)
    choose(chat, page, turns="server_vad")
    page.chunks(page.press(), SILENCE + WORDS + SILENCE)
    wait_for(chat, "input_audio_buffer.speech_started")
    [row] = wait_for(chat, f"conversation.item.{told}")
    assert row.item_id == greeting.id
    wait_for(chat, "response.done", 2)
    assert not chat.log.where(type=("error", "response.cancel"))  # the server cancels by itself
    [flushed] = chat.log.where(type="playback.flushed")
    assert flushed.event == {"type": "playback.flushed", "item_id": greeting.id, "ms": ms}
    line = chat._presenter._transcript.lines()[0]
    assert "Welcome" in line.text and line.state == "cut" and "grey" in line.more
    assert 0 <= line.heard < len(line.text) and (line.heard > 0) == (ms > 0)
    chat.stop()


def test_a_press_interrupts_what_the_assistant_says(chat: RealtimeChat) -> None:
    page = start(chat)
    page.speak(WORDS)
    wait_for(chat, "response.done")
    answer = chat.conversation.items[1]
    be_heard(chat, page, 300)
    page.speak(WORDS)
    wait_for(chat, "response.done", 2)
    [truncate] = chat.log.where(type="conversation.item.truncate")
    assert (truncate.item_id, truncate.event["audio_end_ms"]) == (answer.id, 300)
    assert not chat.log.where(type="error")


def test_where_speech_is_not_to_interrupt_it_does_not() -> None:
    chat = a_chat(rt.SpokenGreeting("Welcome to the museum!"))
    page = start(chat)
    be_heard(chat, page, 100)
    assert chat.session is not None
    detection = {"type": "server_vad", "interrupt_response": False}
    fields = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
    chat.session.send({"type": "session.update", "session": fields})
    chat.session.wait_for("session.updated")  # what was not stated yet cannot be kept
    choose(chat, page, turns="server_vad", threshold=0.45)
    page.chunks(page.press(), SILENCE + WORDS + SILENCE)
    wait_for(chat, "response.done", 2)
    assert not chat.log.where(type=("playback.flushed", "conversation.item.truncate"))
    chat.stop()


def test_a_protected_greeting_is_not_spoken_over() -> None:
    # In a thread: on the virtual clock of "memory" nobody waits for a page that plays.
    chat = a_chat(rt.SpokenGreeting("Welcome to the museum!", protect=True), "thread")
    page = Page(chat)
    chat._presenter._speaker.page_hello({"page": "one"}, [])
    chat._presenter._speaker.page_speaker(
        {"kind": "worklet", "rate": 24_000, "state": "running"}, []
    )
    chat.start()
    wait_for(chat, "response.done")
    page.speak(WORDS)
    while talking.PROTECTED not in page.note:
        pass
    assert not chat.log.where(type="input_audio_buffer.append")
    [greeting] = chat.conversation.items
    stats = {"played": 0, "nonzero": 0, "underruns": 0}
    heard = {"item_id": greeting.id, "ms": greeting.audio_ms, "done": True, "stats": stats}
    before = len(chat.log.where(type="session.updated"))
    chat._presenter._speaker.page_heard(heard, [])
    wait_for(chat, "opening.ended")
    wait_for(chat, "session.updated", before + 1)  # turn detection is on again
    page.speak(WORDS)
    wait_for(chat, "response.done", 2)
    assert not chat.log.where(type=("error", "input_audio_buffer.speech_started"))
    chat.stop()


def test_turn_detection_that_comes_on_while_one_speaks_is_switched_off_again(
    chat: RealtimeChat,
) -> None:
    page = start(chat)
    take = page.press()
    assert chat.session is not None
    wait_for(chat, "microphone.started")
    fields = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
    for _ in range(9):  # a server that insists is not fought for ever
        chat.session.send({"type": "session.update", "session": fields})
        chat.session.wait_for("session.updated", SOON)
    chat.session.settled(SOON)
    page.release(take, page.chunks(take, WORDS))
    wait_for(chat, "microphone.stopped")
    off = {"input": {"turn_detection": None}}
    updates = [row.event["session"].get("audio") for row in chat.log.where(type="session.update")]
    assert 2 <= updates.count(off) <= 1 + talking.CORRECTIONS


# ---------------------------------------------------------------- settings while talking


def test_a_refused_voice_is_explained_beside_the_button_and_taken_back(chat: RealtimeChat) -> None:
    page = start(chat)
    page.speak(WORDS)
    wait_for(chat, "response.done")
    page.say(t="set", settings={"voice": "cedar"})
    wait_for(chat, "error")
    while "voice" not in page.note:
        pass
    assert "Choose the voice before the first word" in page.note
    assert (
        page.microphone.settings["voice"] == "" and chat._presenter._talking.settings.voice is None
    )
    page.speak(WORDS)
    wait_for(chat, "response.done", 2)
    assert len(chat.log.where(type="error")) == 1


def test_a_voice_before_the_first_word_and_a_speed_are_taken(chat: RealtimeChat) -> None:
    page = start(chat)
    choose(chat, page, voice="cedar")
    choose(chat, page, speed=1.25, noise_reduction="near_field")

    def taken() -> bool:  # in how many updates depends on when the first one is confirmed
        audio = chat.conversation.session["audio"]
        voice, speed = audio["output"]["voice"], audio["output"]["speed"]
        noise = audio["input"]["noise_reduction"]
        return (voice, speed, noise) == ("cedar", 1.25, {"type": "near_field"})

    assert chat.session is not None
    loop.run(chat.session.asynchronous._until(taken, SOON, "the settings"), SOON + 1)
    assert not chat.log.where(type="error")


def test_what_cannot_be_chosen_is_told_and_changes_nothing(chat: RealtimeChat) -> None:
    with pytest.raises(rt.Misuse, match="speed"):
        chat._presenter._talking.choose({"speed": 99})
    assert chat._presenter._talking.settings == TurnSettings()


def test_what_a_person_heard_is_logged_with_its_beginning(chat: RealtimeChat) -> None:
    page = start(chat)
    page.speak(WORDS)
    wait_for(chat, "response.done")
    [_, answer] = chat.conversation.items
    for ms, done in ((100, False), (900, True)):
        stats = {"played": 0, "nonzero": 0, "underruns": 0}
        chat._presenter._speaker.page_heard(
            {"item_id": answer.id, "ms": ms, "done": done, "stats": stats}, []
        )
    wait_for(chat, "playback.heard", 2)
    told = [row.event for row in chat.log.where(type="playback.*")]
    assert [one["type"].partition(".")[2] for one in told] == ["started", "heard", "heard"]
    assert told[-1] == {"type": "playback.heard", "item_id": answer.id, "ms": 900, "done": True}
