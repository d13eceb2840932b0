"""The key that opens a line: out of what the library keeps and logs, and of what a server says."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T", str, bytes, str | bytes)


def plain(value: object) -> str:
    """The text of a header's value, also of one that only `reveal()`s it."""
    reveal = getattr(value, "reveal", None)
    return str(reveal() if callable(reveal) else value)


_LOGIN = re.compile(r"key|token|auth|secret|password|credential|cookie|signature|jwt|bearer", re.I)
_SHORTEST_SECRET = 8  # what is shorter stands in many a frame by chance
_TAKEN_OUT = "[the key]"


def is_login(name: str) -> bool:
    """Whether a header of this name carries a key, not merely something of one's own."""
    return bool(_LOGIN.search(name))


class _Part:
    """A secret in one way to write it. Not the text: see `keys.Key`."""

    __slots__ = ("reveal",)

    def __init__(self, text: str) -> None:
        self.reveal: Callable[[], str] = lambda: text


def secrets_in(headers: Mapping[str, object]) -> tuple[_Part, ...]:
    """What `without` is to take out of what a server says: the keys that these headers carry, each
    as it stands there, in JSON and in an address; the longest first."""
    forms = set()
    for name, value in headers.items():
        for one in _words(plain(value)) if is_login(name) else ():
            in_json = json.dumps(one)[1:-1]
            forms |= {one, in_json, in_json.replace("/", "\\/"), quote(one, safe="")}
    return tuple(map(_Part, sorted(forms, key=len, reverse=True)))


def _words(value: str) -> list[str]:
    """The secrets in a header's value: without its scheme (Bearer), each cookie's by itself."""
    scheme, _, rest = value.strip().partition(" ")
    words = re.split(r"[\s;,]+", rest if rest and scheme.isalpha() else value)
    named = (re.sub(r"^[\w.-]+=(?=[^=])", "", word) for word in words)  # session=…
    return [one for one in (word.strip('"') for word in named) if len(one) >= _SHORTEST_SECRET]


def without(frame: T, secrets: Sequence[_Part]) -> T:
    """What a server says, without the key that it was shown.

    A server or a proxy may repeat the key where it refuses it, and what is received is kept, shown
    and exported: this is the one thing that is taken out of it before.

    Args:
        secrets: of `secrets_in`.
    """
    for one in secrets:
        form = one.reveal()
        if isinstance(frame, bytes):
            frame = frame.replace(form.encode(), _TAKEN_OUT.encode())
        elif form in frame:
            frame = frame.replace(form, _TAKEN_OUT)
    return frame


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
