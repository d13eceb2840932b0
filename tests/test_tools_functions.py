"""A Python function as a tool: what the model is told of it, and its arguments checked."""

from __future__ import annotations

import datetime
import enum
import functools
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NewType, NotRequired, TypedDict

import pytest

from rtwidgets.errors import Misuse
from rtwidgets.tools import Tool, tool, toolbox
from rtwidgets.tools.shapes import Unfit


class Unit(enum.Enum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


class Level(enum.Enum):
    LOW = object()
    HIGH = object()


@dataclass
class Place:
    """Where.

    Attributes:
        city: its name in English.
    """

    city: str
    floors: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.city == "Atlantis":
            raise ValueError("there is no such city")


class Trip(TypedDict):
    start: Place
    days: NotRequired[int]


@dataclass
class Tree:
    branches: list[Tree]


Name = NewType("Name", str)


def parameters(function: Any) -> dict[str, Any]:
    made = tool(function).definition["parameters"]
    assert made["type"] == "object" and made["additionalProperties"] is False
    return dict(made["properties"])


def call(function: Any, arguments: str) -> Any:
    return tool(function).bound(arguments)()


def test_name_docstring_and_hints_are_what_the_model_is_told() -> None:
    def weather(city: str, days: int = 1, unit: Literal["C", "F"] | None = None) -> str:
        """The weather in a city.

        For at most ten days.

        Args:
            city: its name,
                in English.
            days (int): how many.

        Returns:
            A sentence.
        """
        return city

    assert tool(weather).definition == {
        "type": "function",
        "name": "weather",
        "description": "The weather in a city.\n\nFor at most ten days.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "its name, in English."},
                "days": {"type": "integer", "description": "how many.", "default": 1},
                "unit": {"type": ["string", "null"], "enum": ["C", "F", None]},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
    }


def numpys(city: str, days: int) -> None:
    """Weather.

    Parameters
    ----------
    city : str
        Its name.
    days
        How many.

    Returns
    -------
    nothing
    """


def sphinxs(city: str, days: int) -> None:
    """Weather.

    :param str city: Its
        name.
    :param days: How many.
    :returns: nothing
    """


@pytest.mark.parametrize("function", [numpys, sphinxs])
def test_the_other_styles_of_docstrings(function: Any) -> None:
    made = tool(function)
    assert made.description == "Weather."
    told = {name: schema["description"] for name, schema in parameters(function).items()}
    assert told == {"city": "Its name.", "days": "How many."}


HINTS: list[tuple[Any, dict[str, Any], str, Any]] = [
    (str, {"type": "string"}, '"a"', "a"),
    (int, {"type": "integer"}, "3.0", 3),
    (float, {"type": "number"}, "3", 3.0),
    (bool, {"type": "boolean"}, "true", True),
    (Any, {}, '[1, {"a": null}]', [1, {"a": None}]),
    (str | None, {"type": ["string", "null"]}, "null", None),
    (int | str, {"type": ["integer", "string"]}, '"3"', "3"),
    (list[int], {"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
    (tuple[str, ...], {"type": "array", "items": {"type": "string"}}, '["a"]', ("a",)),
    (Sequence[str], {"type": "array", "items": {"type": "string"}}, '["a"]', ["a"]),
    (list, {"type": "array"}, '[1, "a"]', [1, "a"]),
    (dict, {"type": "object"}, '{"a": 1}', {"a": 1}),
    (
        dict[str, float],
        {"type": "object", "additionalProperties": {"type": "number"}},
        '{"a": 1}',
        {"a": 1.0},
    ),
    (Literal[1, "b", True], {"type": ["integer", "string"], "enum": [1, "b"]}, '"b"', "b"),
    (Unit, {"type": "string", "enum": ["celsius", "fahrenheit"]}, '"celsius"', Unit.CELSIUS),
    (Level, {"type": "string", "enum": ["LOW", "HIGH"]}, '"LOW"', Level.LOW),
    (Name, {"type": "string"}, '"a"', "a"),
    (
        datetime.date,
        {"type": "string", "format": "date"},
        '"2026-11-22"',
        datetime.date(2026, 11, 22),
    ),
    (Annotated[str, "how it is called"], {"type": "string", "description": "how it is called"},
     '"a"', "a"),
    (
        Place,
        {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "its name in English."},
                "floors": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["city"],
            "additionalProperties": False,
        },
        '{"city": "Bonn"}',
        Place("Bonn"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("hint", "schema", "given", "read"), HINTS)
def test_every_kind_of_hint(hint: Any, schema: dict[str, Any], given: str, read: Any) -> None:
    def f(x: Any) -> Any:
        return x

    f.__annotations__ = {"x": hint}
    assert parameters(f) == {"x": schema}
    value = call(f, f'{{"x": {given}}}')
    assert value == read and type(value) is type(read)


def test_dicts_in_dataclasses_in_dicts() -> None:
    def travel(trip: Trip | None = None) -> Trip | None:
        return trip

    [either] = parameters(travel).values()
    assert either["anyOf"][0]["required"] == ["start"]
    assert call(travel, '{"trip": {"start": {"city": "Bonn"}}}') == {"start": Place("Bonn")}
    assert call(travel, '{"trip": null}') is None
    with pytest.raises(Unfit, match=r"trip\.start\.city must be a text, not 7"):
        call(travel, '{"trip": {"start": {"city": 7}}}')
    with pytest.raises(Unfit, match="no such city"):
        call(travel, '{"trip": {"start": {"city": "Atlantis"}}}')


def some(city: str, days: int = 1) -> str:
    return f"{city} {days}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"city": "Bo', "not JSON"),
        ('{"city": NaN}', "NaN is no number"),
        ('["Bonn"]', "JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"city": ' + "1" * 5000 + "}", "not JSON"),
        ("{}", "city is missing"),
        ("", "city is missing"),
        ('{"city": null}', "city must be a text, not null"),
        ('{"city": "Bonn", "days": "3"}', 'days must be a whole number, not "3"'),
        ('{"city": "Bonn", "days": 1.5}', "days must be a whole number, not 1.5"),
        ('{"city": "Bonn", "days": true}', "days must be a whole number, not true"),
        ('{"city": "Bonn", "town": 1}', r"there is no town \(there are: city, days\)"),
        ('{"town": 1, "days": []}', "city is missing; there is no town .*; days must be"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_called(arguments: str, words: str) -> None:
    with pytest.raises(Unfit, match=words):
        tool(some).bound(arguments)


def test_what_fits_is_called() -> None:
    assert call(some, '{"city": "Bonn"}') == "Bonn 1"
    assert call(some, '{"days": 2.0, "city": "Bonn"}\n') == "Bonn 2"
    assert call(lambda_free, "") == call(lambda_free, "{}") == "nothing to say"


def lambda_free() -> str:
    return "nothing to say"


def test_numbers_that_no_float_holds() -> None:
    def f(x: float) -> float:
        return x

    for number in ("1e999", "1" * 400):
        with pytest.raises(Unfit, match="x must be a number"):
            call(f, f'{{"x": {number}}}')


class Museum:
    def tour(self, hall: str) -> None: ...


def untyped(city) -> None: ...  # type: ignore[no-untyped-def] # noqa: ANN001
def starred(*cities: str) -> None: ...
def keyed(**cities: str) -> None: ...
def odd(when: Callable[[], int]) -> None: ...
def odd_inside(whens: list[dict[str, complex]]) -> None: ...
def keys(by: dict[int, str]) -> None: ...
def pair(at: tuple[int, int]) -> None: ...
def round_and_round(tree: Tree) -> None: ...
def unknown(city: Town) -> None: ...  # type: ignore[name-defined] # noqa: F821
def a_list(cities: [str]) -> None: ...  # type: ignore[valid-type]
def größe(x: int) -> None: ...  # noqa: PLC2401


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (Museum.tour, r"tools=\[it\.tour\]"),
        (untyped, "parameter city of untyped has no type.*write city: str"),
        (starred, r"\*cities.*Write its parameters out"),
        (keyed, r"\*\*cities"),
        (odd, "parameter when of odd.*Write one of str"),
        (odd_inside, "whens of odd_inside: complex has no form"),
        (keys, r"by of keys.*dict\[str"),
        (pair, r"at of pair.*list\["),
        (round_and_round, "Tree holds itself"),
        (unknown, "city of unknown.*'Town' is not defined"),
        (a_list, "cities of a_list"),
        (größe, "rt.tool"),
        (lambda: 3, "rt.tool"),
        (print, "print takes"),
        (Place, "neither"),
        (7, "neither"),
        ("weather", "neither"),
    ],
)
def test_what_cannot_be_told_is_refused_in_words(function: Any, words: str) -> None:
    with pytest.raises(Misuse, match=words):
        tool(function)


def test_options_and_the_decorator() -> None:
    @tool(name="sum_up", description="Adds.", timeout=3)
    def add(a: int, b: int) -> int:
        return a + b

    assert (add.name, add.description, add.timeout) == ("sum_up", "Adds.", 3.0)
    assert add(1, 2) == 3  # it is still the function
    assert tool(add, timeout=1).name == "sum_up"
    assert isinstance(tool(some), Tool)
    assert tool(lambda: 3, name="three").name == "three"


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": "1"}, {"timeout": float("inf")}, {"name": "two words"}]
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(Misuse):
        tool(some, **options)


def test_what_the_model_must_not_see_is_not_told() -> None:
    def look_up(city: str, _key: str = "sk-test-not-a-key") -> str:
        return city + _key

    filled = functools.partial(some, days=4)
    assert list(parameters(look_up)) == list(parameters(filled)) == ["city"]
    assert call(filled, '{"city": "Bonn"}') == "Bonn 4"
    with pytest.raises(Unfit, match="no _key"):
        tool(look_up).bound('{"city": "Bonn", "_key": "other"}')


def test_methods_callables_and_parameters_without_names() -> None:
    class Museum:
        def tour(self, hall: str, /, minutes: int = 5) -> str:
            """A tour."""
            return f"{hall} {minutes}"

        def __call__(self, hall: str) -> str:
            """Shows a hall."""
            return hall

    made = tool(Museum().tour)
    assert (made.name, made.description, list(made.shapes)) == (
        "tour",
        "A tour.",
        ["hall", "minutes"],
    )
    assert call(Museum().tour, '{"minutes": 7, "hall": "Fossils"}') == "Fossils 7"
    shown = tool(Museum(), name="museum")
    assert shown.description == "Shows a hall." and shown.bound('{"hall": "A"}')() == "A"


def test_a_type_of_the_function_around_is_found_and_what_comes_later_does_not_matter() -> None:
    class Hall(enum.Enum):
        FOSSILS = "fossils"

    def show(hall: Hall) -> Any:
        return hall is Hall.FOSSILS, comes_later

    shape = parameters(show)
    comes_later = 3
    assert shape["hall"]["enum"] == ["fossils"] and comes_later


def test_which_tools_are_awaited() -> None:
    async def later() -> int:
        return 1

    class Later:
        async def __call__(self) -> int:
            return 1

    assert tool(later).asynchronous
    assert tool(functools.partial(later), name="p").asynchronous
    assert tool(Later(), name="l").asynchronous
    assert not tool(some).asynchronous


def test_bounds_of_annotated_types_are_told_and_kept() -> None:
    annotated_types = pytest.importorskip("annotated_types")

    def f(
        n: Annotated[int, annotated_types.Interval(ge=1, lt=10)],
        words: Annotated[list[str], annotated_types.Len(1, 2)],
    ) -> Any:
        return n, words

    f.__annotations__ = typing.get_type_hints(
        f, localns={"annotated_types": annotated_types}, include_extras=True
    )
    told = parameters(f)
    assert told["n"] == {"type": "integer", "minimum": 1, "exclusiveMaximum": 10}
    assert told["words"]["minItems"] == 1 and told["words"]["maxItems"] == 2
    assert call(f, '{"n": 9, "words": ["a"]}') == (9, ["a"])
    with pytest.raises(Unfit, match="n must be less than 10; words must be of length at least 1"):
        call(f, '{"n": 10, "words": []}')


def test_a_pydantic_model_brings_its_own_schema_and_checks() -> None:
    pydantic = pytest.importorskip("pydantic")
    inner = pydantic.create_model("Inner", n=(int, ...))
    outer = pydantic.create_model(
        "Outer", inner=(inner, ...), s=(str, pydantic.Field("a", description="a text"))
    )

    def f(x: Any) -> Any:
        return x

    f.__annotations__ = {"x": outer}
    schema = parameters(f)["x"]
    assert schema["properties"]["inner"]["properties"]["n"] == {"type": "integer"}
    assert schema["properties"]["s"]["description"] == "a text"
    assert "$" not in str(schema)
    assert call(f, '{"x": {"inner": {"n": 3}}}').inner.n == 3
    with pytest.raises(Unfit, match=r"x: inner\.n: .*integer"):
        call(f, '{"x": {"inner": {"n": "three"}}}')


def test_functions_and_the_protocols_dicts_stand_side_by_side() -> None:
    by_hand = {"type": "function", "name": "by_hand", "parameters": {"type": "object"}}
    box = toolbox([some, by_hand, tool(some, name="again")])
    assert [one["name"] for one in box.definitions] == ["some", "by_hand", "again"]
    assert list(box.functions) == ["some", "again"]
    assert toolbox(()).definitions == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([some, some], "Two tools are called 'some'"),
        ([some, {"type": "function", "name": "some"}], "Two tools"),
        (some, r"tools=\[function\]"),
        ({"type": "function"}, r"tools=\[function\]"),
        ("some", r"tools=\[function\]"),
        ([["some"]], "neither"),
    ],
)
def test_what_is_no_list_of_tools(given: Any, words: str) -> None:
    with pytest.raises(Misuse, match=words):
        toolbox(given)
