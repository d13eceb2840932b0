"""A session: what a caller does with a conversation; pump.py moves the events.

`AsyncSession` runs on the caller's loop, and so pauses with it: for a notebook there is `Session`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .. import audio
from ..conversation import Conversation
from ..dialects import turn_detection_of
from ..endpoints import Endpoint, chosen
from ..errors import ConnectionLost, Misuse, TimedOut
from ..events import (
    SIMULATED_ID,
    Event,
    field,
    frame_of,
    input_audio_clear,
    input_audio_commit,
    item_create,
    item_truncate,
    parse,
    response_cancel,
    response_create,
    text_field,
    user_text,
    whole_characters,
)
from ..items import Item, Response
from ..log import EventLog, Row
from ..money.ledger import Ledger
from ..openings import Opening, checked
from ..tools import Given, Tool, toolbox
from ..transport import Clock, Transport
from .answers import Answers
from .beginning import Beginning
from .handshake import Modality, settings_of
from .hearing import LISTEN_MS, HeardTurn, Microphone, append_frame
from .history import take_back
from .pump import Pump
from .reply import Reply

__all__ = ["LISTEN_MS", "AsyncSession", "Modality"]


class AsyncSession:
    """A conversation with a Realtime server, for code that awaits.

    Args:
        endpoint: where to connect; OpenAI where a key is there, else the simulator.
        opening: who speaks first; by default the model waits for the user.
        instructions, model, voice: as the service knows them; its own defaults where not given.
        modality: `"audio"` (with transcript) or `"text"`.
        tools: Python functions for the model to call, told of by their names, docstrings and type
            hints (`rt.tool` for options). Calls of a dict's tool are the caller's to answer.
        timeout: seconds to wait for anything before TimedOut. So long a first session is tried for,
            too, where the server says that it cannot give one now.
        budget: US dollars that this session may spend. A reply that may pass it, as far as can be
            told beforehand, is not asked for.
        reconnect: try again where the server cannot begin a session now; take the conversation up
            in a new one where the line is lost, and before a session reaches its longest duration.
            The log tells (`line.trying`, `line.failed`, `line.lost`, `line.restored`).

    `async with` connects, waits for `session.updated`, sends the opening, and enters when the
    opening's reply is done, or at the timeout. Raises ConnectFailed, SpendingNotApproved, or Misuse
    when the server refuses the settings.

    Attributes:
        playing: whether a page plays the sound and will record what was heard of it; by default
            none does, and the clock says when the opening would have been heard.
        limit: the budget, and what the next reply may cost.
    """

    def __init__(
        self,
        endpoint: Endpoint | None = None,
        opening: Opening | None = None,
        *,
        instructions: str | None = None,
        model: str | None = None,
        voice: str | None = None,
        modality: Modality = "audio",
        tools: Sequence[Given] = (),
        timeout: float = 30.0,
        budget: float | None = None,
        reconnect: bool = True,
    ) -> None:
        self._tools = toolbox(tools)
        self._settings = settings_of(instructions, voice, modality, self._tools.definitions)
        self.endpoint = chosen(endpoint)
        self.opening = checked(opening)
        self.model = self.endpoint.model_for(model)
        self.timeout = timeout
        self.conversation = Conversation()
        self.ledger = Ledger(self.model)
        self.opening_reply: Reply | None = None
        self.playing: Callable[[], bool] = lambda: False
        self.log = EventLog(
            lambda: self.clock.now(),
            started=time.time(),
            endpoint=self.endpoint.name,
            model=self.model,
        )
        self._pump = Pump(
            self.opening,
            self.log,
            self.conversation,
            self.ledger,
            self._tools,
            budget,
            playing=lambda: self.playing(),
        )
        self._line, self._stage = self._pump.line, self._pump.stage
        self._line.patience = timeout
        self.limit = self._pump.purse.limit
        self._answers = Answers(
            self.conversation, self.log, self.ledger, self._pump.calls, self._until
        )
        self._reconnect = reconnect and self.endpoint.reconnects
        self._was_open = False
        self._closing: asyncio.Task[None] | None = None
        self._mark = -1
        self._given: dict[str, int] = {}

    # ------------------------------------------------------------ what it is

    @property
    def is_open(self) -> bool:
        """Whether events can be sent."""
        return self._line.is_open

    @property
    def lost(self) -> ConnectionLost | None:
        """What ended the line, None while nothing has."""
        return self._line.lost

    @property
    def mending(self) -> bool:
        """Whether the line was lost and another is being tried; what is said waits for it."""
        return self._line.mending

    @property
    def clock(self) -> Clock:
        """What times this session: the wall's clock, or a virtual one."""
        return self._pump.clock

    @property
    def simulated(self) -> bool:
        """Whether this is a simulator, by the id it gave the session."""
        return text_field(self.conversation.session, "id").startswith(SIMULATED_ID)

    @property
    def label(self) -> str:
        """What to call the other side wherever a person looks."""
        return self.endpoint.label(self.simulated)

    @property
    def greeting(self) -> bool:
        """Whether the sound of an opening that reacts to its end is still to be over."""
        return self._stage.follows

    @property
    def tools(self) -> tuple[Tool | Event, ...]:
        """The tools it was given, in order: functions as `Tool`, and dicts."""
        return self._tools.every

    @property
    def cost(self) -> float | None:
        """US dollars so far by the price table, None where the model has no price."""
        return self.ledger.dollars

    @property
    def budget(self) -> float | None:
        """US dollars that it may spend, None for no limit."""
        return self.limit.dollars

    # ------------------------------------------------------------ opening and closing

    async def __aenter__(self) -> AsyncSession:
        await self.open()
        try:
            await self.opened()
        except TimedOut:
            pass  # the conversation goes on; opening_reply stays None
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect, configure, and send the opening; does not wait for what it brings."""
        if self._was_open:
            raise Misuse("This session was opened before. Make a new one for a new conversation.")
        self._pump.purse.agree(self.endpoint, self.model)
        self._was_open = True
        beginning = Beginning(
            self._pump, self.conversation, self.opening, self._settings, self.timeout
        )
        try:
            await beginning.begin(self._connect, self._reconnect)
        except BaseException:
            await self.close()
            raise

    async def _connect(self, seconds: float) -> Transport:
        return await self.endpoint.open(self.model, seconds)

    async def opened(self, timeout: float | None = None) -> Reply | None:
        """Wait for the reply that the opening asked for; None where it asks for none."""
        if self.opening.heard and self.opening_reply is None and self._stage.requests:
            self.opening_reply = await self._answers.to(self._stage.requests[0], timeout)
        return self.opening_reply

    async def close(self) -> None:
        """End the session. Safe to call again; the log and the conversation stay readable.

        It is closed to the end also where the caller is interrupted meanwhile.
        """
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._pump.stop())
        await asyncio.shield(self._closing)

    # ------------------------------------------------------------ rows

    def record(self, event: Event) -> Row:
        """Log what happened on this side (`playback.heard`, `line.lost`, …) as a `local` row.

        Call it on the session's own loop: one thread writes a log.
        """
        return self._pump.record(event)

    def subscribe(self, listener: Callable[[Row], None]) -> Callable[[], None]:
        """Call `listener` with each new row, on this session's loop; the result ends that.

        The log and the conversation have taken the row already. A listener must be quick.
        """
        return self._pump.subscribe(listener)

    async def wait_for(self, type: str, timeout: float | None = None) -> Row:
        """The next row whose type fits the pattern, from the last thing done on.

        A row that came between `send` (or `say`, `hear`, `interrupt`) and this call counts; one
        that was given for the same pattern before does not.
        """
        came = self.log[max(self._mark, self._given.get(type, -1)) + 1 :].where(type=type)
        row = came[0] if len(came) else await self._pump.next(type, self._seconds(timeout))
        self._given[type] = row.seq
        return row

    async def settled(self, timeout: float | None = None) -> None:
        """Wait until no response is active, asked for or waiting, behind calls of tools too."""
        state, calls = self.conversation, self._pump.calls
        await self._until(lambda: not (state.busy or calls.busy), timeout, "the end of the reply")

    async def _until(self, ready: Callable[[], bool], timeout: float | None, what: str) -> None:
        await self._pump.until(ready, self._seconds(timeout), what)

    def _seconds(self, timeout: float | None) -> float:
        return self.timeout if timeout is None else timeout

    def _mark_here(self) -> None:
        self._mark = len(self.log) - 1

    # ------------------------------------------------------------ talking

    async def send(self, event: Event | str) -> Row:
        """Send one client event exactly as it is, at once, and give its row in the log.

        A string is sent as the frame it is, JSON or not: the server's answer to nonsense is worth
        seeing.
        """
        if isinstance(event, str):
            frame, event = event, parse(event) or {}
        else:
            frame = frame_of(event)
        if event.get("type") == "response.create":
            self._pump.purse.check(event)
        self._line.check()
        given = event
        row = await self._line.send(frame, lambda: self.conversation.sent_by_hand(given))
        self._mark = row.seq
        return row

    async def expected(self) -> Event:
        """The session's configuration as it will be when the server has confirmed every
        `session.update` so far; `conversation.session` is as it last was confirmed. Raises TimedOut
        where the server takes nothing."""
        return await self._pump.expected()

    async def say(self, text: str, timeout: float | None = None) -> str:
        """Add the user's words and ask for a reply, without waiting; gives the request's event id.
        Raises TimedOut where the server takes nothing; the words leave when it goes on."""
        if not isinstance(text, str):
            raise Misuse(f"What is said is text, not {type(text).__name__}.")
        self._pump.purse.check()
        self._mark_here()
        self._pump.request(item_create(user_text(whole_characters(text))))
        asked = self._pump.request(response_create())
        await self._line.flush(timeout)
        return text_field(asked, "event_id")

    async def ask(self, text: str, timeout: float | None = None) -> Reply:
        """Say `text` and wait for the reply. Where the model calls functions first, that is the
        one behind them. Raises TimedOut, ConnectionLost."""
        return await self._answer(self.say(text, timeout), timeout)

    async def _answer(self, asking: Awaitable[str], timeout: float | None) -> Reply:
        """The reply to a request: asking for it and waiting for it share the time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        request_id = await asking
        spent = int(loop.time() - began)
        return await self._answers.to(request_id, max(0.0, self._seconds(timeout) - spent))

    async def hear(
        self, samples: Any, *, reply: bool = True, timeout: float | None = None
    ) -> Reply | None:
        """Speak `samples` into the session as a microphone would: 40 ms chunks at their own pace.

        Args:
            samples: int16 or floats in [-1, 1], mono 24 kHz, shape (n,).
            reply: wait for the answer. With turn detection on, silence follows until the server has
                heard the end of the turn; with it off, the turn is committed and a response asked
                for.

        Returns the reply, None where nothing was recognised as speech or none was to be waited for.
        """
        self._pump.purse.check()
        self._mark_here()
        turn, microphone = HeardTurn(), Microphone(self.append, self.clock)
        unsubscribe = self.subscribe(turn.take)
        try:
            await microphone.speak(audio.pcm_from_samples(samples))
            return await self._answer_to(turn, microphone, timeout) if reply else None
        except asyncio.CancelledError:
            self._forget_half(turn)
            raise
        finally:
            unsubscribe()

    def _forget_half(self, turn: HeardTurn) -> None:
        """The user was interrupted while speaking: half a turn is not to begin the next one."""
        if self.is_open and not turn.over:
            self._pump.request(input_audio_clear())
            self._line.flush_soon()

    async def _answer_to(
        self, turn: HeardTurn, microphone: Microphone, timeout: float | None
    ) -> Reply | None:
        detection = turn_detection_of(self.conversation.session)
        if detection is None:
            return await self._answer(self.commit(), timeout)
        heard = await microphone.listen(lambda: turn.over)
        if not heard or field(detection, "create_response") is False:
            return None
        return await self._answers.first(lambda: turn.answers, timeout)

    async def append(self, pcm: bytes) -> None:
        """Add PCM to the input buffer, as a live microphone does; nothing paces it here.

        With turn detection on the server decides what becomes of it, else `commit` does.
        """
        await self._line.send(append_frame(pcm), lambda: self.conversation.spoke(len(pcm)))

    async def commit(self) -> str:
        """End the turn that was appended and ask for a reply, without waiting; gives the request's
        event id. Raises SpendingNotApproved."""
        self._pump.purse.check()
        self._mark_here()
        self._pump.request(input_audio_commit())
        asked = self._pump.request(response_create())
        await self._line.flush()
        return text_field(asked, "event_id")

    async def interrupt(self, heard_ms: int | None = None, *, calls: bool = True) -> None:
        """Stop the reply that is being made and forget those asked for.

        Args:
            heard_ms: how much of it was heard; the item is truncated there, so that the model
                does not remember what nobody heard.
            calls: forget the replies behind calls of tools that run, too.
        """
        conversation = self.conversation
        conversation.turns.forget_waiting()
        if calls:
            self._pump.interrupted()
        self._mark_here()
        active = conversation.active_response
        if active is not None or conversation.turns.asked:
            self._pump.request(response_cancel())
        spoken = self._spoken_last(active)
        if heard_ms is not None and spoken is not None and heard_ms < spoken.audio_ms:
            if self.mending or conversation.was_retold(spoken.id):
                await self.take_back(spoken.id, int(heard_ms))
            else:
                self._pump.request(item_truncate(spoken.id, max(0, int(heard_ms))))
        await self._line.flush()

    async def take_back(self, item_id: str, heard_ms: int) -> None:
        """Have the server forget what nobody heard of an item: what is behind `heard_ms`, or all
        of it. Also of one that a new session was told of. Raises TimedOut."""
        await self._line.standing(self.timeout)
        conversation = self.conversation
        item, names = conversation.item(item_id), [one.id for one in conversation.items]
        if item is None or item_id not in names:
            return  # gone already: a lost line took what nobody had heard
        behind = names[names.index(item_id) - 1] if names.index(item_id) else ""
        for event in take_back(item, heard_ms, conversation.was_retold(item_id), behind):
            await self.send(event)

    def _spoken_last(self, active: Response | None) -> Item | None:
        """The item that is being heard: of the active response, else of the last one."""
        latest = next(reversed(self.conversation.responses.values()), None)
        response = active or (None if self.conversation.turns.asked else latest)
        items = response.items if response is not None else []
        return next((item for item in reversed(items) if item.audio_ms), None)

    def reply(self, response_id: str) -> Reply:
        """The reply with that id as it stands now. Raises Misuse when there is none."""
        return self._answers.reply(response_id)
