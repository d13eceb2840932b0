"""Many sessions at once in one simulator: CPU, lateness and memory.

Each session is sent a reply at the speed of speech (100 ms of sound in a delta, ten a second)
and sends 40 ms microphone chunks (25 a second), which the server's turn detection hears:
two seconds of speech, one of silence. Server and load run in a process each.

    python benchmarks/simulator_sessions.py             60 and 300 sessions, 15 seconds each
    python benchmarks/simulator_sessions.py 60 --check  fail unless the condition of 60 is met

Printed for each number of sessions:
    cpu      the server's share of one core
    late     99th percentile of (time sent - time due), measured by the server itself, and
    outside  of how late deltas arrive, against the same session's most punctual one
    memory   the server's resident memory with the sessions less that without, a session
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

KEY = "sk-test-not-a-key"
CHUNK_MS, DELTA_SECONDS = 40, 0.1
LEAST_COMPLETE = 0.95  # of the deltas that an even pace would have brought
PATH = "/v1/realtime?model=gpt-realtime"
UPGRADE = (
    f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    f"Authorization: Bearer {KEY}\r\n\r\n"
).encode()
WORDS = "This is a long reply that goes on and on so that nobody falls silent. "


def frame(event: Any) -> bytes:
    """A client's text frame; its mask is all zeros, which is a mask as well."""
    body = json.dumps(event, separators=(",", ":")).encode()
    size = len(body)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
    return head + bytes(4) + body


def microphone() -> list[bytes]:
    """Three seconds of appends: two of something loud, one of a quiet room."""
    chance = np.random.default_rng(0)
    loud = chance.normal(0, 4000, 24 * 2000)
    quiet = chance.normal(0, 30, 24 * 1000)
    pcm = np.concatenate([loud, quiet]).clip(-32768, 32767).astype("<i2").tobytes()
    step = CHUNK_MS * 48
    chunks = [pcm[at : at + step] for at in range(0, len(pcm), step)]
    kind = "input_audio_buffer.append"
    return [frame({"type": kind, "audio": base64.b64encode(one).decode()}) for one in chunks]


@dataclass
class Client(asyncio.Protocol):
    """One session: counts what it is sent and when the deltas come."""

    arrivals: list[float] = field(default_factory=list)
    events: int = 0
    turns: int = 0  # that the server's turn detection heard
    lost: bool = False  # by the server, while it was measured
    ended: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._upgraded = False
        transport.write(UPGRADE)

    def connection_lost(self, problem: Exception | None) -> None:
        self.lost = not self.ended

    def begin(self) -> None:
        turns = {"type": "server_vad", "create_response": False, "interrupt_response": False}
        audio = {"input": {"turn_detection": turns}}
        session = {"type": "realtime", "audio": audio}
        self.transport.write(frame({"type": "session.update", "session": session}))
        self.transport.write(frame({"type": "response.create"}))

    def data_received(self, data: bytes) -> None:
        now = self._loop.time()
        self._buffer = self._buffer + data if self._buffer else data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert b" 101 " in head, head
            self._upgraded, self._buffer = True, rest
            self.begin()
        self._frames(now)

    def _frames(self, now: float) -> None:
        data, at = self._buffer, 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if len(data) < start + size:
                break
            self.events += 1
            if data.startswith(b'{"type":"response.output_audio.delta"', start):
                self.arrivals.append(now)
            elif data.startswith(b'{"type":"input_audio_buffer.committed"', start):
                self.turns += 1
            at = start + size
        self._buffer = data[at:]


async def load(port: int, sessions: int, seconds: float, middle: Any) -> list[Client]:
    """Run the sessions; `middle(begun)` is called when all are under way and at the end."""
    loop, sounds = asyncio.get_running_loop(), microphone()
    clients = []
    for _ in range(sessions):
        _, client = await loop.create_connection(Client, "127.0.0.1", port)
        clients.append(client)
        await asyncio.sleep(0.003)
    begun = loop.time()
    warm, sent, measured = begun + 3.0, 0, False
    step = CHUNK_MS / 1000 / sessions  # the sessions' microphones take turns
    while (now := loop.time()) < warm + seconds:
        if now >= warm and not measured:
            measured = True
            for client in clients:
                client.arrivals.clear()
            middle()
        while begun + sent * step <= now:
            turn, which = divmod(sent, sessions)
            clients[which].transport.write(sounds[(turn + 7 * which) % len(sounds)])
            sent += 1
        await asyncio.sleep(max(0.0, min(0.002, begun + sent * step - loop.time())))
    middle()
    for client in clients:
        client.ended = True
        client.transport.abort()
    return clients


# --- the server's side


class Server:
    """`rtwidgets serve` as a child, and what the system says of it."""

    def __init__(self, folder: Path, reply_seconds: float) -> None:
        script = folder / "script.json"
        script.write_text(json.dumps([["", WORDS * int(reply_seconds / 3.5)]]))
        command = [sys.executable, "-m", "rtwidgets", "serve", "--port", "0", "--key", KEY]
        command += ["--latency", "realtime", "--script", str(script), "--until-stdin-closes"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process: Any = subprocess.Popen(command, text=True, **pipes)  # type: ignore[call-overload]
        self.port = int(self.process.stdout.readline().split(":")[2].split("/")[0])

    def status(self) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status.json") as answer:
            return json.load(answer)

    def cpu_seconds(self) -> float:
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kb(self) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)


@dataclass
class Reading:
    cpu: float
    time: float
    memory_kb: int
    late: dict[float, int]


def measure(sessions: int, seconds: float) -> dict[str, float]:
    """One run, from a fresh server."""
    readings: list[Reading] = []

    def read() -> None:
        late = {float(ms): count for ms, count in server.status()["late_ms"].items()}
        readings.append(Reading(server.cpu_seconds(), time.monotonic(), server.memory_kb(), late))

    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), seconds + 12)
        asyncio.run(load(server.port, 1, 0.1, lambda: None))  # the reply is spoken once before
        before_kb = server.memory_kb()
        clients = asyncio.run(load(server.port, sessions, seconds, read))
        server.close()
    first, last = readings
    counts = {ms: count - first.late.get(ms, 0) for ms, count in last.late.items()}
    counts = {ms: count for ms, count in counts.items() if count}
    outside = [late for client in clients for late in lateness(client.arrivals)]
    expected = sessions * seconds / DELTA_SECONDS
    return {
        "sessions": sessions,
        "lost": sum(client.lost for client in clients),
        "cpu": (last.cpu - first.cpu) / (last.time - first.time),
        "late": percentile(counts, 0.99),
        "late_worst": max(counts, default=0.0),
        "outside": 1000 * float(np.quantile(outside, 0.99)) if outside else float("nan"),
        "memory": (last.memory_kb - before_kb) / sessions,
        "complete": len(outside) / expected,
        "turns": sum(client.turns for client in clients) / sessions,
    }


def lateness(arrivals: list[float]) -> list[float]:
    """Seconds behind an even pace of one delta each 100 ms, against the most punctual one."""
    offsets = [time - DELTA_SECONDS * n for n, time in enumerate(arrivals)]
    return [offset - min(offsets) for offset in offsets]


def percentile(counts: dict[float, int], share: float) -> float:
    """The value (ms) below which `share` of the counted lie."""
    left = share * sum(counts.values())
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value + 0.1
    return 0.0


def verdict(found: dict[str, float]) -> tuple[str, bool]:
    """What was asked for of so many sessions, and whether it is so.

    What never came was never late, so most of it has to have come, and every session was heard.
    """
    whole = found["complete"] >= LEAST_COMPLETE and found["turns"] >= 1 and not found["lost"]
    if found["sessions"] <= 60:
        return "condition of 60: late p99 at most 10 ms", whole and found["late"] <= 10.0
    aim = "aim of 300: under 50 % of a core, late p99 at most 20 ms, at most 100 kB a session"
    met = found["cpu"] < 0.5 and found["late"] <= 20.0 and found["memory"] <= 100
    return aim, whole and met


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sessions", nargs="*", type=int, default=[60, 300])
    parser.add_argument("--seconds", type=float, default=15.0, help="measured, after 3 to warm up")
    parser.add_argument("--check", action="store_true", help="fail when 60 are too late, or lost")
    chosen = parser.parse_args()
    print("sessions   cpu of a core   late p99 (worst)      outside p99   memory a session")
    good = True
    for sessions in chosen.sessions or [60, 300]:
        found = measure(sessions, chosen.seconds)
        late = f"{found['late']:.1f} ms ({found['late_worst']:.1f})"
        print(
            f"{sessions:8d}   {found['cpu']:12.1%}   {late:>16}   {found['outside']:13.1f} ms"
            f"   {found['memory']:10.0f} kB"
            f"   {found['complete']:.0%} of the deltas came"
            f", {found['turns']:.1f} turns heard a session"
            + (f", {found['lost']:.0f} sessions were lost" if found["lost"] else ""),
            flush=True,
        )
        wanted, met = verdict(found)
        print(f"{'':8}   {wanted}: {'met' if met else 'NOT met'}", flush=True)
        good = good and (met or sessions > 60)
    return 0 if good or not chosen.check else 1


if __name__ == "__main__":
    sys.exit(main())
