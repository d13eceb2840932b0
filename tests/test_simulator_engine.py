"""One simulated session: orders, state, and what it answers when."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulator_driver import (
    MS,
    Desk,
    Event,
    Says,
    append,
    assistant_text,
    counting_ids,
    folded,
    hum,
    respond,
    silence,
    types,
    update,
    user_text,
)

from rtwidgets.simulator import speech
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


# --- cancel and interrupt


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


# --- what the user says


def test_a_spoken_turn_is_heard_and_answered() -> None:
    desk = Desk()
    kinds = types(desk.send(silence(500), hum(1000), silence(400)))
    assert kinds[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        *OF_ITEMS,
        "response.created",
    ]
    assert desk.last("input_audio_buffer.speech_started")["audio_start_ms"] == 200
    assert desk.last("input_audio_buffer.speech_stopped")["audio_end_ms"] == 1700


def test_a_spoken_sentence_is_one_turn_however_it_is_cut() -> None:
    pcm = speech.shared().speak("Hello, my name is Marcelo. How are you today?", "cedar")
    samples = np.concatenate([np.frombuffer(pcm, "<i2"), np.zeros(24 * 900)])
    for size in (240, 960, 24_000):
        desk = Desk("gpt-realtime-2.1")
        desk.send(*(append(samples[at : at + size]) for at in range(0, len(samples), size)))
        assert types(desk.events).count("input_audio_buffer.speech_stopped") == 1
        spoken = next(iter(desk.engine.items)).spoken_ms
        assert spoken == pytest.approx(len(pcm) / MS, rel=0.2)


def test_silence_is_no_turn() -> None:
    assert Desk().send(silence(5000)) == []


def test_a_manual_turn_is_committed_and_waits() -> None:
    desk = Desk()
    desk.send(update(audio={"input": {"turn_detection": None}}))
    kinds = types(desk.send(hum(500), {"type": "input_audio_buffer.commit"}))
    assert kinds == ["input_audio_buffer.committed", *OF_ITEMS]
    (refused,) = desk.send(hum(50), {"type": "input_audio_buffer.commit"})
    assert "only has 50.00ms" in refused["error"]["message"]


def test_cleared_audio_is_gone() -> None:
    desk = Desk()
    desk.send(update(audio={"input": {"turn_detection": None}}))
    (cleared,) = desk.send(hum(500), {"type": "input_audio_buffer.clear"})
    assert cleared["type"] == "input_audio_buffer.cleared"
    assert types(desk.send({"type": "input_audio_buffer.commit"})) == ["error"]


def test_the_transcript_is_null_or_honest() -> None:
    desk = Desk()
    desk.send(hum(1000), silence(400))
    assert desk.last("conversation.item.added")["item"]["role"] == "assistant"
    user = next(entry for entry in desk.engine.items if entry.wire["role"] == "user")
    assert user.content[0]["transcript"] is None
    desk.send(update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}}))
    desk.send(hum(4200), silence(400))
    completed = desk.last("conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == "(4.2 seconds of speech)"
    assert completed["usage"] == {"type": "duration", "seconds": 5}


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
def test_telephone_audio_lasts_as_long(kind: str) -> None:
    desk = Desk(brain=Says("Hello."), voice_ms=1000)
    telephone = {"type": kind}
    desk.send(update(audio={"input": {"format": telephone, "turn_detection": None}}))
    sound = {"type": "input_audio_buffer.append", "audio": base64.b64encode(b"\x55" * 799).decode()}
    (refused,) = desk.send(sound, {"type": "input_audio_buffer.commit"})
    assert "only has 99.88ms" in refused["error"]["message"]
    came = desk.send(respond(audio={"output": {"format": telephone}}))
    sent = [
        base64.b64decode(e["delta"]) for e in came if e["type"] == "response.output_audio.delta"
    ]
    assert [len(part) for part in sent] == [2000] * 4


# --- time


def test_the_same_frames_at_the_same_times_give_the_same_events() -> None:
    assert interrupted(0.8).events == interrupted(0.8).events


def test_sound_is_sent_faster_than_it_plays() -> None:
    desk = Desk(brain=Says("Hello."), voice_ms=5000, latency=TYPICAL)
    desk.send(respond())
    assert 0.3 < desk.now < 2.5


# --- nothing breaks it

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 70000)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
GOOD: list[Event] = [
    update(instructions="x", output_modalities=["text"], tools=[{"type": "function", "name": "f"}]),
    update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}),
    update(audio={"output": {"voice": {"id": "voice_x"}, "speed": 1.0}}, tool_choice="required"),
    user_text("Hello"),
    assistant_text("Hi", id="item_a"),
    {**user_text("c"), "previous_item_id": "root"},
    {"type": "conversation.item.retrieve", "item_id": "item_a"},
    {"type": "conversation.item.delete", "item_id": "item_a"},
    {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 9},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    hum(120),
    respond(input=[], conversation="none", metadata={"a": "b"}, max_output_tokens=5),
    respond(),
    {"type": "response.cancel"},
]


@st.composite
def broken(draw: Any) -> Event:
    """A good event, with a value somewhere in it exchanged, dropped or added."""
    event: Event = json.loads(json.dumps(draw(st.sampled_from(GOOD))))
    place: Any = event
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys)) if keys else None
        if key is None or not isinstance(place[key], (dict, list)) or draw(st.booleans()):
            break
        place = place[key]
    if key is None:
        return event
    change = draw(st.sampled_from(["exchange", "drop", "add", "leave"]))
    if change == "exchange":
        place[key] = draw(JSON)
    elif change == "drop":
        del place[key]
    elif change == "add" and isinstance(place, dict):
        place[draw(st.text(max_size=6))] = draw(JSON)
    return event


@given(st.lists(broken(), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_it_answers_and_never_breaks(events: list[Event]) -> None:
    desk = Desk("gpt-realtime-2.1", brain=Says("Hi."), voice_ms=300)
    for event in events:
        came = desk.send(event)
        errors = types(came).count("error")
        assert errors <= 1
        if not came and desk.engine.closing is None:  # only this event has no answer
            assert event["type"].endswith("input_audio_buffer.append")
        assert all(json.dumps(sent) and sent["event_id"] for sent in came)
    assert types(desk.send(update(instructions="Still there."))) in (["session.updated"], [])


# --- what a long conversation, much thought and pictures cost


def usages(desk: Desk) -> list[Event]:
    return [e["response"]["usage"] for e in desk.events if e["type"] == "response.done"]


def long_talk(truncation: Any, model: str = "gpt-realtime") -> Desk:
    desk = Desk(model, brain=Says("Yes."))
    desk.send(update(truncation=truncation, output_modalities=["text"]))
    for place in range(40):
        desk.send(user_text("word " * 1000, id=f"item_{place}"))
    desk.send(respond())
    return desk


def test_the_oldest_items_are_left_out_of_a_context_that_is_too_long() -> None:
    desk = long_talk("auto")
    (usage,) = usages(desk)
    assert 27_000 < usage["input_tokens"] <= 28_672
    assert len(desk.engine.items) == 41  # they stay in the conversation
    (usage,) = usages(long_talk("auto", "gpt-realtime-2.1"))
    assert usage["input_tokens"] > 40_000


def test_a_retention_ratio_leaves_out_more_and_a_limit_counts() -> None:
    half = {"type": "retention_ratio", "retention_ratio": 0.5}
    (usage,) = usages(long_talk(half))
    assert 13_000 < usage["input_tokens"] < 15_000
    limited = {**half, "token_limits": {"post_instructions": 8_000}}
    (usage,) = usages(long_talk(limited))
    assert 3_000 < usage["input_tokens"] < 4_500


def test_with_truncation_disabled_the_response_fails() -> None:
    response = long_talk("disabled").last("response.done")["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["code"] == "context_length_exceeded"


def test_thought_is_billed_as_text_and_named() -> None:
    desk = Desk("gpt-realtime-2.1", brain=Says("Yes."))
    desk.send(respond(output_modalities=["text"]))
    desk.send(respond(output_modalities=["text"], reasoning={"effort": "high"}))
    plain, thoughtful = (usage["output_token_details"] for usage in usages(desk))
    assert "reasoning_tokens" not in plain
    assert thoughtful["reasoning_tokens"] == 192
    assert thoughtful["text_tokens"] == plain["text_tokens"] + 192


def test_a_picture_is_billed_as_image_tokens_each_time() -> None:
    desk = Desk(brain=Says("A cat."))
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    item = {"type": "message", "role": "user", "content": [picture]}
    desk.send({"type": "conversation.item.create", "item": item})
    desk.send(respond(output_modalities=["text"]))
    desk.send(respond(output_modalities=["text"]))
    details = [usage["input_token_details"] for usage in usages(desk)]
    assert details[0]["image_tokens"] == details[1]["image_tokens"] > 0
    assert usages(desk)[0]["input_tokens"] == sum(
        details[0][f"{kind}_tokens"] for kind in ("text", "audio", "image")
    )
