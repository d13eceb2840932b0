"""A session asks before it spends, and keeps to its budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from scripted import Scripted, greet, simulated

import rtwidgets as rt
from rtwidgets import audio, loop
from rtwidgets.events import response_create
from rtwidgets.session.hearing import Microphone
from rtwidgets.transport import MemoryTransport


class Paid(Scripted):
    def __init__(self, serve: Callable[[MemoryTransport], Awaitable[None]]) -> None:
        super().__init__(serve)
        self.paid = True


async def spoken(session: rt.Session, pcm: bytes) -> None:
    """Speak as a microphone would, without waiting for what becomes of it."""
    live = session.asynchronous
    await Microphone(live.append, live.clock).speak(pcm)


def test_a_paid_session_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.endpoints.spending._spending_approved", False)
    with (
        pytest.raises(rt.SpendingNotApproved, match=r"gpt-realtime-2\.1.*\$.*budget="),
        rt.Session(Paid(greet)),
    ):
        pass


def test_a_budget_agrees_once_for_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rtwidgets.endpoints.spending._spending_approved", False)
    with rt.Session(Paid(greet), budget=0.5):
        assert "$0.50" in capsys.readouterr().out
    with rt.Session(Paid(greet)):
        assert capsys.readouterr().out == ""


def test_a_budget_stops_new_replies_before_it_is_passed() -> None:
    with rt.Session(simulated(), budget=0.04) as s:
        asked = 0
        with pytest.raises(rt.SpendingNotApproved, match=r"budget of \$0\.04 would be passed"):
            while asked < 50:
                s.ask("Tell me more about the dinosaurs.")
                asked += 1
        assert 1 < asked < 50
        assert s.cost is not None and 0.01 < s.cost <= 0.04


def test_a_budget_too_small_for_one_reply_allows_none() -> None:
    with rt.Session(simulated(), budget=0.0001) as s:
        with pytest.raises(rt.SpendingNotApproved, match="nothing spent yet"):
            s.ask("hi")
        assert s.cost == 0 and not s.log.where(type="response.create")


def test_before_the_budget_is_passed_the_server_is_told_to_answer_nothing_by_itself() -> None:
    with rt.Session(simulated(), budget=0.04) as s:
        with pytest.raises(rt.SpendingNotApproved):
            while True:
                speech = s.ask("Tell me more about the dinosaurs.").audio
        s.settled()
        detection = s.log.where(type="session.updated")[-1].event
        assert detection is not None
        detection = detection["session"]["audio"]["input"]["turn_detection"]
        assert detection["type"] == "server_vad" and detection["create_response"] is False
        (reached,) = s.log.where(type="budget.reached", direction="local")
        event = reached.event
        assert event is not None and event["spent"] == s.cost and event["budget"] == 0.04
        assert event["spent"] + event["next"] > 0.04 and "larger budget=" in event["message"]
        answered = len(s.conversation.responses)
        with pytest.raises(rt.SpendingNotApproved):
            s.hear(speech)
        loop.run(spoken(s, audio.pcm_from_samples(speech)), 30)
        s.wait_for("input_audio_buffer.speech_started")
        assert len(s.conversation.responses) == answered


def test_spoken_to_with_no_budget_for_an_answer_the_server_gives_none() -> None:
    with rt.Session(simulated(), budget=0.05) as s:
        speech = s.ask("Hello").audio
    with rt.Session(simulated(), budget=0.001) as s:
        pcm = audio.pcm_from_samples(speech) + bytes(2 * 2 * audio.RATE)
        loop.run(spoken(s, pcm), 30)
        s.wait_for("input_audio_buffer.committed")
        (held,) = s.log.where(type="session.update", text="create_response")
        started = s.log.where(type="input_audio_buffer.speech_started")[0]
        stopped = s.log.where(type="input_audio_buffer.speech_stopped")[0]
        assert started.seq < held.seq < stopped.seq
        assert s.log.where(type="budget.reached", direction="local")
        assert not s.conversation.responses and s.cost == 0


@pytest.mark.parametrize("budget", [0, -1, float("nan"), float("inf")])
def test_a_budget_is_a_real_amount(budget: float) -> None:
    with pytest.raises(rt.Misuse, match="greater than 0"):
        rt.Session(simulated(), budget=budget)


def test_a_budget_needs_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.endpoints.spending._spending_approved", False)
    with (
        pytest.raises(rt.SpendingNotApproved, match=r"price of my-deployment.*PRICES"),
        rt.Session(Paid(greet), model="my-deployment", budget=1),
    ):
        pass


def test_a_budget_holds_back_what_waits_its_turn_and_says_so() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated("typical"), budget=0.02) as s:
            for _ in range(9):
                await s.say("Tell me more about the dinosaurs.")
            await s.settled()
            return s

    s = asyncio.run(scene())
    assert s.cost is not None and 0 < s.cost <= 0.02
    assert 1 <= len(s.conversation.responses) < 9
    assert s.log.where(type="budget.reached", direction="local")


def test_a_budget_holds_back_raw_requests_too() -> None:
    with rt.Session(simulated(), budget=0.0001) as s, pytest.raises(rt.SpendingNotApproved):
        s.send(response_create())


def test_a_request_that_names_its_own_limit_is_held_to_it() -> None:
    with rt.Session(simulated(), budget=0.01) as s:
        s.send(response_create(max_output_tokens=50))
        s.wait_for("response.done")
        with pytest.raises(rt.SpendingNotApproved):
            s.send(response_create(max_output_tokens=4000))
