"""Servers written in a test: an endpoint whose other end is a coroutine, in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import rtwidgets as rt
from rtwidgets.transport import MemoryTransport, Transport

CREATED = {"type": "session.created", "session": {"id": "sess_x", "model": "m"}}
UPDATED = {**CREATED, "type": "session.updated"}


def simulated(latency: Any = "none") -> rt.Simulated:
    return rt.Simulated(where="memory", latency=latency)


class Scripted(rt.Endpoint):
    """An endpoint whose server is a coroutine of the test, at the other end of a line in memory."""

    def __init__(self, serve: Callable[[MemoryTransport], Awaitable[None]]) -> None:
        super().__init__("ws://localhost/scripted", name="Scripted")
        self._serve = serve

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        ours, theirs = MemoryTransport.pair()
        self.serving = asyncio.ensure_future(self._to_the_end(theirs))
        return ours

    async def _to_the_end(self, line: MemoryTransport) -> None:
        try:
            await self._serve(line)
        except rt.ConnectionLost:
            pass  # its client is gone: no fault of the server's, and nobody asks for it


async def greet(line: MemoryTransport) -> None:
    """The part of a session that every server begins with."""
    await line.send(json.dumps(CREATED))
    assert json.loads(await line.recv())["type"] == "session.update"
    await line.send(json.dumps(UPDATED))


def types(log: rt.EventLog, direction: Any = None) -> list[str]:
    return [row.type for row in log.where(direction=direction)]
