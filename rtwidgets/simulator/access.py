"""Who may talk to the simulator: its key, the client secrets it minted, which pages.

A browser lets any page of any site talk to 127.0.0.1. So:
* a Host that is not this machine's own name is refused (a foreign name that resolves here);
* an Origin that is not loopback is refused, key or no key;
* an Origin that is loopback is some page on this machine, ours or not: it needs a right key
  before the WebSocket stands;
* no Origin is a program, which gets the real server's words when its key is wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEY_SUBPROTOCOL = "openai-insecure-api-key."  # how a browser sends a key (facts §5)
MOST_SECRETS = 10_000


class Refused(Exception):
    """Not let in. `status` is for HTTP, `code` for the error event."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def presented_key(headers: Mapping[str, str]) -> str | None:
    """The key a client shows: Bearer, Azure's api-key, or a browser's subprotocol."""
    scheme, _, key = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    if headers.get("api-key"):
        return headers["api-key"]
    for name in offered(headers):
        if name.startswith(KEY_SUBPROTOCOL):
            return name.removeprefix(KEY_SUBPROTOCOL)
    return None


def offered(headers: Mapping[str, str]) -> list[str]:
    """The subprotocols that a client offers."""
    return [name.strip() for name in headers.get("Sec-WebSocket-Protocol", "").split(",")]


def host_of(address: str) -> str | None:
    """The name of the machine in an address, None where there is none to be read."""
    try:
        return urlsplit(address).hostname
    except ValueError:  # such as "http://["
        return None


def masked(key: str) -> str:
    """A key as the real server repeats it: the first eight characters and the last four."""
    if len(key) <= 12:
        return "*" * len(key)
    return key[:8] + "*" * (len(key) - 12) + key[-4:]


def _digest(secret: str) -> bytes:
    """What a client secret is kept and looked up as: how long that takes tells nothing of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class Gate:
    """Knows the server's key and the client secrets that are still good.

    `anywhere`: the server was told to listen beyond this machine, so any name and page may
    come; the key decides.
    """

    def __init__(self, key: str, anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._key = key.encode()
        self._minted: dict[bytes, tuple[float, Json]] = {}

    def check(self, headers: Mapping[str, str]) -> Json | None:
        """What the key is bound to, if anything. Raises Refused for no key or a wrong one."""
        key = presented_key(headers)
        if key is None:
            raise Refused(401, "Missing bearer or basic authentication in header")
        if hmac.compare_digest(key.encode(), self._key):
            return None
        expires, configuration = self._minted.get(_digest(key), (0.0, {}))
        if time.monotonic() < expires:
            return configuration
        message = (
            f"Incorrect API key provided: {masked(key)}. You can find your API key at "
            "https://platform.openai.com/account/api-keys."
        )
        raise Refused(401, message, "invalid_api_key")

    def check_minting(self, headers: Mapping[str, str]) -> None:
        """Who may make client secrets: the server's key alone. Raises Refused."""
        if self.check(headers) is not None:
            raise Refused(
                401,
                "A client secret opens sessions and makes no new secrets. "
                "Ask with the key of this simulator.",
                "invalid_api_key",
            )

    def mint(self, seconds: int, configuration: Json) -> str:
        """A new client secret, good for `seconds`."""
        now = time.monotonic()
        good = {key: kept for key, kept in self._minted.items() if kept[0] > now}
        if len(good) >= MOST_SECRETS:
            raise Refused(429, f"{MOST_SECRETS} client secrets are waiting to be used already.")
        secret = "ek_" + secrets.token_urlsafe(24)
        self._minted = {**good, _digest(secret): (now + seconds, configuration)}
        return secret

    def check_host(self, headers: Mapping[str, str]) -> None:
        name = host_of("//" + headers.get("Host", ""))
        if name not in LOOPBACK and not self._anywhere:
            raise Refused(403, "This simulator answers to 127.0.0.1 and localhost only.")

    def check_origin(self, headers: Mapping[str, str]) -> None:
        origin = headers.get("Origin") or headers.get("Sec-WebSocket-Origin")
        if origin is None:
            return
        if host_of(origin) not in LOOPBACK and not self._anywhere:
            raise Refused(403, "Pages of other sites may not use this simulator.")
        self._check_page(headers)

    def _check_page(self, headers: Mapping[str, str]) -> None:
        try:
            self.check(headers)
        except Refused:
            raise Refused(403, "A page in a browser needs this simulator's key.") from None
