"""What a server may do to a session that is being mended, or that waits: on virtual time."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import numpy
import pytest
import virtual_time
from fault_cases import NO_TURNS
from faulty_lines import Frame, Line, Prepare, Troubled, cut, error, event_in, stalled, struck_at

import rtwidgets as rt
from rtwidgets.audio import RATE
from rtwidgets.session.overdue import OVERDUE_S

Scene = Callable[[rt.AsyncSession, list[Line]], Awaitable[None]]


def played(
    scene: Scene, *ready: Prepare | Exception, seconds: float = 3600.0, **options: Any
) -> rt.AsyncSession:
    """The session in which the scene was played, over lines that were readied so, each of which
    lasts so many seconds."""

    async def play() -> rt.AsyncSession:
        endpoint = Troubled(*ready, seconds=seconds)
        async with rt.AsyncSession(endpoint, **options) as s:
            await scene(s, endpoint.lines)
        return s

    return virtual_time.run(play())


async def ask_on_the_next(s: rt.AsyncSession, lines: list[Line]) -> None:
    """One question before the line is cut, and one behind."""
    await s.ask("Which is the oldest?")
    lines[0].cut()
    reply = await s.ask("And the youngest?")
    assert reply.status == "completed"


def holds(_line: Line) -> None:
    """Nothing is the matter with this one."""


def replaced(type_: str, by: Callable[[dict[str, Any]], Iterable[Frame]]) -> Prepare:
    """Has each event of a type be something else."""

    def ready(line: Line) -> None:
        def deliver(frame: str) -> Iterable[Frame]:
            event = event_in(frame)
            return by(event) if event.get("type") == type_ else (frame,)

        line.deliver = deliver

    return ready


def refused(event: dict[str, Any]) -> Iterable[Frame]:
    """An error that does not say which event it is about."""
    return (json.dumps(error("invalid_value", "Not this one.")),)


def seconds_to_restore(s: rt.AsyncSession) -> float:
    (row,) = s.log.where(type="line.restored")
    return float((row.event or {})["seconds"])


def test_a_key_that_is_refused_on_the_next_line_ends_it_in_the_servers_words() -> None:
    """Also where the server does not close."""

    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        lines[0].cut()
        began = virtual_time.clock.now()
        with pytest.raises(rt.ConnectionLost, match="Incorrect"):
            await s.ask("Are you there?")
        assert virtual_time.clock.now() - began < 5.0
        assert len(lines) == 2

    no = json.dumps(error("invalid_api_key", "Incorrect API key provided."))
    played(scene, holds, replaced("session.created", lambda _: (no,)))


def test_a_request_that_was_refused_long_ago_does_not_keep_a_line_from_being_mended() -> None:
    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        lines[0].add(error("model_not_found", "There is no such transcriber."))
        await s.wait_for("error")
        await ask_on_the_next(s, lines)

    assert len(played(scene).log.where(type="line.restored")) == 1


def test_items_that_are_refused_without_a_name_are_left_out_at_once() -> None:
    s = played(ask_on_the_next, holds, replaced("conversation.item.added", refused))
    assert seconds_to_restore(s) < 5.0
    (row,) = s.log.where(type="line.restored")
    assert (row.event or {})["carried"] == 0
    assert [one.text for one in s.conversation.items if one.role == "user"] == ["And the youngest?"]


def test_settings_that_are_refused_without_a_name_are_not_waited_for() -> None:
    s = played(ask_on_the_next, holds, replaced("session.updated", refused))
    assert seconds_to_restore(s) < 5.0


def test_a_server_that_never_confirms_settings_again_is_gone_on_with() -> None:
    mute = replaced("session.updated", lambda _: ())

    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        await s.ask("Which is the oldest?")
        lines[0].cut()
        assert (await s.ask("And the youngest?", timeout=60.0)).status == "completed"
        assert len(lines) == 3, "one more try, and no third"

    played(scene, holds, mute, mute, mute)


def test_sound_behind_a_turn_whose_end_is_told_twice_is_not_forgotten() -> None:
    """Push to talk: the next turn is being spoken when `committed` comes again, and a cut."""
    pcm = numpy.full(RATE // 10, 1000, numpy.int16).tobytes()

    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        await s.send({"type": "session.update", "session": NO_TURNS})
        await s.wait_for("session.updated")
        for _ in range(3):
            await s.append(pcm)
        await s.commit()
        again = await s.wait_for("input_audio_buffer.committed")
        await s.settled()
        for _ in range(3):
            await s.append(pcm)
        lines[0].add(again.event or {})
        await s.wait_for("input_audio_buffer.committed")
        lines[0].cut()
        await s.wait_for("line.restored")
        await s.commit()
        await s.settled()
        turns = [entry for entry in lines[1].engine.items if entry.wire.get("role") == "user"]
        assert [entry.audio_ms for entry in turns] == [300, 300]

    played(scene)


@pytest.mark.parametrize(("moves", "kept"), [(True, 1.0), (False, 20.0)])
def test_silence_is_sent_again_only_where_nobody_knows_whether_it_was_heard(
    moves: bool, kept: float
) -> None:
    """A microphone is open, and nobody speaks: neither here nor there."""
    silence = bytes(RATE * 2 // 10)

    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        await virtual_time.clock.sleep(5.0)
        for _ in range(200):
            await s.append(silence)
            await virtual_time.clock.sleep(0.1)
        if not moves:
            lines[0].cut()
        await s.wait_for("line.restored")

    s = played(scene, seconds=30.0 if moves else 3600.0)
    begins = s.log.where(type="line.moving" if moves else "line.lost")[0].seq
    again = s.log[begins:].where(type="input_audio_buffer.append")
    assert sum(row.audio_ms for row in again) / 1000 == pytest.approx(kept, abs=0.3)


def test_asking_and_waiting_share_the_time_of_a_call() -> None:
    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        stalled(20.0)(lines[0])
        lines[0].deliver = lambda _frame: ()
        began = virtual_time.clock.now()
        with pytest.raises(rt.TimedOut):
            await s.ask("Are you there?", timeout=30.0)
        assert virtual_time.clock.now() - began <= 31.0

    played(scene)


def test_a_response_that_is_only_slow_is_waited_for_all_the_same() -> None:
    """It is asked on after a silence; the server refuses, and what was asked waits again."""

    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        line, kept = lines[0], list[Frame]()
        first = await s.say("Which is the oldest?")
        await s.wait_for("response.created")
        line.deliver = lambda frame: kept.append(frame) or ()
        await s.say("And the youngest?")
        await virtual_time.clock.sleep(1.5 * OVERDUE_S)
        (row,) = s.log.where(type="response.overdue")
        named = {"event_id": s.log.where(type="response.create")[-1].event["event_id"]}
        code = "conversation_already_has_active_response"
        line.deliver = lambda frame: (frame,)
        line.add(error(code, "Wait.", **named))
        await s.wait_for("error")
        assert s.conversation.busy and s.conversation.active_response is not None
        line.add(*kept)
        await s.settled()
        told = [one.status for one in s.conversation.responses.values()]
        assert told[0] == "completed" and s.conversation.response_to(first) is not None
        assert row.response_id == s.conversation.response_to(first).id

    s = played(scene)
    assert [one.text for one in s.conversation.items if one.role == "user"] == [
        "Which is the oldest?",
        "And the youngest?",
    ]


def test_of_what_was_asked_nothing_comes_and_what_waits_is_asked_all_the_same() -> None:
    """Nobody waits for these with a timeout, as in a chat."""

    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        line, lost = lines[0], list[str]()

        def deliver(frame: str) -> Iterable[Frame]:
            event = event_in(frame)
            lost.extend([event["response"]["id"]] if event["type"] == "response.created" else [])
            id_ = event.get("response_id") or (event.get("response") or {}).get("id")
            return () if id_ and id_ == lost[0] else (frame,)

        line.deliver = deliver
        await s.say("Which is the oldest?")
        second = await s.say("And the youngest?")
        await virtual_time.clock.sleep(3 * OVERDUE_S)
        response = s.conversation.response_to(second)
        assert response is not None and response.status == "completed"

    (row,) = played(scene).log.where(type="response.overdue")
    assert row.response_id == ""


OPENINGS = [
    rt.GeneratedGreeting("Greet the visitor.", protect=True),
    rt.SpokenGreeting("Welcome to the museum of fossils.", protect=True),
    rt.SeededGreeting("Hello there."),
    rt.OutOfBandGreeting("Welcome to the museum."),
]
STEPS: list[tuple[Any, ...]] = [
    ("client", "response.create"),
    ("server", "response.created"),
    ("server", "response.output_audio.delta", 1),
    ("server", "response.output_audio.delta", 3),
    ("server", "response.done"),
]


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("step", STEPS, ids=lambda one: " ".join(map(str, one[1:])))
def test_wherever_an_opening_is_cut_it_is_heard_once(opening: Any, step: tuple[Any, ...]) -> None:
    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        await virtual_time.clock.sleep(20.0)
        came = s.log.where(type="response.output_audio.delta")
        assert len({row.response_id for row in came}) == 1
        reply = await s.ask("Which is the oldest?")
        assert reply.status == "completed"
        detection = lines[1].engine.session["audio"]["input"]["turn_detection"]
        assert detection is not None, "what protected the greeting is over"

    s = played(scene, struck_at(cut(1006), *step), opening=opening)
    assert len(s.log.where(type="opening.ended")) == (1 if opening.reacts else 0)


def test_lost_again_and_again_nothing_that_waits_is_forgotten() -> None:
    """Five lines in a row, each cut a step further on."""
    steps = ("session.created", "session.updated", "conversation.item.added", "response.created")
    ready = [struck_at(cut(1006), "client", "response.create", 2)]
    ready += [struck_at(cut(1006), "server", type_) for type_ in steps]

    async def scene(s: rt.AsyncSession, lines: list[Line]) -> None:
        await s.ask("Which is the oldest?")
        assert (await s.ask("And the youngest?")).status == "completed"
        assert len(lines) == 6
        held = [entry.words for entry in lines[-1].engine.items if entry.wire["role"] == "user"]
        assert held == ["Which is the oldest?", "And the youngest?"]

    s = played(scene, *ready)
    assert len(s.log.where(type="line.lost")) == 5
