"""What `make soak` makes of what it saw: what grew, drifted or was lost, and the table of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

import rtwidgets as rt
from rtwidgets.audio import RATE, SAMPLE_BYTES

GROWTH = 1.0  # MB a minute, at most: allocators and collectors do not go by the minute
ANSWERED = 0.9  # of the questions, at least: the first and the last may be cut off
MS = RATE // 1000  # samples


@dataclass(frozen=True)
class Look:
    """One look at everything, `at` seconds from the first word; memory in MB.

    Attributes:
        kernel: of its process. own: the same without what its log takes.
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
