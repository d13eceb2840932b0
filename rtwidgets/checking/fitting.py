"""A value and the shape it should have: the nearest value that has it.

One rule a kind of shape, so that a misuse nobody thought of is corrected by its family: a value is
converted, a name looked for, a field moved to where it belongs, filled in where there is only one
way, and otherwise left out. Where nobody can know what was meant it says so (`Hopeless`).
"""

from __future__ import annotations

import base64
import difflib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import names
from .looking import Json, Shape, kind_meant, nearest, object_of, path_to, put, variants
from .verdict import brief


class Hopeless(Exception):
    """What was meant here cannot be told; the message is a sentence about it."""


@dataclass
class Stray:
    """A field that has no place where it stands."""

    key: str
    value: Any
    path: str


@dataclass
class Fitting:
    """One correction. `changes` says in sentences what was done to get there."""

    accepts: Callable[[Shape, Any], bool]
    changes: list[str] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)

    def fit(self, shape: Shape, value: Any, path: str) -> Any:
        """`value`, or what is nearest to it and has the shape. Raises Hopeless."""
        if self.accepts(shape, value):
            return value
        rule = _RULES.get(type(shape).__name__)
        fitting = value if rule is None else rule(self, shape, value, path)
        if not self.accepts(shape, fitting):
            raise Hopeless(f"{path or 'It'} cannot be {brief(value)}; only you know what it is.")
        return fitting

    def leave_out_strays(self) -> None:
        """Nobody has a place for these."""
        for stray in self.strays:
            reason = names.GONE.get(stray.key, "there is no such field")
            self.changes.append(f"{stray.path} is left out: {reason}.")
        self.strays.clear()

    def _became(self, path: str, before: Any, after: Any, because: str = "") -> Any:
        reason = f", because {because}" if because else ""
        self.changes.append(f"{path}: {brief(before)} becomes {brief(after)}{reason}.")
        return after

    # ------------------------------------------------------------ plain values

    def _text(self, shape: Shape, value: Any, path: str) -> Any:
        if isinstance(value, str):
            if shape.max is not None and len(value) > shape.max:
                return self._became(path, value, value[: shape.max], f"{shape.max} is the longest")
            if shape.pattern is not None:
                return self._name(shape, value, path)
            return value
        plain = isinstance(value, (bool, int, float))
        if plain or path.endswith((".output", ".arguments")) and value is not None:
            words = json.dumps(value, ensure_ascii=False)
            words = words if shape.max is None else words[: shape.max]
            return self._became(path, value, words, "it is text")
        return value

    def _name(self, shape: Shape, value: str, path: str) -> Any:
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", value.strip())
        if not re.fullmatch(shape.pattern, name):
            return None
        return self._became(path, value, name, "letters, digits, _ and - make a name")

    def _flag(self, shape: Shape, value: Any, path: str) -> Any:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        meant = words.get(str(value).strip().lower())
        return value if meant is None else self._became(path, value, meant)

    def _number(self, shape: Shape, value: Any, path: str) -> Any:
        whole = type(shape).__name__ == "Integer"
        number = _number_in(value)
        if number is None:
            return value
        low = number if shape.low is None else max(number, shape.low)
        number = low if shape.high is None else min(low, shape.high)
        fitting: float = round(number) if whole else number
        rate = path.endswith("format.rate")
        because = "the sound has to be resampled to it" if rate else ""
        return self._became(path, value, fitting, because)

    def _enum(self, shape: Shape, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            return value
        meant = nearest(value, [*shape.values, *shape.also])
        return value if meant is None else self._became(path, value, meant)

    def _modalities(self, shape: Shape, value: Any, path: str) -> Any:
        named = value if isinstance(value, list) else [value]
        known = [one for one in ("audio", "text") if one in named] or ["audio"]
        because = "GA takes one modality, and audio brings its transcript too"
        return self._became(path, value, known[:1], because if known[0] == "audio" else "")

    def _base64(self, shape: Shape, value: Any, path: str) -> Any:
        if not isinstance(value, str) or len(value) > shape.max:
            return value
        bare = "".join(value.rpartition(",")[2].split()).replace("-", "+").replace("_", "/")
        bare = bare.rstrip("=")
        bare += "=" * (-len(bare) % 4)
        try:
            base64.b64decode(bare, validate=True)
        except ValueError:
            return value
        return self._became(path, value, bare, "it is plain base64") if bare else value

    def _picture(self, shape: Shape, value: Any, path: str) -> Any:
        if isinstance(value, dict) and isinstance(value.get("url"), str):
            value = self._became(path, value, value["url"])
        if isinstance(value, str) and value.lower().startswith("http://"):
            return self._became(path, value, f"https://{value[7:]}")
        return value

    def _free(self, shape: Shape, value: Any, path: str) -> Any:
        try:
            inner = json.loads(value) if isinstance(value, str) else None
        except (ValueError, RecursionError):
            inner = None
        return self._became(path, value, inner) if isinstance(inner, dict) else value

    def _pairs(self, shape: Shape, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return value
        kept = list(value.items())[: shape.most]
        pairs = {key[: shape.key_max]: _words(one)[: shape.value_max] for key, one in kept}
        because = f"it holds at most {shape.most} texts"
        return self._became(path, value, pairs, because)

    # ------------------------------------------------------------ shapes around others

    def _nullable(self, shape: Shape, value: Any, path: str) -> Any:
        try:
            return self.fit(shape.shape, value, path)
        except Hopeless:
            if any(type(value) is type(off) and value == off for off in names.OFF):
                return self._became(path, value, None)
            raise

    def _either(self, shape: Shape, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            return self.fit(shape.other, value, path)
        try:
            return self.fit(shape.text, value, path)
        except Hopeless:
            named = type(shape.other).__name__ == "Object"  # an object is not meant by a mere word
            if named and not value.startswith("voice_"):  # but a voice of one's own is
                raise
            return self.fit(shape.other, value, path)

    def _list_or(self, shape: Shape, value: Any, path: str) -> Any:
        return self.fit(shape.other if isinstance(value, dict) else shape.array, value, path)

    def _array(self, shape: Shape, value: Any, path: str) -> Any:
        if isinstance(value, list):
            return [self.fit(shape.of, one, f"{path}[{at}]") for at, one in enumerate(value)]
        if value is None:
            return value
        fitting = [self.fit(shape.of, value, f"{path}[0]")]
        self.changes.append(f"{path}: it is a list, here of one.")
        return fitting

    # ------------------------------------------------------------ objects with a kind

    def _tagged(self, shape: Shape, value: Any, path: str) -> Any:
        if isinstance(value, str):
            value = self._became(path, value, object_of(shape, value))
        if not isinstance(value, dict):
            return value
        kinds = variants(shape)
        said = value.get(shape.tag)
        if not isinstance(said, str) or said not in kinds:
            kind = kind_meant(shape, value)
            if kind is None:
                known = ", ".join(shape.variants)
                raise Hopeless(f"{_at(path, shape.tag)} is one of {known}; only you know which.")
            place = _at(path, shape.tag)
            if shape.tag in value:
                self._became(place, said, kind)
            else:
                self.changes.append(f"{place}: {brief(kind)} is added, which must be said.")
            value = {shape.tag: kind, **value, shape.tag: kind}
            said = kind
        return self.fit(kinds[said], value, path)

    # ------------------------------------------------------------ objects

    def _object(self, shape: Shape, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return self._as_its_only_field(shape, value, path)
        value = dict(value)
        self._take_aliases(shape, value, path)
        for key in [key for key in value if key not in shape.fields]:
            self._take_out(shape, value, key, path)
        self._fit_fields(shape, value, path)
        if self._take_in_strays(shape, value, path):
            self._fit_fields(shape, value, path)
        for key in shape.required:
            if key not in value:
                value[key] = self._only_value(shape.fields[key], _at(path, key))
        return value

    def _as_its_only_field(self, shape: Shape, value: Any, path: str) -> Any:
        own = [key for key in shape.fields if key != "event_id"]
        needed = [key for key in shape.required] or own
        if value is None or isinstance(value, list) or len(needed) != 1:
            return value
        return self._became(path, value, {needed[0]: value})

    def _take_aliases(self, shape: Shape, value: Json, path: str) -> None:
        for key in shape.required:
            found = [name for name in names.ALIASES.get(key, ()) if name in value]
            if key not in value and found and found[0] not in shape.required:
                value[key] = value.pop(found[0])
                self.changes.append(f"{_at(path, found[0])} is called {key} here.")

    def _take_out(self, shape: Shape, value: Json, key: str, path: str) -> None:
        """A field that is unknown here: it may be another's other name, or only misplaced."""
        inner, free = value.pop(key), shape.fields.keys() - value.keys()
        alike = difflib.get_close_matches(key, sorted(free), 1, 0.8)
        elsewhere = key in names.FIELDS or path_to(shape, key)
        if isinstance(inner, dict) and inner and inner.keys() <= free and not elsewhere:
            value |= inner
            self.changes.append(f"{_at(path, key)}: its fields stand one level higher.")
        elif alike and not elsewhere:
            value[alike[0]] = inner
            self.changes.append(f"{_at(path, key)} is spelled {alike[0]}.")
        else:
            self.strays.append(Stray(key, inner, _at(path, key)))

    def _take_in_strays(self, shape: Shape, value: Json, path: str) -> bool:
        """Put what was misplaced below or here to where it belongs, if that is below here."""
        placed = False
        for stray in list(self.strays):
            way = path_to(shape, stray.key)
            if way and put(value, way, stray.value):
                self.strays.remove(stray)
                self.changes.append(f"{stray.path} belongs at {_at(path, '.'.join(way))}.")
                placed = True
        return placed

    def _fit_fields(self, shape: Shape, value: Json, path: str) -> None:
        for key in [key for key in value if key in shape.fields]:
            place = _at(path, key)
            try:
                value[key] = self.fit(shape.fields[key], value[key], place)
            except Hopeless:
                if key in shape.required or isinstance(value[key], (dict, list)):
                    raise
                dropped = value.pop(key)
                self.changes.append(f"{place} is left out: {brief(dropped)} is no value for it.")

    def _only_value(self, shape: Shape, path: str) -> Any:
        inner = shape.shape if type(shape).__name__ == "Nullable" else shape
        low, high = getattr(inner, "low", None), getattr(inner, "high", None)
        if low is not None and low == high:
            self.changes.append(f"{path}: {low} is added, the only value there is.")
            return low
        raise Hopeless(f"{path} is missing, and only you know it.")


_RULES: dict[str, Callable[[Fitting, Shape, Any, str], Any]] = {
    "Text": Fitting._text,
    "Flag": Fitting._flag,
    "Integer": Fitting._number,
    "Decimal": Fitting._number,
    "Enum": Fitting._enum,
    "Modalities": Fitting._modalities,
    "Base64Audio": Fitting._base64,
    "Picture": Fitting._picture,
    "FreeObject": Fitting._free,
    "Pairs": Fitting._pairs,
    "Nullable": Fitting._nullable,
    "Either": Fitting._either,
    "ListOr": Fitting._list_or,
    "Array": Fitting._array,
    "Tagged": Fitting._tagged,
    "Object": Fitting._object,
}


def _number_in(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
