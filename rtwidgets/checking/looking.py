"""Reading shapes: what fields and kinds there are, which was meant, and where a field stands."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import Any

from . import names

Json = dict[str, Any]
Shape = Any  # one of simulator.shapes: known here by their class's name


def variants(shape: Shape) -> dict[str, Shape]:
    """The kinds of a tagged object that are accepted, by name."""
    return {**shape.variants, **shape.unlisted}


def fields_of(shape: Shape) -> dict[str, Shape]:
    """The fields that an object may have: of all its kinds, where it has kinds."""
    kind = type(shape).__name__
    if kind == "Nullable":
        return fields_of(shape.shape)
    if kind == "Either":
        return fields_of(shape.other)
    if kind == "Tagged":
        merged = {shape.tag: None}
        for one in variants(shape).values():
            merged |= {key: inner for key, inner in fields_of(one).items() if key not in merged}
        return merged
    return dict(shape.fields) if kind == "Object" else {}


def path_to(shape: Shape, key: str) -> list[str]:
    """The one way to a field of that name, or of its new name, from an object down; empty where
    there is none, or more than one."""
    renamed = names.FIELDS.get(key)
    if renamed is not None:
        way = renamed.split(".")
        return way if _leads(shape, way) else []
    ways = [way for way in _ways(shape, 4) if way[-1] == key and len(way) > 1]
    nearest_ones = [way for way in ways if len(way) == min(map(len, ways))]
    return nearest_ones[0] if len(nearest_ones) == 1 else []


def _leads(shape: Shape, way: list[str]) -> bool:
    for key in way:
        known = fields_of(shape)
        if key not in known:
            return False
        shape = known[key]
    return True


def _ways(shape: Shape, deep: int) -> Iterator[list[str]]:
    for key, inner in fields_of(shape).items():
        yield [key]
        if deep > 1 and inner is not None:
            yield from ([key, *way] for way in _ways(inner, deep - 1))


def put(value: Json, way: list[str], inner: Any) -> bool:
    """Set a field at the end of `way`, making objects on it; False where something stands there."""
    *steps, last = way
    here = value
    for step in steps:
        below = here.get(step)
        if below is not None and not isinstance(below, dict):
            return False
        here[step] = dict(below or {})
        here = here[step]
    if last in here:
        return False
    here[last] = inner
    return True


def nearest(said: str, known: list[str]) -> str | None:
    """The one of `known` that was probably meant."""
    plain = said.strip().lower()
    other = names.VALUES.get(plain)
    if other in known:
        return other
    by_case = {one.lower(): one for one in known}
    alike = difflib.get_close_matches(plain, by_case, 1, 0.6)
    return by_case[alike[0]] if alike else None


def kind_meant(shape: Shape, value: Json) -> str | None:
    """The kind of a tagged object that fits what else it says."""
    kinds, said = variants(shape), value.get(shape.tag)
    if len(kinds) == 1:
        return next(iter(kinds))
    others = value.keys() - {shape.tag}
    fitting = [name for name, kind in kinds.items() if _fits(kind, others)]
    if isinstance(said, str):
        meant = nearest(said, fitting or list(kinds))
        if meant is not None:
            return meant
        return fitting[0] if len(fitting) == 1 and others else None
    # A session without its type is of the common kind, unless it could only be of the other.
    common = [name for name in fitting or kinds if name in ("realtime", "server_vad")]
    return common[0] if common else fitting[0] if len(fitting) == 1 else None


def _fits(shape: Shape, keys: Collection[str]) -> bool:
    known = fields_of(shape)
    needed = {shape.tag} if type(shape).__name__ == "Tagged" else set(shape.required)
    also = {name for key in needed for name in names.ALIASES.get(key, ())}
    given = {key for key in needed if key in keys or set(names.ALIASES.get(key, ())) & set(keys)}
    return set(keys) <= known.keys() | also and needed <= given


def object_of(shape: Shape, text: str) -> Any:
    """The object that is meant by a mere text: its kind, or the one text that it needs."""
    kinds = variants(shape)
    kind = text if text in kinds else names.VALUES.get(text)
    if kind in kinds:
        return {shape.tag: kind}
    for name, one in kinds.items():
        needed = list(getattr(one, "required", ()))
        if len(needed) == 1 and type(one.fields[needed[0]]).__name__ == "Text":
            return {shape.tag: name, needed[0]: text}
    return text
