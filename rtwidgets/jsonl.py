"""A log as a file: one row a line, frames byte for byte; and the files of others.

    {"rtwidgets":1,"started":…,"endpoint":…,"model":…}           the first line, may be missing
    {"seq":0,"t":0.0123,"direction":"server","event":{…}}
    {"seq":1,"t":0.0200,"direction":"server","raw":"…"}            a frame that is not JSON

Reading also takes bare events, and rows without seq, t or direction.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from .events import parse, text_field

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Header:
    """What a log is of: wall clock of its start (s since 1970), endpoint and model."""

    started: float | None = None
    endpoint: str = ""
    model: str = ""


@dataclass(frozen=True)
class Frame:
    """One frame of a file; None where the line does not say."""

    raw: str
    type: str = ""
    direction: str | None = None
    t: float | None = None


def header_line(header: Header) -> str:
    """The first line of a file."""
    known = {key: value for key, value in vars(header).items() if value}
    return json.dumps({"rtwidgets": FORMAT_VERSION, **known})


def frame_line(seq: int, t: float, direction: str, raw: str) -> str:
    """The line of one frame, which holds it exactly as it was on the wire."""
    start = f'{{"seq":{seq},"t":{round(t, 6)!r},"direction":"{direction}"'
    event = parse(raw)
    if event is None:
        return f'{start},"raw":{json.dumps(raw)}}}'
    if "\n" in raw or "\r" in raw:  # laid out over several lines: keep both, one to read, one exact
        return f'{start},"event":{json.dumps(event)},"raw":{json.dumps(raw)}}}'
    return f'{start},"event":{raw}}}'


def decoded(line: bytes) -> str:
    """The text of a line, also of one that is not quite UTF-8."""
    try:
        return line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return line.decode("utf-8", "replace")


def read_line(line: str) -> Header | Frame:
    """What a line holds. Raises ValueError with what is wrong with it, to follow "line 7 …"."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"is not JSON ({problem})") from None
    if not isinstance(entry, dict):
        raise ValueError("is not an event")
    if "rtwidgets" in entry:
        started = _finite(entry.get("started"))
        return Header(started, text_field(entry, "endpoint"), text_field(entry, "model"))
    if isinstance(entry.get("raw"), str) and {"direction", "seq", "event"} & entry.keys():
        return _frame(entry, entry["raw"])
    if isinstance(entry.get("event"), dict):
        exact = _exact(line) or json.dumps(entry["event"], ensure_ascii=False)
        return _frame(entry, exact)
    if isinstance(entry.get("type"), str):
        return Frame(line, entry["type"])
    raise ValueError("has no event")


def _frame(entry: dict[str, Any], raw: str) -> Frame:
    type_ = text_field(entry, "event", "type")
    return Frame(raw, type_, text_field(entry, "direction") or None, _finite(entry.get("t")))


def _finite(number: Any) -> float | None:
    """The number, None where it is none, or none that a clock could show."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _exact(line: str) -> str | None:
    """The frame in a line of our own writing, to the byte; None for lines others wrote."""
    start = line.find(',"event":')
    if not line.startswith('{"seq":') or start < 0 or not line.endswith("}"):
        return None
    raw = line[start + len(',"event":') : -1]
    return raw if parse(raw) is not None else None
