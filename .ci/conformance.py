"""Other people's clients against the simulator: `make conformance`, or here `conformance.py NAME…`.

For each client: an environment of its own under .venv-conformance/, `rtwidgets serve` from this
project's environment, a relay that writes down every frame, and the client's script in
tests/conformance/talks/. Names on the command line choose clients whose names hold them;
`--latency none` or `typical` one pace instead of both. The frames are kept in
.venv-conformance/logs/, for `rtwidgets log`.

Status 0: every client finished all its parts and every event was valid. 1: something did not.
A client that this machine cannot run (no node) is said, and is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT)]

from conformance import environments, judging  # noqa: E402
from conformance.clients import CLIENTS, Client  # noqa: E402
from conformance.relay import Relay  # noqa: E402

from rtwidgets import EventLog  # noqa: E402

KEY = "sk-test-not-a-key"
ROOT = CHECKOUT / ".venv-conformance"
TALKS = CHECKOUT / "tests" / "conformance" / "talks"
LATENCIES = ("none", "typical")
TALK_SECONDS = 90
START_SECONDS = 30
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "USERPROFILE")
HEADINGS = ("client", "version", *judging.PARTS, "events", "undeclared", "remarks")


@dataclass
class Run:
    """One client at one pace."""

    latency: str
    wire: judging.Wire
    failures: dict[str, str]  # by part; empty strings where it passed
    remark: str = ""

    @property
    def passed(self) -> bool:
        return not any(self.failures.values()) and not self.wire.faults


@dataclass
class Row:
    """One client in the table."""

    client: Client
    runs: list[Run]
    trouble: str = ""  # why there was no run
    skipped: bool = False

    @property
    def passed(self) -> bool:
        return self.skipped or (not self.trouble and all(run.passed for run in self.runs))

    def cells(self) -> tuple[str, ...]:
        parts = tuple(self.part(part) for part in judging.PARTS)
        events = str(sum(run.wire.events for run in self.runs))
        who = (self.client.name, self.client.version)
        return (*who, *parts, events, self.undeclared(), self.say())

    def part(self, part: str) -> str:
        if not self.runs:
            return "-"
        failed = [run.latency for run in self.runs if run.failures[part]]
        return f"NO ({', '.join(failed)})" if failed else "yes"

    def undeclared(self) -> str:
        strange = {path for run in self.runs for path in judging.strange(run.wire)}
        return ", ".join(sorted(strange)) or "0"

    def say(self) -> str:
        said = [self.trouble, self.client.remark]
        for run in self.runs:
            said += [f"{run.latency}, {part}: {why}" for part, why in run.failures.items() if why]
            said += [run.remark, *run.wire.faults[:2]]
            said += [f"refused: {message}" for message in run.wire.errors]
        return "; ".join(dict.fromkeys(filter(None, said)))


def main() -> int:
    asked = arguments()
    chosen = [c for c in CLIENTS if not asked.names or any(n in c.name for n in asked.names)]
    rows = [check(client, asked.latency or LATENCIES) for client in chosen]
    print_table([row.cells() for row in rows])
    wires = [run.wire for row in rows for run in row.runs]
    print(
        f"\nNot in openai's types, but in recordings too: {judging.familiar(wires) or 'nothing'}."
    )
    failed = [row.client.name for row in rows if not row.passed]
    skipped = [row.client.name for row in rows if row.skipped]
    print(f"Not passed: {', '.join(failed)}." if failed else "All that were run passed.")
    if skipped:
        print(f"Not run here: {', '.join(skipped)}.")
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Other people's clients against the simulator.")
    parser.add_argument("names", nargs="*", help="only clients whose names hold one of these")
    parser.add_argument("--latency", action="append", choices=LATENCIES, help="one pace only")
    return parser.parse_args()


def check(client: Client, latencies: tuple[str, ...]) -> Row:
    print(f"{client.name} {client.version} ...", flush=True)
    try:
        command = environments.prepare(client, ROOT)
    except environments.NotInstalled as problem:
        return Row(client, [], str(problem), isinstance(problem, environments.NotHere))
    return Row(client, [asyncio.run(run(client, command, latency)) for latency in latencies])


# --- one run


async def run(client: Client, command: list[str], latency: str) -> Run:
    """The simulator, the relay and the client's script, and what came of it."""
    frames: list[tuple[str, str]] = []
    log = EventLog(clock=time.monotonic, started=time.monotonic())

    def write(direction: str, frame: str) -> None:
        frames.append((direction, frame))
        log.append(direction, frame)

    simulator, url = await start_simulator(latency)
    try:
        async with Relay(url, write) as relay:
            output, remark = await talk(client, command, relay.url)
    finally:
        simulator.terminate()
        await simulator.wait()
    keep(client, latency, log, output)
    wire, reports = judging.read_wire(frames, latency != "none"), judging.reports(output)
    failures = {part: judging.judge(part, reports.get(part), wire) for part in judging.PARTS}
    return Run(latency, wire, failures, remark if any(failures.values()) else "")


async def start_simulator(latency: str) -> tuple[asyncio.subprocess.Process, str]:
    serve = ["serve", "--port", "0", "--key", KEY, "--latency", latency]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rtwidgets", *serve, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    return process, line.decode().strip()


async def talk(client: Client, command: list[str], url: str) -> tuple[str, str]:
    """Run the script; returns what it printed and, if it did not end well, a remark."""
    folder = ROOT / client.environment
    script = TALKS / client.talk
    if client.javascript:  # node looks for packages from where the script is
        for name in ("talk.mjs", client.talk):
            script = Path(shutil.copy(TALKS / name, folder / name))
    process = await asyncio.create_subprocess_exec(
        *command,
        *client.options,
        str(script),
        *client.arguments,
        cwd=folder,
        env=environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # some start helpers of their own
    )
    assert process.stdout is not None
    lines: list[str] = []
    try:
        async with asyncio.timeout(TALK_SECONDS):
            async for line in process.stdout:
                lines.append(line.decode(errors="replace"))
            status = await process.wait()
    except TimeoutError:
        return "".join(lines), f"not finished after {TALK_SECONDS} s"
    finally:
        end(process)
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(lines), f"status {status}: {last[:160]}" if status else ""


def end(process: asyncio.subprocess.Process) -> None:
    """The script's own process group, with all it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def environment(url: str) -> dict[str, str]:
    """Nothing of ours but where to connect and with what key; nobody calls home."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    own = {"OPENAI_API_KEY": KEY, "REALTIME_URL": url}
    quiet = {"OPENAI_AGENTS_DISABLE_TRACING": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **own, **quiet}


def keep(client: Client, latency: str, log: EventLog, output: str) -> None:
    kind = "-".join([client.talk.replace("_talk.", "."), *client.arguments])
    name = f"{kind}-{latency}"
    (ROOT / "logs").mkdir(exist_ok=True)
    log.to_jsonl(ROOT / "logs" / f"{name}.jsonl")
    (ROOT / "logs" / f"{name}.txt").write_text(output, encoding="utf-8")


# --- the table


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell, the remarks last and as long as they are."""
    table = [HEADINGS, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADINGS) - 1)]
    print()
    for row in table:
        print("  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]))


if __name__ == "__main__":
    sys.exit(main())
