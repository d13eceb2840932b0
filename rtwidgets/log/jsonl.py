"""A log as a file: one row a line, frames byte for byte but for logins; and the files of others.

    {"rtwidgets":1,"started":…,"endpoint":…,"model":…}            the first line, may be missing
    {"seq":0,"t":0.0123,"direction":"server","event":{…}}
    {"seq":1,"t":0.02,"direction":"server","raw":"…"}             a frame that is not JSON
    {"seq":2,"t":0.03,"direction":"server","event":{…},"raw":"…"}   one of several lines
    {"seq":3,"t":0.04,"direction":"server","event":{…},"base64":"…"}   one that came as bytes
    {"seq":4,"t":0.05,"direction":"client","event":{…},"hidden":true}   see logins.py

Reading also takes bare events, rows without seq, t or direction, and what others call them: see
`_EVENT_KEYS`, `_TIME_KEYS`, `_DIRECTION_KEYS`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .. import audio
from ..events import Event, parse, text_field
from .logins import for_a_file

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Header:
    """What a log is of: wall clock of its start (s since 1970), endpoint and model."""

    started: float | None = None
    endpoint: str = ""
    model: str = ""


@dataclass(frozen=True)
class Frame:
    """One frame of a file.

    Attributes:
        frame: as it was on the wire; bytes where it came as bytes.
        direction: client, server or local, None where the line does not say.
        t: seconds since the start, None where the line does not say.
        wall: seconds since 1970, where the line has the time of day.
    """

    frame: str | bytes
    direction: str | None = None
    t: float | None = None
    wall: float | None = None


# ---------------------------------------------------------------- writing


def header_line(header: Header) -> str:
    """The first line of a file."""
    known = {key: value for key, value in vars(header).items() if value}
    return json.dumps({"rtwidgets": FORMAT_VERSION, **known})


def frame_line(seq: int, t: float, direction: str, frame: str | bytes) -> str:
    """The line of one frame, which holds it exactly as it was on the wire, but for what logs in
    somewhere: where that was taken out, it says so."""
    frame, hidden = _without_logins(frame)
    end = ',"hidden":true}' if hidden else "}"
    start = f'{{"seq":{seq},"t":{round(t, 6)!r},"direction":"{direction}"'
    raw = frame if isinstance(frame, str) else frame.decode("utf-8", "backslashreplace")
    event = parse(raw)
    shown = "" if event is None else f',"event":{json.dumps(event)}'
    if isinstance(frame, bytes):
        return f'{start}{shown},"base64":"{audio.encode(frame)}"{end}'
    if event is None or not is_one_line(raw):
        return f'{start}{shown},"raw":{json.dumps(raw)}{end}'
    return f'{start},"event":{raw}{end}'


def _without_logins(frame: str | bytes) -> tuple[str | bytes, bool]:
    """The frame for a file, and whether anything was taken out of it."""
    shown: str | bytes
    if isinstance(frame, bytes):
        text = frame.decode("utf-8", "surrogateescape")
        shown = for_a_file(text).encode("utf-8", "surrogateescape")
    else:
        shown = for_a_file(frame)
    return shown, shown != frame


def is_one_line(raw: str) -> bool:
    """Whether a JSON text can stand in a line of UTF-8 as it is: not with line breaks, nor with
    half a character (a lone surrogate)."""
    if "\n" in raw or "\r" in raw:
        return False
    try:
        return raw.isascii() or bool(raw.encode())
    except UnicodeEncodeError:
        return False


# ---------------------------------------------------------------- reading


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
    return read_entry(entry, line)


def read_own_line(line: str) -> tuple[str, float, str] | None:
    """A line of our own writing as (direction, t, frame); None for any other.

    The frame is not looked at: the line is one of ours only if that is a JSON object.
    """
    head = _OWN_LINE.match(line)
    if head is None or line[-1] != "}":
        return None
    return head[2], float(head[1]), line[head.end() : -1]


_OWN_LINE = re.compile(
    r'\{"seq":\d{1,15},"t":(-?\d{1,15}(?:\.\d{1,20})?(?:e-?\d\d?)?),'
    r'"direction":"(client|server|local)","event":'
)


def read_entry(entry: Any, line: str = "") -> Header | Frame:
    """What a parsed line holds; `line`, its text, gives frames exactly where it is known."""
    if not isinstance(entry, dict):
        raise ValueError("is not an event")
    if "rtwidgets" in entry:
        started = finite(entry.get("started"))
        return Header(started, text_field(entry, "endpoint"), text_field(entry, "model"))
    if {"direction", "seq", "event"} & entry.keys():
        if isinstance(entry.get("base64"), str):
            return _described(entry, audio.decode(entry["base64"]))
        if isinstance(entry.get("raw"), str):
            return _described(entry, entry["raw"])
    for key in _EVENT_KEYS:
        inner = entry.get(key)
        if isinstance(inner, str) and parse(inner) is not None and not _is_event(entry):
            return _described(entry, inner)
        if isinstance(inner, dict) and (key == "event" or not _is_event(entry)):
            exact = _exact(line, key, inner) or json.dumps(inner, ensure_ascii=False)
            return _described(entry, exact)
    if isinstance(entry.get("type"), str):
        return _described(entry, line or json.dumps(entry, ensure_ascii=False))
    raise ValueError("has no event")


# What others call the event, the time and the direction in the rows of their logs. The reference
# console of OpenAI's beta kept {"time": ISO, "source": "client"|"server", "event": {…}}; browsers
# keep WebSocket frames as {"type": "send"|"receive", "time": s, "opcode": 1, "data": "…"}.
_EVENT_KEYS = ("event", "data", "payload", "message", "raw")
_TIME_KEYS = ("t", "time", "timestamp", "ts", "at", "elapsed")
_DIRECTION_KEYS = ("direction", "dir", "source", "from", "type")
_DIRECTIONS = {
    "client": ("client", "sent", "send", "out", "outbound", "outgoing", "c2s", ">", "user"),
    "server": ("server", "received", "receive", "recv", "in", "inbound", "incoming", "s2c", "<"),
    "local": ("local",),
}
_MEANINGS = {name: direction for direction, names in _DIRECTIONS.items() for name in names}


def _is_event(entry: Event) -> bool:
    """Whether a row is an event itself: it has a type, and that is no direction."""
    return isinstance(entry.get("type"), str) and entry["type"] not in _MEANINGS


def _described(entry: Event, frame: str | bytes) -> Frame:
    stated = (_MEANINGS.get(text_field(entry, key).lower()) for key in _DIRECTION_KEYS)
    direction = next((one for one in stated if one), None)
    for key in _TIME_KEYS:
        t, wall = _time(entry.get(key))
        if t is not None or wall is not None:
            return Frame(frame, direction, t, wall)
    return Frame(frame, direction)


# Seconds since the start are few; since 1970 they are 1e9, and milliseconds, micro- and nanoseconds
# each a thousand times as many.
_SINCE_1970 = 1e8
_UNITS = ((1e11, 1.0), (1e14, 1e-3), (1e17, 1e-6), (1e20, 1e-9))


def _time(value: Any) -> tuple[float | None, float | None]:
    """A time as (seconds since the start, seconds since 1970), None for what it does not say."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None, None
        return None, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    number = finite(value)
    if number is None or number < _SINCE_1970:
        return number, None
    return None, next((number * unit for end, unit in _UNITS if number < end), None)


def finite(number: Any) -> float | None:
    """The number, None where it is none, or none that a clock could show."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _exact(line: str, key: str, event: Event) -> str | None:
    """The text of the event in a line of any layout, None where it cannot be told for sure."""
    place = line.find(f'"{key}"')
    start = line.find("{", place)
    if place < 0 or start < 0:
        return None
    try:
        found, end = json.JSONDecoder().raw_decode(line, start)
    except (ValueError, RecursionError):
        return None
    return line[start:end] if found == event else None
