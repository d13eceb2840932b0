"""Conversations written down before: what the user will say, what the assistant answers.

A script is a list of pairs (what the user says, what the assistant says). The words are
compared without case and punctuation; a line that occurs more than once is answered
in turn. A pair with nothing on the user's side is the greeting, said when a response is
asked for before the user said anything. What the script does not know, another brain answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import Misuse
from .jobs import Answer, Brain, Heard, Question, Said, StreamingBrain

Pair = tuple[str, str]


class ScriptBrain:
    """Answers as the script says; `otherwise` answers what it does not know."""

    def __init__(self, pairs: Sequence[Pair], otherwise: Brain) -> None:
        self._otherwise = otherwise
        self._answers: dict[str, list[str]] = {}
        for user, assistant in pairs:
            self._answers.setdefault(plain(user), []).append(assistant)
        self.quick = getattr(otherwise, "quick", False)

    def answer(self, question: Question) -> Answer:
        known = self._known(question)
        return self._otherwise.answer(question) if known is None else Answer(known)

    def stream(self, question: Question) -> Iterator[Said | Answer]:
        """The same bit by bit, where the other brain does so."""
        if self._known(question) is None and isinstance(self._otherwise, StreamingBrain):
            yield from self._otherwise.stream(question)
        else:
            yield self.answer(question)

    def _known(self, question: Question) -> str | None:
        said = [turn for turn in question.history if turn.role == "user"]
        after_a_tool = bool(question.history) and question.history[-1].role == "output"
        asked = plain(said[-1].text) if said else ""
        answers = self._answers.get(asked)
        if not answers or after_a_tool or (said and not asked):
            return None
        before = sum(plain(turn.text) == asked for turn in said[:-1])
        return answers[min(before, len(answers) - 1)]


class UserLines:
    """A transcriber that knows beforehand: the n-th spoken turn has the n-th line's words."""

    quick = True

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def words(self, heard: Heard) -> str | None:
        """None after the last line, and for a turn in which nobody spoke."""
        if not heard.seconds or heard.turn > len(self._lines):
            return None
        return self._lines[heard.turn - 1]

    def ahead(self, turn: int) -> str | None:
        return self._lines[turn - 1] if turn <= len(self._lines) else None


def plain(text: str) -> str:
    """The words alone, in lower case."""
    return " ".join(re.findall(r"\w+", text.lower()))


def script_from(value: Any) -> list[Pair]:
    """The pairs of a script, from Python or from JSON. Raises Misuse."""
    try:
        return [_pair(one) for one in value]
    except (TypeError, ValueError, KeyError):
        raise Misuse(
            'A script is a list of pairs: [["user says", "assistant says"], …], '
            'or of objects {"user": …, "assistant": …}.'
        ) from None


def _pair(one: Any) -> Pair:
    user, assistant = (one["user"], one["assistant"]) if isinstance(one, dict) else one
    if not isinstance(user or "", str) or not isinstance(assistant, str):
        raise TypeError
    return user or "", assistant


def lines_from(value: Iterable[Any]) -> list[str]:
    """The lines a user is expected to say. Raises Misuse."""
    lines = [value] if isinstance(value, str) else list(value)
    if not all(isinstance(line, str) for line in lines):
        raise Misuse('The user\'s lines are a list of texts: ["first turn", "second turn", …].')
    return lines


def read_json(path: Path, what: str) -> Any:
    """The JSON in a file. Raises Misuse with the reason, which names `what` it should be."""
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise Misuse(f"{what} cannot be read: {problem.strerror}: {path}.") from None
    except ValueError as problem:
        raise Misuse(f"{what} in {path} is not JSON: {problem}.") from None


def read_lines(path: Path) -> list[str]:
    """The user's lines in a file: one a line, or a JSON list. Raises Misuse."""
    if path.suffix == ".json":
        return lines_from(read_json(path, "The user's lines"))
    try:
        return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as problem:
        raise Misuse(f"The user's lines cannot be read from {path}: {problem}.") from None
