"""The live table under load: 1000 events a second into a real JupyterLab and a real Chromium.

A thread in the kernel appends the frames of a realistic session (speech in 100 ms deltas, their
transcript, the events around a turn) to a log, at an even pace; the table follows. The same is done
before with a log that nobody shows: the difference is what the table costs.

    python benchmarks/live_table.py                 1000 events a second for 60 seconds
    python benchmarks/live_table.py --seconds 10    a shorter look
    python benchmarks/live_table.py --check         fail where a condition is not met

Printed, with the condition beside each:
    frames     a second, as the page's requestAnimationFrame counts them; and the longest gap
    kernel     CPU of the kernel's process an event, all threads, less that of the log alone
    notebook   bytes by which the saved file grows while the events come
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.browser.conftest import PLAYS_AT_ONCE, Notebook, launch, running_lab  # noqa: E402

FRAMES = 55  # a second, at least
KERNEL = 25.0  # µs of CPU an event, at most
GROWTH = 10_000  # bytes, at most

LOAD = """
import json, threading, time
import rtwidgets as rt

def turn(number):
    "The frames of one turn, as the service sends them: (direction, text)."
    user, item, response = f"item_u{number:06}", f"item_a{number:06}", f"resp_{number:06}"
    count = iter(range(1000))
    def frame(direction, type, **fields):
        event = {"type": type, "event_id": f"event_{number:06}{next(count):03}", **fields}
        return direction, json.dumps(event)
    spot = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    words = "Welcome to the museum! Shall I show you the fossils, or rather the mammals? ".split()
    speech = "kQAB" * 1600  # 100 ms of PCM16 at 24 kHz, in base64
    yield frame("server", "input_audio_buffer.speech_started", audio_start_ms=0, item_id=user)
    yield frame("server", "input_audio_buffer.speech_stopped", audio_end_ms=900, item_id=user)
    yield frame("server", "input_audio_buffer.committed", item_id=user, previous_item_id=None)
    yield frame("server", "conversation.item.added", item={"id": user, "type": "message",
        "role": "user", "status": "completed", "content": [{"type": "input_audio"}]})
    for n in range(8):
        yield frame("server", "conversation.item.input_audio_transcription.delta",
            item_id=user, content_index=0, delta=words[n] + " ")
    yield frame("server", "response.created", response={"id": response, "object":
        "realtime.response", "status": "in_progress", "output": [], "usage": None})
    for n in range(60):
        if n < 40:
            yield frame("server", "response.output_audio_transcript.delta", **spot,
                delta=words[n % len(words)] + " ")
        yield frame("server", "response.output_audio.delta", **spot, delta=speech)
        if n % 10 == 9:
            yield frame("local", "playback.heard", item_id=item, ms=100 * n, done=False)
    yield frame("server", "response.output_audio.done", **spot)
    whole = " ".join(words)
    yield frame("server", "response.output_audio_transcript.done", **spot, transcript=whole)
    yield frame("server", "response.done", response={"id": response, "status": "completed",
        "output": [{"id": item, "type": "message", "role": "assistant", "content":
        [{"type": "output_audio", "transcript": whole}]}], "usage": {"total_tokens": 253,
        "input_tokens": 132, "output_tokens": 121}})
    yield frame("server", "rate_limits.updated", rate_limits=[{"name": "tokens", "limit": 40000,
        "remaining": 39747, "reset_seconds": 0.4}])

frames = [frame for number in range(400) for frame in turn(number)]  # made before, not measured

def pour(log, seconds, rate):
    "Append at an even pace; gives microseconds of the process's CPU an event."
    done, total, begin, cpu = 0, int(seconds * rate), time.perf_counter(), time.process_time()
    while done < total:
        due = min(total, int((time.perf_counter() - begin) * rate) + 1)
        for at in range(done, due):
            log.append(*frames[at % len(frames)], t=at / rate)
        done = due
        time.sleep(0.01)
    return (time.process_time() - cpu) / total * 1e6

def poured(log, seconds, rate):
    "The same in a thread, as a session does it; its result stands in `answer`."
    answer = []
    threading.Thread(target=lambda: answer.append(pour(log, seconds, rate))).start()
    return answer
"""

COUNT_FRAMES = """
window.frames_ = {times: [], on: true};
requestAnimationFrame(function each(now) {
  frames_.times.push(now); if (frames_.on) requestAnimationFrame(each);
}); 0
"""


@dataclass(frozen=True)
class Measured:
    """What one run showed.

    Attributes:
        frames: a second. longest: the longest time between two of them, ms.
        alone, shown: µs of the kernel's CPU an event, of the log alone and with the table.
        growth: bytes of the saved notebook, over those before the events.
    """

    frames: float
    longest: float
    alone: float
    shown: float
    growth: int

    @property
    def table(self) -> float:
        return self.shown - self.alone

    def is_good(self) -> bool:
        return self.frames >= FRAMES and self.table <= KERNEL and self.growth <= GROWTH


def saved_size(notebook: Notebook, name: str) -> int:
    """The notebook's size on the disk, saved now."""
    notebook.js("jupyterapp.commands.execute('docmanager:save').then(() => 0)")
    return (notebook.root / name).stat().st_size


def measure(notebook: Notebook, seconds: float, rate: int) -> Measured:
    quiet = f"alone = rt.EventLog()\nanswer = poured(alone, {seconds}, {rate})"
    loud = f"answer = poured(log, {seconds}, {rate})"
    wait = "while not answer:\n    time.sleep(0.05)\nprint(answer[0], len(log))"
    name = notebook.write(LOAD, "log = rt.EventLog()\nlog.show()", quiet, loud, wait, name="load")
    notebook.open(name)
    for cell in (0, 1, 2):
        notebook.run(cell)
    alone = float(notebook.run(4).split()[0])
    notebook.until("document.querySelector('.rtw-list')")
    notebook.page.locator(".rtw-list").scroll_into_view_if_needed()
    before = saved_size(notebook, name)
    notebook.run(3)
    notebook.js(COUNT_FRAMES)
    notebook.page.wait_for_timeout(seconds * 1000 - 500)  # the load's own length, not a guess
    times = notebook.js("frames_.on = false, frames_.times")
    shown, count = notebook.run(4).split()
    kept = (
        f"document.querySelector('.rtw-events-count').innerText.replace(/\\D/g, '') === '{count}'"
    )
    notebook.until(kept)
    assert int(count) == int(seconds * rate), "every event is in the table"
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    rate_of_frames = 1000 * len(gaps) / (times[-1] - times[0])
    growth = saved_size(notebook, name) - before
    return Measured(rate_of_frames, max(gaps), alone, float(shown), growth)


def table_of(measured: Measured, seconds: float, rate: int) -> str:
    lines = [
        ("frames a second", f"{measured.frames:.1f}", f">= {FRAMES}"),
        ("longest gap between two", f"{measured.longest:.0f} ms", ""),
        ("kernel, the table's", f"{measured.table:.1f} µs an event", f"<= {KERNEL:.0f} µs"),
        ("kernel, the log's alone", f"{measured.alone:.1f} µs an event", ""),
        ("notebook grows by", f"{measured.growth} bytes", f"<= {GROWTH}"),
    ]
    head = f"{rate} events a second for {seconds:g} s into the live table"
    return "\n".join(
        [head, *(f"  {what:26}{value:>20}  {wanted}" for what, value, wanted in lines)]
    )


def run(seconds: float, rate: int) -> Measured:
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as (url, root),
        sync_playwright() as playwright,
    ):
        browser: Any = launch(playwright, PLAYS_AT_ONCE)
        notebook = Notebook(browser.new_context().new_page(), url, root)
        try:
            return measure(notebook, seconds, rate)
        finally:
            notebook.end()
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=int, default=1000, help="events a second")
    parser.add_argument("--check", action="store_true", help="fail where a condition is not met")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    measured = run(options.seconds, options.rate)
    if options.json:
        print(json.dumps({**vars(measured), "table": measured.table}))
    else:
        print(table_of(measured, options.seconds, options.rate))
    return 1 if options.check and not measured.is_good() else 0


if __name__ == "__main__":
    sys.exit(main())
