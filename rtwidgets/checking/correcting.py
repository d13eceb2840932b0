"""From a refused event to the one that was meant, or none where only its author can know."""

from __future__ import annotations

import copy
import difflib
import re
from dataclasses import dataclass
from typing import Any

from . import names
from .fitting import Fitting, Hopeless
from .looking import fields_of, variants
from .verdict import brief

Json = dict[str, Any]

_FROM_THE_SERVER = re.compile(
    r"^(error|rate_limits\.updated|conversation\.created|.+\.(created|updated|added|done|delta|"
    r"deleted|truncated|retrieved|completed|failed|in_progress|committed|cleared|speech_started|"
    r"speech_stopped|timeout_triggered|segment|started|stopped))$"
)


@dataclass(frozen=True)
class Correction:
    """What came of trying: the event, or why there is none; and what was changed."""

    event: Json | None
    changes: tuple[str, ...] = ()
    hopeless: str = ""


def corrected(event: Json) -> Correction:
    """The accepted event that is nearest to `event`."""
    from ..simulator import schema

    fitting = Fitting(_accepts)
    try:
        meant = _named(copy.deepcopy(event), fitting.changes)
        shape = schema.EVENTS[meant["type"]]
        result = fitting.fit(shape, meant, "")
        fitting.leave_out_strays()
    except Hopeless as reason:
        return Correction(None, hopeless=str(reason))
    if not _accepts(schema.EVENTS[result["type"]], result):
        return Correction(None, hopeless="What was meant could not be told.")
    return Correction(result, tuple(fitting.changes))


def _accepts(shape: Any, value: Any) -> bool:
    from ..simulator.refusals import Refusal

    try:
        shape.check(value, "")
    except Refusal:
        return False
    return True


def _named(event: Json, changes: list[str]) -> Json:
    """The event with a type that there is."""
    from ..simulator import schema

    kind = event.get("type")
    if isinstance(kind, str) and kind in schema.EVENTS:
        return event
    wrapped = _wrapped(event)
    if wrapped is not None:
        changes.append(f"It is put into a {wrapped['type']}, which is what sends it.")
        return wrapped
    meant = _type_meant(kind) if isinstance(kind, str) else _type_by_fields(event)
    if meant is None:
        raise Hopeless(_no_such_type(kind))
    said = "is added" if kind is None else f"takes the place of {brief(kind)}"
    changes.append(f"type: {brief(meant)} {said}.")
    renamed = {"type": None, **event} | {"type": meant}
    if kind == "transcription_session.update" and isinstance(event.get("session"), dict):
        renamed["session"] = {"type": "transcription", **event["session"]}
    return renamed


def _wrapped(event: Json) -> Json | None:
    """The event that sends a bare item or a bare session."""
    from ..simulator import schema

    kind, events = event.get("type"), schema.EVENTS
    if kind is None and {"role", "content"} <= event.keys():
        return {"type": "conversation.item.create", "item": event}
    if not isinstance(kind, str):
        return None
    if kind in variants(events["conversation.item.create"].fields["item"]):
        return {"type": "conversation.item.create", "item": event}
    if kind in variants(events["session.update"].fields["session"]):
        return {"type": "session.update", "session": event}
    return None


def _type_meant(kind: str) -> str | None:
    from ..simulator import schema

    if kind in names.EVENTS:
        return names.EVENTS[kind]
    if is_from_the_server(kind) or kind == "output_audio_buffer.clear":
        return None
    plain = kind.strip().lower().replace("_", ".").replace("/", ".")
    known = {name.replace("_", "."): name for name in schema.EVENTS}
    alike = difflib.get_close_matches(plain, known, 1, 0.75)
    return known[alike[0]] if alike else None


def _type_by_fields(event: Json) -> str | None:
    """The one event that has these fields."""
    from ..simulator import schema

    own = event.keys() - {"type", "event_id"}
    fitting = [
        name
        for name, shape in schema.EVENTS.items()
        if own and own <= fields_of(shape).keys() and _needed(shape) <= own
    ]
    common = [name for name in fitting if not name.startswith("session.input")]
    return common[0] if len(common) == 1 and "type" not in event else None


def _needed(shape: Any) -> set[str]:
    """The fields without which an event is not this one; one with a single value is no sign."""
    fields = ((key, shape.fields[key]) for key in shape.required)
    return {key for key, inner in fields if getattr(inner, "high", None) != 0}


def _no_such_type(kind: Any) -> str:
    if kind == "output_audio_buffer.clear":
        return (
            "output_audio_buffer.clear is for WebRTC and SIP. On a WebSocket the sound is on your "
            "side: stop playing it, then conversation.item.truncate."
        )
    if isinstance(kind, str) and is_from_the_server(kind):
        return f"{kind} is an event that the server sends; a client never does."
    return "Which event this is to be cannot be told."


def is_from_the_server(kind: str) -> bool:
    """Whether an event type is one of those that servers send."""
    return bool(_FROM_THE_SERVER.match(kind))
