"""For any type hint and any JSON: a schema and the reading of a value agree with each other."""

from __future__ import annotations

import enum
import json
from dataclasses import make_dataclass
from typing import Any, Literal, TypedDict

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from rtwidgets.tools import tool
from rtwidgets.tools.documentation import documented
from rtwidgets.tools.hints import shape_of
from rtwidgets.tools.results import MOST_CHARACTERS, text_of
from rtwidgets.tools.shapes import Unfit

words = st.sampled_from(["a", "b", "city", "x_1"])
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | words
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def dataclass_of(fields: dict[str, Any]) -> Any:
    return make_dataclass("Made", list(fields.items()))


def typed_dict_of(fields: dict[str, Any]) -> Any:
    return TypedDict("Made", fields)  # type: ignore[operator]


def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.dictionaries(words, inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda hint: list[hint]),
        inner.map(lambda hint: tuple[hint, ...]),
        inner.map(lambda hint: dict[str, hint]),
        inner.map(lambda hint: hint | None),
        st.tuples(inner, inner).map(lambda pair: pair[0] | pair[1]),
        fields.map(dataclass_of),
        fields.map(typed_dict_of),
    )


class Colour(enum.Enum):
    RED = "a"
    BLUE = 3


hints = st.recursive(
    st.sampled_from([str, int, float, bool, list, dict, Literal["a", 3], Colour, type(None)]),
    grown,
    max_leaves=4,
)


@settings(max_examples=400, deadline=None)
@given(hints, values)
def test_what_the_schema_allows_is_read_and_nothing_else(hint: Any, value: Any) -> None:
    shape = shape_of(hint)
    json.dumps(shape.schema)
    jsonschema.Draft202012Validator.check_schema(shape.schema)
    allowed = jsonschema.Draft202012Validator(shape.schema).is_valid(value)
    try:
        shape.read(value, "it")
    except Unfit as reason:
        assert not allowed and str(reason)
    else:
        assert allowed


def some(a: int, b: list[str] | None = None) -> Any:
    return a, b


@settings(max_examples=300, deadline=None)
@given(st.text() | values.map(json.dumps) | values.map(lambda value: json.dumps(value)[:-1]))
def test_whatever_the_model_writes_is_called_or_refused(arguments: str) -> None:
    try:
        call = tool(some).bound(arguments)
    except Unfit as reason:
        assert str(reason)
    else:
        a, b = call()
        assert type(a) is int and (b is None or all(type(one) is str for one in b))


@settings(deadline=None)
@given(st.text())
def test_any_text_may_be_a_docstring(text: str) -> None:
    found = documented(text)
    assert all(name and "\n" not in said for name, said in found.parameters.items())


@settings(deadline=None)
@given(
    values | st.binary() | st.complex_numbers() | st.sets(words) | st.dates(), st.integers(1, 50)
)
def test_any_result_becomes_a_bounded_text(value: Any, most: int) -> None:
    text = text_of(value, most)
    text.encode()
    assert len(text) <= most + 200
    assert len(text_of([value] * 10_000)) <= MOST_CHARACTERS + 200
