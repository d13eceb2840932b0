"""The key that opens a line: out of what the library keeps and logs, and of what a server says."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T", str, bytes, str | bytes)


def plain(value: object) -> str:
    """The text of a header's value, also of one that only `reveal()`s it."""
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


def is_login(name: str) -> bool:
    """Whether a header of this name carries a key, not merely something of one's own."""
    return name.lower() in _LOGINS


def without(frame: T, secrets: Sequence[object]) -> T:
    """What a server says, without the key that it was shown.

    A server or a proxy may repeat the key where it refuses it, and what is received is kept, shown
    and exported: this is the one thing that is taken out of it before.
    """
    for one in secrets:
        secret = plain(one).rpartition(" ")[2]
        if len(secret) < _SHORTEST_SECRET:
            continue
        for form in {secret, secret.replace("/", "\\/")}:
            if isinstance(frame, bytes):
                frame = frame.replace(form.encode(), _TAKEN_OUT.encode())
            elif form in frame:
                frame = frame.replace(form, _TAKEN_OUT)
    return frame


_TAKEN_OUT = "[the key]"


def forget(connection: Any, headers: Mapping[str, object]) -> None:
    """The library keeps the request of its handshake: without what is secret in it."""
    kept = getattr(getattr(connection, "request", None), "headers", None)
    for name in headers:
        if kept is not None and name in kept:
            del kept[name]


def quiet_about(headers: Mapping[str, object]) -> logging.Logger:
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
