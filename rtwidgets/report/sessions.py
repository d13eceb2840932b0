"""The sessions that a log runs through: what each says of itself, what the end of its line does.

A conversation outlives its line. Another session goes on with it, is told what was before
(`events.is_carried`), and is sent again what the old one had not confirmed. Nothing of that is said
anew: what is carried over changes no item and no turn, and what is sent again, word by word the
same event, is of the turn in which it was sent first.
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import audio
from ..events import Event, count_field, is_carried, text_field
from ..events import field as value_at
from ..items import IN_PROGRESS, LINE_LOST
from ..log.rows import Row
from .facts import ItemFacts, ResponseFacts
from .linking import CREATE_ITEM, CREATE_RESPONSE, Request
from .userspeech import UserSpeech


class Sessions(UserSpeech):
    """The part of a chronicle that is about sessions, and what one has to be told by another.

    Args:
        model: what was asked for; the server may name another.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._session_model = ""
        self._session_seen = False
        self._session_update: int | None = None  # the one that was confirmed last
        self._active: set[str] = set()  # responses
        self._carried: dict[str, Request] = {}  # what this session is told, by the item's id
        self._awaited: tuple[int, float] | None = None  # an answer: its turn, and since when

    def session(self, row: Row) -> None:
        session = value_at(row.event, "session")
        self._session_seen = True
        self._session_model = text_field(session, "model") or self._session_model
        for at, side in enumerate(("input", "output")):
            stated = text_field(session, "audio", side, "format", "type")
            stated = stated or text_field(session, f"{side}_audio_format")
            if stated:
                short = stated.endswith(("pcmu", "pcma", "ulaw", "alaw"))
                self.rates[at] = audio.G711_BYTES_PER_MS if short else audio.BYTES_PER_MS
        if row.type == "session.updated":
            request = self.links.answered("session.update", row.seq)
            self._session_update = request.seq if request is not None else self._session_update

    # ------------------------------------------------------------ the end of a line

    def cut(self, row: Row) -> None:
        """The line has ended, and with it what the server knew and was about to say."""
        active = [self.responses[id_] for id_ in self._active]
        self._active.clear()
        for response in active:
            response.status, response.reason = "incomplete", LINE_LOST
            response.unheard = not any(one.audio_ms or one.written for one in response.items)
        unheard = [one for one in active if one.unheard]
        if any(not one.aside for one in unheard):
            self.marks.goes_on = True  # another is asked for in this turn
        for item in self.items.values():
            if item.status == IN_PROGRESS or _is_unfinished(item):
                item.status = "incomplete"
        requests = [one.request for one in unheard if one.request is not None]
        lost = self.links.cut(requests)
        self._edit(lost, row)
        self._await(unheard, lost)
        self._carried.clear()
        self._appended_ms = 0.0  # what is in the buffer is sent again

    def _edit(self, lost: Iterable[Request], row: Row) -> None:
        """What was asked of an item and not confirmed: the next session is told the item so."""
        for request in lost:
            item = self.items.get(request.item_id)
            if item is None:
                continue
            if request.type == "conversation.item.truncate" and item.truncated_ms is None:
                item.truncated_ms = count_field(row.log[request.seq].event, "audio_end_ms")
            item.deleted |= request.type == "conversation.item.delete"

    def _await(self, unheard: Iterable[ResponseFacts], lost: Iterable[Request]) -> None:
        """Remember since when an answer is waited for: its wait goes on over the line's end."""
        since = [one.since for one in lost if _wants_an_answer(one)]
        since += [one.asked_t for one in unheard if one.asked_t is not None and not one.aside]
        if self.unanswered is not None and self.unanswered.asked_t is not None:
            since.append(self.unanswered.asked_t)
        turn = len(self.marks.starts) - 1
        before = self._awaited[1:] if self._awaited and self._awaited[0] == turn else ()
        if since or before:
            self._awaited = turn, min([*since, *before])

    def awaited(self, response: ResponseFacts) -> None:
        """A response of the conversation began: it may be the one that was waited for."""
        if self._awaited is not None:
            turn, since = self._awaited
            if self.marks.turn_at(response.origin) == turn:
                response.awaited_t = since
            self._awaited = None

    # ------------------------------------------------------------ what goes over the next

    def sent(self, row: Row) -> Request | None:
        """A client event went out; None for one that tells a session only what was before."""
        log = row.log

        def event_at(seq: int) -> Event | None:
            return log[seq].event

        request = self.links.sent(row.seq, row.t, row.event, event_at)
        if not is_carried(row.event):
            return request
        if request.type == CREATE_ITEM:
            self._carried[request.item_id] = request
        return None

    def acknowledged(self, row: Row, item_id: str) -> bool:
        """Whether a row says only that a session has been told of an item."""
        request = self._carried.get(item_id)
        if request is not None:
            self.links.close(request, row.seq)
        return request is not None


def _is_unfinished(item: ItemFacts) -> bool:
    """Whether it is of a response that goes on, or speech that was not committed."""
    if item.spoken:
        return not (item.status or item.added or item.audio_ms)
    return not item.status and bool(item.response_id)


def _wants_an_answer(request: Request) -> bool:
    if request.type == CREATE_RESPONSE:
        return not request.aside
    return request.type == CREATE_ITEM and request.about[1] == "user"
