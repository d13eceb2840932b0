"""One frame of a log, read when asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from .. import audio
from ..describing import describe
from ..events import AUDIO_FIELDS, Event, family_of, parse, text_of
from ..tables import quoted
from .cutting import NOT_CUT, parse_fast
from .logins import for_a_file, without_keys, without_logins

if TYPE_CHECKING:
    from .eventlog import EventLog

Direction = Literal["client", "server", "local"]
DIRECTIONS: tuple[Direction, ...] = ("client", "server", "local")


class Row:
    """One frame of a log, read when asked for.

    Attributes:
        log: the log that it is a row of.
        seq: its number in it, from 0.
        t: seconds since the log began.
        direction: `client` (sent), `server` (received) or `local` (what happened on this side).
        type: the event's type, empty where the frame is not a JSON object.
        item_id, response_id: what it is about, empty where it does not say.
        size: bytes of the frame on the wire.
        audio_ms: milliseconds of audio inside, 0 without; taken for PCM16, so of G.711 a sixth of
            what it is. Turns, items and the timeline know the session's format.
    """

    __slots__ = ("_event", "log", "seq")

    def __init__(self, log: EventLog, seq: int, event: Event | None = None) -> None:
        self.log = log
        self.seq = seq
        self._event = event

    @property
    def t(self) -> float:
        return self.log._columns.t[self.seq]

    @property
    def direction(self) -> Direction:
        return DIRECTIONS[self.log._columns.direction[self.seq]]

    @property
    def type(self) -> str:
        columns = self.log._columns
        return columns.types.all[columns.type[self.seq]]

    @property
    def item_id(self) -> str:
        columns = self.log._columns
        return columns.items.all[columns.item[self.seq]]

    @property
    def response_id(self) -> str:
        columns = self.log._columns
        return columns.responses.all[columns.response[self.seq]]

    @property
    def size(self) -> int:
        return self.log._columns.size[self.seq]

    @property
    def audio_ms(self) -> int:
        return audio.milliseconds_of(self.audio_bytes)

    @property
    def audio_bytes(self) -> int:
        return self.log._columns.audio_bytes[self.seq]

    @property
    def pcm(self) -> bytes:
        """The audio inside, as PCM16 mono 24 kHz; empty without."""
        return self.log._pcm(self.seq)

    @property
    def raw(self) -> str:
        """The frame as text, exactly as it was on the wire.

        A frame that came as bytes and is not UTF-8 shows its odd bytes as \\xNN: see `frame`.
        """
        return self.log._raw(self.seq)

    @property
    def frame(self) -> str | bytes:
        """The frame exactly as it was given to the log, bytes where it came as bytes."""
        return self.log._frame(self.seq)

    @property
    def event(self) -> Event | None:
        """The frame as a dict, None where it is not a JSON object."""
        if self._event is None:
            self._event = self._parsed()
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
        return describe(event) if event else "not JSON: " + self.log._texts.text(self.seq)[:80]

    @property
    def cause(self) -> Row | None:
        """The client row that made the server send this one, None where nothing tells."""
        from ..report import causes

        seq = causes(self.log).get(self.seq)
        return None if seq is None else Row(self.log, seq)

    def json(self, *, with_audio: bool = False) -> str:
        """The event as indented JSON, to be shown: its audio is named by length unless
        `with_audio`, and keys and what logs in to MCP servers are hidden. `raw` has all."""
        event = self.event if with_audio else self._without_audio()
        if event is None:
            return for_a_file(self.raw)
        field = AUDIO_FIELDS.get(self.type)
        if field and self.audio_bytes and not with_audio:
            event = {**event, field: f"<{self.audio_bytes} bytes of PCM16, {self.audio_ms} ms>"}
        return without_keys(json.dumps(without_logins(event), indent=2, ensure_ascii=False))

    def _parsed(self) -> Event | None:
        if self.log._columns.cut[self.seq] == NOT_CUT:
            return parse_fast(self.log._texts.text(self.seq))
        event, field = self._without_audio(), AUDIO_FIELDS.get(self.type, "")
        if event is None or event.get(field) != "":
            return parse(self.raw)  # cut out elsewhere than where the event has it
        event[field] = audio.encode(self.pcm)
        return event

    def _without_audio(self) -> Event | None:
        return parse_fast(self.log._texts.text(self.seq))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self.seq == other.seq and self.log is other.log

    def __hash__(self) -> int:
        return hash((id(self.log), self.seq))

    def __repr__(self) -> str:
        arrow = {"client": ">", "server": "<", "local": "="}[self.direction]
        said = f"{quoted(self.type, 100) or 'not JSON'}  {quoted(self.summary)}"
        return f"<Row {self.seq} {self.t:.3f} {arrow} {said}>"
