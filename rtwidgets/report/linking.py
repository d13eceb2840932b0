"""Which client event made the server send what it sent.

The server names the client event that caused something in errors alone (`error.event_id`), and not
always. All else is told by ids and by order: each kind of request is answered in the order sent.
What cannot be told stays without a cause.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..events import CARRIED_ID, Event, item_text, text_field
from ..events import field as value_at
from ..turns import ACTIVE_ALREADY, opens_turn

CREATE_RESPONSE = "response.create"
CREATE_ITEM = "conversation.item.create"
COMMIT = "input_audio_buffer.commit"
APPEND = "input_audio_buffer.append"

_MOST_OPEN = 1000  # of one kind: a log without its server's half must not be searched at length
_APPENDS_REMEMBERED = 256  # an error about audio comes soon


@dataclass(eq=False)
class Request:
    """A client event that the server may answer.

    Attributes:
        item_id: that it names or gives. aside: a response outside the conversation.
        about: for an item, what it is: type, role, and its words or its call's id.
        response_id: the response it brought. refused: an error named it, or could mean no other.
        first: the same event as it was sent before, over a line that ended before its answer came.
    """

    seq: int
    t: float
    type: str
    event_id: str = ""
    item_id: str = ""
    aside: bool = False
    metadata: Any = None
    about: tuple[str, str, str] = ("", "", "")
    response_id: str = ""
    refused: bool = False
    first: Request | None = None

    @property
    def origin(self) -> int:
        """The row in which it was sent the first time."""
        return self.first.seq if self.first is not None else self.seq

    @property
    def since(self) -> float:
        """When it was sent the first time."""
        return self.first.t if self.first is not None else self.t


class Links:
    """The client's requests that are not answered yet, in order, and which answer was whose.

    Attributes:
        direct: sequence numbers of server rows, each with the client row it answers.
        last_append: the last row of audio that was sent.
    """

    def __init__(self) -> None:
        self.direct: dict[int, int] = {}
        self.last_append: int | None = None
        self._appends: deque[int] = deque(maxlen=_APPENDS_REMEMBERED)
        self._open: dict[str, deque[Request]] = {}
        self._named: dict[str, Request] = {}
        self._latest: Request | None = None  # the last that a response was taken to answer
        self._lost: deque[Request] = deque(maxlen=_MOST_OPEN)  # that an ended line left unanswered

    # ------------------------------------------------------------ sent

    def appended(self, seq: int) -> None:
        """Audio was sent; it has no answer of its own."""
        self.last_append = seq
        self._appends.append(seq)

    def sent(
        self, seq: int, t: float, event: Event | None, event_at: Callable[[int], Event | None]
    ) -> Request:
        """A client event went out, None where the frame was not JSON.

        Args:
            event_at: the event in an earlier client row, read only after a line has ended.
        """
        event = event or {}
        item = value_at(event, "item")
        request = Request(
            seq,
            t,
            text_field(event, "type"),
            event_id=text_field(event, "event_id"),
            item_id=text_field(event, "item_id") or text_field(item, "id"),
            aside=event.get("type") == CREATE_RESPONSE and not opens_turn(event),
            metadata=value_at(event, "response", "metadata"),
            about=about(item),
        )
        if self._lost:
            request.first = self._sent_before(request, event, event_at)
        kind = request.type if request.type in _ANSWERED else ""
        self._open.setdefault(kind, deque(maxlen=_MOST_OPEN)).append(request)
        if request.event_id:
            self._named[request.event_id] = request
        return request

    def _sent_before(
        self, request: Request, event: Event, event_at: Callable[[int], Event | None]
    ) -> Request | None:
        """What a line that ended left unanswered and is the same, word by word; each once."""
        alike = (one for one in self._lost if (one.type, one.event_id) == _name_of(request))
        before = next((one for one in alike if event_at(one.seq) == event), None)
        if before is None:
            return None
        self._lost.remove(before)
        return before.first or before

    # ------------------------------------------------------------ a line that ended

    def cut(self, unheard: Iterable[Request]) -> list[Request]:
        """The line has ended: what was open on it will have no answer, on the next line either.

        Args:
            unheard: requests whose responses had begun, of which nobody heard a word.

        Gives these and all that were open, in order, but for what only told a session what was
        before. They may be sent again.
        """
        waiting = [one for kind, each in self._open.items() if kind for one in each]
        told = [one for one in waiting if not one.event_id.startswith(CARRIED_ID)]
        lost = sorted({*told, *unheard}, key=lambda one: one.seq)
        self._lost.extend(lost)
        self._open.clear()
        self._named.clear()
        self._appends.clear()
        self.last_append = self._latest = None
        return lost

    # ------------------------------------------------------------ answered

    def close(self, request: Request, seq: int) -> None:
        """A server row answers this request, whatever else is open."""
        self.direct[seq] = request.seq
        waiting = self._open.get(request.type)
        if waiting and request in waiting:
            waiting.remove(request)

    def answered(self, type_: str, seq: int, item_id: str = "") -> Request | None:
        """A server row answers the oldest request of that type, the one about that item if any."""
        waiting = self._open.get(type_)
        if not waiting:
            return None
        fits = (one for one in waiting if not item_id or one.item_id == item_id)
        request = next(fits, None)
        if request is not None:
            waiting.remove(request)
            self.direct[seq] = request.seq
        return request

    def item_added(self, item: Any, of_the_model: bool) -> Request | None:
        """The `conversation.item.create` that put this item there, None for one of the server's.

        Args:
            of_the_model: a response is being made, to which an assistant's item may belong.
        """
        waiting = self._open.get(CREATE_ITEM)
        if not waiting:
            return None
        id_, kind = text_field(item, "id"), about(item)
        unnamed = [one for one in waiting if not one.item_id]
        found = next((one for one in waiting if id_ and one.item_id == id_), None)
        found = found or next((one for one in unnamed if one.about == kind), None)
        if found is None and not (of_the_model and kind[1] == "assistant"):
            found = next((one for one in unnamed if one.about[:2] == kind[:2]), None)
        if found is not None:
            waiting.remove(found)
        return found

    def response_began(self, response: Any, seq: int) -> Request | None:
        """The `response.create` that a response first heard of at row `seq` answers, None for one
        of the server's own."""
        waiting = self._open.get(CREATE_RESPONSE)
        if not waiting or not isinstance(response, dict):
            return None
        fits = [one for one in waiting if one.seq < seq]
        if "conversation_id" in response:  # null: made outside the conversation
            aside = response["conversation_id"] is None
            fits = [one for one in fits if one.aside == aside]
        metadata = response.get("metadata")
        same = [one for one in fits if metadata and one.metadata == metadata]
        request = next(iter(same or fits), None)
        if request is not None:
            waiting.remove(request)
            request.response_id = text_field(response, "id")
            self._latest = self._latest if request.aside else request
        return request

    def response_ended(self) -> None:
        """What was asked to be cancelled has ended."""
        waiting = self._open.get("response.cancel")
        if waiting:
            waiting.popleft()

    # ------------------------------------------------------------ refused

    def refused(self, error: Event, seq: int, event_id_at: Callable[[int], str]) -> Request | None:
        """The request that an error is about, which will have no other answer.

        Args:
            event_id_at: the event id in a client row of audio, read only when it may matter.
        """
        named = text_field(error, "event_id")
        request = self._named.get(named) if named else self._meant(error)
        if request is not None:
            request.refused = True
            self.direct[seq] = request.seq
            for waiting in self._open.values():
                if request in waiting:
                    waiting.remove(request)
        elif named:
            sent = (one for one in reversed(self._appends) if event_id_at(one) == named)
            self._directly(seq, next(sent, None))
        elif text_field(error, "param") == "audio":
            self._directly(seq, self.last_append)
        return request

    def _directly(self, seq: int, cause: int | None) -> None:
        if cause is not None:
            self.direct[seq] = cause

    def _meant(self, error: Event) -> Request | None:
        """The request that an error without an id can only mean."""
        kind = _kind_meant(error)
        if text_field(error, "code") == ACTIVE_ALREADY:
            return self._overtaken()
        if kind is not None:
            return next(iter(self._open.get(kind, ())), None)
        waiting = [one for each in self._open.values() for one in each]
        return waiting[0] if len(waiting) == 1 else None

    def _overtaken(self) -> Request | None:
        """A response that nobody asked for came first: the last request was not its cause."""
        waiting = self._open.get(CREATE_RESPONSE)
        if waiting:
            return next((one for one in waiting if not one.aside), None)
        return self._latest if self._latest is not None and not self._latest.refused else None


_ANSWERED = {
    "session.update",
    CREATE_RESPONSE,
    "response.cancel",
    CREATE_ITEM,
    "conversation.item.retrieve",
    "conversation.item.delete",
    "conversation.item.truncate",
    COMMIT,
    "input_audio_buffer.clear",
    "output_audio_buffer.clear",
}

# Errors without an id that can be about one kind of request alone (facts: recorded codes).
_CODES = {
    "input_audio_buffer_commit_empty": COMMIT,
    "response_cancel_not_active": "response.cancel",
    "item_truncate_invalid_item_id": "conversation.item.truncate",
    "item_delete_invalid_item_id": "conversation.item.delete",
    "item_retrieve_invalid_item_id": "conversation.item.retrieve",
    "item_create_duplicate_item_id": CREATE_ITEM,
    "cannot_update_voice": "session.update",
}
_PARAMS = {
    "session": "session.update",
    "item": CREATE_ITEM,
    "previous_item_id": CREATE_ITEM,
    "response": CREATE_RESPONSE,
    "audio_end_ms": "conversation.item.truncate",
    "type": "",  # of no kind that is known
}


def _name_of(request: Request) -> tuple[str, str]:
    return request.type, request.event_id


def _kind_meant(error: Event) -> str | None:
    known = _CODES.get(text_field(error, "code"))
    first = re.split(r"[.\[]", text_field(error, "param"), maxsplit=1)[0]
    return known or _PARAMS.get(first)


def about(item: Any) -> tuple[str, str, str]:
    """What tells an item from others where it has no id: type, role, words or call."""
    if not isinstance(item, dict):
        return ("", "", "")
    words = text_field(item, "call_id") or item_text(item)
    return (text_field(item, "type"), text_field(item, "role"), words)
