"""`rtwidgets compare` in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtwidgets.cli import main
from rtwidgets.comparison import Comparison

FAST = ["compare", "--trials", "1", "--latency", "none", "--no-interrupt"]


def test_a_table_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FAST, "ScriptedGreeting", "ModelGreeting", "--text", "Good day!"]) == 0
    shown = capsys.readouterr().out
    assert "simulator" in shown
    assert "Scripted greeting" in shown and "left: assistant (text): Good day!" in shown


def test_json_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FAST, "SpokenGreeting", "--format", "json", "--model", "gpt-realtime-2.1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["simulated"] is True
    assert [row["exact"] for row in told["rows"]] == ["1 of 1"]
    assert told["trials"][0]["heard"] == "audio"


def test_what_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "results"
    assert main([*FAST, "ModelGreeting", "--html", str(page), "--out", str(folder)]) == 0
    assert "simulated" in page.read_text("utf-8")
    assert len(Comparison.load(folder).trials) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["NoGreeting"], "There are: WaitForUser"),
        (["ModelGreeting", "--endpoint", "here"], "simulator, openai or an address"),
        (["ModelGreeting", "--trials", "0"], "trials"),
        (["ModelGreeting", "--endpoint", "http://here"], "ws://"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *arguments]) == 1
    assert words in capsys.readouterr().err


def test_nobody_there_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = "ws://127.0.0.1:9/v1/realtime"
    assert main([*FAST, "ModelGreeting", "--endpoint", nobody]) == 1
    assert "No connection" in capsys.readouterr().out
