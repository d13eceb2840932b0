"""A Realtime server at an address: what every endpoint is."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, quote, urlsplit

from ..errors import Misuse
from ..keys import Header, Key, address_problem, looks_like_a_key, sealed, sealed_headers
from ..transport import Transport, WebSocketTransport, is_loopback

DEFAULT_MODEL = "gpt-realtime-2.1"
MODELS = (
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
    "gpt-realtime-2",
    "gpt-realtime-1.5",
    "gpt-realtime",
    "gpt-realtime-mini",
)
VOICES = ("marin", "cedar", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse")


class Endpoint:
    """A Realtime server at an address of your own.

    Args:
        url: `ws://` or `wss://`; `?model=` is added where the address names none.
        headers: sent with the handshake, for example a gateway's own authorization.
        key: sent as `Authorization: Bearer …`.
        model: the model, or the deployment behind a gateway.
        name: what to call it; by default the host.
        paid: whether a session there may cost money; by default all but those on this machine. Say
            True for a proxy here that forwards to a paid service.
    """

    key_header = "Authorization"
    reconnects = True  # whether a conversation can go on over another line from here
    name, model = "not made", DEFAULT_MODEL  # for a traceback that shows one that cannot be made

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str | Header] | None = None,
        key: str | Key | None = None,
        model: str | None = None,
        name: str | None = None,
        paid: bool | None = None,
    ) -> None:
        key, kept, headers = sealed(key), sealed_headers(headers), None
        if kept is None:
            raise Misuse('headers= is a dictionary, such as {"X-Team": "museum"}.')
        problem = address_problem(url)
        if problem:
            url = ""  # not shown, and in no traceback: whatever is wrong with it may be a key
            raise Misuse(problem)
        if looks_like_a_key(model):
            model = None
            raise Misuse(f"That is a key, not a model. Write {type(self).__name__}(…, key=…).")
        self.url, host, self._model_in_url = url, *_host_and_model(url)
        self.name = name or host
        self.paid = (not is_loopback(url)) if paid is None else paid
        self._headers = {one: value.checked() for one, value in kept.items()}
        self._key = key.checked() if key is not None else None
        self.model = self.model_for(model)

    def model_for(self, model: str | None) -> str:
        """The model that a session here has when `model` is asked for.

        An address that names a model decides. Raises Misuse when it names another.
        """
        if looks_like_a_key(model):
            model = None
            raise Misuse("model= was given a key. A key is the endpoint's: rt.OpenAI(key=…).")
        decided = self._model_in_url
        if decided and model and decided != model:
            raise Misuse(
                f"The address names the model {decided}, and model= names {model}. Leave one out."
            )
        return decided or model or self.model

    @property
    def lacks_key(self) -> bool:
        """Whether `open` would fail for want of a key."""
        return False

    def label(self, simulated: bool) -> str:
        """What to call a session here, where a person looks. A simulator is always called one."""
        return "Simulator" if simulated else self.name

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        """A line to the server. Raises ConnectFailed."""
        return await WebSocketTransport.connect(
            self._address(model or self.model), await self.headers(), timeout
        )

    async def there(self, timeout: float = 30.0) -> Endpoint:
        """The endpoint with the real address. For most it is this one."""
        return self

    async def headers(self) -> dict[str, Key]:
        """What a request carries; the key last found or fetched. Raises ConnectFailed."""
        return self._all_headers()

    def _address(self, model: str) -> str:
        query = parse_qs(urlsplit(self.url).query)
        if {"model", "call_id", "intent"} & query.keys():  # exactly one of these three is legal
            return self.url
        return f"{self.url}{'&' if query else '?'}model={quote(model, safe='')}"

    def _all_headers(self) -> dict[str, Key]:
        if self._key is None:
            return dict(self._headers)
        # A client secret is a Bearer everywhere, also where a key has a header of its own.
        short = self._key.reveal().startswith("ek_")
        header = "Authorization" if short else self.key_header
        scheme = "Bearer " if header == "Authorization" else ""
        return {header: Header(header, scheme + self._key.reveal()), **self._headers}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}, {self.model})"


def _host_and_model(url: str) -> tuple[str, str]:
    """The host of an address, with its port, and the model it names."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    model = parse_qs(parts.query).get("model", [""])[0]
    return f"{host}:{parts.port}" if parts.port else host, model
