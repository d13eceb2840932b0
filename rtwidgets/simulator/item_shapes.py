"""What an item of a conversation may hold: the fields of conversation.item.create (facts §1.4)."""

from __future__ import annotations

from .shapes import (
    Anything,
    Array,
    Base64Audio,
    Enum,
    Flag,
    Integer,
    Nullable,
    Object,
    Picture,
    Shape,
    Tagged,
    Text,
)

APPEND_MAX = 15 * 1024 * 1024 * 4 // 3  # 15 MiB of audio, as characters of base64 (§1.1)
ID_MAX = 32  # captured for item.id; reported for call_id (§1.2)

item_id = Text(max=ID_MAX)
any_id = Text()
audio_base64 = Base64Audio(max=APPEND_MAX)

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
