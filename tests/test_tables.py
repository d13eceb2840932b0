"""Tables: readable in a notebook and a terminal; nothing in a cell is markup or a command."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from rtwidgets.tables import Table, clipped, column, printable, width_of


@dataclass(frozen=True)
class Lap:
    who: str = column("runner")
    took: float | None = column("took", unit="s", digits=2)
    laps: int = column("laps", default=0)
    tags: tuple[str, ...] = column("tags", default=())
    won: bool = column("won", default=False)
    note: str = column(hidden=True, default="")


LAPS = Table(
    [Lap("ada", 1.5, 3, ("a", "b"), True, "x"), Lap("bo", None, 12)], of=Lap, caption="Laps"
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></table><b>",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "nul\x00nul",
    "half \ud83d",
    "\u202eright to left\u2066",
    "two\nlines\r\u2028three",
    "x" * 1_000_000,
    "&amp;&lt;",
    "日本語" * 1000,
    "e\u0301" * 5000,
]


class Reader(HTMLParser):
    """What a browser would make of it: the tags, and the text of every cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)
        if tag in ("td", "th", "caption"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_text_has_headings_units_and_aligned_columns() -> None:
    assert str(LAPS) == (
        "Laps\n"
        "runner  took (s)  laps  tags  won\n"
        "──────  ────────  ────  ────  ───\n"
        "ada         1.50     3  a, b  yes\n"
        "bo             –    12        no"
    )
    assert repr(LAPS) == str(LAPS)


def test_html_has_a_caption_units_and_numbers_on_the_right() -> None:
    html = LAPS._repr_html_()
    read = Reader(html)
    assert read.cells[:7] == ["Laps", "runner", "took (s)", "laps", "tags", "won", "ada"]
    assert read.cells[7:9] == ["1.50", "3"]
    assert 'style="text-align:right">1.50' in html and 'style="text-align:left">ada' in html
    assert "script" not in read.tags and "color:var(--jp-ui-font-color1,inherit)" in html


def test_sentences_have_room_between_ids() -> None:
    table = Table(
        [Lap("item_" + "x" * 40, tags=("a long sentence that wants to be read",), took=1.0)], of=Lap
    )
    html = table.to_html()
    assert html.count("min-width:12em") == 1, "the sentence"
    assert html.count("min-width:9em") == 1, "the id, which may be broken"


def test_a_table_is_a_sequence_that_never_changes() -> None:
    assert len(LAPS) == 2 and LAPS[0].who == "ada" and [lap.who for lap in LAPS] == ["ada", "bo"]
    part = LAPS[1:]
    assert isinstance(part, Table) and part[0] is LAPS[1] and part.caption == "Laps"
    assert LAPS[::-1][0].who == "bo" and Lap("bo", None, 12) in LAPS
    assert LAPS == Table(list(LAPS), of=Lap) and len({LAPS, Table(LAPS, of=Lap)}) == 1
    assert LAPS != part and LAPS != "Laps"
    with pytest.raises(TypeError):
        LAPS[0] = LAPS[1]  # type: ignore[index]


def test_a_total_is_shown_and_not_counted() -> None:
    table = Table(LAPS, of=Lap, total=Lap("all", 1.5, 15))
    assert len(table) == 2 and table.total is not None
    assert str(table).splitlines()[-1].split() == ["all", "1.50", "15", "no"]
    assert "<tfoot>" in table.to_html() and "<tfoot>" not in table[:1].to_html()
    assert len(table.to_dataframe()) == 2


def test_a_dataframe_has_the_values_and_every_column() -> None:
    frame = LAPS.to_dataframe()
    assert list(frame.columns) == ["who", "took", "laps", "tags", "won", "note"]
    assert frame.laps.sum() == 15 and frame.took.isna().tolist() == [False, True]
    empty = Table([], of=Lap).to_dataframe()
    assert list(empty.columns) == list(LAPS.columns) and len(empty) == 0
    assert LAPS.to_dicts()[0]["tags"] == ("a", "b")


def test_an_empty_table_is_still_a_table() -> None:
    table = Table([], of=Lap, caption="Nothing")
    assert str(table).splitlines()[0] == "Nothing" and len(str(table).splitlines()) == 3
    assert "Nothing" in table._repr_html_() and not table


def test_a_long_table_says_how_many_more() -> None:
    table = Table([Lap(str(n), float(n)) for n in range(1000)], of=Lap)
    assert str(table).endswith("… and 800 more") and "… and 800 more" in table.to_html()
    assert table.to_html().count("<tr>") == 201
    assert len(table.to_text(rows=None).splitlines()) == 1002


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_outside_is_obeyed(text: str) -> None:
    table = Table([Lap(text, 1.0, tags=(text,))], of=Lap, caption=text, total=Lap(text, None))
    html, shown = table.to_html(), table.to_text()
    assert set(Reader(html).tags) <= {
        "div", "style", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
    }  # fmt: skip
    for rendering in (html, shown):
        assert rendering.encode()  # no half characters
        assert len(rendering) < 20_000
        assert not any(
            ord(one) < 32 and one != "\n" or 0x7F <= ord(one) < 0xA0 for one in rendering
        )
        assert not any(one in rendering for one in "\u2028\u202e\u2066")
    assert len(shown.splitlines()) == 6
    assert all(width_of(line) <= 100 for line in shown.splitlines())


def test_words_are_cut_to_the_terminal_and_numbers_are_not() -> None:
    table = Table([Lap("a" * 80, 123456.789, tags=("b" * 40,))], of=Lap)
    for width in (50, 60, 80, 120, 160):
        lines = table.to_text(width).splitlines()
        assert max(width_of(line) for line in lines) <= width
        assert "123456.79" in lines[-1] and "…" in lines[-1] or width == 160
    assert "a" * 80 in table.to_text(None)


def test_columns_that_can_be_spared_are_left_out_before_words_are_cut_short() -> None:
    @dataclass(frozen=True)
    class Wide:
        name: str = column("name")
        first: int = column("first", spare=1)
        second: int = column("second number", spare=2)
        third: int = column("third")

    table = Table([Wide("a" * 30, 1, 2, 3)], of=Wide, total=Wide("all", 10, 20, 30))
    assert table.to_text(60).splitlines()[0].split() == [
        "name",
        "first",
        "second",
        "number",
        "third",
    ]
    narrow = table.to_text(32).splitlines()
    assert narrow[0].split() == ["name", "first", "third"] and narrow[-2].split() == [
        "all",
        "10",
        "30",
    ]
    assert narrow[-1] == "no room for: second number"
    assert table.to_text(25).splitlines()[-1] == "no room for: second numb…"
    assert table.to_text(None).splitlines()[-1].startswith("all")


def test_wide_characters_take_two_cells() -> None:
    assert width_of("日本") == 4 and width_of("e\u0301") == 1 and width_of("abc") == 3
    assert (
        clipped("日本語", 5) == "日本…"
        and clipped("abc", 3) == "abc"
        and clipped("abcd", 3) == "ab…"
    )
    assert clipped("", 0) == "" and clipped("abc", 0) == ""


def test_printable_keeps_what_people_write() -> None:
    for text in ("naïve – “quoted” 👩‍🚀 مرحبا", "a\\b"):
        assert printable(text) == text
    assert printable("a\tb\nc") == "a\\tb\\nc" and printable("a\tb\nc", lines=True) == "a\tb\nc"
    assert printable("\x1b\u202e") == "\\x1b\\u202e"


def test_a_type_that_is_no_text_is_read_too() -> None:
    """Without `from __future__ import annotations` a dataclass's types are types."""
    from dataclasses import make_dataclass

    made = make_dataclass(
        "Made",
        [("n", int | None, column()), ("x", float, column()), ("s", str, column())],
        frozen=True,
    )
    assert str(Table([made(1, 2.0, "s")], of=made)).splitlines()[-1] == "1  2.000  s"
    assert Table([made(None, 2.0, "s")], of=made).to_html().count('td class="rt-n"') == 2
