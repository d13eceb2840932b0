"""What is known of the items and responses of a log, by id."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..events import Event, item_text, text_field
from ..events import field as value_at
from ..log.rows import Row
from .linking import Request


@dataclass(eq=False)
class ItemFacts:
    """What is known of one item.

    Attributes:
        seq, t: of the row that mentioned it first. origin: where the turn stands that it is of.
        cause: the client row that made it. request: the `conversation.item.create`, if it was one.
        parts: the words by content index. unread: text deltas that no `.done` has confirmed.
        asked_t: of a spoken one, when its turn ended. idle: made by the server for silence.
        added: the server has said that it is there. written: it has words that are read, not
            heard.
        last_heard: the last local row that says how much of it was heard.
    """

    id: str
    seq: int
    t: float
    origin: int
    type: str = ""
    role: str = ""
    status: str = ""
    name: str = ""
    other_words: str = ""
    parts: dict[int, str] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    response_id: str = ""
    cause: int | None = None
    request: Request | None = None
    asked_t: float | None = None
    audio_ms: float = 0.0
    span: tuple[int | None, ...] = (None, None)
    last_heard: int | None = None
    truncated_ms: int | None = None
    flushed: bool = False
    deleted: bool = False
    added: bool = False
    written: bool = False
    spoken: bool = False
    idle: bool = False

    @property
    def unnamed(self) -> bool:
        """Whether nobody has said its id."""
        return self.id == unnamed(self.seq)


@dataclass(eq=False)
class ResponseFacts:
    """What is known of one response.

    Attributes:
        stray: heard of first by something else than its beginning.
        answers: the spoken item that the server made it for, without being asked.
        models: the names its model goes by: as the server says, as it was asked for.
        unheard: the line's end cut it before anybody could have heard or read a word of it.
        awaited_t: since when it was waited for, where a line ended meanwhile.
    """

    id: str
    seq: int
    t: float
    stray: bool
    request: Request | None = None
    answers: ItemFacts | None = None
    asked_t: float | None = None
    created_t: float | None = None
    first_text_t: float | None = None
    first_audio_t: float | None = None
    done_t: float | None = None
    status: str = ""
    reason: str = ""
    conversation: str = ""
    usage: Event | None = None
    models: tuple[str, ...] = ("",)
    audio_ms: float = 0.0
    items: list[ItemFacts] = field(default_factory=list)
    fallback_cause: int | None = None
    unheard: bool = False
    awaited_t: float | None = None

    @property
    def cause(self) -> int | None:
        """The client row that made the server make it."""
        return self.request.seq if self.request is not None else self.fallback_cause

    @property
    def origin(self) -> int:
        """The row by which it belongs to a turn: where it was asked for, or began."""
        if self.request is not None:
            return self.request.origin
        return self.answers.origin if self.answers is not None else self.seq

    @property
    def wanted_t(self) -> float | None:
        """When somebody began to wait for it."""
        return self.asked_t if self.awaited_t is None else self.awaited_t

    @property
    def aside(self) -> bool:
        return self.conversation == "none"


class Known:
    """Items and responses by id, in the order of their first mention.

    State is keyed by id, never by "the current one": deltas of several items interleave.
    """

    def __init__(self) -> None:
        self.items: dict[str, ItemFacts] = {}
        self.responses: dict[str, ResponseFacts] = {}

    def item(self, id_: str, row: Row) -> ItemFacts:
        """The item of that id, first heard of in `row` if in none before."""
        item = self.items.get(id_)
        if item is None:
            item = self.items[id_] = ItemFacts(id_, row.seq, row.t, row.seq)
        return item

    def spoken_item(self, row: Row) -> ItemFacts:
        """The item that a row about the user's speech names."""
        item = self.item(row.item_id or unnamed(row.seq), row)
        item.spoken, item.role, item.type = True, "user", item.type or "message"
        return item

    def learn(self, item: ItemFacts, given: Any) -> None:
        """Take what an item says of itself; what it leaves out stays as it was."""
        if not isinstance(given, dict):
            return
        for name in ("type", "role", "status", "name"):
            setattr(item, name, text_field(given, name) or getattr(item, name))
        parts = given.get("content")
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            item.spoken |= item.role == "user" and text_field(part, "type") == "input_audio"
            item.written |= bool(text_field(part, "text"))
            self.say(item, index, text_field(part, "text") or text_field(part, "transcript"))
        other = item_text({key: value for key, value in given.items() if key != "content"})
        if other:
            item.other_words, item.unread = other, []

    def say(self, item: ItemFacts, index: Any, words: str) -> None:
        """An item has these words at a content index: its deltas need not be read."""
        if words:
            item.parts[index if isinstance(index, int) else 0] = words
            item.unread = []

    def refresh(self, response: ResponseFacts, given: Any) -> None:
        """Take what a response says of itself, but its usage."""
        if not isinstance(given, dict):
            return
        response.status = text_field(given, "status") or response.status
        details = given.get("status_details")
        error = value_at(details, "error")
        why = text_field(details, "reason") or text_field(error, "code")
        response.reason = why or text_field(error, "message") or response.reason
        if "conversation_id" in given:
            response.conversation = text_field(given, "conversation_id") or "none"

    def belongs(self, response: ResponseFacts, item: ItemFacts) -> None:
        """An item is of a response."""
        if not item.response_id:
            item.response_id = response.id
            response.items.append(item)


def unnamed(seq: int) -> str:
    """The key of an item whose id nobody has said; no id of a server contains a blank."""
    return f"row {seq}"
