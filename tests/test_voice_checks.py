"""What `make kernels` and `make soak` make of what they see. Neither browser nor kernel here."""

from __future__ import annotations

import base64
import importlib
import json
import sys
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets.audio import RATE

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("psutil", reason="psutil is not installed; it comes with ipykernel")


@pytest.fixture(scope="module")
def soak() -> Any:
    return importlib.import_module("benchmarks.soak")


@pytest.fixture(scope="module")
def judge() -> Any:
    return importlib.import_module("benchmarks.soaked")


@pytest.fixture(scope="module")
def kernels(script_path: Path) -> Any:
    return importlib.import_module("kernels")


@pytest.fixture(scope="module")
def kernels_judged(script_path: Path) -> Any:
    return importlib.import_module("kernels_judged")


@pytest.fixture(scope="module")
def script_path() -> Iterator[Path]:
    """.ci on the path, as it is when a script of it runs."""
    folder = Path(__file__).resolve().parent.parent / ".ci"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


# ---------------------------------------------------------------- make kernels


@pytest.fixture
def row(kernels_judged: Any) -> Callable[..., Any]:
    """A row of a series where all was well, with what is given instead."""

    def make(subshells: bool = True, cell: Any = None, **fields: Any) -> Any:
        good = kernels_judged.Cell(on_time=250, chunks=251, underruns=0, reply=40.0)
        cells = {kernels_judged.QUIET: kernels_judged.Cell(125, 125)}
        cells |= dict.fromkeys(kernels_judged.live_voice.BUSY, good)
        if cell is not None:
            cells["numpy"] = cell
        return kernels_judged.Row("7.4", 10.0, "7.4.0", subshells, cells=cells, **fields)

    return make


def test_chunks_are_counted_from_their_last_sample_to_their_handling(kernels_judged: Any) -> None:
    window = kernels_judged.Window(1000.0, 2000.0, underruns=2, reply=30.0)
    chunks = [(999.0, 1000.0), (1000.0, 1150.0), (1500.0, 1651.0), (2000.0, 2001.0)]
    chunks += [(2001.0, 2002.0)]
    cell = window.cell(chunks)
    assert (cell.on_time, cell.chunks, cell.underruns, cell.reply) == (2, 3, 2, 30.0)
    assert 150 <= cell.p95 <= 151


def test_a_kernel_with_subshells_is_good_when_all_was_in_time(
    kernels_judged: Any, row: Callable[..., Any]
) -> None:
    good = row()
    assert (good.faults, good.verdict) == ([], "good")
    assert len(good.columns()) == len(kernels_judged.HEADINGS)


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ((247, 250, 0, 40.0), "numpy: chunks were late"),
        ((200, 200, 0, 40.0), "numpy: the microphone brought 200 chunks only"),
        ((0, 0, 0, 40.0), "numpy: the microphone brought 0 chunks only"),
        ((250, 250, 1, 40.0), "numpy: gaps in the answer"),
        ((250, 250, 0, None), "numpy: the button answered after the cell"),
    ],
)
def test_what_one_cell_spoils_is_named(
    kernels_judged: Any, row: Callable[..., Any], cell: tuple[Any, ...], fault: str
) -> None:
    spoiled = row(cell=kernels_judged.Cell(*cell))
    assert spoiled.faults == [fault]
    assert spoiled.verdict.startswith("NO: ")


def test_lost_chunks_and_a_wrong_warning_are_faults(row: Callable[..., Any]) -> None:
    assert row(lost=3).faults == ["3 chunks lost"]
    assert row(said="ipykernel 7.4.0 is too old for that.").faults


def test_a_machine_that_is_late_without_a_cell_is_said_to_be(
    kernels_judged: Any, row: Callable[..., Any]
) -> None:
    busy = row()
    busy.cells[kernels_judged.QUIET] = kernels_judged.Cell(100, 125)
    assert "the machine is busy" in busy.verdict


def test_a_kernel_without_subshells_has_to_say_so(row: Callable[..., Any]) -> None:
    told = "ipykernel 6.31.0 is too old for that. Upgrade it, pip install --upgrade 'ipykernel>=7'"
    late = {"subshells": False, "lost": 200}
    assert row(said=told, **late).verdict == "too old, and the microphone says so"
    assert row(said="", **late).faults == ["it does not say that it is too old: ''"]
    assert row(said="ipykernel 6.31.0 is too old for that.", **late).faults


def test_what_could_not_be_measured_is_a_row_of_the_table_too(kernels_judged: Any) -> None:
    rows = [kernels_judged.Row("7.0", trouble="it could not be installed: ERROR: no network")]
    head, line = kernels_judged.table_of(rows).splitlines()
    assert head.startswith("ipykernel") and line.startswith("7.0") and "no network" in line
    assert rows[0].faults


def test_the_newest_is_measured_once(
    kernels: Any, kernels_judged: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    named = kernels_judged.Row("7.4", version="7.4.0")
    same, newer = (kernels_judged.Row(kernels.NEWEST, version=one) for one in ("7.4.0", "8.0.0"))
    assert kernels.without_doubles([named, same]) == [named]
    assert "7.4.0" in capsys.readouterr().out
    assert kernels.without_doubles([named, newer]) == [named, newer]


def test_an_environment_has_one_ipykernel_and_what_rtwidgets_needs(kernels: Any) -> None:
    assert kernels.needs("7.3")[0] == "ipykernel==7.3.*"
    assert kernels.needs(kernels.NEWEST)[0] == "ipykernel"
    assert any(one.startswith("anywidget") for one in kernels.needs("6"))


def test_a_lab_finds_the_kernel_of_a_series(kernels: Any, tmp_path: Path) -> None:
    kernels.install_kernel("7.3", tmp_path)
    [spec] = (tmp_path / "jupyter_data_dir" / "kernels").glob("*/kernel.json")
    assert spec.parent.name == kernels.kernel_name("7.3")
    assert json.loads(spec.read_text())["argv"][0] == kernels.python_of(kernels.ROOT / "7.3")


# ---------------------------------------------------------------- make soak


@pytest.fixture
def soaked(judge: Any) -> Any:
    """Three minutes in which nothing went wrong."""
    looks = [
        judge.Look(20.0 * n, 80 + n / 30, 80.0, 35.0, 9000, 200.0, 900 * n, 500 * n, 0, 0, 0)
        for n in range(1, 10)
    ]
    answers = [judge.Answer(8.0 * n, RATE, 1000, "done") for n in range(22)]
    return judge.Soaked(180.0, looks, answers, played=22 * RATE, round=16.0)


def test_three_good_minutes_have_no_fault_and_a_row_each(judge: Any, soaked: Any) -> None:
    assert soaked.faults() == []
    assert [round(look.at) for look, _ in judge.minutes(soaked)] == [40, 100, 160, 180]
    assert sum(len(answers) for _, answers in judge.minutes(soaked)) == 22
    assert "22 answers, 0 of them cut short" in judge.table_of(soaked)


@pytest.mark.parametrize("what", ["own", "heap"])
def test_what_grows_after_the_first_minute_is_not_flat(soaked: Any, what: str) -> None:
    start = getattr(soaked.looks[0], what)
    grown = [replace(look, **{what: start + look.at / 60 * 1.5}) for look in soaked.looks]
    soaked.looks = grown
    assert soaked.growth(what) == pytest.approx(1.5)
    [fault] = soaked.faults()
    assert "grows by 1.50 MB a minute" in fault


def test_what_the_first_minute_takes_is_no_growth(soaked: Any) -> None:
    soaked.looks[:2] = [replace(look, own=40.0, heap=10.0) for look in soaked.looks[:2]]
    assert soaked.faults() == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"lost": 1}, "missing"),
        ({"captured": 960}, "captured"),
        ({"played": 22 * RATE - 1}, "1 samples drifted"),
        ({"played": 22 * RATE + 5}, "-5 samples drifted"),
        ({"answers": []}, "0 answers only"),
        ({"errors": ["error"]}, "errors: error"),
        ({"failures": ["Speaker.flush: ValueError: x"]}, "failures: Speaker"),
    ],
)
def test_each_loss_is_a_fault(soaked: Any, change: dict[str, Any], word: str) -> None:
    assert any(word in fault for fault in replace(soaked, **change).faults())


def test_missing_numbers_and_gaps_are_faults_by_the_last_look(soaked: Any) -> None:
    soaked.looks[-1] = replace(soaked.looks[-1], missing=2, underruns=1)
    assert soaked.faults() == ["2 chunks are missing", "1 gaps in the answers"]


def test_of_an_answer_that_was_cut_its_heard_milliseconds_were_to_be_played(
    judge: Any, soaked: Any
) -> None:
    soaked.answers[3] = judge.Answer(24.0, RATE, 400, "cut")
    soaked.played -= 600 * RATE // 1000 - 12  # 12 samples are half a millisecond
    assert (soaked.drift, soaked.tolerance, soaked.faults()) == (-12, 12, [])
    soaked.answers[4] = judge.Answer(32.0, RATE, 400, "")
    assert "nobody knows of an answer whether it was heard" in soaked.faults()


def test_an_answer_that_is_said_to_be_heard_and_was_not_is_a_fault(judge: Any, soaked: Any) -> None:
    soaked.answers[3] = judge.Answer(24.0, RATE, 900, "done")
    assert soaked.faults() == ["1 answers were heard to their end, but not all of them"]


def test_answers_are_read_from_the_log(judge: Any) -> None:
    log = rt.EventLog()

    def add(direction: str, type_: str, t: float, **fields: Any) -> None:
        log.append(direction, json.dumps({"type": type_, **fields}), t=t)

    spoken = {"response_id": "r", "output_index": 0, "content_index": 0, "delta": "AAAA" * 1600}
    for item, t in (("a", 1.0), ("a", 1.1), ("b", 2.0), ("c", 3.0)):
        add("server", "response.output_audio.delta", t, item_id=item, **spoken)
    add("local", "playback.heard", 1.5, item_id="a", ms=60, done=False)
    add("local", "playback.heard", 1.7, item_id="a", ms=200, done=True)
    add("local", "playback.flushed", 2.5, item_id="b", ms=40)
    add("local", "playback.heard", 2.6, item_id="b", ms=30, done=False)
    assert judge.answers_of(log) == [
        judge.Answer(1.7, 4800, 200, "done"),
        judge.Answer(2.5, 2400, 40, "cut"),
        judge.Answer(3.0, 2400, 0, ""),
    ]


@pytest.mark.parametrize("first", [0.0, 5.0])
def test_questions_are_found_at_their_places_in_the_wav(judge: Any, first: float) -> None:
    """Whichever of the two came first; and one that came late is seen."""
    starts = sorted([16.0 * n for n in range(20)] + [16.0 * n + 5.0 for n in range(20)])
    starts = [one + 3.2 for one in starts if one >= first]
    assert judge.phases_of(starts, 16.0, 5.0) == pytest.approx([0.0] * len(starts))
    starts[7] -= 0.04
    offs = judge.phases_of(starts, 16.0, 5.0)
    assert [n for n, off in enumerate(offs) if abs(off) > 0.01] == [7]
    assert offs[7] == pytest.approx(-0.04)
    assert judge.phases_of([], 16.0, 5.0) == []


def test_a_line_through_too_little_is_flat(judge: Any) -> None:
    assert judge.slope([]) == judge.slope([(1.0, 5.0)]) == 0.0
    assert judge.slope([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]) == pytest.approx(2.0)


def test_what_a_log_alone_takes_is_measured_by_its_events(soak: Any, tmp_path: Path) -> None:
    log = rt.EventLog()
    for n in range(400):
        sound = base64.b64encode(bytes([n % 251]) * 20_000).decode()
        event = {"type": "input_audio_buffer.append", "audio": sound}
        log.append("client", json.dumps(event), t=n / 25)
    log.to_jsonl(tmp_path / "soak.jsonl")
    few, half, all_ = soak.log_alone(tmp_path / "soak.jsonl", [10, 200, 400])
    assert few < half < all_
    assert 0.8 * 8 <= all_ <= 3 * 8, "8 MB of sound"


def test_the_wav_goes_round_in_step(soak: Any, tmp_path: Path) -> None:
    length, between = soak.write_wav(tmp_path / "questions.wav")
    with wave.open(str(tmp_path / "questions.wav")) as file:
        assert file.getnframes() == RATE * length and length == int(length)
    assert 0 < between < length / 2, "else the second answer has no room"


# ---------------------------------------------------------------- the makefile


def test_make_names_both_and_clean_takes_their_folder(checkout: Path, kernels: ModuleType) -> None:
    makefile = (checkout / "Makefile").read_text(encoding="utf-8")
    for target in ("kernels", "soak"):
        assert f'@echo "make {target} ' in makefile
    assert kernels.ROOT.name in makefile.split("\nclean:")[1]
    assert f"{kernels.ROOT.name}/" in (checkout / ".gitignore").read_text(encoding="utf-8").split()
