"""A small table: rows that are frozen dataclasses, shown as HTML, as text, or as a DataFrame.

What a log says about itself (items, responses, turns, a bill, a difference) is a `Table`. Headings
and units stand in the dataclass, beside what they describe:

    @dataclass(frozen=True)
    class Lap:
        name: str = column("who")
        seconds: float | None = column("took", unit="s", digits=2)

    Table([Lap("ada", 1.5)], of=Lap, caption="Laps")

Text from outside is never markup and never a command to a terminal: see `printable`.

printing     text from outside: printable, and cut to the room that there is
table        `Table`, its columns, and how it is shown
"""

from .printing import clipped, printable, quoted, shortened, width_of
from .table import NOT_KNOWN, SHOWN_ROWS, TABLE_CSS, Table, breakable, column

__all__ = [
    "NOT_KNOWN",
    "SHOWN_ROWS",
    "TABLE_CSS",
    "Table",
    "breakable",
    "clipped",
    "column",
    "printable",
    "quoted",
    "shortened",
    "width_of",
]
