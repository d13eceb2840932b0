"""What the server accepts: the one description of every client event.

`check(event)` returns nothing or raises the `Refusal` the real server would send.
Only shape is judged here (missing, unknown, wrong type, out of range, too long);
what depends on the state of a session is judged in `rules.py`. A misuse that nobody
listed is refused by its family, in the family's words.

Source: the field tables of openai 3.54.0 and the captures of the live service
(protocol facts §1.1-1.5, Appendix A; errors.jsonl for the words). What a session and an item
may hold stands in `session_shapes.py` and `item_shapes.py`.
"""

from __future__ import annotations

from typing import Any

from . import refusals
from .item_shapes import any_id, audio_base64, input_item
from .item_shapes import item as item
from .session_shapes import (
    audio_format,
    max_output_tokens,
    prompt,
    reasoning,
    tool,
    tool_choice,
    voice,
)
from .session_shapes import session as session
from .shapes import (
    Anything,
    Array,
    Enum,
    Flag,
    Integer,
    Modalities,
    Nullable,
    Object,
    Pairs,
    Shape,
    Text,
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


#: The body of POST /v1/realtime/client_secrets (§5): seconds 10-7200, anchor created_at.
client_secret = Object(
    {
        "expires_after": Object(
            {"anchor": Enum(("created_at",)), "seconds": Integer(10, 7200)}, name="an object"
        ),
        "session": session,
    }
)


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
