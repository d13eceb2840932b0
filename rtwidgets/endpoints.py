"""Where to connect. The only module that reads a key, and the one that starts the simulator's
process when no key is there.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, quote, urlsplit

from .errors import ConnectFailed, Misuse
from .keys import Header, Key
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
VOICES = ("marin", "cedar", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse")

_KEY_VARIABLE = "OPENAI_API_KEY"
_AZURE_KEY_VARIABLE = "AZURE_OPENAI_API_KEY"


_asked_key: Key | None = None


def ask_key() -> None:
    """Ask for an OpenAI key without showing it, and keep it for this process only."""
    global _asked_key
    from getpass import getpass

    try:
        _asked_key = Key(getpass("OpenAI API key (not shown, kept for this kernel only): "))
    except Misuse:
        raise
    except Exception as no_input:  # a kernel without a person: StdinNotImplementedError, EOFError
        raise Misuse(
            f"Nobody can type a key here ({type(no_input).__name__}). "
            f"Set {_KEY_VARIABLE} before starting, or use the simulator."
        ) from None
    print("Key kept for this kernel. rtwidgets.OpenAI() uses it.")


def _find_key(given: str | Key | None, variable: str) -> Key | None:
    if given is not None:
        return given if isinstance(given, Key) else Key(given)
    if variable == _KEY_VARIABLE and _asked_key is not None:
        return _asked_key
    found = os.environ.get(variable, "")
    return Key(found) if found.strip() else None


def key_found_in(variable: str = _KEY_VARIABLE) -> str | None:
    """Where a session would take its key from, in words; None where there is none.

    Never the key itself. Raises Misuse for one that cannot be a key, without showing it.
    """
    if _find_key(None, variable) is None:
        return None
    return "ask_key()" if variable == _KEY_VARIABLE and _asked_key is not None else variable


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

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        key: str | Key | None = None,
        model: str | None = None,
        name: str | None = None,
        paid: bool | None = None,
    ) -> None:
        self.url, host, self._model_in_url = _checked(url)
        self.name = name or host
        self.paid = (not is_loopback(url)) if paid is None else paid
        self._headers = {one: Header(one, value) for one, value in (headers or {}).items()}
        self._key = _find_key(key, "") if key is not None else None
        self.model = DEFAULT_MODEL
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
            self._address(model or self.model), self._all_headers(), timeout
        )

    def _address(self, model: str) -> str:
        query = parse_qs(urlsplit(self.url).query)
        if {"model", "call_id", "intent"} & query.keys():  # exactly one of these three is legal
            return self.url
        return f"{self.url}{'&' if query else '?'}model={quote(model, safe='')}"

    def _all_headers(self) -> dict[str, Key]:
        if self._key is None:
            return dict(self._headers)
        scheme = "Bearer " if self.key_header == "Authorization" else ""
        own = Header(self.key_header, scheme + self._key.reveal())
        return {self.key_header: own, **self._headers}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name}, {self.model})"


class OpenAI(Endpoint):
    """OpenAI's own service. The key comes from the argument, `ask_key()` or `OPENAI_API_KEY`."""

    def __init__(self, model: str | None = None, key: str | Key | None = None) -> None:
        super().__init__("wss://api.openai.com/v1/realtime", model=model, name="OpenAI", key=key)
        self._given_key = self._key

    @property
    def lacks_key(self) -> bool:
        return (self._given_key or _find_key(None, _KEY_VARIABLE)) is None

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        self._key = self._given_key or _find_key(None, _KEY_VARIABLE)
        if self._key is None:
            raise ConnectFailed(
                f"There is no OpenAI key. Call rtwidgets.ask_key(), set {_KEY_VARIABLE} or pass "
                "key=; rtwidgets.Simulated() needs none."
            )
        return await super().open(model, timeout)


class Azure(Endpoint):
    """Azure OpenAI's GA endpoint.

    Args:
        resource: the name in `https://<resource>.openai.azure.com`.
        deployment: the deployment's name, which stands where OpenAI has the model.
        key: the resource's key; otherwise `AZURE_OPENAI_API_KEY`.
    """

    key_header = "api-key"

    def __init__(self, resource: str, deployment: str, key: str | Key | None = None) -> None:
        url = f"wss://{resource}.openai.azure.com/openai/v1/realtime"
        super().__init__(url, model=deployment, name=f"Azure {resource}")
        self._key = _find_key(key, _AZURE_KEY_VARIABLE)

    @property
    def lacks_key(self) -> bool:
        return self._key is None

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        if self._key is None:
            raise ConnectFailed(
                f"There is no key for Azure. Set {_AZURE_KEY_VARIABLE} or pass key=."
            )
        return await super().open(model, timeout)


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

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        model = model or self.model
        if self.where == "memory":
            from .simulator.memory import connect

            line: Transport = connect(
                model=model, latency=self.latency, seed=self.seed, **self.options
            )
            return line
        simulator = await asyncio.wait_for(asyncio.to_thread(_running, self), timeout)
        there = Endpoint(simulator.url, key=simulator.key, model=model, name=self.name)
        return await there.open(model, timeout)

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
    return OpenAI() if _find_key(None, _KEY_VARIABLE) else Simulated()


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
