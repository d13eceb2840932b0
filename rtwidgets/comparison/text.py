"""A comparison for a terminal: a table of numbers, and below it what does not fit into a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..tables import Table, column, printable

if TYPE_CHECKING:
    from .results import Comparison, Summary


@dataclass(frozen=True)
class Line:
    """One opening, in the columns that a terminal has room for; times are medians."""

    opening: str = column()
    heard: str = column()
    created: float | None = column(unit="s", digits=2)
    text: float | None = column(unit="s", digits=2)
    sound: float | None = column(unit="s", digits=2)
    speech: float | None = column(unit="s", digits=1)
    exact: str = column()
    tokens: float | None = column(digits=0)
    cost: float | None = column(unit="$", digits=5)
    knows: str = column()
    over: str = column("spoken over")


def text_of(comparison: Comparison, width: int | None = 120) -> str:
    """The whole comparison as text, its notice first."""
    parts = [printable(comparison.notice)] if comparison.notice else []
    for endpoint in comparison.endpoints:
        rows = [row for row in comparison.rows if row.endpoint == endpoint]
        table = Table(map(_line, rows), Line, caption=endpoint)
        parts += [table.to_text(width=width), *_details(rows)]
    return "\n".join(parts)


def _line(row: Summary) -> Line:
    return Line(
        opening=row.opening,
        heard=row.heard,
        created=row.created.median,
        text=row.first_text.median,
        sound=row.first_audio.median,
        speech=row.speech.median,
        exact=row.exact,
        tokens=row.tokens.median,
        cost=row.cost,
        knows=row.knows,
        over=row.interruption,
    )


def _details(rows: list[Summary]) -> Iterator[str]:
    for row in rows:
        told = [f"  left: {item}" for item in row.items]
        told += [f"  asked, it says: {row.answer}"] if row.answer else []
        told += [f"  ! {fault}" for fault in row.faults]
        if told:
            yield f"{printable(row.opening)}\n" + "\n".join(map(printable, told))
