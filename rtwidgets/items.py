"""What a conversation is made of: items with their parts, and responses."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import audio
from .events import MOST, Event, count_field, text_field

# The states of a response. Once it has ended nothing moves it again.
UNKNOWN = ""
IN_PROGRESS = "in_progress"
LINE_LOST = "line_lost"
"""Why a response that the line's end cut short is incomplete; no server says this."""
ENDED = frozenset({"completed", "cancelled", "failed", "incomplete"})


# A part of a response says "text" or "audio" where the same content in an item says "output_…".
_PART_TYPES = {"text": "output_text", "audio": "output_audio"}


@dataclass
class Part:
    """A piece of an item's content: `text` for written, `transcript` for spoken words.

    Attributes:
        audio_bytes: PCM received for it so far (the audio itself is in the log).
        transcribed: the server has said its last word of what was spoken; there may be none.
        failure: why the transcription of it failed, in the server's words; empty where it did not.
    """

    type: str = ""
    text: str = ""
    transcript: str = ""
    audio_bytes: int = 0
    transcribed: bool = False
    failure: str = ""

    @property
    def words(self) -> str:
        return self.text or self.transcript

    def fill(self, given: Event) -> None:
        """Take over what a part of an event says; what it leaves out stays."""
        type_ = text_field(given, "type")
        self.type = _PART_TYPES.get(type_, type_) or self.type
        self.text = text_field(given, "text") or self.text
        self.transcript = text_field(given, "transcript") or self.transcript


@dataclass(eq=False)
class Item:
    """One item of the conversation: a message, a function call, its output, …

    Attributes:
        said: of an item that was truncated, all its words, which the server has forgotten.
        spoken_ms: of a spoken turn of the user's, how long it is; 0 where nobody can tell.
        silence: it is no speech: the server made it because nobody spoke.
    """

    id: str
    type: str = ""
    role: str = ""
    status: str = ""
    content: list[Part] = field(default_factory=list)
    previous_item_id: str | None = None
    response_id: str = ""
    name: str = ""
    call_id: str = ""
    arguments: str = ""
    output: str = ""
    truncated_ms: int | None = None
    said: str = ""
    spoken_ms: int = 0
    silence: bool = False

    @property
    def text(self) -> str:
        """Its words, written or spoken; the arguments of a call, the output of one."""
        words = " ".join(part.words for part in self.content if part.words)
        return words or self.output or self.arguments

    @property
    def audio_ms(self) -> int:
        """Milliseconds of audio received for it."""
        return audio.milliseconds_of(sum(part.audio_bytes for part in self.content))

    @property
    def empty(self) -> bool:
        """Whether nothing of it has come that anybody could have heard or read."""
        return not self.audio_ms and not any(part.text for part in self.content)


def heard_length(text: str, ms: int, of_ms: float) -> int:
    """How many characters of `text` are said in the first `ms` of its `of_ms`.

    By their share of the time, to the end of a word: nobody says which word was spoken when.
    """
    if of_ms <= 0 or ms >= of_ms:
        return len(text)
    return max(0, text.rfind(" ", 0, round(len(text) * ms / of_ms) + 1))


@dataclass(eq=False)
class Response:
    """One answer of the model, from `response.created` to `response.done`."""

    id: str
    status: str = UNKNOWN
    status_details: Event | None = None
    conversation_id: str | None = None
    items: list[Item] = field(default_factory=list)
    usage: Event | None = None
    metadata: Event | None = None
    overdue: bool = False  # nothing came of it for long, and it is not waited for any more

    def refresh(self, given: Event) -> None:
        """Take over what the `response` of an event says, but its usage (dialects.usage_of).

        Once it has ended its state stays.
        """
        status = text_field(given, "status")
        if self.status not in ENDED and (status in ENDED or status == IN_PROGRESS):
            self.status = status
        if "conversation_id" in given:
            self.conversation_id = text_field(given, "conversation_id") or None
        for name in ("status_details", "metadata"):
            if isinstance(given.get(name), dict):
                setattr(self, name, given[name])

    @property
    def item_ids(self) -> list[str]:
        return [item.id for item in self.items]

    @property
    def active(self) -> bool:
        """Whether the server is making it; one known from a stray delta alone is not."""
        return self.status == IN_PROGRESS and not self.overdue

    @property
    def text(self) -> str:
        """The words of its messages, written or spoken."""
        return " ".join(item.text for item in self.items if item.type == "message" and item.text)

    @property
    def audio_ms(self) -> int:
        return sum(item.audio_ms for item in self.items)

    @property
    def unheard(self) -> bool:
        """Whether nothing of it has come yet that anybody could have heard or read."""
        return all(item.empty for item in self.items)

    @property
    def cut_unheard(self) -> bool:
        """Whether the line's end cut it before anything of it came: it is asked for again."""
        return text_field(self.status_details, "reason") == LINE_LOST and self.unheard

    @property
    def error(self) -> str:
        """Why it failed, in the server's words; empty where it did not."""
        return text_field(self.status_details, "error", "message")


class Items:
    """Items by id, and those of them that stand in the conversation in their order.

    Attributes:
        order: the conversation's items.
    """

    def __init__(self) -> None:
        self.order: list[Item] = []
        self._known: dict[str, Item] = {}  # also those that no conversation holds (out of band)
        self._placed: set[Item] = set()
        self._for_now: set[Item] = set()  # at the end until the server says where they stand
        self._gone: dict[str, Item] = {}  # deleted: the response that makes them may go on

    def get(self, id_: str) -> Item | None:
        """The item with that id, unless it was deleted."""
        return self._known.get(id_)

    def named(self, id_: str) -> Item:
        """The item with that id, a new one where none is known; one that was deleted stays so."""
        item = self._known.get(id_) or self._gone.get(id_)
        if item is None:
            item = self._known[id_] = Item(id_)
        return item

    def forget_deleted(self, id_: str) -> None:
        """The server adds an item by that name: it is another one."""
        self._gone.pop(id_, None)

    def holds(self, item: Item | None) -> bool:
        """Whether it stands in the conversation."""
        return item in self._placed

    def place(self, item: Item, behind: Item | None = None, *, first: bool = False) -> None:
        """Put an item at the conversation's end, or elsewhere. One that is there, or was deleted,
        stays as it is."""
        if item in self._placed or item.id in self._gone:
            return
        at = 0 if first else len(self.order)
        while behind is not None and at and self.order[at - 1] is not behind:
            at -= 1  # from the end, where it nearly always is: a flood must not search it all
        self._placed.add(item)
        self.order.insert(at, item)

    def place_for_now(self, item: Item) -> None:
        """Put it at the conversation's end, until the server says where it stands; if it does."""
        if item not in self._placed and item.id not in self._gone:
            self.place(item)
            self._for_now.add(item)

    def settled(self, item: Item) -> bool:
        """Whether it stands in the conversation, and not only for now."""
        return item in self._placed and item not in self._for_now

    def take_back(self, item: Item) -> None:
        """Take away what was placed for now: the server says where it stands."""
        if item in self._for_now:
            self._for_now.remove(item)
            self._remove(item)

    def _remove(self, item: Item) -> None:
        self._placed.remove(item)
        if self.order[-1] is item:
            self.order.pop()
        else:
            self.order.remove(item)

    def delete(self, id_: str) -> None:
        """Take it from the conversation."""
        item = self._known.pop(id_, None)
        if item is None:
            return
        self._gone[id_] = item
        self._for_now.discard(item)
        if item in self._placed:
            self._remove(item)


_DEPTH = 8
"""How deep the groups of a usage report go at most; three levels are known."""


def add_usage(total: Event, more: Event, depth: int = _DEPTH) -> None:
    """Add the counts of one usage report to another, group by group; what is no count is left
    out."""
    for key, value in more.items():
        so_far = total.get(key)
        if isinstance(value, dict):
            if so_far is None and depth:
                so_far = total[key] = {}
            if isinstance(so_far, dict):
                add_usage(so_far, value, depth - 1)
        elif not isinstance(so_far, dict) and (count := count_field(more, key)) is not None:
            total[key] = min(MOST, (so_far or 0) + count)


def pcm_size(encoded: str) -> int:
    """Bytes in a piece of base64, from its length: decoding again would only cost time."""
    return len(encoded) * 3 // 4 - encoded[-2:].count("=")
