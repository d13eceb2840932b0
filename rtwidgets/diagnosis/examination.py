"""An examination: what is known at once, what comes in a moment, what only a page can tell."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import loop
from ..endpoints import Endpoint
from ..tables import Table
from . import machine, page, reaching
from .findings import Finding, as_text, table_of

if TYPE_CHECKING:
    import pandas

    from ..widgets.doctor import DoctorView

SERVERS = ("simulator", "service")


class Examination:
    """What `rt.doctor()` gives: as the last line of a cell it shows itself and fills in by itself.

    Args:
        endpoint: a server to look for in place of OpenAI; only its address is used.
        timeout: seconds for each server.
        look: whether servers are looked for at all.
        listen: whether the page listens for a second without being clicked.

    Attributes:
        view: the widget, once it was shown.
    """

    def __init__(
        self,
        endpoint: Endpoint | None = None,
        *,
        timeout: float = 5.0,
        look: bool = True,
        listen: bool = False,
    ) -> None:
        self.view: DoctorView | None = None
        self._endpoint, self._timeout = endpoint, timeout
        self._lock, self._listen = threading.Lock(), listen
        self._servers_known, self._page_known = threading.Event(), threading.Event()
        self._machine = tuple(machine.findings())
        self._servers: dict[str, Finding] = {}
        self._page: list[Finding] = []
        self._measured: list[Finding] = []
        self._shown = False
        self._news: Callable[[], None] = lambda: None
        if look:
            self._servers = dict(zip(SERVERS, self._waiting(), strict=True))
            self._looking = loop.submit(self._look())
        else:
            self._servers_known.set()

    # ------------------------------------------------------------ what is known

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All rows, as far as they are known now."""
        with self._lock:
            seen = [*self._page, *self._measured]
            if self._shown and not seen:
                seen = [page.NO_PAGE]
            return (*self._machine, *self._servers.values(), *seen)

    @property
    def table(self) -> Table[Finding]:
        return table_of(self.findings)

    @property
    def fine(self) -> bool:
        """Whether nothing has to be mended, as far as is known now."""
        return not any(one.verdict == "mend" for one in self.findings)

    def wait(self, timeout: float = 15.0) -> Examination:
        """Wait until the servers were looked for and, where it is shown, a page has measured.

        For Run All and scripts. What did not come in time stays `waiting`. Gives itself.
        """
        self._servers_known.wait(timeout)
        if self._shown:
            self._page_known.wait(timeout)
        return self

    def to_dataframe(self) -> pandas.DataFrame:
        """The findings as a pandas DataFrame, as far as they are known now."""
        return self.table.to_dataframe()

    def to_text(self, width: int | None = 100) -> str:
        """Lines of text, each remedy as a whole sentence; waits for the servers."""
        self._servers_known.wait(2 * self._timeout + 20.0)
        return as_text(self.findings, width)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<{self.table.caption}>"

    # ------------------------------------------------------------ in a notebook

    def show(self) -> None:
        """Show it in the notebook, and let it fill in."""
        from ..widgets.doctor import DoctorView

        if self.view is None:
            self._shown = True
            self.view = DoctorView(
                lambda: self.table,
                lambda: as_text(self.findings),
                self._take,
                self._take_measured,
                listen=self._listen,
            )
            self._news = self.view.renew
        self.view.show()

    def _ipython_display_(self) -> None:
        self.show()

    # ------------------------------------------------------------ what comes in

    def _take(self, report: Mapping[str, Any]) -> None:
        """A page tells of itself."""
        with self._lock:
            self._page = page.findings(report)
        self._news()

    def _take_measured(self, report: Mapping[str, Any], handled: int | None) -> None:
        """A page has measured."""
        with self._lock:
            self._measured = page.measured(report, handled, machine.installed("ipykernel") or "")
        self._page_known.set()
        self._news()

    def _waiting(self) -> Sequence[Finding]:
        name = self._endpoint.name if self._endpoint is not None else "OpenAI"
        return (
            Finding("server", "simulator", "being started …", "waiting"),
            Finding("server", name, "being looked for …", "waiting"),
        )

    async def _look(self) -> None:
        try:
            await asyncio.gather(
                self._find("simulator", reaching.simulator(self._timeout + 15.0)),
                self._find(
                    "service",
                    reaching.service(self._endpoint, self._timeout, needed=self._is_needed()),
                ),
            )
        finally:
            self._servers_known.set()

    async def _find(self, which: str, search: Any) -> None:
        try:
            finding = await search
        except Exception as problem:  # a fault of ours is a row too, not a table that never ends
            finding = Finding(
                "server",
                self._servers[which].what,
                f"{type(problem).__name__}: {problem}",
                "mend",
                "Please report this as a fault of rtwidgets.",
            )
        with self._lock:
            self._servers[which] = finding
        self._news()

    def _is_needed(self) -> bool:
        return self._endpoint is not None or machine.key_is_there("OpenAI")
