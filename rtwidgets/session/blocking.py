"""`Session`: an AsyncSession with blocking methods, on the shared loop's thread.

It works in a notebook's cell without nest_asyncio, in a script, and goes on while a cell computes.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from .. import audio, loop
from ..conversation import Conversation
from ..endpoints import Endpoint
from ..errors import ConnectionLost, TimedOut
from ..events import Event
from ..log import EventLog, Row
from ..openings import Opening
from ..tools import Given, Tool
from .reply import Reply
from .session import LISTEN_MS, AsyncSession, Modality

T = TypeVar("T")


class Session:
    """`AsyncSession` with blocking methods, each with a timeout, for notebooks and scripts.

    with rtwidgets.Session(opening=rtwidgets.ModelGreeting()) as s:
        print(s.opening_reply.transcript)
        print(s.ask("Who are you?").text)

    Takes the arguments of AsyncSession. Works in a cell without nest_asyncio: the session lives on
    a thread of its own.
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
        self._session = AsyncSession(
            endpoint,
            opening,
            instructions=instructions,
            model=model,
            voice=voice,
            modality=modality,
            tools=tools,
            timeout=timeout,
            budget=budget,
            reconnect=reconnect,
        )

    def __enter__(self) -> Session:
        # Five waits stand behind entering, each with the timeout: the simulator's start, the
        # connection, session.created, session.updated, and the opening's reply.
        self._run(self._session.__aenter__(), 5 * self._session.timeout)
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self.close()
        except TimedOut:
            pass  # a line that does not end in time must not hide what happened inside

    def open(self) -> None:
        """Connect, configure and send the opening; see AsyncSession.open."""
        self._run(self._session.open(), 4 * self._session.timeout)

    def close(self) -> None:
        """End the session; its log and conversation stay readable."""
        self._run(self._session.close(), self._session.timeout)

    @property
    def asynchronous(self) -> AsyncSession:
        """The session behind the blocking methods, for code on the shared loop (`loop.submit`)."""
        return self._session

    @property
    def log(self) -> EventLog:
        return self._session.log

    @property
    def conversation(self) -> Conversation:
        return self._session.conversation

    @property
    def endpoint(self) -> Endpoint:
        return self._session.endpoint

    @property
    def model(self) -> str:
        return self._session.model

    @property
    def label(self) -> str:
        return self._session.label

    @property
    def simulated(self) -> bool:
        return self._session.simulated

    @property
    def is_open(self) -> bool:
        return self._session.is_open

    @property
    def lost(self) -> ConnectionLost | None:
        return self._session.lost

    @property
    def tools(self) -> tuple[Tool | Event, ...]:
        return self._session.tools

    @property
    def cost(self) -> float | None:
        return self._session.cost

    @property
    def opening_reply(self) -> Reply | None:
        """What the opening brought; None where it is silent or did not come in time."""
        return self._session.opening_reply

    def send(self, event: Event | str) -> Row:
        """Send one client event as it is; see AsyncSession.send."""
        return self._run(self._session.send(event))

    def say(self, text: str) -> None:
        """Say something without waiting for the reply."""
        self._run(self._session.say(text))

    def ask(self, text: str, timeout: float | None = None) -> Reply:
        """Say something and wait for the reply."""
        return self._run(self._session.ask(text, timeout), timeout)

    def hear(
        self, samples: Any, *, reply: bool = True, timeout: float | None = None
    ) -> Reply | None:
        """Speak samples into the session as a microphone would; see AsyncSession.hear."""
        pcm = audio.pcm_from_samples(samples)
        spoken = audio.seconds_of(len(pcm)) + LISTEN_MS / 1000
        heard = self._session.hear(audio.samples_from_pcm(pcm), reply=reply, timeout=timeout)
        return self._run(heard, spoken + (self._session.timeout if timeout is None else timeout))

    def interrupt(self, heard_ms: int | None = None) -> None:
        """Stop the reply that is being made; see AsyncSession.interrupt."""
        self._run(self._session.interrupt(heard_ms))

    def settled(self, timeout: float | None = None) -> None:
        """Wait until no reply is being made."""
        self._run(self._session.settled(timeout), timeout)

    def wait_for(self, type: str, timeout: float | None = None) -> Row:
        """The next row of that type since the last `send`; see AsyncSession.wait_for."""
        return self._run(self._session.wait_for(type, timeout), timeout)

    def reply(self, response_id: str) -> Reply:
        """The reply with that id as it stands now."""
        return self._session.reply(response_id)

    def _run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        # The work times itself out with a better message; this bound is for a loop that is stuck.
        seconds = self._session.timeout if timeout is None else timeout
        return loop.run(work, seconds + 5.0)
