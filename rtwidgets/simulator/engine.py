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
from functools import partial
from typing import Any

from . import mcp, models, parsing, refusals, schema, sessions
from .faults import Faults
from .floor import Floor
from .idle import Idle
from .input_audio import InputAudio
from .items import Entry, Items, entry_from_client
from .jobs import Foresee, Job, Listen, NewId, Result, checked
from .latency import NONE, Latency, Pace, Vary, slower, steady
from .listings import Listings
from .recordings import Recordings
from .refusals import Refusal
from .responses import Pause
from .rules import RULES
from .timeline import Due, Timeline

Json = dict[str, Any]

DROPPED = (1006, "")  # what a client sees of a line that breaks; nobody sends it


class Engine:
    """One session. See the module's docstring for how to drive it.

    Beside its verbs it is what its parts share: `session`, `items`, `floor`, `input`, `idle`,
    `listings`, `recordings`, and what they do with them (`emit`, `ask`, `call_at` …).
    """

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
        self.items = Items()
        self.conversation_id = new_id("conv_", 21)
        self._sent = 0  # events
        self._timeline = Timeline(now)
        self._outbox: list[Json] = []
        self._jobs: list[Job] = []
        expires_at = int(wall_clock + (lifetime or models.SESSION_SECONDS))
        self.session = models.new_session(intent, model, new_id, expires_at)
        if configuration:
            self.session = sessions.merged(self.session, configuration)
        self.recordings = Recordings() if recordings is None else recordings
        self.input = InputAudio(self, self.recordings)
        self.idle = Idle(self, idle_before_first_reply)
        self.listings = Listings(self, mcp_tools)
        self.floor = Floor(self)
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
        sound = parsing.appended(frame)
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
            self.recordings.drop(entry.id)
        self.recordings.drop(self.session["id"])

    def take_jobs(self) -> list[Job]:
        """Jobs to do now. Call after `take`."""
        jobs, self._jobs = self._jobs, []
        return jobs

    def deliver(self, job: Job, result: Result, now: float) -> None:
        """Hand in what came of a job; ignored when its response is over."""
        result = checked(job, result)
        if isinstance(job, Listen):
            self._timeline.at(now, partial(self._heard, job, result))
        elif isinstance(job, Foresee):
            self.input.transcription.foreseen(job, result)
        else:
            self.floor.deliver(job, result, now)

    def wants(self, job: Job) -> bool:
        """Whether what comes of `job` is still of use. Safe to ask from another thread."""
        return isinstance(job, Listen | Foresee) or self.floor.plays(job.response_id)

    def _heard(self, job: Listen, result: Result) -> None:
        self.input.transcription.take(job, result)
        self.floor.go_on()

    def due(self) -> float | None:
        """The earliest time at which `take` would do something."""
        return self._timeline.now if self._outbox else self._timeline.next_time()

    def take(self, now: float) -> list[Json]:
        """Everything that happens up to `now`: events to send, in order."""
        while self.closing is None and self._timeline.step(now):
            pass
        events, self._outbox = self._outbox, []
        return events

    # --- time

    @property
    def time(self) -> float:
        """The moment at which what happens now happens."""
        return self._timeline.now

    def call_at(self, time: float, call: Callable[[], None]) -> Due:
        return self._timeline.at(time, call)

    def play(self, script: Iterator[Pause], delay: float = 0.0) -> None:
        """Let `script`, which waits for no job, run from `delay` seconds after now."""
        self._timeline.at(self._timeline.now + delay, partial(self._run, script))

    def _run(self, script: Iterator[Pause]) -> None:
        for pause in script:
            if pause:
                return self.play(script, pause)

    def _greet(self) -> None:
        # §3.10: session.created first and alone; OpenAI sends no conversation.created.
        self.tell_session("session.created")

    def _expire(self) -> None:
        self.refuse(refusals.session_expired(), None)
        self.closing = (1001, refusals.session_expired().message)  # captured

    # --- frames in

    def _read(self, frame: str | bytes) -> None:
        sound = parsing.appended(frame)
        if sound is not None:
            return self._hear(sound)
        event: Json = {}
        try:
            event = parsing.parsed(frame)
            schema.check(event)
            RULES[event["type"]].do(self, event)
        except Refusal as refusal:
            self.refuse(refusal, parsing.event_id_of(event))

    def _hear(self, sound: bytes) -> None:
        """An append without an id of its own."""
        try:
            self.input.append(sound)
        except Refusal as refusal:
            self.refuse(refusal, None)

    # --- events out, and jobs

    def emit(self, event: Json) -> None:
        """Send one event: its event_id comes right after its type, as recorded."""
        head = {"type": event["type"], "event_id": self.new_id("event_", 21)}
        if self.closing is None:
            self._outbox.append({**head, **event})
            self._sent += 1
        if self._sent == self.faults.drop_after:
            self.closing = DROPPED

    def refuse(self, refusal: Refusal, client_event_id: str | None) -> None:
        """Send an error event; `client_event_id` is that of the event it is about, if any."""
        self.emit({"type": "error", "error": refusal.error(client_event_id)})

    def tell_session(self, kind: str) -> None:
        """Send `kind` with the whole session as it is now."""
        self.emit({"type": kind, "session": copy.deepcopy(self.session)})

    def item_events(self, entry: Entry, previous: str | None) -> None:
        """conversation.item.added and .done of an item that is complete when it comes."""
        for what in ("added", "done"):
            event = {"type": f"conversation.item.{what}", "previous_item_id": previous}
            self.emit({**event, "item": copy.deepcopy(entry.wire)})

    def entry_of(self, item: Json) -> Entry:
        """The entry for an item that a client sent, with ids where it gave none."""
        audio_ms = sum(
            self.input.milliseconds_of(part["audio"])
            for part in item.get("content", ())
            if part["type"] == "input_audio"
        )
        return entry_from_client(
            item, self.new_id("item_", 21), self.new_id("call_", 16), audio_ms=audio_ms
        )

    def ask(self, job: Job) -> None:
        """Have a job done by whoever drives the engine."""
        self._jobs.append(job)
