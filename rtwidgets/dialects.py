"""What other servers say elsewhere than OpenAI's does, or do not say: one question a function.

Names alone are a matter of `events` (`GA_NAMES`); here it is about where a fact stands. Sources:
recorded sessions of xAI's and of Azure Voice Live's server, Hugging Face's speech-to-speech.
"""

from __future__ import annotations

from typing import Any

from . import audio
from .events import Event, field, text_field


def usage_of(event: Event) -> Event | None:
    """The usage that a `response.done` reports, None where it reports none.

    xAI's stands beside the response, in which it is `{}`. And a server that counts nothing, or not
    yet, reports zeros: of a response that has output they are no report.
    """
    usage = field(event, "response", "usage") or event.get("usage")
    if not isinstance(usage, dict) or not usage:
        return None
    if field(event, "response", "output") and not _counts(usage):
        return None
    return usage


def _counts(usage: Event) -> bool:
    """Whether any number in it is more than 0."""
    return any(
        _counts(value) if isinstance(value, dict) else isinstance(value, int | float) and value > 0
        for value in usage.values()
    )


def turn_detection_of(session: Event) -> Any:
    """The session's turn detection: an object, or None where it is off or nothing is said of it.

    Azure Voice Live, xAI and Qwen have it at the top of the session, as the beta had; there
    `{"type": null}` is off, too.
    """
    ear = field(session, "audio", "input")
    if isinstance(ear, dict) and "turn_detection" in ear:
        return ear["turn_detection"]
    flat = field(session, "turn_detection")
    return None if isinstance(flat, dict) and flat.get("type", "") is None else flat


def transcribes(session: Event) -> bool:
    """Whether what the user says is written down."""
    now = text_field(session, "audio", "input", "transcription", "model")
    return bool(now or text_field(session, "input_audio_transcription", "model"))


def input_bytes_per_ms(session: Event) -> int:
    """Bytes of a millisecond of the user's sound, in the format that the session is to hear."""
    stated = text_field(session, "audio", "input", "format", "type")
    stated = stated or text_field(session, "input_audio_format")
    return audio.G711_BYTES_PER_MS if stated.endswith(_G711) else audio.BYTES_PER_MS


_G711 = ("pcmu", "pcma", "ulaw", "alaw")


def formats_to_ask(session: Event) -> Event:
    """The fields of a `session.update` that ask for the format we speak and play, where the
    session that the server began with is not said to be in it.

    OpenAI and Azure say `audio/pcm` at 24 kHz, and nothing is asked of them. speech-to-speech says
    nothing and speaks at 16 kHz, which would be played half as fast again, and xAI takes the rate
    that it is told. A flat session, as the beta's, has only names for formats: it is left alone.
    """
    pcm: Event = {"type": "audio/pcm", "rate": audio.RATE}
    sides = {
        side: {"format": pcm}
        for side in ("input", "output")
        if f"{side}_audio_format" not in session and not _is_ours(session, side)
    }
    return {"audio": sides} if sides else {}


def _is_ours(session: Event, side: str) -> bool:
    given = field(session, "audio", side, "format")
    rate = field(given, "rate")
    return bool(text_field(given, "type")) and rate in (None, audio.RATE)
