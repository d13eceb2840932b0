"""A log in time: lanes, marks, what was heard, what was cut short. All on crafted and recorded
logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stories import MS, Story, barge_in, log_of

import rtwidgets as rt
from rtwidgets import EventLog, audio, events
from rtwidgets.timeline import Builder, Timeline, by_the_clock, stacked, timeline_of
from rtwidgets.timeline.envelope import (
    ALAW,
    ULAW,
    Envelope,
    Sent,
    bytes_per_ms,
    fitted,
    format_named,
    peaks_of,
    samples_of,
)


def one(timeline: Timeline, lane: Any) -> Any:
    (span,) = timeline.lane(lane)
    return span


# ------------------------------------------------------------------ the outline of sound


def test_a_peak_is_the_largest_distance_from_zero_in_20_ms() -> None:
    samples = np.zeros(480 * 3 + 10, np.int16)
    samples[5], samples[500], samples[-1] = 300, -32768, 7
    assert peaks_of(samples.tobytes()).tolist() == [300, 32768, 0, 7]
    assert peaks_of(b"").tolist() == []
    assert peaks_of(b"\x01").tolist() == []  # half a sample is none


@pytest.mark.parametrize("format_", ["audio/pcm", ULAW, ALAW])
def test_an_envelope_in_pieces_is_the_envelope_of_the_whole(format_: str) -> None:
    sound = np.random.default_rng(1).integers(0, 256, 10_001, dtype=np.uint8).tobytes()
    envelope = Envelope(format_)
    for start in range(0, len(sound), 777):
        envelope.extend(sound[start : start + 777])
    assert envelope.peaks().tolist() == peaks_of(sound, format_).tolist()
    assert envelope.ms == pytest.approx(len(sound) / bytes_per_ms(format_))
    assert envelope.peaks(2, 5).tolist() == peaks_of(sound, format_)[2:5].tolist()
    assert envelope.settled == len(sound) // (20 * bytes_per_ms(format_))


def test_an_envelope_goes_on_in_another_format() -> None:
    envelope = Envelope()
    envelope.extend(b"\x01\x00" * 240)  # 10 ms
    envelope.change(ULAW)
    envelope.extend(b"\x00" * 160)  # 20 ms, as loud as mu-law gets
    assert envelope.peaks().tolist() == [1, 32124]
    assert envelope.ms == 30


def test_g711_is_read_as_itu_t_has_it() -> None:
    codes = bytes([0x00, 0x7F, 0x80, 0xFF, 0xF0])
    assert samples_of(codes, ULAW).tolist() == [-32124, 0, 32124, 0, 120]
    codes = bytes([0x55, 0xD5, 0x2A, 0xAA, 0x80])
    assert samples_of(codes, ALAW).tolist() == [-8, 8, -32256, 32256, 5504]


def test_formats_go_by_all_their_names() -> None:
    named = [format_named(name) for name in ("g711_ulaw", "audio/pcma", "pcm16", "opus", "")]
    assert named == [ULAW, ALAW, "audio/pcm", "audio/pcm", "audio/pcm"]


def test_fitted_keeps_the_loudest() -> None:
    peaks = np.array([1, 9, 2, 3, 8, 1], np.uint16)
    assert fitted(peaks, 3).tolist() == [9, 3, 8]
    assert fitted(peaks, 10) is peaks


def test_what_was_sent_at_its_own_pace_is_found_by_its_milliseconds() -> None:
    sent = Sent()
    for number in range(10):
        sent.append(5.0 + number * 0.04, seq=number, size=40 * MS)
    assert sent.moment(0) == 5.0
    assert sent.moment(100) == pytest.approx(5.1)
    assert sent.moment(400) == pytest.approx(5.4)
    assert list(sent.rows(50, 130)) == [1, 2, 3]
    assert sent.holds(400) and not sent.holds(401) and not sent.holds(-1)


def test_what_was_sent_at_once_has_no_more_room_than_its_sending() -> None:
    sent = Sent()
    sent.append(1.0, seq=0, size=3000 * MS)
    sent.pause(1.2)
    assert sent.moment(3000) == pytest.approx(1.2)
    assert not Sent().holds(0)


# ------------------------------------------------------------------ the user


def test_speech_is_where_its_audio_was_sent_not_where_the_server_said_so() -> None:
    story = Story(session={"id": "sess_1", "model": "gpt-realtime-2.1"})
    story.microphone(2.0, 2.0)
    begun = story.server(
        3.0, "input_audio_buffer.speech_started", audio_start_ms=480, item_id="item_u"
    )
    story.microphone(4.0, 0.4)
    ended = story.server(
        4.4, "input_audio_buffer.speech_stopped", audio_end_ms=2200, item_id="item_u"
    )
    story.server(4.4, "input_audio_buffer.committed", item_id="item_u")
    story.server(
        4.6, "conversation.item.input_audio_transcription.completed",
        item_id="item_u", transcript="Who are you?",
    )  # fmt: skip
    timeline = story.timeline()
    span = one(timeline, "user")
    assert (span.start, span.end) == (pytest.approx(2.48), pytest.approx(4.2))
    assert (span.kind, span.words, span.audio_ms) == ("spoken", "Who are you?", 1720)
    assert {begun, ended} <= set(span.seqs)
    assert story.log[span.seqs[0]].type == "input_audio_buffer.append"
    assert len(span.peaks) == 86 and set(span.peaks.tolist()) == {0x1010}
    assert not span.open


def test_speech_that_goes_on_ends_with_the_log() -> None:
    story = Story(session={})
    story.microphone(0.0, 1.0)
    story.server(0.5, "input_audio_buffer.speech_started", audio_start_ms=200, item_id="u")
    story.microphone(1.0, 1.0)
    span = one(story.timeline(), "user")
    assert span.open and span.start == pytest.approx(0.2)
    assert span.end == pytest.approx(2.0)


def test_telephone_audio_has_8_bytes_a_millisecond() -> None:
    """The log counts PCM16; of G.711 the same bytes are six times as long."""
    formats = {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": ALAW}}}
    story = Story(session={"audio": formats})
    story.microphone(0.0, 2.0, size=8)
    story.server(1.0, "input_audio_buffer.speech_started", audio_start_ms=500, item_id="u")
    story.server(2.0, "input_audio_buffer.speech_stopped", audio_end_ms=1500, item_id="u")
    story.reply(2.0, 1.0, size=8)
    timeline = story.timeline()
    spoken = one(timeline, "user")
    assert (spoken.start, spoken.end) == (pytest.approx(0.5), pytest.approx(1.5))
    made = one(timeline, "generated")
    assert made.audio_ms == 1000 and made.end - made.start == pytest.approx(1.0)
    assert len(made.peaks) == 50


def test_the_beta_names_of_formats_and_events_are_read() -> None:
    story = Story(session={"input_audio_format": "g711_ulaw", "output_audio_format": "pcm16"})
    story.microphone(0.0, 1.0, size=8)
    story.server(1.0, "input_audio_buffer.speech_started", audio_start_ms=0, item_id="u")
    sound = audio.encode(bytes(100 * MS))
    story.server(1.0, "response.audio.delta", delta=sound, item_id="a", response_id="r")
    story.server(1.0, "response.audio_transcript.done", transcript="Hi", item_id="a")
    timeline = story.timeline()
    assert one(timeline, "user").audio_ms == 1000
    assert one(timeline, "generated").words == "Hi"


def test_a_wish_of_the_client_for_a_format_waits_for_the_server() -> None:
    story = Story(session={"audio": {"output": {"format": {"type": "audio/pcm"}}}})
    wish = {"audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    story.client(0.1, "session.update", session=wish)
    story.server(0.2, "error", error={"message": "no"})
    story.reply(0.3, 1.0)
    assert one(story.timeline(), "generated").audio_ms == 1000


def test_a_log_that_begins_in_the_middle_goes_by_the_rows() -> None:
    """The server's offsets count from the session's start, which this log does not have."""
    story = Story()
    story.microphone(100.0, 3.0)
    story.server(101.0, "input_audio_buffer.speech_started", audio_start_ms=1200, item_id="u")
    story.server(102.0, "input_audio_buffer.speech_stopped", audio_end_ms=2200, item_id="u")
    span = one(story.timeline(), "user")
    assert (span.start, span.end) == (101.0, 102.0)


def test_offsets_beyond_what_was_appended_go_by_the_rows() -> None:
    story = Story(session={})
    story.microphone(0.0, 1.0)
    story.server(1.0, "input_audio_buffer.speech_started", audio_start_ms=99_000, item_id="u")
    story.server(1.5, "input_audio_buffer.speech_stopped", audio_end_ms="soon", item_id="u")
    span = one(story.timeline(), "user")
    assert (span.start, span.end) == (1.0, 1.5)


def test_turns_ended_by_hand_are_what_was_appended_since_the_last() -> None:
    story = Story(session={})
    story.microphone(0.0, 1.0)
    story.server(1.0, "input_audio_buffer.cleared")
    story.microphone(1.0, 1.0)
    story.client(2.0, "input_audio_buffer.commit")
    story.microphone(2.0, 0.2)  # of the next turn: the word of the commit is still to come
    story.server(2.2, "input_audio_buffer.committed", item_id="u1")
    story.microphone(2.2, 0.8)
    story.client(3.0, "input_audio_buffer.commit")
    story.server(3.1, "input_audio_buffer.committed", item_id="u2")
    first, second = story.timeline().lane("user")
    assert [first.start, first.end] == pytest.approx([1.0, 2.0])
    assert [second.start, second.end] == pytest.approx([2.0, 3.0])
    assert len(first.seqs) == 25 + 1


def test_typed_turns_are_there_at_once_with_the_words() -> None:
    story = Story(session={})
    sent = story.client(1.0, "conversation.item.create", item=events.user_text("Hello"))
    item = {"id": "item_1", **events.user_text("Hello")}
    back = story.server(1.1, "conversation.item.added", item=item)
    done = story.server(1.1, "conversation.item.done", item=item)
    span = one(story.timeline(), "user")
    assert (span.kind, span.start, span.end, span.words) == ("typed", 1.0, 1.0, "Hello")
    assert span.seqs == (sent, back) and done not in span.seqs
    assert span.item_id == "item_1"


def test_a_log_of_the_server_alone_has_the_typed_words_too() -> None:
    story = Story(session={})
    story.server(1.0, "conversation.item.created", item={"id": "i", **events.user_text("Hello")})
    assert one(story.timeline(), "user").words == "Hello"


def test_a_scripted_greeting_is_text_that_was_written_and_not_heard() -> None:
    story = Story(session={})
    story.client(1.0, "conversation.item.create", item=events.assistant_text("Welcome!"))
    story.server(
        1.1, "conversation.item.added", item={"id": "i", **events.assistant_text("Welcome!")}
    )
    timeline = story.timeline()
    assert timeline.lanes == ["text"]
    assert (one(timeline, "text").kind, len(one(timeline, "text").seqs)) == ("written", 2)


# ------------------------------------------------------------------ the model


def test_generated_audio_says_when_it_arrived_and_how_long_it_is() -> None:
    story = Story(session={})
    story.reply(1.0, 2.0)
    story.done(1.4)
    span = one(story.timeline(), "generated")
    assert (span.start, span.arrived) == (1.0, pytest.approx(1.35))
    assert span.end == pytest.approx(3.0) and span.audio_ms == 2000
    assert [story.log[seq].type for seq in span.seqs] == ["response.output_audio.delta"] * 8
    assert len(span.peaks) == 100 and not span.open
    assert span.heard_ms is None and span.heard_end == span.end


def test_words_are_those_of_the_deltas_until_the_whole_of_them_comes() -> None:
    story = Story(session={})
    story.reply(1.0, 0.5)
    assert one(story.timeline(), "text").words == "Hello there"
    assert one(story.timeline(), "text").open
    story.server(
        1.5, "response.output_audio_transcript.done", item_id="item_a", transcript="Hello there!"
    )
    timeline = story.timeline()
    assert one(timeline, "text").words == one(timeline, "generated").words == "Hello there!"
    assert not one(timeline, "text").open


def test_a_server_that_sends_no_deltas_has_its_words_at_the_end() -> None:
    story = Story()
    item = {"id": "a", "role": "assistant", "type": "message", "content": [{"text": "Hi"}]}
    story.server(2.0, "response.output_item.done", item=item, response_id="r")
    assert one(story.timeline(), "text").words == "Hi"


def test_items_that_interleave_are_kept_apart() -> None:
    story = Story(session={})
    sound = audio.encode(bytes(100 * MS))
    for at in range(4):
        story.server(
            at, "response.output_audio.delta", delta=sound, item_id=f"i{at % 2}", response_id="r"
        )
    assert [len(span.seqs) for span in story.timeline().lane("generated")] == [2, 2]


def test_a_response_out_of_band_is_aside() -> None:
    story = Story(session={})
    story.reply(1.0, 1.0, "i1", "r1", conversation_id="conv_1")
    story.reply(2.0, 1.0, "i2", "r2", conversation_id=None)
    assert [span.aside for span in story.timeline().lane("generated")] == [False, True]


def test_a_server_that_names_no_conversation_is_in_band() -> None:
    story = Story()
    story.reply(1.0, 1.0)
    assert not one(story.timeline(), "generated").aside


def test_a_call_lasts_until_its_output() -> None:
    story = Story(session={})
    call = {"id": "f", "type": "function_call", "name": "weather", "call_id": "c"}
    names = {"item_id": "f", "response_id": "r"}
    story.server(1.0, "response.output_item.added", item=call, response_id="r")
    story.server(1.1, "response.function_call_arguments.delta", delta='{"city":', **names)
    story.server(
        1.2, "response.function_call_arguments.done",
        name="weather", call_id="c", arguments='{"city": "Rome"}', **names,
    )  # fmt: skip
    open_call = one(story.timeline(), "tools")
    assert open_call.open and open_call.words == 'weather({"city": "Rome"})'
    output = {"type": "function_call_output", "call_id": "c", "output": "12 degrees"}
    answer = story.client(2.0, "conversation.item.create", item=output)
    story.server(2.1, "conversation.item.added", item={"id": "o", **output})
    call_span = one(story.timeline(), "tools")
    assert (call_span.start, call_span.end, call_span.open) == (1.0, 2.0, False)
    assert answer in call_span.seqs and len(call_span.seqs) == 5
    assert story.timeline().lanes == ["tools"]


def test_a_call_of_an_mcp_server_lasts_until_it_completes() -> None:
    story = Story(session={})
    story.server(0.5, "mcp_list_tools.in_progress", item_id="l")
    story.server(0.7, "mcp_list_tools.completed", item_id="l")
    item = {"id": "m", "type": "mcp_call", "name": "search", "arguments": "{}"}
    story.server(1.0, "response.output_item.added", item=item, response_id="r")
    story.server(1.1, "response.mcp_call.in_progress", item_id="m")
    story.server(1.8, "response.mcp_call.failed", item_id="m")
    listing, call = story.timeline().lane("tools")
    assert (listing.words, listing.end) == ("list of tools", 0.7)
    assert (call.words, call.end, call.open) == ("search()", 1.8, False)


# ------------------------------------------------------------------ heard, and not heard


def test_heard_audio_is_what_a_page_played() -> None:
    story = Story(session={})
    story.reply(1.0, 2.0)
    story.local(1.25, "playback.started", item_id="item_a")
    for at, ms in ((1.75, 500), (2.25, 1000), (3.25, 2000)):
        story.local(at, "playback.heard", item_id="item_a", ms=ms, done=ms == 2000)
    span = one(story.timeline(), "heard")
    assert (span.start, span.end, span.audio_ms, span.open) == (1.25, 3.25, 2000, False)
    assert len(span.peaks) == 100 and span.response_id == "resp_a" and len(span.seqs) == 4


def test_without_word_of_its_start_heard_audio_begins_where_it_must_have() -> None:
    story = Story(session={})
    story.reply(1.0, 2.0)
    story.local(1.75, "playback.heard", item_id="item_a", ms=500)
    assert one(story.timeline(), "heard").start == pytest.approx(1.25)


def test_word_of_playback_that_comes_late_moves_nothing_and_a_pause_is_seen() -> None:
    story = Story(session={})
    story.reply(1.0, 4.0)
    story.local(2.2, "playback.heard", item_id="item_a", ms=1000)  # 0.1 s late
    story.local(3.1, "playback.heard", item_id="item_a", ms=2000)
    story.local(4.25, "playback.heard", item_id="item_a", ms=3000)  # 0.15 s late
    span = one(story.timeline(), "heard")
    assert (span.start, span.end) == (pytest.approx(1.1), pytest.approx(4.1))
    story.local(6.1, "playback.heard", item_id="item_a", ms=4000, done=True)  # it had paused
    assert one(story.timeline(), "heard").end == pytest.approx(6.1)


def test_where_nobody_plays_there_is_no_heard_lane_but_one_by_the_clock() -> None:
    story = Story(session={})
    story.reply(1.0, 2.0, "i1", "r1")
    story.reply(2.0, 1.0, "i2", "r2")
    story.reply(2.0, 1.0, "i3", "r3", conversation_id=None)
    timeline = story.timeline()
    assert "heard" not in timeline.lanes
    first, second = by_the_clock(timeline)
    assert (first.start, first.end) == (1.0, 3.0)
    assert (second.start, second.end) == (3.0, 4.0)  # it waits for its turn


@pytest.mark.parametrize("playback", [True, False])
def test_a_barge_in_is_one_however_many_rows_tell_of_it(playback: bool) -> None:
    story, seqs = barge_in(playback=playback)
    timeline = story.timeline()
    (cut,) = timeline.interruptions
    assert (cut.by, cut.t, cut.end) == ("speech", 2.5, 2.7)
    assert (cut.heard_ms, cut.audio_ms, cut.item_id) == (1400, 4000, "item_a")
    assert set(cut.seqs) == set(seqs.values())
    made = one(timeline, "generated")
    assert made.heard_ms == 1400 and made.heard_end == pytest.approx(2.4)
    assert made.end == pytest.approx(5.0)
    if playback:
        assert one(timeline, "heard").audio_ms == 1400
    assert "1.4 s of 4.0 s heard" in cut.label() and "barge-in" in cut.label()
    assert "~" in str(timeline)


def test_a_stop_by_the_client_is_no_barge_in() -> None:
    story = Story(session={})
    story.reply(1.0, 2.0)
    stop = story.client(1.5, "response.cancel")
    details = {"type": "cancelled", "reason": "client_cancelled"}
    story.done(1.6, status="cancelled", status_details=details)
    (cut,) = story.timeline().interruptions
    assert (cut.by, cut.t, cut.heard_ms) == ("client", 1.5, None)
    assert stop in cut.seqs
    assert one(story.timeline(), "generated").heard_ms is None  # nobody said


def test_a_truncation_long_after_speech_is_a_stop() -> None:
    story = Story(session={})
    story.server(1.0, "input_audio_buffer.speech_started", audio_start_ms=0, item_id="u")
    story.reply(2.0, 9.0)
    story.client(8.0, "conversation.item.truncate", item_id="item_a", audio_end_ms=5000)
    assert [cut.by for cut in story.timeline().interruptions] == ["client"]


def test_a_reply_cut_before_any_sound_is_an_interruption_too() -> None:
    story = Story(session={})
    story.server(1.0, "response.created", response={"id": "r"})
    details = {"type": "cancelled", "reason": "turn_detected"}
    story.done(1.2, "r", "cancelled", status_details=details)
    (cut,) = story.timeline().interruptions
    assert (cut.item_id, cut.response_id, cut.audio_ms, cut.t) == ("", "r", 0, 1.2)


def test_a_server_that_plays_itself_says_so() -> None:
    story = Story(session={})
    story.server(1.0, "output_audio_buffer.started", response_id="r")
    story.server(3.0, "output_audio_buffer.stopped", response_id="r")
    span = one(story.timeline(), "heard")
    assert (span.start, span.end, span.audio_ms, span.open) == (1.0, 3.0, 2000, False)


# ------------------------------------------------------------------ marks, and the whole


def test_all_events_but_runs_have_marks_and_errors_are_failed() -> None:
    story, _ = barge_in(playback=True)
    story.server(3.0, "error", error={"type": "invalid_request_error", "message": "No."})
    story.local(4.0, "line.lost", code=1006, reason="", message="The line fell.")
    story.log.append("server", "not json", t=4.0)
    marks = story.timeline().marks
    kinds = {mark.type for mark in marks}
    assert not {kind for kind in kinds if kind.endswith((".delta", ".append", ".heard"))}
    failed = [(mark.type, mark.label) for mark in marks if mark.failed]
    assert failed == [("error", "No."), ("line.lost", "The line fell.")]
    assert [mark.seq for mark in marks] == sorted(mark.seq for mark in marks)
    assert {"session.created", "response.created", "response.done"} <= {
        mark.type for mark in marks if mark.turns
    }


def test_the_title_says_simulated_by_the_sessions_id() -> None:
    real = Story(session={"id": "sess_abc", "model": "gpt-realtime-2.1"})
    made_up = Story(session={"id": "sess_simulated_abc", "model": "gpt-realtime-2.1"})
    assert real.timeline().title == "Session · gpt-realtime-2.1"
    assert made_up.timeline().title == "Simulated session · gpt-realtime-2.1"


def test_a_log_without_times_goes_by_its_rows() -> None:
    log = EventLog()
    for event in ({"type": "session.created"}, {"type": "response.done"}):
        log.append("server", event, t=0.0)
    timeline = timeline_of(log)
    assert (timeline.unit, timeline.start, timeline.end) == ("events", 0.0, 1.0)
    assert "no times" in str(timeline)


def test_nothing_and_nonsense_make_no_trouble() -> None:
    assert str(timeline_of(EventLog())) == "timeline: nothing yet"
    log = EventLog()
    strange: list[Any] = [
        {"type": "session.created", "session": "x"},
        {"type": "conversation.item.create", "item": 3},
        {"type": "conversation.item.added"},
        {"type": "response.created", "response": []},
        {"type": "response.done", "response": {"status": ["x"]}},
        {"type": "response.done", "response": {"id": 7, "status": "cancelled"}},
        {"type": "conversation.item.truncate", "audio_end_ms": "all", "item_id": None},
        {"type": "conversation.item.truncated", "audio_end_ms": 10},
        {"type": "response.output_audio.delta", "delta": "?"},
        {"type": "response.output_text.delta", "delta": None},
        {"type": "input_audio_buffer.speech_stopped"},
        {"type": "input_audio_buffer.committed"},
        {"type": "input_audio_buffer.speech_started", "audio_start_ms": True},
        {"type": "response.output_item.added", "item": {"type": "function_call"}},
        {"type": "response.output_item.done", "item": [], "item_id": "i"},
        {"type": "conversation.item.added", "item": {"role": "user", "content": 5}},
        {"type": "playback.heard", "ms": -5},
        {"type": "playback.flushed"},
        {"type": "made.up"},
    ]
    for number, event in enumerate(strange * 2):
        log.append("server", event, t=float(number))
    log.append("server", "<html>", t=3.0)
    timeline = timeline_of(log)
    assert len(timeline.marks) == 2 * (len(strange) - 3) + 1
    assert str(timeline)


def test_rows_in_pieces_make_the_same_timeline() -> None:
    story, _ = barge_in(playback=True)
    builder = Builder()
    for row in story.log:
        builder.take([row])
    whole, pieces = story.timeline(), builder.timeline()
    assert pieces == whole
    for one_, other in zip(whole.spans, pieces.spans, strict=True):
        assert one_.peaks.tolist() == other.peaks.tolist()


def test_only_what_changed_is_named_as_changed() -> None:
    story, _ = barge_in(playback=False)
    builder = Builder()
    builder.take(story.log)
    builder.changed.clear()
    story.server(5.0, "rate_limits.updated", rate_limits=[])
    builder.take(story.log[len(story.log) - 1 :])
    assert builder.changed == set()


def test_a_part_of_a_log_names_the_rows_of_the_log() -> None:
    story, seqs = barge_in(playback=True)
    part = timeline_of(story.log.where(direction="client"))
    assert seqs["truncate"] in {mark.seq for mark in part.marks}


def test_between_keeps_what_reaches_in() -> None:
    story, _ = barge_in(playback=False)
    part = story.timeline().between(2.0, 2.52)
    assert [span.lane for span in part.spans] == ["generated", "user"]
    assert [mark.type for mark in part.marks] == ["input_audio_buffer.speech_started"]
    assert (part.start, part.end, len(part.interruptions)) == (2.0, 2.52, 1)


def test_spans_that_overlap_are_stacked_and_what_was_not_heard_holds_no_row() -> None:
    story = Story(session={})
    story.reply(1.0, 2.0, "i1", "r1")
    story.reply(2.0, 2.0, "i2", "r2")
    assert stacked(story.timeline().lane("generated")) == [0, 1]
    story.client(2.0, "conversation.item.truncate", item_id="i1", audio_end_ms=900)
    assert stacked(story.timeline().lane("generated")) == [0, 0]
    many = story.timeline().lane("generated")[:1] * 5
    assert stacked(many, rows=3) == [0, 1, 2, 2, 2]


def test_without_waveforms_no_audio_is_read() -> None:
    story, _ = barge_in(playback=True)
    assert [len(span.peaks) for span in timeline_of(story.log, peaks=False).spans] == [0] * 4


# ------------------------------------------------------------------ recorded and simulated


@pytest.mark.parametrize("timed", [True, False])
def test_every_recording_has_its_lanes(
    streams: dict[str, list[dict[str, Any]]], timed: bool
) -> None:
    lanes = {}
    for name, rows in streams.items():
        timeline = timeline_of(log_of(rows, timed=timed))
        lanes[name] = set(timeline.lanes)
        assert not timeline.simulated and timeline.unit == ("s" if timed else "events")
        assert not any(span.open for span in timeline.spans), name
    voice = {"user", "generated", "text"}
    assert lanes == {
        "azure_azure_text_in_audio_out_turn": voice,
        "openai_openai_audio_in_server_vad_turn": voice,
        "openai_openai_message_history_seeding": {"user", "text"},
        "openai_openai_text_in_audio_out_turn": voice,
        "openai_openai_tool_call_round": {"user", "text", "tools"},
        "openai_parity_text_tool_round_parity_openai_current": {"user", "text", "tools"},
    }


def test_a_recorded_spoken_turn_has_its_words(streams: dict[str, list[dict[str, Any]]]) -> None:
    rows = streams["openai_openai_audio_in_server_vad_turn"]
    timeline = timeline_of(log_of(rows, timed=True))
    assert one(timeline, "user").words == "Hello, my name is Marcelo."
    assert one(timeline, "generated").words.startswith("Hello, Marcelo!")


def simulated_log() -> EventLog:
    opening = rt.ModelGreeting()
    with rt.Session(rt.Simulated(where="memory", latency="none"), opening) as session:
        session.ask("What is a fossil?")
        return session.log


def test_a_simulated_session_and_its_file_have_the_same_timeline(tmp_path: Path) -> None:
    log = simulated_log()
    timeline = timeline_of(log)
    assert timeline.simulated and timeline.title.startswith("Simulated session")
    assert timeline.lanes == ["user", "generated", "text"]
    heard = [span.audio_ms for span in timeline.lane("generated")]
    assert len(heard) == 2 and sum(heard) == pytest.approx(len(log.audio()) / 24, abs=2)
    assert all(span.peaks.max() > 1000 for span in timeline.lane("generated"))
    assert [span.words for span in timeline.lane("user")] == ["What is a fossil?"]
    log.to_jsonl(tmp_path / "log.jsonl")
    again = timeline_of(EventLog.from_jsonl(tmp_path / "log.jsonl"))
    assert again.spans == timeline.spans and again.marks == timeline.marks
