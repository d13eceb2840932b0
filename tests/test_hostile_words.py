"""What a server says in an exception or a row commands no terminal and breaks no message."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from scripted import CREATED, Scripted, greet

import rtwidgets as rt
from rtwidgets.transport import MemoryTransport, lost_line

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202ex\u2066\u2028\x00\r\n\ud83d"
OBEYED = "\x1b\x07\x9b\u202e\u2066\u2028\x00\r\ud83d"
ERROR = {"type": "error", "error": {"type": EVIL, "code": EVIL, "message": EVIL + "x" * 1_000_000}}


async def refuses(line: MemoryTransport) -> None:
    await line.send(json.dumps(ERROR))
    await line.recv()


async def refuses_settings(line: MemoryTransport) -> None:
    await line.send(json.dumps(CREATED))
    await line.recv()
    await line.send(json.dumps(ERROR))
    await line.recv()


async def names_everything_so(line: MemoryTransport) -> None:
    await greet(line)
    await line.send(json.dumps({"type": EVIL, "item_id": EVIL, "message": EVIL}))
    await line.send(json.dumps(ERROR))
    await line.recv()


def is_harmless(text: str) -> bool:
    return not [one for one in OBEYED if one in text] and len(text) < 4000


@pytest.mark.parametrize("serve", [refuses, refuses_settings])
def test_an_exception_that_repeats_a_server(serve: Any) -> None:
    with pytest.raises(rt.RealtimeError, match="The server said") as failed:
        asyncio.run(rt.AsyncSession(Scripted(serve), timeout=20).open())
    assert is_harmless(str(failed.value))


def test_the_reason_of_a_close() -> None:
    lost = lost_line(4000, EVIL + "x" * 1_000_000)
    assert is_harmless(str(lost)) and "\\x1b[2J" in str(lost)
    assert lost.reason.startswith(EVIL), "for programs it is as it was"


def test_a_row() -> None:
    async def scene() -> rt.EventLog:
        async with rt.AsyncSession(Scripted(names_everything_so), timeout=20) as session:
            await session.wait_for("error", timeout=20)
            return session.log

    rows = list(asyncio.run(scene()))
    assert any(row.type == EVIL for row in rows)
    assert [row for row in rows if not is_harmless(repr(row))] == []
