"""Transcripts of what the user said: which words, and the events that tell them (§3.4, §6).

The words come from whoever drives the engine (`jobs.Listen`). Where they were not
understood the transcript says how long the speech was, and no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import models, tokens
from .items import Entry
from .jobs import Failure, Foresee, Heard, Listen, Result, Words
from .responses import Pause

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]

NAME = "conversation.item.input_audio_transcription"
LOGPROBS = "item.input_audio_transcription.logprobs"
DIARIZER = "gpt-4o-transcribe-diarize"
WHISPER = "whisper-1"
#: A streaming transcriber tells a piece for every so much speech, so much behind it: assumptions.
PIECE_MS, BEHIND_MS = 300, 600
CERTAIN = -0.02  # a made-up log probability: the real ones depend on the sound


@dataclass
class Ahead:
    """The words of a turn that is still being spoken: what will be told, how much of it was."""

    item_id: str
    pieces: list[str]
    told: int = 0


class Transcription:
    """Asks for the words of each turn and sends its transcript, where the session wants one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = 0
        self._waiting: dict[str, tuple[Entry, int, int, float]] = {}
        self._held_back: Iterator[Pause] | None = None  # the fault swap-transcriptions
        self._ahead: Ahead | None = None

    # --- while the user speaks

    def turn_begins(self, item_id: str) -> None:
        """§3.4: a streaming transcriber's deltas may come before the item is there."""
        self._ahead = None
        faults = self._engine.faults
        if faults.late_transcription or faults.swap_transcriptions:
            return
        if self._config_is(*models.STREAMING_TRANSCRIBERS):
            self._engine.ask(Foresee(item_id, self._turns + 1))

    def foreseen(self, job: Foresee, result: Result) -> None:
        """The words are known already: they are told while they are spoken."""
        spoken_still = self._engine.input.has_announced(job.item_id)
        if spoken_still and isinstance(result, Words) and result.text:
            self._ahead = Ahead(job.item_id, tokens.pieces(result.text))

    @property
    def is_ahead(self) -> bool:
        return self._ahead is not None

    def hears(self, milliseconds: float) -> None:
        """So much of the turn that is being spoken was heard by now."""
        assert self._ahead is not None
        known = int(max(0.0, milliseconds - BEHIND_MS) // PIECE_MS)
        for piece in self._ahead.pieces[self._ahead.told : known]:
            self._tell_piece(self._ahead.item_id, piece)
            self._ahead.told += 1

    def _tell_piece(self, item_id: str, piece: str) -> None:
        padding = self._engine.new_id("", max(0, 16 - len(piece)))
        delta = {"type": f"{NAME}.delta", "item_id": item_id, "content_index": 0, "delta": piece}
        self._engine.emit({**delta, **self._logprobs([piece]), "obfuscation": padding})

    # --- once it is over

    def begin(self, entry: Entry, pcm: bytes) -> None:
        """A turn was committed: ask which words it had."""
        ahead, self._ahead = self._ahead, None
        told = ahead.told if ahead is not None and ahead.item_id == entry.id else 0
        self._turns += 1
        entry.listening = True
        self._waiting[entry.id] = (entry, self._turns, told, self._engine.time)
        heard = Heard(self._turns, (entry.spoken_ms or 0) / 1000, pcm)
        self._engine.ask(Listen(entry.id, heard))

    def take(self, job: Listen, result: Result) -> None:
        """The words are there: the conversation has them, the transcript may follow."""
        entry, turn, told, since = self._waiting.pop(job.item_id)
        entry.listening = False
        if isinstance(result, Words) and result.text is not None:
            entry.words = result.text
        if self._config is None:
            return
        delay = self._engine.pace.of("transcript") + self._engine.faults.late_transcription
        failed = isinstance(result, Failure) or self._engine.faults.of_transcript(turn)
        script = self._failed(entry) if failed else self._told(entry, result, told)
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

    def _told(self, entry: Entry, result: Result, ahead: int) -> Iterator[Pause]:
        """The transcript; `ahead` of its pieces were told while it was being spoken."""
        seconds = (entry.spoken_ms or 0) / 1000
        text = result.text if isinstance(result, Words) else None
        if text is None:
            text = f"({seconds:.1f} seconds of speech)" if seconds else ""
        head = {"item_id": entry.id, "content_index": 0}
        if self._config_is(DIARIZER) and text:
            self._engine.emit(self._segment(head, text, seconds))
        for piece in self._pieces(text)[ahead:]:
            self._tell_piece(entry.id, piece)
            yield self._engine.pace.of("text_delta")
        for part in entry.content:
            part["transcript"] = text
        done = {"type": f"{NAME}.completed", **head, "transcript": text}
        told = self._logprobs(tokens.pieces(text))
        self._engine.emit({**done, **told, "usage": self._usage(entry, text)})

    def _pieces(self, text: str) -> list[str]:
        """What comes as one delta each. Documented: of whisper-1 the whole transcript in one."""
        if self._config_is(WHISPER):
            return [text] if text else []
        return [] if self._config_is(DIARIZER) else tokens.pieces(text)

    def _config_is(self, *names: str) -> bool:
        return (self._config or {}).get("model") in names

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

    def _usage(self, entry: Entry, text: str) -> Json:
        """§6: streaming models bill seconds, rounded up; the others bill tokens.

        Captured: the silence that only the idle timeout made is 0 seconds long.
        """
        if self._config_is(*models.STREAMING_TRANSCRIBERS, WHISPER):
            billed_ms = entry.audio_ms if entry.spoken_ms else 0
            return {"type": "duration", "seconds": math.ceil(billed_ms / 1000)}
        audio, words = tokens.user_audio_tokens(entry.audio_ms), tokens.text_tokens(text)
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
