"""The notebooks' exercises: not solved as they stand, and solved by changing what they say."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("no_garbage")

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"

# Notebook -> for each of its exercises the text to be changed, and what a learner would write.
SOLUTIONS = {
    "04_openings_laboratory": [
        ('exactly)"}', 'exactly)", "Recorded greeting"}'),
        ("SeededGreeting(greet)", "SeededGreeting(greet, delete=True)"),
        ("OutOfBandGreeting(greet)", "OutOfBandGreeting(greet, remember=True)"),
    ],
    "05_what_the_model_remembers": [
        ('answer = "spoken"', 'answer = "written, silent"'),
        ("# s.send({", 's.send({"type": "conversation.item.delete", "item_id": greeting})  # ({'),
    ],
    "08_reading_the_log": [
        ("answer = 0\n", "answer = sum(row.audio_bytes for row in log)\n"),
        ("answer = log[0]", "answer = max(log, key=lambda row: row.size)"),
        ("answer = 0.0", "answer = log.responses()[1].first_text_t - log.responses()[1].asked_t"),
    ],
}
# A learner changes one line and reruns: the checks must not depend on it.
CHANGED = {"04_openings_laboratory": ("trials=3", "trials=1")}
SLOW = "over = rt.compare("  # speaks over greetings, at the pace of speech; no exercise needs it


def cells_of(name: str) -> list[str]:
    notebook = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))
    code = ("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    return [cell for cell in code if not cell.startswith("%") and SLOW not in cell]


def verdicts(cells: list[str]) -> list[str]:
    """Run cells as a kernel would; what the checking ones say."""
    there: dict[str, Any] = {"__name__": "__main__"}
    said = []
    for cell in cells:
        cell = re.sub(r"rt\.Simulated\((.*?)\)", r'rt.Simulated("none", where="thread", \1)', cell)
        tree = ast.parse(cell)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "cell", "exec"), there)
        if isinstance(last, ast.Expr) and '"not yet' in cell:
            said.append(eval(compile(ast.Expression(last.value), "cell", "eval"), there))
    return said


@pytest.mark.parametrize("name", SOLUTIONS)
def test_every_exercise_can_be_solved_and_is_not_solved_already(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a notebook writes its files beside itself
    old, new = CHANGED.get(name, ("", ""))
    cells = [cell.replace(old, new) for cell in cells_of(name)]
    exercises = [cell for cell in cells if '"not yet' in cell]
    assert len(exercises) == len(SOLUTIONS[name])
    solved = [
        cell.replace(*solution) for cell, solution in zip(exercises, SOLUTIONS[name], strict=True)
    ]
    assert all(one != cell for one, cell in zip(solved, exercises, strict=True))
    said = verdicts([*cells, *solved])
    assert all(one.startswith("not yet") for one in said[: len(exercises)])
    assert said[len(exercises) :] == ["right"] * len(solved)
