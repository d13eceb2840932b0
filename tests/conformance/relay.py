"""Between a client and the simulator: every byte passed on as it is, every frame written down.

Being transparent, it changes nothing of the handshake or of the frames; what it writes down it
reads out of copies of the bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import urlsplit

from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

HEAD_END = b"\r\n\r\n"
Write = Callable[[str, str], object]
"""Takes a direction ("client" or "server") and the frame."""


class Frames:
    """The text frames in one direction of a connection, from the bytes after its head."""

    def __init__(self, side: Side) -> None:
        self._protocol = Protocol(side, state=OPEN, max_size=None)
        self._text = b""

    def feed(self, data: bytes) -> list[str]:
        self._protocol.receive_data(data)
        frames = (f for f in self._protocol.events_received() if isinstance(f, Frame))
        return [text for frame in frames if (text := self._whole(frame)) is not None]

    def _whole(self, frame: Frame) -> str | None:
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
            return None
        self._text += frame.data
        if not frame.fin:
            return None
        text, self._text = self._text, b""
        return text.decode()


class Connection:
    """One connection: a head each way, and once upgraded, frames each way."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._heads = {"client": b"", "server": b""}
        self._past_head: set[str] = set()
        # What a client sends is read as a server would, and the other way round.
        self._frames = {"client": Frames(Side.SERVER), "server": Frames(Side.CLIENT)}
        self._upgraded = False

    def passed(self, direction: str, data: bytes) -> None:
        if direction not in self._past_head:
            self._heads[direction] += data
            head, ended, data = self._heads[direction].partition(HEAD_END)
            if not ended:
                return
            self._past_head.add(direction)
            self._upgraded = self._upgraded or head.startswith(b"HTTP/1.1 101")
        if self._upgraded:
            for text in self._frames[direction].feed(data):
                self._write(direction, text)


class Relay:
    """`async with Relay(simulator_url, write) as relay: relay.url`."""

    def __init__(self, upstream: str, write: Write) -> None:
        parts = urlsplit(upstream)
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path
        self._write = write
        self.url = ""

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}{self._path}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(self._host, self._port)
        connection = Connection(self._write)
        await asyncio.gather(
            self._pump("client", reader, upstream_writer, connection),
            self._pump("server", upstream_reader, writer, connection),
        )

    async def _pump(
        self,
        direction: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: Connection,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                connection.passed(direction, data)
                writer.write(data)
                await writer.drain()
        writer.close()
