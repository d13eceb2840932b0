"""`RealtimeChat`: connect, type, hear the answer, and see every event, in one cell.

It is what a person holds of a chat. The presenter does the work and holds the widgets, which
ipywidgets holds until they are closed: when nobody holds the chat any more, they are.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..conversation import Conversation
from ..endpoints import Endpoint
from ..log import EventLog
from ..openings import Opening
from ..session.blocking import Session
from ..tools import Given
from .presenter import Presenter
from .working import Work


class RealtimeChat:
    """A conversation in a notebook. The last line of a cell shows it.

    Args:
        opening: who speaks first; it can be changed in the control until Start.
        endpoint: where to connect; OpenAI where a key is there, else the simulator.
        model, voice, instructions: as the service knows them; its own defaults where not given.
        tools: Python functions that the model may call, as Session takes them, or dicts.
        budget: US dollars it may spend. With it a paid session starts without a click.
        reconnect: go on in a new session where the line is lost, as Session does.

    Attributes:
        session: the session that stands or was last, None before the first Start. Its methods
            block (`chat.session.send(event)`, `.ask(text)`, `.hear(samples)`).
        log: its events. A new Start begins a new log; earlier sessions are in `sessions`.
        view: the widget, to be put beside others.

    Every button is also a method, and every method returns at once; `wait` waits.

    A conversation ends with its chat: when the last page that showed it took it away (its cell was
    deleted or run again, its output cleared), and when nobody holds it and it was never shown.
    """

    def __init__(
        self,
        opening: Opening | None = None,
        endpoint: Endpoint | None = None,
        model: str | None = None,
        voice: str | None = None,
        instructions: str | None = None,
        tools: Sequence[Given] = (),
        budget: float | None = None,
        reconnect: bool = True,
    ) -> None:
        self._presenter = presenter = Presenter(
            opening, endpoint, model, voice, instructions, tools, budget, reconnect
        )
        # At the end of a process nothing is to be sent any more.
        weakref.finalize(self, presenter.abandon).atexit = False

    # ------------------------------------------------------------ what it is

    @property
    def session(self) -> Session | None:
        return self._presenter.session

    @property
    def sessions(self) -> list[Session]:
        """Every session so far, the last one last."""
        return self._presenter.sessions.every

    @property
    def log(self) -> EventLog:
        return self._presenter.log

    @property
    def conversation(self) -> Conversation:
        return self._presenter.conversation

    @property
    def volume(self) -> float:
        """How loud the assistant is in the page, 0 to 1."""
        return self._presenter.volume

    @volume.setter
    def volume(self, volume: float) -> None:
        self._presenter.volume = volume

    @property
    def view(self) -> Any:
        self._presenter.keep(self)
        return self._presenter.view

    # ------------------------------------------------------------ what a person does

    def start(self) -> None:
        """Connect and open the conversation. A paid session asks first, or has a budget."""
        self._presenter.start()

    def approve(self) -> None:
        """Agree to the cost that the notice names, and start what it names."""
        self._presenter.approve()

    def decline(self) -> None:
        """Do not start after all."""
        self._presenter.decline()

    def say(self, text: str) -> None:
        """Say something as the user; the assistant answers."""
        self._presenter.say(text)

    def give(self, work: Work) -> None:
        """Have `work`, an async function of the running session, done once the opening is sent.

        Where it fails the transcript says why.
        """
        self._presenter.give(work)

    def interrupt(self) -> None:
        """Stop the reply that is being spoken; the model remembers only what was heard."""
        self._presenter.interrupt()

    def talk(self) -> None:
        """Switch the page's microphone on; with push to talk, hold the button until `mute()`."""
        self._presenter.talk()

    def mute(self) -> None:
        """End that: a turn that was held is sent. How loud the assistant is, is `volume`."""
        self._presenter.mute()

    def stop(self) -> None:
        """End the conversation. Its transcript and log stay."""
        self._presenter.stop()

    def close(self) -> None:
        """Stop, and take the chat from the page. Its log stays; it cannot be started again."""
        self._presenter.close()

    def wait(self, timeout: float = 60.0) -> None:
        """Wait until the opening and every reply asked for are done, and heard where a page plays.

        Returns at once where nothing is to be waited for. Raises TimedOut.
        """
        self._presenter.wait(timeout)

    def save(self, path: str | Path, *, redacted: bool = False) -> Path:
        """Write the log (`.jsonl`), the assistant's audio (`.wav`) or a page to read (`.html`).

        Args:
            redacted: for sharing, without keys, addresses and audio; `.jsonl` only.
        """
        return self._presenter.save(Path(path), redacted=redacted)

    def _ipython_display_(self) -> None:
        self._presenter.keep(self)
        self._presenter.display()

    def __repr__(self) -> str:
        return f"<RealtimeChat: {self._presenter}>"
