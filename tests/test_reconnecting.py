"""A lost line: the conversation goes on in a new session, and nothing is lost or said twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from breaking import Fragile, at, never, refused

import rtwidgets as rt
from rtwidgets.audio import RATE
from rtwidgets.events import is_carried, item_create, session_update, user_text
from rtwidgets.log import EventLog

GREETING = rt.GeneratedGreeting("Greet the visitor.")


def talk(
    endpoint: rt.Endpoint, *questions: str, opening: Any = None, **options: Any
) -> tuple[rt.AsyncSession, list[Any]]:
    """A whole conversation on the virtual clock; gives the session and the replies."""

    async def scene() -> tuple[rt.AsyncSession, list[Any]]:
        async with rt.AsyncSession(endpoint, opening, **options) as s:
            return s, [s.opening_reply, *[await s.ask(one) for one in questions]]

    return asyncio.run(scene())


def events(log: EventLog, type_: str) -> list[dict[str, Any]]:
    return [row.event or {} for row in log.where(type=type_)]


def told(log: EventLog) -> list[dict[str, Any]]:
    """The items that new sessions were told."""
    return [one["item"] for one in events(log, "conversation.item.create") if is_carried(one)]


def words(items: list[dict[str, Any]]) -> list[str]:
    return [part.get("text", part["type"]) for one in items for part in one["content"]]


def greetings_heard(log: EventLog) -> int:
    """How many greetings somebody could hear: replies with sound before the first question."""
    asked = [row.seq for row in log.where(type="conversation.item.create", direction="client")
             if not is_carried(row.event)]  # fmt: skip
    before = log[: asked[0]] if asked else log
    return len({row.response_id for row in before.where(type="response.output_audio.delta")})


def state_of(conversation: rt.Conversation) -> Any:
    return (
        [(one.id, one.role, one.text, one.status) for one in conversation.items],
        [(one.id, one.status, one.text) for one in conversation.responses.values()],
        conversation.usage,
    )


@pytest.mark.parametrize(
    ("direction", "type_", "nth"),
    [
        ("server", "session.created", 1),
        ("client", "session.update", 1),
        ("server", "session.updated", 1),
        ("client", "response.create", 1),
        ("server", "response.created", 1),
        ("server", "response.output_audio_transcript.delta", 1),
        ("server", "response.output_audio.delta", 1),
        ("server", "response.output_audio.delta", 3),
        ("server", "response.done", 1),
        ("client", "conversation.item.create", 1),
        ("server", "conversation.item.added", 2),
        ("client", "response.create", 2),
        ("server", "response.created", 2),
        ("server", "response.done", 2),
    ],
)
def test_wherever_the_line_breaks_the_conversation_goes_on(
    direction: str, type_: str, nth: int
) -> None:
    endpoint = Fragile(at(direction, type_, nth))
    s, (greeting, first, second) = talk(
        endpoint, "Which fossils?", "How old?", opening=GREETING, instructions="Be kind."
    )
    assert len(endpoint.lines) == 2
    assert [one["again"] for one in events(s.log, "line.lost")] == [True]
    # Where no session stood yet there is nothing to restore.
    assert len(events(s.log, "line.restored")) == (type_ != "session.created")
    # Who waited has an answer; only one that was cut in the middle is incomplete, and says why.
    assert greeting.transcript and first.transcript
    assert (second.status, bool(second.transcript)) == ("completed", True)
    # The questions are in the conversation once each, and the greeting was heard once.
    assert [one.text for one in s.conversation.items if one.role == "user"] == [
        "Which fossils?",
        "How old?",
    ]
    assert greetings_heard(s.log) == 1
    assert s.conversation.session["instructions"] == "Be kind."
    assert state_of(rt.Conversation.of(s.log)) == state_of(s.conversation)


def test_of_a_greeting_that_was_cut_only_what_was_heard_is_carried_over() -> None:
    s, (greeting, _) = talk(
        Fragile(at("server", "response.output_audio.delta", 3)), "Go on?", opening=GREETING
    )
    assert greeting.status == "incomplete"
    (item,) = told(s.log)
    assert item["content"][0]["type"] == "output_text" and item["role"] == "assistant"
    (heard,) = words([item])
    assert greeting.transcript.startswith(heard) and 0 < len(heard) < len(greeting.transcript)
    assert len(events(s.log, "response.create")) == 2, "the greeting is not asked for again"


def test_a_seed_is_deleted_though_the_line_cut_its_greeting_short() -> None:
    opening = rt.SeededGreeting("Greet the visitor.", delete=True)
    s, (greeting, answer) = talk(
        Fragile(at("server", "response.output_audio.delta", 3)), "Go on?", opening=opening
    )
    assert greeting.status == "incomplete" and answer.status == "completed"
    assert [one.text for one in s.conversation.items if one.role == "user"] == ["Go on?"]
    assert len(events(s.log, "conversation.item.deleted")) == 1
    assert state_of(rt.Conversation.of(s.log)) == state_of(s.conversation)


def test_of_a_greeting_out_of_band_that_was_cut_what_was_heard_is_remembered() -> None:
    opening = rt.OutOfBandGreeting("Greet the visitor.", remember=True)
    s, (greeting, answer) = talk(
        Fragile(at("server", "response.output_audio.delta", 3)), "Go on?", opening=opening
    )
    assert greeting.status == "incomplete" and answer.status == "completed"
    first = s.conversation.items[0]
    assert first.role == "assistant" and not first.response_id
    assert greeting.transcript.startswith(first.text)
    assert 0 < len(first.text) < len(greeting.transcript), "no more than was heard"
    assert told(s.log) == []


def test_an_opening_of_ones_own_is_told_of_the_end_only_once() -> None:
    """Two lines in a row are lost; a greeting that is asked for again has an end of its own."""
    ends: list[str] = []

    class Noting(rt.GeneratedGreeting):
        def react(self, event: dict[str, Any]) -> list[dict[str, Any]]:
            if event["type"] == "response.done":
                ends.append(event["response"]["status"])
            return []

    twice = (at("server", "response.output_audio.delta", 3), at("server", "session.created"))
    talk(Fragile(*twice), "Go on?", opening=Noting("Greet the visitor."))
    talk(Fragile(at("server", "response.created")), opening=Noting("Greet the visitor."))
    assert ends == ["incomplete", "completed", "completed"]


def test_of_a_greeting_that_nobody_heard_a_word_of_another_is_asked_for() -> None:
    s, (greeting,) = talk(Fragile(at("server", "response.created")), opening=GREETING)
    assert greeting.status == "completed" and greeting.transcript
    asked = events(s.log, "response.create")
    assert len(asked) == 2 and asked[0] == asked[1]
    assert told(s.log) == []


def test_what_was_truncated_is_carried_over_as_far_as_it_was_heard() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never), GREETING) as s:
            spoken = s.conversation.items[0]
            whole = spoken.text
            await s.interrupt(heard_ms=spoken.audio_ms // 2)
            await s.wait_for("conversation.item.truncated")
            await s.endpoint.lines[0].cut()
            await s.ask("What did you say?")
            (heard,) = words(told(s.log)[:1])
            assert whole.startswith(heard) and 0 < len(heard) < len(whole)
            return s

    asyncio.run(scene())


def test_a_truncation_that_the_line_swallowed_counts_all_the_same() -> None:
    async def scene() -> None:
        endpoint = Fragile(at("client", "conversation.item.truncate"))
        async with rt.AsyncSession(endpoint, GREETING) as s:
            spoken = s.conversation.items[0]
            whole = spoken.text
            await s.interrupt(heard_ms=spoken.audio_ms // 2)
            await s.ask("What did you say?")
            (heard,) = words(told(s.log)[:1])
            assert whole.startswith(heard) and 0 < len(heard) < len(whole)

    asyncio.run(scene())


def test_settings_made_on_the_way_are_made_again_and_refused_ones_are_not() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never), instructions="Be kind.") as s:
            update: dict[str, Any] = {"type": "session.update", "session": {"type": "realtime"}}
            update["session"]["audio"] = {"output": {"speed": 1.25}}
            await s.send(update)
            await s.wait_for("session.updated")
            await s.send({**update, "session": {**update["session"], "voice": "no such"}})
            await s.wait_for("error")
            await s.endpoint.lines[0].cut()
            await s.ask("Hello?")
            return s

    s = asyncio.run(scene())
    assert s.conversation.session["audio"]["output"]["speed"] == 1.25
    assert s.conversation.session["instructions"] == "Be kind."
    assert len(events(s.log, "error")) == 1


def test_what_is_sent_while_the_line_is_away_leaves_when_it_is_back() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never, refused(), refused())) as s:
            await s.endpoint.lines[0].cut()
            await s.wait_for("line.trying")
            assert s.mending and s.is_open
            await s.say("Are you there?")
            sending = asyncio.ensure_future(s.send(item_create(user_text("By hand."))))
            await s.settled()
            await sending
            return s

    s = asyncio.run(scene())
    assert [one["attempt"] for one in events(s.log, "line.trying")] == [1, 2, 3]
    assert [one.text for one in s.conversation.items if one.role == "user"] == [
        "Are you there?",
        "By hand.",
    ]


def test_pauses_grow_and_are_uneven() -> None:
    s, _ = talk(Fragile(at("client", "response.create"), *[refused()] * 5), "Hello?")
    pauses = [one["seconds"] for one in events(s.log, "line.trying")]
    assert len(pauses) == 6
    assert all(0.25 * 2**n <= one <= 0.5 * 2**n for n, one in enumerate(pauses[:5]))


def test_patience_ends_and_who_waits_is_told() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never, *[refused()] * 20)) as s:
            await s.endpoint.lines[0].cut()
            with pytest.raises(rt.ConnectionLost, match="8 tries"):
                await s.ask("Hello?")
            assert not s.is_open and not s.mending
            with pytest.raises(rt.ConnectionLost):
                await s.say("Still there?")
            return s

    s = asyncio.run(scene())
    trying, given_up = events(s.log, "line.lost")
    assert (trying.get("again", False), given_up.get("again", False)) == (True, False)
    # What was to leave when the line stands is not silently gone: it can be said again.
    assert given_up["message"].endswith("What you said last did not arrive: “Hello?”.")


def last_words_of_a_line_cut(type_: str) -> str:
    """What is said where a line ends for good at an event of the server, a question on its way."""

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(at("server", type_)), reconnect=False) as s:
            with pytest.raises(rt.ConnectionLost):
                await s.ask("Hello?")
            return s

    (lost,) = events(asyncio.run(scene()).log, "line.lost")
    return str(lost["message"])


def test_what_left_and_was_never_confirmed_is_named_where_the_line_ends() -> None:
    said = last_words_of_a_line_cut("conversation.item.added")
    assert said.endswith("did not arrive: “Hello?”.")


def test_what_was_confirmed_is_not() -> None:
    assert "did not arrive" not in last_words_of_a_line_cut("response.created")


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 1008, 1009, 4000])
def test_what_a_server_means_is_final(code: int) -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never, code=code)) as s:
            await s.endpoint.lines[0].cut()
            with pytest.raises(rt.ConnectionLost):
                await s.ask("Hello?")
            return s

    s = asyncio.run(scene())
    assert len(s.endpoint.lines) == 1 and not events(s.log, "line.trying")


@pytest.mark.parametrize("code", [None, 1001, 1005, 1006, 1011, 1012, 1013, 1015])
def test_what_befell_a_server_is_not(code: int | None) -> None:
    s, (_, reply) = talk(Fragile(at("client", "response.create"), code=code), "Hello?")
    assert reply.status == "completed" and len(events(s.log, "line.restored")) == 1


@pytest.mark.parametrize("code", [401, 403, 404, "invalid_api_key", "insufficient_quota"])
def test_no_second_try_where_it_would_change_nothing(code: int | str) -> None:
    async def scene() -> None:
        async with rt.AsyncSession(Fragile(never, refused(code), never)) as s:
            await s.endpoint.lines[0].cut()
            with pytest.raises(rt.ConnectionLost, match="1 try"):
                await s.ask("Hello?")

    asyncio.run(scene())


def test_reconnecting_can_be_declined() -> None:
    async def scene() -> None:
        async with rt.AsyncSession(Fragile(never), reconnect=False) as s:
            await s.endpoint.lines[0].cut()
            with pytest.raises(rt.ConnectionLost):
                await s.ask("Hello?")
            assert not events(s.log, "line.trying")

    asyncio.run(scene())


def test_closing_in_the_middle_of_it_ends_it() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never, *[refused()] * 3)) as s:
            await s.endpoint.lines[0].cut()
            await s.wait_for("line.trying")
        return s

    s = asyncio.run(scene())
    assert not s.is_open and not events(s.log, "line.restored")


# ---------------------------------------------------------------- speech


def speech(seconds: float) -> Any:
    import numpy

    t = numpy.arange(int(seconds * RATE)) / RATE
    return (8000 * numpy.sin(2 * numpy.pi * 220 * t)).astype(numpy.int16)


NO_TURNS = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


def pushed_to_talk(endpoint: Fragile) -> rt.AsyncSession:
    """A session in which one turn was spoken without turn detection, and answered."""

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(endpoint) as s:
            await s.send({"type": "session.update", "session": NO_TURNS})
            await s.wait_for("session.updated")
            reply = await s.hear(speech(1.0))
            assert reply.status == "completed"
            return s

    return asyncio.run(scene())


def test_a_turn_that_was_being_spoken_is_not_lost() -> None:
    """Push to talk: the line breaks in the middle of the sound; all of it is sent again."""

    s = pushed_to_talk(Fragile(at("client", "input_audio_buffer.append", 10)))
    (committed,) = s.log.where(type="input_audio_buffer.committed")
    restored = next(iter(s.log.where(type="line.restored"))).seq
    lost = next(iter(s.log.where(type="line.lost"))).seq
    heard = sum(row.audio_ms for row in s.log[lost : committed.seq].where(direction="client"))
    assert heard == 1000
    assert s.log[restored].event["sent_again"] == 1
    for conversation in (s.conversation, rt.Conversation.of(s.log)):
        assert [one.spoken_ms for one in conversation.items if one.role == "user"] == [1000]


def test_a_turn_that_was_committed_and_not_confirmed_is_committed_again() -> None:
    s = pushed_to_talk(Fragile(at("client", "input_audio_buffer.commit")))
    assert len(s.log.where(type="input_audio_buffer.commit")) == 2
    assert len(s.log.where(type="input_audio_buffer.committed")) == 1


def test_a_spoken_turn_that_nobody_wrote_down_is_carried_over_as_sound() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never)) as s:
            await s.hear(speech(1.0))
            await s.endpoint.lines[0].cut()
            await s.ask("What did I say?")
            return s

    s = asyncio.run(scene())
    spoken = next(one for one in told(s.log) if one["role"] == "user")
    (part,) = spoken["content"]
    assert part["type"] == "input_audio"
    seconds = len(rt.audio.decode(part["audio"])) / 2 / RATE
    assert 1.0 <= seconds <= 2.0  # with what stands before and behind it


def test_hands_free_speech_is_heard_again_and_answered_once() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(at("server", "input_audio_buffer.speech_started"))) as s:
            reply = await s.hear(speech(1.0))
            assert reply is not None and reply.status == "completed"
            return s

    s = asyncio.run(scene())
    assert len([one for one in s.conversation.items if one.role == "user"]) == 1
    assert len([one for one in s.conversation.items if one.role == "assistant"]) == 1


@pytest.mark.parametrize(
    "type_",
    [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
    ],
)
def test_a_turn_that_was_to_be_answered_by_the_server_is(type_: str) -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(at("server", type_))) as s:
            reply = await s.hear(speech(1.0))
            assert reply is not None and reply.status == "completed"
            assert "I heard you" in reply.transcript, "the new session has the sound"
            return s

    s = asyncio.run(scene())
    assert len([one for one in s.conversation.items if one.role == "user"]) == 1
    assert len([one for one in s.conversation.items if one.role == "assistant"]) == 1
    assert state_of(rt.Conversation.of(s.log)) == state_of(s.conversation)


def test_a_spoken_turn_that_was_no_item_yet_is_told_to_the_next_session() -> None:
    """Push to talk: the line breaks between the word that it was heard and the item."""

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(at("server", "conversation.item.added"))) as s:
            await s.send({"type": "session.update", "session": NO_TURNS})
            await s.wait_for("session.updated")
            reply = await s.hear(speech(1.0))
            assert reply is not None and "1.0 seconds" in reply.transcript
            return s

    s = asyncio.run(scene())
    assert len([one for one in s.conversation.items if one.role == "user"]) == 1
    assert state_of(rt.Conversation.of(s.log)) == state_of(s.conversation)


def test_a_picture_is_carried_over_as_it_was_sent() -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    item = {"type": "message", "role": "user", "content": [picture]}

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never)) as s:
            await s.send(item_create(item))
            await s.wait_for("conversation.item.done")
            await s.endpoint.lines[0].cut()
            await s.ask("What is that?")
            return s

    assert told(asyncio.run(scene()).log)[0]["content"] == [picture]


# ---------------------------------------------------------------- calls of tools


def test_calls_and_their_outputs_are_carried_over() -> None:
    def fossils(room: str) -> str:
        "Which fossils stand in a room."
        return f"An ichthyosaur stands in {room}."

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never), tools=[fossils]) as s:
            await s.ask("Use the tool fossils.")
            await s.endpoint.lines[0].cut()
            await s.ask("And now?")
            return s

    s = asyncio.run(scene())
    kinds = [one["type"] for one in told(s.log)]
    assert kinds.index("function_call_output") == kinds.index("function_call") + 1


def test_a_function_that_runs_while_the_line_is_away_is_answered_on_the_next() -> None:
    async def scene() -> rt.AsyncSession:
        endpoint = Fragile(never)

        async def fossils(room: str) -> str:
            "Which fossils stand in a room."
            await endpoint.lines[0].cut()
            return f"An ichthyosaur stands in {room}."

        async with rt.AsyncSession(endpoint, tools=[fossils]) as s:
            reply = await s.ask("Use the tool fossils.")
            assert reply.status == "completed" and reply.tool_calls[0].ok
            return s

    s = asyncio.run(scene())
    kinds = [item.type for item in s.conversation.items]
    assert kinds[-3:] == ["function_call", "function_call_output", "message"]
    assert kinds.count("function_call") == 1
    assert not events(s.log, "error")


# ---------------------------------------------------------------- the longest duration


def test_before_its_hour_is_over_a_conversation_moves_in_a_pause() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(), GREETING) as s:
            for minute in range(130):
                await s.ask(f"It is minute {minute}.")
                await s.clock.sleep(60.0)
            return s

    s = asyncio.run(scene())
    assert len(events(s.log, "line.moving")) == 2 == len(events(s.log, "line.restored"))
    assert not events(s.log, "line.lost") and not events(s.log, "error")
    assert greetings_heard(s.log) == 1
    assert len([one for one in s.conversation.items if one.role == "user"]) == 130
    times = [row.t for row in s.log]
    assert times == sorted(times), "one clock over all lines"
    assert 129 * 60 <= times[-1] < 130 * 60


def test_a_session_that_expires_all_the_same_is_followed_by_another() -> None:
    """Idle to the end: nothing happened that could have been a reason to look."""

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(), GREETING) as s:
            await s.clock.sleep(3700.0)
            await s.ask("Still there?")
            return s

    s = asyncio.run(scene())
    assert [one["again"] for one in events(s.log, "line.lost")] == [True]
    assert "session_expired" in [one["error"]["code"] for one in events(s.log, "error")]
    assert s.conversation.items[-1].role == "assistant"


def test_what_an_mcp_server_did_no_client_can_tell_again_and_it_is_said() -> None:
    endpoint = Fragile(at("client", "conversation.item.create"))
    server = {
        "type": "mcp",
        "server_label": "dice",
        "server_url": "https://dice.example/mcp",
        "require_approval": "never",
    }

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(endpoint, modality="text") as s:
            await s.send(session_update(tools=[server]))
            await s.wait_for("mcp_list_tools.completed")
            choice = {"type": "mcp", "server_label": "dice", "name": "roll"}
            await s.send({"type": "response.create", "response": {"tool_choice": choice}})
            await s.wait_for("response.mcp_call.completed")
            assert (await s.ask("And now?")).status == "completed"
            return s

    log = asyncio.run(scene()).log
    (restored,) = events(log, "line.restored")
    before = log[: log.where(type="line.lost")[0].seq]
    items = [one["item"] for one in events(before, "conversation.item.added")]
    kinds = sorted(one["type"] for one in items if one["id"] in restored["left_out"])
    assert kinds == ["mcp_call", "mcp_list_tools"]
    assert "2 could not be" in restored["message"]
    # The new session was told of none, and has asked the server for its tools by itself.
    assert not [item for item in told(log) if item["type"].startswith("mcp")]
    assert len(log.where(type="mcp_list_tools.completed")) == 2
