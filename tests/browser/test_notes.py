"""A voice note and a picture from the browser's own microphone and camera, by ipywebrtc."""

from __future__ import annotations

import pytest

from .conftest import Notebook

pytest.importorskip("ipywebrtc", reason="ipywebrtc is not installed: pip install -e '.[lab]'")
pytest.importorskip("av", reason="PyAV is not installed: pip install -e '.[test]'")

SESSION = """
import rtwidgets as rt
s = rt.Session(rt.Simulated(latency="none"))
s.open()
note, picture = rt.VoiceNote(s), rt.Snapshot(s)
"""
TELL = "print(note, picture, len(s.log.where(type='response.done')), s.log.turns())"
SPY = """
window.tracks = [];
const media = navigator.mediaDevices, get = media.getUserMedia.bind(media);
media.getUserMedia = async (wanted) => {
  const stream = await get(wanted);
  tracks.push(...stream.getTracks());
  return stream;
};
0
"""
CLEAR = "jupyterapp.commands.execute('notebook:clear-cell-output').then(() => 0)"
LABELS = "[...document.querySelectorAll('.widget-label')].map(one => one.innerText).join('|')"


def test_a_note_and_a_picture_are_recorded_and_sent(bench: Notebook) -> None:
    page = bench.page
    bench.fill(SESSION, "note", "picture", TELL, "note.close(); picture.close(); s.close()")
    bench.js(SPY)
    for cell in range(3):
        bench.run(cell)
    bench.until("document.querySelector('.fa-camera') && document.querySelector('video')")
    record = page.locator("button:has(.fa-circle)").first
    record.click()
    page.wait_for_timeout(1500)  # of sound
    record.click()
    bench.until(f"/^\\d.* s recorded/.test({LABELS})")
    page.get_by_role("button", name="Send", exact=True).first.click()
    bench.until(f"({LABELS}).includes('Sent.')")
    page.locator("button:has(.fa-camera)").click()
    bench.until(f"({LABELS}).includes('kB taken')")
    page.get_by_role("button", name="Send", exact=True).last.click()
    bench.until(f"({LABELS}).split('Sent.').length === 3")

    said = bench.run(3)
    assert "image/jpeg" in said and " 2 Turns" in said
    assert "spoken" in said and "What is this?" in said
    for cell in (1, 2):  # nobody could switch them off any more
        bench.js(f"{bench.CONTENT}.activeCellIndex = {cell}; {CLEAR}")
    bench.until("tracks.length && tracks.every(track => track.readyState === 'ended')")
    bench.run(1)
    bench.until("document.querySelector('button:has(.fa-circle)')")
    bench.run(4)
