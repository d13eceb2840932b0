"""One response: from response.created to response.done, in the order of the real server.

A response is a generator (`script`) that sends events through its stage and
yields between them: a number is a pause in seconds, None waits until a job
was delivered. So the order of events can be read from top to bottom, nothing
runs by itself, and stopping in the middle is closing what stands open.

Order: protocol facts §3.1 and §3.2 (32 of 32 recorded responses), the closing
of a cancelled one §3.5 (documented, no raw capture).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..audio import encode
from . import tokens
from .g711 import bytes_per_ms, from_pcm
from .items import Entry, Items
from .jobs import Answer, Call, Failure, Job, NewId, Result, Speak, Think
from .latency import Latency
from .planning import Plan

Json = dict[str, Any]
Pause = float | None
CancelReason = Literal["client_cancelled", "turn_detected"]

AUDIO_DELTA_MS = 250  # captured: about 250 ms of audio in a delta
HEAD_PIECES = 4  # captured: 3-5 deltas of transcript before the first sound
ROUND = (2, 3)  # then so many deltas of audio and of transcript in turn
OBFUSCATED_LENGTH = 16  # captured: `obfuscation` pads the delta to this many characters
AUDIO_TOKENS_A_PIECE = 8  # about what a spoken piece costs; only to cut a reply short


@dataclass
class Stage:
    """What a response may touch of the session it belongs to."""

    emit: Callable[[Json], None]
    ask: Callable[[Job], None]
    new_id: NewId
    latency: Latency
    items: Items
    ledger: tokens.Ledger
    heard_audio: Callable[[], None]


@dataclass
class Output:
    """One item of the response while it is being made."""

    entry: Entry
    index: int
    text: str  # all that will be said, or the arguments of the call
    is_call: bool = False
    pcm: bytes | None = None
    said: str = ""
    sent_bytes: int = 0
    is_open: bool = False
    is_closed: bool = False


class Response:
    """One response. `script()` plays it; `cancel()` closes it early."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.stage, self.plan = stage, plan
        self.id = stage.new_id("resp_", 21)
        self.outputs: list[Output] | None = None  # None until the answer is there
        self.status = "in_progress"
        self.failure: Failure | None = None
        self.announced = False
        self.tokens_used = 0
        self.cut_short = False
        self._context = [plan.prompt, *(entry.tokens() for entry in plan.context)]

    @property
    def in_conversation(self) -> bool:
        return self.plan.conversation_id is not None

    def begin(self) -> None:
        self.stage.ask(Think(self.id, self.plan.question()))

    # --- results of jobs

    def answered(self, answer: Answer) -> None:
        """Take the brain's answer and, for audio, ask for its sound."""
        self.outputs = []
        text = self._within_limit(answer.text)
        if text or not answer.calls:
            phase = "commentary" if answer.calls else "final_answer"
            self.outputs.append(self._message(text, phase))
        for call in answer.calls:
            self.outputs.append(self._call(call, len(self.outputs)))
        for output in self.outputs:
            if not output.is_call and self.plan.modality == "audio":
                self._ask_for_sound(output)

    def take(self, job: Job, result: Result) -> None:
        """Take what came of one of this response's jobs."""
        if isinstance(result, Failure):
            self.failure = result
        elif isinstance(job, Think) and isinstance(result, Answer):
            self.answered(result)
        elif isinstance(job, Speak) and isinstance(result, bytes):
            self.sounded(job.output_index, result)

    def sounded(self, output_index: int, pcm: bytes) -> None:
        assert self.outputs is not None
        self.outputs[output_index].pcm = from_pcm(pcm, self.plan.audio_format["type"])

    def _ask_for_sound(self, output: Output) -> None:
        job = Speak(self.id, output.index, output.text, self._voice, self.plan.speed)
        self.stage.ask(job)

    @property
    def _voice(self) -> str:
        """A custom voice ({"id": …}) goes by its id: a response's voice is a string."""
        voice = self.plan.voice
        return voice if isinstance(voice, str) else str(voice["id"])

    def _within_limit(self, text: str) -> str:
        limit = self.plan.max_output_tokens
        if not isinstance(limit, int):
            return text
        cost = AUDIO_TOKENS_A_PIECE if self.plan.modality == "audio" else 1
        found = tokens.pieces(text)
        most = max(1, limit // cost)
        self.cut_short = len(found) > most
        return "".join(found[:most])

    def _message(self, text: str, phase: str) -> Output:
        wire: Json = {"id": self.stage.new_id("item_", 21), "type": "message"}
        wire |= {"status": "in_progress", "role": "assistant", "content": []}
        if self.plan.reasoning:  # captured: only reasoning models say which phase it is
            wire["phase"] = phase
        pcm = None if self.plan.modality == "audio" else b""
        return Output(Entry(wire, by_model=True), 0, text, pcm=pcm)

    def _call(self, call: Call, index: int) -> Output:
        wire = {"id": self.stage.new_id("item_", 21), "type": "function_call"}
        wire |= {"status": "in_progress", "name": call.name}
        wire |= {"call_id": self.stage.new_id("call_", 16), "arguments": ""}
        return Output(Entry(wire, by_model=True), index, call.arguments, is_call=True, pcm=b"")

    @property
    def _ready(self) -> bool:
        return self.outputs is not None and all(o.pcm is not None for o in self.outputs)

    # --- the play

    def script(self) -> Iterator[Pause]:
        self._announce()
        yield self.stage.latency.first_delta
        while not self._ready and self.failure is None:
            yield None
        if self.failure is not None:
            return self._finish("failed")
        for output in self.outputs or []:
            self._open(output)
            yield from self._deltas(output)
        status = "incomplete" if self.cut_short else "completed"
        for output in self.outputs or []:  # captured: item 1 begins before item 0 is done
            self._close(output, status)
        self._finish(status, "max_output_tokens" if self.cut_short else None)

    def cancel(self, reason: CancelReason) -> None:
        """Close every open item as incomplete and finish as cancelled, all at once."""
        if not self.announced:
            self._announce()
        for output in self.outputs or []:
            if output.is_open and not output.is_closed:
                self._close(output, "incomplete")
        self._finish("cancelled", reason)

    def _announce(self) -> None:
        self.announced = True
        self.stage.emit({"type": "response.created", "response": self.wire()})

    def _open(self, output: Output) -> None:
        output.is_open = True
        head = {"response_id": self.id, "output_index": output.index}
        item = copy.deepcopy(output.entry.wire)
        self.stage.emit({"type": "response.output_item.added", **head, "item": item})
        if self.in_conversation:
            previous = self.stage.items.add(output.entry)
            self._about_item("added", output, previous)
        if not output.is_call:
            part = self._part("")
            self.stage.emit(
                {"type": "response.content_part.added", **self._place(output), "part": part}
            )

    def _deltas(self, output: Output) -> Iterator[Pause]:
        latency = self.stage.latency
        if output.is_call:
            for piece in tokens.pieces(output.text):
                self._call_delta(output, piece)
                yield latency.text_delta
            return
        words, sound = tokens.pieces(output.text), self._chunks(output.pcm or b"")
        for kind, index in _woven(len(words), len(sound)):
            if kind == "words":
                self._word_delta(output, words[index])
                yield latency.text_delta
            else:
                self._sound_delta(output, sound[index])
                yield latency.audio_delta

    def _call_delta(self, output: Output, piece: str) -> None:
        output.said += piece
        event = {"type": "response.function_call_arguments.delta", **self._call_place(output)}
        self.stage.emit({**event, "delta": piece, "obfuscation": self._obfuscation(piece)})

    def _word_delta(self, output: Output, piece: str) -> None:
        output.said += piece
        output.entry.words = output.said
        spoken = self.plan.modality == "audio"
        kind = "output_audio_transcript" if spoken else "output_text"
        event = {"type": f"response.{kind}.delta", **self._place(output), "delta": piece}
        self.stage.emit({**event, "obfuscation": self._obfuscation(piece)})

    def _sound_delta(self, output: Output, pcm: bytes) -> None:
        output.sent_bytes += len(pcm)
        output.entry.audio_ms = output.sent_bytes // self._bytes_per_ms
        self.stage.heard_audio()
        event = {"type": "response.output_audio.delta", **self._place(output)}
        self.stage.emit({**event, "delta": encode(pcm)})

    def _close(self, output: Output, status: str) -> None:
        output.is_closed = True
        output.entry.wire["status"] = status
        if output.is_call:
            self._close_call(output)
        else:
            self._close_message(output)
        if self.in_conversation:
            previous = self.stage.items.previous_id_when_done(output.entry)
            self._about_item("done", output, previous)
        head = {"response_id": self.id, "output_index": output.index}
        item = copy.deepcopy(output.entry.wire)
        self.stage.emit({"type": "response.output_item.done", **head, "item": item})

    def _close_call(self, output: Output) -> None:
        wire = output.entry.wire
        wire["arguments"] = output.said
        head = {"type": "response.function_call_arguments.done", **self._call_place(output)}
        self.stage.emit({**head, "name": wire["name"], "arguments": output.said})

    def _close_message(self, output: Output) -> None:
        place = self._place(output)
        if self.plan.modality == "audio":
            self.stage.emit({"type": "response.output_audio.done", **place})
            done = {"type": "response.output_audio_transcript.done", **place}
            self.stage.emit({**done, "transcript": output.said})
            content = {"type": "output_audio", "transcript": output.said}
        else:
            self.stage.emit({"type": "response.output_text.done", **place, "text": output.said})
            content = {"type": "output_text", "text": output.said}
        output.entry.wire["content"] = [content]
        part = self._part(output.said)
        self.stage.emit({"type": "response.content_part.done", **place, "part": part})

    def _finish(self, status: str, reason: str | None = None) -> None:
        self.status = status
        details: Json | None = {"type": status, "reason": reason} if reason else None
        if self.failure is not None and status == "failed":
            error = {"type": self.failure.type, "code": self.failure.code}
            details = {"type": "failed", "error": {**error, "message": self.failure.message}}
        usage = self._usage()
        self.tokens_used = usage["total_tokens"]
        wire = self.wire() | {"status_details": details, "usage": usage}
        self.stage.emit({"type": "response.done", "response": wire})
        if self.in_conversation:
            outputs = [o.entry.tokens() for o in self.outputs or [] if o.is_open]
            self.stage.ledger.last = [*self._context, *outputs]

    # --- parts of events

    def wire(self) -> Json:
        """The response object, key for key as recorded."""
        shown = [o.entry.wire for o in self.outputs or [] if o.is_closed]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": None,
            "output": copy.deepcopy(shown),
            "conversation_id": self.plan.conversation_id,
            "output_modalities": [self.plan.modality],
            "max_output_tokens": self.plan.max_output_tokens,
            "audio": {"output": {"format": self.plan.audio_format, "voice": self._voice}},
            "usage": None,
            "metadata": self.plan.metadata,
        }

    def _usage(self) -> Json:
        text = audio = 0
        for output in self.outputs or []:
            words = tokens.text_tokens(output.said)
            if output.is_call:
                text += words + 10 if output.is_open else 0  # fitted: 12 pieces were billed 22
            elif self.plan.modality == "audio":
                text += tokens.transcript_tokens(output.said)
                sent_ms = output.sent_bytes // self._bytes_per_ms
                audio += tokens.assistant_audio_tokens(sent_ms)
            elif output.is_open:
                text += words + 2  # fitted: 12 pieces were billed 14
        cached = self.stage.ledger.cached(self._context) if self.in_conversation else (0, 0)
        return tokens.usage(self._context, cached, text, audio)

    def _about_item(self, what: str, output: Output, previous: str | None) -> None:
        event = {"type": f"conversation.item.{what}", "previous_item_id": previous}
        self.stage.emit({**event, "item": copy.deepcopy(output.entry.wire)})

    def _part(self, said: str) -> Json:
        """Captured: parts say "audio"/"text" where items say "output_audio"/"output_text"."""
        if self.plan.modality == "audio":
            return {"type": "audio", "transcript": said}
        return {"type": "text", "text": said}

    def _place(self, output: Output) -> Json:
        return {
            "response_id": self.id,
            "item_id": output.entry.id,
            "output_index": output.index,
            "content_index": 0,
        }

    def _call_place(self, output: Output) -> Json:
        return {
            "response_id": self.id,
            "item_id": output.entry.id,
            "output_index": output.index,
            "call_id": output.entry.wire["call_id"],
        }

    @property
    def _bytes_per_ms(self) -> int:
        return bytes_per_ms(self.plan.audio_format["type"])

    def _chunks(self, sound: bytes) -> list[bytes]:
        step = AUDIO_DELTA_MS * self._bytes_per_ms
        return [sound[i : i + step] for i in range(0, len(sound), step)]

    def _obfuscation(self, piece: str) -> str:
        return self.stage.new_id("", max(0, OBFUSCATED_LENGTH - len(piece)))


def _woven(words: int, sounds: int) -> Iterator[tuple[Literal["words", "sound"], int]]:
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
