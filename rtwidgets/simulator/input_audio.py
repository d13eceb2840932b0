"""What the user says: the input audio buffer, its turns, their transcripts.

The sound itself is not kept, only how much of it there is: times on the wire are
offsets into all that was ever appended (protocol facts §3.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..audio import decode
from . import g711, models, refusals, tokens
from .items import Entry
from .responses import Pause
from .vad import ServerVad, Started, Stopped

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]

LEAST_COMMIT_MS = 100  # captured: "Expected at least 100ms of audio"


class InputAudio:
    """The buffer of one session. Its methods are the engine's rules for the input events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._appended_ms = 0.0
        self._committed_ms = 0.0
        self._vad: ServerVad | None = None
        self._speaking: str | None = None  # the id of the item that is being spoken
        self.session_changed()

    @property
    def _config(self) -> Json:
        config: Json = self._engine.session["audio"]["input"]
        return config

    def session_changed(self) -> None:
        """Take up the turn detection of the session as it is now."""
        wanted = self._config["turn_detection"]
        if wanted is None:
            self._vad = self._speaking = None
        elif self._vad is None:
            self._vad = ServerVad(wanted, self._appended_ms)
        else:
            self._vad.configure(wanted)

    def milliseconds_of(self, audio: str) -> int:
        """How long base64 audio lasts in the session's input format."""
        return round(self._duration(decode(audio)))

    def _duration(self, data: bytes) -> float:
        return len(data) / g711.bytes_per_ms(self._config["format"]["type"])

    def append(self, audio: str) -> None:
        data = decode(audio)
        self._appended_ms += self._duration(data)
        if self._vad is None:
            return
        pcm = g711.to_pcm(data, self._config["format"]["type"])
        for heard in self._vad.hear(pcm):
            self._started(heard) if isinstance(heard, Started) else self._stopped(heard)

    def clear(self) -> None:
        self._committed_ms = self._appended_ms
        self._speaking = None
        if self._vad is not None:
            self._vad.forget(self._appended_ms)
        self._engine.emit({"type": "input_audio_buffer.cleared"})

    def commit(self) -> None:
        """A manual commit: a user item and nothing more (no response, §3.4)."""
        held = self._appended_ms - self._committed_ms
        if held < LEAST_COMMIT_MS:
            raise refusals.buffer_too_small(held)
        item_id = self._speaking or self._new_item_id()
        self._speaking = None
        if self._vad is not None:
            self._vad.forget(self._appended_ms)
        self._take_turn(item_id, held, round(held))

    # --- turn detection

    def _started(self, heard: Started) -> None:
        self._speaking = self._new_item_id()
        event = {"type": "input_audio_buffer.speech_started", "audio_start_ms": heard.at_ms}
        self._engine.emit({**event, "item_id": self._speaking})
        if self._config["turn_detection"].get("interrupt_response", True):
            self._engine.interrupt()

    def _stopped(self, heard: Stopped) -> None:
        item_id = self._speaking or self._new_item_id()
        self._speaking = None
        event = {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": heard.at_ms}
        self._engine.emit({**event, "item_id": item_id})
        self._take_turn(item_id, heard.at_ms - heard.started_ms, heard.spoken_ms)
        if self._config["turn_detection"].get("create_response", True):
            self._engine.answer_turn()

    # --- turns

    def _new_item_id(self) -> str:
        return self._engine.new_id("item_", 21)

    def _take_turn(self, item_id: str, audio_ms: float, spoken_ms: int) -> None:
        self._committed_ms = self._appended_ms
        content = [{"type": "input_audio", "transcript": None}]
        wire: Json = {"id": item_id, "type": "message", "status": "completed"}
        wire |= {"role": "user", "content": content}
        entry = Entry(wire, audio_ms=round(audio_ms), spoken_ms=spoken_ms)
        previous = self._engine.items.tail_id()
        event = {"type": "input_audio_buffer.committed", "previous_item_id": previous}
        self._engine.emit({**event, "item_id": item_id})
        self._engine.item_events(entry, self._engine.items.add(entry))
        if self._config["transcription"] is not None:
            self._engine.play(self._transcribe(entry), self._engine.latency.transcript)

    def _transcribe(self, entry: Entry) -> Iterator[Pause]:
        """What was said, as far as a simulator that understands no words can tell."""
        seconds = entry.spoken_ms / 1000
        text = f"({seconds:.1f} seconds of speech)"
        head = {"item_id": entry.id, "content_index": 0}
        name = "conversation.item.input_audio_transcription"
        for piece in tokens.pieces(text):
            padding = self._engine.new_id("", max(0, 16 - len(piece)))
            delta = {"type": f"{name}.delta", **head, "delta": piece}
            self._engine.emit({**delta, "obfuscation": padding})
            yield self._engine.latency.text_delta
        for part in entry.content:
            part["transcript"] = text
        usage = self._transcript_usage(entry.audio_ms, text)
        self._engine.emit({"type": f"{name}.completed", **head, "transcript": text, "usage": usage})

    def _transcript_usage(self, audio_ms: int, text: str) -> Json:
        """§6: streaming models bill seconds, rounded up; the others bill tokens."""
        name = (self._config["transcription"] or {}).get("model")
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
