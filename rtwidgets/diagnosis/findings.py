"""What was looked at, what was found there, and what a person can do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..tables import Table, column, printable

Verdict = Literal["fine", "limited", "mend", "waiting"]
"""`fine`; `limited`: it works, with the limits that the remedy names; `mend`: it does not work
until somebody does what the remedy says; `waiting`: not known yet, or nobody could tell."""


@dataclass(frozen=True)
class Finding:
    """A row: where (`Python`, `server` or `page`), what, what is there, and what to do about it."""

    area: str = column("where")
    what: str = column("what")
    found: str = column("found")
    verdict: Verdict = column("verdict")
    remedy: str = column("what to do", default="")


@dataclass(frozen=True)
class _Brief:
    """The same for lines of text, where a sentence has no room beside the others."""

    area: str = column("where")
    what: str = column("what")
    verdict: str = column("verdict")
    found: str = column("found")


def table_of(findings: Iterable[Finding]) -> Table[Finding]:
    """The findings as a table of its own kind, with a summary above it."""
    rows = list(findings)
    return Table(rows, Finding, caption=summary(rows))


def summary(findings: Sequence[Finding]) -> str:
    """How many of them are fine, limited, to mend and not known, in a sentence."""
    counts = Counter(finding.verdict for finding in findings)
    words: dict[Verdict, str] = {
        "mend": "to mend",
        "limited": "limited",
        "waiting": "not known yet",
        "fine": "fine",
    }
    said = [f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]]
    return "rtwidgets doctor: " + (", ".join(said) or "nothing was looked at")


def as_text(findings: Sequence[Finding], width: int | None = 100) -> str:
    """Lines for a terminal: the table, and below it each remedy as a whole sentence."""
    brief = [_Brief(one.area, one.what, one.verdict, one.found) for one in findings]
    table = Table(brief, _Brief, caption=summary(findings)).to_text(width)
    remedies = [f"  {one.what}: {one.remedy}" for one in findings if one.remedy]
    return "\n".join([table, *(["", "What to do:"] if remedies else []), *map(printable, remedies)])
