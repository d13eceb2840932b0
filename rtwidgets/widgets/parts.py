"""What a chat shows, put together: who stands where, and what is opened and closed below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import ipywidgets

from ..log import EventLog
from ..log.rows import Row
from ..session.blocking import Session
from .choices import Choices
from .comm import Content, Outcome, close_tree
from .controls import Controls
from .eventtable import EventTable
from .files import File
from .hints import CHOOSE
from .meter import Meter
from .microphone import Microphone
from .panels import Panels
from .presence import Presence
from .status import RUNNING, Status
from .timeline import Timeline
from .transcript import Transcript
from .voice import Speaker

SECTIONS = {"timeline": "Timeline", "cost": "Cost", "events": "Events"}
"""What opens below the conversation, in the order in which it stands there."""

COSTS = (
    "session.created",
    "session.updated",
    "response.created",
    "response.done",
    "conversation.item.input_audio_transcription.completed",
)
"""Rows behind which the meter may read something else."""


@dataclass(frozen=True)
class Acts:
    """What is done with what a person does in the page. All of it returns at once.

    Attributes:
        act: a button was pressed, and this was shown as chosen. say: words were typed; whether they
            were taken. file: a download was asked for. heard: so much of an item was played.
        gone: no page shows the chat any more.
        skipped: so much came too long before there was a page to play it.
        send: an event was written into the box of the table; what it raises is told beside the box.
        check: says what the server would say to an event while it is being written.
    """

    act: Callable[[str, Content | None], None]
    say: Callable[[str], Future[bool]]
    file: Callable[[str], File | None]
    gone: Callable[[], None]
    heard: Callable[[str, int, bool], None]
    skipped: Callable[[int], None]
    send: Callable[[str], object]
    check: Callable[[Content], object]


class Parts:
    """The widgets of one chat.

    Args:
        hides: the class of the plain copy that they stand for.

    Attributes:
        view: all of them, to be shown.
    """

    def __init__(
        self, choices: Choices, acts: Acts, log: EventLog, status: Status, hides: str
    ) -> None:
        by = (acts.act, acts.say, acts.file)
        self.choices = choices
        self.header = Controls("header", *by, hides=hides, status=status, fields=choices.fields)
        self.composer = Controls("composer", *by)
        self.transcript = Transcript(hint=CHOOSE)
        self.microphone = Microphone()
        self.speaker = Speaker(acts.heard, acts.skipped)
        self.panels = Panels(SECTIONS, ["events"])
        self.timeline = Timeline(log, on_select=self._select)
        self.meter = Meter()
        # What is chosen in one of the two is shown in the other.
        self.table = EventTable(
            log, send=acts.send, check=acts.check, on_select=self.timeline.select
        )
        tools = ipywidgets.HBox([self.microphone, self.composer, self.speaker])
        self.presence = Presence(acts.gone)
        below = [self.panels, self.timeline, self.meter, self.table, self.presence]
        self.view = ipywidgets.VBox([self.header, choices.view, self.transcript, tools, *below])
        self.view.add_class("rtw-chat")
        tools.add_class("rtw-tools")

    def tell(self, outcome: Outcome, status_outcome: Outcome) -> None:
        """Have it told how showing goes; of the status line apart, which says of the others."""
        self.header.outcome = self.composer.outcome = status_outcome
        for part in (self.transcript, self.microphone, self.speaker, self.panels):
            part.outcome = outcome
        for part in (self.timeline, self.meter, self.table):
            part.outcome = outcome

    def show(self, session: Session) -> None:
        """Show another session from here on."""
        self.transcript.follow(session.conversation)
        self.table.show(session.log)
        self.timeline.show(session.log)
        live = session.asynchronous
        self.meter.show(live.ledger, live.limit)

    def show_status(self, status: Status, hint: str) -> None:
        """Say where the chat stands. On the sender's thread."""
        self.header.show(status)
        self.composer.show(status)
        self.transcript.put(hint=hint)
        self.choices.lock(status.state in RUNNING)

    def take(self, row: Row) -> None:
        """A row that the session's log has just taken. On the session's loop."""
        self.speaker.take(row)
        if row.type in COSTS:
            self.meter.wake()

    def close(self) -> None:
        """Take everything from the page. On the sender's thread."""
        self.choices.close()
        close_tree(self.view)

    def _select(self, seqs: Sequence[int]) -> None:
        """Rows were chosen in the timeline: show them in the table."""
        self.panels.reveal("events")
        self.table.select(seqs)
