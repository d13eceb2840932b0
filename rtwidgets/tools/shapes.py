"""What a value looks like as JSON: its schema, and the reading that checks it."""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..events import Event


class NoShape(Exception):
    """A type that JSON cannot write; says which, and what to write instead."""


class Unfit(Exception):
    """A value that does not fit; the message is for the model to read."""


@dataclass(frozen=True)
class Shape:
    """What a value looks like as JSON.

    Attributes:
        schema: its JSON schema.
        read: gives the Python value for a JSON value and its place, or raises Unfit.
    """

    schema: Event
    read: Callable[[Any, str], Any]


def described(shape: Shape, words: Any) -> Shape:
    """The shape with a description, unless it has one."""
    if not isinstance(words, str) or not words or "description" in shape.schema:
        return shape
    return Shape({**shape.schema, "description": words}, shape.read)


def unfit(place: str, wanted: str, value: Any) -> Unfit:
    """`place` must be `wanted` and is something else."""
    return Unfit(f"{place} must be {wanted}, not {told(value)}")


def object_schema(shapes: Mapping[str, Shape], needed: abc.Collection[str]) -> Event:
    """The schema of an object with these fields and no others."""
    return {
        "type": "object",
        "properties": {name: shape.schema for name, shape in shapes.items()},
        "required": [name for name in shapes if name in needed],
        "additionalProperties": False,
    }


def fields_of(
    given: Event, shapes: Mapping[str, Shape], needed: abc.Collection[str], place: str = ""
) -> Event:
    """The fields of an object, each read. Raises Unfit with everything that is wrong with them."""
    wrong = [f"{place}{name} is missing" for name in shapes if name in needed and name not in given]
    known = ", ".join(shapes) or "none"
    wrong += [
        f"there is no {place}{short(name)} (there are: {known})"
        for name in given
        if name not in shapes
    ]
    read = {}
    for name in (name for name in shapes if name in given):
        try:
            read[name] = shapes[name].read(given[name], place + name)
        except Unfit as reason:
            wrong.append(str(reason))
    if wrong:
        raise Unfit("; ".join(wrong))
    return {name: read[name] for name in shapes if name in read}


# ---------------------------------------------------------------- words


def name_of(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def told(value: Any) -> str:
    """A JSON value in a few words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{short(value)}"'
    if isinstance(value, int | float):
        return short(_digits(value))
    return "a list" if isinstance(value, list) else "an object"


def _digits(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # thousands of digits, which Python does not write out
        return "a number of thousands of digits"


def short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
