"""Cutting a reply short: the sound stops, and the model remembers only what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..audio import RATE
from ..dialects import turn_detection_of
from ..errors import ConnectionLost, Misuse, TimedOut
from ..events import field, playback_flushed, response_cancel, response_create
from ..items import Response
from ..openings import WORDS
from ..session import AsyncSession
from .hints import has_to_wait
from .voice import ANSWER, Speaker

SERVER_S = 1.0
"""Seconds that a server which cancels by itself has for it."""

PATIENT = 10.0
"""Seconds that a page has to say how far it played where only the truncation waits for that: on a
machine that is far too busy, better late than a wrong number."""


async def interrupt(session: AsyncSession, speaker: Speaker, *, again: bool = True) -> None:
    """Stop the reply that is being made, and take back what nobody heard of it and of others that
    waited to be heard. What a person asked meanwhile is asked now, if `again`."""
    asked = again and has_to_wait(session.conversation)
    falling = asyncio.ensure_future(fall_silent(session, speaker))
    await asyncio.sleep(0)  # the page is told before the server: a person hears it
    try:
        await session.interrupt(calls=again)  # of what runs for one who speaks on, they are told
    finally:
        cut = await falling
    await _take_back(session, cut)
    if asked:
        await _ask_again(session)


async def barge_in(session: AsyncSession, speaker: Speaker) -> None:
    """Somebody speaks, and the server heard it: the same, but the server cancels by itself. One
    that does not is told to."""
    active = session.conversation.active_response
    works = [_fall_back(session, speaker)]  # first: a person hears it
    if active is not None:
        works.append(_see_cancelled(session, active))
    await asyncio.gather(*works)


async def _fall_back(session: AsyncSession, speaker: Speaker) -> None:
    await _take_back(session, await fall_silent(session, speaker, PATIENT))


def interruptible(session: AsyncSession) -> bool:
    """Whether speech that the server detects is meant to interrupt; so it is by default."""
    detection = turn_detection_of(session.conversation.session)
    return field(detection, "interrupt_response") is not False


async def _see_cancelled(session: AsyncSession, response: Response) -> None:
    try:
        await session.settled(SERVER_S)
    except (TimedOut, ConnectionLost, Misuse):
        pass
    if response.active and session.is_open:
        await session.send(response_cancel(response.id))


async def _take_back(session: AsyncSession, cut: Mapping[str, int]) -> None:
    """Have the server forget what was not heard: the rest of an item, or all of it."""
    for item_id, ms in cut.items():
        if item_id == WORDS:
            continue  # the server knows nothing of that sound; the opening is told of it
        await session.take_back(item_id, ms)


async def _ask_again(session: AsyncSession) -> None:
    """Ask for the reply that the interruption took back with the others."""
    try:
        await session.settled()
    except (ConnectionLost, Misuse):
        return  # closed meanwhile: nobody asks any more
    await session.send(response_create())


async def fall_silent(
    session: AsyncSession, speaker: Speaker, patience: float = ANSWER
) -> dict[str, int]:
    """Stop the sound, and play nothing more of what the session has so far.

    Gives the milliseconds heard of each item that was not heard to its end; nothing where no page
    can tell. A page has `patience` seconds to do so.
    """
    responses, items = session.conversation.responses, tuple(session.conversation.items)
    # By response: more of it may be on its way, of an item that nobody has heard of yet.
    heard = await speaker.silence({*responses, *(item.id for item in items), WORDS}, patience)
    if not speaker.player:
        return {}
    lengths = {item.id: item.audio_ms for item in items} | _own_length(session)
    cut = {
        item_id: heard[item_id]
        for item_id, length in lengths.items()
        if item_id in heard and heard[item_id] < length
    }
    for item_id, ms in cut.items():
        session.record(playback_flushed(item_id, ms))
    return cut


def _own_length(session: AsyncSession) -> dict[str, int]:
    """The milliseconds of the opening's own sound, by the item that it counts as."""
    sound = session.opening.audio
    return {} if sound is None else {WORDS: 1000 * len(sound) // RATE}
