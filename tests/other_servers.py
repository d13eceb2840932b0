"""Servers that are compatible but not the same: what each sends, as a table, and a server that
plays it over a line in memory.

The order of a spoken reply stands in one line a server, a word an event:

    created  out+  added  part+  w1 w2 words of the transcript, s1 s2 sound, and ends with a dot

Sources: recorded sessions of the services (pydantic-ai's cassettes; facts/protocol.md §5), and for
speech-to-speech what its server sends here in `make conformance`. Qwen, the bare one and the
gateway are put together from what is reported.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rtwidgets import audio
from rtwidgets.errors import ConnectionLost
from rtwidgets.events import GA_NAMES, Event, merged
from rtwidgets.transport import MemoryTransport

WORDS = "Hello there."
PCM = bytes([1, 2]) * 6000  # 250 ms
SOUND_MS = 500
USAGE: Event = {
    "total_tokens": 61, "input_tokens": 16, "output_tokens": 45,
    "input_token_details": {"text_tokens": 16, "audio_tokens": 0, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 14, "audio_tokens": 31},
}  # fmt: skip
NOTHING: Event = {
    "total_tokens": 0, "input_tokens": 0, "output_tokens": 0,
    "input_token_details": {"text_tokens": 0}, "output_token_details": dict.fromkeys(
        ("text_tokens", "audio_tokens"), 0
    ),
}  # fmt: skip
PCM24: Event = {"format": {"type": "audio/pcm", "rate": 24000}}
VAD: Event = {"type": "server_vad", "create_response": True, "interrupt_response": True}

GA: Event = {
    "id": "sess_1",
    "object": "realtime.session",
    "model": "gpt-realtime",
    "audio": {"input": {**PCM24, "turn_detection": VAD}, "output": {**PCM24, "voice": "marin"}},
}
FLAT: Event = {  # as the beta's
    "id": "sess_1",
    "object": "realtime.session",
    "model": "gpt-realtime",
    "modalities": ["text", "audio"],
    "voice": {"name": "alloy", "type": "openai"},
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "turn_detection": VAD,
}


@dataclass(frozen=True)
class Server:
    """One kind of server.

    Attributes:
        reply: the order of the events of a spoken reply. heard: of a spoken turn before it.
        session: at first. update: what it answers a `session.update` with, before the rest.
        item: the event by which it says that an item was added; "" if it does not.
        beta: it uses the beta's names. changes: fields of its events that are otherwise, by word.
        without: fields that it leaves out, by word; the top level's and the response's.
        usage: what of its report can be known: tokens in all, None for nothing.
    """

    name: str
    reply: str
    session: Event = field(default_factory=lambda: GA)
    update: tuple[Event, ...] = ()
    item: str = "conversation.item.added"
    heard: str = ""
    beta: bool = False
    uuids: bool = False
    conversations: bool = True
    changes: dict[str, Event] = field(default_factory=dict)
    usage: int | None = 61

    def __str__(self) -> str:
        return self.name


OPENAI = Server(
    "OpenAI",
    "created out+ added part+ w1 w2 s1 s2 sound. words. part. item. out. done limits",
    heard="started stopped committed added_user heard",
)
AZURE = Server(
    "Azure OpenAI GA",  # `content` as a copy of `part`, no rate limits
    "created out+ added part+ w1 w2 s1 s2 sound. words. part. item. out. done",
    heard="started stopped committed added_user heard",
    changes={
        "part+": {"content": {"type": "audio", "transcript": ""}},
        "part.": {"content": {"type": "audio", "transcript": WORDS}},
    },
)
VOICE_LIVE = Server(
    "Azure Voice Live",  # the beta's names, a flat session, no .done of items, reasoning 0
    "created out+ added part+ w1 w2 s1 s2 sound. words. part. out. done",
    session=FLAT,
    item="conversation.item.created",
    heard="started stopped committed added_user heard",
    beta=True,
    changes={
        "done": {"response": {"usage": {"output_token_details": {"reasoning_tokens": 0}}}},
        "part+": {"part": {"type": "audio"}},
    },
)
XAI = Server(
    "xAI",  # UUIDs, pings, words whole and anew, other order of ends, usage beside the response
    "created out+ added part+ s1 w1 s2 w2 words. part. sound. out. ping done",
    session={
        "id": "ef2a111c3fa74fe78f6f03e2d8f22094",
        "object": "realtime.session",
        "voice": "ara",
        "instructions": "",
        "modalities": ["audio"],
        "turn_detection": {"type": None},
        "tools": [],
        "model": "grok-voice-latest",
    },  # fmt: skip
    update=(
        {"type": "conversation.created", "conversation": {"id": str(uuid.UUID(int=9))}},
        {"type": "ping", "event_id": str(uuid.UUID(int=8)), "timestamp": 1784603669974},
    ),
    heard="started added_user updated1 so_far stopped committed updated2 heard",
    uuids=True,
    conversations=False,
    changes={
        "created": {"response": {"status_details": "unimplemented", "usage": {}}},
        "part+": {"previous_item_id": "0"},
        "part.": {"part": None},
        "out.": {"item": {"content": []}},
        "done": {"response": {"status_details": "unimplemented", "usage": {}}, "usage": USAGE},
        "heard": {"status": "completed"},
    },
)
QWEN = Server(
    "Qwen-Omni",  # the beta's names; a list of MCP tools may come before session.updated
    "created out+ added part+ w1 w2 s1 s2 sound. words. part. out. done",
    session=FLAT,
    update=(
        {"type": "mcp_list_tools.in_progress", "item_id": "mcpl_1"},
        {"type": "mcp_list_tools.completed", "item_id": "mcpl_1"},
    ),
    item="conversation.item.created",
    beta=True,
)
SPEECH_TO_SPEECH = Server(
    "speech-to-speech",  # no item event for what the model says; of a reply cut short, zeros
    "created out+ part+ w1 s1 s2 w2 sound. words. part. out. done",
    session={"id": "session_1", "type": "realtime", "audio": {"input": {}, "output": {}}},
    item="conversation.item.created",
    changes={"done": {"response": {"usage": NOTHING}}},
    usage=None,
)
GATEWAY = Server(
    "a gateway",  # it drops what it does not know: no items, no usage, no conversation
    "created out+ part+ w1 w2 s1 s2 sound. words. part. out. done",
    item="",
    conversations=False,
    changes={"done": {"response": {"usage": None}}},
    usage=None,
)
BARE = Server(
    "a bare server",  # deltas, and an end that says next to nothing
    "created w1 s1 s2 w2 done",
    session={"id": "1"},
    item="",
    conversations=False,
    changes={"done": {"response": {"output": None, "usage": None}}},
    usage=None,
)
SERVERS = (
    OPENAI, AZURE, VOICE_LIVE, XAI, QWEN, SPEECH_TO_SPEECH, GATEWAY, BARE,
)  # fmt: skip
HEAR = tuple(server for server in SERVERS if server.heard)
BETA_NAMES = {name: beta for beta, name in GA_NAMES.items()}
SAID = "Hello, my name is Ada."


class Played:
    """A server that plays: `Scripted(Played(server).serve)`.

    Attributes:
        received: what the client sent, audio left out.
        refuses: the next `response.create` is answered with this.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.received: list[Event] = []
        self.refuses: Event | None = None
        self._session = server.session
        self._count = 0
        self._tail: str | None = None
        self._hears = False

    async def serve(self, line: MemoryTransport) -> None:
        await send(line, {"type": "session.created", "session": self._session})
        with contextlib.suppress(ConnectionLost):
            await self._answer_all(line)

    async def _answer_all(self, line: MemoryTransport) -> None:
        while True:
            event = json.loads(await line.recv())
            if event["type"] != "input_audio_buffer.append":
                self.received.append(event)
            for answer in self.answers(event):
                await send(line, answer)

    def answers(self, event: Event) -> Iterator[Event]:
        match event["type"]:
            case "session.update":
                wanted = {k: v for k, v in event["session"].items() if k != "type"}
                self._session = merged(self._session, wanted)
                yield from self.server.update
                yield {"type": "session.updated", "session": self._session}
            case "conversation.item.create":
                yield from self._put(event["item"])
            case "response.create" if self.refuses is not None:
                yield self.refuses
                self.refuses = None
            case "response.create":
                aside = (event.get("response") or {}).get("conversation") == "none"
                yield from self._play(self.server.reply, self._new("item"), aside)
            case "input_audio_buffer.append" if not self._hears:
                self._hears = True
                user = self._new("item")
                yield from self._play(self.server.heard, user)
                yield from self._play(self.server.reply, self._new("item"))

    def _put(self, item: Event) -> Iterator[Event]:
        if self.server.item:
            id_ = self._new("item")
            whole = {"id": id_, "object": "realtime.item", "status": "completed", **item}
            yield {"type": self.server.item, "previous_item_id": self._tail, "item": whole}
            self._tail = id_

    def _new(self, kind: str) -> str:
        self._count += 1
        number = uuid.UUID(int=self._count)
        return str(number) if self.server.uuids else f"{kind}_{self._count}"

    def _play(self, order: str, item: str, aside: bool = False) -> Iterator[Event]:
        events = templates(self.server, item, self._new("resp"), self._tail)
        for word in order.split():
            if aside and word in ("added", "item."):
                continue
            if aside and self.server.conversations and "response" in events[word]:
                events[word]["response"]["conversation_id"] = None
            changed = merged(events[word], self.server.changes.get(word, {}))
            changed["type"] = self._named(changed["type"])
            yield changed
            if word in ("added", "added_user"):
                self._tail = item

    def _named(self, type_: str) -> str:
        if type_ == "conversation.item.added":
            return self.server.item
        return BETA_NAMES.get(type_, type_) if self.server.beta else type_


def templates(server: Server, item: str, response: str, behind: str | None) -> dict[str, Event]:
    """The events of OpenAI's server, by the words of the table."""
    of: Event = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    begun: Event = {
        "id": item, "object": "realtime.item", "type": "message", "role": "assistant",
        "status": "in_progress", "content": [],
    }  # fmt: skip
    said = {**begun, "status": "completed", "content": [{"type": "audio", "transcript": WORDS}]}
    spoken = {**begun, "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
    made: Event = {"id": response, "object": "realtime.response", "status_details": None}
    made |= {"conversation_id": "conv_1"} if server.conversations else {}
    ended = {**made, "status": "completed", "output": [said], "usage": USAGE}
    heard = "conversation.item.input_audio_transcription"
    speech = "response.output_audio_transcript"
    of_user: Event = {"item_id": item, "content_index": 0}

    def event(type_: str, **fields: Any) -> Event:
        return {"type": type_, "event_id": f"event_{type_}", **fields}

    pcm = audio.encode(PCM)
    index = {"response_id": response, "output_index": 0}
    part = {"type": "audio", "transcript": ""}
    return {
        "created": event(
            "response.created",
            response={**made, "status": "in_progress", "output": [], "usage": None},
        ),
        "out+": event("response.output_item.added", item=begun, **index),
        "added": event("conversation.item.added", previous_item_id=behind, item=begun),
        "part+": event("response.content_part.added", part=part, **of),
        "w1": event(f"{speech}.delta", delta="Hello ", **of),
        "w2": event(f"{speech}.delta", delta="there.", **of),
        "s1": event("response.output_audio.delta", delta=pcm, **of),
        "s2": event("response.output_audio.delta", delta=pcm, **of),
        "sound.": event("response.output_audio.done", **of),
        "words.": event(f"{speech}.done", transcript=WORDS, **of),
        "part.": event("response.content_part.done", part={**part, "transcript": WORDS}, **of),
        "item.": event("conversation.item.done", previous_item_id=None, item=said),
        "out.": event("response.output_item.done", item=said, **index),
        "done": event("response.done", response=ended),
        "limits": event("rate_limits.updated", rate_limits=[{"name": "tokens", "remaining": 9}]),
        "ping": event("ping", timestamp=1784603670974),
        "started": event("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0),
        "stopped": event("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=400),
        "committed": event("input_audio_buffer.committed", item_id=item, previous_item_id=behind),
        "added_user": event("conversation.item.added", previous_item_id=behind, item=spoken),
        "updated1": event(f"{heard}.updated", transcript="Hello, my", **of_user),
        "so_far": event(
            f"{heard}.completed", transcript="Hello, my", status="in_progress", **of_user
        ),
        "updated2": event(f"{heard}.updated", transcript="Hello, my name is", **of_user),
        "heard": event(f"{heard}.completed", transcript=SAID, **of_user),
    }


async def send(line: MemoryTransport, event: Event) -> None:
    await line.send(json.dumps(event))
