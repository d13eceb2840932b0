"""Hugging Face's speech-to-speech realtime server, with a script in place of its models.

Theirs, as the package has them: the router, the service, the WebSocket transport, uvicorn, the
stages between the models (TranscriptionNotifier, LMOutputProcessor), the queues and the cancelling.
Ours, where models would have to be downloaded: loudness for their voice detector and recogniser, a
few sentences for the language model, a hum for the voice. Prints the address as its first line.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import numpy as np
import uvicorn
from openai.types.realtime.conversation_item import RealtimeConversationItemFunctionCall
from openai.types.responses.response_function_tool_call import ResponseFunctionToolCall
from speech_to_speech.api.openai_realtime.pipeline_unit import PipelineUnit
from speech_to_speech.api.openai_realtime.service import RealtimeService
from speech_to_speech.api.openai_realtime.websocket_router import create_app
from speech_to_speech.baseHandler import BaseHandler
from speech_to_speech.LLM.chat import make_assistant_message
from speech_to_speech.LLM.lm_output_processor import LMOutputProcessor
from speech_to_speech.pipeline.cancel_scope import CancelScope
from speech_to_speech.pipeline.events import SpeechStartedEvent, SpeechStoppedEvent
from speech_to_speech.pipeline.history import ResponseHistory
from speech_to_speech.pipeline.messages import (
    AUDIO_RESPONSE_DONE,
    EndOfResponse,
    GenerateResponseRequest,
    LLMResponseChunk,
    TokenUsage,
    Transcription,
    TTSInput,
)
from speech_to_speech.STT.transcription_notifier import TranscriptionNotifier

RATE = 16000  # their pipeline's own
CHUNK = 512  # samples
LOUD, QUIET_CHUNKS = 500, 16  # half a second of quiet ends a turn
CHARACTER_SECONDS = 0.06  # of speech
HEARD = "Who are you?"  # what every spoken turn is understood as


class Ears(BaseHandler):
    """In place of the voice detector and the recogniser: what is loud is speech."""

    def setup(self, text_output_queue: Any) -> None:
        self.said = text_output_queue
        self.on_session_end()

    def on_session_end(self) -> None:
        self.chunks = self.start = self.quiet = 0
        self.speaking = False

    def process(self, item: Any) -> Iterator[Transcription]:
        samples = np.frombuffer(item[0] if isinstance(item, tuple) else item, np.int16)
        self.chunks += 1
        loud = int(np.abs(samples.astype(int)).max(initial=0)) > LOUD
        self.quiet = 0 if loud else self.quiet + 1
        if loud and not self.speaking:
            self.speaking, self.start = True, self.chunks
            self.said.put(SpeechStartedEvent(audio_start_ms=self._ms(self.chunks)))
        elif self.speaking and self.quiet >= QUIET_CHUNKS:
            self.speaking = False
            seconds = (self.chunks - self.start) * CHUNK / RATE
            end = self._ms(self.chunks)
            self.said.put(SpeechStoppedEvent(duration_s=seconds, audio_end_ms=end))
            yield Transcription(text=HEARD)

    def _ms(self, chunks: int) -> int:
        return chunks * CHUNK * 1000 // RATE


class Script(BaseHandler):
    """In place of the language model: it remembers a name, calls a function, and is a guide."""

    def setup(self, cancel_scope: CancelScope) -> None:
        self.cancel_scope = cancel_scope

    def process(self, request: GenerateResponseRequest) -> Iterator[Any]:
        chat, generation = request.runtime_config.chat, self.cancel_scope.generation
        anchor, items = chat.history_anchor_id(), list(chat.copy().buffer)
        of = {
            "turn_id": request.turn_id,
            "turn_revision": request.turn_revision,
            "cancel_generation": generation,
            "response_key": request.response_key,
        }
        config = {"runtime_config": request.runtime_config, "response": request.response, **of}
        aside = request.response is not None and request.response.conversation == "none"
        call = None if aside else called(items, request.runtime_config.session.tools)
        if call is not None:
            written: Any = RealtimeConversationItemFunctionCall(
                type="function_call", name=call.name, arguments=call.arguments, call_id=call.call_id
            )
            history = ResponseHistory.capture(chat, [written], after_item_id=anchor)
            yield LLMResponseChunk(tools=[call], history=history, **config)
        else:
            answer = said(items)
            written = make_assistant_message(answer)
            yield LLMResponseChunk(text=answer, **config)
        yield TokenUsage(input_tokens=20 * (1 + len(items)), output_tokens=12, **of)
        whole = ResponseHistory.capture(chat, [written], after_item_id=anchor, complete=True)
        yield EndOfResponse(
            history=None if aside else whole, input_tool_call_ids=chat.tool_output_call_ids(), **of
        )


def words(item: Any) -> str:
    parts = getattr(item, "content", None) or []
    return " ".join(filter(None, (getattr(part, "text", None) for part in parts)))


def called(items: list[Any], tools: Any) -> ResponseFunctionToolCall | None:
    """The call that the user's last words ask for, if it was not made yet."""
    last = next((item for item in reversed(items) if item.type == "message"), None)
    names = [tool.name for tool in tools or [] if getattr(tool, "name", None)]
    answered = bool(items) and items[-1].type == "function_call_output"
    if last is None or answered or "weather in" not in words(last) or not names:
        return None
    city = words(last).partition("weather in ")[2].strip("?. ")
    return ResponseFunctionToolCall(
        type="function_call",
        name=names[0],
        arguments=json.dumps({"city": city}),
        call_id=f"call_{len(items)}",
    )


def said(items: list[Any]) -> str:
    """What the guide answers to the conversation so far."""
    if not items or items[-1].type == "message" and items[-1].role != "user":
        return "Welcome to the museum, dear visitor!"
    if items[-1].type == "function_call_output":
        return str(items[-1].output)
    asked = words(items[-1])
    if "my name?" in asked:
        told = [words(item) for item in items if "My name is" in words(item)]
        name = told[-1].partition("My name is ")[2].strip(". ") if told else "unknown"
        return f"Your name is {name}, as you told me."
    if "My name is" in asked:
        return "What a beautiful name that is!"
    if "story" in asked:
        return "Once upon a time there was a fossil, and it slept in the deep dark sea. " * 3
    return "I am your guide through the museum."


class Voice(BaseHandler):
    """In place of the voice: a hum as long as the words take, three times as fast as speech."""

    def setup(self, cancel_scope: CancelScope) -> None:
        self.cancel_scope = cancel_scope

    def process(self, item: Any) -> Iterator[Any]:
        if isinstance(item, EndOfResponse):
            yield AUDIO_RESPONSE_DONE
        elif isinstance(item, TTSInput):
            count = round(len(item.text) * CHARACTER_SECONDS * RATE / CHUNK)
            for number in range(count):
                if self.cancel_scope.is_stale(item.cancel_generation):
                    return
                at = np.arange(number * CHUNK, (number + 1) * CHUNK) / RATE
                yield (6000 * np.sin(2 * np.pi * 180 * at)).astype(np.int16)
                self.stop_event.wait(CHUNK / RATE / 3)


def pipeline(stop: threading.Event, index: int) -> PipelineUnit:
    """One unit of their pool, wired as `s2s_pipeline` wires it."""
    listen, playing, scope = threading.Event(), threading.Event(), CancelScope()
    listen.set()
    heard, understood, asked, answered, processed, spoken, told = (Queue[Any]() for _ in range(7))
    service = RealtimeService(text_prompt_queue=asked, should_listen=listen)
    notes = {"text_output_queue": told}
    handlers: list[Any] = [
        Ears(stop, heard, understood, setup_kwargs=notes),
        TranscriptionNotifier(
            stop, understood, asked, setup_kwargs={**notes, "should_listen": listen}
        ),
        Script(stop, asked, answered, setup_kwargs={"cancel_scope": scope}),
        LMOutputProcessor(stop, answered, processed, setup_kwargs=notes),
        Voice(stop, processed, spoken, setup_kwargs={"cancel_scope": scope}),
    ]
    for handler in handlers:
        handler.turn_latency_store = service.turn_latency_store
    return PipelineUnit(
        index=index,
        service=service,
        cancel_scope=scope,
        should_listen=listen,
        response_playing=playing,
        input_queue=heard,
        output_queue=spoken,
        text_output_queue=told,
        text_prompt_queue=asked,
        handlers=handlers,
    )


def main() -> None:
    stop = threading.Event()
    pool = [pipeline(stop, index) for index in range(2)]  # one drains while the next is used
    for handler in (handler for unit in pool for handler in unit.handlers):
        threading.Thread(target=handler.run, daemon=True).start()
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"ws://127.0.0.1:{listening.getsockname()[1]}/v1/realtime", flush=True)
    config = uvicorn.Config(create_app(pool, stop), log_level="warning")
    uvicorn.Server(config).run(sockets=[listening])


main()
