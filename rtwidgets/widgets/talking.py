"""Spoken turns: the microphone's sound into the session, and what belongs to a turn around it.

Push to talk: turn detection is off; what is said while the button is held is appended, its release
commits it and asks for the reply, and the press cuts short what the assistant is saying.
Hands-free: all is appended, the server says when somebody speaks, and the speaker falls silent.
Which of both, and how, may change at any time (turntaking.py).
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

from .. import loop
from ..audio import BYTES_PER_MS, milliseconds_of
from ..dialects import turn_detection_of
from ..errors import ConnectionLost, Misuse, SpendingNotApproved, TimedOut
from ..events import (
    Event,
    error_of,
    field,
    input_audio_clear,
    microphone_dropped,
    playback_heard,
    playback_skipped,
    playback_started,
    text_field,
)
from ..events import microphone as microphone_row
from ..explanations import explain
from ..log import Row
from ..session import AsyncSession
from .comm import Content
from .hands import Hands, Tell
from .interruption import barge_in, interrupt, interruptible
from .microphone import Microphone
from .promptness import prompt_threads
from .takes import Spoken, Take
from .turntaking import TurnSettings, Update, updates
from .voice import Speaker

LEAST_MS = 200
"""What is shorter is a click and no word. The service refuses to commit less than 100 ms."""
CORRECTIONS = 3
"""How often in a take turn detection is switched off again."""
KEEPS = ("released", "unplugged", "another microphone", "other turns", "")
"""How a take may end so that what was said counts; of all other ends the person knows nothing."""

TOO_SHORT = "That was too short to be a word. Hold the button, or the space bar, while you speak."
PROTECTED = (
    "This greeting is protected from being spoken over. Talk when it has ended, or press Interrupt."
)
NO_SESSION = "No conversation is running. Press Start, or call start()."
TAKES_NOTHING = "The server takes nothing: what you said was not heard. Try again, or press Stop."
NO_PAGE = "No page shows this chat, so there is no microphone. chat.session.hear(samples) speaks."
GONE = "The page with the microphone is gone. Press Talk to go on."
GONE_HELD = "The page with the microphone is gone; what it sent last was thrown away."


class Talking:
    """Takes what a microphone brings to the session that stands. All work is done on the loop.

    Args:
        tell: called with what the work raised.

    Attributes:
        settings: what a person chose at the microphone.
    """

    def __init__(self, microphone: Microphone, speaker: Speaker, tell: Tell) -> None:
        self.settings = TurnSettings()
        self._microphone, self._speaker = microphone, speaker
        self._hands = Hands(tell)  # of its own: who waits for a reply does not wait for a silence
        self._session: AsyncSession | None = None
        self._opening: Future[None] | None = None
        self._now: Spoken | None = None
        self._over: deque[str] = deque(maxlen=50)  # ids of takes that nobody waits for any more
        self._lost = 0
        self._asked: dict[str, Update] = {}  # by event id
        self._numbers = itertools.count(1)
        self._speech = False  # whether the server hears somebody speak
        self._corrections = 0  # of turn detection, in this take
        self._begun: set[str] = set()  # items that a person began to hear
        microphone.ear = self

    # ------------------------------------------------------------ the session

    def follow(self, session: AsyncSession, opening: Future[None]) -> None:
        """Speak into this session from now on, once its opening is sent."""
        self._session, self._opening = session, opening
        self._lost, self._begun = 0, set()
        session.subscribe(lambda row: self._row(session, row))
        self._microphone.put(ready=True, note="", lost=0)

    def leave(self) -> None:
        """The session is over."""
        if self._session is None:
            return
        self._session = None
        self._microphone.put(ready=False, note="")
        self._microphone.release()
        self._soon(self._drop)

    # ------------------------------------------------------------ what a person does

    def talk(self) -> str:
        """Have the page listen; why that cannot be, empty where it can."""
        if self._session is None:
            return NO_SESSION
        if not self._microphone.shown:
            return NO_PAGE
        self._microphone.talk()
        return ""

    def mute(self) -> None:
        """Have the page listen no more; a turn that is held is over with that."""
        self._microphone.mute()

    def choose(self, given: Content) -> None:
        """Set what is said of turns and sound. Raises Misuse for what cannot be."""
        self.settings = self.settings.changed(given)
        self._soon(self._chosen)

    def heard(self, item_id: str, ms: int, done: bool) -> None:
        """The page played so much of an item: the log is told."""
        if self._session is not None:
            self._soon(self._record_heard, self._session, item_id, ms, done)

    def skipped(self, ms: int) -> None:
        """So much sound came before there was a page to play it."""
        if self._session is not None:
            self._soon(self._session.record, playback_skipped(ms))

    def _record_heard(self, session: AsyncSession, item_id: str, ms: int, done: bool) -> None:
        if session is not self._session:
            return
        if item_id not in self._begun:
            self._begun.add(item_id)
            session.record(playback_started(item_id))
        session.record(playback_heard(item_id, ms, done=done))

    # ------------------------------------------------------------ what a microphone brings

    def begin(self, take: str) -> None:
        self._soon(self._begin, take)

    def hear(self, take: str, number: int, pcm: bytes) -> None:
        self._soon(self._hear, take, number, pcm)

    def end(self, take: str, count: int, why: str) -> None:
        self._soon(self._end, take, count, why)

    def _soon(self, work: Any, *given: Any) -> None:
        loop.shared_loop().call_soon_threadsafe(work, *given)

    def _begin(self, take: str) -> None:
        spoken = self._spoken(take)
        if spoken is not None and spoken.work is None:
            spoken.work = self._hands.give(self._speak(spoken))

    def _hear(self, take: str, number: int, pcm: bytes) -> None:
        spoken = self._spoken(take)
        if spoken is not None:
            spoken.put(spoken.take.chunk(number, pcm))

    def _end(self, take: str, count: int, why: str) -> None:
        spoken = self._spoken(take)
        if spoken is not None:
            spoken.take.over(count, why)
            spoken.put([])

    def _spoken(self, take: str) -> Spoken | None:
        """The take of that name, a new one where none is known by it; None once it is over."""
        if take in self._over:
            return None
        if self._now is None or self._now.take.id != take:
            self._drop()  # one at a time: the page that spoke last is the one that is heard
            self._now = Spoken(take)
        return self._now

    def _drop(self) -> None:
        """End the take under way; what is left of it is nobody's."""
        spoken, self._now = self._now, None
        if spoken is None:
            return
        self._over.append(spoken.take.id)
        self._microphone.refuse(spoken.take.id)
        spoken.take.give_up("dropped")
        spoken.chunks.put_nowait(None)

    # ------------------------------------------------------------ a take

    async def _speak(self, spoken: Spoken) -> None:
        try:
            session = await self._listener()
            if session is None:
                self._refuse(spoken, NO_SESSION)
            elif self.settings.held and protected(session):
                self._refuse(spoken, PROTECTED)
            else:
                await self._speak_into(session, spoken)
        except (ConnectionLost, Misuse):
            self._refuse(spoken, "")  # the line fell or was closed: the transcript says so
        except TimedOut:
            self._refuse(spoken, TAKES_NOTHING)
        finally:
            self._over.append(spoken.take.id)
            if self._now is spoken:
                self._now = None

    async def _listener(self) -> AsyncSession | None:
        session, opening = self._session, self._opening
        if session is None or opening is None:
            return None
        await asyncio.wait([asyncio.wrap_future(opening)])
        return session if session.is_open else None

    def _refuse(self, spoken: Spoken, why: str) -> None:
        self._microphone.put(note=why)
        self._microphone.refuse(spoken.take.id)

    async def _speak_into(self, session: AsyncSession, spoken: Spoken) -> None:
        held = self.settings.held
        self._corrections = 0
        self._microphone.put(note="")  # it was about the take before
        await self._adjust(session)
        cutting = None
        if held and (session.conversation.busy or self._speaker.to_come > 0):
            cutting = asyncio.ensure_future(interrupt(session, self._speaker, again=False))
        sent = await self._send(session, spoken)
        if cutting is not None:
            await cutting
        counts = spoken.take.why in KEEPS
        if spoken.take.why == "gone":
            self._microphone.put(note=GONE_HELD if held else GONE)
        if held:
            await self._finish(session, sent, counts)
        elif self._speech:  # muted in the middle of a word: the server would wait for its end
            await self._commit(session)

    async def _send(self, session: AsyncSession, spoken: Spoken) -> int:
        """Append a take to its end; gives its bytes."""
        sent = 0
        session.record(microphone_row(True))
        try:
            with prompt_threads():
                while (pcm := await spoken.next()) is not None:
                    await session.append(pcm)
                    sent += len(pcm)
                    self._tell_dropped(session, spoken)
        finally:
            self._tell_dropped(session, spoken)
            session.record(microphone_row(False))
            self._count_lost(spoken.take)
        return sent

    def _tell_dropped(self, session: AsyncSession, spoken: Spoken) -> None:
        dropped, spoken.dropped = milliseconds_of(spoken.dropped), 0
        if dropped:
            said = f"{dropped / 1000:.1f} s of what you said were lost: the server took nothing."
            session.record(microphone_dropped(dropped, said))

    def _count_lost(self, take: Take) -> None:
        if take.lost:
            self._lost += take.lost
            self._microphone.put(lost=self._lost)

    async def _finish(self, session: AsyncSession, sent: int, counts: bool) -> None:
        if counts and sent >= LEAST_MS * BYTES_PER_MS:
            await self._commit(session)
            return
        if sent:
            await session.send(input_audio_clear())
        if counts:
            self._microphone.put(note=TOO_SHORT)

    async def _commit(self, session: AsyncSession) -> None:
        try:
            await session.commit()
        except SpendingNotApproved:
            await session.send(input_audio_clear())
            raise

    # ------------------------------------------------------------ settings

    def _chosen(self) -> None:
        session = self._session
        self._show(session)
        if session is not None and session.is_open:
            self._hands.give(_quietly(self._adjust(session)))

    def _show(self, session: AsyncSession | None) -> None:
        state = session.conversation.session if session is not None else {}
        self._microphone.put(settings=self.settings.shown(state))

    async def _adjust(self, session: AsyncSession) -> None:
        """Have the session be as it was chosen. An opening that protects its greeting has its own
        turn detection until that was heard."""
        turns = not protected(session)
        for update in updates(self.settings, await session.expected(), turns=turns):
            if update.between and session.conversation.busy:
                self._hands.give(_quietly(self._set_later(session, update)))
            else:
                await self._set(session, update)

    async def _set(self, session: AsyncSession, update: Update) -> None:
        name = f"settings_{next(self._numbers)}"
        self._asked[name] = update
        await session.send({**update.event, "event_id": name})

    async def _set_later(self, session: AsyncSession, update: Update) -> None:
        try:
            await session.settled()
        except TimedOut:
            return  # a reply without an end: the next change, or the next take, tries again
        still = updates(self.settings, await session.expected(), turns=False)
        if update in still:
            await self._set(session, update)

    # ------------------------------------------------------------ what the server says

    def _row(self, session: AsyncSession, row: Row) -> None:
        if session is not self._session:
            return
        if row.type == "opening.ended":
            if self._now is not None:
                self._hands.give(_quietly(self._adjust(session)))
        elif row.direction != "server":
            return
        elif row.type in _SPEECH:
            self._speech = _SPEECH[row.type]
            if self._speech and interruptible(session):
                self._hands.give(_quietly(barge_in(session, self._speaker)))
        elif row.type == "session.updated":
            self._show(session)
            self._see_to_turns(session)
        elif row.type == "error":
            self._refused(session, row.event or {})

    def _see_to_turns(self, session: AsyncSession) -> None:
        """Turn detection came on while a turn is held: what an opening asked for at its end, say,
        was confirmed later than the press. Not for ever: a server may insist."""
        if self._now is None or not self.settings.held or self._corrections >= CORRECTIONS:
            return
        if turn_detection_of(session.conversation.session) is not None:
            self._corrections += 1
            self._hands.give(_quietly(self._adjust(session)))

    def _refused(self, session: AsyncSession, event: Event) -> None:
        self._see_to_turns(session)  # it may be an update that was counted on
        error = error_of(event)
        update = self._asked.pop(text_field(error, "event_id"), None)
        if error is None or update is None:
            return
        self.settings = self.settings.without(set(update.names))
        self._show(session)
        meaning = explain(error) or ""
        self._microphone.put(note=f"{text_field(error, 'message')} {meaning}".strip())


_SPEECH = {
    "input_audio_buffer.speech_started": True,
    "input_audio_buffer.speech_stopped": False,
    "input_audio_buffer.committed": False,
    "input_audio_buffer.cleared": False,
}
"""What tells whether the server hears somebody speak."""


def protected(session: AsyncSession) -> bool:
    """Whether the opening keeps its greeting from being spoken over, and it is not over yet."""
    wanted = field(session.opening.session(), "audio", "input")
    guards = isinstance(wanted, dict) and wanted.get("turn_detection", {}) is None
    return guards and session.greeting


async def _quietly(work: Coroutine[Any, Any, object]) -> None:
    """Do it, if the line stands; where it fell the transcript says so."""
    try:
        await work
    except (ConnectionLost, Misuse):
        pass
