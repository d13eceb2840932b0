"""A comparison on disk: what a person reads, what a program reads, and the logs behind both.

results.csv          one line a trial
summary.json         one entry an opening and endpoint
audio/NAME.wav       the greeting of each trial that was heard
events/NAME.jsonl    its log (see `to_jsonl`); reading these gives the whole comparison again
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import audio
from ..errors import Misuse
from ..events import text_field
from ..log import EventLog
from .marks import Setup
from .results import Comparison, Trial, flat, plain

_NOT_A_NAME = re.compile(r"[^\w-]+")


def check_free(folder: Path) -> None:
    """Raises Misuse where a folder cannot take a comparison, or holds one: two must not mix."""
    if folder.exists() and not folder.is_dir():
        raise Misuse(f"{folder} is a file. Name a folder for the comparison.")
    if any((folder / "events").glob("*.jsonl")):
        raise Misuse(f"{folder} holds a comparison already. Name another folder, or delete it.")


def save(comparison: Comparison, folder: Path, replace: bool = False) -> Path:
    """Write all of it; with `replace` in the place of what was there. Raises Misuse, see above."""
    events, sounds = folder / "events", folder / "audio"
    if replace:
        for old in (*events.glob("*.jsonl"), *sounds.glob("*.wav")):
            old.unlink()
    check_free(folder)
    for one in (folder, events, sounds):
        one.mkdir(parents=True, exist_ok=True)
    for name, trial in _named(comparison):
        trial.log.to_jsonl(events / f"{name}.jsonl")
        if len(trial.samples):
            pcm = audio.pcm_from_samples(trial.samples)
            (sounds / f"{name}.wav").write_bytes(audio.wav_bytes(pcm))
    _write_results(comparison, folder / "results.csv")
    rows = [plain(row) for row in comparison.rows]
    summary = {"notice": comparison.notice, "run": comparison.run_notice, "rows": rows}
    (folder / "summary.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")
    return folder


def load(folder: Path) -> Comparison:
    """Read the logs of a saved comparison; the notice names files that are damaged, or no trial's.

    Raises Misuse where there are none.
    """
    paths = sorted((folder / "events").glob("*.jsonl"))
    logs = {path.name: EventLog.from_jsonl(path) for path in paths}
    trials = {name: log for name, log in logs.items() if Setup.of(log) is not None}
    if not trials:
        raise Misuse(f"{folder} holds no comparison: no log of a trial is in {folder / 'events'}.")
    other = [name for name in logs if name not in trials]
    damaged = [name for name, log in trials.items() if log.problems]
    notes = [said] if (said := _said_of_the_run(folder)) else []
    notes += [f"No log of a trial, and left out: {', '.join(other)}."] if other else []
    notes += [f"Damaged, read as far as possible: {', '.join(damaged)}."] if damaged else []
    return Comparison(trials.values(), notice=" ".join(notes))


def _said_of_the_run(folder: Path) -> str:
    """What no log can know: that it was stopped, or ended by the budget."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    return text_field(summary, "run")


def _named(comparison: Comparison) -> Iterator[tuple[str, Trial]]:
    """Each trial with the name of its files, in an order that sorting keeps."""
    digits = max(3, len(str(len(comparison.trials))))
    for place, trial in enumerate(comparison.trials):
        setup = trial.setup
        words = _NOT_A_NAME.sub("-", f"{setup.label} {setup.column}".casefold()).strip("-")[:60]
        kind = "" if setup.kind == "greeting" else f"-{setup.kind}"
        yield f"{place:0{digits}d}-{words}{kind}-{setup.number}", trial


def _write_results(comparison: Comparison, path: Path) -> None:
    lines = [
        {name: _cell(value) for name, value in flat(one.measures).items()}
        for one in comparison.trials
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]) if lines else [])
        writer.writeheader()
        writer.writerows(lines)


def _cell(value: Any) -> Any:
    """A value for a cell of a table: lists with a bar between, nothing for None."""
    if isinstance(value, list | tuple):
        value = " | ".join(map(str, value))
    if isinstance(value, str):
        # A cell that begins like a formula is one to a spreadsheet: what a server says is text.
        return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return "" if value is None else value
