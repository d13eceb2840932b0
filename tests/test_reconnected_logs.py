"""A log of a session that lost its line and went on, or moved, is read right everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from breaking import Fragile, at, never, refused
from test_reconnecting import GREETING, NO_TURNS, events, speech, state_of, talk

import rtwidgets as rt
from rtwidgets import describing, report
from rtwidgets.events import is_carried, line_lost, line_restored, line_trying, session_update
from rtwidgets.log import EventLog
from rtwidgets.money.budgeting import Budget
from rtwidgets.money.ledger import ledger_of
from rtwidgets.money.metering import Bill, bill
from rtwidgets.timeline import Timeline, timeline_of
from rtwidgets.timeline.builder import Builder
from rtwidgets.transport import VirtualClock

QUESTIONS = ("Which fossils?", "How old?")
DONE = "conversation.item.done"


def conversed(*whens: Any) -> rt.AsyncSession:
    """A greeting and two questions over lines that break."""
    return talk(Fragile(*whens), *QUESTIONS, opening=GREETING)[0]


@cache
def conversed_until(where: tuple[str, str, int]) -> rt.AsyncSession:
    """The same over a line that breaks there; several tests read its log."""
    return conversed(at(*where))


def spoke(when: Any, *, by_hand: bool = False) -> rt.AsyncSession:
    """A second of speech, and a typed question, over a line that breaks."""

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(when)) as s:
            if by_hand:
                await s.send({"type": "session.update", "session": NO_TURNS})
                await s.wait_for("session.updated")
            await s.hear(speech(1.0))
            await s.ask("And?")
            return s

    return asyncio.run(scene())


def called() -> rt.AsyncSession:
    """The line breaks while a function runs."""

    async def scene() -> rt.AsyncSession:
        endpoint = Fragile(never)

        async def fossils(room: str) -> str:
            "Which fossils stand in a room."
            await endpoint.lines[0].cut()
            return f"An ichthyosaur stands in {room}."

        async with rt.AsyncSession(endpoint, tools=[fossils]) as s:
            await s.ask("Use the tool fossils.")
            await s.ask("And now?")
            return s

    return asyncio.run(scene())


def moved() -> rt.AsyncSession:
    """An hour goes by, and the conversation moves."""

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(), GREETING) as s:
            await s.clock.sleep(3500.0)
            await s.ask(QUESTIONS[0])
            await s.wait_for("line.restored")
            await s.ask(QUESTIONS[1])
            return s

    return asyncio.run(scene())


BREAKS = [
    ("server", "session.created", 1),
    ("server", "session.updated", 1),
    ("client", "response.create", 1),
    ("server", "response.created", 1),
    ("server", "response.output_audio_transcript.delta", 1),
    ("server", "response.output_audio.delta", 3),
    ("server", "response.done", 1),
    ("client", "conversation.item.create", 1),
    ("server", "conversation.item.added", 2),
    ("client", "response.create", 2),
    ("server", "response.created", 2),
    ("server", "response.output_audio.delta", 20),
]


# ---------------------------------------------------------------- turns, items, responses


@pytest.mark.parametrize("where", BREAKS)
def test_wherever_it_broke_the_log_has_the_turns_that_were_talked(
    where: tuple[str, str, int],
) -> None:
    s = conversed_until(where)
    assert len(events(s.log, "line.restored")) == (where[1] != "session.created")
    turns = s.log.turns()
    assert [(turn.by, turn.said) for turn in turns] == [
        ("opening", ""),
        ("typed", QUESTIONS[0]),
        ("typed", QUESTIONS[1]),
    ]
    # Each has one answer, the words of which stand there once; only one that was cut says so.
    replies = [one for one in s.conversation.responses.values() if one.items]
    for turn in turns:
        (answer,) = {one.text for one in replies if one.text and one.text in turn.answer}
        assert turn.answer == answer
        assert turn.interrupted == (turn.status == "incomplete")
    # What the line cut says so, and why.
    for row, told in zip(s.log.responses(), s.conversation.responses.values(), strict=True):
        assert (row.response_id, row.status) == (told.id, told.status)
        assert row.reason == ("line_lost" if row.done_t is None else "")
        assert row.status != "in_progress"
    # Items that the conversation has are there once, in its words.
    rows = {row.item_id: row for row in s.log.items()}
    assert "" not in rows and not [row for row in rows.values() if row.status == "in_progress"]
    for item in s.conversation.items:
        assert (rows[item.id].role, rows[item.id].text) == (item.role, item.text)
        assert rows[item.id].status == item.status
    assert state_of(rt.Conversation.of(s.log)) == state_of(s.conversation)


def test_twice_broken_it_is_still_one_turn_and_the_whole_wait_is_told() -> None:
    s = conversed(at("client", "conversation.item.create"), at("client", "response.create"))
    assert len(events(s.log, "line.restored")) == 2
    (turn,) = [one for one in s.log.turns() if one.said == QUESTIONS[0]]
    first = s.log[turn.first_seq]
    (began,) = [row for row in s.log.where(type="response.created") if row.seq > first.seq][:1]
    answered = next(one for one in s.log.responses() if one.response_id == began.response_id)
    assert answered.first_text_t is not None and turn.wait is not None
    assert turn.wait == pytest.approx(answered.first_text_t - first.t)
    lost = [row.t for row in s.log.where(type="line.lost")]
    restored = [row.t for row in s.log.where(type="line.restored")]
    assert turn.wait >= sum(b - a for a, b in zip(lost, restored, strict=True)) > 0


def test_what_is_carried_over_is_answered_by_its_own_acknowledgements_alone() -> None:
    s = conversed(at("server", "response.created", 2))
    carried = {row.item_id: row.seq for row in s.log.where(direction="client")
               if is_carried(row.event) and row.item_id}  # fmt: skip
    assert carried
    since = next(iter(s.log.where(type="line.lost"))).seq
    acknowledged = [
        row for row in s.log[since:].where(type=["conversation.item.added", DONE])
        if row.item_id in carried
    ]  # fmt: skip
    assert len(acknowledged) == 2 * len(carried)
    for row in acknowledged:
        assert row.cause is not None and row.cause.seq == carried[row.item_id]
    (settings,) = s.log[since:].where(type="session.updated")
    assert settings.cause is not None and is_carried(settings.cause.event)


@pytest.mark.parametrize("where", BREAKS)
def test_nothing_is_answered_over_another_line_than_it_was_sent_on(
    where: tuple[str, str, int],
) -> None:
    log = conversed_until(where).log
    (lost,) = log.where(type="line.lost")
    for seq, cause in report.causes(log).items():
        assert (seq > lost.seq) == (cause > lost.seq), (log[seq].type, log[cause].type)
    # Everything that was asked for over the second line has its answer there.
    asked = [row.seq for row in log[lost.seq :].where(type="response.create")]
    answers = [row.cause.seq for row in log[lost.seq :].where(type="response.created") if row.cause]
    assert answers == asked


def test_a_call_that_ran_while_the_line_was_away_is_of_its_turn() -> None:
    log = called().log
    turns = log.turns()
    assert [turn.said for turn in turns] == ["Use the tool fossils.", "And now?"]
    assert "ichthyosaur" in turns[0].answer and len(turns[0].response_ids) == 2
    assert [row.type for row in log.items()].count("function_call") == 1


def test_moving_is_no_turn_and_cuts_nothing() -> None:
    s = moved()
    assert len(events(s.log, "line.moving")) == 1
    assert [(turn.by, turn.said, turn.status) for turn in s.log.turns()] == [
        ("opening", "", "completed"),
        ("typed", QUESTIONS[0], "completed"),
        ("typed", QUESTIONS[1], "completed"),
    ]
    assert state_of(rt.Conversation.of(s.log)) == state_of(s.conversation)


# ---------------------------------------------------------------- speech


@pytest.mark.parametrize(
    ("when", "by_hand"),
    [
        (lambda: at("server", "input_audio_buffer.speech_started"), False),
        (lambda: at("server", "input_audio_buffer.speech_stopped"), False),
        (lambda: at("server", "input_audio_buffer.committed"), False),
        (lambda: at("server", "conversation.item.added"), False),
        (lambda: at("server", "response.created"), False),
        (lambda: at("server", "response.output_item.added"), False),
        (lambda: at("client", "input_audio_buffer.append", 10), True),
        (lambda: at("client", "input_audio_buffer.commit"), True),
    ],
)
def test_speech_that_was_sent_again_is_one_turn_and_one_span(
    when: Callable[[], Any], by_hand: bool
) -> None:
    s = spoke(when(), by_hand=by_hand)
    assert [(turn.by, turn.status) for turn in s.log.turns()] == [
        ("spoken", "completed"),
        ("typed", "completed"),
    ]
    spoken = [row for row in s.log.items() if row.role == "user" and row.audio_ms]
    (span,) = [one for one in timeline_of(s.log).spans if one.kind == "spoken"]
    assert [row.audio_ms for row in spoken] == [span.audio_ms]
    assert 1000 <= span.audio_ms < 1600, "a second and its margins, not twice that"
    # Where it was known to have begun, it begins when it was said, not when it was sent again.
    first = next(iter(s.log.where(type="input_audio_buffer.append")))
    (lost,) = s.log.where(type="line.lost")
    known = by_hand or len(s.log[: lost.seq].where(type="input_audio_buffer.speech_started")) > 0
    assert span.start == first.t or not known
    assert not span.open


def test_speech_in_the_next_session_is_found_where_it_was_said() -> None:
    """A server tells its moments from the beginning of its own session."""

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(Fragile(never)) as s:
            await s.hear(speech(1.0))
            await s.endpoint.lines[0].cut()
            await s.wait_for("line.restored")
            await s.hear(speech(1.0))
            return s

    s = asyncio.run(scene())
    first, second = [one for one in timeline_of(s.log).spans if one.kind == "spoken"]
    (lost,), (restored,) = s.log.where(type="line.lost"), s.log.where(type="line.restored")
    assert first.end <= lost.t <= restored.t <= second.start
    assert 1000 <= second.audio_ms < 1600
    assert min(second.seqs) > lost.seq
    assert [turn.by for turn in s.log.turns()] == ["spoken", "spoken"]


# ---------------------------------------------------------------- money


def test_what_the_line_cut_is_of_unknown_cost_and_no_longer_under_way() -> None:
    s = conversed(at("server", "response.output_audio.delta", 3))
    it = bill(s.log)
    assert [row.status for row in it] == ["incomplete", "completed", "completed"]
    assert it.unknown == 1 and it.dollars is None and it.known > 0
    assert Bill(s.ledger) == it and s.ledger.under_way == 0
    assert [turn.cost is None for turn in s.log.turns()] == [True, False, False]


def test_what_a_new_session_is_told_is_counted_once_and_as_never_cached() -> None:
    log = conversed_until(("server", "response.output_audio.delta", 20)).log
    (lost,), (restored,) = log.where(type="line.lost"), log.where(type="line.restored")
    before, told = ledger_of(log[: lost.seq]), ledger_of(log[: restored.seq + 1])
    assert any(is_carried(row.event) for row in log[lost.seq : restored.seq])
    assert (told.unread, before.cold, told.cold) == (before.unread, False, True)
    assert not ledger_of(log).cold, "the next response has read it"
    cached, uncached = Budget(1.0, before).next_cost(), Budget(1.0, told).next_cost()
    assert cached is not None and uncached is not None and cached <= uncached


# ---------------------------------------------------------------- words


def test_what_became_of_the_line_is_told_in_a_persons_words() -> None:
    said = describing.describe
    assert said(line_trying(2, 1.0, "No connection.")) == "try 2 in 1.0 s: No connection."
    assert said(line_lost(None, "", "The line was cut.")) == "The line was cut."
    more: dict[str, Any] = {"sent_again": 1, "message": "unread"}
    whole = line_restored(2, 3.21, carried=6, left_out=["a", "b"], **more)
    assert said(whole) == (
        "after 3.2 s: 6 items carried over; 2 could not be; "
        "what was not answered yet was sent again"
    )
    nothing = line_restored(1, 0.3, carried=0, left_out=[], sent_again=0, message="")
    assert said(nothing) == "after 0.3 s: there was nothing to carry over"
    assert said({"type": "line.trying", "attempt": "x", "message": "Why."}) == "Why."
    assert said({"type": "line.restored", "message": "Back."}) == "Back."
    assert said({"type": "line.resumed", "ms": 5200}) == "after 5.2 s"


def test_the_log_as_text_tells_it_row_by_row() -> None:
    s = conversed(at("client", "conversation.item.create"), refused())
    said = [f"{row.type} {row.summary}" for row in s.log.where(type="line.*")]
    assert said[0] == (
        "line.lost The line was cut without a word from the server. "
        "Another is tried: the conversation goes on there."
    )
    assert said[1].startswith("line.trying try 1 in 0.")
    assert said[2].endswith(": No connection: the test refuses it.")
    assert said[3].endswith("1 item carried over; what was not answered yet was sent again")
    for line in said:
        assert line.split(" ", 1)[1][:40] in str(s.log[: s.log[-1].seq].where(type="line.*"))


# ---------------------------------------------------------------- timeline


def test_the_timeline_has_each_thing_once_and_nothing_open() -> None:
    s = conversed(at("server", "response.output_audio.delta", 3), at("client", "response.create"))
    line = timeline_of(s.log)
    assert [one.words for one in line.spans if one.kind == "typed"] == list(QUESTIONS)
    spoken = [one for one in line.spans if one.lane == "generated"]
    assert [one.item_id for one in spoken] == [
        item.id for item in s.conversation.items if item.role == "assistant"
    ]
    assert not [one for one in line.spans if one.open]
    assert all(one.words for one in spoken), "what was cut goes by the words that came"
    marks = [(mark.type, mark.turns, mark.failed) for mark in line.marks if "line." in mark.type]
    assert marks.count(("line.lost", True, True)) == 2
    assert marks.count(("line.restored", True, False)) == 2
    assert len(s.log.plot().axes) > 0


def test_a_call_that_was_cut_in_the_middle_does_not_stay_open() -> None:
    log = EventLog()
    log.append("server", {"type": "session.created", "session": {}}, t=0.0)
    call = {"id": "call", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
    ids = {"response_id": "r", "item_id": "call"}
    log.append("server", {"type": "response.created", "response": {"id": "r"}}, t=0.1)
    log.append("server", {"type": "response.output_item.added", **ids, "item": call}, t=0.2)
    log.append("local", line_lost(None, "", "The line was cut.", again=True), t=0.3)
    log.append("local", {"type": "playback.heard", "item_id": "x", "ms": 10}, t=9.0)
    (span,) = [one for one in timeline_of(log).spans if one.lane == "tools"]
    assert not span.open and span.end < 0.3


# ---------------------------------------------------------------- other readers


def test_a_truncation_that_the_line_took_along_is_in_every_reading() -> None:
    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(
            Fragile(at("client", "conversation.item.truncate")), GREETING
        ) as s:
            await s.interrupt(heard_ms=s.conversation.items[0].audio_ms // 2)
            await s.ask("What did you say?")
            return s

    s = asyncio.run(scene())
    live, read = s.conversation.items[0], rt.Conversation.of(s.log).items[0]
    assert live.truncated_ms is not None
    assert (read.truncated_ms, read.said) == (live.truncated_ms, live.said)
    assert s.log.items()[0].truncated_ms == live.truncated_ms


def test_a_log_for_sharing_is_read_as_the_one_it_was() -> None:
    s = conversed_until(("server", "response.output_audio.delta", 20))
    log = EventLog()
    for row in s.log:
        event = row.event or {}
        left_out = {"left_out": ["item_gone"]} if row.type == "line.restored" else {}
        log.append(row.direction, {**event, **left_out}, t=row.t)
    shared = log.redact(text=True)
    (restored,) = events(shared, "line.restored")
    assert restored["left_out"] == ["item_gone"]
    assert "fossils" not in shared.to_jsonl()
    for a, b in zip(log.turns(), shared.turns(), strict=True):
        assert (a.by, a.status, a.response_ids) == (b.by, b.status, b.response_ids)
    assert [row.reason for row in shared.responses()] == ["", "line_lost", ""]
    ids = [[one.id for one in rt.Conversation.of(each).items] for each in (log, shared)]
    assert ids[0] == ids[1]


def test_two_runs_that_lost_the_line_at_the_same_place_do_not_differ() -> None:
    where = ("server", "response.output_audio.delta", 20)
    assert not len(conversed_until(where).log.diff(conversed(at(*where)).log))


def test_a_new_session_has_an_empty_buffer_and_its_voice_to_choose() -> None:
    voice = session_update(audio={"output": {"voice": "cedar"}})
    commit = {"type": "input_audio_buffer.commit"}

    async def scene() -> None:
        async with rt.AsyncSession(Fragile(never), GREETING) as s:
            await s.send({"type": "session.update", "session": NO_TURNS})
            await s.wait_for("session.updated")
            append = {"type": "input_audio_buffer.append"}
            await s.send({**append, "audio": rt.audio.encode(speech(0.06).tobytes())})
            assert "voice" in str(rt.check(voice, session=s))
            await s.endpoint.lines[0].cut()
            await s.wait_for("line.restored")
            # 60 ms were sent again: still too little, though the log has 120 by now.
            assert "buffer too small" in str(rt.check(commit, session=s))
            assert rt.check(voice, session=s).ok
            await s.send(voice)
            await s.wait_for("session.updated")
            assert not len(s.log.where(type="error"))

    asyncio.run(scene())


def test_it_is_read_alike_while_it_grows() -> None:
    s = conversed(at("server", "response.created", 2), at("client", "response.create"))
    log, starts, builder = EventLog(), list[int](), Builder()
    for row in s.log:
        builder.take([log.append(row.direction, row.raw, t=row.t)])
        before, starts = starts, report.turn_starts(log)
        assert starts[: len(before)] == before, "whoever shows the turns need not take one back"
    assert starts == [turn.first_seq for turn in s.log.turns()]

    def spans(line: Timeline) -> list[Any]:
        return [(one.lane, one.start, one.end, one.words, one.seqs) for one in line.spans]

    assert spans(builder.timeline()) == spans(timeline_of(s.log))


@pytest.mark.parametrize("direction", ["client", "server", "local"])
def test_broken_rows_about_a_line_break_no_reader(direction: Any) -> None:
    s = conversed_until(("server", "response.done", 1))
    log = EventLog()
    for row in s.log:
        log.append(row.direction, row.raw, t=row.t)
    for event in (
        {"type": "line.lost", "message": 7},
        {"type": "line.restored", "left_out": 5, "carried": "x", "seconds": [1]},
        {"type": "line.trying", "attempt": [], "seconds": float(2**60)},
        {"type": "conversation.item.create", "event_id": "carried_1"},
        {"type": "conversation.item.create", "event_id": "carried_2", "item": 5},
        {"type": "conversation.item.truncate", "item_id": [], "audio_end_ms": "x"},
        {"type": "line.moving"},
    ):
        log.append(direction, event, t=99.0)
    assert [turn.said for turn in log.turns()] == [turn.said for turn in s.log.turns()]
    assert len(rt.Conversation.of(log).items) == len(s.conversation.items)
    assert timeline_of(log).spans and len(bill(log)) and str(log) and log.diff(s.log)


# ---------------------------------------------------------------- played again


@pytest.mark.parametrize("where", BREAKS)
def test_a_replay_loses_the_line_too_and_goes_on_in_the_recording(
    where: tuple[str, str, int],
) -> None:
    recorded = conversed_until(where).log
    replay = rt.Replay(recorded, speed=float("inf"), clock=VirtualClock())
    for _ in range(2):  # each session plays it from the beginning
        s, replies = talk(replay, *QUESTIONS, opening=GREETING)
        assert [reply.transcript for reply in replies] == [one.answer for one in recorded.turns()]
        assert not events(s.log, "error")
        # Of a line that was lost before its first word there is nothing to play.
        lost = (
            len(recorded[: recorded.where(type="line.lost")[0].seq].where(direction="server")) > 0
        )
        assert len(events(s.log, "line.restored")) == lost
        frames = [[row.raw for row in log.where(direction="server")] for log in (recorded, s.log)]
        assert frames[0] == frames[1]


def test_a_replay_of_a_conversation_that_moved_goes_on_too() -> None:
    recorded = moved().log
    s, replies = talk(
        rt.Replay(recorded, speed=float("inf"), clock=VirtualClock()), *QUESTIONS, opening=GREETING
    )
    assert [reply.transcript for reply in replies] == [one.answer for one in recorded.turns()]
    assert len(events(s.log, "line.restored")) == 1 and not events(s.log, "error")


def test_who_does_not_go_on_hears_the_first_line_of_a_recording_each_time() -> None:
    replay = rt.Replay(
        conversed_until(("server", "response.done", 1)).log,
        speed=float("inf"),
        clock=VirtualClock(),
    )
    for _ in range(2):
        s, (greeting,) = talk(replay, opening=GREETING, reconnect=False)
        assert greeting.transcript.startswith("Hi there")
        assert [one.get("again") for one in events(s.log, "line.lost")] == [None]


def test_behind_the_last_line_of_a_recording_nothing_is_tried_for_long() -> None:
    log = EventLog()
    for row in conversed_until(("server", "response.done", 1)).log:
        log.append(row.direction, row.raw, t=row.t)
    log.append("local", line_lost(1006, "", "The line was cut."), t=row.t)

    async def scene() -> None:
        replay = rt.Replay(log, speed=float("inf"), clock=VirtualClock())
        async with rt.AsyncSession(replay, GREETING) as s:
            for question in QUESTIONS:
                await s.ask(question)
            with pytest.raises(rt.ConnectionLost, match="no further line"):
                await s.wait_for("more")

    asyncio.run(scene())
