"""What a session may hold: the fields of session.update and of a client secret (facts §1.4).

A field that is null is taken as absent (`sessions.given`): openai's types of sessions and
responses list null for each of them; what the live server answers is not known.
"""

from __future__ import annotations

from .models import VOICES
from .shapes import (
    Anything,
    Array,
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
    Tagged,
    Text,
)

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

# Reported: the live service refuses a session whose tool has a dot in its name.
function_name = Text(pattern="^[a-zA-Z0-9_-]+$")

tool = Tagged(
    "type",
    {
        "function": Object(
            {
                "type": Anything(),
                "name": function_name,
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

# "none" is in no type of openai's; pydantic-ai sends it and found it taken by every gpt-realtime-2.
reasoning = Object({"effort": Enum(("minimal", "low", "medium", "high", "xhigh"), also=("none",))})

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
