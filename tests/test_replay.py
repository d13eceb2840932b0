"""A recording as the other end of a line: in time, in order, with the ids of today."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from replaying import (
    ASKED,
    AT_ONCE,
    CREATED,
    UPDATE,
    UPDATED,
    added,
    all_of,
    at_rest,
    begun,
    one_turn,
    play,
    raws,
    received,
    recorded,
    response,
    send,
)

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.events import item_create, response_cancel, response_create, user_text
from rtwidgets.transport import Transport, VirtualClock


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


@pytest.mark.parametrize(
    ("speaks", "not_before", "closed"), [(0.04, 0.0, 0.5), (2.0, 1.9, 2.5), (3600.0, 10.0, 10.5)]
)
def test_who_speaks_on_is_heard_out_but_a_microphone_left_on_is_not(
    speaks: float, not_before: float, closed: float
) -> None:
    chunk = {"type": "input_audio_buffer.append", "audio": "AAAA"}
    log = begun((1.0, ">", chunk), (1.1, "<", {"type": "input_audio_buffer.speech_started"}))

    async def scene(line: Transport) -> float:
        await send(line, UPDATE)
        ending = asyncio.ensure_future(all_of(line))
        while not ending.done() and line.clock.now() < speaks:
            await send(line, chunk)
            await line.clock.sleep(0.04)
        assert (await ending)[1].code == 1000
        return line.clock.now()

    assert not_before < play(log, scene) < closed


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
