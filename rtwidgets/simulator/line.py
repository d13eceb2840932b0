"""One WebSocket connection on an asyncio transport, taken over from tornado's HTTP server."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Protocol

import tornado.iostream

from .frames import BINARY, CLOSE, PING, TEXT, Fault, Reader, close_frame, frame
from .item_shapes import APPEND_MAX

LARGEST_MESSAGE = APPEND_MAX + 64 * 1024  # the 15 MiB of an append in base64, and its JSON
MOST_UNSENT_BYTES = 64 * 1024 * 1024  # a client that does not read is dropped here
PAUSE_BYTES = 1024 * 1024  # unsent: whoever asks faster than they read has to wait
TURN_SECONDS = 0.005  # for what one client sent, before others are served
CLOSE_SECONDS = 2.0  # for the client's answer to a close


class Owner(Protocol):
    """Whoever talks over a line."""

    def opened(self) -> None: ...
    def received(self, message: str | bytes) -> None: ...
    def lost(self) -> None: ...


class Line(asyncio.Protocol):
    """Messages to and from one client. `owner.lost()` is called once, however it ends."""

    def __init__(self, owner: Owner, handshake: bytes, largest: int = LARGEST_MESSAGE) -> None:
        """largest: bytes of a message, beyond which the client is hung up on."""
        self._owner, self._handshake = owner, handshake
        self._reader = Reader(largest)
        self._transport: asyncio.Transport | None = None
        self._closing = False
        self._unread: deque[bytes] = deque()  # of a client that sends faster than it is served
        self._frames: Iterator[tuple[int, bytes]] = iter(())
        self._is_full = self._is_behind = False
        self._timer: asyncio.TimerHandle | None = None

    # --- what its owner does

    def send(self, *texts: str) -> None:
        """Send messages in one go. A client that does not read is dropped."""
        if self._closing or self._transport is None:
            return
        # Half a character, of a tool's script perhaps, is a question mark and no reason to end.
        data = [frame(TEXT, text.encode(errors="replace")) for text in texts]
        self._transport.write(b"".join(data))
        if self._transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            self._reset(self._transport)

    def close(self, code: int, reason: str) -> None:
        """End it with a close frame, and for good if the client does not answer that."""
        if self._closing or self._transport is None:
            return
        self._closing = True
        self._transport.write(close_frame(code, reason))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(CLOSE_SECONDS, self._transport.abort)

    def abort(self) -> None:
        """End it at once and without a word, as a broken line does."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def _reset(self, transport: asyncio.Transport) -> None:
        """The same, without the system keeping what is unsent for a client that does not read."""
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.abort()

    # --- what asyncio does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=PAUSE_BYTES)
        transport.write(self._handshake)
        self._owner.opened()

    def data_received(self, data: bytes) -> None:
        self._unread.append(data)
        if not self._is_behind:
            self._serve()

    def _serve(self) -> None:
        """Take what came, but for no longer than a moment: then it is the others' turn."""
        until = time.monotonic() + TURN_SECONDS
        self._is_behind = False
        try:
            while True:
                for opcode, payload in self._frames:
                    self._take(opcode, payload)
                    if self._is_full:  # goes on when there is room for answers
                        self._is_behind = True
                        return self._listen()
                    if time.monotonic() > until:
                        self._is_behind = True
                        asyncio.get_running_loop().call_soon(self._serve)
                        return self._listen()
                if not self._unread:
                    return self._listen()
                self._frames = self._reader.feed(self._unread.popleft())
        except Fault as fault:
            self._fail(fault.code, fault.reason)
        except UnicodeDecodeError:
            self._fail(1007, "a text message is not UTF-8")

    def pause_writing(self) -> None:
        """The client reads slower than it is sent to: it is not listened to meanwhile."""
        self._is_full = True
        self._listen()

    def resume_writing(self) -> None:
        was_full, self._is_full = self._is_full, False
        if was_full and self._is_behind:
            return self._serve()
        self._listen()

    def _listen(self) -> None:
        """Read on, unless the client has to wait or the line is going down."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._is_behind or (self._is_full and not self._closing):
            transport.pause_reading()
        else:
            transport.resume_reading()

    def connection_lost(self, problem: Exception | None) -> None:
        self._closing = True
        self._unread.clear()
        self._frames = iter(())
        if self._timer is not None:
            self._timer.cancel()
        self._owner.lost()

    def _fail(self, code: int, reason: str) -> None:
        """What follows cannot be read any more: say why and hang up."""
        self._unread.clear()
        self._frames = iter(())
        self.close(code, reason)
        if self._transport is not None:
            self._transport.close()

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self._transport is not None
        if opcode == CLOSE:
            if not self._closing:
                self._transport.write(frame(CLOSE, payload[:2]))
            self._closing = True
            self._transport.close()
        elif self._closing:
            return
        elif opcode == PING:
            self._transport.write(frame(opcode + 1, payload))
        elif opcode in (TEXT, BINARY):
            self._owner.received(payload.decode() if opcode == TEXT else payload)


def handshake(key: str, headers: Mapping[str, str]) -> bytes:
    """The answer that turns HTTP into a WebSocket."""
    told = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    shown = {"Upgrade": "websocket", "Connection": "Upgrade"}
    shown |= {"Sec-WebSocket-Accept": base64.b64encode(told).decode(), **headers}
    lines = [f"{name}: {value}" for name, value in shown.items()]
    return "\r\n".join(["HTTP/1.1 101 Switching Protocols", *lines, "\r\n"]).encode("latin-1")


async def take_over(stream: tornado.iostream.IOStream, line: Line) -> None:
    """Give the connection of `stream`, whose request was read, to `line`."""
    early = _read_ahead(stream)
    connection = socket.socket(fileno=os.dup(stream.socket.fileno()))
    stream.close()
    connection.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: line, connection)
    if early:
        line.data_received(early)


def _read_ahead(stream: tornado.iostream.IOStream) -> bytes:
    """What a hasty client sent behind its request and was read with it.

    One read empties what was read; what else has come stays in the socket. To read on until nothing
    is there would never end with a client that sends as fast as it can.
    """
    more = asyncio.ensure_future(stream.read_bytes(stream.max_buffer_size, partial=True))
    if more.done() and more.exception() is None:
        return bytes(more.result())
    more.add_done_callback(lambda done: done.exception())  # that the stream is closed
    return b""
