"""The transcript: how items read, where lines stand, and that changes add up to the whole."""

from __future__ import annotations

from typing import Any

import pytest

from rtwidgets import Conversation, EventLog
from rtwidgets.conversation import Item, Part, Response
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.narration import narrate
from rtwidgets.widgets.transcript import (
    Line,
    Transcript,
    change,
    heard_of,
    in_order,
    line_of,
    units,
)

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
