"""The families of refusals, at any depth: every misuse here is made from the schema itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from simulator_driver import Event

from rtwidgets.simulator import shapes
from rtwidgets.simulator.refusals import Refusal
from rtwidgets.simulator.schema import EVENTS, check

#: A value that each simple shape takes.
SAMPLES: dict[type, Any] = {
    shapes.Text: lambda shape: "a",
    shapes.Enum: lambda shape: shape.values[0],
    shapes.Flag: lambda shape: True,
    shapes.Integer: lambda shape: shape.low or 0,
    shapes.Decimal: lambda shape: shape.low or 0,
    shapes.Anything: lambda shape: "a",
    shapes.Base64Audio: lambda shape: "AAAA",
    shapes.Picture: lambda shape: "https://example.com/a.png",
    shapes.Modalities: lambda shape: ["text"],
    shapes.FreeObject: lambda shape: {},
    shapes.Pairs: lambda shape: {},
}
#: Objects in which any name may stand.
FREE = ("parameters", "headers", "metadata", "variables")


def whole(shape: Any) -> Any:
    """All that the shape may hold, one variant of each."""
    if type(shape) in SAMPLES:
        return SAMPLES[type(shape)](shape)
    if isinstance(shape, shapes.Object):
        return {name: whole(inner) for name, inner in shape.fields.items()}
    if isinstance(shape, shapes.Tagged):
        name, inner = next(iter(shape.variants.items()))
        return {**whole(inner), shape.tag: name}
    if isinstance(shape, shapes.Array):
        return [whole(shape.of)]
    inner = [getattr(shape, name, None) for name in ("shape", "text", "array")]
    return whole(next(each for each in inner if each is not None))


def full(kind: str) -> Event:
    return {**whole(EVENTS[kind]), "type": kind}


Place = tuple[str, Any, Any]


def places(value: Any, path: str = "") -> Iterator[Place]:
    """(path as the server writes it, what holds the value, its key there) of all that is inside."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        below = f"{path}[{key}]" if isinstance(key, int) else shapes.at(path, key)
        yield below, value, key
        if isinstance(inner, (dict, list)):
            yield from places(inner, below)


def broken(kind: str) -> Iterator[tuple[Event, Place]]:
    """The event once for each place in it, so that this place may be spoilt."""
    event = full(kind)
    for number in range(len(list(places(event)))):
        mine = copy.deepcopy(event)
        yield mine, list(places(mine))[number]


def refused(event: Event) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check(event)
    return caught.value


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_with_all_that_it_may_hold_is_accepted(kind: str) -> None:
    check(full(kind))


@pytest.mark.parametrize("kind", EVENTS)
def test_an_unknown_parameter_is_refused_at_any_depth(kind: str) -> None:
    event = {**full(kind), "bogus": 1}
    assert refused(event).param == "bogus"
    for event, (path, holder, key) in broken(kind):
        if isinstance(holder[key], dict) and not path.endswith(FREE):
            holder[key]["bogus"] = 1
            refusal = refused(event)
            assert (refusal.code, refusal.param) == ("unknown_parameter", f"{path}.bogus")
            assert refusal.message == f"Unknown parameter: '{path}.bogus'."


@pytest.mark.parametrize("kind", EVENTS)
def test_another_type_is_refused_at_any_depth(kind: str) -> None:
    """A list of lists, or a number where a list is: no field takes these."""
    for event, (path, holder, key) in broken(kind):
        wrong: Any = 5 if isinstance(holder[key], list) else [[]]
        said = "an integer" if wrong == 5 else "an array"
        holder[key] = wrong
        try:
            check(event)
        except Refusal as refusal:
            assert (refusal.code, refusal.param) == ("invalid_type", path)
            assert f"Invalid type for '{path}': expected " in refusal.message
            assert refusal.message.endswith(f", but got {said} instead.")
        else:  # where anything may stand: the schema of a tool that a client lists
            assert path.endswith(("input_schema", "annotations"))


@pytest.mark.parametrize("kind", EVENTS)
def test_what_is_missing_is_refused_at_any_depth(kind: str) -> None:
    """Whatever may be left out of an object is left out; the rest is asked for by its path."""
    asked = 0
    for event, (path, holder, key) in broken(kind):
        if isinstance(holder, list):
            continue
        del holder[key]
        try:
            check(event)
        except Refusal as refusal:
            asked += 1
            if path == "type":
                assert refusal.message == "The 'type' field is missing."
            else:
                assert (refusal.code, refusal.param) == ("missing_required_parameter", path)
                assert refusal.message == f"Missing required parameter: '{path}'."
    assert asked


@pytest.mark.parametrize("kind", EVENTS)
def test_a_value_that_is_none_of_the_choices_is_refused_at_any_depth(kind: str) -> None:
    for event, (path, holder, key) in broken(kind):
        before = holder[key]
        if not isinstance(before, str) or path == "event_id":
            continue
        holder[key] = "bogus!"
        try:
            check(event)
        except Refusal as refusal:
            assert refusal.code == "invalid_value"
            assert refusal.param == path
            words = ("bogus!", "base64", "URL", "pattern")
            assert any(word in refusal.message for word in words)


LIMITS = [
    ("session.update", "session.max_output_tokens", 4097, "integer_above_max_value"),
    ("session.update", "session.audio.output.speed", 0.24, "decimal_below_min_value"),
    ("session.update", "session.audio.input.turn_detection.threshold", 1.1,
     "decimal_above_max_value"),
    ("session.update", "session.audio.input.turn_detection.idle_timeout_ms", 30_001,
     "integer_above_max_value"),
    ("conversation.item.truncate", "audio_end_ms", -1, "integer_below_min_value"),
    ("conversation.item.truncate", "content_index", 1, "integer_above_max_value"),
    ("conversation.item.create", "item.id", "i" * 33, "string_above_max_length"),
    ("response.create", "event_id", "e" * 513, "string_above_max_length"),
    ("response.create", "response.max_output_tokens", 0, "integer_below_min_value"),
    ("response.create", "response.metadata", {"k": "v" * 513}, "string_above_max_length"),
    ("response.create", "response.metadata", {"k" * 65: "v"}, "property_name_above_max_length"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value", "code"), LIMITS)
def test_what_is_too_much_or_too_little_is_refused(
    kind: str, path: str, value: Any, code: str
) -> None:
    event = full(kind)
    holder, key = next((holder, key) for where, holder, key in places(event) if where == path)
    holder[key] = value
    refusal = refused(event)
    inner = f".{next(iter(value))}" if isinstance(value, dict) else ""
    assert (refusal.code, refusal.param) == (code, path + inner)


def session(**fields: Any) -> Event:
    return {"type": "session.update", "session": {"type": "realtime", **fields}}


def item(**fields: Any) -> Event:
    return {"type": "conversation.item.create", "item": {"type": "message", **fields}}


#: What a type is called, as captured of OpenAI's interfaces: what was sent, what was expected.
EXPECTED = [
    (session(audio={"input": {"format": "pcm16"}}), "an object, but got a string"),
    (session(truncation=[]), "one of one of 'auto' or 'disabled' or object, but got an array"),
    (session(tool_choice=7), "one of one of 'auto', 'none', or 'required' or object, but got "
     "an integer"),
    (session(tools={}), "an array of objects, but got an object"),
    (session(output_modalities="text"), "an array of one of 'text' or 'audio', but got a string"),
    (session(tools=[{"type": "mcp", "server_label": "a", "allowed_tools": 5}]),
     "one of an array of strings or object, but got an integer"),
    (session(tools=[{"type": None, "name": "a"}]), "one of 'function' or 'mcp', but got null"),
    (session(audio={"input": {"noise_reduction": {"type": 5}}}),
     "one of 'near_field' or 'far_field', but got an integer"),
    (session(include="x"), "an array of 'ite...obs', but got a string"),
    (item(role="user", content="Hello"), "an array of objects, but got a string"),
    ({"type": "response.create", "response": {"metadata": "x"}},
     "a metadata object, but got a string"),
    ({"type": "response.create", "response": {"conversation": {}}},
     "one of 'auto' or 'none', but got an object"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "words"), EXPECTED, ids=lambda value: str(value)[-50:])
def test_what_was_expected_is_called_as_the_server_calls_it(event: Event, words: str) -> None:
    refusal = refused(event)
    assert refusal.code == "invalid_type"
    assert f": expected {words} instead." in refusal.message


def test_a_tool_has_a_name_without_dots_and_blanks() -> None:
    for name in ("pos.add_item", "add item", "", "add\n"):
        refusal = refused(session(tools=[{"type": "function", "name": name}]))
        assert (refusal.code, refusal.param) == ("invalid_value", "session.tools[0].name")
        assert refusal.message == (
            "Invalid 'session.tools[0].name': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        )
    check(session(tools=[{"type": "function", "name": "get-weather_2"}]))


def test_of_several_faults_the_missing_comes_first_and_the_unknown_next() -> None:
    holder: Event = {"instructions": 5, "bogus": 1}
    assert refused({"type": "session.update", "session": holder}).param == "session.type"
    assert refused(session(**holder)).param == "session.bogus"
    assert refused(session(instructions=5)).param == "session.instructions"


def test_a_name_that_is_too_long_is_repeated_in_short() -> None:
    event = {"type": "response.create", "response": {"metadata": {"k" * 65: "v"}}}
    assert refused(event).message == (
        "Invalid property name in 'response.metadata': 'kkk...kkk' is too long. Expected a string "
        "with maximum length 64, but got a string with length 65 instead."
    )
