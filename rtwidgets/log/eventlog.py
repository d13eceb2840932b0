"""The event log: every raw frame of a session, in both directions, before anything interprets it.

A log is columns (time, direction, type, item, response, size) beside the frames' text. Base64 audio
is cut out of the text as it comes, kept once as PCM, and put back byte for byte when asked for. One
thread appends, any thread reads: a row is complete before `len` counts it, so no lock is needed.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import audio
from ..errors import Misuse
from ..events import CLIENT_EVENTS, LOCAL_EVENTS, Event, log_in_memory, text_field
from . import jsonl
from .columns import Columns
from .cutting import NOT_CUT, Taken, take_apart
from .rows import DIRECTIONS, Direction, Row, Rows, View
from .storage import Sound, Texts, decoded

if TYPE_CHECKING:
    import pandas

    from .files import Source

__all__ = ["DIRECTIONS", "Direction", "EventLog", "Row", "Rows", "View"]

logger = logging.getLogger("rtwidgets")

AUDIO_LIMIT = 32 << 20
"""Bytes of audio that a log keeps in memory: six minutes of both sides of a conversation."""

_CODES: dict[str, int] = {direction: code for code, direction in enumerate(DIRECTIONS)}


class EventLog(Rows):
    """All frames of a session, append-only.

    Args:
        clock: seconds, monotonic; the log's time 0 is the clock at the first row. Without one, a
            row that is given no `t` has the time of the row before it.
        started: wall clock of time 0 in seconds since 1970, for the record.
        endpoint, model: what the session was with, for the record.
        audio_limit: bytes of audio kept in memory. Beyond that the audio moves to a temporary file,
            which is deleted with the log; None keeps all in memory.

    Attributes:
        problems: what could not be read when this log came from a file, and what could not be
            stored, a sentence each.
    """

    def __init__(
        self,
        clock: Callable[[], float] | None = None,
        *,
        started: float | None = None,
        endpoint: str = "",
        model: str = "",
        audio_limit: int | None = AUDIO_LIMIT,
    ) -> None:
        self.started = started
        self.endpoint = endpoint
        self.model = model
        self.problems: list[str] = []
        self._clock = clock
        self._zero: float | None = None
        self._length = 0
        self._columns = Columns()
        self._texts = Texts()
        self._untold: list[str] = []  # problems that are to have a row of their own
        self._sound = Sound(audio_limit, _both(self.problems, self._untold))
        self._odd: dict[int, bool] = {}  # rows that are no JSON object, or (True) came as bytes
        self._watchers: tuple[Callable[[], None], ...] = ()

    @property
    def log(self) -> EventLog:  # not an attribute: a log that holds itself is freed late
        return self

    def _seqs(self) -> range:
        return range(self._length)

    # ------------------------------------------------------------ appending

    def append(
        self, direction: Direction, frame: str | bytes | Event, t: float | None = None
    ) -> Row:
        """Take a frame as it is on the wire (a dict is serialised for convenience) and give its
        row.

        Args:
            t: seconds since the log began; by the log's clock when not given.
        """
        code = _CODES.get(direction)
        if code is None:
            raise Misuse(f"A direction is one of {', '.join(DIRECTIONS)}, not {direction!r}.")
        if isinstance(frame, dict):
            frame = json.dumps(frame, ensure_ascii=False)
        taken = take_apart(frame if isinstance(frame, str) else decoded(frame))
        row = self._append(code, frame, taken, self._now() if t is None else t)
        while self._untold:  # a log that is read from a file gets no rows that are not in it
            self.append("local", log_in_memory(self._untold.pop()), row.t)
        return row

    # A session is received at the speed of this method: hence few calls, and no second look.
    def _append(self, direction: int, frame: str | bytes, taken: Taken, t: float) -> Row:
        event, text, cut, pcm = taken
        kept: str | bytes = text
        seq, columns = self._length, self._columns
        if seq == columns.capacity:
            columns.grow()
        if event is None:
            self._odd[seq] = False
        else:
            get = event.get
            columns.type[seq] = columns.types.code_of(get("type"))
            item, response = get("item_id"), get("response_id")
            if not item and "item" in event:
                item = text_field(event, "item", "id")
            if item:
                columns.item[seq] = columns.items.code_of(item)
            if not response and "response" in event:
                response = text_field(event, "response", "id")
            if response:
                columns.response[seq] = columns.responses.code_of(response)
        if not isinstance(frame, str):
            kept, cut, columns.size[seq] = self._bytes(seq, frame, text, cut)
        elif frame.isascii():
            columns.size[seq] = len(frame)
        else:
            columns.size[seq] = len(frame.encode("utf-8", "surrogatepass"))
        if pcm:
            columns.audio_bytes[seq] = len(pcm)
            columns.place[seq] = self._sound.add(pcm)
        columns.t[seq] = t
        columns.direction[seq] = direction
        columns.cut[seq] = cut
        self._texts.add(kept)
        self._length = seq + 1  # behind all: a reader on another thread sees whole rows only
        for tell in self._watchers:
            _tell(tell)
        return Row(self, seq, event)

    def _bytes(self, seq: int, frame: bytes, text: str, cut: int) -> tuple[str | bytes, int, int]:
        """How a frame that came as bytes is kept: its text, if that gives the same bytes again,
        and where audio was cut out of it; with its size."""
        self._odd[seq] = True
        if cut != NOT_CUT or text.encode("utf-8", "surrogatepass") == frame:
            return text, cut, len(frame)
        return frame, NOT_CUT, len(frame)

    def _now(self) -> float:
        if self._clock is None:
            return self._columns.t[self._length - 1] if self._length else 0.0
        now = self._clock()
        if self._zero is None:
            self._zero = now
        return now - self._zero

    # ------------------------------------------------------------ reading a row

    def _pcm(self, seq: int) -> bytes:
        columns = self._columns
        return self._sound.read(columns.place[seq]) if columns.audio_bytes[seq] else b""

    def _raw(self, seq: int) -> str:
        text, cut = self._texts.text(seq), self._columns.cut[seq]
        if cut == NOT_CUT:
            return text
        return f"{text[:cut]}{audio.encode(self._pcm(seq))}{text[cut:]}"

    def _frame(self, seq: int) -> str | bytes:
        if not self._odd.get(seq):
            return self._raw(seq)
        kept = self._texts.at(seq)
        if isinstance(kept, bytes) and self._columns.cut[seq] == NOT_CUT:
            return kept
        return self._raw(seq).encode("utf-8", "surrogatepass")

    # ------------------------------------------------------------ in

    @classmethod
    def from_jsonl(cls, source: Source, *, audio_limit: int | None = AUDIO_LIMIT) -> EventLog:
        """Read a log back: this package's own, bare events, or rows as others write them.

        Others' rows may say `time`, `timestamp` or `ts` (seconds, milliseconds, or a date in ISO
        form) and call the direction `source`, or `sent` and `received`. What cannot be read is left
        out and reported with the number of its line in `problems`.

        Args:
            source: a path (also of a `.gz`), an open file, or the text itself.
        """
        from .files import entries_of

        log = cls(audio_limit=audio_limit)
        for number, entry in entries_of(source):
            try:
                if not isinstance(entry, str):
                    log._take(jsonl.read_entry(entry))
                elif line := entry.rstrip("\r\n\t "):
                    if not log._take_own(line):
                        log._take(jsonl.read_line(line))
            except ValueError as problem:
                what = "line" if isinstance(entry, str) else "entry"
                log.problems.append(f"{what} {number} {problem} and was left out")
        return log

    @classmethod
    def from_dataframe(
        cls, frame: pandas.DataFrame, *, audio_limit: int | None = AUDIO_LIMIT
    ) -> EventLog:
        """The log that `to_dataframe(raw=True)` was made of, or one of a DataFrame of your own.

        Args:
            frame: a column `raw` (the frames) or `event` (dicts, or JSON); `t`, `direction` and
                `seq`, by which it is sorted, where they are known.
        """
        from .dataframes import entries_of_frame

        log = cls(audio_limit=audio_limit)
        for entry in entries_of_frame(frame):
            if isinstance(entry, str):
                log.problems.append(entry)
            else:
                log._take(entry)
        return log

    def _take_own(self, line: str) -> bool:
        """Append what a line of our own writing holds; False where it is none."""
        own = jsonl.read_own_line(line)
        if own is None:
            return False
        direction, t, frame = own
        taken = take_apart(frame)
        if taken[0] is not None:
            self._append(_CODES[direction], frame, taken, t)
        return taken[0] is not None

    def _take(self, entry: jsonl.Header | jsonl.Frame) -> None:
        if isinstance(entry, jsonl.Header):
            self.started, self.endpoint, self.model = entry.started, entry.endpoint, entry.model
            return
        frame = entry.frame
        self._add(entry, take_apart(frame if isinstance(frame, str) else decoded(frame)))

    def _add(self, entry: jsonl.Frame, taken: Taken) -> None:
        t = entry.t
        if t is None and entry.wall is not None:
            if self.started is None:
                self.started = entry.wall
            t = entry.wall - self.started
        direction = entry.direction or _guess(text_field(taken[0], "type"))
        self._append(_CODES[direction], entry.frame, taken, self._now() if t is None else t)


def _guess(type_: str) -> str:
    """The direction of an event that nobody noted."""
    if type_ in CLIENT_EVENTS:
        return "client"
    return "local" if type_ in LOCAL_EVENTS else "server"


def _both(*lists: list[str]) -> Callable[[str], None]:
    """Puts a sentence into each; no method of a log, which would hold itself by it."""

    def put(sentence: str) -> None:
        for one in lists:
            one.append(sentence)

    return put


def _tell(tell: Callable[[], None]) -> None:
    try:
        tell()
    except Exception:  # who watches must not keep a frame from being interpreted
        logger.exception("a watcher of the log failed")
