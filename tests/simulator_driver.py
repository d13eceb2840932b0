"""Driving an engine by hand: no socket, no clock, ids that count."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rtwidgets.simulator.engine import Engine
from rtwidgets.simulator.jobs import (
    Answer,
    Brain,
    Call,
    Job,
    Question,
    Result,
    Speak,
    StreamingBrain,
    Think,
    Transcriber,
    do,
)
from rtwidgets.simulator.latency import NONE, Latency
from rtwidgets.simulator.replies import BuiltInBrain

Event = dict[str, Any]
MS = 48  # bytes of PCM16 24 kHz in a millisecond


def counting_ids() -> Callable[[str, int], str]:
    """`item_000…1`, `resp_000…2`: one counter for all, so the order can be read from an id."""
    count = 0

    def new_id(prefix: str, length: int) -> str:
        nonlocal count
        count += 1
        return prefix + str(count).rjust(length, "0")[:length]

    return new_id


class Says:
    """A brain with its answers written down; the last one is repeated."""

    def __init__(self, *answers: str | Answer | Call) -> None:
        self._answers = list(answers)
        self.asked: list[Question] = []

    def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(said, Call):
            return Answer("", (said,))
        return said if isinstance(said, Answer) else Answer(said)


class Hum:
    """A voice that hums for so many milliseconds, whatever it is to say."""

    def __init__(self, milliseconds: int = 1000) -> None:
        self.milliseconds = milliseconds

    def speak(self, text: str, voice: str, speed: float) -> bytes:
        return b"\x10\x00" * (self.milliseconds * MS // 2)


class Desk:
    """An engine with somebody who does its jobs; `events` are all it ever sent."""

    def __init__(
        self,
        model: str = "gpt-realtime",
        *,
        brain: Brain | None = None,
        voice_ms: int = 1000,
        latency: Latency = NONE,
        new_id: Callable[[str, int], str] | None = None,
        transcriber: Transcriber | None = None,
        **options: Any,
    ) -> None:
        self.brain, self.voice = brain or BuiltInBrain(), Hum(voice_ms)
        self.transcriber = transcriber
        self.engine = Engine(model, new_id or counting_ids(), 0.0, latency=latency, **options)
        self.now = 0.0
        self.events: list[Event] = []
        self.hold_jobs = self.streams = False
        self.held: list[Job] = []
        self.settle()

    def send(self, *events: Event | str | bytes) -> list[Event]:
        """Send frames at one moment, let everything happen, return what came of it."""
        before = len(self.events)
        for event in events:
            frame = event if isinstance(event, (str, bytes)) else json.dumps(event)
            self.engine.receive(frame, self.now)
        self.settle()
        return self.events[before:]

    def send_for(self, seconds: float, *events: Event) -> list[Event]:
        """The same, with what happens in the next `seconds`, and no more."""
        before = len(self.events)
        for event in events:
            self.engine.receive(json.dumps(event), self.now)
        self.settle(until=self.now + seconds)
        return self.events[before:]

    def settle(self, until: float | None = None) -> None:
        """Go on until nothing is due (or nothing before `until`)."""
        while True:
            self._do_jobs()
            due = self.engine.due()
            if due is None or (until is not None and due > until):
                break
            self.now = max(self.now, due)
            self.events += self.engine.take(self.now)
            if self.engine.closing is not None:
                break
        if until is not None:
            self.now = max(self.now, until)

    def _do_jobs(self) -> None:
        for job in self.engine.take_jobs():
            if self.hold_jobs and isinstance(job, Speak):
                self.held.append(job)
            elif self.streams and isinstance(job, Think) and isinstance(self.brain, StreamingBrain):
                for part in self.brain.stream(job.question):
                    self.engine.deliver(job, part, self.now)
                    self.events += self.engine.take(self.now)
                    self._do_jobs()
            else:
                self.engine.deliver(job, self._done(job), self.now)

    def _done(self, job: Job) -> Result:
        return do(job, self.brain, self.voice, self.transcriber)

    def last(self, type: str) -> Event:
        return next(event for event in reversed(self.events) if event["type"] == type)

    def session(self) -> Event:
        session: Event = self.engine.session
        return session


def types(events: Iterable[Event]) -> list[str]:
    return [event["type"] for event in events]


def folded(kinds: Iterable[str]) -> list[str]:
    """Event types with runs of the same type as one: the number of deltas is nobody's promise."""
    found: list[str] = []
    for kind in kinds:
        if not found or found[-1] != kind:
            found.append(kind)
    return found


def silence(milliseconds: int) -> Event:
    return append(np.zeros(milliseconds * 24))


def hum(milliseconds: int) -> Event:
    return append(np.sin(np.arange(milliseconds * 24) / 24) * 8000)


def append(samples: Any) -> Event:
    pcm = np.asarray(samples).astype("<i2").tobytes()
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}


def user_text(text: str, **fields: Any) -> Event:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content, **fields}
    return {"type": "conversation.item.create", "item": item}


def assistant_text(text: str, **fields: Any) -> Event:
    content = [{"type": "output_text", "text": text}]
    item = {"type": "message", "role": "assistant", "content": content, **fields}
    return {"type": "conversation.item.create", "item": item}


def respond(**fields: Any) -> Event:
    event: Event = {"type": "response.create"}
    return {**event, "response": fields} if fields else event


def update(**fields: Any) -> Event:
    return {"type": "session.update", "session": {"type": "realtime", **fields}}
