"""Live voice, as a person has it: a real JupyterLab, and a Chromium whose microphone plays a wav.

The wav begins when the microphone opens, and goes round: silence, a question, silence.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rtwidgets.audio import RATE, samples_from_pcm
from rtwidgets.simulator.speech import shared

from .conftest import PLAYS_AT_ONCE, ROOT, Notebook, launch

QUESTION = "Please tell me about the dinosaurs in this museum."
BEFORE, AFTER = 1.0, 3.0  # seconds of silence around it
ANSWER = "The dinosaurs stand in the great hall, behind the second door on your left. " * 3
CHAT = f"""
import rtwidgets as rt
endpoint = rt.Simulated(user_lines=[{QUESTION!r}] * 9, script=[({QUESTION!r}, {ANSWER!r})] * 9)
chat = rt.RealtimeChat(opening=rt.WaitForUser(), endpoint=endpoint)
chat
"""
ROWS = """
import json
print(json.dumps([
    {"t": row.t, "direction": row.direction, **{k: v for k, v in row.event.items() if k != "audio"}}
    for row in chat.log if not row.type.endswith("delta")
], default=str))
"""
SOUND = """
rows = chat.log.where(type="input_audio_buffer.append")
open("heard.pcm", "wb").write(b"".join(row.pcm for row in rows))
print(chat._presenter._parts.microphone.lost)
"""
BUSY = """
import pathlib, time
end = time.time() + 60
while time.time() < end and not pathlib.Path("enough").exists():
    for _ in range(100_000):
        pass
"""
SPY = """
window.spied = { opened: 0, tracks: [], refuse: "" };
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (spied.refuse) throw new DOMException("no", spied.refuse);
  spied.opened++;
  const stream = await open(wanted);
  spied.tracks.push(...stream.getTracks());
  return stream;
};
"""
"""Counts the microphones that the page opens, and can refuse one, or unplug it."""
NO_24_KHZ = """
window.AudioContext = class extends AudioContext {
  constructor(options) {
    if (options?.sampleRate) throw new DOMException("no", "NotSupportedError");
    super();
  }
};
"""
STATE = (
    "(all => all.find(one => one === 'live') ?? all.at(-1))"
    "([...document.querySelectorAll('.rtw-microphone')].map(one => one.dataset.state))"
)
SAID = "document.querySelector('.rtw-microphone-said').innerText"
HEARD = "[...document.querySelectorAll('.rtw-note')].map(one => one.innerText).join()"
UNHEARD = "[...document.querySelectorAll('.rtw-unheard')].some(one => one.innerText)"
LIVE = f"{STATE} === 'live'"


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wav that the microphone plays."""
    spoken = shared().speak(QUESTION, "alloy")
    spoken = spoken.ljust(-(-len(spoken) // (2 * RATE)) * 2 * RATE, b"\0")  # goes round in step
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(silence(BEFORE) + spoken + silence(AFTER))
    return path


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE))


@pytest.fixture(scope="module")
def talking_browser(playwright: Any, question: Path) -> Iterator[Any]:
    browser = launch(playwright, PLAYS_AT_ONCE, f"--use-file-for-fake-audio-capture={question}")
    yield browser
    browser.close()


def new_notebook(lab: tuple[str, Path], browser: Any, *scripts: str) -> Notebook:
    context = browser.new_context(viewport={"width": 1100, "height": 1300})
    page = context.new_page()
    for script in (SPY, *scripts):
        page.add_init_script(script)
    return Notebook(page, *lab)


@pytest.fixture(scope="module")
def kernel(lab: tuple[str, Path], talking_browser: Any) -> Iterator[Notebook]:
    """An open notebook that several tests fill."""
    notebook = new_notebook(lab, talking_browser)
    notebook.open(notebook.write("", name="voice"))
    yield notebook
    notebook.end()
    notebook.page.context.close()


@pytest.fixture
def chat(kernel: Notebook) -> Iterator[Notebook]:
    """A chat that is started, in push to talk; it is stopped behind the test."""
    kernel.fill(CHAT, ROWS, SOUND, BUSY, "chat.stop()")
    kernel.run(0)
    start(kernel)
    yield kernel
    kernel.run(4)


def start(notebook: Notebook) -> None:
    notebook.until("document.querySelector('.rtw-start')")
    notebook.page.locator(".rtw-start").first.click()
    notebook.until("document.querySelector('.rtw-words').innerText === 'Connected'")
    notebook.until("document.querySelector('.rtw-talk:not([disabled])')")


def hands_free(notebook: Notebook, kind: str = "server_vad") -> None:
    notebook.page.get_by_label("Who decides when a turn ends").first.select_option(kind)
    notebook.until("document.querySelector('.rtw-talk').innerText === 'Talk'")
    notebook.page.locator(".rtw-talk").first.click()
    notebook.until(LIVE)


def rows(notebook: Notebook, cell: int = 1) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(notebook.run(cell))
    return told


def of_type(told: list[dict[str, Any]], *types: str) -> list[dict[str, Any]]:
    return [row for row in told if row["type"] in types]


def samples_of(path: Path) -> NDArray[np.float64]:
    data = path.read_bytes()
    pcm = data[44:] if data[:4] == b"RIFF" else data
    return samples_from_pcm(pcm).astype(np.float64)


def lags(heard: NDArray[np.float64], source: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(place in what was heard, samples by which the source is ahead there) for each loud piece of
    200 ms that is found in the source beyond doubt."""
    size = RATE // 5
    twice = np.concatenate([source, source])  # it goes round
    found = []
    for at in range(0, len(heard) - size, size // 2):
        piece = heard[at : at + size]
        if np.sqrt(np.mean(piece**2)) < 300:
            continue
        spectrum = np.fft.rfft(twice, 2 * len(twice)) * np.conj(np.fft.rfft(piece, 2 * len(twice)))
        match = np.fft.irfft(spectrum)[: len(twice) - size]
        energy = np.convolve(twice**2, np.ones(size), "valid")[: len(match)]
        alike = match / np.sqrt(energy * np.sum(piece**2) + 1)
        best = int(np.argmax(alike))
        if alike[best] > 0.7:
            found.append((at, (best - at) % len(source)))
    return found


def check_no_gap(notebook: Notebook, question: Path, least: int) -> int:
    """What was appended is the wav without a gap; gives how far the wav was when it began."""
    assert notebook.run(2).strip() == "0"
    found = lags(samples_of(notebook.root / "heard.pcm"), samples_of(question))
    assert len(found) >= least
    ahead = np.array([lag for _, lag in found])
    # A lost chunk is 960 samples. Less is the browser's: it works on 10 ms at a time, of which a
    # busy machine may miss one; and a vowel is much like itself a period of the voice later.
    off = np.abs(ahead - np.median(ahead)) > 480
    assert off.mean() <= 0.1, found
    return int(np.median(ahead))


def picture(notebook: Notebook, name: str) -> None:
    """Keep a picture where there is a folder for them, for a person to look at."""
    target = ROOT / "build" / "pictures"
    if target.is_dir():
        notebook.page.locator(".rtw-chat").first.screenshot(path=target / f"voice-{name}.png")


def test_a_spoken_question_is_heard_answered_and_the_next_one_cuts_the_answer_short(
    chat: Notebook, question: Path
) -> None:
    hands_free(chat)
    chat.until("Number(document.querySelector('.rtw-voice').dataset.nonzero) > 24000")
    chat.until(UNHEARD)  # it goes round, and barges in
    chat.until("document.querySelector('.rtw-voice').dataset.playing === 'false'")
    picture(chat, "barge-in")
    chat.page.locator(".rtw-talk").click()
    chat.until(f"{STATE} === 'ready'")

    told = rows(chat)
    assert not of_type(told, "error", "response.cancel"), "the server cancels by itself"
    ahead = check_no_gap(chat, question, least=4) / RATE
    source = np.flatnonzero(np.abs(samples_of(question)) > 1000) / RATE
    [started, *_], [stopped, *_] = (
        of_type(told, f"input_audio_buffer.speech_{what}") for what in ("started", "stopped")
    )
    assert abs(started["audio_start_ms"] / 1000 - (source[0] - ahead - 0.3)) < 0.3
    assert abs(stopped["audio_end_ms"] / 1000 - (source[-1] - ahead + 0.5)) < 0.3
    [truncate, *_] = of_type(told, "conversation.item.truncate")
    flushed = next(row for row in of_type(told, "playback.flushed") if row["ms"])
    assert (truncate["item_id"], truncate["audio_end_ms"]) == (flushed["item_id"], flushed["ms"])
    heard = [row for row in of_type(told, "playback.heard") if row["item_id"] == flushed["item_id"]]
    assert heard and max(row["ms"] for row in heard) <= flushed["ms"]
    began = of_type(told, "playback.started")
    assert began[0]["item_id"] == flushed["item_id"]


def test_the_space_bar_is_held_and_in_the_text_box_it_is_a_space(
    chat: Notebook, question: Path
) -> None:
    page, box = chat.page, chat.page.locator(".rtw-message")
    box.click()
    page.keyboard.press("Space")
    assert box.input_value() == " " and chat.js(STATE) == "off"
    box.fill("")
    page.locator(".rtw-talk").focus()
    page.keyboard.down("Space")
    chat.until(LIVE)
    chat.until("document.querySelector('.rtw-talk').innerText.includes('release to send')")
    chat.page.wait_for_timeout(3000)  # the question
    picture(chat, "held")
    page.keyboard.up("Space")
    chat.until(f"{STATE} === 'ready'")
    chat.until("Number(document.querySelector('.rtw-voice').dataset.nonzero) > 24000")
    page.keyboard.press("Space")  # hardly held: it interrupts the answer, and is no turn
    chat.until(f"{SAID}.includes('too short')")
    told = rows(chat)
    sent = [row["type"] for row in told if row["direction"] == "client"]
    assert sent.count("input_audio_buffer.commit") == sent.count("response.create") == 1
    assert "conversation.item.truncate" in sent
    assert (
        of_type(told, "session.updated")[-1]["session"]["audio"]["input"]["turn_detection"] is None
    )
    assert not of_type(told, "error", "input_audio_buffer.speech_started")
    check_no_gap(chat, question, least=4)


def test_while_a_cell_computes_one_is_heard_and_answered(chat: Notebook, question: Path) -> None:
    enough = chat.root / "enough"
    enough.unlink(missing_ok=True)
    chat.start_cell(3)
    chat.until(f"{chat.CONTENT}.widgets[3].promptNode.textContent.startsWith('[*]')")
    hands_free(chat)
    chat.until("Number(document.querySelector('.rtw-voice').dataset.nonzero) > 24000")
    chat.page.locator(".rtw-talk").click()
    chat.until(f"{STATE} === 'ready'")
    assert chat.is_running(3), "the answer was to come while the cell computes"
    assert chat.js("document.querySelector('.rtw-voice').dataset.underruns") == "0"
    enough.touch()
    assert not of_type(rows(chat), "error")
    check_no_gap(chat, question, least=4)


def test_refused_unplugged_and_plugged_in_again_there_is_no_dead_button(chat: Notebook) -> None:
    talk = chat.page.locator(".rtw-talk")
    chat.js("spied.refuse = 'NotAllowedError'")
    chat.page.get_by_label("Who decides when a turn ends").select_option("semantic_vad")
    chat.until("document.querySelector('.rtw-talk').innerText === 'Talk'")
    talk.click()
    chat.until(f"{SAID}.includes('allow the microphone')")
    picture(chat, "refused")
    chat.js("spied.refuse = ''")
    talk.click()
    chat.until(LIVE)
    chat.js("spied.tracks.at(-1).dispatchEvent(new Event('ended'))")
    chat.until(f"{STATE} === 'off' && {SAID}.includes('unplugged')")
    talk.click()
    chat.until(LIVE)
    talk.click()
    chat.until(f"{STATE} === 'ready'")
    for _ in range(100):  # the last word of a take comes behind what the button says
        told = rows(chat)
        takes = [row["type"] for row in told if row["type"].startswith("microphone.")]
        if takes == ["microphone.started", "microphone.stopped"] * 2:
            break
        chat.page.wait_for_timeout(100)
    else:
        raise AssertionError(takes)
    assert (
        of_type(told, "session.updated")[-1]["session"]["audio"]["input"]["turn_detection"]["type"]
        == "semantic_vad"
    )


def test_what_is_changed_while_talking_and_what_is_refused(chat: Notebook) -> None:
    page = chat.page
    hands_free(chat)
    page.locator(".rtw-more-settings").click()
    page.get_by_label("Threshold").fill("0.45")
    page.get_by_label("Noise reduction").select_option("far_field")
    chat.until("Number(document.querySelector('.rtw-voice').dataset.nonzero) > 2400")
    page.locator(".rtw-choice[name=voice]").select_option("cedar")
    chat.until(f"{SAID}.includes('before the first word')")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        chat.set_theme(theme)
        picture(chat, theme.removeprefix("JupyterLab ").lower())
    assert page.locator(".rtw-choice[name=voice]").input_value() == ""
    told = rows(chat)
    ear = of_type(told, "session.updated")[-1]["session"]["audio"]["input"]
    assert (ear["turn_detection"]["threshold"], ear["noise_reduction"]["type"]) == (
        0.45,
        "far_field",
    )
    assert len(of_type(told, "error")) == 1


def test_shown_twice_it_is_recorded_once_and_a_reload_and_a_restart_end_it(
    lab: tuple[str, Path], talking_browser: Any, question: Path
) -> None:
    """In a browser that insists on a rate of its own, so that the worklet resamples."""
    notebook = new_notebook(lab, talking_browser, NO_24_KHZ)
    notebook.open(notebook.write(CHAT, ROWS, SOUND, "chat", name="twice"))
    for cell in (0, 3):
        notebook.run(cell)
    notebook.until("document.querySelectorAll('.rtw-talk').length === 2")
    start(notebook)
    hands_free(notebook)
    words = "[...document.querySelectorAll('.rtw-talk')].map(one => one.innerText).join()"
    notebook.until(f"{words} === 'Mute,Mute'")
    notebook.page.wait_for_timeout(3000)
    check_no_gap(notebook, question, least=4)
    assert notebook.js("spied.opened") == 1
    notebook.js("jupyterapp.commands.execute('docmanager:save').then(() => 0)")

    notebook.open("twice.ipynb", reset=False)
    notebook.until("document.querySelector('.rtw-talk:not([disabled])')")
    for _ in range(100):  # the page says so when it leaves; where that is lost, four seconds later
        if of_type(rows(notebook), "microphone.stopped"):
            break
        notebook.page.wait_for_timeout(100)
    else:
        raise AssertionError("a page that was left went on recording")
    assert notebook.js(STATE) == "off"
    # JupyterLab may keep an output out of sight that it has drawn twice.
    notebook.page.locator(".rtw-talk:not([disabled]):visible").first.click()
    notebook.until(LIVE)
    notebook.js("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.until(f"{STATE} === 'off'")
    notebook.until(f"{SAID}.includes('kernel')")
    notebook.until("document.querySelector('.rtw-words').innerText === 'No kernel'")
    notebook.until("document.querySelector('.rtw-trouble').innerText.includes('cells again')")
    assert notebook.js(
        "[...document.querySelectorAll('.rtw-start, .rtw-send, .rtw-interrupt, .rtw-save')]"
        ".every(button => button.disabled)"
    )
    assert notebook.js("spied.tracks.every(track => track.readyState === 'ended')")
    notebook.end()
    notebook.page.context.close()
