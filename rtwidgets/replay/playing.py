"""A recorded session as an endpoint: what answers is the recording.

    with rt.Session(rt.Replay("lesson.jsonl")) as s:
        print(s.ask("the question that was asked then").text)

The server's frames come byte for byte and in order, each as long after what it answers as it did
then. A line that was lost then is lost again, and a session that goes on goes on in the recording.
What the recording has no answer for is refused with an `error` event of the code
`replay_has_no_answer`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..endpoints import DEFAULT_MODEL, Endpoint
from ..errors import ConnectFailed, ConnectionLost, Misuse
from ..events import Event, field, parse, text_field
from ..log.rows import Row, Rows
from ..transport import Clock, Transport, WallClock
from .recording import APPEND, ASK, Cue, Kind, Recording, kind_of, words_of
from .source import end_of, lines_of, opened

NO_ANSWER = "replay_has_no_answer"
COURTESY = 20
"""How often others get a turn before the end is told: what a client sends in answer to the last
frame is still taken."""

BREATH = 0.3
"""Seconds without audio after which nobody is speaking."""
HEARING_OUT = 10.0
"""Seconds for which the end waits for somebody who speaks."""

# A client that went past one of these without sending it will not send it any more, and is not
# waited for. Items and requests are always waited for: nothing is answered that nobody asked.
_LEFT_OUT = frozenset(
    {
        "session.update",
        "conversation.item.delete",
        "conversation.item.retrieve",
        "conversation.item.truncate",
        "response.cancel",
        "input_audio_buffer.clear",
        "output_audio_buffer.clear",
    }
)
_ID = re.compile(r'("(?:[a-z_]+_)?id"\s*:\s*)("(?:[^"\\]|\\.)*")')


class Replay(Endpoint):
    """A recorded session that answers as the server did then. No key, no network, no cost.

    Args:
        path: a file that `EventLog.from_jsonl` reads, or a log.
        speed: 1 plays as recorded, 2 twice as fast, `float("inf")` without waiting.
        clock: by what it waits; the wall's clock when not given, a `VirtualClock` for tests.

    The model is the recording's, whatever is asked for. Raises Misuse where there is nothing to
    play.

    Attributes:
        problems: what could not be read, a sentence each; it is left out.
    """

    def __init__(
        self, path: str | Path | Rows, speed: float = 1.0, *, clock: Clock | None = None
    ) -> None:
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not speed > 0:
            raise Misuse(f"A speed is a number above 0, such as 1 or 2.5, not {speed!r}.")
        rows, name = opened(path)
        lines = lines_of(rows)
        self._lines = [Recording(line) for line in lines]
        self._next = 0  # the line to play next
        self.reconnects = len(lines) > 1  # else nothing goes on where a recording ends
        if not len(self._lines[0].frames):
            raise Misuse(
                f"{name} has nothing to play: it holds no event of a server. "
                "Record a session with log.to_jsonl(path)."
            )
        self._recorded_model = self._lines[0].model or rows.log.model
        super().__init__(
            "ws://localhost/replay",
            model=self._recorded_model or DEFAULT_MODEL,
            name=f"Replay of {name}",
            paid=False,
        )
        self.problems = list(rows.log.problems)
        self.speed = float(speed)
        self._clock = clock

    def model_for(self, model: str | None) -> str:
        return self._recorded_model or super().model_for(model)

    def label(self, simulated: bool) -> str:
        return f"{self.name} (simulator)" if simulated else self.name

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        """A line to the recording: from its beginning, or where the line before was lost then, from
        there. Raises ConnectFailed where there was no other then."""
        number, self._next = self._next, 0
        if number == len(self._lines):
            raise ConnectFailed("The recording has no further line: it ends here.", code=404)
        clock, line = self._clock or WallClock(), self._lines[number]
        transport = ReplayTransport(line, clock, self.speed, model or self.model)
        if self.reconnects:
            transport.ended = partial(self._ended, number + 1)
            transport.goes_on = number + 1 < len(self._lines)
        return transport

    def _ended(self, following: int, played: bool) -> None:
        self._next = following if played else 0


class ReplayTransport:
    """One playing of a recording, at the server's end of a line.

    Attributes:
        ended: called at the end, and whether it is the recording's and not the client's.
        goes_on: whether the recorded conversation went on over another line.
    """

    def __init__(self, recording: Recording, clock: Clock, speed: float, model: str) -> None:
        self.clock = clock
        self.ended: Callable[[bool], object] = bool
        self.goes_on = False
        self._recording = recording
        self._speed = speed
        self._next = 0  # the frame to play next
        self._needs = deque(recording.needs)
        self._met: dict[Cue, float | None] = {}  # when the client did it; None: it left it out
        self._ids: dict[str, str] = {}  # as in the recording -> as the client has them now
        self._own: deque[str] = deque()  # what the recording does not hold
        self._made = 0
        self._heard = 0  # bytes of audio
        self._heard_at: float | None = None  # when they were as many as the next frame needs
        self._appended_at: float | None = None
        self._told_deaf = False
        self._session: Any = None
        self._since = clock.now()
        self._since_then = recording.frames[0].t
        self._changed = asyncio.Event()
        self._over = ""  # why nothing more is sent or taken
        if not recording.greets:
            self._begin(model)

    # ------------------------------------------------------------ what the client sends

    async def send(self, frame: str) -> None:
        if self._over:
            raise self._end()
        event, now = parse(frame) or {}, self.clock.now()
        kind = kind_of(event)
        if kind[0] == APPEND:
            self._hear(text_field(event, "audio"), now)
        elif (cue := self._cue(kind)) is None:
            if not self._breaks_off:  # else it will be sent again, over the next line
                self._answer_ourselves(kind, event)
        elif missing := self._items_before(cue):
            wanted = " and ".join(map(str, missing))
            self._refuse(
                f"This recording has no answer to {cue} before it was sent {wanted}.", event
            )
        else:
            self._meet(cue, event, now)
        self._changed.set()

    @property
    def _breaks_off(self) -> bool:
        """Whether nothing more comes over this line, and another is to follow."""
        return self.goes_on and self._next >= len(self._recording.frames)

    def _hear(self, encoded: str, now: float) -> None:
        self._appended_at = now
        self._heard += len(encoded) * 3 // 4 - encoded[-2:].count("=")
        self._listen(now)
        if not self._recording.listens and not self._told_deaf:
            self._told_deaf = True  # once: a microphone sends twenty-five of them a second
            self._refuse("This recording has no answer to audio: nobody spoke in it.", {})

    def _listen(self, now: float) -> None:
        enough = self._needs and self._heard >= self._needs[0].size
        if enough and self._heard_at is None:
            self._heard_at = now

    def _cue(self, kind: Kind) -> Cue | None:
        """The recorded event that this one stands for; what was not left out yet comes first."""
        fitting = [cue for cue in self._recording.cues if cue.kind == kind]
        fresh = (cue for cue in fitting if cue not in self._met)
        left_out = (cue for cue in fitting if self._met.get(cue, 0.0) is None)
        return next(fresh, None) or next(left_out, None)

    def _items_before(self, request: Cue) -> list[Cue]:
        """The items that a request answers and that this client has not sent: it would wait for
        ever for a reply to them."""
        missing: list[Cue] = []
        if request.kind != ASK:
            return missing
        for cue in self._recording.cues:
            if cue is request:
                break
            if cue.kind == ASK:
                missing = []
            elif cue.kind[0] == "conversation.item.create" and cue not in self._met:
                missing.append(cue)
        return missing

    def _meet(self, cue: Cue, event: Event, now: float) -> None:
        self._met[cue] = now
        for earlier in self._recording.cues:
            if earlier is cue:
                break
            if earlier.kind[0] in _LEFT_OUT and earlier.before < cue.before:
                self._met.setdefault(earlier, None)
        if cue.kind[0] in ("input_audio_buffer.commit", "input_audio_buffer.clear"):
            self._heard, self._heard_at = 0, None
        self._learn_ids(cue, event)

    def _learn_ids(self, cue: Cue, event: Event) -> None:
        """Ids that the client made up are others this time: the echo has to carry today's."""
        answer = self._recording.frames[cue.answer] if cue.answer is not None else None
        item = text_field(cue.event, "item", "id") or (answer.item_id if answer else "")
        pairs = (
            (text_field(cue.event, "event_id"), text_field(event, "event_id")),
            (item, text_field(event, "item", "id")),
            (text_field(cue.event, "item", "call_id"), text_field(event, "item", "call_id")),
        )
        self._ids |= {then: now for then, now in pairs if then and now and then != now}

    # ------------------------------------------------------------ what the recording does not hold

    def _begin(self, model: str) -> None:
        """The first word of a session, for recordings that begin later."""
        self._session = {
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_replay",
            "model": model,
        }
        self._make({"type": "session.created", "session": self._session})

    def _answer_ourselves(self, kind: Kind, event: Event) -> None:
        updates = any(cue.kind[0] == "session.update" for cue in self._recording.cues)
        if kind[0] == "session.update" and not updates and self._session is not None:
            # The recorded client changed nothing. The settings stay as they are: that is said.
            self._make({"type": "session.updated", "session": self._session})
            return
        self._refuse(f"This recording has no answer to {words_of(kind)}. {self._expected()}", event)

    def _refuse(self, message: str, event: Event) -> None:
        error = {
            "type": "invalid_request_error",
            "code": NO_ANSWER,
            "message": message,
            "param": None,
            "event_id": text_field(event, "event_id") or None,
        }
        self._make({"type": "error", "error": error})

    def _make(self, event: Event) -> None:
        self._made += 1
        named = {"type": event["type"], "event_id": f"event_replay_{self._made}", **event}
        self._own.append(json.dumps(named, ensure_ascii=False))

    def _expected(self) -> str:
        missing = next((cue for cue in self._recording.cues if cue not in self._met), None)
        if missing is None:
            return "It expects nothing more from the client."
        return f"From the client it expects {missing} next."

    @property
    def hint(self) -> str:
        """What the next frame waits for, as a sentence; empty at the end."""
        if self._next >= len(self._recording.frames):
            return ""
        missing = [str(cue) for cue in self._cues_of_next() if cue not in self._met]
        if self._lacks_audio():
            missing.append(f"{self._needs[0].size - self._heard} bytes of audio more")
        if missing:
            return f"The recording goes on when the client sends {' and '.join(missing)}."
        return f"The recording's next event is {self._recording.frames[self._next].type}."

    # ------------------------------------------------------------ what the server sends

    async def recv(self) -> str | bytes:
        while not self._over:
            self._changed.clear()  # before looking: what happens from now on wakes the wait
            await asyncio.sleep(0)  # a recording is ready at once, and others want their turn
            if self._own:
                return self._own.popleft()
            if self._next >= len(self._recording.frames):
                await self._await_the_end()
            elif (due := self._due()) is None:
                await self._changed.wait()
            elif due > self.clock.now():
                await self._pause(due - self.clock.now())
            else:
                return self._play(due)
        self.ended(self._over == "played")
        raise self._end()

    async def close(self) -> None:
        self._over = self._over or "closed"
        self.ended(False)
        self._changed.set()

    def _cues_of_next(self) -> list[Cue]:
        return self._recording.waits.get(self._next, [])

    def _lacks_audio(self) -> bool:
        return bool(self._needs and self._needs[0].frame == self._next and self._heard_at is None)

    def _due(self) -> float | None:
        """When the next frame is to be played, None while the client has to do something first.

        As long after what it waited for, or after the frame before it, as in the recording.
        """
        now, then = self._since, self._since_then
        for cue in self._cues_of_next():
            if cue not in self._met:
                return None
            met = self._met[cue]
            if met is not None:
                now, then = max(now, met), max(then, cue.t)
        if self._lacks_audio():
            return None
        if self._needs and self._needs[0].frame == self._next and self._heard_at is not None:
            now, then = max(now, self._heard_at), max(then, self._needs[0].t)
        return now + max(0.0, self._recording.frames[self._next].t - then) / self._speed

    async def _pause(self, seconds: float) -> None:
        """Wait, or until the client does something."""
        sleeping = asyncio.ensure_future(self.clock.sleep(seconds))
        waiting = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((sleeping, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waiting.cancel()

    def _play(self, due: float) -> str:
        row = self._recording.frames[self._next]
        if self._needs and self._needs[0].frame == self._next:
            self._heard = max(0, self._heard - self._needs.popleft().size)
            self._heard_at = None
            self._listen(self.clock.now())
        self._next += 1
        self._since, self._since_then = due, max(self._since_then, row.t)
        if row.type in ("session.created", "session.updated"):
            self._session = field(row.event, "session")
        return self._with_todays_ids(row)

    def _with_todays_ids(self, row: Row) -> str:
        raw = row.raw
        if not any(then in raw for then in self._ids):
            return raw

        def todays(found: re.Match[str]) -> str:
            name, value = found.groups()
            then = json.loads(value)
            return name + (json.dumps(self._ids[then]) if then in self._ids else value)

        return _ID.sub(todays, raw)

    async def _await_the_end(self) -> None:
        """Everything is played: close, once the client has done what the recorded one did."""
        for _ in range(COURTESY):
            await asyncio.sleep(0)
        if self._own:
            return
        frames = len(self._recording.frames)
        if any(cue.before == frames and cue not in self._met for cue in self._recording.cues):
            await self._changed.wait()
        elif self._is_spoken_to(self.clock.now()):
            await self.clock.sleep(BREATH)
        else:
            self._over = "played"

    def _is_spoken_to(self, now: float) -> bool:
        """Whether the client is still saying what was answered already. A microphone that is never
        switched off is not listened to for long."""
        speaking = self._appended_at is not None and now - self._appended_at < BREATH
        return speaking and now - self._since < HEARING_OUT

    def _end(self) -> ConnectionLost:
        if self._over == "closed":
            return ConnectionLost("This line was closed. Open a new one to go on.", code=1000)
        return end_of(self._recording, self.goes_on)
