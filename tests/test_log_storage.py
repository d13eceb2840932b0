"""The log's storage: lossless whatever comes, in blocks, in a file, and while others read."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import logging
import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.events import AUDIO_FIELDS, parse
from rtwidgets.log import EventLog
from rtwidgets.log.cutting import NOT_CUT, parse_fast, take_apart
from rtwidgets.log.eventlog import AUDIO_LIMIT
from rtwidgets.log.storage import FOLDING, ROWS, TemporaryFile

ANY_TEXT = st.text(st.characters(), max_size=80)  # half characters (lone surrogates) included
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
PCM = st.binary(min_size=1, max_size=60) | st.binary(min_size=500, max_size=900)


@st.composite
def audio_frames(draw: Callable[..., Any]) -> str:
    """Events with audio in every layout: escapes, line breaks, twice, nested, other fields."""
    type_, field = draw(st.sampled_from(list(AUDIO_FIELDS.items())))
    encoded = audio.encode(draw(PCM))
    event = draw(st.dictionaries(ANY_TEXT | st.sampled_from(["delta", "audio"]), JSON, max_size=3))
    event = {**event, "type": type_, "item_id": "item_1", field: encoded}
    if draw(st.booleans()):
        event[draw(st.sampled_from(["again", "delta", "audio"]))] = encoded
    if draw(st.booleans()):
        event["inner"] = {field: draw(st.just(encoded) | st.just(""))}
    if draw(st.booleans()):
        event = dict(reversed(event.items()))
    layout = draw(st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}]))
    frame = json.dumps(event, ensure_ascii=draw(st.booleans()), **layout)
    if draw(st.booleans()):
        frame = frame.replace("/", "\\/")
    if draw(st.booleans()):
        frame = frame.replace('":', '" :').replace("\n", "\r\n")
    return frame


FRAMES = audio_frames() | JSON.map(json.dumps) | ANY_TEXT | st.binary(max_size=60)
ALL_FRAMES = FRAMES | audio_frames().map(lambda frame: frame.encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=300)
@given(st.lists(ALL_FRAMES, max_size=5), st.sampled_from([None, 0]))
def test_every_frame_comes_back_through_the_log_and_through_a_file(
    frames: list[str | bytes], limit: int | None
) -> None:
    log = EventLog(audio_limit=limit)
    for frame in frames:
        log.append("server", frame)
    assert [row.frame for row in log] == frames
    text = log.to_jsonl()
    assert text is not None
    again = EventLog.from_jsonl(text)
    assert not again.problems
    assert [row.frame for row in again] == frames
    assert [row.raw for row in again] == [row.raw for row in log]
    assert again.to_jsonl() == text


@settings(deadline=None, max_examples=300)
@given(audio_frames())
def test_cutting_first_gives_what_parsing_would(frame: str) -> None:
    event, text, cut, pcm = take_apart(frame)
    whole = parse(frame)
    assert repr(event) == repr(whole)  # nan is not equal to itself
    if cut != NOT_CUT:
        assert text[:cut] + audio.encode(pcm) + text[cut:] == frame
    row = EventLog().append("server", frame)
    row._event = None
    assert repr(row.event) == repr(whole)


LONG = "A" * 800


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"response.output_audio.delta","inner":{"delta":"%s"},"delta":""}',
        '{"type":"response.output_audio.delta","inner":{"delta":"%s"}}',
        '{"type":"response.output_audio.delta","delta":"","delta":"%s"}',
        '{"type":"response.output_audio.delta","delta":"%s","delta":"AAAA"}',
        '{"type":"response.output_audio.delta","note":"delta","delta":"%s"}',
        '{"type":"response.output_audio.delta","note":"\\"delta\\":","delta":"%s"}',
        '{"type":"response.output_audio.delta","delta":"%s","d\\u0065lta":""}',
        '{"type":"input_audio_buffer.append","delta":"%s","audio":"AAAA"}',
        '{"type":"response.output_audio.delta","delta":"%s',
        '{"type":["response.output_audio.delta"],"delta":"%s"}',
        '{"type":"something.else","delta":"%s"}',
        '{"type":"response.output_audio.delta","delta":"%s="}',
        '[{"type":"response.output_audio.delta","delta":"%s"}]',
    ],
)
def test_what_only_looks_like_an_audio_event_is_read_as_json_is(frame: str) -> None:
    frame = frame % LONG
    row = EventLog().append("server", frame)
    assert row.raw == frame
    assert row.event == parse(frame)
    row._event = None
    assert row.event == parse(frame)


@given(ANY_TEXT | JSON.map(json.dumps) | JSON.map(lambda one: f" {json.dumps(one)} "))
def test_parsing_fast_is_parsing(frame: str) -> None:
    assert repr(parse_fast(frame)) == repr(parse(frame))


def test_a_frame_of_bytes_stays_one() -> None:
    log = EventLog()
    odd = log.append("server", b'{"type":"a","text":"\xff"}')
    assert odd.frame == b'{"type":"a","text":"\xff"}' and odd.size == 23
    assert "\\xff" in odd.raw and odd.event is None
    fine = log.append("server", '{"type":"ü"}'.encode())
    assert (
        fine.event == {"type": "ü"} and fine.raw == '{"type":"ü"}' and isinstance(fine.frame, bytes)
    )


def test_the_length_of_a_frame_is_counted_in_bytes() -> None:
    log = EventLog()
    assert log.append("server", '{"type":"ü"}').size == 13
    assert log.append("server", "\ud83d").size == 3


# ------------------------------------------------------------------ many rows


def delta(number: int, sound: bool = True) -> dict[str, Any]:
    where = {"item_id": f"item_{number // 7}", "response_id": f"resp_{number // 50}"}
    if sound and number % 2:
        pcm = number.to_bytes(4, "little") * 500
        kind = "response.output_audio.delta"
        return {"type": kind, **where, "delta": audio.encode(pcm)}
    kind = "response.output_audio_transcript.delta"
    return {"type": kind, **where, "delta": f"Wörter {number}" if number % 5 else f"word {number}"}


def long_log(count: int, limit: int | None = None) -> EventLog:
    log = EventLog(audio_limit=limit)
    for number in range(count):
        log.append("client" if number % 3 == 0 else "server", delta(number), t=number / 10)
    return log


@pytest.mark.parametrize("limit", [0, 400_000, None])
def test_where_the_audio_is_kept_makes_no_difference(limit: int | None) -> None:
    log = long_log(4 * ROWS + 5, limit)
    assert (log._sound._file is None) == (limit is None)
    kept = log._sound.in_memory
    assert kept > 1_500_000 if limit is None else kept <= 400_000 + 300_000
    for seq in range(0, len(log), 97):
        assert log[seq].event == delta(seq)
        assert json.loads(log[seq].raw) == delta(seq)
    assert len(log.audio()) == sum(row.audio_bytes for row in log) // 2
    assert log.to_jsonl() == long_log(4 * ROWS + 5).to_jsonl()


def test_a_log_takes_its_temporary_file_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    log = long_log(2 * ROWS, 0)
    row = log[1]
    assert log._sound._file is not None and row.event == delta(1)
    assert list(tmp_path.iterdir()) == [] or os.name != "posix"
    del log, row
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before


def test_a_temporary_file_with_a_name_is_read_and_deleted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = TemporaryFile(nameless=False)
    assert file.append(b"one") == 0 and file.append(b"two") == 3
    assert (file.read(0, 3), file.read(3, 3), file.read(1, 4)) == (b"one", b"two", b"netw")
    assert len(list(tmp_path.iterdir())) == 1
    del file
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_without_room_for_a_file_nothing_is_lost_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with caplog.at_level(logging.WARNING, "rtwidgets"):
        log = long_log(3 * ROWS, 0)
    assert len(log.problems) == 1 and "stays in memory" in log.problems[0]
    assert [record.message for record in caplog.records] == log.problems
    assert frames(log) == frames(long_log(3 * ROWS))
    assert [row.event["message"] for row in log.where(type="log.in_memory")] == log.problems
    assert [row.raw for row in EventLog.from_jsonl(log.to_jsonl())] == [row.raw for row in log]


def frames(log: EventLog) -> list[object]:
    """What was on the wire."""
    return [(row.direction, row.t, row.frame) for row in log if row.direction != "local"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full disk, as Linux has one")
def test_a_full_disk_loses_nothing() -> None:
    log = long_log(ROWS, None)
    file = log._sound._file = TemporaryFile()
    os.dup2(os.open("/dev/full", os.O_RDWR), file._fd)
    log._sound._limit = 0
    for number in range(ROWS, 4 * ROWS):
        log.append("client" if number % 3 == 0 else "server", delta(number), t=number / 10)
    assert len(log.problems) == 1 and "No space left" in log.problems[0]
    assert frames(log) == frames(long_log(4 * ROWS))
    assert len(log.where(type="log.in_memory")) == 1


# ------------------------------------------------------------------ while it grows


def test_readers_on_other_threads_see_whole_rows_only() -> None:
    log, count = EventLog(audio_limit=0), 6 * ROWS
    done, wrong = threading.Event(), []

    def read() -> None:
        seen = 0
        while not (done.is_set() and seen == len(log)):
            seen = len(log)
            try:
                for seq in {0, seen // 3, seen - 2, seen - 1} if seen > 2 else ():
                    assert log[seq].event == delta(seq)
                    assert json.loads(log[seq].raw) == delta(seq)
                columns = log.columns()
                assert len(columns.t) == len(columns.type) >= seen
                assert np.all(np.diff(columns.t) >= 0)
                found = log.where(text="word", type="*transcript.delta")
                assert all("word" in row.text for row in found[-3:])
                assert len(log.where(direction="client")) >= len(range(0, seen, 3))
            except BaseException as problem:
                wrong.append(problem)
                return

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for number in range(count):
        log.append("client" if number % 3 == 0 else "server", delta(number), t=number / 10)
    done.set()
    for each in readers:
        each.join(60)
    assert wrong == []
    assert len(log) == count


def test_arrays_that_were_given_out_keep_what_they_show() -> None:
    log = long_log(300)
    columns = log.columns()
    times = columns.t.tolist()
    for number in range(300, 2000):
        log.append("server", delta(number), t=number / 10)
    assert columns.t.tolist() == times and len(log.columns().t) == 2000
    with pytest.raises(ValueError, match="read-only"):
        columns.t[0] = 5


def test_the_columns_of_a_log_are_its_own_memory() -> None:
    log = long_log(300)
    assert np.shares_memory(log.columns().type, log.columns().type)
    part = log.where(direction="client").columns()
    assert part.seq.tolist() == list(range(0, 300, 3))
    names = [part.type_names[code] for code in part.type]
    assert names == [row.type for row in log.where(direction="client")]
    empty = log.where(type="nothing").columns()
    assert len(empty.seq) == len(empty.t) == 0


def test_a_log_is_freed_when_nobody_holds_it() -> None:
    import weakref

    log = EventLog()
    log.append("server", delta(1))
    gone = weakref.ref(log)
    del log
    assert gone() is None  # at once, not when cycles are collected


# ------------------------------------------------------------------ views


CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["*.delta", "*transcript*", "response.*", "nothing", "*audio.d*"]),
        "direction": st.sampled_from(["client", "server", "local"]),
        "text": st.sampled_from(["word", "WÖRTER", "wörter 1", "item_3", "", "5", "nowhere", ' "']),
        "item_id": st.sampled_from(["item_0", "item_20", "item_none"]),
        "response_id": st.sampled_from(["resp_0", "resp_3", "resp_none"]),
    },
)
SLICES = st.slices(1100)
LONG_LOG = long_log(2 * ROWS + 70)


def fits(row: Any, wanted: dict[str, Any]) -> bool:
    """What `where` means, one row at a time."""
    from fnmatch import fnmatchcase

    text = row.raw if not row.audio_bytes else row.json()
    return (
        fnmatchcase(row.type, wanted.get("type", "*"))
        and row.direction == wanted.get("direction", row.direction)
        and row.item_id == wanted.get("item_id", row.item_id)
        and row.response_id == wanted.get("response_id", row.response_id)
        and ("text" not in wanted or in_text(row, wanted["text"], text))
    )


def in_text(row: Any, words: str, text: str) -> bool:
    event = {key: value for key, value in row.event.items() if key != "delta" or row.text}
    return words.casefold() in json.dumps(event, ensure_ascii=False).casefold()


@settings(deadline=None, max_examples=150)
@given(st.lists(CONDITIONS | SLICES, min_size=1, max_size=4))
def test_views_of_views_are_what_filtering_row_by_row_gives(steps: list[Any]) -> None:
    view: Any = LONG_LOG
    rows = list(LONG_LOG)
    for step in steps:
        if isinstance(step, slice):
            view, rows = view[step], rows[step]
        else:
            view, rows = view.where(**step), [row for row in rows if fits(row, step)]
        assert [row.seq for row in view] == [row.seq for row in rows]
        assert len(view) == len(rows)
    if rows:
        assert view[0] == rows[0] and view[-1] == rows[-1]


WORDS = st.text(st.sampled_from('aAkKsSßſKİiıfﬁ_ {}@[`"\\/\n.-0éÉяЯ東ü'), max_size=6)


@settings(deadline=None, max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=6), WORDS, st.booleans())
def test_searching_a_block_is_searching_its_rows(
    texts: list[str], words: str, escaped: bool
) -> None:
    log = EventLog()
    for number in range(ROWS + 2):
        event = {"type": "a", "text": texts[number % len(texts)], "n": number}
        log.append("server", json.dumps(event, ensure_ascii=escaped))
    folded = words.casefold()
    plain = [{"type": "a", "text": text} for text in texts]
    expected = {number for number, event in enumerate(plain) if folded in event["text"].casefold()}
    found = {row.seq for row in log.where(text=words)}
    places = range(ROWS + 2)
    # Words of the text are found everywhere; what is found besides stands in the JSON around it.
    assert {at for at in places if at % len(texts) in expected} <= found
    for at in found:
        raws = (log[at].raw, json.dumps(log[at].event, ensure_ascii=False))
        forms = (folded, json.dumps(folded, ensure_ascii=False)[1:-1])
        assert any(form in raw.casefold() for form in forms for raw in raws)
    # Each row is found or not, whether it is in a block or among the last.
    assert all((at in found) == (at % len(texts) in {one % len(texts) for one in found})
               for at in places if not any(sign.isdigit() for sign in words))  # fmt: skip


def test_the_characters_that_fold_to_ascii_are_all_known() -> None:
    every = (chr(code) for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000)
    folding = {one for one in every if any(letter.isascii() for letter in one.casefold())}
    assert folding == set(FOLDING)


def test_words_do_not_run_from_one_row_into_the_next() -> None:
    log = EventLog()
    for _ in range(ROWS):
        log.append("server", "ab")
    assert len(log.where(text="ba")) == 0
    assert len(log.where(text="b\na")) == 0
    assert len(log.where(text="AB")) == ROWS


# ------------------------------------------------------------------ a long session


def state_of(conversation: rt.Conversation) -> Any:
    items = [
        {**vars(item), "content": list(map(vars, item.content))} for item in conversation.items
    ]
    answers = [{**vars(one), "items": one.item_ids} for one in conversation.responses.values()]
    return items, answers, conversation.usage, conversation.session, conversation.errors


class Wire:
    """A line as somebody sees it who stands beside it: every frame, in a sum for each direction."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self.sums = {one: hashlib.sha256() for one in ("client", "server")}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    async def send(self, frame: str) -> None:
        await self._line.send(frame)
        self.sums["client"].update(frame.encode() + b"\0")

    async def recv(self) -> str:
        frame: str = await self._line.recv()
        self.sums["server"].update(frame.encode() + b"\0")
        return frame


class Watched(rt.Simulated):
    """A simulator in memory on whose line somebody looks."""

    wire: Any = None

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Any:
        self.wire = Wire(await super().open(model, timeout))
        return self.wire


def test_a_long_session_at_full_duplex_loses_nothing_and_its_export_replays(tmp_path: Path) -> None:
    """Nine minutes on the virtual clock; benchmarks/event_log.py has the whole hour."""
    minutes, ten_seconds = 9, 240_000
    chance = np.random.default_rng(0)
    pcm = chance.normal(0, 4000, ten_seconds) * (np.arange(ten_seconds) < 36_000)
    told: list[int] = []
    kept: list[int] = []  # bytes allocated in the last two minutes, and held
    came: list[int] = []  # bytes of sound by then
    endpoint = Watched("typical", where="memory")

    def sound(log: EventLog) -> int:
        return int(log.columns().audio_bytes.sum())

    async def talk() -> rt.AsyncSession:
        async with rt.AsyncSession(endpoint, timeout=3600) as session:
            session.subscribe(lambda row: told.append(row.seq))
            for ten in range(minutes * 6):
                if ten == (minutes - 2) * 6:
                    came.append(sound(session.log))
                    tracemalloc.start()
                await session.hear(pcm.astype("<i2"), reply=False)
            came.append(sound(session.log))
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
        return session

    try:
        session = asyncio.run(talk())
    finally:
        tracemalloc.stop()
    log = session.log
    assert told == list(range(told[0], len(log)))
    for direction, seen in endpoint.wire.sums.items():
        logged = hashlib.sha256()
        for row in log.where(direction=direction):
            logged.update(row.raw.encode() + b"\0")
        assert logged.digest() == seen.digest(), f"the log is what was on the wire ({direction})"
    sent = log.where(type="input_audio_buffer.append")
    assert sum(row.audio_bytes for row in sent) == minutes * 6 * ten_seconds * 2
    assert len(log.where(type="response.done")) >= minutes * 5
    assert log.columns().audio_bytes.sum() > AUDIO_LIMIT > log._sound.in_memory
    assert came[0] > AUDIO_LIMIT, "the last minutes are after the move to a file"
    # A third of it in fact: the text and columns of the rows, and what the server here keeps.
    assert kept[0] < (came[1] - came[0]) / 2, "neither side's sound stays in memory"
    log.to_jsonl(tmp_path / "long.jsonl")
    again = EventLog.from_jsonl(tmp_path / "long.jsonl")
    assert all(one.raw == other.raw for one, other in zip(log, again, strict=True))
    assert state_of(rt.Conversation.of(again)) == state_of(session.conversation)
