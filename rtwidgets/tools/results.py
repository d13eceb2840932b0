"""What a tool gave, as the text that the model reads: bounded, and never a traceback.

A result is written piece by piece and left off at the limit, so that a table of a million rows
costs no more than the part of it that is told.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AnySet
from itertools import islice
from typing import Any

from ..events import whole_characters
from ..log.censoring import Censor

MOST_CHARACTERS = 20_000
"""Of one result: some 5 000 tokens, of a context of 32 000 in the smaller models."""

_MOST_ROWS = 500
_MOST_ERROR = 500  # characters of an exception's own words


def text_of(value: Any, most: int = MOST_CHARACTERS) -> str:
    """A result as text: a string as it is, everything else as JSON where it has a form in it."""
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return _cut(value[:most], len(value) > most, f"{most:,} of {len(value):,}")
    try:
        text = _json(value, most + 1)
    except (TypeError, ValueError, RecursionError):  # odd keys, a list that holds itself
        text = str(value)
    return _cut(text[:most], len(text) > most, f"{most:,}")


def _json(value: Any, enough: int) -> str:
    pieces, length = [], 0
    for piece in json.JSONEncoder(ensure_ascii=False, default=_plain).iterencode(value):
        pieces.append(piece)
        length += len(piece)
        if length >= enough:
            break
    return "".join(pieces)


def _cut(text: str, cut: bool, how_much: str) -> str:
    note = f"\n[Cut here: only the first {how_much} characters are given.]" if cut else ""
    return whole_characters(text) + note


def _plain(value: Any) -> Any:
    """Something that JSON has no form for as something that it has, one level deep."""
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AnySet):
        return list(value)
    if isinstance(value, Iterator):
        return list(islice(value, _MOST_ROWS))
    library = type(value).__module__.partition(".")[0]
    if library == "pandas" and hasattr(value, "to_dict"):
        return _of_pandas(value)
    if library == "numpy" and hasattr(value, "tolist"):
        return value.tolist() if value.size <= MOST_CHARACTERS else str(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _of_pandas(value: Any) -> Any:
    """A DataFrame as its records, a Series by its index: the first rows, and that they are."""
    first, whole = value.head(_MOST_ROWS), len(value)
    if hasattr(value, "columns"):
        rows: Any = [
            {str(name): each for name, each in row.items()} for row in first.to_dict("records")
        ]
    else:
        rows = {str(name): each for name, each in first.items()}
    if whole <= _MOST_ROWS:
        return rows
    return {"rows": rows, "cut": f"the first {_MOST_ROWS} of {whole:,} rows"}


def failure(sentence: str) -> str:
    """What the model reads where a call brought no result."""
    return json.dumps({"error": whole_characters(sentence)}, ensure_ascii=False)


def told(problem: BaseException) -> str:
    """What went wrong, in the exception's own words: no traceback, no key that stands in them."""
    try:
        words = str(problem)
    except Exception:
        words = ""
    if len(words) > _MOST_ERROR:
        words = words[:_MOST_ERROR] + "…"
    name = type(problem).__name__
    return f"{name}: {Censor().clean(words)}" if words else name
