"""The pump: takes what a transport brings, and sends what is to be sent.

For each frame, in this order: the log has it, money and the conversation take it, calls of tools
are begun, the opening may answer, who listens is told, and what is due leaves.

Where the line ends and another can be had, the pump goes on with that one (recovery.py), and before
a session reaches its longest duration the conversation moves to a new one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from ..conversation import Conversation
from ..errors import ConnectionLost, Misuse, RealtimeError, TimedOut
from ..events import Event, field, line_lost, line_moving
from ..items import Response
from ..log import EventLog, Row
from ..money.ledger import TAKEN, Ledger
from ..openings import Opening
from ..tools import Calls, Toolbox
from ..transport import FAREWELL, GOING_ON, TRIED_AGAIN, Clock, OneClock, Transport
from .lifetime import AHEAD_S, Lifetime
from .line import Line
from .news import Lookout, News
from .overdue import Overdue
from .purse import Purse
from .recovery import Recovery
from .stage import Stage
from .tries import Connect
from .unanswered import HEEDS, Unanswered

_BEFORE_ANSWERS = ("response.done", "input_audio_buffer.speech_started")
"""Behind these the server may answer by itself."""
_DECIDING = ("response.done", "error")
"""What says whether a line that ends is worth mending."""
_SELDOM = HEEDS | {*_BEFORE_ANSWERS, *_DECIDING, "session.created"}
_LOOK_S = 1.0
"""How often a pause is looked for when a session is about to end."""

_MOVING = "This session is about to reach its longest duration: the conversation moves to another."

logger = logging.getLogger("rtwidgets")


class Pump:
    """Everything of one session that moves, on one event loop.

    Args:
        tools: whose functions are called for the model.
        budget: US dollars, None for no limit.
        playing: whether a page plays sound and will say what was heard.

    Attributes:
        clock: the transport's, once there is one; it goes on over the next.
        line: the way out. purse: keeps to the budget. stage: has the opening. calls: of tools.
        tries: those for a line.
    """

    def __init__(
        self,
        opening: Opening,
        log: EventLog,
        conversation: Conversation,
        ledger: Ledger,
        tools: Toolbox,
        budget: float | None,
        playing: Callable[[], bool],
    ) -> None:
        self.clock = OneClock()
        self._log, self._conversation, self._ledger = log, conversation, ledger
        self._turns = conversation.turns
        self._news = News()
        self._pumping: asyncio.Task[None] | None = None
        self.line = Line(log, self._turns, self._sent, self.record)
        self.purse = Purse(budget, ledger, self._turns, self.record)
        self.calls = Calls(tools, conversation, request=self.request, record=self.record)
        self.stage = Stage(
            opening,
            conversation,
            request=self.request,
            record=self.record,
            note=self._note,
            playing=playing,
        )
        self._unanswered = Unanswered(log, conversation)
        self._recovery = Recovery(
            self.line,
            log,
            conversation,
            self._unanswered,
            subscribe=self.subscribe,
            until=self.until,
            record=self.record,
        )
        self.tries = self._recovery.tries
        self._overdue = Overdue(self.line, log, conversation, self.record)
        self._starting = False  # whether a first line is being looked for
        self._restoring: asyncio.Task[None] | None = None
        self._cut_off: list[Response] = []  # with words that were heard: not asked for again
        self._unfit: ConnectionLost | None = None  # why a new session was given up by ourselves
        self._lifetime = Lifetime()
        self._looking: asyncio.TimerHandle | None = None
        self._moving: asyncio.Task[None] | None = None
        self._moved: Transport | None = None  # where the conversation moves to

    # ------------------------------------------------------------ in

    async def start(self, connect: Connect, again: bool) -> None:
        """Get a line, and take what it brings from now on. Raises what was in the way of it.

        Args:
            connect: opens one. again: also where one does not come to stand, or is lost.
        """
        self.line.mends, self._starting = again, True
        try:
            transport = await self.tries.begin(connect, again, self.line.patience, self.clock)
            self._take_up(transport)
        finally:
            self._starting = False
        self._recovery.expect()
        self._pumping = asyncio.create_task(self._run(transport))
        self._restoring = asyncio.create_task(self._restore(transport, self._recovery.begun))

    async def stop(self) -> None:
        """Close the transport and take nothing more. Safe to call again."""
        transport = self.line.close()
        self.tries.stop()
        self.stage.leave()
        self._overdue.stop()
        if self._looking is not None:
            self._looking.cancel()
        await self.calls.stop()
        tasks = [self._pumping, self._restoring, self._moving]
        for task in tasks:
            if task is not None and task is not asyncio.current_task():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for one in (transport, self._moved):
            if one is not None:
                await one.close()
        self.line.stop()
        self._news.wake()

    async def _run(self, transport: Transport) -> None:
        try:
            while True:
                transport = await self._go_on(await self._receive(transport))
        except ConnectionLost as lost:
            self._end(lost)
        except (RealtimeError, OSError) as failed:  # there never was a session: who opens says so
            self._end(ConnectionLost(str(failed)))
        except Exception as problem:  # ours: say so rather than leave everyone waiting
            logger.exception("the session's pump failed")
            self._end(ConnectionLost(f"The session ended by an error of rtwidgets: {problem!r}."))

    async def _receive(self, transport: Transport) -> ConnectionLost:
        """Take all that a transport brings; gives what ended it."""
        append, take = self._log.append, self._take
        try:
            while True:
                take(append("server", await transport.recv()))
        except ConnectionLost as lost:
            return lost

    # ------------------------------------------------------------ one line after another

    async def _go_on(self, lost: ConnectionLost) -> Transport:
        """Another line to go on with. Raises ConnectionLost where there is none to be had."""
        if self._restoring is not None:
            self._restoring.cancel()
        unfit, self._unfit = self._unfit, None
        lost = unfit or lost
        moved, self._moved = self._moved, None
        if moved is None and not (self._recovery.mends(lost) and self.line.is_open):
            raise lost
        self.line.break_off()
        self._recovery.begin(self.clock.now())
        self._cut()
        if moved is None:
            goes_on = TRIED_AGAIN if self.tries.first else GOING_ON
            said = str(lost).removesuffix(FAREWELL) + goes_on
            self.record(line_lost(lost.code, lost.reason, said, again=True))
            moved = await self._recovery.transport(lost, self.clock)
        else:
            self.record(line_moving(_MOVING))
            self._unanswered.left()
        self._take_up(moved)
        self._recovery.expect()
        self._restoring = asyncio.create_task(self._restore(moved, self._recovery.restore))
        return moved

    def _cut(self) -> None:
        """What the server was making goes no further."""
        making = self._conversation.cut()
        self._cut_off += [one for one in making if not one.cut_unheard]
        self._ledger.cut()

    def _take_up(self, transport: Transport) -> None:
        self.line.transport = transport
        self.clock.follow(transport.clock)

    async def _restore(
        self, transport: Transport, come_to_stand: Callable[[Clock], Awaitable[None]]
    ) -> None:
        try:
            await come_to_stand(self.clock)
            while self._cut_off:
                self.stage.cut_off(self._cut_off.pop(0))
            self.line.flush_soon()
            self._look()
        except Exception as problem:
            self._unfit = ConnectionLost(f"The new session did not come to stand: {problem}")
            await transport.close()

    def _look(self) -> None:
        """Move to a new session where this one is about to end, in a pause if there is one."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        due = self._lifetime.pause_from
        if due is None or not self.tries.again or self.line.mending:
            return
        if not self.line.is_open or (self._moving is not None and not self._moving.done()):
            return
        now = self.clock.now()
        if self._lifetime.is_over(now, self._quiet):
            self._moving = asyncio.create_task(self._move())
            return
        self._look_in(max(_LOOK_S, due - now))

    def _look_in(self, seconds: float) -> None:
        # By the loop's own time: what waits for a virtual clock would move it.
        self._looking = asyncio.get_running_loop().call_later(seconds, self._look)

    @property
    def _quiet(self) -> bool:
        busy = self._conversation.busy or self.calls.busy or self._unanswered.speaking
        return not (busy or self._turns.outbox or self.stage.follows)

    async def _move(self) -> None:
        old = self.line.transport
        try:
            moved = await self.tries.open()
        except Exception as problem:  # tried again at the next look; at the end the line is mended
            logger.info("no new session yet: %s", problem)
            self._look_in(_LOOK_S)
            return
        try:  # somebody may have spoken meanwhile: no reply is cut off for this
            await self._news.until(lambda: self._may_move(old), AHEAD_S, "a pause")
        except TimedOut:
            pass
        if old is None or self.line.transport is not old:  # lost meanwhile
            await moved.close()
            return
        self._moved = moved
        self.line.break_off()  # what is said from here on leaves on the new one
        await old.close()

    def _may_move(self, old: Transport | None) -> bool:
        gone = self.line.transport is not old
        return gone or self._lifetime.is_over(self.clock.now(), self._quiet)

    def _take(self, row: Row) -> None:
        # Run for every frame: what has nothing to do with it is not even asked, and nine of ten are
        # pieces of a reply.
        event, type_ = row.event, row.type
        seldom, money = type_ in _SELDOM, type_ in TAKEN
        self._unanswered.alive()
        if money:
            self._ledger.take(row)
        if event is not None:
            self._conversation.receive(event)
            if type_ in self.calls.heeds:
                self.calls.take(row)
            if self.stage.reacts:
                self.stage.react(event)
            if seldom:
                self._take_seldom(row, money)
        self._news.announce(row)
        if self.stage.follows:
            self.stage.follow(event, self.line, self.clock)
        if self._turns.outbox:
            self.line.flush_soon()
        if seldom:
            self._look_ahead(row)

    def _take_seldom(self, row: Row, money: bool) -> None:
        """What only some rows are for: what was confirmed, whether the line would be mended, and
        what a further reply may cost."""
        if row.type in HEEDS:
            self._unanswered.received(row)
        if row.type in _DECIDING:
            self._recovery.take(row)
            self._overdue.look()
        if money and row.type in _BEFORE_ANSWERS:
            self._hold_back()

    def _look_ahead(self, row: Row) -> None:
        """See when this session will have lasted long enough."""
        if row.type == "session.created":
            session = field(row.event, "session")
            self._lifetime.begin(session, time.time(), self.clock.now())
        if row.type in ("session.created", "response.done"):
            self._look()

    def _hold_back(self) -> None:
        """Have the server answer nothing by itself any more where that might pass the budget."""
        hold = self.purse.hold() if self.line.is_open else None
        if hold is not None:
            self.request(hold)

    def _end(self, lost: ConnectionLost) -> None:
        if not self.line.is_open:
            return
        self.line.lost = lost
        self.line.stand()
        self._cut()
        left = self._unanswered.not_taken(self._conversation.turns.unsent)
        self.record(line_lost(lost.code, lost.reason, f"{lost}{left}"))

    # ------------------------------------------------------------ out

    def request(self, event: Event) -> Event:
        """Have an event sent when its turn comes, at the next flush; gives it as it will be."""
        self.line.check()
        asked = self._conversation.request(event)
        self._overdue.look()
        return asked

    async def expected(self) -> Event:
        """The configuration once the server has confirmed what was asked for so far. Raises
        TimedOut where it takes nothing."""
        await self.line.flush()
        return self._unanswered.expected

    def _sent(self, row: Row) -> None:
        self._ledger.take(row)
        self._unanswered.sent(row)
        if row.type in self.calls.heeds:
            self.calls.take(row)
        self._news.announce(row)

    # ------------------------------------------------------------ on this side

    def record(self, event: Event) -> Row:
        """Log what happened on this side as a `local` row, of which the opening is told too."""
        row = self._log.append("local", event)
        if row.type in self.calls.heeds:
            self.calls.take(row)
        if self.stage.reacts:
            self.stage.react(event)
        self._news.announce(row)
        self.stage.follow(event, self.line, self.clock)
        self.line.flush_soon()
        return row

    def _note(self, event: Event) -> None:
        self._news.announce(self._log.append("local", event))

    def subscribe(self, listener: Callable[[Row], None]) -> Callable[[], None]:
        """Call `listener` with each new row; the result ends that."""
        return self._news.subscribe(listener)

    def interrupted(self) -> None:
        """The user wants no reply now: none is asked for behind calls that run."""
        self.calls.interrupted()
        self._news.wake()

    async def until(self, ready: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `ready()`. Raises TimedOut, or what ended the line before it was so."""

        def so() -> bool:
            if ready():
                return True
            if self.line.lost is not None:
                raise self.line.lost
            if not (self.line.is_open or self._starting):
                raise Misuse("The session is closed; nothing more will come.")
            return False

        def hint() -> str:
            return getattr(self.line.transport, "hint", "")

        await self._news.until(so, seconds, what, hint)

    async def next(self, pattern: str, seconds: float) -> Row:
        """The next row whose type fits the pattern, from now on."""
        lookout = Lookout(pattern)
        unsubscribe = self.subscribe(lookout.take)
        try:
            await self.until(lambda: lookout.row is not None, seconds, f"an event {pattern!r}")
        finally:
            unsubscribe()
        assert lookout.row is not None  # else it had raised
        return lookout.row
