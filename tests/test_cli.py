"""The command line, as a person calls it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import rtwidgets as rt
from rtwidgets.cli import _with_our_programs, main


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    with rt.Session(rt.Simulated(where="memory", latency="none"), rt.ModelGreeting()) as s:
        s.log.to_jsonl(tmp_path / "log.jsonl")
    return tmp_path / "log.jsonl"


def test_log_shows_a_recording(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(recorded)]) == 0
    shown = capsys.readouterr().out
    assert "session.created" in shown and "simulator" in shown and "response.done" in shown


def test_log_filters(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(recorded), "--type", "response.*", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and all("response." in line for line in lines[1:3])


def test_log_names_the_lines_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"type":"a"}\n{oops\n')
    assert main(["log", str(broken)]) == 0
    assert "line 2" in capsys.readouterr().err


def test_log_of_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "nowhere.jsonl"]) == 1
    assert "nowhere.jsonl" in capsys.readouterr().err


def test_lab_without_notebooks_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", str(tmp_path / "none")]) == 2
    assert "notebooks" in capsys.readouterr().err


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "open JupyterLab on the notebooks" in capsys.readouterr().out


def test_cells_and_terminals_of_the_lab_find_the_programs_of_its_environment() -> None:
    ours = sysconfig.get_path("scripts")
    path = _with_our_programs(os.pathsep.join(["/usr/bin", ours, "/bin"]))
    assert path.split(os.pathsep) == [ours, "/usr/bin", "/bin"]
    assert shutil.which("rtwidgets", path=path) == shutil.which("rtwidgets", path=ours)
    assert _with_our_programs("") == ours  # an empty entry would be the folder one is in


def test_log_of_a_file_that_is_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "some.py").write_text("import this\n")
    assert main(["log", str(tmp_path / "some.py")]) == 1
    assert "holds no events" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(["serve", "--port", port])
    assert wrong.value.code == 2
    assert port in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert rt.__version__ in capsys.readouterr().out


def test_serve_prints_its_address_first_and_ends_with_its_parent() -> None:
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rtwidgets",
            "serve",
            "--port",
            "0",
            "--until-stdin-closes",
            "--key",
            "test-not-a-key",
            "--latency",
            "none",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin and server.stdout
    try:
        url = server.stdout.readline().strip()
        assert url.startswith("ws://127.0.0.1:") and url.endswith("/v1/realtime")
        with rt.Session(rt.Endpoint(url, key="test-not-a-key"), rt.ModelGreeting()) as s:
            assert s.opening_reply is not None
        server.stdin.close()
        assert server.wait(timeout=10) == 0
    finally:
        server.kill()
        server.stdout.close()
        server.wait()
