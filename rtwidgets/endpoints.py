"""Where to connect, and with which key; starts the simulator's process when no key is there."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, quote, urlsplit

from .errors import ConnectFailed, Misuse
from .keys import (
    AZURE_KEY_VARIABLE,
    KEY_VARIABLE,
    Header,
    Key,
    fetched,
    find_key,
    looks_like_a_key,
    names_a_key,
    sealed,
    sealed_headers,
)
from .pricing import PRICES_AS_OF, rough_cost_of_minutes
from .transport import Transport, WebSocketTransport, is_loopback

if TYPE_CHECKING:
    from .simulator import Simulator

DEFAULT_MODEL = "gpt-realtime-2.1"
MODELS = (
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
    "gpt-realtime-2",
    "gpt-realtime-1.5",
    "gpt-realtime",
    "gpt-realtime-mini",
)
TOKEN_SECONDS = 60.0
"""How long a person may take to sign in when a token is asked for."""
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
        if names_a_key(url):
            url = ""
            raise Misuse("An address must not hold a key. Pass key= or headers= instead.")
        if looks_like_a_key(model):
            model = None
            raise Misuse(f"That is a key, not a model. Write {type(self).__name__}(…, key=…).")
        self.url, host, self._model_in_url = _checked(url)
        self.name = name or host
        self.paid = (not is_loopback(url)) if paid is None else paid
        self._headers = {one: value.checked() for one, value in kept.items()}
        self._key = key.checked() if key is not None else None
        self.model = self.model_for(model)

    def model_for(self, model: str | None) -> str:
        """The model that a session here has when `model` is asked for.

        An address that names a model decides. Raises Misuse when it names another.
        """
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


class OpenAI(Endpoint):
    """OpenAI's own service.

    The key comes from the argument, `ask_key()`, `OPENAI_API_KEY`, or Google Colab's secrets. A
    client secret (`ek_…`, see `rtwidgets.mint`) is one too.
    """

    def __init__(self, model: str | None = None, key: str | Key | None = None) -> None:
        key = sealed(key)
        if looks_like_a_key(model):
            model = None
            raise Misuse("That is a key, not a model. Write OpenAI(key=…).")
        super().__init__("wss://api.openai.com/v1/realtime", model=model, name="OpenAI", key=key)
        self._given_key = self._key

    @property
    def lacks_key(self) -> bool:
        return (self._given_key or find_key()) is None

    async def headers(self) -> dict[str, Key]:
        self._key = self._given_key or find_key()
        if self._key is None:
            raise ConnectFailed(
                f"There is no OpenAI key. Call rtwidgets.ask_key(), set {KEY_VARIABLE} or pass "
                "key=; rtwidgets.Simulated() needs none."
            )
        return await super().headers()


class Azure(Endpoint):
    """Azure OpenAI's GA endpoint.

    Args:
        resource: the name in `https://<resource>.openai.azure.com`.
        deployment: the deployment's name, which stands where OpenAI has the model.
        key: the resource's key; otherwise `AZURE_OPENAI_API_KEY`.
        token: in place of a key, a function that gives a Microsoft Entra token. It is called for
            every connection, on a thread, so that a token is never an old one. With azure.identity:
            `get_bearer_token_provider(DefaultAzureCredential(), "https://ai.azure.com/.default")`.
    """

    key_header = "api-key"

    def __init__(
        self,
        resource: str,
        deployment: str,
        key: str | Key | None = None,
        token: Callable[[], str] | None = None,
    ) -> None:
        key = sealed(key)
        if token is not None and (key is not None or not callable(token)):
            token = None
            raise Misuse("token= is a function that gives a token, and stands in place of key=.")
        url = f"wss://{resource}.openai.azure.com/openai/v1/realtime"
        super().__init__(url, model=deployment, name=f"Azure {resource}", key=key)
        self._token = token
        if token is not None:
            self.key_header = "Authorization"
        elif key is None:
            self._key = find_key(AZURE_KEY_VARIABLE)

    @property
    def lacks_key(self) -> bool:
        return self._key is None and self._token is None

    async def headers(self) -> dict[str, Key]:
        if self._token is not None:
            self._key = await self._fetched(self._token)
        if self._key is None:
            raise ConnectFailed(
                f"There is no key for Azure. Set {AZURE_KEY_VARIABLE}, or pass key= or token=."
            )
        return await super().headers()

    async def _fetched(self, token: Callable[[], str]) -> Key:
        try:  # on a thread: it asks a server, and perhaps a person
            return await asyncio.wait_for(asyncio.to_thread(fetched, token), TOKEN_SECONDS)
        except TimeoutError:
            pass
        raise ConnectFailed(f"token= gave no token within {TOKEN_SECONDS:g} s.")


class Simulated(Endpoint):
    """The simulator on this machine: no key, no network, no cost, and it says what it is.

    Args:
        latency: `"typical"` answers at the pace of the real service, `"none"` at once.
        seed: the same seed gives the same words.
        where: `"process"` (a child process shared by this kernel, so that a busy cell does not
            slow it), `"thread"` of this process, or `"memory"`: no socket, on a virtual clock.
        options: what `rtwidgets.Simulator` takes besides, for example
            `script=[("user says", "assistant says")]`, `user_lines=["…"]`, `chat_url="…"` or
            `faults=["drop-after=20"]`.
    """

    def __init__(
        self,
        latency: Literal["none", "typical"] = "typical",
        seed: int = 0,
        where: Literal["process", "thread", "memory"] = "process",
        model: str | None = None,
        **options: Any,
    ) -> None:
        if latency in MODELS:
            raise Misuse(f"The model has a name here: Simulated(model={latency!r}).")
        if latency not in ("none", "typical"):
            raise Misuse(f'latency is "none" or "typical", not {latency!r}.')
        if where not in ("process", "thread", "memory"):
            raise Misuse(f'where is "process", "thread" or "memory", not {where!r}.')
        super().__init__("ws://localhost/v1/realtime", model=model, name="Simulator")
        self.latency = latency
        self.seed = seed
        self.where = where
        self.options = options
        self._own: Simulator | None = None
        self._opened = 0  # lines in memory

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        model = model or self.model
        if self.where == "memory":
            from .simulator.memory import connect

            self._opened += 1
            line: Transport = connect(
                model=model,
                latency=self.latency,
                seed=self.seed,
                nth=self._opened,
                **self.options,
            )
            return line
        return await (await self.there(timeout)).open(model, timeout)

    async def there(self, timeout: float = 30.0) -> Endpoint:
        if self.where == "memory":
            raise Misuse('A simulator in memory has no address. Take where="process".')
        simulator = await asyncio.wait_for(asyncio.to_thread(_running, self), timeout)
        return Endpoint(simulator.url, key=simulator.key, model=self.model, name=self.name)

    def new_simulator(self) -> Simulator:
        """A simulator of this kind, not started. Raises Misuse for options it does not know."""
        from .simulator import Simulator

        return Simulator(
            latency=self.latency,
            seed=self.seed,
            in_process=self.where == "thread",
            **self.options,
        )


def _checked(url: str) -> tuple[str, str, str]:
    """An address, its host with port, and the model it names. Raises Misuse in words."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except (ValueError, UnicodeError) as problem:
        raise Misuse(f"This is not an address to connect to: {problem}.") from None
    if parts.scheme not in ("ws", "wss") or not host:
        raise Misuse(f"{url!r} is not a WebSocket address; it begins with ws:// or wss://.")
    if parts.username or parts.password:
        raise Misuse("An address must not hold a name or password. Pass key= or headers= instead.")
    model = parse_qs(parts.query).get("model", [""])[0]
    return url, f"{host}:{port}" if port else host, model


# One simulator for a kind, shared by all sessions of this process, ended with it.
_simulators: dict[tuple[str, int, str], Simulator] = {}
_starting = threading.Lock()


def _running(endpoint: Simulated) -> Simulator:
    """The simulator of an endpoint, running: its own where it has options, else a shared one."""
    kind = (endpoint.latency, endpoint.seed, endpoint.where)
    with _starting:
        simulator = endpoint._own if endpoint.options else _simulators.get(kind)
        if simulator is not None and simulator.running:
            return simulator
        simulator = endpoint.new_simulator()
        simulator.start()
        if endpoint.options:
            endpoint._own = simulator
        else:
            _simulators[kind] = simulator
        return simulator


def warm_up() -> threading.Thread:
    """Load what the first line needs on a thread, and return at once.

    Beside a busy cell an import waits for the cell again and again; this is for when a conversation
    is prepared, before any such cell runs.
    """
    thread = threading.Thread(target=_load_all, name="rtwidgets-warm-up", daemon=True)
    thread.start()
    return thread


def _load_all() -> None:
    import websockets.asyncio.client  # noqa: F401

    from .simulator import launch  # noqa: F401


def default_endpoint() -> Endpoint:
    """OpenAI where a key is there, else the simulator."""
    return OpenAI() if find_key() else Simulated()


_told = False


def chosen(endpoint: object) -> Endpoint:
    """`endpoint`, or the default for None, which is told once when it is the simulator.

    Raises Misuse for what is no endpoint.
    """
    global _told
    if isinstance(endpoint, Endpoint):
        return endpoint
    if endpoint is not None:
        hint = f" For an address write Endpoint({endpoint!r})." if isinstance(endpoint, str) else ""
        raise Misuse(
            f"An endpoint is an object such as Simulated() or OpenAI(), not "
            f"{type(endpoint).__name__}.{hint}"
        )
    default = default_endpoint()
    if isinstance(default, Simulated) and not _told:
        _told = True
        print(
            "rtwidgets: there is no key, so this talks to the simulator on this machine.",
            file=sys.stderr,
        )
    return default


# ---------------------------------------------------------------- money

_spending_approved = False


def spending_notice(endpoint: Endpoint, model: str | None = None) -> str | None:
    """What a session would cost, in a sentence to agree to; None when nobody has to be asked.

    A key in the environment never makes a notebook spend silently: the first paid session of a
    process asks, by a click or by `budget=`.
    """
    if not endpoint.paid or _spending_approved or endpoint.lacks_key:
        return None  # without a key the session fails before it costs anything
    model = model or endpoint.model
    cost = rough_cost_of_minutes(1, model)
    price = (
        f"very roughly ${cost:.2f} for a minute of conversation (prices of {PRICES_AS_OF})"
        if cost is not None
        else "at a price this table does not know"
    )
    return f"{endpoint.name} with {model} costs money: {price}."


def approve_spending() -> None:
    """Remember for this process that someone agreed to paid sessions."""
    global _spending_approved
    _spending_approved = True
