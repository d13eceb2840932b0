"""Client secrets for a class: short-lived keys to hand out, made with one long-lived key.

`POST …/v1/realtime/client_secrets` of OpenAI, of Azure and of the simulator (facts: openai's own
client, `client_secrets.create`). A secret opens sessions of one model until it expires; it makes no
further secrets. Making them costs nothing.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from . import loop
from .endpoints import Endpoint, OpenAI, chosen
from .errors import ConnectFailed, Misuse
from .keys import Key
from .tables import Table, column, printable
from .transport import is_loopback, secrets_in, without

MOST_AT_ONCE = 4  # requests; a class of thirty is there in a few seconds
MOST = 1000
SECONDS = (10, 7200)  # what the service allows
LARGEST_ANSWER = 1 << 20


class ClientKey(Key):
    """A client secret: as secret as any key, as long as it is good."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ek_…"


@dataclass(frozen=True)
class ClientSecret:
    """One secret, and for whom."""

    name: str = column("for")
    secret: Key = column()
    expires: str = column("good until")
    expires_at: int = column(hidden=True)
    address: str = column(hidden=True)


class ClientSecrets(Table[ClientSecret]):
    """Secrets to hand out. Shown, printed or saved with a notebook, the table hides them."""

    def reveal(self, which: str | int) -> str:
        """One secret in the clear, by its name or number (from 1). What a cell shows is saved with
        the notebook."""
        for number, one in enumerate(self, start=1):
            if which in (number, one.name):
                return one.secret.reveal()
        raise Misuse(f"There is no secret for {which!r}: there are 1 to {len(self)}.")

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write all in the clear, to hand out: name, secret, good until, address. Only you may
        read the file."""
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(file, "w", encoding="utf-8", newline="") as lines:
            if hasattr(os, "fchmod"):
                os.fchmod(file, 0o600)  # also where there was such a file
            table = csv.writer(lines)
            table.writerow(["name", "secret", "good until", "address"])
            for one in self:
                table.writerow([_cell(one.name), one.secret.reveal(), one.expires, one.address])


def mint(
    n: int = 30,
    ttl: int = 600,
    endpoint: Endpoint | None = None,
    *,
    names: Sequence[str] | None = None,
    model: str | None = None,
    timeout: float = 30.0,
) -> ClientSecrets:
    """Short-lived client secrets for a class: `rt.mint(n=30, ttl=3600).to_csv("class.csv")`.

    A student uses one as `rt.OpenAI(key="ek_…")`. It opens sessions until it expires, on the bill
    of the key it was made with; sessions that stand by then go on.

    Args:
        n: how many.
        ttl: for how many seconds, 10 to 7200.
        endpoint: OpenAI where a key is there, else the simulator, on this machine alone.
        names: for whom, in place of numbers; says how many as well.
        model: what they open sessions of; by default the endpoint's.
        timeout: seconds to wait for each.

    Raises ConnectFailed, with the server's words, and Misuse.
    """
    names = _names(n, names)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not SECONDS[0] <= ttl <= SECONDS[1]:
        raise Misuse(f"ttl is a whole number of seconds from {SECONDS[0]} to {SECONDS[1]}.")
    there = loop.run(chosen(endpoint).there(timeout))
    model = there.model_for(model)
    where, headers = _address(there.url), loop.run(there.headers())
    body = {
        "expires_after": {"anchor": "created_at", "seconds": ttl},
        "session": {"type": "realtime", "model": model},
    }
    with ThreadPoolExecutor(MOST_AT_ONCE, "rtwidgets-mint") as pool:
        made = [pool.submit(_minted, where, headers, body, timeout) for _ in names]
        try:
            secrets = [one.result() for one in made]
        finally:
            for one in made:
                one.cancel()
    use = "rt.OpenAI(key=…)" if isinstance(there, OpenAI) else f"rt.Endpoint({there.url!r}, key=…)"
    rows = [
        ClientSecret(name, secret, _time(expires), expires, there.url)
        for name, (secret, expires) in zip(names, secrets, strict=True)
    ]
    caption = (
        f"Client secrets of {there.name} for {model}, to be used as {use}. Hidden here: "
        ".to_csv(path) writes them, .reveal(1) shows one."
    )
    return ClientSecrets(rows, ClientSecret, caption=caption)


def _names(n: int, names: Sequence[str] | None) -> list[str]:
    if isinstance(names, str):
        raise Misuse("names is a list of names.")
    if names is None:
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST:
            raise Misuse(f"n is a number from 1 to {MOST}.")
        return [str(number) for number in range(1, n + 1)]
    if not 1 <= len(names) <= MOST or not all(isinstance(one, str) for one in names):
        raise Misuse(f"names is a list of 1 to {MOST} names.")
    return list(names)


def _address(url: str) -> str:
    """Where an endpoint makes client secrets."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name != "model"]
    scheme = "https" if parts.scheme == "wss" else "http"
    path = parts.path.rstrip("/") + "/client_secrets"
    return urlunsplit((scheme, parts.netloc, path, urlencode(kept), ""))


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _cell(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def _minted(
    where: str, headers: dict[str, Key], body: dict[str, Any], timeout: float
) -> tuple[Key, int]:
    """One secret, and when it expires. Raises ConnectFailed."""
    host = urlsplit(where).hostname
    status, answer, problem = _posted(where, headers, json.dumps(body).encode(), timeout)
    if problem:
        raise ConnectFailed(f"No client secret from {host}: {problem}. Check the network.")
    if status != 200:
        raise _refused(host, status, without(_message(answer), secrets_in(headers)))
    secret, expires = _secret(answer)
    if secret is None:
        raise ConnectFailed(f"{host} answered, but with no client secret. Check the address.")
    return secret.checked(), expires


def _posted(
    where: str, headers: dict[str, Key], body: bytes, timeout: float
) -> tuple[int, Key, str]:
    """Status and body (sealed: a secret is in it) of the answer, or what went wrong.

    Never raises, and so leaves no frame behind in whose variables the key stands. Goes nowhere
    else: whoever redirects a request would be given the key. Nor does it print what it sends,
    whatever http.client was told.
    """
    import urllib.error
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    handlers: list[Any] = [
        Stay(),
        urllib.request.HTTPHandler(debuglevel=0),
        urllib.request.HTTPSHandler(debuglevel=0),
    ]
    if is_loopback(where):
        handlers.append(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(where, data=body, method="POST")
    asked.add_header("Content-Type", "application/json")
    for name, value in headers.items():
        asked.add_unredirected_header(name, value.reveal())
    try:
        with urllib.request.build_opener(*handlers).open(asked, timeout=timeout) as answer:
            return answer.status, Key(answer.read(LARGEST_ANSWER).decode("utf-8", "replace")), ""
    except urllib.error.HTTPError as refused:
        try:
            said = refused.read(LARGEST_ANSWER).decode("utf-8", "replace")
        except Exception:
            said = ""
        return refused.code, Key(said), ""
    except Exception as problem:
        reason = getattr(problem, "reason", problem)
        return 0, Key(""), getattr(reason, "strerror", None) or type(reason).__name__


def _fields(answer: Key) -> dict[str, Any]:
    try:
        told = json.loads(answer.reveal())
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _message(answer: Key) -> str:
    error = _fields(answer).get("error")
    said = error.get("message") if isinstance(error, dict) else error
    return printable(said[:500]) if isinstance(said, str) else ""


def _secret(answer: Key) -> tuple[Key | None, int]:
    """Never raises: the secret stands in its variables."""
    told = _fields(answer)
    value, expires = told.get("value"), told.get("expires_at")
    if not isinstance(value, str) or not value or isinstance(expires, bool):
        return None, 0
    if not isinstance(expires, int) or not 0 < expires < 253402300800:  # the year 10000
        return None, 0
    return ClientKey(value), expires


def _refused(host: str | None, status: int, said: str) -> ConnectFailed:
    advice = {
        401: " Check the key: a client secret cannot make others.",
        404: " Check the address: not every server makes client secrets.",
        429: " Wait, or make fewer.",
    }.get(status, "")
    words = f": {said.rstrip('.')}" if said else ""
    return ConnectFailed(f"{host} refused with HTTP {status}{words}.{advice}", code=status)
