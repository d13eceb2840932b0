"""How fast the simulated service is: one table, in seconds.

`typical` is for demonstrations. The recordings we have carry no times, so most
of it is an assumption of ours, and each line says which. `none` is for tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Misuse


@dataclass(frozen=True)
class Latency:
    name: str
    connect: float  # from the WebSocket's handshake to session.created
    line: float  # from a client frame to its effect
    first_delta: float  # from response.created to the first delta
    text_delta: float  # between two deltas of text, transcript or arguments
    audio_delta: float  # between two deltas of audio, 250 ms of sound each
    transcript: float  # from a user's committed audio to its transcript


NONE = Latency("none", 0, 0, 0, 0, 0, 0)

TYPICAL = Latency(
    "typical",
    connect=0.12,  # assumption: a session is set up in a nearby region
    line=0.03,  # assumption: a nearby region, there and back
    first_delta=0.45,  # assumption: OpenAI speaks of about half a second to the first sound
    text_delta=0.012,  # assumption: about 80 tokens a second
    audio_delta=0.05,  # documented: faster than real time (§3.2); the factor 5 is an assumption
    transcript=0.3,  # assumption; captured is only that it may come any time after the commit
)

LATENCIES = {latency.name: latency for latency in (NONE, TYPICAL)}


def latency_named(name: str) -> Latency:
    """The row of the table. Raises Misuse with the names there are."""
    try:
        return LATENCIES[name]
    except KeyError:
        choices = " or ".join(repr(known) for known in LATENCIES)
        raise Misuse(f"There is no latency {name!r}; use {choices}.") from None
