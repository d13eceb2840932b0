"""What goes wrong on request does, and nothing else with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from simulator_driver import Desk, Says, hum, respond, silence, types, update, user_text
from test_simulator_refusals import ROWS
from test_simulator_server import event, in_session
from websockets.exceptions import ConnectionClosed

from rtwidgets.simulator import Simulator
from rtwidgets.simulator.faults import faults_from
from rtwidgets.simulator.latency import NONE, TYPICAL, Pace, slower
from rtwidgets.simulator.scripts import UserLines

KEY = "sk-test-not-a-key"
COMPLETED = "conversation.item.input_audio_transcription.completed"


def faulty(*faults: str, **options: Any) -> Desk:
    return Desk(brain=Says("Hello there."), faults=faults_from(faults), **options)


def statuses(desk: Desk) -> list[str]:
    return [e["response"]["status"] for e in desk.events if e["type"] == "response.done"]


def test_a_chosen_response_fails_and_the_next_does_not() -> None:
    desk = faulty("fail-response=2")
    for _ in range(3):
        desk.send(respond())
    assert statuses(desk) == ["completed", "failed", "completed"]


def test_every_response_meets_the_rate_limit() -> None:
    desk = faulty("rate-limit")
    desk.send(respond())
    desk.send(respond())
    assert statuses(desk) == ["failed", "failed"]
    error = desk.last("response.done")["response"]["status_details"]["error"]
    assert error["code"] == "rate_limit_exceeded"
    assert "try again in 2s" in error["message"]


@pytest.mark.skipif(not ROWS, reason="there are no captured refusals here")
def test_the_rate_limit_has_the_captured_words() -> None:
    desk = faulty("rate-limit")
    desk.send(respond())
    error = desk.last("response.done")["response"]["status_details"]["error"]
    captured = next(row["error"] for row in ROWS if row["key"] == "response_done_failed_tpm")
    assert (error["type"], error["code"]) == (captured["type"], captured["code"])
    ours = error["message"].replace("gpt-realtime", "gpt-4o-realtime").replace("in 2s", "in 4.494s")
    assert ours.replace("org-simulated", "org-…") == captured["message"]


def test_nothing_is_said_of_rate_limits() -> None:
    desk = faulty("no-rate-limits")
    assert types(desk.send(respond()))[-1] == "response.done"


def test_the_line_breaks_after_so_many_events() -> None:
    desk = faulty("drop-after=4")
    desk.send(respond())
    assert len(desk.events) == 4
    assert desk.engine.closing == (1006, "")


def test_a_client_sees_a_line_that_breaks_without_a_close() -> None:
    with Simulator(in_process=True, key=KEY, faults=["drop-after=3"]) as simulator:

        async def talk(line: Any) -> tuple[int, int | None]:
            await line.send(json.dumps(respond()))
            count = 0
            with pytest.raises(ConnectionClosed):
                while await event(line):
                    count += 1
            return count, line.close_code

        assert in_session(simulator, talk) == (3, 1006)


def heard(*faults: str, model: str = "whisper-1") -> Desk:
    desk = faulty(*faults, transcriber=UserLines(["One.", "Two.", "Three."]), latency=TYPICAL)
    desk.send(update(audio={"input": {"transcription": {"model": model}}}))
    return desk


def test_a_late_transcript_comes_after_the_reply() -> None:
    desk = heard("late-transcription=9")
    kinds = types(desk.send(hum(1000), silence(400)))
    assert kinds.index(COMPLETED) > kinds.index("response.done")
    prompt = types(heard().send(hum(1000), silence(400)))
    assert prompt.index(COMPLETED) < prompt.index("response.done")


def test_two_transcripts_come_in_the_wrong_order() -> None:
    desk = heard("swap-transcriptions")
    desk.send(hum(1000), silence(400))
    assert COMPLETED not in types(desk.events)
    desk.send(hum(1000), silence(400))
    told = [e["transcript"] for e in desk.events if e["type"] == COMPLETED]
    assert told == ["Two.", "One."]


def test_a_chosen_transcript_fails() -> None:
    desk = heard("fail-transcription=1")
    desk.send(hum(1000), silence(400))
    failed = desk.last("conversation.item.input_audio_transcription.failed")
    assert failed["item_id"] in failed["error"]["message"]
    desk.send(hum(1000), silence(400))
    assert desk.last(COMPLETED)["transcript"] == "Two."


def test_slow_is_slower() -> None:
    def duration(*faults: str) -> float:
        desk = faulty(*faults, latency=TYPICAL)
        desk.send(user_text("Hi"), respond())
        return desk.now

    assert duration("slow=4") == pytest.approx(4 * duration())
    assert slower(NONE, 2).first_delta == 2 * TYPICAL.first_delta


def test_what_takes_no_time_takes_none_however_it_varies() -> None:
    assert Pace(NONE, vary=lambda spread: 7.0).of("line") == 0
    assert Pace(TYPICAL, vary=lambda spread: 2.0).of("line") == 2 * TYPICAL.line


def test_a_line_keeps_the_order_of_its_frames() -> None:
    waits = iter([1.0, 5.0, 1.0, 1.0, 1.0])
    desk = Desk(latency=TYPICAL, vary=lambda spread: next(waits, 1.0))
    desk.send(user_text("a", id="a"), user_text("b", id="b"), user_text("c", id="c"))
    assert [entry.id for entry in desk.engine.items] == ["a", "b", "c"]
