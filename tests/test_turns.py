"""Whatever the server does with a request, the next one gets its turn and its own answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rtwidgets.conversation import Conversation
from rtwidgets.errors import Misuse
from rtwidgets.events import Event, item_create, response_create

BUSY = {"code": "conversation_already_has_active_response", "message": "…"}


def created(id_: str, **more: Any) -> Event:
    response = {"id": id_, "status": "in_progress", "conversation_id": "conv_1", **more}
    return {"type": "response.created", "response": response}


def done(id_: str, **more: Any) -> Event:
    response = {"id": id_, "status": "completed", "conversation_id": "conv_1", **more}
    return {"type": "response.done", "response": response}


def error(**fields: Any) -> Event:
    return {"type": "error", "event_id": "event_1", "error": {"event_id": None, **fields}}


def asked() -> tuple[Conversation, str]:
    """A conversation in which one response is asked for, and the request's id."""
    conversation = Conversation()
    request = conversation.request(response_create())
    conversation.to_send()
    return conversation, request["event_id"]


def test_a_request_that_is_withdrawn_is_refused_and_only_while_it_waits() -> None:
    conversation, first = asked()
    second = conversation.request(response_create())["event_id"]
    for request in (first, second, "unknown"):
        conversation.turns.withdraw(request)
    assert conversation.refusal_of(first) is None
    assert (conversation.refusal_of(second) or {})["code"] == "interrupted"
    for event in (created("a"), done("a")):
        conversation.receive(event)
    assert conversation.to_send() == [] and not conversation.busy


def next_goes_out(conversation: Conversation) -> bool:
    request = conversation.request(response_create())
    return request in conversation.to_send()


# Everything that may come back for a request instead of created ... done, and how the request ends.
ENDINGS: dict[str, tuple[list[Event], str]] = {
    "done without created": ([done("r1")], "r1"),
    "refused by name": ([error(message="No.", event_id="create_1")], "refused"),
    "refused without a name": ([error(type="server_error", message="No.", param=None)], "refused"),
    "refused without a wrapper": (
        [{"type": "invalid_request_error", "event_id": "event_9", "message": "No."}],
        "refused",
    ),
    "cancelled where nothing is active": (
        [created("r1"), error(code="response_cancel_not_active", message="…")],
        "r1",
    ),
    "a stray delta of an unknown response": (
        [
            {
                "type": "response.output_text.delta",
                "response_id": "rX",
                "item_id": "i",
                "delta": "x",
            },
            created("r1"),
            done("r1"),
        ],
        "r1",
    ),
    "created twice": ([created("r1"), created("r1"), done("r1")], "r1"),
    "done twice": ([created("r1"), done("r1"), done("r1")], "r1"),
}


@pytest.mark.parametrize(("events", "end"), ENDINGS.values(), ids=ENDINGS)
def test_a_turn_is_never_blocked_for_ever(events: list[Event], end: str) -> None:
    conversation, request = asked()
    for event in events:
        conversation.receive(event)
    if end == "refused":
        assert conversation.refusal_of(request) is not None
        assert conversation.response_to(request) is None
    else:
        response = conversation.response_to(request)
        assert response is not None and response.id == end and not response.active
    assert not conversation.busy
    assert next_goes_out(conversation)


def test_giving_up_frees_the_turn() -> None:
    conversation, request = asked()
    assert not next_goes_out(conversation)
    conversation.turns.give_up(request)
    conversation.receive({"type": "ping"})
    assert len(conversation.to_send()) == 1


def test_an_error_about_something_else_is_not_blamed_on_the_request() -> None:
    conversation, request = asked()
    conversation.sent_by_hand({"type": "conversation.item.delete", "item_id": "nobody"})
    conversation.receive(error(code="item_delete_invalid_item_id", message="…"))
    assert conversation.refusal_of(request) is None
    conversation.receive(created("r1"))
    assert conversation.response_to(request) is not None


def test_a_request_by_hand_that_is_refused_brings_no_second_reply() -> None:
    conversation, request = asked()
    conversation.receive(created("r1"))
    conversation.sent_by_hand({"type": "response.create", "event_id": "mine"})
    conversation.receive({"type": "error", "error": {**BUSY, "event_id": "mine"}})
    conversation.receive(done("r1"))
    assert conversation.to_send() == []
    response = conversation.response_to(request)
    assert response is not None and response.id == "r1"


@pytest.mark.parametrize("named", [True, False])
def test_a_turn_the_server_detected_first_costs_ours_nothing(named: bool) -> None:
    conversation, request = asked()
    conversation.receive(created("r_vad"))
    cause = request if named else None
    conversation.receive({"type": "error", "error": {**BUSY, "event_id": cause}})
    assert conversation.response_to(request) is None
    conversation.receive(done("r_vad"))
    assert [event["event_id"] for event in conversation.to_send()] == [request]
    conversation.receive(created("r_ours"))
    response = conversation.response_to(request)
    assert response is not None and response.id == "r_ours"


def test_a_reply_that_is_spoken_over_and_goes_on_is_not_asked_for_again() -> None:
    """interrupt_response off: the server's own answer to that turn is refused, and not ours."""
    conversation, request = asked()
    conversation.receive(created("r_ours"))
    conversation.receive({"type": "input_audio_buffer.committed", "item_id": "item_user"})
    conversation.receive(error(**BUSY))
    conversation.receive(done("r_ours"))
    assert conversation.to_send() == []
    response = conversation.response_to(request)
    assert response is not None and response.id == "r_ours"


def test_each_answer_goes_to_its_own_request_also_beside_the_conversation() -> None:
    conversation = Conversation()
    inside = conversation.request(response_create())["event_id"]
    aside = conversation.request(response_create(conversation="none"))["event_id"]
    conversation.to_send()
    conversation.receive(created("r_aside", conversation_id=None))
    conversation.receive(created("r_inside"))
    found = [conversation.response_to(one) for one in (inside, aside)]
    assert [one.id for one in found if one] == ["r_inside", "r_aside"]


def test_interrupted_requests_say_so() -> None:
    conversation, _ = asked()
    waiting = conversation.request(response_create())["event_id"]
    conversation.turns.forget_waiting()
    refusal = conversation.refusal_of(waiting)
    assert refusal is not None and "Interrupted" in refusal["message"]


def test_a_gate_holds_back_what_waited_too() -> None:
    conversation, _ = asked()
    waiting = conversation.request(response_create())["event_id"]
    conversation.turns.gate = lambda _: "spent"
    conversation.receive(created("r1"))
    conversation.receive(done("r1"))
    refusal = conversation.refusal_of(waiting)
    assert refusal is not None and refusal["message"] == "spent"
    assert conversation.to_send() == []


def test_usage_is_counted_once_whatever_its_form() -> None:
    conversation, _ = asked()
    conversation.receive(done("r1", usage={"total_tokens": 5, "d": {"a": 1}}))
    conversation.receive(done("r1", usage={"total_tokens": 5}))
    conversation.receive(done("r2", usage={"total_tokens": 2, "d": 7}))
    conversation.receive(done("r3", usage={"total_tokens": {"a": 1}, "d": {"a": 2}}))
    assert conversation.usage == {"total_tokens": 7, "d": {"a": 3}}


def test_a_server_that_never_names_predecessors_keeps_the_order_of_arrival() -> None:
    conversation = Conversation()
    for id_ in "abc":
        item = {"id": id_, "type": "message"}
        conversation.receive(
            {"type": "conversation.item.added", "item": item, "previous_item_id": None}
        )
    assert [item.id for item in conversation.items] == ["a", "b", "c"]


def test_an_item_put_in_front_of_all_stands_there() -> None:
    conversation = Conversation()
    conversation.request(item_create({"type": "message"}, previous_item_id="root"))
    for id_ in "ab":
        item = {"id": id_, "type": "message"}
        conversation.receive(
            {"type": "conversation.item.added", "item": item, "previous_item_id": None}
        )
    assert [item.id for item in conversation.items] == ["b", "a"]


@pytest.mark.parametrize("kind", ["response.create", "conversation.item.create"])
def test_what_cannot_be_sent_is_refused_before_anything_remembers_it(kind: str) -> None:
    conversation = Conversation()
    with pytest.raises(Misuse, match="JSON"):
        conversation.request({"type": kind, "item": {1, 2}})
    assert not conversation.busy and not conversation.has_to_send
    assert next_goes_out(conversation)


def test_what_is_to_be_sent_is_given_once_as_events_or_as_frames() -> None:
    conversation = Conversation()
    asked = [conversation.request(item_create({"type": "message"})) for _ in range(2)]
    frames = [conversation.turns.next_frame() for _ in asked]
    assert [json.loads(frame) for frame in frames] == asked
    assert conversation.to_send() == [] and not conversation.has_to_send
