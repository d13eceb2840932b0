"""`rtwidgets compare`: openings side by side, in a terminal or for a program."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Misuse, SpendingNotApproved

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..endpoints import Endpoint
    from ..openings import Opening


def add(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser("compare", help="run openings side by side and measure them")
    parser.add_argument(
        "openings",
        nargs="*",
        metavar="OPENING",
        help="class names such as ScriptedGreeting (default: one of each kind)",
    )
    parser.add_argument("--trials", type=int, default=5, help="sessions for each opening")
    parser.add_argument("--text", help="the words of the openings that say a script")
    parser.add_argument("--instructions", help="the instructions of every session")
    parser.add_argument(
        "--endpoint",
        action="append",
        metavar="WHERE",
        help="simulator, openai, azure:RESOURCE/DEPLOYMENT, or a ws:// address; "
        "several stand beside each other",
    )
    parser.add_argument("--model", action="append", help="several stand beside each other")
    parser.add_argument("--voice")
    parser.add_argument("--modality", choices=("audio", "text"), default="audio")
    parser.add_argument(
        "--latency", choices=("none", "typical"), default="typical", help="of the simulator"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the simulator")
    parser.add_argument("--budget", type=float, metavar="DOLLARS", help="for all of it together")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--no-probe", action="store_true", help="do not ask what it said first")
    parser.add_argument("--no-interrupt", action="store_true", help="do not speak over a greeting")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with players")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write results, sounds and event logs"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Compare, print, and write what was asked for. 1 where no session could be opened."""
    from ..comparison import compare
    from ..comparison.folder import check_free
    from ..comparison.text import text_of

    if chosen.out:
        check_free(chosen.out)  # before anything is spent on it
    try:
        comparison = compare(
            openings_named(chosen.openings, chosen.text),
            chosen.trials,
            [endpoint_named(name, chosen) for name in chosen.endpoint or ["simulator"]],
            model=chosen.model,
            instructions=chosen.instructions,
            voice=chosen.voice,
            modality=chosen.modality,
            probe=not chosen.no_probe,
            interrupt=not chosen.no_interrupt,
            timeout=chosen.timeout,
            budget=chosen.budget,
            announce=lambda notice: print(notice, file=sys.stderr),
        )
    except SpendingNotApproved as problem:  # it names arguments of Python
        raise SpendingNotApproved(
            f"{problem.notice} Agree by --budget DOLLARS; --endpoint simulator costs nothing."
        ) from None
    print(as_json(comparison) if chosen.format == "json" else text_of(comparison, _width()))
    if chosen.html:
        comparison.to_html(chosen.html)
    if chosen.out:
        comparison.save(chosen.out)
    return 0 if any(trial.log.where(direction="server") for trial in comparison.trials) else 1


def _width() -> int:
    """Cells of the terminal; where the output is read elsewhere, those of a wide one."""
    return shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else 120


def openings_named(names: Sequence[str], text: str | None) -> list[Opening]:
    """The openings with these class names, one of each kind without any. Raises Misuse."""
    from ..openings.examples import examples

    known = {type(one).__name__: one for one in examples(text)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Misuse(f"There is no opening {unknown[0]!r}. There are: {', '.join(known)}.")
    return [known[name] for name in names or known]


def endpoint_named(name: str, chosen: argparse.Namespace) -> Endpoint:
    """Where to connect: `simulator`, `openai`, `azure:RESOURCE/DEPLOYMENT`, or an address.

    Raises Misuse for anything else.
    """
    from ..endpoints import Azure, Endpoint, OpenAI, Simulated

    resource, slash, deployment = name.removeprefix("azure:").partition("/")
    if name == "simulator":
        return Simulated(chosen.latency, chosen.seed)
    if name == "openai":
        return OpenAI()
    if name.startswith("azure:") and slash:
        return Azure(resource, deployment)
    if "://" in name:
        return Endpoint(name)
    raise Misuse(
        "An endpoint is simulator, openai, azure:RESOURCE/DEPLOYMENT or an address ws://…, "
        f"not {name!r}."
    )


def as_json(comparison: Comparison) -> str:
    """For programs: the rows, each trial, and whether any of it is simulated."""
    from ..comparison.results import flat, plain

    return json.dumps(
        {
            "simulated": comparison.simulated,
            "notice": comparison.notice,
            "rows": [plain(row) for row in comparison.rows],
            "trials": [flat(trial.measures) for trial in comparison.trials],
        },
        indent=2,
    )
