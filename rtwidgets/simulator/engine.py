"""One simulated session: client frames in, server frames out.

No I/O, no clock, no chance: `now` (seconds, any origin) and ids are handed in, and
what takes time is a job for whoever drives the engine (`jobs.py`). A driver does
this, over and over:

    engine.receive(frame, now)          # for every frame of the client
    for event in engine.take(now):      # send each, as JSON text
    for job in engine.take_jobs():      # do it, on any thread, then:
        engine.deliver(job, result, now)
    engine.due()                        # when to come back, None: not before the next frame
    engine.closing                      # (code, reason) once the line shall end, after take()

Everything that happens inside happens in the order of its time, never earlier
than it is due, so the same frames at the same times give the same events.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..audio import decode, encode
from . import mcp, models, refusals, schema, sessions
from .faults import TOO_LONG, Faults
from .idle import Idle
from .input_audio import InputAudio
from .items import Entry, Items, entry_from_client
from .jobs import Job, Listen, NewId, Result
from .latency import NONE, Latency, Pace, Vary, slower, steady
from .listings import Listings
from .outputs import Stage
from .planning import plan_for
from .recordings import Recordings
from .refusals import Refusal
from .responses import CancelReason, Pause, Response
from .rules import RULES
from .timeline import Due, Timeline
from .tokens import Ledger

Json = dict[str, Any]

_OVER: Final = object()  # a script has ended
DROPPED = (1006, "")  # what a client sees of a line that breaks; nobody sends it
MOST_RESPONSES = 64  # at one time, out of band; what the real limit is we do not know
RATE_LIMIT = 15_000_000  # captured: {"name":"tokens","limit":15000000,…}


@dataclass(eq=False)
class Play:
    """A response being played: its script, and the step of it that is due (None: it waits)."""

    response: Response
    script: Iterator[Pause]
    step: Due | None = None


class Engine:
    """One session. See the module's docstring for how to drive it."""

    def __init__(
        self,
        model: str,
        new_id: NewId,
        now: float = 0.0,
        *,
        latency: Latency = NONE,
        vary: Vary = steady,
        faults: Faults | None = None,
        mcp_tools: mcp.Script = mcp.DEFAULT,
        idle_before_first_reply: bool = False,
        recordings: Recordings | None = None,
        intent: str = "realtime",
        wall_clock: float = 0.0,
        lifetime: float | None = None,
        configuration: Json | None = None,
    ) -> None:
        """
        model: what the client connected to. new_id: see `jobs.NewId`.
        latency, vary: how long everything takes, and how much that varies (latency.py).
        faults: what goes wrong on request. mcp_tools: what MCP servers list and answer.
        idle_before_first_reply: let idle_timeout_ms count before anything was said.
        recordings: where users' sound is kept; sessions may share one.
        wall_clock: Unix time at `now`, only shown in `expires_at`.
        lifetime: seconds until the session is expired, None for never.
        configuration: a session as in session.update, bound to a client secret.
        """
        self.new_id, self.faults = new_id, faults or Faults()
        slowed = slower(latency, self.faults.slow) if self.faults.slow != 1 else latency
        self.pace = Pace(slowed, vary)
        self.closing: tuple[int, str] | None = None
        self.items, self.ledger = Items(), Ledger()
        self.conversation_id = new_id("conv_", 21)
        self.active: Response | None = None
        self.has_assistant_audio = False
        self.replies = 0  # responses that ended
        self._left_out: set[str] = set()  # items that a retention ratio cut off, for good
        self._begun = self._sent = 0  # responses begun, events sent
        self._timeline = Timeline(now)
        self._outbox: list[Json] = []
        self._jobs: list[Job] = []
        self._plays: dict[str, Play] = {}
        expires_at = int(wall_clock + (lifetime or models.SESSION_SECONDS))
        self.session = models.new_session(intent, model, new_id, expires_at)
        if configuration:
            self.session = sessions.merged(self.session, configuration)
        self._recordings = Recordings() if recordings is None else recordings
        self.input = InputAudio(self, self._recordings)
        self.idle = Idle(self, idle_before_first_reply)
        self._listings = Listings(self, mcp_tools)
        self._ready_at = self._arrival = now + self.pace.of("connect")
        self._timeline.at(self._ready_at, self._greet)
        if lifetime is not None:
            self._timeline.at(now + lifetime, self._expire)

    # --- the verbs

    def receive(self, frame: str | bytes, now: float) -> None:
        """Take one frame of the client: text, or bytes for a binary frame."""
        # Not before session.created, however early a client begins to speak.
        # Nor before an earlier frame: a line keeps the order.
        self._arrival = max(now + self.pace.of("line"), self._arrival)
        self._timeline.at(self._arrival, partial(self._read, frame))

    def hears(self, frame: str | bytes, now: float) -> bool:
        """A short cut for what comes most: take a frame of sound here and now.

        False where it is none, or where something else must happen first: use `receive`. After
        True there is more to do only if there is `news`.
        """
        if self.pace.latency.line or now < self._arrival or self.closing is not None:
            return False
        due = self._timeline.next_time()
        if due is not None and due <= now:
            return False
        sound = schema.appended(frame)
        if sound is None:
            return False
        self._timeline.now = max(now, self._timeline.now)
        self._hear(sound)
        return True

    @property
    def news(self) -> bool:
        """Whether there are events to send or jobs to do."""
        return bool(self._outbox or self._jobs)

    def end(self) -> None:
        """The line is gone: let go of what is kept beyond this object."""
        for entry in self.items:
            self._recordings.drop(entry.id)
        self._recordings.drop(self.session["id"])

    def take_jobs(self) -> list[Job]:
        """Jobs to do now. Call after `take`."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def deliver(self, job: Job, result: Result, now: float) -> None:
        """Hand in what came of a job; ignored when its response is over."""
        if isinstance(job, Listen):
            self._timeline.at(now, partial(self._heard, job, result))
            return
        play = self._plays.get(job.response_id)
        if play is not None:
            play.response.take(job, result)
            self._go_on(play, now)

    def wants(self, job: Job) -> bool:
        """Whether what comes of `job` is still of use. Safe to ask from another thread."""
        return isinstance(job, Listen) or job.response_id in self._plays

    def _heard(self, job: Listen, result: Result) -> None:
        self.input.transcription.take(job, result)
        for play in list(self._plays.values()):
            self._go_on(play, self._timeline.now)

    def _go_on(self, play: Play, now: float) -> None:
        """Wake a response that waits; one that pauses looks by itself."""
        if play.step is None:
            play.step = self._timeline.at(now, partial(self._advance, play))

    def due(self) -> float | None:
        """The earliest time at which `take` would do something."""
        return self._timeline.now if self._outbox else self._timeline.next_time()

    def take(self, now: float) -> list[Json]:
        """Everything that happens up to `now`: events to send, in order."""
        while self.closing is None and self._timeline.step(now):
            pass
        events, self._outbox = self._outbox, []
        return events

    @property
    def time(self) -> float:
        """The moment at which what happens now happens."""
        return self._timeline.now

    def call_at(self, time: float, call: Callable[[], None]) -> Due:
        return self._timeline.at(time, call)

    # --- time

    def play(self, script: Iterator[Pause], delay: float = 0.0) -> None:
        """Let `script`, which waits for no job, run from `delay` seconds after now."""
        self._timeline.at(self._timeline.now + delay, partial(self._run, script))

    def _run(self, script: Iterator[Pause]) -> None:
        for pause in script:
            if pause:
                return self.play(script, pause)

    def _advance(self, play: Play) -> None:
        """Go on with a response until it pauses, waits or ends."""
        play.step = None
        pause = next(play.script, _OVER)
        if pause is _OVER:
            self._ended(play.response)
        elif isinstance(pause, (int, float)):
            when = self._timeline.now + pause
            play.step = self._timeline.at(when, partial(self._advance, play))

    def _greet(self) -> None:
        # §3.10: session.created first and alone; OpenAI sends no conversation.created.
        self.emit({"type": "session.created", "session": self._shown_session()})

    def _expire(self) -> None:
        self._refuse(refusals.session_expired(), None)
        self.closing = (1001, refusals.session_expired().message)  # captured

    # --- frames

    def emit(self, event: Json) -> None:
        """Send one event: its event_id comes right after its type, as recorded."""
        head = {"type": event["type"], "event_id": self.new_id("event_", 21)}
        if self.closing is None:
            self._outbox.append({**head, **event})
            self._sent += 1
        if self._sent == self.faults.drop_after:
            self.closing = DROPPED

    def _refuse(self, refusal: Refusal, client_event_id: str | None) -> None:
        self.emit({"type": "error", "error": refusal.error(client_event_id)})

    def _read(self, frame: str | bytes) -> None:
        sound = schema.appended(frame)
        if sound is not None:
            return self._hear(sound)
        event: Json = {}
        try:
            event = schema.parsed(frame)
            schema.check(event)
            getattr(self, RULES[event["type"]].method)(event)
        except Refusal as refusal:
            self._refuse(refusal, schema.event_id_of(event))

    def _hear(self, sound: bytes) -> None:
        """An append without an id of its own."""
        try:
            self.input.append(sound)
        except Refusal as refusal:
            self._refuse(refusal, None)

    # --- session

    def _shown_session(self) -> Json:
        return copy.deepcopy(self.session)

    def _session_update(self, event: Json) -> None:
        changes = event["session"]
        if self.has_assistant_audio and sessions.changes_voice(self.session, changes):
            raise refusals.voice_is_fixed()
        before, self.session = self.session, sessions.merged(self.session, changes)
        if before.get("truncation") != self.session.get("truncation"):
            self._left_out.clear()
        self.input.session_changed()
        self.emit({"type": "session.updated", "session": self._shown_session()})
        self.idle.session_changed()
        self._listings.want(self.session.get("tools", ()))

    def _session_close(self, event: Json) -> None:
        self.closing = (1000, "")

    # --- items

    def _item_create(self, event: Json) -> None:
        item = event["item"]
        if item["type"] == "function_call_output" and not self.items.has_call(item["call_id"]):
            raise refusals.no_such_call(item["call_id"])
        if self.input.has_announced(item.get("id")):
            raise refusals.duplicate_item(item["id"])
        entry = self._entry(item)
        previous = self.items.add(entry, event.get("previous_item_id"))
        self.item_events(entry, previous)
        if item["type"] == "mcp_approval_response":
            self._approve(item)

    def _approve(self, item: Json) -> None:
        for play in self._plays.values():
            if play.response.approve(item):
                self._go_on(play, self._timeline.now)

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
        self._show_sound(entry, item)
        self.emit({"type": "conversation.item.retrieved", "item": item})

    def _show_sound(self, entry: Entry, item: Json) -> None:
        """Documented: retrieving shows the user's audio; here while it is kept."""
        sound = self._recordings.get(entry.id)
        heard = [part for part in item.get("content", ()) if part["type"] == "input_audio"]
        if sound and heard:
            heard[0]["audio"] = encode(sound)

    def _item_delete(self, event: Json) -> None:
        self.items.remove(event["item_id"])
        self._recordings.drop(event["item_id"])
        self.emit({"type": "conversation.item.deleted", "item_id": event["item_id"]})

    def _item_truncate(self, event: Json) -> None:
        entry = self.items.get(event["item_id"])
        if entry is None:
            raise refusals.no_item_to_truncate(event["item_id"])
        if not entry.is_spoken_reply:
            raise refusals.not_truncatable()
        asked = event["audio_end_ms"]
        if asked > entry.audio_ms:
            # Captured: the real server refuses and then truncates all the same.
            refusal = refusals.already_shorter(entry.audio_ms, asked)
            self._refuse(refusal, schema.event_id_of(event))
        entry.truncate(min(asked, entry.audio_ms))
        event = {"type": "conversation.item.truncated", "item_id": entry.id}
        self.emit({**event, "content_index": 0, "audio_end_ms": entry.audio_ms})

    # --- input audio

    def _append(self, event: Json) -> None:
        self.input.append(decode(event["audio"]))

    def _commit(self, event: Json) -> None:
        self.input.commit()

    def _clear(self, event: Json) -> None:
        self.input.clear()

    # --- responses

    def _response_create(self, event: Json) -> None:
        if self.session["type"] != "realtime":
            raise refusals.not_in_a_transcription_session(event["type"])
        wanted = sessions.given(event.get("response") or {})
        in_conversation = wanted.get("conversation", "auto") == "auto"
        if in_conversation and self.active is not None:
            raise refusals.active_response(self.active.id)
        if len(self._plays) >= MOST_RESPONSES:
            raise refusals.too_many_responses(MOST_RESPONSES)
        self.start_response(wanted, in_conversation)

    def start_response(self, wanted: Json, in_conversation: bool = True) -> None:
        """Begin a response; `wanted` is the `response` of a response.create."""
        tools = self.session["tools"] if wanted.get("tools") is None else wanted["tools"]
        self._listings.want(tools)
        context = self._context(wanted)
        plan = plan_for(
            self.session,
            wanted,
            context,
            conversation_id=self.conversation_id if in_conversation else None,
            voice_is_fixed=self.has_assistant_audio and in_conversation,
            replies_before=self.replies,
            granted=self._listings.granted(tools),
        )
        if in_conversation and wanted.get("input") is None:
            self._left_out |= {entry.id for entry in context} - {e.id for e in plan.context}
        self._begun += 1
        failure = TOO_LONG if plan.overflows else self.faults.of_response(self._begun)
        response = Response(self._stage(in_conversation), plan, failure)
        if in_conversation:
            self.active = response
            self.idle.stop()
        self._plays[response.id] = play = Play(response, response.script())
        self._advance(play)

    def answer_turn(self) -> None:
        """Turn detection answers by itself, unless a response is active already."""
        if self.session["type"] == "realtime" and self.active is None:
            self.start_response({})

    def _stage(self, in_conversation: bool) -> Stage:
        return Stage(
            emit=self.emit,
            item_events=self.item_events,
            ask=self.ask,
            new_id=self.new_id,
            pace=self.pace,
            items=self.items,
            ledger=self.ledger,
            heard_audio=self._lock_voice if in_conversation else lambda: None,
        )

    def ask(self, job: Job) -> None:
        """Have a job done by whoever drives the engine."""
        self._jobs.append(job)

    def _lock_voice(self) -> None:
        self.has_assistant_audio = True

    def _context(self, wanted: Json) -> tuple[Entry, ...]:
        """The items a response sees: the conversation's, or just those of `input`."""
        if wanted.get("input") is None:
            # What a retention ratio cut off stays away, so that the start stays cached; the
            # other ways of truncating look at everything each time.
            ratio = isinstance(self.session["truncation"], dict)
            gone = self._left_out if ratio else ()
            return tuple(entry for entry in self.items if entry.id not in gone)
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
        wanted = event.get("response_id") or (self.active.id if self.active else None)
        if wanted not in self._plays:
            raise refusals.nothing_to_cancel()
        self._cancel(self._plays[wanted], "client_cancelled")

    def interrupt(self) -> None:
        """Speech over a reply: the active response ends as `turn_detected` (§3.5)."""
        if self.active is not None:
            self._cancel(self._plays[self.active.id], "turn_detected")

    def _cancel(self, play: Play, reason: CancelReason) -> None:
        if play.step is not None:
            play.step.cancel()
        play.response.cancel(reason)
        self._ended(play.response)

    def _ended(self, response: Response) -> None:
        """Captured: rate_limits.updated directly after response.done, one entry."""
        if response is self.active:
            self.active = None
            self.idle.reply_ended(response.audio_ms if response.status != "cancelled" else 0)
        self.replies += 1
        del self._plays[response.id]
        if not self.faults.no_rate_limits:
            self._tell_rate_limits(response.tokens_used)
        if response.calls_mcp:
            self.play(response.tail())

    def _tell_rate_limits(self, used: int) -> None:
        limit = {"name": "tokens", "limit": RATE_LIMIT, "remaining": RATE_LIMIT - used}
        limit["reset_seconds"] = round(60 * used / RATE_LIMIT, 3)
        self.emit({"type": "rate_limits.updated", "rate_limits": [limit]})
