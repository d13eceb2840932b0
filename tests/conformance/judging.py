"""What a run has shown: judged here, from what the script reports and what went over the wire.

A script says what its client gave it: `{"part": …, "transcript": …, "audio_ms": …}`. Whether
that is a pass is not for the script to say.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from openai_events import problems, recorded, typed, undeclared
from pydantic import ValidationError

from conformance.order import disorder

Json = dict[str, Any]

SPOKEN, SECOND, TOOL = "spoken reply", "second turn", "tool call"
HEARD, INTERRUPTED = "spoken turn", "interruption"
PARTS = (SPOKEN, SECOND, TOOL, HEARD, INTERRUPTED)
LEAST_AUDIO_MS = 500
BYTES_PER_MS = 48


@dataclass
class Wire:
    """What the relay wrote down."""

    events: int = 0
    undeclared: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    turns_heard: int = 0
    interrupted: int = 0
    paced: bool = False  # where everything is sent at once, there is nothing left to interrupt


def reports(output: str) -> dict[str, Json]:
    """The lines of a script that are its reports, by part; the rest is the client's chatter."""
    found = {}
    for line in output.splitlines():
        if line.startswith('{"part"'):
            report = json.loads(line)
            found[report["part"]] = report
    return found


def read_wire(frames: Iterable[tuple[str, str]], paced: bool) -> Wire:
    """Look at every frame the simulator sent."""
    wire = Wire(paced=paced)
    sent = [json.loads(frame) for direction, frame in frames if direction == "server"]
    for event in sent:
        look(event, wire)
    wire.faults += disorder(sent)
    return wire


def look(event: Json, wire: Wire) -> None:
    wire.events += 1
    wire.faults += problems(event)
    with suppress(ValidationError, AssertionError):  # which is one of its problems
        wire.undeclared.update(path.lstrip(".") for path in undeclared(typed(event)))
    wire.turns_heard += event["type"] == "input_audio_buffer.committed"
    if event["type"] == "response.done":
        details = event["response"]["status_details"] or {}
        wire.interrupted += details.get("reason") == "turn_detected"
    if event["type"] == "error":
        wire.errors.append(event["error"]["message"])
    if event["type"] in ("response.output_audio_transcript.done", "response.output_text.done"):
        wire.said.append(event.get("transcript") or event.get("text") or "")


def strange(wire: Wire) -> list[str]:
    """Undeclared fields that no recording carries; there should be none."""
    return [path for path in wire.undeclared if not recorded("." + path)]


def familiar(wires: Iterable[Wire]) -> str:
    """Undeclared fields that recordings carry too, and how often they came."""
    total: Counter[str] = sum((wire.undeclared for wire in wires), Counter())
    return ", ".join(f"{path} {n}" for path, n in total.most_common() if recorded("." + path))


def judge(part: str, report: Json | None, wire: Wire) -> str:
    """Why the part is not shown, or nothing when it is."""
    if report is None:
        return "not reached"
    return next(objections(part, report, wire), "")


def objections(part: str, report: Json, wire: Wire) -> Iterator[str]:
    transcript = words(report.get("transcript", ""))
    if not transcript:
        yield "no transcript"
    if not any(words(said) in transcript for said in wire.said):
        yield f"heard {transcript!r}, which was not sent"
    if report.get("audio_ms", 0) < LEAST_AUDIO_MS:
        yield f"{report.get('audio_ms', 0)} ms of audio"
    if part == SECOND and "Ada" not in transcript:
        yield f"does not know the first: {transcript!r}"
    if part == TOOL and report.get("arguments") != {"city": "Rome"}:
        yield f"the function was called with {report.get('arguments')}"
    if part == TOOL and "21 degrees" not in transcript:
        yield f"does not tell the function's output: {transcript!r}"
    if wire.turns_heard < {HEARD: 1, INTERRUPTED: 3}.get(part, 0):
        yield f"{wire.turns_heard} spoken turns were heard"
    if part == INTERRUPTED and wire.said and words(wire.said[-1]) not in transcript:
        yield f"not the answer to what was heard last: {transcript!r}"
    if part == INTERRUPTED and wire.paced and not wire.interrupted:
        yield "no response was interrupted"


def words(text: str) -> str:
    return " ".join(text.split())
