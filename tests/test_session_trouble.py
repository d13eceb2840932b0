"""Sessions with servers that misbehave on purpose, and with openings that do."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from scripted import Scripted, greet, simulated, types

import rtwidgets as rt
from rtwidgets.events import response_create
from rtwidgets.transport import MemoryTransport


def test_settings_that_are_refused_are_the_callers_to_correct() -> None:
    with (
        pytest.raises(rt.Misuse, match="refused the session's settings"),
        rt.Session(simulated(), voice="nobody"),
    ):
        pass


def test_a_server_that_closes_in_the_middle_ends_the_wait() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()
        await line.recv()
        response = {"id": "resp_1", "status": "in_progress", "conversation_id": "conv_1"}
        await line.send(json.dumps({"type": "response.created", "response": response}))
        await line.close()

    with rt.Session(Scripted(serve)) as s:
        with pytest.raises(rt.ConnectionLost, match="start again"):
            s.ask("hello?")
        assert s.lost and not s.is_open
        with pytest.raises(rt.ConnectionLost):
            s.send(response_create())
    assert s.log[-1].type == "line.lost"
    assert "response.created" in types(s.log)


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "[]",
        '"text"',
        "{}",
        '{"type":"ping","n":1}',
        '{"type":"response.output_audio.delta","item_id":"i","response_id":"r","delta":"@@"}',
        '{"type":"conversation.item.added","item":null}',
        '{"type":"response.done"}',
        '{"type":"error"}',
    ],
)
def test_strange_frames_are_logged_and_passed_over(frame: str) -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.send(frame)
        await line.send('{"type":"the.end"}')

    with rt.Session(Scripted(serve)) as s:
        s.wait_for("the.end", timeout=5)
    assert frame in [row.raw for row in s.log]


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def serve(line: MemoryTransport) -> None:
        await line.recv()

    with (
        pytest.raises(rt.TimedOut, match=r"session\.created"),
        rt.Session(Scripted(serve), timeout=0.05),
    ):
        pass


def test_a_server_that_refuses_at_once_is_quoted() -> None:
    async def serve(line: MemoryTransport) -> None:
        error = {
            "type": "invalid_request_error",
            "code": "invalid_api_key",
            "message": "Incorrect.",
        }
        await line.send(json.dumps({"type": "error", "error": error}))
        await line.close()

    with (
        pytest.raises(rt.ConnectFailed, match=r"Incorrect\..*OPENAI_API_KEY"),
        rt.Session(Scripted(serve)),
    ):
        pass


def test_an_opening_without_answer_lets_the_session_go_on() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()

    with rt.Session(Scripted(serve), rt.ModelGreeting(), timeout=0.05) as s:
        assert s.opening_reply is None
        assert s.is_open


def test_an_opening_that_is_refused_lets_the_session_go_on() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        asked = json.loads(await line.recv())
        error = {"type": "server_error", "message": "No.", "event_id": asked["event_id"]}
        await line.send(json.dumps({"type": "error", "error": error}))

    with rt.Session(Scripted(serve), rt.ModelGreeting(), timeout=5) as s:
        assert s.is_open
        assert s.opening_reply is not None
        assert (s.opening_reply.status, s.opening_reply.error) == ("failed", "No.")


def test_a_reply_that_is_refused_says_why() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()
        asked = json.loads(await line.recv())
        error = {"type": "server_error", "message": "Too busy.", "event_id": asked["event_id"]}
        await line.send(json.dumps({"type": "error", "error": error}))

    with rt.Session(Scripted(serve)) as s:
        reply = s.ask("hello?")
    assert (reply.status, reply.error, reply.text) == ("failed", "Too busy.", "")
    assert len(reply.audio) == 0


def test_the_servers_last_words_are_heard_also_with_something_queued() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        for _ in range(3):  # the first question with its request, and the second question
            await line.recv()
        response = {"id": "r1", "status": "completed", "conversation_id": "c", "output": []}
        await line.send(json.dumps({"type": "response.done", "response": response}))
        expired = {"code": "session_expired", "message": "60 minutes."}
        await line.send(json.dumps({"type": "error", "error": expired}))
        await line.close()

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Scripted(serve), reconnect=False) as s:
            await s.say("one")
            await s.say("two")
            await s.wait_for("line.lost")
            return s

    s = asyncio.run(scene())
    assert s.conversation.errors[-1]["code"] == "session_expired"
    assert s.log[-1].type == "line.lost"


def test_an_opening_that_fails_to_react_does_not_end_the_session() -> None:
    class Clumsy(rt.ModelGreeting):
        def react(self, event: dict[str, Any]) -> list[dict[str, Any]]:
            raise ZeroDivisionError(event["type"])

    with rt.Session(simulated(), Clumsy()) as s:
        assert s.ask("still there?").text
    assert "Clumsy.react failed" in (s.log.where(type="opening.failed")[0].event or {})["message"]
