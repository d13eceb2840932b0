"""`Conversation`: what each event does to the whole, and what to send next.

Nothing here raises on what a server sends: unknown is not an error, and what cannot be read is left
as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from ..dialects import usage_of
from ..echoes import Echoes
from ..events import (
    ENDS_OF_A_LINE,
    Event,
    count_field,
    error_of,
    is_carried,
    response_id_of,
    text_field,
)
from ..events import field as value_at
from ..items import (
    ENDED,
    IN_PROGRESS,
    UNKNOWN,
    Item,
    Response,
    add_usage,
)
from ..turns import ACTIVE_ALREADY, Turns
from .contents import FILLS, UNTOLD, Contents
from .handover import Handover
from .speech import Speech


class Heard(Protocol):
    """What is needed of a log's row to take it in."""

    @property
    def direction(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def event(self) -> Event | None: ...


class Conversation:
    """What the events of a session add up to.

    Feed every server event to `receive`, in order. To send, hand events to `request` and transmit
    what `to_send` gives, again after each `receive`.

    Attributes:
        session: the effective configuration, as the server last stated it.
        items: the conversation's items in their order.
        responses: every response by id, those outside the conversation too.
        usage: the sum of all responses' usage, by the wire's own names.
        errors: the `error` events' contents, in order.
    """

    def __init__(self) -> None:
        self.session: Event = {}
        self._contents = Contents()
        self._items = self._contents.items
        self.items = self._items.order
        self.responses = self._contents.responses
        self.usage: Event = {}
        self.errors: list[Event] = []
        self.turns = Turns()
        self._echoes = Echoes()
        self._to_the_front = 0  # items asked to be put in front of all
        self._names_predecessors = False  # whether this server ever said what an item stands behind
        self._handover = Handover(self._contents)
        self._speech = Speech()

    @classmethod
    def of(cls, rows: Iterable[Heard]) -> Conversation:
        """What the rows of a log add up to: the same state as when they came one by one."""
        conversation = cls()
        for row in rows:
            event = row.event
            if event is not None and row.direction == "server":
                conversation.receive(event)
            elif event is not None and row.direction == "client":
                conversation.sent_by_hand(event)
            elif row.direction == "local" and row.type in ENDS_OF_A_LINE:
                conversation.cut()
                conversation.turns.forget_cut()  # what was sent again has rows of its own
            elif row.direction == "local" and row.type == "line.restored":
                conversation.left_out(value_at(event, "left_out"))
            elif row.direction == "local" and row.type == "response.overdue":
                conversation.overdue(text_field(event, "response_id"))
        return conversation

    # ------------------------------------------------------------ reading

    @property
    def active_response(self) -> Response | None:
        """The response that the conversation is waiting for, None when it is quiet."""
        return self._contents.active_response

    @property
    def busy(self) -> bool:
        """Whether a response is active, asked for, or waiting for its turn."""
        return self.turns.pending or self.active_response is not None

    @property
    def names_items(self) -> bool:
        """Whether this server ever said that an item of ours is there."""
        return self._echoes.heard

    def item(self, item_id: str) -> Item | None:
        """The item with that id, in the conversation or outside it."""
        return self._items.get(item_id)

    def response_to(self, request_id: str) -> Response | None:
        """The response that a `response.create` with that event id brought, once it began."""
        return self.responses.get(self.turns.response_to(request_id))

    def refusal_of(self, request_id: str) -> Event | None:
        """The error that a `response.create` with that event id brought instead."""
        return self.turns.refusal_of(request_id)

    # ------------------------------------------------------------ sending

    def request(self, event: Event) -> Event:
        """Ask for a client event to be sent; a `response.create` waits for its turn.

        It is given an `event_id` where it has none, by which `response_to` finds the answer.
        Returns the event as it will be sent.
        """
        asked = self.turns.add(event, self.active_response is not None)
        self._note(asked)
        return asked

    def sent_by_hand(self, event: Event) -> None:
        """Take note of a client event that was sent without being asked for here."""
        self._note(event)
        self.turns.sent_by_hand(event)

    def spoke(self, size: int) -> None:
        """Take note of so many bytes of the user's sound that were sent without an event."""
        self._speech.appended(size)

    @property
    def has_to_send(self) -> bool:
        """Whether `to_send` would give anything."""
        return self.turns.outbox

    def to_send(self) -> list[Event]:
        """The events to transmit now, in order. After calling this method: send them all."""
        return self.turns.to_send()

    def _note(self, event: Event) -> None:
        if event.get("type") == "conversation.item.create":
            self._to_the_front += event.get("previous_item_id") == "root"
            if is_carried(event):
                self._handover.telling(event)
            else:
                self._echoes.sent(event.get("item"))
        elif event.get("type") == "conversation.item.truncate":
            self._handover.truncating(event)
        else:
            self._speech.sent(event)

    def _go_on(self) -> None:
        self.turns.go_on(self.active_response is not None)

    # ------------------------------------------------------------ a response that does not end

    def overdue(self, response_id: str) -> None:
        """Nothing comes of this response any more: what waits behind it need not. An empty id: of
        what was asked for, nothing comes at all."""
        response = self._contents.live.get(response_id)
        if response is not None:
            response.overdue = True
        elif not response_id:
            self.turns.give_up_asked()
        self._go_on()

    # ------------------------------------------------------------ a line that ended

    def cut(self) -> list[Response]:
        """The line has ended, and with it what the server knew.

        What was being made ends here, incomplete. Of what nobody heard a word of, the items are
        gone, and what asked for it is to be asked again (`turns.resume`). All other items stay: a
        new session is told of them.

        Returns the responses that were being made.
        """
        self._to_the_front = 0
        self._speech.cut()
        making = self._handover.cut()
        self.turns.cut({one.id for one in making if one.cut_unheard})
        return making

    def was_retold(self, item_id: str) -> bool:
        """Whether the session that stands was told of an item, and did not make it itself."""
        return self._handover.was_retold(item_id)

    def left_out(self, item_ids: Any) -> None:
        """The new session could not be told of these items."""
        self._handover.left_out(item_ids)

    # ------------------------------------------------------------ receiving

    def receive(self, event: Event) -> None:
        """Take one server event. Unknown ones change nothing."""
        given = event.get("type")
        type_ = given if given.__class__ is str else ""
        if (fill := FILLS.get(type_)) is not None:
            fill(self._contents, event)
        elif (handler := _HANDLERS.get(type_)) is not None:
            handler(self, event)
        elif (error := error_of(event)) is not None:
            self._refused(error)
        if self.turns.waiting:
            self._go_on()

    def _refused(self, error: Event) -> None:
        self.errors.append(error)
        self._echoes.refused()
        code, param = text_field(error, "code"), text_field(error, "param")
        if code.startswith("item_truncate_") or param == "audio_end_ms":
            self._handover.truncation_refused()
        if code == "response_cancel_not_active":
            self._nothing_is_active()
        elif not self._handover.refused(error):
            if code == ACTIVE_ALREADY:  # the server is at work all the same
                for response in self._contents.live.values():
                    response.overdue = False
            self.turns.refused(error)

    def _nothing_is_active(self) -> None:
        """The server says that no response is active: one whose end we missed has ended."""
        for response in self._contents.live.values():
            if response.status == IN_PROGRESS and response.conversation_id:
                response.status = "incomplete"

    def _session(self, event: Event) -> None:
        session = value_at(event, "session")
        if isinstance(session, dict):
            self.session = session

    # "The server will send conversation.item.added when an item is added to the conversation."
    # Order is taken from here alone: conversation.item.done names no predecessor (null) for an item
    # the model made right behind the first one (33 of 33 recorded items).
    def _item_added(self, event: Event) -> None:
        if self._handover.repeats(event):
            return
        self._hear_echo(value_at(event, "item"))
        self._items.forget_deleted(text_field(event, "item", "id"))
        item = self._contents.learn(value_at(event, "item"))
        if item is not None:
            self._speech.tell(item)
        if item is None or self._items.settled(item):
            return
        self._items.take_back(item)
        previous = value_at(event, "previous_item_id")
        item.previous_item_id = previous if isinstance(previous, str) else None
        self._names_predecessors |= item.previous_item_id is not None
        behind = self._items.get(item.previous_item_id or "")
        if self._items.holds(behind):
            self._items.place(item, behind)
        elif previous is None and "previous_item_id" in event and self._means_first():
            self._to_the_front = max(0, self._to_the_front - 1)
            self._items.place(item, first=True)
        else:
            self._items.place(item)

    def _means_first(self) -> bool:
        """Whether `previous_item_id: null` means "in front of all": some servers never fill it."""
        return bool(self.items) and (self._names_predecessors or self._to_the_front > 0)

    def _hear_echo(self, given: Any) -> None:
        """The server says that an item is there: ours, unless a response made it."""
        known = self._items.get(text_field(given, "id"))
        if isinstance(given, dict) and (known is None or not known.response_id):
            ours = self._echoes.echo(given)
            if ours and ours != given.get("id"):
                self._items.delete(ours)

    def _item_done(self, event: Event) -> None:
        if self._handover.repeats(event):
            return
        self._hear_echo(value_at(event, "item"))
        item = self._contents.learn(value_at(event, "item"))
        if item is not None:  # where it is not there yet: a server that never said .added
            self._speech.tell(item)
            self._items.place(item)

    def _item_deleted(self, event: Event) -> None:
        self._items.delete(text_field(event, "item_id"))

    # "The server will also delete the server-side text transcript of the truncated audio", so that
    # there is no text in the context that the user has not heard.
    def _item_truncated(self, event: Event) -> None:
        item = self._items.get(text_field(event, "item_id"))
        self._handover.truncated(text_field(event, "item_id"))
        heard = count_field(event, "audio_end_ms")
        if item is None or heard is None:
            return
        item.truncated_ms = heard
        item.said = item.said or " ".join(part.words for part in item.content if part.words)
        for part in item.content:
            part.transcript = ""

    def _turn_ended(self, event: Event) -> None:
        self._speech.committed(event, self.session)
        self.turns.turn_ended()

    def _speech_started(self, event: Event) -> None:
        self._speech.started(event)

    def _speech_stopped(self, event: Event) -> None:
        self._speech.stopped(event)

    def _timed_out(self, event: Event) -> None:
        self._speech.stopped(event, silence=True)

    def _response_created(self, event: Event) -> None:
        known = self._has_begun(event)
        response = self._contents.response(event)
        if response is None:
            return
        if response.conversation_id == UNTOLD and self.turns.only_aside:
            response.conversation_id = None
        if response.status == UNKNOWN:
            response.status = IN_PROGRESS
            self._contents.live[response.id] = response
        if not known:
            self.turns.began(response.id, aside=not response.conversation_id)
        if response.conversation_id and not self._echoes.heard:
            for given in self._echoes.overdue():
                item = self._contents.learn(given)
                if item is not None:
                    self._items.place(item)

    def _has_begun(self, event: Event) -> bool:
        """Whether its beginning, or its end, was heard of: its items may come before either."""
        known = self.responses.get(response_id_of(event))
        return known is not None and known.status != UNKNOWN

    def _response_done(self, event: Event) -> None:
        known, began = self.responses.get(response_id_of(event)), self._has_begun(event)
        ended_before = known is not None and known.status in ENDED
        response = self._contents.response(event)
        if response is None or ended_before:  # said twice: nothing is counted twice
            return
        if not began:  # around interruptions the end may come without a beginning
            self.turns.began(response.id, aside=not response.conversation_id)
        output = value_at(event, "response", "output")
        for raw in output if isinstance(output, list) else ():
            self._contents.belongs(response, self._contents.learn(raw))
        if response.status not in ENDED:  # a server that ends a response without saying how
            response.status = "completed"
        self._contents.live.pop(response.id, None)
        told = known is not None or value_at(event, "response", "conversation_id")
        if response.conversation_id and told:
            for item in response.items:
                self._items.place(item)
        response.usage = usage_of(event)
        if response.usage:
            add_usage(self.usage, response.usage)


_HANDLERS = {
    "session.created": Conversation._session,
    "session.updated": Conversation._session,
    "conversation.item.added": Conversation._item_added,
    "conversation.item.created": Conversation._item_added,
    "conversation.item.done": Conversation._item_done,
    "conversation.item.deleted": Conversation._item_deleted,
    "conversation.item.truncated": Conversation._item_truncated,
    "input_audio_buffer.speech_started": Conversation._speech_started,
    "input_audio_buffer.speech_stopped": Conversation._speech_stopped,
    "input_audio_buffer.timeout_triggered": Conversation._timed_out,
    "input_audio_buffer.committed": Conversation._turn_ended,
    "response.created": Conversation._response_created,
    "response.done": Conversation._response_done,
}
