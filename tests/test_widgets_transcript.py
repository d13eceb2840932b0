"""The transcript: how items read, where lines stand, and that changes add up to the whole."""

from __future__ import annotations

from typing import Any

import pytest

from rtwidgets import Conversation, EventLog
from rtwidgets.audio import encode
from rtwidgets.conversation import Item, Part, Response
from rtwidgets.render import transcript_html, transcript_text
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.files import document_of, small_page_of
from rtwidgets.widgets.files import text_of as copied
from rtwidgets.widgets.lines import Line, change, heard_of, in_order, line_of, units
from rtwidgets.widgets.narration import narrate
from rtwidgets.widgets.transcript import Transcript

SOON = 10.0
SECOND = 48_000


def message(role: str, part: Part, **more: Any) -> Item:
    return Item("item_1", "message", role, "completed", [part], **more)


def spoken(status: str = "completed", **more: Any) -> tuple[Item, Response]:
    part = Part("output_audio", transcript="Good day", audio_bytes=2 * SECOND)
    item = message("assistant", part, response_id="resp_1")
    return item, Response("resp_1", status, **more)


def test_what_a_person_typed() -> None:
    line = line_of(message("user", Part("input_text", "Hello")))
    assert (line.speaker, line.text, line.note) == ("you", "Hello", "typed")


def test_what_the_client_wrote_for_the_assistant_is_silent() -> None:
    line = line_of(message("assistant", Part("output_text", "Welcome!")))
    assert (line.state, line.note) == ("silent", "silent: remembered, not heard")


def test_what_was_spoken_says_how_long_and_how_much_was_heard() -> None:
    item, response = spoken()
    assert line_of(item, response).note == "2.0 s of speech"
    assert line_of(item, response, heard_ms=500).note == "2.0 s of speech, heard 25 %"
    assert line_of(item, response, heard_ms=0).note == "2.0 s of speech, none of it heard"
    assert line_of(item, response, heard_ms=2001).note == "2.0 s of speech, heard 100 %"


def test_while_it_streams_nothing_is_said_of_what_may_become_of_it() -> None:
    item = Item("i", "message", "assistant", "in_progress", [Part("output_audio")])
    item.response_id = "resp_1"
    line = line_of(item, Response("resp_1"))
    assert (line.state, line.note) == ("streaming", "")


@pytest.mark.parametrize(
    ("reason", "words"),
    [("client_cancelled", "interrupted"), ("turn_detected", "interrupted by speech")],
)
def test_a_cancelled_reply_says_why(reason: str, words: str) -> None:
    item, response = spoken("cancelled", status_details={"reason": reason})
    line = line_of(item, response)
    assert line.state == "cut" and line.note.endswith(words)


def test_a_failed_reply_says_what_the_server_said() -> None:
    details = {"error": {"message": "Rate limit reached."}}
    item, response = spoken("failed", status_details=details)
    line = line_of(item, response)
    assert (line.state, line.more) == ("error", "Rate limit reached.")


def test_a_tool_call_reads_as_one() -> None:
    item = Item("i", "function_call", name="weather", arguments='{"place":"Bonn"}')
    assert line_of(item).text == 'weather({"place":"Bonn"})'


def test_a_notice_stands_behind_what_was_last_said_when_it_came() -> None:
    notices = [Line("n0", "x"), Line("n1", "x", behind="a"), Line("n2", "x", behind="a")]
    assert in_order(["a", "b"], [*notices, Line("n3", "x", behind="gone")]) == [
        "n0", "a", "n1", "n2", "b", "n3",
    ]  # fmt: skip


def splice(text: str, piece: dict[str, Any]) -> str:
    """What a page does, which counts in UTF-16 units."""
    kept = text.encode("utf-16-le")[: 2 * piece["at"]].decode("utf-16-le")
    return kept + str(piece["text"])


def test_changes_put_together_are_the_whole_text() -> None:
    before, said = None, ""
    for text in ("", "Good", "Good 🦕", "Good 🦕 day", "Other"):
        line = Line("a", "assistant", text)
        said = splice(said, change(line, before))
        assert said == text
        before = line
    assert units("Good 🦕") == 7


class Recorded(Transcript):
    """A transcript whose messages are kept instead of sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(sender=Sender(interval=0.001))

    def send(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.sent.append(content)

    def settled(self) -> list[dict[str, Any]]:
        assert self._sender.drain(SOON)
        assert not self._sender.failures
        return self.sent

    def page_appears(self) -> None:
        self._handle_custom_msg({"t": "all"}, [])


def page(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What stands in a page after these messages."""
    part, order, texts = 0, [], {}
    for one in messages:
        if one["part"] != part:
            part, texts = one["part"], {}
        for line in one["lines"]:
            texts[line["id"]] = splice(texts.get(line["id"], ""), line)
        order = one["order"]
    return [(name, texts[name]) for name in order]


def text_of(transcript: Transcript) -> list[tuple[str, str]]:
    return [(line.id, line.text) for line in transcript.lines()]


def test_a_recorded_session_reads_the_same_live_and_late(
    streams: dict[str, list[dict[str, Any]]],
) -> None:
    for rows in streams.values():
        conversation, live, late = Conversation(), Recorded(), Recorded()
        for one in (live, late):
            one.follow(conversation)
        live.page_appears()
        for row in rows:
            if row["direction"] == "server":
                conversation.receive(row["event"])
                live.wake()
                live.settled()
        late.page_appears()
        assert page(live.settled()) == page(late.settled()) == text_of(live)
        assert text_of(live)


def test_nothing_is_sent_before_a_page_asks() -> None:
    transcript = Recorded()
    transcript.notice("Press Start first.")
    assert transcript.settled() == []
    transcript.page_appears()
    assert [text for _, text in page(transcript.settled())] == ["Press Start first."]


def test_a_page_is_answered_where_nobody_has_said_anything() -> None:
    transcript = Recorded()
    transcript.page_appears()
    assert transcript.settled() == [{"t": "lines", "part": 0, "order": [], "lines": []}]


def test_a_truncated_item_keeps_the_words_that_were_said() -> None:
    conversation, transcript = Conversation(), Recorded()
    transcript.follow(conversation)
    transcript.settled()
    item = {"id": "a", "type": "message", "role": "assistant", "status": "completed"}
    content = [{"type": "output_audio", "transcript": "Good day"}]
    conversation.receive({"type": "conversation.item.added", "item": {**item, "content": content}})
    assert text_of(transcript) == [("a", "Good day")]
    truncated = {"type": "conversation.item.truncated", "item_id": "a", "audio_end_ms": 300}
    conversation.receive(truncated)
    assert text_of(transcript) == [("a", "Good day")]


def test_what_was_cut_short_after_it_was_complete_says_what_is_remembered() -> None:
    item, response = spoken()
    item.truncated_ms = 500
    line = line_of(item, response)
    assert line.state == "cut" and "grey" in line.more
    assert line.note == "interrupted after 0.5 s of 2.0 s"
    item.truncated_ms = 0
    line = line_of(item, response)
    assert (line.note, line.more) == (
        "interrupted before any of it was heard",
        "None of it is remembered.",
    )


@pytest.mark.parametrize(("ms", "heard"), [(0, ""), (400, "One"), (900, "One two"), (2000, None)])
def test_what_was_heard_of_a_text_ends_with_a_word(ms: int, heard: str | None) -> None:
    item, text = spoken()[0], "One two three four"
    item.truncated_ms = ms
    assert heard_of(text, item) == (-1 if heard is None else len(heard))


def test_a_reply_that_ended_before_a_word_says_so() -> None:
    details = {"reason": "client_cancelled"}
    response = Response("r", "cancelled", status_details=details)
    item = Item("i", "message", "assistant", "incomplete", response_id="r")
    assert line_of(item, response).note == "interrupted before a word was said"


def test_a_line_that_is_lost_in_the_middle_ends() -> None:
    log, conversation, transcript = EventLog(), Conversation(), Recorded()
    transcript.follow(conversation)
    item = {"id": "a", "type": "message", "role": "assistant", "status": "in_progress"}
    delta = {"type": "response.output_text.delta", "item_id": "a", "response_id": "r"}
    for event in (
        {"type": "conversation.item.added", "item": item},
        {**delta, "delta": "Good"},
        {"type": "line.lost", "message": "of a server's own making"},
    ):
        conversation.receive(event)
        narrate(log.append("server", event), conversation, transcript)
    assert transcript.lines()[0].state == "streaming"
    narrate(
        log.append("local", {"type": "line.lost", "message": "Gone."}), conversation, transcript
    )
    first, last = transcript.lines()
    assert (first.state, first.note) == ("cut", "cut off: the line was lost")
    assert (last.state, last.text) == ("error", "Gone.")


def test_half_a_character_is_marked_and_made_whole_by_its_other_half() -> None:
    conversation, transcript = Conversation(), Recorded()
    transcript.follow(conversation)
    transcript.page_appears()
    item = {"id": "a", "type": "message", "role": "assistant", "status": "in_progress"}
    conversation.receive({"type": "conversation.item.added", "item": {**item, "content": []}})
    for delta, text in (("Good \ud83e", "Good \ufffd"), ("\udd95 day", "Good 🦕 day")):
        event = {"type": "response.output_text.delta", "item_id": "a", "response_id": "r"}
        conversation.receive({**event, "delta": delta})
        transcript.wake()
        assert page(transcript.settled()) == text_of(transcript) == [("a", text)]


def test_another_conversation_begins_empty() -> None:
    transcript = Recorded()
    transcript.page_appears()
    transcript.notice("Something")
    transcript.settled()
    transcript.follow(Conversation())
    assert page(transcript.settled()) == []


BUFFER = "input_audio_buffer"
WRITTEN = "conversation.item.input_audio_transcription"
HEARD_BY_THE_SERVER = [
    {"type": f"{BUFFER}.speech_started", "item_id": "u", "audio_start_ms": 600},
    {"type": f"{BUFFER}.speech_stopped", "item_id": "u", "audio_end_ms": 3000},
]
ITEM = {
    "id": "u", "type": "message", "role": "user", "status": "completed",
    "content": [{"type": "input_audio", "transcript": None}],
}  # fmt: skip
COMMITTED = [
    {"type": f"{BUFFER}.committed", "item_id": "u"},
    {"type": "conversation.item.added", "previous_item_id": None, "item": ITEM},
]
WITH_CAPTIONS = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}


def spoken_turn(*before: dict[str, Any], **session: Any) -> Conversation:
    """A conversation whose one item the user has spoken; words of it there are none yet."""
    conversation = Conversation()
    conversation.receive({"type": "session.created", "session": session})
    for event in (*before, *COMMITTED):
        conversation.receive(event)
    return conversation


def of(conversation: Conversation) -> Recorded:
    transcript = Recorded()
    transcript.follow(conversation)
    return transcript


def only_line(conversation: Conversation) -> tuple[str, str, str, str]:
    [line] = of(conversation).lines()
    return line.text, line.instead, line.note, line.more


def test_a_spoken_turn_that_nobody_writes_down_says_so_in_every_copy() -> None:
    conversation = spoken_turn(*HEARD_BY_THE_SERVER)
    known = "spoken, 2.4 s, without a transcription"
    assert only_line(conversation) == ("", known, "", "")
    lines, log = of(conversation).lines(), EventLog()
    for copy in (
        copied(lines, log),
        small_page_of(lines, log),
        document_of(lines, log, ""),
        transcript_text(conversation),
        transcript_html(conversation),
    ):
        assert known in copy and copy.count("spoken") == 1 and "…" not in copy
    transcript = of(conversation)
    transcript.page_appears()
    assert transcript.settled()[0]["lines"][0]["instead"] == known


def test_words_that_come_later_take_the_place_of_what_was_known() -> None:
    conversation = spoken_turn(*HEARD_BY_THE_SERVER, **WITH_CAPTIONS)
    assert only_line(conversation) == ("", "spoken, 2.4 s …", "", "")
    said = {"item_id": "u", "content_index": 0, "transcript": "Hello"}
    conversation.receive({"type": f"{WRITTEN}.completed", **said})
    assert only_line(conversation) == ("Hello", "", "spoken", "")


def test_words_do_not_come_any_more_when_the_conversation_is_over() -> None:
    transcript = of(spoken_turn(*HEARD_BY_THE_SERVER, **WITH_CAPTIONS))
    transcript.over("cut off by Stop")
    assert transcript.lines()[0].instead == "spoken, 2.4 s, without a transcription"


def test_a_transcription_that_failed_says_why_and_one_without_words_that_it_has_none() -> None:
    conversation = spoken_turn(*HEARD_BY_THE_SERVER, **WITH_CAPTIONS)
    why = "Audio could not be decoded."
    conversation.receive({"type": f"{WRITTEN}.failed", "item_id": "u", "error": {"message": why}})
    assert only_line(conversation) == ("", "spoken, 2.4 s, its transcription failed", "", why)
    assert why in transcript_text(conversation)
    conversation = spoken_turn(*HEARD_BY_THE_SERVER, **WITH_CAPTIONS)
    conversation.receive({"type": f"{WRITTEN}.completed", "item_id": "u", "transcript": ""})
    assert only_line(conversation)[1] == "spoken, 2.4 s, without a word that was understood"


@pytest.mark.parametrize(
    ("session", "known"),
    [
        ({}, "spoken, 1.0 s, without a transcription"),
        ({"input_audio_format": "g711_ulaw"}, "spoken, 6.0 s, without a transcription"),
    ],
)
def test_without_turn_detection_it_is_as_long_as_what_was_sent(
    session: dict[str, Any], known: str
) -> None:
    conversation = Conversation()
    conversation.sent_by_hand({"type": f"{BUFFER}.append", "audio": encode(bytes(SECOND))})
    conversation.sent_by_hand({"type": f"{BUFFER}.clear"})
    conversation.sent_by_hand({"type": f"{BUFFER}.append", "audio": encode(bytes(SECOND // 2))})
    conversation.spoke(SECOND // 2)
    for event in ({"type": "session.updated", "session": session}, *COMMITTED):
        conversation.receive(event)
    assert only_line(conversation)[1] == known


def test_where_nobody_knows_how_long_it_was_no_length_is_said() -> None:
    assert only_line(spoken_turn())[1] == "spoken, without a transcription"


def test_what_the_server_took_for_silence_is_not_called_spoken() -> None:
    timeout = {"item_id": "u", "audio_start_ms": 1000, "audio_end_ms": 7000}
    conversation = spoken_turn({"type": f"{BUFFER}.timeout_triggered", **timeout})
    assert only_line(conversation) == ("", "silence, 6.0 s", "", "")


def test_a_reply_that_nobody_writes_down_says_so_once_it_is_made() -> None:
    item, response = spoken("in_progress")
    item.content[0] = Part("output_audio", audio_bytes=2 * SECOND, transcribed=True)
    item.status = "in_progress"
    line = line_of(item, response)
    assert (line.instead, line.note) == ("", "2.0 s of speech")
    response.status = item.status = "completed"
    line = line_of(item, response, heard_ms=500)
    known = "spoken, 2.0 s, without a transcription"
    assert (line.text, line.instead, line.note) == ("", known, "heard 25 %")
    item.truncated_ms = 500
    line = line_of(item, response)
    assert (line.instead, line.note) == (known, "interrupted after 0.5 s of 2.0 s")
