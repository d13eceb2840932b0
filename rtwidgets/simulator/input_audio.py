"""What the user says: the input audio buffer and its turns.

Times on the wire are offsets into all that was ever appended (protocol facts §3.4).
The sound of a turn is kept for conversation.item.retrieve as far as there is room.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ..audio import decode
from . import g711, refusals
from .items import Entry
from .recordings import Recordings
from .transcription import Transcription
from .vad import MOST_PREFIX_MS, NOTICED_MS, ServerVad, Started, Stopped

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]

LEAST_COMMIT_MS = 100  # captured: "Expected at least 100ms of audio"
#: Captured, word for word.
NOBODY_SPOKE = (
    "No user speech was detected for a while. Please review the recorded audio: If the user was "
    "speaking, respond naturally. If not, follow up on their last message to keep the "
    "conversation going or ask if they're still there."
)


class InputAudio:
    """The buffer of one session. Its methods are the engine's rules for the input events."""

    def __init__(self, engine: Engine, recordings: Recordings) -> None:
        self._engine, self._recordings = engine, recordings
        self.transcription = Transcription(engine)
        self._appended_ms = 0.0
        self._held_from_ms = 0.0  # where that begins what a commit would take
        self._vad: ServerVad | None = None
        self._speaking: str | None = None  # the id announced for the turn that is being spoken
        self._before: deque[bytes] = deque()  # the padding before a turn that may begin now
        self._before_bytes = 0
        self._format: str = self._config["format"]["type"]
        self.session_changed()

    @property
    def _config(self) -> Json:
        config: Json = self._engine.session["audio"]["input"]
        return config

    @property
    def appended_ms(self) -> int:
        return round(self._appended_ms)

    def has_announced(self, item_id: str | None) -> bool:
        """Whether a turn that is being spoken will be the item of this id."""
        return item_id is not None and item_id == self._speaking

    def session_changed(self) -> None:
        """Take up the turn detection of the session as it is now."""
        wanted = self._config["turn_detection"]
        if wanted is None:
            if self._waits:  # what was kept for a turn that might begin is the buffer from now on
                self._held_from_ms = self._appended_ms - self._held_ms
                self._keep_what_was_before()
            self._vad = self._speaking = None
        elif self._vad is None:
            self._vad = ServerVad(wanted, self._appended_ms)
        else:
            self._vad.configure(wanted)
        self._format_changed()
        padding = (wanted or {}).get("prefix_padding_ms", 300)
        before_ms = max(min(padding, MOST_PREFIX_MS) + NOTICED_MS, LEAST_COMMIT_MS)
        self._most_before = before_ms * self._bytes_per_ms

    def _format_changed(self) -> None:
        """What is in the buffer goes on in the new format: a turn has one format, and a length.

        Documented is that the format may be updated, not what becomes of a buffer under way.
        """
        before, now = self._format, self._config["format"]["type"]
        self._format, self._bytes_per_ms = now, g711.bytes_per_ms(now)
        if before == now:
            return

        def convert(sound: bytes) -> bytes:
            return g711.from_pcm(g711.to_pcm(sound, before), now)

        self._recordings.convert(self._key, convert)
        kept = convert(b"".join(self._before))
        self._before, self._before_bytes = deque([kept] if kept else []), len(kept)

    def milliseconds_of(self, audio: str) -> int:
        """How long base64 audio lasts in the session's input format."""
        return round(len(decode(audio)) / self._bytes_per_ms)

    def append(self, data: bytes) -> None:
        """Take sound in the session's input format."""
        found: list[tuple[float, Started | Stopped]] = []
        if self._vad is not None:
            found = self._vad.hear_when(g711.to_pcm(data, self._config["format"]["type"]))
        for when, heard in found:  # one append may hold several turns: each gets its own sound
            data = self._take_in(data, when)
            self._started(heard) if isinstance(heard, Started) else self._stopped(heard)
        self._take_in(data)
        if self._speaking is not None and self.transcription.is_ahead:
            self.transcription.hears(self._appended_ms - self._held_from_ms)

    def _take_in(self, data: bytes, until_ms: float | None = None) -> bytes:
        """Count and keep `data`, or what of it comes before `until_ms`; returns what is left."""
        size = len(data)
        if until_ms is not None:
            size = max(0, min(size, round((until_ms - self._appended_ms) * self._bytes_per_ms)))
        self._appended_ms += size / self._bytes_per_ms
        self._keep(data[:size])
        return data[size:]

    def clear(self) -> None:
        self._held_from_ms = self._appended_ms
        self._speaking = None
        self._recordings.drop(self._key)
        self._forget()
        self._engine.emit({"type": "input_audio_buffer.cleared"})

    def commit(self) -> None:
        """A manual commit: a user item and nothing more (no response, §3.4)."""
        held = self._held_ms
        if held < LEAST_COMMIT_MS:
            raise refusals.buffer_too_small(held)
        if self._waits:
            self._keep_what_was_before()
        item_id = self._speaking or self._new_item_id()
        self._speaking = None
        self._forget()
        self._engine.idle.stop()
        self._take_turn(item_id, held, round(held))

    @property
    def _waits(self) -> bool:
        """Whether turn detection listens and nobody speaks."""
        return self._vad is not None and self._speaking is None

    @property
    def _held_ms(self) -> float:
        """How much a commit would take: of a silence only so much is kept, and no more billed."""
        held = self._appended_ms - self._held_from_ms
        return min(held, self._before_bytes / self._bytes_per_ms) if self._waits else held

    def time_out(self, from_ms: int) -> None:
        """Nobody spoke for idle_timeout_ms: a word to the model, and an empty turn of the user's.

        Captured (gpt-realtime-2.1-mini, in pydantic-ai's recordings): the system's item stands
        between timeout_triggered and committed; §2g did not know of it yet.
        """
        item_id = self._new_item_id()
        event = {"type": "input_audio_buffer.timeout_triggered", "audio_start_ms": from_ms}
        self._engine.emit({**event, "audio_end_ms": self.appended_ms, "item_id": item_id})
        self._forget()
        content = [{"type": "input_text", "text": NOBODY_SPOKE}]
        item = {"type": "message", "role": "system", "content": content}
        told = self._engine.entry_of(item)
        self._engine.item_events(told, self._engine.items.add(told))
        self._take_turn(item_id, self.appended_ms - from_ms, 0)

    def _forget(self) -> None:
        self._before.clear()
        self._before_bytes = 0
        if self._vad is not None:
            self._vad.forget(self._appended_ms)

    # --- the sound itself

    @property
    def _key(self) -> str:
        session_id: str = self._engine.session["id"]
        return session_id

    def _keep(self, data: bytes) -> None:
        if self._vad is None or self._speaking is not None:
            return self._recordings.add(self._key, data)
        self._before.append(data)
        self._before_bytes += len(data)
        while self._before_bytes - len(self._before[0]) >= self._most_before + len(data):
            self._before_bytes -= len(self._before.popleft())

    def _keep_what_was_before(self, from_ms: float = 0.0) -> None:
        since = round((self._appended_ms - from_ms) * self._bytes_per_ms) // 2 * 2
        self._recordings.drop(self._key)
        self._recordings.add(self._key, b"".join(self._before)[-since:] if since else b"")
        self._before.clear()
        self._before_bytes = 0

    # --- turn detection

    def _started(self, heard: Started) -> None:
        self._speaking = self._new_item_id()
        self._held_from_ms = max(self._held_from_ms, heard.at_ms)
        self._keep_what_was_before(heard.at_ms)
        event = {"type": "input_audio_buffer.speech_started", "audio_start_ms": heard.at_ms}
        self._engine.emit({**event, "item_id": self._speaking})
        self.transcription.turn_begins(self._speaking)
        self._engine.idle.stop()
        if self._config["turn_detection"].get("interrupt_response", True):
            self._engine.floor.interrupt()

    def _stopped(self, heard: Stopped) -> None:
        item_id = self._speaking or self._new_item_id()
        self._speaking = None
        event = {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": heard.at_ms}
        self._engine.emit({**event, "item_id": item_id})
        self._take_turn(item_id, heard.at_ms - heard.started_ms, heard.spoken_ms)
        if self._config["turn_detection"].get("create_response", True):
            self._engine.floor.answer_turn()

    # --- turns

    def _new_item_id(self) -> str:
        return self._engine.new_id("item_", 21)

    def _take_turn(self, item_id: str, audio_ms: float, spoken_ms: int) -> None:
        self._held_from_ms = self._appended_ms
        self._recordings.finish(self._key, item_id, round(audio_ms) * self._bytes_per_ms)
        content = [{"type": "input_audio", "transcript": None}]
        wire: Json = {"id": item_id, "type": "message", "status": "completed"}
        wire |= {"role": "user", "content": content}
        entry = Entry(wire, audio_ms=round(audio_ms), spoken_ms=spoken_ms)
        previous = self._engine.items.tail_id()
        event = {"type": "input_audio_buffer.committed", "previous_item_id": previous}
        self._engine.emit({**event, "item_id": item_id})
        self._engine.item_events(entry, self._engine.items.add(entry))
        kept = self._recordings.get(item_id)
        self.transcription.begin(entry, g711.to_pcm(kept, self._config["format"]["type"]))
