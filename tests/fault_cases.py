"""A conversation in which something goes wrong at one moment, and what became of it.

`CASES` is every fault at every phase that it can strike; `play` gives the outcome of one. The same
conversation each time: a greeting, a question, a spoken turn, a call of a tool, a pause, a last
question. `make faults` prints the outcomes (.ci/faults.py), test_faults.py judges them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy
import virtual_time
from faulty_lines import (
    Line,
    Prepare,
    Troubled,
    cut,
    dead,
    doubled,
    dropped,
    error,
    exchanged,
    expired,
    failing_from,
    half_open,
    interspersed,
    slow,
    stalled,
    struck_at,
    told,
    without,
)
from refusals import FOR_GOOD, FOR_NOW
from server_hostile import GARBAGE

import rtwidgets as rt
from rtwidgets.audio import RATE
from rtwidgets.log import storage
from rtwidgets.session.hearing import LISTEN_MS

GREETING = rt.GeneratedGreeting("Greet the visitor.")
FIRST, TOOL = "Which is the oldest?", "Use the tool fossils."
NEXT, LAST = "And which is the youngest?", "Thank you, and good bye."
SPEECH_S = 1.0
TIMEOUT = 30.0
JUST = 0.5
"""Seconds that a call may take beyond its word: what is begun is ended."""
NO_TURNS = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
HUGE = 16 << 20

GOOD_DAY = ("tool.called", "opening.ended")

HANDSHAKE = "handshake"
"""Before any line stands."""
PHASES = ("connecting", "opening", "speaking", "listening", "push to talk", "tool", "idle")
AT: dict[str, tuple[Any, ...]] = {
    "connecting": ("server", "session.created"),
    "opening": ("server", "response.output_audio.delta", 3),
    "speaking": ("server", "response.output_audio.delta", 3, "conversation.item.create"),
    "listening": ("client", "input_audio_buffer.append", 12),
    "push to talk": ("client", "input_audio_buffer.append", 12),
}
MOVING = "moving"
"""To the next session before this one ends, in the pause."""
SHORT_S = 40.0
PUSHED = ("push to talk", "restoring speech")
"""Phases in which the user ends their turns, by a key."""
SECOND: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "restoring": (AT["speaking"], ("server", "conversation.item.added")),
    "restoring a question": (("client", "response.create", 2), ("server", "session.updated")),
    "restoring speech": (AT["listening"], ("server", "session.updated")),
    "second session": (AT["speaking"], ("server", "session.created")),
    MOVING: (("server", "no such event"), ("server", "conversation.item.added")),
}
"""Phases of mending: where the line is cut, and where the next one is struck as well."""
RESTORING = ("restoring", "restoring a question", "restoring speech", MOVING)


@dataclass(frozen=True)
class Case:
    """A fault at a phase.

    Attributes:
        ends: whether the fault ends the line, and `again`: whether another is worth a try then.
        silent: whether nobody can know that the line is gone: nothing goes on there.
        row: the type of a row that is to say what happened.
        tool: what the tool does, by name, where it is the one that fails.
        disk: whether the log's file has no room from then on.
        refused: with what the first connections fail.
    """

    fault: str
    phase: str
    strike: Prepare
    ends: bool = False
    again: bool = True
    silent: bool = False
    row: str = ""
    tool: str = ""
    disk: bool = False
    refused: tuple[rt.ConnectFailed, ...] = ()

    @property
    def begins(self) -> bool:
        """Whether a conversation begins all the same where no session stood yet."""
        return self.again and not (self.silent or "missing" in self.fault)

    def __str__(self) -> str:
        return f"{self.fault}, {self.phase}"


@dataclass
class Call:
    """A blocking call: how long it may take by its own word, and took; what it raised."""

    name: str
    allowed: float
    seconds: float = 0.0
    problem: BaseException | None = None
    reply: rt.Reply | None = None


@dataclass
class Outcome:
    """What became of a conversation."""

    case: Case
    session: rt.AsyncSession
    lines: list[Line]
    calls: list[Call] = field(default_factory=list)
    was_open: bool = False
    lost: rt.ConnectionLost | None = None

    def call(self, name: str) -> Call | None:
        return next((one for one in self.calls if one.name == name), None)

    @property
    def afterwards(self) -> str:
        """The conversation, in a few words."""
        first, last = self.calls[0], self.call("last")
        if not self.was_open:
            return f"did not begin: {type(first.problem).__name__}"
        if self.lost is not None:
            return f"over, and said so ({self.lost.code or 'cut'})"
        if last is None or last.reply is None or last.reply.status != "completed":
            return "nothing comes, and calls say so" if self.case.silent else "STUCK"
        stood = len(self.lines)
        if self.case.refused:
            return f"goes on at try {1 + len(self.case.refused)}"
        return "goes on" if stood == 1 else f"goes on in session {stood}"

    @property
    def rows(self) -> list[str]:
        """The types of rows that say what happened on this side, without those of a good day."""
        said = (row.type for row in self.session.log.where(direction="local"))
        return [one for one in dict.fromkeys(said) if one not in GOOD_DAY]

    @property
    def same_from_log(self) -> bool:
        """Whether the log adds up to the conversation as it was live."""
        live = self.session.conversation
        return _state_of(rt.Conversation.of(self.session.log)) == _state_of(live)

    @property
    def events_lost(self) -> int:
        """Frames that a line handed over and the log does not have, byte for byte and in order."""
        rows = [row.frame for row in self.session.log.where(direction="server")]
        handed = [frame for line in self.lines for frame in line.handed]
        return 0 if rows == handed else max(1, len(handed) - len(rows))

    @property
    def input_lost(self) -> list[str]:
        """What the user said that neither the last session holds nor an exception told of."""
        if self.lost is not None or not self.was_open or self.case.silent:
            return []
        held = self.lines[-1].engine.items
        entries = [entry for entry in held if entry.wire.get("role") == "user"]
        texts = [entry.words for entry in entries]
        spoken = sum(entry.audio_ms >= 900 * SPEECH_S for entry in entries)
        said = {"first": FIRST, "tool": TOOL, "next": NEXT, "last": LAST}
        missing = [words for name, words in said.items() if self._counts(name)
                   and words not in texts]  # fmt: skip
        if self._counts("spoken") and not spoken:
            missing.append("(speech)")
        return missing

    @property
    def input_twice(self) -> list[str]:
        """What the last session was told twice."""
        lines = self.lines[-1:]
        held = [entry.words for line in lines for entry in line.engine.items if entry.words]
        return [words for words in (FIRST, TOOL, NEXT, LAST) if held.count(words) > 1]

    def _counts(self, name: str) -> bool:
        call = self.call(name)
        return call is not None and not isinstance(call.problem, rt.ConnectionLost)

    @property
    def greetings(self) -> int:
        """How many greetings somebody heard."""
        log = self.session.log
        asked = [row.seq for row in log.where(type="conversation.item.create", direction="client",
                                              text=FIRST)]  # fmt: skip
        before = log[: asked[0]] if asked else log
        return len({row.response_id for row in before.where(type="response.output_audio.delta")
                    if row.response_id != "resp_unknown"})  # fmt: skip

    @property
    def blocked(self) -> Call:
        """The call that blocked longest."""
        return max(self.calls, key=lambda one: one.seconds)


def _state_of(conversation: rt.Conversation) -> Any:
    return (
        [(one.id, one.role, one.text, one.status) for one in conversation.items],
        [(one.id, one.status, one.text) for one in conversation.responses.values()],
        conversation.usage,
    )


@contextlib.contextmanager
def _disk(log: rt.EventLog) -> Iterator[Callable[[], None]]:
    """A log that soon wants to move its sound to a file, and what makes it, with no room there."""
    chunk, mkstemp = storage._CHUNK, tempfile.mkstemp

    def full(**options: Any) -> tuple[int, str]:
        descriptor, path = mkstemp(**options)
        os.close(descriptor)
        return os.open("/dev/full", os.O_RDWR), path

    try:
        storage._CHUNK = log._sound._room = 20_000
        tempfile.mkstemp = full  # type: ignore[assignment]
        yield lambda: setattr(log._sound, "_limit", 0)
    finally:
        storage._CHUNK, tempfile.mkstemp = chunk, mkstemp


async def _museum(room: str, what: str) -> str:
    await virtual_time.clock.sleep(1.0)
    if what == "raises":
        raise KeyError(room)
    if what == "hangs":
        await asyncio.Event().wait()
    if what == "returns megabytes":
        return "fossil " * 500_000
    return f"An ichthyosaur stands in {room}."


def play(case: Case) -> Outcome:
    """The whole conversation, on virtual time."""
    logging.getLogger("rtwidgets").setLevel(logging.CRITICAL)
    try:
        return virtual_time.run(_play(case))
    finally:
        logging.getLogger("rtwidgets").setLevel(logging.NOTSET)


def _ready(phase: str, strike: Prepare) -> list[Prepare]:
    if phase in SECOND:
        first, second = SECOND[phase]
        return [struck_at(cut(1006), *first), struck_at(strike, *second)]
    return [struck_at(strike, *AT[phase])] if phase in AT else []


async def _play(case: Case) -> Outcome:
    struck: list[Line] = []

    def strike(line: Line) -> None:
        struck.append(line)
        if case.disk:
            fill()
        case.strike(line)

    seconds = SHORT_S if case.phase == MOVING else 3600.0
    endpoint = Troubled(*case.refused, *_ready(case.phase, strike), seconds=seconds)

    @rt.tool(timeout=5.0)
    async def fossils(room: str) -> str:
        "Which fossils stand in a room."
        if not struck and case.phase == "tool":
            strike(endpoint.lines[-1])
        return await _museum(room, case.tool)

    s = rt.AsyncSession(endpoint, GREETING, tools=[fossils], timeout=TIMEOUT)
    outcome = Outcome(case, s, endpoint.lines)
    with _disk(s.log) if case.disk else contextlib.nullcontext(lambda: None) as fill:
        await _talk(case, outcome, strike)
    assert struck or case.refused, f"{case}: nothing went wrong"
    return outcome


async def _talk(case: Case, outcome: Outcome, strike: Prepare) -> None:
    s = outcome.session

    async def call(name: str, work: Awaitable[Any], allowed: float = TIMEOUT) -> None:
        one = Call(name, allowed)
        outcome.calls.append(one)
        began = virtual_time.clock.now()
        try:
            given = await work
            one.reply = given if isinstance(given, rt.Reply) else None
        except rt.RealtimeError as problem:
            one.problem = problem
        one.seconds = virtual_time.clock.now() - began

    # The connection, session.created, session.updated, the greeting: each has the timeout.
    await call("open", s.__aenter__(), 4 * TIMEOUT)
    if outcome.calls[0].problem is None:
        outcome.was_open = True
        await call("first", s.ask(FIRST))
        if case.phase in PUSHED:
            await call("update", s.send({"type": "session.update", "session": NO_TURNS}))
        await virtual_time.clock.sleep(3.0)
        await call("spoken", s.hear(_speech()), SPEECH_S + LISTEN_MS / 1000 + TIMEOUT)
        await call("tool", s.ask(TOOL))
        if case.phase == "idle":
            strike(outcome.lines[-1])
        await virtual_time.clock.sleep(40.0)
        await call("next", s.ask(NEXT))
        await call("last", s.ask(LAST))
        outcome.lost = s.lost
        await call("close", s.close())


def _speech() -> Any:
    t = numpy.arange(int(SPEECH_S * RATE)) / RATE
    return (8000 * numpy.sin(2 * numpy.pi * 220 * t)).astype(numpy.int16)


def problems_of(outcome: Outcome) -> list[str]:
    """What is not as it should be, in words."""
    case, calls = outcome.case, outcome.calls
    found = {
        "a frame that was handed over is not in the log as it came": outcome.events_lost,
        f"lost of what the user said: {outcome.input_lost}": outcome.input_lost,
        f"told the server twice: {outcome.input_twice}": outcome.input_twice,
        "the log adds up to something else than the session had": not outcome.same_from_log,
        f"{outcome.greetings} greetings were heard": outcome.greetings > 1,
        "no greeting was heard": outcome.was_open and not outcome.greetings and not case.silent,
        f"no row {case.row} says what happened": case.row and not _has(outcome, case.row),
        "no session came to stand, and no row says why": not outcome.was_open
        and not {"line.failed", "session.created"} & {row.type for row in outcome.session.log},
        "a line ended and no row says so": outcome.was_open and not _ends_are_told(outcome),
        f"it came out otherwise: {outcome.afterwards}": not _as_expected(outcome),
    }
    late = [one for one in calls if one.seconds > one.allowed + JUST]
    return [why for why, so in found.items() if so] + [f"{one.name} was blocked" for one in late]


def _has(outcome: Outcome, type_: str) -> bool:
    return len(outcome.session.log.where(type=type_)) > 0


def _ends_are_told(outcome: Outcome) -> bool:
    ended = [line for line in outcome.lines if line.ended is not None and not line.left]
    return len(outcome.session.log.where(type="line.lost")) >= len(ended)


def _as_expected(outcome: Outcome) -> bool:
    case, calls = outcome.case, outcome.calls
    if not outcome.was_open:
        return case.phase in (HANDSHAKE, "connecting") and not case.begins
    if case.ends and not case.again:
        told = isinstance(calls[-2].problem, rt.ConnectionLost)  # who asks on, before closing
        return outcome.lost is not None and told
    if case.silent and isinstance(calls[-2].problem, rt.TimedOut):
        return True
    return outcome.afterwards.startswith("goes on") and (_tried(outcome) > 1) >= case.ends


def _tried(outcome: Outcome) -> int:
    return len(outcome.case.refused) + len(outcome.lines)


# ---------------------------------------------------------------- the matrix

MENDED = (None, 1001, 1005, 1006, 1011, 1012, 1013, 1015)
FINAL = (1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 4000)
STEPS = (
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_item.done",
    "response.done",
)
HEARING = (
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
)
REFUSED = error("invalid_api_key", "Incorrect API key provided.")
HUGE_FRAMES = (
    '{"type":"response.output_audio.delta","response_id":"resp_unknown","item_id":"item_unknown",'
    '"delta":"' + "AAAA" * (HUGE // 4) + '"}',
    '{"type":"no.such.event","words":"' + "x" * HUGE + '"}',
)


def _everywhere(fault: str, strike: Prepare, **more: Any) -> list[Case]:
    return [Case(fault, phase, strike, **more) for phase in (*PHASES, *RESTORING)]


def _cases() -> list[Case]:
    found: list[Case] = []
    for code in MENDED:
        found += _everywhere(f"closed {code or 'without a word'}", cut(code), ends=True)
    for code in FINAL:
        found += _everywhere(f"closed {code}", cut(code), ends=True, again=False)
    found += _everywhere("half open", half_open, ends=True)
    found += _everywhere("half open, without pings", dead, silent=True)
    found += _everywhere("slow: 0.1 s a frame", slow(0.1))
    found += _everywhere("takes nothing for 12 s", stalled(12.0))
    found += _everywhere("each event twice", doubled)
    found += _everywhere("each two events exchanged", exchanged)
    found += _everywhere("the next 5 events missing", dropped(5))
    found += _everywhere("garbage between", interspersed(GARBAGE))
    found += _everywhere("16 MiB frames", interspersed(HUGE_FRAMES))
    found += _everywhere("expired", expired, ends=True)
    found += _everywhere("key refused", told(REFUSED, cut(3000)), ends=True, again=False)
    found += _everywhere("server error, 1011", told(error(None), cut(1011)), ends=True)
    found += _everywhere("server error", told(error(None)))
    for fault, refused in FOR_NOW.items():
        more: dict[str, Any] = {"row": "line.trying", "refused": refused}
        found.append(Case(fault, HANDSHAKE, _nothing, ends=True, **more))
    for fault, refused in FOR_GOOD.items():
        more = {"row": "line.failed", "refused": refused, "again": False}
        found.append(Case(fault, HANDSHAKE, _nothing, ends=True, **more))
    for type_ in STEPS:
        found.append(Case(f"{type_} missing", "speaking", without(type_)))
        found.append(Case(f"error in place of {type_}", "speaking", failing_from(type_)))
        found.append(Case(f"{type_} missing", "listening", without(type_)))
    for type_ in HEARING:
        found.append(Case(f"{type_} missing", "listening", without(type_)))
    for type_ in ("session.created", "session.updated"):
        missing = without(type_)
        found.append(Case(f"{type_} missing", "connecting", missing, row="line.failed"))
    for type_ in ("session.created", "session.updated", "conversation.item.added"):
        found.append(_later(f"{type_} missing", without(type_)))
        found.append(_later(f"{type_} missing for ever", without(type_, ever=True)))
    found.append(_later("session.created twice", doubled))
    for tool in ("raises", "hangs", "returns megabytes"):
        found.append(Case(f"the tool {tool}", "tool", _nothing, tool=tool, row="tool.answered"))
    if os.path.exists("/dev/full"):
        found += [Case("the disk is full", phase, _nothing, disk=True, row="log.in_memory")
                  for phase in (*PHASES, "restoring")]  # fmt: skip
    return found


def _nothing(_line: Line) -> None:
    """The line is as it was."""


def _later(fault: str, strike: Prepare) -> Case:
    return Case(fault, "second session", strike)


CASES = _cases()


def some_of(cases: list[Case]) -> list[Case]:
    """Without what differs from another by a number: most close codes but while the model
    speaks."""
    like = {f"closed {code}" for code in (*MENDED, *FINAL) if code not in (None, 1011, 1008)}
    return [case for case in cases if case.fault not in like or case.phase == "speaking"]
