"""A recorded session as a script: its server's frames, and what each of them waits for.

A frame waits for the client event that it answers, not for every event that stood before it in the
recording: a client that creates an item a moment later than the recorded one did, or in another
order, is still followed.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

from .. import audio
from ..events import Event, error_of, field, text_field
from ..log.rows import Row, Rows

Kind = tuple[str, ...]
"""What two client events have in common that the same answer fits: see `kind_of`."""

APPEND = "input_audio_buffer.append"
ASK: Kind = ("response.create", "")
"""A request for a response in the conversation."""
STARTED = "input_audio_buffer.speech_started"
SPOKEN = (STARTED, "input_audio_buffer.speech_stopped")
LEAD_MS = 1000
"""Of what a microphone sent before somebody spoke, a client has to send at most that much."""

_ADDED = ("conversation.item.added", "conversation.item.created", "conversation.item.done")
ANSWERS: dict[str, tuple[str, ...]] = {
    "session.update": ("session.updated",),
    "transcription_session.update": ("transcription_session.updated", "session.updated"),
    "input_audio_buffer.commit": ("input_audio_buffer.committed",),
    "input_audio_buffer.clear": ("input_audio_buffer.cleared",),
    "output_audio_buffer.clear": ("output_audio_buffer.cleared",),
    "conversation.item.create": _ADDED,
    "conversation.item.retrieve": ("conversation.item.retrieved",),
    "conversation.item.delete": ("conversation.item.deleted",),
    "conversation.item.truncate": ("conversation.item.truncated",),
    "response.create": ("response.created",),
    "response.cancel": ("response.done",),
}
"""The server's answer to each client event, an `error` besides."""


@dataclass(eq=False)
class Cue:
    """Something that the client did in the recording.

    Attributes:
        event: empty where the frame was not a JSON object.
        t: when, in seconds of the recording.
        before: the number of server frames that had come by then.
        answer: the number of the frame that answers it, None where the recording has none.
    """

    kind: Kind
    event: Event
    t: float
    before: int
    answer: int | None = None

    def __str__(self) -> str:
        return words_of(self.kind)


@dataclass(frozen=True)
class Need:
    """Audio that the client has to send before a frame is played.

    Attributes:
        frame: the number of that frame.
        size: bytes, counted from the need before, or from the turn's beginning.
        t: when the recorded client had sent that much.
    """

    frame: int
    size: int
    t: float


class Recording:
    """What a log holds for playing it: nothing here is changed by playing.

    Attributes:
        frames: the server's rows, in order.
        cues: the client's events but its audio, in order.
        waits: the cues that a frame waits for, by the frame's number.
        needs: the audio that frames wait for, in order.
        model: what the recorded session ran on, empty where nothing says so.
        listens: whether the client's audio plays a part at all.
        lost: the row that says how the recorded line was lost, None where it was not.
    """

    def __init__(self, rows: Rows) -> None:
        self.frames = rows.where(direction="server")
        self.cues = _cues(rows)
        self.needs = _needs(rows)
        self.listens = bool(self.needs) or bool(len(rows.where(type=APPEND, direction="client")))
        self.lost = _last_word(rows)
        self.waits: dict[int, list[Cue]] = {}
        answers = _Answers(self.frames, self.cues)
        for cue in self.cues:
            cue.answer = answers.to(cue)
            if cue.answer is not None:
                self.waits.setdefault(cue.answer, []).append(cue)

    @property
    def greets(self) -> bool:
        """Whether the server's first word is `session.created`, as every session begins."""
        return next((row.type for row in self.frames if row.type), "") == "session.created"

    @property
    def model(self) -> str:
        sessions = self.frames.where(type=("session.created", "session.updated"))
        named = (text_field(row.event, "session", "model") for row in sessions)
        return next(filter(None, named), "")


def kind_of(event: Event) -> Kind:
    """What an answer depends on: the type; of an item its own type and role; of a request whether
    it is beside the conversation. The words, the settings and the ids do not count."""
    type_ = text_field(event, "type")
    if type_ == "conversation.item.create":
        return type_, text_field(event, "item", "type"), text_field(event, "item", "role")
    if type_ == "response.create":
        return type_, "aside" if field(event, "response", "conversation") == "none" else ""
    return (type_,)


def words_of(kind: Kind) -> str:
    """A kind of client event, for people."""
    type_, *more = kind
    if not type_:
        return "a frame that is no event"
    if type_ == "conversation.item.create":
        return f"{type_} ({' '.join(filter(None, reversed(more))) or 'no item'})"
    return f"{type_} beside the conversation" if "aside" in more else type_


# ---------------------------------------------------------------- reading the rows


def _cues(rows: Rows) -> list[Cue]:
    cues, frames = [], 0
    for row in rows:
        if row.direction == "server":
            frames += 1
        elif row.direction == "client" and row.type != APPEND:
            event = row.event or {}
            cues.append(Cue(kind_of(event), event, row.t, frames))
    return cues


# Where the count of audio begins anew: a turn's audio has become an item, or is thrown away.
_ANEW = ("input_audio_buffer.committed", "input_audio_buffer.cleared")


def _needs(rows: Rows) -> list[Need]:
    """The audio before each `speech_started` and `speech_stopped`, as it was sent then."""
    needs: list[Need] = []
    sent: list[tuple[int, float]] = []  # since the last of them: bytes so far, and when
    frames = 0
    for row in rows:
        if row.direction == "client" and row.type == APPEND:
            sent.append(((sent[-1][0] if sent else 0) + row.audio_bytes, row.t))
        if row.direction != "server":
            continue
        if row.type in SPOKEN:
            need = _need(frames, row, sent)
            needs += [need] if need is not None else []
        if row.type in SPOKEN or row.type in _ANEW:
            sent = []
        frames += 1
    return needs


def _need(frame: int, row: Row, sent: list[tuple[int, float]]) -> Need | None:
    if row.type != STARTED:
        return Need(frame, *sent[-1]) if sent and sent[-1][0] else None
    if (
        not sent
    ):  # logs without the client's audio are common; something has to be heard all the same
        return Need(frame, 1, row.t)
    size = max(1, min(sent[-1][0], LEAD_MS * audio.BYTES_PER_MS))
    return Need(frame, size, next((t for so_far, t in sent if so_far >= size), row.t))


def _last_word(rows: Rows) -> Row | None:
    """The `line.lost` behind the last frame of the server."""
    ends = rows.where(type="line.lost", direction="local")
    frames = rows.where(direction="server")
    if not len(ends) or (len(frames) and ends[-1].seq < frames[-1].seq):
        return None
    return ends[-1]


# ---------------------------------------------------------------- which frame answers which event


class _Answers:
    """Finds the frame that answers each client event; no frame answers two."""

    def __init__(self, frames: Rows, cues: list[Cue]) -> None:
        self._frames = frames
        self._by_type: dict[str, list[int]] = {}
        self._named: dict[str, int] = {}
        self._unnamed: list[int] = []
        self._taken: set[int] = set()
        self._items: set[str] = set()  # whose creation is answered, or that the server made
        ours = {text_field(cue.event, "event_id") for cue in cues} - {""}
        for number, row in enumerate(frames):
            self._read(number, row, ours)

    def _read(self, number: int, row: Row, ours: set[str]) -> None:
        self._by_type.setdefault(row.type, []).append(number)
        if row.type in ("response.output_item.added", "input_audio_buffer.committed"):
            self._items.add(row.item_id)
        if row.type.endswith("error"):
            cause = text_field(error_of(row.event or {}), "event_id")
            if cause in ours:
                self._named.setdefault(cause, number)
            else:
                self._unnamed.append(number)

    def to(self, cue: Cue) -> int | None:
        cause = text_field(cue.event, "event_id")
        if cause in self._named:
            return self._named.pop(cause)
        types = ANSWERS.get(cue.kind[0])
        if types is None:  # nobody knows what answers it: whatever came next
            return cue.before if cue.before < len(self._frames) else None
        numbers = [self._first(self._by_type.get(type_, []), cue) for type_ in types]
        numbers.append(self._first(self._unnamed, cue))
        found = min((number for number in numbers if number is not None), default=None)
        if found is not None:
            self._taken.add(found)
            self._items.add(self._frames[found].item_id)
        return found

    def _first(self, numbers: list[int], cue: Cue) -> int | None:
        later = numbers[bisect_left(numbers, cue.before) :]
        return next((one for one in later if self._fits(one, cue)), None)

    def _fits(self, number: int, cue: Cue) -> bool:
        row = self._frames[number]
        if number in self._taken:
            return False
        if row.type.endswith("error"):
            return True
        if cue.kind[0] == "conversation.item.create":
            return self._is_of(row, cue)
        if cue.kind[0] == "response.create":
            beside = _is_beside(row.event)
            return beside is None or beside == ("aside" in cue.kind)
        if cue.kind[0] == "response.cancel":
            named = text_field(cue.event, "response_id")
            ended = text_field(row.event, "response", "status")
            return ended == "cancelled" and named in ("", row.response_id)
        named = text_field(cue.event, "item_id")
        return not named or named == row.item_id

    def _is_of(self, row: Row, cue: Cue) -> bool:
        given = text_field(cue.event, "item", "id")
        if given:
            return row.item_id == given
        item = field(row.event, "item")
        shape = (text_field(item, "type"), text_field(item, "role"))
        return row.item_id not in self._items and shape == cue.kind[1:]


def _is_beside(created: Any) -> bool | None:
    """Whether a response is out of band; None where its event does not say."""
    response = field(created, "response")
    if not isinstance(response, dict) or "conversation_id" not in response:
        return None
    return response["conversation_id"] is None
