"""From rows to a timeline, in one pass, as they come.

The audio itself is never parsed: bytes and times are columns of the log, and waveforms are made of
the PCM that the log has cut out. What is not a run of deltas is read once, for its mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..describing import describe
from ..events import (
    ENDS_OF_A_LINE,
    GA_NAMES,
    SIMULATED_ID,
    Event,
    error_of,
    field,
    is_carried,
    text_field,
)
from ..log import Row, Rows
from ..log.folding import is_delta
from .envelope import Peaks
from .lanes import Interruption, Mark, Span, Timeline
from .model import Model
from .playback import Playback
from .tracks import Track, Tracks
from .user import User

Take = Callable[[Row, float], None]

_LABEL = 160  # characters of what an event says that its mark keeps
_TURNS = frozenset({
    "session.created", "session.update", "session.updated", "response.create", "response.created",
    "response.done", "response.cancel", "conversation.item.truncate", "line.lost", "line.moving",
    "line.restored", "line.failed", "line.stalled", "response.overdue", "error", "opening.failed",
    "budget.reached",
})  # fmt: skip
_FAILED = frozenset({
    "line.lost", "line.failed", "line.stalled", "opening.failed", "response.mcp_call.failed",
})  # fmt: skip


def timeline_of(rows: Rows, *, peaks: bool = True, timed: bool | None = None) -> Timeline:
    """The timeline of a log or a part of one. A log without times goes by the numbers of its rows.

    Args:
        peaks: make waveforms too, which reads all audio.
        timed: whether it has times, where that is known: all may have happened at one.
    """
    builder = Builder(timed=rows.timed if timed is None else timed, peaks=peaks)
    builder.take(rows)
    return builder.timeline(rows.endpoint)


class Builder:
    """Makes a timeline of rows as they come.

    Args:
        timed: the axis is the rows' time in seconds; else their numbers.
        peaks: make waveforms too.

    Attributes:
        marks: what has a mark so far, in order.
        changed: numbers of the tracks that are new or changed; whoever shows them clears it.
        now: the last moment on the axis.
    """

    def __init__(self, *, timed: bool = True, peaks: bool = True) -> None:
        self.marks: list[Mark] = []
        self.start: float | None = None
        self.now = 0.0
        self.simulated = False
        self.model = ""
        self.timed = timed
        self._tracks = Tracks(timed=timed, peaks=peaks)
        self._playback = Playback(self._tracks)
        self._user, self._model = User(self._tracks), Model(self._tracks)
        self._carried: set[str] = set()  # items that a new session is told of
        self._means = self._meanings()
        self._takes: dict[str, Take] = {}
        self._told = False  # whether the server has said what the session is

    @property
    def changed(self) -> set[int]:
        return self._tracks.changed

    @property
    def tracks(self) -> list[Track]:
        return self._tracks.all

    @property
    def interruptions(self) -> list[Interruption]:
        return self._playback.interruptions

    def take(self, rows: Iterable[Row]) -> None:
        """Take the next rows of the log."""
        for row in rows:
            at = row.t if self.timed else float(row.seq)
            if self.start is None:
                self.start = self.now = at
            elif at > self.now:
                self.now = at
            type_ = row.type
            take = self._takes.get(type_)
            if take is None:
                take = self._takes[type_] = self._taker(type_)
            take(row, at)
        self._tracks.settle()

    def peaks(self, track: Track, start: int = 0) -> Peaks:
        """The waveform of a track from a place on, one peak for every 20 ms."""
        return self._tracks.peaks(track, start)

    def span(self, track: Track) -> Span:
        """A track as it is now."""
        return self._tracks.span(track, self.now)

    def timeline(self, endpoint: str = "") -> Timeline:
        """Everything so far."""
        spans = tuple(map(self.span, self.tracks))
        place = " · ".join(dict.fromkeys(filter(None, [endpoint, self.model])))
        return Timeline(
            *(spans, tuple(self.marks), tuple(self.interruptions)),
            start=min([self.start or 0.0, *(span.start for span in spans)]),
            end=max([self.now, *(span.end for span in spans)]),
            unit="s" if self.timed else "events",
            simulated=self.simulated,
            place=place,
        )

    # ------------------------------------------------------------ what a row means

    def _taker(self, type_: str) -> Take:
        """What is done with rows of a type: what they mean, and a mark unless they come in runs."""
        means = self._means.get(GA_NAMES.get(type_, type_), ())
        if is_delta(type_):
            return means[0] if means else _nothing

        def take(row: Row, at: float) -> None:
            self._mark(row, at, row.event or {})
            for meaning in means:
                meaning(row, at)

        return take

    def _mark(self, row: Row, at: float, event: Event) -> None:
        type_ = row.type
        failed = type_ in _FAILED or error_of(event) is not None
        failed = failed or text_field(event, "response", "status") == "failed"
        label = describe(event) if event else row.summary
        turns = failed or type_ in _TURNS
        self.marks.append(Mark(at, row.seq, row.direction, type_, label[:_LABEL], turns, failed))

    def _cut(self, row: Row, at: float) -> None:
        if row.direction == "local":
            self._user.cut(at)
            self._model.cut()
            self._carried.clear()

    def _carries(self, row: Row) -> bool:
        """Whether a row has to do only with what a new session is told of the one before it."""
        if row.direction == "client" and is_carried(row.event):
            self._carried.add(row.item_id)
            return True
        return row.direction == "server" and bool(row.item_id) and row.item_id in self._carried

    def _unless_carried(self, *takes: Take) -> tuple[Take]:
        def take(row: Row, at: float) -> None:
            if not self._carries(row):
                for one in takes:
                    one(row, at)

        return (take,)

    def _session(self, row: Row, _at: float) -> None:
        session = field(row.event, "session")
        if not isinstance(session, dict) or (row.direction == "client" and self._told):
            return  # a wish: the server says what becomes of it
        if row.direction == "server":
            self._told = True
            self.simulated |= text_field(session, "id").startswith(SIMULATED_ID)
            self.model = text_field(session, "model") or self.model
        if not self._tracks.sent.ms:
            self._tracks.whole = True
        self._tracks.take_formats(session)

    def _meanings(self) -> dict[str, tuple[Take, ...]]:
        """What each type of event (by its GA name) means here."""
        user, model, playback = self._user, self._model, self._playback
        words, arguments, listing = (model.words,), (model.arguments,), (model.listing,)
        plays, cut = (playback.server_plays,), (playback.truncated,)
        session, added = (self._session,), self._unless_carried(user.added, model.answered)
        return {
            "session.created": session,
            "session.update": session,
            "session.updated": session,
            "transcription_session.created": session,
            "transcription_session.updated": session,
            "input_audio_buffer.append": (user.appended,),
            "input_audio_buffer.speech_started": (user.speech_started,),
            "input_audio_buffer.speech_stopped": (user.speech_stopped,),
            "input_audio_buffer.commit": (user.commit,),
            "input_audio_buffer.committed": (user.committed,),
            "input_audio_buffer.cleared": (user.cleared,),
            "conversation.item.input_audio_transcription.delta": (user.heard_words,),
            "conversation.item.input_audio_transcription.completed": (user.heard_words,),
            "conversation.item.input_audio_transcription.updated": (user.heard_words,),
            **dict.fromkeys(ENDS_OF_A_LINE, (self._cut,)),
            "conversation.item.create": self._unless_carried(user.created, model.answered),
            "conversation.item.created": added,
            "conversation.item.added": added,
            "conversation.item.truncate": cut,
            "conversation.item.truncated": cut,
            "response.created": (model.response_created,),
            "response.cancel": (playback.cancelled,),
            "response.done": (model.response_done, playback.response_done),
            "response.output_audio.delta": (model.audio,),
            "response.output_text.delta": words,
            "response.output_text.done": words,
            "response.output_audio_transcript.delta": words,
            "response.output_audio_transcript.done": words,
            "response.output_item.added": (model.item_added,),
            "response.output_item.done": (model.item_done,),
            "response.function_call_arguments.delta": arguments,
            "response.function_call_arguments.done": arguments,
            "response.mcp_call_arguments.delta": arguments,
            "response.mcp_call_arguments.done": arguments,
            "response.mcp_call.in_progress": listing,
            "response.mcp_call.completed": listing,
            "response.mcp_call.failed": listing,
            "mcp_list_tools.in_progress": listing,
            "mcp_list_tools.completed": listing,
            "mcp_list_tools.failed": listing,
            "output_audio_buffer.started": plays,
            "output_audio_buffer.stopped": plays,
            "output_audio_buffer.cleared": plays,
            "playback.started": (playback.heard,),
            "playback.heard": (playback.heard,),
            "playback.flushed": (playback.flushed,),
        }


def _nothing(_row: Row, _at: float) -> None:
    """A run that has no lane."""
