"""Live voice beside busy cells on several ipykernels: `make kernels`, or `kernels.py SERIES…`.

For each series of versions: an environment of its own under .venv-kernels/, which JupyterLab (this
project's) starts as a kernel; a Chromium whose microphone plays a question over and over; a chat,
hands-free; and a cell that computes in pure Python, one in numpy, one in time.sleep. What is
measured and how is in benchmarks/live_voice.py, what is made of it in kernels_judged.py. Then,
while the cell still computes, a message is sent by its button. That is looked at apart: a click
into another cell than the active one keeps JupyterLab's page busy for a tenth of a second by
itself, with a busy kernel or without.

    kernels.py                   7.4, 7.3, 7.0, 6 and the newest that there is
    kernels.py 7.3 6             these series
    kernels.py --seconds 4       shorter cells

Status 0: with subshells everything was in time; without them (ipykernel 6) the microphone says that
the kernel is too old, and how to upgrade; what was said beside a cell is counted as lost, for it
came when nobody waited for it any more. 1: something was not so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import tomllib
import traceback
from pathlib import Path
from typing import Any

import bootstrap

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from kernels_judged import QUIET, QUIET_S, Row, Window, table_of  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

import rtwidgets as rt  # noqa: E402
from benchmarks import live_voice  # noqa: E402
from tests.browser.conftest import PLAYS_AT_ONCE, Notebook, launch, running_lab  # noqa: E402
from tests.browser.test_voice import LIVE, SAID, STATE, hands_free, start  # noqa: E402

ROOT = CHECKOUT / ".venv-kernels"
NEWEST = "newest"
SERIES = ("7.4", "7.3", "7.0", "6", NEWEST)
CLICK_S = 3.0  # seconds that a cell computes on, in which the button is clicked

ABOUT = """
import ipykernel
kernel = get_ipython().kernel
print(ipykernel.__version__, getattr(kernel, "_supports_kernel_subshells", False))
"""
TYPED = "Good morning, number {}"
WATCH_THE_REPLY = """
window.watched = new Promise((resolve) => {
  let clicked, stood = null;
  const form = document.querySelector(".rtw-form");
  form.addEventListener("submit", () => (clicked = Date.now()), { capture: true, once: true });
  const lines = new MutationObserver(() => {
    const last = [...document.querySelectorAll(".rtw-line")].slice(-6);
    if (!last.some((line) => line.textContent.includes(%(typed)s))) return;
    stood = Date.now();
    lines.disconnect();
  });
  const whole = { childList: true, characterData: true, subtree: true };
  lines.observe(document.querySelector(".rtw-lines"), whole);
  const looks = setInterval(() => {
    if (%(running)s) return;
    clearInterval(looks);
    lines.disconnect();
    resolve([clicked, stood, Date.now()]);
  }, 250);
}); 0
"""
UNDERRUNS = "Number(document.querySelector('.rtw-voice').dataset.underruns)"


class NotInstalled(Exception):
    """A series could not be installed; the sentence says why."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Live voice beside busy cells, by ipykernel.")
    parser.add_argument("series", nargs="*", default=SERIES, help=f"like 7.3, or {NEWEST}")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each busy cell")
    options = parser.parse_args()
    os.environ.setdefault("CHROMIUM", bootstrap.find_browser())
    rows = [Row(series, options.seconds) for series in options.series]
    for row in rows:
        print(f"ipykernel {row.series}: its environment ...", flush=True)
        try:
            row.version = prepare(row.series)
        except NotInstalled as problem:
            row.trouble = str(problem)
    rows = without_doubles(rows)
    measure_all([row for row in rows if not row.trouble])
    print()
    print(table_of(rows))
    print(
        "\nBeside each kind of cell: chunks handled within "
        f"{live_voice.ON_TIME_MS:.0f} ms of their last sample, of how many; 95 of 100 took at most."
        f"\nThis machine has {os.cpu_count()} processors."
    )
    return 1 if any(row.faults for row in rows) else 0


def without_doubles(rows: list[Row]) -> list[Row]:
    """The newest is often one of those that are named: it is measured once."""
    named = {row.version: row for row in rows if row.series != NEWEST and row.version}
    for row in rows:
        if row.series == NEWEST and row.version in named:
            print(f"The newest is ipykernel {row.version}, which is there already.")
    return [row for row in rows if row.series != NEWEST or row.version not in named]


# --- an environment each


def prepare(series: str) -> str:
    """Make the environment of a series if need be; gives ipykernel's version there.

    A stamp says what it was made from. While that is unchanged nothing is asked of the network, but
    for the newest, of which a newer one may have come. Raises NotInstalled.
    """
    folder = ROOT / series
    wanted = json.dumps({"needs": needs(series), "python": sys.version.split()[0]})
    stamp = folder / "stamp.json"
    made = stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted
    if not made:
        shutil.rmtree(folder, ignore_errors=True)
        done = bootstrap.run([sys.executable, "-m", "venv", str(folder)])
        if not done.ok:
            raise NotInstalled(f"no environment could be made: {last_line(done.output)}")
    if not made or series == NEWEST:
        pip = [python_of(folder), "-m", "pip", "--disable-pip-version-check", "install"]
        done = bootstrap.run([*pip, "--upgrade", "--no-input", *needs(series)], ROOT)
        if not done.ok and not made:
            raise NotInstalled(f"it could not be installed: {last_line(done.output)}")
    stamp.write_text(wanted, encoding="utf-8")
    command = "from importlib.metadata import version; print(version('ipykernel'))"
    return bootstrap.run([python_of(folder), "-c", command]).output.strip()


def needs(series: str) -> list[str]:
    """What is installed for a series. rtwidgets itself is taken from the checkout."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    kernel = "ipykernel" if series == NEWEST else f"ipykernel=={series}.*"
    return [kernel, *project["dependencies"], *project["optional-dependencies"]["speech"]]


def last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [line for line in lines if line.startswith("ERROR")]
    return (marked or lines or ["no word"])[-1][:200]


def python_of(folder: Path) -> str:
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def install_kernel(series: str, home: Path) -> None:
    """Let a JupyterLab whose folders are in `home` start the kernel of a series."""
    folder = home / "jupyter_data_dir" / "kernels" / kernel_name(series)
    folder.mkdir(parents=True)
    argv = [python_of(ROOT / series), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": f"ipykernel {series}", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def kernel_name(series: str) -> str:
    return f"ipykernel-{series}"


# --- the conversations


class OnKernel(Notebook):
    """A notebook that runs on the kernel of a series."""

    series = ""

    def write(self, *cells: str, name: str = "test") -> str:
        written = super().write(*cells, name=name)
        path = self.root / written
        notebook = json.loads(path.read_text(encoding="utf-8"))
        notebook["metadata"]["kernelspec"]["name"] = kernel_name(self.series)
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return written


def measure_all(rows: list[Row]) -> None:
    """One JupyterLab and one browser for all, a page and a kernel each, one after the other."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        for row in rows:
            install_kernel(row.series, home)
        question = home / "question.wav"
        live_voice.write_question(question)
        wav = f"--use-file-for-fake-audio-capture={question}"
        browser: Any = launch(playwright, PLAYS_AT_ONCE, wav)
        with running_lab(home) as (url, root):
            for row in rows:
                print(f"ipykernel {row.version}: talking beside busy cells ...", flush=True)
                context = browser.new_context(viewport={"width": 1100, "height": 1300})
                notebook = OnKernel(context.new_page(), url, root)
                notebook.series = row.series
                try:
                    measure(notebook, row)
                except Exception as problem:  # one that fails does not end the others
                    traceback.print_exc()
                    row.trouble = str(problem).splitlines()[0]
                finally:
                    notebook.end()
                    context.close()
                print(f"  {row.verdict}", flush=True)
        browser.close()


def measure(notebook: Notebook, row: Row) -> None:
    kinds = live_voice.BUSY.items()
    busy = [f"end = time.time() + {row.seconds + CLICK_S}\n{work}" for _, work in kinds]
    cells = (live_voice.CHAT, live_voice.WATCH, live_voice.TELL, ABOUT, *busy)
    notebook.open(notebook.write(*cells, name=kernel_name(row.series)))
    notebook.run(0)
    start(notebook)
    version, subshells = notebook.run(3).split()
    assert version == row.version, f"another kernel runs: ipykernel {version}"
    row.subshells, row.said = subshells == "True", str(notebook.js(SAID))
    notebook.run(1)
    hands_free(notebook)
    notebook.until("Number(document.querySelector('.rtw-voice').dataset.nonzero) > 24000")
    windows = {QUIET: quiet(notebook)}
    for at, kind in enumerate(live_voice.BUSY):
        if notebook.js(STATE) != "live":  # without subshells a cell may have ended it
            notebook.page.locator(".rtw-talk").click()
            notebook.until(LIVE)
        windows[kind] = one_cell(notebook, 4 + at, row.seconds, TYPED.format(at + 1))
    if notebook.js(STATE) == "live":
        notebook.page.locator(".rtw-talk").click()
    notebook.until(f"{STATE} === 'ready'")
    told, log = last_word(notebook)
    appended = len(log.where(type="input_audio_buffer.append"))
    row.lost = told["lost"] + len(told["chunks"]) - appended
    # Where all came through: when a chunk reached the session; else when it came to the kernel.
    session = live_voice.Session(log, told, [])
    came = [(at, handled) for at, handled in told["chunks"]]
    chunks = came if row.lost else [(at, left) for _, at, left in session.chunks]
    row.load = os.getloadavg()[0]
    row.cells = {kind: window.cell(chunks) for kind, window in windows.items()}


def last_word(notebook: Notebook) -> tuple[dict[str, Any], rt.EventLog]:
    """What the kernel noted, and its log, once all that was said is in there."""
    for _ in range(20):
        told = json.loads(notebook.run(2))
        log = rt.EventLog.from_jsonl(notebook.root / "voice.jsonl")
        begun, over = (len(log.where(type=f"microphone.{one}")) for one in ("started", "stopped"))
        if begun == over:
            break
        notebook.page.wait_for_timeout(500)
    return told, log


def quiet(notebook: Notebook) -> Window:
    """The same without a cell."""
    before, begin = notebook.js(UNDERRUNS), notebook.js("Date.now()")
    notebook.page.wait_for_timeout(1000 * QUIET_S)
    return Window(begin, notebook.js("Date.now()") - 100, notebook.js(UNDERRUNS) - before)


def one_cell(notebook: Notebook, cell: int, seconds: float, typed: str) -> Window:
    """Run a busy cell for so many seconds, and send a message while it computes on.

    The page watches by itself for what is waited for: one that is asked again and again from
    outside is kept busy by the questions.
    """
    notebook.page.locator(".rtw-message").fill(typed)
    before, begin = notebook.js(UNDERRUNS), notebook.js("Date.now()")
    notebook.start_cell(cell)
    notebook.until(running(notebook, cell))
    end = notebook.js(f"new Promise((ended) => setTimeout(() => ended(Date.now()), {seconds}e3))")
    notebook.js(WATCH_THE_REPLY % {"typed": json.dumps(typed), "running": running(notebook, cell)})
    notebook.page.locator(".rtw-form button[type=submit]").click()
    clicked, stood, ended = notebook.js("watched")
    gaps = notebook.js(UNDERRUNS) - before
    return Window(begin, end, gaps, stood - clicked if stood is not None else None)


def running(notebook: Notebook, cell: int) -> str:
    """Whether a cell runs, as an expression in the page."""
    return f"{notebook.CONTENT}.widgets[{cell}].promptNode.textContent.startsWith('[*]')"


if __name__ == "__main__":
    sys.exit(main())
