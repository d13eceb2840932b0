"""Frames taken apart: the event in a frame, the base64 audio cut out of its text, and the PCM.

Nearly all bytes of a session are base64 inside JSON. Looking for its end costs a tenth of parsing
it as a string, so the audio is cut out first and the small rest is parsed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json.scanner import make_scanner
from typing import Any

from .. import audio
from ..events import AUDIO_FIELDS, Event, parse, text_field

NOT_CUT = -1


Taken = tuple[Event | None, str, int, bytes]
"""A frame taken apart: (event, text, cut, pcm). A plain tuple, for it is made for every frame.

event: the frame as a dict, its audio included; None where it is not a JSON object.
text: the frame as it is kept. `text[:cut] + base64 of pcm + text[cut:]` is the frame, always.
cut: where audio was cut out of it, in characters; NOT_CUT where none was.
pcm: the audio in it, also where it could not be cut out; empty without.
"""


_scan: Callable[[str, int], tuple[Any, int]] = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]


def parse_fast(frame: str) -> Event | None:
    """The same as `parse`, without what `json.loads` does around its scanner."""
    try:
        event, end = _scan(frame, 0)
    except (StopIteration, ValueError, RecursionError):
        return parse(frame)
    if end != len(frame):
        return parse(frame)
    return event if event.__class__ is dict else None


# Shorter frames are parsed as they are. Audio stands behind ids and indices, none of them long.
_LONG = 600
_KEY_BEFORE = 1000
_KEYS = tuple(f'"{field}"' for field in dict.fromkeys(AUDIO_FIELDS.values()))


def take_apart(frame: str) -> Taken:
    """The event in a frame, its text without audio, and the audio."""
    if len(frame) > _LONG:
        for key in _KEYS:
            taken = _cut_first(frame, key)
            if taken is not None:
                return taken
    event = parse_fast(frame)
    if event is not None:
        type_ = event.get("type")
        if type_.__class__ is str and type_ in AUDIO_FIELDS:
            return _cut_after(frame, event, AUDIO_FIELDS[type_])
    return event, frame, NOT_CUT, b""


def _cut_first(frame: str, key: str) -> Taken | None:
    """Cut before parsing. None where there is any doubt about what is being cut.

    There is none when the rest is an audio event whose field is empty, and names that field once
    and without escapes: then this place is the field's.
    """
    at = frame.find(key, 0, _KEY_BEFORE)
    if at < 0:
        return None
    start = at + len(key) + 1
    if frame[start : start + 1] == " ":
        start += 1
    if frame[start - 1] not in ": " or frame[start : start + 1] != '"':
        return None
    start += 1
    end = frame.find('"', start)
    if end <= start:
        return None
    text = frame[:start] + frame[end:]
    if "\\" in text or text.find(key, start) >= 0:
        return None
    event = parse_fast(text)
    field = key[1:-1]
    if event is None or event.get(field) != "":
        return None
    type_ = event.get("type")
    if type_.__class__ is not str or AUDIO_FIELDS.get(type_) != field:
        return None
    encoded = frame[start:end]
    pcm = _decoded(encoded)
    if pcm is None or not _encodes_back(pcm, encoded):
        return None
    event[field] = encoded
    return event, text, start, pcm


def _cut_after(frame: str, event: Event, field: str) -> Taken:
    """Cut what parsing found. Other audio (escaped slashes, no padding, there twice) stays in the
    text as well."""
    encoded = text_field(event, field)
    pcm = _decoded(encoded + "=" * (-len(encoded) % 4)) if encoded else b""
    if not pcm:
        return event, frame, NOT_CUT, b""
    cut = frame.find(encoded)
    if cut < 0 or not _encodes_back(pcm, encoded) or frame.find(encoded, cut + 1) >= 0:
        return event, frame, NOT_CUT, pcm
    return event, frame[:cut] + frame[cut + len(encoded) :], cut, pcm


def _decoded(encoded: str) -> bytes | None:
    try:
        return audio.decode(encoded)
    except ValueError:
        return None


def _encodes_back(pcm: bytes, encoded: str) -> bool:
    """Whether encoding gives the same characters again. Decoding is strict, so that only bits
    behind the last byte could be lost: the last four characters tell."""
    if not encoded.endswith("="):
        return len(encoded) % 4 == 0
    start = (len(encoded) - 4) // 4 * 3
    return len(encoded) % 4 == 0 and audio.encode(pcm[start:]) == encoded[-4:]
