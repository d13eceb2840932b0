"""A log and its tables as text: for a terminal, for a spreadsheet, for another program.

What a server sent reaches a terminal only as text that shows itself: control characters, and the
marks that turn the direction of writing, are written out as escapes. Colour says nothing that does
not stand there as well.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .events import whole_characters
from .log.folding import fold
from .log.logins import for_a_file
from .log.rows import Row, Rows
from .tables import Table, clipped, printable, shortened, width_of

_ARROWS = {"client": ">", "server": "<", "local": "="}
_COLOURS = {"client": "36", "server": "32", "local": "33", "error": "1;31", "count": "2"}
_TYPE_WIDTH = 46  # of the longest that is frequent; less where the terminal is narrow
_HEAD_WIDTH = 19  # of number, seconds and arrow
_SAID = 160  # characters of what an event says, where no width is given

COLUMNS = ("seq", "t", "direction", "type", "item_id", "response_id", "size", "audio_ms", "summary")


def event_lines(
    rows: Rows, *, folded: bool = True, width: int | None = None, colour: bool = False
) -> Iterator[str]:
    """A line for each event: number, seconds, direction, type, and what it says.

    Args:
        folded: one line for the deltas between two other events.
        width: cells of the terminal, to which a line is cut; None: as it comes.
        colour: with the escape sequences of a terminal's colours.
    """
    for row, count, said in _gathered(rows, folded):
        yield _line(row, count, said, width, colour)


def _gathered(rows: Rows, folded: bool) -> Iterable[tuple[Row, int, str]]:
    if folded:
        return ((run.first, run.count, run.summary) for run in fold(rows))
    return ((row, 1, row.summary) for row in rows)


def _line(row: Row, count: int, said: str, width: int | None, colour: bool) -> str:
    room = _TYPE_WIDTH if width is None else min(_TYPE_WIDTH, (width - _HEAD_WIDTH) // 2)
    kind = printable(shortened(row.type or "(not JSON)", 2 * _TYPE_WIDTH))
    times = f" × {count}" if count > 1 else ""
    kind = (kind if width is None else clipped(kind, max(1, room - len(times)))) + times
    kind += " " * (room - width_of(kind))
    head = f"{row.seq:>6} {row.t:9.3f} "
    arrow = _ARROWS[row.direction]
    said = printable(shortened(said, _SAID if width is None else width))
    if width is not None:
        said = clipped(said, max(0, width - len(head) - 3 - width_of(kind)))
    if colour:
        shade = _COLOURS["error" if row.family == "error" else row.direction]
        arrow, kind = f"\x1b[{shade}m{arrow}", f"{kind}\x1b[0m"
    return f"{head}{arrow} {kind} {said}".rstrip()


def events_text(
    rows: Rows,
    *,
    folded: bool = True,
    limit: int | None = None,
    width: int | None = None,
    colour: bool = False,
) -> Iterator[str]:
    """The same lines, `limit` of them at the most, and below how many more there are."""
    lines = event_lines(rows, folded=folded, width=width, colour=colour)
    if limit is None:
        yield from lines
        return
    yield from islice(lines, limit)
    more = sum(1 for _ in lines)
    if more:
        yield f"… the first {limit} lines of {limit + more}, {len(rows)} events in all"


# ---------------------------------------------------------------- for other programs


def events_dicts(rows: Rows, *, folded: bool) -> Iterator[dict[str, Any]]:
    """Each event as a plain dict of its columns and its JSON, audio named by its length; the deltas
    between two other events as one, with their `count`."""
    if not folded:
        yield from ({**_columns(row), "event": _event(row)} for row in rows)
        return
    for run in fold(rows):
        columns = _columns(run.first)
        if run.count == 1:
            yield {**columns, "count": 1, "event": _event(run.first)}
        else:
            known = {"size": run.size, "audio_ms": run.audio_ms, "summary": run.summary}
            yield {**columns, **known, "count": run.count, "event": None}


def _columns(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _event(row: Row) -> Any:
    try:
        return json.loads(row.json())
    except (ValueError, RecursionError):
        return for_a_file(row.raw)


def table_dicts(table: Table[Any]) -> list[dict[str, Any]]:
    """A table's rows as plain dicts, its total last."""
    total = [] if table.total is None else Table([table.total], of=table.of).to_dicts()
    return [*table.to_dicts(), *total]


def as_json(dicts: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One JSON list, a row a line, in ASCII: no terminal obeys any of it."""
    before = "["
    for one in dicts:
        yield f"{before}{json.dumps(one, default=str)}"
        before = ","
    yield "[]" if before == "[" else "]"


def as_jsonl(dicts: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A JSON object a line, in ASCII."""
    return (json.dumps(one, default=str) for one in dicts)


def as_csv(dicts: Iterable[dict[str, Any]], names: Iterable[str]) -> Iterator[str]:
    """Comma-separated lines with headings; text printable, lists joined by blanks."""
    known = list(names)
    yield _csv_line(known)
    for one in dicts:
        yield _csv_line([_cell(one.get(name)) for name in known])


def _csv_line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return " ".join(printable(str(one)) for one in value)
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return printable(str(value))


# What JSON allows inside a string and a terminal obeys all the same.
_OBEYED = re.compile("[\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069]")


def harmless_json(line: str) -> str:
    """A line of JSON, valid as before, that a terminal shows and does not obey."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", whole_characters(line))
