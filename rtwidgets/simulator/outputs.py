"""What a response is made with, and one item of it while it is being made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from . import tokens
from .items import Entry, Items
from .jobs import Call, Job, NewId
from .latency import Pace
from .mcp import Granted

Json = dict[str, Any]
Kind = Literal["message", "call", "mcp"]

HEAD_PIECES = 4  # captured: 3-5 deltas of transcript before the first sound
ROUND = (2, 3)  # then so many deltas of audio and of transcript in turn
LEAST_SENTENCE = 12  # characters; "No. 5" and "Hm." are not spoken by themselves

_SENTENCE = re.compile(r"[^.!?…。！？\n]*(?:[.!?…。！？]+[\"”’)]*\s+|\n+)")


@dataclass
class Stage:
    """What a response may touch of the session it belongs to."""

    emit: Callable[[Json], None]
    item_events: Callable[[Entry, str | None], None]
    ask: Callable[[Job], None]
    new_id: NewId
    pace: Pace
    items: Items
    ledger: tokens.Ledger
    heard_audio: Callable[[], None]


@dataclass
class Segment:
    """Words that are spoken in one piece; `pcm` is None until they sound."""

    text: str
    pcm: bytes | None = None


@dataclass
class Output:
    """A message or a call. A streamed message grows segment by segment until it is `complete`."""

    entry: Entry
    index: int
    kind: Kind = "message"
    segments: list[Segment] = field(default_factory=list)
    complete: bool = True
    granted: Granted | None = None  # of an mcp call: where the tool is
    approval: Json | None = None  # what the client said about it
    said: str = ""
    sent_bytes: int = 0
    is_open: bool = False
    is_closed: bool = False

    @property
    def is_call(self) -> bool:
        return self.kind != "message"

    @property
    def is_running(self) -> bool:
        """Whether this is an MCP call whose answer is still to come."""
        return self.kind == "mcp" and self.is_open and not self.is_closed

    def approved(self, approval: Json) -> bool:
        """Take the client's answer to an approval request of this call, if it is one."""
        asked = self.entry.wire.get("approval_request_id")
        if asked != approval["approval_request_id"] or self.approval is not None:
            return False
        self.approval = approval
        return True

    @property
    def text(self) -> str:
        """All that is known to be said, or the arguments of the call."""
        return "".join(segment.text for segment in self.segments)


def message(new_id: NewId, index: int, phase: str | None, complete: bool) -> Output:
    wire: Json = {"id": new_id("item_", 21), "type": "message"}
    wire |= {"status": "in_progress", "role": "assistant", "content": []}
    if phase is not None:
        wire["phase"] = phase
    return Output(Entry(wire, by_model=True), index, complete=complete)


def call(new_id: NewId, index: int, wanted: Call, granted: Granted | None) -> Output:
    """A function call; an MCP call where the tool is one of `granted`."""
    wire: Json = {"id": new_id("item_", 21)}
    if granted is None:
        wire |= {"type": "function_call", "status": "in_progress", "name": wanted.name}
        wire |= {"call_id": new_id("call_", 16), "arguments": ""}
    else:
        wire |= {"type": "mcp_call", "server_label": granted.server_label, "name": wanted.name}
        wire |= {"arguments": "", "output": None, "error": None, "approval_request_id": None}
    kind: Kind = "call" if granted is None else "mcp"
    segments = [Segment(wanted.arguments, b"")]
    return Output(Entry(wire, by_model=True), index, kind, segments, granted=granted)


def sentences(text: str) -> tuple[list[str], str]:
    """The sentences that are complete in a growing text, and what is left of it."""
    found: list[str] = []
    held, end = "", 0
    for match in _SENTENCE.finditer(text):
        held, end = held + match.group(), match.end()
        if len(held.strip()) >= LEAST_SENTENCE:
            found.append(held)
            held = ""
    return found, held + text[end:]


def woven(words: int, sounds: int) -> Iterator[tuple[Literal["words", "sound"], int]]:
    """The order of a message's deltas: words ahead, then in turn, then sound alone."""
    if not sounds:
        yield from (("words", index) for index in range(words))
        return
    spoken = min(words, HEAD_PIECES)
    sounded = 0
    yield from (("words", index) for index in range(spoken))
    rounds = max(1, (sounds - 1) // ROUND[0])
    stride = max(ROUND[1], -(-(words - spoken) // rounds))
    while sounded < sounds:
        for _ in range(min(ROUND[0], sounds - sounded)):
            if sounded == sounds - 1 and spoken < words:
                break  # the last delta is always sound
            yield "sound", sounded
            sounded += 1
        for _ in range(min(stride, words - spoken)):
            yield "words", spoken
            spoken += 1
