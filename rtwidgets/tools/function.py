"""A Python function as a tool: what the model is told of it, and its arguments checked."""

from __future__ import annotations

import functools
import inspect
import json
import math
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, overload

from ..errors import Misuse
from ..events import Event
from .documentation import documented
from .hints import shape_of
from .shapes import NoShape, Shape, Unfit, described, fields_of, object_schema

TIMEOUT = 20.0
"""Seconds that a tool has where nothing else is said: in a spoken conversation already long."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_WRITE = (
    "Write one of str, int, float, bool, Literal[…], an Enum, list[…], dict[str, …], a dataclass, "
    "a TypedDict, a pydantic model, or one of these with | None."
)


@dataclass(frozen=True)
class Tool:
    """A Python function that the model may call.

    Attributes:
        definition: what the server is told, as the protocol has it.
        timeout: seconds after which the model is told that it did not finish.

    It can be called as the function itself.
    """

    function: Callable[..., Any]
    name: str
    description: str
    timeout: float
    shapes: Mapping[str, Shape] = field(repr=False)
    needed: frozenset[str] = field(repr=False)
    by_place: tuple[str, ...] = field(default=(), repr=False)  # parameters that take no name

    @property
    def definition(self) -> Event:
        described = {"description": self.description} if self.description else {}
        schema = object_schema(self.shapes, self.needed)
        return {"type": "function", "name": self.name, **described, "parameters": schema}

    @property
    def asynchronous(self) -> bool:
        """Whether it is awaited, on the session's loop, rather than run on a thread."""
        function = _unwrapped(self.function)
        call = getattr(function, "__call__", None)  # noqa: B004 - an object that is called
        return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)

    def bound(self, arguments: str) -> Callable[[], Any]:
        """The call that a model's JSON asks for, ready to be made. Raises Unfit."""
        values = fields_of(read_arguments(arguments), self.shapes, self.needed)
        places = []
        for name in self.by_place:
            if name not in values:
                break
            places.append(values.pop(name))
        stray = [name for name in self.by_place if name in values]
        if stray:
            raise Unfit(f"{stray[0]} cannot be given without the parameters before it")
        return functools.partial(self.function, *places, **values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


@overload
def tool(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float | None = None,
) -> Tool: ...
@overload
def tool(
    function: None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """A Python function as a tool, with other than the usual options; also a decorator.

    Args:
        function: its name, docstring and type hints are what the model is told. A parameter whose
            name begins with an underscore is not shown to the model.
        name: what the model calls it by.
        description: what it is told, instead of the docstring.
        timeout: seconds it has, 20 by default.

    Raises Misuse for a function that cannot be told in a JSON schema, saying what to write.
    """
    if function is None:
        return functools.partial(_tool_of, name=name, description=description, timeout=timeout)
    return _tool_of(function, name=name, description=description, timeout=timeout)


def _tool_of(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float | None = None,
) -> Tool:
    if isinstance(function, Tool):
        made = function
    else:
        made = _read(function, name)
    changes: dict[str, Any] = {} if name is None else {"name": checked_name(name)}
    if description is not None:
        changes["description"] = description
    if timeout is not None:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):
            raise Misuse(f"timeout is a number of seconds, not {timeout!r}.")
        if not (math.isfinite(timeout) and timeout > 0):
            raise Misuse(f"timeout is a number of seconds greater than 0, not {timeout!r}.")
        changes["timeout"] = float(timeout)
    return replace(made, **changes)


def checked_name(name: Any) -> str:
    """A name that the service takes. Raises Misuse."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Misuse(
            f"A tool's name has 1 to 64 letters a-z, digits, _ or -; {name!r} has others. "
            'Give it one: rt.tool(function, name="…").'
        )
    return name


# ---------------------------------------------------------------- reading a function


def _read(function: Callable[..., Any], name: str | None) -> Tool:
    if not callable(function) or isinstance(function, type):
        raise Misuse(
            f"A tool is a function, or the protocol's own dict; {function!r} is neither. "
            "Define a function with type hints and give that."
        )
    inner = _unwrapped(function)
    called = name if name is not None else getattr(inner, "__name__", "")
    checked_name(called)
    told = documented(inspect.getdoc(inner if hasattr(inner, "__name__") else inner.__call__) or "")
    shapes, needed, by_place = {}, set(), []
    for each in _parameters(function, called):
        shape = _shape_of(each, inner, called)
        shape = described(shape, told.parameters.get(each.name))
        if each.default is inspect.Parameter.empty:
            needed.add(each.name)
        elif _can_be_told(each.default):
            shape = Shape({**shape.schema, "default": each.default}, shape.read)
        if each.kind is inspect.Parameter.POSITIONAL_ONLY:
            by_place.append(each.name)
        shapes[each.name] = shape
    return Tool(
        function,
        called,
        told.text,
        TIMEOUT,
        MappingProxyType(shapes),
        frozenset(needed),
        tuple(by_place),
    )


def _parameters(function: Callable[..., Any], called: str) -> list[inspect.Parameter]:
    """Those that the model gives. What a `partial` has filled already is not among them, nor what
    begins with an underscore."""
    try:
        every = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise Misuse(
            f"The parameters of {called} cannot be read. Wrap it in a function with type hints."
        ) from None
    filled = function.keywords if isinstance(function, functools.partial) else {}
    empty, wanted = inspect.Parameter.empty, []
    for each in every:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise Misuse(
                f"{called} takes {str(each).split(':')[0]}, which a model cannot be told of. "
                "Write its parameters out, each with a type."
            )
        hidden = each.name in filled or (each.name.startswith("_") and each.default is not empty)
        if not hidden:
            wanted.append(each)
    return wanted


def _shape_of(each: inspect.Parameter, inner: Callable[..., Any], called: str) -> Shape:
    if each.annotation is inspect.Parameter.empty and each.name in ("self", "cls"):
        raise Misuse(
            f"{called} is a method without its object: give that of an object, tools=[it.{called}]."
        )
    if each.annotation is inspect.Parameter.empty:
        raise Misuse(
            f"The parameter {each.name} of {called} has no type, and the model must be told one: "
            f"write {each.name}: str, for example."
        )
    try:
        return shape_of(_evaluated(each.annotation, inner))
    except NoShape as reason:
        problem = str(reason)
    except NameError as reason:
        problem = f"its type is not to be found ({reason}); define it at the top of its module"
    except Exception as reason:  # whatever an annotation written as a string may raise
        problem = f"its type {each.annotation!r} cannot be read ({reason})"
    raise Misuse(
        f"The model cannot be told of the parameter {each.name} of {called}: {problem}. {_WRITE}"
    )


class _One:
    """Something with a single annotation, so that another that cannot be read does not matter."""

    def __init__(self, annotation: Any) -> None:
        self.__annotations__ = {"it": annotation}


def _evaluated(annotation: Any, function: Any) -> Any:
    """An annotation as a type: a module may have them all as strings."""
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__globals__"):
        function = type(function).__call__  # an object that can be called
    names, around = getattr(function, "__globals__", {}), _around(function)
    hints = typing.get_type_hints(_One(annotation), names, around, include_extras=True)
    return hints["it"]


def _around(function: Any) -> dict[str, Any]:
    """What a function uses of the one it is written in, as far as that has a value already."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    found = {}
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            pass  # it comes later
    return found


def _unwrapped(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _can_be_told(default: Any) -> bool:
    """Whether a default is worth telling: None says only that it may be left out."""
    plain = type(default) in (str, int, bool)
    return plain or (type(default) is float and math.isfinite(default))


# ---------------------------------------------------------------- what a model writes


def read_arguments(text: str) -> Event:
    """The arguments in a model's JSON. Raises Unfit for what is none, or was cut off."""
    try:
        value = json.loads(text, parse_constant=_no_number) if text.strip() else {}
    except (ValueError, RecursionError) as reason:
        raise Unfit(f"The arguments are not JSON: {str(reason)[:200]}") from None
    if not isinstance(value, dict):
        raise Unfit('The arguments must be a JSON object, such as {"name": "value"}')
    return value


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number in JSON")


# ---------------------------------------------------------------- all tools of a session

Given = Callable[..., Any] | Mapping[str, Any]
"""What may stand in `tools=[…]`: a function, or a definition as the protocol has it."""


@dataclass(frozen=True)
class Toolbox:
    """The tools of a session.

    Attributes:
        every: all of them in the order given, functions as `Tool`.
        functions: those that are called here, by name. Calls of the others are the user's.
    """

    every: tuple[Tool | Event, ...] = ()
    functions: Mapping[str, Tool] = field(default_factory=dict)

    @property
    def definitions(self) -> list[Event]:
        """What the server is told."""
        return [each.definition if isinstance(each, Tool) else each for each in self.every]


def toolbox(given: Sequence[Given]) -> Toolbox:
    """The tools of a session. Raises Misuse for what is none, and for two of one name."""
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise Misuse("tools is a list, also of one: tools=[function].")
    every = tuple(dict(one) if isinstance(one, Mapping) else _tool_of(one) for one in given)
    names = [one.name if isinstance(one, Tool) else one.get("name") for one in every]
    for name in names:
        if name is not None and names.count(name) > 1:
            raise Misuse(f'Two tools are called {name!r}. Rename one: rt.tool(function, name="…").')
    return Toolbox(every, {one.name: one for one in every if isinstance(one, Tool)})
