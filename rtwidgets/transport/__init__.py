"""A line to a server: `send(text)`, `recv()`, `close()` and a clock. A shape, not a base class.

clocks -> line     what times it; the shape, and what is said when it ends
memory             both ends in this process, for tests
hiding             the key that opens it: nowhere else than in the handshake
refusing           why one could not be opened
websocket          to a server
"""

from .clocks import Clock, OneClock, VirtualClock, WallClock
from .hiding import secrets_in, without
from .line import FAREWELL, GOING_ON, TRIED_AGAIN, Transport, lost_line
from .memory import MemoryTransport
from .websocket import PING_S, PONG_S, WebSocketTransport, is_loopback

__all__ = [
    "FAREWELL",
    "GOING_ON",
    "PING_S",
    "PONG_S",
    "TRIED_AGAIN",
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
