"""Our own sessions as guests of other people's servers, and what that has shown.

A part is `""` where it was shown, else why not: a server that cannot do a thing is no failure of
ours, so long as the session goes on and says what it did not get. What must work is in MUST.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np
from openai_events import problems

import rtwidgets as rt

GREETING, SECOND, TOOL = "greeting", "second turn", "tool call"
HEARD, INTERRUPTED, TRUNCATED, USAGE = "spoken turn", "interruption", "truncation", "usage"
PARTS = (GREETING, SECOND, TOOL, HEARD, INTERRUPTED, TRUNCATED, USAGE)
MUST = (GREETING, SECOND, TOOL, HEARD, INTERRUPTED)

INSTRUCTIONS = "You are a friendly guide. Answer in one sentence."
GREET = "Welcome the visitor to the museum."
DETECTION = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
STORY = "Tell me a long story."
LEAST_AUDIO_MS = 500
ENOUGH_S = 20.0
SOON_S = 3.0
_EXPECTED = {
    "conversation.item.added", "conversation.item.done", "rate_limits.updated",
    "conversation.item.truncated", "response.content_part.added", "response.output_item.done",
}  # fmt: skip


@dataclass
class Visit:
    """What one server has shown.

    Attributes:
        parts: by name: why it was not shown, "" where it was. logs: of the sessions, in order.
    """

    parts: dict[str, str] = field(default_factory=dict)
    logs: list[rt.EventLog] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(self.parts.get(part) == "" for part in MUST)

    def lacks(self) -> list[str]:
        """Types of events that OpenAI's server would have sent, and this one did not."""
        return sorted(_EXPECTED - self._types())

    def others(self) -> list[str]:
        """Types of events that OpenAI's types do not have, or not so."""
        events = (row.event for log in self.logs for row in log.where(direction="server"))
        odd = {str(event["type"]) for event in events if event is not None and problems(event)}
        return sorted(odd | (self._types() & {"conversation.item.created"}))

    def _types(self) -> set[str]:
        return {row.type for log in self.logs for row in log.where(direction="server")}


def get_weather(city: str) -> str:
    """Look up the weather for a city."""
    return f"It is sunny in {city}, with 21 degrees."


def visit(endpoint: rt.Endpoint, *, spoken: bool = True) -> Visit:
    """A typed conversation by `Session`, and a `spoken` one by `AsyncSession`."""
    made = Visit()
    talks = [_typed, lambda *of: asyncio.run(_spoken(*of))]
    for talk in talks if spoken else talks[:1]:
        try:
            talk(endpoint, made)
        except rt.errors.RealtimeError as problem:
            made.parts.update({part: str(problem) for part in MUST if part not in made.parts})
    return made


# --- typed


def _typed(endpoint: rt.Endpoint, made: Visit) -> None:
    opening = rt.GeneratedGreeting(GREET)
    with rt.Session(
        endpoint, opening, instructions=INSTRUCTIONS, tools=[get_weather], timeout=ENOUGH_S
    ) as session:
        made.logs.append(session.log)
        made.parts[GREETING] = _spoke(session.opening_reply)
        session.ask("My name is Ada.")
        second = session.ask("What is my name?")
        made.parts[SECOND] = _spoke(second) or _holds(second, "Ada")
        tool = session.ask("What is the weather in Rome?")
        made.parts[TOOL] = _spoke(tool) or _holds(tool, "21 degrees") or _called(tool)
        made.parts[USAGE] = _counted(session)


def _spoke(reply: rt.Reply | None) -> str:
    if reply is None:
        return "no reply"
    if reply.status != "completed":
        return f"{reply.status}: {reply.error}"
    if not reply.transcript:
        return "no words"
    milliseconds = len(reply.audio) * 1000 // reply.sample_rate
    return "" if milliseconds >= LEAST_AUDIO_MS else f"{milliseconds} ms of audio"


def _holds(reply: rt.Reply, words: str) -> str:
    return "" if words in reply.text else f"answers {reply.text!r}"


def _called(reply: rt.Reply) -> str:
    arguments = [call.arguments for call in reply.tool_calls]
    return "" if arguments == [{"city": "Rome"}] else f"called with {arguments}"


def _counted(session: rt.Session) -> str:
    """How far what it used is known; what is not known must not look like nothing."""
    charges = [row for row in session.log.usage() if row.what == "response"]
    untold = sum(row.text_out is None for row in charges)
    if untold:
        return f"{untold} of {len(charges)} replies without tokens, shown as unknown"
    return "" if any(row.audio_out for row in charges) else "speech is counted as text"


# --- spoken


async def _spoken(endpoint: rt.Endpoint, made: Visit) -> None:
    async with rt.AsyncSession(endpoint, instructions=INSTRUCTIONS, timeout=ENOUGH_S) as session:
        made.logs.append(session.log)
        await session.send({"type": "session.update", "session": {"type": "realtime", **DETECTION}})
        await session.wait_for("session.updated")
        await _part(made, HEARD, lambda: _heard(session))
        await _part(made, INTERRUPTED, lambda: _interrupted(session))
        await _part(made, TRUNCATED, lambda: _truncated(session))


async def _part(made: Visit, part: str, show: Callable[[], Awaitable[str]]) -> None:
    try:
        made.parts[part] = await show()
    except rt.TimedOut as late:
        made.parts[part] = str(late)


async def _heard(session: rt.AsyncSession) -> str:
    reply = await session.hear(voice())
    spoken = [turn for turn in session.log.turns() if turn.by == "spoken"]
    return _spoke(reply) or ("" if len(spoken) == 1 else f"{len(spoken)} spoken turns")


async def _interrupted(session: rt.AsyncSession) -> str:
    asked = await session.say(STORY)
    await session.wait_for("response.*audio.delta")
    after = await session.hear(voice())
    story = session.conversation.response_to(asked)
    if story is None or story.status != "cancelled":
        return f"the story was {story.status if story else 'not begun'}"
    return _spoke(after)


async def _truncated(session: rt.AsyncSession) -> str:
    """A reply is stopped by hand when 200 ms of it were heard."""
    asked = await session.say(STORY)
    await session.wait_for("response.*audio.delta")
    while (story := session.conversation.response_to(asked)) is None or story.audio_ms < 300:
        await session.wait_for("response.*audio.delta")
    await session.interrupt(heard_ms=200)
    await session.settled()
    try:
        await session.wait_for("conversation.item.truncated", timeout=SOON_S)
    except rt.TimedOut:
        return "not answered: the words stay whole, marked as cut off"
    return "" if story.items[-1].truncated_ms == 200 else "truncated elsewhere"


def voice() -> rt.audio.Samples:
    """One and a half second of a hum that swells like syllables: int16 mono 24 kHz."""
    at = np.arange(36000)
    hum = np.sin(math.pi * (at % 6000) / 6000) * np.sin(2 * math.pi * 180 * at / 24000)
    return (9000 * hum).astype(np.int16)
