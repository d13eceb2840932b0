"""The notebooks run, and are committed as a reader of a web page needs them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
KEY = re.compile(r"\b(sk-(?!test-not-a-key)[\w-]{8,}|ek_\w{12,}|Bearer [\w-]{12,})")
HOME = re.compile(r"(/root|/home/[\w.-]+|/Users/[\w.-]+|[A-Z]:\\+Users)\b")
LONG_BASE64 = re.compile(r"[A-Za-z0-9+/]{2000,}")

pytestmark = pytest.mark.skipif(not NOTEBOOKS, reason="there are no notebooks")
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs_of(notebook: Any) -> Iterator[Any]:
    for cell in code_cells(notebook):
        yield from cell.outputs


def kinds_of(outputs: Iterator[Any]) -> set[str]:
    return {kind for output in outputs for kind in output.get("data", {})}


def words_of(notebook: Any) -> str:
    """Everything a reader can see of the outputs as text."""
    words = []
    for output in outputs_of(notebook):
        data = output.get("data", {})
        words += [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
    return "\n".join(words)


@pytest.fixture(scope="module")
def runs(script: Callable[[str], ModuleType]) -> Iterator[dict[Path, Future[Any]]]:
    """All notebooks, three at a time: they wait for speech most of the time."""
    run = script("notebooks").run
    with ThreadPoolExecutor(3) as pool:
        yield {path: pool.submit(run, path) for path in NOTEBOOKS}


@each_notebook
def test_it_runs_from_top_to_bottom(path: Path, runs: dict[Path, Future[Any]]) -> None:
    notebook = runs[path].result()
    assert [output for output in outputs_of(notebook) if output.output_type == "error"] == []
    assert "simulat" in words_of(notebook).lower()


@each_notebook
def test_it_is_valid_and_its_cells_have_ids(path: Path) -> None:
    nbformat.validate(json.loads(path.read_text(encoding="utf-8")))


@each_notebook
def test_it_was_committed_executed(path: Path) -> None:
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)


@each_notebook
def test_it_was_committed_without_an_error(path: Path) -> None:
    assert [output for output in outputs_of(read(path)) if output.output_type == "error"] == []


@each_notebook
def test_its_outputs_say_that_they_come_from_the_simulator(path: Path) -> None:
    assert "simulat" in words_of(read(path)).lower()


@each_notebook
def test_it_is_small_and_holds_neither_audio_nor_widget_state(path: Path) -> None:
    notebook = read(path)
    kinds = kinds_of(outputs_of(notebook))
    assert path.stat().st_size < 200_000
    assert "widgets" not in notebook.metadata
    assert not [kind for kind in kinds if kind.startswith("audio/") or "widget-view" in kind]
    assert "data:audio" not in words_of(notebook)
    assert not LONG_BASE64.search(words_of(notebook))


@each_notebook
def test_it_holds_no_key_and_no_home(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not KEY.search(text)
    assert not HOME.search(text)


def test_what_is_not_committed_is_taken_out(script: Callable[[str], ModuleType]) -> None:
    sound = {"text/html": '<audio controls src="data:audio/wav;base64,AAAA"></audio> 2.1 s'}
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Chat()"}
    cell = nbformat.v4.new_code_cell(
        "show()",
        outputs=[
            nbformat.v4.new_output("display_data", data=sound),
            nbformat.v4.new_output("display_data", data=view),
            nbformat.v4.new_output("display_data", data={"audio/wav": "AAAA"}),
            nbformat.v4.new_output("stream", text="hello"),
        ],
    )
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    script("notebooks").as_committed(notebook)
    first, second, third = notebook.cells[0].outputs
    assert "data:audio" not in first.data["text/html"] and "2.1 s" in first.data["text/html"]
    assert second.data == {"text/plain": "Chat()"}
    assert third.text == "hello"
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("text", ["sk-proj-abcdef0123", "ek_68ab12cd34ef56", "Bearer abcdefabcdef"])
def test_something_like_a_key_is_seen(text: str) -> None:
    assert KEY.search(f'headers = "{text}"')


def test_the_key_of_the_tests_and_other_words_are_no_key() -> None:
    assert not KEY.search("sk-test-not-a-key task-description ek_ risk-assessment")
