"""The items of one conversation: their order, their wire form, what a brain sees of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import refusals, tokens
from .images import image_tokens
from .jobs import Turn

Json = dict[str, Any]

ROOT = "root"
MOST_CHARACTERS = 32 * 1024 * 1024  # of one conversation: a client that floods fills no memory
OVERHEAD = 512  # what an item takes, however little it says


@dataclass
class Entry:
    """One item: `wire` is what the server shows, the rest is what it only knows.

    `words` are the words that count as said (of an interrupted reply those that
    were heard, though the server shows no transcript any more); `audio_ms` is the
    length of the item's sound, the user's or the assistant's. `listening` is set while
    nobody knows yet which words a spoken turn had.
    """

    wire: Json
    words: str = ""
    audio_ms: int = 0
    spoken_ms: int | None = None  # of a user's turn: without padding and silence, where known
    image_tokens: int = 0
    by_model: bool = False
    listening: bool = False
    truncated: bool = False  # what is still sent of it does not come back into the item

    @property
    def id(self) -> str:
        return str(self.wire["id"])

    @property
    def is_spoken_reply(self) -> bool:
        """Whether the model said this aloud, or is saying it."""
        spoken = any(part["type"] == "output_audio" for part in self.content)
        return self.by_model and (spoken or self.audio_ms > 0 or self.truncated)

    @property
    def content(self) -> list[Json]:
        found: list[Json] = self.wire.get("content", [])
        return found

    @property
    def _written(self) -> str:
        """The words that are billed as text: of a spoken turn the sound is billed alone.

        So its cost is known before its words are, and stays what it was.
        """
        if not any(part["type"] == "input_audio" for part in self.content):
            return self.words
        return " ".join(part["text"] for part in self.content if "text" in part)

    def truncate(self, audio_end_ms: int) -> None:
        """Forget what comes after: sound and words; of the words none are shown (§3.5)."""
        share = audio_end_ms / self.audio_ms if self.audio_ms else 0.0
        self.words = _whole_words(self.words, share)
        self.audio_ms = audio_end_ms
        self.truncated = True
        for part in self.content:
            part.pop("transcript", None)

    def turns(self) -> Iterator[Turn]:
        """How a brain sees this item; nothing of what it has no use for."""
        kind = self.wire["type"]
        if kind == "function_call":
            name, call_id = self.wire["name"], self.wire["call_id"]
            yield Turn("call", self.wire["arguments"], name=name, call_id=call_id)
        elif kind == "function_call_output":
            yield Turn("output", self.wire["output"], call_id=self.wire["call_id"])
        elif kind == "mcp_call":
            yield from self._mcp_turns()
        elif kind == "message":
            spoken = self.audio_ms if self.spoken_ms is None else self.spoken_ms
            yield Turn(self.wire["role"], self.words, seconds=spoken / 1000)

    def _mcp_turns(self) -> Iterator[Turn]:
        """A call and, in the same item, what came of it."""
        yield Turn("call", self.wire["arguments"], name=self.wire["name"], call_id=self.id)
        said, error = self.wire.get("output"), self.wire.get("error")
        if error is not None:
            reason = error.get("message") if isinstance(error, dict) else error
            said = f"The tool failed: {reason}"
        if said:
            yield Turn("output", said, call_id=self.id)

    def tokens(self) -> tokens.Tokens:
        """What this item costs each time it is part of the input."""
        if self.is_spoken_reply:
            # Captured: earlier assistant audio is billed as audio input.
            audio = tokens.assistant_audio_tokens(self.audio_ms)
            return tokens.Tokens(self.id, audio=audio)
        if self.wire["type"] != "message":
            overhead = 10 if self.wire["type"] == "function_call" else 7  # fitted
            body = str(self.wire.get("arguments") or self.wire.get("output") or "")
            return tokens.Tokens(self.id, text=tokens.text_tokens(body) + overhead)
        return tokens.Tokens(
            self.id,
            text=tokens.text_tokens(self._written) + tokens.MESSAGE_OVERHEAD,
            audio=tokens.user_audio_tokens(self.audio_ms),
            image=self.image_tokens,
        )


class Items:
    """An ordered list that knows each item by id."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._by_id: dict[str, Entry] = {}
        self._size = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, item_id: str) -> Entry | None:
        return self._by_id.get(item_id)

    def tail_id(self) -> str | None:
        return self._entries[-1].id if self._entries else None

    def previous_id(self, item_id: str) -> str | None:
        """The id before `item_id`, None for the first."""
        if item_id == self.tail_id():  # most often
            return self._entries[-2].id if len(self._entries) > 1 else None
        before: str | None = None
        for entry in self._entries:
            if entry.id == item_id:
                return before
            before = entry.id
        return None

    def previous_id_when_done(self, entry: Entry) -> str | None:
        """What conversation.item.done names, with the real server's quirk.

        Captured, 33 of 33: for an item the model made it is null when the item
        before it is the first of the conversation, although `.added` named it.
        """
        before = self.previous_id(entry.id)
        if entry.by_model and self._entries and self._entries[0].id == before:
            return None
        return before

    def add(self, entry: Entry, previous: str | None = None) -> str | None:
        """Put `entry` after `previous` (None: at the end, "root": first).

        Returns the id it now follows. Raises Refusal for an id that is taken or unknown.
        """
        if self.get(entry.id) is not None:
            raise refusals.duplicate_item(entry.id)
        size = _size(entry.wire)
        if self._size + size > MOST_CHARACTERS:
            raise refusals.conversation_full(MOST_CHARACTERS)
        if previous is None:
            self._entries.append(entry)
        else:
            self._entries.insert(self._place_after(previous), entry)
        self._by_id[entry.id] = entry
        self._size += size
        return self.previous_id(entry.id)

    def _place_after(self, previous: str) -> int:
        if previous == ROOT:
            return 0
        for place, entry in enumerate(self._entries):
            if entry.id == previous:
                return place + 1
        raise refusals.no_previous_item(previous)

    def remove(self, item_id: str) -> None:
        entry = self.get(item_id)
        if entry is None:
            raise refusals.no_such_item("delete", item_id)
        self._entries = [one for one in self._entries if one is not entry]
        del self._by_id[item_id]
        self._size = max(0, self._size - _size(entry.wire))

    def has_call(self, call_id: str) -> bool:
        return any(
            entry.wire["type"] == "function_call" and entry.wire.get("call_id") == call_id
            for entry in self._entries
        )


def entry_from_client(item: Json, item_id: str, call_id: str, audio_ms: int = 0) -> Entry:
    """The entry for an item a client created; ids are used where it gave none.

    Captured: status is "completed" whatever was sent, and a function call output
    is echoed with no status at all; no `object`; audio is not echoed.
    """
    kind = item["type"]
    wire: Json = {"id": item.get("id") or item_id, "type": kind}
    if kind == "message":
        wire |= {"status": "completed", "role": item["role"]}
        wire["content"] = [_part(part) for part in item["content"]]
        if item.get("phase") is not None:
            wire["phase"] = item["phase"]
        words, seen = _words(item["content"]), _image_tokens(item["content"])
        return Entry(wire, words=words, audio_ms=audio_ms, image_tokens=seen)
    if kind == "function_call":
        wire |= {"status": "completed", "name": item["name"]}
        wire |= {"call_id": item.get("call_id") or call_id, "arguments": item["arguments"]}
        return Entry(wire)
    given = {key: value for key, value in item.items() if key not in ("object", "status", "id")}
    return Entry(wire | given)


def _size(value: Any) -> int:
    """About how many characters some JSON holds."""
    waiting, size = [value], OVERHEAD
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return size


def _part(part: Json) -> Json:
    if part["type"] == "input_audio":
        return {"type": "input_audio", "transcript": part.get("transcript")}
    return dict(part)


def _image_tokens(content: list[Json]) -> int:
    pictures = (part for part in content if part["type"] == "input_image")
    return sum(image_tokens(part["image_url"], part.get("detail")) for part in pictures)


def _words(content: list[Json]) -> str:
    said = (part.get("text") or part.get("transcript") or "" for part in content)
    return " ".join(text for text in said if text)


def prompt_tokens(instructions: str, tools: list[Json], reasoning: bool) -> tokens.Tokens:
    """The cost of what stands before the first item: instructions and tools."""
    described = sum(tokens.text_tokens(json.dumps(tool)) // 3 for tool in tools)
    count = tokens.PROMPT_OVERHEAD + tokens.text_tokens(instructions) + described
    if reasoning:
        count += tokens.REASONING_TOOLS_PREAMBLE if tools else tokens.REASONING_PREAMBLE
    return tokens.Tokens("prompt:" + instructions + json.dumps(tools), text=count)


def _whole_words(text: str, share: float) -> str:
    """The words that had been said after `share` (0 to 1) of the sound; no half ones."""
    end = round(len(text) * share)
    if end >= len(text) or not text[end : end + 1].strip():
        return text[:end].rstrip()
    return text[:end].rpartition(" ")[0].rstrip()
