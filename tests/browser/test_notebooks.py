"""The committed notebooks, run as a person does: all cells at once, in a real JupyterLab."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .conftest import ROOT, Notebook

# Those that show something live or nest loops; test_notebooks.py runs every one without a browser.
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0[124]_*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_run_all(path: Path, notebook: Notebook, lab: tuple[str, Path]) -> None:
    """Every cell ends, none with an error and none with a word on standard error.

    With all cells queued a kernel behaves differently from one that is given cell after cell: a
    loop nested by nest_asyncio loses what is queued behind it.
    """
    shutil.copy(path, lab[1] / path.name)
    notebook.open(path.name)
    code = f"{notebook.CONTENT}.widgets.filter(cell => cell.model.type === 'code')"
    notebook.js("jupyterapp.commands.execute('notebook:clear-all-cell-outputs').then(() => 0)")
    notebook.until(f"{code}.every(cell => cell.model.executionCount === null)")
    notebook.js("jupyterapp.commands.execute('notebook:run-all-cells'); 0")
    notebook.until(f"{code}.every(cell => cell.model.executionCount > 0)", 90)
    outputs = json.loads(notebook.js(f"JSON.stringify({code}.map(c => c.model.outputs.toJSON()))"))
    wrong = [
        output
        for cell in outputs
        for output in cell
        if output["output_type"] == "error" or output.get("name") == "stderr"
    ]
    assert wrong == []
