"""The wire: builders for the client's events, names of the server's, and how to read any.

Source for every shape here: the GA protocol as of November 2026 (the `openai` package's types and
recorded sessions). Builders return plain dicts: what is logged is what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import Misuse

Event = dict[str, Any]

CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.delete",
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
    "transcription_session.update",  # the beta's
)

# What happens on this side of the line is logged as rows of direction `local`. Every one has a
# `type`; a log of another version may have more of them, and more fields.
#
#   type                  further fields       what happened
#   playback.started      item_id              a person began to hear an item
#   playback.heard        item_id, ms, done    so much of it was heard, in ms from its start; `done`
#                                              when that is all there will be
#   playback.flushed      item_id, ms          the rest was thrown away, `ms` of it had been heard
#   playback.skipped      ms                   so much came before a page was there to play it
#   microphone.dropped    ms, message          so much was said that the server did not take
#   microphone.started    -                    from here on sound is sent
#   microphone.stopped    -                    and from here on none
#   tool.called           call_id, name,       a function of the user's is called; arguments as an
#                         arguments            object, or as the text that was none
#   tool.answered         call_id, ms, ok      it was answered after so long; `ok`: with a result
#   line.stalled          message              the server takes nothing of what is to be sent
#   line.resumed          ms                   and takes again, after so long
#   line.lost             code, reason,        the connection ended; a WebSocket's close code (null
#                         message, again       without one), the server's reason, a person's words;
#                                              `again`: another is being tried
#   line.moving           message              the session is about to reach its longest duration,
#                                              and the conversation moves to a new one
#   line.trying           attempt, seconds,    a new connection is tried after so long; why the
#                         message              attempt before failed
#   line.restored         attempts, seconds,   a new session goes on with the conversation: items
#                         carried, left_out,   told to it, ids of those that could not be, how much
#                         sent_again, message  of what was sent before was sent again
#   response.overdue      response_id,         nothing comes of a response any more, not even its
#                         message              end; what waited behind it is asked for
#   log.in_memory         message              the log's sound stays in memory: no room on the disk
#   opening.ended         ms, by               the opening's sound is over, said once: by `page`
#                                              where a person heard `ms` of it, by `clock` where
#                                              nobody plays, by `silence` where there was none
#   opening.failed        message              an opening's own code raised
#   budget.reached        message, budget,     no further reply is asked for: dollars allowed and
#                         spent                spent (null where that cannot be told)
LOCAL_EVENTS = (
    "playback.started",
    "playback.heard",
    "playback.flushed",
    "playback.skipped",
    "microphone.started",
    "microphone.stopped",
    "microphone.dropped",
    "tool.called",
    "tool.answered",
    "line.stalled",
    "line.resumed",
    "line.lost",
    "line.moving",
    "line.trying",
    "line.restored",
    "response.overdue",
    "log.in_memory",
    "opening.ended",
    "opening.failed",
    "budget.reached",
)

ENDS_OF_A_LINE = ("line.lost", "line.moving")
"""After these rows nothing comes from that session any more; another may go on with the
conversation."""

# The beta's names, dead on the wire since 2026-05 but alive in old logs and in other servers.
GA_NAMES = {
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}

# Where an event carries base64 audio: the field's name. Everything else with audio inside items
# (a spoken user item sent whole, a retrieved item) is rare and stays in the JSON.
AUDIO_FIELDS = {
    "response.output_audio.delta": "delta",
    "response.audio.delta": "delta",
    "input_audio_buffer.append": "audio",
}


def ga_name(type_: str) -> str:
    """The GA name of an event type, for a beta name; any other name as it is."""
    return GA_NAMES.get(type_, type_)


def beta_names(types: Iterable[str]) -> list[str]:
    """The names that events of these GA types had in the beta."""
    wanted = set(types)
    return [beta for beta, name in GA_NAMES.items() if name in wanted]


# ---------------------------------------------------------------- what a client sends


def session_update(**fields: Any) -> Event:
    """`session.update`: only the fields present change; `type` is required by the server."""
    return {"type": "session.update", "session": {"type": "realtime", **fields}}


def item_create(item: Mapping[str, Any], *, previous_item_id: str | None = None) -> Event:
    """`conversation.item.create`: append, or put behind an item (`"root"`: in front of all)."""
    event: Event = {"type": "conversation.item.create", "item": dict(item)}
    if previous_item_id is not None:
        event["previous_item_id"] = previous_item_id
    return event


def user_text(text: str) -> Event:
    """A user message item. Users and systems say `input_text`."""
    return _message("user", "input_text", text)


def system_text(text: str) -> Event:
    """A system message item."""
    return _message("system", "input_text", text)


def assistant_text(text: str) -> Event:
    """An assistant message item. Only `output_text` is accepted: `input_text` is refused."""
    return _message("assistant", "output_text", text)


def _message(role: str, content_type: str, text: str) -> Event:
    return {"type": "message", "role": role, "content": [{"type": content_type, "text": text}]}


def call_output(call_id: str, output: str) -> Event:
    """The item that answers a function call."""
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def item_delete(item_id: str) -> Event:
    """`conversation.item.delete`."""
    return {"type": "conversation.item.delete", "item_id": item_id}


def item_truncate(item_id: str, audio_end_ms: int) -> Event:
    """`conversation.item.truncate`: what was heard of a spoken item, in whole milliseconds."""
    return {
        "type": "conversation.item.truncate",
        "item_id": item_id,
        "content_index": 0,
        "audio_end_ms": audio_end_ms,
    }


def response_create(**response: Any) -> Event:
    """`response.create`; without fields a bare one, which uses the session's settings."""
    return {"type": "response.create", **({"response": response} if response else {})}


def response_cancel(response_id: str | None = None) -> Event:
    """`response.cancel`: the active response, or the one named (needed out of band)."""
    return {"type": "response.cancel", **({"response_id": response_id} if response_id else {})}


def input_audio_append(audio: str) -> Event:
    """`input_audio_buffer.append` of base64 audio, at most 15 MiB. There is no acknowledgement."""
    return {"type": "input_audio_buffer.append", "audio": audio}


def input_audio_commit() -> Event:
    """`input_audio_buffer.commit`: end of a manual turn; at least 100 ms must be there."""
    return {"type": "input_audio_buffer.commit"}


def input_audio_clear() -> Event:
    """`input_audio_buffer.clear`."""
    return {"type": "input_audio_buffer.clear"}


# ---------------------------------------------------------------- what happens on this side


def playback_started(item_id: str) -> Event:
    """`playback.started`: a person began to hear an item."""
    return {"type": "playback.started", "item_id": item_id}


def playback_heard(item_id: str, ms: int, *, done: bool = False) -> Event:
    """`playback.heard`: of an item `ms` milliseconds from its start; `done`: that is all of it."""
    return {"type": "playback.heard", "item_id": item_id, "ms": ms, "done": done}


def playback_flushed(item_id: str, ms: int) -> Event:
    """`playback.flushed`: the rest of an item was thrown away when `ms` of it had been heard."""
    return {"type": "playback.flushed", "item_id": item_id, "ms": ms}


def playback_skipped(ms: int) -> Event:
    """`playback.skipped`: so much sound came before a page was there to play it."""
    return {"type": "playback.skipped", "ms": ms}


def microphone_dropped(ms: int, message: str) -> Event:
    """`microphone.dropped`: so much was said that the server did not take."""
    return {"type": "microphone.dropped", "ms": ms, "message": message}


def microphone(on: bool) -> Event:
    """`microphone.started` or `microphone.stopped`."""
    return {"type": "microphone.started" if on else "microphone.stopped"}


def tool_called(call_id: str, name: str, arguments: Event | str) -> Event:
    """`tool.called`: a function is called with what the model gave."""
    return {"type": "tool.called", "call_id": call_id, "name": name, "arguments": arguments}


def tool_answered(call_id: str, ms: int, ok: bool) -> Event:
    """`tool.answered`: a call was answered after `ms`; not `ok` where it brought no result."""
    return {"type": "tool.answered", "call_id": call_id, "ms": ms, "ok": ok}


def line_stalled(message: str) -> Event:
    """`line.stalled`: the server takes nothing of what is to be sent."""
    return {"type": "line.stalled", "message": message}


def line_resumed(ms: int) -> Event:
    """`line.resumed`: it takes again, after `ms`."""
    return {"type": "line.resumed", "ms": ms}


def line_lost(code: int | None, reason: str, message: str, *, again: bool = False) -> Event:
    """`line.lost`: the connection ended, with the close code and reason of the server, if any;
    `again` where another is being tried."""
    lost: Event = {"type": "line.lost", "code": code, "reason": reason, "message": message}
    return {**lost, "again": True} if again else lost


def line_moving(message: str) -> Event:
    """`line.moving`: the conversation moves to a new session before this one ends."""
    return {"type": "line.moving", "message": message}


def line_trying(attempt: int, seconds: float, message: str) -> Event:
    """`line.trying`: a new connection is tried after so many seconds; why the last one failed."""
    return {
        "type": "line.trying",
        "attempt": attempt,
        "seconds": round(seconds, 3),
        "message": message,
    }


def line_restored(
    attempts: int,
    seconds: float,
    *,
    carried: int,
    left_out: Sequence[str],
    sent_again: int,
    message: str,
) -> Event:
    """`line.restored`: a new session goes on with the conversation, so long after the old one."""
    return {
        "type": "line.restored",
        "attempts": attempts,
        "seconds": round(seconds, 3),
        "carried": carried,
        "left_out": list(left_out),
        "sent_again": sent_again,
        "message": message,
    }


CARRIED_ID = "carried_"
"""How the event ids begin of what only tells a new session what was before: nobody says it now."""


def is_carried(event: Event | None) -> bool:
    """Whether a client event repeats to a new session what an old one knew."""
    return text_field(event, "event_id").startswith(CARRIED_ID)


def response_overdue(response_id: str, seconds: float) -> Event:
    """`response.overdue`: nothing came of a response for so many seconds, while others waited; an
    empty id for one that was asked for and has not begun."""
    what = "this response" if response_id else "the reply that was asked for"
    message = (
        f"Nothing has come of {what} for {seconds:g} s, not even its end: what waited behind it is "
        "asked for now."
    )
    return {"type": "response.overdue", "response_id": response_id, "message": message}


def log_in_memory(message: str) -> Event:
    """`log.in_memory`: the log's sound could not be moved to a file, and stays in memory."""
    return {"type": "log.in_memory", "message": message}


def opening_ended(ms: int, by: str) -> Event:
    """`opening.ended`: the opening's sound is over, `by` page, clock or silence."""
    return {"type": "opening.ended", "ms": ms, "by": by}


def opening_failed(message: str) -> Event:
    """`opening.failed`: the code of an opening raised."""
    return {"type": "opening.failed", "message": message}


def budget_reached(message: str, *, budget: float | None, spent: float | None) -> Event:
    """`budget.reached`: no further reply is asked for; dollars allowed and spent, where known."""
    return {"type": "budget.reached", "message": message, "budget": budget, "spent": spent}


# ---------------------------------------------------------------- reading any event


def merged(base: Event, more: Event) -> Event:
    """`base` with the fields of `more`, object by object, as `session.update` merges them."""
    both = {**base, **more}
    for key in base.keys() & more.keys():
        if isinstance(base[key], dict) and isinstance(more[key], dict):
            both[key] = merged(base[key], more[key])
    return both


def frame_of(event: Event) -> str:
    """The JSON text of an event. Raises Misuse for what JSON cannot hold."""
    try:
        frame = json.dumps(event, ensure_ascii=False, allow_nan=False)
        # Half a character (a lone surrogate) has no UTF-8, but JSON can escape it.
        return frame if _is_utf8(frame) else json.dumps(event, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise Misuse(
            f"This event cannot be written as JSON ({problem}). "
            "Use plain dicts, lists, text and numbers."
        ) from None


SIMULATED_ID = "sess_simulated_"
"""How a session id begins that no real service gave out; every label derives from it."""


def parse(frame: str) -> Event | None:
    """The event in a frame, None where it is not a JSON object."""
    try:
        event = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def whole_characters(text: str) -> str:
    """`text` with half characters (lone surrogates, as a cut emoji leaves them) made whole, or
    marked. A server refuses them: they have no UTF-8."""
    if _is_utf8(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def field(event: Any, *path: str | int) -> Any:
    """The value at `path` inside nested dicts and lists, None where anything is missing.

    Servers differ and events come broken: readers ask, they do not assume.
    """
    for step in path:
        if isinstance(step, str):
            event = event.get(step) if isinstance(event, dict) else None
        else:
            event = (
                event[step]
                if isinstance(event, list) and -len(event) <= step < len(event)
                else None
            )
        if event is None:
            return None
    return event


def text_field(event: Any, *path: str | int) -> str:
    """Like `field`, but a string always: empty where there is none."""
    value = field(event, *path)
    return value if isinstance(value, str) else ""


MOST = 2**53 - 1
"""The largest whole number that every reader of JSON takes for the same."""


def count_field(event: Any, *path: str | int) -> int | None:
    """Like `field`, for what is counted: a whole number from 0 to `MOST`, else None."""
    value = field(event, *path)
    return value if value.__class__ is int and 0 <= value <= MOST else None


def item_id_of(event: Event) -> str:
    """The item an event is about, or an empty string."""
    return text_field(event, "item_id") or text_field(event, "item", "id")


def response_id_of(event: Event) -> str:
    """The response an event is about, or an empty string."""
    return text_field(event, "response_id") or text_field(event, "response", "id")


def error_of(event: Event) -> Event | None:
    """The error an event carries: an `error` event's, or one that came without its wrapper.

    Some gateways send the inner object bare, its own `type` being `invalid_request_error`.
    """
    if text_field(event, "type") == "error":
        inner = field(event, "error")
        return inner if isinstance(inner, dict) else {"message": str(inner or "no details given")}
    if text_field(event, "type").endswith("_error") and "message" in event:
        # Its event_id is the frame's own here, not the id of what caused it.
        return {key: value for key, value in event.items() if key != "event_id"}
    return None


_FAMILIES = (
    ("error", ("error",)),
    ("audio", ("response.output_audio.", "response.audio.")),
    (
        "text",
        (
            "response.output_text",
            "response.output_audio_transcript",
            "response.text",
            "response.audio_transcript",
            "response.content_part",
        ),
    ),
    ("tools", ("response.function_call", "response.mcp", "mcp_list_tools", "tool.")),
    ("response", ("response.", "rate_limits")),
    ("input", ("input_audio_buffer", "conversation.item.input_audio_transcription")),
    ("item", ("conversation.",)),
    ("session", ("session", "transcription_session")),
    ("local", ("playback.", "line.", "opening.", "microphone.", "budget.")),
)
FAMILIES = (*(name for name, _ in _FAMILIES), "other")
"""The names of the groups, for a filter."""


def family_of(type_: str) -> str:
    """The group an event type belongs to, for filters and colours."""
    for name, prefixes in _FAMILIES:
        if type_.startswith(prefixes):
            return name
    return "other"


def text_of(event: Event) -> str:
    """The words an event carries: a delta, a transcript, a text, an error's message."""
    type_ = ga_name(text_field(event, "type"))
    if type_ in AUDIO_FIELDS:
        return ""
    for key in ("delta", "transcript", "text", "arguments"):
        if text_field(event, key):
            return text_field(event, key)
    if type_.startswith(("conversation.item", "response.output_item")) and isinstance(
        event.get("item"), dict
    ):
        return item_text(event["item"])
    error = error_of(event)
    return (
        text_field(error, "message")
        if error
        else text_field(event, "part", "text") or text_field(event, "part", "transcript")
    )


def item_text(item: Mapping[str, Any]) -> str:
    """The words of an item: its texts and transcripts, a call's arguments, an output."""
    parts = item.get("content")
    if isinstance(parts, Sequence) and not isinstance(parts, str):
        words = (text_field(part, "text") or text_field(part, "transcript") for part in parts)
        return " ".join(word for word in words if word)
    return text_field(item, "output") or text_field(item, "arguments")
