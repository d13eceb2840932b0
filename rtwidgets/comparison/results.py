"""`Comparison`: the logs of all trials, and what they show, an opening a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from .. import audio
from ..errors import Misuse
from ..log import EventLog
from ..pricing import KINDS, Tokens
from ..tables import Table, column
from .marks import Setup
from .measures import Measures, measure

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Spread:
    """The values of several trials: each, not only their mean."""

    values: tuple[float, ...] = ()

    @property
    def median(self) -> float | None:
        return median(self.values) if self.values else None

    @property
    def low(self) -> float | None:
        return min(self.values, default=None)

    @property
    def high(self) -> float | None:
        return max(self.values, default=None)

    def __str__(self) -> str:
        if self.median is None:
            return "–"
        middle, low, high = (f"{value:.2f}" for value in (self.median, self.low, self.high))
        return middle if low == high else f"{middle} ({low}–{high})"


@dataclass(frozen=True)
class Trial:
    """One session of a comparison: what it was, its log, and what that shows."""

    log: EventLog
    measures: Measures

    @property
    def setup(self) -> Setup:
        return self.measures.setup

    @property
    def samples(self) -> audio.Samples:
        """The greeting as it was spoken: int16 mono 24 kHz, shape (n,)."""
        return self.log.audio()


@dataclass(frozen=True)
class Summary:
    """What the trials of one opening at one endpoint show together.

    Attributes:
        heard: how often it was heard as what, for example `audio` or `audio 4, text 1`.
        created, first_text, first_audio, speech: seconds, over the trials.
        exact: how many trials said the script word for word, of how many that had one.
        likeness: of the words to the script, over the trials.
        tokens, cost: of the opening; the median of the trials; US dollars.
        kinds: the tokens by kind, those that there are; the median of the trials.
        items: what the first trial left in the conversation.
        knows: how many trials know what they said, of how many that were asked.
        interruption: what happened when somebody spoke over it.
        faults: double greetings, failed responses, errors, in words.
    """

    opening: str = column()
    endpoint: str = column()
    trials: int = column()
    heard: str = column()
    created: Spread = column(unit="s")
    first_text: Spread = column("first text", unit="s")
    first_audio: Spread = column("first audio", unit="s")
    speech: Spread = column(unit="s")
    exact: str = column()
    likeness: Spread = column(hidden=True)
    tokens: Spread = column()
    kinds: Mapping[str, float] = column("by kind", digits=0)
    cost: float | None = column(unit="$", digits=5)
    items: tuple[str, ...] = column("left behind")
    knows: str = column()
    answer: str = column("says it said")
    interruption: str = column("spoken over")
    faults: tuple[str, ...] = column()


class Comparison:
    """Openings side by side. Shows itself; every number in it comes from the logs of its trials.

    Attributes:
        trials: all of them, in the order of openings, endpoints and numbers.
        notice: what a reader must know first: that it is simulated, or not complete.
        run_notice: of this what no log can know: that it was stopped, or ended by the budget.
    """

    def __init__(self, logs: Iterable[EventLog], *, notice: str = "") -> None:
        trials = [Trial(log, measure(log)) for log in logs]
        self.trials: Sequence[Trial] = tuple(trials)
        self.run_notice = notice

    # ------------------------------------------------------------ what it is

    @property
    def simulated(self) -> bool:
        """Whether any of it comes from a simulator, by the ids of its sessions."""
        return any(trial.measures.simulated for trial in self.trials)

    @property
    def notice(self) -> str:
        real = [one for one in self.trials if not one.measures.simulated]
        simulated = ""
        if self.simulated:
            which = "Some of these" if real else "These"
            simulated = (
                f"{which} numbers come from a simulator on this machine. They show how the ways "
                "of opening differ, not how fast or how dear the real service is."
            )
        return " ".join(part for part in (simulated, self.run_notice) if part)

    @property
    def openings(self) -> list[str]:
        """The labels of the openings, in order."""
        return list(dict.fromkeys(trial.setup.label for trial in self.trials))

    @property
    def endpoints(self) -> list[str]:
        """The endpoints or models that are compared, in order."""
        return list(dict.fromkeys(trial.setup.column for trial in self.trials))

    def of(self, opening: str, endpoint: str | None = None) -> list[Trial]:
        """The undisturbed trials of an opening. Raises Misuse for one that is not in it."""
        if opening not in self.openings:
            raise Misuse(f"There is no opening {opening!r} here; there are {self.openings}.")
        return [
            trial
            for trial in self.trials
            if trial.setup.label == opening
            and trial.setup.kind == "greeting"
            and endpoint in (None, trial.setup.column)
        ]

    @cached_property
    def rows(self) -> Table[Summary]:
        """One row an opening and endpoint."""
        pairs = [(opening, endpoint) for opening in self.openings for endpoint in self.endpoints]
        summaries = (self._summary(opening, endpoint) for opening, endpoint in pairs)
        return Table([row for row in summaries if row is not None], Summary, caption=self.notice)

    def _summary(self, opening: str, endpoint: str) -> Summary | None:
        own = [one for one in self.trials if one.setup.label == opening]
        own = [one for one in own if one.setup.column == endpoint]
        return summary_of(opening, endpoint, [one.measures for one in own]) if own else None

    # ------------------------------------------------------------ elsewhere

    def to_dataframe(self) -> pandas.DataFrame:
        """A pandas DataFrame, one row a trial, with all of `Measures`. Needs pandas."""
        try:
            import pandas
        except ImportError:
            raise Misuse("to_dataframe() needs pandas: pip install pandas") from None
        return pandas.DataFrame([flat(trial.measures) for trial in self.trials])

    def plot(self, **options: Any) -> Figure:
        """The openings as lanes on one time axis; see `comparison.figure.draw`."""
        from .figure import draw

        return draw(self, **options)

    def to_html(self, path: str | Path | None = None) -> str | None:
        """One self-contained page, players included; returned where there is no path."""
        from .page import page_of

        text = page_of(self)
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8")
        return None

    def save(self, folder: str | Path, *, replace: bool = False) -> Path:
        """Write results.csv, summary.json, audio/*.wav and events/*.jsonl; `load` reads them.

        Args:
            replace: put it in the place of the comparison that the folder holds. Without that,
                such a folder is Misuse: what was paid for is not written over by the way.
        """
        from .folder import save

        return save(self, Path(folder), replace)

    @classmethod
    def load(cls, folder: str | Path) -> Comparison:
        """A comparison as it was saved, every number computed again from its logs."""
        from .folder import load

        return load(Path(folder))

    def _repr_html_(self) -> str:
        from .page import table_html

        return table_html(self)

    def _ipython_display_(self) -> None:
        from ..widgets.comparison import ComparisonView

        ComparisonView(self)._ipython_display_()

    def __str__(self) -> str:
        from .text import text_of

        return text_of(self)

    def __repr__(self) -> str:
        simulated = ", simulated" if self.simulated else ""
        count = len(self.trials)
        return f"<Comparison of {len(self.openings)} openings in {count} trials{simulated}>"


def flat(measures: Measures) -> dict[str, Any]:
    """One trial as plain columns: the setup and the tokens without a level of their own."""
    values = asdict(measures)
    setup, used = values.pop("setup"), values.pop("tokens") or {}
    return {**setup, **values, **{f"tokens_{kind}": used.get(kind) for kind in KINDS}}


def summary_of(opening: str, endpoint: str, trials: Sequence[Measures]) -> Summary:
    """The trials of one opening at one endpoint, together."""
    greeted = [one for one in trials if one.setup.kind == "greeting"]
    scripted = [one.likeness for one in greeted if one.likeness is not None]
    asked = [one.knows for one in greeted if one.knows is not None]
    costs = [one.cost for one in greeted if one.cost is not None]
    first = greeted[0] if greeted else None

    def spread(read: Callable[[Measures], float | None]) -> Spread:
        return Spread(tuple(value for one in greeted if (value := read(one)) is not None))

    return Summary(
        opening=opening,
        endpoint=endpoint,
        trials=len(greeted),
        heard=counted(one.heard for one in greeted),
        created=spread(lambda one: one.created),
        first_text=spread(lambda one: one.first_text),
        first_audio=spread(lambda one: one.first_audio),
        speech=spread(lambda one: one.speech or None),
        exact=f"{sum(one == 1.0 for one in scripted)} of {len(scripted)}" if scripted else "",
        likeness=Spread(tuple(scripted)),
        tokens=spread(lambda one: None if one.tokens is None else one.tokens.total),
        kinds=_kinds([one.tokens for one in greeted if one.tokens is not None]),
        cost=median(costs) if costs else None,
        items=first.items if first else (),
        knows=f"{sum(asked)} of {len(asked)}" if asked else "",
        answer=first.answer if first else "",
        interruption=counted(one.interruption for one in trials if one.setup.kind != "greeting"),
        faults=tuple(_faults(greeted, trials)),
    )


def plain(row: Summary) -> dict[str, Any]:
    """A row for JSON: each spread with its median beside its values."""
    values = asdict(row)
    for name, value in vars(row).items():
        if isinstance(value, Spread):
            values[name] = {"median": value.median, "values": value.values}
    return values


def _kinds(trials: Sequence[Tokens]) -> dict[str, float]:
    medians = {kind: median(getattr(one, kind) for one in trials) for kind in KINDS if trials}
    return {kind.replace("_", " "): count for kind, count in medians.items() if count}


def counted(words: Iterable[str]) -> str:
    """`audio` where all are, else `audio 4, text 1`; empty for none."""
    counts = Counter(words)
    if len(counts) < 2:
        return next(iter(counts), "")
    return ", ".join(f"{word} {count}" for word, count in counts.most_common())


def _faults(greeted: Sequence[Measures], trials: Sequence[Measures]) -> Iterable[str]:
    """What went wrong. Who speaks over a greeting may be answered: that is no second greeting."""
    doubled = sum(one.greetings > 1 for one in greeted)
    if doubled:
        yield f"greeted more than once in {doubled} of {len(greeted)}"
    undone = Counter(one.status for one in greeted if one.status not in ("", "completed"))
    yield from (f"{status} in {count}" for status, count in undone.items())
    written = sum(one.heard == "text" and one.setup.modality == "audio" for one in greeted)
    if written:
        yield f"text instead of audio in {written}"
    yield from dict.fromkeys(error for one in trials for error in one.errors)
