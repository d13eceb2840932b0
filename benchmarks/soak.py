"""Ten minutes of live voice in a real JupyterLab and a real Chromium, whose microphone plays a wav.

Twice in each round of the wav somebody asks, hands-free: the first answer is cut short by the
second question, the second one is heard to its end. Nothing may grow, drift or get lost meanwhile.

    python benchmarks/soak.py                  ten minutes; exit status 1 where something is not so
    python benchmarks/soak.py --seconds 180    a shorter look

Printed for each minute:
    kernel   memory of the kernel's process
    own      the same without the sound that its log holds in memory, which has a limit of its own
             (log/eventlog.py: AUDIO_LIMIT): this has to be flat
    heap     the page's, after a collection; its nodes; the memory of its process
    chunks   of the microphone; how many of their numbers are missing; how many one overtook
    sent     sound that the server sent, what an interruption took back of it, what was played of
             the rest, and by how much that is off; and the gaps in the answers so far
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import wave
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

import rtwidgets as rt  # noqa: E402
from rtwidgets.audio import RATE, SAMPLE_BYTES  # noqa: E402
from rtwidgets.simulator.speech import shared  # noqa: E402
from tests.browser.conftest import PLAYS_AT_ONCE, Notebook, launch, running_lab  # noqa: E402
from tests.browser.test_voice import STATE, hands_free, start  # noqa: E402

EVERY = 20.0  # seconds between two looks
GROWTH = 1.0  # MB a minute, at most: a log of 3000 events a minute is a third of that
ANSWERED = 0.9  # of the questions, at least: the first and the last may be cut off
MS = RATE // 1000  # samples

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
microphone, process, looked = chat._parts.microphone, psutil.Process(), 0
chunks = {"count": 0, "highest": -1, "late": 0, "bytes": 0, "first": 0, "last": 0}
errors = []
take = microphone.page_chunk
def page_chunk(content, buffers):
    chunks["first"] = chunks["first"] or content["at"]
    chunks["last"] = content["at"]
    chunks["late"] += content["n"] < chunks["highest"]
    chunks["highest"] = max(chunks["highest"], content["n"])
    chunks["count"] += 1
    chunks["bytes"] += len(buffers[0])
    take(content, buffers)
microphone.page_chunk = page_chunk
"""
LOOK = """
for row in chat.log[looked:]:
    if row.type in ("error", "line.lost"):
        errors.append(row.summary)
looked = len(chat.log)
print(json.dumps({
    "rss": process.memory_info().rss, "sound": chat.log._sound.in_memory, "events": looked,
    "chunks": chunks, "lost": microphone.lost, "errors": errors,
    "failures": [*map(str, shared_sender().failures), *chat.log.problems],
}))
"""
KEEP = "chat.log.to_jsonl('soak.jsonl')"
PAGE = "({...document.querySelector('.rtw-voice').dataset})"


@dataclass(frozen=True)
class Look:
    """One look at everything, `at` seconds from the first word; memory in MB.

    Attributes:
        kernel: of its process. own: the same less the most sound that the log has had in memory.
        heap: the page's, collected. renderer: of all processes that draw pages.
        missing: numbers of chunks that did not come. late: chunks that one behind them overtook.
        underruns: gaps in the answers.
    """

    at: float
    kernel: float
    own: float
    heap: float
    nodes: int
    renderer: float
    events: int
    chunks: int
    missing: int
    late: int
    underruns: int


@dataclass(frozen=True)
class Answer:
    """One item that was spoken.

    Attributes:
        t: seconds since the log began, when its last event came.
        samples: that the server sent. heard: milliseconds that were played.
        end: `done` (all of it was heard), `cut`, or empty: nobody knows.
    """

    t: float
    samples: int
    heard: int
    end: str

    @property
    def due(self) -> int:
        """The samples of it that were to be played."""
        return self.samples if self.end == "done" else MS * self.heard


@dataclass
class Soaked:
    """All that was seen.

    Attributes:
        played: samples, by the page's own count.
        captured, appended: samples of the microphone: those that came, those in the log.
        clock: ms by which the microphone's samples are behind the clock, from first to last.
        phases: ms by which each question is off its place in the wav, seen from the first.
    """

    seconds: float
    looks: list[Look] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    played: int = 0
    captured: int = 0
    appended: int = 0
    lost: int = 0
    clock: float = 0.0
    phases: list[float] = field(default_factory=list)
    round: float = 0.0
    errors: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def drift(self) -> int:
        """Samples that were to be played and were not."""
        return sum(answer.due for answer in self.answers) - self.played

    @property
    def tolerance(self) -> int:
        """What rounding to milliseconds may make of that: half of one for each that was cut."""
        return MS // 2 * sum(answer.end == "cut" for answer in self.answers)

    def growth(self, what: str) -> float:
        """MB a minute after the first minute (of a short run: after the first third)."""
        begin = min(60.0, self.seconds / 3)
        seen = [(look.at, getattr(look, what)) for look in self.looks if look.at >= begin]
        return slope(seen) * 60

    def faults(self) -> list[str]:
        """What is not flat, or lost."""
        last = self.looks[-1]
        expected = ANSWERED * 2 * (self.seconds // self.round)
        partial = [one for one in self.answers if one.end == "done" and off(one) > 1]
        found = {
            f"the kernel grows by {self.growth('own'):.2f} MB a minute": self.growth("own")
            > GROWTH,
            f"the page grows by {self.growth('heap'):.2f} MB a minute": self.growth("heap")
            > GROWTH,
            f"{last.missing} chunks are missing": last.missing or self.lost,
            "what was captured is not what was appended": self.captured != self.appended,
            f"{self.drift} samples drifted": abs(self.drift) > self.tolerance,
            f"{len(partial)} answers were heard to their end, but not all of them": partial,
            "nobody knows of an answer whether it was heard": not all(
                one.end for one in self.answers
            ),
            f"{len(self.answers)} answers only": len(self.answers) < expected,
            f"{last.underruns} gaps in the answers": last.underruns,
            f"errors: {'; '.join(self.errors[:3])}": self.errors,
            f"failures: {'; '.join(self.failures[:3])}": self.failures,
        }
        return [sentence for sentence, wrong in found.items() if wrong]


def off(answer: Answer) -> float:
    """Milliseconds by which what was heard is not what was sent."""
    return abs(answer.samples / MS - answer.heard)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line that fits best; 0 of fewer than two points."""
    if len(points) < 2:
        return 0.0
    x, y = np.array(points, dtype=float).T
    return float(np.polyfit(x - x.mean(), y, 1)[0])


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


# ---------------------------------------------------------------- what the log says


def answers_of(log: rt.EventLog) -> list[Answer]:
    """The items that were spoken, and what was heard of each."""
    sent: dict[str, int] = {}
    heard: dict[str, int] = {}
    end: dict[str, str] = {}
    at: dict[str, float] = {}
    for row in log:
        item = row.item_id
        if row.type == "response.output_audio.delta":
            sent[item] = sent.get(item, 0) + row.audio_bytes // SAMPLE_BYTES
        elif row.type == "playback.flushed":
            heard[item], end[item] = row.event["ms"], "cut"
        elif row.type == "playback.heard" and end.get(item) != "cut":
            heard[item] = row.event["ms"]
            if row.event["done"]:
                end[item] = "done"
        else:
            continue
        at[item] = row.t
    return [
        Answer(at[item], samples, heard.get(item, 0), end.get(item, ""))
        for item, samples in sent.items()
    ]


def phases_of(starts: Sequence[float], round_: float, between: float) -> list[float]:
    """How far each question is off its place in the wav, by the place of the first: it may be the
    first or the second one of a round. All in the same unit."""
    if not starts:
        return []
    readings = []
    for places in ((0.0, between), (0.0, round_ - between)):
        wrapped = [
            min((wrap(start - starts[0] - place, round_) for place in places), key=abs)
            for start in starts
        ]
        readings.append(wrapped)
    return min(readings, key=lambda offs: float(np.mean(np.abs(offs))))


def wrap(value: float, round_: float) -> float:
    return (value + round_ / 2) % round_ - round_ / 2


# ---------------------------------------------------------------- the run


class Watcher:
    """Looks at the kernel and the page of one conversation."""

    def __init__(self, notebook: Notebook, browser: Any) -> None:
        self.notebook = notebook
        self.processes = browser.new_browser_cdp_session()
        self.begin = time.monotonic()
        self.most = 0.0  # MB of sound that the log has had in memory
        self.told: dict[str, Any] = {}

    def look(self) -> Look:
        page = self.notebook.protocol
        page.send("HeapProfiler.collectGarbage")
        heap = page.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        nodes = page.send("Memory.getDOMCounters")["nodes"]
        told = self.told = json.loads(self.notebook.run(2))
        self.most = max(self.most, told["sound"] / 1e6)
        chunks, kernel = told["chunks"], told["rss"] / 1e6
        return Look(
            at=time.monotonic() - self.begin,
            kernel=kernel,
            own=kernel - self.most,
            heap=heap,
            nodes=nodes,
            renderer=self.renderers(),
            events=told["events"],
            chunks=chunks["count"],
            missing=chunks["highest"] + 1 - chunks["count"],
            late=chunks["late"],
            underruns=int(self.notebook.js(PAGE)["underruns"]),
        )

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
    log = rt.EventLog.from_jsonl(notebook.root / "soak.jsonl")
    judge(soaked, watcher.told, log, wav)
    return soaked


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


# ---------------------------------------------------------------- what is printed


def minutes(soaked: Soaked) -> Iterator[tuple[Look, list[Answer]]]:
    """The last look of each minute, and the answers that ended in it; the last row has the rest."""
    begin = 0.0
    for at, look in enumerate(soaked.looks):
        is_last = at == len(soaked.looks) - 1
        if is_last or soaked.looks[at + 1].at // 60 > look.at // 60:
            end = float("inf") if is_last else look.at
            yield look, [one for one in soaked.answers if begin <= one.t < end]
            begin = end


def table_of(soaked: Soaked) -> str:
    heads = ["at", "kernel", "own", "heap", "nodes", "process"]
    heads += ["events", "chunks", "missing", "late", "sent", "cut", "played", "off", "gaps"]
    units = ["s", "MB", "MB", "MB", "", "MB", "", "", "", "", "s", "s", "s", "ms", ""]
    rows = [heads, units]
    for look, answers in minutes(soaked):
        sent = sum(answer.samples for answer in answers) / RATE
        due = sum(answer.due for answer in answers) / RATE
        heard = sum(answer.heard for answer in answers) / 1000
        memory = [f"{look.kernel:.1f}", f"{look.own:.1f}", f"{look.heap:.1f}", f"{look.nodes}"]
        counts = [look.events, look.chunks, look.missing, look.late]
        sound = [f"{sent:.1f}", f"{sent - due:.1f}", f"{heard:.1f}", f"{1000 * (due - heard):.1f}"]
        rows.append(
            [f"{look.at:.0f}", *memory, f"{look.renderer:.0f}", *map(str, counts), *sound]
            + [str(look.underruns)]
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(heads))]
    lines = [
        "  ".join(one.rjust(width) for one, width in zip(row, widths, strict=True)) for row in rows
    ]
    return "\n".join([*lines, "", *summary(soaked)])


def summary(soaked: Soaked) -> list[str]:
    cut = sum(answer.end == "cut" for answer in soaked.answers)
    furthest = max(map(abs, soaked.phases), default=0.0)
    last = soaked.phases[-1] if soaked.phases else 0.0
    lines = [
        ("kernel, after the first minute", f"{soaked.growth('own'):+.2f} MB a minute", GROWTH),
        ("page, after the first minute", f"{soaked.growth('heap'):+.2f} MB a minute", GROWTH),
        ("to be played and not played", f"{soaked.drift} samples", soaked.tolerance),
        ("captured and not appended", f"{soaked.captured - soaked.appended} samples", 0),
        ("gaps in the answers", f"{soaked.looks[-1].underruns}", 0),
        ("errors, failures", f"{len(soaked.errors)}, {len(soaked.failures)}", 0),
    ]
    return [
        *(f"{what:32}{value:>20}   <= {wanted:g}" for what, value, wanted in lines),
        f"{len(soaked.answers)} answers, {cut} of them cut short; {soaked.played} samples played",
        f"microphone: {soaked.clock:+.0f} ms against the clock; questions off their place in the "
        f"wav by {last:+.0f} ms at the end, {furthest:.0f} ms at most",
    ]


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
