"""OpenAI's own Python client, unmodified, against the simulator.

It finishes a text and an audio response, a tool call and a second turn, and every event it was
sent is one that its own types describe. Fields they do not declare are allowed only where
recordings of the real server carry them too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

openai = pytest.importorskip("openai")

from openai import AsyncOpenAI, OpenAI  # noqa: E402
from openai_events import problems, typed, undeclared  # noqa: E402
from simulator_driver import user_text  # noqa: E402

from rtwidgets.simulator import Simulator  # noqa: E402

KEY = "sk-test-not-a-key"
MODEL = "gpt-realtime-2.1"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(in_process=True, key=KEY) as running:
        yield running


def base_url(simulator: Simulator) -> str:
    return simulator.url.removesuffix("/realtime")


def check(event: Any) -> None:
    """Validate an event strictly as its own type, whatever the client made of it."""
    assert problems(event.model_dump(mode="json", exclude_unset=True, by_alias=True)) == []


async def until(connection: Any, kind: str) -> list[Any]:
    events: list[Any] = []
    async for event in connection:
        check(event)
        events.append(event)
        if event.type == kind:
            break
    return events


async def connected(simulator: Simulator) -> AsyncIterator[Any]:
    client = AsyncOpenAI(api_key=KEY, websocket_base_url=base_url(simulator))
    async with client.realtime.connect(model=MODEL) as connection:
        (created,) = await until(connection, "session.created")
        assert created.session.id.startswith("sess_simulated_")
        yield connection


def kinds(events: list[Any]) -> list[str]:
    return [event.type for event in events]


def test_the_check_sees_what_is_not_declared() -> None:
    item = {"id": "i", "type": "message", "role": "assistant", "content": [], "phase": "x"}
    event = {"type": "conversation.item.added", "event_id": "e", "item": item, "surprise": 1}
    assert set(undeclared(typed(event))) == {".item.phase", ".surprise"}


def test_a_text_response(simulator: Simulator) -> None:
    async def talk() -> None:
        async for connection in connected(simulator):
            await connection.session.update(
                session={"type": "realtime", "output_modalities": ["text"]}
            )
            await until(connection, "session.updated")
            await connection.conversation.item.create(item=user_text("Who are you?")["item"])
            await connection.response.create()
            events = await until(connection, "rate_limits.updated")
            (text,) = [event.text for event in events if event.type == "response.output_text.done"]
            assert "simulator" in text
            assert events[-2].response.status == "completed"
            assert events[-2].response.usage.total_tokens > 0

    asyncio.run(asyncio.wait_for(talk(), 20))


def test_an_audio_response_and_a_second_turn(simulator: Simulator) -> None:
    async def talk() -> None:
        async for connection in connected(simulator):
            await connection.response.create()
            first = await until(connection, "rate_limits.updated")
            assert "response.output_audio.delta" in kinds(first)
            await connection.conversation.item.create(
                item=user_text("What did you say first?")["item"]
            )
            await connection.response.create()
            second = await until(connection, "rate_limits.updated")
            said = [e.transcript for e in first + second if e.type.endswith("transcript.done")]
            assert said[0] in said[1]

    asyncio.run(asyncio.wait_for(talk(), 20))


def test_a_tool_call_is_made_answered_and_told(simulator: Simulator) -> None:
    tool = {
        "type": "function",
        "name": "get_weather",
        "description": "Look up the weather for a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }

    async def talk() -> None:
        async for connection in connected(simulator):
            session: Any = {"type": "realtime", "tools": [tool], "output_modalities": ["text"]}
            await connection.session.update(session=session)
            await connection.conversation.item.create(item=user_text("Weather in Rome?")["item"])
            await connection.response.create()
            events = await until(connection, "response.done")
            (call,) = [e for e in events if e.type == "response.function_call_arguments.done"]
            assert json.loads(call.arguments) == {"city": "Rome"}
            output = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}
            await connection.conversation.item.create(item=output)
            await connection.response.create()
            events = await until(connection, "response.done")
            assert events[-1].response.output[0].content[0].text == "Sunny."

    asyncio.run(asyncio.wait_for(talk(), 20))


def test_every_other_event_is_of_its_types_too(simulator: Simulator) -> None:
    """Errors, a cancelled response, items that come and go, a spoken turn with a transcript."""
    import base64
    import math
    import struct

    tone = [round(8000 * math.sin(n / 24)) for n in range(24 * 600)] + [0] * 24 * 600
    audio = base64.b64encode(struct.pack(f"<{len(tone)}h", *tone)).decode()

    async def talk() -> set[str]:
        seen: set[str] = set()
        async for connection in connected(simulator):
            heard: Any = {"transcription": {"model": "gpt-4o-transcribe"}}
            await connection.session.update(session={"type": "realtime", "audio": {"input": heard}})
            item: Any = {**user_text("Hello")["item"], "id": "item_mine"}
            await connection.conversation.item.create(item=item)
            await connection.conversation.item.retrieve(item_id="item_mine")
            await connection.conversation.item.delete(item_id="item_mine")
            await connection.response.cancel()
            await connection.input_audio_buffer.append(audio=audio)
            events = await until(connection, "response.done")
            item_id = events[-1].response.output[0].id
            await connection.conversation.item.truncate(
                item_id=item_id, content_index=0, audio_end_ms=100
            )
            await connection.input_audio_buffer.clear()
            events += await until(connection, "input_audio_buffer.cleared")
            seen |= set(kinds(events))
        return seen

    seen = asyncio.run(asyncio.wait_for(talk(), 20))
    assert {
        "error",
        "conversation.item.retrieved",
        "conversation.item.deleted",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.completed",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.committed",
    } <= seen


def test_the_synchronous_client_too(simulator: Simulator) -> None:
    client = OpenAI(api_key=KEY, websocket_base_url=base_url(simulator))
    with client.realtime.connect(model=MODEL) as connection:
        connection.response.create()
        for event in connection:
            check(event)
            if event.type == "response.done":
                assert event.response.status == "completed"
                break


def test_a_client_secret_by_the_official_client(simulator: Simulator) -> None:
    http = base_url(simulator).replace("ws://", "http://")
    client = OpenAI(api_key=KEY, base_url=http)
    session: Any = {"type": "realtime", "model": MODEL, "instructions": "You are Ada."}
    minted = client.realtime.client_secrets.create(session=session)
    assert minted.value.startswith("ek_")
    assert minted.session.instructions == "You are Ada."  # type: ignore[union-attr]
