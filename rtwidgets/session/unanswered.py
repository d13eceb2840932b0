"""What was sent and not confirmed yet: what a new session has to be sent again when the line ends.

Of each kind of client event it is known how the server says that it has it: `session.updated`,
`conversation.item.added`, `input_audio_buffer.committed`, or an error. Replies that were asked for
are in turns.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .. import audio
from ..conversation import Conversation
from ..dialects import input_bytes_per_ms, turn_detection_of
from ..events import Event, error_of, is_carried, item_text, merged, text_field
from ..events import field as value_at
from ..items import Item
from ..log import EventLog, Row
from ..tables import quoted

Create = tuple[int, Event]
"""A `conversation.item.create` with its row."""

LEAD_MS = 1000
"""So much of the newest sound is kept while nobody is heard to speak: the server notices the
beginning of speech later than it is."""
UNHEARD_MS = 30_000
"""So much is kept where the server says nothing at all: a line of which only one half is left takes
everything, and is found out after 20 s."""
SOUND_BYTES = 120_000 * audio.BYTES_PER_MS
"""Of spoken turns that nobody wrote down, so much of the newest sound is told to a new session."""


class Unanswered:
    """Give it every client row as it is sent, and every server row whose type it `heeds`.

    Attributes:
        settings: everything that the accepted `session.update` events set.
        owed: the server was to answer a spoken turn by itself, and has not begun.
    """

    def __init__(self, log: EventLog, conversation: Conversation) -> None:
        self.settings: Event = {}
        self.owed = False
        self._log, self._conversation = log, conversation
        self._updates: deque[Event] = deque()
        self._creates: deque[Create] = deque()
        self._edits: dict[str, int | None] = {}  # truncated to so many ms; None: deleted
        # Sound in the server's buffer: rows, each with the place where it ends, in bytes.
        self._sound: deque[tuple[int, int]] = deque()
        self._total = 0
        self._alive = 0  # how much of it was sent when the server last said anything
        self._committed_last = ""  # an item
        self._commits: deque[list[int]] = deque()
        self._unadded: list[str] = []  # ids of turns that became no items yet
        self._answer = ""  # the response that the server began by itself
        self._speech: tuple[int | None, int | None] = (None, None)  # ms, of the turn under way
        self._given: dict[str, int] = {}  # items with more than words: the row that made them
        self._spoken: dict[str, tuple[list[int], int]] = {}  # rows of items' sound, and its bytes

    @property
    def expected(self) -> Event:
        """The configuration once the server has confirmed what was sent."""
        session = self._conversation.session
        for update in self._updates:
            session = merged(session, update["session"])
        return session

    # ------------------------------------------------------------ what is sent

    def sent(self, row: Row) -> None:
        """A client event was sent."""
        if row.type == "input_audio_buffer.append":
            self._appended(row)
            return
        handler = _SENT.get(row.type)
        event = row.event
        if handler is not None and event is not None and not is_carried(event):
            handler(self, row, event)

    def _appended(self, row: Row) -> None:
        self._total += row.audio_bytes
        self._sound.append((row.seq, self._total))
        self._drop_heard()

    def _update_sent(self, _: Row, event: Event) -> None:
        if isinstance(event.get("session"), dict):
            self._updates.append(event)

    def _create_sent(self, row: Row, event: Event) -> None:
        self._creates.append((row.seq, event))

    def _edit_sent(self, row: Row, event: Event) -> None:
        ms = value_at(event, "audio_end_ms")
        if row.type.endswith("delete"):
            self._edits[row.item_id] = None
        elif isinstance(ms, int):
            self._edits[row.item_id] = ms

    def _commit_sent(self, _row: Row, _event: Event) -> None:
        self._commits.append([seq for seq, _ in self._sound])
        self._sound.clear()

    def _clear_sent(self, _row: Row, _event: Event) -> None:
        self._sound.clear()
        self._speech = (None, None)

    def not_taken(self, unsent: Iterable[Event]) -> str:
        """A sentence with the user's typed words that no server confirmed, and those that are still
        to leave; "" where there are none."""
        words = typed_words([*(event for _, event in self._creates), *unsent])
        return f" What you said last did not arrive: {words}." if words else ""

    # ------------------------------------------------------------ what the server says

    def alive(self) -> None:
        """The server said anything at all."""
        self._alive = self._total

    def left(self) -> None:
        """The session is left, not lost: it has had what was sent."""
        self.alive()
        self._drop_heard()

    def received(self, row: Row) -> None:
        """The server said something; the conversation has taken it already."""
        _RECEIVED[row.type](self, row)

    def _updated(self, _: Row) -> None:
        if self._updates:
            self.settings = merged(self.settings, self._updates.popleft()["session"])

    def _added(self, row: Row) -> None:
        item = value_at(row.event, "item")
        if row.item_id in self._unadded:
            self._unadded.remove(row.item_id)
        create = self._create_of(item)
        if create is not None:
            self._creates.remove(create)
            seq, event = create
            if _has_more_than_words(event):
                self._given[text_field(item, "id")] = seq

    def _create_of(self, item: object) -> Create | None:
        """The event that made an item: by its id, else the oldest without one that is like it."""
        id_, kind = text_field(item, "id"), _kind(item)
        ids = [(one, text_field(one[1], "item", "id")) for one in self._creates]
        named = (one for one, its in ids if its and its == id_)
        same = (one for one, its in ids if not its and _kind(one[1].get("item")) == kind)
        return next(named, None) or next(same, None)

    def _edited(self, row: Row) -> None:
        self._edits.pop(row.item_id, None)

    def _speech_started(self, row: Row) -> None:
        self._speech = (_ms(row.event, "audio_start_ms"), None)

    def _speech_stopped(self, row: Row) -> None:
        if self._speech[0] is not None:  # else it comes behind its turn's end
            self._speech = (self._speech[0], _ms(row.event, "audio_end_ms"))

    def _committed(self, row: Row) -> None:
        if row.item_id and row.item_id == self._committed_last:
            return  # said twice: what was sent since belongs to no turn yet
        self._committed_last = row.item_id
        if self._commits:
            seqs = self._commits.popleft()
        else:
            begin, end = self._speech
            until = self._total if end is None else end * self._rate
            seqs = [seq for seq, at in self._sound if (begin or 0) * self._rate < at <= until]
            self._drop_until(until)
            self.owed = self._answers_by_itself
        if row.item_id and seqs:
            self._keep(row.item_id, seqs)
            self._unadded.append(row.item_id)
        self._speech = (None, None)

    def _keep(self, item_id: str, seqs: list[int]) -> None:
        """Remember where the sound of a turn is, and forget that of the oldest turns."""
        size = sum(self._log[seq].audio_bytes for seq in seqs)
        self._spoken[item_id] = (seqs, size)
        while len(self._spoken) > 1 and sum(n for _, n in self._spoken.values()) > SOUND_BYTES:
            del self._spoken[next(iter(self._spoken))]

    def _response_created(self, row: Row) -> None:
        self._unadded.clear()  # it is read already, whether a server says that it is there or not
        if self.owed:
            self.owed, self._answer = False, row.response_id
        if not self._conversation.names_items:  # the conversation takes them to be there
            self._creates.clear()

    def _transcribed(self, row: Row) -> None:
        self._spoken.pop(row.item_id, None)  # the words are enough from now on

    def _deleted(self, row: Row) -> None:
        self._edited(row)
        self._given.pop(row.item_id, None)
        self._spoken.pop(row.item_id, None)

    def _refused(self, row: Row) -> None:
        error = error_of(row.event or {})
        named, param = text_field(error, "event_id"), text_field(error, "param")
        if text_field(error, "code") == "input_audio_buffer_commit_empty":
            if self._commits:
                self._commits.popleft()
            return
        if named:
            self._updates = deque(one for one in self._updates if _name(one) != named)
            self._creates = deque(one for one in self._creates if _name(one[1]) != named)
            return
        setting = param.startswith("session") or text_field(error, "code") == "cannot_update_voice"
        if setting and self._updates:
            self._updates.popleft()
        elif param.startswith("item") and self._creates:
            self._creates.popleft()

    # ------------------------------------------------------------ the line has ended

    def edit(self, items: list[Item]) -> list[Item]:
        """Make up for what was asked of items that the old session has not confirmed, and for the
        turns that it has heard and made no item of yet."""
        for item in items:
            ms = self._edits.get(item.id)
            if ms is not None and item.truncated_ms is None:
                item.said, item.truncated_ms = item.text, ms
        spoken = [Item(id_, type="message", role="user") for id_ in self._unadded]
        return [item for item in items if self._edits.get(item.id, 0) is not None] + spoken

    def taken(self) -> Taken:
        """Everything that a new session has to be sent again; nothing of it is remembered here."""
        speaking = self._speech[0]
        if speaking is not None:  # what was heard before it is no part of it
            self._drop_until(speaking * self._rate)
        sound = [seq for seq, _ in self._sound]
        taken = Taken(
            list(self._updates),
            list(self._creates),
            dict(self._edits),
            list(self._unadded),
            list(self._commits),
            sound,
            self.owed or self._answer_was_cut(),
        )
        self._remember(Taken())
        return taken

    def put_back(self, taken: Taken) -> None:
        """The new session ended before it stood: what it was sent counts for nothing."""
        self._remember(taken)

    def _remember(self, taken: Taken) -> None:
        self._updates, self._creates = deque(taken.updates), deque(taken.creates)
        self._edits, self._unadded = dict(taken.edits), list(taken.unadded)
        self._commits = deque(taken.commits)
        self._sound.clear()
        self._total = 0
        for seq in taken.sound:
            self._total += self._log[seq].audio_bytes
            self._sound.append((seq, self._total))
        self._alive, self._committed_last = 0, ""
        self._speech, self.owed, self._answer = (None, None), taken.owed, ""

    def _answer_was_cut(self) -> bool:
        """Whether the server had begun to answer a spoken turn by itself, and nobody heard it."""
        answer = self._conversation.responses.get(self._answer)
        return answer is not None and answer.cut_unheard

    @property
    def speaking(self) -> bool:
        """Whether the user is in the middle of a spoken turn."""
        held = not self._listens and bool(self._sound)
        return held or self._speech[0] is not None or bool(self._commits)

    def content_of(self, item: Item) -> list[Event] | None:
        """The content with which an item was made, where that was more than words."""
        seq = self._given.get(item.id)
        content = value_at(self._log[seq].event, "item", "content") if seq is not None else None
        return content if isinstance(content, list) else None

    def sound_of(self, item: Item) -> bytes:
        """The sound of a spoken turn, as it was sent; empty where it is not known, or was written
        down."""
        seqs, _ = self._spoken.get(item.id, ((), 0))
        return b"".join(self._log[seq].pcm for seq in seqs)

    # ------------------------------------------------------------ the buffer

    def _drop_heard(self) -> None:
        """Forget the sound that the server has had, where it hears nobody speak in it."""
        if self._speech[0] is None and self._listens:
            lead, unheard = LEAD_MS * self._rate, UNHEARD_MS * self._rate
            self._drop_until(max(self._alive - lead, self._total - unheard))

    def _drop_until(self, place: int) -> None:
        while self._sound and self._sound[0][1] <= place:
            self._sound.popleft()

    @property
    def _rate(self) -> int:
        """Bytes a millisecond of what is sent."""
        return input_bytes_per_ms(self._conversation.session)

    @property
    def _detection(self) -> object:
        return turn_detection_of(self._conversation.session)

    @property
    def _listens(self) -> bool:
        return isinstance(self._detection, dict)

    @property
    def _answers_by_itself(self) -> bool:
        return self._listens and value_at(self._detection, "create_response") is not False


@dataclass(frozen=True)
class Taken:
    """What a new session has to be sent again.

    Attributes:
        updates: of the settings, and creates: of items, that were never confirmed.
        edits: of items, and unadded: ids of turns that became none; `edit` makes up for both.
        commits: turns that were ended, each the rows of its sound. sound: rows behind them.
        owed: a spoken turn that the old session was about to answer by itself.
    """

    updates: list[Event] = field(default_factory=list)
    creates: list[Create] = field(default_factory=list)
    edits: dict[str, int | None] = field(default_factory=dict)
    unadded: list[str] = field(default_factory=list)
    commits: list[list[int]] = field(default_factory=list)
    sound: list[int] = field(default_factory=list)
    owed: bool = False


def typed_words(events: Iterable[Event]) -> str:
    """The words that the user typed, of client events, quoted for a sentence; "" without any."""
    kinds = (_kind(value_at(event, "item")) for event in events)
    return ", ".join(f"“{quoted(said, 200)}”" for _, role, said in kinds if role == "user" and said)


def _name(event: Event) -> str:
    return text_field(event, "event_id")


def _kind(item: object) -> tuple[str, str, str]:
    words = item_text(item) if isinstance(item, dict) else ""
    return text_field(item, "type"), text_field(item, "role"), words


def _has_more_than_words(create: Event) -> bool:
    parts = value_at(create, "item", "content")
    kinds = [text_field(part, "type") for part in parts] if isinstance(parts, list) else []
    return any(kind in ("input_image", "input_audio") for kind in kinds)


def _ms(event: Event | None, name: str) -> int:
    value = value_at(event, name)
    return value if isinstance(value, int) else 0


_SENT: dict[str, Callable[[Unanswered, Row, Event], None]] = {
    "session.update": Unanswered._update_sent,
    "conversation.item.create": Unanswered._create_sent,
    "conversation.item.delete": Unanswered._edit_sent,
    "conversation.item.truncate": Unanswered._edit_sent,
    "input_audio_buffer.commit": Unanswered._commit_sent,
    "input_audio_buffer.clear": Unanswered._clear_sent,
}

_RECEIVED: dict[str, Callable[[Unanswered, Row], None]] = {
    "session.updated": Unanswered._updated,
    "conversation.item.added": Unanswered._added,
    "conversation.item.created": Unanswered._added,
    "conversation.item.deleted": Unanswered._deleted,
    "conversation.item.truncated": Unanswered._edited,
    "conversation.item.input_audio_transcription.completed": Unanswered._transcribed,
    "input_audio_buffer.speech_started": Unanswered._speech_started,
    "input_audio_buffer.speech_stopped": Unanswered._speech_stopped,
    "input_audio_buffer.committed": Unanswered._committed,
    "response.created": Unanswered._response_created,
    "error": Unanswered._refused,
}

HEEDS = frozenset(_RECEIVED)
