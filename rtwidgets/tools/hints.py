"""From a type hint to a shape: its JSON schema, and what the hint promises for a JSON value.

Written here and not taken from pydantic: loading that takes 70 to 110 ms and its first schema
another 30, its schemas come with `$ref`, `title` and `anyOf` that a voice model has no use for, and
it would be one more package in every notebook. Where a function asks for a pydantic model, that
model's own schema and its own checks are used.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import math
import operator
import types
import typing
from collections import abc
from collections.abc import Callable, Mapping
from typing import Any, Union

from ..events import Event
from .documentation import documented
from .models import model_shape
from .shapes import NoShape, Shape, Unfit, described, fields_of, name_of, object_schema, told, unfit


def shape_of(hint: Any) -> Shape:
    """The shape of a type hint. Raises NoShape."""
    return _shape(hint, ())


# ---------------------------------------------------------------- one hint


def _shape(hint: Any, inside: tuple[Any, ...]) -> Shape:
    """The same; `inside`: the classes that this one is a field of."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _annotated(arguments[0], arguments[1:], inside)
    if hasattr(hint, "__supertype__"):  # NewType
        return _shape(hint.__supertype__, inside)
    if hasattr(hint, "__value__") and not isinstance(hint, type):  # type X = …
        return _shape(hint.__value__, inside)
    if hint is Any or hint is object:
        return Shape({}, lambda value, place: value)
    if _is_hashable(hint) and hint in _PLAIN:
        return _PLAIN[hint]
    if origin is typing.Literal:
        return _choice({value: value for value in arguments}, hint)
    if origin in (Union, types.UnionType):
        return _union([_shape(each, inside) for each in arguments])
    if (origin or hint) in _LISTS:
        return _list(hint, origin or hint, arguments, inside)
    if (origin or hint) in _DICTS:
        return _dict(hint, arguments, inside)
    if isinstance(hint, type):
        return _class(hint, inside)
    raise NoShape(f"{name_of(hint)} has no form in JSON")


def _class(kind: type, inside: tuple[Any, ...]) -> Shape:
    if kind in inside:
        raise NoShape(f"{kind.__name__} holds itself; write out one level, or take a dict")
    if issubclass(kind, enum.Enum):
        return _enumeration(kind)
    if hasattr(kind, "model_json_schema") and hasattr(kind, "model_validate"):
        return model_shape(kind)
    if typing.is_typeddict(kind):
        return _record(kind, _needed(kind), dict, inside)
    if dataclasses.is_dataclass(kind):
        fields = [field for field in dataclasses.fields(kind) if field.init]
        missing = dataclasses.MISSING
        needed = {
            field.name
            for field in fields
            if field.default is missing and field.default_factory is missing
        }
        return _record(kind, needed, kind, inside, [field.name for field in fields])
    raise NoShape(f"{name_of(kind)} has no form in JSON")


def _is_hashable(hint: Any) -> bool:
    return getattr(hint, "__hash__", None) is not None  # [str] is not, where list[str] was meant


def _kinds(kind: type, value_is: Callable[[Any], bool], schema: str, wanted: str) -> Shape:
    def read(value: Any, place: str) -> Any:
        if not value_is(value):
            raise unfit(place, wanted, value)
        return None if value is None else kind(value)

    return Shape({"type": schema}, read)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    """JSON knows one kind of number: 3.0 is a whole one."""
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


def _is_finite(value: Any) -> bool:
    try:
        return _is_number(value) and math.isfinite(value)
    except OverflowError:
        return False  # a whole number greater than any float


def _moment(kind: Any, form: str, example: str) -> Shape:
    def read(value: Any, place: str) -> Any:
        try:
            return kind.fromisoformat(value)
        except (TypeError, ValueError):
            raise unfit(place, f"written like {example}", value) from None

    return Shape({"type": "string", "format": form}, read)


_PLAIN: dict[Any, Shape] = {
    str: _kinds(str, lambda value: isinstance(value, str), "string", "a text"),
    bool: _kinds(bool, lambda value: isinstance(value, bool), "boolean", "true or false"),
    int: _kinds(int, _is_whole, "integer", "a whole number"),
    float: _kinds(float, _is_finite, "number", "a number"),
    None: _kinds(type(None), lambda value: value is None, "null", "null"),
    type(None): _kinds(type(None), lambda value: value is None, "null", "null"),
    datetime.date: _moment(datetime.date, "date", '"2026-11-22"'),
    datetime.time: _moment(datetime.time, "time", '"14:30"'),
    datetime.datetime: _moment(datetime.datetime, "date-time", '"2026-11-22T14:30"'),
}
_LISTS = (
    list, tuple, abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection,
)  # fmt: skip
_DICTS = (dict, abc.Mapping, abc.MutableMapping)

# ---------------------------------------------------------------- of several values


def _list(hint: Any, origin: Any, arguments: tuple[Any, ...], inside: tuple[Any, ...]) -> Shape:
    if origin is tuple:
        if len(arguments) != 2 or arguments[1] is not Ellipsis:
            raise NoShape(f"{name_of(hint)} has no form in JSON; write list[…] or a dataclass")
        arguments = arguments[:1]
    item = _shape(arguments[0], inside) if arguments else Shape({}, lambda value, place: value)
    kind = tuple if origin is tuple else list

    def read(value: Any, place: str) -> Any:
        if not isinstance(value, list):
            raise unfit(place, "a list", value)
        return kind([item.read(each, f"{place}[{at}]") for at, each in enumerate(value)])

    return Shape({"type": "array", **({"items": item.schema} if arguments else {})}, read)


def _dict(hint: Any, arguments: tuple[Any, ...], inside: tuple[Any, ...]) -> Shape:
    if arguments and arguments[0] not in (str, Any):
        raise NoShape(f"{name_of(hint)}: JSON's keys are text; write dict[str, …]")
    if not arguments:
        return _kinds(dict, lambda value: isinstance(value, dict), "object", "an object")
    inner = _shape(arguments[1], inside)

    def read(value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            raise unfit(place, "an object", value)
        return {name: inner.read(each, f"{place}.{name}") for name, each in value.items()}

    return Shape({"type": "object", "additionalProperties": inner.schema}, read)


def _record(
    kind: type,
    needed: abc.Collection[str],
    make: Callable[..., Any],
    inside: tuple[Any, ...],
    names: list[str] | None = None,
) -> Shape:
    """An object with named fields: a dataclass or a TypedDict."""
    hints = _hints(kind)
    told = documented(kind.__doc__ or "").parameters
    shapes = {}
    for name in names or hints:
        try:
            shapes[name] = described(_shape(_bare(hints[name]), (*inside, kind)), told.get(name))
        except NoShape as reason:
            raise NoShape(f"{kind.__name__}.{name}: {reason}") from None

    def read(value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            raise unfit(place, "an object", value)
        fields = fields_of(value, shapes, needed, f"{place}.")
        try:
            return make(**fields)
        except (TypeError, ValueError) as reason:  # a check of the class's own
            raise Unfit(f"{place}: {reason}") from None

    return Shape(object_schema(shapes, needed), read)


def _hints(kind: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except NameError as unknown:
        raise NoShape(f"{kind.__name__} names a type that is not there: {unknown}") from None


def _needed(kind: Any) -> frozenset[str]:
    """The fields that a TypedDict must have. Its own list of them counts what a module that has
    its annotations as strings marks as NotRequired."""
    marks = {name: typing.get_origin(hint) for name, hint in _hints(kind).items()}
    optional = {name for name, mark in marks.items() if mark is typing.NotRequired}
    marked = {name for name, mark in marks.items() if mark is typing.Required}
    return frozenset(kind.__required_keys__ - optional | marked)


def _bare(hint: Any) -> Any:
    """A TypedDict's field without Required or NotRequired around it."""
    while typing.get_origin(hint) in (typing.Required, typing.NotRequired):
        hint = typing.get_args(hint)[0]
    return hint


# ---------------------------------------------------------------- one of several


def _choice(choices: Mapping[Any, Any], hint: Any) -> Shape:
    """One of these JSON values, each standing for its Python value."""
    if not choices or not all(isinstance(one, str | int | float | None) for one in choices):
        raise NoShape(f"{name_of(hint)}: the choices are texts, numbers or null in JSON")
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    kinds = list(dict.fromkeys(names[type(one)] for one in choices if type(one) in names))
    wanted = " or ".join(told(one) for one in choices)

    def read(value: Any, place: str) -> Any:
        for one, meant in choices.items():
            if one == value and isinstance(one, bool) == isinstance(value, bool):
                return meant
        raise unfit(place, wanted, value)

    return Shape({"type": _one_or_all(kinds), "enum": list(choices)}, read)


def _enumeration(kind: type[enum.Enum]) -> Shape:
    """An Enum by its values, where JSON has them, else by its names."""
    plain = all(type(one.value) in (str, int, float) for one in kind)
    return _choice({one.value if plain else one.name: one for one in kind}, kind)


def _union(shapes: list[Shape]) -> Shape:
    others = [shape for shape in shapes if shape.schema != {"type": "null"}]
    optional = len(others) < len(shapes)

    def read(value: Any, place: str) -> Any:
        if optional and value is None:
            return None
        reasons = []
        for shape in others:
            try:
                return shape.read(value, place)
            except Unfit as reason:
                reasons.append(str(reason))
        raise Unfit(" or ".join(dict.fromkeys(reasons)))

    return Shape(_either([shape.schema for shape in shapes]), read)


def _either(schemas: list[Event]) -> Event:
    """The schema of one of several: `{"type": ["string", "null"]}` where that says it all."""
    if all(schema.keys() == {"type"} and isinstance(schema["type"], str) for schema in schemas):
        return {"type": _one_or_all([schema["type"] for schema in schemas])}
    rest = [schema for schema in schemas if schema != {"type": "null"}]
    if len(rest) == 1 < len(schemas) and "enum" in rest[0] and isinstance(rest[0]["type"], str):
        choice = rest[0]
        return {**choice, "type": [choice["type"], "null"], "enum": [*choice["enum"], None]}
    return {"anyOf": schemas}


def _one_or_all(kinds: list[str]) -> Any:
    return kinds[0] if len(kinds) == 1 else kinds


# ---------------------------------------------------------------- what is said beside a type

# Bounds by the names under which annotated_types and pydantic's Field hold them.
_Fits = Callable[[Any, Any], bool]
_BOUNDS: tuple[tuple[str, str, str, _Fits], ...] = (
    ("ge", "minimum", "at least", operator.ge),
    ("gt", "exclusiveMinimum", "more than", operator.gt),
    ("le", "maximum", "at most", operator.le),
    ("lt", "exclusiveMaximum", "less than", operator.lt),
)
_LENGTHS: tuple[tuple[str, str, str, _Fits], ...] = (
    ("min_length", "min", "at least", lambda value, bound: len(value) >= bound),
    ("max_length", "max", "at most", lambda value, bound: len(value) <= bound),
)


def _annotated(hint: Any, notes: tuple[Any, ...], inside: tuple[Any, ...]) -> Shape:
    shape = _shape(hint, inside)
    for note in notes:
        for one in (note, *(getattr(note, "metadata", None) or ())):
            shape = _bounded(shape, one)
        words = note if isinstance(note, str) else None
        for name in ("description", "documentation"):  # pydantic's Field, typing_extensions' Doc
            words = words or getattr(note, name, None)
        shape = described(shape, words)
    return shape


def _bounded(shape: Shape, note: Any) -> Shape:
    for name, key, words, fits in _BOUNDS:
        bound = getattr(note, name, None)
        if _is_number(bound) and shape.schema.get("type") in ("integer", "number"):
            shape = _with(shape, key, f"{words} {bound}", bound, fits)
    for name, side, words, fits in _LENGTHS:
        bound = getattr(note, name, None)
        unit = {"string": "Length", "array": "Items"}.get(str(shape.schema.get("type")))
        if isinstance(bound, int) and unit:
            shape = _with(shape, side + unit, f"of length {words} {bound}", bound, fits)
    return shape


def _with(shape: Shape, key: str, wanted: str, bound: Any, fits: _Fits) -> Shape:
    def read(value: Any, place: str) -> Any:
        inner = shape.read(value, place)
        if not fits(inner, bound):
            raise Unfit(f"{place} must be {wanted}")
        return inner

    return Shape({**shape.schema, key: bound}, read)
