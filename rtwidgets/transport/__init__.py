"""A line to a server: `send(text)`, `recv()`, `close()` and a clock. A shape, not a base class.

clocks -> line     what times it; the shape, and what is said when it ends
memory             both ends in this process, for tests
hiding             the key that opens it: nowhere else than in the handshake
websocket          to a server, and why it could not be reached
"""

from .clocks import Clock, OneClock, VirtualClock, WallClock
from .hiding import secrets_in, without
from .line import FAREWELL, GOING_ON, Transport, lost_line
from .memory import MemoryTransport
from .websocket import PING_S, PONG_S, WebSocketTransport, is_loopback

__all__ = [
    "FAREWELL",
    "GOING_ON",
    "PING_S",
    "PONG_S",
    "Clock",
    "MemoryTransport",
    "OneClock",
    "Transport",
    "VirtualClock",
    "WallClock",
    "WebSocketTransport",
    "is_loopback",
    "lost_line",
    "secrets_in",
    "without",
]
