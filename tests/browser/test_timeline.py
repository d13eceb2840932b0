"""The live timeline in a real page: drawn, followed while a cell computes, clicked."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Notebook

SHOWN = """
import json
import ipywidgets
import rtwidgets as rt
log = rt.EventLog()
def server(t, type, **fields):
    log.append("server", {"type": type, **fields}, t=t)
def reply(t, item, response):
    names = {"item_id": item, "response_id": response}
    server(t, "response.created", response={"id": response})
    for number in range(8):
        pcm = rt.audio.pcm_from_samples([0.5, -0.5] * 3000)
        server(t + number / 20, "response.output_audio.delta", delta=rt.audio.encode(pcm), **names)
    words = "Welcome to the museum!"
    server(t + 0.5, "response.output_audio_transcript.done", transcript=words, **names)
    server(t + 0.5, "response.done", response={"id": response, "status": "completed"})
server(0.0, "session.created", session={"id": "sess_simulated_1"})
reply(1.0, "item_a", "resp_a")
table, chosen = rt.EventTable(log), []
def select(seqs):
    chosen.append(list(seqs))
    if hasattr(table, "select"):
        table.select(seqs)
timeline = rt.Timeline(log, on_select=select)
ipywidgets.VBox([timeline, table])
"""
WHERE = "print(json.dumps([sorted({log[seq].type for seq in seqs}) for seqs in chosen]))"
BUSY = """
import pathlib, threading, time
def grow():
    reply(6.0, "item_b", "resp_b")
threading.Timer(0.5, grow).start()
end = time.time() + 60
while time.time() < end and not pathlib.Path("seen").exists():
    for _ in range(100_000):
        pass
"""
PAINTED = """(() => {
  const canvas = document.querySelector('.rtw-timeline canvas');
  if (!canvas?.width) return 0;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const [r, g, b] = [0xd9, 0x82, 0x2b]; // generated audio
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === r && data[at + 1] === g && data[at + 2] === b) found++;
  return found;
})()"""


def test_what_is_clicked_in_the_timeline_is_selected_in_the_table(
    bench: Notebook, lab: tuple[str, Path]
) -> None:
    (lab[1] / "seen").unlink(missing_ok=True)
    bench.fill(SHOWN, WHERE, BUSY, "timeline.select([0])")
    bench.run(0)
    bench.until(f"{PAINTED} > 500")
    page = bench.page
    reach = "document.querySelector('.rtw-tl-reach').innerText"
    assert bench.js(reach).startswith("3.0 s")

    canvas = page.locator(".rtw-timeline canvas")
    box = canvas.bounding_box()
    middle = {"x": 112 + (box["width"] - 112) * 2.0 / 4.2, "y": box["height"] * 0.36}
    canvas.hover(position=middle)
    tip = page.locator(".rtw-tl-tip").inner_text()
    assert "generated audio" in tip and "Welcome to the museum!" in tip
    canvas.click(position=middle)
    bench.run(1)
    assert json.loads(bench.output(1)) == [["response.output_audio.delta"]]
    bench.until("document.querySelector('.rtw-row[aria-selected=true]')")
    selected = "document.querySelector('.rtw-row[aria-selected=true] .rtw-name').innerText"
    assert bench.js(selected) == "response.output_audio.delta"

    # By keyboard, and as a list, the same can be had without seeing the canvas.
    canvas.press("ArrowDown")
    assert "response.created" in page.locator(".rtw-tl-spoken").inner_text()
    canvas.press("Enter")
    page.locator(".rtw-tl-list summary").click()
    page.locator(".rtw-tl-rows button").last.click()
    bench.run(1)
    assert json.loads(bench.output(1))[1:] == [["response.created"], ["response.done"]]

    bench.run(3)
    bench.until("document.querySelector('.rtw-tl-spoken').innerText.includes('session.created')")

    bench.start_cell(2)
    bench.until(f"{reach}.startsWith('8.0 s')")
    assert bench.is_running(2), "it was to be drawn while the cell computes"
    (lab[1] / "seen").touch()
