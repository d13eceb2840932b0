"""Recordings made up in a test, and lines to them on a clock that jumps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import rtwidgets as rt
from rtwidgets.conversation import Conversation
from rtwidgets.events import item_create, response_create, user_text
from rtwidgets.log.rows import Rows
from rtwidgets.transport import Transport, VirtualClock

AT_ONCE = float("inf")
CREATED = {"type": "session.created", "session": {"id": "sess_1", "model": "gpt-realtime"}}
UPDATE = {"type": "session.update", "session": {"type": "realtime"}}
UPDATED = {**CREATED, "type": "session.updated"}
ASKED: Any = {**item_create(user_text("then")), "event_id": "item_then"}


def added(id_: str, role: str = "user") -> dict[str, Any]:
    item = {"id": id_, "type": "message", "role": role, "content": []}
    return {"type": "conversation.item.added", "item": item}


def response(id_: str, status: str, **more: Any) -> dict[str, Any]:
    kind = "response.created" if status == "in_progress" else "response.done"
    about = {"id": id_, "status": status, "conversation_id": "conv_1", "output": [], **more}
    return {"type": kind, "response": about}


def recorded(*rows: tuple[float, str, Any]) -> rt.EventLog:
    """A log of (seconds, "<" from or ">" to the server, event) rows."""
    log = rt.EventLog()
    for t, arrow, event in rows:
        log.append("server" if arrow == "<" else "client", event, t=t)
    return log


def begun(*rows: tuple[float, str, Any]) -> rt.EventLog:
    """The same behind the beginning that every session has, which ends at 0.1 s."""
    return recorded((0.0, "<", CREATED), (0.05, ">", UPDATE), (0.1, "<", UPDATED), *rows)


def one_turn() -> rt.EventLog:
    return begun(
        (1.0, ">", ASKED),
        (1.0, ">", {**response_create(), "event_id": "create_then"}),
        (1.1, "<", added("item_1")),
        (1.3, "<", response("resp_1", "in_progress")),
        (2.3, "<", response("resp_1", "completed")),
    )


def play(
    log: Any, scene: Callable[[Transport], Awaitable[Any]], speed: float = AT_ONCE, **options: Any
) -> Any:
    """What `scene` makes of a line to the recording, on a clock that jumps."""

    async def opened() -> Any:
        line = await rt.Replay(log, speed, clock=VirtualClock(), **options).open()
        try:
            return await scene(line)
        finally:
            await line.close()

    return asyncio.run(opened())


async def send(line: Transport, *events: dict[str, Any]) -> None:
    for event in events:
        await line.send(json.dumps(event))


async def received(line: Transport, count: int) -> list[dict[str, Any]]:
    return [json.loads(await line.recv()) for _ in range(count)]


async def all_of(line: Transport) -> tuple[list[str], rt.ConnectionLost]:
    """Every frame to the end, and what ended the line."""
    frames: list[str] = []
    while True:
        try:
            frames.append(str(await line.recv()))
        except rt.ConnectionLost as lost:
            return frames, lost


async def soon(coming: asyncio.Future[Any]) -> bool:
    """Whether it is there after everybody had many turns."""
    for _ in range(100):
        await asyncio.sleep(0)
    return coming.done()


async def at_rest(line: Transport) -> bool:
    """Whether nothing comes: the line waits for the client."""
    coming = asyncio.ensure_future(line.recv())
    resting = not await soon(coming)
    coming.cancel()
    return resting


def state(conversation: Conversation) -> dict[str, Any]:
    """All that a conversation has come to, to be compared."""
    return {
        "items": [vars(item) for item in conversation.items],
        "responses": {
            id_: {**vars(one), "items": one.item_ids} for id_, one in conversation.responses.items()
        },
        "usage": conversation.usage,
        "session": conversation.session,
        "errors": conversation.errors,
    }


def raws(rows: Rows) -> list[str]:
    return [row.raw for row in rows.where(direction="server")]


async def visit(endpoint: rt.Endpoint, opening: rt.Opening) -> rt.AsyncSession:
    async with rt.AsyncSession(endpoint, opening, instructions="You are Ada.") as s:
        await s.ask("Hello, I am Kim.")
        await s.ask("Who am I?")
        while len(s.log.where(type="rate_limits.updated")) < len(s.conversation.responses):
            await s.wait_for("rate_limits.updated")  # the last word on a reply
        return s
