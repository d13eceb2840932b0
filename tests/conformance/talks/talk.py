"""The conversation that every client has, and how it says what came of it.

Three turns are typed, so that the simulator understands them, and answered aloud; the fourth is
spoken (a hum, which turn detection takes for speech), and so is the last, which interrupts its own
answer with another such turn. What a script reports is judged elsewhere (judging.py).
"""

from __future__ import annotations

import json
import math
import os
import struct
from typing import Any

KEY = os.environ["OPENAI_API_KEY"]
WS_URL = os.environ["REALTIME_URL"]  # ws://127.0.0.1:…/v1/realtime
WS_BASE = WS_URL.removesuffix("/realtime")
HTTP_BASE = WS_BASE.replace("ws://", "http://", 1)
MODEL = "gpt-realtime-2.1"

INSTRUCTIONS = "You are a friendly guide. Answer in one sentence."
SPOKEN, SECOND, TOOL = "spoken reply", "second turn", "tool call"
HEARD, INTERRUPTED = "spoken turn", "interruption"
SAY = {
    SPOKEN: "My name is Ada.",
    SECOND: "What is my name?",
    TOOL: "What is the weather in Rome?",
}
TOOL_NAME = "get_weather"
TOOL_DESCRIPTION = "Look up the weather for a city."
TOOL_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
calls: list[dict[str, Any]] = []


def weather(city: str) -> str:
    """What the function of every client does: remember the call, and say one thing."""
    calls.append({"city": city})
    return f"It is sunny in {city}, with 21 degrees."


def voice() -> list[bytes]:
    """One and a half second of a hum that swells like syllables, one second of silence: PCM16
    mono 24 kHz in chunks of 40 ms."""
    chunk, loud, quiet = 960, 36000, 24000
    swell = [math.sin(math.pi * (n % 6000) / 6000) for n in range(loud)]
    hum = [round(9000 * swell[n] * math.sin(2 * math.pi * 180 * n / 24000)) for n in range(loud)]
    pcm = struct.pack(f"<{loud + quiet}h", *hum, *[0] * quiet)
    return [pcm[at : at + 2 * chunk] for at in range(0, len(pcm), 2 * chunk)]


def report(part: str, transcript: str, audio_bytes: int, rate: int = 24000) -> None:
    """One part is over: what the client heard. `audio_bytes` of PCM16 mono at `rate`."""
    facts: dict[str, Any] = {"part": part, "transcript": transcript}
    facts["audio_ms"] = audio_bytes * 1000 // (2 * rate)
    if part == TOOL:
        facts["arguments"] = calls[-1] if calls else None
    print(json.dumps(facts), flush=True)
