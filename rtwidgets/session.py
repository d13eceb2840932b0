"""A session: the only pump between a transport, the conversation and the log.

`AsyncSession` runs on the caller's loop, and so pauses with it: for a notebook there is `Session`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from . import audio
from .conversation import Conversation
from .endpoints import Endpoint, approve_spending, default_endpoint, spending_notice
from .errors import ConnectFailed, ConnectionLost, Misuse, SpendingNotApproved, TimedOut
from .events import (
    Event,
    field,
    frame_of,
    input_audio_append,
    input_audio_commit,
    item_create,
    item_truncate,
    merged,
    response_cancel,
    response_create,
    session_update,
    text_field,
    user_text,
)
from .explanations import explain
from .log import EventLog, Row
from .news import News
from .openings import Opening, WaitForUser
from .pricing import cost_of
from .reply import Reply, Timing, reply_of
from .transport import Clock, Transport, WallClock

T = TypeVar("T")
Modality = Literal["audio", "text"]

SIMULATED_ID = "sess_simulated_"
"""How a session id begins that no real service gave out; every label derives from it."""

_CHUNK_MS = 40
LISTEN_MS = 3000  # silence sent behind speech until the server has noticed its end

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
        budget: US dollars that this session may spend; no new reply is asked for beyond it.

    `async with` connects, waits for `session.updated`, sends the opening, and enters when the
    opening's reply is done, or at the timeout. Raises ConnectFailed, SpendingNotApproved, or Misuse
    when the server refuses the settings.
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
        self.endpoint = endpoint or default_endpoint()
        self.opening = opening or WaitForUser()
        self.model = model or self.endpoint.model
        self.timeout = timeout
        self.budget = budget
        self.conversation = Conversation()
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
        self._tasks: set[asyncio.Task[None]] = set()
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
        return "Simulator" if self.simulated else self.endpoint.name

    @property
    def cost(self) -> float | None:
        """US dollars so far by the price table, None where the model has no price."""
        return cost_of(self.conversation.usage, self.model) if self.conversation.usage else 0.0

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
        if self._transport is not None:
            raise Misuse("This session is open already. Make a new one for a new conversation.")
        self._check_spending()
        self._transport = await self.endpoint.open(self.model, self.timeout)
        self._clock = self._transport.clock
        self._pumping = asyncio.create_task(self._pump(self._transport))
        try:
            await self._until(self._greeted, self.timeout, "the server's session.created")
            await self._configure()
            for event in self.opening.events(self.conversation.session):
                self.conversation.request(event)
            await self._flush()
        except BaseException:
            await self.close()
            raise

    async def opened(self, timeout: float | None = None) -> Reply | None:
        """Wait for the reply that the opening asked for; None where it asks for none."""
        if self.opening.heard and self.opening_reply is None:
            await self._until(self._opening_done, timeout, "the reply to the opening")
            first = next(iter(self.conversation.responses), None)
            self.opening_reply = self.reply(first) if first else None
        return self.opening_reply

    async def close(self) -> None:
        """End the session. Safe to call again; the log and the conversation stay readable."""
        transport, self._transport = self._transport, None
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
        fields = merged(self._settings, self.opening.session())
        self.conversation.request(session_update(**fields))
        before = len(self.conversation.errors)
        await self._flush()

        def answered() -> bool:
            if len(self.log.where(type="session.updated")):
                return True
            if len(self.conversation.errors) > before:
                refused = _refusal(self.conversation.errors[before])
                raise Misuse(f"The server refused the session's settings. {refused}")
            return False

        await self._until(answered, self.timeout, "the server's session.updated")

    def _opening_done(self) -> bool:
        conversation = self.conversation
        if not conversation.responses:
            return not conversation.busy  # refused, or an opening that asked for nothing after all
        return not next(iter(conversation.responses.values())).active

    # ------------------------------------------------------------ the pump

    async def _pump(self, transport: Transport) -> None:
        try:
            while True:
                row = self.log.append("server", await transport.recv())
                self._take(row)
                await self._flush()
        except ConnectionLost as lost:
            self._end(lost)
        except Exception as problem:  # ours: say so rather than leave everyone waiting
            logger.exception("the session's pump failed")
            self._end(ConnectionLost(f"The session ended by an error of rtwidgets: {problem!r}."))

    def _take(self, row: Row) -> None:
        event = row.event
        if event is not None:
            self.conversation.receive(event)
            self._react(event)
        self._news.announce(row)

    def _react(self, event: Event) -> None:
        for answer in self.opening.react(event):
            self.conversation.request(answer)

    async def _flush(self) -> None:
        for event in self.conversation.to_send():
            await self._transmit(event)

    async def _transmit(self, event: Event | str) -> Row:
        if self._transport is None or self.lost is not None:
            raise self.lost or Misuse(
                "The session is not open. Use it inside `with`, or start the chat."
            )
        frame = event if isinstance(event, str) else frame_of(event)
        async with self._sending:  # the log's order is the wire's order
            row = self.log.append("client", frame)
            await self._transport.send(frame)
        self._news.announce(row)
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
        if self.is_open and self.conversation.has_to_send:
            sending = asyncio.create_task(self._flush())
            self._tasks.add(sending)
            sending.add_done_callback(self._forget)
        return row

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.info("not sent: %s", task.exception())  # the line is gone; the pump says so

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
        row = await self._transmit(event)
        self._mark = row.seq
        return row

    async def say(self, text: str) -> str:
        """Add the user's words and ask for a reply, without waiting; gives the request's event
        id."""
        self._check_budget()
        self.conversation.request(item_create(user_text(text)))
        asked = self.conversation.request(response_create())
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
        start = len(self.log)
        await self._append_audio(audio.pcm_from_samples(samples))
        if not reply:
            return None
        detection = field(self.conversation.session, "audio", "input", "turn_detection")
        if detection is None:
            await self._transmit(input_audio_commit())
            asked = self.conversation.request(response_create())
            await self._flush()
            return await self._answer_to(text_field(asked, "event_id"), timeout)
        if not await self._turn_ended(start) or field(detection, "create_response") is False:
            return None
        await self._until(lambda: self._answered_since(start) is not None, timeout, "the reply")
        return self._answered_since(start)

    async def _append_audio(self, pcm: bytes) -> None:
        for chunk in audio.chunks(pcm, _CHUNK_MS):
            await self._transmit(input_audio_append(audio.encode(chunk)))
            await self._clock.sleep(audio.seconds_of(len(chunk)))

    async def _turn_ended(self, start: int) -> bool:
        silence = bytes(_CHUNK_MS * audio.BYTES_PER_MS)
        for _ in range(LISTEN_MS // _CHUNK_MS):
            if len(self.log[start:].where(type="input_audio_buffer.committed")):
                return True
            await self._append_audio(silence)
        return bool(len(self.log[start:].where(type="input_audio_buffer.committed")))

    def _answered_since(self, start: int) -> Reply | None:
        committed = next(iter(self.log[start:].where(type="input_audio_buffer.committed")), None)
        since = self.log[committed.seq if committed else start :]
        for row in since.where(type="response.created"):
            response = self.conversation.responses.get(row.response_id)
            if response is not None and not response.active:
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
        conversation.forget_waiting()
        active = conversation.active_response
        if active is not None:
            conversation.request(response_cancel())
        spoken = next((item for item in reversed(conversation.items) if item.audio_ms), None)
        if heard_ms is not None and spoken is not None and heard_ms < spoken.audio_ms:
            conversation.request(item_truncate(spoken.id, max(0, int(heard_ms))))
        await self._flush()

    async def settled(self, timeout: float | None = None) -> None:
        """Wait until no response is active, asked for or waiting."""
        await self._until(lambda: not self.conversation.busy, timeout, "the end of the reply")

    async def wait_for(self, type: str, timeout: float | None = None) -> Row:
        """The next row whose type fits the pattern, from the last `send` on.

        A row that came between `send` and this call counts; one that was given before does not.
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

    def _check_budget(self) -> None:
        if self.budget is not None and (self.cost or 0.0) >= self.budget:
            raise SpendingNotApproved(
                f"This session has spent ${self.cost:.2f} of its budget of ${self.budget:.2f}. "
                "Start a new one with a larger budget= to go on."
            )

    async def _answer_to(self, request_id: str, timeout: float | None) -> Reply:
        conversation = self.conversation

        def answered() -> bool:
            response = conversation.response_to(request_id)
            return conversation.refusal_of(request_id) is not None or (
                response is not None and not response.active
            )

        await self._until(answered, timeout, "the reply")
        response = conversation.response_to(request_id)
        if response is not None:
            return self.reply(response.id)
        message = text_field(conversation.refusal_of(request_id), "message")
        return Reply("", "", None, None, Timing(), "", "failed", message, self.log)

    def reply(self, response_id: str) -> Reply:
        """The reply with that id as it stands now. Raises Misuse when there is none."""
        response = self.conversation.responses.get(response_id)
        if response is None:
            raise Misuse(f"There is no response {response_id!r} in this session.")
        return reply_of(response, self.log, self.model)


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
