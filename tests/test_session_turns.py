"""Turns of a session: one at a time, spoken ones, interrupted ones, and when they came."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import numpy as np
import pytest
from scripted import Scripted, greet, simulated, types

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.dialects import turn_detection_of
from rtwidgets.events import session_update
from rtwidgets.transport import MemoryTransport


def test_two_requests_at_once_are_answered_one_after_the_other() -> None:
    async def both() -> list[str]:
        async with rt.AsyncSession(simulated("typical")) as s:
            await s.say("My name is Kim.")
            await s.say("What is my name?")
            await s.settled()
            return types(s.log)

    order = asyncio.run(both())
    assert order.count("response.done") == 2
    assert order.index("response.done") < len(order) - order[::-1].index("response.create") - 1


def test_interrupting_cancels_and_truncates_what_was_not_heard() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated("typical"), instructions="Say: " + "word " * 40) as s:
            await s.say("Tell me everything.")
            await s.wait_for("response.output_audio.delta")
            await s.interrupt(heard_ms=100)
            await s.wait_for("conversation.item.truncated")
            await s.settled()
            return s

    s = asyncio.run(scene())
    [response] = s.conversation.responses.values()
    assert response.status == "cancelled"
    assert s.conversation.items[-1].truncated_ms == 100


def test_what_a_session_will_be_counts_what_is_not_confirmed_yet() -> None:
    def turns(detection: Any) -> dict[str, Any]:
        return session_update(audio={"input": {"turn_detection": detection}})

    async def scene() -> None:
        async with rt.AsyncSession(simulated("typical")) as s:
            await s.send(turns(None))
            confirmed = turn_detection_of(s.conversation.session)
            assert confirmed is not None and turn_detection_of(await s.expected()) is None
            await s.send(turns({"type": "semantic_vad"}))
            await s.send({"type": "session.update", "session": {"type": "realtime", "bogus": 1}})
            later = turn_detection_of(await s.expected())
            assert isinstance(later, dict) and later["type"] == "semantic_vad"
            await s.wait_for("error")  # what was refused is not counted on
            assert "bogus" not in await s.expected()
            assert await s.expected() == s.conversation.session

    asyncio.run(scene())


def test_hearing_with_turn_detection_off_commits_the_turn() -> None:
    class Manual(rt.WaitForUser):
        def session(self) -> dict[str, Any]:
            return {"audio": {"input": {"turn_detection": None}}}

    with rt.Session(simulated(), Manual()) as s:
        reply = s.hear(np.zeros(audio.RATE // 2))
        assert reply is not None and reply.status == "completed"
    sent = types(s.log, "client")
    assert sent.count("input_audio_buffer.append") == 13  # 500 ms in pieces of 40
    assert sent[-2:] == ["input_audio_buffer.commit", "response.create"]


def test_hearing_speech_is_answered_by_the_detected_turn() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        assert s.opening_reply is not None
        reply = s.hear(s.opening_reply.audio)
        assert reply is not None and reply.text
    heard = types(s.log, "server")
    assert heard.index("input_audio_buffer.speech_started") < heard.index(
        "input_audio_buffer.committed"
    )


def test_hearing_silence_brings_no_reply() -> None:
    with rt.Session(simulated("typical")) as s:
        assert s.hear(np.zeros(audio.RATE)) is None


def test_stereo_is_refused_before_anything_is_sent() -> None:
    with rt.Session(simulated()) as s:
        before = len(s.log)
        with pytest.raises(rt.Misuse, match="mono"):
            s.hear(np.zeros((2, 4800)))
        assert len(s.log) == before


def test_an_interrupted_wait_leaves_the_turn_free() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        with contextlib.suppress(rt.ConnectionLost):  # the session is over
            for number in range(9):
                if json.loads(await line.recv())["type"] == "response.create" and number > 2:
                    done = {"id": "r2", "status": "completed", "conversation_id": "c", "output": []}
                    await line.send(json.dumps({"type": "response.done", "response": done}))

    with rt.Session(Scripted(serve)) as s:
        with pytest.raises(rt.TimedOut):
            s.ask("nobody answers this", timeout=0.05)
        assert s.ask("but this").response_id == "r2"


def test_interrupting_before_the_reply_began_cancels_it() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated("typical")) as s:
            await s.say("Tell me everything.")
            waiting = asyncio.ensure_future(s.ask("And more."))
            await asyncio.sleep(0)
            await s.interrupt()
            assert "Interrupted" in (await waiting).error
            await s.settled()
            return s

    s = asyncio.run(scene())
    assert [response.status for response in s.conversation.responses.values()] == ["cancelled"]


def test_interrupting_a_silent_new_reply_leaves_the_old_one_whole() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated("typical"), rt.ModelGreeting()) as s:
            await s.say("Go on.")
            await s.wait_for("response.created")
            await s.interrupt(heard_ms=0)
            await s.settled()
            return s

    s = asyncio.run(scene())
    assert "conversation.item.truncate" not in types(s.log)
    assert s.conversation.items[0].text


def test_speech_with_a_pause_is_answered_as_a_whole() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        assert s.opening_reply is not None
        speech = s.opening_reply.audio
        reply = s.hear(np.concatenate([speech, np.zeros(audio.RATE, dtype=np.int16), speech]))
        assert reply is not None and reply.status == "completed"
    heard = s.log.where(type="input_audio_buffer.*")
    assert len(heard.where(type="*.speech_started")) == len(heard.where(type="*.committed"))
    assert reply.response_id == list(s.conversation.responses)[-1]


def test_times_are_counted_from_the_replys_own_request() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()
        await line.recv()
        await line.recv()  # the request beside the conversation, sent later
        response = {"id": "r1", "status": "in_progress", "conversation_id": "c", "output": []}
        await line.send(json.dumps({"type": "response.created", "response": response}))
        done = {**response, "status": "completed"}
        await line.send(json.dumps({"type": "response.done", "response": done}))

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Scripted(serve)) as s:
            await s.say("hello")
            await s.send({"type": "response.create", "response": {"conversation": "none"}})
            await s.wait_for("response.done")
            return s

    s = asyncio.run(scene())
    [asked, _] = s.log.where(type="response.create")
    [created] = s.log.where(type="response.created")
    assert s.reply("r1").timing.created == created.t - asked.t
