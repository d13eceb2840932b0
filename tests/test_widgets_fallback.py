"""What a reader without a kernel sees: executed by nbclient, widget state stripped, made a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
nbconvert = pytest.importorskip("nbconvert")

CELLS = (
    """
import rtwidgets as rt
endpoint = rt.Simulated(latency="none", where="memory")
hello = rt.SpokenGreeting("Welcome to the <b>museum</b>!")
chat = rt.RealtimeChat(opening=hello, endpoint=endpoint)
chat
""",
    "chat.start()\nchat.wait(30)",
    "chat.say('What did you say first?')\nchat.wait(30)\nchat.stop()",
    "chat.log.show()",
    "chat",
)


@pytest.fixture(scope="module")
def executed() -> Any:
    """The notebook after a run with nobody watching, without widget state."""
    cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbclient.NotebookClient(notebook, timeout=120).execute()
    notebook.metadata.pop("widgets", None)
    return notebook


def outputs(notebook: Any, cell: int, mime: str) -> list[str]:
    data = (output.get("data", {}) for output in notebook.cells[cell].outputs)
    return [str(one[mime]) for one in data if mime in one]


def test_the_plain_form_is_rewritten_as_the_conversation_goes_on(executed: Any) -> None:
    (html,) = outputs(executed, 0, "text/html")
    assert "Welcome to the &lt;b&gt;museum" in html
    assert "What did you say first?" in html
    assert html.count("Static copy") == 1
    assert "response.<wbr>output_<wbr>audio.<wbr>delta" in html and "sess_simulated_" in html


def test_the_plain_text_says_the_same(executed: Any) -> None:
    text = outputs(executed, 0, "text/plain")[-1]
    assert "assistant  " in text and "What did you say first?" in text
    assert "response.done" in text


def test_a_live_view_stands_in_an_output_of_its_own(executed: Any) -> None:
    kinds = [sorted(output.data) for output in executed.cells[0].outputs]
    view = "application/vnd.jupyter.widget-view+json"
    assert kinds == [[view, "text/plain"], ["text/html", "text/plain"]]


def test_a_table_has_a_plain_form_too(executed: Any) -> None:
    (html,) = outputs(executed, 3, "text/html")
    assert "response.done" in html and "<table" in html


def test_shown_again_it_is_the_same_conversation(executed: Any) -> None:
    assert outputs(executed, 4, "text/html") == outputs(executed, 0, "text/html")


def test_a_page_made_of_it_has_the_greeting_and_the_table(executed: Any) -> None:
    page, _ = nbconvert.HTMLExporter().from_notebook_node(executed)
    assert "Welcome to the &lt;b&gt;museum" in page
    assert "response.output_audio_transcript.delta" in page.replace("<wbr/>", "").replace(
        "<wbr>", ""
    )


def test_the_notebook_stays_small_and_holds_no_audio(executed: Any) -> None:
    text = json.dumps(executed)
    assert len(text) < 200_000
    assert "error" not in {output.output_type for cell in executed.cells for output in cell.outputs}
