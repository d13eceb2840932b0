"""A comparison for a terminal: a table of numbers, and below it what does not fit into a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, make_dataclass
from typing import TYPE_CHECKING, Any

from ..tables import NOT_KNOWN, Table, column, printable

if TYPE_CHECKING:
    from .results import Comparison, Summary


@dataclass(frozen=True)
class Line:
    """One opening, in the columns that a terminal has room for; medians, times in seconds."""

    opening: str = column()
    heard: str = column()
    created: float | None = column(digits=2, spare=2)
    text: float | None = column(digits=2, spare=2)
    sound: float | None = column(digits=2)
    speech: float | None = column(digits=1, spare=1)
    exact: str = column()
    tokens: float | None = column(digits=0, spare=1)
    cost: float | None = column(unit="$", digits=5)
    knows: str = column()
    over: str = column("spoken over", spare=3)


def text_of(comparison: Comparison, width: int | None = 120) -> str:
    """The whole comparison as text, its notice first."""
    parts = [printable(comparison.notice)] if comparison.notice else []
    if len(comparison.endpoints) > 1:
        parts.append(_beside(comparison).to_text(width=width))
    for endpoint in comparison.endpoints:
        rows = [row for row in comparison.rows if row.endpoint == endpoint]
        caption = f"{endpoint} (medians; seconds from session.updated)"
        table = Table(map(_line, rows), Line, caption=caption)
        parts += [table.to_text(width=width), *_details(rows)]
    return "\n".join(parts)


def _beside(comparison: Comparison) -> Table[Any]:
    """Where endpoints or models are compared: openings down, these across."""
    names = [f"at_{number}" for number, _ in enumerate(comparison.endpoints)]
    across = zip(names, comparison.endpoints, strict=True)
    kind = make_dataclass(
        "Beside",
        [("opening", str, column()), *((name, str, column(title)) for name, title in across)],
        frozen=True,
    )
    known = {(row.opening, row.endpoint): _briefly(row) for row in comparison.rows}
    lines = [
        kind(opening, *(known.get((opening, one), NOT_KNOWN) for one in comparison.endpoints))
        for opening in comparison.openings
    ]
    return Table(lines, kind, caption="Beside each other (first sound, cost)")


def _briefly(row: Summary) -> str:
    told = [f"{row.first_audio} s"] if row.first_audio.values else []
    told += [f"${row.cost:.4f}"] if row.cost else []
    return f"{row.heard}  {', '.join(told)}".rstrip()


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
        kinds = ", ".join(f"{name} {count:.0f}" for name, count in row.kinds.items())
        told = [f"  tokens: {kinds}"] if kinds else []
        told += [f"  left: {item}" for item in row.items]
        told += [f"  asked, it says: {row.answer}"] if row.answer else []
        told += [f"  ! {fault}" for fault in row.faults]
        if told:
            yield f"{printable(row.opening)}\n" + "\n".join(map(printable, told))
