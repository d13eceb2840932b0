"""Why a line could not be opened, as a person should read it."""

from __future__ import annotations

import errno
import json
import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConnectFailed, Misuse
from ..tables import quoted
from .hiding import secrets_in, without

_LONGEST_WORDS = 300  # of a body; one that says more is a page


def explained(
    problem: Exception, url: str, timeout: float, headers: Mapping[str, object]
) -> Exception:
    """What kept the line from standing. The keys among the headers are taken out of what the server
    said."""
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

    host = urlsplit(url).netloc.rpartition("@")[2] or url  # with the port: of two, which one
    if isinstance(problem, InvalidStatus):
        return _refused_by_http(host, problem.response, headers)
    if isinstance(problem, InvalidURI):
        return Misuse(f"{url!r} is not a WebSocket address; it begins with ws:// or wss://.")
    if isinstance(problem, TimeoutError):
        return ConnectFailed(
            f"{host} did not answer within {timeout:g} s. "
            "Check the network, or pass a longer timeout=.",
            timed_out=True,
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


def _refused_by_http(host: str, response: Any, headers: Mapping[str, object]) -> ConnectFailed:
    status = response.status_code
    advice = {
        401: (
            "the key is missing or wrong: "
            "check OPENAI_API_KEY, key=, headers= or rtwidgets.ask_key()"
        ),
        403: "this key may not use the Realtime API, or this page may not connect",
        404: "no such model or address: check model= and the URL",
        429: "too many requests or no quota left: wait, or check the account's billing",
    }.get(status, _advice(status))
    said, body_code = _words_in(bytes(response.body or b""), _header(response, "Content-Type"))
    said = quoted(without(said, secrets_in(headers)), _LONGEST_WORDS)
    words = f" The server said: {said}" if said else ""
    return ConnectFailed(
        f"{host} refused the connection with HTTP {status}: {advice}.{words}",
        code=status,
        body_code=body_code,
        retry_after=_seconds_in(_header(response, "Retry-After")),
    )


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return "it sends clients on to another address, which the key is not for: check the address"
    return "try again later" if status >= 500 else "check the address"


def _header(response: Any, name: str) -> str:
    """A header's first value: more than one is an exception in the library, and none empty here."""
    return next(iter(response.headers.get_all(name)), "")


def _words_in(body: bytes, kind: str) -> tuple[str, str]:
    """What the body of a refusal says, and the error's code in it; a page for browsers says
    nothing."""
    text = body.decode(errors="replace").strip()
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return (text if kind.startswith("text/plain") else ""), ""
    error = told.get("error") if isinstance(told, dict) else None
    error = error if isinstance(error, dict) else {"message": error}
    said, code = error.get("message"), error.get("code")
    return (said if isinstance(said, str) else ""), (code if isinstance(code, str) else "")


def _seconds_in(retry_after: str) -> float | None:
    """The header `Retry-After` (RFC 9110, 10.2.3) in seconds from now; None where it says nothing
    of use."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
