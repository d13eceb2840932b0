"""The simulator in memory: time that jumps, runs that repeat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest
from simulator_driver import Says, respond, update, user_text

from rtwidgets.errors import ConnectFailed, ConnectionLost, Misuse
from rtwidgets.simulator.memory import MemoryTransport, connect


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 10))


async def until(line: MemoryTransport, kind: str) -> list[tuple[float, str]]:
    """(virtual time, type) of all that comes, up to `kind`."""
    found: list[tuple[float, str]] = []
    while not found or found[-1][1] != kind:
        event = json.loads(await line.recv())
        found.append((line.clock.now(), event["type"]))
    return found


async def greeting(seed: int = 0, latency: str = "typical") -> list[tuple[float, str]]:
    line = connect(seed=seed, latency=latency)
    await line.send(json.dumps(update(output_modalities=["text"])))
    await line.send(json.dumps(respond()))
    return await until(line, "response.done")


def test_a_conversation_takes_virtual_time_only() -> None:
    came = run(greeting())
    assert came[0][1] == "session.created"
    assert came[-1][0] > 0.3
    assert [time for time, _ in came] == sorted(time for time, _ in came)


def test_two_runs_with_one_seed_are_the_same() -> None:
    assert run(greeting(seed=7)) == run(greeting(seed=7))


def test_another_seed_takes_another_time() -> None:
    assert run(greeting(seed=7))[-1][0] != run(greeting(seed=8))[-1][0]


def test_without_latency_no_time_passes() -> None:
    assert {time for time, _ in run(greeting(latency="none"))} == {0.0}


def test_it_waits_for_the_next_frame_when_nothing_is_due() -> None:
    async def work() -> str:
        line = connect()
        await line.recv()
        waiting = asyncio.ensure_future(line.recv())
        await asyncio.sleep(0)
        assert not waiting.done()
        await line.send(json.dumps(update()))
        return str(json.loads(await waiting)["type"])

    assert run(work()) == "session.updated"


def test_a_sleeper_acts_in_the_middle_of_a_reply() -> None:
    async def work() -> list[str]:
        line = connect(brain=Says("A rather long reply, so that there is something to stop."))
        await line.send(json.dumps(user_text("Hello")))
        await line.send(json.dumps(respond()))
        pump = asyncio.ensure_future(until(line, "response.done"))
        await asyncio.sleep(0)
        await line.clock.sleep(0.7)
        assert line.clock.now() == pytest.approx(0.7)
        await line.send(json.dumps({"type": "response.cancel"}))
        came = await pump
        assert 0.7 < came[-1][0] < 0.8  # the line takes its time
        return [kind for _, kind in came]

    assert run(work()).count("response.output_audio.done") == 1


def test_sleeping_with_nobody_reading_moves_the_clock() -> None:
    async def work() -> float:
        line = connect()
        await line.clock.sleep(5)
        return line.clock.now()

    assert run(work()) == 5


def test_closing_wakes_the_reader() -> None:
    async def work() -> None:
        line = connect()
        await line.recv()
        waiting = asyncio.ensure_future(line.recv())
        await asyncio.sleep(0)
        await line.close()
        with pytest.raises(EOFError):
            await waiting
        with pytest.raises(ConnectionLost):
            await line.send("{}")
        await line.close()

    run(work())


def test_an_unknown_model_or_latency_is_a_sentence() -> None:
    with pytest.raises(ConnectFailed, match="gpt-nope.*it knows gpt-realtime-2.1"):
        connect(model="gpt-nope")
    with pytest.raises(Misuse, match="latency"):
        connect(latency="slow")
