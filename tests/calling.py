"""A server of a test that calls tools: each response is what the test says it is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from scripted import greet

from rtwidgets.transport import MemoryTransport

Call = tuple[str, str]  # a name and the arguments' JSON


class Model:
    """The other end of a line, which a test has say things.

    Attributes:
        heard: every client event that came, in order.
    """

    def __init__(self, line: MemoryTransport) -> None:
        self.line = line
        self.heard: list[dict[str, Any]] = []
        self._count = 0

    async def hears(self, type_: str) -> dict[str, Any]:
        """The next client event of that type."""
        while True:
            event: dict[str, Any] = json.loads(await self.line.recv())
            self.heard.append(event)
            if event["type"] == type_:
                return event

    async def tells(self, event: dict[str, Any]) -> None:
        await self.line.send(json.dumps(event))

    async def answers(
        self,
        *calls: Call,
        text: str = "",
        status: str = "completed",
        aside: bool = False,
        times: int = 1,
    ) -> None:
        """A whole response with these calls and words; its end said so many times."""
        self._count += 1
        response = {
            "id": f"resp_{self._count}",
            "status": "in_progress",
            "conversation_id": None if aside else "conv",
            "output": [],
        }
        await self.tells({"type": "response.created", "response": response})
        items = [self._call(at, *call) for at, call in enumerate(calls)]
        if text:
            content = [{"type": "output_text", "text": text}]
            items.append({"type": "message", "role": "assistant", "content": content})
            items[-1]["id"] = f"item_{self._count}_said"
        for item in items:
            event = {"item": item, "response_id": response["id"]}
            await self.tells({"type": "response.output_item.done", **event})
        done = {**response, "status": status, "output": items}
        for _ in range(times):
            await self.tells({"type": "response.done", "response": done})

    def _call(self, at: int, name: str, arguments: str) -> dict[str, Any]:
        return {
            "id": f"item_{self._count}_{at}",
            "type": "function_call",
            "status": "completed",
            "name": name,
            "arguments": arguments,
            "call_id": f"call_{self._count}_{at}",
        }


def modelled(
    play: Callable[[Model], Awaitable[None]],
) -> tuple[Callable[[MemoryTransport], Awaitable[None]], list[Model]]:
    """A server for `Scripted`, and where its model will be found."""
    models: list[Model] = []

    async def serve(line: MemoryTransport) -> None:
        await greet(line)
        models.append(Model(line))
        await play(models[0])

    return serve, models
