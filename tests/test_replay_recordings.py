"""Recordings of any kind: bare, late, lost, broken."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from replaying import (
    ASKED,
    UPDATE,
    all_of,
    at_rest,
    begun,
    one_turn,
    play,
    raws,
    received,
    send,
    soon,
    visit,
)

import rtwidgets as rt
from rtwidgets.events import response_create, text_field
from rtwidgets.transport import Transport, VirtualClock

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
