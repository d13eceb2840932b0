"""Cutting a reply short: the sound stops, and the model remembers only what was heard."""

from __future__ import annotations

from ..audio import RATE
from ..errors import ConnectionLost, Misuse
from ..events import item_truncate, response_create
from ..openings import WORDS
from ..session import AsyncSession
from .hints import has_to_wait
from .voice import Speaker


async def interrupt(session: AsyncSession, speaker: Speaker) -> None:
    """Stop the reply that is being made, and take back what nobody heard of it and of others that
    waited to be heard. What a person asked meanwhile is asked now."""
    asked = has_to_wait(session.conversation)
    cut = await fall_silent(session, speaker)
    await session.interrupt()
    for item_id, ms in cut.items():
        if item_id != WORDS:  # the server knows nothing of that sound; the opening is told of it
            await session.send(item_truncate(item_id, ms))
    if asked:
        await _ask_again(session)


async def _ask_again(session: AsyncSession) -> None:
    """Ask for the reply that the interruption took back with the others."""
    try:
        await session.settled()
    except (ConnectionLost, Misuse):
        return  # closed meanwhile: nobody asks any more
    await session.send(response_create())


async def fall_silent(session: AsyncSession, speaker: Speaker) -> dict[str, int]:
    """Stop the sound, and play nothing more of what the session has so far.

    Gives the milliseconds heard of each item that was not heard to its end; nothing where no page
    can tell.
    """
    responses, items = session.conversation.responses, tuple(session.conversation.items)
    # By response: more of it may be on its way, of an item that nobody has heard of yet.
    heard = await speaker.silence({*responses, *(item.id for item in items), WORDS})
    if not speaker.player:
        return {}
    lengths = {item.id: item.audio_ms for item in items} | _own_length(session)
    cut = {
        item_id: heard[item_id]
        for item_id, length in lengths.items()
        if item_id in heard and heard[item_id] < length
    }
    for item_id, ms in cut.items():
        session.record({"type": "playback.flushed", "item_id": item_id, "ms": ms})
    return cut


def _own_length(session: AsyncSession) -> dict[str, int]:
    """The milliseconds of the opening's own sound, by the item that it counts as."""
    sound = session.opening.audio
    return {} if sound is None else {WORDS: 1000 * len(sound) // RATE}
