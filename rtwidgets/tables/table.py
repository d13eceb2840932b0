"""`Table`, its columns, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, get_args, overload

from ..errors import Misuse
from .printing import clipped, printable, shortened, width_of

if TYPE_CHECKING:
    import pandas


class _Record(Protocol):
    """Any instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Record)

NOT_KNOWN = "–"
"""What stands where nothing is known: a dash is not a zero."""

SHOWN_ROWS = 200
"""Rows a table shows in a notebook; a saved notebook stays small. The DataFrame has all."""

_SENTENCE = 24  # characters
_SEAM, _MAY_BREAK = re.compile(r"(?<=[a-z])([._])(?=[a-z]{3})"), r"\1<wbr>"
_NAME = 18  # characters of one word: it is an id or a type, and may be broken
_CELL_LIMIT = 400  # characters of a cell in HTML
_LINE_LIMIT = 200  # and in a line of text, where no width is given

# Notebooks strip <style> from what they do not trust: alignment stands in attributes as well.
# The selectors name one element more than a notebook's own, which align every cell to the right.
# In a narrow window all is smaller, so that a table of a dozen columns does not scroll sideways.
TABLE_CSS = """
.rt-static{font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif);
color:var(--jp-ui-font-color1,inherit);overflow-x:auto}
.rt-static table{border-collapse:collapse;width:100%;margin:0;font:inherit;color:inherit}
.rt-static table caption{caption-side:top;text-align:left;font-weight:600;padding:2px 8px;
color:inherit}
.rt-static table tr td,.rt-static table tr th{padding:2px 6px;text-align:left;
vertical-align:top;max-width:none;border:0;
border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35))}
.rt-static table tr td.rt-n,.rt-static table tr th.rt-n{font-variant-numeric:tabular-nums;
text-align:right}
.rt-static table tr td.rt-n,.rt-static table tr td.rt-d{white-space:nowrap}
.rt-static table tr td.rt-w{white-space:normal;overflow-wrap:break-word}
.rt-static table tr td.rt-b{overflow-wrap:anywhere}
.rt-static table tr td.rt-t{font-family:var(--jp-code-font-family,monospace);overflow-wrap:anywhere}
.rt-static table tfoot td{font-weight:600;border-top:2px solid currentColor}
.rt-static pre{margin:4px 0;max-height:24em;overflow:auto;font-size:12px;white-space:pre-wrap}
.rt-static summary{cursor:pointer}.rt-static .rt-err{font-weight:600}
@media (max-width:1300px){.rt-static{font-size:12px}
.rt-static table tr td,.rt-static table tr th{padding:2px 3px}
.rt-static table tr th.rt-b{min-width:6em!important}
.rt-static table tr th.rt-s{min-width:7em!important}}
""".replace("\n", "")


def column(
    heading: str = "",
    *,
    unit: str = "",
    digits: int | None = None,
    hidden: bool = False,
    spare: int = 0,
    default: Any = MISSING,
) -> Any:
    """A field of a row, with how it is shown; to be used in place of `dataclasses.field`.

    Args:
        heading: the column's title; the field's name where none is given.
        unit: stands behind the title.
        digits: behind the point, for numbers.
        hidden: only in DataFrames and files.
        spare: the higher, the sooner it is left out of a line of text that would be too long.
    """
    shown = {"heading": heading, "unit": unit, "digits": digits, "hidden": hidden, "spare": spare}
    return field(default=default, metadata=shown)


@dataclass(frozen=True)
class _Column:
    name: str
    title: str
    digits: int | None
    number: bool
    spare: int

    def text(self, row: Any) -> str:
        return _text(getattr(row, self.name), self.digits)


def _text(value: Any, digits: int | None) -> str:
    """How a value reads, printable and in one line."""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{3 if digits is None else digits}f}"
    if isinstance(value, int):
        return str(value) if digits is None else f"{value:.{digits}f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{_text(key, None)} {_text(one, digits)}" for key, one in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(_text(one, digits) for one in value)
    return printable(str(value)[: 4 * _CELL_LIMIT])  # escapes lengthen: cut first, cut again


class Table(Sequence[T], Generic[T]):
    """Rows of one kind, in order; it never changes.

    Args:
        rows: instances of `of`, a frozen dataclass.
        caption: what the table is of; stands above it.
        total: a row of the same kind that sums the others up; shown below, not counted as a row.
    """

    def __init__(
        self, rows: Iterable[T], of: type[T], *, caption: str = "", total: T | None = None
    ) -> None:
        self._rows = tuple(rows)
        self.of = of
        self.caption = shortened(caption, _CELL_LIMIT)
        self.total = total

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Table[T]: ...
    def __getitem__(self, index: int | slice) -> T | Table[T]:
        if isinstance(index, slice):  # a total of all would be wrong below a part
            return Table(self._rows[index], self.of, caption=self.caption)
        return self._rows[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return (self.of, self._rows, self.total) == (other.of, other._rows, other.total)

    def __hash__(self) -> int:
        return hash((self.of, len(self._rows)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, as in the DataFrame; also those that are not shown."""
        return tuple(one.name for one in fields(self.of))

    def to_dataframe(self) -> pandas.DataFrame:
        """A pandas DataFrame of all rows, without the total. Needs pandas."""
        try:
            import pandas
        except ImportError:
            raise Misuse("to_dataframe() needs pandas: pip install pandas") from None
        return pandas.DataFrame(
            {name: [getattr(row, name) for row in self._rows] for name in self.columns},
            columns=list(self.columns),
        )

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as plain dicts, for JSON or CSV."""
        return [{name: getattr(row, name) for name in self.columns} for row in self._rows]

    # ------------------------------------------------------------ showing

    def _shown(self) -> list[_Column]:
        return [
            _Column(
                name=one.name,
                title=_title(one),
                digits=one.metadata.get("digits"),
                number=self._is_number(one),
                spare=one.metadata.get("spare", 0),
            )
            for one in fields(self.of)
            if not one.metadata.get("hidden")
        ]

    def _is_number(self, one: Field[Any]) -> bool:
        if isinstance(one.type, str):
            names = {part.strip() for part in one.type.split("|")}
        else:
            names = {part.__name__ for part in get_args(one.type) or (one.type,)}
        return bool(names & {"int", "float"}) and names <= {"int", "float", "None", "NoneType"}

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self, rows: int = SHOWN_ROWS) -> str:
        """HTML that needs neither script nor kernel: at most `rows` rows, and how many more.

        Columns that can be spared and say nothing in any row are left out.
        """
        shown = self._rows[:rows]
        looks = {
            one: _look(one, texts)
            for one in self._shown()
            for texts in [[one.text(row) for row in shown]]
            if not (one.spare and set(texts) <= {"", NOT_KNOWN})
        }
        head = "".join(
            f'<th class="{kind}" style="{style}">{escape(one.title)}</th>'
            for one, (kind, style) in looks.items()
        )
        body = "".join(_html_row(row, looks) for row in shown)
        total = f"<tfoot>{_html_row(self.total, looks)}</tfoot>" if self.total is not None else ""
        caption = f"<caption{_CAPTION}>{escape(printable(self.caption))}</caption>"
        more = len(self) - rows
        return (
            f'<div class="rt-static"><style>{TABLE_CSS}</style>'
            f'<table style="table-layout:auto;width:100%">{caption if self.caption else ""}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{total}</table>"
            + (f"<p>… and {more} more</p></div>" if more > 0 else "</div>")
        )

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__

    def to_text(self, width: int | None = 100, rows: int | None = SHOWN_ROWS) -> str:
        """Lines of text: a caption, headings, a line for each row, and how many more there are.

        Args:
            width: cells of the terminal; words are cut to fit. None: as wide as they come.
            rows: how many at the most, None for all.
        """
        columns, left_out = self._shown(), []
        rows_shown = [*self._rows[:rows], *([] if self.total is None else [self.total])]
        while width is not None and (one := _to_leave_out(columns, rows_shown, width)) is not None:
            columns.remove(one)
            left_out.append(one.title)
        cells = [[one.text(row) for one in columns] for row in rows_shown]
        foot = [] if self.total is None else [cells.pop()]
        shown, head = cells, [one.title for one in columns]
        widths = _fit([head, *shown, *foot], columns, width)
        lines = [_line(cells, widths, columns) for cells in (head, *shown, *foot)]
        lines.insert(1, "  ".join("─" * cells for cells in widths))
        if foot:
            lines.insert(-1, lines[1])
        if self.caption:
            caption = printable(self.caption)
            lines.insert(0, caption if width is None else clipped(caption, width))
        if rows is not None and len(self) > rows:
            lines.append(f"… and {len(self) - rows} more")
        if left_out and width is not None:
            lines.append(clipped(f"no room for: {', '.join(left_out)}", width))
        return "\n".join(line.rstrip() for line in lines)


_CAPTION = ' style="text-align:left;caption-side:top"'


def _title(one: Field[Any]) -> str:
    heading, unit = one.metadata.get("heading") or one.name, one.metadata.get("unit")
    return f"{heading} ({unit})" if unit else heading


def _look(one: _Column, texts: Sequence[str]) -> tuple[str, str]:
    """The class of a column's cells and the style of its heading: on which side it stands, and
    its least width in em. Below that words would stand one on each line, and long names, which are
    broken where they must be, in many pieces; beyond it the browser gives what there is."""
    if one.number:
        return "rt-n", "text-align:right"
    longest = max(map(len, texts), default=0)
    names = max((len(word) for text in texts for word in text.split()), default=0) > _NAME
    sentences = any(len(text) > _SENTENCE and " " in text for text in texts)
    if sentences:
        em = 12
    else:
        em = 9 if names else longest // 3 if any(" " in text for text in texts) else 0
    kind = f"rt-w{' rt-b' if names else ''}{' rt-s' if sentences else ''}"
    return kind, f"text-align:left;min-width:{em}em"


def breakable(markup: str) -> str:
    """Names with dots and underscores break behind these, before they break anywhere."""
    return _SEAM.sub(_MAY_BREAK, markup)


def _html_row(row: Any, looks: Mapping[_Column, tuple[str, str]]) -> str:
    cells = (
        f'<td class="{kind}" style="{style.partition(";")[0]}">'
        f"{breakable(escape(shortened(one.text(row), _CELL_LIMIT)))}</td>"
        for one, (kind, style) in looks.items()
    )
    return f"<tr>{''.join(cells)}</tr>"


_READABLE = 16  # cells of words below which it is better to leave out another column
_NARROWEST = 8  # cells to which words are cut before a line may become too long


def _to_leave_out(columns: list[_Column], rows: list[Any], width: int) -> _Column | None:
    """The column to do without where a line would be longer than `width`, None where none is."""
    spare = max((one.spare for one in columns), default=0)
    needed = -2
    for one in columns:
        texts = (one.title, *(one.text(row) for row in rows))
        widest = max(width_of(text[:_LINE_LIMIT]) for text in texts)
        needed += 2 + (widest if one.number else min(widest, _READABLE))
    if needed <= width or not spare:
        return None
    return [one for one in columns if one.spare == spare][-1]


def _fit(lines: list[list[str]], columns: list[_Column], width: int | None) -> list[int]:
    """How wide each column is: numbers whole, words cut, the widest first, until a line fits."""
    widths = [
        min(_LINE_LIMIT, max(width_of(cells[at][: 2 * _LINE_LIMIT]) for cells in lines))
        for at in range(len(columns))
    ]
    if width is None:
        return widths
    too_wide = sum(widths) + 2 * (len(widths) - 1) - width
    words = [at for at, one in enumerate(columns) if not one.number]
    while too_wide > 0 and any(widths[at] > _NARROWEST for at in words):
        widest = max(words, key=lambda at: widths[at])
        others = sorted((widths[at] for at in words if widths[at] < widths[widest]), reverse=True)
        goal = max(_NARROWEST, others[0] if others else 0, widths[widest] - too_wide)
        goal = min(goal, widths[widest] - 1)
        too_wide -= widths[widest] - goal
        widths[widest] = goal
    return widths


def _line(cells: list[str], widths: list[int], columns: list[_Column]) -> str:
    parts = []
    for text, width, one in zip(cells, widths, columns, strict=True):
        text = clipped(text, width)
        blanks = " " * (width - width_of(text))
        parts.append(blanks + text if one.number else text + blanks)
    return "  ".join(parts)
