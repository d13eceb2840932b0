"""A reply that does not come to its end: cancelled, interrupted, truncated."""

from __future__ import annotations

import json

from simulator_driver import Desk, Event, Says, hum, respond, types, update

from rtwidgets.simulator.latency import TYPICAL


def interrupted(at: float, reason: Event | None = None) -> Desk:
    desk = Desk(brain=Says("One two three four five six seven."), voice_ms=4000, latency=TYPICAL)
    desk.engine.receive(json.dumps(respond()), desk.now)
    desk.settle(until=desk.now + at)
    desk.send(reason or {"type": "response.cancel"})
    return desk


def test_cancel_closes_what_is_open_and_then_the_response() -> None:
    desk = interrupted(0.8)
    kinds = types(desk.events)
    assert kinds[-7:] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = desk.last("response.done")["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert response["output"][0]["status"] == "incomplete"
    assert desk.engine.floor.active is None


def test_cancel_before_anything_was_said_has_no_item() -> None:
    desk = interrupted(0.1)
    assert types(desk.events)[-3:] == ["response.created", "response.done", "rate_limits.updated"]


def test_nothing_comes_after_a_cancelled_response() -> None:
    desk = interrupted(0.8)
    before = len(desk.events)
    desk.settle()
    assert len(desk.events) == before


def test_speech_over_a_reply_cancels_it_as_turn_detected() -> None:
    desk = interrupted(0.8, hum(200))
    kinds = types(desk.events)
    started = kinds.index("input_audio_buffer.speech_started")
    assert "response.output_audio.done" == kinds[started + 1]
    details = desk.last("response.done")["response"]["status_details"]
    assert details == {"type": "cancelled", "reason": "turn_detected"}


def test_truncating_forgets_the_words_that_were_not_heard() -> None:
    brain = Says("One two three four.", "Well.")
    desk = Desk(brain=brain, voice_ms=2000)
    desk.send(respond())
    item_id = desk.last("response.done")["response"]["output"][0]["id"]
    truncate = {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0}
    (truncated,) = desk.send({**truncate, "audio_end_ms": 1000})
    assert truncated["audio_end_ms"] == 1000
    (retrieved,) = desk.send({"type": "conversation.item.retrieve", "item_id": item_id})
    assert retrieved["item"]["content"] == [{"type": "output_audio"}]
    desk.send(respond())
    assert brain.asked[1].history[0].text == "One two"


def test_the_speed_changes_between_turns_only() -> None:
    """Documented: "in between model turns, not while a response is in progress"."""
    faster = update(audio={"output": {"speed": 1.2}}, instructions="Hurry.")
    desk = interrupted(0.8, faster)
    error = desk.last("error")["error"]
    assert (error["code"], error["param"]) == ("cannot_update_speed", None)
    assert desk.session()["instructions"] != "Hurry."  # refused as a whole
    same = update(audio={"output": {"speed": 1.0}})
    desk.engine.receive(json.dumps(respond()), desk.now)
    desk.settle(until=desk.now + 0.5)
    assert types(desk.send_for(0.1, same)).count("session.updated") == 1  # no change at all
    desk.settle()
    assert types(desk.send(faster)) == ["session.updated"]


def test_a_side_talk_does_not_hold_the_speed() -> None:
    desk = Desk()
    desk.hold_jobs = True
    desk.send(respond(conversation="none"))
    assert types(desk.send(update(audio={"output": {"speed": 1.2}}))) == ["session.updated"]
