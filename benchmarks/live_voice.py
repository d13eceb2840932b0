"""Live voice in a real JupyterLab and a real Chromium, whose microphone plays a wav over and over.

A question is asked hands-free, again and again; each one cuts short the answer to the one before.
Then cells compute for some seconds each while somebody speaks and the assistant answers.

    python benchmarks/live_voice.py               twelve questions, ten seconds of each kind of cell
    python benchmarks/live_voice.py --rounds 4 --seconds 4
    python benchmarks/live_voice.py --check       fail where a condition is not met

Printed, with the condition beside each:
    mouth to ear   from the end of the user's speech in the microphone's worklet to the first sample
                   of the answer at the page's output, less what the simulator took: its silence,
                   and from the chunk that ended the turn to its first audio
    silence        from speech_started in the kernel to the first silent quantum at the output
    heard          how far the milliseconds in the log are from those that left the speaker
    busy cells     chunks that reached the session within 150 ms of their last sample; gaps in the
                   answer

The output is tapped beside the speaker, by a worklet that is none of ours: it says when sound
begins and ends there, and with which samples, which are then looked up in the log. All clocks are
this machine's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

import rtwidgets as rt  # noqa: E402
from rtwidgets.audio import RATE, samples_from_pcm  # noqa: E402
from rtwidgets.simulator.speech import shared  # noqa: E402
from tests.browser.conftest import PLAYS_AT_ONCE, Notebook, launch, running_lab  # noqa: E402

SILENT_MS = 60.0  # from speech_started, 95 of 100
QUANTUM_MS = 128 / RATE * 1000  # what a worklet is given at a time
ON_TIME_MS = 150.0
ON_TIME = 0.99  # of the chunks
QUESTION = "Please tell me about the dinosaurs in this museum."
ANSWER = "The dinosaurs stand in the great hall, behind the second door on your left. " * 4

CHAT = f"""
import json, time
import numpy as np
import rtwidgets as rt
endpoint = rt.Simulated(user_lines=[{QUESTION!r}] * 99, script=[({QUESTION!r}, {ANSWER!r})] * 99)
chat = rt.RealtimeChat(opening=rt.WaitForUser(), endpoint=endpoint)
chat
"""
WATCH = """
chunks, seen = [], []
microphone = chat._presenter._parts.microphone
take = microphone.page_chunks
def page_chunks(content, buffers):
    chunks.extend([at, time.time() * 1000] for at in content["at"])
    take(content, buffers)
microphone.page_chunks = page_chunks
note = lambda row: seen.append([row.seq, time.time() * 1000])
chat.session.asynchronous.subscribe(note); 0
"""
TELL = """
chat.log.to_jsonl("voice.jsonl")
print(json.dumps({"chunks": chunks, "seen": seen, "lost": microphone.lost}))
"""
BUSY = {
    "pure Python": "while time.time() < end:\n    sum(range(1000))",
    "numpy": "one = np.ones((700, 700))\nwhile time.time() < end:\n    one @ one",
    "time.sleep": "time.sleep(end - time.time())",
}
TAP = """
window.tapped = [];
const connect = AudioNode.prototype.connect;
const source = `registerProcessor("tap", class extends AudioWorkletProcessor {
  constructor() { super(); this.on = false; this.silent = 0; this.last = new Float32Array(2400); }
  process([[out]]) {
    if (!out) return true;
    if (out.some((sample) => sample !== 0)) {
      if (!this.on) this.port.postMessage({ on: Date.now() });
      this.on = true;
      this.silent = 0;
    } else if (this.on && !this.silent++) this.since = Date.now();
    if (this.on && this.silent === 4) {
      this.port.postMessage({ off: this.since, tail: [...this.last] });
      this.on = false;
    }
    if (this.silent) return true;
    this.last.copyWithin(0, out.length);
    this.last.set(out, this.last.length - out.length);
    return true;
  }
});`;
AudioNode.prototype.connect = function (to, ...more) {
  if (to instanceof AudioDestinationNode) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    to.context.audioWorklet.addModule(url).then(() => {
      const node = new AudioWorkletNode(to.context, "tap", { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }) => tapped.push(data);
      connect.call(this, node);
    });
  }
  return connect.call(this, to, ...more);
};
"""


@dataclass
class Measured:
    """What was seen, in ms; `busy` is by kind: (chunks on time, chunks, gaps heard)."""

    total: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    silence: list[float] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    chunk: list[float] = field(default_factory=list)
    lost: int = 0
    busy: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def is_good(self) -> bool:
        on_time = all(
            good >= ON_TIME * all_ and not gaps for good, all_, gaps in self.busy.values()
        )
        exact = max(map(abs, self.heard), default=99.0) <= QUANTUM_MS
        return on_time and exact and percentile(self.silence, 95) <= SILENT_MS and not self.lost


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, share)) if len(values) else float("nan")


def write_question(path: Path) -> None:
    """The question with silence around it, a whole number of seconds, so that it goes round in
    step."""
    spoken = shared().speak(QUESTION, "alloy")
    spoken = spoken.ljust(-(-len(spoken) // (2 * RATE)) * 2 * RATE, b"\0")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * RATE) + spoken + bytes(6 * RATE))


# ---------------------------------------------------------------- what the log and the tap say


class Session:
    """A log with the wall's times of its rows, the chunks behind it, and what the tap heard."""

    def __init__(
        self, log: rt.EventLog, told: dict[str, Any], tapped: list[dict[str, Any]]
    ) -> None:
        self.log = log
        self.at = {seq: at for seq, at in told["seen"]}  # ms since 1970, by the row's number
        appends = [row for row in log.where(type="input_audio_buffer.append") if row.seq in self.at]
        # One row for each chunk, in order: (row, when its last sample was captured, when it left).
        self.chunks = [
            (row, captured, self.at[row.seq])
            for row, (captured, _) in zip(appends, told["chunks"], strict=False)
        ]
        self.onsets = sorted(one["on"] for one in tapped if "on" in one)
        self.ends = [(one["off"], np.array(one["tail"])) for one in tapped if "off" in one]

    def rows(self, type_: str) -> list[Any]:
        return [row for row in self.log.where(type=type_) if row.seq in self.at]

    def turns(self, measured: Measured) -> None:
        """Mouth to ear of each turn that was answered with sound."""
        ends = self.rows("input_audio_buffer.speech_stopped")
        for stopped in ends:
            first = next(
                (row for row in self.rows("response.output_audio.delta") if row.seq > stopped.seq),
                None,
            )
            if first is None:
                continue
            onset = next((one for one in self.onsets if one >= self.at[first.seq] - 1), None)
            mouth, ended, left = self._speech_before(stopped)
            if onset is None or onset - self.at[first.seq] > 2000:
                continue
            measured.total.append(onset - mouth)
            theirs = (ended - mouth) + (self.at[first.seq] - left)
            measured.ours.append(onset - mouth - theirs)

    def _speech_before(self, stopped: Any) -> tuple[float, float, float]:
        """When the last word of a turn was captured, when the sound was that ended it for the
        server, and when the chunk with that left."""
        place, last = 0.0, 0.0
        for row, captured, left in self.chunks:
            samples = samples_from_pcm(row.pcm)
            loud = np.flatnonzero(np.abs(samples.astype(int)) > 1000)
            begin = captured - 1000 * len(samples) / RATE
            if len(loud):
                last = begin + 1000 * loud[-1] / RATE
            place += 1000 * len(samples) / RATE
            if place >= stopped.event["audio_end_ms"]:
                return last, captured - (place - stopped.event["audio_end_ms"]), left
        raise AssertionError("the server heard more than was sent")

    def interruptions(self, measured: Measured) -> None:
        """From speech_started to silence, and how exact the heard milliseconds are. Where the voice
        itself made a pause just then nobody can tell, and nothing is counted."""
        started = self.rows("input_audio_buffer.speech_started")
        for row in self.rows("playback.flushed"):
            begun = max((one for one in started if one.seq < row.seq), key=lambda one: one.seq)
            heard = round(row.event["ms"] * RATE / 1000)
            spoken = self._item(row.item_id)
            around = spoken[max(0, heard - 600) : heard + 600]
            # The voice pauses too: the last end of sound before the page said that it is silent.
            fits = [one for one in self.ends if 0 <= one[0] - self.at[begun.seq]]
            fits = [one for one in fits if one[0] <= self.at[row.seq]]
            end = fits[-1] if fits else None
            if end is None or not len(around) or longest_zeros(around) > 100:
                continue
            measured.silence.append(end[0] - self.at[begun.seq])
            left = place_of(end[1], spoken)
            if left is not None:
                measured.heard.append(row.event["ms"] - 1000 * left / RATE)

    def _item(self, item_id: str) -> Any:
        rows = self.log.where(type="response.output_audio.delta", item_id=item_id)
        return samples_from_pcm(b"".join(row.pcm for row in rows))


def longest_zeros(samples: Any) -> int:
    loud = np.flatnonzero(np.concatenate([[1], samples, [1]]))
    return int(np.diff(loud).max()) - 1


def place_of(tail: Any, spoken: Any) -> int | None:
    """Where in an item the samples end that left the speaker last; None where they are no part."""
    needle = np.round(tail * 32768).astype(int)
    needle = needle[: np.flatnonzero(needle)[-1] + 1][-1200:]
    for at in np.flatnonzero(spoken == needle[-1])[::-1]:
        if at + 1 >= len(needle) and np.array_equal(spoken[at + 1 - len(needle) : at + 1], needle):
            return int(at) + 1
    return None


# ---------------------------------------------------------------- the run


def measure(notebook: Notebook, rounds: int, seconds: float) -> Measured:
    busy = [f"end = time.time() + {seconds}\n{work}" for work in BUSY.values()]
    notebook.open(notebook.write(CHAT, WATCH, TELL, *busy, name="live"))
    notebook.run(0)
    notebook.until("document.querySelector('.rtw-start')")
    page = notebook.page
    page.locator(".rtw-start").click()
    notebook.until("document.querySelector('.rtw-words').innerText === 'Connected'")
    notebook.run(1)
    page.get_by_label("Who decides when a turn ends").select_option("server_vad")
    notebook.until("document.querySelector('.rtw-talk').innerText === 'Talk'")
    page.locator(".rtw-talk").click()
    notebook.until("document.querySelector('.rtw-microphone').dataset.state === 'live'")
    page.wait_for_timeout(rounds * 11_000)
    measured = Measured()
    windows = {}
    for at, kind in enumerate(BUSY):
        windows[kind] = one_busy_cell(notebook, 3 + at, seconds)
    page.locator(".rtw-talk").click()
    page.wait_for_timeout(1000)
    told = json.loads(notebook.run(2))
    log = rt.EventLog.from_jsonl(notebook.root / "voice.jsonl")
    session = Session(log, told, notebook.js("tapped"))
    session.turns(measured)
    session.interruptions(measured)
    measured.lost = told["lost"]
    late = [(captured, left - captured) for _, captured, left in session.chunks]
    quiet = min(begin for begin, _, _ in windows.values())
    measured.chunk = [delay for captured, delay in late if captured < quiet]
    for kind, (begin, end, gaps) in windows.items():
        delays = [delay for captured, delay in late if begin <= captured <= end]
        on_time = sum(delay <= ON_TIME_MS for delay in delays)
        measured.busy[kind] = (on_time, len(delays), gaps)
    return measured


def one_busy_cell(notebook: Notebook, cell: int, seconds: float) -> tuple[float, float, int]:
    """When a cell began and ended, ms since 1970, and the gaps in the sound meanwhile."""
    gaps = "Number(document.querySelector('.rtw-voice').dataset.underruns)"
    before, begin = notebook.js(gaps), notebook.js("Date.now()")
    notebook.run(cell)
    return begin, notebook.js("Date.now()") - 100, notebook.js(gaps) - before


def table_of(measured: Measured) -> str:
    def both(values: Sequence[float]) -> str:
        return f"{percentile(values, 50):6.0f} {percentile(values, 95):6.0f} ms"

    heard = max(map(abs, measured.heard), default=float("nan"))
    lines = [
        ("", "   p50    p95", ""),
        ("mouth to ear, in all", both(measured.total), f"of {len(measured.total)} turns"),
        ("  less the simulator's own", both(measured.ours), ""),
        ("chunk, page to session", both(measured.chunk), f"of {len(measured.chunk)} chunks"),
        ("speech_started to silence", both(measured.silence), f"<= {SILENT_MS:.0f} ms"),
        ("heard ms, furthest off", f"{heard:13.1f} ms", f"<= {QUANTUM_MS:.1f} ms"),
        ("chunks lost", f"{measured.lost:13}", "0"),
    ]
    for kind, (good, all_, gaps) in measured.busy.items():
        share = f"{100 * good / max(1, all_):.1f} % of {all_}"
        lines.append((f"on time beside {kind}", share.rjust(16), f">= {100 * ON_TIME:.0f} %"))
        lines.append(("  gaps in the answer", f"{gaps:13}", "0"))
    return "\n".join(f"  {what:28}{value:18}  {wanted}".rstrip() for what, value, wanted in lines)


def run(rounds: int, seconds: float) -> Measured:
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as (url, root),
        sync_playwright() as playwright,
    ):
        question = Path(home) / "question.wav"
        write_question(question)
        wav = f"--use-file-for-fake-audio-capture={question}"
        browser: Any = launch(playwright, PLAYS_AT_ONCE, wav)
        page = browser.new_context().new_page()
        page.add_init_script(TAP)
        notebook = Notebook(page, url, root)
        try:
            return measure(notebook, rounds, seconds)
        finally:
            notebook.end()
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="questions to ask")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each busy cell")
    parser.add_argument("--check", action="store_true", help="fail where a condition is not met")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    measured = run(options.rounds, options.seconds)
    print(json.dumps(vars(measured)) if options.json else table_of(measured))
    return 1 if options.check and not measured.is_good() else 0


if __name__ == "__main__":
    sys.exit(main())
