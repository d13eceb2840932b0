"""The event log: lossless, searchable, readable by others and from others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtwidgets import audio
from rtwidgets.errors import Misuse
from rtwidgets.log import EventLog
from rtwidgets.log.folding import fold

PCM = bytes(range(256)) * 100
SPOKEN = {
    "type": "response.output_audio.delta",
    "response_id": "resp_1",
    "item_id": "item_1",
    "delta": audio.encode(PCM),
}


def small_log() -> EventLog:
    log = EventLog(endpoint="Simulator", model="gpt-realtime-2.1", started=1.0)
    log.append("server", {"type": "session.created", "session": {"id": "sess_simulated_1"}}, t=0.0)
    log.append("client", {"type": "response.create"}, t=0.5)
    log.append("server", {"type": "response.created", "response": {"id": "resp_1"}}, t=0.6)
    for number, word in enumerate(("Grüß ", "Gott", "!")):
        delta = {"type": "response.output_audio_transcript.delta", "delta": word}
        log.append(
            "server", {**delta, "item_id": "item_1", "response_id": "resp_1"}, t=0.7 + number / 10
        )
        log.append("server", SPOKEN, t=0.75 + number / 10)
    log.append("server", {"type": "response.done", "response": {"id": "resp_1"}}, t=1.2)
    log.append("local", {"type": "playback.heard", "item_id": "item_1", "ms": 10}, t=1.3)
    return log


# ------------------------------------------------------------------ lossless


@pytest.mark.parametrize(
    "frame",
    [
        json.dumps(SPOKEN),
        json.dumps(SPOKEN, separators=(",", ":")),
        json.dumps(SPOKEN, indent=2),
        '{"type":"response.output_audio.delta","delta":"AAAA","again":"AAAA"}',  # twice: not cut
        '{"type":"response.output_audio.delta","delta":"not base64!"}',
        '{"type":"response.output_audio.delta","delta":"AAAAAA=="  }',
        '{"type":"response.output_audio.delta","delta":"AAB="}',  # decodes, but encodes differently
        '{"type":"input_audio_buffer.append","audio":"AAAA"}',
        '{"type":"a","text":"\\u00fc and ü"}',
        "not json at all",
        '["a", "list"]',
        "",
        '{"type": 7}',
        "[" * 5000,
    ],
)
def test_every_frame_comes_back_byte_for_byte_also_through_a_file(
    frame: str, tmp_path: Path
) -> None:
    log = EventLog()
    assert log.append("server", frame).raw == frame
    path = tmp_path / "log.jsonl"
    log.to_jsonl(path)
    again = EventLog.from_jsonl(path)
    assert not again.problems
    assert [row.raw for row in again] == [frame]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.binary(max_size=99))
def test_whatever_the_words_and_the_sound(words: str, pcm: bytes) -> None:
    event = {"type": "response.output_audio.delta", "note": words, "delta": audio.encode(pcm)}
    row = EventLog().append("server", event)
    assert row.event == event
    assert json.loads(row.raw) == event


def test_audio_is_kept_once_and_the_text_without_it() -> None:
    log = EventLog()
    row = log.append("server", SPOKEN)
    assert row.pcm == PCM
    assert row.audio_ms == audio.milliseconds_of(len(PCM))
    assert audio.encode(PCM)[:50] not in log._texts.text(0)
    assert row.event == SPOKEN
    assert "25600 bytes" in row.json()
    assert json.loads(row.json(with_audio=True)) == SPOKEN


def test_a_recording_goes_through_a_file_unchanged(
    streams: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    for name, rows in streams.items():
        log = EventLog()
        for row in rows:
            log.append(row["direction"], row["event"])
        log.to_jsonl(tmp_path / name)
        again = EventLog.from_jsonl(tmp_path / name)
        assert [row.event for row in again] == [row["event"] for row in rows]


# ------------------------------------------------------------------ reading


def test_rows_carry_what_the_table_shows() -> None:
    row = small_log()[2]
    assert (row.seq, row.t, row.direction, row.type) == (2, 0.6, "server", "response.created")
    assert row.response_id == "resp_1"
    assert row.family == "response"
    assert small_log()[-1].event == {"type": "playback.heard", "item_id": "item_1", "ms": 10}


def test_filters_compose_and_keep_the_rows_numbers() -> None:
    log = small_log()
    server = log.where(direction="server")
    assert len(server) == 9
    deltas = server.where(type="*.delta", response_id="resp_1")
    assert [row.seq for row in deltas] == [3, 4, 5, 6, 7, 8]
    assert [row.seq for row in log.where(type=("response.create", "response.done"))] == [1, 9]
    assert len(log.where(type="response.nothing")) == 0
    assert len(log.where(item_id="item_1").where(direction="local")) == 1


@pytest.mark.parametrize("words", ["grüß", "GOTT", "resp_1"])
def test_search_finds_words_in_any_case_also_where_json_escapes_them(words: str) -> None:
    log = EventLog()
    log.append(
        "server", '{"type":"a.delta","delta":"Gr\\u00fc\\u00df Gott","response_id":"resp_1"}'
    )
    log.append("server", '{"type":"b"}')
    assert [row.seq for row in log.where(text=words)] == [0]


def test_slices_and_negative_numbers() -> None:
    log = small_log()
    assert [row.seq for row in log[1:3]] == [1, 2]
    assert log[-1].type == "playback.heard"
    with pytest.raises(IndexError):
        log[99]


def test_a_wrong_direction_is_refused_in_words() -> None:
    with pytest.raises(Misuse, match="client, server, local"):
        small_log().where(direction="sideways")  # type: ignore[arg-type]


def test_the_deltas_between_two_events_fold_by_kind() -> None:
    runs = [(run.first.type, run.count) for run in fold(small_log())]
    assert runs == [
        ("session.created", 1),
        ("response.create", 1),
        ("response.created", 1),
        ("response.output_audio_transcript.delta", 3),
        ("response.output_audio.delta", 3),
        ("response.done", 1),
        ("playback.heard", 1),
    ]
    transcript, sound = list(fold(small_log()))[3:5]
    assert transcript.summary == "“Grüß Gott!”"
    assert sound.audio_ms == 3 * audio.milliseconds_of(len(PCM)) + 1  # thirds of a ms add up


def test_the_assistants_sound_is_put_together() -> None:
    log = small_log()
    assert audio.pcm_from_samples(log.audio("resp_1")) == 3 * PCM
    assert len(log.audio("resp_2")) == 0
    assert log.wav().startswith(b"RIFF")


def test_a_clock_gives_times_from_the_first_row_on() -> None:
    times = iter((100.0, 100.5, 102.0))
    log = EventLog(lambda: next(times))
    assert [log.append("local", {"type": "tick"}).t for _ in range(3)] == [0.0, 0.5, 2.0]


# ------------------------------------------------------------------ other people's files


def test_files_of_others_are_read_and_broken_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "others.jsonl"
    path.write_text(
        '{"rtwidgets":1,"endpoint":"OpenAI","model":"gpt-realtime","started":5}\n'
        '{"type":"session.update","session":{}}\n'
        '{"direction":"server","event":{"type":"session.updated"}}\n'
        "{broken\n"
        "\n"
        '{"t":2.5,"direction":"sideways","event":{"type":"response.create"}}\n'
        "[1, 2]\n"
        '{"neither":"this"}\n'
        '{"direction":"server","raw":"not json"}\n'
    )
    log = EventLog.from_jsonl(path)
    assert (log.endpoint, log.model, log.started) == ("OpenAI", "gpt-realtime", 5)
    assert [(row.direction, row.type, row.t) for row in log] == [
        ("client", "session.update", 0.0),
        ("server", "session.updated", 0.0),
        ("client", "response.create", 2.5),
        ("server", "", 2.5),
    ]
    assert [problem.split(" is ")[0].split(" has ")[0] for problem in log.problems] == [
        "line 4",
        "line 7",
        "line 8",
    ]


def test_the_header_says_what_the_log_is_of() -> None:
    text = small_log().to_jsonl()
    assert text is not None
    assert json.loads(text.splitlines()[0]) == {
        "rtwidgets": 1,
        "started": 1.0,
        "endpoint": "Simulator",
        "model": "gpt-realtime-2.1",
    }


def test_a_dataframe_has_a_row_an_event() -> None:
    pytest.importorskip("pandas", reason="pandas is in the extra `lab`")
    frame = small_log().to_dataframe()
    assert list(frame["type"].head(2)) == ["session.created", "response.create"]
    assert list(frame.columns[:6]) == ["seq", "t", "direction", "type", "item_id", "response_id"]
    assert frame["audio_ms"].sum() == 3 * audio.milliseconds_of(len(PCM))


def test_a_folded_dataframe_has_a_row_a_run() -> None:
    pytest.importorskip("pandas", reason="pandas is in the extra `lab`")
    frame = small_log().to_dataframe(folded=True)
    assert frame["count"].tolist() == [1, 1, 1, 3, 3, 1, 1]
    assert frame["size"].sum() == small_log().to_dataframe()["size"].sum()


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"response.output_audio.delta","delta":"AAEC\\/w=="}',  # as PHP does
        '{"type":"response.output_audio.delta","delta":"AAEC/w"}',  # no padding
        '{"type":"response.output_audio.delta","delta":"AAEC/w==","id":"AAEC/w=="}',  # twice
    ],
)
def test_audio_that_cannot_be_cut_out_is_heard_all_the_same(frame: str) -> None:
    log = EventLog()
    assert log.append("server", frame).pcm == b"\x00\x01\x02\xff"
    assert log[0].raw == frame
    assert len(log.audio()) == 2


def test_the_audio_of_items_that_interleave_is_joined_item_by_item() -> None:
    log = EventLog()
    for item, sample in (("a", 1), ("b", 2), ("a", 1)):
        pcm = audio.encode(sample.to_bytes(2, "little"))
        log.append("server", {**SPOKEN, "item_id": item, "delta": pcm})
    assert log.audio("resp_1").tolist() == [1, 1, 2]


def test_rows_are_equal_when_they_are_the_same_row() -> None:
    log = small_log()
    assert log[0] == log[0] and log[0] in log
    assert log[0] != log[1] and log[0] != small_log()[0]
    assert len({log[0], log[0], log[1]}) == 2


def test_a_watcher_that_fails_does_not_keep_a_row_out() -> None:
    log = EventLog()
    log.watch(lambda: 1 // 0)
    log.append("local", {"type": "tick"})
    assert len(log) == 1


def test_odd_numbers_and_characters_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        b'{"rtwidgets":1,"started":1' + b"0" * 400 + b"}\n"
        b'{"t":1' + b"0" * 400 + b',"direction":"server","event":{"type":"a"}}\n'
        b'{"t":NaN,"direction":"server","event":{"type":"b"}}\r\n'
        b'{"type":"c","raw":"a field of its own"}\n'
        b'{"type":"d","text":"\xff broken"}\n'
        b'{"type":"e","text":"\xed\xa0\xbd half a character"}\n'
    )
    log = EventLog.from_jsonl(path)
    assert [row.type for row in log] == ["a", "b", "c", "d", "e"]
    assert not log.problems and log.started is None
    assert log[2].event == {"type": "c", "raw": "a field of its own"}
    log.to_jsonl(tmp_path / "again.jsonl")
    assert [row.raw for row in EventLog.from_jsonl(tmp_path / "again.jsonl")] == [
        row.raw for row in log
    ]
