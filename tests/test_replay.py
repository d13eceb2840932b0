"""A recording as an endpoint: the same frames, waiting for the same client events."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.conversation import Conversation
from rtwidgets.events import item_create, response_cancel, response_create, text_field, user_text
from rtwidgets.rows import Rows
from rtwidgets.transport import Transport, VirtualClock

AT_ONCE = float("inf")
RECORDINGS = [
    "azure_azure_text_in_audio_out_turn",
    "openai_openai_audio_in_server_vad_turn",
    "openai_openai_message_history_seeding",
    "openai_openai_text_in_audio_out_turn",
    "openai_openai_tool_call_round",
    "openai_parity_text_tool_round_parity_openai_current",
]
CREATED = {"type": "session.created", "session": {"id": "sess_1", "model": "gpt-realtime"}}
UPDATE = {"type": "session.update", "session": {"type": "realtime"}}
UPDATED = {**CREATED, "type": "session.updated"}
ASKED: Any = {**item_create(user_text("then")), "event_id": "item_then"}


def added(id_: str, role: str = "user") -> dict[str, Any]:
    item = {"id": id_, "type": "message", "role": role, "content": []}
    return {"type": "conversation.item.added", "item": item}


def response(id_: str, status: str, **more: Any) -> dict[str, Any]:
    kind = "response.created" if status == "in_progress" else "response.done"
    about = {"id": id_, "status": status, "conversation_id": "conv_1", "output": [], **more}
    return {"type": kind, "response": about}


def recorded(*rows: tuple[float, str, Any]) -> rt.EventLog:
    """A log of (seconds, "<" from or ">" to the server, event) rows."""
    log = rt.EventLog()
    for t, arrow, event in rows:
        log.append("server" if arrow == "<" else "client", event, t=t)
    return log


def begun(*rows: tuple[float, str, Any]) -> rt.EventLog:
    """The same behind the beginning that every session has, which ends at 0.1 s."""
    return recorded((0.0, "<", CREATED), (0.05, ">", UPDATE), (0.1, "<", UPDATED), *rows)


def one_turn() -> rt.EventLog:
    return begun(
        (1.0, ">", ASKED),
        (1.0, ">", {**response_create(), "event_id": "create_then"}),
        (1.1, "<", added("item_1")),
        (1.3, "<", response("resp_1", "in_progress")),
        (2.3, "<", response("resp_1", "completed")),
    )


def play(
    log: Any, scene: Callable[[Transport], Awaitable[Any]], speed: float = AT_ONCE, **options: Any
) -> Any:
    """What `scene` makes of a line to the recording, on a clock that jumps."""

    async def opened() -> Any:
        line = await rt.Replay(log, speed, clock=VirtualClock(), **options).open()
        try:
            return await scene(line)
        finally:
            await line.close()

    return asyncio.run(opened())


async def send(line: Transport, *events: dict[str, Any]) -> None:
    for event in events:
        await line.send(json.dumps(event))


async def received(line: Transport, count: int) -> list[dict[str, Any]]:
    return [json.loads(await line.recv()) for _ in range(count)]


async def all_of(line: Transport) -> tuple[list[str], rt.ConnectionLost]:
    """Every frame to the end, and what ended the line."""
    frames: list[str] = []
    while True:
        try:
            frames.append(str(await line.recv()))
        except rt.ConnectionLost as lost:
            return frames, lost


async def soon(coming: asyncio.Future[Any]) -> bool:
    """Whether it is there after everybody had many turns."""
    for _ in range(100):
        await asyncio.sleep(0)
    return coming.done()


async def at_rest(line: Transport) -> bool:
    """Whether nothing comes: the line waits for the client."""
    coming = asyncio.ensure_future(line.recv())
    resting = not await soon(coming)
    coming.cancel()
    return resting


def state(conversation: Conversation) -> dict[str, Any]:
    """All that a conversation has come to, to be compared."""
    return {
        "items": [vars(item) for item in conversation.items],
        "responses": {
            id_: {**vars(one), "items": one.item_ids} for id_, one in conversation.responses.items()
        },
        "usage": conversation.usage,
        "session": conversation.session,
        "errors": conversation.errors,
    }


def raws(rows: Rows) -> list[str]:
    return [row.raw for row in rows.where(direction="server")]


# ------------------------------------------------------------------ the recordings


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


# ------------------------------------------------------------------ sessions with the simulator


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


async def visit(endpoint: rt.Endpoint, opening: rt.Opening) -> rt.AsyncSession:
    async with rt.AsyncSession(endpoint, opening, instructions="You are Ada.") as s:
        await s.ask("Hello, I am Kim.")
        await s.ask("Who am I?")
        while len(s.log.where(type="rate_limits.updated")) < len(s.conversation.responses):
            await s.wait_for("rate_limits.updated")  # the last word on a reply
        return s


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


# ------------------------------------------------------------------ time


@pytest.mark.parametrize(("speed", "lasts"), [(1.0, 1.3), (2.0, 0.65), (AT_ONCE, 0.0)])
def test_an_answer_comes_as_long_after_the_question_as_it_did(speed: float, lasts: float) -> None:
    async def scene(line: Transport) -> list[float]:
        times = []
        await received(line, 1)
        await send(line, UPDATE)
        await received(line, 1)
        await line.clock.sleep(1000)  # this time the user thought about it for longer
        asked = line.clock.now()
        await send(line, ASKED, response_create())
        for _ in range(3):
            await line.recv()
            times.append(line.clock.now() - asked)
        return times

    times = play(one_turn(), scene, speed)
    assert times[-1] == pytest.approx(lasts)
    assert times == sorted(times)
    assert times[1] == pytest.approx(0.0 if speed == AT_ONCE else 0.3 / speed)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), True, "fast", None])
def test_a_speed_is_a_number_above_nought(speed: Any) -> None:
    with pytest.raises(rt.Misuse, match="above 0"):
        rt.Replay(one_turn(), speed)


def test_times_that_run_backwards_hold_nothing_up() -> None:
    log = recorded((5.0, "<", CREATED), (3.0, "<", UPDATED), (4.0, "<", added("item_1")))

    async def scene(line: Transport) -> tuple[list[str], float]:
        frames, _ = await all_of(line)
        return frames, line.clock.now()

    frames, end = play(log, scene, 1.0)
    assert len(frames) == 3 and end == 0.0


# ------------------------------------------------------------------ what the client does otherwise


def test_a_frame_waits_for_the_event_that_it_answers() -> None:
    async def scene(line: Transport) -> list[str]:
        await received(line, 1)
        assert await at_rest(line)
        await send(line, UPDATE)
        await received(line, 1)
        assert await at_rest(line)
        assert "conversation.item.create (user message)" in line.hint  # type: ignore[attr-defined]
        await send(line, ASKED)
        await received(line, 1)
        assert await at_rest(line)
        assert line.hint.endswith("sends response.create.")  # type: ignore[attr-defined]
        await send(line, response_create())
        return (await all_of(line))[0]

    assert len(play(one_turn(), scene)) == 2


def test_events_that_do_not_depend_on_each_other_may_come_in_another_order() -> None:
    said = item_create({"type": "message", "role": "assistant", "content": []})
    log = begun(
        (1.0, ">", said),
        (1.0, ">", ASKED),
        (1.1, "<", added("item_1", "assistant")),
        (1.1, "<", added("item_2")),
    )

    async def scene(line: Transport) -> list[str]:
        await send(line, ASKED, said, UPDATE)
        return (await all_of(line))[0]

    assert play(log, scene) == raws(log)


def test_a_request_without_the_words_that_it_answered_is_refused_at_once() -> None:
    async def scene() -> rt.AsyncSession:
        replay = rt.Replay(one_turn(), clock=VirtualClock())
        async with rt.AsyncSession(replay, rt.ModelGreeting()) as s:
            assert s.opening_reply is not None and s.opening_reply.status == "failed"
            assert "before it was sent conversation.item.create (user" in s.opening_reply.error
            assert (await s.ask("hi")).status == "completed"
            return s

    assert raws(one_turn())[-1] == asyncio.run(scene()).log.where(type="response.done")[-1].raw


def test_what_the_recording_has_no_answer_for_is_refused_and_the_next_named() -> None:
    async def scene(line: Transport) -> tuple[dict[str, Any], list[str]]:
        await received(line, 1)
        await send(line, UPDATE)
        await received(line, 1)
        item = {"type": "message", "role": "assistant", "content": []}
        await send(line, {**item_create(item), "event_id": "mine"})
        [error] = await received(line, 1)
        await send(line, ASKED, response_create())
        return error, (await all_of(line))[0]

    error, rest = play(one_turn(), scene)
    assert error["type"] == "error" and error["event_id"].startswith("event_replay_")
    assert error["error"].pop("message") == (
        "This recording has no answer to conversation.item.create (assistant message). "
        "From the client it expects conversation.item.create (user message) next."
    )
    assert error["error"] == {
        "type": "invalid_request_error",
        "code": "replay_has_no_answer",
        "param": None,
        "event_id": "mine",
    }
    assert rest == raws(one_turn())[2:]


def test_a_request_that_was_never_made_then_fails_and_the_session_goes_on() -> None:
    async def scene() -> tuple[rt.Reply | None, rt.Reply]:
        replay = rt.Replay(one_turn(), clock=VirtualClock())
        async with rt.AsyncSession(replay) as s:
            beside = {"type": "response.create", "response": {"conversation": "none"}}
            await s.send(beside)
            error = (await s.wait_for("error")).event or {}
            assert error["error"]["code"] == "replay_has_no_answer"
            assert "response.create beside the conversation" in error["error"]["message"]
            return s.opening_reply, await s.ask("hi")

    _, reply = asyncio.run(scene())
    assert reply.status == "completed"


def test_more_than_was_recorded_is_told_before_the_line_is_closed() -> None:
    async def scene() -> rt.AsyncSession:
        log = begun((1.0, "<", {"type": "the.last"}))
        async with rt.AsyncSession(
            rt.Replay(log, AT_ONCE, clock=VirtualClock()), rt.ModelGreeting()
        ) as s:
            await s.wait_for("line.lost")
            return s

    s = asyncio.run(scene())
    assert s.opening_reply is not None and s.opening_reply.status == "failed"
    assert "expects nothing more" in s.opening_reply.error
    assert s.lost is not None and (s.lost.code, s.lost.reason) == (1000, "the recording ends here")


def test_a_wait_for_what_does_not_come_says_what_the_recording_waits_for() -> None:
    async def scene() -> None:
        async with rt.AsyncSession(rt.Replay(one_turn(), clock=VirtualClock())) as s:
            await s.wait_for("response.done", timeout=0.05)

    with pytest.raises(rt.TimedOut, match=r"goes on when the client sends .*item\.create"):
        asyncio.run(scene())


def test_what_a_client_went_past_is_not_waited_for() -> None:
    """The recorded client deleted an item between the turns; this one does not."""
    delete = {"type": "conversation.item.delete", "item_id": "item_1"}
    log = begun(
        (1.0, ">", response_create()),
        (1.1, "<", response("resp_1", "in_progress")),
        (1.2, "<", response("resp_1", "completed")),
        (1.3, ">", delete),
        (1.4, "<", {"type": "conversation.item.deleted", "item_id": "item_1"}),
        (2.0, ">", ASKED),
        (2.1, "<", added("item_2")),
    )

    async def scene(line: Transport) -> list[str]:
        await send(line, UPDATE, response_create())
        await received(line, 4)
        assert await at_rest(line)
        await send(line, ASKED)
        frames = (await all_of(line))[0]
        return frames

    assert [json.loads(frame)["type"] for frame in play(log, scene)] == [
        "conversation.item.deleted",
        "conversation.item.added",
    ]


def test_an_interruption_is_waited_for_where_it_was() -> None:
    cancelled = response("resp_1", "cancelled")
    log = begun(
        (1.0, ">", response_create()),
        (1.1, "<", response("resp_1", "in_progress")),
        (1.5, ">", response_cancel()),
        (1.6, "<", cancelled),
    )

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(rt.Replay(log, clock=VirtualClock())) as s:
            await s.send(response_create())
            await s.wait_for("response.created")
            with pytest.raises(rt.TimedOut, match=r"sends response\.cancel"):
                await s.settled(timeout=0.05)
            await s.interrupt()
            await s.settled()
            return s

    s = asyncio.run(scene())
    assert [one.status for one in s.conversation.responses.values()] == ["cancelled"]


def test_audio_is_refused_once_where_nobody_spoke() -> None:
    async def scene() -> rt.AsyncSession:
        replay = rt.Replay(one_turn(), clock=VirtualClock())
        async with rt.AsyncSession(replay) as s:
            await s.hear(np.zeros(audio.RATE // 5), reply=False)
            await s.wait_for("error")
            return s

    s = asyncio.run(scene())
    assert [error["message"] for error in s.conversation.errors] == [
        "This recording has no answer to audio: nobody spoke in it."
    ]


# ------------------------------------------------------------------ ids


def test_ids_that_the_client_made_up_are_todays_and_no_others() -> None:
    said_then = 'she said \\"item_id\\": \\"mine_then\\"'
    error = {"type": "invalid_request_error", "message": "No.", "event_id": "bad_then"}
    rows = [
        (1.0, ">", item_create({"id": "mine_then", "type": "message", "role": "user"})),
        (
            1.1,
            "<",
            '{"type":"conversation.item.added","item":{"id":"mine_then","note":"mine_then"}}',
        ),
        (1.1, "<", '{"type":"x","previous_item_id" : "mine_then","delta":"mine_then"}'),
        (1.2, "<", f'{{"type":"response.output_text.delta","delta":"{said_then}"}}'),
        (1.3, ">", {**response_cancel(), "event_id": "bad_then"}),
        (1.4, "<", {"type": "error", "error": error}),
        (1.5, "<", '{ "type" : "as.it.was" ,"id":"other" }'),
    ]

    async def scene(line: Transport) -> list[str]:
        mine = {"id": 'mine "now"', "type": "message", "role": "user"}
        await send(line, UPDATE, item_create(mine), {**response_cancel(), "event_id": "bad_now"})
        return (await all_of(line))[0]

    frames = play(begun(*rows), scene)
    assert frames[2] == (
        '{"type":"conversation.item.added","item":{"id":"mine \\"now\\"","note":"mine_then"}}'
    )
    assert frames[3] == '{"type":"x","previous_item_id" : "mine \\"now\\"","delta":"mine_then"}'
    assert frames[4] == rows[3][2]
    assert json.loads(frames[5])["error"]["event_id"] == "bad_now"
    assert frames[6] == '{ "type" : "as.it.was" ,"id":"other" }'


def test_an_id_given_to_an_item_that_had_none_then_comes_back() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(rt.Replay(one_turn(), clock=VirtualClock())) as s:
            await s.send(item_create({**user_text("hi"), "id": "mine"}))
            await s.wait_for("conversation.item.added")
            return s

    assert asyncio.run(scene()).conversation.item("mine") is not None


# ------------------------------------------------------------------ recordings of any kind


def test_bare_events_without_times_and_with_broken_lines_are_played(tmp_path: Path) -> None:
    path = tmp_path / "bare.jsonl"
    lines = [json.dumps(row.event) for row in one_turn()]
    path.write_text("\n".join([*lines[:3], "{broken", "", *lines[3:]]))
    replay = rt.Replay(path, clock=VirtualClock())
    assert [problem[:6] for problem in replay.problems] == ["line 4"]

    async def scene() -> rt.Reply:
        async with rt.AsyncSession(replay) as s:
            return await s.ask("hi")

    assert asyncio.run(scene()).status == "completed"


def test_frames_that_are_no_events_are_played_too() -> None:
    strange = ["not json", "[]", "{}", '{"type":7}', '{"type":"new.thing","x":[1]}', "\ud83d"]
    log = begun(*[(1.0, "<", frame) for frame in strange])

    async def scene() -> list[str]:
        async with rt.AsyncSession(rt.Replay(log, clock=VirtualClock())) as s:
            await s.wait_for("line.lost")
            return raws(s.log)

    assert asyncio.run(scene())[2:] == strange


def test_a_recording_that_begins_late_gets_a_beginning() -> None:
    """A part of a log: no session.created, and the client of then changed no settings."""
    part = one_turn()[3:]

    async def scene() -> tuple[rt.AsyncSession, rt.Reply]:
        async with rt.AsyncSession(rt.Replay(part, clock=VirtualClock())) as s:
            return s, await s.ask("hi")

    s, reply = asyncio.run(scene())
    assert reply.status == "completed"
    assert s.conversation.session["id"] == "sess_replay" and not s.simulated
    made = [row.event or {} for row in s.log.where(type="session.*", direction="server")]
    assert [event["event_id"] for event in made] == ["event_replay_1", "event_replay_2"]


def test_a_line_that_was_lost_is_lost_again_in_the_same_way() -> None:
    log = one_turn()
    lost = {"type": "line.lost", "code": 1001, "reason": "60 minutes.", "message": "It is over."}
    log.append("local", lost, t=9.0)

    async def scene(line: Transport) -> rt.ConnectionLost:
        await send(line, UPDATE, ASKED, response_create())
        return (await all_of(line))[1]

    end = play(log, scene)
    assert (end.code, end.reason) == (1001, "60 minutes.")
    assert "It is over." in str(end)


def test_a_client_event_without_an_answer_holds_nothing_up() -> None:
    log = begun(
        (1.0, ">", {"type": "conversation.item.truncate", "item_id": "item_9"}),
        (1.1, "<", {"type": "rate_limits.updated", "rate_limits": []}),
        (1.2, ">", "nonsense"),
        (1.3, "<", {"type": "error", "error": {"code": "invalid_json", "message": "No."}}),
    )

    async def scene(line: Transport) -> list[str]:
        await send(line, UPDATE)
        await received(line, 3)
        assert await at_rest(line)
        await line.send("other nonsense")
        return (await all_of(line))[0]

    assert [json.loads(frame)["type"] for frame in play(log, scene)] == ["error"]


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "nothing to play"), ('{"type":"response.create"}\n', "no event of a server")],
)
def test_nothing_to_play_is_said_at_once(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text(content)
    with pytest.raises(rt.Misuse, match=words):
        rt.Replay(path)


@pytest.mark.parametrize("path", ["no/such.jsonl", ".", 7, None])
def test_what_cannot_be_read_is_said_at_once(path: Any) -> None:
    with pytest.raises(rt.Misuse, match=r"cannot be read|path of a recording"):
        rt.Replay(path)


# ------------------------------------------------------------------ as an endpoint


def test_it_costs_nothing_and_asks_for_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.endpoints._spending_approved", False)
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
        spoken = [line.text for line in chat._transcript.lines() if line.speaker == "assistant"]
        assert spoken == [one.text for one in first.conversation.responses.values()]
        assert chat.session is not None and chat.session.label.startswith("Replay of ")
    finally:
        chat.stop()


# ------------------------------------------------------------------ broken in every way


JUNK: list[Any] = [None, 7, [], {}, "", "x", {"id": 3}, [None], {"item": []}, True, -1.5, "\ud83d"]


def broken(log: rt.EventLog, chance: random.Random) -> rt.EventLog:
    """The log with rows lost, doubled and moved, and with fields replaced by anything."""
    rows = [(row.direction, row.event or {}, row.t) for row in log]
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(rows))
        direction, event, t = rows[at]
        what = chance.choice(["lose", "double", "move", "junk", "deep", "turn", "time"])
        if what == "lose":
            del rows[at]
        elif what == "double":
            rows.insert(chance.randrange(len(rows)), rows[at])
        elif what == "move":
            rows.insert(chance.randrange(len(rows)), rows.pop(at))
        elif what == "turn":
            rows[at] = ("client" if direction == "server" else "server", event, t)
        elif what == "time":
            rows[at] = (direction, event, chance.choice([-1e9, 1e12, 0.0, t * 3]))
        elif event:
            key = chance.choice(list(event))
            inner = event[key]
            if what == "deep" and isinstance(inner, dict) and inner:
                changed = {**inner, chance.choice(list(inner)): chance.choice(JUNK)}
            else:
                changed = chance.choice(JUNK)
            rows[at] = (direction, {**event, key: changed}, t)
    again = rt.EventLog()
    for direction, event, t in rows:
        again.append(direction, event, t)
    return again


@pytest.fixture(scope="module")
def visited() -> rt.EventLog:
    return asyncio.run(visit(rt.Simulated(where="memory"), rt.SeededGreeting("Begin."))).log


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_recording_is_played_in_order_or_waits_and_says_for_what(
    seed: int, visited: rt.EventLog
) -> None:
    chance = random.Random(seed)
    log = broken(visited, chance)
    client = [row.raw for row in log.where(direction="client")]
    count = len(log.where(direction="server"))
    if chance.random() < 0.5:
        chance.shuffle(client)
    client += [json.dumps(chance.choice(JUNK)), "{", '{"type":[]}', '{"type":"response.create"}']

    async def scene(line: Transport) -> list[str]:
        frames: list[str] = []
        while True:
            coming = asyncio.ensure_future(line.recv())
            while not await soon(coming):
                if not client:
                    coming.cancel()
                    assert line.hint or len(frames) >= count  # type: ignore[attr-defined]
                    return frames
                await line.send(client.pop(0))
            try:
                frames.append(str(coming.result()))
            except rt.ConnectionLost:
                return frames

    played = [frame for frame in play(log, scene) if "event_replay_" not in frame]
    types = [row.type for row in log.where(direction="server")]
    assert [text_field(json.loads(frame), "type") for frame in played] == types[: len(played)]
