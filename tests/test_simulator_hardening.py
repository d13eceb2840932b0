"""What careless and hostile clients do, and that it costs nobody else anything."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from simulator_driver import MS, Desk, append, hum, silence, types, update, user_text
from test_simulator_listening import heard, quiet, tone
from test_simulator_server import KEY, event, in_session, until

from rtwidgets.audio import decode
from rtwidgets.simulator import Simulator
from rtwidgets.simulator.engine import Engine

COMMIT = {"type": "input_audio_buffer.commit"}


@pytest.fixture(scope="module")
def simulator() -> Any:
    with Simulator(in_process=True, key=KEY) as running:
        yield running


def listening(**fields: Any) -> dict[str, Any]:
    """A session.update of turn detection that answers nothing."""
    detection = {"type": "server_vad", "create_response": False, **fields}
    return update(audio={"input": {"turn_detection": detection}})


def billed_ms(desk: Desk) -> int:
    return list(desk.engine.items)[-1].audio_ms


# --- turns


@pytest.mark.parametrize("then", [silence(1000), COMMIT])
def test_the_id_of_a_turn_that_is_being_spoken_is_taken(then: dict[str, Any]) -> None:
    desk = Desk()
    desk.send(listening())
    desk.send(hum(500))
    item_id = desk.last("input_audio_buffer.speech_started")["item_id"]
    (refused,) = desk.send(user_text("Mine!", id=item_id))
    assert refused["error"]["code"] == "item_create_duplicate_item_id"
    assert "error" not in types(desk.send(then))
    assert desk.last("input_audio_buffer.committed")["item_id"] == item_id
    (retrieved,) = desk.send({"type": "conversation.item.retrieve", "item_id": item_id})
    assert retrieved["item"]["content"][0]["audio"]


@pytest.mark.parametrize("what", ["hears", "receive", "take"])
def test_a_fault_of_ours_ends_one_session_and_tells_its_client(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a fault that nobody foresaw")

    async def bystander(other: Any) -> str:
        await event(other)

        async def talk(client: Any) -> int:
            await event(client)
            with monkeypatch.context() as patch:
                patch.setattr(Engine, what, broken)
                await client.send(json.dumps({"type": "response.create"}))
                await client.wait_closed()
            return int(client.close_code)

        assert await _beside(simulator, talk) == 1011
        await other.send(json.dumps(update()))
        return str((await until(other, "session.updated"))[-1]["type"])

    assert in_session(simulator, bystander) == "session.updated"


def test_an_engine_that_cannot_be_made_is_told_to_its_client(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(client: Any) -> int:
        await client.wait_closed()
        return int(client.close_code)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "__init__", lambda *_, **__: 1 / 0)
        assert in_session(simulator, talk) == 1011
    assert in_session(simulator, event)["type"] == "session.created"


async def _beside(simulator: Simulator, work: Any) -> Any:
    from websockets.asyncio.client import connect

    headers = {"Authorization": f"Bearer {KEY}"}
    url = simulator.url + "?model=gpt-realtime-2.1"
    async with connect(url, additional_headers=headers) as line:
        return await work(line)


def test_padding_without_end_is_padding_of_five_seconds() -> None:
    desk = Desk()
    desk.send(listening(prefix_padding_ms=10**400, silence_duration_ms=10**400))
    desk.send(silence(7000), hum(500))
    assert desk.last("input_audio_buffer.speech_started")["audio_start_ms"] == 2000


def test_no_silence_at_all_ends_no_turn_that_is_loud() -> None:
    assert len(heard(tone(1000), silence_duration_ms=0)) == 1
    stopped = heard(tone(1000), quiet(40), silence_duration_ms=0)[-1]
    assert (stopped.at_ms, stopped.spoken_ms) == (1020, 1000)  # type: ignore[union-attr]


def test_two_turns_in_one_append_have_each_its_own_sound() -> None:
    parts = [silence(400), hum(600), silence(700), hum(800), silence(350)]
    whole = b"".join(decode(part["audio"]) for part in parts)
    at_once, bit_by_bit = Desk(), Desk()
    for desk, events in ((at_once, [append(np.frombuffer(whole, "<i2"))]), (bit_by_bit, parts)):
        desk.send(listening(silence_duration_ms=200))
        desk.send(*events)
        ids = [e["item_id"] for e in desk.events if e["type"].endswith("committed")]
        sounds = [desk.engine._recordings.get(item_id) for item_id in ids]
        assert [len(sound) // MS for sound in sounds] == [300 + 600 + 200, 300 + 800 + 200]
        assert sounds[1] == whole[1400 * MS : 2700 * MS]
        desk.send(COMMIT)  # 150 ms came after the second turn
        assert billed_ms(desk) == 150
    assert types(at_once.events) == types(bit_by_bit.events)


def test_of_a_silence_no_more_is_billed_than_is_kept() -> None:
    desk = Desk()
    desk.send(listening())
    desk.send(*[silence(1000)] * 60, COMMIT)
    item_id = desk.last("input_audio_buffer.committed")["item_id"]
    assert billed_ms(desk) == len(desk.engine._recordings.get(item_id)) // MS <= 3000
    desk.send(*[silence(1000)] * 60, hum(500), COMMIT)
    assert 800 <= billed_ms(desk) <= 1000
