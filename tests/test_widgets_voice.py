"""The speaker's Python side: what goes to the page, and what it says was heard."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import numpy as np
import pytest
from scripted import Scripted, greet

import rtwidgets as rt
from rtwidgets import EventLog
from rtwidgets.audio import encode, pcm_from_samples
from rtwidgets.errors import ConnectionLost
from rtwidgets.openings import WORDS
from rtwidgets.transport import MemoryTransport
from rtwidgets.widgets import interruption
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.interruption import barge_in, interrupt
from rtwidgets.widgets.voice import Speaker, bundles

SOON = 10.0
SECOND = bytes(48_000)
STATS = {"played": 10, "nonzero": 7, "underruns": 0}


class Recorded(Speaker):
    """A speaker whose messages are kept instead of sent."""

    def __init__(self, on_heard: Any = None) -> None:
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        super().__init__(on_heard, sender=Sender(interval=0.001))

    def send(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.sent.append((content, [bytes(one) for one in buffers or ()]))

    def settled(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        assert self._sender.drain(SOON)
        assert not self._sender.failures
        return [one for one in self.sent if one[0]["t"] != "welcome"]

    def page(self, **message: Any) -> None:
        """Say something as a page does."""
        self._handle_custom_msg(message, [])

    def hear(self, item_id: str, ms: int, done: bool = False) -> None:
        self.page(t="heard", item_id=item_id, ms=ms, done=done, stats=STATS)


def spoken(item_id: str, pcm: bytes = SECOND) -> list[dict[str, Any]]:
    delta = {"type": "response.output_audio.delta", "item_id": item_id, "delta": encode(pcm)}
    return [delta, {"type": "response.output_audio.done", "item_id": item_id}]


def feed(speaker: Speaker, *events: dict[str, Any]) -> EventLog:
    log = EventLog()
    for event in events:
        speaker.take(log.append("server", event, t=0.0))
    return log


def kinds(messages: list[tuple[dict[str, Any], list[bytes]]]) -> list[tuple[str, str]]:
    return [(content["t"], content.get("item_id", "")) for content, _ in messages]


def test_neighbours_of_an_item_go_together_up_to_a_limit() -> None:
    log = EventLog()
    for item, size in (("a", 4), ("a", 4), ("a", 4), ("b", 4), ("a", 4)):
        log.append("server", spoken(item, bytes(size))[0], t=0.0)
    joined = [(item, len(pcm)) for item, pcm in bundles(list(log), longest=8)]
    assert joined == [("a", 8), ("a", 4), ("b", 4), ("a", 4)]
    assert list(bundles([])) == []


def test_audio_waits_for_a_page_and_comes_as_bytes() -> None:
    speaker = Recorded()
    feed(speaker, *spoken("a"), *spoken("b", b"\x01\x02"))
    assert speaker.settled() == []
    speaker.page(t="hello", page="one")
    assert kinds(speaker.settled()) == [("audio", "a"), ("end", "a"), ("audio", "b"), ("end", "b")]
    assert [buffers for _, buffers in speaker.settled()] == [[SECOND], [], [b"\x01\x02"], []]


def test_other_events_are_no_sound() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    feed(speaker, {"type": "response.done"}, {"type": "response.output_audio.delta", "delta": ""})
    assert speaker.settled() == []


def test_what_was_heard_is_passed_on() -> None:
    heard: list[tuple[str, int, bool]] = []
    speaker = Recorded(lambda *one: heard.append(one))
    speaker.page(t="hello", page="one")
    feed(speaker, *spoken("a"))
    speaker.settled()
    assert speaker.to_come == 1000
    speaker.hear("a", 400)
    assert (speaker.to_come, speaker.stats) == (600, STATS)
    speaker.hear("a", 1000, done=True)
    assert (speaker.to_come, speaker.heard) == (0, {"a": 1000})
    assert heard == [("a", 400, False), ("a", 1000, True)]


def test_silence_waits_for_the_page_and_nothing_more_of_the_item_is_played() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    feed(speaker, spoken("a")[0])
    speaker.settled()

    async def interrupt() -> dict[str, int]:
        silenced = asyncio.ensure_future(speaker.silence({"a"}, timeout=SOON))
        while not speaker._acks:
            await asyncio.sleep(0)
        await asyncio.to_thread(speaker.settled)
        await asyncio.to_thread(speaker.page, t="flushed", id=1, heard={"a": 320}, stats=STATS)
        return await silenced

    assert asyncio.run(interrupt()) == {"a": 320}
    speaker.sent.clear()
    feed(speaker, *spoken("a"), *spoken("b"))
    assert kinds(speaker.settled()) == [("audio", "b"), ("end", "b")]


def test_what_could_not_be_sent_to_the_page_counts_as_not_heard() -> None:
    class Failing(Recorded):
        def send(self, content: dict[str, Any], buffers: Any = None) -> None:
            if content["t"] == "audio":
                raise OSError("The page is gone.")
            super().send(content, buffers)

    speaker = Failing()
    feed(speaker, spoken("a")[0], spoken("b")[0])
    speaker.page(t="hello", page="one")
    assert speaker._sender.drain(SOON)
    assert speaker._sender.failures
    assert asyncio.run(speaker.silence({"a", "b"}, timeout=0.01)) == {"a": 0, "b": 0}


class Interrupted(Recorded):
    """A speaker that falls silent, all of it, while its first piece of sound is being sent."""

    def __init__(self, *ids: str) -> None:
        super().__init__()
        self._ids: set[str] = set(ids)
        self.unheard: dict[str, int] = {}

    def send(self, content: dict[str, Any], buffers: Any = None) -> None:
        super().send(content, buffers)
        ids, self._ids = self._ids, set()
        if content["t"] == "audio" and ids:  # on another thread, as a session's loop is
            silence = threading.Thread(target=lambda: asyncio.run(self.fall_silent(ids)))
            silence.start()
            silence.join(SOON)
        else:
            self._ids = ids

    async def fall_silent(self, ids: set[str]) -> None:
        self.unheard = await self.silence(ids, timeout=0.001)


@pytest.mark.parametrize("ids", [("a", "b"), ("resp",)])
def test_what_is_silenced_while_it_leaves_is_neither_sent_nor_counted(ids: tuple[str, ...]) -> None:
    speaker = Interrupted(*ids)
    events = [*spoken("a", SECOND * 5), *spoken("b")]
    feed(speaker, *({**event, "response_id": "resp"} for event in events))
    speaker.page(t="hello", page="one")
    assert speaker._sender.drain(SOON)
    sent = [name for name in kinds(speaker.settled()) if name[0] != "push"]
    assert sent == [("audio", "a"), ("flush", "")]
    assert (speaker.to_come, speaker.waiting) == (0, 0)
    assert speaker.unheard == {"a": 0, "b": 0}


def test_what_is_not_silenced_comes_behind_the_word_to_be_silent() -> None:
    """What a page gets before that, it does not play."""
    speaker = Interrupted("a")
    feed(speaker, *spoken("a"), *spoken("b"))
    speaker.page(t="hello", page="one")
    assert speaker._sender.drain(SOON) and speaker._sender.drain(SOON)
    sent = [name for name in kinds(speaker.settled()) if name[0] != "push"]
    assert sent == [("audio", "a"), ("flush", ""), ("audio", "b"), ("end", "b")]
    assert (speaker.to_come, speaker.waiting) == (1000, 0)


def test_what_comes_late_of_a_silenced_response_is_not_played_whatever_its_item() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    asyncio.run(speaker.silence({"resp_1"}, timeout=0.01))
    speaker.settled()
    speaker.sent.clear()
    for response, item in (("resp_1", "late"), ("resp_2", "next")):
        feed(speaker, *({**event, "response_id": response} for event in spoken(item)))
    assert kinds(speaker.settled()) == [("audio", "next"), ("end", "next")]


def test_the_beta_s_names_sound_too_and_base64_that_is_written_otherwise() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    delta, done = spoken("a")
    feed(
        speaker, {**delta, "type": "response.audio.delta"}, {**done, "type": "response.audio.done"}
    )
    log = EventLog()
    odd = '{"type":"response.output_audio.delta","item_id":"b","delta":"\\/\\/8="}'
    speaker.take(log.append("server", odd, t=0.0))
    assert kinds(speaker.settled()) == [("audio", "a"), ("end", "a"), ("audio", "b")]
    assert speaker.settled()[-1][1] == [b"\xff\xff"]
    assert log[0].raw == odd


def test_an_item_whose_id_is_half_a_character_is_heard_to_its_end() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    feed(speaker, *spoken("\ud83d"))
    speaker.settled()
    speaker.hear("\ufffd", 1000, done=True)
    assert speaker.to_come == 0


def test_silence_without_a_page_is_at_once_what_is_known() -> None:
    assert asyncio.run(Recorded().silence({"a"}, timeout=SOON)) == {}


def test_silence_does_not_wait_for_a_page_that_never_answers() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    assert asyncio.run(speaker.silence({"a"}, timeout=0.01)) == {}


def test_playing_out_is_waited_for_only_where_a_page_plays() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    feed(speaker, *spoken("a"))
    asyncio.run(speaker.played_out())  # no word of a player yet: not waited for

    async def listen() -> int:
        speaker.page(t="speaker", kind="worklet", rate=24000, state="running")
        end = asyncio.ensure_future(speaker.played_out())
        while not speaker._waiting:
            await asyncio.sleep(0)
        await asyncio.to_thread(speaker.hear, "a", 1000, True)
        await end
        return speaker.to_come

    assert asyncio.run(listen()) == 0


def test_every_page_is_told_which_one_plays_the_one_that_asked_last() -> None:
    speaker = Recorded()
    for page in ("one", "another", "one"):
        speaker.page(t="hello", page=page)
        assert speaker._sender.drain(SOON)
        assert speaker.sent[-1][0] == {"t": "welcome", "page": page}


def test_a_page_that_plays_and_shows_the_chat_no_more_gives_the_sound_to_another() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    speaker.page(t="left", page="another")  # it does not play
    speaker.page(t="left", page="one")
    speaker.page(t="hello", page="another")
    assert speaker._sender.drain(SOON)
    told = [content for content, _ in speaker.sent]
    assert told == [
        {"t": "welcome", "page": "one"},
        {"t": "free", "page": "one"},
        {"t": "welcome", "page": "another"},
    ]


def test_what_a_reloaded_page_had_not_played_is_not_waited_for() -> None:
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    feed(speaker, *spoken("a"))
    speaker.settled()
    speaker.page(t="hello", page="one")
    assert speaker.to_come == 1000  # the same page, which said it twice
    speaker.page(t="hello", page="another")
    assert speaker.to_come == 0


def test_a_sound_of_this_side_is_played_as_often_as_it_is_asked_for() -> None:
    """A recorded greeting has the same item id in every session, and a page counts by name."""
    told: list[tuple[str, int, bool]] = []
    speaker = Recorded(lambda *heard: told.append(heard))
    speaker.page(t="hello", page="one")
    pages = []
    for _ in range(2):
        speaker.sent.clear()
        speaker.play("opening_words", SECOND + b"\x01\x02" * 24_001)
        sent = speaker.settled()
        assert [content["t"] for content, _ in sent] == ["audio", "audio", "end"]
        assert b"".join(*[pcm for _, pcm in sent[:1]]) == (SECOND + b"\x01\x02" * 24_000)
        [name] = {content["item_id"] for content, _ in sent}
        pages.append(name)
        speaker.hear(name, 2000, True)
    assert pages[0] != pages[1]
    assert told == [("opening_words", 2000, True)] * 2


def test_a_recorded_greeting_that_is_interrupted_is_remembered_as_far_as_it_was_heard() -> None:
    words = "one two three four five six seven eight nine ten"
    opening = rt.RecordedGreeting(np.zeros(2 * 24_000), words)
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    speaker.page(t="speaker", kind="worklet", rate=24000, state="running")

    async def scene() -> list[str]:
        async with rt.AsyncSession(rt.Simulated("none", where="memory"), opening) as s:
            await s.wait_for("conversation.item.done")
            speaker.play(WORDS, pcm_from_samples(s.opening.audio))
            name = await asyncio.to_thread(lambda: speaker.settled()[-1][0]["item_id"])
            cutting = asyncio.ensure_future(interrupt(s, speaker))
            while not speaker._acks:
                await asyncio.sleep(0)
            flushed = {"t": "flushed", "id": 1, "heard": {name: 900}, "stats": STATS}
            await asyncio.to_thread(lambda: speaker.page(**flushed))
            await cutting
            while [one.text for one in s.conversation.items] != ["one two three four"]:
                await s.wait_for("conversation.item.added")
            await s.ask("Hello")
            assert s.conversation.errors == []  # nothing was truncated that cannot be
            return [row.type for row in s.log.where(direction="local")]

    assert asyncio.run(scene()).count("playback.flushed") == 1


async def talks_on(line: MemoryTransport) -> None:
    """A server in the middle of a reply, which cancels nothing by itself."""
    await greet(line)
    made = {"response_id": "r", "output_index": 0}
    item = {"id": "a", "type": "message", "role": "assistant", "content": []}
    for event in (
        {"type": "response.created", "response": {"id": "r", "status": "in_progress"}},
        {"type": "response.output_item.added", **made, "item": item},
        {**spoken("a")[0], **made},
    ):
        await line.send(json.dumps(event))
    try:
        while True:
            await line.recv()
    except ConnectionLost:
        pass


def test_a_page_that_is_slow_keeps_no_server_from_being_told_to_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And what it says at last is what is remembered, not what it had said before."""
    monkeypatch.setattr(interruption, "SERVER_S", 0.001)
    speaker = Recorded()
    speaker.page(t="hello", page="one")
    speaker.page(t="speaker", kind="worklet", rate=24000, state="running")

    async def scene() -> list[Any]:
        async with rt.AsyncSession(Scripted(talks_on), rt.WaitForUser()) as s:
            s.subscribe(speaker.take)
            speaker.take(await s.wait_for("response.output_audio.delta"))
            await asyncio.to_thread(speaker.settled)
            speaker.hear("a", 100)
            cutting = asyncio.ensure_future(barge_in(s, speaker))
            await s.wait_for("response.cancel")
            assert not s.log.where(type="conversation.item.truncate")
            flushed = {"t": "flushed", "id": 1, "heard": {"a": 700}, "stats": STATS}
            await asyncio.to_thread(lambda: speaker.page(**flushed))
            await cutting
            return [row.event for row in s.log.where(type="conversation.item.truncate")]

    [truncated] = asyncio.run(scene())
    assert (truncated["item_id"], truncated["audio_end_ms"]) == ("a", 700)
