"""A pydantic model as a tool's parameter: its own schema and its own checks.

Nothing of pydantic is imported: a model brings its methods.
"""

from __future__ import annotations

from typing import Any

from ..events import Event
from .shapes import NoShape, Shape, Unfit


def model_shape(kind: Any) -> Shape:
    """The shape of a model. Raises NoShape for one that holds itself."""
    schema = kind.model_json_schema()
    inner = _inlined(schema, schema.get("$defs", {}), ())

    def read(value: Any, place: str) -> Any:
        try:
            return kind.model_validate(value)
        except ValueError as refused:
            raise Unfit(f"{place}: {_complaints(refused)}") from None

    return Shape(inner, read)


def _complaints(refused: Any) -> str:
    """A ValidationError in a line, without the values and addresses that its own text has."""
    wrong = refused.errors() if hasattr(refused, "errors") else []
    lines = [f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in wrong]
    return "; ".join(lines) or str(refused)


def _inlined(schema: Any, definitions: Event, inside: tuple[str, ...]) -> Any:
    """A schema with what it refers to written out: it is to stand inside another one."""
    if isinstance(schema, list):
        return [_inlined(each, definitions, inside) for each in schema]
    if not isinstance(schema, dict):
        return schema
    target = schema.get("$ref")
    if isinstance(target, str):
        name = target.rpartition("/")[2]
        if name in inside or name not in definitions:
            raise NoShape(f"{name} holds itself; write out one level, or take a dict")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_inlined(definitions[name], definitions, (*inside, name)), **rest}
    return {
        key: _inlined(value, definitions, inside)
        for key, value in schema.items()
        if key != "$defs" and not (key == "title" and isinstance(value, str))
    }
