"""The line: over a real socket, and in memory."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

import rtwidgets as rt
from rtwidgets.transport import MemoryTransport, VirtualClock, WebSocketTransport


def talk(
    handler: Callable[[ServerConnection], Awaitable[None]],
    client: Callable[[WebSocketTransport], Awaitable[Any]],
) -> Any:
    async def both() -> Any:
        async with serve(handler, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            line = await WebSocketTransport.connect(f"ws://127.0.0.1:{port}/", {"X-A": "b"}, 5)
            try:
                return await client(line)
            finally:
                await line.close()

    return asyncio.run(both())


def test_frames_go_both_ways_with_the_headers_however_large() -> None:
    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        await connection.send(connection.request.headers["X-A"])
        await connection.send("x" * 5_000_000)  # more than the usual limit of 1 MiB

    async def client(line: WebSocketTransport) -> tuple[Any, int]:
        return await line.recv(), len(await line.recv())

    assert talk(handler, client) == ("b", 5_000_000)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_where_nothing_listens_the_address_is_told_as_one_writes_it(host: str) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets it meanwhile
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(rt.ConnectFailed) as failed:
            asyncio.run(WebSocketTransport.connect(f"ws://{host}:{port}/", {}, 5))
    assert f"nothing listens at 127.0.0.1:{port}" in str(failed.value) or (
        host == "localhost" and f"nothing listens at [::1]:{port}" in str(failed.value)
    )


@pytest.mark.parametrize(("code", "reason"), [(1001, "60 minutes."), (4000, "a.b"), (1011, "")])
def test_a_close_is_told_with_code_and_reason(code: int, reason: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.close(code, reason)

    async def client(line: WebSocketTransport) -> rt.ConnectionLost:
        with pytest.raises(rt.ConnectionLost) as lost:
            await line.recv()
        with pytest.raises(rt.ConnectionLost):
            await line.send("too late")
        return lost.value

    lost = talk(handler, client)
    assert (lost.code, lost.reason) == (code, reason)
    assert str(code) in str(lost) and reason.rstrip(".") in str(lost)


def test_a_cut_line_has_no_code() -> None:
    async def handler(connection: ServerConnection) -> None:
        connection.transport.abort()

    async def client(line: WebSocketTransport) -> rt.ConnectionLost:
        with pytest.raises(rt.ConnectionLost) as lost:
            await line.recv()
        return lost.value

    assert talk(handler, client).code is None


@pytest.mark.parametrize(
    ("status", "word"), [(401, "key"), (404, "model"), (429, "quota"), (503, "later")]
)
def test_a_refused_handshake_says_what_to_do(status: int, word: str) -> None:
    async def both() -> None:
        async with serve(
            lambda connection: connection.wait_closed(),
            "127.0.0.1",
            0,
            process_request=lambda connection, request: connection.respond(status, "no"),
        ) as server:
            port = server.sockets[0].getsockname()[1]
            await WebSocketTransport.connect(f"ws://127.0.0.1:{port}/", {}, 5)

    with pytest.raises(rt.ConnectFailed, match=word) as refused:
        asyncio.run(both())
    assert refused.value.code == status


def test_an_http_server_is_not_a_realtime_server() -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SMTP 220 hello\r\n\r\n")
        writer.close()

    async def both() -> None:
        async with await asyncio.start_server(hello, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await WebSocketTransport.connect(f"ws://127.0.0.1:{port}/", {}, 5)

    with pytest.raises(rt.ConnectFailed, match="not as a Realtime server"):
        asyncio.run(both())


def test_in_memory_what_one_end_sends_the_other_receives() -> None:
    async def both() -> None:
        here, there = MemoryTransport.pair()
        await here.send("a")
        await there.send("b")
        assert (await there.recv(), await here.recv()) == ("a", "b")
        await there.close()
        for _ in range(2):
            with pytest.raises(rt.ConnectionLost):
                await here.recv()
        with pytest.raises(rt.ConnectionLost):
            await here.send("c")
        await here.close()

    asyncio.run(both())


def test_a_virtual_clock_jumps_from_one_waiter_to_the_next() -> None:
    async def scene() -> tuple[list[tuple[str, float]], float]:
        clock, came = VirtualClock(), []

        async def wait(name: str, *seconds: float) -> None:
            for one in seconds:
                await clock.sleep(one)
                came.append((name, clock.now()))

        given_up = asyncio.ensure_future(wait("never", 0.5))
        everybody = asyncio.gather(wait("a", 3600, 1), wait("b", 1, 3601), wait("past", -1))
        await asyncio.sleep(0)
        given_up.cancel()
        await everybody
        return came, clock.now()

    came, end = asyncio.run(scene())
    assert came == [("past", 0), ("b", 1), ("a", 3600), ("a", 3601), ("b", 3602)]
    assert end == 3602
