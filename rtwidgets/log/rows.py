"""Reading a log: all rows, or some of them as a view. A view is read like a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .. import audio
from ..errors import Misuse
from ..events import SIMULATED_ID, text_field
from .choosing import Seqs, array, numbers, some, with_code, with_words
from .columns import Arrays
from .row import DIRECTIONS, Direction, Row

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..money.metering import Bill
    from ..report.differing import Difference
    from ..report.tables import ItemRow, ResponseRow, TurnRow
    from ..tables import Table
    from ..widgets.eventtable import EventTable
    from .eventlog import EventLog

__all__ = ["DIRECTIONS", "Direction", "Row", "Rows", "View"]


class Rows(Sequence[Row]):
    """What a log and a part of it have in common: reading, filtering, showing, writing.

    Attributes:
        endpoint, model: what the session was with, for the record.
        started: wall clock of time 0 in seconds since 1970; None where nobody knows.
    """

    endpoint: str
    model: str
    started: float | None

    @property
    def log(self) -> EventLog:
        """The whole log that these are rows of."""
        raise NotImplementedError

    def _seqs(self) -> Seqs:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._seqs())

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> View: ...
    def __getitem__(self, index: int | slice) -> Row | View:
        if isinstance(index, slice):
            return View(self.log, self._seqs()[index])
        return Row(self.log, int(self._seqs()[index]))

    def __iter__(self) -> Iterator[Row]:
        log = self.log
        return (Row(log, seq) for seq in numbers(self._seqs()))

    def columns(self) -> Arrays:
        """The columns as numpy arrays; of a whole log without copying anything."""
        log, seqs = self.log, self._seqs()
        columns = log._columns
        names = ("t", "direction", "type", "item", "response", "size", "audio_bytes")
        return Arrays(
            seq=array(seqs),
            **{name: some(log, name, seqs) for name in names},
            type_names=tuple(columns.types.all),
            item_names=tuple(columns.items.all),
            response_names=tuple(columns.responses.all),
        )

    def where(
        self,
        type: str | Iterable[str] | None = None,
        direction: Direction | None = None,
        text: str | None = None,
        item_id: str | None = None,
        response_id: str | None = None,
    ) -> View:
        """The rows that fit every condition given, as a view that can be filtered further.

        Args:
            type: an event type or a pattern such as `"response.*"`, or several of them.
            text: words to find anywhere in the event but its audio, upper or lower case.
        """
        log, seqs = self.log, self._seqs()
        columns = log._columns
        if direction is not None:
            seqs = with_code(log, seqs, "direction", (_code_of(direction),))
        if type is not None:
            patterns = (type,) if isinstance(type, str) else tuple(type)
            codes = {code for pattern in patterns for code in columns.types.like(pattern)}
            seqs = with_code(log, seqs, "type", codes)
        if item_id is not None:
            seqs = with_code(log, seqs, "item", _known(columns.items.codes.get(item_id)))
        if response_id is not None:
            code = columns.responses.codes.get(response_id)
            seqs = with_code(log, seqs, "response", _known(code))
        if text is not None:
            seqs = with_words(log, seqs, text)
        return View(log, seqs)

    @property
    def simulated(self) -> bool:
        """Whether the session was one with a simulator, by the id that it gave the session."""
        created = next(iter(self.log.where(type="session.created")), None)
        session_id = text_field(created.event if created else None, "session", "id")
        return session_id.startswith(SIMULATED_ID)

    @property
    def timed(self) -> bool:
        """Whether these rows have times: others' logs may have none, and so one for all."""
        return len(self) < 2 or self[0].t != self[-1].t

    def audio(self, response_id: str | None = None) -> audio.Samples:
        """The assistant's audio in these rows, one response's or all: int16 samples, shape (n,)."""
        return audio.samples_from_pcm(self._spoken(response_id))

    def wav(self, response_id: str | None = None) -> bytes:
        """The same as the bytes of a wav file."""
        return audio.wav_bytes(self._spoken(response_id))

    def _spoken(self, response_id: str | None) -> bytes:
        kinds = ("response.output_audio.delta", "response.audio.delta")
        items: dict[tuple[str, str], list[bytes]] = {}  # items of one response interleave
        for row in self.where(type=kinds, response_id=response_id):
            items.setdefault((row.response_id, row.item_id), []).append(row.pcm)
        return b"".join(b"".join(pieces) for pieces in items.values())

    # ------------------------------------------------------------ out

    def to_jsonl(self, path: str | Path | None = None) -> str | None:
        """Write one row a line to `path`, or return the text when no path is given.

        The frames are written byte for byte, but for what logs in somewhere (keys, client secrets,
        an MCP tool's `authorization` and `headers`): there stands `[hidden]`. For more to be taken
        out see `redact`. The first line says what the log is of. A path that ends in `.gz` is
        compressed.
        """
        from .files import chunks_of, opened_to_write

        if path is None:
            return "".join(chunks_of(self))
        with opened_to_write(path) as file:
            for chunk in chunks_of(self):
                file.write(chunk.encode("utf-8"))
        return None

    def to_dataframe(
        self, *, folded: bool = False, summary: bool = False, raw: bool = False
    ) -> pandas.DataFrame:
        """A pandas DataFrame, one row an event: seq, t (s), direction, type, item_id, response_id,
        size (bytes), audio_ms. Needs pandas.

        Args:
            folded: for reading: one row for the deltas between two other events, with the columns
                `count` and `summary`.
            summary: with a column `summary`, what each event says in one line. Every frame is
                parsed for it, which takes a hundred times as long as all else.
            raw: with a column `raw`, the frames as they were on the wire; `EventLog.from_dataframe`
                makes the log again of such a frame.
        """
        from .dataframes import folded_frame, frame_of_rows

        return folded_frame(self) if folded else frame_of_rows(self, summary=summary, raw=raw)

    def watch(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell()` after each new row, on the thread that appends it; the result ends that.

        For who shows the log while it grows. It must be quick and must not raise.
        """
        log = self.log
        log._watchers = (*log._watchers, tell)

        def end() -> None:
            log._watchers = tuple(each for each in log._watchers if each is not tell)

        return end

    def show(self) -> EventTable:
        """The live table of this log, for a notebook cell."""
        from ..widgets.eventtable import EventTable

        return EventTable(self)

    # ------------------------------------------------------------ what it says, from higher modules

    def items(self) -> Table[ItemRow]:
        """The conversation's items in these rows, one a line, as a table."""
        from ..report import items

        return items(self)

    def responses(self) -> Table[ResponseRow]:
        """The responses in these rows with their times, one a line, as a table."""
        from ..report import responses

        return responses(self)

    def turns(self) -> Table[TurnRow]:
        """The turns in these rows, what was said and what was answered, as a table."""
        from ..report import turns

        return turns(self)

    def usage(self) -> Bill:
        """Tokens and dollars by response and in sum."""
        from ..money.metering import bill

        return bill(self)

    def cost(self) -> Bill:
        """The same as `usage()`."""
        return self.usage()

    def diff(self, other: Rows) -> Table[Difference]:
        """What these rows have and `other` lacks, and the other way round, aligned by meaning."""
        from ..report.differing import diff

        return diff(self, other)

    def redact(self, *, text: bool = False) -> EventLog:
        """A new log for sharing, without keys, addresses and audio; with `text` without words."""
        from .redaction import redact

        return redact(self, text=text)

    def plot(self, **options: Any) -> Figure | Axes:
        """The timeline as a figure. Needs matplotlib."""
        from ..timeline.plotting import plot

        return plot(self, **options)

    def _repr_html_(self) -> str:
        from ..render import log_html

        return log_html(self)

    def __str__(self) -> str:
        from ..render import log_text

        return log_text(self)

    def __repr__(self) -> str:
        seconds = max(self[0].t, self[-1].t) if len(self) else 0.0
        counts = (f"{len(self.where(direction=one))} {one}" for one in DIRECTIONS)
        return (
            f"<{type(self).__name__}: {len(self)} events in {seconds:.1f} s: {', '.join(counts)}>"
        )


class View(Rows):
    """Some rows of a log, chosen when the view was made. Rows keep their numbers."""

    def __init__(self, log: EventLog, seqs: Seqs) -> None:
        self._whole = log
        self._chosen = seqs
        self.endpoint, self.model, self.started = log.endpoint, log.model, log.started

    @property
    def log(self) -> EventLog:
        return self._whole

    def _seqs(self) -> Seqs:
        return self._chosen


def _code_of(direction: str) -> int:
    if direction not in DIRECTIONS:
        raise Misuse(f"A direction is one of {', '.join(DIRECTIONS)}, not {direction!r}.")
    return DIRECTIONS.index(direction)


def _known(code: int | None) -> tuple[int, ...]:
    return () if code is None else (code,)
