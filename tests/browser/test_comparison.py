"""A comparison in a real notebook: its table, its players, its figure, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import Notebook

COMPARE = """
import rtwidgets as rt
script = "Welcome to the museum! Shall I show you the fossils?"
comparison = rt.compare(
    [rt.ScriptedGreeting(script), rt.SpokenGreeting(script), rt.ModelGreeting()],
    2,
    rt.Simulated("none"),
    interrupt=False,
)
comparison
"""
TABLE = ".jp-OutputArea .rtw .rtw-compare"
BUTTONS = f"document.querySelectorAll('{TABLE} button[data-trial]')"
CHROMATIC = """(() => {
  const of = (name) => getComputedStyle(document.querySelector(name));
  const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const ground = light(parts(of('.jp-Notebook').backgroundColor));
  return Math.abs(light(parts(of('%s td').color)) - ground);
})()"""


@pytest.fixture(scope="module")
def compared(bench: Notebook) -> Notebook:
    bench.fill(COMPARE, "comparison.plot()")
    bench.run(0)
    bench.until(f"{BUTTONS}.length === 2")
    return bench


def test_the_table_says_what_it_is_and_shows_each_opening(compared: Notebook) -> None:
    said = compared.js(f"document.querySelector('{TABLE}').innerText")
    assert "simulator" in said
    for words in ("Scripted greeting", "Spoken greeting", "Model greeting", "exact in 2 of 2"):
        assert words in said
    assert compared.js(f"document.querySelectorAll('{TABLE} svg circle').length") == 4
    shown_once = "[...document.querySelectorAll('.rtw-compare')].filter((one) => one.offsetHeight)"
    assert compared.js(f"{shown_once}.length") == 1  # the plain form is hidden by the live one


def test_a_greeting_is_fetched_when_it_is_played(compared: Notebook) -> None:
    button = compared.page.locator(f"{TABLE} button[data-trial]").first
    length = float(re.findall(r"[\d.]+", button.inner_text())[0])
    compared.js(
        "window.heard = []; const play = HTMLMediaElement.prototype.play;"
        "HTMLMediaElement.prototype.play ="
        "  function () { heard.push(this); return play.call(this) }; 0"
    )
    button.click()
    compared.until("window.heard.length && heard[0].currentTime > 0.1")
    assert compared.js("heard[0].duration") == pytest.approx(length, abs=0.06)
    assert button.inner_text().startswith("■")
    button.click()
    compared.until("heard[0].paused")
    assert button.inner_text().startswith("▶")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_it_can_be_read_in_both_themes(compared: Notebook, theme: str, tmp_path: Path) -> None:
    compared.set_theme(theme)
    assert compared.js(CHROMATIC % TABLE) > 100, "the words stand out from the ground"
    picture = tmp_path / "comparison.png"
    compared.page.locator(".jp-OutputArea").first.screenshot(path=picture)
    assert picture.stat().st_size > 20_000


def test_the_figure_is_as_wide_as_the_notebook(compared: Notebook) -> None:
    compared.run(1)
    compared.until("document.querySelector('.jp-RenderedImage img')?.naturalWidth > 1000")
    image = "document.querySelector('.jp-RenderedImage img').getBoundingClientRect()"
    assert (
        500
        < compared.js(f"{image}.width")
        <= compared.js(
            "document.querySelector('.jp-OutputArea-output').getBoundingClientRect().width"
        )
    )


def test_the_tables_of_a_log_fit_a_narrow_window(compared: Notebook) -> None:
    compared.fill(
        "log = comparison.trials[2].log\n"
        "display(log.turns(), log.responses(), log.items(), log.diff(comparison.trials[4].log))"
    )
    compared.run(0)
    compared.page.set_viewport_size({"width": 900, "height": 1400})
    compared.js("jupyterapp.shell.collapseLeft(); 0")
    tables = "[...document.querySelectorAll('.jp-OutputArea .rt-static')]"
    compared.until(f"{tables}.length === 4")
    compared.until(f"{tables}.every((one) => one.clientWidth < 800)")
    assert compared.js(f"{tables}.every((one) => one.scrollWidth <= one.clientWidth)")
    compared.page.set_viewport_size({"width": 1280, "height": 1400})
