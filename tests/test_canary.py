"""A canary key goes through everything, and is then looked for in every byte that was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from canary import CANARY, forms, found_below, found_in
from canary_cells import CELLS

pytestmark = pytest.mark.slow
RUN = """
import sys, nbclient, nbformat, logging
logging.basicConfig(level=logging.DEBUG, filename="client.log")
notebook = nbformat.read("canary.ipynb", as_version=4)
client = nbclient.NotebookClient(notebook, timeout=200, allow_errors=True, store_widget_state=True)
client.execute()
nbformat.write(notebook, "saved.ipynb")
import nbconvert
open("saved.html", "w").write(nbconvert.HTMLExporter().from_notebook_node(notebook)[0])
"""
COMMANDS = [
    ["log", "log.jsonl"], ["log", "log.jsonl", "--format", "csv"], ["log", "log.jsonl", "--redact"],
    ["log", "log.jsonl", "--all", "--format", "json"], ["log", "log.jsonl", "--cost"],
    ["doctor", "--timeout", "2"], ["doctor", "--format", "json", "--timeout", "2"],
    ["compare", "ModelGreeting", "--trials", "1", "--endpoint", "openai", "--timeout", "3"],
    ["compare", "ModelGreeting", "--trials", "1", "--latency", "none", "--out", "compared",
     "--html", "compared.html"],
    ["scan", "saved.ipynb", "log.jsonl", "comparison.html"],
]  # fmt: skip
CRASH = """
import sys
import rtwidgets as rt
def hook(kind, problem, trace):
    import traceback
    for frame, _ in traceback.walk_tb(trace):
        print(frame.f_locals, frame.f_globals.get("__file__"), file=sys.stderr)
    sys.__excepthook__(kind, problem, trace)
sys.excepthook = hook
with rt.Session(rt.OpenAI(), budget=1, timeout=2):
    pass
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Any:
    """A home of its own in which all was run, and what was printed."""
    home = tmp_path_factory.mktemp("home")
    work = home / "work"
    work.mkdir()
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, work / "canary.ipynb")
    env = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(checkout),
    }
    env |= {"OPENAI_API_KEY": CANARY, "CANARY": CANARY, "AZURE_OPENAI_API_KEY": CANARY}
    env |= {"PYTHONDONTWRITEBYTECODE": "1"}
    env |= {f"JUPYTER_{one}_DIR": str(home / one.lower()) for one in ("CONFIG", "DATA", "RUNTIME")}
    env |= {"IPYTHONDIR": str(home / "ipython"), "MPLCONFIGDIR": str(home / "mpl")}
    (home / "tmp").mkdir()

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=work, env=env, capture_output=True, timeout=280
        )
        said = done.stdout + done.stderr
        (work / f"said_{len(list(work.glob('said_*')))}").write_bytes(said)
        return said.decode("utf-8", "replace")

    said = {"notebook": run("-c", RUN)}
    said |= {" ".join(one): run("-m", "rtwidgets", *one) for one in COMMANDS}
    said["crash"] = run("-X", "dev", "-c", CRASH)
    return home, said


def test_the_canary_went_everywhere(everything: Any) -> None:
    """So that silence means something: each feature was there, each failure failed."""
    home, said = everything
    saved = json.loads((home / "work" / "saved.ipynb").read_text())
    text = json.dumps(saved, ensure_ascii=False)
    assert "widgets" in saved["metadata"], "the state of widgets was saved"
    assert "Incorrect API key provided" in text and "Authorization: …" in text
    outputs = [one for cell in saved["cells"] for one in cell.get("outputs", [])]
    errors = [one["ename"] for one in outputs if one["output_type"] == "error"]
    assert set(errors) == {"ConnectFailed", "Misuse"} and len(errors) >= 3, said["notebook"][-2000:]
    assert (home / "work" / "logins.jsonl").read_text().count('"hidden":true') >= 4
    for name in ("log.jsonl", "redacted.jsonl", "log.csv", "comparison.html", "compared.html"):
        assert (home / "work" / name).stat().st_size > 500, name
    assert "OPENAI_API_KEY (not shown)" in said["doctor --timeout 2"]
    assert "Key(…)" in text
    assert "line.restored" in text and "invalid_api_key" in text, "lines were lost, and mended"
    assert "ConnectFailed" in said["crash"]


def test_no_byte_of_it_was_written(everything: Any) -> None:
    home, said = everything
    assert found_below(home) == []
    assert [name for name, text in said.items() if found_in(text)] == []


@pytest.mark.parametrize("form", forms())
def test_the_search_would_have_found_it(form: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"\x00before" + forms()[form] + b"behind\xff")
    assert found_below(tmp_path)


def test_the_environment_of_the_tests_really_held_it(checkout: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ['OPENAI_API_KEY'])"],
        env={**os.environ, "OPENAI_API_KEY": CANARY}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found_in(told.stdout)
