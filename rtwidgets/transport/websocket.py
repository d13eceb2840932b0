"""A line over a WebSocket."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import ConnectionLost
from .clocks import WallClock
from .hiding import forget, plain, quiet_about, secrets_in, without
from .line import lost_line
from .refusing import explained

logger = logging.getLogger("rtwidgets")

# A line of which only one half is left says nothing and takes everything: it is found out by a ping
# that nobody answers, within 20 s: soon enough for a reply to come over another line while somebody
# still waits for it (30 s). The service documents no ping of its own.
PING_S, PONG_S = 10.0, 10.0


class WebSocketTransport:
    """A WebSocket to a Realtime server, by the package `websockets`.

    No limit on the size of a frame (15 MiB are legal) and no compression, which costs more than it
    saves on base64 audio; both as OpenAI's own client has it.
    """

    clock = WallClock()

    def __init__(
        self, connection: _Connection, headers: Mapping[str, object] | None = None
    ) -> None:
        """headers: what the server was shown; the keys among them are taken out of what it says."""
        self._connection = connection
        self._secrets = secrets_in(headers or {})

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

        class Straight(connect):
            """Goes nowhere else: whoever redirects the handshake would be given the key."""

            def process_redirect(self, exc: Exception) -> Exception:
                return exc

        problem: BaseException | None = None
        try:
            connection = await Straight(
                url,
                additional_headers=[(name, plain(value)) for name, value in headers.items()],
                max_size=None,
                compression=None,
                open_timeout=timeout,
                ping_interval=PING_S,
                ping_timeout=PONG_S,
                close_timeout=min(timeout, 2.0),
                logger=quiet_about(headers),
                **_proxy_settings(url),
            )
        except BaseException as error:
            problem = error
        # Raised here, outside, so that it does not carry the frames of the library, in whose
        # variables the headers stand in the clear.
        if problem is not None:
            if isinstance(problem, Exception):
                told = explained(problem, url, timeout, headers)
                problem = None  # a proxy's password in it
                raise told
            problem.__context__ = None
            raise problem.with_traceback(None)  # cancelled, or interrupted
        forget(connection, headers)
        return cls(connection, headers)

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


def _lost_or(problem: Exception) -> Exception:
    """ConnectionLost for a line that the library calls closed; any other problem as it is."""
    from websockets.exceptions import ConnectionClosed

    if not isinstance(problem, ConnectionClosed):
        return problem
    said = problem.rcvd
    return lost_line(said.code if said else None, said.reason if said else "")


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def _proxy_settings(url: str) -> dict[str, Any]:
    """A server on this machine is never reached through a proxy, whatever the environment says.

    websockets looks for proxies since version 15; version 14 has no such argument.
    """
    from websockets.version import version

    return {"proxy": None} if is_loopback(url) and int(version.split(".")[0]) >= 15 else {}
