"""Run the notebooks and write them as they are committed: `make notebooks`.

Each runs top to bottom in a fresh kernel, without a key, and so on the simulator. What is written
is what a reader on a web page can use: no widget state (it is mostly the widgets' program text),
no reference to a widget that is no longer there, no audio (megabytes of it), no running times.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
AUDIO_ELEMENT = re.compile(r"<audio\b.*?</audio>", re.DOTALL | re.IGNORECASE)
SILENT = "<em>Run this cell to hear it: the notebook is stored without audio.</em>"
KEYS = ("OPENAI_", "AZURE_", "RTWIDGETS_")


def main() -> int:
    for name in [name for name in os.environ if name.startswith(KEYS)]:
        del os.environ[name]  # a key would make the notebooks spend money
    wanted = sys.argv[1:]  # beginnings of names, such as 04; all where there is none
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if wanted and not path.name.startswith(tuple(wanted)):
            continue
        print(f"Running {path.name} ...", flush=True)
        notebook = run(path)
        nbformat.write(as_committed(notebook), path)
    return 0


def run(path: Path, timeout: int = 120) -> Any:
    """The notebook with the outputs of a fresh run. Raises CellExecutionError where a cell does.

    It runs in a copy of its folder: what it writes to disk is not left behind.
    """
    with tempfile.TemporaryDirectory(prefix="rtwidgets-notebook-") as folder:
        copy = Path(folder, "notebooks")
        shutil.copytree(path.parent, copy, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        notebook = nbformat.read(copy / path.name, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            resources={"metadata": {"path": str(copy)}},
            store_widget_state=False,
            record_timing=False,
        )
        client.execute()
    return notebook


def as_committed(notebook: Any) -> Any:
    """The same notebook, cleaned in place of what does not belong into a repository."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(without_media, cell.outputs) if output]
    return notebook


def without_media(output: Any) -> Any:
    """The output without audio and widget references; None when nothing is left of it."""
    if "data" not in output:
        return output
    for kind in [kind for kind in output.data if kind == WIDGET_VIEW or kind.startswith("audio/")]:
        del output.data[kind]
    if "text/html" in output.data:
        output.data["text/html"] = AUDIO_ELEMENT.sub(SILENT, output.data["text/html"])
    return output if any(output.data.values()) else None  # a bar of progress leaves an empty one


if __name__ == "__main__":
    sys.exit(main())
