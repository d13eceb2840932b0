"""What a handshake may meet: for now, and a session begins after a while, or for good."""

from __future__ import annotations

from typing import Any

import rtwidgets as rt


def by_http(status: int, **more: Any) -> rt.ConnectFailed:
    return rt.ConnectFailed(f"The server refused it with HTTP {status}.", code=status, **more)


SILENT = rt.ConnectFailed("The server did not answer.", timed_out=True)
NOBODY = rt.ConnectFailed("Nothing listens there.")
NO_QUOTA = by_http(429, body_code="insufficient_quota")
EVER = 100

FOR_NOW: dict[str, tuple[rt.ConnectFailed, ...]] = {
    "HTTP 503, twice": (by_http(503),) * 2,
    "HTTP 429 for 20 s": (by_http(429, retry_after=20.0),),
    "no answer, once": (SILENT,),
}
FOR_GOOD: dict[str, tuple[rt.ConnectFailed, ...]] = {
    "HTTP 503 for ever": (by_http(503),) * EVER,
    "no answer for ever": (SILENT,) * EVER,
    "HTTP 429 for an hour": (by_http(429, retry_after=3600.0),) * EVER,
    "HTTP 401": (by_http(401),),
    "no quota": (NO_QUOTA,),
    "nobody listens": (NOBODY,),
}
