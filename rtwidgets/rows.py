"""Reading a log: one row, all rows, or some of them as a view. A view is read like a log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from . import audio, jsonl
from .errors import Misuse
from .events import (
    AUDIO_FIELDS,
    SIMULATED_ID,
    Event,
    describe,
    family_of,
    parse,
    text_field,
    text_of,
)

if TYPE_CHECKING:
    import pandas

    from .log import EventLog
    from .widgets.eventtable import EventTable

Direction = Literal["client", "server", "local"]
DIRECTIONS: tuple[Direction, ...] = ("client", "server", "local")

_COLUMNS = (
    "seq",
    "t",
    "direction",
    "type",
    "item_id",
    "response_id",
    "size",
    "audio_ms",
    "summary",
)
_RUN_COLUMNS = ("count", "size", "audio_ms", "summary")

NOT_CUT = -1


class Row:
    """One frame of a log, read when asked for.

    Attributes:
        seq: its number in the log, from 0.
        t: seconds since the log began.
        direction: `client` (sent), `server` (received) or `local` (what happened on this side).
        type: the event's type, empty where the frame is not a JSON object.
        item_id, response_id: what it is about, empty where it does not say.
        size: bytes of the frame on the wire.
        audio_ms: milliseconds of audio inside, 0 without.
    """

    __slots__ = ("_event", "_log", "seq")

    def __init__(self, log: EventLog, seq: int, event: Event | None = None) -> None:
        self._log = log
        self.seq = seq
        self._event = event

    @property
    def log(self) -> EventLog:
        """The log that it is a row of."""
        return self._log

    @property
    def t(self) -> float:
        return self._log._times[self.seq]

    @property
    def direction(self) -> Direction:
        return DIRECTIONS[self._log._directions[self.seq]]

    @property
    def type(self) -> str:
        return self._log._type_names[self._log._types[self.seq]]

    @property
    def item_id(self) -> str:
        return self._log._items[self.seq]

    @property
    def response_id(self) -> str:
        return self._log._responses[self.seq]

    @property
    def size(self) -> int:
        return self._log._sizes[self.seq]

    @property
    def audio_ms(self) -> int:
        return audio.milliseconds_of(self._log._audio_sizes[self.seq])

    @property
    def audio_bytes(self) -> int:
        return self._log._audio_sizes[self.seq]

    @property
    def pcm(self) -> bytes:
        """The audio inside, as PCM16 mono 24 kHz; empty without."""
        start = self._log._audio_starts[self.seq]
        return bytes(self._log._pcm[start : start + self._log._audio_sizes[self.seq]])

    @property
    def raw(self) -> str:
        """The frame exactly as it was on the wire."""
        text, cut = self._log._texts[self.seq], self._log._cuts[self.seq]
        return text if cut == NOT_CUT else text[:cut] + audio.encode(self.pcm) + text[cut:]

    @property
    def event(self) -> Event | None:
        """The frame as a dict, None where it is not a JSON object."""
        if self._event is None:
            self._event = parse(self.raw)
        return self._event

    @property
    def family(self) -> str:
        """The group of its type: session, item, response, input, audio, text, tools, error,
        local."""
        return family_of(self.type)

    @property
    def text(self) -> str:
        """The words it carries (a delta, a transcript, a message's text), or an empty string."""
        event = self._without_audio()
        return text_of(event) if event else ""

    @property
    def summary(self) -> str:
        """What it says, in one line."""
        if self.audio_bytes:
            return audio.describe(self.audio_bytes)
        event = self._without_audio()
        return describe(event) if event else "not JSON: " + self._log._texts[self.seq][:80]

    @property
    def cause(self) -> Row | None:
        """The client row that made the server send this one, None where nothing tells."""
        from .report import causes

        seq = causes(self._log).get(self.seq)
        return None if seq is None else Row(self._log, seq)

    def json(self, *, with_audio: bool = False) -> str:
        """The event as indented JSON; its audio is named by length unless `with_audio`."""
        event = self.event if with_audio else self._without_audio()
        if event is None:
            return self.raw
        field = AUDIO_FIELDS.get(self.type)
        if field and self.audio_bytes and not with_audio:
            event = {**event, field: f"<{self.audio_bytes} bytes of PCM16, {self.audio_ms} ms>"}
        return json.dumps(event, indent=2, ensure_ascii=False)

    def _without_audio(self) -> Event | None:
        return parse(self._log._texts[self.seq])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self._log, self.seq) == (other._log, other.seq)

    def __hash__(self) -> int:
        return hash((id(self._log), self.seq))

    def __repr__(self) -> str:
        arrow = {"client": ">", "server": "<", "local": "="}[self.direction]
        return f"<Row {self.seq} {self.t:.3f} {arrow} {self.type or 'not JSON'}  {self.summary}>"


class Rows(Sequence[Row]):
    """What a log and a part of it have in common: reading, filtering, showing, writing."""

    _log: EventLog
    endpoint: str
    """What the session was with, for the record."""

    @property
    def log(self) -> EventLog:
        """The whole log that these are rows of."""
        return self._log

    def _seqs(self) -> Sequence[int]:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._seqs())

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> View: ...
    def __getitem__(self, index: int | slice) -> Row | View:
        if isinstance(index, slice):
            return View(self._log, self._seqs()[index])
        return Row(self._log, self._seqs()[index])

    def __iter__(self) -> Iterator[Row]:
        return (Row(self._log, seq) for seq in self._seqs())

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
        log, seqs = self._log, self._seqs()
        if direction is not None:
            if direction not in DIRECTIONS:
                raise Misuse(f"A direction is one of {', '.join(DIRECTIONS)}, not {direction!r}.")
            code = DIRECTIONS.index(direction)
            seqs = [seq for seq in seqs if log._directions[seq] == code]
        if type is not None:
            patterns = (type,) if isinstance(type, str) else tuple(type)
            codes = log._codes_like(patterns)
            seqs = [seq for seq in seqs if log._types[seq] in codes]
        if item_id is not None:
            seqs = [seq for seq in seqs if log._items[seq] == item_id]
        if response_id is not None:
            seqs = [seq for seq in seqs if log._responses[seq] == response_id]
        if text is not None:
            needle = text.casefold()
            seqs = [seq for seq in seqs if needle in log._searchable(seq)]
        return View(log, seqs)

    @property
    def simulated(self) -> bool:
        """Whether the session was one with a simulator, by the id that it gave the session."""
        created = next(iter(self._log.where(type="session.created")), None)
        session_id = text_field(created.event if created else None, "session", "id")
        return session_id.startswith(SIMULATED_ID)

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

    def to_jsonl(self, path: str | Path | None = None) -> str | None:
        """Write one row a line to `path`, or return the text when no path is given.

        The frames are written byte for byte; the first line says what the log is of.
        """
        log = self._log
        header = jsonl.header_line(jsonl.Header(log.started, log.endpoint, log.model))
        lines = (jsonl.frame_line(row.seq, row.t, row.direction, row.raw) for row in self)
        text = "\n".join([header, *lines]) + "\n"
        if path is None:
            return text
        Path(path).write_bytes(text.encode("utf-8", "surrogatepass"))
        return None

    def to_dataframe(self, *, folded: bool = False) -> pandas.DataFrame:
        """A pandas DataFrame, one row an event: seq, t (s), direction, type, item_id, response_id,
        size (bytes), audio_ms, summary. Needs pandas.

        Args:
            folded: one row for the deltas between two other events, with a column `count`.
        """
        try:
            import pandas
        except ImportError:
            raise Misuse("to_dataframe() needs pandas: pip install pandas") from None
        if not folded:
            return pandas.DataFrame(
                {name: [getattr(row, name) for row in self] for name in _COLUMNS}
            )
        from .folding import fold

        runs = list(fold(self))
        first = {name: [getattr(run.first, name) for run in runs] for name in _COLUMNS[:6]}
        own = {name: [getattr(run, name) for run in runs] for name in _RUN_COLUMNS}
        return pandas.DataFrame({**first, **own})

    def watch(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell()` after each new row, on the thread that appends it; the result ends that.

        For who shows the log while it grows. It must be quick and must not raise.
        """
        watchers = self._log._watchers
        watchers.append(tell)
        return lambda: watchers.remove(tell) if tell in watchers else None

    def show(self) -> EventTable:
        """The live table of this log, for a notebook cell."""
        from .widgets.eventtable import EventTable

        return EventTable(self)

    # ------------------------------------------------------------ what it says, from higher modules

    def items(self) -> Any:
        """The conversation's items in these rows, one a line, as a table."""
        from .report import items

        return items(self)

    def responses(self) -> Any:
        """The responses in these rows with their times, one a line, as a table."""
        from .report import responses

        return responses(self)

    def turns(self) -> Any:
        """The turns in these rows, what was said and what was answered, as a table."""
        from .report import turns

        return turns(self)

    def usage(self) -> Any:
        """Tokens and dollars by response and in sum."""
        from .metering import bill

        return bill(self)

    def cost(self) -> Any:
        """The same as `usage()`."""
        return self.usage()

    def diff(self, other: Rows) -> Any:
        """What these rows have and `other` lacks, and the other way round, aligned by meaning."""
        from .differing import diff

        return diff(self, other)

    def redact(self, *, text: bool = False) -> EventLog:
        """A new log for sharing, without keys, addresses and audio; with `text` without words."""
        from .redaction import redact

        return redact(self, text=text)

    def plot(self, **options: Any) -> Any:
        """The timeline as a figure. Needs matplotlib."""
        from .plotting import plot

        return plot(self, **options)

    def _repr_html_(self) -> str:
        from .render import log_html

        return log_html(self)

    def __str__(self) -> str:
        from .render import log_text

        return log_text(self)

    def __repr__(self) -> str:
        seconds = self[-1].t if len(self) else 0.0
        counts = (f"{len(self.where(direction=one))} {one}" for one in DIRECTIONS)
        return (
            f"<{type(self).__name__}: {len(self)} events in {seconds:.1f} s: {', '.join(counts)}>"
        )


class View(Rows):
    """Some rows of a log, chosen when the view was made. Rows keep their numbers."""

    def __init__(self, log: EventLog, seqs: Sequence[int]) -> None:
        self._log = log
        self._chosen = seqs
        self.endpoint = log.endpoint

    def _seqs(self) -> Sequence[int]:
        return self._chosen
