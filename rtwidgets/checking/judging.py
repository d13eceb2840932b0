"""`rt.check(event)`: what the server would say to an event, and the event that was meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import Misuse
from ..events import Event, frame_of
from ..explanations import explain
from .correcting import corrected
from .notes import notes_on
from .reading import read
from .state import State, corrected_now, refused_now, state_of
from .verdict import Verdict

if TYPE_CHECKING:
    from ..simulator.refusals import Refusal

_ROUNDS = 8  # of what the session refuses, one field at a time
_BY_CODE = {
    "invalid_value": "The value is none of those that are taken at this place.",
    "invalid_type": "The field has another type than the protocol gives it.",
    "invalid_event": "An event is one JSON object with a type.",
    "integer_below_min_value": "The number is smaller than what is taken.",
    "integer_above_max_value": "The number is larger than what is taken.",
    "decimal_below_min_value": "The number is smaller than what is taken.",
    "decimal_above_max_value": "The number is larger than what is taken.",
    "string_above_max_length": "The text is longer than what is taken.",
    "property_name_above_max_length": "The name is longer than what is taken.",
    "object_above_max_properties": "The object has more fields than what is taken.",
}


def check(event: Mapping[str, Any] | str, *, session: object = None) -> Verdict:
    """What the server would say to `event`, without sending it.

    Args:
        event: a client event as a dict, or its JSON text.
        session: a Session (or AsyncSession), its conversation, or its settings as a dict: then
            what depends on its state is checked too, such as the voice that is fixed or the
            response that is active.

    Returns a Verdict, which prints itself. Raises Misuse for what is neither text nor a dict that
    JSON can hold; no JSON text raises.
    """
    state = state_of(session)
    if isinstance(event, str):
        return _check_text(event, state)
    if isinstance(event, Mapping):
        return _check_event(frame_of(dict(event)), state)
    raise Misuse(
        f"check takes a client event as a dict or as JSON text, not {type(event).__name__}. "
        "Events are sent, and checked, one at a time."
    )


def advice(text: str, *, session: object = None) -> str:
    """One or two lines on what stands in a box, as it is typed; empty for an empty one."""
    if not text.strip():
        return ""
    return check(text, session=session).in_short


def _check_text(text: str, state: State | None) -> Verdict:
    typed = read(text)
    if not typed.fault:
        return _check_event(text, state)
    from ..simulator import refusals

    refusal = refusals.not_json().error(None)
    if typed.meant is None:
        return Verdict(False, None, refusal, typed.fault)
    meant = _check_event(json.dumps(typed.meant), state)
    fixed = typed.meant if meant.ok else meant.fixed
    changes = (f"The JSON is put right: {typed.slip}.", *meant.changes)
    return Verdict(False, None, refusal, typed.fault, fixed, changes, meant.notes)


def _check_event(frame: str, state: State | None) -> Verdict:
    from ..simulator import schema
    from ..simulator.parsing import parsed
    from ..simulator.refusals import Refusal

    event: Event | None = None
    try:
        event = parsed(frame)
        schema.check(event)
    except Refusal as refusal:
        return _refused(event, refusal, state)
    refusal_now = refused_now(event, state) if state is not None else None
    if refusal_now is not None:
        return _refused(event, refusal_now, state)
    return Verdict(True, event, notes=notes_on(event, state))


def _refused(event: Event | None, refusal: Refusal, state: State | None) -> Verdict:
    given = event.get("event_id") if event is not None else None
    error = refusal.error(given if isinstance(given, str) else None)
    why = explain(error) or _BY_CODE.get(refusal.code or "", "")
    if event is None:
        said = "An event is one JSON object, not nested deeper than 64 levels."
        return Verdict(False, None, error, why if refusal.code == "invalid_json" else said)
    fixed, changes, hopeless = _meant(event, state)
    place = (
        f" (at {refusal.param})" if refusal.param and refusal.param not in refusal.message else ""
    )
    why = " ".join(part for part in (why + place, hopeless) if part)
    notes = notes_on(fixed, state) if fixed is not None else ()
    return Verdict(False, event, error, why, fixed, changes, notes)


def _meant(event: Event, state: State | None) -> tuple[Event | None, tuple[str, ...], str]:
    """The event that is taken, what was changed for that, or why there is none."""
    correction = corrected(event)
    fixed, changes = correction.event, list(correction.changes)
    if fixed is None or state is None:
        return fixed, tuple(changes), correction.hopeless
    for _ in range(_ROUNDS):
        refusal = refused_now(fixed, state)
        if refusal is None:
            return fixed, tuple(changes), ""
        better = corrected_now(fixed, refusal, state)
        if better is None:
            break
        fixed, changed = better
        changes.append(changed)
    return None, (), ""
