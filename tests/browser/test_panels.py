"""Below a conversation: the timeline, the meter with its budget, the table and its box."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Notebook
from .test_chat import BUSY, WARM, keep_pictures, words

CHAT = """
import rtwidgets as rt
chat = rt.RealtimeChat(opening=rt.SpokenGreeting("Welcome to the museum!"),
                       endpoint=rt.Simulated(latency="none"), budget=0.05)
chat
"""
START = "chat.start(); chat.wait(30)"
COST = "document.querySelector('.rtw-cost')"
TABLE = "document.querySelector('.rtw-events')"


@pytest.fixture
def chat(bench: Notebook) -> Iterator[Notebook]:
    """A chat with a budget whose greeting is over; it is stopped behind the test."""
    bench.fill(CHAT, START, "chat.stop()", "len(chat.log.where(type='session.updated'))")
    bench.run(0)
    bench.until("document.querySelector('.rtw-start')")
    bench.run(1)
    bench.until(words("Welcome to the museum!"))
    yield bench
    bench.run(2)


def section(name: str) -> str:
    return f".rtw-section[data-section={name}]"


def shown(element: str) -> str:
    return f"{element}?.checkVisibility()"


def test_the_meter_opens_from_the_status_line_and_tells_tokens_and_dollars(chat: Notebook) -> None:
    page = chat.page
    assert chat.js(shown(TABLE)) and not chat.js(shown(COST))
    status = "document.querySelector('.rtw-meter').innerText"
    chat.until(f"/would be \\$0\\.0\\d+ of \\$0\\.05$/.test({status})")
    page.locator(".rtw-meter").click()
    chat.until(shown(COST))
    said = page.locator(".rtw-cost").inner_text()
    for part in ("Text in", "Audio out", "$64.00", "Total", "Simulated, nothing is charged"):
        assert part in said
    assert "prices of" in said and "the next reply may cost" in said
    scale = page.locator("[role=meter]")
    assert "of the budget of $0.05 spent" in scale.get_attribute("aria-valuetext")
    assert page.locator(section("cost")).get_attribute("aria-expanded") == "true"


def test_opening_a_section_moves_nothing_above_it(chat: Notebook) -> None:
    page = chat.page
    line = "document.querySelector('.rtw-sections').getBoundingClientRect().top"
    before = chat.js(line)
    for name in ("timeline", "cost", "events", "events", "cost", "timeline"):
        page.locator(section(name)).click()
        assert chat.js(line) == before


def test_what_is_open_is_open_where_the_chat_is_shown_again(chat: Notebook) -> None:
    page = chat.page
    page.locator(section("events")).click()
    page.locator(section("cost")).click()
    chat.until(f"!({shown(TABLE)}) && {shown(COST)}")
    chat.js("jupyterapp.commands.execute('docmanager:save').then(() => 0)")
    chat.open("bench.ipynb", reset=False)
    chat.until(shown(COST))
    assert not chat.js(shown(TABLE))


SELECTED = "document.querySelector('.rtw-row[aria-selected=true]:not([hidden])')"


def test_what_is_clicked_in_the_timeline_is_selected_in_the_table(chat: Notebook) -> None:
    page = chat.page
    page.locator(section("events")).click()
    page.locator(section("timeline")).click()
    chat.until(shown("document.querySelector('.rtw-timeline canvas')"))
    assert not chat.js(shown(TABLE))
    canvas = page.locator(".rtw-timeline canvas")
    canvas.focus()
    page.keyboard.press("ArrowDown")  # to the first of what it shows
    page.keyboard.press("Enter")
    chat.until(f"{shown(TABLE)} && {shown(SELECTED)}")
    first = chat.js(f"{SELECTED}.innerText")
    page.keyboard.press("End")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    chat.until(f"{SELECTED}?.innerText !== {json.dumps(first)}")


def test_an_event_written_into_the_table_is_sent_and_answered(chat: Notebook) -> None:
    page = chat.page
    page.locator(".rtw-events").get_by_role("button", name="Send event").click()
    box = page.locator(".rtw-events textarea")
    box.fill('{"type": "response.creat"}')
    page.keyboard.press("Control+Enter")
    chat.until("document.querySelector('.rtw-line[data-state=error]')")
    assert "response.creat" in page.locator(".rtw-line[data-state=error]").inner_text()
    replies = "document.querySelectorAll('.rtw-line[data-speaker=assistant]').length"
    box.fill('{"type": "response.create"}')
    page.keyboard.press("Control+Enter")
    chat.until(f"{replies} === 2")


def test_a_new_reply_moves_the_meter_while_a_cell_computes(
    notebook: Notebook, lab: tuple[str, Path]
) -> None:
    (lab[1] / "enough").unlink(missing_ok=True)
    notebook.open(notebook.write(WARM + CHAT, START, BUSY))
    notebook.run(0)
    notebook.run(1)
    notebook.until("document.querySelector('.rtw-section')")
    total = "document.querySelector('.rtw-bill tfoot')?.innerText"
    notebook.start_cell(2)
    notebook.page.locator(".rtw-meter").click()
    notebook.until(shown(COST))
    before = notebook.js(total)
    notebook.page.locator(".rtw-message").fill("What did you say first?")
    notebook.page.keyboard.press("Enter")
    notebook.until(f"{total} !== {json.dumps(before)}")
    assert notebook.is_running(2), "the meter was to move while the cell computes"
    (lab[1] / "enough").touch()


def test_where_the_budget_is_reached_the_chat_says_what_to_do(chat: Notebook) -> None:
    page = chat.page
    page.locator(section("cost")).click()
    reached = "document.querySelector('.rtw-budget')?.dataset.level === 'reached'"
    for _ in range(12):
        if chat.js(reached):
            break
        done = "document.querySelectorAll('.rtw-line[data-speaker=assistant]').length"
        before = chat.js(done)
        page.locator(".rtw-message").fill("Tell me more about the dinosaurs of this museum.")
        page.keyboard.press("Enter")
        chat.until(f"{done} > {before} || {reached}")
    chat.until(reached)
    chat.until(words("larger budget="))
    assert "no more replies are asked for" in page.locator(".rtw-budget-words").inner_text()


def test_the_chat_in_light_and_dark(chat: Notebook, tmp_path: Path) -> None:
    page = chat.page
    page.locator(".rtw-message").fill("And who are you?")
    page.keyboard.press("Enter")
    chat.until("document.querySelectorAll('.rtw-line[data-state=done]').length >= 3")
    page.locator(section("cost")).click()
    page.locator(section("timeline")).click()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        chat.set_theme(theme)
        picture = tmp_path / f"panels_{theme.split()[-1].lower()}.png"
        page.locator(".rtw-chat").screenshot(path=picture)
        assert picture.stat().st_size > 20_000
    keep_pictures(tmp_path)
