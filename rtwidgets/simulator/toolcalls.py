"""Choosing a tool for the user's words, filling its arguments, telling its result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from .jobs import Call

Json = dict[str, Any]

_COMMON = frozenset(
    "the a an for to of in on at and or is are you me my i it what how get set look up find with "
    "do does can please this that call use current given any returns return tool function".split()
)


def choose(words: str, tools: Iterable[Json], tool_choice: Any) -> Call | None:
    """The call that `words` ask for, or None. `tool_choice` as in response.create."""
    functions = [tool for tool in tools if tool.get("type") == "function"]
    if tool_choice == "none" or not functions:
        return None
    if isinstance(tool_choice, dict):
        functions = [tool for tool in functions if tool["name"] == tool_choice.get("name")]
    best = max(functions, key=lambda tool: _match(words, tool), default=None)
    if best is None or (tool_choice == "auto" and _match(words, best) == 0):
        return None
    return Call(best["name"], json.dumps(arguments(words, best), ensure_ascii=False))


def _match(words: str, tool: Json) -> int:
    said = _stems(words)
    name = _stems(tool["name"].replace("_", " "))
    described = _stems(tool.get("description") or "")
    return 3 * len(said & name) + len(said & described - name)


def _stems(text: str) -> set[str]:
    found = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return {re.sub(r"(?:ing|es|s)$", "", word) for word in found if word not in _COMMON}


def arguments(words: str, tool: Json) -> Json:
    """Plausible values for the parameters of `tool`, taken from `words` where they offer any."""
    schema = tool.get("parameters") or {}
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    required = schema.get("required")
    needed = required if isinstance(required, list) and required else list(properties)
    rest = _Words(words)
    return {
        name: rest.value(name, shape if isinstance(shape, dict) else {})
        for name, shape in properties.items()
        if name in needed or rest.offers(shape if isinstance(shape, dict) else {})
    }


class _Words:
    """The user's words, used up value by value."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._numbers: list[str] = re.findall(r"-?\d+(?:\.\d+)?", words)
        self._names: list[str] = re.findall(
            r"(?:\b(?:in|for|at|to|of|from|about)\s+)((?:[A-Z][\w'-]+\s?)+)", words
        )
        self._quoted: list[str] = re.findall(r"[\"“]([^\"”]+)[\"”]", words)

    def offers(self, shape: Json) -> bool:
        """Whether an optional parameter of this shape is spoken of."""
        choices = _choices(shape)
        if choices:
            return any(str(choice).lower() in self._words.lower() for choice in choices)
        return bool(_kind(shape) in ("integer", "number") and self._numbers)

    def value(self, name: str, shape: Json) -> Any:
        choices = _choices(shape)
        if choices:
            said = self._words.lower()
            return next((c for c in choices if str(c).lower() in said), choices[0])
        kind = _kind(shape)
        if kind in ("integer", "number"):
            number = float(self._numbers.pop(0)) if self._numbers else 1.0
            return int(number) if kind == "integer" or number.is_integer() else number
        plain = {"boolean": True, "array": [], "object": {}, "null": None}
        return plain[kind] if kind in plain else self._text(name)

    def _text(self, name: str) -> str:
        if self._quoted:
            return self._quoted.pop(0).strip()
        if self._names:
            return self._names.pop(0).strip()
        capitals: list[str] = re.findall(r"(?<=[a-z,] )[A-Z][\w'-]+", self._words)
        return capitals[0] if capitals else self._words.strip(" ?!.") or name


def _choices(shape: Json) -> list[Any]:
    choices = shape.get("enum")
    return choices if isinstance(choices, list) else []


def _kind(shape: Json) -> str:
    """The JSON type that is asked for. Strict mode writes an optional one ["string", "null"]."""
    kinds = shape.get("type")
    if not isinstance(kinds, list):
        kinds = [kinds]
    names = [kind for kind in kinds if isinstance(kind, str)]
    return next((kind for kind in names if kind != "null"), names[0] if names else "string")


def told(output: str) -> str:
    """A tool's output as a sentence to say."""
    try:
        value = json.loads(output)
    except ValueError:
        return _ended(output) if output.strip() else "The tool gave no answer."
    if isinstance(value, dict):
        pairs = [f"{key.replace('_', ' ')} is {_said(inner)}" for key, inner in value.items()]
        return _ended("Here is what I found: " + ", ".join(pairs)) if pairs else "It is done."
    return _ended(f"Here is what I found: {_said(value)}")


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_said(inner) for inner in value) or "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _ended(sentence: str) -> str:
    sentence = sentence.strip()
    return sentence if sentence[-1:] in ".!?" else sentence + "."
