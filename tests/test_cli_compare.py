"""`rtwidgets compare` in a terminal."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from rtwidgets.cli import main
from rtwidgets.commands.compare import endpoint_named
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
        (
            ["ModelGreeting", "--endpoint", "here"],
            "simulator, openai, azure:RESOURCE/DEPLOYMENT or an address",
        ),
        (["ModelGreeting", "--endpoint", "azure:mine"], "azure:RESOURCE/DEPLOYMENT"),
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


def test_models_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    models = ["--model", "gpt-realtime-2.1", "--model", "gpt-realtime-2.1-mini"]
    assert main([*FAST, "ModelGreeting", *models]) == 0
    shown = capsys.readouterr().out.splitlines()
    heading = next(line for line in shown if line.startswith("opening"))
    assert all(f"Simulator · {model}" in heading for model in models[1::2])
    assert shown[shown.index(heading) + 2].count("$") == 2


def test_where_it_would_be_written_is_looked_at_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "0.jsonl").touch()
    assert main([*FAST, "ModelGreeting", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert "holds a comparison already" in told.err and told.out == "", "nothing was run"


def test_azure_is_an_endpoint() -> None:
    chosen = argparse.Namespace(latency="none", seed=0)
    azure = endpoint_named("azure:mine/greeter", chosen)
    assert (azure.name, azure.model_for(None), azure.paid) == ("Azure mine", "greeter", True)


def test_what_costs_money_is_agreed_to_by_an_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "no-key-of-anybody")
    options = ["compare", "ScriptedGreeting", "--endpoint", "openai", "--trials", "1"]
    assert main([*options, "--no-interrupt", "--no-probe"]) == 1
    said = capsys.readouterr().err
    assert "opens 1 session with OpenAI" in said
    assert "--budget DOLLARS; --endpoint simulator" in said and "budget=" not in said
