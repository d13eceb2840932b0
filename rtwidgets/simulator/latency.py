"""How fast the simulated service is: one table, in seconds, and how much it varies.

`typical` is for demonstrations; each line says where its number comes from. "Captured" is one
recording with times (pydantic-ai's test_idle_timeout_nudge_is_not_a_user_turn: two spoken replies
of gpt-realtime-2.1-mini, September 2026) and two of Azure Voice Live; the rest is an assumption of
ours. `none` is for tests, `realtime` for measuring: it sends sound as fast as it is played, 100 ms
at a time.

How much the numbers vary is an assumption too (`SPREAD`): each wait is the table's times a
factor whose logarithm is normal around 0, so half of all waits are longer than the
table says. Where the factor comes from is handed in: the same seed, the same times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ..errors import Misuse

Wait = Literal[
    "connect", "line", "first_delta", "first_sound", "text_delta", "audio_delta", "transcript"
]
Vary = Callable[[float], float]
"""`vary(spread)` is the next factor; around 1, the further off the greater the spread."""


@dataclass(frozen=True)
class Latency:
    name: str
    connect: float  # from the WebSocket's handshake to session.created
    line: float  # from a client frame to its effect
    first_delta: float  # from response.created to the first delta
    first_sound: float  # from a message's first words to its first delta of audio
    text_delta: float  # between two deltas of text, transcript or arguments
    audio_delta: float  # between two deltas of audio
    transcript: float  # from a user's committed audio to its transcript
    delta_ms: int = 250  # of sound in one delta; captured: about 250 (§3.2)


NONE = Latency("none", 0, 0, 0, 0, 0, 0, 0)

TYPICAL = Latency(
    "typical",
    connect=0.12,  # assumption: a session is set up in a nearby region
    line=0.03,  # captured: 63 and 67 ms there and back
    first_delta=0.34,  # captured: 310 and 360 ms
    first_sound=0.09,  # captured: 120 ms after the first word; three more words come before it
    text_delta=0.008,  # captured: 24 in 180 ms
    audio_delta=0.05,  # captured: 33 ms for each 375 ms of sound, eleven times real time, by the
    # small model; five times is our assumption for the large ones, and leaves room to interrupt
    transcript=0.5,  # captured: 560 ms; it may come any time after the commit (§3.4)
)

REALTIME = Latency("realtime", 0, 0, 0, 0, 0, audio_delta=0.1, transcript=0, delta_ms=100)

LATENCIES = {latency.name: latency for latency in (NONE, TYPICAL, REALTIME)}

#: The standard deviation of each wait's logarithm: 0.25 is two thirds of the waits within 25 %.
SPREAD: dict[Wait, float] = {
    "connect": 0.2,
    "line": 0.15,
    "first_delta": 0.25,
    "first_sound": 0.2,
    "text_delta": 0.2,
    "audio_delta": 0.1,
    "transcript": 0.3,
}


def latency_named(name: str) -> Latency:
    """The row of the table. Raises Misuse with the names there are."""
    try:
        return LATENCIES[name]
    except KeyError:
        choices = " or ".join(repr(known) for known in LATENCIES)
        raise Misuse(f"There is no latency {name!r}; use {choices}.") from None


def slower(latency: Latency, factor: float) -> Latency:
    """Every wait `factor` times as long; of `none`, of which nothing gets longer, the typical."""
    base = TYPICAL if latency is NONE else latency
    return replace(base, **{wait: factor * getattr(base, wait) for wait in SPREAD})


def steady(spread: float) -> float:
    """No variation: every wait is the table's."""
    return 1.0


@dataclass(frozen=True)
class Pace:
    """The waits of one session: the table's, varied."""

    latency: Latency
    vary: Vary = steady

    def of(self, wait: Wait) -> float:
        """Seconds to wait this time. What the table says is nothing stays nothing."""
        seconds: float = getattr(self.latency, wait)
        if not seconds or self.latency is REALTIME:
            return seconds
        return seconds * self.vary(SPREAD[wait])
