"""Transcripts of what the user said: which words, and the events that tell them (§3.4, §6).

The words come from whoever drives the engine (`jobs.Listen`). Where they were not
understood the transcript says how long the speech was, and no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import models, tokens
from .items import Entry
from .jobs import Failure, Heard, Listen, Result, Words
from .responses import Pause

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]

NAME = "conversation.item.input_audio_transcription"
LOGPROBS = "item.input_audio_transcription.logprobs"
DIARIZER = "gpt-4o-transcribe-diarize"
CERTAIN = -0.02  # a made-up log probability: the real ones depend on the sound


class Transcription:
    """Asks for the words of each turn and sends its transcript, where the session wants one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = 0
        self._waiting: dict[str, tuple[Entry, int, float]] = {}
        self._held_back: Iterator[Pause] | None = None  # the fault swap-transcriptions

    def begin(self, entry: Entry, pcm: bytes) -> None:
        """A turn was committed: ask which words it had."""
        self._turns += 1
        entry.listening = True
        self._waiting[entry.id] = (entry, self._turns, self._engine.time)
        heard = Heard(self._turns, (entry.spoken_ms or 0) / 1000, pcm)
        self._engine.ask(Listen(entry.id, heard))

    def take(self, job: Listen, result: Result) -> None:
        """The words are there: the conversation has them, the transcript may follow."""
        entry, turn, since = self._waiting.pop(job.item_id)
        entry.listening = False
        if isinstance(result, Words) and result.text is not None:
            entry.words = result.text
        if self._config is None:
            return
        delay = self._engine.pace.of("transcript") + self._engine.faults.late_transcription
        failed = isinstance(result, Failure) or self._engine.faults.of_transcript(turn)
        script = self._failed(entry) if failed else self._told(entry, result)
        script = self._while_there(entry, script)
        self._play(script, max(0.0, since + delay - self._engine.time))

    def _while_there(self, entry: Entry, script: Iterator[Pause]) -> Iterator[Pause]:
        """Nothing is told of an item once the client has deleted it."""
        while self._engine.items.get(entry.id) is entry:
            try:
                yield next(script)
            except StopIteration:
                return

    def _play(self, script: Iterator[Pause], delay: float) -> None:
        if not self._engine.faults.swap_transcriptions:
            return self._engine.play(script, delay)
        if self._held_back is None:
            self._held_back = script
            return
        first, self._held_back = self._held_back, None
        self._engine.play(_one_after_the_other(script, first), delay)

    @property
    def _config(self) -> Json | None:
        config: Json | None = self._engine.session["audio"]["input"]["transcription"]
        return config

    def _told(self, entry: Entry, result: Result) -> Iterator[Pause]:
        seconds = (entry.spoken_ms or 0) / 1000
        text = result.text if isinstance(result, Words) else None
        if text is None:
            text = f"({seconds:.1f} seconds of speech)" if seconds else ""
        head = {"item_id": entry.id, "content_index": 0}
        if self._config_is(DIARIZER) and text:
            self._engine.emit(self._segment(head, text, seconds))
        for piece in () if self._config_is(DIARIZER) else tokens.pieces(text):
            padding = self._engine.new_id("", max(0, 16 - len(piece)))
            delta = {"type": f"{NAME}.delta", **head, "delta": piece}
            self._engine.emit({**delta, **self._logprobs([piece]), "obfuscation": padding})
            yield self._engine.pace.of("text_delta")
        for part in entry.content:
            part["transcript"] = text
        done = {"type": f"{NAME}.completed", **head, "transcript": text}
        told = self._logprobs(tokens.pieces(text))
        self._engine.emit({**done, **told, "usage": self._usage(entry.audio_ms, text)})

    def _config_is(self, model: str) -> bool:
        return (self._config or {}).get("model") == model

    def _segment(self, head: Json, text: str, seconds: float) -> Json:
        """Documented, not captured: what one speaker said, instead of deltas. Here it is always the
        same speaker, and the whole turn."""
        place = {"speaker": "A", "start": 0.0, "end": round(seconds, 3)}
        told = {"id": self._engine.new_id("seg_", 21), "text": text}
        return {"type": f"{NAME}.segment", **head, **told, **place}

    def _failed(self, entry: Entry) -> Iterator[Pause]:
        """Captured (Azure, a model that is not deployed): the words; type and code are ours."""
        message = f"Input transcription failed for item '{entry.id}'."
        error = {"type": "server_error", "code": None, "message": message, "param": None}
        head = {"item_id": entry.id, "content_index": 0}
        self._engine.emit({"type": f"{NAME}.failed", **head, "error": error})
        yield 0.0

    def _logprobs(self, pieces: list[str]) -> Json:
        if LOGPROBS not in (self._engine.session.get("include") or ()):
            return {}
        known = [
            {"token": piece, "bytes": list(piece.encode()), "logprob": CERTAIN} for piece in pieces
        ]
        return {"logprobs": known}

    def _usage(self, audio_ms: int, text: str) -> Json:
        """§6: streaming models bill seconds, rounded up; the others bill tokens."""
        name = (self._config or {}).get("model")
        if name in models.STREAMING_TRANSCRIBERS or name == "whisper-1":
            return {"type": "duration", "seconds": math.ceil(audio_ms / 1000)}
        audio, words = tokens.user_audio_tokens(audio_ms), tokens.text_tokens(text)
        return {
            "type": "tokens",
            "total_tokens": audio + words,
            "input_tokens": audio,
            "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
            "output_tokens": words,
        }


def _one_after_the_other(*scripts: Iterator[Pause]) -> Iterator[Pause]:
    for script in scripts:
        yield from script
