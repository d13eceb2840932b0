"""The figure of a session: what is drawn, by the names of what matplotlib was given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from stories import Story, barge_in, log_of

import rtwidgets as rt
from rtwidgets import EventLog, events
from rtwidgets.timeline import timeline_of
from rtwidgets.timeline.plotting import draw_strip

matplotlib = pytest.importorskip("matplotlib", reason="plot() draws with matplotlib")
from matplotlib.figure import Figure  # noqa: E402

CREATED = {"id": "sess_simulated_1", "model": "gpt-realtime-2.1"}


def conversation() -> EventLog:
    """A reply cut short by speech, a typed turn, a call, an error."""
    story, _ = barge_in(playback=True)
    story.client(6.0, "conversation.item.create", item=events.user_text("Thank you"))
    call = {"id": "f", "type": "function_call", "name": "weather", "call_id": "c"}
    story.server(6.5, "response.output_item.added", item=call, response_id="r")
    output = {"type": "function_call_output", "call_id": "c", "output": "12"}
    story.client(7.0, "conversation.item.create", item=output)
    story.server(8.0, "error", error={"message": "Unknown parameter: 'x'."})
    return story.log


def drawn(ax: Any, gid: str) -> list[Any]:
    return [one for one in ax.get_children() if one.get_gid() == gid]


def said(ax: Any, gid: str) -> list[str]:
    return [one.get_text() for one in ax.texts if one.get_gid() == gid]


def shapes(ax: Any, gid: str) -> int:
    return sum(len(one.get_paths()) for one in drawn(ax, gid))


def lanes(ax: Any) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def test_a_session_is_drawn_with_its_lanes_events_and_words() -> None:
    figure = conversation().plot()
    (ax,) = figure.axes
    assert lanes(ax) == [
        "client events", "user speech", "generated audio", "heard audio", "text", "tools",
        "server events",
    ]  # fmt: skip
    assert shapes(ax, "user") == 1 and shapes(ax, "generated") == 1 and shapes(ax, "heard") == 1
    assert len(drawn(ax, "typed")) == 1 and shapes(ax, "tools") == 1
    assert {"“Thank you”", "Hello there", "weather()"} <= set(said(ax, "words"))
    assert "error: Unknown parameter: 'x'." in said(ax, "event")
    assert "truncate" in said(ax, "event")
    assert figure.get_size_inches()[0] == 10 and 3 <= figure.get_size_inches()[1] <= 4.5


def test_a_barge_in_and_what_was_not_heard_are_seen_without_colour() -> None:
    (ax,) = conversation().plot().axes
    assert any("barge-in, 1.4 s of 4.0 s heard" in text for text in said(ax, "interruption"))
    (unheard,) = drawn(ax, "generated, not heard")
    assert unheard.get_hatch() and len(unheard.get_paths()) == 1
    assert "not heard" in said(ax, "sign")


@pytest.mark.parametrize(
    ("session", "asked", "title"),
    [
        (CREATED, None, "Simulated session · gpt-realtime-2.1"),
        (CREATED, "Five openings", "Five openings (simulated)"),
        (CREATED, "A simulated talk", "A simulated talk"),
        ({"id": "sess_1"}, None, "Session"),
        ({"id": "sess_1"}, "Five openings", "Five openings"),
    ],
)
def test_the_title_says_what_is_simulated(
    session: dict[str, str], asked: str | None, title: str
) -> None:
    story = Story(session=session)
    story.reply(1.0, 1.0)
    assert story.log.plot(title=asked).axes[0].get_title(loc="left") == title


def test_a_part_of_the_time_is_drawn() -> None:
    (ax,) = conversation().plot(start=5.5, end=7.5).axes
    assert "“Thank you”" in said(ax, "words") and not said(ax, "interruption")
    first, last = ax.get_xlim()
    assert 5.4 < first <= 5.5 and 7.5 <= last < 7.6


def test_words_and_lanes_are_a_choice() -> None:
    (ax,) = conversation().plot(words=False, lanes=["generated", "text"]).axes
    assert lanes(ax) == ["client events", "generated audio", "text", "server events"]
    assert said(ax, "words") == [] and shapes(ax, "user") == 0


def test_by_the_clock_is_said_to_be_so() -> None:
    story = Story(session={})
    story.reply(1.0, 2.0)
    assert "heard audio" not in lanes(story.log.plot().axes[0])
    (ax,) = story.log.plot(heard="clock").axes
    assert "heard, by the clock" in lanes(ax) and shapes(ax, "heard") == 1


def test_where_a_page_told_what_was_heard_the_clock_says_nothing() -> None:
    assert "heard audio" in lanes(conversation().plot(heard="clock").axes[0])


def test_axes_of_ones_own_are_drawn_into_and_given_back() -> None:
    one, other = Figure().subplots(2)
    assert conversation().plot(ax=other) is other
    assert drawn(other, "words") and not drawn(one, "words")


def test_strips_of_several_sessions_share_axes() -> None:
    ax = Figure().subplots()
    for y in (0, 1):
        draw_strip(ax, timeline_of(conversation()), y=y, height=0.8, zero=1.0)
    assert shapes(ax, "generated") == 2 and len(drawn(ax, "interruption")) == 2  # without words
    centres = [one.get_datalim(ax.transData) for one in drawn(ax, "generated")]
    assert [round((box.y0 + box.y1) / 2, 2) for box in centres] == [0.0, 1.0]
    assert centres[0].x0 == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": 2, "end": 1}, "behind the start"),
        ({"start": "now"}, "number of seconds"),
        ({"end": float("nan")}, "number of seconds"),
        ({"lanes": ["heart"]}, "lanes is a list"),
        ({"lanes": "text"}, "lanes is a list"),
        ({"heard": "loudly"}, "'told' or 'clock'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(rt.Misuse, match=words):
        conversation().plot(**options)


def test_an_empty_log_is_a_figure_that_says_so() -> None:
    (ax,) = EventLog().plot().axes
    assert [text.get_text() for text in ax.texts] == ["nothing yet"]


def test_a_log_without_times_goes_by_its_rows() -> None:
    log = log_of([{"direction": row.direction, "event": row.event} for row in conversation()],
                 timed=False)  # fmt: skip
    (ax,) = log.plot().axes
    assert "no times" in ax.get_xlabel() and shapes(ax, "generated") == 1


def test_what_a_server_says_is_never_a_formula_and_half_a_character_is_mended() -> None:
    story = Story(session={"id": "s", "model": "$x"})
    story.client(1.0, "conversation.item.create", item=events.user_text("It is $5 or \ud83d $6"))
    story.server(2.0, "error", error={"message": "$\\frac{"})
    figure = story.log.plot()
    assert said(figure.axes[0], "words") == ["“It is $5 or \ufffd $6”"]
    png, size = figure._repr_png_()
    assert png.startswith(b"\x89PNG") and size["width"] == 960


def test_every_recording_can_be_drawn(streams: dict[str, list[dict[str, Any]]]) -> None:
    for rows in streams.values():
        (ax,) = log_of(rows, timed=True).plot().axes
        assert said(ax, "words")


def test_a_notebook_shows_the_figure_once(tmp_path: Path) -> None:
    """As the value of a cell: pyplot does not know it, so nobody shows it a second time."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    conversation().to_jsonl(tmp_path / "log.jsonl")
    cells = [
        "import rtwidgets as rt\nlog = rt.EventLog.from_jsonl('log.jsonl')\nlog.plot()",
        "import matplotlib.pyplot as plt\nlog.plot()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    folder = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=120, resources=folder).execute()
    for cell in notebook.cells:
        pictures = [one for one in cell.outputs if "image/png" in one.get("data", {})]
        assert len(pictures) == 1 and len(cell.outputs) == 1
        size = pictures[0]["metadata"]["image/png"]
        assert size["width"] == 960 and "needs_background" not in size
        assert pictures[0]["data"]["text/plain"] == "<Figure: Session>"


def test_without_matplotlib_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.figure'] = None\n"
        "import rtwidgets as rt\n"
        "try: rt.EventLog().plot()\n"
        "except rt.Misuse as missing: print(missing)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install matplotlib" in done.stdout
