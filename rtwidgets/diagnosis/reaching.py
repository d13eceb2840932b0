"""Whether a server can be reached, without a key and so without a cent."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from ..endpoints import Endpoint, OpenAI, Simulated
from ..errors import ConnectFailed, RealtimeError
from ..events import parse
from .findings import Finding

REFUSALS = (401, 403)
"""What a server of this kind answers to a handshake without a key."""


async def simulator(timeout: float) -> Finding:
    """Starts a simulator of its own, waits for its first event, and ends it."""
    own = Simulated(latency="none").new_simulator()
    begun = time.monotonic()
    try:
        await asyncio.wait_for(asyncio.to_thread(own.start), timeout)
        there = Endpoint(own.url, key=own.key, name="Simulator")
        line = await there.open(timeout=timeout)
        try:
            async with asyncio.timeout(timeout):
                frame = await line.recv()
        finally:
            await line.close()
    except (RealtimeError, OSError, TimeoutError) as problem:
        return Finding(
            "server",
            "simulator",
            str(problem) or f"did not answer within {timeout:g} s",
            "mend",
            "Run: rtwidgets serve, in a terminal: what it says is the reason, most often a program "
            "that forbids connections on this machine.",
        )
    finally:
        await asyncio.to_thread(own.close)
    first = (parse(frame) if isinstance(frame, str) else None) or {}
    if first.get("type") != "session.created":
        return Finding(
            "server",
            "simulator",
            f"answered with {first.get('type') or 'nothing that can be read'}",
            "mend",
            "Run: pip install --force-reinstall rtwidgets, and restart the kernel.",
        )
    seconds = time.monotonic() - begun
    return Finding("server", "simulator", f"started and answered in {seconds:.1f} s", "fine")


async def service(endpoint: Endpoint | None, timeout: float, *, needed: bool) -> Finding:
    """Knocks at a server without a key: a refusal says that everything up to it is well.

    Args:
        endpoint: where; None for OpenAI. Only its address is used.
        needed: whether somebody means to talk to it, so that being cut off is to be mended.
    """
    there = endpoint or OpenAI()
    knock = Endpoint(there.url, model=there.model, name=there.name)
    begun = time.monotonic()
    try:
        line = await knock.open(timeout=timeout)
        await line.close()
    except ConnectFailed as refused:
        if refused.code not in REFUSALS:
            return _cut_off(there, refused, needed)
    except (RealtimeError, OSError) as problem:
        return _cut_off(there, problem, needed)
    ms = 1000 * (time.monotonic() - begun)
    return Finding(
        "server", there.name, f"reached in {ms:.0f} ms (asked without a key, nothing spent)", "fine"
    )


def _cut_off(there: Endpoint, problem: Exception, needed: bool) -> Finding:
    host = urlsplit(there.url).hostname
    if isinstance(problem, ConnectFailed) and problem.code in (400, 404):
        found = f"{host} is reached, and knows no such address or model (HTTP {problem.code})"
        remedy = "Check the address and model= of this endpoint."
        return Finding("server", there.name, found, "mend", remedy)
    if isinstance(problem, ConnectFailed) and problem.code is not None:
        found = f"{host} answered with HTTP {problem.code}"
    else:
        found = str(problem).split(". ")[0].rstrip(".")
    remedy = (
        f"Ask whoever runs this network to let WebSockets to {host}, port 443, through; "
        "rt.Simulated() needs no network."
    )
    return Finding("server", there.name, found, "mend" if needed else "limited", remedy)
