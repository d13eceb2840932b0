"""Handing a note or a picture to whoever holds the conversation: a session, or a chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import audio, loop
from ..audio import Samples
from ..dialects import turn_detection_of
from ..errors import Misuse
from ..events import (
    Event,
    input_audio_append,
    input_audio_clear,
    input_audio_commit,
    item_create,
    response_create,
    session_update,
    text_field,
)
from ..session import AsyncSession
from ..session.blocking import Session
from ..session.reply import Reply
from ..tables import quoted
from .comm import shared_sender

if TYPE_CHECKING:
    from .chat import RealtimeChat

    Listener = Session | RealtimeChat

SHORTEST_MS = 100
"""What the service refuses to commit less of."""
PIECE_MS = 1000


def deliver(to: object, work: Callable[[AsyncSession], Any], timeout: float | None) -> Reply | None:
    """Do `work` in a session and wait for its reply; in a chat at once, and give None.

    Raises Misuse for anything else, and for a conversation that is not running.
    """
    from .chat import RealtimeChat

    if isinstance(to, Session):
        if not to.is_open:
            raise Misuse("This session is not open: send inside its with block.")
        patience = to.asynchronous.timeout if timeout is None else timeout
        reply: Reply = loop.run(work(to.asynchronous), 2 * patience + 5.0)
        return reply
    if isinstance(to, RealtimeChat):
        to.give(work)
        return None
    raise Misuse(
        "Name the conversation that it goes to: a Session or a RealtimeChat"
        + (", not an AsyncSession: use Session." if isinstance(to, AsyncSession) else ".")
    )


async def speak(session: AsyncSession, samples: Samples, timeout: float | None = None) -> Reply:
    """Send all of `samples` as one committed turn, and wait for the reply to it.

    Turn detection would cut a note at its pauses: it is switched off for the moment, and what was
    in the buffer is thrown away. Raises TimedOut, Misuse for a note that is too short.
    """
    pcm = audio.pcm_from_samples(samples)
    if audio.milliseconds_of(len(pcm)) < SHORTEST_MS:
        raise Misuse(f"A note is at least {SHORTEST_MS} ms long. Record it again.")
    await session.settled(timeout)
    detection = turn_detection_of(session.conversation.session)
    if detection is not None:
        await session.send(_turn_detection(None))
    try:
        await session.send(input_audio_clear())
        for piece in audio.chunks(pcm, PIECE_MS):
            await session.send(input_audio_append(audio.encode(piece)))
        await session.send(input_audio_commit())
    finally:
        if detection is not None and session.is_open:
            await session.send(_turn_detection(detection))
    return await _answer(session, timeout)


async def show(
    session: AsyncSession, address: str, words: str, timeout: float | None = None
) -> Reply:
    """Send a picture, a data URL, with the user's `words`, and wait for the reply."""
    content: list[Event] = [{"type": "input_image", "image_url": address}]
    if words:
        content.append({"type": "input_text", "text": words})
    await session.settled(timeout)
    await session.send(item_create({"type": "message", "role": "user", "content": content}))
    return await _answer(session, timeout)


def _turn_detection(detection: Any) -> Event:
    return session_update(audio={"input": {"turn_detection": detection}})


async def _answer(session: AsyncSession, timeout: float | None) -> Reply:
    """Ask for a response, and give it once it is done. Raises Misuse with a refusal's words."""
    before = len(session.conversation.errors)
    await session.send(response_create())
    while (row := await session.wait_for("*", timeout)).type != "response.created":
        if row.type == "error" and len(session.conversation.errors) > before:
            refusal = session.conversation.errors[-1]
            raise Misuse(f"The server refused: {quoted(text_field(refusal, 'message'))}")
    await session.settled(timeout)
    return session.reply(row.response_id)


def say_in(label: Any, words: str) -> None:
    """Let a label of ipywidgets say `words`, from any thread: only the sender's own may, or the
    page's messages to it would wait for the cell that is running."""
    shared_sender().call(lambda: setattr(label, "value", words), "a label")
