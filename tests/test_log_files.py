"""Logs in and out: other people's files, lists, text, compressed ones, and DataFrames."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from rtwidgets import audio, events
from rtwidgets.errors import Misuse
from rtwidgets.log import EventLog

EVENT = {"type": "response.output_audio.delta", "item_id": "item_1", "delta": audio.encode(b"1234")}


def read(*lines: Any) -> EventLog:
    return EventLog.from_jsonl(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
    )


def full_log() -> EventLog:
    log = EventLog(started=1e9, endpoint="Simulator", model="gpt-realtime")
    log.append("client", {"type": "session.update", "session": {"instructions": "Grüß Gott"}}, t=0)
    log.append("server", EVENT, t=0.25)
    log.append("server", '{\n "type": "laid.out"\n}', t=0.5)
    log.append("server", "not JSON", t=0.5)
    log.append("server", b'{"type":"of.bytes"}', t=0.625)
    log.append("server", b"\xff\x00", t=0.75)
    log.append("server", '{"type":"half","text":"\ud83d"}', t=0.75)
    log.append("local", events.playback_heard("item_1", 10, done=True), t=1.0)
    return log


# ------------------------------------------------------------------ rows of others


@pytest.mark.parametrize(
    ("row", "direction", "t"),
    [
        ({"time": 2.5, "direction": "sent", "event": EVENT}, "client", 2.5),
        ({"ts": 2.5, "dir": "in", "data": EVENT}, "server", 2.5),
        ({"timestamp": 2.5, "source": "client", "payload": EVENT}, "client", 2.5),
        ({"t": 2.5, "direction": ">", "event": json.dumps(EVENT)}, "client", 2.5),
        ({"t": 2.5, "direction": "RECV", "message": EVENT}, "server", 2.5),
        ({"type": "send", "time": 2.5, "opcode": 1, "data": json.dumps(EVENT)}, "client", 2.5),
        ({"type": "receive", "time": 2.5, "opcode": 1, "data": json.dumps(EVENT)}, "server", 2.5),
        ({**EVENT, "timestamp": 2.5}, "server", 2.5),
        ({"event": EVENT, "extra": [1, {"event": 2}]}, "server", 0.0),
    ],
)
def test_rows_as_others_write_them(row: Any, direction: str, t: float) -> None:
    log = read(row)
    assert log.problems == []
    assert (log[0].direction, log[0].type, log[0].t) == (direction, EVENT["type"], t)
    assert log[0].pcm == b"1234"


@pytest.mark.parametrize(
    "times",
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:01.500Z"),
        ("2026-11-22T12:00:00+02:00", "2026-11-22T10:00:01.5"),
        (1795341600, 1795341601.5),
        (1795341600000, 1795341601500),
        (1795341600000000, 1795341601500000),
    ],
)
def test_the_time_of_day_becomes_time_since_the_start(times: tuple[Any, Any]) -> None:
    log = read(*({"time": time, "source": "server", "event": {"type": "a"}} for time in times))
    assert [row.t for row in log] == pytest.approx([0.0, 1.5], abs=1e-5)
    assert log.started == pytest.approx(1795341600)


def test_times_that_are_none_are_that_of_the_row_before() -> None:
    log = read({"t": 3, "event": {"type": "a"}}, {"time": "soon", "event": {"type": "b"}},
               {"t": True, "event": {"type": "c"}}, {"type": "d"})  # fmt: skip
    assert [row.t for row in log] == [3.0, 3.0, 3.0, 3.0]


def test_an_event_inside_a_row_is_kept_as_it_stands_there() -> None:
    spaced = '{ "type" : "a",\t"text": "\\u00fc" }'
    log = read(f'{{"event": {spaced}, "direction": "server", "t": 1}}')
    assert log[0].raw == spaced


def test_a_direction_nobody_noted_is_told_by_the_type() -> None:
    types = ("response.create", "session.created", "playback.heard", "transcription_session.update")
    log = read(*({"type": type_} for type_ in types))
    assert [row.direction for row in log] == ["client", "server", "local", "client"]


def test_beta_names_and_unknown_ones_are_read() -> None:
    log = read(
        {"type": "response.audio.delta", "delta": "AAAA", "item_id": "i"},
        {"type": "response.text.delta", "delta": "hi"},
        {"type": "of.the.future", "x": [1]},
    )
    assert [row.text for row in log] == ["", "hi", ""]
    assert log[0].audio_bytes == 3 and len(log.audio()) == 1


def test_a_broken_line_is_named_and_the_others_stay() -> None:
    log = read(EVENT, '{"type": "cut of', "", '"text"', "12", '{"direction":"server"}',
               '{"direction":"server","base64":"no base64"}', EVENT)  # fmt: skip
    assert len(log) == 2
    assert [problem.split(" ")[:2] for problem in log.problems] == [
        ["line", number] for number in ("2", "4", "5", "6", "7")
    ]
    assert all(problem.endswith("and was left out") for problem in log.problems)


def test_a_line_of_ours_that_was_cut_off_is_a_broken_line() -> None:
    text = full_log().to_jsonl()
    assert text is not None
    for length in range(len(text.splitlines()[0]) + 2, len(text)):
        log = EventLog.from_jsonl(text[:length])
        whole = text[:length].count("\n") - 1
        assert len(log) - whole in (0, 1) and len(log) + len(log.problems) - whole in (0, 1)


# ------------------------------------------------------------------ sources


def test_a_whole_list_is_read_entry_by_entry(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([EVENT, {"direction": "sent", "event": EVENT}, 5], indent=2))
    log = EventLog.from_jsonl(path)
    assert [row.direction for row in log] == ["server", "client"]
    assert log.problems == ["entry 3 is not an event and was left out"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_in_the_encodings_that_shells_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"type":"a","text":"ü"}\r\n{"type":"b"}\r\n', encoding)
    assert [row.event for row in EventLog.from_jsonl(path)] == [
        {"type": "a", "text": "ü"}, {"type": "b"},
    ]  # fmt: skip


def test_open_files_and_lines_are_read_too() -> None:
    text = full_log().to_jsonl()
    assert text is not None
    for source in (io.StringIO(text), io.BytesIO(text.encode()), text.splitlines()):
        assert EventLog.from_jsonl(source).to_jsonl() == text
    for marked in ("\ufeff" + text, io.StringIO("\ufeff" + text)):
        assert EventLog.from_jsonl(marked).to_jsonl() == text
    assert len(EventLog.from_jsonl("{}")) == 0
    assert len(EventLog.from_jsonl(io.StringIO(""))) == 0


def test_a_compressed_file_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    full_log().to_jsonl(path)
    assert gzip.decompress(path.read_bytes()).decode() == full_log().to_jsonl()
    again = EventLog.from_jsonl(path)
    assert [row.frame for row in again] == [row.frame for row in full_log()]


def test_a_file_that_is_not_there_is_said_so() -> None:
    with pytest.raises(FileNotFoundError):
        EventLog.from_jsonl("nowhere.jsonl")


def test_every_line_that_is_written_is_utf8_and_json() -> None:
    text = full_log().to_jsonl()
    assert text is not None
    rows = [json.loads(line) for line in text.encode("utf-8").splitlines()]
    assert [set(row) - {"seq", "t", "direction"} for row in rows[1:]] == [
        {"event"}, {"event"}, {"event", "raw"}, {"raw"}, {"event", "base64"}, {"base64"},
        {"event", "raw"}, {"event"},
    ]  # fmt: skip


def test_a_part_of_a_log_is_written_with_its_numbers() -> None:
    text = full_log().where(direction="local").to_jsonl()
    assert text is not None and json.loads(text.splitlines()[1])["seq"] == 7
    assert full_log()[::-1].to_jsonl() != full_log().to_jsonl()


# ------------------------------------------------------------------ DataFrames


def test_a_dataframe_and_back() -> None:
    pytest.importorskip("pandas", reason="pandas is in the extra `lab`")
    log = full_log()
    again = EventLog.from_dataframe(log.to_dataframe(raw=True))
    assert again.to_jsonl() == log.to_jsonl()
    assert (again.started, again.endpoint, again.model) == (1e9, "Simulator", "gpt-realtime")
    assert again.problems == []


def test_the_columns_of_a_dataframe_are_those_of_the_rows() -> None:
    pytest.importorskip("pandas", reason="pandas is in the extra `lab`")
    log = full_log()
    for rows in (log, log.where(direction="server"), log[::-1], log[:0]):
        frame = rows.to_dataframe(summary=True)
        for name in frame.columns:
            assert frame[name].tolist() == [getattr(row, name) for row in rows], name
    assert frame.columns.tolist() == [
        "seq", "t", "direction", "type", "item_id", "response_id", "size", "audio_ms", "summary",
    ]  # fmt: skip
    counts = log.to_dataframe().groupby("type", observed=False).size()
    assert counts["laid.out"] == 1 and set(counts) == {1, 2}


def test_a_dataframe_of_ones_own_becomes_a_log() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is in the extra `lab`")
    frame = pandas.DataFrame(
        {
            "event": [EVENT, json.dumps(EVENT), None, {"type": "response.create"}],
            "t": [2.0, 1.0, 0.0, float("nan")],
            "seq": [2, 1, 0, 3],
        }
    )
    log = EventLog.from_dataframe(frame)
    assert [(row.direction, row.t) for row in log] == [
        ("server", 1.0), ("server", 2.0), ("client", 2.0),
    ]  # fmt: skip
    assert log.problems == ["row 2 has no event and was left out"]
    with pytest.raises(Misuse, match="a column `raw` or `event`"):
        EventLog.from_dataframe(frame[["t"]])
    assert len(EventLog.from_dataframe(frame[:0])) == 0


# ------------------------------------------------------------------ what happens on this side


def test_the_rows_of_this_side_are_those_of_the_table() -> None:
    built = [
        events.playback_started("item_1"),
        events.playback_heard("item_1", 20),
        events.playback_flushed("item_1", 20),
        events.microphone(True),
        events.microphone(False),
        events.line_lost(1006, "", "The line was cut."),
        events.opening_failed("It failed."),
        events.budget_reached("It is spent.", budget=0.5, spent=0.5),
    ]
    assert {event["type"] for event in built} <= set(events.LOCAL_EVENTS)
    log = EventLog()
    for event in built:
        assert log.append("local", event).family == "local"
    assert log.where(type="playback.heard")[0].event == {
        "type": "playback.heard", "item_id": "item_1", "ms": 20, "done": False,
    }  # fmt: skip
    assert log[1].summary == "0.0 s heard"
