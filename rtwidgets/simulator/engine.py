"""One simulated session: client frames in, server frames out.

No I/O, no clock, no chance: `now` (seconds, any origin) and ids are handed in, and
what takes time is a job for whoever drives the engine (`jobs.py`). A driver does
this, over and over:

    engine.receive(frame, now)          # for every frame of the client
    for job in engine.take_jobs():      # do it, on any thread, then:
        engine.deliver(job, result, now)
    for event in engine.take(now):      # send each, as JSON text
    engine.due()                        # when to come back, None: not before the next frame
    engine.closing                      # (code, reason) once the line shall end, after take()

Everything that happens inside happens in the order of its time, never earlier
than it is due, so the same frames at the same times give the same events.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import models, refusals, schema, sessions
from .input_audio import InputAudio
from .items import Entry, Items, entry_from_client, whole_words
from .jobs import Answer, Job, NewId, Result, Speak, Think
from .latency import NONE, Latency
from .planning import plan_for
from .refusals import Refusal
from .responses import Pause, Response, Stage
from .tokens import Ledger

Json = dict[str, Any]

RATE_LIMIT = 15_000_000  # captured: {"name":"tokens","limit":15000000,…}


@dataclass(frozen=True)
class Rule:
    """What one client event may do: read a row of RULES as a sentence."""

    method: str  # of Engine, called with the event
    answers: str
    refused_when: str
    source: str


#: What each client event may do, and when it may not. Shape is judged before (schema.py).
RULES: dict[str, Rule] = {
    "session.update": Rule(
        "_session_update",
        "session.updated with the whole session; only present fields change",
        "other session type; other voice once the assistant has sounded: nothing is applied",
        "facts §1.4, §2; recorded",
    ),
    "session.close": Rule(
        "_session_close",
        "the line closes with 1000",
        "never",
        "named by the live server's list of types; what it does is our assumption",
    ),
    "input_audio_buffer.append": Rule(
        "_append",
        "nothing; turn detection may answer with speech_started, speech_stopped …",
        "never, once it is base64",
        "facts §1.1, §3.4",
    ),
    "session.input_audio_buffer.append": Rule(
        "_append",
        "as input_audio_buffer.append",
        "never, once it is base64",
        "named by the live server's list of types; taken as the same thing",
    ),
    "input_audio_buffer.commit": Rule(
        "_commit",
        "input_audio_buffer.committed, conversation.item.added, .done; then nothing",
        "less than 100 ms since the last commit",
        "facts §3.4, §4.2; captured",
    ),
    "input_audio_buffer.clear": Rule("_clear", "input_audio_buffer.cleared", "never", "facts §1.1"),
    "conversation.item.create": Rule(
        "_item_create",
        "conversation.item.added, .done",
        "id taken; previous item unknown; output of a call that is not there",
        "facts §1.1, §2a; recorded",
    ),
    "conversation.item.truncate": Rule(
        "_item_truncate",
        "conversation.item.truncated; the transcript goes",
        "item unknown, or not audio of the model; beyond its audio: refused and still truncated",
        "facts §3.5, errors.jsonl truncate_beyond_audio",
    ),
    "conversation.item.delete": Rule(
        "_item_delete", "conversation.item.deleted", "item unknown", "facts §1.1, §4.2"
    ),
    "conversation.item.retrieve": Rule(
        "_item_retrieve", "conversation.item.retrieved", "item unknown", "facts §1.1, §4.2"
    ),
    "response.create": Rule(
        "_response_create",
        "response.created … response.done, rate_limits.updated",
        "a response is active in the conversation (out of band ones run beside it)",
        "facts §1.5, §2, §3.1; recorded",
    ),
    "response.cancel": Rule(
        "_response_cancel",
        "the open .done events, then response.done cancelled",
        "nothing is active",
        "facts §3.5, §4.2",
    ),
}


@dataclass
class Play:
    """A running script and when to go on with it (None: when a job is delivered)."""

    script: Iterator[Pause]
    wake: float | None
    response: Response | None = None


class Engine:
    """One session. See the module's docstring for how to drive it."""

    def __init__(
        self,
        model: str,
        new_id: NewId,
        now: float = 0.0,
        *,
        latency: Latency = NONE,
        intent: str = "realtime",
        wall_clock: float = 0.0,
        lifetime: float | None = None,
        configuration: Json | None = None,
    ) -> None:
        """
        model: what the client connected to. new_id: see `jobs.NewId`.
        wall_clock: Unix time at `now`, only shown in `expires_at`.
        lifetime: seconds until the session is expired, None for never.
        configuration: a session as in session.update, bound to a client secret.
        """
        self.model, self.new_id, self.latency = model, new_id, latency
        self.now = now
        self.closing: tuple[int, str] | None = None
        self.items, self.ledger = Items(), Ledger()
        self.conversation_id = new_id("conv_", 21)
        self.active: Response | None = None
        self.replies = 0
        self.has_assistant_audio = False
        self._expires = None if lifetime is None else now + lifetime
        self._inbox: deque[tuple[float, str | bytes]] = deque()
        self._outbox: list[Json] = []
        self._jobs: list[Job] = []
        self._plays: list[Play] = []
        session_id = new_id(models.SESSION_ID_PREFIX, 21)
        expires_at = int(wall_clock) + models.SESSION_SECONDS
        if intent == "transcription":
            self.session = models.transcription_session(session_id, expires_at)
        else:
            self.session = models.realtime_session(model, session_id, expires_at)
        self.input = InputAudio(self)
        if configuration:
            self.session = sessions.merged(self.session, configuration)
        self._play(self._greet(), latency.line)

    # --- the four verbs

    def receive(self, frame: str | bytes, now: float) -> None:
        """Take one frame of the client: text, or bytes for a binary frame."""
        self._inbox.append((now + self.latency.line, frame))

    def take_jobs(self) -> list[Job]:
        """Jobs to do now. Call after `receive` and after `take`."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def deliver(self, job: Job, result: Result, now: float) -> None:
        """Hand in what came of a job; ignored when its response is over."""
        play = self._play_of(job.response_id)
        if play is None or play.response is None:
            return
        if isinstance(job, Think) and isinstance(result, Answer):
            play.response.answered(result)
        elif isinstance(job, Speak) and isinstance(result, bytes):
            play.response.sounded(job.output_index, result)
        if play.wake is None:
            play.wake = max(now, self.now)

    def _play_of(self, response_id: str) -> Play | None:
        plays = (play for play in self._plays if play.response is not None)
        return next((p for p in plays if p.response and p.response.id == response_id), None)

    def due(self) -> float | None:
        """The earliest time at which `take` would do something."""
        times = [play.wake for play in self._plays if play.wake is not None]
        times += [self._inbox[0][0]] if self._inbox else []
        times += [self._expires] if self._expires is not None else []
        return min(times, default=None) if not self._outbox else self.now

    def take(self, now: float) -> list[Json]:
        """Everything that happens up to `now`: events to send, in order."""
        while self.closing is None:
            when = self._next()
            if when is None or when[0] > now:
                break
            self.now = max(self.now, when[0])
            when[1]()
        self.now = max(self.now, now)
        events, self._outbox = self._outbox, []
        return events

    def _next(self) -> tuple[float, Callable[[], None]] | None:
        """The next thing to happen: a script before a frame of the same moment."""
        best: tuple[float, Callable[[], None]] | None = None
        for play in self._plays:
            if play.wake is not None and (best is None or play.wake < best[0]):
                best = (play.wake, partial(self._advance, play))
        if self._inbox and (best is None or self._inbox[0][0] < best[0]):
            best = (self._inbox[0][0], self._read)
        if self._expires is not None and (best is None or self._expires < best[0]):
            best = (self._expires, self._expire)
        return best

    # --- scripts

    def _play(
        self, script: Iterator[Pause], delay: float, response: Response | None = None
    ) -> None:
        self._plays.append(Play(script, self.now + delay, response))

    def play(self, script: Iterator[Pause], delay: float = 0.0) -> None:
        """Let `script` run from `delay` seconds after now."""
        self._play(script, delay)

    def _advance(self, play: Play) -> None:
        try:
            pause = next(play.script)
        except StopIteration:
            self._plays.remove(play)
            if play.response is not None:
                self._ended(play.response)
            return
        play.wake = None if pause is None else self.now + pause

    def _greet(self) -> Iterator[Pause]:
        # §3.10: session.created first and alone; OpenAI sends no conversation.created.
        self.emit({"type": "session.created", "session": self._shown_session()})
        return
        yield

    def _expire(self) -> None:
        self._refuse(refusals.session_expired(), None)
        self.closing = (1001, refusals.session_expired().message)  # captured

    # --- frames

    def emit(self, event: Json) -> None:
        """Send one event: its event_id comes right after its type, as recorded."""
        head = {"type": event["type"], "event_id": self.new_id("event_", 21)}
        self._outbox.append({**head, **event})

    def _refuse(self, refusal: Refusal, client_event_id: str | None) -> None:
        self.emit({"type": "error", "error": refusal.error(client_event_id)})

    def _read(self) -> None:
        _, frame = self._inbox.popleft()
        event: Json = {}
        try:
            event = schema.parsed(frame)
            schema.check(event)
            getattr(self, RULES[event["type"]].method)(event)
        except Refusal as refusal:
            self._refuse(refusal, schema.event_id_of(event))

    # --- session

    def _shown_session(self) -> Json:
        return copy.deepcopy(self.session)

    def _session_update(self, event: Json) -> None:
        changes = event["session"]
        if self.has_assistant_audio and sessions.changes_voice(self.session, changes):
            raise refusals.voice_is_fixed()
        self.session = sessions.merged(self.session, changes)
        self.input.session_changed()
        self.emit({"type": "session.updated", "session": self._shown_session()})

    def _session_close(self, event: Json) -> None:
        self.closing = (1000, "")

    # --- items

    def _item_create(self, event: Json) -> None:
        item = event["item"]
        if item["type"] == "function_call_output" and not self.items.has_call(item["call_id"]):
            raise refusals.no_such_call(item["call_id"])
        entry = self._entry(item)
        previous = self.items.add(entry, event.get("previous_item_id"))
        self.item_events(entry, previous)

    def _entry(self, item: Json) -> Entry:
        audio_ms = sum(
            self.input.milliseconds_of(part["audio"])
            for part in item.get("content", ())
            if part["type"] == "input_audio"
        )
        return entry_from_client(
            item, self.new_id("item_", 21), self.new_id("call_", 16), audio_ms=audio_ms
        )

    def item_events(self, entry: Entry, previous: str | None) -> None:
        """conversation.item.added and .done of an item that is complete when it comes."""
        for what in ("added", "done"):
            event = {"type": f"conversation.item.{what}", "previous_item_id": previous}
            self.emit({**event, "item": copy.deepcopy(entry.wire)})

    def _item_retrieve(self, event: Json) -> None:
        entry = self.items.get(event["item_id"])
        if entry is None:
            raise refusals.no_such_item("retrieve", event["item_id"])
        item = copy.deepcopy(entry.wire)
        self.emit({"type": "conversation.item.retrieved", "item": item})

    def _item_delete(self, event: Json) -> None:
        self.items.remove(event["item_id"])
        self.emit({"type": "conversation.item.deleted", "item_id": event["item_id"]})

    def _item_truncate(self, event: Json) -> None:
        entry = self.items.get(event["item_id"])
        if entry is None:
            raise refusals.no_item_to_truncate(event["item_id"])
        if not entry.is_spoken_reply and not (entry.by_model and entry.audio_ms):
            raise refusals.not_truncatable()
        asked = event["audio_end_ms"]
        if asked > entry.audio_ms:
            # Captured: the real server refuses and then truncates all the same.
            refusal = refusals.already_shorter(entry.audio_ms, asked)
            self._refuse(refusal, schema.event_id_of(event))
        self._truncate(entry, min(asked, entry.audio_ms))

    def _truncate(self, entry: Entry, audio_end_ms: int) -> None:
        share = audio_end_ms / entry.audio_ms if entry.audio_ms else 0.0
        entry.words = whole_words(entry.words, share)
        entry.audio_ms = audio_end_ms
        for part in entry.content:  # §3.5: the transcript is removed, not shortened
            part.pop("transcript", None)
        event = {"type": "conversation.item.truncated", "item_id": entry.id}
        self.emit({**event, "content_index": 0, "audio_end_ms": audio_end_ms})

    # --- input audio

    def _append(self, event: Json) -> None:
        self.input.append(event["audio"])

    def _commit(self, event: Json) -> None:
        self.input.commit()

    def _clear(self, event: Json) -> None:
        self.input.clear()

    # --- responses

    def _response_create(self, event: Json) -> None:
        if self.session["type"] != "realtime":
            raise refusals.not_in_a_transcription_session(event["type"])
        wanted = event.get("response") or {}
        in_conversation = wanted.get("conversation", "auto") == "auto"
        if in_conversation and self.active is not None:
            raise refusals.active_response(self.active.id)
        self.start_response(wanted, in_conversation)

    def start_response(self, wanted: Json, in_conversation: bool = True) -> None:
        """Begin a response; `wanted` is the `response` of a response.create."""
        plan = plan_for(
            self.session,
            wanted,
            self._context(wanted),
            conversation_id=self.conversation_id if in_conversation else None,
            voice_is_fixed=self.has_assistant_audio and in_conversation,
            replies_before=self.replies,
        )
        response = Response(self._stage(in_conversation), plan)
        if in_conversation:
            self.active = response
        response.begin()
        self._play(response.script(), 0.0, response)

    def answer_turn(self) -> None:
        """Turn detection answers by itself, unless a response is active already."""
        if self.session["type"] == "realtime" and self.active is None:
            self.start_response({})

    def _stage(self, in_conversation: bool) -> Stage:
        return Stage(
            emit=self.emit,
            ask=self._ask,
            new_id=self.new_id,
            latency=self.latency,
            items=self.items,
            ledger=self.ledger,
            heard_audio=self._lock_voice if in_conversation else lambda: None,
        )

    def _ask(self, job: Job) -> None:
        self._jobs.append(job)

    def _lock_voice(self) -> None:
        self.has_assistant_audio = True

    def _context(self, wanted: Json) -> tuple[Entry, ...]:
        """The items a response sees: the conversation's, or just those of `input`."""
        if "input" not in wanted:
            return tuple(self.items)
        return tuple(
            self._referenced(item, f"response.input[{place}].id")
            if item["type"] == "item_reference"
            else self._entry(item)
            for place, item in enumerate(wanted["input"])
        )

    def _referenced(self, item: Json, param: str) -> Entry:
        entry = self.items.get(item["id"])
        if entry is None:
            raise refusals.no_referenced_item(item["id"], param)
        return entry

    def _response_cancel(self, event: Json) -> None:
        wanted = event.get("response_id")
        for play in self._plays:
            response = play.response
            if response is not None and (
                response.id == wanted or (not wanted and response is self.active)
            ):
                return self.cancel(play, "client_cancelled")
        raise refusals.nothing_to_cancel()

    def cancel(self, play: Play, reason: Any) -> None:
        assert play.response is not None
        self._plays.remove(play)
        play.response.cancel(reason)
        self._ended(play.response)

    def interrupt(self) -> None:
        """Speech over a reply: the active response ends as `turn_detected` (§3.5)."""
        for play in self._plays:
            if play.response is not None and play.response is self.active:
                return self.cancel(play, "turn_detected")

    def _ended(self, response: Response) -> None:
        """Captured: rate_limits.updated directly after response.done, one entry."""
        if response is self.active:
            self.active = None
        self.replies += 1
        used = response.tokens_used
        limit = {"name": "tokens", "limit": RATE_LIMIT, "remaining": RATE_LIMIT - used}
        limit["reset_seconds"] = round(60 * used / RATE_LIMIT, 3)
        self.emit({"type": "rate_limits.updated", "rate_limits": [limit]})
