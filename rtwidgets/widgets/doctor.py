"""What `rt.doctor()` shows: its table, which fills in as the page reports and measures.

The page tells what only it can know, then measures the way to the kernel: pings while the kernel is
idle, pings while its main thread sleeps as in a busy cell, and a burst of messages.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from ..tables import Table
from .comm import Buffers, Content, Live, Sender
from .fallback import Fallback
from .page import page_code, page_style

BUSY = 0.6
"""Seconds that the kernel's main thread sleeps, once, to see what comes through meanwhile."""
BURST = 200
"""Messages at once: above what a conversation needs, far below a Jupyter server's usual limit."""

Report = Mapping[str, Any]


class MainThread:
    """The kernel's main thread, which can be kept busy for a moment as a cell keeps it.

    Made in a cell, where that thread's loop is running. Without one `sleep` does nothing.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._busy = threading.Event()
        self.handled = 0
        """Messages handled since it was asked to sleep, and before it had slept."""
        if threading.current_thread() is threading.main_thread():
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:  # no kernel's
                pass

    def sleep(self, seconds: float = BUSY) -> None:
        """Have it sleep as soon as it can. Where a cell computes, that is when the cell ends."""
        self.handled = 0
        if self._loop is not None:
            self._busy.set()
            self._loop.call_soon_threadsafe(self._sleep, seconds)

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        self._busy.clear()

    def note(self) -> None:
        """A message was handled now."""
        if self._busy.is_set() and threading.current_thread() is not threading.main_thread():
            self.handled += 1

    @property
    def known(self) -> bool:
        """Whether it can be made busy at all."""
        return self._loop is not None


class DoctorView(Live):
    """Shows a table that changes, and asks its page what only a page can know.

    Args:
        table, text: give the findings as they are now.
        on_report: takes what a page tells of itself.
        on_measured: takes what a page measured, and how many of its messages the kernel handled
            while its main thread was busy; None where it cannot be kept busy.
        listen: whether the page opens the microphone for a second without a click.
    """

    _esm = page_code("doctor.js")
    _css = page_style("theme.css")
    hides = traitlets.Unicode("").tag(sync=True)
    listen = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        table: Callable[[], Table[Any]],
        text: Callable[[], str],
        on_report: Callable[[Report], None],
        on_measured: Callable[[Report, int | None], None],
        *,
        listen: bool = False,
        sender: Sender | None = None,
    ) -> None:
        self._table, self._on_report, self._on_measured = table, on_report, on_measured
        self._plain = Fallback(lambda: table().to_html(), text)
        self._main = MainThread()
        super().__init__(sender, hides=self._plain.name, listen=listen)

    def show(self) -> None:
        """Show it in the notebook, and the plain table for readers without a kernel."""
        self._plain.display(self)

    def renew(self) -> None:
        """The findings have changed."""
        self.wake()

    def flush(self) -> None:
        table = self._table()
        self.send({"t": "table", "html": table.to_html(), "summary": table.caption})
        self._plain.update()

    def page_hello(self, _content: Content, _buffers: Buffers) -> None:
        """A page has just appeared."""
        self.wake()

    def page_report(self, content: Content, _buffers: Buffers) -> None:
        """What it tells of itself; its clock is compared here, by the seconds it names."""
        report = content.get("report")
        if isinstance(report, dict):
            now = report.get("now")
            ahead = now - time.time() if isinstance(now, int | float) else None
            self._on_report({**report, "clockAhead": ahead})

    def page_ping(self, content: Content, _buffers: Buffers) -> None:
        """A message to be answered at once."""
        self._main.note()
        self.tell({"t": "pong", "n": content.get("n")})

    def page_occupy(self, _content: Content, _buffers: Buffers) -> None:
        """Keep the main thread busy for a moment."""
        self._main.sleep()
        self.tell({"t": "occupied", "can": self._main.known})

    def page_burst(self, _content: Content, _buffers: Buffers) -> None:
        """Send many messages at once."""
        self.soon(self._send_burst, "burst")

    def _send_burst(self) -> None:
        for _ in range(BURST):
            self.send({"t": "drop"})
        self.send({"t": "drops", "sent": BURST})

    def page_measured(self, content: Content, _buffers: Buffers) -> None:
        """What it measured."""
        report = content.get("report")
        if isinstance(report, dict):
            self._on_measured(report, self._main.handled if self._main.known else None)
