"""What a tool gave, as the text that the model reads."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import itertools
import json
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas
import pytest

from rtwidgets.tools.results import MOST_CHARACTERS, failure, text_of, told


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Fossil:
    name: str
    found: datetime.date


class Sulking:
    def __str__(self) -> str:
        raise RuntimeError("no words")


HOLDS_ITSELF: list[Any] = []
HOLDS_ITSELF.append(HOLDS_ITSELF)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "null"),
        (3, "3"),
        (True, "true"),
        ({"ä": [1, 2.5]}, '{"ä": [1, 2.5]}'),
        ((1, 2), "[1, 2]"),
        (Colour.RED, '"red"'),
        ([Fossil("Ida", datetime.date(1983, 1, 1))], '[{"name": "Ida", "found": "1983-01-01"}]'),
        ({"it": {1}}, '{"it": [1]}'),
        (PurePosixPath("a/b"), '"a/b"'),
        (b"\x00" * 7, '"7 bytes"'),
        (np.float32(0.5), "0.5"),
        (np.array([[1, 2]]), "[[1, 2]]"),
        (pandas.DataFrame({"a": [1, 2]}), '[{"a": 1}, {"a": 2}]'),
        (pandas.Series([1], index=["x"]), '{"x": 1}'),
        ((number for number in range(3)), "[0, 1, 2]"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (HOLDS_ITSELF, "[[...]]"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_results_as_text(value: Any, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    "value",
    [
        "x" * 3_000_000,
        ["x" * 3_000_000],
        list(range(3_000_000)),
        {"deep": {"er": ["y"] * 1_000_000}},
        pandas.DataFrame({"a": ["z" * 100] * 400}),
    ],
)
def test_megabytes_are_cut_with_a_sentence_that_says_so(value: Any) -> None:
    text = text_of(value)
    assert len(text) < MOST_CHARACTERS + 200
    assert "Cut here: only the first 20,000" in text


def test_the_end_of_what_has_no_end_is_not_waited_for() -> None:
    assert len(json.loads(text_of(itertools.count()))) == 500
    rows = json.loads(text_of(pandas.DataFrame({"a": range(1_000_000)})))
    assert len(rows["rows"]) == 500 and rows["cut"] == "the first 500 of 1,000,000 rows"
    assert "..." in text_of(np.zeros(10_000_000))


def test_what_is_exactly_as_long_as_allowed_is_whole() -> None:
    assert text_of("x" * 10, 10) == "x" * 10
    assert text_of(["x" * 6], 10) == '["xxxxxx"]'
    assert text_of(["x" * 7], 10).startswith('["xxxxxxx"\n[Cut here')


def test_a_failure_is_told_without_keys_and_without_end() -> None:
    problem = ValueError("refused: https://a.example/?api_key=abcdef123456 " + "x" * 10_000)
    words = told(problem)
    assert words.startswith("ValueError: refused") and "abcdef123456" not in words
    assert len(words) < 600
    assert json.loads(failure("It failed: \ud83d"))["error"] == "It failed: \ufffd"
    assert told(KeyError()) == "KeyError"
    assert told(RuntimeError(Sulking())) == "RuntimeError"
