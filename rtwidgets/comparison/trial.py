"""One trial: a fresh session with one opening, all that it does in a log of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass

from .. import audio
from ..endpoints import Endpoint
from ..errors import RealtimeError, TimedOut
from ..events import Event, count_field, response_create, user_text
from ..log import EventLog
from ..openings import Opening
from ..session import AsyncSession, Modality
from ..tables import shortened
from .marks import FAILED, OPENED, PROBE_MARK, SETUP, Setup

_IDLE = ("audio", "input", "turn_detection", "idle_timeout_ms")
_IDLE_ALLOWED = 2.0  # seconds beyond the silence until a server that speaks up has done so
_WRITTEN = ("conversation.item.create", "conversation.item.delete")
_ANSWERS = (  # not every server says .done
    *("conversation.item.added", "conversation.item.created", "conversation.item.done"),
    *("conversation.item.deleted", "error"),
)
_PROBE_SECONDS = 20.0
_DETAIL = 40  # characters of what tells an opening from one of the same name
_SPEECH_ALLOWED = 10.0  # seconds until the greeting to be spoken over must be heard


@dataclass(frozen=True)
class Settings:
    """What all sessions of a comparison share. Seconds; `budget` is dollars for one session."""

    instructions: str | None = None
    voice: str | None = None
    modality: Modality = "audio"
    timeout: float = 30.0
    probe: bool = True
    budget: float | None = None


async def run_trial(
    setup: Setup,
    endpoint: Endpoint,
    opening: Opening,
    settings: Settings,
    speech: audio.Samples | None = None,
    model: str | None = None,
) -> EventLog:
    """Run one trial and give its log, complete up to whatever ended it.

    Args:
        speech: what is spoken over the greeting, for a trial of the kind `interruption`.
    """
    session = AsyncSession(
        endpoint,
        opening,
        instructions=settings.instructions,
        voice=settings.voice,
        modality=settings.modality,
        model=model,
        timeout=settings.timeout,
        budget=settings.budget,
        reconnect=False,  # a trial that lost its line says so, and is no trial of an opening
    )
    try:
        await session.open()
        session.record(setup.event())
        if setup.kind == "interruption" and speech is not None:
            await _speak_over(session, speech)
        else:
            await _let_it_open(session)
            session.record({"type": OPENED})
            if settings.probe:
                await _ask_aside(session, setup.question)
    except Exception as problem:  # an opening may be the user's own code: the others go on
        if not len(session.log.where(type=SETUP)):
            session.log.append("local", setup.event())
        said = str(problem) if isinstance(problem, RealtimeError) else repr(problem)
        session.log.append("local", {"type": FAILED, "message": said})
    finally:
        await session.close()
    return session.log


async def _let_it_open(session: AsyncSession) -> None:
    """Wait until the opening has had its effect: its replies, and the items that it writes."""
    try:
        await _spoken_up(session)
        await session.opened()
        await session.settled()
        await _until(session, lambda: _all_taken(session), session.timeout)
        await session.settled()
    except TimedOut as late:
        session.record({"type": FAILED, "message": str(late)})


async def _spoken_up(session: AsyncSession) -> None:
    """Give a server that was told to speak after a silence the time to do so."""
    silence = count_field(session.conversation.session, *_IDLE)
    if silence is not None:
        allowed = silence / 1000 + _IDLE_ALLOWED
        await _until(session, lambda: bool(session.conversation.responses), allowed)


def _all_taken(session: AsyncSession) -> bool:
    """Whether the server has answered every item that was written or deleted."""
    if session.conversation.has_to_send:
        return False
    sent = session.log.where(type=_WRITTEN, direction="client")
    answers = session.log.where(type=_ANSWERS, direction="server")
    return {row.seq for row in sent} <= {row.cause.seq for row in answers if row.cause is not None}


async def _until(session: AsyncSession, ready: Callable[[], bool], seconds: float) -> bool:
    """Wait by the session's clock until `ready()`, looking at each event; False after `seconds`."""
    news = asyncio.Event()
    unsubscribe = session.subscribe(lambda _: news.set())
    limit = asyncio.ensure_future(session.clock.sleep(seconds))
    told = asyncio.ensure_future(news.wait())
    try:
        while not ready() and not limit.done():
            await asyncio.wait({told, limit}, return_when=asyncio.FIRST_COMPLETED)
            if told.done():
                news.clear()
                told = asyncio.ensure_future(news.wait())
    finally:
        unsubscribe()
        limit.cancel()
        told.cancel()
    return ready()


async def _ask_aside(session: AsyncSession, question: str) -> None:
    """Ask out of band, so that the conversation stays as the opening left it.

    The context is given item by item: what stands in the conversation, and the question behind it.
    """
    known: list[Event] = [
        {"type": "item_reference", "id": item.id} for item in session.conversation.items
    ]
    asked = await session.send(
        response_create(
            conversation="none",
            metadata=PROBE_MARK,
            output_modalities=["text"],
            input=[*known, user_text(question)],
            tool_choice="none",
        )
    )

    def answered() -> bool:
        ends = session.log.where(type=("response.done", "error"), direction="server")
        lost = session.log.where(type="line.lost", direction="local")  # that says why by itself
        return bool(len(lost)) or any(row.cause == asked for row in ends)

    if not await _until(session, answered, min(session.timeout, _PROBE_SECONDS)):
        session.record({"type": FAILED, "message": f"{question!r} was not answered in time."})


async def _speak_over(session: AsyncSession, speech: audio.Samples) -> None:
    """Speak as soon as the greeting is heard, as an impatient visitor would."""
    if session.opening.heard:
        try:
            await session.wait_for(
                "response.output_audio.delta", min(session.timeout, _SPEECH_ALLOWED)
            )
        except TimedOut:
            pass  # nothing to speak over: the row of the table says so
    await session.hear(speech, reply=False)
    await session.settled()


def label_of(opening: Opening, others: Mapping[str, Opening]) -> str:
    """What to call an opening beside others: its name, and where another has that, with what is not
    as in that one: its text, or an option."""
    own = opening.name != Opening.name
    name = opening.name if own else type(opening).__name__
    if name not in others:
        return name
    detail = _difference(opening, others[name])
    label = f"{name}: {detail}" if detail else name
    numbered = (f"{label} ({number})" for number in range(2, len(others) + 3))
    return label if label not in others else next(one for one in numbered if one not in others)


def _difference(opening: Opening, other: Opening) -> str:
    """The fields that differ, as a person would say them."""
    if type(opening) is not type(other) or not is_dataclass(opening):
        detail = next((value for value in vars(opening).values() if isinstance(value, str)), "")
        return shortened(detail, _DETAIL)
    told = []
    for one in sorted(fields(opening), key=lambda one: one.kw_only is True):
        value = getattr(opening, one.name)
        if repr(value) != repr(getattr(other, one.name)):
            told.append(value if isinstance(value, str) else f"{one.name}={value!r}")
    return ", ".join(shortened(one, _DETAIL) for one in told)
