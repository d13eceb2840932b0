"""The live timeline's Python side: what a page is sent, how little, and what a click selects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from stories import Story, barge_in

from rtwidgets import EventLog
from rtwidgets.widgets import timeline as module
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.timeline import Timeline, loudness

SOON = 10.0


class Recorded(Timeline):
    """A timeline whose messages are kept instead of sent."""

    def __init__(self, rows: Any, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.sound: list[bytes] = []
        super().__init__(rows, sender=Sender(interval=0.001), **options)

    def send(self, content: dict[str, Any], buffers: Any = ()) -> None:
        self.sent.append(content)
        self.sound += [bytes(one) for one in buffers]

    def page(self, **message: Any) -> list[dict[str, Any]]:
        """Say something as a page does; gives what it is sent from then on."""
        self.sent.clear()
        self.sound.clear()
        self._handle_custom_msg(message, [])
        return self.settled()

    def settled(self) -> list[dict[str, Any]]:
        while True:  # a long log is read in several flushes, each of which asks for the next
            before = self._taken
            assert self._sender.drain(SOON)
            assert not self._sender.failures
            if self._noticed:
                continue  # sound alone: it waits for a few flushes
            if self._told is None or self._taken in (before, len(self._shown.rows)):
                assert self._sender.drain(SOON)
                return self.sent


def spans(messages: list[dict[str, Any]]) -> dict[int, list[Any]]:
    return {cells[0]: cells for message in messages for cells in message.get("spans", ())}


def marks(messages: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    for first, cells in (one["marks"] for one in messages if "marks" in one):
        found[first:] = [cell[2] for cell in cells]
    return found


def peaks(messages: list[dict[str, Any]]) -> dict[int, int]:
    """How long the waveform of each span is by what was sent."""
    pieces = (piece for one in messages for piece in one.get("peaks", ()))
    return {number: start + count for number, start, count in pieces}


@pytest.fixture
def story() -> Story:
    return barge_in(playback=True)[0]


def test_nothing_is_read_or_sent_before_a_page_asks(story: Story) -> None:
    timeline = Recorded(story.log)
    timeline.wake()
    assert timeline.settled() == [] and timeline._taken == 0


def test_a_page_gets_lanes_marks_waveforms_and_what_was_cut(story: Story) -> None:
    sent = Recorded(story.log).page(t="more")
    assert sorted(cells[1] for cells in spans(sent).values()) == [0, 1, 2, 3]
    made = next(cells for cells in spans(sent).values() if cells[1] == 1)
    assert made[2:11] == ["audio", 1.0, 5.0, 4000, 1400, 1.75, 0, 0, ""]
    assert marks(sent) == [
        row.type for row in story.log
        if not row.type.endswith((".delta", ".append", ".heard"))
    ]  # fmt: skip
    assert [one["cuts"] for one in sent if "cuts" in one] == [
        [[2.5, 2.7, "barge-in, 1.4 s of 4.0 s heard"]]
    ]
    assert peaks(sent)[made[0]] == 200
    assert sent[0]["unit"] == "s" and {one["line"] for one in sent} == {0}


def test_waveforms_come_as_bytes_in_the_order_of_their_places(story: Story) -> None:
    timeline = Recorded(story.log)
    sent = timeline.page(t="more")
    counts = [count for one in sent for _, _, count in one.get("peaks", ())]
    assert sum(counts) == sum(map(len, timeline.sound))
    assert loudness(np.array([0, 128, 8192, 32768], np.uint16)) == bytes([0, 15, 127, 255])


def test_of_a_log_that_grows_only_what_changed_is_sent(story: Story) -> None:
    timeline = Recorded(story.log)
    before = len(marks(timeline.page(t="more")))
    timeline.sent.clear()
    story.server(3.0, "rate_limits.updated", rate_limits=[])
    (mark,) = timeline.settled()
    assert mark["spans"] == [] and "peaks" not in mark and "cuts" not in mark
    cells = [3.0, 1, "rate_limits.updated", "tokens left: None", 0]
    assert mark["marks"] == [before, [cells]]
    timeline.sent.clear()
    story.reply(4.0, 0.25, "item_b", "resp_b")
    news = timeline.settled()
    assert set(spans(news)) == {4, 5} and peaks(news) == {5: 13}


def test_a_reply_that_grows_sends_its_new_sound_only(story: Story) -> None:
    timeline = Recorded(story.log)
    timeline.page(t="more")
    story.reply(4.0, 1.0, "item_b", "resp_b")
    timeline.settled()
    timeline.sent.clear()
    story.reply(5.0, 1.0, "item_b", "resp_b")
    pieces = [piece for one in timeline.settled() for piece in one.get("peaks", ())]
    assert pieces[0][1] == 49 and sum(count for *_, count in pieces) == 51
    assert len(str(timeline.sent)) < 2000


def test_a_page_that_appears_late_is_told_everything_again(story: Story) -> None:
    timeline = Recorded(story.log)
    first = timeline.page(t="more")
    again = timeline.page(t="more")
    assert spans(again) == spans(first) and marks(again) == marks(first)
    assert peaks(again) == peaks(first) and again[-1]["line"] == 0


def test_a_long_log_goes_out_in_bounded_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 30)
    monkeypatch.setattr(module, "BATCH", 20)
    log = EventLog()
    for number in range(100):
        log.append("server", {"type": "rate_limits.updated"}, t=float(number))
    sent = Recorded(log).page(t="more")
    assert len(marks(sent)) == 100
    assert max(len(one["marks"][1]) for one in sent if "marks" in one) <= 20


def test_time_that_passes_is_told_where_nothing_else_is() -> None:
    story = Story(session={})
    timeline = Recorded(story.log)
    timeline.page(t="more")
    timeline.sent.clear()
    story.microphone(1.0, 1.0)
    assert [one["now"] for one in timeline.settled()][-1] > 1.2
    assert not spans(timeline.sent) and not marks(timeline.sent)


def test_other_rows_are_another_timeline(story: Story) -> None:
    timeline = Recorded(story.log)
    timeline.page(t="more")
    timeline.sent.clear()
    other = Story(session={"id": "sess_2"})
    timeline.show(other.log)
    sent = timeline.settled()
    assert {one["line"] for one in sent} == {1} and marks(sent) == ["session.created"]
    story.server(9.0, "error", error={})
    timeline.sent.clear()
    assert timeline.settled() == []  # the first log is not watched any more


def test_a_log_without_times_says_so() -> None:
    log = EventLog()
    for _ in range(3):
        log.append("server", {"type": "x"}, t=0.0)
    assert Recorded(log).page(t="more")[0]["unit"] == "events"


@pytest.mark.parametrize(("kind", "type_"), [
    ("span", "response.output_audio.delta"), ("mark", "session.created"),
    ("cut", "conversation.item.truncate"),
])  # fmt: skip
def test_a_click_selects_the_rows_behind_it(story: Story, kind: str, type_: str) -> None:
    chosen: list[Sequence[int]] = []
    timeline = Recorded(story.log, on_select=chosen.append)
    sent = timeline.page(t="more")
    number = next((cells[0] for cells in spans(sent).values() if cells[1] == 1), 0)
    timeline.page(t="select", line=0, kind=kind, number=number if kind == "span" else 0)
    (seqs,) = chosen
    assert type_ in {story.log[seq].type for seq in seqs}


@pytest.mark.parametrize("message", [
    {"line": 1, "kind": "span", "number": 0}, {"line": 0, "kind": "span", "number": 99},
    {"line": 0, "kind": "soul", "number": 0}, {"line": 0, "kind": "mark", "number": -1},
])  # fmt: skip
def test_a_click_on_what_is_not_there_selects_nothing(
    story: Story, message: dict[str, Any]
) -> None:
    chosen: list[Sequence[int]] = []
    timeline = Recorded(story.log, on_select=chosen.append)
    timeline.page(t="more")
    timeline.page(t="select", **message)
    assert chosen == []


def test_rows_chosen_elsewhere_are_shown(story: Story) -> None:
    timeline = Recorded(story.log)
    timeline.select([0])
    assert timeline.settled() == []  # no page is there
    sent = timeline.page(t="more")
    seqs = {row.type: row.seq for row in story.log}
    made = next(cells[0] for cells in spans(sent).values() if cells[1] == 1)
    cut = "conversation.item.truncate"
    places: dict[str, list[Any]] = {
        cut: ["mark", marks(sent).index(cut)],
        "response.output_audio.delta": ["span", made],
    }
    for type_, shown in places.items():
        timeline.sent.clear()
        timeline.select([seqs[type_], 0])
        assert [one["show"] for one in timeline.settled()] == [shown]
    timeline.sent.clear()
    timeline.select([])
    timeline.select([9999])
    assert timeline.settled() == []


def test_a_closed_timeline_no_longer_watches(story: Story) -> None:
    timeline = Recorded(story.log)
    timeline.page(t="more")
    timeline.close()
    timeline.sent.clear()
    story.server(9.0, "error", error={})
    assert timeline.settled() == []


def test_without_a_kernel_there_are_lanes_of_characters(story: Story) -> None:
    plain = Recorded(story.log)._plain.bundle()
    assert "generated audio" in plain["text/plain"] and "barge-in" in plain["text/plain"]
    assert plain["text/html"].count("<pre>") == 1 and "&lt;" in plain["text/html"]
