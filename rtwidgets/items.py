"""What a conversation is made of: items with their parts, and responses."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import audio
from .events import Event, text_field

# The states of a response. Once it has ended nothing moves it again.
UNKNOWN = ""
IN_PROGRESS = "in_progress"
ENDED = frozenset({"completed", "cancelled", "failed", "incomplete"})


# A part of a response says "text" or "audio" where the same content in an item says "output_…".
_PART_TYPES = {"text": "output_text", "audio": "output_audio"}


@dataclass
class Part:
    """A piece of an item's content: `text` for written, `transcript` for spoken words.

    Attributes:
        audio_bytes: PCM received for it so far (the audio itself is in the log).
    """

    type: str = ""
    text: str = ""
    transcript: str = ""
    audio_bytes: int = 0

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
    """One item of the conversation: a message, a function call, its output, …"""

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

    @property
    def text(self) -> str:
        """Its words, written or spoken; the arguments of a call, the output of one."""
        words = " ".join(part.words for part in self.content if part.words)
        return words or self.output or self.arguments

    @property
    def audio_ms(self) -> int:
        """Milliseconds of audio received for it."""
        return audio.milliseconds_of(sum(part.audio_bytes for part in self.content))


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

    def refresh(self, given: Event) -> None:
        """Take over what the `response` of an event says. Once it has ended its state stays."""
        status = text_field(given, "status")
        if self.status not in ENDED and (status in ENDED or status == IN_PROGRESS):
            self.status = status
        if "conversation_id" in given:
            self.conversation_id = text_field(given, "conversation_id") or None
        for name in ("status_details", "usage", "metadata"):
            if isinstance(given.get(name), dict):
                setattr(self, name, given[name])

    @property
    def item_ids(self) -> list[str]:
        return [item.id for item in self.items]

    @property
    def active(self) -> bool:
        """Whether the server is making it; one known from a stray delta alone is not."""
        return self.status == IN_PROGRESS

    @property
    def text(self) -> str:
        """The words of its messages, written or spoken."""
        return " ".join(item.text for item in self.items if item.type == "message" and item.text)

    @property
    def audio_ms(self) -> int:
        return sum(item.audio_ms for item in self.items)

    @property
    def error(self) -> str:
        """Why it failed, in the server's words; empty where it did not."""
        return text_field(self.status_details, "error", "message")
