"""The same session against servers that differ: words and sound come through, and what a server
does not say is shown as not known. The servers stand in a table in other_servers.py."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import numpy as np
import pytest
from other_servers import (
    AZURE,
    BARE,
    FLAT,
    GA,
    GATEWAY,
    HEAR,
    OPENAI,
    PCM,
    QWEN,
    SAID,
    SERVERS,
    SOUND_MS,
    SPEECH_TO_SPEECH,
    VOICE_LIVE,
    WORDS,
    XAI,
    Played,
    Server,
)
from scripted import Scripted, types

import rtwidgets as rt
from rtwidgets.audio import samples_from_pcm
from rtwidgets.conversation import Conversation
from rtwidgets.dialects import formats_to_ask, turn_detection_of, usage_of
from rtwidgets.events import Event, item_create, user_text
from rtwidgets.timeline import timeline_of
from rtwidgets.transport import Transport
from rtwidgets.widgets.chat import RealtimeChat
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.lines import Line
from rtwidgets.widgets.narration import narrate
from rtwidgets.widgets.status import status_of
from rtwidgets.widgets.transcript import Talk, Transcript
from rtwidgets.widgets.voice import Speaker

every = pytest.mark.parametrize("server", SERVERS, ids=str)
SOUND = samples_from_pcm(PCM + PCM)


def talk(server: Server) -> rt.AsyncSession:
    """A session with a greeting and one question, over."""

    async def run() -> rt.AsyncSession:
        async with rt.AsyncSession(
            Scripted(Played(server).serve), rt.ModelGreeting(), timeout=5
        ) as session:
            assert session.opening_reply is not None
            replies = [session.opening_reply, await session.ask("Hi.")]
        for reply in replies:
            assert (reply.text, reply.transcript, reply.status) == (WORDS, WORDS, "completed")
            assert np.array_equal(reply.audio, SOUND)
            assert reply.timing.first_audio is not None and reply.timing.first_text is not None
        return session

    return asyncio.run(run())


def lines(conversation: Conversation) -> list[Line]:
    return Talk(conversation, 1).lines()


# --- what comes through


@every
def test_words_and_sound_come_through(server: Server) -> None:
    session = talk(server)
    said = [(item.role, item.type, item.text) for item in session.conversation.items]
    reply = ("assistant", "message", WORDS)
    assert said == [reply, ("user", "message", "Hi."), reply]  # also where no server says so
    assert len(session.log.audio()) == 2 * len(SOUND)
    assert session.conversation.errors == []
    jsonl = session.log.to_jsonl()
    assert jsonl is not None
    again = Conversation.of(rt.EventLog.from_jsonl(io.StringIO(jsonl)))
    assert [(item.role, item.type, item.text) for item in again.items] == said


@every
def test_the_transcript_has_the_words_while_they_are_spoken_and_after(server: Server) -> None:
    session = talk(server)
    for line in lines(session.conversation):
        if line.speaker == "assistant":
            assert (line.text, line.state) == (WORDS, "done")
            assert line.note.startswith("0.5 s"), line
    last_words = session.log.where(type="*audio_transcript.delta")[-1]
    streaming = lines(Conversation.of(session.log[: last_words.seq + 1]))[-1]
    assert (streaming.speaker, streaming.text, streaming.state) == (
        "assistant",
        WORDS,
        "streaming",
    )


@every
def test_the_sound_is_played_to_its_end(server: Server) -> None:
    sent: list[dict[str, Any]] = []
    sound: list[bytes] = []

    class Recorded(Speaker):
        def send(self, content: dict[str, Any], buffers: Any = None) -> None:
            sent.append(content)
            sound.extend(bytes(one) for one in buffers or ())

    speaker = Recorded(sender=Sender(interval=0.001))
    for row in talk(server).log:
        speaker.take(row)
    speaker._handle_custom_msg({"t": "hello", "page": "one"}, [])
    assert speaker._sender.drain(10) and not speaker._sender.failures
    assert b"".join(sound) == PCM * 4
    ends = [one for one in sent if one["t"] == "end"]
    assert len(ends) == (0 if server is BARE else 2)  # who says no end is played all the same


@every
def test_the_tables_and_the_timeline_say_the_same(server: Server) -> None:
    session = talk(server)
    first, second = session.log.turns()
    assert (first.by, first.answer, first.audio_ms) == ("opening", WORDS, SOUND_MS)
    assert (second.by, second.said, second.answer) == ("typed", "Hi.", WORDS)
    assert [one.status for one in session.log.responses()] == ["completed"] * 2
    spans = timeline_of(session.log).spans
    spoken = [span for span in spans if span.lane == "generated"]
    assert [span.words for span in spoken] == [WORDS] * 2
    assert [span.audio_ms for span in spoken] == [SOUND_MS] * 2
    told = {row.summary for row in session.log.where(type="response.done")}
    assert told == {f"completed, {server.usage} tokens" if server.usage else "completed"}
    assert str(session.log) and session.log._repr_html_()


@every
def test_usage_that_is_not_known_is_not_shown_as_nothing(server: Server) -> None:
    session = talk(server)
    known = server.usage is not None
    bill = session.log.usage()
    status = status_of("open", session, 0.0, 0.0)
    assert [row.text_in for row in bill] == ([16, 16] if known else [None, None])
    assert (bill.unknown == 2) is (not known or server is XAI)  # no price is known for xAI's model
    assert [one.tokens for one in session.log.responses()] == [server.usage] * 2
    assert (status.tokens, status.all_told) == (2 * (server.usage or 0), known)
    for response in session.conversation.responses.values():
        assert (response.usage is not None) is known
    if not known:
        assert session.cost is None and status.spent == ""


@every
def test_the_chat_shows_the_same_conversation(server: Server) -> None:
    chat = RealtimeChat(endpoint=Scripted(Played(server).serve), opening=rt.ModelGreeting())
    try:
        chat.start()
        chat.wait(10)
        chat.say("Hi.")
        chat.wait(10)
        shown = [
            (line.speaker, line.text, line.state) for line in chat._presenter._transcript.lines()
        ]
    finally:
        chat.stop()
    reply = ("assistant", WORDS, "done")
    assert shown == [reply, ("you", "Hi.", "done"), reply]
    assert not chat._presenter._sender.failures


# --- what we said and no server repeats


def sent(*words: str) -> Conversation:
    conversation = Conversation()
    for one in words:
        conversation.request(item_create(user_text(one)))
    return conversation


def begun(name: str) -> Event:
    return {"type": "response.created", "response": {"id": name}}


def echoed(name: str, words: str) -> Event:
    return {"type": "conversation.item.added", "item": {"id": name, **user_text(words)}}


def texts(conversation: Conversation) -> list[tuple[str, str]]:
    return [(item.id, item.text) for item in conversation.items]


def test_what_is_not_repeated_is_there_when_a_response_begins() -> None:
    conversation = sent("one", "two")
    assert texts(conversation) == []
    conversation.receive(begun("r"))
    assert [text for _, text in texts(conversation)] == ["one", "two"]
    assert not conversation.names_items


def test_what_is_repeated_late_is_there_once_and_nothing_is_made_up_after() -> None:
    conversation = sent("one")
    conversation.receive(begun("r"))
    conversation.receive(echoed("a", "one"))
    assert texts(conversation) == [("a", "one")] and conversation.names_items
    conversation.request(item_create(user_text("two")))
    conversation.receive(begun("s"))
    assert texts(conversation) == [("a", "one")]


def test_what_was_refused_is_not_made_up() -> None:
    conversation = sent("one")
    conversation.receive({"type": "error", "error": {"message": "No."}})
    conversation.receive(begun("r"))
    assert texts(conversation) == []


def test_a_response_beside_the_conversation_proves_no_item() -> None:
    conversation = sent("one")
    aside = {"id": "r", "conversation_id": None}
    conversation.receive({"type": "response.created", "response": aside})
    assert texts(conversation) == []
    conversation.receive(echoed("a", "one"))
    assert texts(conversation) == [("a", "one")]


# --- spoken turns


@pytest.mark.parametrize("server", HEAR, ids=str)
def test_a_spoken_turn_is_understood_and_answered(server: Server) -> None:
    async def run() -> rt.AsyncSession:
        played = Played(server)
        async with rt.AsyncSession(Scripted(played.serve), timeout=20) as session:
            detection = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
            await session.send({"type": "session.update", "session": detection})
            await session.wait_for("session.updated")
            reply = await session.hear(np.zeros(960, np.int16))
        assert reply is not None and reply.text == WORDS
        return session

    session = asyncio.run(run())
    user, assistant = session.conversation.items
    assert (user.role, user.text, assistant.text) == ("user", SAID, WORDS)
    (turn,) = session.log.turns()
    assert (turn.by, turn.said, turn.answer) == ("spoken", SAID, WORDS)
    heard = [span for span in timeline_of(session.log).spans if span.kind == "spoken"]
    assert [span.words for span in heard] == [SAID]


def test_words_that_come_whole_and_anew_replace_what_was_understood_before() -> None:
    conversation = Conversation()
    of = {"item_id": "u", "content_index": 0}
    kind = "conversation.item.input_audio_transcription"
    for words in ("Hello, my", "Hello, my name is"):
        conversation.receive({"type": f"{kind}.updated", "transcript": words, **of})
        item = conversation.item("u")
        assert item is not None and item.text == words


# --- what a session is taken to be


@pytest.mark.parametrize(
    ("session", "detection"),
    [
        (GA, "server_vad"),
        (FLAT, "server_vad"),
        (XAI.session, None),  # {"type": null}
        ({"audio": {"input": {"turn_detection": None}}, "turn_detection": {"type": "x"}}, None),
        ({"audio": {"input": {}}, "turn_detection": {"threshold": 0.5}}, "?"),
        ({}, None),
        ({"turn_detection": "odd"}, "odd"),
    ],
)
def test_turn_detection_is_found_where_a_server_has_it(session: Any, detection: Any) -> None:
    found = turn_detection_of(session)
    assert (found.get("type", "?") if isinstance(found, dict) else found) == detection


@pytest.mark.parametrize(
    ("server", "asks"),
    [(OPENAI, False), (AZURE, False), (VOICE_LIVE, False), (QWEN, False), (GATEWAY, False),
     (XAI, True), (SPEECH_TO_SPEECH, True), (BARE, True)],
    ids=str,
)  # fmt: skip
def test_our_format_is_asked_of_a_server_that_names_none(server: Server, asks: bool) -> None:
    played = Played(server)
    with rt.Session(Scripted(played.serve), timeout=20):
        pass
    (update,) = [one for one in played.received if one["type"] == "session.update"]
    sides = update["session"].get("audio", {})
    pcm = {"type": "audio/pcm", "rate": 24000}
    assert sides == ({"input": {"format": pcm}, "output": {"format": pcm}} if asks else {})


def test_a_format_of_another_rate_is_changed_and_a_chosen_one_stays() -> None:
    slow = {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 16000}}}}
    assert formats_to_ask(slow)["audio"]["output"]["format"]["rate"] == 24000
    assert "output" not in formats_to_ask(GA).get("audio", {})
    phone = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    assert "output" not in formats_to_ask(phone)["audio"]


# --- usage


@pytest.mark.parametrize(
    ("event", "known"),
    [
        ({"response": {"usage": {"total_tokens": 3}, "output": [{}]}}, True),
        ({"response": {"usage": {}, "output": [{}]}, "usage": {"total_tokens": 3}}, True),
        ({"response": {"usage": {"total_tokens": 0, "d": {"a": 0}}, "output": [{}]}}, False),
        ({"response": {"usage": {"total_tokens": 0, "d": {"a": 1}}, "output": [{}]}}, True),
        ({"response": {"usage": {"total_tokens": 0}, "output": []}}, True),  # said nothing, for 0
        ({"response": {"usage": None}}, False),
        ({"response": "odd", "usage": "odd"}, False),
        ({}, False),
    ],
)
def test_a_report_of_nothing_but_zeros_for_what_was_said_is_none(event: Any, known: bool) -> None:
    assert (usage_of(event) is not None) is known


# --- errors and what stands beside the conversation


@pytest.mark.parametrize(
    "refusal",
    [
        {"type": "invalid_request_error", "code": None, "message": "No.", "event_id": "event_9"},
        {"type": "error", "message": "unwrapped", "error": {"message": "No."}},
        {"type": "error", "error": "No."},
    ],
    ids=["bare", "wrapped", "a string"],
)
def test_a_refusal_in_any_shape_is_an_answer_and_is_shown(refusal: Any) -> None:
    transcript = Transcript(sender=Sender(interval=0.001))

    async def run() -> rt.Reply:
        played = Played(GATEWAY)
        played.refuses = refusal
        async with rt.AsyncSession(Scripted(played.serve), timeout=20) as session:
            transcript.follow(session.conversation)
            session.subscribe(lambda row: narrate(row, session.conversation, transcript))
            refused = await session.ask("Hi.")
            assert (await session.ask("Again.")).text == WORDS
            return refused

    reply = asyncio.run(run())
    assert (reply.status, reply.error) == ("failed", "No.")
    errors = [line.text for line in transcript.lines() if line.state == "error"]
    assert errors == ["No."]


@every
def test_a_reply_beside_the_conversation_stays_beside_it(server: Server) -> None:
    """Also where a server does not say to which conversation a response belongs."""

    async def run() -> rt.AsyncSession:
        aside = rt.OutOfBandGreeting("Say hello.")
        async with rt.AsyncSession(Scripted(Played(server).serve), aside, timeout=20) as session:
            assert session.opening_reply is not None and session.opening_reply.text == WORDS
            (response,) = session.conversation.responses.values()
            assert response.conversation_id is None and session.conversation.items == []
            assert (await session.ask("Hi.")).text == WORDS
        return session

    asyncio.run(run())


def test_events_that_nobody_knows_are_kept_and_change_nothing() -> None:
    session = talk(XAI)
    assert types(session.log).count("ping") == 3
    assert types(session.log).count("conversation.created") == 1
    assert {row.type for row in session.log.where(type="ping")} == {"ping"}


@pytest.mark.parametrize("server", [VOICE_LIVE, XAI, SPEECH_TO_SPEECH], ids=str)
def test_openings_are_compared_on_other_servers_too(server: Server) -> None:
    class Anew(rt.Endpoint):
        """A server of its own for every trial."""

        async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
            return await Scripted(Played(server).serve).open(model, timeout)

    where = Anew("ws://localhost/", name=server.name)
    compared = rt.compare([rt.ModelGreeting()], trials=1, endpoint=where, interrupt=False)
    (row,) = compared.rows
    assert (row.faults, row.heard) == ((), "audio")
    assert row.tokens.values == ((server.usage,) if server.usage else ())
    assert WORDS in str(compared)


def test_every_opening_opens_on_every_server() -> None:
    """Whatever it waits for, a session stands, and the next question is answered."""

    async def run(server: Server, opening: rt.Opening) -> None:
        async with rt.AsyncSession(Scripted(Played(server).serve), opening, timeout=20) as session:
            assert (await session.ask("Hi.")).text == WORDS, (server, opening)
            assert not session.log.where(type="opening.failed"), (server, opening)

    openings = [
        rt.WaitForUser(), rt.ScriptedGreeting("Welcome."), rt.SpokenGreeting("Welcome."),
        rt.GeneratedGreeting("Welcome them."), rt.SeededGreeting("Say hello."),
        rt.ContextGreeting([rt.events.user_text("I am Ada.")]),
        rt.RecordedGreeting(SOUND, "Welcome."),
    ]  # fmt: skip

    async def all_of_them() -> None:
        await asyncio.gather(*(run(server, one) for server in SERVERS for one in openings))

    asyncio.run(all_of_them())
