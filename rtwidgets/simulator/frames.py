"""WebSocket frames, the server's side (RFC 6455): bytes to messages and back, no I/O.

Why not tornado's own: it makes a future for every part of a frame and a task for every
message sent, and a simulator for a classroom does little else than frames.
"""

from __future__ import annotations

from collections.abc import Iterator

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_CONTINUED = 0
MOST_PARTS = 4096  # of one message; clients that send in parts at all send a handful


class Fault(Exception):
    """The client broke the rules of WebSockets; `code` is what to close with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Reader:
    """Feed it what comes over the line; it gives (opcode, payload) of whole messages."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._held: list[bytes] = []
        self._held_size = 0
        self._needed = 2  # bytes without which there is nothing to look at
        self._parts: list[bytes] = []
        self._parts_size = 0
        self._opcode = _CONTINUED  # of the message whose parts are coming

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Raises Fault; nothing more can be read then."""
        if self._held:
            self._held.append(data)
            self._held_size += len(data)
            if self._held_size < self._needed:
                return
            data = b"".join(self._held)
        at, end = 0, len(data)
        while True:
            start, size = self._measured(data, at, end)
            if start + size > end:
                break
            mask, first = data[start - 4 : start], data[at]
            message = self._taken(first, unmasked(data[start : start + size], mask))
            at = start + size
            if message is not None:
                yield message
        self._needed = start + size - at
        self._held = [data[at:]] if at < end else []
        self._held_size = end - at

    def _measured(self, data: bytes, at: int, end: int) -> tuple[int, int]:
        """(where the payload starts, how long it is) of the frame at `at`.

        Where that cannot be seen yet the payload is said to end beyond the data.
        """
        if end - at < 2:
            return at + 2, 0
        first, second = data[at], data[at + 1]
        if first & 0x70:
            raise Fault(1002, "reserved bits are set")
        if not second & 0x80:
            raise Fault(1002, "a client's frame is not masked")
        size, start = second & 0x7F, at + 2
        if size > 125:
            length = 2 if size == 126 else 8
            start += length
            if end < start:
                return start, 0
            size = int.from_bytes(data[start - length : start], "big")
        if first & 0x08 and (size > 125 or not first & 0x80):
            raise Fault(1002, "a control frame is too long or in parts")
        if size + self._parts_size > self._largest:
            raise Fault(1009, "message too big")
        return start + 4, size

    def _taken(self, first: int, payload: bytes) -> tuple[int, bytes] | None:
        """The message that this frame completes, if it does."""
        opcode, final = first & 0x0F, first & 0x80
        if opcode >= CLOSE:
            if opcode > PONG:
                raise Fault(1002, "an unknown kind of frame")
            return opcode, payload
        if (opcode == _CONTINUED) != bool(self._opcode) or opcode > BINARY:
            raise Fault(1002, "a frame out of turn")
        if final and opcode:
            return opcode, payload
        self._hold(payload)
        self._opcode = self._opcode or opcode
        if not final:
            return None
        whole = self._opcode, b"".join(self._parts)
        self._opcode, self._parts, self._parts_size = _CONTINUED, [], 0
        return whole

    def _hold(self, part: bytes) -> None:
        if len(self._parts) >= MOST_PARTS:
            raise Fault(1009, "a message in too many parts")
        self._parts.append(part)
        self._parts_size += len(part)


def unmasked(payload: bytes, mask: bytes) -> bytes:
    """XOR with the mask, over and over; as one large number, which is fast."""
    size = len(payload)
    if mask == b"\0\0\0\0" or not size:
        return payload
    repeated = (mask * (size // 4 + 1))[:size]
    number = int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")
    return number.to_bytes(size, "little")


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame, as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((0x80 | opcode, 126, size >> 8, size & 0xFF)) + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str) -> bytes:
    """The close, its reason cut to what fits."""
    said = reason.encode()[:123].decode("utf-8", "ignore").encode()
    return frame(CLOSE, code.to_bytes(2, "big") + said)
