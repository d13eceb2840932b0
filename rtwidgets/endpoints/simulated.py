"""The simulator on this machine: one process for a kind, started when it is first needed."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ConnectFailed, Misuse
from ..keys import shown
from ..transport import Transport
from .endpoint import MODELS, Endpoint

if TYPE_CHECKING:
    from ..simulator import Simulator


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
            raise Misuse(f'latency is "none" or "typical", not {shown(latency)}.')
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
            from ..simulator.memory import connect

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
        try:
            simulator = await asyncio.wait_for(asyncio.to_thread(_running, self), timeout)
        except TimeoutError:
            raise ConnectFailed(
                f"The simulator did not start within {timeout:g} s. Try again: it may be there by "
                "then.",
                timed_out=True,
            ) from None
        return Endpoint(simulator.url, key=simulator.key, model=self.model, name=self.name)

    def new_simulator(self) -> Simulator:
        """A simulator of this kind, not started. Raises Misuse for options it does not know."""
        from ..simulator import Simulator

        return Simulator(
            latency=self.latency,
            seed=self.seed,
            in_process=self.where == "thread",
            **self.options,
        )


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

    from ..simulator import launch  # noqa: F401
