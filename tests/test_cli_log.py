"""`rtwidgets log`, as a person calls it: in a terminal, in a pipe, and on files of strangers."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets.cli import main
from rtwidgets.listing import harmless_json
from rtwidgets.tables import width_of

CHECKOUT = Path(__file__).resolve().parent.parent
HOSTILE = "\x1b]0;owned\x07\x1b[2J<script>\x9b31m\u202ex\u2066\u2028\x00\x7f\r\n\t日本語"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs") / "log.jsonl"
    endpoint = rt.Simulated(where="memory", latency="none")
    with rt.Session(endpoint, rt.GeneratedGreeting("Greet.")) as s:
        s.ask("What is the weather? Write to ada@example.com")
        s.log.to_jsonl(path)
    return path


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    log = rt.EventLog(endpoint=HOSTILE, model=HOSTILE)
    item = {"id": HOSTILE, "type": "message", "role": HOSTILE, "content": [{"text": HOSTILE}]}
    log.append("server", {"type": HOSTILE, "text": HOSTILE, HOSTILE: HOSTILE})
    log.append("client", {"type": "conversation.item.create", "item": {**item, "role": "user"}})
    log.append("server", {"type": "conversation.item.added", "item": item})
    log.append("server", {"type": "error", "error": {"message": HOSTILE, "code": HOSTILE}})
    log.append(
        "server",
        {"type": "response.done", "response": {"id": HOSTILE, "status": HOSTILE, "usage": {}}},
    )
    for piece in (HOSTILE, "y" * 1_000_000):
        log.append("server", {"type": "response.output_text.delta", "delta": piece, "item_id": "i"})
    log.append("server", HOSTILE)
    log.to_jsonl(tmp_path / "hostile.jsonl")
    return tmp_path / "hostile.jsonl"


def shown(capsys: pytest.CaptureFixture[str], *arguments: Any) -> list[str]:
    assert main(["log", *map(str, arguments)]) == 0
    return capsys.readouterr().out.splitlines()


def types(lines: list[str]) -> list[str]:
    return [line.split()[3] for line in lines if re.match(r" *\d+ +\d+\.\d{3} ", line)]


# ------------------------------------------------------------------ which events


def test_runs_are_folded_unless_all_are_asked_for(recorded: Path, capsys: Any) -> None:
    folded, every = shown(capsys, recorded), shown(capsys, recorded, "--all", "--limit", 0)
    assert len(every) == 1 + len(rt.EventLog.from_jsonl(recorded)) > len(folded)
    assert any("× " in line for line in folded) and not any("× " in line for line in every)
    assert folded[0] == every[0] == f"{len(every) - 1} events with the simulator"


def test_filters_compose(recorded: Path, capsys: Any) -> None:
    log = rt.EventLog.from_jsonl(recorded)
    response = next(iter(log.where(type="response.done"))).response_id
    item = next(iter(log.where(type="conversation.item.added")))
    for arguments, expected in (
        (["--type", "session.*"], log.where(type="session.*")),
        (["--type", "session.*", "--type", "response.done"],
         log.where(type=["session.*", "response.done"])),
        (["--direction", "client"], log.where(direction="client")),
        (["--text", "WEATHER"], log.where(text="weather")),
        (["--response", response], log.where(response_id=response)),
        (["--item", item.item_id], log.where(item_id=item.item_id)),
        (["--direction", "server", "--text", "weather", "--type", "conversation.*"],
         log.where(direction="server", text="weather", type="conversation.*")),
        (["--family", "session"], log.where(type=["session.created", "session.update",
                                                  "session.updated"])),
    ):  # fmt: skip
        found = types(shown(capsys, recorded, "--all", "--limit", 0, *arguments))
        assert found == [row.type for row in expected] and found


def test_the_rows_of_one_turn(recorded: Path, capsys: Any) -> None:
    lines = shown(capsys, recorded, "--turn", 2, "--limit", 0)
    turn = rt.EventLog.from_jsonl(recorded).turns()[1]
    assert lines[1].split()[0] == str(turn.first_seq) and "weather" in lines[1]
    assert main(["log", str(recorded), "--turn", "9"]) == 1
    assert "There is no turn 9: the log has 2." in capsys.readouterr().err


def test_a_limit_says_how_many_more(recorded: Path, capsys: Any) -> None:
    lines = shown(capsys, recorded, "--limit", 3)
    assert len(lines) == 5 and re.match(r"… the first 3 lines of \d+, \d+ events in all", lines[-1])


def test_a_type_with_wildcards_in_it_is_only_itself(tmp_path: Path, capsys: Any) -> None:
    log = rt.EventLog()
    for type_ in ("error*", "error.other", "session.x"):
        log.append("server", {"type": type_})
    log.to_jsonl(tmp_path / "x.jsonl")
    assert types(shown(capsys, tmp_path / "x.jsonl", "--family", "error")) == [
        "error*",
        "error.other",
    ]
    assert types(shown(capsys, tmp_path / "x.jsonl", "--family", "audio")) == []


# ------------------------------------------------------------------ tables and formats


@pytest.mark.parametrize("what", ["--turns", "--items", "--responses", "--cost"])
def test_tables_in_every_format(recorded: Path, capsys: Any, what: str) -> None:
    log = rt.EventLog.from_jsonl(recorded)
    table = getattr(log, what.strip("-"))()
    assert shown(capsys, recorded, what) == table.to_text(None).splitlines()
    rows = json.loads("\n".join(shown(capsys, recorded, what, "--format", "json")))
    lines = [json.loads(line) for line in shown(capsys, recorded, what, "--format", "jsonl")]
    text = "\n".join(shown(capsys, recorded, what, "--format", "csv"))
    cells = list(csv.DictReader(io.StringIO(text)))
    total = table.total is not None
    assert rows == lines and len(rows) == len(cells) == len(table) + total
    assert list(rows[0]) == list(cells[0]) == list(table.columns)
    assert len(shown(capsys, recorded, what, "--format", "csv", "--limit", 1)) == 2


def test_events_for_other_programs(recorded: Path, capsys: Any) -> None:
    log = rt.EventLog.from_jsonl(recorded)
    rows = json.loads("\n".join(shown(capsys, recorded, "--all", "--format", "json")))
    assert [row["type"] for row in rows] == [row.type for row in log]
    assert rows[3]["event"]["type"] == rows[3]["type"] and "AAAAAAAA" not in json.dumps(rows)
    folded = json.loads("\n".join(shown(capsys, recorded, "--format", "json")))
    assert sum(row["count"] for row in folded) == len(log) > len(folded)
    cells = list(csv.DictReader(io.StringIO("\n".join(shown(capsys, recorded, "--format", "csv")))))
    assert [int(row["count"]) for row in cells] == [row["count"] for row in folded]
    assert len(shown(capsys, recorded, "--format", "csv", "--limit", 2)) == 3
    assert json.loads("".join(shown(capsys, recorded, "--type", "no", "--format", "json"))) == []


def test_jsonl_is_the_file_byte_for_byte(recorded: Path, tmp_path: Path, capsys: Any) -> None:
    lines = shown(capsys, recorded, "--format", "jsonl")
    assert lines == recorded.read_text("utf-8").splitlines()
    shown(capsys, recorded, "--format", "jsonl", "-o", tmp_path / "copy.jsonl")
    assert (tmp_path / "copy.jsonl").read_bytes() == recorded.read_bytes()


def test_two_logs_side_by_side(recorded: Path, tmp_path: Path, capsys: Any) -> None:
    assert (
        shown(capsys, recorded, "--diff", recorded)[0] == "No difference in what was said and done"
    )
    log = rt.EventLog.from_jsonl(recorded)
    log.append("server", {"type": "error", "error": {"message": "oops"}})
    log.to_jsonl(tmp_path / "other.jsonl")
    lines = shown(capsys, recorded, "--diff", tmp_path / "other.jsonl")
    assert lines[0] == "1 differences" and "only there" in lines[-1] and "oops" in lines[-1]
    filtered = shown(capsys, recorded, "--diff", tmp_path / "other.jsonl", "--direction", "client")
    assert filtered[0].startswith("No difference")


def test_a_log_for_sharing(recorded: Path, tmp_path: Path, capsys: Any) -> None:
    assert "ada@example.com" in recorded.read_text("utf-8")
    out = tmp_path / "shared.jsonl"
    assert shown(capsys, recorded, "--redact", "-o", out) == []
    shared = rt.EventLog.from_jsonl(out)
    assert len(shared) == len(rt.EventLog.from_jsonl(recorded))
    assert "ada@example.com" not in out.read_text("utf-8") and "weather" in out.read_text("utf-8")
    lines = shown(capsys, recorded, "--redact", "--no-text")
    assert "weather" not in "\n".join(lines) and len(lines) == len(shared) + 1
    assert main(["log", str(recorded), "--no-text"]) == 1
    assert "--redact" in capsys.readouterr().err


# ------------------------------------------------------------------ wrong calls, broken files


@pytest.mark.parametrize(
    "arguments",
    [["--turns", "--items"], ["--family", "none"], ["--limit", "-1"], ["--limit", "x"],
     ["--direction", "up"], ["--format", "xml"], ["--turn", "x"]],
)  # fmt: skip
def test_a_wrong_call(recorded: Path, arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(["log", str(recorded), *arguments])
    assert wrong.value.code == 2
    capsys.readouterr()


def test_files_that_cannot_be_read_or_written(recorded: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["log", str(tmp_path / "\x1b[31m")]) == 1
    assert "\x1b" not in (said := capsys.readouterr().err) and "x1b" in said
    assert main(["log", str(recorded), "--diff", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err
    assert main(["log", str(recorded), "-o", str(tmp_path / "no" / "out")]) == 1
    assert main(["log", str(tmp_path)]) == 1
    capsys.readouterr()


# ------------------------------------------------------------------ nothing is obeyed

EVERY_WAY = [
    ["--all"], [], ["--turns"], ["--items"], ["--responses"], ["--cost"], ["--format", "csv"],
    ["--format", "json"], ["--turns", "--format", "csv"], ["--items", "--format", "json"],
    ["--redact"], ["--redact", "--no-text"], ["--family", "error"],
]  # fmt: skip


def is_harmless(text: str) -> bool:
    obeyed = "\x1b\x07\x9b\u202e\u2066\u2028\x00\x7f\r\t"
    return not any(one in text for one in obeyed) and "\n\n" not in text


@pytest.mark.parametrize("way", EVERY_WAY)
def test_no_server_commands_a_terminal(hostile: Path, way: list[str], capsys: Any) -> None:
    assert main(["log", str(hostile), *way]) == 0
    out = capsys.readouterr().out
    if "--redact" not in way:  # a file for another program is exact; see below for a terminal
        assert is_harmless(out)
    silent = (["--cost"], ["--turns"], ["--redact", "--no-text"], ["--turns", "--format", "csv"])
    assert "owned" in out or way in silent
    assert out.encode()


def in_a_terminal(*arguments: str, columns: int = 80, **environment: str) -> str:
    """What a person sees in a real terminal, with the escape sequences."""
    pty = pytest.importorskip("pty")
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    settings = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(CHECKOUT), **environment}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        if name not in environment:
            settings.pop(name, None)
    program = subprocess.Popen(
        [sys.executable, "-m", "rtwidgets", "log", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, env=settings, cwd=CHECKOUT,
    )  # fmt: skip
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(ours)
    assert program.wait(timeout=60) == 0
    return b"".join(pieces).decode()


COLOUR = re.compile("\x1b\\[(?:0|2|3[0-9]|1;31)m")


def test_lines_fit_the_terminal_and_have_colours(recorded: Path) -> None:
    for columns in (40, 72, 200):
        text = in_a_terminal(str(recorded), columns=columns)
        assert COLOUR.search(text)
        lines = COLOUR.sub("", text).replace("\r\n", "\n").splitlines()
        assert max(map(width_of, lines)) <= columns and len(lines) > 20
    for what in ("--turns", "--items", "--responses"):
        lines = in_a_terminal(str(recorded), what).splitlines()
        assert max(map(width_of, lines)) <= 80
        assert lines[-1].startswith("no room for: ")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_are_not_for_everybody(recorded: Path, environment: dict[str, str]) -> None:
    assert "\x1b" not in in_a_terminal(str(recorded), **environment)


@pytest.mark.parametrize("way", [["--format", "jsonl"], ["--redact"], [], ["--turns"]])
def test_a_real_terminal_is_not_commanded(hostile: Path, way: list[str]) -> None:
    text = COLOUR.sub("", in_a_terminal(str(hostile), *way)).replace("\r\n", "\n")
    assert is_harmless(text)


def test_json_for_a_terminal_says_the_same() -> None:
    line = json.dumps({"a": "\x9b\u202e\x7f é"}, ensure_ascii=False)
    assert harmless_json(line) != line and json.loads(harmless_json(line)) == json.loads(line)


# ------------------------------------------------------------------ pipes


def run(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **options.pop("env", {})}
    command = [sys.executable, "-m", "rtwidgets", "log", *arguments]
    return subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, **options)


def test_a_log_on_the_standard_input(recorded: Path) -> None:
    done = run(["-", "--turns"], input=recorded.read_bytes())
    assert done.returncode == 0 and b"weather" in done.stdout
    nothing = run(["-"], input=b"")
    assert nothing.returncode == 0 and nothing.stdout.strip() == b"0 events"
    assert run(["-"], input=b"no log\n").returncode == 1


def test_a_reader_that_goes_away_is_no_error(recorded: Path) -> None:
    for way in (["--all", "--limit", "0"], ["--format", "jsonl"]):
        program = subprocess.Popen(
            [sys.executable, "-m", "rtwidgets", "log", str(recorded), *way],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )  # fmt: skip
        assert program.stdout and program.stderr
        program.stdout.close()
        said = program.stderr.read()
        program.stderr.close()
        assert program.wait(timeout=60) == 141 and said == b""


def test_a_terminal_that_knows_few_characters(hostile: Path) -> None:
    done = run([str(hostile)], env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and b"\\u65e5" in done.stdout and not done.stderr


def test_lines_are_cut_to_a_width_on_request(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(capsys, recorded, "--turns", "--width", 60)
    assert max(map(width_of, lines)) <= 60
    assert max(map(width_of, shown(capsys, recorded, "--turns"))) > 60
