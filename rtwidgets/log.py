"""The event log: every raw frame of a session, in both directions, before anything interprets it.

A log is columns (time, direction, type, item, response, size) beside the frames' text. Base64 audio
is cut out of the text as it comes, kept once as PCM, and put back byte for byte when asked for. One
thread appends, any thread reads: a row is complete before `len` counts it, so no lock is needed.
"""

from __future__ import annotations

import codecs
import json
import logging
from array import array
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from . import audio, jsonl
from .errors import Misuse
from .events import (
    AUDIO_FIELDS,
    CLIENT_EVENTS,
    Event,
    item_id_of,
    parse,
    response_id_of,
    text_field,
    text_of,
)
from .rows import DIRECTIONS, NOT_CUT, Direction, Row, Rows, View

__all__ = ["DIRECTIONS", "Direction", "EventLog", "Row", "Rows", "View"]

logger = logging.getLogger("rtwidgets")


class EventLog(Rows):
    """All frames of a session, append-only.

    Args:
        clock: seconds, monotonic; the log's time 0 is the clock at the first row. Without one, a
        row
            that is given no `t` has the time of the row before it.
        started: wall clock of time 0 in seconds since 1970, for the record.
        endpoint, model: what the session was with, for the record.
    """

    def __init__(
        self,
        clock: Callable[[], float] | None = None,
        *,
        started: float | None = None,
        endpoint: str = "",
        model: str = "",
    ) -> None:
        self._log = self
        self.started = started
        self.endpoint = endpoint
        self.model = model
        self.problems: list[str] = []
        """What could not be read when this log came from a file, a sentence each."""
        self._clock = clock
        self._zero: float | None = None
        self._length = 0
        self._times = array("d")
        self._directions = bytearray()
        self._types = array("I")
        self._type_names: list[str] = []
        self._type_codes: dict[str, int] = {}
        self._items: list[str] = []
        self._responses: list[str] = []
        self._sizes = array("Q")
        self._texts: list[str] = []
        self._cuts = array("q")
        self._audio_starts = array("Q")
        self._audio_sizes = array("Q")
        self._pcm = bytearray()
        self._watchers: list[Callable[[], None]] = []

    def append(
        self, direction: Direction, frame: str | bytes | Event, t: float | None = None
    ) -> Row:
        """Take a frame as it is on the wire (a dict is serialised for convenience) and give its
        row.

        Args:
            t: seconds since the log began; by the log's clock when not given.
        """
        if direction not in DIRECTIONS:
            raise Misuse(f"A direction is one of {', '.join(DIRECTIONS)}, not {direction!r}.")
        if isinstance(frame, dict):
            frame = json.dumps(frame, ensure_ascii=False)
        elif isinstance(frame, bytes):
            frame = frame.decode("utf-8", "backslashreplace")
        event = parse(frame)
        return self._append(direction, frame, event, self._now() if t is None else t)

    def _append(self, direction: Direction, frame: str, event: Event | None, t: float) -> Row:
        type_ = text_field(event, "type")
        text, cut, pcm = _cut_audio(frame, event, type_)
        self._times.append(t)
        self._directions.append(DIRECTIONS.index(direction))
        self._types.append(self._code(type_))
        self._items.append(item_id_of(event) if event else "")
        self._responses.append(response_id_of(event) if event else "")
        self._sizes.append(len(frame) if frame.isascii() else len(frame.encode("utf-8", "replace")))
        self._texts.append(text)
        self._cuts.append(cut)
        self._audio_starts.append(len(self._pcm))
        self._audio_sizes.append(len(pcm))
        self._pcm += pcm
        self._length += 1  # behind all: a reader on another thread sees whole rows only
        for tell in tuple(self._watchers):
            try:
                tell()
            except Exception:  # who watches must not keep a frame from being interpreted
                logger.exception("a watcher of the log failed")
        return Row(self, self._length - 1, event)

    def _now(self) -> float:
        if self._clock is None:
            return self._times[-1] if self._length else 0.0
        now = self._clock()
        if self._zero is None:
            self._zero = now
        return now - self._zero

    def _code(self, type_: str) -> int:
        code = self._type_codes.get(type_)
        if code is None:
            self._type_names.append(type_)
            code = self._type_codes[type_] = len(self._type_names) - 1
        return code

    def _codes_like(self, patterns: Iterable[str]) -> set[int]:
        names = tuple(self._type_names)
        return {
            code
            for pattern in patterns
            for code, name in enumerate(names)
            if name == pattern or fnmatchcase(name, pattern)
        }

    def _searchable(self, seq: int) -> str:
        text = self._texts[seq]
        if "\\u" in text:  # the frame escapes what a person would type
            text += text_of(parse(text) or {})
        return text.casefold()

    def _seqs(self) -> Sequence[int]:
        return range(self._length)

    @classmethod
    def from_jsonl(cls, path: str | Path) -> EventLog:
        """Read a log back: this package's own, bare events, or `{direction, event}` rows.

        A line that cannot be read is left out and reported with its number in `problems`.
        """
        log = cls()
        lines = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                log._read(jsonl.read_line(jsonl.decoded(line.rstrip(b"\r"))))
            except ValueError as problem:
                log.problems.append(f"line {number} {problem} and was left out")
        return log

    def _read(self, entry: jsonl.Header | jsonl.Frame) -> None:
        if isinstance(entry, jsonl.Header):
            self.started, self.endpoint, self.model = entry.started, entry.endpoint, entry.model
            return
        guess: Direction = "client" if entry.type in CLIENT_EVENTS else "server"
        stated = (one for one in DIRECTIONS if one == entry.direction)
        self.append(next(stated, guess), entry.raw, t=entry.t)


def _cut_audio(frame: str, event: Event | None, type_: str) -> tuple[str, int, bytes]:
    """The frame's text as it is kept, where audio was cut out of it, and the PCM.

    Only audio that encodes back to the same characters, and stands there once, is cut: the frame
    can be rebuilt. Other audio (escaped slashes, no padding) stays in the text as well.
    """
    encoded = text_field(event, AUDIO_FIELDS[type_]) if type_ in AUDIO_FIELDS else ""
    try:
        pcm = audio.decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return frame, NOT_CUT, b""
    cut = frame.find(encoded) if encoded else -1
    if cut < 0 or audio.encode(pcm) != encoded or frame.find(encoded, cut + 1) >= 0:
        return frame, NOT_CUT, pcm
    return frame[:cut] + frame[cut + len(encoded) :], cut, pcm
