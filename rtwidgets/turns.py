"""Turns: one response at a time, and which of our requests brought which response.

The server makes one response at a time in the conversation and refuses a second `response.create`.
Here the second waits. A request is on one of four roads:

    waiting -> asked -> answered        a response began for it
                     -> refused         an error named it, or could mean no other
    waiting -> refused                  interrupted, or the budget is spent, before it was asked

An error names the event that caused it only where that event had an id, and not even always: what
cannot be told for sure is decided so that a turn is given up rather than blocked for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from .events import Event, frame_of, text_field
from .events import field as value_at

ACTIVE_ALREADY = "conversation_already_has_active_response"


@dataclass(eq=False)
class Request:
    """A `response.create` and what became of it.

    Attributes:
        by_hand: sent as it is by someone else; never sent again from here.
    """

    event: Event
    by_hand: bool = False
    frame: str = ""
    response_id: str = ""
    refusal: Event | None = None

    @property
    def id(self) -> str:
        return text_field(self.event, "event_id")


class Turns:
    """The queue of requests and the outbox of all client events.

    Attributes:
        gate: asked with each `response.create` before it leaves; a sentence from it refuses it.
    """

    def __init__(self) -> None:
        self.gate: Callable[[Event], str | None] = lambda _: None
        self._outbox: deque[tuple[Event, str]] = deque()
        self._waiting: deque[Request] = deque()
        self._asked: deque[Request] = deque()  # sent, no response yet; in the conversation
        self._aside: deque[Request] = deque()  # the same, out of band
        self._again: deque[Request] = deque()  # what the line's end left without an answer
        self._known: dict[str, Request] = {}
        self._latest: Request | None = None  # the one that was answered last
        self._others_since = False  # whether events were sent by hand since we asked
        self._spoken_since = False  # whether the user's turn ended since the latest was answered
        self._count = 0

    @property
    def pending(self) -> bool:
        """Whether a response in the conversation is asked for or waiting for its turn."""
        return bool(self._asked or self._waiting or self._again)

    @property
    def waiting(self) -> bool:
        """Whether anything waits for its turn: if not, there is nothing to go on with."""
        return bool(self._waiting)

    @property
    def asked(self) -> bool:
        """Whether a response was asked for that has not begun."""
        return bool(self._asked)

    @property
    def only_aside(self) -> bool:
        """Whether what was asked for and has not begun is out of band, all of it."""
        return bool(self._aside) and not self._asked

    @property
    def outstanding(self) -> int:
        """How many responses were asked for that have not begun, out of band too."""
        return len(self._asked) + len(self._aside)

    @property
    def outbox(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._outbox)

    @property
    def unsent(self) -> list[Event]:
        """What is to be sent, in order. It stays there."""
        return [event for event, _ in tuple(self._outbox)]  # whole, whatever thread asks

    def to_send(self) -> list[Event]:
        """The events to transmit now, in order."""
        return [event for event, _ in self._taken()]

    def next_frame(self) -> str:
        """The frame of the next of them, which is to be sent now; there has to be one."""
        return self._outbox.popleft()[1]

    def _taken(self) -> list[tuple[Event, str]]:
        ready = list(self._outbox)
        self._outbox.clear()
        return ready

    # ------------------------------------------------------------ asking

    def add(self, event: Event, active: bool) -> Event:
        """Take a client event to be sent; gives it as it will be sent.

        A `response.create` is given an `event_id`, and waits while another response is `active`.
        Raises Misuse for what cannot be JSON, before anything remembers it.
        """
        if event.get("type") != "response.create":
            self._outbox.append((event, frame_of(event)))
            return event
        if not text_field(event, "event_id"):
            self._count += 1
            event = {**event, "event_id": f"create_{self._count}"}
        request = Request(event, frame=frame_of(event))
        self._known[request.id] = request
        if not opens_turn(event):
            self._ask(request, self._aside)
        elif active or self.pending:
            self._waiting.append(request)
        else:
            self._ask(request, self._asked)
        return event

    def sent_by_hand(self, event: Event) -> None:
        """A client event went out that did not come from here."""
        if event.get("type") == "response.create":
            road = self._asked if opens_turn(event) else self._aside
            road.append(Request(event, by_hand=True))
        else:
            self._others_since = True

    def go_on(self, active: bool) -> None:
        """Ask for the next that waits, if nothing else is asked for or `active`."""
        while self._waiting and not self._asked and not active:
            self._ask(self._waiting.popleft(), self._asked)

    def forget_waiting(self) -> None:
        """Refuse what was not asked for yet: the user interrupted."""
        self._waiting.extendleft(reversed(self._again))
        self._again.clear()
        while self._waiting:
            self._refuse(self._waiting.popleft(), "interrupted", "Interrupted before it was asked.")

    def withdraw(self, request_id: str) -> None:
        """Refuse that request alone, if it was not asked for yet: it is not needed any more."""
        request = self._known.get(request_id)
        if request is not None and request in self._waiting:
            self._waiting.remove(request)
            self._refuse(request, "interrupted", "Interrupted before it was asked.")

    def give_up(self, request_id: str) -> None:
        """Nobody waits for that request any more, nor for what was sent before it by hand."""
        request = self._known.get(request_id)
        if request is None:
            return
        if request in self._asked:
            while self._asked[0] is not request and self._asked[0].by_hand:
                self._asked.popleft()
        for road in (self._waiting, self._asked, self._aside, self._again):
            if request in road:
                road.remove(request)

    def give_up_asked(self) -> None:
        """Nothing came of what was asked for in the conversation: it is not waited for."""
        self._asked.clear()

    def _ask(self, request: Request, road: deque[Request]) -> None:
        reason = self.gate(request.event)
        if reason is not None:
            self._refuse(request, "budget_spent", reason)
            return
        self._others_since = False
        road.append(request)
        self._outbox.append((request.event, request.frame))

    def _refuse(self, request: Request, code: str, message: str) -> None:
        request.refusal = {"type": "local", "code": code, "message": message}

    # ------------------------------------------------------------ a line that ended

    def cut(self, unheard: Collection[str]) -> None:
        """The line has ended. What was asked for and not answered is to be asked again.

        Args:
            unheard: ids of responses that had begun, of which nobody heard a word.
        """
        begun = [*self._known.values()]
        if self._latest is not None and self._latest.by_hand:
            begun.append(self._latest)
        again = [one for one in begun if one.response_id in unheard]
        again += [*self._asked, *self._aside]
        frames = {one.frame for one in again}
        self._outbox = deque(one for one in self._outbox if one[1] not in frames)
        for request in again:
            request.response_id = ""
        self._again.extend(again)
        self._asked.clear()
        self._aside.clear()
        self._latest = None
        self._others_since = False

    def forget_cut(self) -> None:
        """Nothing is asked again."""
        self._again.clear()

    def resume(self) -> int:
        """Ask again, on a new line, before anything else that is to be sent; gives how often."""
        again, self._again = list(self._again), deque()
        later, self._outbox = self._outbox, deque()
        for request in again:
            request.frame = request.frame or frame_of(request.event)
            if not opens_turn(request.event):
                self._ask(request, self._aside)
        turns = [request for request in again if opens_turn(request.event)]
        self._waiting.extendleft(reversed(turns))
        self.go_on(active=False)
        self._outbox.extend(later)
        return len(again)

    # ------------------------------------------------------------ answers

    def began(self, response_id: str, *, aside: bool) -> None:
        """A response began, or is heard of first at its end: it answers the oldest request."""
        road = self._aside if aside else self._asked
        if road:
            request = road.popleft()
            request.response_id = response_id
            if not aside:
                self._latest = request
                self._spoken_since = False

    def turn_ended(self) -> None:
        """The user's turn was committed: the server may want to answer it by itself."""
        self._spoken_since = True

    def refused(self, error: Event) -> None:
        """The server refused something: a request of ours, perhaps."""
        if text_field(error, "code") == ACTIVE_ALREADY:
            self._overtaken(text_field(error, "event_id"))
            return
        request = self._meant_by(error)
        if request is None:
            return
        request.refusal = error
        for road in (self._asked, self._aside):
            if request in road:
                road.remove(request)

    def _meant_by(self, error: Event) -> Request | None:
        cause = text_field(error, "event_id")
        outstanding = [*self._asked, *self._aside]
        if cause:
            return next((one for one in outstanding if one.id == cause), None)
        by_hand = next((one for one in outstanding if one.by_hand), None)
        if by_hand is not None:  # sent without an id: the likeliest to bring an error without one
            return by_hand
        return outstanding[0] if len(outstanding) == 1 and not self._others_since else None

    def _overtaken(self, cause: str) -> None:
        """A response nobody here asked for came first: the server detected a turn.

        Its `response.created` may have been taken for the answer to our request. That is put right,
        and the request waits for its turn again. One sent by hand is not sent again. Nothing is
        put right where the user spoke over our reply: then the server's own answer was refused,
        which it tells with no id, for it was nobody's event.
        """
        if not cause and not self._asked and self._spoken_since:
            return
        request = self._known.get(cause) if cause else None
        if request is None and not cause:
            request = self._asked[0] if self._asked else self._latest
        if request is None:
            return
        if request in self._asked:
            self._asked.remove(request)
        elif request is self._latest:
            self._latest = None
        else:
            return
        request.response_id = ""
        if not request.by_hand:
            self._waiting.appendleft(request)

    def response_to(self, request_id: str) -> str:
        """The id of the response that a request brought; empty while there is none."""
        request = self._known.get(request_id)
        return request.response_id if request else ""

    def request_of(self, response_id: str) -> str:
        """The id of the request that brought a response; empty where it was none of ours."""
        found = (one.id for one in self._known.values() if one.response_id == response_id)
        return next(found, "")

    def refusal_of(self, request_id: str) -> Event | None:
        """The error that a request brought instead of a response."""
        request = self._known.get(request_id)
        return request.refusal if request else None


def opens_turn(event: Event) -> bool:
    """Whether a client event asks for a response in the conversation, where one runs at a time."""
    return event.get("type") == "response.create" and (
        value_at(event, "response", "conversation") != "none"
    )
