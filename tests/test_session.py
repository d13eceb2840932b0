"""Sessions against the simulator in memory: the main job, and sending and waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted import simulated, types

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.events import session_update


def test_a_conversation_that_the_assistant_opens() -> None:
    opening = rt.GeneratedGreeting("Greet the visitor.")
    with rt.Session(simulated(), opening, instructions="You are Ada, a museum guide.") as s:
        greeting = s.opening_reply
        assert greeting is not None and greeting.status == "completed"
        assert greeting.transcript and len(greeting.audio) > audio.RATE // 2
        reply = s.ask("What did you say first?")
        assert reply.text and reply.usage and reply.cost
        assert s.cost == pytest.approx(greeting.cost + reply.cost)
        assert s.label == "Simulator"
    sent = types(s.log, "client")
    assert sent == [
        "session.update",
        "response.create",
        "conversation.item.create",
        "response.create",
    ]


def test_the_opening_waits_for_session_updated() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        order = types(s.log)
    assert order.index("session.updated") < order.index("response.create")


def test_settings_and_the_openings_own_are_sent_together() -> None:
    class Quiet(rt.Opening):
        def session(self) -> dict[str, Any]:
            return {"audio": {"input": {"turn_detection": None}}}

    with rt.Session(simulated(), Quiet(), voice="cedar", instructions="Be kind.") as s:
        update = s.log.where(type="session.update")[0].event
        effective = s.conversation.session
    assert update is not None
    assert update["session"]["audio"] == {
        "output": {"voice": "cedar"},
        "input": {"turn_detection": None},
    }
    assert effective["audio"]["output"]["voice"] == "cedar"
    assert effective["audio"]["input"]["turn_detection"] is None
    assert effective["instructions"] == "Be kind."


def test_a_scripted_greeting_is_remembered_and_silent() -> None:
    with rt.Session(simulated(), rt.ScriptedGreeting("Welcome to the museum!")) as s:
        assert s.opening_reply is None
        assert "Welcome to the museum!" in s.ask("What did you say first?").text
        [greeting] = [item for item in s.conversation.items if item.role == "assistant"][:1]
    assert greeting.audio_ms == 0
    assert len(s.log.where(type="response.created")) == 1


def test_the_support_bots_advice_is_refused_in_the_real_words() -> None:
    content = [{"type": "input_text", "text": "Welcome!"}]
    item = {"type": "message", "role": "assistant", "content": content}
    with rt.Session(simulated()) as s:
        s.send({"type": "conversation.item.create", "item": item, "event_id": "mine"})
        row = s.wait_for("error", timeout=5)
        assert s.conversation.items == []
    assert row.event is not None
    assert row.event["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "Invalid value: 'input_text'. Value must be 'output_text'.",
        "param": "item.content[0].type",
        "event_id": "mine",
    }


def test_a_text_session_writes() -> None:
    with rt.Session(simulated(), rt.ModelGreeting(), modality="text") as s:
        assert s.opening_reply is not None and s.opening_reply.text
        assert s.opening_reply.transcript == "" and len(s.opening_reply.audio) == 0


def test_times_are_the_clocks_of_the_line() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        timing = s.opening_reply.timing if s.opening_reply else None
    assert timing and timing.created and timing.first_text and timing.first_audio and timing.done
    assert 0 < timing.created < timing.first_text <= timing.first_audio < timing.done


def test_what_was_sent_is_in_the_log_as_it_was() -> None:
    with rt.Session(simulated()) as s:
        row = s.send("{not json")
        assert row.raw == "{not json" and row.event is None and row.direction == "client"
        refusal = s.wait_for("error", timeout=5).event
    assert refusal is not None and refusal["error"]["code"] == "invalid_json"


def test_wait_for_gives_each_row_once_and_also_what_came_already() -> None:
    with rt.Session(simulated()) as s:
        assert s.wait_for("session.created", timeout=5).seq == 0
        s.send(session_update(instructions="a"))
        first = s.wait_for("session.updated", timeout=5)
        s.send(session_update(instructions="b"))
        second = s.wait_for("session.updated", timeout=5)
        assert first.seq < second.seq
        with pytest.raises(rt.TimedOut, match=r"session\.updated"):
            s.wait_for("session.updated", timeout=0.01)


def test_what_cannot_be_json_is_refused_in_words() -> None:
    with rt.Session(simulated()) as s, pytest.raises(rt.Misuse, match="JSON"):
        s.send({"type": "session.update", "session": {1, 2}})


def test_a_listener_that_fails_does_not_stop_the_session() -> None:
    async def scene() -> list[str]:
        async with rt.AsyncSession(simulated()) as s:
            seen: list[str] = []
            s.subscribe(lambda row: 1 / 0)  # type: ignore[arg-type, return-value]
            stop = s.subscribe(lambda row: seen.append(row.type))
            await s.ask("hi")
            stop()
            await s.ask("hi again")
            return seen

    assert asyncio.run(scene()).count("response.done") == 1
