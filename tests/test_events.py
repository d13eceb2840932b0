"""Builders, and reading events that may be anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtwidgets import describing, events

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [*events.CLIENT_EVENTS, "session.created", "response.done", "error", "conversation.item.added"]
)


def test_an_assistant_says_output_text_and_the_others_input_text() -> None:
    assert events.assistant_text("a")["content"] == [{"type": "output_text", "text": "a"}]
    assert events.user_text("a")["content"] == [{"type": "input_text", "text": "a"}]
    assert events.system_text("a")["content"] == [{"type": "input_text", "text": "a"}]


def test_a_bare_response_create_has_no_response_field() -> None:
    assert events.response_create() == {"type": "response.create"}
    assert events.response_create(input=[])["response"] == {"input": []}


@pytest.mark.parametrize(
    ("type_", "family"),
    [
        ("response.output_audio.delta", "audio"),
        ("response.output_audio_transcript.delta", "text"),
        ("response.function_call_arguments.done", "tools"),
        ("response.done", "response"),
        ("input_audio_buffer.committed", "input"),
        ("conversation.item.added", "item"),
        ("error", "error"),
        ("playback.heard", "local"),
        ("ping", "other"),
    ],
)
def test_families(type_: str, family: str) -> None:
    assert events.family_of(type_) == family


def test_an_error_without_its_wrapper_is_still_an_error() -> None:
    bare = {"type": "invalid_request_error", "message": "No.", "code": None}
    assert events.error_of(bare) == bare
    assert events.error_of({"type": "error", "error": bare}) == bare
    assert events.error_of({"type": "response.done"}) is None


def test_what_a_request_says() -> None:
    assert describing.describe({"type": "response.create"}).startswith("bare")
    spoken = events.response_create(instructions="Say hi", input=[], tool_choice="none")
    assert describing.describe(spoken) == "“Say hi”, tool_choice none, empty input"
    for count, words in ((1, "input of 1 item"), (2, "input of 2 items")):
        one = events.response_create(input=[events.user_text("hi")] * count)
        assert describing.describe(one) == words


def test_what_was_heard_reads_in_seconds() -> None:
    heard = {"type": "playback.heard", "item_id": "item_1", "ms": 2128}
    assert describing.describe(heard) == "2.1 s heard"


FIELDS = st.sampled_from(
    [
        "item",
        "response",
        "error",
        "session",
        "delta",
        "part",
        "rate_limits",
        "transcript",
        "item_id",
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TYPES, st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_event_can_be_described(type_: str, fields: dict[str, Any]) -> None:
    event = {"type": type_, **fields}
    assert isinstance(describing.describe(event), str)
    assert isinstance(events.text_of(event), str)
    assert isinstance(events.item_id_of(event) + events.response_id_of(event), str)
