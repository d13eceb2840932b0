"""The doctor without a browser: what it finds, what to do about it, and no key in any of it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets import endpoints
from rtwidgets.cli import main
from rtwidgets.diagnosis import machine, page, reaching
from rtwidgets.diagnosis.findings import Finding, as_text, summary, table_of
from rtwidgets.keys import Key
from rtwidgets.versions import numbers as numbers_of

CANARY = "sk-test-not-a-key-canary-8f3a27c1"
NOBODY = "ws://127.0.0.1:9"  # the port "discard": nobody listens there


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", CANARY[::-1])
    yield CANARY


def holds_a_part_of(text: str, key: str, length: int = 6) -> bool:
    own = key.removeprefix("sk-test-not-a-key-")
    return any(own[at : at + length] in text for at in range(len(own) - length + 1))


def versions(**installed: str) -> Callable[[str], str | None]:
    return installed.get


# ---------------------------------------------------------------- the machine


@pytest.mark.parametrize(
    ("found", "verdict", "said"),
    [
        ("7.4.0", "fine", "led astray"),
        ("7.3.0", "limited", "stands still"),
        ("7.0.0rc1", "limited", "1554"),
        ("6.31.0", "limited", "waits"),
        (None, "limited", "not installed"),
    ],
)
def test_what_a_version_of_the_kernel_means(found: str | None, verdict: str, said: str) -> None:
    finding = machine.kernel(found)
    assert finding.verdict == verdict and said in finding.found
    assert bool(finding.remedy) == (verdict != "fine")


def test_a_package_that_is_missing_or_old_comes_with_its_command() -> None:
    assert machine.package("anywidget", versions(anywidget="0.11"), oldest="0.9.13").remedy == ""
    old = machine.package("anywidget", versions(anywidget="0.9.2"), oldest="0.9.13")
    assert old.verdict == "mend" and "'anywidget>=0.9.13'" in old.remedy
    assert machine.package("anywidget", versions()).verdict == "mend"
    assert machine.notes(versions(ipywebrtc="0.6")).found == "without av"
    assert "rtwidgets[notes]" in machine.notes(versions()).remedy
    assert machine.lab(versions(notebook="7.6")).verdict == "fine"
    assert machine.lab(versions()).verdict == "limited"


@pytest.mark.parametrize(
    ("text", "numbers"), [("7.4.0", (7, 4, 0)), ("8.0b2", (8, 0)), ("dev", ()), ("", ())]
)
def test_the_numbers_of_a_version(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers_of(text) == numbers


def test_a_python_that_is_too_old() -> None:
    assert machine.python((3, 10, 4)).verdict == "mend"
    assert machine.python().verdict == "fine"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    assert machine.disk(str(tmp_path)).verdict == "fine"
    missing = machine.disk(str(tmp_path / "none"))
    assert missing.verdict == "mend" and "TMPDIR" in missing.remedy


def test_a_clock_in_the_past() -> None:
    assert machine.clock(datetime(2020, 1, 1, tzinfo=UTC)).verdict == "mend"
    assert machine.clock(datetime(2030, 1, 1, tzinfo=UTC)).verdict == "fine"


def test_a_message_limit_that_is_too_low() -> None:
    assert machine.message_limit(20, "from the server's command line").verdict == "mend"
    assert machine.message_limit(1000, "the usual one").verdict == "fine"
    assert machine.message_limit(0, "off").verdict == "fine", "0 means no limit"


# ---------------------------------------------------------------- keys


def test_a_key_is_named_by_where_it_comes_from(canary: str) -> None:
    assert machine.key("OpenAI").found == "there, from OPENAI_API_KEY (not shown)"
    assert not holds_a_part_of(str(machine.key("Azure")), canary[::-1])


def test_a_key_that_was_asked_for(canary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.keys._asked_key", Key(CANARY))
    assert "ask_key()" in machine.key("OpenAI").found


def test_without_a_key_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    finding = machine.key("OpenAI")
    assert finding.verdict == "fine" and "simulator" in finding.found


def test_a_key_that_cannot_be_one_is_not_shown_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{CANARY[:12]}…{CANARY[-8:]}")
    finding = machine.key("OpenAI")
    assert finding.verdict == "mend" and not holds_a_part_of(str(finding), CANARY)


def test_nothing_that_it_says_holds_a_part_of_a_key(canary: str) -> None:
    examination = rt.doctor(rt.Endpoint(NOBODY, key=CANARY, headers={"x-key": CANARY}), timeout=2)
    said = [
        str(examination),
        repr(examination),
        examination.table.to_html(),
        json.dumps(examination.table.to_dicts()),
        examination.to_dataframe().to_csv(),
    ]
    assert "not shown" in said[0]
    assert not any(holds_a_part_of(one, canary) for one in said)


# ---------------------------------------------------------------- servers


def test_the_simulator_starts_answers_and_is_gone_again() -> None:
    before = set(endpoints.simulated._simulators)
    found = asyncio.run(reaching.simulator(20))
    assert found.verdict == "fine" and "answered" in found.found
    assert set(endpoints.simulated._simulators) == before


async def answered(status: str, headers: dict[str, str]) -> tuple[Finding, bytes]:
    """What is found of a server that answers every handshake so, and what it was sent."""
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        there = rt.Endpoint(f"ws://127.0.0.1:{port}/v1/realtime", headers=headers, key=CANARY)
        return await reaching.service(there, 5, needed=True), b"".join(asked)


def test_a_refusal_without_a_key_is_a_server_that_is_reached() -> None:
    """OpenAI answers a handshake without a key with 401; no key and no header of ours is sent."""
    found, asked = asyncio.run(answered("401 Unauthorized", {"x-secret": CANARY}))
    assert found.verdict == "fine" and "without a key" in found.found
    assert asked.startswith(b"GET /v1/realtime?model=")
    assert b"uthorization" not in asked and b"x-secret" not in asked


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [("404 Not Found", "HTTP 404", "address"), ("503 Unavailable", "HTTP 503", "network")],
)
def test_a_server_that_answers_something_else(status: str, said: str, remedy: str) -> None:
    found, _ = asyncio.run(answered(status, {}))
    assert found.verdict == "mend" and said in found.found and remedy in found.remedy


def test_a_server_that_lets_everybody_in_is_reached_too() -> None:
    with rt.Simulator(in_process=True) as sim:
        found = asyncio.run(reaching.service(rt.Endpoint(sim.url), 5, needed=True))
    assert found.verdict == "fine"


@pytest.mark.parametrize(("needed", "verdict"), [(True, "mend"), (False, "limited")])
def test_a_server_that_is_not_there(needed: bool, verdict: str) -> None:
    found = asyncio.run(reaching.service(rt.Endpoint(NOBODY), 5, needed=needed))
    assert found.verdict == verdict and "127.0.0.1" in found.found and "Simulated" in found.remedy


def test_what_is_no_endpoint_is_refused() -> None:
    with pytest.raises(rt.Misuse, match="endpoint"):
        rt.doctor("wss://api.openai.com/v1/realtime")  # type: ignore[arg-type]


def test_a_script_has_no_page_to_listen_with() -> None:
    with pytest.raises(rt.Misuse, match="notebook"):
        rt.doctor(microphone=True)


# ---------------------------------------------------------------- the page

WELL = {
    "frontEnd": "JupyterLab 4.6.6", "browser": "Firefox 144.0", "secure": True,
    "origin": "http://localhost:8888", "permission": "prompt", "microphones": 2,
    "microphoneAllowed": True, "worklet": True, "rate": 48000, "rateOf24": 24000,
    "soundState": "suspended", "clockAhead": -0.2,
}  # fmt: skip


def verdicts(**other: Any) -> dict[str, Finding]:
    return {one.what: one for one in page.findings({**WELL, **other})}


def test_a_page_where_all_is_well() -> None:
    assert {one.verdict for one in verdicts().values()} == {"fine"}


@pytest.mark.parametrize(
    ("other", "what", "verdict", "remedy"),
    [
        ({"secure": False, "microphones": None}, "secure page", "mend", "https"),
        ({"secure": False, "microphones": None}, "microphone", "limited", "session.hear"),
        ({"permission": "denied"}, "microphone", "mend", "allow"),
        ({"microphoneAllowed": False}, "microphone", "mend", "allow"),
        ({"microphones": 0}, "microphone", "limited", "Plug in"),
        ({"frontEnd": "VS Code"}, "front end", "limited", "in a browser"),
        ({"frontEnd": "Colab"}, "front end", "limited", "enable_custom_widget_manager"),
        ({"worklet": False}, "AudioWorklet", "limited", "current"),
        ({"rate": None}, "sample rate", "mend", "current"),
        ({"clockAhead": 7200.0}, "clock of the page", "limited", "clock"),
        ({"listened": {"problem": "Permission denied"}}, "listening", "mend", "Allow"),
        ({"listened": {"rate": 48000, "level": 0}}, "listening", "mend", "muted"),
    ],
)
def test_what_a_page_lacks_comes_with_what_to_do(
    other: dict[str, Any], what: str, verdict: str, remedy: str
) -> None:
    found = verdicts(**other)[what]
    assert found.verdict == verdict and remedy in found.remedy


def test_a_rate_that_is_not_taken_is_no_trouble() -> None:
    assert verdicts(rateOf24=None)["sample rate"].verdict == "fine", "the page converts"
    assert "12 %" in verdicts(listened={"rate": 48000, "level": 0.12})["listening"].found


@pytest.mark.parametrize("report", [{}, {"rate": "loud", "microphones": True, "frontEnd": 4}])
def test_a_page_that_says_nothing_sensible_is_a_row_that_says_so(report: dict[str, Any]) -> None:
    assert len(page.findings(report)) >= 8


MEASURED = {"idle": [12.0, 9.0, 40.0], "busy": [20.0] * 6, "asked": 6, "sent": 200, "arrived": 200}


def test_what_was_measured() -> None:
    rows = page.measured(MEASURED, 6, "7.4.0")
    assert [one.verdict for one in rows] == ["fine"] * 3
    assert "12 ms" in rows[0].found and "20 ms" in rows[1].found


def test_messages_that_wait_for_a_busy_cell() -> None:
    old, new = (page.measured(MEASURED, 0, version)[1] for version in ("6.31.0", "7.4.0"))
    assert old.verdict == new.verdict == "limited"
    assert "ipykernel>=7.4" in old.remedy and "subshells" in new.remedy
    assert page.measured(MEASURED, None, "")[1].verdict == "waiting"


def test_messages_that_were_dropped_and_a_kernel_that_is_silent() -> None:
    rows = page.measured({**MEASURED, "arrived": 120, "idle": []}, 6, "7.4.0")
    assert [one.verdict for one in rows] == ["mend", "fine", "mend"]
    assert len(page.measured({"idle": "x", "busy": None}, None, "")) == 3


# ---------------------------------------------------------------- showing


def test_a_table_and_its_remedies_in_lines() -> None:
    rows = [
        Finding("Python", "Python", "3.11", "fine"),
        Finding(
            "server", "OpenAI", "not \x1b[31mreached", "mend", "Ask whoever runs this network."
        ),
    ]
    assert summary(rows) == "rtwidgets doctor: 1 to mend, 1 fine"
    assert summary([]).endswith("nothing was looked at")
    text = as_text(rows, 60)
    assert "  OpenAI: Ask whoever runs this network." in text and "\x1b" not in text
    assert "What to do" not in as_text(rows[:1])
    assert "Ask whoever" in table_of(rows).to_html()


# ---------------------------------------------------------------- the command


def test_the_command_tells_what_is_to_be_mended(
    canary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--endpoint", NOBODY, "--timeout", "2"]) == 1
    said = capsys.readouterr()
    assert "What to do:" in said.out and "rt.doctor() in a cell" in said.out.replace("\n", " ")
    assert not holds_a_part_of(said.out + said.err, canary)


def test_the_command_for_programs_where_all_is_well() -> None:
    with rt.Simulator() as sim:
        done = subprocess.run(
            [sys.executable, "-m", "rtwidgets", "doctor", "--endpoint", sim.url]
            + ["--format", "json"],
            capture_output=True,
            text=True,
            timeout=60,
        )
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["fine"] is True, told
    rows = {one["what"]: one for one in told["findings"]}
    assert rows["simulator"]["verdict"] == "fine"
    assert set(rows["Python"]) == {"area", "what", "found", "verdict", "remedy"}


@pytest.mark.parametrize("wrong", [["--timeout", "0"], ["--endpoint", "http://nowhere"]])
def test_a_wrong_call(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *wrong]) == 1
    assert "rtwidgets doctor: " in capsys.readouterr().err
