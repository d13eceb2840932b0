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
            assert path.endswith("audio") or "bogus!" in refusal.message or "URL" in refusal.message


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
    ("response.create", "response.metadata", {"k" * 65: "v"}, "string_above_max_length"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value", "code"), LIMITS)
def test_what_is_too_much_or_too_little_is_refused(
    kind: str, path: str, value: Any, code: str
) -> None:
    event = full(kind)
    holder, key = next((holder, key) for where, holder, key in places(event) if where == path)
    holder[key] = value
    refusal = refused(event)
    assert (refusal.code, refusal.param) == (code, path)
