"""One server of the table: start it, let our sessions visit it, and say what came of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import rtwidgets as rt
from conformance import environments
from conformance.hosts import Host
from conformance.processes import KEY, address_of, ended, start, start_simulator
from conformance.visiting import MUST, PARTS, Visit, visit

SERVERS = Path(__file__).resolve().parent / "servers"
READY_SECONDS = 180.0  # a proxy may load for long
VISIT_SECONDS = 180.0
HEADINGS = ("server", "version", *PARTS, "events", "remarks")


@dataclass
class HostRow:
    """One server in the table."""

    host: Host
    made: Visit | None
    trouble: str = ""  # why there was no visit
    skipped: bool = False

    @property
    def passed(self) -> bool:
        return self.skipped or (self.made is not None and self.made.passed)

    def cells(self) -> tuple[str, ...]:
        made = self.made
        parts = tuple(_mark(made, part) for part in PARTS)
        events = str(sum(len(log.where(direction="server")) for log in made.logs) if made else 0)
        return (self.host.name, self.host.version, *parts, events, self.say())

    def say(self) -> str:
        """What the server does not do, and how we show it."""
        said = [self.trouble, self.host.remark]
        if self.made is not None:
            said += [f"{part}: {why}" for part, why in self.made.parts.items() if why]
            said += [_list("sends", self.made.others()), _list("never sends", self.made.lacks())]
        return "; ".join(filter(None, said))


def _mark(made: Visit | None, part: str) -> str:
    if made is None or part not in made.parts:
        return "-"
    return "yes" if not made.parts[part] else "NO" if part in MUST else "no"


def _list(verb: str, names: list[str]) -> str:
    return f"{verb} {', '.join(names)}" if names else ""


def check_host(host: Host, root: Path) -> HostRow:
    print(f"{host.name} {host.version} ...", flush=True)
    try:
        command = environments.prepare(host, root)
    except environments.NotInstalled as problem:
        return HostRow(host, None, str(problem), isinstance(problem, environments.NotHere))
    try:
        made = asyncio.run(_served(host, command, root))
    except (EOFError, TimeoutError) as problem:
        return HostRow(host, None, f"did not start: {problem or 'no address in time'}")
    (root / "logs").mkdir(exist_ok=True)
    for name, log in zip(("typed", "spoken"), made.logs, strict=False):
        log.to_jsonl(root / "logs" / f"server-{host.script.partition('_server')[0]}-{name}.jsonl")
    return HostRow(host, made)


async def _served(host: Host, command: list[str], root: Path) -> Visit:
    async with AsyncExitStack() as stack:
        behind: list[str] = []
        if host.behind:
            simulator, address = await start_simulator("typical")
            stack.push_async_callback(ended, simulator)
            behind.append(address)
        folder = root / host.environment
        process = await start([*command, str(SERVERS / host.script), *behind], folder)
        stack.push_async_callback(ended, process)
        url = await address_of(process, READY_SECONDS)
        reading = asyncio.create_task(_read_on(process))  # what it says must not fill the pipe
        stack.callback(reading.cancel)
        headers = {"Authorization": f"Bearer {KEY}"} if host.behind else None
        model = None if host.behind else host.name  # who names no model has no price of OpenAI's
        endpoint = rt.Endpoint(url, headers=headers, model=model, name=host.name)
        async with asyncio.timeout(VISIT_SECONDS):
            return await asyncio.to_thread(visit, endpoint)


async def _read_on(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(65536):
        pass
