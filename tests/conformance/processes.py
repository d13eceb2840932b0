"""The processes of a run: the simulator, and what other people's packages are run in."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
KEY = "sk-test-not-a-key"
START_SECONDS = 30
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "USERPROFILE")


async def start_simulator(latency: str) -> tuple[asyncio.subprocess.Process, str]:
    """`rtwidgets serve` of this project's environment, and its address."""
    serve = ["serve", "--port", "0", "--key", KEY, "--latency", latency]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rtwidgets", *serve),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    return process, await address_of(process, START_SECONDS)


async def address_of(process: asyncio.subprocess.Process, seconds: float) -> str:
    """The first line of its output that is an address. Raises EOFError when it ends without one,
    TimeoutError."""
    assert process.stdout is not None
    async with asyncio.timeout(seconds):
        async for line in process.stdout:
            if line.startswith(b"ws://"):
                return line.decode().strip()
    raise EOFError("it ended without an address")


async def start(command: list[str], folder: Path, url: str = "") -> asyncio.subprocess.Process:
    """Run it in `folder` with nothing of ours but the address and the key; its words in one."""
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # some start helpers of their own
    )


def environment(url: str) -> dict[str, str]:
    """Nothing of ours but where to connect and with what key; nobody calls home."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    own = {"OPENAI_API_KEY": KEY, "REALTIME_URL": url}
    quiet = {"OPENAI_AGENTS_DISABLE_TRACING": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **own, **quiet}


def end(process: asyncio.subprocess.Process) -> None:
    """The process's own group, with all it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


async def ended(process: asyncio.subprocess.Process) -> None:
    """The same, and wait until it is gone."""
    end(process)
    await process.wait()
