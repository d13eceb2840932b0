"""What the doctor shows: the table on its way to a page, and what the kernel measures."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from rtwidgets.diagnosis import Examination
from rtwidgets.diagnosis.findings import Finding, table_of
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.doctor import BURST, DoctorView, MainThread

SOON = 10.0


class Recorded(DoctorView):
    """A view whose messages are kept instead of sent, and what it handed on."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.reports: list[Any] = []
        self.rows = [Finding("page", "<b>browser</b>", "Chrome", "fine")]
        super().__init__(
            lambda: table_of(self.rows),
            lambda: "text",
            self.reports.append,
            lambda report, handled: self.reports.append((report, handled)),
            sender=Sender(interval=0.001),
        )

    def send(self, content: dict[str, Any], buffers: Any = ()) -> None:
        self.sent.append(content)

    def page(self, **message: Any) -> list[dict[str, Any]]:
        """Say something as a page does; gives what it is sent from then on."""
        self.sent.clear()
        self._handle_custom_msg(message, [])
        assert self._sender.drain(SOON) and not self._sender.failures
        return self.sent


def test_a_page_that_appears_is_sent_the_table_as_it_stands() -> None:
    [table] = Recorded().page(t="hello")
    assert table["t"] == "table" and table["summary"] == "rtwidgets doctor: 1 fine"
    assert "&lt;b&gt;browser" in table["html"] and "<b>browser" not in table["html"]


def test_what_a_page_tells_is_handed_on_with_how_far_its_clock_is_ahead() -> None:
    view = Recorded()
    view.page(t="report", report={"now": 0.0, "secure": True})
    assert view.reports[0]["secure"] is True and view.reports[0]["clockAhead"] < -1e9
    view.page(t="report", report="nonsense")
    view.page(t="measured", report=["nonsense"])
    assert len(view.reports) == 1


def test_a_ping_is_answered_and_a_burst_is_whole() -> None:
    view = Recorded()
    assert view.page(t="ping", n="abc 1") == [{"t": "pong", "n": "abc 1"}]
    burst = view.page(t="burst")
    assert [one["t"] for one in burst] == ["drop"] * BURST + ["drops"]
    assert burst[-1]["sent"] == BURST


def test_without_a_loop_nobody_can_be_kept_busy() -> None:
    view = Recorded()
    assert view.page(t="occupy") == [{"t": "occupied", "can": False}]
    view.page(t="measured", report={"asked": 6})
    assert view.reports == [({"asked": 6}, None)]


def test_what_is_handled_while_the_main_thread_sleeps_is_counted() -> None:
    async def in_a_cell() -> int:
        main, done = MainThread(), threading.Event()
        assert main.known
        main.note()  # not asked to sleep: does not count
        main.sleep(0.2)
        main.note()  # on the main thread itself: this is what waits in a busy kernel
        threading.Thread(target=lambda: (main.note(), main.note(), done.set())).start()
        assert done.wait(SOON)
        await asyncio.sleep(0)
        while main._busy.is_set():
            await asyncio.sleep(0.01)
        threading.Thread(target=main.note).start()  # slept out: does not count
        return main.handled

    assert asyncio.run(in_a_cell()) == 2


def test_an_examination_gathers_what_comes_in_from_its_page() -> None:
    examination = Examination(look=False)
    rows = len(examination.findings)
    assert examination.fine and "waiting" not in {one.verdict for one in examination.findings}
    examination._take({"secure": True, "browser": "Chrome 142"})
    examination._take_measured({"idle": [5.0], "sent": 200, "arrived": 200}, None)
    found = {one.what: one for one in examination.findings}
    assert found["browser"].found == "Chrome 142" and "5 ms" in found["round trip"].found
    examination._take({"secure": False})
    assert not examination.fine and len(examination.findings) > rows + 8
    assert len({one.what for one in examination.findings}) == len(examination.findings)
