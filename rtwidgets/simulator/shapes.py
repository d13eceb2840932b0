"""The words of `schema.py`: what a JSON value may look like, and how each shape refuses.

A shape's `check(value, path)` returns nothing or raises the `Refusal` that the
server would send; `path` is the server's own way to name a place
(`item.content[0].type`). Shapes hold no state: one description serves all sessions.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import refusals


class Shape(Protocol):
    """Anything that can look at a value and refuse it. `name` is used in 'expected …'.

    How names are put together (`one of a string or array of objects`) is captured on OpenAI's
    other interfaces.
    """

    @property
    def name(self) -> str: ...

    def check(self, value: Any, path: str) -> None: ...


def at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def many(shape: Shape) -> str:
    """`objects`, `strings`: what an array of this shape is called an array of."""
    article, _, noun = shape.name.rpartition(" ")
    return f"{noun}s" if article in ("a", "an") else shape.name


def either(one: Shape, other: Shape) -> str:
    """`one of a string or object`: only the first has its article."""
    return f"one of {one.name} or {re.sub('^an? ', '', other.name)}"


@dataclass(frozen=True)
class Text:
    """A string; `pattern` is a regular expression for the whole of it."""

    max: int | None = None
    pattern: str | None = None
    name: str = "a string"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise refusals.wrong_type(path, self.name, value)
        if self.max is not None and len(value) > self.max:
            raise refusals.string_too_long(path, self.max, len(value))
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise refusals.pattern_mismatch(path, self.pattern)


@dataclass(frozen=True)
class Flag:
    name: str = "a boolean"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, bool):
            raise refusals.wrong_type(path, self.name, value)


@dataclass(frozen=True)
class Integer:
    low: int | None = None
    high: int | None = None
    name: str = "an integer"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise refusals.wrong_type(path, self.name, value)
        within(value, self.low, self.high, path, "integer")


@dataclass(frozen=True)
class Decimal:
    low: float | None = None
    high: float | None = None
    name: str = "a decimal"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise refusals.wrong_type(path, self.name, value)
        within(value, self.low, self.high, path, "decimal")


def within(value: float, low: float | None, high: float | None, path: str, kind: str) -> None:
    if low is not None and value < low:
        raise refusals.below(path, kind, low, value)
    if high is not None and not value <= high:  # so that NaN is refused too
        raise refusals.above(path, kind, high, value)


@dataclass(frozen=True)
class Enum:
    """One of some strings. `also` are taken without being named in a refusal."""

    values: Sequence[str]
    also: Sequence[str] = ()

    @property
    def name(self) -> str:
        return refusals.alternatives(self.values)

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise refusals.wrong_type(path, self.name, value)
        if value not in self.values and value not in self.also:
            raise refusals.invalid_value(value, self.values, path)


@dataclass(frozen=True)
class Base64Audio:
    """Base64 bytes; `max` counts characters of the base64."""

    max: int
    name: str = "a string"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise refusals.wrong_type(path, self.name, value)
        if not value:
            raise refusals.invalid_audio(path, "empty bytes")
        if len(value) > self.max:
            raise refusals.string_too_long(path, self.max, len(value))
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise refusals.invalid_audio(path, "an invalid value") from None


@dataclass(frozen=True)
class Picture:
    """Where an image is: in the value itself (a data URI), or at an https address."""

    name: str = "a string"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise refusals.wrong_type(path, self.name, value)
        scheme, colon, rest = value.partition(":")
        in_itself = scheme.lower() == "data" and "," in rest
        elsewhere = scheme.lower() == "https" and rest.startswith("//") and rest.strip("/")
        if not (colon and (in_itself or elsewhere)):
            raise refusals.invalid_address(path)


@dataclass(frozen=True)
class Anything:
    name: str = "a value"

    def check(self, value: Any, path: str) -> None:
        return None


@dataclass(frozen=True)
class Nullable:
    shape: Shape

    @property
    def name(self) -> str:
        return self.shape.name

    def check(self, value: Any, path: str) -> None:
        if value is not None:
            self.shape.check(value, path)


@dataclass(frozen=True)
class Array:
    of: Shape

    @property
    def name(self) -> str:
        return f"an array of {many(self.of)}"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise refusals.wrong_type(path, self.name, value)
        for index, element in enumerate(value):
            self.of.check(element, f"{path}[{index}]")


@dataclass(frozen=True)
class Modalities:
    """GA takes ['text'] or ['audio'], never both, and says so in words of its own."""

    of: Array = Array(Enum(("text", "audio")))

    @property
    def name(self) -> str:
        return self.of.name

    def check(self, value: Any, path: str) -> None:
        self.of.check(value, path)
        if len(value) != 1:
            raise refusals.invalid_modalities(value, path)


@dataclass(frozen=True)
class Object:
    """Named fields. The names in `required` are asked for in that order.

    Of several faults the server tells one: what is missing, then what is unknown, then the rest
    (measured on OpenAI's other interfaces).
    """

    fields: Mapping[str, Shape]
    required: Sequence[str] = ()
    name: str = "an object"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise refusals.wrong_type(path, self.name, value)
        for key in self.required:
            if key not in value:
                raise refusals.missing(at(path, key))
        for key in value:
            if key not in self.fields:
                raise refusals.unknown(at(path, key))
        for key, inner in value.items():
            self.fields[key].check(inner, at(path, key))


@dataclass(frozen=True)
class FreeObject:
    """Any object: a JSON schema, variables of a prompt."""

    name: str = "an object"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise refusals.wrong_type(path, self.name, value)


@dataclass(frozen=True)
class Pairs:
    """A free object of strings, bounded in number and length (metadata)."""

    most: int
    key_max: int
    value_max: int
    name: str = "a metadata object"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise refusals.wrong_type(path, self.name, value)
        if len(value) > self.most:
            raise refusals.too_many_properties(path, self.most, len(value))
        for key, inner in value.items():
            if len(key) > self.key_max:
                raise refusals.property_name_too_long(path, self.key_max, key)
            Text(self.value_max).check(inner, at(path, key))


@dataclass(frozen=True)
class Tagged:
    """An object whose `tag` field decides which shape the rest has.

    `unlisted` variants are accepted though the server's own refusal does not
    name them (a user's input_image). `refused` variants are looked at, so that
    what is missing in them is said first, and then refused all the same: the
    server asks an assistant's `output_audio` for its `text` and takes it no more for that.
    """

    tag: str
    variants: Mapping[str, Shape]
    unlisted: Mapping[str, Shape] = field(default_factory=dict)
    refused: Mapping[str, Shape] = field(default_factory=dict)
    name: str = "an object"

    def check(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise refusals.wrong_type(path, self.name, value)
        place = at(path, self.tag)
        if self.tag not in value:
            raise refusals.missing(place)
        chosen = value[self.tag]
        if not isinstance(chosen, str):
            raise refusals.wrong_type(place, refusals.alternatives(list(self.variants)), chosen)
        shape = self.variants.get(chosen) or self.unlisted.get(chosen)
        if shape is None:
            if chosen in self.refused:
                self.refused[chosen].check(value, path)
            raise refusals.invalid_value(chosen, list(self.variants), place)
        shape.check(value, path)


@dataclass(frozen=True)
class Either:
    """A string or something else: the JSON type decides which shape speaks."""

    text: Shape
    other: Shape

    @property
    def name(self) -> str:
        return either(self.text, self.other)

    def check(self, value: Any, path: str) -> None:
        if isinstance(value, str):
            return self.text.check(value, path)
        try:
            self.other.check(value, path)
        except refusals.Refusal as refusal:
            if refusal.code == "invalid_type" and refusal.param == path:
                raise refusals.wrong_type(path, self.name, value) from None
            raise


@dataclass(frozen=True)
class ListOr:
    """An array, or something else: the JSON type decides which shape speaks."""

    array: Array
    other: Shape

    @property
    def name(self) -> str:
        return either(self.array, self.other)

    def check(self, value: Any, path: str) -> None:
        if isinstance(value, list):
            return self.array.check(value, path)
        if not isinstance(value, dict):
            raise refusals.wrong_type(path, self.name, value)
        self.other.check(value, path)
