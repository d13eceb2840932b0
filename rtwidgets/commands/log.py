"""`rtwidgets log`: a recorded log in a terminal, as tables, as files, or for sharing."""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Misuse
from ..events import FAMILIES, family_of
from ..tables import Table, printable

if TYPE_CHECKING:
    from ..log import EventLog
    from ..log.rows import Rows

_LINES = 200  # of a table, unless asked for more
_NARROWEST = 20  # cells that a line is cut to


def add(commands: Any) -> None:
    """Add the command to the parser's commands."""
    log = commands.add_parser("log", help="show, filter and share a recorded log")
    log.set_defaults(run=show)
    log.add_argument("file", type=Path, help="a .jsonl file; - reads the standard input")
    which = log.add_argument_group("which events")
    which.add_argument(
        "--type", action="append", help="of this type; a pattern such as 'response.*'; repeatable"
    )
    which.add_argument("--family", choices=FAMILIES, help="of this group of types")
    which.add_argument(
        "--direction",
        choices=("client", "server", "local"),
        help="sent, received, or what happened",
    )
    which.add_argument("--text", help="that hold these words, upper or lower case")
    which.add_argument("--item", metavar="ID", help="about this item")
    which.add_argument("--response", metavar="ID", help="about this response")
    which.add_argument("--turn", type=int, metavar="N", help="of this turn, the first is 1")
    which.add_argument("--all", action="store_true", help="each delta on a line of its own")
    what = log.add_argument_group("what to show of them, in place of the events")
    instead = what.add_mutually_exclusive_group()
    instead.add_argument("--turns", action="store_true", help="what was said and answered")
    instead.add_argument("--items", action="store_true", help="the conversation's items")
    instead.add_argument("--responses", action="store_true", help="the responses with their times")
    instead.add_argument("--cost", action="store_true", help="tokens and dollars")
    instead.add_argument("--diff", type=Path, metavar="OTHER", help="what differs from another log")
    instead.add_argument(
        "--redact", action="store_true", help="a log for sharing: no keys, addresses, audio"
    )
    log.add_argument("--no-text", action="store_true", help="with --redact: no words either")
    log.add_argument(
        "--format", choices=("table", "json", "csv", "jsonl"), help="default: table in a terminal"
    )
    log.add_argument("--limit", type=_count, help="lines at the most (default: 200 in a table)")
    log.add_argument(
        "--width",
        type=_count,
        metavar="CELLS",
        help="of a line (default: the terminal's; else all)",
    )
    log.add_argument("-o", "--output", type=Path, metavar="OUT", help="write there instead")


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"a number of lines is 0 or more, not {number}")
    return number


def show(chosen: argparse.Namespace) -> int:
    """Do what the options of `rtwidgets log` ask for. Returns the exit status."""
    log = _read(chosen.file)
    if log.problems and not len(log):
        _complain(f"{chosen.file} holds no events: {log.problems[0]}.")
        return 1
    rows = _chosen(log, chosen)
    _write(_lines(log, rows, chosen), chosen.output)
    for problem in log.problems:
        print(printable(problem), file=sys.stderr)
    return 0


def _complain(sentence: str) -> None:
    print(f"rtwidgets log: {printable(sentence)}", file=sys.stderr)


def _read(path: Path) -> EventLog:
    from ..log import EventLog

    if str(path) != "-":
        if not path.exists():
            raise Misuse(f"There is no file {path}.")
        return EventLog.from_jsonl(path)
    with tempfile.TemporaryDirectory(prefix="rtwidgets-") as folder:
        kept = Path(folder, "stdin.jsonl")
        with kept.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return EventLog.from_jsonl(kept)


def _chosen(log: EventLog, chosen: argparse.Namespace) -> Rows:
    """The rows that fit every filter."""
    rows: Rows = log
    if chosen.turn is not None:
        turns = log.turns()
        if not 1 <= chosen.turn <= len(turns):
            raise Misuse(f"There is no turn {chosen.turn}: the log has {len(turns)}.")
        turn = turns[chosen.turn - 1]
        rows = log[turn.first_seq : turn.last_seq + 1]
    if chosen.family:
        types = {row.type for row in rows}
        rows = rows.where(
            type=[glob.escape(one) for one in types if family_of(one) == chosen.family]
        )
    return rows.where(
        type=chosen.type,
        direction=chosen.direction,
        text=chosen.text,
        item_id=chosen.item,
        response_id=chosen.response,
    )


def _lines(log: EventLog, rows: Rows, chosen: argparse.Namespace) -> Iterable[str]:
    if chosen.redact:
        return _file(rows.redact(text=chosen.no_text))
    if chosen.no_text:
        raise Misuse("--no-text goes with --redact: rtwidgets log FILE --redact --no-text -o OUT")
    table = _table(rows, chosen)
    if table is not None:
        return _table_lines(table, chosen)
    return _event_lines(log, rows, chosen)


def _table(rows: Rows, chosen: argparse.Namespace) -> Table[Any] | None:
    for name in ("turns", "items", "responses", "cost"):
        if getattr(chosen, name):
            found: Table[Any] = getattr(rows, name)()
            return found
    if chosen.diff is not None:
        differences: Table[Any] = rows.diff(_chosen(_read(chosen.diff), chosen))
        return differences
    return None


def _table_lines(table: Table[Any], chosen: argparse.Namespace) -> Iterable[str]:
    from .. import listing

    style = chosen.format or "table"
    if style == "table":
        limit = _LINES if chosen.limit is None else chosen.limit
        return table.to_text(_width(chosen), limit or None).splitlines()
    dicts = listing.table_dicts(table if chosen.limit is None else table[: chosen.limit])
    return _formatted(style, dicts, table.columns)


def _event_lines(log: EventLog, rows: Rows, chosen: argparse.Namespace) -> Iterable[str]:
    from .. import listing

    style, folded = chosen.format or "table", not chosen.all
    if style == "table":
        limit = _LINES if chosen.limit is None else chosen.limit
        return _event_table(log, rows, folded, limit or None, chosen)
    if style == "jsonl":
        return _file(rows if chosen.limit is None else rows[: chosen.limit])
    dicts = listing.events_dicts(rows, folded=folded)
    if chosen.limit is not None:
        dicts = (one for _, one in zip(range(chosen.limit), dicts, strict=False))
    return _formatted(style, dicts, (*listing.COLUMNS, *(["count"] if folded else [])))


def _event_table(
    log: EventLog, rows: Rows, folded: bool, limit: int | None, chosen: argparse.Namespace
) -> Iterator[str]:
    from .. import listing
    from ..render import source_of

    yield printable(f"{len(rows)} events{source_of(log)}")
    yield from listing.events_text(
        rows, folded=folded, limit=limit, width=_width(chosen), colour=_colour(chosen)
    )


def _formatted(style: str, dicts: Iterable[dict[str, Any]], names: Iterable[str]) -> Iterable[str]:
    from .. import listing

    if style == "csv":
        return listing.as_csv(dicts, names)
    return listing.as_json(dicts) if style == "json" else listing.as_jsonl(dicts)


def _file(rows: Rows) -> Iterable[str]:
    """A log as the lines of a file (see `to_jsonl`), but for a terminal harmless."""
    from .. import listing

    text = rows.to_jsonl() or ""
    lines = text.removesuffix("\n").split("\n")
    return map(listing.harmless_json, lines) if sys.stdout.isatty() else lines


def _width(chosen: argparse.Namespace) -> int | None:
    if chosen.width is not None:
        return max(_NARROWEST, int(chosen.width))
    if chosen.output is not None or not sys.stdout.isatty():
        return None
    return max(_NARROWEST, shutil.get_terminal_size().columns)


def _colour(chosen: argparse.Namespace) -> bool:
    """See no-color.org: any value that is not empty means no."""
    quiet = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return chosen.output is None and sys.stdout.isatty() and not quiet


def _write(lines: Iterable[str], output: Path | None) -> None:
    if output is not None:
        with output.open("wb") as file:
            file.writelines(f"{line}\n".encode("utf-8", "surrogatepass") for line in lines)
        return
    if hasattr(sys.stdout, "reconfigure"):  # a terminal that knows few characters
        sys.stdout.reconfigure(errors="backslashreplace")
    for line in lines:
        print(line)
