"""Python functions called in a session: answered once, and the model asked once to go on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from calling import Model, modelled
from scripted import Scripted, simulated, types

import rtwidgets as rt
from rtwidgets.tools.calling import MOST_ROUNDS

SOON = 5.0
BOTH = (False, True)


def weather(city: str, days: int = 1) -> dict[str, Any]:
    """The weather in a city."""
    return {"city": city, "sky": "clear", "days": days}


async def later(city: str) -> str:
    """The weather in a city."""
    await asyncio.sleep(0)
    return f"rain in {city}"


def outputs(log: rt.EventLog) -> list[tuple[str, str]]:
    """The call ids and outputs that were sent, in order."""
    rows = log.where(type="conversation.item.create", direction="client")
    items = [row.event["item"] for row in rows if row.event]
    return [
        (item["call_id"], item["output"])
        for item in items
        if item["type"] == "function_call_output"
    ]


def error_in(output: str) -> str:
    return str(json.loads(output)["error"])


async def scene(
    play: Callable[[Model], Awaitable[None]],
    act: Callable[[rt.AsyncSession], Awaitable[Any]],
    tools: list[Any],
) -> tuple[rt.AsyncSession, Any]:
    """A session with a scripted model: what `act` gave, and the session behind it."""
    serve, _ = modelled(play)
    endpoint = Scripted(serve)
    async with rt.AsyncSession(endpoint, tools=tools, timeout=SOON) as s:
        return s, await act(s)


# ---------------------------------------------------------------- with the simulator


@pytest.mark.parametrize("function", [weather, later])
def test_the_model_calls_a_function_and_answers_with_what_it_gave(function: Any) -> None:
    with rt.Session(simulated(), tools=[function], modality="text") as s:
        reply = s.ask("What is the weather in Bonn?")
        assert [tool.name for tool in s.tools if isinstance(tool, rt.Tool)] == [function.__name__]
    [call] = reply.tool_calls
    assert (call.name, call.arguments, call.ok) == (function.__name__, {"city": "Bonn"}, True)
    assert call.seconds >= 0 and "Bonn" in call.output and "Bonn" in reply.text
    assert reply.status == "completed" and f"called {function.__name__}" in repr(reply)
    assert outputs(s.log) == [(call.call_id, call.output)]


def test_the_round_in_the_log() -> None:
    with rt.Session(simulated(), tools=[weather], modality="text") as s:
        [call] = s.ask("What is the weather in Bonn?").tool_calls
    assert types(s.log).count("response.create") == types(s.log).count("response.done") == 2
    order = [row.type for row in s.log if row.direction != "server" or row.type == "response.done"]
    assert order[-6:] == [
        "response.done", "tool.called", "tool.answered", "conversation.item.create",
        "response.create", "response.done",
    ]  # fmt: skip
    [called, answered] = s.log.where(direction="local")
    assert called.event == {
        "type": "tool.called", "call_id": call.call_id, "name": "weather",
        "arguments": {"city": "Bonn"},
    }  # fmt: skip
    assert answered.event is not None and answered.event["ok"] is True
    assert {called.family, answered.family} == {"tools"}
    assert called.summary == 'weather({"city": "Bonn"})'
    assert answered.summary.startswith("answered after ")


def test_without_a_question_for_it_nothing_is_called() -> None:
    with rt.Session(simulated(), tools=[weather]) as s:
        reply = s.ask("Good morning!")
    assert reply.tool_calls == () and reply.text


def line_to(server: rt.Simulator) -> rt.Endpoint:
    return rt.Endpoint(server.url, headers={"Authorization": f"Bearer {server.key}"})


def test_functions_over_a_real_line() -> None:
    with rt.Simulator(in_process=True, latency="none") as server:
        with rt.Session(line_to(server), tools=[weather, later], modality="text") as s:
            replies = [s.ask(f"What is the weather in {city}?") for city in ("Bonn", "Rome")]
    assert [call.ok for reply in replies for call in reply.tool_calls] == [True, True]
    assert "Rome" in replies[1].text


def test_calls_of_a_tool_given_as_a_dict_are_the_users() -> None:
    given = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    for tools in ([given], [given, later]):
        with rt.Session(simulated(), tools=tools, modality="text") as s:
            s.send({"type": "session.update", "session": {
                "type": "realtime", "tool_choice": {"type": "function", "name": "weather"},
            }})  # fmt: skip
            reply = s.ask("What is the weather?")
            assert reply.tool_calls == () and not outputs(s.log)
            assert not s.log.where(type="tool.*")


# ---------------------------------------------------------------- rounds


def test_several_calls_of_one_response_run_together_and_are_followed_by_one_request() -> None:
    meeting = threading.Barrier(2, timeout=SOON)  # breaks where one waits for the other

    def meet(name: str) -> str:
        meeting.wait()
        return name

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(
            ("meet", '{"name": "a"}'), ("meet", '{"name": "b"}'), text="One moment."
        )
        await model.hears("response.create")
        await model.answers(text="There.")

    s, reply = asyncio.run(scene(play, lambda s: s.ask("meet"), [meet]))
    assert sorted(outputs(s.log)) == [("call_1_0", "a"), ("call_1_1", "b")]
    assert [call.output for call in reply.tool_calls] == ["a", "b"]
    assert reply.text == "There." and len(reply.tool_calls) == 2
    assert types(s.log, "client").count("response.create") == 2
    assert types(s.log, "client")[-1] == "response.create"


def test_what_is_said_twice_is_done_once() -> None:
    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("weather", '{"city": "Bonn"}'), times=3)
        await model.hears("response.create")
        await model.answers(text="Clear.", times=2)

    s, reply = asyncio.run(scene(play, lambda s: s.ask("weather?"), [weather]))
    assert len(outputs(s.log)) == len(reply.tool_calls) == 1
    assert types(s.log, "client").count("response.create") == 2


BAD_CALLS = [
    (("weather", '{"city": "Bo'), "was not called: The arguments are not JSON"),
    (("weather", "{}"), "was not called: city is missing"),
    (("weather", '{"city": 7}'), "was not called: city must be a text, not 7"),
    (("weather", '{"city": "Bonn", "hours": 1}'), "was not called: there is no hours"),
    (("time", "{}"), "There is no tool 'time'. There are: weather, fails, leaves, gone."),
    (("fails", "{}"), "fails failed. ValueError: nothing found, key=[key 1]"),
    (("leaves", "{}"), "leaves failed. SystemExit: 3"),
    (("gone", "{}"), "gone failed. SystemExit: 4"),
]


@pytest.mark.parametrize(("call", "words"), BAD_CALLS)
def test_what_goes_wrong_becomes_an_output_that_the_model_can_read(
    call: tuple[str, str], words: str
) -> None:
    def fails() -> None:
        secret_local = "sk-test-not-a-key"
        raise ValueError(f"nothing found, key={secret_local}")

    def leaves() -> None:
        raise SystemExit(3)

    async def gone() -> None:
        raise SystemExit(4)

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(call)
        await model.hears("response.create")
        await model.answers(text="I am sorry.")

    s, reply = asyncio.run(scene(play, lambda s: s.ask("?"), [weather, fails, leaves, gone]))
    [(call_id, output)] = outputs(s.log)
    assert words in error_in(output)
    assert call_id == "call_1_0" and reply.text == "I am sorry."
    assert [one.ok for one in reply.tool_calls] == [False]
    [answered] = s.log.where(type="tool.answered")
    assert answered.event is not None and answered.event["ok"] is False
    assert "sk-test" not in output and "Traceback" not in output


def test_an_output_that_is_refused_does_not_end_the_wait_for_the_reply() -> None:
    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("weather", '{"city": "Bonn"}'))
        output = await model.hears("conversation.item.create")
        await model.hears("response.create")
        message = "Tool call ID 'call_1_0' not found in conversation."
        error = {"type": "invalid_request_error", "message": message}
        await model.tells({"type": "error", "error": {**error, "event_id": output["event_id"]}})
        await model.answers(text="Clear.")

    _, reply = asyncio.run(scene(play, lambda s: s.ask("weather?"), [weather]))
    assert (reply.status, reply.text) == ("completed", "Clear.")


@pytest.mark.parametrize("status", ["cancelled", "incomplete", "failed"])
def test_calls_of_a_response_that_did_not_complete_are_not_made(status: str) -> None:
    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(
            ("weather", '{"city": "Bo'), ("weather", '{"city": "A"}'), status=status
        )

    s, reply = asyncio.run(scene(play, lambda s: s.ask("weather?"), [weather]))
    assert reply.status == status and reply.tool_calls == ()
    assert not outputs(s.log) and not s.log.where(type="tool.*")


def test_calls_beside_the_conversation_are_not_answered_into_it() -> None:
    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("weather", '{"city": "Bonn"}'), aside=True)
        await model.hears("response.create")
        await model.answers(text="Hello.")

    async def act(s: rt.AsyncSession) -> rt.Reply:
        aside = {"conversation": "none", "metadata": {"for": "me"}}
        await s.send({"type": "response.create", "response": aside})
        await s.wait_for("response.done")
        return await s.ask("hello")

    s, reply = asyncio.run(scene(play, act, [weather]))
    assert reply.text == "Hello." and not outputs(s.log)


def test_beside_a_call_for_the_user_ours_is_answered_and_asking_is_left_to_the_user() -> None:
    by_hand = {"type": "function", "name": "by_hand", "parameters": {"type": "object"}}

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("weather", '{"city": "Bonn"}'), ("by_hand", "{}"))
        await model.hears("response.create")
        await model.answers(text="Both.")

    async def act(s: rt.AsyncSession) -> None:
        reply = await s.ask("both?")
        assert reply.status == "completed"
        while not outputs(s.log):
            await s.wait_for("conversation.item.create")
        output = {"type": "function_call_output", "call_id": "call_1_1", "output": "mine"}
        await s.send({"type": "conversation.item.create", "item": output})
        await s.send({"type": "response.create"})
        await s.wait_for("response.done")

    s, _ = asyncio.run(scene(play, act, [weather, by_hand]))
    assert [call_id for call_id, _ in outputs(s.log)] == ["call_1_0", "call_1_1"]
    assert types(s.log, "client").count("response.create") == 2


def test_a_model_that_goes_on_calling_is_stopped_with_a_sentence() -> None:
    async def play(model: Model) -> None:
        while True:
            await model.hears("response.create")
            await model.answers(("weather", '{"city": "Bonn"}'))

    s, reply = asyncio.run(scene(play, lambda s: s.ask("weather?"), [weather]))
    assert [call.ok for call in reply.tool_calls].count(True) == MOST_ROUNDS
    assert "more than 10 rounds" in error_in(reply.tool_calls[MOST_ROUNDS].output)
    requests = [row.event for row in s.log.where(type="response.create", direction="client")]
    assert len(requests) == MOST_ROUNDS + 2
    choices = [(one or {}).get("response", {}).get("tool_choice") for one in requests]
    assert choices == [None] * (MOST_ROUNDS + 1) + ["none"]


def test_a_second_question_may_be_asked_while_a_tool_runs() -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return "at last"

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("slow", "{}"))
        await model.hears("response.create")
        await model.answers(text="Meanwhile.")
        await model.hears("response.create")
        await model.answers(text="At last.")

    async def act(s: rt.AsyncSession) -> tuple[rt.Reply, rt.Reply]:
        first = asyncio.ensure_future(s.ask("slowly"))
        await s.wait_for("tool.called")
        second = await s.ask("and now?")
        go.set()
        return await first, second

    _, (first, second) = asyncio.run(scene(play, act, [slow]))
    assert (second.text, second.tool_calls) == ("Meanwhile.", ())
    assert first.text == "At last." and first.tool_calls[0].output == "at last"


# ---------------------------------------------------------------- the user goes on


def speaks(**detection: Any) -> dict[str, Any]:
    """A session with turn detection, as the server states it."""
    server_vad = {"type": "server_vad", **detection}
    session = {"id": "sess_x", "audio": {"input": {"turn_detection": server_vad}}}
    return {"type": "session.updated", "session": session}


@pytest.mark.parametrize(("answers_itself", "requests"), [(True, 1), (False, 2)])
def test_while_the_user_speaks_the_result_is_kept_for_the_answer_to_that(
    answers_itself: bool, requests: int
) -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return "done"

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("slow", "{}"))
        await model.tells(speaks(create_response=answers_itself))
        await model.tells({"type": "input_audio_buffer.speech_started", "item_id": "item_u"})
        await model.hears("response.create")
        await model.answers(text="Done.")

    async def act(s: rt.AsyncSession) -> rt.Reply:
        asked = asyncio.ensure_future(s.ask("slowly"))
        await s.wait_for("input_audio_buffer.speech_started")
        go.set()
        return await asked

    s, reply = asyncio.run(scene(play, act, [slow]))
    assert types(s.log, "client").count("response.create") == requests
    assert [output for _, output in outputs(s.log)] == ["done"]
    assert [call.output for call in reply.tool_calls] == ["done"]


def test_while_a_key_is_held_to_talk_the_result_is_kept_for_the_answer_to_that() -> None:
    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("weather", '{"city": "Bonn"}'))
        await model.hears("input_audio_buffer.commit")
        await model.hears("response.create")
        await model.answers(text="Clear, and yes.")

    async def act(s: rt.AsyncSession) -> None:
        s.record({"type": "microphone.started"})
        first = await s.ask("weather?")
        assert first.tool_calls[0].ok and first.text == ""
        s.record({"type": "microphone.stopped"})
        await s.commit()
        await s.settled()

    s, _ = asyncio.run(scene(play, act, [weather]))
    sent = types(s.log, "client")
    assert sent.count("response.create") == 2
    assert sent[-2:] == ["input_audio_buffer.commit", "response.create"]


def test_who_interrupts_to_speak_on_is_told_the_result_too() -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return "done"

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("slow", "{}"))
        await model.hears("response.create")
        await model.answers(text="Done.")

    async def act(s: rt.AsyncSession) -> rt.Reply:
        asked = asyncio.ensure_future(s.ask("slowly"))
        await s.wait_for("tool.called")
        await s.interrupt(calls=False)
        go.set()
        return await asked

    _, reply = asyncio.run(scene(play, act, [slow]))
    assert reply.text == "Done."


def test_after_an_interruption_the_result_is_remembered_and_nothing_is_asked() -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return "too late"

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("slow", "{}"))
        await model.hears("nothing more")

    async def act(s: rt.AsyncSession) -> rt.Reply:
        asked = asyncio.ensure_future(s.ask("slowly"))
        await s.wait_for("tool.called")
        await s.interrupt()
        reply = await asked
        await s.settled()
        go.set()
        while not outputs(s.log):
            await s.wait_for("conversation.item.create")
        return reply

    s, reply = asyncio.run(scene(play, act, [slow]))
    assert reply.status == "completed" and reply.tool_calls == ()
    assert outputs(s.log) == [("call_1_0", "too late")]
    assert types(s.log, "client").count("response.create") == 1


def test_a_request_that_waits_is_taken_back_when_the_user_begins_to_speak() -> None:
    async def play(model: Model) -> None:
        await model.tells(speaks())
        await model.hears("response.create")
        await model.answers(("weather", '{"city": "Bonn"}'))
        # A response of the server's own, before ours can be asked for.
        other = {"id": "resp_own", "status": "in_progress", "conversation_id": "conv", "output": []}
        await model.tells({"type": "response.created", "response": other})
        while (await model.hears("conversation.item.create"))["item"]["type"] == "message":
            pass
        await model.tells({"type": "input_audio_buffer.speech_started", "item_id": "item_u"})
        done = {**other, "status": "cancelled"}
        await model.tells({"type": "response.done", "response": done})
        await model.answers(text="That, and the weather.")

    async def act(s: rt.AsyncSession) -> rt.Reply:
        reply = await s.ask("weather?")
        await s.settled()
        return reply

    s, reply = asyncio.run(scene(play, act, [weather]))
    assert types(s.log, "client").count("response.create") == 1
    assert "Interrupted" in reply.error and len(reply.tool_calls) == 1


# ---------------------------------------------------------------- tools that hang, and worse


@pytest.mark.parametrize("sync", BOTH)
def test_a_tool_that_hangs_is_given_up_and_the_model_is_told(sync: bool) -> None:
    over = threading.Event()

    def hangs() -> None:
        over.wait(60)

    async def hangs_awaiting() -> None:
        while not over.is_set():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return  # it does as if nothing had been

    function = hangs if sync else hangs_awaiting
    tools = [rt.tool(function, timeout=0.05), weather]
    with rt.Session(simulated(), tools=tools, modality="text") as s:
        reply = s.ask("hangs" if sync else "hangs awaiting")
        over.set()
        assert s.ask("What is the weather in Bonn?").tool_calls[0].ok  # nothing is blocked
    [call] = reply.tool_calls
    assert not call.ok and "did not finish within 0.05 s and was given up" in call.output


@pytest.mark.parametrize("sync", BOTH)
def test_the_session_closes_while_a_tool_runs(sync: bool) -> None:
    over, began = threading.Event(), threading.Event()

    def hangs() -> None:
        began.set()
        over.wait(SOON)

    async def hangs_too() -> None:
        began.set()
        await asyncio.sleep(60)

    async def act() -> rt.AsyncSession:
        function = hangs if sync else hangs_too
        async with rt.AsyncSession(simulated(), tools=[function]) as s:
            await s.say("hangs too")
            await s.wait_for("tool.called")
            while not began.is_set():
                await asyncio.sleep(0)
        return s

    s = asyncio.run(act())
    over.set()
    assert not outputs(s.log) and not s.is_open


def test_the_line_is_lost_while_a_tool_runs() -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return "nobody hears this"

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("slow", "{}"))
        await model.line.close()

    async def act(s: rt.AsyncSession) -> None:
        with pytest.raises(rt.ConnectionLost):
            await s.ask("slowly")
        go.set()
        await asyncio.wait_for(answered(s), SOON)

    s, _ = asyncio.run(scene(play, act, [slow]))
    assert not outputs(s.log)


async def answered(s: rt.AsyncSession) -> None:
    while not s.log.where(type="tool.answered"):
        await asyncio.sleep(0)


def test_a_tool_may_end_its_session() -> None:
    async def hang_up() -> str:
        """Hang up, say goodbye."""
        await session.close()
        return "closed"

    async def act() -> rt.AsyncSession:
        nonlocal session
        session = rt.AsyncSession(simulated(), tools=[hang_up])
        async with session:
            await session.say("Please hang up.")
            await asyncio.wait_for(answered(session), SOON)
        return session

    session: rt.AsyncSession
    s = asyncio.run(act())
    [row] = s.log.where(type="tool.answered")
    assert row.event is not None and row.event["ok"] is True


def test_a_blocking_call_from_an_awaited_tool_is_refused_in_words() -> None:
    async def nested() -> str:
        """Asks again, nested."""
        return s.ask("Hello?").text

    with rt.Session(simulated(), tools=[nested], modality="text") as s:
        [call] = s.ask("Something nested, please.").tool_calls
    assert not call.ok and "def instead of async def" in error_in(call.output)


def test_a_plain_tool_may_ask_the_session_itself() -> None:
    def nested() -> str:
        """Asks again, nested."""
        return s.ask("Hello there!").text

    with rt.Session(simulated(), tools=[nested], modality="text") as s:
        reply = s.ask("Something nested, please.")
    [call] = reply.tool_calls
    assert call.ok and call.output


def test_an_interrupted_cell_leaves_the_session_usable() -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return "done"

    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("slow", "{}"))
        await model.hears("response.create")
        await model.answers(text="Hello.")

    async def act(s: rt.AsyncSession) -> rt.Reply:
        asked = asyncio.ensure_future(s.ask("slowly"))
        await s.wait_for("tool.called")
        asked.cancel()  # what loop.run does when the waiting cell is interrupted
        with pytest.raises(asyncio.CancelledError):
            await asked
        go.set()
        while not outputs(s.log):
            await s.wait_for("conversation.item.create")
        return await s.ask("hello")

    s, reply = asyncio.run(scene(play, act, [slow]))
    assert reply.text == "Hello."
    assert types(s.log, "client").count("response.create") == 2


def test_a_tool_that_gives_megabytes() -> None:
    def megabytes() -> str:
        """Gives megabytes."""
        return "x" * 3_000_000

    with rt.Session(simulated(), tools=[megabytes], modality="text") as s:
        [call] = s.ask("Give me megabytes.").tool_calls
    assert call.ok and len(call.output) < 21_000 and "Cut here" in call.output


def test_the_loop_is_free_while_a_plain_tool_runs() -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return threading.current_thread().name

    async def act() -> str:
        async with rt.AsyncSession(simulated(), tools=[slow]) as s:
            asked = asyncio.ensure_future(s.ask("slow"))
            await s.wait_for("tool.called")
            go.set()  # which could not be reached were the loop held
            return (await asked).tool_calls[0].output

    assert asyncio.run(act()) == "rtwidgets-tool"


def test_a_budget_that_is_spent_ends_the_round() -> None:
    async def play(model: Model) -> None:
        await model.hears("response.create")
        await model.answers(("weather", '{"city": "Bonn"}'))

    async def act(s: rt.AsyncSession) -> None:
        turns = s.conversation.turns
        first = turns.gate
        turns.gate = lambda event: "The budget is spent." if seen else first(event)
        seen: list[int] = []
        s.subscribe(lambda row: seen.append(1) if row.type == "tool.called" else None)
        with pytest.raises(rt.SpendingNotApproved, match="spent"):
            await s.ask("weather?")
        await s.settled()
        while not outputs(s.log):
            await s.wait_for("conversation.item.create")

    s, _ = asyncio.run(scene(play, act, [weather]))
    assert len(outputs(s.log)) == 1


def test_waiting_longer_than_allowed_says_so_and_what_was_begun_goes_on() -> None:
    go = threading.Event()

    def slow() -> str:
        assert go.wait(SOON)
        return "done"

    async def act() -> rt.AsyncSession:
        async with rt.AsyncSession(simulated(), tools=[slow]) as s:
            with pytest.raises(rt.TimedOut):
                await s.ask("slow", timeout=0.05)
            go.set()
            await s.settled()
            return s

    s = asyncio.run(act())
    assert types(s.log, "server").count("response.done") == 2


def test_a_reply_by_its_id_has_its_own_calls() -> None:
    with rt.Session(simulated(), tools=[weather], modality="text") as s:
        last = s.ask("What is the weather in Bonn?")
        first, second = (s.reply(response_id) for response_id in s.conversation.responses)
    assert len(first.tool_calls) == len(last.tool_calls) == 1 and not second.tool_calls
    assert second.response_id == last.response_id


def test_wrong_tools_are_refused_before_anything_is_opened() -> None:
    for make in (rt.Session, rt.AsyncSession):
        with pytest.raises(rt.Misuse, match="has no type"):
            make(simulated(), tools=[lambda_like])


def lambda_like(x):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    return x


def test_a_spoken_question_is_answered_behind_its_calls() -> None:
    async def play(model: Model) -> None:
        await model.tells(speaks())
        await model.hears("input_audio_buffer.append")
        await model.tells({"type": "input_audio_buffer.speech_started", "item_id": "item_u"})
        await model.tells({"type": "input_audio_buffer.speech_stopped", "item_id": "item_u"})
        await model.tells({"type": "input_audio_buffer.committed", "item_id": "item_u"})
        await model.answers(("weather", '{"city": "Bonn"}'))
        await model.hears("response.create")
        await model.answers(text="Clear.")

    s, reply = asyncio.run(scene(play, lambda s: s.hear(np.zeros(4800)), [weather]))
    assert reply is not None and reply.text == "Clear."
    assert [call.ok for call in reply.tool_calls] == [True]
