"""Changing a session: the merge rules of session.update, as pure functions.

Only present fields change; lists and strings replace; `instructions: ""` restores the
server's default (captured); a refusal leaves the session as it was, because a new
one is made and nothing else (protocol facts §1.4, §3.9).
"""

from __future__ import annotations

import copy
from typing import Any

from . import models, refusals

Json = dict[str, Any]

#: Fields that replace what was there; `audio` alone is merged field by field.
_REPLACED = (
    "output_modalities",
    "tool_choice",
    "max_output_tokens",
    "truncation",
    "tracing",
    "prompt",
    "include",
    "reasoning",
    "parallel_tool_calls",
)

_NESTED = ("audio", "input", "output")
#: Null switches these off, or says that they are not set.
_MAY_BE_NULL = (
    "turn_detection",
    "transcription",
    "noise_reduction",
    "tracing",
    "prompt",
    "include",
    "reasoning",
)


def merged(session: Json, changes: Json) -> Json:
    """`session` after session.update with `changes`, both checked for shape before.

    Raises Refusal where the change is not possible for this session or model.
    """
    changes = given(changes)
    if changes["type"] != session["type"]:
        raise refusals.wrong_session_type(changes["type"], session["type"])
    model = session.get("model", "")
    if changes.get("model", model) != model:
        raise refusals.model_is_fixed("session.model")
    check_model_fields(changes, model, "session")
    tracing = session.get("tracing")
    if tracing is not None and changes.get("tracing", tracing) != tracing:
        raise refusals.tracing_is_fixed("session.tracing")
    result = copy.deepcopy(session)
    for key in _REPLACED:
        if key in changes:
            result[key] = copy.deepcopy(changes[key])
    if result.get("reasoning", {}) is None:
        del result["reasoning"]  # captured: it is not echoed while it is not set
    if "instructions" in changes:
        result["instructions"] = changes["instructions"] or models.DEFAULT_INSTRUCTIONS
    if "tools" in changes:
        result["tools"] = [shown_tool(tool) for tool in changes["tools"]]
    audio = changes.get("audio", {})
    _merge_input(result["audio"]["input"], audio.get("input", {}), model)
    if "output" in audio:
        result["audio"]["output"].update(copy.deepcopy(audio["output"]))
    _check_turn_detection(result)
    return result


def given(fields: Json) -> Json:
    """`fields` of a session or a response without those whose null says no more than absence."""
    return {
        key: given(value) if key in _NESTED and isinstance(value, dict) else value
        for key, value in fields.items()
        if value is not None or key in _MAY_BE_NULL
    }


def check_model_fields(changes: Json, model: str, path: str) -> None:
    """Captured: gpt-realtime refuses `reasoning`; only reasoning models have these two."""
    for key in ("reasoning", "parallel_tool_calls"):
        if changes.get(key) is not None and model and not models.reasons(model):
            raise refusals.unsupported_with_model(f"{path}.{key}")


def changes_voice(session: Json, changes: Json) -> bool:
    changes = given(changes)
    if session["type"] != "realtime":
        return False
    voice = session["audio"]["output"]["voice"]
    return bool(changes.get("audio", {}).get("output", {}).get("voice", voice) != voice)


def changes_speed(session: Json, changes: Json) -> bool:
    """Documented: the speed changes between turns only, not while a response is in progress."""
    changes = given(changes)
    if session["type"] != "realtime" or changes["type"] != "realtime":
        return False
    speed = session["audio"]["output"]["speed"]
    return bool(changes.get("audio", {}).get("output", {}).get("speed", speed) != speed)


def shown_tool(tool: Json) -> Json:
    """Captured: a function is echoed as type, name, description, parameters, absent as null."""
    if tool["type"] != "function":
        return copy.deepcopy(tool)
    shown = {key: copy.deepcopy(tool.get(key)) for key in ("name", "description", "parameters")}
    return {"type": "function", **shown}


def _merge_input(current: Json, changes: Json, model: str) -> None:
    for key in ("format", "noise_reduction"):
        if key in changes:
            current[key] = copy.deepcopy(changes[key])
    if "transcription" in changes:
        current["transcription"] = _transcription(
            changes["transcription"], current["transcription"]
        )
    if "turn_detection" in changes:
        wanted, now = changes["turn_detection"], current["turn_detection"]
        current["turn_detection"] = _turn_detection(wanted, now, model)


def _transcription(wanted: Json | None, now: Json | None) -> Json | None:
    """Captured: language and prompt are echoed as null, `delay` is not echoed at all."""
    if wanted is None:
        return None
    shown = {"model": None, "language": None, "prompt": None, **(now or {}), **wanted}
    if wanted.get("model") is None:
        shown["model"] = (now or {}).get("model")
    shown.pop("delay", None)
    return shown


def _turn_detection(wanted: Json | None, now: Json | None, model: str) -> Json | None:
    if wanted is None:
        return None
    if now is not None and now["type"] == wanted["type"]:
        return {**now, **wanted}
    if wanted["type"] == "server_vad":
        return {**models.server_vad(model), **wanted}
    base = {"type": "semantic_vad", "eagerness": "auto"}
    return {**base, "create_response": True, "interrupt_response": True, **wanted}


def _check_turn_detection(session: Json) -> None:
    """Captured: the streaming transcribers take none, and an absent key means server_vad."""
    if session["type"] != "transcription":
        return
    heard = session["audio"]["input"]
    name = (heard["transcription"] or {}).get("model")
    if name in models.STREAMING_TRANSCRIBERS and heard["turn_detection"] is not None:
        raise refusals.turn_detection_unsupported()
