"""A line to a server: `send(text)`, `recv()`, `close()` and a clock. A shape, not a base class."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from .errors import ConnectFailed, ConnectionLost, Misuse

logger = logging.getLogger("rtwidgets")
T = TypeVar("T", str, bytes, str | bytes)


class Clock(Protocol):
    """Where a session's times come from: the wall's, or a virtual one."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long by this clock."""
        ...


class WallClock:
    """Time as it passes."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


_WALL = WallClock()


class VirtualClock:
    """Time that passes at once: it jumps to the next moment for which anybody waits.

    For tests and for what runs without a person: an hour of waiting costs nothing. All who wait
    have to be on one event loop.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._waiting: list[tuple[float, int]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        mine = (self._now + max(0.0, seconds), self._count)
        self._waiting.append(mine)
        try:
            for _ in range(_COURTESY):
                await asyncio.sleep(0)
            while min(self._waiting) != mine:  # it is somebody else's turn before
                await asyncio.sleep(0)
            self._now = max(self._now, mine[0])
        finally:
            self._waiting.remove(mine)


class OneClock:
    """One time over several lines: it goes on where it stood when another line is taken up."""

    def __init__(self) -> None:
        self._clock: Clock = _WALL
        self._ahead = 0.0
        self._begun = False
        self._changed = asyncio.Event()

    def follow(self, clock: Clock) -> None:
        """Go by this clock from now on."""
        if self._begun and clock is not self._clock:
            self._ahead = self.now() - clock.now()
        self._clock, self._begun = clock, True
        self._changed.set()
        self._changed = asyncio.Event()

    def now(self) -> float:
        return self._clock.now() + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Wait that long, also where the line whose clock is waited for ends meanwhile."""
        if seconds <= 0:
            return await self._clock.sleep(0)
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            if isinstance(self._clock, WallClock):
                return await self._clock.sleep(left)
            sleeping = asyncio.ensure_future(self._clock.sleep(left))
            changed = asyncio.ensure_future(self._changed.wait())
            try:
                await asyncio.wait((sleeping, changed), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                changed.cancel()


# How often others get a turn before time jumps: what they do now comes first.
_COURTESY = 10


class Transport(Protocol):
    """What a session needs of a line. Frames are JSON text, one event each."""

    @property
    def clock(self) -> Clock:
        """What times this line."""
        ...

    async def send(self, frame: str) -> None:
        """Send one text frame. Raises ConnectionLost when the line is gone."""
        ...

    async def recv(self) -> str | bytes:
        """The next frame. Raises ConnectionLost when there will be none."""
        ...

    async def close(self) -> None:
        """End the line; safe to call again."""
        ...


# A line of which only one half is left says nothing and takes everything: it is found out by a ping
# that nobody answers, within 25 s. The service documents no ping of its own.
PING_S, PONG_S = 10.0, 15.0


class WebSocketTransport:
    """A WebSocket to a Realtime server, by the package `websockets`.

    No limit on the size of a frame (15 MiB are legal) and no compression, which costs more than it
    saves on base64 audio; both as OpenAI's own client has it.
    """

    clock = WallClock()

    def __init__(self, connection: _Connection, secrets: Sequence[object] = ()) -> None:
        """secrets: objects that `reveal()` what is taken out of what the server says."""
        self._connection = connection
        self._secrets = tuple(secrets)

    @classmethod
    async def connect(
        cls, url: str, headers: Mapping[str, object], timeout: float = 30.0
    ) -> WebSocketTransport:
        """Open the line. Raises ConnectFailed with what went wrong and what to do.

        Args:
            headers: values are text, or objects that only `reveal()` their text: a traceback that
                prints the variables of its frames shows neither.
        """
        from websockets.asyncio.client import connect

        problem: BaseException | None = None
        try:
            connection = await connect(
                url,
                additional_headers=[(name, _plain(value)) for name, value in headers.items()],
                max_size=None,
                compression=None,
                open_timeout=timeout,
                ping_interval=PING_S,
                ping_timeout=PONG_S,
                close_timeout=min(timeout, 2.0),
                logger=_quiet_about(headers),
                **_proxy_settings(url),
            )
        except BaseException as error:
            problem = error
        # Raised here, outside, so that it does not carry the frames of the library, in whose
        # variables the headers stand in the clear.
        if problem is not None:
            if isinstance(problem, Exception):
                raise _explained(problem, url, timeout)
            problem.__context__ = None
            raise problem.with_traceback(None)  # cancelled, or interrupted
        _forget(connection, headers)
        return cls(connection, [value for name, value in headers.items() if _is_login(name)])

    async def send(self, frame: str) -> None:
        try:
            return await self._connection.send(frame)
        except Exception as problem:
            lost = self._lost(problem)
        raise lost

    async def recv(self) -> str | bytes:
        try:
            frame = await self._connection.recv()
        except Exception as problem:  # told apart only then: this runs for every frame
            lost = self._lost(problem)
        else:
            return without(frame, self._secrets) if self._secrets else frame
        raise lost

    async def close(self) -> None:
        try:
            await self._connection.close()
        except Exception as problem:  # of a line that was cut while a large frame was on its way
            logger.info("the line did not end in order: %s", problem)

    def _lost(self, problem: Exception) -> Exception:
        found = _lost_or(problem)
        if isinstance(found, ConnectionLost):
            reason = without(found.reason, self._secrets)
            return lost_line(found.code, reason) if reason != found.reason else found
        return found


class _Connection(Protocol):
    async def send(self, message: str) -> None: ...
    async def recv(self) -> str | bytes: ...
    async def close(self) -> None: ...


class MemoryTransport:
    """One end of a line inside this process: what one end sends the other receives.

    For tests, and for servers written in a few lines of Python.
    """

    def __init__(
        self,
        inbox: asyncio.Queue[str | bytes | None],
        outbox: asyncio.Queue[str | bytes | None],
        clock: Clock | None = None,
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._closed = False
        self.clock = clock or WallClock()

    @classmethod
    def pair(cls, clock: Clock | None = None) -> tuple[MemoryTransport, MemoryTransport]:
        """Two ends of one line. Make them on the loop that uses them."""
        there: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        back: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        return cls(there, back, clock), cls(back, there, clock)

    async def send(self, frame: str) -> None:
        if self._closed:
            raise lost_line(1000, "")
        self._outbox.put_nowait(frame)

    async def recv(self) -> str | bytes:
        frame = await self._inbox.get()
        if frame is None:
            self._closed = True
            self._inbox.put_nowait(None)
            raise lost_line(1000, "")
        return frame

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._outbox.put_nowait(None)
            self._inbox.put_nowait(None)


FAREWELL = " The log up to then is complete; start again for a new session."
"""What the exception says behind what happened; no use where the line is mended."""
GOING_ON = " Another is tried: the conversation goes on there."
"""What is said there instead."""


def lost_line(code: int | None, reason: str) -> ConnectionLost:
    """The exception for a line that ended, with the sentence a person reads."""
    how = f"closed by the server with code {code}" if code else "cut without a word from the server"
    said = f": {reason.rstrip('.')}" if reason else ""
    return ConnectionLost(
        f"The line was {how}{said}.{FAREWELL}",
        code=code,
        reason=reason,
    )


def _lost_or(problem: Exception) -> Exception:
    """ConnectionLost for a line that the library calls closed; any other problem as it is."""
    from websockets.exceptions import ConnectionClosed

    if not isinstance(problem, ConnectionClosed):
        return problem
    said = problem.rcvd
    return lost_line(said.code if said else None, said.reason if said else "")


def _explained(problem: Exception, url: str, timeout: float) -> Exception:
    """What kept the line from standing, as a person should read it."""
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

    host = urlsplit(url).hostname or url
    if isinstance(problem, InvalidStatus):
        return _refused_by_http(host, problem.response.status_code)
    if isinstance(problem, InvalidURI):
        return Misuse(f"{url!r} is not a WebSocket address; it begins with ws:// or wss://.")
    if isinstance(problem, TimeoutError):
        return ConnectFailed(
            f"{host} did not answer within {timeout:g} s. "
            "Check the network, or pass a longer timeout=."
        )
    if isinstance(problem, InvalidHandshake):
        return ConnectFailed(
            f"{host} answered, but not as a Realtime server ({type(problem).__name__}). "
            "Check the address."
        )
    if isinstance(problem, OSError | UnicodeError):
        reason = getattr(problem, "strerror", None) or problem
        return ConnectFailed(
            f"No connection to {host}: {reason}. Check the network and the address; "
            "without either, rtwidgets.Simulated() works on this machine alone."
        )
    return ConnectFailed(
        f"The connection to {host} failed ({type(problem).__name__}). Check the address and the "
        "headers."
    )


def _plain(value: object) -> str:
    reveal = getattr(value, "reveal", None)
    return str(reveal() if callable(reveal) else value)


_LOGINS = {
    "authorization",
    "proxy-authorization",
    "api-key",
    "x-api-key",
    "ocp-apim-subscription-key",
}
_SHORTEST_SECRET = 8  # what is shorter stands in many a frame by chance


def _is_login(name: str) -> bool:
    """Whether a header of this name carries a key, not merely something of one's own."""
    return name.lower() in _LOGINS


def without(frame: T, secrets: Sequence[object]) -> T:
    """What a server says, without the key that it was shown.

    A server or a proxy may repeat the key where it refuses it, and what is received is kept, shown
    and exported: this is the one thing that is taken out of it before.
    """
    for one in secrets:
        secret = _plain(one).rpartition(" ")[2]
        if len(secret) < _SHORTEST_SECRET:
            continue
        for form in {secret, secret.replace("/", "\\/")}:
            if isinstance(frame, bytes):
                frame = frame.replace(form.encode(), _TAKEN_OUT.encode())
            elif form in frame:
                frame = frame.replace(form, _TAKEN_OUT)
    return frame


_TAKEN_OUT = "[the key]"


def _forget(connection: Any, headers: Mapping[str, object]) -> None:
    """The library keeps the request of its handshake: without what is secret in it."""
    kept = getattr(getattr(connection, "request", None), "headers", None)
    for name in headers:
        if kept is not None and name in kept:
            del kept[name]


def _quiet_about(headers: Mapping[str, object]) -> logging.Logger:
    """A logger for the library that never writes down the values of these headers.

    At level DEBUG it logs the handshake line by line, authorization included.
    """
    log = logging.Logger("rtwidgets.line")
    log.parent = logging.getLogger("websockets.client")
    names = {name.lower() for name in headers}

    def hide(record: logging.LogRecord) -> bool:
        arguments = record.args
        if isinstance(arguments, tuple) and len(arguments) == 2:
            name, _ = arguments
            if isinstance(name, str) and name.lower() in names:
                record.args = (name, "…")
        return True

    log.addFilter(hide)
    return log


def _refused_by_http(host: str, status: int) -> ConnectFailed:
    advice = {
        401: "the key is missing or wrong: check OPENAI_API_KEY, key= or rtwidgets.ask_key()",
        403: "this key may not use the Realtime API, or this page may not connect",
        404: "no such model or address: check model= and the URL",
        429: "too many requests or no quota left: wait, or check the account's billing",
    }.get(status, "try again later" if status >= 500 else "check the address")
    return ConnectFailed(
        f"{host} refused the connection with HTTP {status}: {advice}.", code=status
    )


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def _proxy_settings(url: str) -> dict[str, Any]:
    """A server on this machine is never reached through a proxy, whatever the environment says.

    websockets looks for proxies since version 15; version 14 has no such argument.
    """
    from websockets.version import version

    return {"proxy": None} if is_loopback(url) and int(version.split(".")[0]) >= 15 else {}
