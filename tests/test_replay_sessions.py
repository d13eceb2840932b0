"""Recorded sessions as servers: of sessions with every opening, and of the chat."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replaying import AT_ONCE, all_of, one_turn, play, raws, state, visit

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.conversation import Conversation
from rtwidgets.events import item_create, response_create, user_text
from rtwidgets.transport import Transport, VirtualClock

RECORDINGS = [
    "azure_azure_text_in_audio_out_turn",
    "openai_openai_audio_in_server_vad_turn",
    "openai_openai_message_history_seeding",
    "openai_openai_text_in_audio_out_turn",
    "openai_openai_tool_call_round",
    "openai_parity_text_tool_round_parity_openai_current",
]
OPENINGS = [
    rt.WaitForUser(),
    rt.ScriptedGreeting("Welcome to the museum!"),
    rt.SpokenGreeting("Welcome to the museum!"),
    rt.GeneratedGreeting("Greet the visitor."),
    rt.ModelGreeting(),
    rt.SeededGreeting("Begin."),
    rt.OutOfBandGreeting("Greet the visitor."),
    rt.ContextGreeting([user_text("I am Kim.")]),
    rt.GeneratedGreeting("Greet the visitor.", protect=True),
    rt.SeededGreeting("Begin.", delete=True),
    rt.RecordedGreeting(np.zeros(audio.RATE // 10, dtype=np.int16), "Hello!"),
    rt.IdleGreeting(5000),
]


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest, shared: Path) -> Path:
    return shared / "streams" / f"{request.param}.jsonl"


def test_a_recording_is_played_byte_for_byte_to_its_own_client(recording: Path) -> None:
    log = rt.EventLog.from_jsonl(recording)

    async def scene(line: Transport) -> Any:
        for row in log.where(direction="client"):
            await line.send(row.raw)
        return await all_of(line)

    frames, lost = play(recording, scene)
    assert frames == raws(log)
    assert lost.code == 1000 and "recording ends here" in lost.reason


def test_the_same_log_gives_the_same_state(recording: Path) -> None:
    """Fed to a conversation directly, and played through a session that did the same."""
    log = rt.EventLog.from_jsonl(recording)
    direct = Conversation.of(log)

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(rt.Replay(recording, clock=VirtualClock())) as s:
            for row in log.where(direction="client")[1:]:  # the session sends its own update
                await s.send(row.raw)
            await s.wait_for("line.lost")
            return s

    s = asyncio.run(scene())
    assert raws(s.log) == raws(log)
    assert state(s.conversation) == state(direct) == state(Conversation.of(s.log))
    assert s.conversation.responses and s.conversation.usage


def test_a_person_asks_what_was_asked_then(shared: Path) -> None:
    path = shared / "streams" / "openai_openai_text_in_audio_out_turn.jsonl"
    with rt.Session(rt.Replay(path)) as s:
        reply = s.ask("something else, and in other words")
        assert (reply.status, reply.text) == ("completed", "Hi there!")
        assert s.label == "Replay of openai_openai_text_in_audio_out_turn.jsonl"
        assert s.model == "gpt-realtime" and not s.simulated
        s.wait_for("line.lost")
        with pytest.raises(rt.ConnectionLost, match="recording ends here"):
            s.ask("more?")


def test_speech_is_answered_by_the_turn_that_was_recorded(shared: Path) -> None:
    path = shared / "streams" / "openai_openai_audio_in_server_vad_turn.jsonl"

    async def scene() -> rt.Reply | None:
        async with rt.AsyncSession(rt.Replay(path, clock=VirtualClock())) as s:
            return await s.hear(np.zeros(audio.RATE // 2))

    reply = asyncio.run(scene())
    assert reply is not None and "Marcelo" in reply.text


def test_a_tools_output_may_come_when_the_response_is_over(shared: Path) -> None:
    """The recorded client sent it in the middle of the response."""
    path = shared / "streams" / "openai_openai_tool_call_round.jsonl"
    output = {"type": "function_call_output", "output": "22 °C"}
    with rt.Session(rt.Replay(path)) as s:
        call = s.ask("What is the weather?")
        assert call.status == "completed"
        [asked] = [item for item in s.conversation.items if item.type == "function_call"]
        s.send(item_create({**output, "call_id": asked.call_id}))
        s.send(response_create())
        s.wait_for("response.done")
    assert len(s.conversation.responses) == 2
    assert list(s.conversation.responses.values())[-1].text


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize(
    "opening",
    [
        rt.WaitForUser(),
        rt.ScriptedGreeting("Welcome!"),
        rt.SpokenGreeting("Welcome!"),
        rt.GeneratedGreeting("Greet."),
        rt.ModelGreeting(),
        rt.SeededGreeting("Hello."),
    ],
    ids=lambda opening: type(opening).__name__,
)
def test_every_opening_meets_every_recording_without_hanging(
    name: str, opening: rt.Opening, shared: Path
) -> None:
    """Most of these recordings have no answer to it: then that is said, and the session stands."""
    path = shared / "streams" / f"{name}.jsonl"

    async def scene() -> rt.AsyncSession:
        replay = rt.Replay(path, clock=VirtualClock())
        async with rt.AsyncSession(replay, opening) as s:
            return s

    s = asyncio.run(scene())
    said = [error["code"] for error in s.conversation.errors]
    assert set(said) <= {"replay_has_no_answer"}
    then = [row.type for row in rt.EventLog.from_jsonl(path).where(direction="server")]
    ours = [row.type for row in s.log.where(direction="server") if row.type != "error"]
    assert ours == then[: len(ours)]


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda opening: type(opening).__name__)
def test_a_session_with_any_opening_replays_to_the_same_state(
    opening: rt.Opening, tmp_path: Path
) -> None:
    first = asyncio.run(visit(rt.Simulated(where="memory"), opening))
    path = tmp_path / "visit.jsonl"
    first.log.to_jsonl(path)
    again = asyncio.run(visit(rt.Replay(path, clock=VirtualClock()), opening))
    assert raws(again.log) == raws(first.log)
    assert state(again.conversation) == state(first.conversation)
    assert state(Conversation.of(rt.EventLog.from_jsonl(path))) == state(first.conversation)
    assert again.simulated and again.label == "Replay of visit.jsonl (simulator)"
    assert again.log.endpoint == "Replay of visit.jsonl"


def test_spoken_turns_replay_with_the_same_samples_in_other_pieces() -> None:
    async def speak(endpoint: rt.Endpoint, pieces: int) -> rt.AsyncSession:
        async with rt.AsyncSession(endpoint, rt.ModelGreeting()) as s:
            assert s.opening_reply is not None
            speech = s.opening_reply.audio
            for _ in range(2):
                for piece in np.array_split(speech, pieces)[:-1]:
                    await s.hear(piece, reply=False)
                reply = await s.hear(np.array_split(speech, pieces)[-1])
                assert reply is not None and reply.status == "completed"
            return s

    first = asyncio.run(speak(rt.Simulated(where="memory"), 1))
    again = asyncio.run(speak(rt.Replay(first.log, clock=VirtualClock()), 7))
    assert state(again.conversation) == state(first.conversation)


def test_a_replay_of_a_replay_is_called_by_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "lesson.jsonl"
    one_turn().to_jsonl(path)

    async def ask(endpoint: rt.Endpoint) -> rt.AsyncSession:
        async with rt.AsyncSession(endpoint) as s:
            await s.ask("hi")
            return s

    first = asyncio.run(ask(rt.Replay(path, clock=VirtualClock())))
    second = rt.Replay(first.log, clock=VirtualClock())
    assert second.name == "Replay of lesson.jsonl"
    assert raws(asyncio.run(ask(second)).log) == raws(one_turn())


def test_it_costs_nothing_and_asks_for_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.endpoints.spending._spending_approved", False)
    replay = rt.Replay(one_turn())
    assert not replay.paid and not replay.lacks_key
    assert rt.AsyncSession(replay, model="gpt-realtime-2.1").model == "gpt-realtime"


def test_one_replay_plays_as_often_as_it_is_opened() -> None:
    replay = rt.Replay(one_turn(), AT_ONCE)
    for _ in range(2):
        with rt.Session(replay) as s:
            assert s.ask("hi").status == "completed"


def test_a_log_that_goes_on_growing_is_played_as_it_was() -> None:
    log = one_turn()
    replay = rt.Replay(log, AT_ONCE)
    log.append("server", {"type": "later"}, t=99.0)
    with rt.Session(replay) as s:
        s.ask("hi")
    assert len(raws(s.log)) == len(raws(log)) - 1


def test_the_chat_runs_against_a_recording() -> None:
    opening = rt.GeneratedGreeting("Greet the visitor.")
    first = asyncio.run(visit(rt.Simulated(where="memory"), opening))
    chat = rt.RealtimeChat(opening, endpoint=rt.Replay(first.log, AT_ONCE))
    try:
        chat.start()
        chat.wait(30)
        chat.say("Hello, I am Kim.")
        chat.wait(30)
        chat.say("Who am I?")
        chat.wait(30)
        spoken = [
            line.text for line in chat._presenter._transcript.lines() if line.speaker == "assistant"
        ]
        assert spoken == [one.text for one in first.conversation.responses.values()]
        assert chat.session is not None and chat.session.label.startswith("Replay of ")
    finally:
        chat.stop()
