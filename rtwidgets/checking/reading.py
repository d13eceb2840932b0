"""From what was typed to an event: where it is no JSON, and what it would be as JSON."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

from ..events import Event

_LONGEST = 1_000_000  # characters: nobody types more, and a guess at more takes too long
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})
_TRAILING = re.compile(r",(\s*[}\]])")


@dataclass(frozen=True)
class Typed:
    """What stands in a text.

    Attributes:
        value: the JSON value; None where `fault` says that there is none.
        fault: where and why it is no JSON; empty where it is.
        meant: the value it would have with a slip of the pen put right; None where that is unknown.
        slip: what the slip was.
    """

    value: Any
    fault: str = ""
    meant: Event | None = None
    slip: str = ""


def read(text: str) -> Typed:
    """The JSON value in `text`, or what is wrong with it. Never raises."""
    try:
        return Typed(json.loads(text, parse_constant=_no_constant))
    except json.JSONDecodeError as problem:
        fault = f"Line {problem.lineno}, column {problem.colno}: {_in_words(problem, text)}"
    except RecursionError:
        return Typed(None, "It is nested too deeply.")
    except ValueError as problem:
        fault = f"{problem}."
    meant, slip = _meant(text)
    return Typed(None, fault, meant, slip)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _in_words(problem: json.JSONDecodeError, text: str) -> str:
    at = text[problem.pos : problem.pos + 1]
    found = f"{at!r} was found" if at.strip() else "the text ends" if not at else "a gap was found"
    if "double quotes" in problem.msg:
        return f"a name in double quotes should stand here, but {found}."
    if "Expecting value" in problem.msg:
        return f"a value should stand here, but {found}."
    if "delimiter" in problem.msg:
        return f"{problem.msg.split(' ')[1]} should stand here, but {found}."
    return f"{problem.msg}."


def _meant(text: str) -> tuple[Event | None, str]:
    """The event that was meant by what is almost JSON, and what was wrong with it."""
    if len(text) > _LONGEST:
        return None, ""
    plain = text.translate(_QUOTES)
    tries = (
        ("a comma stood before a closing bracket", _TRAILING.sub(r"\1", text)),
        ("the quotes were typographic ones", plain),
        ("the quotes were typographic ones", _TRAILING.sub(r"\1", plain)),
    )
    for slip, attempt in tries:
        try:
            value = json.loads(attempt, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value, slip
    try:  # as Python writes it: single quotes, True, None
        value = ast.literal_eval(plain.strip())
        if isinstance(value, dict):
            return json.loads(json.dumps(value, allow_nan=False)), "it was written as in Python"
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, SystemError):
        pass  # SystemError: some Python 3.11 lose count of the depth while other threads parse
    return None, ""
