"""What a session refuses now, though its shape is right: the voice that is fixed, the response that
is active, the item that is not there. In the simulator's words, which are the server's."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..conversation import Conversation
from ..errors import Misuse
from ..events import ENDS_OF_A_LINE, Event, field, merged, text_field
from ..items import Item, Response

if TYPE_CHECKING:
    from ..simulator.refusals import Refusal

_DEFAULT_MODEL = "gpt-realtime-2.1"


@dataclass(frozen=True)
class State:
    """What is known of a session.

    Attributes:
        session: its effective settings.
        conversation: what was said in it; None where only the settings are known.
        log: its events; None where they are not known.
    """

    session: Event
    conversation: Conversation | None = None
    log: Any = None

    @property
    def active(self) -> Response | None:
        return self.conversation.active_response if self.conversation is not None else None

    @property
    def has_sounded(self) -> bool:
        """Whether the assistant was heard in the conversation, which fixes its voice."""
        responses = self.conversation.responses if self.conversation is not None else {}
        sounded = [
            one.id for one in list(responses.values()) if one.audio_ms and one.conversation_id
        ]
        if self.log is None or not sounded:
            return bool(sounded)
        # A session that goes on with a conversation was told its words, and has not been heard.
        since = self.log[self._began :]
        return any(len(since.where(response_id=one)) for one in sounded)

    @property
    def _began(self) -> int:
        """The row from which on this session's own rows stand, after the end of another's line."""
        ends = self.log.where(type=ENDS_OF_A_LINE, direction="local")[-1:]
        return ends[0].seq + 1 if len(ends) else 0

    def item(self, item_id: str) -> Item | None:
        items = self.conversation.items if self.conversation is not None else []
        return next((item for item in list(items) if item.id == item_id), None)

    @property
    def waiting_ms(self) -> float | None:
        """Milliseconds of audio that were appended and not committed; None where unknown."""
        if self.log is None:
            return None
        ends = ("input_audio_buffer.committed", "input_audio_buffer.cleared")
        last = self.log.where(type=ends, direction="server")[-1:]
        since = self.log[max(self._began, last[0].seq + 1 if len(last) else 0) :]
        sound = since.where(type="input_audio_buffer.append", direction="client")
        return float(sum(row.audio_bytes for row in sound)) / 48

    def full(self) -> Event:
        """The settings with what the server fills in, as far as they do not say."""
        from ..simulator import models

        intent = text_field(self.session, "type") or "realtime"
        model = text_field(self.session, "model") or _DEFAULT_MODEL
        base = models.new_session(intent, model, lambda prefix, length: prefix, 0)
        known = {
            key: value
            for key, value in self.session.items()
            if base.get(key) is None or isinstance(value, type(base[key]))
        }
        return merged(base, known)


def state_of(session: object) -> State | None:
    """What is known of a session, of a conversation, or from mere settings.

    Raises Misuse for anything else.
    """
    if session is None:
        return None
    if isinstance(session, Conversation):
        return State(session.session, session)
    conversation = getattr(session, "conversation", None)
    if isinstance(conversation, Conversation):
        return State(conversation.session, conversation, getattr(session, "log", None))
    if isinstance(session, Mapping):
        inner = session.get("session")  # a session.updated, as it stands in the log
        return State(dict(inner if isinstance(inner, Mapping) else session))
    raise Misuse(
        "session= takes a Session, its conversation, or the settings of one as a dict, "
        f"not {type(session).__name__}."
    )


def refused_now(event: Event, state: State) -> Refusal | None:
    """What this session answers to an event whose shape is right; None where it takes it."""
    from ..simulator.refusals import Refusal

    judge = _JUDGES.get(event["type"])
    try:
        if judge is not None:
            judge(event, state)
    except Refusal as refusal:
        return refusal
    except (KeyError, TypeError, AttributeError):  # settings that no server sends: nothing is known
        return None
    return None


def corrected_now(event: Event, refusal: Refusal, state: State) -> tuple[Event, str] | None:
    """The event that the session takes, and what was changed; None where there is none."""
    fixed = copy.deepcopy(event)
    if refusal.code == "cannot_update_voice":
        owner = "session" if "session" in fixed else "response"
        return _without(fixed, f"{owner}.audio.output.voice", "the voice is fixed by now")
    if refusal.code == "item_create_duplicate_item_id":
        return _without(fixed, "item.id", "it is taken; the server makes one of its own")
    if refusal.code == "item_create_invalid_previous_item_id":
        return _without(fixed, "previous_item_id", "there is no such item; it goes to the end")
    if refusal.param == "audio_end_ms":
        item = state.item(fixed["item_id"])
        fixed["audio_end_ms"] = _length(item) if item is not None else 0
        return fixed, f"audio_end_ms: {fixed['audio_end_ms']}, the length of what was said."
    if refusal.code in ("unsupported_parameter", "cannot_update_model") and refusal.param:
        return _without(fixed, refusal.param, "this session's model does not take it")
    return None


def _without(event: Event, path: str, because: str) -> tuple[Event, str] | None:
    *way, last = path.split(".")
    owner = field(event, *way) if way else event
    if not isinstance(owner, dict) or last not in owner:
        return None
    del owner[last]
    while way and field(event, *way) == {}:  # objects that held nothing else
        above = field(event, *way[:-1]) if way[:-1] else event
        del above[way.pop()]
    return event, f"{path} is left out: {because}."


# ---------------------------------------------------------------- one judge an event


def _update(event: Event, state: State) -> None:
    from ..simulator import refusals, sessions

    session, changes = state.full(), event["session"]
    if state.has_sounded and sessions.changes_voice(session, changes):
        raise refusals.voice_is_fixed()
    if state.active is not None and sessions.changes_speed(session, changes):
        raise refusals.speed_is_in_use()
    sessions.merged(session, changes)


def _create_response(event: Event, state: State) -> None:
    from ..simulator import refusals, sessions
    from ..simulator.planning import plan_for

    wanted, session = sessions.given(event.get("response") or {}), state.full()
    if session["type"] != "realtime":
        raise refusals.not_in_a_transcription_session("response.create")
    aside = wanted.get("conversation") == "none"
    if state.active is not None and not aside:
        raise refusals.active_response(state.active.id)
    for place, item in enumerate(wanted.get("input") or ()):
        gone = item["type"] == "item_reference" and state.item(item["id"]) is None
        if gone and state.conversation is not None:
            raise refusals.no_referenced_item(item["id"], f"response.input[{place}].id")
    plan_for(  # which refuses what this session or its model does not allow
        session,
        wanted,
        (),
        conversation_id=None if aside else "conv",
        voice_is_fixed=state.has_sounded and not aside,
        replies_before=0,
    )


def _cancel(event: Event, state: State) -> None:
    from ..simulator import refusals

    if state.conversation is None:
        return
    named = state.conversation.responses.get(event.get("response_id") or "")
    asked = named if event.get("response_id") else state.active
    if asked is None or not asked.active:
        raise refusals.nothing_to_cancel()


def _create_item(event: Event, state: State) -> None:
    from ..simulator import refusals

    if state.conversation is None:
        return
    item, previous = event["item"], event.get("previous_item_id")
    calls = {one.call_id for one in list(state.conversation.items) if one.type == "function_call"}
    if item["type"] == "function_call_output" and item["call_id"] not in calls:
        raise refusals.no_such_call(item["call_id"])
    if state.item(item.get("id") or "") is not None:
        raise refusals.duplicate_item(item["id"])
    if previous not in (None, "root") and state.item(previous) is None:
        raise refusals.no_previous_item(previous)


def _touch(event: Event, state: State) -> None:
    from ..simulator import refusals

    if state.conversation is not None and state.item(event["item_id"]) is None:
        raise refusals.no_such_item(event["type"].rpartition(".")[2], event["item_id"])


def _truncate(event: Event, state: State) -> None:
    from ..simulator import refusals

    if state.conversation is None:
        return
    item = state.item(event["item_id"])
    if item is None:
        raise refusals.no_item_to_truncate(event["item_id"])
    if item.role != "assistant" or not item.audio_ms:
        raise refusals.not_truncatable()
    if event["audio_end_ms"] > _length(item):
        raise refusals.already_shorter(_length(item), event["audio_end_ms"])


def _commit(event: Event, state: State) -> None:
    from ..simulator import refusals

    waiting = state.waiting_ms
    if waiting is not None and waiting < 100:
        raise refusals.buffer_too_small(waiting)


def _length(item: Item) -> int:
    return item.audio_ms if item.truncated_ms is None else item.truncated_ms


_JUDGES: dict[str, Callable[[Event, State], None]] = {
    "session.update": _update,
    "response.create": _create_response,
    "response.cancel": _cancel,
    "conversation.item.create": _create_item,
    "conversation.item.delete": _touch,
    "conversation.item.retrieve": _touch,
    "conversation.item.truncate": _truncate,
    "input_audio_buffer.commit": _commit,
}
