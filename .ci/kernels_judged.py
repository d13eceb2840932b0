"""What `make kernels` makes of what it saw: a row of its table for each series, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks import live_voice

PACE = 25  # chunks a second
QUIET = "no cell"
QUIET_S = 5.0  # seconds in which the machine shows what it can by itself
HEADINGS = (
    *("ipykernel", "subshells", QUIET, *live_voice.BUSY, "underruns", "Send answers", "lost"),
    *("load", "verdict"),
)


@dataclass(frozen=True)
class Cell:
    """What one busy cell did to the conversation.

    Attributes:
        on_time: of the `chunks` that the page recorded meanwhile, those that were handled in time.
        p95: ms that 95 of 100 of them took at most. underruns: gaps in the answer.
        reply: ms until what was typed stood in the transcript; None where it did not before the
            cell had ended.
    """

    on_time: int
    chunks: int
    underruns: int = 0
    reply: float | None = None
    p95: float = 0.0

    @property
    def late(self) -> bool:
        return self.on_time < live_voice.ON_TIME * self.chunks


@dataclass(frozen=True)
class Window:
    """When something was measured, from `begin` to `end` in ms since 1970, and what the page saw
    meanwhile (see Cell)."""

    begin: float
    end: float
    underruns: int = 0
    reply: float | None = None

    def cell(self, chunks: list[tuple[float, float]]) -> Cell:
        """With the chunks of it, of all: (when it was recorded, when it was handled)."""
        delays = [handled - at for at, handled in chunks if self.begin <= at <= self.end]
        on_time = sum(delay <= live_voice.ON_TIME_MS for delay in delays)
        p95 = live_voice.percentile(delays, 95)
        return Cell(on_time, len(delays), self.underruns, self.reply, p95)


@dataclass
class Row:
    """One series in the table.

    Attributes:
        version: what pip took for it. said: the microphone's own sentence.
        lost: chunks that never came, or came and did not reach the session.
        cells: by kind; QUIET is without one.
        load: of the machine, how many wanted a processor on the average of the last minute.
        trouble: why nothing was measured; empty where it was.
    """

    series: str
    seconds: float = 10.0
    version: str = ""
    subshells: bool = False
    said: str = ""
    lost: int = 0
    cells: dict[str, Cell] = field(default_factory=dict)
    load: float = 0.0
    trouble: str = ""

    @property
    def faults(self) -> list[str]:
        """What is not as it has to be."""
        if self.trouble:
            return [self.trouble]
        if not self.subshells:
            told = "too old" in self.said and "pip install --upgrade" in self.said
            return [] if told else [f"it does not say that it is too old: {self.said!r}"]
        faults = [f"{self.lost} chunks lost"] if self.lost else []
        for kind, cell in self.cells.items():
            seconds = QUIET_S if kind == QUIET else self.seconds
            faults += [f"{kind}: {fault}" for fault in self.of(kind, cell, seconds)]
        return faults + ([f"it says: {self.said}"] if "too old" in self.said else [])

    def of(self, kind: str, cell: Cell, seconds: float) -> list[str]:
        faults = []
        if cell.chunks < 0.9 * PACE * seconds:
            faults.append(f"the microphone brought {cell.chunks} chunks only")
        elif cell.late:
            faults.append("chunks were late")
        if cell.underruns:
            faults.append("gaps in the answer")
        if kind != QUIET and cell.reply is None:
            faults.append("the button answered after the cell")
        return faults

    @property
    def verdict(self) -> str:
        if self.faults:
            quiet = self.cells.get(QUIET)
            by_itself = (
                " (so it is without a cell: the machine is busy)" if quiet and quiet.late else ""
            )
            return "NO: " + "; ".join(self.faults) + by_itself
        return "good" if self.subshells else "too old, and the microphone says so"

    def columns(self) -> tuple[str, ...]:
        name = self.version or self.series
        if self.trouble:
            return (name, *["-"] * (len(HEADINGS) - 2), self.verdict)
        shares = (share(cell) for cell in self.cells.values())
        gaps = sum(cell.underruns for cell in self.cells.values())
        replies = [cell.reply for kind, cell in self.cells.items() if kind != QUIET]
        known = [reply for reply in replies if reply is not None]
        reply = f"{max(known):.0f} ms" if len(known) == len(replies) else "after the cell"
        subshells = "yes" if self.subshells else "no"
        return (
            name,
            subshells,
            *shares,
            str(gaps),
            reply,
            str(self.lost),
            f"{self.load:.1f}",
            self.verdict,
        )


def share(cell: Cell) -> str:
    return f"{100 * cell.on_time / max(1, cell.chunks):.1f} % of {cell.chunks}, {cell.p95:.0f} ms"


def table_of(rows: list[Row]) -> str:
    """Columns as wide as their widest cell, the verdict last and as long as it is."""
    table = [HEADINGS, *(row.columns() for row in rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(HEADINGS) - 1)]
    padded = (
        [*(one.ljust(w) for one, w in zip(row, widths, strict=False)), row[-1]] for row in table
    )
    return "\n".join("  ".join(row) for row in padded)
