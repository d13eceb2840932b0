"""Openings: pure, printable, and exactly the events of the protocol."""

from __future__ import annotations

import asyncio
import json
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets.openings import BUILT_IN
from rtwidgets.openings.examples import RECORDING

SESSION = {"instructions": "You are Ada, a museum guide."}


def test_waiting_sends_nothing() -> None:
    assert rt.WaitForUser().events(SESSION) == []
    assert not rt.WaitForUser().heard


def test_a_script_is_an_assistant_item_with_output_text() -> None:
    [event] = rt.ScriptedGreeting("Welcome!").events(SESSION)
    assert event == {
        "type": "conversation.item.create",
        "item": {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Welcome!"}],
        },
    }
    assert not rt.ScriptedGreeting("Welcome!").heard


def test_a_spoken_script_sees_nothing_else_and_calls_no_tool() -> None:
    [event] = rt.SpokenGreeting("Welcome!").events(SESSION)
    response = event["response"]
    assert response["input"] == [] and response["tool_choice"] == "none"
    assert response["instructions"].endswith(": Welcome!")


def test_a_generated_greeting_replaces_the_instructions_unless_joined() -> None:
    [alone] = rt.GeneratedGreeting("Greet.").events(SESSION)
    [joined] = rt.GeneratedGreeting("Greet.", join=True).events(SESSION)
    assert alone["response"]["instructions"] == "Greet."
    assert joined["response"]["instructions"] == "You are Ada, a museum guide.\n\nGreet."


def test_a_model_greeting_is_a_bare_response_create() -> None:
    assert rt.ModelGreeting().events(SESSION) == [{"type": "response.create"}]


EXAMPLES = [
    rt.WaitForUser(),
    rt.ScriptedGreeting("Grüß Gott"),
    rt.SpokenGreeting("Grüß Gott"),
    rt.GeneratedGreeting("Greet."),
    rt.ModelGreeting(),
    rt.SeededGreeting("Grüß den Gast."),
    rt.ContextGreeting([rt.events.user_text("Grüß Gott")]),
    rt.OutOfBandGreeting("Greet."),
    rt.RecordedGreeting(str(RECORDING), "Grüß Gott"),
    rt.IdleGreeting(6000),
]


@pytest.mark.parametrize("opening", EXAMPLES, ids=lambda opening: type(opening).__name__)
def test_printing_shows_every_event_that_will_be_sent(opening: rt.Opening) -> None:
    shown = str(opening)
    for event in opening.events({}):
        assert json.dumps(event, indent=2, ensure_ascii=False) in shown
    first = [*opening.events({}), *opening.session()]
    assert ("sends nothing first" in shown) == (first == [])
    assert ("Later: nothing." in shown) == (not opening.reacts)
    assert opening._repr_mimebundle_()["text/plain"] == shown


@pytest.mark.parametrize("opening", EXAMPLES, ids=lambda opening: type(opening).__name__)
def test_an_opening_is_a_value(opening: rt.Opening) -> None:
    assert opening == eval(repr(opening), vars(rt.openings))
    assert opening.events(SESSION) == opening.events(SESSION)
    with pytest.raises(FrozenInstanceError):
        opening.text = "other"  # type: ignore[attr-defined]


def test_every_opening_says_what_a_person_calls_it() -> None:
    names = [kind.name for kind in BUILT_IN]
    assert len(set(names)) == len(names) == len(EXAMPLES)


def test_one_of_your_own_is_a_class_with_one_method() -> None:
    @dataclass(frozen=True)
    class Question(rt.Opening):
        text: str

        def events(self, session: dict[str, Any]) -> list[dict[str, Any]]:
            return [
                rt.events.item_create(rt.events.user_text(self.text)),
                rt.events.response_create(),
            ]

    with rt.Session(rt.Simulated(where="memory", latency="none"), Question("Who are you?")) as s:
        assert s.opening_reply is not None and s.opening_reply.text
        assert s.conversation.items[0].text == "Who are you?"


def test_an_opening_can_react_later() -> None:
    @dataclass(frozen=True)
    class Tidy(rt.ModelGreeting):
        def react(self, event: dict[str, Any]) -> list[dict[str, Any]]:
            if event["type"] != "response.done":
                return []
            return [rt.events.item_delete(item["id"]) for item in event["response"]["output"]]

    with rt.Session(rt.Simulated(where="memory", latency="none"), Tidy()) as s:
        s.wait_for("conversation.item.deleted", timeout=5)
        assert s.conversation.items == []
    assert "Later: nothing." not in str(Tidy())


def test_an_opening_can_react_to_what_was_heard() -> None:
    @dataclass(frozen=True)
    class Restore(rt.ModelGreeting):
        def react(self, event: dict[str, Any]) -> list[dict[str, Any]]:
            done = event["type"] == "playback.heard" and event["done"]
            return [rt.events.session_update(instructions="The greeting is over.")] if done else []

    async def scene() -> str:
        async with rt.AsyncSession(rt.Simulated("none", where="memory"), Restore()) as s:
            s.record({"type": "playback.heard", "item_id": "item_1", "ms": 900, "done": True})
            await s.settled()
            while s.conversation.session["instructions"] != "The greeting is over.":
                await s.wait_for("session.updated", timeout=5)
            return s.log.where(type="playback.heard")[0].direction

    assert asyncio.run(scene()) == "local"
