"""Lines to the simulator in memory that break where a test says; the endpoint that opens them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import rtwidgets as rt
from rtwidgets.errors import ConnectFailed, ConnectionLost
from rtwidgets.events import is_carried
from rtwidgets.simulator.memory import MemoryTransport, connect
from rtwidgets.transport import Clock, lost_line

When = Callable[[str, dict[str, Any]], bool]
"""Asked with the direction and the event of each frame whether the line breaks at it."""


def never(_direction: str, _event: dict[str, Any]) -> bool:
    return False


def at(direction: str, type_: str, nth: int = 1) -> When:
    """At the nth event of that type; a client's event does not arrive, a server's neither."""
    left = nth

    def when(way: str, event: dict[str, Any]) -> bool:
        nonlocal left
        if (way, event.get("type")) != (direction, type_) or is_carried(event):
            return False
        left -= 1
        return left == 0

    return when


class Breaking:
    """A line to a simulator of its own that breaks when `when` says so, with a close code."""

    def __init__(self, line: MemoryTransport, when: When, code: int | None = None) -> None:
        self._line, self._when, self._code = line, when, code
        self.clock: Clock = line.clock
        self._broken = False

    async def send(self, frame: str) -> None:
        if self._broken or self._when("client", _event(frame)):
            await self.cut()
            raise lost_line(self._code, "")
        await self._line.send(frame)

    async def recv(self) -> str:
        try:
            frame = await self._line.recv()
        except ConnectionLost as ended:
            raise lost_line(self._code, "") if self._broken else ended from None
        if self._broken or self._when("server", _event(frame)):
            await self.cut()
            raise lost_line(self._code, "")
        return frame

    async def cut(self) -> None:
        """Break it now."""
        self._broken = True
        await self._line.close()

    async def close(self) -> None:
        await self._line.close()


def _event(frame: str) -> dict[str, Any]:
    try:
        event = json.loads(frame)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


class Fragile(rt.Endpoint):
    """Each connection is a new simulated session; the first ones break as told, later ones hold.

    Args:
        whens: for each connection when it breaks, or an exception with which it does not come to
            stand, or what has to be set before it does.
        code: with which close code. options: what `simulator.memory.connect` takes besides.

    Attributes:
        lines: the connections that stood, in order.
    """

    def __init__(
        self,
        *whens: When | Exception | asyncio.Event,
        code: int | None = None,
        latency: str = "none",
        **options: Any,
    ) -> None:
        super().__init__("ws://localhost/v1/realtime", model="gpt-realtime-2.1", name="Fragile")
        self.lines: list[Breaking] = []
        self._whens: Iterator[When | Exception | asyncio.Event] = iter(whens)
        self._code, self._latency, self._options = code, latency, options

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Any:
        when = next(self._whens, never)
        if isinstance(when, Exception):
            raise when
        if isinstance(when, asyncio.Event):
            await when.wait()
            when = never
        line = connect(
            model or self.model, self._latency, seed=len(self.lines) + 1, **self._options
        )
        self.lines.append(Breaking(line, when, self._code))
        return self.lines[-1]


def refused(code: int | str | None = None) -> ConnectFailed:
    """A connection that does not come to stand."""
    return ConnectFailed("No connection: the test refuses it.", code=code)
