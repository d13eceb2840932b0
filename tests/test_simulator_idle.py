"""idle_timeout_ms: the server prompts again when nobody speaks, and not before."""

from __future__ import annotations

import pytest
from simulator_driver import Desk, Says, append, folded, hum, respond, types, update

IDLE = {"type": "server_vad", "idle_timeout_ms": 6000}
OF_ITEMS = ["conversation.item.added", "conversation.item.done"]


def quiet_desk(**options: object) -> Desk:
    desk = Desk(brain=Says("Hello."), voice_ms=2000, **options)  # type: ignore[arg-type]
    desk.send_for(0.0, update(audio={"input": {"turn_detection": IDLE}}))
    return desk


def test_it_prompts_again_after_the_playback_and_the_timeout() -> None:
    desk = quiet_desk()
    desk.send_for(7.9, respond())
    assert types(desk.events)[-1] == "rate_limits.updated"
    came = desk.send_for(0.2)
    assert folded(types(came))[:7] == [
        "input_audio_buffer.timeout_triggered",
        *OF_ITEMS,
        "input_audio_buffer.committed",
        *OF_ITEMS,
        "response.created",
    ]
    assert types(came)[-2:] == ["response.done", "rate_limits.updated"]
    triggered, told, _, committed, added = came[:5]
    assert (told["item"]["role"], added["item"]["role"]) == ("system", "user")
    assert told["item"]["content"][0]["text"].startswith("No user speech was detected for a while.")
    assert committed["previous_item_id"] == added["previous_item_id"] == told["item"]["id"]
    assert triggered["item_id"] == committed["item_id"] == added["item"]["id"]


def test_it_prompts_again_and_again() -> None:
    desk = quiet_desk()
    desk.send_for(25.0, respond())
    assert types(desk.events).count("input_audio_buffer.timeout_triggered") == 3


def test_nothing_fires_before_a_first_reply() -> None:
    assert types(quiet_desk().send_for(60.0)) == []


def test_an_option_lets_it_fire_before_a_first_reply() -> None:
    came = quiet_desk(idle_before_first_reply=True).send_for(6.1)
    assert types(came)[0] == "input_audio_buffer.timeout_triggered"


def test_speech_and_replies_begin_the_silence_anew() -> None:
    desk = quiet_desk()
    desk.send_for(7.0, respond())
    assert "response.done" in types(desk.send_for(7.0, respond()))
    came = desk.send_for(8.0, hum(1000))
    assert types(came) == ["input_audio_buffer.speech_started"]


def test_the_offsets_tell_what_was_appended_meanwhile() -> None:
    desk = quiet_desk()
    desk.send_for(2.5, append([0] * 24 * 400), respond())
    came = desk.send_for(6.0, append([0] * 24 * 600))
    triggered = came[0]
    assert (triggered["audio_start_ms"], triggered["audio_end_ms"]) == (400, 1000)


def test_taking_the_timeout_back_stops_it() -> None:
    desk = quiet_desk()
    desk.send_for(3.0, respond())
    off = {"type": "server_vad", "idle_timeout_ms": None}
    desk.send_for(0.0, update(audio={"input": {"turn_detection": off}}))
    assert types(desk.send_for(60.0)) == []


def test_a_side_talk_does_not_count() -> None:
    desk = quiet_desk()
    desk.send_for(1.0, respond(conversation="none"))
    assert types(desk.send_for(60.0)) == []


@pytest.mark.parametrize("wait", [5000, 30000])
def test_the_silence_is_transcribed_to_nothing(wait: int) -> None:
    desk = quiet_desk()
    heard = {"transcription": {"model": "gpt-realtime-whisper"}}
    turns = {"turn_detection": {**IDLE, "idle_timeout_ms": wait}}
    desk.send_for(0.0, update(audio={"input": {**heard, **turns}}))
    desk.send_for(2.1 + wait / 1000, respond())
    completed = desk.last("conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == ""
    assert completed["usage"] == {"type": "duration", "seconds": 0}  # captured
