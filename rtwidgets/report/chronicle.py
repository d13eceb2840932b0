"""What the rows of a log say, gathered in one pass: items, responses, turns, and causes.

A log is long and most of its rows are deltas: of these the columns are enough (who, when, how much
audio), and only what has no other record, such as the words of an item that never ended, is read
later from the deltas themselves. Whatever a server leaves out, or says in the beta's names, is made
up for by what else is known; nothing that a server says raises here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dialects import usage_of
from ..events import ENDS_OF_A_LINE, Event, count_field, error_of, ga_name, text_field
from ..events import field as value_at
from ..items import ENDED, IN_PROGRESS
from ..log.rows import Row
from ..pricing import names_of
from .facts import ItemFacts, ResponseFacts, unnamed
from .linking import APPEND, COMMIT, CREATE_ITEM, CREATE_RESPONSE, Request, about
from .sessions import Sessions

# Items that are work of which a further response makes use.
_WORK = ("function_call_output", "mcp_call", "mcp_approval_request", "mcp_approval_response")


class Chronicle(Sessions):
    """Everything the rows so far say. Feed every row to `take`, in order.

    Args:
        model: what was asked for; the server may name another.

    Attributes:
        requests: the `response.create` events, in order.
        length: how many rows were taken. last_seq: the number of the last.
    """

    def __init__(self, model: str = "") -> None:
        super().__init__(model)
        self.requests: list[Request] = []
        self.length = 0
        self.last_seq = -1
        self._last_done: ResponseFacts | None = None
        self._follows: dict[int, ResponseFacts] = {}  # rows that belong to a response unnamed

    def take(self, row: Row) -> None:
        """Take the next row."""
        direction, type_ = row.direction, row.type
        handlers = _HANDLERS[direction]
        handler = handlers.get(type_) or handlers.get(ga_name(type_))
        if handler is not None:
            handler(self, row)
        elif direction == "client":
            self._other_sent(row)
        elif direction == "server":
            self._other_received(row)
        self.length += 1
        self.last_seq = row.seq

    # ------------------------------------------------------------ asking

    def cause_of(self, row: Row) -> int | None:
        """The client row that made the server send this one, None where nothing tells."""
        if row.direction != "server":
            return None
        direct = self.links.direct.get(row.seq)
        if direct is not None:
            return direct
        response = self._follows.get(row.seq) or self.responses.get(row.response_id)
        item = self.items.get(row.item_id) if row.item_id else None
        if response is None and item is not None:
            response = self.responses.get(item.response_id)
        if response is not None:
            return response.cause
        return item.cause if item is not None else None

    # ------------------------------------------------------------ sent by the client

    def _other_sent(self, row: Row) -> None:
        request = self.sent(row)
        if request is None:
            return
        if request.type == CREATE_RESPONSE:
            self.requests.append(request)
        if request.first is not None:
            self._sent_again(row, request)
        elif request.type == CREATE_RESPONSE:
            if request.aside:
                self.marks.model_speaks(row, "opening")
            else:
                self.marks.asked(row)
        elif request.type == COMMIT:
            self.marks.user_speaks(row, "spoken")
        elif request.type == CREATE_ITEM:
            self._item_sent(row, request)

    def _sent_again(self, row: Row, request: Request) -> None:
        if request.type == CREATE_RESPONSE and not request.aside:
            self.marks.asked_again()
        item = self.items.get(unnamed(request.origin)) or self.items.get(request.item_id)
        if item is not None and request.type == CREATE_ITEM:
            item.cause, item.request = row.seq, request

    def _item_sent(self, row: Row, request: Request) -> None:
        kind, role, _ = request.about
        # What is put in front of all afterwards is of the opening, not of the turn that runs now.
        behind = bool(self.marks.starts) and value_at(row.event, "previous_item_id") == "root"
        if kind == "message" and role == "user":
            self.marks.user_speaks(row, "typed")
        elif kind == "message" and role == "assistant" and not behind:
            self.marks.model_speaks(row, "opening")
        elif kind in _WORK and not self.marks.starts:
            self.marks.begin(row, "tool")
        # Its id is the server's to give, where we gave none: kept by its place until then.
        item = self.item(request.item_id or unnamed(row.seq), row)
        item.cause, item.request = row.seq, request
        item.origin = self.marks.starts[0].seq if behind and role == "assistant" else row.seq
        item.status = item.status or "sent"
        self.learn(item, value_at(row.event, "item"))

    # ------------------------------------------------------------ items

    def learn(self, item: ItemFacts, given: Any) -> None:
        before = item.type
        super().learn(item, given)
        if item.type != before and item.type in _WORK:
            self.marks.goes_on = True

    def _item_added(self, row: Row) -> None:
        given = value_at(row.event, "item")
        id_ = text_field(given, "id")
        known = self.items.get(id_)
        told = bool(id_) and self.acknowledged(row, id_)
        # Speech of which the old session had made no item is news all the same.
        if not id_ or (told and not (known is not None and known.spoken and not known.added)):
            return
        if not told and (known is None or not (known.added or known.response_id or known.spoken)):
            self._match(row, given, known)
        item = self.item(id_, row)
        item.added = True
        self.learn(item, given)

    def _match(self, row: Row, given: Any, known: ItemFacts | None) -> None:
        """Find who made an item that no response was seen to make."""
        request = self.links.item_added(given, bool(self._active))
        if request is None:
            if known is None and about(given)[:2] == ("message", "user"):
                self.marks.user_speaks(row, "typed")
            return
        self.links.direct[row.seq] = request.seq
        sent = self.items.pop(unnamed(request.origin), None)
        if sent is not None:
            sent.id, sent.status = text_field(given, "id"), ""
            self.items[sent.id] = sent

    def _item_changed(self, row: Row) -> None:
        """`…retrieved`, `…deleted` or `…truncated`: the answer to the request of that name."""
        self.links.answered(row.type.removesuffix("d"), row.seq, row.item_id)
        if not row.item_id:
            return
        item = self.item(row.item_id, row)
        if row.type.endswith("deleted"):
            item.deleted = True
        elif row.type.endswith("truncated"):
            item.truncated_ms = count_field(row.event, "audio_end_ms")
        else:
            self.learn(item, value_at(row.event, "item"))

    def _tools_listed(self, row: Row) -> None:
        if row.item_id:
            item = self.item(row.item_id, row)
            item.type, item.cause = "mcp_list_tools", self._session_update

    # ------------------------------------------------------------ responses

    def _response(self, row: Row) -> ResponseFacts:
        response = self.responses.get(row.response_id)
        if response is None:
            began = row.type == "response.created"
            response = ResponseFacts(row.response_id, row.seq, row.t, stray=not began)
            response.models = names_of(self._session_model, self._model)
            self.responses[response.id] = response
            if not began and not self.marks.starts:
                self.marks.begin(row, "unknown")
        return response

    def _created(self, row: Row) -> None:
        if not row.response_id:
            return
        response, given = self._response(row), value_at(row.event, "response")
        if response.created_t is not None:
            return
        response.created_t = row.t
        self._active.add(response.id)
        self.refresh(response, given)
        response.status = response.status or IN_PROGRESS
        self._attribute(row, response, given)

    def _attribute(self, row: Row, response: ResponseFacts, given: Any) -> None:
        """Say what a response answers: a request, or speech, or what is not in these rows."""
        response.request = self.links.response_began(given, response.seq)
        if response.request is not None:
            response.asked_t = response.request.t
        elif not response.aside:
            self._made_for_speech(response)
        if not response.stray:
            self._counts_as_answer(row, response)
        if not response.aside:
            self.unanswered = None
            self.awaited(response)

    def _counts_as_answer(self, row: Row, response: ResponseFacts) -> None:
        by = "opening" if self._session_seen else "unknown"
        if response.request is None and response.answers is None and not response.aside:
            self.marks.asked(row, by)  # by somebody whose rows are not here
        elif response.request is None:
            self.marks.model_speaks(row, by)
        self.marks.responded |= not response.aside

    def _made_for_speech(self, response: ResponseFacts) -> None:
        response.answers = item = self.unanswered
        if item is not None:
            response.asked_t, response.fallback_cause = item.asked_t, item.cause
        else:
            response.fallback_cause = self.links.last_append

    def _done(self, row: Row) -> None:
        if not row.response_id:
            return
        response, given = self._response(row), value_at(row.event, "response")
        self._last_done = response
        if response.done_t is not None:
            return
        self.refresh(response, given)
        if response.stray:  # around interruptions the end may come without a beginning
            self._attribute(row, response, given)
        response.done_t, response.usage = row.t, usage_of(row.event or {})
        response.status = response.status if response.status in ENDED else "completed"
        output = value_at(given, "output")
        for one in output if isinstance(output, list) else ():
            self._made_by(response, row, one)
        self._active.discard(response.id)
        self.links.response_ended()

    def _made_by(self, response: ResponseFacts, row: Row, given: Any) -> None:
        id_ = text_field(given, "id")
        if id_:
            item = self.item(id_, row)
            self.belongs(response, item)
            self.learn(item, given)

    def _output_item(self, row: Row) -> None:
        if row.response_id:
            self._made_by(self._response(row), row, value_at(row.event, "item"))

    def _piece(self, row: Row) -> tuple[ResponseFacts | None, ItemFacts | None]:
        """The response and the item that a part or a delta is of, as far as it says."""
        response = self._response(row) if row.response_id else None
        item = self.item(row.item_id, row) if row.item_id else None
        if response is not None and item is not None:
            self.belongs(response, item)
        return response, item

    def _text_delta(self, row: Row) -> None:
        response, item = self._piece(row)
        if response is not None and response.first_text_t is None:
            response.first_text_t = row.t
        if item is not None:
            item.unread.append(row.seq)
            item.written |= ga_name(row.type) == "response.output_text.delta"

    def _text_done(self, row: Row) -> None:
        response = self._part(row)
        if response is not None and response.first_text_t is None:
            response.first_text_t = row.t

    def _part(self, row: Row) -> ResponseFacts | None:
        response, item = self._piece(row)
        if item is not None:
            said = value_at(row.event, "part") or row.event
            words = text_field(said, "text") or text_field(said, "transcript")
            item.written |= bool(text_field(said, "text"))
            self.say(item, value_at(row.event, "content_index"), words)
        return response

    def _audio_delta(self, row: Row) -> None:
        response, item = self._piece(row)
        ms = row.audio_bytes / self.rates[1]
        if response is not None:
            response.audio_ms += ms
            if response.first_audio_t is None:
                response.first_audio_t = row.t
        if item is not None:
            item.audio_ms += ms

    def _arguments_delta(self, row: Row) -> None:
        _, item = self._piece(row)
        if item is not None:
            item.type = item.type or "function_call"
            item.unread.append(row.seq)

    def _arguments_done(self, row: Row) -> None:
        _, item = self._piece(row)
        if item is not None:
            item.type = item.type or "function_call"
            item.name = text_field(row.event, "name") or item.name
            item.other_words = text_field(row.event, "arguments") or item.other_words
            item.unread = []

    # ------------------------------------------------------------ the rest

    def _buffer_cleared(self, row: Row) -> None:
        self.links.answered("output_audio_buffer.clear", row.seq)

    def _limits(self, row: Row) -> None:
        if self._last_done is not None:  # "directly after response.done", which it does not name
            self._follows[row.seq] = self._last_done

    def _other_received(self, row: Row) -> None:
        if row.type == "error" or row.type.endswith("_error"):
            error = error_of(row.event or {})
            if error is not None:
                self._refused(row, error)
        elif row.response_id:
            self._piece(row)

    def _refused(self, row: Row, error: Event) -> None:
        log = row.log
        request = self.links.refused(
            error, row.seq, lambda seq: text_field(log[seq].event, "event_id")
        )
        if request is None:
            return
        taken = self.responses.get(request.response_id)
        if taken is not None and taken.request is request:  # it was not the answer after all
            taken.request, request.response_id = None, ""
            self._made_for_speech(taken)
        item = self.items.get(unnamed(request.origin)) or self.items.get(request.item_id)
        if item is not None and item.request is request:
            item.status = "refused"

    def _playback(self, row: Row) -> None:
        if row.item_id:
            item = self.item(row.item_id, row)
            item.last_heard = row.seq
            item.flushed |= row.type == "playback.flushed"


_Handler = Callable[[Chronicle, Row], object]

_SERVER: dict[str, _Handler] = {
    "session.created": Chronicle.session,
    "session.updated": Chronicle.session,
    "input_audio_buffer.speech_started": Chronicle.speech_started,
    "input_audio_buffer.speech_stopped": Chronicle.speech_stopped,
    "input_audio_buffer.timeout_triggered": Chronicle.timed_out,
    "input_audio_buffer.committed": Chronicle.committed,
    "input_audio_buffer.cleared": Chronicle.cleared,
    "output_audio_buffer.cleared": Chronicle._buffer_cleared,
    "conversation.item.added": Chronicle._item_added,
    "conversation.item.created": Chronicle._item_added,
    "conversation.item.done": Chronicle._item_added,
    "conversation.item.retrieved": Chronicle._item_changed,
    "conversation.item.deleted": Chronicle._item_changed,
    "conversation.item.truncated": Chronicle._item_changed,
    "conversation.item.input_audio_transcription.delta": Chronicle.heard_delta,
    "conversation.item.input_audio_transcription.completed": Chronicle.heard_done,
    "conversation.item.input_audio_transcription.updated": Chronicle.heard_done,
    "mcp_list_tools.in_progress": Chronicle._tools_listed,
    "mcp_list_tools.completed": Chronicle._tools_listed,
    "mcp_list_tools.failed": Chronicle._tools_listed,
    "response.created": Chronicle._created,
    "response.done": Chronicle._done,
    "response.output_item.added": Chronicle._output_item,
    "response.output_item.done": Chronicle._output_item,
    "response.content_part.added": Chronicle._part,
    "response.content_part.done": Chronicle._part,
    "response.output_text.delta": Chronicle._text_delta,
    "response.output_text.done": Chronicle._text_done,
    "response.output_audio_transcript.delta": Chronicle._text_delta,
    "response.output_audio_transcript.done": Chronicle._text_done,
    "response.output_audio.delta": Chronicle._audio_delta,
    "response.function_call_arguments.delta": Chronicle._arguments_delta,
    "response.function_call_arguments.done": Chronicle._arguments_done,
    "response.mcp_call_arguments.delta": Chronicle._arguments_delta,
    "response.mcp_call_arguments.done": Chronicle._arguments_done,
    "rate_limits.updated": Chronicle._limits,
}
_LOCAL: dict[str, _Handler] = {
    "playback.heard": Chronicle._playback,
    "playback.flushed": Chronicle._playback,
    **dict.fromkeys(ENDS_OF_A_LINE, Chronicle.cut),
}
_CLIENT: dict[str, _Handler] = {APPEND: Chronicle.append}
_HANDLERS = {"server": _SERVER, "client": _CLIENT, "local": _LOCAL}
