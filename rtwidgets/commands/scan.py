"""`rtwidgets scan`: keys and tokens in notebooks, before they are shared. A hook for pre-commit."""

from __future__ import annotations

import argparse
import glob
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..scanning import Found, masked, scan
from ..tables import printable

Step = str | int

_WIDGETS = "application/vnd.jupyter.widget-state+json"
_LONGEST_PLACE = 160


@dataclass(frozen=True)
class Finding:
    """A secret and where it stands.

    Attributes:
        cell: from 1; None where it is in no cell.
        place: the rest of the way: source, output 1 text/html, metadata …
    """

    file: str
    cell: int | None
    place: str
    found: Found

    def __str__(self) -> str:
        cell = f"cell {self.cell}" if self.cell is not None else "no cell"
        how = f", {self.found.encoded}" if self.found.encoded else ""
        where = f"{self.file}:{cell}:{self.place}, line {self.found.line}"
        return f"{where}: {self.found.kind} {self.found.shown}{how}"

    def json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "file": self.file,
            "cell": self.cell,
            "place": self.place,
            "line": self.found.line,
            "kind": self.found.kind,
            "shown": self.found.shown,
            "encoded": self.found.encoded or None,
        }


class Unreadable(Exception):
    """A file that cannot be looked through; the message says why."""


def add(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser(
        "scan",
        help="find keys and tokens in notebooks before they are shared",
        description="Looks through sources, outputs, metadata, widget state and attachments; files "
        "other than notebooks are read as text. Exit status: 1 where something was found, 0 where "
        "nothing was, 2 where a file could not be read.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="notebooks, or folders of notebooks"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Look, and print each secret, masked, with its place."""
    findings: list[Finding] = []
    unreadable: list[tuple[str, str]] = []
    paths = list(_paths(chosen.files))
    for path in paths:
        try:
            findings += findings_in(path)
        except Unreadable as problem:
            unreadable.append((_shown(str(path)), str(problem)))
    if hasattr(sys.stdout, "reconfigure"):  # a terminal that knows few characters
        sys.stdout.reconfigure(errors="backslashreplace")
    if chosen.format == "json":
        told = {
            "files": len(paths),
            "findings": [one.json() for one in findings],
            "unreadable": [{"file": path, "why": why} for path, why in unreadable],
        }
        print(json.dumps(told, indent=2))
    else:
        for one in findings:
            print(one)
    for file, why in unreadable:
        print(f"rtwidgets scan: {file}: {why}", file=sys.stderr)
    if findings:
        print(_advice(len(findings)), file=sys.stderr)
        return 1
    return 2 if unreadable else 0


def _advice(count: int) -> str:
    what = "1 secret" if count == 1 else f"{count} secrets"
    return (
        f"rtwidgets scan: {what}. Take it out, clear the outputs, and revoke it where it was made "
        "if the file was ever shared."
    )


def _paths(names: Iterable[str]) -> Iterator[Path]:
    """The files that are meant: folders are searched for notebooks, patterns spelled out."""
    for name in names:
        path = Path(name)
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*.ipynb") if one.is_file())
        elif glob.has_magic(name) and not path.exists():  # a shell that left it to us
            yield from map(Path, sorted(glob.glob(name, recursive=True)) or [name])
        else:
            yield path


def findings_in(path: Path) -> Iterator[Finding]:
    """What is found in one file. Raises Unreadable."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as problem:
        raise Unreadable(getattr(problem, "strerror", None) or "no such file") from None
    name = _shown(str(path))
    if path.suffix != ".ipynb":
        for found in scan(data.decode("utf-8", "replace")):
            yield Finding(name, None, "text", found)
        return
    for way, text in _texts(_notebook(data), ()):
        field = next((str(step) for step in reversed(way) if isinstance(step, str)), "")
        for found in scan(text, field):
            yield Finding(name, _cell(way), _place(way), found)


def _notebook(data: bytes) -> dict[str, Any]:
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise Unreadable("nested too deep") from None
    except ValueError:
        raise Unreadable("no JSON, so no notebook") from None
    if not isinstance(notebook, dict) or not {"cells", "worksheets"} & notebook.keys():
        raise Unreadable("no notebook: it has no cells")
    return notebook


def _texts(value: Any, way: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Every text of a notebook, names too, with the way to it. Lines of one text are joined."""
    waiting: list[tuple[tuple[Step, ...], Any]] = [(way, value)]
    while waiting:
        way, value = waiting.pop()
        if isinstance(value, str):
            yield way, value
        elif isinstance(value, dict):
            for name in value:
                yield (*way, "a name"), name
            waiting += [((*way, name), inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            joint = "\n" if way[-1:] == ("traceback",) else ""
            yield way, joint.join(value)
        elif isinstance(value, list):
            waiting += [((*way, at), inner) for at, inner in reversed(list(enumerate(value)))]


def _cell(way: tuple[Step, ...]) -> int | None:
    at = next((at for at, step in enumerate(way) if step == "cells"), None)
    number = way[at + 1] if at is not None and len(way) > at + 1 else None
    return number + 1 if isinstance(number, int) else None


def _place(way: tuple[Step, ...]) -> str:
    """The way inside of a cell or a notebook, in words, and without what is secret in a name."""
    inside = list(way)
    if _cell(way) is not None:
        inside = inside[inside.index("cells") + 2 :]
    if inside[:1] == ["outputs"] and len(inside) > 1 and isinstance(inside[1], int):
        inside[:2] = [f"output {inside[1] + 1}"]
        inside = [step for step in inside if step != "data"]
    if inside[:3] == ["metadata", "widgets", _WIDGETS]:
        inside[:4] = ["widget state"]
    words = " ".join(str(step) for step in inside)
    return _shown(words if len(words) <= _LONGEST_PLACE else words[:_LONGEST_PLACE] + "…")


def _shown(text: str) -> str:
    return printable(masked(text))
