"""`rtwidgets doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import Any

from ..errors import Misuse

NO_PAGE = (
    "What only a browser can tell (microphone, sound, the way to the kernel) tells rt.doctor() "
    "in a cell."
)


def add(commands: Any) -> None:
    """Add the command to the parser's commands."""
    parser = commands.add_parser("doctor", help="what works here, and what to do about the rest")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument(
        "--endpoint", metavar="WHERE", help="the address of a server to look for in place of OpenAI"
    )
    parser.add_argument(
        "--timeout", type=float, default=5.0, metavar="SECONDS", help="for each server"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Look, and print. 0 where all is well, 1 where something has to be mended."""
    from ..diagnosis import Examination
    from ..diagnosis.findings import summary
    from ..endpoints import Endpoint

    if chosen.timeout <= 0:
        raise Misuse("--timeout is a number of seconds above 0.")
    endpoint = Endpoint(chosen.endpoint) if chosen.endpoint else None
    examination = Examination(endpoint, timeout=chosen.timeout).wait(chosen.timeout + 30.0)
    if chosen.format == "json":
        findings = examination.findings
        told = {
            "fine": examination.fine,
            "summary": summary(findings),
            "findings": examination.table.to_dicts(),
        }
        print(json.dumps(told, indent=2))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(examination.to_text(width), NO_PAGE, sep="\n\n")
    return 0 if examination.fine else 1
