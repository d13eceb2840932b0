"""Openings side by side, really run: in memory on a virtual clock, and over a socket."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets.comparison import Comparison
from rtwidgets.comparison.page import marked, strip, table_html
from rtwidgets.comparison.progress import bar
from rtwidgets.comparison.purse import Purse
from rtwidgets.comparison.results import Spread, counted
from rtwidgets.comparison.running import SPOKEN_OVER
from rtwidgets.comparison.trial import label_of
from rtwidgets.openings import BUILT_IN, Opening

SCRIPT = "Welcome to the museum! Shall I show you the fossils?"
ADA = "You are Ada, a guide in a museum. Greet every visitor first."

pytestmark = pytest.mark.filterwarnings("error")


def quiet(done: int, total: int, label: str) -> None:
    """No progress in a test."""


def compared(openings: Any, trials: int = 1, **options: Any) -> Comparison:
    options.setdefault("endpoint", rt.Simulated("none", where="memory"))
    return rt.compare(openings, trials, instructions=ADA, progress=quiet, **options)


@pytest.fixture(scope="module")
def all_openings() -> Comparison:
    recording = rt.audio.samples_from_pcm(bytes(24_000))
    return compared(
        {
            "wait": rt.WaitForUser(),
            "scripted": rt.ScriptedGreeting(SCRIPT),
            "spoken": rt.SpokenGreeting(SCRIPT),
            "generated": rt.GeneratedGreeting("Greet the visitor."),
            "model": rt.ModelGreeting(),
            "seeded": rt.SeededGreeting("Greet the visitor."),
            "seeded, deleted": rt.SeededGreeting("Greet the visitor.", delete=True),
            "aside": rt.OutOfBandGreeting("Greet the visitor."),
            "aside, remembered": rt.OutOfBandGreeting("Greet the visitor.", remember=True),
            "recorded": rt.RecordedGreeting(recording, SCRIPT),
            "idle": rt.IdleGreeting(5000),
        },
        trials=2,
    )


def test_every_opening_is_heard_as_it_should_be(all_openings: Comparison) -> None:
    heard = {row.opening: row.heard for row in all_openings.rows}
    assert heard == {
        "wait": "silent",
        "scripted": "silent",
        "spoken": "audio",
        "generated": "audio",
        "model": "audio",
        "seeded": "audio",
        "seeded, deleted": "audio",
        "aside": "audio",
        "aside, remembered": "audio",
        "recorded": "played here",
        "idle": "silent",
    }


def test_the_model_knows_what_stands_in_its_conversation(all_openings: Comparison) -> None:
    knows = {row.opening: row.knows for row in all_openings.rows}
    forgets = {"wait": "", "idle": "", "aside": "0 of 2"}
    assert knows == {name: forgets.get(name, "2 of 2") for name in all_openings.openings}


def test_what_each_leaves_behind(all_openings: Comparison) -> None:
    left = {row.opening: [line.split(":")[0] for line in row.items] for row in all_openings.rows}
    spoken, written = ["assistant (spoken)"], ["assistant (text)"]
    assert left == {
        "wait": [],
        "scripted": written,
        "spoken": spoken,
        "generated": spoken,
        "model": spoken,
        "seeded": ["user", *spoken],
        "seeded, deleted": spoken,
        "aside": [],
        "aside, remembered": written,
        "recorded": written,
        "idle": [],
    }


def test_it_has_no_faults(all_openings: Comparison) -> None:
    assert {row.opening: row.faults for row in all_openings.rows if row.faults} == {}


def test_scripts_are_said_word_for_word(all_openings: Comparison) -> None:
    exact = {row.opening: row.exact for row in all_openings.rows if row.exact}
    assert exact == {"scripted": "2 of 2", "spoken": "2 of 2", "recorded": "2 of 2"}


def test_what_was_not_heard_costs_nothing_yet(all_openings: Comparison) -> None:
    free = {row.opening for row in all_openings.rows if row.cost == 0.0}
    assert free == {"wait", "scripted", "recorded", "idle"}


def test_a_greeting_is_interrupted_unless_it_is_protected() -> None:
    openings = {"bare": rt.ModelGreeting(), "protected": rt.ModelGreeting(protect=True)}
    over = {row.opening: row.interruption for row in compared(openings).rows}
    assert over == {"bare": "interrupted", "protected": "spoken through"}


def test_a_dataframe_has_a_line_a_trial(all_openings: Comparison) -> None:
    frame = all_openings.to_dataframe()
    assert len(frame) == len(all_openings.trials)
    assert {"label", "number", "first_audio", "tokens_audio_out", "cost"} <= set(frame.columns)


def test_it_always_says_that_it_was_simulated(all_openings: Comparison, tmp_path: Path) -> None:
    assert all_openings.simulated
    all_openings.to_html(tmp_path / "page.html")
    renderings = {
        "text": str(all_openings),
        "repr": repr(all_openings),
        "rows": str(all_openings.rows),
        "html": all_openings._repr_html_(),
        "page": (tmp_path / "page.html").read_text("utf-8"),
        "figure": "".join(text.get_text() for text in all_openings.plot().findobj(is_text)),
        "summary": (all_openings.save(tmp_path / "folder") / "summary.json").read_text(),
    }
    assert [name for name, shown in renderings.items() if "simulat" not in shown] == []


def is_text(artist: Any) -> bool:
    return hasattr(artist, "get_text")


def test_the_figure_has_a_lane_for_each_opening(all_openings: Comparison) -> None:
    axes = all_openings.plot().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == all_openings.openings


def test_where_all_happens_at_one_time_the_axis_is_still_seconds(all_openings: Comparison) -> None:
    """With latency none on a virtual clock; the rows' numbers would be drawn as seconds."""
    silent = Comparison(one.log for one in all_openings.of("scripted"))
    figure = silent.plot()
    assert not silent.trials[0].log.timed
    assert figure.axes[0].get_xlim()[1] == pytest.approx(0.1)
    marks = [x for line in figure.axes[0].lines for x in line.get_xdata()]
    assert marks and set(marks) == {0.0}


def test_long_names_leave_room_for_the_figure_and_its_axis() -> None:
    names = ["short", "a name that goes on and on " * 4]
    figure = compared({name: rt.ScriptedGreeting("Hi") for name in names}, interrupt=False).plot()
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_position().width > 0.5
    texts = [axes.xaxis.label, *axes.get_yticklabels()]
    boxes = [text.get_window_extent() for text in texts]
    assert all(0 <= box.x0 and box.x1 <= figure.bbox.width for box in boxes)


def test_a_page_stands_by_itself(all_openings: Comparison) -> None:
    page = str(all_openings.to_html())
    links = re.findall(r'(?:src|href)="?([^"\s>]{1,40})', page)
    assert all(link.startswith(("data:", "'data:")) for link in links), links
    assert page.count("<audio") == sum(row.heard == "audio" for row in all_openings.rows)
    parsed = Parsed()
    parsed.feed(page)
    assert parsed.unclosed == []


class Parsed(HTMLParser):
    """Which elements are left open: a page put together by hand forgets one easily."""

    VOID = ("meta", "br", "img", "line", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.unclosed: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.unclosed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.unclosed.pop() == tag


def test_two_models_are_columns_beside_each_other() -> None:
    models = ["gpt-realtime-2.1", "gpt-realtime-2.1-mini"]
    got = compared([rt.ModelGreeting()], model=models)
    assert got.endpoints == [f"Simulator · {model}" for model in models]
    costs = [row.cost or 0.0 for row in got.rows]
    assert costs[0] > costs[1] > 0
    assert table_html(got).count("<table") == 2


def test_two_openings_of_a_kind_have_names_of_their_own() -> None:
    got = compared([rt.ScriptedGreeting("Hello!"), rt.ScriptedGreeting("Good day!")])
    assert len(got.openings) == 2
    assert "Good day!" in got.openings[1]


def test_openings_that_share_a_name_are_told_apart_by_what_differs() -> None:
    named: dict[str, Opening] = {}
    for opening in (
        rt.SpokenGreeting("Hello!"),
        rt.SpokenGreeting("Hello!", protect=True),
        rt.SpokenGreeting("Good day!", protect=True),
        rt.SpokenGreeting("Hello!", protect=True, wait=False),
        rt.SpokenGreeting("Hello!"),
    ):
        named[label_of(opening, named)] = opening
    first, *others = named
    assert [one.removeprefix(first) for one in others] == [
        ": protect=True",
        ": Good day!, protect=True",
        ": protect=True, wait=False",
        " (2)",
    ]


@dataclass(frozen=True)
class Broken(Opening):
    """An opening of a user's own, with a mistake in it."""

    def events(self, session: dict[str, Any]) -> list[dict[str, Any]]:
        raise KeyError("instructions")


def test_an_opening_that_fails_leaves_the_others_alone() -> None:
    got = compared({"broken": Broken(), "scripted": rt.ScriptedGreeting("Hello!")})
    broken, scripted = got.rows
    assert "KeyError" in broken.faults[0]
    assert scripted.faults == ()


def test_a_server_that_fails_is_told_as_it_is() -> None:
    endpoint = rt.Simulated("none", where="memory", faults=["fail-response"])
    got = compared([rt.ModelGreeting()], endpoint=endpoint, interrupt=False, probe=False)
    assert any("failed" in fault for fault in got.rows[0].faults)


def test_where_nothing_answers_the_trial_says_so() -> None:
    endpoint = rt.Endpoint("ws://127.0.0.1:9/v1/realtime", key="sk-test-not-a-key")
    got = compared([rt.ModelGreeting()], endpoint=endpoint, interrupt=False)
    assert "No connection" in got.rows[0].faults[0]


def test_what_costs_money_is_told_first_and_needs_a_budget() -> None:
    endpoint = rt.Endpoint("ws://127.0.0.1:9/v1/realtime", key="sk-test-not-a-key", paid=True)
    with pytest.raises(rt.SpendingNotApproved, match=r"opens 4 sessions.*about \$.*budget="):
        compared([rt.ModelGreeting()], 3, endpoint=endpoint, model="gpt-realtime-2.1")


def test_beyond_the_budget_no_session_is_opened(capsys: pytest.CaptureFixture[str]) -> None:
    endpoint = rt.Endpoint("ws://127.0.0.1:9/v1/realtime", key="sk-test-not-a-key", paid=True)
    model = "gpt-realtime-2.1"
    got = compared([rt.ModelGreeting()], 3, endpoint=endpoint, model=model, budget=0.0001)
    assert "budget was reached: 0 of 4 trials" in got.notice
    assert "stops before $0.0001 is" in capsys.readouterr().out


def test_sessions_at_the_same_time_keep_to_one_budget() -> None:
    endpoint = rt.Simulated("typical", where="memory")
    endpoint.paid = True  # as if it were: what it says of its usage is billed
    options = {"endpoint": endpoint, "probe": False, "interrupt": False, "at_once": 8}
    got = compared([rt.ModelGreeting()], 12, budget=0.06, **options)
    costs = [trial.measures.cost or 0.0 for trial in got.trials]
    assert len(costs) >= 3 and 0.02 < sum(costs) <= 0.06
    assert f"budget was reached: {len(costs)} of 12" in got.notice


def test_a_purse_waits_for_what_others_may_give_back() -> None:
    async def taken() -> tuple[float | None, float | None, int]:
        purse = Purse(1.0, at_once=1)
        async with purse.part(0.5) as first:
            second = asyncio.create_task(took(purse))
            await asyncio.sleep(0)
            assert not second.done()
            purse.spent += 0.1
        return first, await second, purse.refused

    async def took(purse: Purse) -> float | None:
        async with purse.part(0.5) as part:
            return part

    assert asyncio.run(taken()) == (1.0, pytest.approx(0.9), 0)


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_a_budget_is_a_real_sum(budget: float) -> None:
    endpoint = rt.Endpoint("ws://127.0.0.1:9/v1/realtime", key="sk-test-not-a-key", paid=True)
    with pytest.raises(rt.Misuse, match="budget="):
        compared([rt.ModelGreeting()], endpoint=endpoint, budget=budget)


@pytest.mark.parametrize(
    ("openings", "options"),
    [
        ([], {}),
        (rt.ModelGreeting(), {}),
        ([rt.ModelGreeting], {}),
        ("hello", {}),
        ([rt.ModelGreeting()], {"trials": 0}),
        ([rt.ModelGreeting()], {"at_once": 0}),
        ([rt.ModelGreeting()], {"modality": "smell"}),
        ([rt.ModelGreeting()], {"endpoint": "ws://here"}),
    ],
)
def test_what_makes_no_comparison_is_misuse(openings: Any, options: dict[str, Any]) -> None:
    with pytest.raises(rt.Misuse):
        compared(openings, **options)


def test_stopping_it_keeps_what_it_has() -> None:
    def stop(done: int, total: int, label: str) -> None:
        if done == 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    got = rt.compare(
        [rt.ModelGreeting()],
        40,
        rt.Simulated("typical", where="thread"),
        progress=stop,
        at_once=3,
        interrupt=False,
    )
    assert 1 <= len(got.trials) < 40
    assert "stopped" in got.notice
    assert {trial.measures.heard for trial in got.trials} == {"audio"}, "no half of a trial"


def test_what_was_stopped_has_something_of_every_opening() -> None:
    told: list[str] = []

    def stop(done: int, total: int, label: str) -> None:
        told.append(label)
        if done == 4:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    openings = {name: rt.ScriptedGreeting(name) for name in "abcd"}
    simulated = rt.Simulated("none", where="memory")
    got = rt.compare(openings, 9, simulated, progress=stop, at_once=1)
    assert [label[0] for label in told[:4]] == list("abcd")
    assert got.openings == list("abcd") and len(got.trials) < 36


def test_a_folder_is_not_written_over(all_openings: Comparison, tmp_path: Path) -> None:
    folder = all_openings.save(tmp_path / "first")
    with pytest.raises(rt.Misuse, match="already"):
        all_openings.save(folder)
    with pytest.raises(rt.Misuse, match="no comparison"):
        Comparison.load(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(rt.Misuse, match="is a file"):
        all_openings.save(tmp_path / "file")


def test_a_damaged_folder_is_read_as_far_as_possible(
    all_openings: Comparison, tmp_path: Path
) -> None:
    folder = all_openings.save(tmp_path / "folder")
    paths = sorted((folder / "events").glob("*.jsonl"))
    paths[0].write_bytes(b"\xff\xfe no log {{{")
    paths[1].write_text("", "utf-8")
    lines = paths[2].read_text("utf-8").splitlines(keepends=True)
    paths[2].write_text("".join([*lines[:-1], lines[-1][:20]]), "utf-8")
    got = Comparison.load(folder)
    assert len(got.trials) == len(all_openings.trials) - 2
    assert f"left out: {paths[0].name}, {paths[1].name}." in got.notice
    assert f"Damaged, read as far as possible: {paths[2].name}." in got.notice
    assert paths[0].name in got._repr_html_()


def test_a_folder_says_that_the_run_was_stopped(all_openings: Comparison, tmp_path: Path) -> None:
    stopped = Comparison(
        (trial.log for trial in all_openings.of("spoken")), notice="It was stopped: 2 of 9 trials."
    )
    folder = stopped.save(tmp_path / "folder")
    again = Comparison.load(folder)
    assert again.notice == stopped.notice
    Comparison.load(again.save(tmp_path / "copy"))
    for odd in ("[]", "{", '{"run": 7}', "\xff"):
        (folder / "summary.json").write_text(odd, "latin-1")
        assert "stopped" not in Comparison.load(folder).notice
    (folder / "summary.json").unlink()
    assert len(Comparison.load(folder).trials) == len(stopped.trials)


def test_a_folder_is_written_over_on_request(all_openings: Comparison, tmp_path: Path) -> None:
    few = Comparison(trial.log for trial in all_openings.of("spoken"))
    folder = all_openings.save(tmp_path / "folder")
    few.save(folder, replace=True)
    assert [one.measures for one in Comparison.load(folder).trials] == [
        one.measures for one in few.trials
    ]
    assert len(list((folder / "audio").iterdir())) == len(few.trials)


def test_tokens_are_told_by_kind(all_openings: Comparison) -> None:
    rows = {row.opening: row for row in all_openings.rows}
    assert set(rows["spoken"].kinds) == {"text in", "text out", "audio out"}
    assert sum(rows["spoken"].kinds.values()) == rows["spoken"].tokens.median
    assert rows["scripted"].kinds == {}
    told = f"{rows['spoken'].kinds['audio out']:.0f} audio out"
    assert told in all_openings._repr_html_()


def test_an_unknown_opening_is_misuse(all_openings: Comparison) -> None:
    with pytest.raises(rt.Misuse, match="scripted"):
        all_openings.of("scripted greeting")


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e"


def test_what_is_said_is_text_and_never_markup() -> None:
    got = compared({HOSTILE: rt.ScriptedGreeting(HOSTILE), "b": rt.SpokenGreeting(HOSTILE)})
    for html in (got._repr_html_(), str(got.to_html()), table_html(got, "button")):
        assert "<script" not in html and "<img src=x" not in html
    assert "\x1b" not in str(got)


def test_marked_words() -> None:
    assert marked("a b c", "a x c") == (
        "a <del title='missing'>b</del> <ins title='added'>x</ins> c"
    )


def test_a_strip_has_a_dot_a_trial() -> None:
    drawn = strip(Spread((0.1, 0.2, 0.4)), 0.4)
    assert drawn.count("<circle") == 3
    assert "3 trials, median 0.20 s" in drawn
    assert strip(Spread(), 0.4) == strip(Spread((0.0,)), 0.0) == ""


def test_counted_words() -> None:
    assert counted([]) == ""
    assert counted(["audio", "audio"]) == "audio"
    assert counted(["audio", "text", "audio"]) == "audio 2, text 1"


def test_a_bar_of_progress() -> None:
    assert bar(0, 0).endswith("0 of 0")
    assert bar(6, 12).count("█") == bar(6, 12).count("░")


def test_every_built_in_opening_was_tried(all_openings: Comparison) -> None:
    tried = {trial.setup.opening.split("(")[0] for trial in all_openings.trials}
    missing = {one.__name__ for one in BUILT_IN} - tried
    assert missing == {"ContextGreeting"}, "with items of its own: test_openings has it"


def test_speech_over_a_greeting_is_speech() -> None:
    assert len(SPOKEN_OVER.split()) > 5
