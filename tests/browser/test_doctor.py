"""The doctor in a real JupyterLab: the page tells of itself and measures, while no cell runs."""

from __future__ import annotations

import pytest

from .conftest import Notebook

DOCTOR = """
import os
os.environ["OPENAI_API_KEY"] = "sk-test-not-a-key-" + "can" + "ary"
import rtwidgets as rt
doctor = rt.doctor(rt.Endpoint("ws://127.0.0.1:9"))
doctor
"""
ROWS = """Object.fromEntries([...document.querySelectorAll('.rtw-doctor tbody tr')].map(row =>
    [...row.cells].map(cell => cell.innerText)).map(cells => [cells[1], cells.slice(2)]))"""


@pytest.fixture
def doctor(bench: Notebook) -> Notebook:
    bench.fill(DOCTOR, "doctor.wait(); print(doctor)")
    bench.run(0)
    return bench


def test_the_page_fills_in_what_only_it_can_tell(doctor: Notebook) -> None:
    doctor.until(f"({ROWS})['many messages']")
    rows = doctor.js(ROWS)
    assert rows["front end"][0].startswith("JupyterLab 4")
    assert rows["browser"][0].startswith("Chrome ")
    for what in ("secure page", "microphone", "AudioWorklet", "sample rate", "round trip"):
        assert rows[what][1] == "fine", rows[what]
    assert rows["while a cell computes"][1] == "fine", rows["while a cell computes"]
    assert rows["many messages"][0].startswith("200 of 200 ")
    assert rows["ipykernel"][1] == rows["simulator"][1] == "fine"
    assert rows["127.0.0.1:9"][1] == "mend" and "rt.Simulated()" in rows["127.0.0.1:9"][2]
    assert "OPENAI_API_KEY" in rows["key of OpenAI"][0]

    doctor.page.get_by_role("button", name="Test the microphone").click()
    doctor.until(f"({ROWS})['listening']")
    assert "loudest sample" in doctor.js(ROWS)["listening"][0]

    said = doctor.run(1)
    assert "while a cell computes" in said
    assert "canary" not in said + doctor.js("document.body.innerHTML"), "the key, in the page"
