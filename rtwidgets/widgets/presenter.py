"""The presenter of a chat: what a person does goes to the session, what it tells to the page.

What stands where is in parts.py, where the chat stands in standing.py; what happens is in the
session. Every method returns at once: it hands its work to the shared loop's thread and the news to
the sender's. What a person holds is a `RealtimeChat` (chat.py), of which nothing here knows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import RLock

from .. import endpoints, loop, openings
from ..audio import pcm_from_samples
from ..conversation import Conversation
from ..endpoints import Endpoint, approve_spending, spending_notice
from ..errors import Misuse
from ..log import EventLog
from ..log.rows import Row
from ..openings import WORDS, Opening
from ..session import AsyncSession
from ..session.blocking import Session
from ..tables import quoted
from ..tools import Given
from .choices import Choice, Choices
from .comm import Content, Duty, Failure, shared_sender
from .hands import Hands
from .hints import NOT_SENT, UNSAID
from .interruption import fall_silent, interrupt
from .keeping import Keeping
from .narration import GIVEN_UP, LEFT, STOPPED, UNSHOWN, narrate
from .parts import Acts, Parts
from .sessions import Sessions
from .standing import OVER, Standing
from .status import Status
from .talking import Talking
from .trouble import Troubles, say_trouble
from .working import Work, advice_on, done_in, quiet

PATIENCE = 30.0
"""Seconds that a chat which is closed waits for what it has under way."""


class Presenter:
    """Runs one chat; the arguments are those of `RealtimeChat`.

    Attributes:
        sessions: every session so far.
        view: the widget.
    """

    def __init__(
        self,
        opening: Opening | None,
        endpoint: Endpoint | None,
        model: str | None,
        voice: str | None,
        instructions: str | None,
        tools: Sequence[Given],
        budget: float | None,
        reconnect: bool,
    ) -> None:
        if endpoint is not None:  # for None the choices take the default, and the page names it
            endpoint = endpoints.chosen(endpoint)
        if opening is not None:
            opening = openings.checked(opening)
        self.sessions = Sessions(instructions, tools, budget, reconnect)
        self._kept: object | None = None
        self._closed = False
        self._empty, self._nothing = EventLog(), Conversation()
        self._lock, self._troubles = RLock(), Troubles()
        self._opening: Future[None] | None = None
        self._hands = Hands(self._say_error)
        self._sender = sender = shared_sender()
        self._duty = Duty(self._show_status, sender, self._status_told)
        self._keeping = Keeping(
            lambda: self._transcript.lines(),
            lambda: self.log,
            lambda: self.session.asynchronous.opening.name if self.session is not None else "",
            sender,
            self._told,
        )
        self._choices = Choices(
            sender, opening=opening, endpoint=endpoint, model=model, voice=voice
        )
        self._standing = Standing(self._choices.current())
        acts = Acts(
            act=self._act,
            say=self._hand_text,
            gone=self._leave,
            file=lambda kind: self._keeping.file_or_none(kind, self._say_error),
            heard=self._heard,
            skipped=lambda ms: self._talking.skipped(ms),
            send=self._send_written,
            check=lambda event: advice_on(event, self.session),
        )
        self._parts = Parts(self._choices, acts, self._empty, self._status(), self._keeping.name)
        self._parts.tell(self._told, self._status_told)
        self._transcript, self._speaker = self._parts.transcript, self._parts.speaker
        self._talking = Talking(self._parts.microphone, self._speaker, self._say_error)
        self.view = self._parts.view
        self._choices.on_change(self._duty.wake)
        endpoints.warm_up()  # now, while no cell keeps an import waiting

    # ------------------------------------------------------------ what it is

    @property
    def session(self) -> Session | None:
        return self.sessions.latest

    @property
    def log(self) -> EventLog:
        return self.session.log if self.session is not None else self._empty

    @property
    def conversation(self) -> Conversation:
        return self.session.conversation if self.session is not None else self._nothing

    @property
    def volume(self) -> float:
        return float(self._speaker.volume)

    @volume.setter
    def volume(self, volume: float) -> None:
        if not 0 <= volume <= 1:
            raise Misuse(f"The volume is a number from 0 to 1, not {volume!r}.")
        self._speaker.put(volume=float(volume))

    # ------------------------------------------------------------ what a person does

    def start(self) -> None:
        if self._closed:  # no page could show it
            raise Misuse("This chat was closed. Make a new one for a new conversation.")
        self._start(self._choices.current)

    def approve(self) -> None:
        with self._lock:
            if self._standing.state == "confirm":
                approve_spending()
                self._begin(self._standing.choice)

    def decline(self) -> None:
        with self._lock:
            if self._standing.state == "confirm":
                self._enter("idle")

    def say(self, text: str) -> None:
        listening = self._standing.listening
        saying = self._hand_text(text)
        if listening:  # else it is told what to do
            saying.add_done_callback(lambda said: self._tell_unsaid(text, said))

    def give(self, work: Work) -> None:
        self._hand(work)

    def interrupt(self) -> None:
        self._hand(lambda session: interrupt(session, self._speaker))

    def talk(self) -> None:
        hindrance = self._talking.talk()
        if hindrance:
            self._transcript.notice(hindrance)

    def mute(self) -> None:
        self._talking.mute()

    def stop(self) -> None:
        if self._stop(STOPPED):
            self._keeping.rewrite()

    def close(self) -> None:
        self._closed, self._kept = True, None
        self.stop()
        loop.submit(self._close_view())

    def keep(self, held: object) -> None:
        """Keep what a person holds of this chat: its view is given away, and who shows that needs
        no name for the chat. Until the last page that shows it takes it away, or it is closed."""
        if not self._closed:
            self._kept = held

    def abandon(self) -> None:
        """Close, soon: nobody holds the chat any more. From wherever garbage is collected."""
        self._sender.call(self.close, "closing a chat")

    def wait(self, timeout: float) -> None:
        over = quiet(self._hands, self._asynchronous, self._speaker, timeout)
        loop.run(over, 2 * timeout + 60.0)
        self._keeping.rewrite()

    def save(self, path: Path, *, redacted: bool) -> Path:
        self._keeping.save(path, redacted)
        return path

    def display(self) -> None:
        self._keeping.display(self.view)

    def _stop(self, why: str) -> bool:
        """End the conversation, and say why in a few words; gives whether one was running."""
        with self._lock:
            if self._standing.state == "confirm":
                self._enter("idle")
            if not self._standing.running or self.session is None:
                return False
            if self._opening is not None:
                self._opening.cancel()
            self._transcript.over(why)
            if not self.conversation.session:
                self._transcript.notice(GIVEN_UP)
            self._enter("ended")
            self._hands.give(self._close(self.session.asynchronous))
            return True

    def _leave(self) -> None:
        """No page shows the chat any more: who does not hold it has left it."""
        if self._stop(UNSHOWN):
            self._transcript.notice(LEFT)
        self._kept = None

    # ------------------------------------------------------------ sessions

    def _start(self, choose: Callable[[], Choice]) -> None:
        with self._lock:
            if self._standing.running:
                self._transcript.notice(
                    "It is running already. Press Stop first for a new conversation."
                )
                return
            try:
                self._consider(choose())
            except Exception as refused:
                self._fail(refused)

    def _consider(self, choice: Choice) -> None:
        notice = spending_notice(choice.endpoint, choice.model)
        self._standing.choice = choice
        if notice is not None and self.sessions.budget is None:
            self._enter("confirm", notice=notice)
        else:
            self._begin(choice)

    def _begin(self, choice: Choice) -> None:
        try:
            session = self.sessions.begin(choice)
        except Exception as refused:
            self._fail(refused)
            return
        self._parts.show(session)
        session.asynchronous.playing = lambda: self._speaker.player.get("state") == "running"
        session.asynchronous.subscribe(lambda row: self._take(session, row))
        self._enter("connecting")
        self._opening = self._hands.give(self._open(session.asynchronous))
        self._talking.follow(session.asynchronous, self._opening)

    async def _open(self, session: AsyncSession) -> None:
        try:
            await session.open()
        except asyncio.CancelledError:
            await session.close()
            raise
        except Exception as error:
            self._fail(error)
            await session.close()
            return
        if session.opening.audio is not None:
            self._speaker.play(WORDS, pcm_from_samples(session.opening.audio))
        self._standing.since = time.time()
        if self._standing.state == "connecting":
            self._enter("open")

    def _asynchronous(self) -> AsyncSession | None:
        return self.session.asynchronous if self.session is not None else None

    async def _close_view(self) -> None:
        await self._hands.free(PATIENCE)
        self._sender.call(self._parts.close)

    async def _close(self, session: AsyncSession) -> None:
        cut = await fall_silent(session, self._speaker)
        if self.session is not None and session is self.session.asynchronous:
            for item_id, ms in cut.items():
                self._transcript.heard(item_id, ms)
        await session.close()
        self._duty.wake()
        self._keeping.wake()

    def _hand_text(self, text: str) -> Future[bool]:
        saying = self._hand(lambda session: session.say(text))
        saying.add_done_callback(lambda _: self._duty.wake())  # no row comes without a line
        return saying

    def _tell_unsaid(self, text: str, said: Future[bool]) -> None:
        """No session came to stand for what a cell said; a page keeps what was typed there."""
        if not (said.cancelled() or said.exception() or said.result()):
            self._transcript.notice(UNSAID.format(quoted(text, 200)))

    def _send_written(self, text: str) -> None:
        """An event was written into the box of the table: it goes out exactly as it is."""
        if not self._standing.listening:
            raise Misuse(NOT_SENT)
        self._hand(lambda session: session.send(text))

    def _hand(self, work: Work) -> Future[bool]:
        """Have `work` done in the session once its opening is sent; say so where there is none.

        Gives whether it was done.
        """
        session, opening = self.session, self._opening
        if not self._standing.listening or session is None or opening is None:
            self._transcript.notice("No conversation is running. Press Start, or call start().")
            nothing: Future[bool] = Future()
            nothing.set_result(False)
            return nothing
        return self._hands.give(done_in(session.asynchronous, opening, work))

    # ------------------------------------------------------------ what happens

    def _take(self, session: Session, row: Row) -> None:
        """Each row of a session's log, on the loop's thread."""
        if session is self.session:  # else of one that was stopped: another is shown by now
            self._or_say(lambda: self._show(session, row))

    def _show(self, session: Session, row: Row) -> None:
        self._parts.take(row)
        if row.type == "input_audio_buffer.append":
            return  # twenty-five a second, and nothing in them to read
        narrate(row, session.conversation, self._transcript)
        self._duty.wake()
        if row.direction == "local" and row.type.startswith("line."):
            self._line_changed(session, row)
        if row.type == "response.done":
            self._keeping.wake()

    def _line_changed(self, session: Session, row: Row) -> None:
        if row.type == "line.lost" and session.lost is not None:
            self._enter("ended")
            self._hands.give(session.asynchronous.close())
        elif row.type == "line.lost" and self._standing.state == "open":
            self._enter("reconnecting")
        elif row.type == "line.restored" and self._standing.state == "reconnecting":
            self._enter("open")

    def _heard(self, item_id: str, ms: int, done: bool) -> None:
        """The page played that much of an item."""
        if self.conversation.item(item_id) is not None:
            self._transcript.heard(item_id, ms)
            self._talking.heard(item_id, ms, done)

    def _act(self, what: str, shown: Content | None) -> None:
        """A button was pressed in the page, which showed this as chosen."""
        choices = self._choices
        choose = choices.current if shown is None else lambda: choices.choice(shown)
        acts: dict[str, Callable[[], None]] = {
            "start": lambda: self._start(choose),
            "stop": self.stop,
            "approve": self.approve,
            "decline": self.decline,
            "interrupt": self.interrupt,
        }
        self._or_say(acts[what])

    def _or_say(self, work: Callable[[], None]) -> None:
        """Do it; where it fails, say why in the transcript."""
        try:
            work()
        except Exception as error:
            self._say_error(error)

    def _fail(self, error: BaseException) -> None:
        self._say_error(error)
        self._enter("failed")

    def _say_error(self, error: BaseException) -> None:
        say_trouble(error, self._transcript)

    def _told(self, what: str, failure: Failure | None) -> None:
        """A part of the page was brought up to date, or could not be."""
        if self._troubles.note(what, failure):
            self._duty.wake()

    def _status_told(self, what: str, failure: Failure | None) -> None:
        """The same of the status line: it says so with its next news, it does not wake itself."""
        self._troubles.note(what, failure)

    # ------------------------------------------------------------ what it says

    def _enter(self, state: str, *, notice: str = "") -> None:
        self._standing.enter(state, notice)
        self._duty.wake()
        if state in OVER:
            self._talking.leave()
            self._keeping.wake()

    def _show_status(self) -> None:
        self._parts.show_status(self._status(), self._hint())

    def _status(self) -> Status:
        chosen = self._choices.current()
        return self._standing.status(self.session, chosen, self._troubles.sentence)

    def _hint(self) -> str:
        empty = self._transcript.empty
        return self._standing.hint(self.session, empty=empty, unheard=self._speaker.waiting)

    def __str__(self) -> str:
        status = self._status()
        place = f"{status.endpoint}, {status.model}"
        return f"{status.words} ({place}), {len(self.log)} events"
