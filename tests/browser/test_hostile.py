"""What a server or a tool says is data: in a real page nothing of it runs, nothing breaks out.

And a key that was used in that page is in no byte of it, nor of the notebook JupyterLab saves.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtwidgets.simulator import Simulator

from .conftest import ROOT, Notebook

sys.path.insert(0, str(ROOT / "tests"))
from canary import CANARY, found_in

EVIL = r"""
import asyncio, json
import rtwidgets as rt
from rtwidgets.transport import MemoryTransport

RUNS = "<script>window.wasRun=1</script><img src=x onerror='window.wasRun=2'>"
EVIL = (
    RUNS + "\"'><svg onload=window.wasRun=3><iframe srcdoc='<script>parent.wasRun=4</script>'>"
    "</style></script><style>*{display:none!important}</style></textarea></title>{{wasRun}}"
    "\x1b[31m\x1b]0;owned\x07 \u202eright to left\u2066 \u2028 \x00 \x85 javascript:wasRun=5 "
    "[x](javascript:wasRun=6) $\\href{javascript:wasRun=7}{x}$"
)
HALF = "half \ud83d"
LONG = "w" * 1_000_000
USAGE = {"total_tokens": 9, "input_tokens": 4, "output_tokens": 5, EVIL: EVIL,
         "input_token_details": {EVIL: 3}}

def message(item, text):
    return {"id": item, "object": EVIL, "type": "message", "status": EVIL, "role": "assistant",
            "content": [{"type": "output_text", "text": text}]}

def answer(number):
    # One whole response, evil in every field that may be.
    response, item = EVIL + str(number), EVIL + "i" + str(number)
    text = (EVIL, LONG, HALF)[number % 3]
    of = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    call = {"id": item + "c", "type": "function_call", "status": "completed", "name": EVIL,
            "call_id": EVIL, "arguments": json.dumps({EVIL: EVIL})}
    yield {"type": "response.created", "response": {"id": response, "status": "in_progress"}}
    yield {"type": "response.output_item.added", "item": message(item, ""), **of}
    yield {"type": "conversation.item.added", "item": message(item, "")}
    yield {"type": "response.content_part.added", "part": {"type": "output_text"}, **of}
    yield {"type": "response.output_text.delta", "delta": text, **of}
    yield {"type": "response.output_text.done", "text": text, **of}
    yield {"type": "conversation.item.done", "item": message(item, text)}
    yield {"type": "response.output_item.done", "item": message(item, text), **of}
    yield {"type": "conversation.item.added", "item": call}
    yield {"type": "response.output_item.done", "item": call, **of}
    real = {**call, "id": item + "r", "name": "bad", "call_id": "call_" + str(number),
            "arguments": json.dumps({"words": EVIL})}
    yield {"type": "response.output_item.done", "item": real, **of}
    yield {"type": EVIL, EVIL: {EVIL: [EVIL, LONG]}}
    yield {"type": "error", "error": {"type": EVIL, "code": EVIL, "message": EVIL, "param": EVIL}}
    yield {"type": "rate_limits.updated", "rate_limits": [{"name": EVIL, "limit": EVIL}]}
    yield {"type": "conversation.item.input_audio_transcription.completed", "item_id": EVIL,
           "transcript": EVIL}
    yield {"type": "response.done", "response": {"id": response, "status": "failed",
           "status_details": {"type": EVIL, "reason": EVIL,
                              "error": {"message": EVIL, "code": EVIL}},
           "output": [message(item, text), call, real], "usage": USAGE}}

class Evil(rt.Endpoint):
    async def open(self, model=None, timeout=30.0):
        here, there = MemoryTransport.pair()
        self.task = asyncio.ensure_future(serve(there))
        return here

async def serve(line):
    async def say(event):
        await line.send(event if isinstance(event, str) else json.dumps(event))
    session = {"type": "realtime", "object": "realtime.session", "id": EVIL, "model": EVIL,
               "instructions": EVIL, "audio": {"output": {"voice": EVIL}},
               "tools": [{"name": EVIL}]}
    await say({"type": "session.created", "event_id": EVIL, "session": session})
    await say("not JSON " + EVIL)
    number = 0
    while True:
        event = json.loads(await line.recv())
        if event["type"] == "session.update":
            await say({"type": "session.updated", "session": session})
        elif event["type"] == "conversation.item.create":
            await say({"type": "conversation.item.added", "item": event["item"]})
            await say({"type": "conversation.item.done", "item": event["item"]})
        elif event["type"] == "response.create" and number < 6:
            for one in answer(number):
                await say(one)
            number += 1

def bad(words: str = "") -> str:
    "Does what it is told."
    return EVIL
evil = Evil("ws://127.0.0.1:9/", name=EVIL, model=EVIL)
"""
CHAT = "chat = rt.RealtimeChat(opening=rt.ModelGreeting(), endpoint=evil, tools=[bad]); chat"
TALK = """
chat.start(); chat.wait(30)
for text in (EVIL, LONG, "and again"):
    chat.say(text); chat.wait(30)
"""
VIEWS = [
    "log = chat.log; table = log.show(); display(table); table.select([len(log) - 2])",
    "rt.Timeline(log)",
    "display(log.turns(), log.items(), log.responses(), log.usage())",
    "log",
    "display(log.diff(log.redact()))",
    "rt.compare([rt.ModelGreeting(), rt.ScriptedGreeting(EVIL)], 1, evil, timeout=3)",
    "rt.doctor(rt.Endpoint('ws://127.0.0.1:9/', name=EVIL), timeout=2)",
    "display(rt.check({'type': EVIL, EVIL: EVIL}), rt.ScriptedGreeting(EVIL).explain())",
    "rt.ModelGreeting()",
]
WATCH = """
window.wasRun = window.wasRun ?? 0; window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => violations.push(event.blockedURI));
0
"""
TOO_WIDE = """(() => {
  const roots = [...document.querySelectorAll('.rtw, .rt-static, .jp-OutputArea-output')];
  const found = [];
  for (const root of roots) {
    if (!root.checkVisibility()) continue;
    const scrolls = ['auto', 'scroll'].includes(getComputedStyle(root).overflowX);
    if (root.scrollWidth > root.clientWidth + 1 && !scrolls)
      found.push([root.className, root.scrollWidth, root.clientWidth].join(' '));
    const edge = root.closest('.jp-Cell')?.getBoundingClientRect().right ?? innerWidth;
    if (root.getBoundingClientRect().right > edge + 1) found.push(root.className + ' out of cell');
  }
  return found;
})()"""
MADE = (
    "document.querySelectorAll('.rtw script, .rtw iframe, .rtw img[src=x], .rtw [onerror]').length"
)
MADE_STATIC = MADE.replace(".rtw ", ".jp-OutputArea-output ")


@pytest.fixture(scope="module")
def page(lab: tuple[str, Path], browser: Any) -> Iterator[tuple[Notebook, list[str]]]:
    """A page in which all that is hostile was shown, and what dialogs it opened."""
    context = browser.new_context(viewport={"width": 1100, "height": 1400})
    notebook = Notebook(context.new_page(), *lab)
    dialogs: list[str] = []
    notebook.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    notebook.open(notebook.write(EVIL, CHAT, TALK, *VIEWS, name="hostile"))
    notebook.js(WATCH)
    for cell in range(3):
        notebook.run(cell)
        if cell == 1:
            notebook.until("document.querySelector('.rtw-start')")
    yield notebook, dialogs
    notebook.end()
    context.close()


def judge(notebook: Notebook, dialogs: list[str]) -> None:
    notebook.page.wait_for_timeout(300)  # an onerror comes when a picture was not found
    assert notebook.js("window.wasRun") == 0
    assert dialogs == []
    assert notebook.js(MADE) == 0
    assert notebook.js(TOO_WIDE) == []
    assert notebook.js("getComputedStyle(document.body).display") != "none"


def test_a_conversation_with_a_hostile_server_is_text(page: tuple[Notebook, list[str]]) -> None:
    notebook, dialogs = page
    notebook.until("document.querySelectorAll('.rtw-line').length >= 5")
    assert "<script>" in notebook.js("document.querySelector('.rtw-transcript').innerText")
    judge(notebook, dialogs)


def test_what_unfolds_is_text_too(page: tuple[Notebook, list[str]]) -> None:
    """Each row of the table with its JSON, each tool, each panel."""
    notebook, dialogs = page
    notebook.js("for (const one of document.querySelectorAll('details')) one.open = true; 0")
    rows = notebook.page.locator(".rtw-row:not([hidden])")
    for at in range(min(rows.count(), 12)):
        rows.nth(at).click()
        notebook.page.keyboard.press("Enter")
    judge(notebook, dialogs)


@pytest.mark.parametrize("view", range(len(VIEWS)))
def test_every_other_view_shows_text(page: tuple[Notebook, list[str]], view: int) -> None:
    notebook, dialogs = page
    notebook.run(3 + view)
    notebook.js("for (const one of document.querySelectorAll('details')) one.open = true; 0")
    judge(notebook, dialogs)
    outputs = notebook.js(f"{notebook.CONTENT}.widgets[{3 + view}].model.outputs.toJSON()")
    assert not [one for one in outputs if one["output_type"] == "error"], outputs


def test_a_narrow_page_holds_it_as_well(page: tuple[Notebook, list[str]]) -> None:
    notebook, dialogs = page
    notebook.page.set_viewport_size({"width": 760, "height": 1000})
    notebook.page.wait_for_timeout(500)
    judge(notebook, dialogs)
    notebook.page.set_viewport_size({"width": 1100, "height": 1400})


EXPORT = """
import pathlib
from rtwidgets.widgets.files import file_of
page = file_of("html", chat._presenter._transcript.lines(), chat.log, EVIL)
pathlib.Path("evil_conversation.html").write_bytes(page.data)
comparison = rt.compare([rt.ScriptedGreeting(EVIL)], 1, evil, timeout=3)
comparison.to_html("evil_comparison.html")
"""
LISTEN = "<script>window.wasRun=0</script>"


@pytest.fixture
def plain(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1100, "height": 1400})
    yield context.new_page()
    context.close()


def test_exported_pages_run_nothing(
    page: tuple[Notebook, list[str]], plain: Any, lab: tuple[str, Path]
) -> None:
    """The conversation as a page, the comparison as a page, the saved notebook as a page."""
    import nbconvert
    import nbformat

    notebook, _ = page
    cells = [EVIL, CHAT, TALK, *VIEWS, EXPORT]
    inserted = json.dumps([{"cell_type": "code", "source": EXPORT}])
    end = len(cells) - 1
    notebook.js(f"{notebook.CONTENT}.model.sharedModel.insertCells({end}, {inserted}); 0")
    assert "Error" not in notebook.run(end)
    notebook.js("jupyterapp.commands.execute('docmanager:save').then(() => 0)")
    saved = nbformat.read(lab[1] / "hostile.ipynb", as_version=4)
    body, _ = nbconvert.HTMLExporter().from_notebook_node(saved)
    (lab[1] / "evil_notebook.html").write_text(body, "utf-8", errors="replace")
    pages = sorted(lab[1].glob("evil_*.html"))
    assert len(pages) == 3
    for path in pages:
        text = path.read_bytes().decode("utf-8")  # which half a character would not be
        assert "&lt;script&gt;" in text, path.name
        path.write_text(LISTEN + text, "utf-8")
        plain.goto(path.as_uri())
        plain.wait_for_timeout(300)
        assert plain.evaluate("window.wasRun") == 0, path.name
        assert plain.locator("iframe, img[src=x]").count() == 0, path.name
        if "notebook" not in path.name:
            width = "document.documentElement.scrollWidth <= innerWidth + 1"
            assert plain.evaluate(width), path.name


# ------------------------------------------------------------------ the canary, in a browser


def test_a_key_is_in_no_byte_of_the_page_nor_of_what_jupyterlab_saves(
    notebook: Notebook, lab: tuple[str, Path], tmp_path: Path
) -> None:
    """A chat with a wrong key, one that works, and crashes with every variable shown."""
    hidden = tmp_path / "key"
    hidden.write_text(CANARY)
    with Simulator(latency="none", in_process=True) as simulator:
        start = (
            "import os, pathlib\nimport rtwidgets as rt\n"
            f"os.environ['OPENAI_API_KEY'] = pathlib.Path({str(hidden)!r}).read_text()\n"
            f"right = rt.Endpoint({simulator.url!r}, key={simulator.key!r},\n"
            "                    headers={'X-Canary': os.environ['OPENAI_API_KEY']})\n"
            f"wrong = rt.Endpoint({simulator.url!r}, key=os.environ['OPENAI_API_KEY'])"
        )
        cells = [
            start,
            "chat = rt.RealtimeChat(opening=rt.ModelGreeting(), endpoint=right); chat",
            "chat.start(); chat.wait(30); chat.say('hello'); chat.wait(30)",
            "bad = rt.RealtimeChat(endpoint=wrong); bad",
            "bad.start()",
            "%xmode Verbose",
            "rt.Session(wrong).__enter__()",
            "rt.OpenAI(key=os.environ['OPENAI_API_KEY'] + '…')",
            "rt.RealtimeChat()",
            "rt.doctor(wrong, timeout=3)",
            "chat.log.show()",
            "print(vars(wrong), right, chat, vars(chat.session), bad.log)",
        ]
        notebook.open(notebook.write(*cells, name="canary"))
        for cell in range(len(cells)):
            notebook.run(cell)
        notebook.until("document.body.innerText.includes('Incorrect API key')")
        assert "ConnectFailed" in notebook.output(6) and "Misuse" in notebook.output(7)
        notebook.js("jupyterapp.commands.execute('docmanager:save').then(() => 0)")
        saved = (lab[1] / "canary.ipynb").read_bytes()
        assert b"sess_simulated_" in saved
        models = notebook.js(f"JSON.stringify({notebook.CONTENT}.model.sharedModel.toJSON())")
        for what in (
            saved,
            notebook.page.content(),
            models,
            notebook.js("document.body.innerText"),
        ):
            assert found_in(what) == []
        storage = notebook.js("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert found_in(storage) == []
        assert json.loads(storage)
        log = lab[1].parent / "lab.log"
        assert not log.exists() or found_in(log.read_bytes()) == []
    assert os.environ.get("OPENAI_API_KEY") is None
