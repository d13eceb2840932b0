"""The pump: takes what a transport brings, and sends what is to be sent.

For each frame, in this order: the log has it, money and the conversation take it, calls of tools
are begun, the opening may answer, who listens is told, and what is due leaves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..conversation import Conversation
from ..errors import ConnectionLost, Misuse
from ..events import Event
from ..log import EventLog, Row
from ..money.ledger import TAKEN, Ledger
from ..openings import Opening
from ..tools import Calls, Toolbox
from ..transport import Clock, Transport, WallClock
from .line import Line
from .news import Lookout, News
from .purse import Purse
from .stage import Stage

_BEFORE_ANSWERS = ("response.done", "input_audio_buffer.speech_started")
"""Behind these the server may answer by itself."""

logger = logging.getLogger("rtwidgets")


class Pump:
    """Everything of one session that moves, on one event loop.

    Args:
        tools: whose functions are called for the model.
        budget: US dollars, None for no limit.
        playing: whether a page plays sound and will say what was heard.

    Attributes:
        clock: the transport's, once there is one.
        line: the way out. purse: keeps to the budget. stage: has the opening. calls: of tools.
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
        self.clock: Clock = WallClock()
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

    # ------------------------------------------------------------ in

    def start(self, transport: Transport) -> None:
        """Take what the transport brings from now on."""
        self.line.transport, self.clock = transport, transport.clock
        self._pumping = asyncio.create_task(self._run(transport))

    async def stop(self) -> None:
        """Close the transport and take nothing more. Safe to call again."""
        transport, self.line.transport = self.line.transport, None
        self.stage.leave()
        await self.calls.stop()
        if self._pumping is not None and self._pumping is not asyncio.current_task():
            self._pumping.cancel()
            await asyncio.gather(self._pumping, return_exceptions=True)
        if transport is not None:
            await transport.close()
        self.line.stop()
        self._news.wake()

    async def _run(self, transport: Transport) -> None:
        append, take = self._log.append, self._take
        try:
            while True:
                take(append("server", await transport.recv()))
        except ConnectionLost as lost:
            self._end(lost)
        except Exception as problem:  # ours: say so rather than leave everyone waiting
            logger.exception("the session's pump failed")
            self._end(ConnectionLost(f"The session ended by an error of rtwidgets: {problem!r}."))

    def _take(self, row: Row) -> None:
        # Run for every frame: what has nothing to do with it is not even asked.
        event, money = row.event, row.type in TAKEN
        if money:
            self._ledger.take(row)
        if event is not None:
            self._conversation.receive(event)
            if row.type in self.calls.heeds:
                self.calls.take(row)
            if self.stage.reacts:
                self.stage.react(event)
            if money and row.type in _BEFORE_ANSWERS:
                self._hold_back()
        self._news.announce(row)
        if self.stage.follows:
            self.stage.follow(event, self.line, self.clock)
        if self._turns.outbox:
            self.line.flush_soon()

    def _hold_back(self) -> None:
        """Have the server answer nothing by itself any more where that might pass the budget."""
        hold = self.purse.hold() if self.line.is_open else None
        if hold is not None:
            self.request(hold)

    def _end(self, lost: ConnectionLost) -> None:
        if self.line.transport is None:
            return
        self.line.lost = lost
        self.record(
            {"type": "line.lost", "code": lost.code, "reason": lost.reason, "message": str(lost)}
        )

    # ------------------------------------------------------------ out

    def request(self, event: Event) -> Event:
        """Have an event sent when its turn comes, at the next flush; gives it as it will be."""
        self.line.check()
        return self._conversation.request(event)

    def _sent(self, row: Row) -> None:
        self._ledger.take(row)
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
            if self.line.transport is None:
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
