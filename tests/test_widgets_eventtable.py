"""The live table's Python side: what a page is sent, when, and how a late one catches up."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets import EventLog
from rtwidgets.errors import Misuse
from rtwidgets.widgets import eventtable
from rtwidgets.widgets.comm import Failure, Sender
from rtwidgets.widgets.eventtable import EventTable, places_of
from rtwidgets.widgets.packing import pack

SOON = 10.0


class Recorded(EventTable):
    """An event table whose messages are kept instead of sent."""

    def __init__(self, rows: Any, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(rows, sender=Sender(interval=0.001), **options)

    def send(self, content: dict[str, Any], buffers: Any = ()) -> None:
        self.sent.append({**content, **unpacked(content, buffers)})

    def page(self, **message: Any) -> list[dict[str, Any]]:
        """Say something as a page does; gives what it is sent from then on."""
        self.sent.clear()
        self._handle_custom_msg(message, [])
        return self.settled()

    def settled(self) -> list[dict[str, Any]]:
        self.drain()
        assert not self._sender.failures
        return self.sent

    def drain(self) -> None:
        for _ in range(2):  # what is flushed may give the clerk something to do
            assert self._sender.drain(SOON)
            self._clerk.submit(int).result(SOON)
        assert self._sender.drain(SOON)

    def shown(self) -> list[dict[str, Any]]:
        """The page has asked for everything; gives the rows it was sent."""
        return rows_of(self.page(t="more", table=self._shown.number, start=0))


def unpacked(content: dict[str, Any], buffers: Any) -> dict[str, Any]:
    """What the page reads out of a message's buffers."""
    if content["t"] == "found":
        return {"places": [n for (n,) in struct.iter_unpack("<I", buffers[0])]}
    if not buffers:
        return {"rows": []}
    count, strings = content["count"], json.loads(buffers[1])
    columns = struct.unpack(
        f"<{count}d{count}I{count}I{count}I{count}H{count}H{count}H{count}B", buffers[0]
    )
    names = ("t", "seq", "size", "audio", "type", "item", "response", "direction")
    rows = [dict(zip(names, columns[at::count], strict=True)) for at in range(count)]
    for row, words in zip(rows, strings["words"], strict=True):
        row["type"], row["family"] = strings["types"][row["type"]]
        row["item"], row["response"] = (
            strings["items"][row["item"]],
            strings["responses"][row["response"]],
        )
        row["direction"] = ("client", "server", "local")[row["direction"]]
        row["words"] = words
    return {"rows": rows}


def rows_of(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for message in messages for row in message.get("rows", [])]


def kinds(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [message for message in messages if message["t"] == kind]


@pytest.fixture
def log() -> EventLog:
    log = EventLog()
    log.append("client", {"type": "response.create"}, t=0.5)
    log.append("server", {"type": "response.output_text.delta", "item_id": "i", "delta": "Hi"}, t=1)
    log.append("local", {"type": "playback.heard", "item_id": "i", "ms": 20}, t=1.25)
    return log


def places(messages: list[dict[str, Any]]) -> list[int]:
    return [
        message["start"] + at
        for message in kinds(messages, "rows")
        for at in range(len(message["rows"]))
    ]


# ---------------------------------------------------------------- rows


def test_a_pack_says_what_a_line_needs(log: EventLog) -> None:
    _, delta, heard = Recorded(log).shown()
    assert delta == {
        "t": 1.0, "seq": 1, "size": log[1].size, "audio": 0, "type": "response.output_text.delta",
        "family": "text", "item": "i", "response": "", "direction": "server", "words": "Hi",
    }  # fmt: skip
    assert (heard["direction"], heard["family"]) == ("local", "local")
    assert heard["words"] == log[2].summary


def test_audio_is_told_by_its_length_alone() -> None:
    log = EventLog()
    log.append("client", {"type": "input_audio_buffer.append", "audio": "AAAA" * 640}, t=0.0)
    (row,) = Recorded(log).shown()
    assert (row["audio"], row["words"], row["size"]) == (40, "", log[0].size)


def test_a_frame_that_is_not_json_has_a_line_too() -> None:
    log = EventLog()
    log.append("server", "<html>", t=0.0)
    (row,) = Recorded(log).shown()
    assert (row["type"], row["words"]) == ("", "not JSON: <html>")


def test_half_a_character_travels_as_it_is() -> None:
    log = EventLog()
    log.append("server", '{"type":"response.output_text.delta","delta":"\\ud83d"}', t=0.0)
    assert pack(log)[1].isascii()
    assert Recorded(log).shown()[0]["words"] == "\ud83d"


def test_names_are_told_once_a_pack() -> None:
    log = EventLog()
    for n in range(100):
        log.append("server", {"type": "x.delta", "item_id": f"item_{n % 2}", "delta": "a"}, t=n)
    strings = json.loads(pack(log)[1])
    assert (strings["types"], strings["items"]) == ([["x.delta", "other"]], ["item_0", "item_1"])


# ---------------------------------------------------------------- when


def test_messages_are_bounded_and_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventtable, "BATCH", 3)
    log = EventLog()
    for _ in range(7):
        log.append("server", {"type": "x"}, t=0.0)
    messages = Recorded(log).page(t="more", table=0, start=2)
    assert [message["count"] for message in messages] == [0, 3, 2]
    assert places(messages) == [2, 3, 4, 5, 6]
    assert {message["total"] for message in messages} == {7}


def test_nothing_is_sent_before_a_page_asks(log: EventLog) -> None:
    table = Recorded(log)
    table.refresh()
    table.select([1])
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
    assert answer == {
        "t": "rows", "table": 0, "start": 0, "count": 0, "rows": [], "turns": [], "given": [],
        "total": 0,
    }  # fmt: skip


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


def test_a_part_of_a_log_is_a_table_too(log: EventLog) -> None:
    assert [row["seq"] for row in Recorded(log.where(direction="server")).shown()] == [1]


def test_a_log_shows_itself_as_a_table(log: EventLog) -> None:
    assert isinstance(log.show(), EventTable)


def test_a_closed_table_no_longer_watches(log: EventLog) -> None:
    table = Recorded(log)
    table.close()
    log.append("server", {"type": "x"}, t=2.0)
    assert table._sender.drain(SOON)
    assert table.sent == []


def test_a_column_that_there_is_not_is_refused(log: EventLog) -> None:
    with pytest.raises(Misuse, match="A column is one of time, delta, .*, not 'colour'"):
        EventTable(log, columns=["time", "colour"])


# ---------------------------------------------------------------- turns


def conversation(turns: int) -> EventLog:
    """A log of turns that a person typed: three rows each."""
    log = EventLog()
    for n in range(turns):
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "?"}]}
        log.append("client", {"type": "conversation.item.create", "item": item}, t=3 * n)
        log.append("client", {"type": "response.create"}, t=3 * n + 1)
        log.append("server", {"type": "response.done", "response": {"id": f"r{n}"}}, t=3 * n + 2)
    return log


def test_a_page_is_told_where_turns_begin_also_while_the_log_grows() -> None:
    log, whole = EventLog(), conversation(4)
    table = Recorded(log)
    table.page(t="more", table=0, start=0)
    for row in whole:
        log.append(row.direction, row.raw, t=row.t)
        table.settled()
    told = [message["turns"] for message in table.sent if message.get("turns")]
    assert told == [[0], [0, 3], [0, 3, 6], [0, 3, 6, 9]]
    assert kinds(table.page(t="more", table=0, start=12), "rows")[0]["turns"] == [0, 3, 6, 9]


# ---------------------------------------------------------------- what a page asks


def test_an_event_in_full_comes_by_place_and_only_for_the_table_asked_for(log: EventLog) -> None:
    table = Recorded(log)
    (answer,) = table.page(t="json", table=0, place=1)
    assert answer["place"] == 1 and '"delta": "Hi"' in answer["json"]
    assert table.page(t="json", table=1, place=1) == []
    assert table.page(t="json", table=0, place=99) == []
    assert table.page(t="json", table=0, place=-1) == []


def test_a_raw_frame_is_what_was_on_the_wire() -> None:
    log, frame = EventLog(), '{ "type":"input_audio_buffer.append",  "audio":"AAAA" }'
    log.append("client", frame, t=0.0)
    (answer,) = Recorded(log).page(t="raw", table=0, place=0)
    assert answer["raw"] == frame


def test_the_turns_of_a_long_log_come_a_little_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventtable, "NEAR", 5)
    log = conversation(4)
    table = Recorded(log)
    answer = table.page(t="more", table=0, start=0)
    assert [message["turns"] for message in kinds(answer, "turns")] == [[0, 3, 6, 9]]
    assert not any(message.get("turns") for message in kinds(answer, "rows"))
    for row in list(log)[:3]:
        log.append(row.direction, row.raw, t=99)
    assert kinds(table.settled(), "rows")[-1]["turns"] == [0, 3, 6, 9, 12]


def test_a_part_of_a_log_has_turns_at_places_of_its_own() -> None:
    answer = Recorded(conversation(3)[3:]).page(t="more", table=0, start=0)
    assert kinds(answer, "turns")[-1]["turns"] == [0, 3]


def test_the_cause_of_an_event_is_told_by_its_place() -> None:
    log = conversation(2)
    (answer,) = Recorded(log).page(t="cause", table=0, place=5)
    assert answer["cause"] == 4
    (answer,) = Recorded(log.where(direction="server")).page(t="cause", table=0, place=1)
    assert answer["cause"] is None, "the table does not show it"
    (answer,) = Recorded(log).page(t="cause", table=0, place=0)
    assert answer["cause"] is None


def test_a_search_finds_the_rows_with_every_word_in_their_events() -> None:
    log = EventLog()
    for text in ("a needle", "hay", "a big needle", "big"):
        log.append("server", {"type": "x", "deep": {"down": text}}, t=0.0)
    ask = {"t": "find", "table": 0, "view": "v"}
    (answer,) = Recorded(log).page(**ask, id=1, words=["big", "needle"], start=0)
    assert (answer["places"], answer["start"], answer["stop"]) == ([2], 0, 4)
    (answer,) = Recorded(log).page(**ask, id=1, words=["needle"], start=1)
    assert answer["places"] == [2]
    (answer,) = Recorded(log[1:]).page(**ask, id=1, words=["needle"], start=0)
    assert answer["places"] == [1]


def test_a_search_that_another_took_the_place_of_is_given_up(log: EventLog) -> None:
    table = Recorded(log)
    ask = {"t": "find", "table": 0, "words": ["i"], "start": 0}
    table._wanted = {"a": 2, "b": 1}
    table._find({**ask, "view": "a", "id": 1})
    table._find({**ask, "view": "b", "id": 1})
    assert [answer["view"] for answer in table.settled()] == ["b"]
    assert table.page(**{**ask, "table": 7}, view="a", id=3) == []


# ---------------------------------------------------------------- selecting


def test_rows_are_selected_by_number_once_a_page_is_there(log: EventLog) -> None:
    table = Recorded(log)
    table.select([2, 0, 99, 2])
    assert table.settled() == []
    answer = table.page(t="more", table=0, start=0)
    assert [message["places"] for message in kinds(answer, "select")] == [[0, 2]]
    table.sent.clear()
    table.select([1])
    assert [message["places"] for message in kinds(table.settled(), "select")] == [[1]]


def test_what_a_person_selects_is_told_by_number(log: EventLog) -> None:
    picked: list[Any] = []
    table = Recorded(log.where(direction="server"), on_select=picked.append)
    table.page(t="select", table=0, places=[0, 7, -1])
    table.page(t="select", table=3, places=[0])
    table.select([1])
    table.settled()
    assert picked == [[1]]


def test_places_of_numbers_among_all_rows_and_some() -> None:
    log = conversation(2)
    part = log.where(direction="server")
    assert places_of(log, [0, 5, 6, -1]) == [0, 5]
    assert places_of(part, [2, 3, 5]) == [0, 1]
    assert places_of(log[3:], [2, 3, 5]) == [0, 2]
    assert places_of(EventLog(), [0]) == []


# ---------------------------------------------------------------- sending


def test_what_a_person_sends_is_handed_on_as_it_was_written(log: EventLog) -> None:
    sent: list[str] = []
    table = Recorded(log, send=sent.append)
    assert table.sends and not Recorded(log).sends
    (answer,) = table.page(t="send", id="b 1", text='{ "type": "x" }')
    assert sent == ['{ "type": "x" }']
    assert (answer["id"], answer["problem"], answer["given"]) == ("b 1", "", sent)


def test_the_last_sent_events_are_offered_again_each_once_and_also_to_a_late_page(
    log: EventLog,
) -> None:
    table = Recorded(log, send=len)
    for text in [*"abc", "a", *map(str, range(30)), "3"]:
        table.page(t="send", id="1", text=text)
    (answer, *_) = table.page(t="more", table=0, start=0)
    assert answer["given"][-2:] == ["29", "3"]
    assert len(answer["given"]) == len(set(answer["given"])) == eventtable.REMEMBERED


def test_what_cannot_be_sent_is_told_and_not_offered_again(log: EventLog) -> None:
    def refuse(text: str) -> None:
        raise Misuse("Press Start first.")

    (answer,) = Recorded(log, send=refuse).page(t="send", id="1", text="{}")
    assert (answer["problem"], answer["given"]) == ("Press Start first.", [])
    (answer,) = Recorded(log).page(t="send", id="1", text="{}")
    assert "without send=" in answer["problem"]


def test_advice_comes_for_an_event_while_it_is_written(log: EventLog) -> None:
    table = Recorded(log, send=len, check=lambda event: event.get("hint"))
    assert table.checks
    (answer,) = table.page(t="check", id="1", text='{"hint": "Better not."}')
    assert (answer["id"], answer["advice"]) == ("1", "Better not.")
    assert answer["fixed"] == ""
    (answer,) = table.page(t="check", id="2", text="{}")
    assert answer["advice"] == ""


def test_the_event_that_was_meant_is_offered(log: EventLog) -> None:
    table = Recorded(log, send=len, check=rt.check)
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}]}
    written = json.dumps({"type": "conversation.item.create", "item": item})
    (answer,) = table.page(t="check", id="1", text=written)
    assert "refused" in answer["advice"]
    assert json.loads(answer["fixed"])["item"]["content"][0]["type"] == "output_text"


def test_a_check_that_fails_is_told_to_who_watches_over_the_table(log: EventLog) -> None:
    def broken(event: dict[str, Any]) -> str:
        raise RuntimeError("no")

    failures: list[Failure | None] = []
    table = Recorded(log, send=len, check=broken)
    table.outcome = lambda what, failure: failures.append(failure)
    table._handle_custom_msg({"t": "check", "id": "1", "text": "{}"}, [])
    table.drain()
    assert [str(one) for one in failures if one] == ["Recorded.check: RuntimeError: no"]
