"""The fault matrix: `make faults`, or here `faults.py WORD…` for the cases whose names hold a word.

First every fault at every phase of a conversation, in memory and on virtual time (the same cases as
tests/test_faults.py, which runs a part of them): what became of the conversation, what was lost of
what had come and of what the user had said, how often the greeting was heard, and the call that was
blocked longest, beside how long it may be. Then some of them again with a blocking `rt.Session`
over a WebSocket on this machine, in real time.

Status 0: nothing was lost, nothing was said twice, every call ended by its time. 1: not so.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT)]

from fault_cases import CASES, Outcome, play, problems_of  # noqa: E402
from real_faults import REAL, Blocked, blocked_by  # noqa: E402

HEADINGS = (
    "fault", "phase", "the conversation afterwards", "events lost", "input lost", "greetings",
    "longest blocked", "in the log",
)  # fmt: skip


def cells_of(outcome: Outcome) -> tuple[str, ...]:
    case, call = outcome.case, outcome.blocked
    return (
        case.fault,
        case.phase,
        outcome.afterwards,
        str(outcome.events_lost),
        str(len(outcome.input_lost)),
        str(outcome.greetings),
        f"{call.seconds:.1f} of {call.allowed:.0f} s ({call.name})",
        ", ".join(outcome.rows) or "the frames",
    )


def real_cells(one: Blocked) -> tuple[str, ...]:
    return one.fault, one.afterwards, f"{one.seconds:.1f} of {one.allowed:.0f} s ({one.name})"


def show(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as what is in them."""
    table = [headings, tuple("-" * len(one) for one in headings), *rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(headings))]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only cases whose names hold all of these")
    words = parser.parse_args().words
    chosen = [case for case in CASES if all(word in str(case) for word in words)]
    began = time.perf_counter()
    outcomes = [play(case) for case in chosen]
    show(HEADINGS, [cells_of(one) for one in outcomes])
    wrong = [f"{one.case}: {why}" for one in outcomes for why in problems_of(one)]
    seconds = time.perf_counter() - began
    print(f"\n{len(outcomes)} conversations in {seconds:.0f} s; times in them are virtual.")
    if not words:
        print("\nIn real time, in a rt.Session over a WebSocket (two minutes):\n", flush=True)
        real = [blocked_by(name) for name in REAL]
        show((HEADINGS[0], HEADINGS[2], HEADINGS[6]), [real_cells(one) for one in real])
        wrong += [f"{one.fault}: {one.trouble}" for one in real if one.trouble]
    print("\n" + ("\n".join(wrong) or "Nothing was lost, said twice, or waited for too long."))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
