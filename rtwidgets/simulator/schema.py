"""What the server accepts: the one description of every client event.

`check(event)` returns nothing or raises the `Refusal` the real server would send.
Only shape is judged here (missing, unknown, wrong type, out of range, too long);
what depends on the state of a session is `engine.py`'s. A misuse that nobody
listed is refused by its family, in the family's words.

Source: the field tables of openai 3.54.0 and the captures of the live service
(protocol facts §1.1-1.5, Appendix A; errors.jsonl for the words).
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from ..audio import decode
from . import refusals
from .models import VOICES
from .shapes import (
    Anything,
    Array,
    Base64Audio,
    Decimal,
    Either,
    Enum,
    Flag,
    FreeObject,
    Integer,
    ListOr,
    Modalities,
    Nullable,
    Object,
    Pairs,
    Picture,
    Shape,
    Tagged,
    Text,
)

APPEND_MAX = 15 * 1024 * 1024 * 4 // 3  # 15 MiB of audio, as characters of base64 (§1.1)
DEEPEST = 64  # levels of nesting; nothing legal comes near it
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
ID_MAX = 32  # captured for item.id; reported for call_id (§1.2)

item_id = Text(max=ID_MAX)
any_id = Text()
audio_base64 = Base64Audio(max=APPEND_MAX)

# --- sessions (§1.4) -------------------------------------------------------------------

# `rate` is required with audio/pcm and 24000 is the only one (captured: >= 24000).
audio_format = Tagged(
    "type",
    {
        "audio/pcm": Object(
            {"type": Anything(), "rate": Integer(24000, 24000)}, required=("type", "rate")
        ),
        "audio/pcmu": Object({"type": Anything()}),
        "audio/pcma": Object({"type": Anything()}),
    },
)

voice = Either(Enum(VOICES), Object({"id": Text()}, required=("id",)))

transcription = Object(
    {
        "model": Nullable(Text()),
        "language": Nullable(Text()),
        "languages": Nullable(Array(Text())),
        "keywords": Nullable(Array(Text())),
        "prompt": Nullable(Text()),
        "delay": Nullable(Enum(("minimal", "low", "medium", "high", "xhigh"))),
    }
)

noise_reduction = Object(
    {"type": Enum(("near_field", "far_field")), "strength": Nullable(Decimal())}, required=("type",)
)

turn_detection = Tagged(
    "type",
    {
        "server_vad": Object(
            {
                "type": Anything(),
                "threshold": Decimal(0, 1),
                "prefix_padding_ms": Integer(0),
                "silence_duration_ms": Integer(0),
                "idle_timeout_ms": Nullable(Integer(5000, 30000)),
                "create_response": Flag(),
                "interrupt_response": Flag(),
            }
        ),
        "semantic_vad": Object(
            {
                "type": Anything(),
                "eagerness": Enum(("low", "medium", "high", "auto")),
                "create_response": Flag(),
                "interrupt_response": Flag(),
            }
        ),
    },
)

audio_input = Object(
    {
        "format": Nullable(audio_format),
        "transcription": Nullable(transcription),
        "noise_reduction": Nullable(noise_reduction),
        "turn_detection": Nullable(turn_detection),
    }
)

audio_output = Object(
    {
        "format": Nullable(audio_format),
        "voice": Nullable(voice),
        "speed": Nullable(Decimal(0.25, 1.5)),
    }
)

mcp_filter = Object({"tool_names": Array(Text()), "read_only": Nullable(Flag())})
approval_filter = Object({"always": Nullable(mcp_filter), "never": Nullable(mcp_filter)})
connectors = tuple(
    f"connector_{name}"
    for name in (
        "dropbox",
        "gmail",
        "googlecalendar",
        "googledrive",
        "microsoftteams",
        "outlookcalendar",
        "outlookemail",
        "sharepoint",
    )
)

tool = Tagged(
    "type",
    {
        "function": Object(
            {
                "type": Anything(),
                "name": Text(),
                "description": Nullable(Text()),
                "parameters": Nullable(FreeObject()),
            },
            required=("name",),
        ),
        "mcp": Object(
            {
                "type": Anything(),
                "server_label": Text(),
                "server_url": Nullable(Text()),
                "connector_id": Nullable(Enum(connectors)),
                "tunnel_id": Nullable(Text()),
                "authorization": Nullable(Text()),
                "headers": Nullable(FreeObject()),
                "allowed_tools": Nullable(ListOr(Array(Text()), mcp_filter)),
                "require_approval": Nullable(Either(Enum(("always", "never")), approval_filter)),
                "server_description": Nullable(Text()),
                "defer_loading": Nullable(Flag()),
                "allowed_callers": Nullable(Array(Enum(("direct", "programmatic")))),
            },
            required=("server_label",),
        ),
    },
)

tool_choice = Either(
    Enum(("auto", "none", "required")),
    Tagged(
        "type",
        {
            "function": Object({"type": Anything(), "name": Text()}, required=("name",)),
            "mcp": Object(
                {"type": Anything(), "server_label": Text(), "name": Nullable(Text())},
                required=("server_label",),
            ),
        },
    ),
)

max_output_tokens = Either(Enum(("inf",)), Integer(1, 4096))

truncation = Either(
    Enum(("auto", "disabled")),
    Tagged(
        "type",
        {
            "retention_ratio": Object(
                {
                    "type": Anything(),
                    "retention_ratio": Decimal(0, 1),
                    "token_limits": Nullable(Object({"post_instructions": Nullable(Integer(0))})),
                },
                required=("retention_ratio",),
            )
        },
    ),
)

reasoning = Object({"effort": Enum(("minimal", "low", "medium", "high", "xhigh"))})

prompt = Object(
    {"id": Text(), "version": Nullable(Text()), "variables": Nullable(FreeObject())},
    required=("id",),
)

tracing = Either(
    Enum(("auto",)),
    Object({"workflow_name": Text(), "group_id": Text(), "metadata": Nullable(FreeObject())}),
)

include = Nullable(Array(Enum(("item.input_audio_transcription.logprobs",))))

session = Tagged(
    "type",
    {
        "realtime": Object(
            {
                "type": Anything(),
                "model": Nullable(Text()),
                "output_modalities": Nullable(Modalities()),
                "instructions": Nullable(Text()),
                "audio": Nullable(
                    Object({"input": Nullable(audio_input), "output": Nullable(audio_output)})
                ),
                "tools": Nullable(Array(tool)),
                "tool_choice": Nullable(tool_choice),
                "parallel_tool_calls": Nullable(Flag()),
                "reasoning": Nullable(reasoning),
                "max_output_tokens": Nullable(max_output_tokens),
                "truncation": Nullable(truncation),
                "tracing": Nullable(tracing),
                "prompt": Nullable(prompt),
                "include": include,
            }
        ),
        "transcription": Object(
            {
                "type": Anything(),
                "audio": Nullable(Object({"input": Nullable(audio_input)})),
                "include": include,
            }
        ),
    },
)

# --- items (§1.4) ----------------------------------------------------------------------

item_status = Enum(("completed", "incomplete", "in_progress"))
item_head: dict[str, Shape] = {
    "id": Nullable(item_id),
    "type": Anything(),
    "object": Nullable(Enum(("realtime.item",))),
    "status": Nullable(item_status),
}

input_text = Object({"type": Anything(), "text": Text()}, required=("text",))
output_text = Object({"type": Anything(), "text": Text()}, required=("text",))
input_audio = Object(
    {"type": Anything(), "audio": audio_base64, "transcript": Nullable(Text())},
    required=("audio",),
)
input_image = Object(
    {
        "type": Anything(),
        "image_url": Picture(),
        "detail": Nullable(Enum(("auto", "low", "high"))),
    },
    required=("image_url",),
)
output_audio = Object(
    {"type": Anything(), "text": Text(), "audio": Anything(), "transcript": Anything()},
    required=("text",),
)


def _message(content: Tagged) -> Object:
    fields = {**item_head, "role": Anything(), "content": Array(content)}
    # `phase` is echoed by reasoning models and so comes back from clients that replay items.
    return Object({**fields, "phase": Nullable(Text())}, required=("content",))


message = Tagged(
    "role",
    {
        "system": _message(Tagged("type", {"input_text": input_text})),
        "user": _message(
            Tagged(
                "type",
                {"input_text": input_text, "input_audio": input_audio},
                # Captured: taken, though the refusal lists two values only.
                unlisted={"input_image": input_image},
            )
        ),
        "assistant": _message(
            Tagged("type", {"output_text": output_text}, refused={"output_audio": output_audio})
        ),
    },
)


mcp_tool = Object(
    {
        "name": Text(),
        "description": Nullable(Text()),
        "input_schema": Anything(),
        "annotations": Anything(),
    },
    required=("name", "input_schema"),
)
_failure = Object({"type": Anything(), "code": Integer(), "message": Text()}, ("code", "message"))
mcp_error = Tagged(
    "type",
    {
        "protocol_error": _failure,
        "http_error": _failure,
        "tool_execution_error": Object({"type": Anything(), "message": Text()}, ("message",)),
    },
)

# A message is chosen by its `type` first and by its `role` then.
_items: dict[str, Shape] = {
    "message": message,
    "function_call": Object(
        {**item_head, "name": Text(), "arguments": Text(), "call_id": Nullable(Text(max=ID_MAX))},
        required=("name", "arguments"),
    ),
    "function_call_output": Object(
        {**item_head, "call_id": Text(max=ID_MAX), "output": Text()},
        required=("call_id", "output"),
    ),
    "mcp_list_tools": Object(
        {**item_head, "server_label": Text(), "tools": Array(mcp_tool)},
        required=("server_label", "tools"),
    ),
    "mcp_call": Object(
        {
            **item_head,
            "server_label": Text(),
            "name": Text(),
            "arguments": Text(),
            "output": Nullable(Text()),
            "error": Nullable(mcp_error),
            "approval_request_id": Nullable(Text()),
        },
        required=("server_label", "name", "arguments"),
    ),
    "mcp_approval_request": Object(
        {**item_head, "server_label": Text(), "name": Text(), "arguments": Text()},
        required=("server_label", "name", "arguments"),
    ),
    "mcp_approval_response": Object(
        {**item_head, "approval_request_id": Text(), "approve": Flag(), "reason": Nullable(Text())},
        required=("approval_request_id", "approve"),
    ),
}

item = Tagged("type", _items)

# An item_reference is valid only in the input of a response (§1.4).
input_item = Tagged(
    "type", {**_items, "item_reference": Object({"type": Anything(), "id": any_id}, ("id",))}
)

# --- responses (§1.5) ------------------------------------------------------------------

response_audio = Object({"format": Nullable(audio_format), "voice": Nullable(voice)})

# A field that is null is taken as absent (`sessions.given`): openai's types of sessions and
# responses list null for each of them; what the live server answers is not known.
response = Object(
    {
        "conversation": Nullable(Enum(("auto", "none"))),
        "input": Nullable(Array(input_item)),
        "instructions": Nullable(Text()),
        "output_modalities": Nullable(Modalities()),
        # No speed here: it belongs to the session.
        "audio": Nullable(Object({"output": Nullable(response_audio)})),
        "tools": Nullable(Array(tool)),
        "tool_choice": Nullable(tool_choice),
        "parallel_tool_calls": Nullable(Flag()),
        "reasoning": Nullable(reasoning),
        "max_output_tokens": Nullable(max_output_tokens),
        "metadata": Nullable(Pairs(most=16, key_max=64, value_max=512)),
        "prompt": Nullable(prompt),
    }
)

# --- client events (§1.1) --------------------------------------------------------------

# semantic-kernel 1.45.0 sends "event_id": null with every response.create, and works.
head: dict[str, Shape] = {"type": Anything(), "event_id": Nullable(Text(max=512))}

EVENTS: dict[str, Object] = {
    "session.update": Object({**head, "session": session}, ("session",)),
    "session.close": Object(head),
    "input_audio_buffer.append": Object({**head, "audio": audio_base64}, ("audio",)),
    "session.input_audio_buffer.append": Object({**head, "audio": audio_base64}, ("audio",)),
    "input_audio_buffer.commit": Object(head),
    "input_audio_buffer.clear": Object(head),
    "conversation.item.create": Object(
        {**head, "item": item, "previous_item_id": Nullable(any_id)}, ("item",)
    ),
    "conversation.item.truncate": Object(
        {**head, "item_id": any_id, "content_index": Integer(0, 0), "audio_end_ms": Integer(0)},
        ("item_id", "content_index", "audio_end_ms"),
    ),
    "conversation.item.delete": Object({**head, "item_id": any_id}, ("item_id",)),
    "conversation.item.retrieve": Object({**head, "item_id": any_id}, ("item_id",)),
    "response.create": Object({**head, "response": Nullable(response)}),
    "response.cancel": Object({**head, "response_id": Nullable(any_id)}),
}


def check(event: dict[str, Any]) -> None:
    """Refuse `event` (parsed JSON) if the real server would for its shape alone.

    Raises `Refusal`; its `.error()` is the `error` object of the server's frame.
    """
    kind = event.get("type")
    if kind is None:
        raise refusals.type_field_missing()
    if not isinstance(kind, str):
        raise refusals.wrong_type("type", "a string", kind)
    shape = EVENTS.get(kind)
    if shape is None:
        # Captured: the order of the list, and that output_audio_buffer.clear is not on it.
        raise refusals.invalid_value(kind, list(EVENTS), "type")
    shape.check(event, "")


_APPENDS = (
    '{"type":"input_audio_buffer.append","audio":"',
    '{"type": "input_audio_buffer.append", "audio": "',
)


def appended(frame: str | bytes) -> bytes | None:
    """The sound of an append as clients write it, None for anything else.

    Most of what a session is sent is this, so it is read without a parser: between this beginning
    and this end base64 is all that can stand, and what is no base64 goes the long way.
    """
    if not isinstance(frame, str) or not frame.startswith(_APPENDS) or not frame.endswith('"}'):
        return None
    start = len(_APPENDS[frame[8] == " "])
    if not start < len(frame) - 2 <= APPEND_MAX:
        return None
    try:
        return decode(frame[start:-2])
    except ValueError:
        return None


def parsed(frame: str | bytes) -> dict[str, Any]:
    """The event in a frame. Raises Refusal for a binary frame and for what is no JSON object."""
    if isinstance(frame, bytes):
        raise refusals.binary_frame()
    try:
        event = json.loads(frame, parse_constant=_not_finite, parse_float=_finite)
        if "\\u" in frame and _SURROGATE.search(
            frame
        ):  # half a character: no text that could be sent again
            json.dumps(event, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise refusals.not_json() from None
    if not isinstance(event, dict) or _depth_exceeds(event, DEEPEST):
        raise refusals.not_an_object()
    return event


def _not_finite(text: str) -> float:
    """Python reads NaN and Infinity, JSON does not have them."""
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_finite(text)


def _depth_exceeds(value: Any, left: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return left == 0 or any(_depth_exceeds(one, left - 1) for one in inner)


def event_id_of(event: dict[str, Any]) -> str | None:
    """The client's own event id, when it is one that can be echoed in an error."""
    value = event.get("event_id")
    return value if isinstance(value, str) else None


#: The body of POST /v1/realtime/client_secrets (§5): seconds 10-7200, anchor created_at.
client_secret = Object(
    {
        "expires_after": Object(
            {"anchor": Enum(("created_at",)), "seconds": Integer(10, 7200)}, name="an object"
        ),
        "session": session,
    }
)
