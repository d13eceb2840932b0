"""What the user says: spoken turns, manual ones, their sound and their words."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from simulator_driver import (
    MS,
    Desk,
    Says,
    append,
    hum,
    respond,
    silence,
    types,
    update,
)

from rtwidgets.simulator import speech
from rtwidgets.simulator.scripts import UserLines

OF_ITEMS = ("conversation.item.added", "conversation.item.done")


def test_a_spoken_turn_is_heard_and_answered() -> None:
    desk = Desk()
    kinds = types(desk.send(silence(512), hum(1024), silence(400)))
    assert kinds[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        *OF_ITEMS,
        "response.created",
    ]
    assert desk.last("input_audio_buffer.speech_started")["audio_start_ms"] == 512 - 300
    stopped = desk.last("input_audio_buffer.speech_stopped")
    assert stopped["audio_end_ms"] == 512 + 1024 + 224


def test_a_spoken_sentence_is_one_turn_however_it_is_cut() -> None:
    pcm = speech.shared().speak("Hello, my name is Marcelo. How are you today?", "cedar")
    samples = np.concatenate([np.frombuffer(pcm, "<i2"), np.zeros(24 * 900)])
    for size in (240, 960, 24_000):
        desk = Desk("gpt-realtime-2.1")
        desk.send(*(append(samples[at : at + size]) for at in range(0, len(samples), size)))
        assert types(desk.events).count("input_audio_buffer.speech_stopped") == 1
        spoken = next(iter(desk.engine.items)).spoken_ms
        assert spoken == pytest.approx(len(pcm) / MS, rel=0.2)


def test_a_turn_over_a_reply_that_may_not_be_interrupted_gets_no_reply_of_its_own() -> None:
    """Reported (§4.2): what turn detection asks for loses against a response that is active."""
    desk = Desk()
    desk.hold_jobs = True
    kept: dict[str, Any] = {"type": "server_vad", "interrupt_response": False}
    desk.send(update(audio={"input": {"turn_detection": kept}}), respond())
    active = desk.last("response.created")["response"]["id"]
    came = desk.send(hum(500), silence(400))
    assert types(came)[2:] == ["input_audio_buffer.committed", *OF_ITEMS, "error"]
    error = came[-1]["error"]
    assert error["code"] == "conversation_already_has_active_response"
    assert active in error["message"] and error["event_id"] is None


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


# --- a turn goes on in another format


@pytest.mark.parametrize("turn_detection", [None, {"type": "server_vad", "create_response": False}])
def test_a_format_that_changes_in_the_middle_changes_no_length(turn_detection: Any) -> None:
    desk = Desk()
    desk.send(update(audio={"input": {"turn_detection": turn_detection}}))
    desk.send(silence(100), hum(500))
    desk.send(update(audio={"input": {"format": {"type": "audio/pcmu"}}}))
    ulaw = base64.b64encode(b"\x20" * 8 * 500).decode()
    desk.send({"type": "input_audio_buffer.append", "audio": ulaw})
    desk.send({"type": "input_audio_buffer.commit"})
    item = list(desk.engine.items)[-1]
    assert item.audio_ms == 1100
    sound = desk.engine.recordings.get(item.id)
    assert len(sound) == 8 * 1100  # all of it in the format of the end
    assert sound.endswith(b"\x20" * 8 * 500)


# --- a transcript that comes while the user speaks

NAME = "conversation.item.input_audio_transcription"
LINE = "Hello, my name is Marcelo."


def speaking(model: str) -> Desk:
    """A turn of two seconds in pieces of 100 ms, whose words are known beforehand."""
    desk = Desk(transcriber=UserLines([LINE]))
    desk.send(update(audio={"input": {"transcription": {"model": model}}}))
    desk.send(silence(400))
    for _ in range(20):
        desk.send(hum(100))
    desk.send(silence(400))
    return desk


@pytest.mark.parametrize("model", ["gpt-realtime-whisper", "gpt-live-transcribe"])
def test_a_streaming_transcriber_tells_words_before_the_item_is_there(model: str) -> None:
    desk = speaking(model)
    kinds = types(desk.events)
    stopped = kinds.index("input_audio_buffer.speech_stopped")
    early = kinds[:stopped].count(f"{NAME}.delta")
    assert 2 <= early < kinds.count(f"{NAME}.delta")
    deltas = [event for event in desk.events if event["type"] == f"{NAME}.delta"]
    assert {event["item_id"] for event in deltas} == {
        desk.last("input_audio_buffer.speech_started")["item_id"]
    }
    assert "".join(event["delta"] for event in deltas) == LINE
    assert desk.last(f"{NAME}.completed")["transcript"] == LINE


@pytest.mark.parametrize(("model", "deltas"), [("gpt-4o-transcribe", 7), ("whisper-1", 1)])
def test_the_others_wait_for_the_turn_and_whisper_tells_all_in_one(model: str, deltas: int) -> None:
    desk = speaking(model)
    kinds = types(desk.events)
    assert f"{NAME}.delta" not in kinds[: kinds.index("input_audio_buffer.committed")]
    assert kinds.count(f"{NAME}.delta") == deltas


def test_a_turn_that_is_cleared_away_takes_its_words_with_it() -> None:
    desk = Desk(transcriber=UserLines([LINE, "Second."]))
    desk.send(update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}}))
    for _ in range(12):
        desk.send(hum(100))
    desk.send({"type": "input_audio_buffer.clear"})
    told = len(desk.events)
    desk.send(hum(1000), silence(400))
    later = [e["delta"] for e in desk.events[told:] if e["type"] == f"{NAME}.delta"]
    assert "".join(later) == LINE == desk.last(f"{NAME}.completed")["transcript"]
