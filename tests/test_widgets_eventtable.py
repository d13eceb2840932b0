"""The live table's Python side: what a page is sent, when, and how a late one catches up."""

from __future__ import annotations

from typing import Any

import pytest

from rtwidgets import EventLog
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.eventtable import EventTable, batches, cells_of

SOON = 10.0


class Recorded(EventTable):
    """An event table whose messages are kept instead of sent."""

    def __init__(self, rows: Any, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(rows, sender=Sender(interval=0.001), **options)

    def send(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.sent.append(content)

    def page(self, **message: Any) -> list[dict[str, Any]]:
        """Say something as a page does; gives what it is sent from then on."""
        self.sent.clear()
        self._handle_custom_msg(message, [])
        return self.settled()

    def settled(self) -> list[dict[str, Any]]:
        assert self._sender.drain(SOON)
        assert not self._sender.failures
        return self.sent


@pytest.fixture
def log() -> EventLog:
    log = EventLog()
    log.append("client", {"type": "response.create"}, t=0.5)
    log.append("server", {"type": "response.output_text.delta", "item_id": "i", "delta": "Hi"}, t=1)
    log.append("local", {"type": "playback.heard", "item_id": "i", "ms": 20}, t=1.25)
    return log


def places(messages: list[dict[str, Any]]) -> list[int]:
    return [message["start"] + at for message in messages for at in range(len(message["rows"]))]


def test_cells_say_what_a_line_needs(log: EventLog) -> None:
    assert cells_of(log[1]) == [
        1, 1.0, "server", "response.output_text.delta", "“Hi”", "i", 0, "Hi",
    ]  # fmt: skip
    assert cells_of(log[0])[7] == ""


def test_a_frame_that_is_not_json_has_a_line_too() -> None:
    log = EventLog()
    log.append("server", "<html>", t=0.0)
    assert cells_of(log[0])[3:5] == ["", "not JSON: <html>"]


def test_batches_are_bounded_and_complete() -> None:
    log = EventLog()
    for _ in range(7):
        log.append("server", {"type": "x"}, t=0.0)
    assert [list(one) for one in batches(log, 2, size=3)] == [[2, 3, 4], [5, 6]]
    assert batches(log, 7) == []


def test_nothing_is_sent_before_a_page_asks(log: EventLog) -> None:
    table = Recorded(log)
    table.refresh()
    assert table.settled() == []
    assert places(table.page(t="more", table=0, start=0)) == [0, 1, 2]


def test_a_log_that_grows_is_followed_and_nothing_sent_twice(log: EventLog) -> None:
    table = Recorded(log)
    table.page(t="more", table=0, start=0)
    table.sent.clear()
    log.append("server", {"type": "response.done"}, t=2.0)
    assert places(table.settled()) == [3]
    table.refresh()
    assert places(table.settled()) == [3]


def test_a_page_is_answered_where_there_is_nothing_to_show() -> None:
    (answer,) = Recorded(EventLog()).page(t="more", table=0, start=0)
    assert answer == {"t": "rows", "table": 0, "start": 0, "rows": []}


def test_a_late_page_gets_all_and_one_that_missed_some_gets_those(log: EventLog) -> None:
    table = Recorded(log)
    table.page(t="more", table=0, start=0)
    assert places(table.page(t="more", table=0, start=0)) == [0, 1, 2]
    assert places(table.page(t="more", table=0, start=2)) == [2]


def test_other_rows_are_another_table_and_old_places_do_not_count(log: EventLog) -> None:
    table = Recorded(log)
    table.page(t="more", table=0, start=0)
    table.sent.clear()
    other = EventLog()
    other.append("server", {"type": "session.created"}, t=0.0)
    table.show(other)
    assert {message["table"] for message in table.settled()} == {1}
    assert places(table.sent) == [0]
    assert places(table.page(t="more", table=0, start=7)) == [0]
    log.append("server", {"type": "late"}, t=3.0)
    assert places(table.settled()) == [0]  # the first log is not watched any more


def test_json_comes_by_place_and_only_for_the_table_asked_for(log: EventLog) -> None:
    table = Recorded(log)
    (answer,) = table.page(t="json", table=0, place=1)
    assert answer["place"] == 1 and '"delta": "Hi"' in answer["json"]
    assert table.page(t="json", table=1, place=1) == []
    assert table.page(t="json", table=0, place=99) == []


def test_a_part_of_a_log_is_a_table_too(log: EventLog) -> None:
    table = Recorded(log.where(direction="server"))
    message = table.page(t="more", table=0, start=0)[-1]
    assert [cells[0] for cells in message["rows"]] == [1]


def test_a_log_shows_itself_as_a_table(log: EventLog) -> None:
    assert isinstance(log.show(), EventTable)


def test_a_closed_table_no_longer_watches(log: EventLog) -> None:
    table = Recorded(log)
    table.close()
    log.append("server", {"type": "x"}, t=2.0)
    assert table.settled() == []
