"""Sessions: against the simulator in memory, and against servers that misbehave on purpose."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

import rtwidgets as rt
from rtwidgets import audio, loop
from rtwidgets.events import response_create, session_update
from rtwidgets.transport import MemoryTransport, Transport

CREATED = {"type": "session.created", "session": {"id": "sess_x", "model": "m"}}
UPDATED = {**CREATED, "type": "session.updated"}


def simulated(latency: Any = "none") -> rt.Simulated:
    return rt.Simulated(where="memory", latency=latency)


class Scripted(rt.Endpoint):
    """An endpoint whose server is a coroutine of the test, at the other end of a line in memory."""

    def __init__(self, serve: Callable[[MemoryTransport], Awaitable[None]]) -> None:
        super().__init__("ws://localhost/scripted", name="Scripted")
        self._serve = serve

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        ours, theirs = MemoryTransport.pair()
        self.serving = asyncio.ensure_future(self._serve(theirs))
        return ours


async def greet(line: MemoryTransport) -> None:
    """The part of a session that every server begins with."""
    await line.send(json.dumps(CREATED))
    assert json.loads(await line.recv())["type"] == "session.update"
    await line.send(json.dumps(UPDATED))


def types(log: rt.EventLog, direction: Any = None) -> list[str]:
    return [row.type for row in log.where(direction=direction)]


# ------------------------------------------------------------------ the main job


def test_a_conversation_that_the_assistant_opens() -> None:
    opening = rt.GeneratedGreeting("Greet the visitor.")
    with rt.Session(simulated(), opening, instructions="You are Ada, a museum guide.") as s:
        greeting = s.opening_reply
        assert greeting is not None and greeting.status == "completed"
        assert greeting.transcript and len(greeting.audio) > audio.RATE // 2
        reply = s.ask("What did you say first?")
        assert reply.text and reply.usage and reply.cost
        assert s.cost == pytest.approx(greeting.cost + reply.cost)
        assert s.label == "Simulator"
    sent = types(s.log, "client")
    assert sent == [
        "session.update",
        "response.create",
        "conversation.item.create",
        "response.create",
    ]


def test_the_opening_waits_for_session_updated() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        order = types(s.log)
    assert order.index("session.updated") < order.index("response.create")


def test_settings_and_the_openings_own_are_sent_together() -> None:
    class Quiet(rt.Opening):
        def session(self) -> dict[str, Any]:
            return {"audio": {"input": {"turn_detection": None}}}

    with rt.Session(simulated(), Quiet(), voice="cedar", instructions="Be kind.") as s:
        update = s.log.where(type="session.update")[0].event
        effective = s.conversation.session
    assert update is not None
    assert update["session"]["audio"] == {
        "output": {"voice": "cedar"},
        "input": {"turn_detection": None},
    }
    assert effective["audio"]["output"]["voice"] == "cedar"
    assert effective["audio"]["input"]["turn_detection"] is None
    assert effective["instructions"] == "Be kind."


def test_a_scripted_greeting_is_remembered_and_silent() -> None:
    with rt.Session(simulated(), rt.ScriptedGreeting("Welcome to the museum!")) as s:
        assert s.opening_reply is None
        assert "Welcome to the museum!" in s.ask("What did you say first?").text
        [greeting] = [item for item in s.conversation.items if item.role == "assistant"][:1]
    assert greeting.audio_ms == 0
    assert len(s.log.where(type="response.created")) == 1


def test_the_support_bots_advice_is_refused_in_the_real_words() -> None:
    content = [{"type": "input_text", "text": "Welcome!"}]
    item = {"type": "message", "role": "assistant", "content": content}
    with rt.Session(simulated()) as s:
        s.send({"type": "conversation.item.create", "item": item, "event_id": "mine"})
        row = s.wait_for("error", timeout=5)
        assert s.conversation.items == []
    assert row.event is not None
    assert row.event["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "Invalid value: 'input_text'. Value must be 'output_text'.",
        "param": "item.content[0].type",
        "event_id": "mine",
    }


def test_a_text_session_writes() -> None:
    with rt.Session(simulated(), rt.ModelGreeting(), modality="text") as s:
        assert s.opening_reply is not None and s.opening_reply.text
        assert s.opening_reply.transcript == "" and len(s.opening_reply.audio) == 0


def test_times_are_the_clocks_of_the_line() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        timing = s.opening_reply.timing if s.opening_reply else None
    assert timing and timing.created and timing.first_text and timing.first_audio and timing.done
    assert 0 < timing.created < timing.first_text <= timing.first_audio < timing.done


def test_two_requests_at_once_are_answered_one_after_the_other() -> None:
    async def both() -> list[str]:
        async with rt.AsyncSession(simulated("typical")) as s:
            await s.say("My name is Kim.")
            await s.say("What is my name?")
            await s.settled()
            return types(s.log)

    order = asyncio.run(both())
    assert order.count("response.done") == 2
    assert order.index("response.done") < len(order) - order[::-1].index("response.create") - 1


def test_interrupting_cancels_and_truncates_what_was_not_heard() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated("typical"), instructions="Say: " + "word " * 40) as s:
            await s.say("Tell me everything.")
            await s.wait_for("response.output_audio.delta")
            await s.interrupt(heard_ms=100)
            await s.wait_for("conversation.item.truncated")
            await s.settled()
            return s

    s = asyncio.run(scene())
    [response] = s.conversation.responses.values()
    assert response.status == "cancelled"
    assert s.conversation.items[-1].truncated_ms == 100


def test_hearing_with_turn_detection_off_commits_the_turn() -> None:
    class Manual(rt.WaitForUser):
        def session(self) -> dict[str, Any]:
            return {"audio": {"input": {"turn_detection": None}}}

    with rt.Session(simulated(), Manual()) as s:
        reply = s.hear(np.zeros(audio.RATE // 2))
        assert reply is not None and reply.status == "completed"
    sent = types(s.log, "client")
    assert sent.count("input_audio_buffer.append") == 13  # 500 ms in pieces of 40
    assert sent[-2:] == ["input_audio_buffer.commit", "response.create"]


def test_hearing_speech_is_answered_by_the_detected_turn() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        assert s.opening_reply is not None
        reply = s.hear(s.opening_reply.audio)
        assert reply is not None and reply.text
    heard = types(s.log, "server")
    assert heard.index("input_audio_buffer.speech_started") < heard.index(
        "input_audio_buffer.committed"
    )


def test_hearing_silence_brings_no_reply() -> None:
    with rt.Session(simulated("typical")) as s:
        assert s.hear(np.zeros(audio.RATE)) is None


def test_stereo_is_refused_before_anything_is_sent() -> None:
    with rt.Session(simulated()) as s:
        before = len(s.log)
        with pytest.raises(rt.Misuse, match="mono"):
            s.hear(np.zeros((2, 4800)))
        assert len(s.log) == before


# ------------------------------------------------------------------ sending and waiting


def test_what_was_sent_is_in_the_log_as_it_was() -> None:
    with rt.Session(simulated()) as s:
        row = s.send("{not json")
        assert row.raw == "{not json" and row.event is None and row.direction == "client"
        refusal = s.wait_for("error", timeout=5).event
    assert refusal is not None and refusal["error"]["code"] == "invalid_json"


def test_wait_for_gives_each_row_once_and_also_what_came_already() -> None:
    with rt.Session(simulated()) as s:
        assert s.wait_for("session.created", timeout=5).seq == 0
        s.send(session_update(instructions="a"))
        first = s.wait_for("session.updated", timeout=5)
        s.send(session_update(instructions="b"))
        second = s.wait_for("session.updated", timeout=5)
        assert first.seq < second.seq
        with pytest.raises(rt.TimedOut, match=r"session\.updated"):
            s.wait_for("session.updated", timeout=0.01)


def test_what_cannot_be_json_is_refused_in_words() -> None:
    with rt.Session(simulated()) as s, pytest.raises(rt.Misuse, match="JSON"):
        s.send({"type": "session.update", "session": {1, 2}})


def test_a_listener_that_fails_does_not_stop_the_session() -> None:
    async def scene() -> list[str]:
        async with rt.AsyncSession(simulated()) as s:
            seen: list[str] = []
            s.subscribe(lambda row: 1 / 0)  # type: ignore[arg-type, return-value]
            stop = s.subscribe(lambda row: seen.append(row.type))
            await s.ask("hi")
            stop()
            await s.ask("hi again")
            return seen

    assert asyncio.run(scene()).count("response.done") == 1


# ------------------------------------------------------------------ servers that misbehave


def test_settings_that_are_refused_are_the_callers_to_correct() -> None:
    with (
        pytest.raises(rt.Misuse, match="refused the session's settings"),
        rt.Session(simulated(), voice="nobody"),
    ):
        pass


def test_a_server_that_closes_in_the_middle_ends_the_wait() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()
        await line.recv()
        response = {"id": "resp_1", "status": "in_progress", "conversation_id": "conv_1"}
        await line.send(json.dumps({"type": "response.created", "response": response}))
        await line.close()

    with rt.Session(Scripted(serve)) as s:
        with pytest.raises(rt.ConnectionLost, match="start again"):
            s.ask("hello?")
        assert s.lost and not s.is_open
        with pytest.raises(rt.ConnectionLost):
            s.send(response_create())
    assert s.log[-1].type == "line.lost"
    assert "response.created" in types(s.log)


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "[]",
        '"text"',
        "{}",
        '{"type":"ping","n":1}',
        '{"type":"response.output_audio.delta","item_id":"i","response_id":"r","delta":"@@"}',
        '{"type":"conversation.item.added","item":null}',
        '{"type":"response.done"}',
        '{"type":"error"}',
    ],
)
def test_strange_frames_are_logged_and_passed_over(frame: str) -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.send(frame)
        await line.send('{"type":"the.end"}')

    with rt.Session(Scripted(serve)) as s:
        s.wait_for("the.end", timeout=5)
    assert frame in [row.raw for row in s.log]


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def serve(line: MemoryTransport) -> None:
        await line.recv()

    with (
        pytest.raises(rt.TimedOut, match=r"session\.created"),
        rt.Session(Scripted(serve), timeout=0.05),
    ):
        pass


def test_a_server_that_refuses_at_once_is_quoted() -> None:
    async def serve(line: MemoryTransport) -> None:
        error = {
            "type": "invalid_request_error",
            "code": "invalid_api_key",
            "message": "Incorrect.",
        }
        await line.send(json.dumps({"type": "error", "error": error}))
        await line.close()

    with (
        pytest.raises(rt.ConnectFailed, match=r"Incorrect\..*OPENAI_API_KEY"),
        rt.Session(Scripted(serve)),
    ):
        pass


def test_an_opening_without_answer_lets_the_session_go_on() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()

    with rt.Session(Scripted(serve), rt.ModelGreeting(), timeout=0.05) as s:
        assert s.opening_reply is None
        assert s.is_open


def test_an_opening_that_is_refused_lets_the_session_go_on() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        asked = json.loads(await line.recv())
        error = {"type": "server_error", "message": "No.", "event_id": asked["event_id"]}
        await line.send(json.dumps({"type": "error", "error": error}))

    with rt.Session(Scripted(serve), rt.ModelGreeting(), timeout=5) as s:
        assert s.is_open
        assert s.opening_reply is not None
        assert (s.opening_reply.status, s.opening_reply.error) == ("failed", "No.")


def test_a_reply_that_is_refused_says_why() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()
        asked = json.loads(await line.recv())
        error = {"type": "server_error", "message": "Too busy.", "event_id": asked["event_id"]}
        await line.send(json.dumps({"type": "error", "error": error}))

    with rt.Session(Scripted(serve)) as s:
        reply = s.ask("hello?")
    assert (reply.status, reply.error, reply.text) == ("failed", "Too busy.", "")
    assert len(reply.audio) == 0


# ------------------------------------------------------------------ wrong use


def test_before_and_after_the_session() -> None:
    s = rt.Session(simulated())
    with pytest.raises(rt.Misuse, match="not open"):
        s.send(response_create())
    with s:
        s.ask("hi")
    with pytest.raises(rt.Misuse, match="not open"):
        s.ask("still there?")
    s.close()
    assert "response.done" in types(s.log)


def test_a_session_opens_once() -> None:
    with rt.Session(simulated()) as s, pytest.raises(rt.Misuse, match="opened before"):
        s.open()


def test_a_blocking_call_on_the_sessions_own_thread_is_refused() -> None:
    async def inside() -> None:
        rt.Session(simulated()).open()

    with pytest.raises(rt.Misuse, match="AsyncSession"):
        loop.run(inside(), timeout=5)


@pytest.mark.parametrize("settings", [{"modality": "smell"}, {"tools": [print]}])
def test_wrong_arguments_are_refused_in_words(settings: dict[str, Any]) -> None:
    with pytest.raises(rt.Misuse):
        rt.Session(simulated(), **settings)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"opening": "Hello"}, "GeneratedGreeting"),
        ({"opening": rt.ModelGreeting}, "parentheses"),
        ({"endpoint": "wss://a.example/"}, "Endpoint"),
        ({"endpoint": rt.OpenAI}, "Simulated"),
    ],
)
def test_what_is_no_opening_or_endpoint_is_said_at_once(settings: Any, word: str) -> None:
    with pytest.raises(rt.Misuse, match=word):
        rt.AsyncSession(**{"endpoint": simulated(), **settings})


def test_without_a_key_a_script_is_told_once_that_a_simulator_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rtwidgets.endpoints._told", False)
    monkeypatch.setattr("rtwidgets.endpoints._asked_key", None)
    rt.AsyncSession()
    rt.AsyncSession()
    assert capsys.readouterr().err.count("simulator on this machine") == 1


def test_a_simulated_reply_says_so() -> None:
    with rt.Session(simulated(), rt.ModelGreeting()) as s:
        assert repr(s.opening_reply).startswith("<simulated reply, completed, ")


def test_a_session_works_where_a_loop_runs_already() -> None:
    async def like_a_cell() -> str:
        with rt.Session(simulated()) as s:
            return s.ask("hi").text

    assert asyncio.run(like_a_cell())


def test_many_sessions_share_one_thread() -> None:
    for _ in range(3):
        with rt.Session(simulated()) as s:
            s.ask("hi")
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("rtwidgets-loop") == 1


# ------------------------------------------------------------------ money


class Paid(Scripted):
    def __init__(self, serve: Callable[[MemoryTransport], Awaitable[None]]) -> None:
        super().__init__(serve)
        self.paid = True


def test_a_paid_session_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.endpoints._spending_approved", False)
    with (
        pytest.raises(rt.SpendingNotApproved, match=r"gpt-realtime-2\.1.*\$.*budget="),
        rt.Session(Paid(greet)),
    ):
        pass


def test_a_budget_agrees_once_for_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rtwidgets.endpoints._spending_approved", False)
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
        loop.run(s.asynchronous._append_audio(audio.pcm_from_samples(speech)), 30)
        s.wait_for("input_audio_buffer.speech_started")
        assert len(s.conversation.responses) == answered


@pytest.mark.parametrize("budget", [0, -1, float("nan"), float("inf")])
def test_a_budget_is_a_real_amount(budget: float) -> None:
    with pytest.raises(rt.Misuse, match="greater than 0"):
        rt.Session(simulated(), budget=budget)


def test_a_budget_needs_a_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.endpoints._spending_approved", False)
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


# ------------------------------------------------------------------ found by reading, kept by test


@pytest.mark.parametrize("words", [b"bytes", None, 7])
def test_what_is_no_text_is_refused_and_the_next_question_answered(words: Any) -> None:
    with rt.Session(simulated()) as s:
        with pytest.raises(rt.Misuse, match="text"):
            s.ask(words)
        assert s.ask("hello").text


def test_asking_before_opening_leaves_the_opening_as_it_was() -> None:
    s = rt.Session(simulated(), rt.ModelGreeting())
    with pytest.raises(rt.Misuse, match="not open"):
        s.ask("too early")
    with s:
        assert s.opening_reply is not None and s.opening_reply.status == "completed"


def test_half_a_character_does_not_cut_the_line() -> None:
    with rt.Session(simulated()) as s:
        assert s.ask("hi \ud83d").text
        assert s.conversation.items[0].text == "hi \ufffd"
        s.send({"type": "conversation.item.delete", "item_id": "\ud83d"})  # as it is: an escape
        assert s.wait_for("error", timeout=5).event


def test_an_interrupted_wait_leaves_the_turn_free() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        for number in range(9):
            if json.loads(await line.recv())["type"] == "response.create" and number > 2:
                response = {"id": "r2", "status": "completed", "conversation_id": "c", "output": []}
                await line.send(json.dumps({"type": "response.done", "response": response}))

    with rt.Session(Scripted(serve)) as s:
        with pytest.raises(rt.TimedOut):
            s.ask("nobody answers this", timeout=0.05)
        assert s.ask("but this").response_id == "r2"


def test_interrupting_before_the_reply_began_cancels_it() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated("typical")) as s:
            await s.say("Tell me everything.")
            waiting = asyncio.ensure_future(s.ask("And more."))
            await asyncio.sleep(0)
            await s.interrupt()
            assert "Interrupted" in (await waiting).error
            await s.settled()
            return s

    s = asyncio.run(scene())
    assert [response.status for response in s.conversation.responses.values()] == ["cancelled"]


def test_interrupting_a_silent_new_reply_leaves_the_old_one_whole() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated("typical"), rt.ModelGreeting()) as s:
            await s.say("Go on.")
            await s.wait_for("response.created")
            await s.interrupt(heard_ms=0)
            await s.settled()
            return s

    s = asyncio.run(scene())
    assert "conversation.item.truncate" not in types(s.log)
    assert s.conversation.items[0].text


def test_the_servers_last_words_are_heard_also_with_something_queued() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        for _ in range(3):  # the first question with its request, and the second question
            await line.recv()
        response = {"id": "r1", "status": "completed", "conversation_id": "c", "output": []}
        await line.send(json.dumps({"type": "response.done", "response": response}))
        expired = {"code": "session_expired", "message": "60 minutes."}
        await line.send(json.dumps({"type": "error", "error": expired}))
        await line.close()

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Scripted(serve)) as s:
            await s.say("one")
            await s.say("two")
            await s.wait_for("line.lost")
            return s

    s = asyncio.run(scene())
    assert s.conversation.errors[-1]["code"] == "session_expired"
    assert s.log[-1].type == "line.lost"


def test_speech_with_a_pause_is_answered_as_a_whole() -> None:
    with rt.Session(simulated("typical"), rt.ModelGreeting()) as s:
        assert s.opening_reply is not None
        speech = s.opening_reply.audio
        reply = s.hear(np.concatenate([speech, np.zeros(audio.RATE, dtype=np.int16), speech]))
        assert reply is not None and reply.status == "completed"
    heard = s.log.where(type="input_audio_buffer.*")
    assert len(heard.where(type="*.speech_started")) == len(heard.where(type="*.committed"))
    assert reply.response_id == list(s.conversation.responses)[-1]


def test_an_opening_that_fails_to_react_does_not_end_the_session() -> None:
    class Clumsy(rt.ModelGreeting):
        def react(self, event: dict[str, Any]) -> list[dict[str, Any]]:
            raise ZeroDivisionError(event["type"])

    with rt.Session(simulated(), Clumsy()) as s:
        assert s.ask("still there?").text
    assert "Clumsy.react failed" in (s.log.where(type="opening.failed")[0].event or {})["message"]


def test_a_closed_session_is_not_opened_again() -> None:
    s = rt.Session(simulated())
    with s:
        pass
    with pytest.raises(rt.Misuse, match="new one"), s:
        pass


def test_times_are_counted_from_the_replys_own_request() -> None:
    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        await line.recv()
        await line.recv()
        await line.recv()  # the request beside the conversation, sent later
        response = {"id": "r1", "status": "in_progress", "conversation_id": "c", "output": []}
        await line.send(json.dumps({"type": "response.created", "response": response}))
        done = {**response, "status": "completed"}
        await line.send(json.dumps({"type": "response.done", "response": done}))

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Scripted(serve)) as s:
            await s.say("hello")
            await s.send({"type": "response.create", "response": {"conversation": "none"}})
            await s.wait_for("response.done")
            return s

    s = asyncio.run(scene())
    [asked, _] = s.log.where(type="response.create")
    [created] = s.log.where(type="response.created")
    assert s.reply("r1").timing.created == created.t - asked.t
