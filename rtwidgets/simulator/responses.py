"""One response: from response.created to response.done, in the order of the real server.

A response is a generator (`script`) that sends events through its stage and
yields between them: a number is a pause in seconds, None waits until a job
was delivered. So the order of events can be read from top to bottom, nothing
runs by itself, and stopping in the middle is closing what stands open.

Order: protocol facts §3.1 and §3.2 (32 of 32 recorded responses), the closing
of a cancelled one §3.5 (documented, no raw capture), MCP calls §3.8.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Literal

from ..audio import encode
from . import budget, mcpcalls, outputs, tokens
from .answering import Draft
from .g711 import bytes_per_ms
from .items import Entry
from .jobs import Failure, Result, Speak, Think
from .outputs import Output, Segment, Stage
from .planning import Plan

Json = dict[str, Any]
Pause = float | None
CancelReason = Literal["client_cancelled", "turn_detected"]

OBFUSCATED_LENGTH = 16  # captured: `obfuscation` pads the delta to this many characters


class Response:
    """One response. `script()` plays it, `cancel()` closes it early, `tail()` comes after it."""

    def __init__(self, stage: Stage, plan: Plan, failure: Failure | None = None) -> None:
        self.stage, self.plan = stage, plan
        self.id = stage.new_id("resp_", 21)
        self._draft = Draft(stage, plan, self.id)
        self.status = "in_progress"
        self.failure = failure  # given: it fails whatever the brain says
        self.announced = False
        self.tokens_used = 0
        self._budget = self._draft.budget
        self._requests: list[Json] = []  # approvals that were asked for out of band
        self._context = [plan.prompt, *(entry.tokens() for entry in plan.context)]

    @property
    def outputs(self) -> list[Output]:
        return self._draft.outputs

    @property
    def in_conversation(self) -> bool:
        return self.plan.conversation_id is not None

    @property
    def audio_ms(self) -> int:
        """How long what was sent takes to play."""
        return sum(output.sent_bytes for output in self.outputs) // self._bytes_per_ms

    def take(self, job: Think | Speak, result: Result) -> None:
        """Take what came of one of this response's jobs."""
        self._draft.take(job, result)
        self.failure = self.failure or self._draft.failure

    # --- the play

    def script(self) -> Iterator[Pause]:
        self._announce()
        while any(entry.listening for entry in self.plan.context):
            yield None  # which words the user spoke is not known yet
        if self.failure is None:
            self.stage.ask(Think(self.id, self.plan.question()))
        yield self.stage.pace.of("first_delta")
        yield from self._make_outputs()
        if self.failure is not None:
            return self._fail()
        status = "incomplete" if self._budget.cut else "completed"
        for output in self.outputs:  # captured: item 1 begins before item 0 is done
            if output.kind != "mcp":
                # The last is what was cut; what came before it is whole.
                self._close(output, status if output is self.outputs[-1] else "completed")
        self._finish(status, "max_output_tokens" if self._budget.cut else None)

    def _make_outputs(self) -> Iterator[Pause]:
        index = 0
        while self.failure is None and not (self._draft.finished and index == len(self.outputs)):
            if index == len(self.outputs) or not self._can_begin(self.outputs[index]):
                yield None
                continue
            self._open(self.outputs[index])
            yield from self._deltas(self.outputs[index])
            index += 1

    def _can_begin(self, output: Output) -> bool:
        return bool(output.segments) and output.segments[0].pcm is not None

    def cancel(self, reason: CancelReason) -> None:
        """Close every open item as incomplete and finish as cancelled, all at once."""
        if not self.announced:
            self._announce()
        self._close_open()
        self._finish("cancelled", reason)

    def _fail(self) -> None:
        self._close_open()
        self._finish("failed")

    def _close_open(self) -> None:
        for output in self.outputs:
            if output.is_open and not output.is_closed:
                self._close(output, "incomplete")

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
        if output.is_call:
            for piece in tokens.pieces(output.text):
                self._call_delta(output, piece)
                yield self.stage.pace.of("text_delta")
            if output.kind == "mcp":
                where = self._call_place(output)
                yield from mcpcalls.ask(self.stage, output, where, self._ask_approval)
            return
        place = 0
        while self.failure is None and not (output.complete and place == len(output.segments)):
            if place == len(output.segments) or output.segments[place].pcm is None:
                yield None
                continue
            if not self._fits(output, output.segments[place]):
                return
            yield from self._segment_deltas(output, output.segments[place])
            place += 1

    def _fits(self, output: Output, segment: Segment) -> bool:
        """Whether anything more may sound; cuts off what is too long for max_output_tokens.

        How long words sound is known only when they were spoken; so their number was a guess.
        """
        if not segment.pcm:
            return True
        said, audio = output.said + segment.text, self._audio_tokens(output)
        segment.pcm = self._budget.sound(segment.pcm, said, audio, self._bytes_per_ms)
        return bool(segment.pcm)

    def _audio_tokens(self, output: Output) -> int:
        return tokens.assistant_audio_tokens(output.sent_bytes // self._bytes_per_ms)

    def _ask_approval(self, request: Json) -> None:
        """An item of the conversation; out of band one that only this response has."""
        if self.in_conversation:
            entry = Entry(request, by_model=True)
            return self.stage.item_events(entry, self.stage.items.add(entry))
        index = len(self.outputs) + len(self._requests)
        self._requests.append(request)
        for what in ("added", "done"):
            event = {"type": f"response.output_item.{what}", "response_id": self.id}
            self.stage.emit({**event, "output_index": index, "item": dict(request)})

    def _segment_deltas(self, output: Output, segment: Segment) -> Iterator[Pause]:
        pace = self.stage.pace
        words = tokens.pieces(segment.text)
        sound, step = segment.pcm or b"", pace.latency.delta_ms * self._bytes_per_ms
        for kind, index in outputs.woven(len(words), -(-len(sound) // step)):
            if kind == "words":
                self._word_delta(output, words[index])
                yield pace.of("text_delta")
            else:
                if not output.sent_bytes:
                    yield pace.of("first_sound")
                self._sound_delta(output, sound[index * step : (index + 1) * step])
                yield pace.of("audio_delta")

    def _call_delta(self, output: Output, piece: str) -> None:
        output.said += piece
        kind = "mcp_call" if output.kind == "mcp" else "function_call"
        event = {"type": f"response.{kind}_arguments.delta", **self._call_place(output)}
        self.stage.emit({**event, "delta": piece, "obfuscation": self._obfuscation(piece)})

    def _word_delta(self, output: Output, piece: str) -> None:
        output.said += piece
        if not output.entry.truncated:
            output.entry.words = output.said
        spoken = self.plan.modality == "audio"
        kind = "output_audio_transcript" if spoken else "output_text"
        event = {"type": f"response.{kind}.delta", **self._place(output), "delta": piece}
        self.stage.emit({**event, "obfuscation": self._obfuscation(piece)})

    def _sound_delta(self, output: Output, pcm: bytes) -> None:
        output.sent_bytes += len(pcm)
        if not output.entry.truncated:
            output.entry.audio_ms = output.sent_bytes // self._bytes_per_ms
        self.stage.heard_audio()
        event = {"type": "response.output_audio.delta", **self._place(output)}
        self.stage.emit({**event, "delta": encode(pcm)})

    def _close(self, output: Output, status: str) -> None:
        output.is_closed = True
        if output.kind != "mcp":  # which has no status
            output.entry.wire["status"] = status
        if output.kind == "call":
            self._close_call(output)
        elif output.kind == "message":
            self._close_message(output)
        if self.in_conversation and self.stage.items.get(output.entry.id) is output.entry:
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
            if output.entry.truncated:
                del content["transcript"]  # as of any item that was truncated
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
        # Reported (a failed response of gpt-realtime): what failed before it said anything is free.
        free = status == "failed" and not any(output.is_open for output in self.outputs)
        usage = tokens.usage((), (0, 0), 0, 0) if free else self._usage()
        self.tokens_used = usage["total_tokens"]
        wire = self.wire() | {"status_details": details, "usage": usage}
        self.stage.emit({"type": "response.done", "response": wire})
        made = [o.entry for o in self.outputs if o.is_open]
        kept = [entry.tokens() for entry in made if self.stage.items.get(entry.id)]
        self.stage.ledger.bill([*self._context, *kept])

    def asks(self, request_id: str) -> bool:
        """Whether this response asked for an approval of this id."""
        return any(o.entry.wire.get("approval_request_id") == request_id for o in self.outputs)

    def approve(self, approval: Json) -> bool:
        """Take the client's mcp_approval_response; False when nothing here waits for it."""
        return any(output.approved(approval) for output in self.outputs)

    @property
    def calls_mcp(self) -> bool:
        return any(output.is_running for output in self.outputs)

    def tail(self) -> Iterator[Pause]:
        """After response.done: what the MCP tools that were called answered (§3.8)."""
        for output in self.outputs:
            if output.is_running:
                yield self.stage.pace.of("first_delta")
                ended = mcpcalls.run(output)
                self._close(output, "completed")
                mcpcalls.tell(self.stage, ended, output)

    # --- parts of events

    def wire(self) -> Json:
        """The response object, key for key as recorded."""
        shown = [o.entry.wire for o in self.outputs if o.is_closed or o.kind == "mcp"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": None,
            "output": copy.deepcopy([*shown, *self._requests]),
            "conversation_id": self.plan.conversation_id,
            "output_modalities": [self.plan.modality],
            "max_output_tokens": self.plan.max_output_tokens,
            "audio": {"output": {"format": self.plan.audio_format, "voice": self.plan.voice_name}},
            "usage": None,
            "metadata": self.plan.metadata,
        }

    def _usage(self) -> Json:
        text = audio = 0
        for output in self.outputs:
            words = tokens.text_tokens(output.said)
            if output.is_call:
                text += words + budget.CALL_OVERHEAD if output.is_open else 0
            elif self.plan.modality == "audio":
                text += tokens.transcript_tokens(output.said)
                audio += self._audio_tokens(output)
            elif output.is_open:
                text += words + 2  # fitted: 12 pieces were billed 14
        cached = self.stage.ledger.cached(self._context)
        thought = self._budget.thought if self.outputs or self._budget.cut else 0
        text, audio = self._budget.billed(text + thought, audio)
        return tokens.usage(self._context, cached, text, audio, thought)

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
        place = self._place(output)
        del place["content_index"]
        call_id = output.entry.wire.get("call_id")
        return place if call_id is None else {**place, "call_id": call_id}

    @property
    def _bytes_per_ms(self) -> int:
        return bytes_per_ms(self.plan.audio_format["type"])

    def _obfuscation(self, piece: str) -> str:
        return self.stage.new_id("", max(0, OBFUSCATED_LENGTH - len(piece)))
