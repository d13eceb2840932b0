"""What items and responses are made of: found by the id that an event names, made where it is new,
and brought up to date.

State is keyed by id, never by "the current one": deltas of several items interleave, and a server
may answer out of order.
"""

from __future__ import annotations

from typing import Any

from ..events import Event, beta_names, ga_name, response_id_of, text_field
from ..events import field as value_at
from ..items import Item, Items, Part, Response, pcm_size

UNTOLD = "unknown"  # the conversation of a response of which the server does not say it

UNEXPLAINED = "The server does not say why."

# A content index is a small number; a broken one must not make a list of a billion parts.
_MOST_PARTS = 1000


class Contents:
    """Items and responses, and what is said in them.

    Attributes:
        items: every item by id, and their order in the conversation.
        responses: every response by id, those outside the conversation too.
        live: those of them that may be active: few, in a long session.
    """

    def __init__(self) -> None:
        self.items = Items()
        self.responses: dict[str, Response] = {}
        self.live: dict[str, Response] = {}

    @property
    def active_response(self) -> Response | None:
        """The response that the conversation is waiting for, None when it is quiet."""
        live = (one for one in self.live.values() if one.active and one.conversation_id)
        return next(live, None)

    # ------------------------------------------------------------ looking up by id

    def response(self, event: Event) -> Response | None:
        """The response an event is about, made or brought up to date from what it carries."""
        id_ = response_id_of(event)
        if not id_:
            return None
        response = self.responses.get(id_)
        if response is None:
            response = self.responses[id_] = Response(id_, conversation_id=UNTOLD)
        given = event.get("response")
        if isinstance(given, dict):
            response.refresh(given)
            if response.active:
                self.live[id_] = response
        return response

    def learn(self, given: Any) -> Item | None:
        """The item in an event, made or brought up to date."""
        id_ = text_field(given, "id")
        if not id_:
            return None
        item = self.items.named(id_)
        for name in ("type", "role", "status", "name", "call_id", "arguments", "output"):
            setattr(item, name, text_field(given, name) or getattr(item, name))
        if item.type == "mcp_list_tools":
            _learn_tools(item, given)
        parts = value_at(given, "content")
        for index, raw in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(raw, dict):
                _at(item.content, index).fill(raw)
        return item

    def _item_of(self, event: Event) -> Item | None:
        """The item that a delta names; a delta may arrive before its item does."""
        id_ = event.get("item_id")
        if id_.__class__ is not str or not id_:
            return None
        item = self.items.named(id_)
        if event.get("response_id", "") == item.response_id and "response" not in event:
            return item  # nearly always: what follows would change nothing
        if response_id_of(event):
            response = self.response(event)
            if response is not None:
                self.belongs(response, item)
        return item

    def _part(self, event: Event) -> Part | None:
        item, index = self._item_of(event), event.get("content_index") or 0
        if item is None or not isinstance(index, int) or not 0 <= index < _MOST_PARTS:
            return None
        if not item.type and item.response_id:  # a server that tells of no items, only of words
            item.type, item.role = "message", "assistant"
        return item.content[index] if index < len(item.content) else _at(item.content, index)

    def _call_of(self, event: Event) -> Item | None:
        item = self._item_of(event)
        if item is not None:
            item.type = item.type or "function_call"
            item.call_id = item.call_id or text_field(event, "call_id")
        return item

    def belongs(self, response: Response, item: Item | None) -> None:
        """A response makes that item.

        Some servers never say that an item of the model's was added: it is there from its first
        mention on. Where the server does say, it stands where that says.
        """
        if item is None or (item.response_id == response.id and item in response.items):
            return
        item.response_id = response.id
        same = [at for at, one in enumerate(response.items) if one.id == item.id]
        if same:  # deleted, and there again by the same name
            response.items[same[0]] = item
        else:
            response.items.append(item)
        if response.active and response.conversation_id:
            self.items.place_for_now(item)

    # ------------------------------------------------------------ what an event adds

    def _item_learned(self, event: Event) -> None:
        self.learn(value_at(event, "item"))

    def _output_item(self, event: Event) -> None:
        response = self.response(event)
        if response is not None:
            self.belongs(response, self.learn(value_at(event, "item")))

    def _part_added(self, event: Event) -> None:
        part, given = self._part(event), value_at(event, "part")
        if part is not None and isinstance(given, dict):
            part.fill(given)

    def _text_delta(self, event: Event) -> None:
        part = self._part(event)
        if part is not None:
            part.text += _delta(event)

    def _text_done(self, event: Event) -> None:
        part = self._part(event)
        if part is not None:
            part.text = text_field(event, "text") or part.text

    def _transcript_delta(self, event: Event) -> None:
        part = self._part(event)
        if part is not None:
            part.transcript += _delta(event)

    def _transcript_done(self, event: Event) -> None:
        part = self._part(event)
        if part is not None:
            part.transcript = text_field(event, "transcript") or part.transcript
            part.transcribed = True

    def _transcript_failed(self, event: Event) -> None:
        part = self._part(event)
        if part is not None:
            part.failure = text_field(event, "error", "message") or UNEXPLAINED

    def _audio_delta(self, event: Event) -> None:
        part = self._part(event)
        if part is not None:
            part.audio_bytes += pcm_size(_delta(event))

    def _arguments_delta(self, event: Event) -> None:
        item = self._call_of(event)
        if item is not None:
            item.arguments += _delta(event)

    def _arguments_done(self, event: Event) -> None:
        item = self._call_of(event)
        if item is not None:
            item.arguments = text_field(event, "arguments") or item.arguments
            item.name = text_field(event, "name") or item.name


FILLS = {
    "conversation.item.retrieved": Contents._item_learned,
    "conversation.item.input_audio_transcription.delta": Contents._transcript_delta,
    "conversation.item.input_audio_transcription.completed": Contents._transcript_done,
    "conversation.item.input_audio_transcription.updated": Contents._transcript_done,  # xAI's
    "conversation.item.input_audio_transcription.failed": Contents._transcript_failed,
    "response.output_item.added": Contents._output_item,
    "response.output_item.done": Contents._output_item,
    "response.content_part.added": Contents._part_added,
    "response.content_part.done": Contents._part_added,
    "response.output_text.delta": Contents._text_delta,
    "response.output_text.done": Contents._text_done,
    "response.output_audio_transcript.delta": Contents._transcript_delta,
    "response.output_audio_transcript.done": Contents._transcript_done,
    "response.output_audio.delta": Contents._audio_delta,
    "response.function_call_arguments.delta": Contents._arguments_delta,
    "response.function_call_arguments.done": Contents._arguments_done,
}
"""What each type of event does that only adds to an item or a response."""

FILLS |= {beta: FILLS[name] for beta in beta_names(FILLS) if (name := ga_name(beta)) in FILLS}


def _delta(event: Event) -> str:
    delta = event.get("delta")
    return delta if isinstance(delta, str) else ""


def _at(parts: list[Part], index: int) -> Part:
    while len(parts) <= index:
        parts.append(Part())
    return parts[index]


def _learn_tools(item: Item, given: Event) -> None:
    """What an MCP server offers, by name: it is not in the fields of other items."""
    item.name = text_field(given, "server_label") or item.name
    tools = value_at(given, "tools")
    known = tools if isinstance(tools, list) else []
    names = [text_field(one, "name") for one in known]
    item.output = ", ".join(filter(None, names)) or item.output
