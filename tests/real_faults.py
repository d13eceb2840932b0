"""Faults in real time: a blocking `rt.Session`, and a relay between it and a simulator.

What stands between is bytes: a cut is a reset connection, a line of which one half is left takes
all bytes and gives none, so that not even a ping is answered.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy

import rtwidgets as rt
from rtwidgets.audio import RATE
from rtwidgets.session.hearing import LISTEN_MS

TIMEOUT = 30.0
SPEECH_S = 0.6
BESIDE_S = 5.0
"""What a blocking call may take beyond its time: it bounds a loop that is stuck by that."""


class Relay:
    """A port on this machine behind which another one is. Its faults are those of the lines that
    stand; new lines have none.

    Attributes:
        lines: how many there were. closed: whether new ones are turned away.
    """

    def __init__(self, port: int) -> None:
        self._behind = port
        self.lines, self.closed = 0, False
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._faults: list[dict[str, Any]] = []
        self._up = threading.Event()
        self._stop = asyncio.Event()
        serve = self._loop.run_until_complete
        self._thread = threading.Thread(target=serve, args=[self._run()], daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        self._up.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def strike(self, *, cut: bool = False, mute: bool = False, delay: float = 0.0) -> None:
        """What befalls the lines that stand."""

        def do() -> None:
            for line in self._faults:
                line.update(mute=mute or line["mute"], delay=delay)
                if cut:
                    for writer in line["ends"]:
                        writer.transport.abort()

        self._loop.call_soon_threadsafe(do)

    async def _run(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._stop.wait()
        server.close()
        for line in self._faults:
            for writer in line["ends"]:
                writer.transport.abort()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*rest, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            writer.transport.abort()
            return
        self.lines += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._behind)
        line: dict[str, Any] = {"mute": False, "delay": 0.0, "ends": [writer, back]}
        self._faults.append(line)
        await asyncio.gather(self._pass(reader, back, line), self._pass(there, writer, line))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: dict[str, Any]
    ) -> None:
        try:
            while data := await reader.read(1 << 16):
                await asyncio.sleep(line["delay"])
                if not line["mute"]:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass
        writer.close()


@contextmanager
def relayed(**options: Any) -> Iterator[tuple[Relay, rt.Endpoint]]:
    """A simulator, a relay in front of it, and an endpoint that goes through that."""
    with rt.Simulator(in_process=True, **options) as simulator:
        with Relay(urlsplit(simulator.url).port or 0) as relay:
            url = f"ws://127.0.0.1:{relay.port}/v1/realtime"
            yield relay, rt.Endpoint(url, key=simulator.key, model="gpt-realtime-2.1")


@dataclass
class Blocked:
    """What became of a session, and the call that blocked longest.

    Attributes:
        trouble: what is not as it should be.
    """

    fault: str
    afterwards: str
    name: str
    seconds: float
    allowed: float
    trouble: str = ""


def hang(room: str) -> str:
    "Which fossils stand in a room."
    time.sleep(6.0)
    return room


def _cut(relay: Relay) -> None:
    relay.strike(cut=True)


def _cut_soon(relay: Relay) -> None:
    threading.Timer(0.8, relay.strike, kwargs={"cut": True}).start()


def _close(relay: Relay) -> None:
    relay.closed = True
    relay.strike(cut=True)


REAL: dict[str, Callable[[Relay], None]] = {
    "nothing goes wrong": lambda relay: None,
    "cut while idle": _cut,
    "cut in a reply": _cut_soon,
    "half open, found by a ping": lambda relay: relay.strike(mute=True),
    "slow: 0.1 s each way": lambda relay: relay.strike(delay=0.1),
    "nobody answers any more": _close,
    "a tool hangs": lambda relay: None,
}


def blocked_by(fault: str) -> Blocked:
    """A session in which this happens, in real time."""
    found: list[Blocked] = []
    tool = rt.tool(timeout=2.0)(hang)
    with relayed(latency="typical") as (relay, endpoint):
        s = rt.Session(endpoint, rt.ModelGreeting(), tools=[tool], timeout=TIMEOUT)

        def call(name: str, work: Callable[[], Any], allowed: float = TIMEOUT) -> Any:
            began, given = time.monotonic(), None
            try:
                given = work()
            except rt.RealtimeError as problem:
                given = problem
            found.append(Blocked(fault, "", name, time.monotonic() - began, allowed))
            return given

        call("open", s.__enter__, 5 * TIMEOUT)
        REAL[fault](relay)
        call("ask", lambda: s.ask("Which is the oldest?"))
        call("hear", lambda: s.hear(_speech()), SPEECH_S + LISTEN_MS / 1000 + TIMEOUT)
        call("tool", lambda: s.ask("Use the tool hang."))
        last = call("last", lambda: s.ask("And which is the youngest?"))
        over = fault == "nobody answers any more"
        lines, lost = relay.lines, s.lost
        call("close", s.close)
    longest = max(found, key=lambda one: one.seconds)
    longest.afterwards = _afterwards(last, lines, lost)
    late = [one for one in found if one.seconds > one.allowed + BESIDE_S]
    if late:
        longest.trouble = f"{late[0].name} was blocked for {late[0].seconds:.1f} s"
    elif isinstance(last, BaseException) != over:
        longest.trouble = f"it came out otherwise than it should: {last!r}"
    return longest


def _afterwards(last: Any, lines: int, lost: rt.ConnectionLost | None) -> str:
    if lost is not None:
        return "over, and said so"
    if isinstance(last, BaseException):
        return f"calls say so: {type(last).__name__}"
    return "goes on" if lines == 1 else f"goes on in session {lines}"


def _speech() -> Any:
    t = numpy.arange(int(SPEECH_S * RATE)) / RATE
    return (8000 * numpy.sin(2 * numpy.pi * 220 * t)).astype(numpy.int16)
