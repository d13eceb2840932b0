"""What is accepted: everything the official types can say, and nothing they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from simulator_driver import Event, assistant_text, respond, update, user_text

from rtwidgets.simulator.refusals import Refusal, listed
from rtwidgets.simulator.schema import EVENTS, check
from rtwidgets.simulator.shapes import Object, Tagged

TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
VAD = {"type": "server_vad"}
MCP = {"type": "mcp", "server_label": "s", "server_url": "https://example.com"}

ACCEPTED: list[Event] = [
    update(),
    update(output_modalities=["text"], instructions="", tools=[TOOL, MCP], tool_choice="none"),
    update(tool_choice={"type": "function", "name": "f"}, max_output_tokens="inf"),
    update(max_output_tokens=4096, truncation="disabled", tracing=None, prompt=None, include=None),
    update(truncation={"type": "retention_ratio", "retention_ratio": 0.8}),
    update(tracing={"workflow_name": "w", "metadata": {"a": 1}}, parallel_tool_calls=True),
    update(include=["item.input_audio_transcription.logprobs"], reasoning={"effort": "high"}),
    update(
        audio={
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "transcription": {"model": "whisper-1", "language": "en", "delay": "low"},
                "noise_reduction": {"type": "near_field"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.4,
                    "prefix_padding_ms": 0,
                    "silence_duration_ms": 700,
                    "idle_timeout_ms": 6000,
                    "create_response": False,
                    "interrupt_response": False,
                },
            },
            "output": {"format": {"type": "audio/pcmu"}, "voice": {"id": "voice_1"}, "speed": 0.5},
        }
    ),
    user_text("hello", id="item_1", status="completed", object="realtime.item"),
    assistant_text("hello", phase="final_answer"),
    {**user_text("x"), "previous_item_id": None, "event_id": "e" * 512},
    {"type": "response.create", "event_id": None, "response": None},  # semantic-kernel
    {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": [
            {"type": "input_audio", "audio": "AAAA", "transcript": "x"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        ]},
    },
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "call_1"},
    },
    respond(
        conversation="none",
        input=[{"type": "item_reference", "id": "x"}, user_text("y")["item"]],
        instructions=None,
        audio={"output": {"voice": "sage", "format": {"type": "audio/pcma"}}},
        metadata={"topic": "x"},
    ),
    {"type": "response.create", "response": None},
    {"type": "response.cancel", "response_id": "resp_1"},
]  # fmt: skip


@pytest.mark.parametrize("event", ACCEPTED, ids=lambda event: str(event)[:60])
def test_is_accepted(event: Event) -> None:
    check(event)


#: (event, code, param): a misuse of every kind of shape.
REFUSED: list[tuple[Any, str | None, str | None]] = [
    ({}, "invalid_event", None),
    ({"type": 5}, "invalid_type", "type"),
    ({"type": "output_audio_buffer.clear"}, "invalid_value", "type"),
    ({"type": "response.cancel", "event_id": "e" * 513}, "string_above_max_length", "event_id"),
    (update(modalities=["text"]), "unknown_parameter", "session.modalities"),
    (update(temperature=1), "unknown_parameter", "session.temperature"),
    (update(output_modalities=[]), "invalid_value", "session.output_modalities"),
    (update(output_modalities=["smell"]), "invalid_value", "session.output_modalities[0]"),
    (update(max_output_tokens=0), "integer_below_min_value", "session.max_output_tokens"),
    (update(max_output_tokens="lots"), "invalid_value", "session.max_output_tokens"),
    (update(max_output_tokens=[]), "invalid_type", "session.max_output_tokens"),
    (update(tool_choice=[]), "invalid_type", "session.tool_choice"),
    (update(audio={"output": {"voice": "nova"}}), "invalid_value", "session.audio.output.voice"),
    (
        update(audio={"input": {"turn_detection": {"type": "none"}}}),
        "invalid_value",
        "session.audio.input.turn_detection.type",
    ),
    (
        update(audio={"input": {"turn_detection": {**VAD, "create_response": None}}}),
        "invalid_type",
        "session.audio.input.turn_detection.create_response",
    ),
    (update(audio={"input": {"noise_reduction": "near_field"}}), "invalid_type",
     "session.audio.input.noise_reduction"),
    (user_text("x", id="i" * 33), "string_above_max_length", "item.id"),
    (user_text("x", content="x"), "invalid_type", "item.content"),
    ({"type": "conversation.item.create", "item": {"type": "item_reference", "id": "x"}},
     "invalid_value", "item.type"),
    (respond(input=[{"type": "message", "role": "user"}]), "missing_required_parameter",
     "response.input[0].content"),
    (respond(conversation="maybe"), "invalid_value", "response.conversation"),
    (respond(metadata={"a": 5}), "invalid_type", "response.metadata.a"),
    (respond(audio={"output": {"speed": 1.0}}), "unknown_parameter", "response.audio.output.speed"),
    ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
    ({"type": "input_audio_buffer.append", "audio": ""}, "invalid_value", "audio"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "code", "param"), REFUSED, ids=lambda value: str(value)[:60])
def test_is_refused(event: Event, code: str | None, param: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        check(event)
    assert (caught.value.code, caught.value.param) == (code, param)


def test_choices_are_listed_as_the_server_lists_them() -> None:
    assert listed(["a", "b"]) == "'a' and 'b'"
    assert listed(["a", "b", "c"]) == "'a', 'b', and 'c'"


def objects(shape: Any) -> list[Object]:
    """The objects a shape may take, whatever stands around them."""
    if isinstance(shape, Object):
        return [shape]
    if isinstance(shape, Tagged):
        variants = [*shape.variants.values(), *shape.unlisted.values(), *shape.refused.values()]
        return [found for variant in variants for found in objects(variant)]
    inner = [getattr(shape, name, None) for name in ("shape", "of", "other")]
    return [found for one in inner if one is not None for found in objects(one)]


def official(annotation: Any) -> list[Any]:
    """The official models in a type annotation."""
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [found for inner in get_args(annotation) for found in official(inner)]


def refused_fields(model: Any, shape: Any, path: str) -> Iterator[str]:
    """Fields of an official model, at any depth, that the schema would call unknown."""
    known = objects(shape)
    for name, field in model.model_fields.items():
        name = field.alias or name
        shapes = [found.fields[name] for found in known if name in found.fields]
        if known and not shapes:
            yield f"{path}.{name}"
        for inner in official(field.annotation):
            for candidate in shapes:
                if objects(candidate):
                    yield from refused_fields(inner, candidate, f"{path}.{name}")


#: One class stands there for the content of every role; each role takes what is its own (§1.4).
ANY_ROLE = {"audio", "transcript", "image_url", "detail"}
#: A transcription session has no voice.
NOT_IN_ALL = {"session.update.session.audio.output"}


@pytest.mark.parametrize("kind", EVENTS)
def test_the_official_types_hold_no_field_that_is_refused(kind: str) -> None:
    realtime = pytest.importorskip("openai.types.realtime")
    parts = "".join(part.capitalize() for part in kind.replace(".", "_").split("_"))
    event = getattr(realtime, f"{parts}Event", None)
    if event is None:
        assert kind.startswith("session.")  # known from the live server's list only
        return
    found = set(refused_fields(event, EVENTS[kind], kind)) - NOT_IN_ALL
    assert not {path for path in found if ".content." not in path}
    assert {path.rpartition(".")[2] for path in found} <= ANY_ROLE
