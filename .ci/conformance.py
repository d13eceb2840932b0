"""Other people's clients against the simulator, and our sessions with other people's servers:
`make conformance`, or here `conformance.py NAME…`.

For each client: an environment of its own under .venv-conformance/, `rtwidgets serve` from this
project's environment, a relay that writes down every frame, and the client's script in
tests/conformance/talks/. For each server: an environment of its own too, the server started by its
script in tests/conformance/servers/, and a typed and a spoken session of ours with it.

Names on the command line choose clients and servers whose names hold them (`servers` all servers);
`--latency none` or `typical` one pace instead of both. The frames are kept in
.venv-conformance/logs/, for `rtwidgets log`.

Status 0: every client finished all its parts and every event was valid, and with every server a
session did what it must. 1: something did not. A server may lack things: the table says no, and
what a session shows then. What this machine cannot run (no node) is said, and is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT)]

from conformance import environments, judging, serving  # noqa: E402
from conformance.clients import CLIENTS, Client  # noqa: E402
from conformance.hosts import HOSTS  # noqa: E402
from conformance.processes import end, start, start_simulator  # noqa: E402
from conformance.relay import Relay  # noqa: E402

from rtwidgets import EventLog  # noqa: E402

ROOT = CHECKOUT / ".venv-conformance"
TALKS = CHECKOUT / "tests" / "conformance" / "talks"
LATENCIES = ("none", "typical")
TALK_SECONDS = 90
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
    clients = [one for one in CLIENTS if chosen(one.name, asked.names)]
    hosts = [one for one in HOSTS if chosen(one.name, asked.names) or "servers" in asked.names]
    rows = [check(client, asked.latency or LATENCIES) for client in clients]
    visits = [serving.check_host(host, ROOT) for host in hosts]
    if rows:
        print_clients(rows)
    if visits:
        print("\nOur sessions with other people's servers")
        print_table(serving.HEADINGS, [one.cells() for one in visits])
    failed = [row.client.name for row in rows if not row.passed]
    failed += [one.host.name for one in visits if not one.passed]
    skipped = [row.client.name for row in rows if row.skipped]
    skipped += [one.host.name for one in visits if one.skipped]
    print()
    print(f"Not passed: {', '.join(failed)}." if failed else "All that were run passed.")
    if skipped:
        print(f"Not run here: {', '.join(skipped)}.")
    return 1 if failed else 0


def chosen(name: str, asked: list[str]) -> bool:
    return not asked or any(one in name for one in asked)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Other people's clients and servers.")
    parser.add_argument(
        "names", nargs="*", help="only those whose names hold one of these; servers"
    )
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


async def talk(client: Client, command: list[str], url: str) -> tuple[str, str]:
    """Run the script; returns what it printed and, if it did not end well, a remark."""
    folder = ROOT / client.environment
    script = TALKS / client.talk
    if client.javascript:  # node looks for packages from where the script is
        for name in ("talk.mjs", client.talk):
            script = Path(shutil.copy(TALKS / name, folder / name))
    process = await start([*command, *client.options, str(script), *client.arguments], folder, url)
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


def keep(client: Client, latency: str, log: EventLog, output: str) -> None:
    kind = "-".join([client.talk.replace("_talk.", "."), *client.arguments])
    name = f"{kind}-{latency}"
    (ROOT / "logs").mkdir(exist_ok=True)
    log.to_jsonl(ROOT / "logs" / f"{name}.jsonl")
    (ROOT / "logs" / f"{name}.txt").write_text(output, encoding="utf-8")


# --- the table


def print_clients(rows: list[Row]) -> None:
    print_table(HEADINGS, [row.cells() for row in rows])
    wires = [run.wire for row in rows for run in row.runs]
    familiar = judging.familiar(wires) or "nothing"
    print(f"\nNot in openai's types, but in recordings too: {familiar}.")


def print_table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell, the remarks last and as long as they are."""
    table = [headings, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(headings) - 1)]
    print()
    for row in table:
        print("  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[-1]]))


if __name__ == "__main__":
    sys.exit(main())
