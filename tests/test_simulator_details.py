"""Details that a reader of bills, schemas and closings would notice."""

from __future__ import annotations

from typing import Any

import pytest

from rtwidgets.simulator.jobs import Heard, Question
from rtwidgets.simulator.replies import BuiltInBrain
from rtwidgets.simulator.toolcalls import arguments
from tests.simulator_driver import (
    Desk,
    Event,
    Says,
    hum,
    respond,
    silence,
    update,
    user_text,
)

TOOL: Event = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
DICE: Event = {"type": "mcp", "server_label": "dice", "server_url": "https://example.com/mcp"}


def usages(desk: Desk) -> list[Event]:
    return [e["response"]["usage"] for e in desk.events if e["type"] == "response.done"]


def spoken_turn(desk: Desk, milliseconds: int = 1000) -> list[Event]:
    return desk.send(hum(milliseconds), silence(1000))


# --- the bill


def test_cached_tokens_come_in_steps_of_64_and_are_part_of_the_input() -> None:
    desk = Desk(voice_ms=4000)
    for _ in range(6):
        spoken_turn(desk, 3000)
    seen = set()
    for usage in usages(desk):
        details = usage["input_token_details"]
        cached = details["cached_tokens_details"]
        assert details["cached_tokens"] == sum(cached.values())
        for kind, count in cached.items():
            assert count % 64 == 0
            assert count <= details[kind]
        seen.add(cached["audio_tokens"])
    assert {0, 64} < seen


class Knows:
    def words(self, heard: Heard) -> str:
        return "What a great many words there are in this one short turn of mine"


def test_a_spoken_turn_is_billed_for_its_sound_alone() -> None:
    """Its words cost nothing more, and that they come later does not break the cache."""
    told, untold = (Desk(transcriber=knows, voice_ms=4000) for knows in (Knows(), None))
    for desk in (told, untold):
        desk.send(update(instructions="Be brief."), user_text("word " * 200))
        spoken_turn(desk)
        desk.brain = Says("Yes.")
        spoken_turn(desk)
    first, other = (usages(desk)[0]["input_token_details"] for desk in (told, untold))
    assert first["text_tokens"] == other["text_tokens"]
    assert usages(told)[1]["input_token_details"]["cached_tokens"] >= 192


def test_a_retention_ratio_cuts_only_where_the_context_is_too_long() -> None:
    desk = Desk(brain=Says("Well."), voice_ms=100)
    limits = {"post_instructions": 400}
    ratio = {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": limits}
    desk.send(update(output_modalities=["text"], truncation=ratio))
    for _ in range(12):
        desk.send(user_text("word " * 40), respond())
    sizes = [usage["input_tokens"] for usage in usages(desk)]
    falls = sum(after < before for before, after in zip(sizes, sizes[1:], strict=False))
    assert 1 <= falls <= 3
    cached = [usage["input_token_details"]["cached_tokens"] for usage in usages(desk)]
    assert max(cached[-4:]) >= 256


# --- tools


def test_an_empty_list_of_tools_switches_the_tools_of_the_session_off() -> None:
    brain = Says("Well.")
    desk = Desk(brain=brain)
    desk.send(update(tools=[TOOL, {**DICE, "require_approval": "never"}]))
    desk.send(respond(tools=[]))
    desk.send(respond())
    asked = [[tool["name"] for tool in question.tools] for question in brain.asked]
    assert asked == [[], ["get_weather", "roll"]]


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ({"type": ["string", "null"]}, "Lima"),
        ({"type": ["null", "integer"]}, 1),
        ({"type": ["null"]}, None),
        ({"type": []}, "Lima"),
        ({"type": {}}, "Lima"),
        ({"type": 5}, "Lima"),
        ({"type": "string", "enum": 5}, "Lima"),
        ({"type": "string", "enum": {"a": 1}}, "Lima"),
        ({"enum": []}, "Lima"),
        ([], "Lima"),
    ],
)
def test_any_schema_gets_arguments(shape: Any, value: Any) -> None:
    parameters = {"type": "object", "properties": {"city": shape}, "required": ["city"]}
    found = arguments("weather in Lima", {**TOOL, "parameters": parameters})
    assert found == {"city": value}
    assert arguments("in Lima", {**TOOL, "parameters": {**parameters, "required": []}})
    loose = {**TOOL, "parameters": {**parameters, "required": 5}}
    question = Question("", tools=(loose,), tool_choice="required")
    assert BuiltInBrain().answer(question).calls
