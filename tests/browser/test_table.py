"""The live table in a real JupyterLab and a real Chromium, with a hundred thousand events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Notebook
from .test_chat import BUSY, keep_pictures

TABLE = """
import json
import rtwidgets as rt

def event(number):
    "One of a turn's hundred events: a typed question, its answer's words and sound."
    turn, step = divmod(number, 100)
    item, response = f"item_{turn}", f"resp_{turn}"
    spot = {"item_id": item, "response_id": response, "event_id": f"event_{number}"}
    if step == 0:
        part = {"type": "input_text", "text": f"Question {turn}?"}
        asked = {"type": "message", "role": "user", "content": [part]}
        return "client", {"type": "conversation.item.create", "item": asked}
    if step == 1:
        return "client", {"type": "response.create", "event_id": f"asked_{turn}"}
    if step == 2:
        return "server", {"type": "response.created", "response": {"id": response}}
    if step == 99:
        hidden = {"id": response, "status": "completed", "metadata": {"note": f"needle{turn}"}}
        return "server", {"type": "response.done", "response": hidden}
    if step % 2:
        text = f"word{step} "
        return "server", {"type": "response.output_audio_transcript.delta", **spot, "delta": text}
    return "server", {"type": "response.output_audio.delta", **spot, "delta": "AAAA" * 160}

log = rt.EventLog()
for number in range(100_000):
    log.append(*event(number), t=number / 100)

sent, picked = [], []

def send(text):
    if "refuse" in text:
        raise ValueError("The line is closed. Press Start.")
    sent.append(text)
    log.append("client", text, t=log[-1].t + 0.1)

def check(event):
    return "That role must be user." if "assistant" in str(event) else None

table = rt.EventTable(log, send=send, check=check, on_select=picked.append, height="22rem")
table
"""
ROWS = "[...document.querySelectorAll('.rtw-row[data-index]')].filter(row => !row.hidden)"
IN_SIGHT = f"""{ROWS}.filter(row => {{
  const [box, list] = [row, row.closest('.rtw-list')].map(one => one.getBoundingClientRect());
  return box.top >= list.top + 20 && box.bottom <= list.bottom + 2;
}})"""
TOLD = f"{IN_SIGHT}.map(row => row.innerText.replace(/\\s+/g, ' ').replace(' ↖ cause', ''))"
COUNT = "document.querySelector('.rtw-events-count').innerText.replace(/\\u202f/g, '')"
CURSOR = "document.querySelector('.rtw-row.rtw-cursor:not([hidden])')?.innerText ?? ''"
JSON_PANE = "(document.querySelector('.rtw-json')?.innerText ?? '')"
NOTE = "document.querySelector('.rtw-events-note').innerText"
SELECTED = f"{ROWS}.filter(row => row.ariaSelected === 'true').map(row => row.innerText)"


@pytest.fixture(scope="module")
def shown(lab: tuple[str, Path], browser: Any) -> Iterator[Notebook]:
    """A table of a hundred thousand events; each test begins at its end, with no filter."""
    context = browser.new_context(viewport={"width": 1280, "height": 1100})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook = Notebook(context.new_page(), *lab)
    cells = (TABLE, "print(json.dumps([sent, picked]))", "table.select([250, 251])", BUSY, "")
    notebook.open(notebook.write(*cells, name="table"))
    notebook.run(0)
    notebook.until(f"{COUNT} === '100000'", 60)
    yield notebook
    notebook.end()
    context.close()


@pytest.fixture
def table(shown: Notebook) -> Notebook:
    """The same, put back as it was at first."""
    page = shown.page
    page.locator(".rtw-list").focus()
    page.keyboard.press("Escape")
    page.locator(".rtw-filter").fill("")
    if page.locator(".rtw-clear").is_visible():
        page.locator(".rtw-clear").click()
    page.locator(".rtw-list").focus()
    page.keyboard.press("End")
    return shown


def press(notebook: Notebook, *keys: str) -> None:
    """Press keys in the list. The first by its name: JupyterLab may have taken the focus when a
    cell ended."""
    first, *more = keys
    notebook.page.locator(".rtw-list").press(first)
    for key in more:
        notebook.page.keyboard.press(key)


def go(notebook: Notebook, key: str, until: str) -> None:
    """Press a key that does no more when pressed again, until that is so."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        press(notebook, key)
        notebook.page.wait_for_timeout(200)
        if notebook.js(f"Boolean({until})"):
            return
    notebook.until(until, 0)


def state(notebook: Notebook) -> tuple[list[str], list[list[int]]]:
    """What was sent, and what a person selected."""
    sent, picked = json.loads(notebook.run(1))
    return sent, picked


def test_all_of_a_hundred_thousand_events_can_be_scrolled_to(table: Notebook) -> None:
    page = table.page
    assert table.js(f"{ROWS}.length") < 100, "only what is in sight is drawn"
    assert "response.done" in table.js(TOLD)[-1]
    go(table, "Home", f"{TOLD}[0].startsWith('Turn 1 · typed')")
    # The middle of the scroll bar is the middle of the log.
    page.evaluate("{ const list = document.querySelector('.rtw-list');"
                  " list.scrollTop = (list.scrollHeight - list.clientHeight) / 2 }")  # fmt: skip
    table.until(f"{TOLD}.some(line => /^Turn 50[01] /.test(line))")
    go(table, "End", f"{TOLD}.at(-1).includes('response.done')")
    assert page.locator(".rtw-toggle", has_text="Follow").get_attribute("aria-pressed") == "true"


def test_a_run_says_what_it_holds_and_opens_and_folds(table: Notebook) -> None:
    press(table, "Home", "ArrowDown", "ArrowDown", "ArrowDown")
    line = table.js(CURSOR)
    assert "response.output_audio_transcript.delta" in line and "×48" in line
    assert "“word3 word5 word7" in line and "332 characters" in line
    press(table, "ArrowDown")
    assert "0.48 s of audio" in table.js(CURSOR)
    press(table, "ArrowUp", "ArrowRight", "ArrowDown", "ArrowDown")
    assert "“word5 ”" in table.js(CURSOR)
    press(table, "ArrowLeft")
    table.until(f"({CURSOR}).includes('×48')")
    assert table.js(f"{ROWS}.filter(row => row.dataset.kind === 'member').length") == 0


def test_the_filter_finds_words_of_events_that_the_page_has_and_that_only_the_kernel_has(
    table: Notebook,
) -> None:
    page = table.page
    page.locator(".rtw-filter").fill("Question 771?")
    table.until(f"{COUNT} === '100000 · 2 lines fit'")  # the turn's mark, and the event
    page.locator(".rtw-filter").fill("needle123")
    table.until(f"{COUNT} === '100000 · 2 lines fit'")
    assert any("response.done" in line for line in table.js(TOLD))
    page.locator(".rtw-filter").fill("no such word")
    table.until("document.querySelector('.rtw-empty').innerText === 'No event fits this filter.'")
    page.locator(".rtw-filter").fill("")
    for kind, name, lines in (("direction", "client", 3000), ("family", "item", 2000)):
        page.locator(f".rtw-chip[data-{kind}={name}]").click()
        table.until(f"{COUNT} === '100000 · {lines} lines fit'")
    page.locator(".rtw-clear").click()
    table.until(f"{COUNT} === '100000'")


def test_the_cause_of_an_event_is_one_key_away_past_the_filter(table: Notebook) -> None:
    page = table.page
    page.locator(".rtw-filter").fill("needle421")
    table.until(f"{COUNT} === '100000 · 2 lines fit'")
    page.keyboard.press("Enter")
    press(table, "ArrowDown", "c")
    table.until(f"{JSON_PANE}.includes('asked_421')")
    table.until(f"{SELECTED}.length === 1")
    assert "response.create" in table.js(f"{SELECTED}[0]")
    assert "filter" in table.js(NOTE)
    press(table, "c")
    table.until(
        "document.querySelector('.rtw-events-note').innerText.startsWith('No client event')"
    )


def test_an_event_in_full_is_shown_and_copied_as_shown_and_as_sent(table: Notebook) -> None:
    page = table.page
    press(table, "Home", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    table.until(f"{JSON_PANE}.includes('bytes of PCM16')")
    buttons = "[...document.querySelectorAll('.rtw-detail-bar button')]"
    copied = f"{buttons}.filter(button => button.innerText === 'Copied').length"
    page.get_by_role("button", name="Copy", exact=True).click()
    table.until(f"{copied} === 1")
    assert "bytes of PCM16" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Copy raw").click()
    table.until(f"{copied} === 2")
    raw = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert (raw["type"], raw["delta"]) == ("response.output_audio.delta", "AAAA" * 160)
    page.locator(".rtw-list").focus()
    press(table, "Escape")
    assert not page.locator(".rtw-detail").is_visible()
    assert state(table)[1][-1] == [4 + 2 * n for n in range(48)], "a folded line is its whole run"


def test_python_selects_rows_and_brings_them_into_sight(table: Notebook) -> None:
    table.run(2)
    table.until(f"{SELECTED}.length")
    assert all("response.output_audio" in line for line in table.js(SELECTED))
    assert any("Turn 3 " in line for line in table.js(TOLD))


def test_nothing_moves_for_who_reads_while_events_come(table: Notebook) -> None:
    press(table, "PageUp", "PageUp")
    before = table.js(TOLD)
    more = "for _ in range(7): log.append(*event(2), t=log[-1].t)"
    table.js(f"{table.CONTENT}.model.sharedModel.cells[4].setSource({json.dumps(more)})")
    table.run(4)
    table.until("document.querySelector('.rtw-jump').innerText.includes('7 new')")
    assert table.js(TOLD) == before
    table.page.locator(".rtw-jump").click()
    table.until(f"{TOLD}.at(-1).includes('response.created')")


def test_an_event_is_written_and_sent_while_a_cell_computes(
    table: Notebook, lab: tuple[str, Path]
) -> None:
    page = table.page
    (lab[1] / "enough").unlink(missing_ok=True)
    table.start_cell(3)
    page.locator(".rtw-toggle", has_text="Send event").click()
    box = page.locator(".rtw-event-text")
    verdict = "document.querySelector('.rtw-verdict').innerText"
    box.fill('{"type": "response.create",\n "response": None}')
    table.until(f'{verdict} === "Line 2, column 14: That is Python\'s None; JSON says null."')
    page.locator(".rtw-verdict").click()
    assert table.js("document.activeElement.selectionStart") == 41
    assert page.get_by_role("button", name="Send", exact=True).is_disabled()
    box.fill('{"type": "x.y", "role": "assistant"}')
    table.until("document.querySelector('.rtw-advice').innerText === 'That role must be user.'")
    box.fill('{"type":"x.y","n":1.0}')
    page.get_by_role("button", name="Format").click()
    assert box.input_value() == '{\n  "type": "x.y",\n  "n": 1.0\n}'
    box.press("Control+Enter")
    table.until(f"{verdict}.includes('Sent')")
    table.until(f"{TOLD}.at(-1).includes('x.y')")
    box.fill('{"type": "refuse"}')
    box.press("Control+Enter")
    table.until(f"{verdict}.includes('The line is closed. Press Start.')")
    page.locator(".rtw-pick").select_option(label='x.y {"n":1}')
    assert box.input_value() == '{\n  "type": "x.y",\n  "n": 1.0\n}'
    page.locator(".rtw-filter").fill("needle9")
    table.until(f"{COUNT}.endsWith('222 lines fit')")
    assert table.is_running(3), "all of it while the cell computes"
    (lab[1] / "enough").touch()
    assert state(table)[0][-1] == '{\n  "type": "x.y",\n  "n": 1.0\n}'
    page.locator(".rtw-toggle", has_text="Send event").click()


def test_columns_are_chosen_and_kept(table: Notebook) -> None:
    page = table.page
    names = "[...document.querySelectorAll('.rtw-head [role=columnheader]')].map(h => h.ariaLabel)"
    page.locator(".rtw-menu summary").click()
    for name in ("Time since the line above", "Size", "Item"):
        page.get_by_label(name, exact=True).check()
    page.keyboard.press("Escape")
    assert len(table.js(names)) == 7
    kept = "JSON.parse(localStorage.getItem('rtwidgets.table.columns')).length"
    assert table.js(kept) == 7
    page.locator(".rtw-list").focus()
    press(table, "Home", "ArrowDown", "ArrowDown", "ArrowDown")
    assert "+0.010" in table.js(CURSOR) and "item_0" in table.js(CURSOR)
    page.evaluate("localStorage.removeItem('rtwidgets.table.columns')")


def test_light_dark_and_narrow(table: Notebook, tmp_path: Path) -> None:
    page = table.page
    press(table, "ArrowUp", "Enter")
    table.until(f"{JSON_PANE}.includes('{{')")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        table.set_theme(theme)
        picture = tmp_path / f"table_{theme.split()[1]}.png"
        page.locator(".rtw-events").screenshot(path=picture)
        assert picture.stat().st_size > 15_000
    page.set_viewport_size({"width": 620, "height": 1100})
    page.locator(".rtw-events").screenshot(path=tmp_path / "table_narrow.png")
    fits = (
        "[...document.querySelectorAll('.rtw-events')].every(e => e.scrollWidth <= e.clientWidth)"
    )
    assert table.js(fits), "nothing stands out on the right"
    page.set_viewport_size({"width": 1280, "height": 1100})
    keep_pictures(tmp_path)


STRANGE = """
from rtwidgets import EventLog
log = EventLog()
for text in ("\\\\ud83d", "\\\\ud83e\\\\udd95"):
    log.append("server", '{"type":"response.output_text.delta","delta":"' + text + '"}', t=1)
    log.append("server", '{"type":"response.done","note":"' + text + '"}', t=2)
words = '<img src=x onerror="window.wasRun = 1"><script>window.wasRun = 1</script>'
log.append("server", {"type": words, "item_id": words, "transcript": words}, t=3)
log.append("server", words, t=4)
log.append("server", {"type": "error", "error": {"message": words}}, t=5)
log.show()
"""


def test_what_a_server_says_is_text_and_never_markup(bench: Notebook) -> None:
    bench.fill(STRANGE)
    bench.run(0)
    bench.until("document.querySelector('.rtw-events-count')?.innerText === '7'")
    told = "document.querySelector('.rtw-events').innerText"
    bench.until(f"{told}.includes('\ufffd') && {told}.includes('\U0001f995')")
    bench.until(f"{told}.includes('<script>')")
    bench.page.locator(".rtw-list").focus()
    press(bench, "End", "Enter")
    bench.until(f"{JSON_PANE}.includes('<img')")
    assert bench.js("document.querySelectorAll('.rtw-events :is(img, script)').length") == 0
    assert not bench.js("Boolean(window.wasRun)")
