"""The conversation, fed with recorded sessions and with what no server should send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtwidgets.conversation import Conversation
from rtwidgets.events import Event, item_create, response_create, user_text


def played(rows: list[dict[str, Any]]) -> Conversation:
    conversation = Conversation()
    for row in rows:
        if row["direction"] == "server":
            conversation.receive(row["event"])
    return conversation


def fed(*events: Event) -> Conversation:
    conversation = Conversation()
    for event in events:
        conversation.receive(event)
    return conversation


def created(id_: str = "resp_1", conversation: str | None = "conv_1") -> Event:
    response = {"id": id_, "status": "in_progress", "conversation_id": conversation}
    return {"type": "response.created", "response": response}


def done(id_: str = "resp_1", status: str = "completed", **more: Any) -> Event:
    response = {"id": id_, "status": status, "conversation_id": "conv_1", **more}
    return {"type": "response.done", "response": response}


def added(id_: str, **more: Any) -> Event:
    item = {"id": id_, "type": "message", "role": "user", "status": "completed", "content": []}
    return {"type": "conversation.item.added", "item": item, **more}


# ------------------------------------------------------------------ recordings


def test_each_recording_ends_with_the_items_texts_and_usage_it_holds(
    streams: dict[str, list[dict[str, Any]]],
) -> None:
    for name, rows in streams.items():
        conversation = played(rows)
        events = [row["event"] for row in rows if row["direction"] == "server"]
        finished = [event["response"] for event in events if event["type"] == "response.done"]
        order = [
            event["item"]["id"] for event in events if event["type"] == "conversation.item.added"
        ]
        assert [item.id for item in conversation.items] == order, name
        assert list(conversation.responses) == [response["id"] for response in finished], name
        total = sum(response["usage"]["total_tokens"] for response in finished)
        assert conversation.usage["total_tokens"] == total, name
        assert not conversation.busy, name
        for response in finished:
            kept = conversation.responses[response["id"]]
            assert (kept.status, kept.usage) == (response["status"], response["usage"]), name
            assert kept.item_ids == [item["id"] for item in response["output"]], name


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (
            "openai_openai_text_in_audio_out_turn",
            ["Say a short greeting.", "Hi there!"],
        ),
        (
            "openai_openai_audio_in_server_vad_turn",
            [
                "Hello, my name is Marcelo.",
                "Hello, Marcelo! Great to meet you. How can I help you today?",
            ],
        ),
        (
            "openai_parity_text_tool_round_parity_openai_current",
            [
                "What is the weather in London?",
                "I’ll check the current weather in London for you.",
                '{"city":"London"}',
                "It is foggy and 12 degrees in London.",
                "It’s foggy and 12 degrees in London.",
            ],
        ),
    ],
)
def test_who_said_what(
    streams: dict[str, list[dict[str, Any]]], name: str, texts: list[str]
) -> None:
    assert [item.text for item in played(streams[name]).items] == texts


# ------------------------------------------------------------------ order


def test_order_is_taken_from_added_and_not_from_done() -> None:
    conversation = fed(
        added("a", previous_item_id=None),
        added("c", previous_item_id="a"),
        added("b", previous_item_id="a"),
        {**added("c", previous_item_id=None), "type": "conversation.item.done"},
        added("first", previous_item_id=None),
        added("last", previous_item_id="nobody"),
        added("tail"),
    )
    assert [item.id for item in conversation.items] == ["first", "a", "b", "c", "last", "tail"]


def test_a_deleted_item_is_gone_and_a_truncated_one_has_lost_its_words() -> None:
    spoken = added("a")
    spoken["item"]["content"] = [{"type": "output_audio", "transcript": "Welcome to the museum"}]
    conversation = fed(
        spoken,
        added("b"),
        {"type": "conversation.item.deleted", "item_id": "b"},
        {"type": "conversation.item.truncated", "item_id": "a", "audio_end_ms": 700},
    )
    [item] = conversation.items
    assert (item.text, item.truncated_ms) == ("", 700)


def test_what_is_out_of_band_stays_out() -> None:
    output = [{"id": "x", "type": "message", "role": "assistant", "content": []}]
    conversation = fed(
        created("resp_1", None),
        {
            "type": "response.done",
            "response": {
                "id": "resp_1",
                "status": "completed",
                "conversation_id": None,
                "output": output,
            },
        },
    )
    assert conversation.items == []
    assert conversation.responses["resp_1"].item_ids == ["x"]


def test_a_server_without_item_events_still_fills_the_conversation() -> None:
    output = [
        {
            "id": "x",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hi"}],
        }
    ]
    conversation = fed(created(), done(output=output))
    assert [item.text for item in conversation.items] == ["Hi"]


def test_beta_names_are_read() -> None:
    conversation = fed(
        added("a"),
        {"type": "response.text.delta", "item_id": "a", "content_index": 0, "delta": "Hi"},
    )
    assert conversation.items[0].text == "Hi"


# ------------------------------------------------------------------ one response at a time


def test_the_next_request_waits_for_the_end_of_the_reply() -> None:
    conversation = Conversation()
    first = conversation.request(response_create())
    second = conversation.request(response_create())
    assert conversation.to_send() == [first]
    conversation.receive(created())
    assert conversation.to_send() == []
    conversation.receive(done())
    assert conversation.to_send() == [second]
    assert conversation.response_to(first["event_id"]) is conversation.responses["resp_1"]
    assert conversation.response_to(second["event_id"]) is None


def test_items_and_out_of_band_requests_do_not_wait() -> None:
    conversation = Conversation()
    conversation.request(response_create())
    beside = conversation.request(response_create(conversation="none"))
    item = conversation.request(item_create(user_text("hi")))
    assert conversation.to_send()[1:] == [beside, item]


def test_a_refused_request_frees_the_turn() -> None:
    conversation = Conversation()
    asked = conversation.request(response_create(voice="nobody"))
    waiting = conversation.request(response_create())
    conversation.to_send()
    refusal = {"code": "invalid_value", "message": "No.", "event_id": asked["event_id"]}
    conversation.receive({"type": "error", "error": refusal})
    assert conversation.refusal_of(asked["event_id"]) == refusal
    assert conversation.to_send() == [waiting]


def test_a_request_overtaken_by_a_detected_turn_gets_its_own_answer() -> None:
    conversation = Conversation()
    asked = conversation.request(response_create())
    conversation.to_send()
    conversation.receive(created("resp_vad"))
    busy = {"code": "conversation_already_has_active_response", "message": "…", "event_id": None}
    conversation.receive({"type": "error", "error": busy})
    assert conversation.response_to(asked["event_id"]) is None
    conversation.receive(done("resp_vad"))
    assert conversation.to_send() == [asked]
    conversation.receive(created("resp_ours"))
    assert conversation.response_to(asked["event_id"]) is conversation.responses["resp_ours"]


def test_a_response_done_without_created_is_taken() -> None:
    conversation = fed(done("resp_late", "cancelled"))
    assert conversation.responses["resp_late"].status == "cancelled"
    assert conversation.active_response is None


# ------------------------------------------------------------------ anything at all

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**12)
    | st.sampled_from(["", "a", "resp_1", "item_1"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "type", "content", "status", "usage", "role"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_recordings_never_raise(
    streams: dict[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    rows = streams[data.draw(st.sampled_from(sorted(streams)))]
    events = [dict(row["event"]) for row in rows if row["direction"] == "server"]
    for _ in range(data.draw(st.integers(1, 8))):
        event = data.draw(st.sampled_from(events))
        key = data.draw(st.sampled_from(sorted(event)))
        event[key] = data.draw(JUNK)
    conversation = Conversation()
    for event in data.draw(st.permutations(events[:12])) + events:
        conversation.receive(event)
    assert len({item.id for item in conversation.items}) == len(conversation.items)
    assert isinstance(conversation.busy, bool)
