"""One simulated session: orders, state, and what it answers when."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from simulator_driver import (
    MS,
    Desk,
    Event,
    Says,
    assistant_text,
    counting_ids,
    folded,
    hum,
    respond,
    types,
    update,
    user_text,
)

from rtwidgets.simulator.engine import Engine
from rtwidgets.simulator.jobs import Answer, Call
from rtwidgets.simulator.latency import TYPICAL
from rtwidgets.simulator.rules import RULES
from rtwidgets.simulator.schema import EVENTS

TEXT = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
OF_ITEMS = ("conversation.item.added", "conversation.item.done")


# --- the table


def test_the_table_has_a_row_for_every_event_and_a_method_for_every_row() -> None:
    assert list(RULES) == list(EVENTS)
    assert all(callable(rule.do) and rule.answers and rule.refused_when for rule in RULES.values())
    assert all(rule.source for rule in RULES.values())


# --- connecting


def test_a_session_says_that_it_is_simulated() -> None:
    (created,) = Desk().events
    assert created["type"] == "session.created"
    assert created["session"]["id"].startswith("sess_simulated_")


def test_session_created_is_first_however_early_a_client_speaks() -> None:
    engine = Engine("gpt-realtime", counting_ids(), latency=TYPICAL)
    engine.receive(json.dumps(update()), 0.0)
    assert types(engine.take(5.0)) == ["session.created", "session.updated"]


@pytest.mark.parametrize(
    ("model", "voice", "silence_ms"),
    [("gpt-realtime", "alloy", 200), ("gpt-realtime-2.1", "marin", 500)],
)
def test_defaults_follow_the_model(model: str, voice: str, silence_ms: int) -> None:
    session = Desk(model).session()
    assert session["audio"]["output"]["voice"] == voice
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == silence_ms


# --- responses


def test_a_text_response_has_the_order_of_the_real_one() -> None:
    desk = Desk(brain=Says("Hello there, friend."))
    assert folded(types(desk.send(respond(output_modalities=["text"])))) == TEXT


def test_words_run_ahead_of_the_sound_and_the_sound_has_the_last_word() -> None:
    desk = Desk(brain=Says("One two three four five six seven eight."), voice_ms=3000)
    kinds = [kind for kind in types(desk.send(respond())) if kind.endswith(".delta")]
    words, sound = "response.output_audio_transcript.delta", "response.output_audio.delta"
    assert kinds[:4] == [words] * 4
    assert kinds[4] == sound
    assert kinds[-1] == sound
    assert kinds.count(sound) == 12  # 250 ms each
    first_sound = kinds.index(sound)
    assert words in kinds[first_sound:]


def test_the_sound_is_what_the_voice_made_in_pieces_of_250_ms() -> None:
    desk = Desk(brain=Says("Hello."), voice_ms=1100)
    deltas = [e for e in desk.send(respond()) if e["type"] == "response.output_audio.delta"]
    pcm = [base64.b64decode(event["delta"]) for event in deltas]
    assert [len(part) // MS for part in pcm] == [250, 250, 250, 250, 100]
    assert b"".join(pcm) == desk.voice.speak("", "", 1.0)
    assert not any("obfuscation" in event for event in deltas)


def test_deltas_of_words_are_padded_to_sixteen() -> None:
    desk = Desk(brain=Says("Hello there!"))
    deltas = [e for e in desk.send(respond()) if e["type"].endswith("transcript.delta")]
    assert all(len(event["delta"]) + len(event["obfuscation"]) == 16 for event in deltas)
    assert "".join(event["delta"] for event in deltas) == "Hello there!"


@pytest.mark.parametrize(
    ("model", "phase"), [("gpt-realtime", None), ("gpt-realtime-2", "final_answer")]
)
def test_only_reasoning_models_tell_the_phase(model: str, phase: str | None) -> None:
    desk = Desk(model)
    desk.send(respond())
    assert desk.last("response.done")["response"]["output"][0].get("phase") == phase


def test_a_response_is_appended_and_the_next_one_sees_it() -> None:
    brain = Says("First.", "Second.")
    desk = Desk(brain=brain)
    desk.send(respond())
    desk.send(user_text("And then?"))
    desk.send(respond())
    assert [turn.text for turn in brain.asked[1].history] == ["First.", "And then?"]


def test_an_empty_input_sees_nothing_and_is_still_remembered() -> None:
    brain = Says("Welcome.", "Again.")
    desk = Desk(brain=brain)
    desk.send(user_text("I am here."))
    desk.send(respond(input=[], instructions="Say exactly: Welcome."))
    assert brain.asked[0].history == ()
    assert brain.asked[0].instructions == "Say exactly: Welcome."
    assert len(desk.engine.items) == 2


def test_out_of_band_leaves_no_trace_in_the_conversation() -> None:
    desk = Desk()
    came = desk.send(respond(conversation="none", metadata={"topic": "side"}))
    assert not set(types(came)) & set(OF_ITEMS)
    response = desk.last("response.done")["response"]
    assert response["conversation_id"] is None
    assert response["metadata"] == {"topic": "side"}
    assert len(desk.engine.items) == 0


@pytest.mark.parametrize("conversation", ["auto", "none"])
def test_metadata_is_echoed_from_the_first_event_on(conversation: str) -> None:
    """LiveKit knows by it which of its requests a response.created answers."""
    desk = Desk()
    metadata = {"client_event_id": "response_create_1234"}
    came = desk.send(respond(conversation=conversation, metadata=metadata))
    told = [event["response"]["metadata"] for event in came if "response" in event]
    assert told == [metadata, metadata]  # response.created, response.done
    assert desk.send(respond())[0]["response"]["metadata"] is None


def test_out_of_band_runs_beside_an_active_response() -> None:
    desk = Desk()
    desk.hold_jobs = True
    desk.send(respond())
    came = desk.send(respond(conversation="none", output_modalities=["text"]))
    assert types(came)[0] == "response.created"
    assert types(came)[-2] == "response.done"


def test_side_talks_are_not_without_number() -> None:
    desk = Desk()
    desk.hold_jobs = True
    for _ in range(64):
        assert types(desk.send(respond(conversation="none"))) == ["response.created"]
    (refused,) = desk.send(respond(conversation="none"))
    assert refused["error"]["code"] == "rate_limit_exceeded"


def test_input_may_refer_to_items_and_bring_its_own() -> None:
    brain = Says("Yes.")
    desk = Desk(brain=brain)
    desk.send(user_text("Remember me.", id="item_mine"), user_text("Not me."))
    own = user_text("Only this.")["item"]
    desk.send(respond(input=[{"type": "item_reference", "id": "item_mine"}, own]))
    assert [turn.text for turn in brain.asked[0].history] == ["Remember me.", "Only this."]


def test_instructions_of_a_response_replace_those_of_the_session_once() -> None:
    brain = Says("A.", "B.")
    desk = Desk(brain=brain)
    desk.send(update(instructions="You are Ada."))
    desk.send(respond(instructions="Greet."))
    desk.send(respond())
    assert [question.instructions for question in brain.asked] == ["Greet.", "You are Ada."]


def test_a_reply_can_be_cut_short_by_its_budget() -> None:
    desk = Desk(brain=Says("One two three four five six seven eight nine ten."))
    desk.send(respond(output_modalities=["text"], max_output_tokens=3))
    response = desk.last("response.done")["response"]
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert response["output"][0]["content"][0]["text"] == "One two three"


def test_a_brain_that_fails_is_a_failed_response_and_the_session_goes_on() -> None:
    class Broken:
        def answer(self, question: Any) -> Answer:
            raise RuntimeError("no idea")

    desk = Desk(brain=Broken())
    kinds = types(desk.send(respond()))
    assert kinds == ["response.created", "response.done", "rate_limits.updated"]
    response = desk.last("response.done")["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["type"] == "server_error"
    desk.brain = Says("Better now.")
    desk.send(respond())
    assert desk.last("response.done")["response"]["status"] == "completed"


def test_commentary_and_call_interleave_as_recorded() -> None:
    desk = Desk("gpt-realtime-2.1", brain=Says(Answer("I’ll look.", (Call("look", "{}"),))))
    came = desk.send(respond(output_modalities=["text"]))
    places = [
        (e["type"].removeprefix("response."), e["output_index"])
        for e in came
        if "output_index" in e
    ]
    assert places.index(("output_item.added", 1)) < places.index(("output_text.done", 0))
    assert places.index(("output_item.done", 0)) < places.index(("function_call_arguments.done", 1))


def test_a_call_is_answered_and_then_spoken_of() -> None:
    tool = {"type": "function", "name": "get_weather", "description": "Weather for a city."}
    tool["parameters"] = {"type": "object", "properties": {"city": {"type": "string"}}}  # type: ignore[assignment]
    desk = Desk()
    desk.send(update(tools=[tool], output_modalities=["text"]))
    desk.send(user_text("What is the weather in London?"), respond())
    call = desk.last("response.done")["response"]["output"][0]
    assert json.loads(call["arguments"]) == {"city": "London"}
    item = {"type": "function_call_output", "call_id": call["call_id"], "output": "Foggy."}
    added, done = desk.send({"type": "conversation.item.create", "item": item})
    assert "status" not in added["item"]
    desk.send(respond())
    assert desk.last("response.done")["response"]["output"][0]["content"][0]["text"] == "Foggy."


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_output_that_comes_before_its_response_is_done_appears_after_it(cancelled: bool) -> None:
    """Captured (§3.7); a response.create that comes with it is refused."""
    desk = Desk(brain=Says(Call("f", json.dumps({"a": list(range(30))})), "Fine."), latency=TYPICAL)
    desk.send(update(tools=[{"type": "function", "name": "f"}]))
    desk.send_for(0.6, respond())
    call_id = desk.last("response.function_call_arguments.delta")["call_id"]
    item = {"type": "function_call_output", "call_id": call_id, "output": "1"}
    create = {"type": "conversation.item.create", "item": item}
    wrong = {**create, "previous_item_id": "nowhere", "event_id": "mine"}
    came = desk.send_for(0.1, create, wrong, {"type": "response.create", "event_id": "early"})
    (error,) = [event["error"] for event in came if event["type"] == "error"]
    assert (error["code"], error["event_id"]) == (
        "conversation_already_has_active_response", "early"
    )  # fmt: skip
    assert not set(types(came)) & set(OF_ITEMS)
    came = desk.send({"type": "response.cancel"}) if cancelled else desk.send()
    kinds = types(came)
    done = kinds.index("response.done")
    after = ["rate_limits.updated", "conversation.item.added", "conversation.item.done", "error"]
    assert kinds[done + 1 :] == after
    assert came[-2]["item"]["call_id"] == call_id and came[-1]["error"]["event_id"] == "mine"
    desk.send(respond())
    assert desk.last("response.done")["response"]["status"] == "completed"


# --- sessions


def test_empty_instructions_restore_the_servers_own() -> None:
    desk = Desk()
    default = desk.session()["instructions"]
    desk.send(update(instructions="You are Ada."))
    desk.send(update(instructions=""))
    assert desk.session()["instructions"] == default


def test_only_present_fields_change() -> None:
    desk = Desk()
    desk.send(update(instructions="You are Ada."))
    desk.send(update(audio={"input": {"turn_detection": None}}))
    desk.send(update(audio={"output": {"speed": 1.2}}))
    session = desk.session()
    assert session["instructions"] == "You are Ada."
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["audio"]["output"]["voice"] == "alloy"
    assert session["audio"]["output"]["speed"] == 1.2


def test_text_does_not_fix_the_voice_and_sound_does() -> None:
    desk = Desk()
    desk.send(respond(output_modalities=["text"]))
    assert types(desk.send(update(audio={"output": {"voice": "cedar"}}))) == ["session.updated"]
    desk.send(respond())
    assert types(desk.send(update(audio={"output": {"voice": "sage"}}))) == ["error"]
    assert types(desk.send(update(audio={"output": {"voice": "cedar"}}))) == ["session.updated"]


# --- items


def test_items_can_be_put_first_or_after_another() -> None:
    desk = Desk()
    desk.send(user_text("b", id="b"))
    desk.send({**user_text("a", id="a"), "previous_item_id": "root"})
    (added, _) = desk.send({**user_text("c", id="c"), "previous_item_id": "a"})
    assert [entry.id for entry in desk.engine.items] == ["a", "c", "b"]
    assert added["previous_item_id"] == "a"


def test_a_deleted_item_is_not_known_any_more() -> None:
    brain = Says("Fine.")
    desk = Desk(brain=brain)
    desk.send(user_text("Greet me.", id="seed"))
    (deleted,) = desk.send({"type": "conversation.item.delete", "item_id": "seed"})
    assert deleted["item_id"] == "seed"
    desk.send(respond())
    assert brain.asked[0].history == ()


def test_a_scripted_line_is_silent_and_known() -> None:
    desk = Desk()
    came = desk.send(assistant_text("Welcome to the museum!"))
    assert types(came) == list(OF_ITEMS)
    desk.send(user_text("What did you say first?"), respond(output_modalities=["text"]))
    said = desk.last("response.done")["response"]["output"][0]["content"][0]["text"]
    assert "Welcome to the museum!" in said


def test_garbage_is_refused_and_forgotten() -> None:
    deep = '{"type":"session.update","session":' * 500 + "{}" + "}" * 500
    half = '{"type":"conversation.item.delete","item_id":"\\ud800"}'
    endless = '{"type":"session.update","session":{"type":"realtime","tools":[1e999]}}'
    for frame in ("", "nothing", "[1]", "7", "NaN", deep, half, endless, b"\xff\x00", "{}"):
        desk = Desk()
        assert types(desk.send(frame)) == ["error"]
        assert types(desk.send(respond()))[0] == "response.created"


# --- time


def test_the_same_frames_at_the_same_times_give_the_same_events() -> None:
    def told() -> list[Event]:
        desk = Desk(brain=Says("One two three four five six."), latency=TYPICAL)
        desk.send_for(0.8, respond())
        desk.send(hum(200))
        return desk.events

    assert told() == told()


def test_sound_is_sent_faster_than_it_plays() -> None:
    desk = Desk(brain=Says("Hello."), voice_ms=5000, latency=TYPICAL)
    desk.send(respond())
    assert 0.3 < desk.now < 2.5
