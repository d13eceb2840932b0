"""A line over a WebSocket, and why one could not be opened."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import ConnectFailed, ConnectionLost, Misuse
from .clocks import WallClock
from .hiding import forget, plain, quiet_about, secrets_in, without
from .line import lost_line

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
                told, problem = _explained(problem, url, timeout), None  # a proxy's password in it
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
        reason = _nobody_there(problem) or getattr(problem, "strerror", None) or problem
        return ConnectFailed(
            f"No connection to {host}: {reason}. Check the network and the address; "
            "without either, rtwidgets.Simulated() works on this machine alone."
        )
    return ConnectFailed(
        f"The connection to {host} failed ({type(problem).__name__}). Check the address and the "
        "headers."
    )


# asyncio's words where a connection was refused. The address in them may be a proxy's.
_REFUSED = re.compile(r"\[Errno (\d+)\] Connect call failed \('([^']+)', (\d+)")


def _nobody_there(problem: Exception) -> str:
    """Where nothing listens, as an address is written; "" for any other problem."""
    found = _REFUSED.search(str(problem))
    if found is None or int(found[1]) != errno.ECONNREFUSED:
        return ""
    host = f"[{found[2]}]" if ":" in found[2] else found[2]
    return f"nothing listens at {host}:{found[3]}"


def _refused_by_http(host: str, status: int) -> ConnectFailed:
    advice = {
        401: "the key is missing or wrong: check OPENAI_API_KEY, key= or rtwidgets.ask_key()",
        403: "this key may not use the Realtime API, or this page may not connect",
        404: "no such model or address: check model= and the URL",
        429: "too many requests or no quota left: wait, or check the account's billing",
    }.get(status, _advice(status))
    return ConnectFailed(
        f"{host} refused the connection with HTTP {status}: {advice}.", code=status
    )


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return "it sends clients on to another address, which the key is not for: check the address"
    return "try again later" if status >= 500 else "check the address"


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def _proxy_settings(url: str) -> dict[str, Any]:
    """A server on this machine is never reached through a proxy, whatever the environment says.

    websockets looks for proxies since version 15; version 14 has no such argument.
    """
    from websockets.version import version

    return {"proxy": None} if is_loopback(url) and int(version.split(".")[0]) >= 15 else {}
