"""Starting the simulator: `serve` in this process, `Simulator` in a child or a thread."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from ..errors import ConnectFailed, Misuse

if TYPE_CHECKING:
    from .settings import Settings

KEY_VARIABLE = "RTWIDGETS_SIMULATOR_KEY"
REAL_KEYS = frozenset({"OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"})
CHAT_KEY_VARIABLE = "RTWIDGETS_CHAT_KEY"  # sent to --chat-url, where that wants one
LOOPBACK = "127.0.0.1"
LOOPBACKS = (LOOPBACK, "localhost", "::1")
START_SECONDS = 20.0  # a cold Python on a slow disk
END_SECONDS = 3.0


def new_key() -> str:
    """A random key for one simulator. It opens nothing but that."""
    return "sk-simulator-" + secrets.token_urlsafe(18)


async def run(
    settings: Settings,
    key: str,
    port: int,
    ready: Callable[[str], None],
    stop: asyncio.Event,
    host: str = LOOPBACK,
) -> None:
    """Serve until `stop` is set; `ready(url)` is called once it listens.

    Raises ConnectFailed when the port is taken.
    """
    from .access import Gate
    from .server import listen
    from .simulation import Simulation
    from .speech import shared

    simulation = Simulation(Gate(key, anywhere=host not in LOOPBACKS), settings, shared())
    try:
        server, bound = listen(simulation, host, port)
    except (OSError, OverflowError) as problem:
        where = f"port {port}" if host in LOOPBACKS else f"port {port} of {host}"
        or_host = "" if host in LOOPBACKS else ", or an address that this machine has"
        raise ConnectFailed(
            f"The simulator cannot listen on {where}: {_reason(problem)}. "
            f"Take another port, or port 0 for any free one{or_host}.",
            code=getattr(problem, "errno", None),
        ) from problem
    ready(f"ws://{f'[{host}]' if ':' in host else host}:{bound}/v1/realtime")
    await stop.wait()
    server.stop()
    open_sessions = list(simulation.sessions)
    for session in open_sessions:
        session.close(1001, "The simulator is shutting down.")
    if open_sessions:
        await asyncio.wait([session.gone for session in open_sessions], timeout=1.0)
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.close_all_connections(), 1.0)
    simulation.workers.close()


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem)


def serve(
    port: int = 8765,
    key: str | None = None,
    latency: str = "typical",
    seed: int = 0,
    until_stdin_closes: bool = False,
    host: str = LOOPBACK,
    handshake_errors: bool = False,
    **options: Any,
) -> None:
    """Run the simulator here until interrupted; blocks. `options` are those of `Settings`.

    The first line of stdout is the address. Without `key` it is taken from the environment
    (RTWIDGETS_SIMULATOR_KEY), else made up, and then the second line says it. Beyond this
    machine (another `host`) it serves only with a key that was given.
    """
    options.setdefault("chat_key", os.environ.get(CHAT_KEY_VARIABLE))
    settings = settings_from(
        latency=latency, seed=seed, handshake_errors=handshake_errors, **options
    )
    given = key or os.environ.get(KEY_VARIABLE)
    _check_host(host, given)
    used = given or new_key()

    def ready(url: str) -> None:
        # What is loaded by now stays: the collector need not walk through it again and again,
        # which made everybody late.
        gc.collect()
        gc.freeze()
        print(url, flush=True)
        _warn_of(host)
        if given is None:
            print(f"key: {used}", flush=True)

    async def main() -> None:
        stop = asyncio.Event()
        if until_stdin_closes:
            _when_stdin_closes(asyncio.get_running_loop(), stop)
        await run(settings, used, port, ready, stop, host)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())


def settings_from(**options: Any) -> Settings:
    """See `settings.settings_from`; loaded here only when a simulator starts."""
    from . import settings

    return settings.settings_from(**options)


def _check_host(host: str, key: str | None) -> None:
    if host not in LOOPBACKS and not key:
        raise Misuse(
            f"To listen on {host}, beyond this machine, the simulator needs a key of your own: "
            f"give --key, or set {KEY_VARIABLE}."
        )


def _warn_of(host: str) -> None:
    if host not in LOOPBACKS:
        print(
            f"rtwidgets serve: listening on {host}: everyone who reaches this machine and has the "
            "key can use the simulator, and nothing is encrypted.",
            file=sys.stderr,
            flush=True,
        )


def _when_stdin_closes(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` when the parent is gone: its end of the pipe closes however it ended."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop may have ended first
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="rtwidgets-stdin", daemon=True).start()


class Simulator:
    """A simulator of one's own: `with Simulator() as sim: sim.url, sim.key`.

    It runs as a child process, so that a busy kernel does not slow the server; with
    `in_process=True` in a thread of this one. It ends with `close()`, with the block,
    or with this process. `options` are those of `Settings`: script, user_lines, chat_url,
    chat_model, faults, mcp, idle_before_first_reply, session_seconds; with `in_process=True`
    also brain and transcriber. Raises Misuse for what is not understood.
    """

    def __init__(
        self,
        latency: str = "none",
        seed: int = 0,
        in_process: bool = False,
        port: int = 0,
        key: str | None = None,
        **options: Any,
    ) -> None:
        self.settings = settings_from(latency=latency, seed=seed, **options)
        if not in_process:
            self.settings.check_for_a_process()
        self.latency, self.seed, self.in_process, self.port = latency, seed, in_process, port
        self.key = key or new_key()
        self.url = ""
        self._runner: _Child | _Thread | None = None

    def __repr__(self) -> str:
        return f"Simulator({self.url or 'not started'}, latency={self.latency!r}, seed={self.seed})"

    @property
    def running(self) -> bool:
        return self._runner is not None and self._runner.running

    def start(self) -> Simulator:
        """Start it and wait until it listens. Raises ConnectFailed when it does not."""
        if self.running:
            return self
        runner = _Thread(self) if self.in_process else _Child(self)
        self.url = runner.start()
        self._runner = runner
        atexit.register(self.close)
        return self

    def close(self) -> None:
        """End it; sessions are closed with 1001. Closing twice does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
            atexit.unregister(self.close)

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Child:
    """`python -m rtwidgets serve`, ended by closing its standard input."""

    def __init__(self, simulator: Simulator) -> None:
        self._settings, self._port = simulator.settings, simulator.port
        # The keys of paid services are not for a simulator: it has no use for them.
        mine = {name: value for name, value in os.environ.items() if name not in REAL_KEYS}
        self._environment = {**mine, KEY_VARIABLE: simulator.key, **_import_path()}
        if simulator.settings.chat_key:
            self._environment[CHAT_KEY_VARIABLE] = simulator.settings.chat_key
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> str:
        """Its address, once it listens: by then it has read what it was given in files."""
        with tempfile.TemporaryDirectory(prefix="rtwidgets-simulator-") as folder:
            return self._start(self._settings.arguments(Path(folder)))

    def _start(self, arguments: list[str]) -> str:
        command = [sys.executable, "-m", "rtwidgets", "serve", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [*command, "--until-stdin-closes", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            text=True,
            start_new_session=True,  # so that interrupting the kernel does not reach it
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        url = _first_line(self._process.stdout, START_SECONDS)
        if not url.startswith("ws://"):
            self._process.kill()
            _, said = self._process.communicate()
            raise ConnectFailed(_why(said, url))
        # Nobody reads on: drop what it may say later, so that it never waits for a reader.
        for stream in (self._process.stdout, self._process.stderr):
            threading.Thread(target=_drain, args=(stream,), daemon=True).start()
        return url

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _import_path() -> dict[str, str]:
    """So that the child finds the very rtwidgets that this process uses."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    old = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": here if not old else here + os.pathsep + old}


def _drain(stream: IO[str]) -> None:
    with stream, contextlib.suppress(OSError, ValueError):
        while stream.read(4096):
            pass


def _first_line(stream: IO[str], seconds: float) -> str:
    """The first line of `stream`, or "" when there is none within `seconds`."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(stream.readline()), daemon=True)
    reader.start()
    reader.join(seconds)
    return found[0].strip() if found else ""


def _why(stderr: str, said: str) -> str:
    last = (stderr.strip() or said).splitlines()
    detail = last[-1] if last else f"it said nothing for {START_SECONDS:.0f} seconds"
    return f"The simulator did not start: {detail.removeprefix('rtwidgets serve: ')}"


class _Thread:
    """The server on a loop of its own, in a thread of this process."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._url = ""
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="rtwidgets-simulator", daemon=True)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> str:
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise ConnectFailed("The simulator did not start in this process.")
        if self._problem is not None:
            raise self._problem
        return self._url

    def close(self) -> None:
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(END_SECONDS)

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as problem:  # handed to whoever waits in start()
            self._problem = problem
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        mine = self._simulator
        await run(mine.settings, mine.key, mine.port, self._ready, self._stop)

    def _ready(self, url: str) -> None:
        self._url = url
        self._started.set()
