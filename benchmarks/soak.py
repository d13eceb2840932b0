"""Ten minutes of live voice in a real JupyterLab and a real Chromium, whose microphone plays a wav.

Twice in each round of the wav somebody asks, hands-free: the first answer is cut short by the
second question, the second one is heard to its end. Nothing may grow, drift or get lost meanwhile.

    python benchmarks/soak.py                  ten minutes; exit status 1 where something is not so
    python benchmarks/soak.py --seconds 180    a shorter look

Printed for each minute:
    kernel   memory of the kernel's process
    own      the same without its log, which keeps every event: a log of the same events is made in
             a process of its own, and what that grows by is taken off. This has to be flat
    heap     the page's, after a collection; its nodes; the memory of its process
    chunks   of the microphone; how many of their numbers are missing; how many one overtook
    sent     sound that the server sent, what an interruption took back of it, what was played of
             the rest, and by how much that is off; and the gaps in the answers so far
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

import rtwidgets as rt  # noqa: E402
from benchmarks.soaked import MS, Look, Soaked, answers_of, phases_of, table_of  # noqa: E402
from rtwidgets.audio import RATE, SAMPLE_BYTES  # noqa: E402
from rtwidgets.simulator.speech import shared  # noqa: E402
from tests.browser.conftest import PLAYS_AT_ONCE, Notebook, launch, running_lab  # noqa: E402
from tests.browser.test_voice import STATE, hands_free, start  # noqa: E402

EVERY = 20.0  # seconds between two looks

QUESTION = "Please tell me about the dinosaurs in this museum."
ANSWER = "The dinosaurs stand in the great hall, behind the second door on your left."
PAUSES = (1.0, 2.6, 8.0)  # seconds: before, between and behind the two questions of a round

CHAT = f"""
import json, psutil
import rtwidgets as rt
from rtwidgets.widgets.comm import shared_sender
endpoint = rt.Simulated(user_lines=[{QUESTION!r}] * 999, script=[({QUESTION!r}, {ANSWER!r})] * 999)
chat = rt.RealtimeChat(opening=rt.WaitForUser(), endpoint=endpoint)
chat
"""
WATCH = """
microphone, process, looked = chat._presenter._parts.microphone, psutil.Process(), 0
chunks = {"count": 0, "highest": -1, "late": 0, "bytes": 0, "first": 0, "last": 0}
errors = []
take = microphone.page_chunks
def page_chunks(content, buffers):
    chunks["first"] = chunks["first"] or content["at"][0]
    chunks["last"] = content["at"][-1]
    chunks["late"] += content["n"] < chunks["highest"]
    chunks["highest"] = max(chunks["highest"], content["n"] + len(buffers) - 1)
    chunks["count"] += len(buffers)
    chunks["bytes"] += sum(map(len, buffers))
    take(content, buffers)
microphone.page_chunks = page_chunks
"""
LOOK = """
for row in chat.log[looked:]:
    if row.type in ("error", "line.lost"):
        errors.append(row.summary)
looked = len(chat.log)
print(json.dumps({
    "rss": process.memory_info().rss, "events": looked,
    "chunks": chunks, "lost": microphone.lost, "errors": errors,
    "failures": [*map(str, shared_sender().failures), *chat.log.problems],
}))
"""
KEEP = "chat.log.to_jsonl('soak.jsonl')"
ALONE = """
import json, sys
import psutil
import rtwidgets as rt
path, *counts = sys.argv[1:]
log, process = rt.EventLog(), psutil.Process()
sizes, begin = {}, process.memory_info().rss
with open(path, encoding="utf-8") as lines:
    next(lines)  # the header
    for line in lines:
        entry = json.loads(line)
        if "event" in entry:
            log.append(entry["direction"], json.dumps(entry["event"]), t=entry["t"])
        if str(len(log)) in counts:
            sizes[str(len(log))] = process.memory_info().rss - begin
print(json.dumps([sizes.get(count, process.memory_info().rss - begin) for count in counts]))
"""
PAGE = "({...document.querySelector('.rtw-voice').dataset})"

# ---------------------------------------------------------------- what is asked


def write_wav(path: Path) -> tuple[float, float]:
    """One round: silence, a question, silence, a question, silence. Gives its length and the time
    between the two questions, in seconds."""
    spoken = shared().speak(QUESTION, "alloy")
    before, between, behind = (bytes(SAMPLE_BYTES * int(RATE * pause)) for pause in PAUSES)
    pcm = before + spoken + between + spoken + behind
    whole = -(-len(pcm) // (SAMPLE_BYTES * RATE)) * SAMPLE_BYTES * RATE  # it goes round in step
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(RATE)
        file.writeframes(pcm.ljust(whole, b"\0"))
    second = SAMPLE_BYTES * RATE
    return whole / second, (len(spoken) + len(between)) / second


# ---------------------------------------------------------------- the run


class Watcher:
    """Looks at the kernel and the page of one conversation."""

    def __init__(self, notebook: Notebook, browser: Any) -> None:
        self.notebook = notebook
        self.processes = browser.new_browser_cdp_session()
        self.begin = time.monotonic()
        self.told: dict[str, Any] = {}

    def look(self) -> Look:
        page = self.notebook.protocol
        self.await_pause()  # a collection stops the page: it would make the gap that it looks for
        page.send("HeapProfiler.collectGarbage")
        heap = page.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        nodes = page.send("Memory.getDOMCounters")["nodes"]
        told = self.told = json.loads(self.notebook.run(2))
        chunks, kernel = told["chunks"], told["rss"] / 1e6
        return Look(
            at=time.monotonic() - self.begin,
            kernel=kernel,
            own=kernel,
            heap=heap,
            nodes=nodes,
            renderer=self.renderers(),
            events=told["events"],
            chunks=chunks["count"],
            missing=chunks["highest"] + 1 - chunks["count"],
            late=chunks["late"],
            underruns=int(self.notebook.js(PAGE)["underruns"]),
        )

    def await_pause(self) -> None:
        """Wait until nothing is played; not for ever, for somebody may never stop."""
        for _ in range(200):
            if self.notebook.js(PAGE)["playing"] == "false":
                return
            self.notebook.page.wait_for_timeout(100)

    def renderers(self) -> float:
        total = 0
        for process in self.processes.send("SystemInfo.getProcessInfo")["processInfo"]:
            if process["type"] == "renderer":
                try:
                    total += psutil.Process(process["id"]).memory_info().rss
                except psutil.NoSuchProcess:
                    pass
        return total / 1e6


def soak(notebook: Notebook, browser: Any, seconds: float, wav: tuple[float, float]) -> Soaked:
    notebook.open(notebook.write(CHAT, WATCH, LOOK, KEEP, name="soak"))
    notebook.run(0)
    start(notebook)
    notebook.run(1)
    watcher = Watcher(notebook, browser)
    hands_free(notebook)
    watcher.begin = time.monotonic()
    soaked = Soaked(seconds, round=wav[0])
    while (at := time.monotonic() - watcher.begin) < seconds:
        notebook.page.wait_for_timeout(1000 * min(EVERY, seconds - at))
        soaked.looks.append(watcher.look())
        print(f"\r  {soaked.looks[-1].at:.0f} s", end="", flush=True, file=sys.stderr)
    print(file=sys.stderr)
    finish(notebook)
    soaked.looks.append(watcher.look())
    soaked.played = int(notebook.js(PAGE)["played"])
    notebook.run(3)
    kept = notebook.root / "soak.jsonl"
    log = rt.EventLog.from_jsonl(kept)
    alone = log_alone(kept, [look.events for look in soaked.looks])
    pairs = zip(soaked.looks, alone, strict=True)
    soaked.looks = [replace(look, own=look.kernel - size) for look, size in pairs]
    judge(soaked, watcher.told, log, wav)
    return soaked


def log_alone(kept: Path, counts: list[int]) -> list[float]:
    """MB by which a process grows that makes a log of the first so many events, no more."""
    command = [sys.executable, "-c", ALONE, str(kept), *map(str, counts)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [size / 1e6 for size in json.loads(done.stdout)]


def finish(notebook: Notebook) -> None:
    """Mute, and wait until nothing is played or said any more."""
    notebook.page.locator(".rtw-talk").click()
    notebook.until(f"{STATE} === 'ready'")
    before, still = "", 0
    while still < 3:  # seconds
        notebook.page.wait_for_timeout(1000)
        now = json.dumps(notebook.js(PAGE))
        still = still + 1 if now == before else 0
        before = now


def judge(soaked: Soaked, told: dict[str, Any], log: rt.EventLog, wav: tuple[float, float]) -> None:
    """Add what the log and the kernel's last word say."""
    chunks = told["chunks"]
    soaked.answers = answers_of(log)
    soaked.captured = chunks["bytes"] // SAMPLE_BYTES
    appends = log.where(type="input_audio_buffer.append")
    soaked.appended = sum(row.audio_bytes for row in appends) // SAMPLE_BYTES
    soaked.lost, soaked.errors, soaked.failures = told["lost"], told["errors"], told["failures"]
    samples = soaked.captured - chunks["bytes"] // SAMPLE_BYTES // max(1, chunks["count"])
    soaked.clock = (chunks["last"] - chunks["first"]) - samples / MS
    started = log.where(type="input_audio_buffer.speech_started")
    starts = [row.event["audio_start_ms"] for row in started]
    soaked.phases = phases_of(starts, 1000 * wav[0], 1000 * wav[1])


def run(seconds: float) -> Soaked:
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as (url, root),
        sync_playwright() as playwright,
    ):
        path = Path(home) / "questions.wav"
        wav = write_wav(path)
        browser = launch(playwright, PLAYS_AT_ONCE, f"--use-file-for-fake-audio-capture={path}")
        context = browser.new_context(viewport={"width": 1100, "height": 1300})
        notebook = Notebook(context.new_page(), url, root)
        try:
            return soak(notebook, browser, seconds, wav)
        finally:
            notebook.end()
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    soaked = run(options.seconds)
    print(json.dumps(asdict(soaked)) if options.json else table_of(soaked))
    for fault in soaked.faults():
        print(f"NOT SO: {fault}.", file=sys.stderr)
    return 1 if soaked.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
