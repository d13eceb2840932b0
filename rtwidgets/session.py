"""A session: the only pump between a transport, the conversation and the log.

`AsyncSession` runs on the caller's loop, and so pauses with it: for a notebook there is `Session`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, TypeVar

from . import audio
from .budgeting import Budget
from .conversation import Conversation
from .endpoints import Endpoint, approve_spending, chosen, spending_notice
from .errors import ConnectFailed, ConnectionLost, Misuse, SpendingNotApproved, TimedOut
from .events import (
    SIMULATED_ID,
    Event,
    field,
    frame_of,
    input_audio_append,
    input_audio_commit,
    item_create,
    item_truncate,
    merged,
    parse,
    response_cancel,
    response_create,
    session_update,
    text_field,
    user_text,
    whole_characters,
)
from .explanations import explain
from .firstwords import FirstWords
from .items import ENDED, Item, Response
from .ledger import Ledger
from .log import EventLog, Row
from .news import News
from .openings import Opening, checked
from .pricing import PRICES, priced_as
from .reply import Reply, Timing, reply_of
from .transport import Clock, Transport, WallClock

T = TypeVar("T")
Modality = Literal["audio", "text"]

_CHUNK_MS = 40
LISTEN_MS = 3000  # silence sent behind speech until the server has noticed its end

_BEFORE_ANSWERS = ("response.done", "input_audio_buffer.speech_started")
"""Behind these the server may answer by itself."""

_NOT_OPEN = "The session is not open. Use it inside `with`, or start the chat."

logger = logging.getLogger("rtwidgets")


class AsyncSession:
    """A conversation with a Realtime server, for code that awaits.

    Args:
        endpoint: where to connect; OpenAI where a key is there, else the simulator.
        opening: who speaks first; by default the model waits for the user.
        instructions, model, voice: as the service knows them; its own defaults where not given.
        modality: `"audio"` (with transcript) or `"text"`.
        tools: tool definitions as the protocol has them, each a dict.
        timeout: seconds to wait for anything before TimedOut.
        budget: US dollars that this session may spend. A reply that may pass it, as far as can be
            told beforehand, is not asked for.

    `async with` connects, waits for `session.updated`, sends the opening, and enters when the
    opening's reply is done, or at the timeout. Raises ConnectFailed, SpendingNotApproved, or Misuse
    when the server refuses the settings.

    Attributes:
        playing: whether a page plays the sound and will record what was heard of it; by default
            none does, and the clock says when the opening would have been heard.
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
        tools: Sequence[Mapping[str, Any]] = (),
        timeout: float = 30.0,
        budget: float | None = None,
    ) -> None:
        if modality not in ("audio", "text"):
            raise Misuse(f'modality is "audio" or "text", not {modality!r}.')
        if not all(isinstance(tool, Mapping) for tool in tools):
            raise Misuse(
                "A tool is given as the protocol's own dict: type, name, description and "
                "parameters."
            )
        self.endpoint = chosen(endpoint)
        self.opening = checked(opening)
        self.model = self.endpoint.model_for(model)
        self.timeout = timeout
        self.ledger = Ledger(self.model)
        self.limit = Budget(_checked_budget(budget), self.ledger)
        self.conversation = Conversation()
        self.conversation.turns.gate = self._over_budget
        self.lost: ConnectionLost | None = None
        self.opening_reply: Reply | None = None
        self._settings = _settings(instructions, voice, modality, tools)
        self._clock: Clock = WallClock()
        self.log = EventLog(
            lambda: self._clock.now(),
            started=time.time(),
            endpoint=self.endpoint.name,
            model=self.model,
        )
        self._transport: Transport | None = None
        self._pumping: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._news = News()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._was_open = False
        self._opening_requests: list[str] = []
        self.playing: Callable[[], bool] = lambda: False
        self._first_words = FirstWords(self.opening, self.conversation, lambda: self.playing())
        self._alarm: asyncio.Task[None] | None = None  # when the opening's sound ends by the clock
        self._mark = -1
        self._given: dict[str, int] = {}

    # ------------------------------------------------------------ what it is

    @property
    def is_open(self) -> bool:
        """Whether events can be sent."""
        return self._transport is not None and self.lost is None

    @property
    def simulated(self) -> bool:
        """Whether this is a simulator, by the id it gave the session."""
        return text_field(self.conversation.session, "id").startswith(SIMULATED_ID)

    @property
    def label(self) -> str:
        """What to call the other side wherever a person looks."""
        return self.endpoint.label(self.simulated)

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
        self._check_spending()
        self._was_open = True
        self._transport = await self.endpoint.open(self.model, self.timeout)
        self._clock = self._transport.clock
        self._pumping = asyncio.create_task(self._pump(self._transport))
        try:
            await self._until(self._greeted, self.timeout, "the server's session.created")
            await self._configure()
            for event in self.opening.events(self._expected()):
                asked = self._request(event)
                if asked.get("type") == "response.create":
                    self._opening_requests.append(text_field(asked, "event_id"))
            self._first_words.begun(self._opening_requests, self._clock.now())
            await self._flush()
            self._follow_opening()
        except BaseException:
            await self.close()
            raise

    async def opened(self, timeout: float | None = None) -> Reply | None:
        """Wait for the reply that the opening asked for; None where it asks for none."""
        if self.opening.heard and self.opening_reply is None and self._opening_requests:
            self.opening_reply = await self._answer_to(self._opening_requests[0], timeout)
        return self.opening_reply

    async def close(self) -> None:
        """End the session. Safe to call again; the log and the conversation stay readable."""
        transport, self._transport = self._transport, None
        if self._alarm is not None:
            self._alarm.cancel()
        if self._pumping is not None and self._pumping is not asyncio.current_task():
            self._pumping.cancel()
            await asyncio.gather(self._pumping, return_exceptions=True)
        if transport is not None:
            await transport.close()
        self._news.wake()

    def _check_spending(self) -> None:
        notice = spending_notice(self.endpoint, self.model)
        if notice is None:
            return
        if self.budget is not None and self.model not in PRICES:
            raise SpendingNotApproved(
                f"{notice} A budget cannot be kept where the price of {self.model} is not known: "
                "add it to rtwidgets.pricing.PRICES, or agree by a click in RealtimeChat."
            )
        if self.budget is None:
            raise SpendingNotApproved(
                f"{notice} Agree by budget=, in dollars, for example budget=0.50; "
                "endpoint=rtwidgets.Simulated() costs nothing."
            )
        print(f"{notice} This session stops asking at ${self.budget:.2f}.")
        approve_spending()

    def _greeted(self) -> bool:
        refused = self.conversation.errors
        if refused and not self.conversation.session:
            raise ConnectFailed(_refusal(refused[0]), code=text_field(refused[0], "code") or None)
        return bool(self.conversation.session)

    async def _configure(self) -> None:
        before = len(self.conversation.errors)
        self._request(session_update(**self._wanted()))
        await self._flush()
        if not self.opening.waits:
            return

        def answered() -> bool:
            if len(self.log.where(type="session.updated")):
                return True
            if len(self.conversation.errors) > before:
                refused = _refusal(self.conversation.errors[before])
                raise Misuse(f"The server refused the session's settings. {refused}")
            return False

        await self._until(answered, self.timeout, "the server's session.updated")

    def _wanted(self) -> Event:
        return merged(self._settings, self.opening.session())

    def _expected(self) -> Event:
        """The session that the opening's events meet: confirmed, or as it will be if all goes
        well."""
        confirmed = self.conversation.session
        return confirmed if self.opening.waits else merged(confirmed, self._wanted())

    def _follow_opening(self) -> None:
        """Say so when the opening's sound is over, and look again when it may be by the clock."""
        now = self._clock.now()
        ended, due = self._first_words.over(now), self._first_words.due
        if ended is not None:
            self.record(ended)
        elif due is not None and self._alarm is None and self.is_open:
            self._alarm = self._spawn(self._follow_later(due - now))

    async def _follow_later(self, seconds: float) -> None:
        await self._clock.sleep(max(0.0, seconds))
        self._alarm = None
        if self.is_open:
            self._follow_opening()

    # ------------------------------------------------------------ the pump

    async def _pump(self, transport: Transport) -> None:
        try:
            while True:
                row = self.log.append("server", await transport.recv())
                self._take(row)
                self._flush_soon()
        except ConnectionLost as lost:
            self._end(lost)
        except Exception as problem:  # ours: say so rather than leave everyone waiting
            logger.exception("the session's pump failed")
            self._end(ConnectionLost(f"The session ended by an error of rtwidgets: {problem!r}."))

    def _take(self, row: Row) -> None:
        self.ledger.take(row)
        event = row.event
        if event is not None:
            self.conversation.receive(event)
            self._react(event)
            if row.type in _BEFORE_ANSWERS:
                self._keep_budget()
        self._news.announce(row)
        if event is not None:
            self._first_words.take(event, self._clock.now())
            self._follow_opening()

    def _react(self, event: Event) -> None:
        try:
            answers = self.opening.react(event)
            for answer in answers:
                self._request(answer)
        except Exception as problem:  # the opening is the user's code: the session outlives it
            logger.exception("%r failed to react", self.opening)
            name, kind = type(self.opening).__name__, text_field(event, "type")
            message = f"{name}.react failed on {kind}: {problem!r}"
            self._news.announce(
                self.log.append("local", {"type": "opening.failed", "message": message})
            )

    def _request(self, event: Event) -> Event:
        if not self.is_open:
            raise self.lost or Misuse(_NOT_OPEN)
        frame_of(event)  # what cannot be sent is refused before anything remembers it
        return self.conversation.request(event)

    async def _flush(self) -> None:
        """Send what is to be sent, to the end even if the caller is interrupted meanwhile."""
        await asyncio.shield(self._spawn(self._send_all()))

    def _flush_soon(self) -> None:
        if self.is_open and self.conversation.has_to_send:
            self._spawn(self._send_all())

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.info("not sent: %s", task.exception())  # the line is gone; the pump says so

    async def _send_all(self) -> None:
        async with self._sending:  # the log's order is the wire's order
            for event in self.conversation.to_send():
                await self._transmit(frame_of(event))

    async def _send_one(self, frame: str, event: Event | None) -> Row:
        async with self._sending:
            row = await self._transmit(frame)
            if event is not None:
                self.conversation.sent_by_hand(event)
            return row

    async def _transmit(self, frame: str) -> Row:
        if self._transport is None or self.lost is not None:
            raise self.lost or Misuse(_NOT_OPEN)
        row = self.log.append("client", frame)
        self.ledger.take(row)
        self._news.announce(row)
        await self._transport.send(frame)
        return row

    def _end(self, lost: ConnectionLost) -> None:
        if self._transport is None:
            return
        self.lost = lost
        self.record(
            {"type": "line.lost", "code": lost.code, "reason": lost.reason, "message": str(lost)}
        )

    def record(self, event: Event) -> Row:
        """Log what happened on this side (`playback.heard`, `line.lost`, …) as a `local` row.

        Call it on the session's own loop: one thread writes a log.
        """
        row = self.log.append("local", event)
        self._react(event)
        self._news.announce(row)
        self._first_words.take(event, self._clock.now())
        self._follow_opening()
        self._flush_soon()
        return row

    def subscribe(self, listener: Callable[[Row], None]) -> Callable[[], None]:
        """Call `listener` with each new row, on this session's loop; the result ends that.

        The log and the conversation have taken the row already. A listener must be quick.
        """
        return self._news.subscribe(listener)

    async def _until(self, ready: Callable[[], bool], timeout: float | None, what: str) -> None:
        """Wait until `ready()`. Raises TimedOut, or what ended the line before it was so."""

        def so() -> bool:
            if ready():
                return True
            if self.lost is not None:
                raise self.lost
            if self._transport is None:
                raise Misuse("The session is closed; nothing more will come.")
            return False

        await self._news.until(so, self.timeout if timeout is None else timeout, what)

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
            self._check_budget(event)
        if not self.is_open:
            raise self.lost or Misuse(_NOT_OPEN)
        row = await asyncio.shield(self._spawn(self._send_one(frame, event)))
        self._mark = row.seq
        return row

    async def say(self, text: str) -> str:
        """Add the user's words and ask for a reply, without waiting; gives the request's event
        id."""
        if not isinstance(text, str):
            raise Misuse(f"What is said is text, not {type(text).__name__}.")
        self._check_budget()
        self._mark_here()
        self._request(item_create(user_text(whole_characters(text))))
        asked = self._request(response_create())
        await self._flush()
        return text_field(asked, "event_id")

    async def ask(self, text: str, timeout: float | None = None) -> Reply:
        """Say `text` and wait for the reply. Raises TimedOut, ConnectionLost."""
        return await self._answer_to(await self.say(text), timeout)

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
        self._check_budget()
        self._mark_here()
        start = len(self.log)
        await self._append_audio(audio.pcm_from_samples(samples))
        if not reply:
            return None
        detection = field(self.conversation.session, "audio", "input", "turn_detection")
        if detection is None:
            self._request(input_audio_commit())
            asked = self._request(response_create())
            await self._flush()
            return await self._answer_to(text_field(asked, "event_id"), timeout)
        if not await self._turn_ended(start) or field(detection, "create_response") is False:
            return None
        await self._until(lambda: self._answered_since(start) is not None, timeout, "the reply")
        return self._answered_since(start)

    async def _append_audio(self, pcm: bytes) -> None:
        begun, sent = self._clock.now(), 0
        for chunk in audio.chunks(pcm, _CHUNK_MS):
            frame = frame_of(input_audio_append(audio.encode(chunk)))
            await asyncio.shield(self._spawn(self._send_one(frame, None)))
            sent += len(chunk)
            due = begun + audio.seconds_of(sent)  # by the clock, so that no delay adds up
            await self._clock.sleep(max(0.0, due - self._clock.now()))

    async def _turn_ended(self, start: int) -> bool:
        """Append silence until the server has heard the end of what was spoken since `start`."""
        silence = bytes(_CHUNK_MS * audio.BYTES_PER_MS)
        for _ in range(LISTEN_MS // _CHUNK_MS):
            if self._committed_since(start) is not None:
                return True
            await self._append_audio(silence)
        return self._committed_since(start) is not None

    def _committed_since(self, start: int) -> int | None:
        """The row at which the last of the turns heard since `start` was committed; None while
        speech goes on behind it."""
        turns = self.log[start:].where(
            type=("input_audio_buffer.speech_started", "input_audio_buffer.committed")
        )
        last = turns[-1] if len(turns) else None
        return last.seq if last is not None and last.type.endswith(".committed") else None

    def _answered_since(self, start: int) -> Reply | None:
        committed = self._committed_since(start)
        since = self.log[start if committed is None else committed :]
        for row in since.where(type="response.created"):
            response = self.conversation.responses.get(row.response_id)
            if response is not None and response.status in ENDED:
                return self.reply(response.id)
        return None

    async def interrupt(self, heard_ms: int | None = None) -> None:
        """Stop the reply that is being made and forget those asked for.

        Args:
            heard_ms: how much of it was heard; the item is truncated there, so that the model does
            not
                remember what nobody heard.
        """
        conversation = self.conversation
        conversation.turns.forget_waiting()
        self._mark_here()
        active = conversation.active_response
        if active is not None or conversation.turns.asked:
            self._request(response_cancel())
        spoken = self._spoken_last(active)
        if heard_ms is not None and spoken is not None and heard_ms < spoken.audio_ms:
            self._request(item_truncate(spoken.id, max(0, int(heard_ms))))
        await self._flush()

    def _spoken_last(self, active: Response | None) -> Item | None:
        """The item that is being heard: of the active response, else of the last one."""
        latest = next(reversed(self.conversation.responses.values()), None)
        response = active or (None if self.conversation.turns.asked else latest)
        items = response.items if response is not None else []
        return next((item for item in reversed(items) if item.audio_ms), None)

    async def settled(self, timeout: float | None = None) -> None:
        """Wait until no response is active, asked for or waiting."""
        await self._until(lambda: not self.conversation.busy, timeout, "the end of the reply")

    async def wait_for(self, type: str, timeout: float | None = None) -> Row:
        """The next row whose type fits the pattern, from the last thing done on.

        A row that came between `send` (or `say`, `hear`, `interrupt`) and this call counts; one
        that was given for the same pattern before does not.
        """
        found: list[Row] = []

        def arrived() -> bool:
            seen = max(self._mark, self._given.get(type, -1))
            fitting = self.log[seen + 1 :].where(type=type)
            found[:] = fitting[:1]
            return bool(found)

        await self._until(arrived, timeout, f"an event {type!r}")
        self._given[type] = found[0].seq
        return found[0]

    def _mark_here(self) -> None:
        self._mark = len(self.log) - 1

    def _check_budget(self, request: Event | None = None) -> None:
        reason = self.limit.reason(request)
        if reason is not None:
            raise SpendingNotApproved(reason)

    def _over_budget(self, request: Event) -> str | None:
        """Why this reply may not be asked for now; None while the budget allows it."""
        on_their_way = self.conversation.turns.outstanding + self.ledger.under_way
        reason = self.limit.reason(request, on_their_way)
        if reason is not None:
            self.record(self.limit.reached(reason))
        return reason

    def _keep_budget(self) -> None:
        """Have the server answer nothing by itself any more where that might pass the budget."""
        reason = self.limit.reason(beside=self.conversation.turns.outstanding)
        hold = self.limit.hold() if reason is not None and self.is_open else None
        if reason is not None and hold is not None:
            self.record(self.limit.reached(reason))
            self._request(hold)

    async def _answer_to(self, request_id: str, timeout: float | None) -> Reply:
        conversation = self.conversation

        def answered() -> bool:
            response = conversation.response_to(request_id)
            return conversation.refusal_of(request_id) is not None or (
                response is not None and response.status in ENDED
            )

        try:
            await self._until(answered, timeout, "the reply")
        except BaseException:
            conversation.turns.give_up(request_id)
            raise
        response = conversation.response_to(request_id)
        if response is not None:
            return self.reply(response.id)
        refusal = conversation.refusal_of(request_id) or {}
        if text_field(refusal, "code") == "budget_spent":
            raise SpendingNotApproved(text_field(refusal, "message"))
        message = text_field(refusal, "message") or "refused without a reason"
        return Reply("", "", None, None, Timing(), "", "failed", message, self.log)

    def reply(self, response_id: str) -> Reply:
        """The reply with that id as it stands now. Raises Misuse when there is none."""
        response = self.conversation.responses.get(response_id)
        if response is None:
            raise Misuse(f"There is no response {response_id!r} in this session.")
        request_id = self.conversation.turns.request_of(response_id)
        return reply_of(response, self.log, priced_as(self.ledger.models), request_id)


def _checked_budget(budget: float | None) -> float | None:
    if budget is not None and not (math.isfinite(budget) and budget > 0):
        raise Misuse(f"A budget is an amount in dollars greater than 0, not {budget!r}.")
    return budget


def _settings(
    instructions: str | None,
    voice: str | None,
    modality: Modality,
    tools: Sequence[Mapping[str, Any]],
) -> Event:
    fields: Event = {"output_modalities": [modality]}
    if instructions is not None:
        fields["instructions"] = instructions
    if voice is not None:
        fields["audio"] = {"output": {"voice": voice}}
    if tools:
        fields["tools"] = [dict(tool) for tool in tools]
    return fields


def _refusal(error: Event) -> str:
    said = text_field(error, "message") or "no details given"
    advice = explain(error)
    return f"The server said: {said}" + (f" {advice}" if advice else "")
