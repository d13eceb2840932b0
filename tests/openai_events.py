"""Do server events fit OpenAI's own types? Shared by the tests and by `make conformance`.

Fields that the types do not declare are allowed only where recordings of the real server carry
them too (protocol facts §1.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai.types.realtime.realtime_server_event import RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter, ValidationError

#: On the real wire and not in the types of openai 3.54.0.
UNDECLARED = {"obfuscation", "phase", "reasoning_tokens"}
UNDECLARED_IN_SESSION = {"object", "id", "expires_at"}
ADAPTER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


def undeclared(model: Any, path: str = "") -> Iterator[str]:
    """Paths of fields that came with an event and are not in its type, at any depth."""
    if isinstance(model, BaseModel):
        for name in model.model_extra or {}:
            yield f"{path}.{name}"
        for name in model.model_fields_set & set(type(model).model_fields):
            yield from undeclared(getattr(model, name), f"{path}.{name}")
    elif isinstance(model, (list, tuple)):
        for inner in model:
            yield from undeclared(inner, path)


def recorded(path: str) -> bool:
    """Whether the real server sends this undeclared field too."""
    name = path.rpartition(".")[2]
    in_session = path.startswith(".session.")
    return name in UNDECLARED or (in_session and name in UNDECLARED_IN_SESSION)


def typed(event: dict[str, Any]) -> Any:
    """The event as its own type, strictly. Raises ValidationError."""
    model = ADAPTER.validate_python(event)
    assert model.type == event["type"]
    return model


def problems(event: dict[str, Any]) -> list[str]:
    """What is wrong with an event, in words; nothing when it fits."""
    try:
        model = typed(event)
    except (ValidationError, AssertionError) as problem:
        return [f"{event.get('type')} is not valid: {problem}"]
    strange = (path for path in undeclared(model) if not recorded(path))
    return [f"{event['type']} has {path}, which the real server does not send" for path in strange]
