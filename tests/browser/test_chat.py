"""The first conversation, as a person has it: a real JupyterLab, a real Chromium, real sound."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from .conftest import ROOT, Notebook

FIRST = ROOT / "notebooks" / "01_who_speaks_first.ipynb"
BUSY = """
import pathlib, time
end = time.time() + 60
while time.time() < end and not pathlib.Path("enough").exists():
    for _ in range(100_000):
        pass
"""
"""Computes until a file says that it is enough: the test decides, not the clock."""
CHAT = """
import rtwidgets as rt
chat = rt.RealtimeChat(opening=rt.SpokenGreeting("Welcome to the museum!"), endpoint=rt.Simulated())
chat
"""
WARM = "import rtwidgets as rt\nwith rt.Session(rt.Simulated()):\n    pass\n"
"""The first session of a kernel imports much, for half a minute beside a cell in pure Python."""
SAID = "[...document.querySelectorAll('.rtw-line')].map(line => line.innerText).join('\\n')"
NONZERO = "Number(document.querySelector('.rtw-voice')?.dataset.nonzero ?? 0)"


def words(sentence: str) -> str:
    """An expression: the transcript holds this."""
    return f"({SAID}).includes({json.dumps(sentence)})"


@pytest.fixture
def chat(bench: Notebook) -> Iterator[Notebook]:
    """A chat in a notebook, not started; it is stopped behind the test."""
    bench.fill(CHAT, "print(chat.log)", "chat.stop()")
    bench.run(0)
    bench.until("document.querySelector('.rtw-start')")
    yield bench
    bench.run(2)


def with_a_busy_cell(path: Path, folder: Path) -> tuple[str, list[int], int]:
    """A copy of a notebook with a busy cell behind it: its name, the code cells up to the one that
    makes the chat, and the busy one."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(BUSY))
    nbformat.write(notebook, folder / path.name)
    sources = [cell.source for cell in notebook.cells]
    code = [at for at, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    chat = next(at for at in code if "RealtimeChat(" in sources[at])
    return path.name, [at for at in code if at <= chat], len(sources) - 1


def test_the_first_notebook(notebook: Notebook, tmp_path: Path, lab: tuple[str, Path]) -> None:
    """Start, a greeting that streams and sounds, an answer while a cell computes, every event."""
    (lab[1] / "enough").unlink(missing_ok=True)
    name, cells, busy = with_a_busy_cell(FIRST, lab[1])
    notebook.open(name)
    for cell in cells:
        notebook.run(cell)
    page = notebook.page
    page.locator(".rtw-start").click()
    notebook.until("document.querySelector('.rtw-line[data-state=streaming] .rtw-text')")
    notebook.until("document.querySelector('.rtw-line[data-state=done]')")
    notebook.until(f"{NONZERO} > 2400")
    assert page.locator(".rtw-about").inner_text().startswith("Simulator")

    notebook.start_cell(busy)
    page.locator(".rtw-message").fill("What did you say first?")
    page.keyboard.press("Enter")
    notebook.until("document.querySelector('.rtw-message').value === ''")
    answer = "document.querySelectorAll('.rtw-line[data-speaker=assistant][data-state=done]')[1]"
    notebook.until(answer)
    assert notebook.is_running(busy), "the answer was to come while the cell computes"
    (lab[1] / "enough").touch()

    types = (
        "[...document.querySelectorAll('.rtw-row:not([hidden]) .rtw-name')].map(n => n.innerText)"
    )
    assert "response.done" in notebook.js(types)
    assert "×" in page.locator(".rtw-events").inner_text()
    assert notebook.js("document.querySelectorAll('.rtw-plain').length") == 1
    assert not page.locator(".rtw-plain").is_visible()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.set_theme(theme)
        picture = tmp_path / f"{theme.replace(' ', '_')}.png"
        page.locator(".rtw-chat").screenshot(path=picture)
        assert picture.stat().st_size > 20_000
    keep_pictures(tmp_path)


def keep_pictures(folder: Path) -> None:
    """Keep the pictures where there is a folder for them, for a person to look at."""
    target = ROOT / "build" / "pictures"
    if target.is_dir():
        for picture in folder.glob("*.png"):
            shutil.copy(picture, target)


def test_what_is_chosen_while_a_cell_computes_is_what_starts(
    notebook: Notebook, lab: tuple[str, Path]
) -> None:
    """The lists' own messages wait for the cell; Start does not, and brings what they show."""
    (lab[1] / "enough").unlink(missing_ok=True)
    notebook.open(notebook.write(WARM + CHAT, BUSY))
    notebook.run(0)
    notebook.until("document.querySelector('.rtw-start')")
    page = notebook.page
    notebook.start_cell(1)
    notebook.until("document.querySelector('.jp-InputPrompt').parentElement")
    page.get_by_label("Opening").select_option("Generated greeting")
    page.get_by_label("Instructions").fill("You are a dinosaur named Rex. Greet in one sentence.")
    page.get_by_label("Model").select_option("gpt-realtime-2.1-mini")
    notebook.until("document.querySelector('.rtw-about').innerText.includes('mini')")
    page.locator(".rtw-start").click()
    notebook.until("document.querySelector('.rtw-line[data-state=done]')", 45)
    assert notebook.is_running(1), "it was to start while the cell computes"
    assert "Rex" in notebook.js(SAID)
    assert "gpt-realtime-2.1-mini" in page.locator(".rtw-about").inner_text()
    (lab[1] / "enough").touch()


PAID = """
import rtwidgets as rt
endpoint = rt.Endpoint("ws://127.0.0.1:9/v1/realtime", name="Nobody", paid=True)
chat = rt.RealtimeChat(endpoint=endpoint)
chat
"""


def test_what_was_typed_stays_until_it_is_taken(bench: Notebook) -> None:
    bench.fill(PAID)
    bench.run(0)
    bench.until("document.querySelector('.rtw-start')")
    page, box = bench.page, bench.page.locator(".rtw-message")
    page.locator(".rtw-start").click()
    bench.until("document.querySelector('.rtw-question').innerText.includes('Nobody')")
    box.fill("Hello")
    box.press("Enter")
    assert page.locator(".rtw-send").is_disabled()
    page.locator(".rtw-approve").click()
    box.press("Enter")
    bench.until(words("No connection to"))
    assert box.input_value() == "Hello"


def test_shown_twice_and_after_a_reload_it_is_one_conversation(notebook: Notebook) -> None:
    chat = notebook.open(notebook.write(CHAT, "chat", "print(chat.log)"))
    chat.run(0)
    chat.run(1)
    chat.until("document.querySelectorAll('.rtw-start').length === 2")
    chat.page.locator(".rtw-start").first.click()
    chat.until("document.querySelectorAll('.rtw-line[data-state=done]').length === 2")
    first, second = chat.js(
        "[...document.querySelectorAll('.rtw-lines')].map(one => one.innerText)"
    )
    assert first == second and "Welcome to the museum!" in first
    assert chat.run(2).count("response.create ") == 1

    chat.js("jupyterapp.commands.execute('docmanager:save').then(() => 0)")
    chat.open("test.ipynb", reset=False)
    chat.until(words("Welcome to the museum!"))
    chat.until("document.querySelector('.rtw-words').innerText === 'Connected'")
    chat.until("document.querySelector('.rtw-row:not([hidden]) .rtw-name')?.innerText")
    chat.page.locator(".rtw-message").first.fill("Are you still there?")
    chat.page.keyboard.press("Enter")
    chat.until(words("Are you still there?"))
    chat.until(f"{NONZERO} > 2400")


def test_of_two_tabs_one_plays(notebook: Notebook) -> None:
    first = notebook.open(notebook.write(CHAT, "chat.start()\nchat.wait(30)", "chat.say('Hi')"))
    first.run(0)
    first.until("document.querySelector('.rtw-voice')")
    first.js("jupyterapp.commands.execute('docmanager:save').then(() => 0)")
    second = Notebook(first.page.context.new_page(), first.url, first.root)
    second.open("test.ipynb", reset=False)
    second.until("document.querySelector('.rtw-voice')")
    first.until("document.querySelector('.rtw-away:not([hidden])')")
    second.run(1)
    second.until(words("heard 100 %"))
    assert second.js(NONZERO) > 2400 and first.js(NONZERO) == 0

    first.page.locator(".rtw-hear").click()
    second.until("document.querySelector('.rtw-away:not([hidden])')")
    heard = second.js(NONZERO)
    second.run(2)
    first.until(f"{NONZERO} > 2400")
    assert second.js(NONZERO) == heard
    assert not first.page.locator(".rtw-away").is_visible()


def test_sound_waits_behind_one_button_until_a_person_clicks(strict_notebook: Notebook) -> None:
    notebook = strict_notebook
    notebook.open(notebook.write(CHAT, "chat.start()\nchat.wait(30)"))
    notebook.run(0)
    notebook.until("document.querySelector('.rtw-hear')")
    notebook.run(1)
    notebook.until("document.querySelector('.rtw-hear:not([hidden])')")
    assert notebook.js(NONZERO) == 0
    notebook.page.locator(".rtw-hear").click()
    notebook.until(f"{NONZERO} > 2400")
    notebook.until("document.querySelector('.rtw-hear').hidden")
    notebook.until(words("heard 100 %"))


@pytest.mark.parametrize(
    "missing",
    [
        "delete window.AudioWorkletNode",
        "AudioContext = class extends AudioContext { constructor(options) {"
        " if (options?.sampleRate) throw new DOMException('no', 'NotSupportedError'); super(); } }",
    ],
    ids=["no AudioWorklet", "no 24 kHz"],
)
def test_a_browser_that_lacks_something_plays_all_the_same(
    notebook: Notebook, missing: str
) -> None:
    notebook.page.add_init_script(missing)
    notebook.open(
        notebook.write(CHAT, "chat.start()\nchat.wait(30)", "chat._presenter._speaker.player")
    )
    notebook.run(0)
    notebook.until("document.querySelector('.rtw-voice')")
    notebook.run(1)
    notebook.until(words("heard 100 %"))
    assert notebook.js(NONZERO) > 2400
    player = notebook.run(2)
    assert ("scheduled" in player) != ("44100" in player or "48000" in player)


def test_run_all_with_a_cell_that_waits_at_once(notebook: Notebook) -> None:
    """The main shell is busy before the page has a subshell: it streams and sounds all the same."""
    notebook.open(
        notebook.write(CHAT, "chat.start()\nchat.wait(30)", "chat._presenter._speaker.heard")
    )
    notebook.js("jupyterapp.commands.execute('notebook:run-all-cells').then(() => 0)")
    notebook.until(words("heard 100 %"))
    assert notebook.js(NONZERO) > 2400
    notebook.until(f"{notebook.CONTENT}.widgets[2].model.outputs.length")
    assert "item_" in notebook.output(2), "wait() ends when the greeting was heard"


def test_a_double_click_on_start_does_not_stop(chat: Notebook) -> None:
    chat.page.locator(".rtw-start").dblclick(delay=100)
    chat.until("document.querySelector('.rtw-line[data-state=done]')")
    assert chat.page.locator(".rtw-words").inner_text() == "Connected"
    chat.page.locator(".rtw-start").click(delay=100)
    chat.until("document.querySelector('.rtw-words').innerText === 'Ended'")


def test_interrupt_silences_at_once_and_says_what_was_heard(chat: Notebook) -> None:
    """With the keyboard alone."""
    chat.page.locator(".rtw-start").focus()
    chat.page.keyboard.press("Space")
    chat.until(f"{NONZERO} > 2400")
    chat.page.locator(".rtw-interrupt").focus()
    chat.page.keyboard.press("Enter")
    chat.until("document.querySelector('.rtw-voice').dataset.playing === 'false'")
    chat.until("document.querySelector('.rtw-line .rtw-note').innerText.includes('interrupted')")
    chat.until("document.querySelector('.rtw-unheard').innerText")
    assert "conversation.item.truncated" in chat.run(1)


def test_every_choice_shows_the_focus_as_the_buttons_do(chat: Notebook) -> None:
    for label in ("Opening", "Endpoint", "Model", "Voice", "Text"):
        chat.page.get_by_label(label, exact=True).first.focus()
        assert "2px" in chat.js("getComputedStyle(document.activeElement).outline"), label


def test_below_the_lines_stands_what_to_do_next(chat: Notebook) -> None:
    hint = "document.querySelector('.rtw-hint').innerText"
    chat.until(f"{hint}.includes('Who speaks first?')")
    chat.page.get_by_label("Opening").select_option("Wait for the user")
    chat.page.locator(".rtw-start").click()
    chat.until(f"{hint}.startsWith('Say something')")
    chat.page.locator(".rtw-message").fill("Hello")
    chat.page.keyboard.press("Enter")
    chat.until("document.querySelector('.rtw-hint').hidden")


def test_what_is_saved_in_the_page(chat: Notebook, tmp_path: Path) -> None:
    chat.page.locator(".rtw-start").click()
    chat.until("document.querySelector('.rtw-line[data-state=done]')")
    saved = {}
    for kind in ("jsonl", "wav", "html"):
        with chat.page.expect_download() as download:
            chat.page.locator(f".rtw-save[data-kind={kind}]").click()
        saved[kind] = Path(download.value.path()).read_bytes()
    rows = [json.loads(line) for line in saved["jsonl"].splitlines()]
    assert any(row.get("event", {}).get("type") == "response.done" for row in rows)
    assert saved["wav"][:4] == b"RIFF" and len(saved["wav"]) > 24_000
    assert b"Welcome to the museum!" in saved["html"]


HOSTILE = """
from rtwidgets import Conversation
from rtwidgets.widgets.transcript import Transcript
conversation, view = Conversation(), Transcript()
words = '<img src=x onerror="window.wasRun = 1"><script>window.wasRun = 1</script>'
item = {"id": "a", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": words}]}
conversation.receive({"type": "conversation.item.added", "item": item})
view.follow(conversation)
view
"""


def test_what_a_model_says_is_text_and_never_markup(bench: Notebook) -> None:
    notebook = bench
    notebook.fill(HOSTILE)
    notebook.run(0)
    notebook.until("document.querySelector('.rtw-text')?.innerText.includes('<script>')")
    ours = ".rtw-unheard, .rtw-instead"
    assert notebook.js(f"document.querySelectorAll('.rtw-text *:not({ours})').length") == 0
    assert not notebook.js("Boolean(window.wasRun)")
