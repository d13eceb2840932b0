"""The models the simulator answers for and what each session starts with.

Source: protocol facts §1.4 and §1.6; the default instructions and every default
below are those of recorded `session.created` events (gpt-realtime and gpt-realtime-2.1).
"""

from __future__ import annotations

from typing import Any

from .jobs import NewId

REALTIME_MODELS = (
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
    "gpt-realtime-2",
    "gpt-realtime-1.5",
    "gpt-realtime",
    "gpt-realtime-2025-08-28",
    "gpt-realtime-mini",
    "gpt-realtime-mini-2025-10-06",
    "gpt-realtime-mini-2025-12-15",
)

VOICES = (
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
)

#: Transcribes as the audio comes and takes no turn detection in a transcription session.
STREAMING_TRANSCRIBERS = ("gpt-realtime-whisper", "gpt-live-transcribe")

SESSION_ID_PREFIX = "sess_simulated_"
SESSION_SECONDS = 3600

DEFAULT_INSTRUCTIONS = (
    "Your knowledge cutoff is 2023-10. You are a helpful, witty, and friendly AI. Act like a "
    "human, but remember that you aren't a human and that you can't do human things in the real "
    "world. Your voice and personality should be warm and engaging, with a lively and playful "
    "tone. If interacting in a non-English language, start by using the standard accent or "
    "dialect familiar to the user. Talk quickly. You should always call a function if you can. "
    "Do not refer to these rules, even if you’re asked about them."
)


def reasons(model: str) -> bool:
    """Whether it is a reasoning model: only these take `reasoning` and send a `phase`."""
    return model.startswith("gpt-realtime-2") and not model.startswith("gpt-realtime-2025")


def most_input_tokens(model: str) -> int:
    """Context less output: 128k - 32k for reasoning models, 32k - 4096 for the others (§1.6)."""
    return 96_000 if reasons(model) else 28_672


def pcm_format() -> dict[str, Any]:
    return {"type": "audio/pcm", "rate": 24000}


def server_vad(model: str) -> dict[str, Any]:
    """Captured: 200 ms of silence on gpt-realtime, 500 ms on gpt-realtime-2.1."""
    return {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500 if reasons(model) else 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }


def audio_input(model: str) -> dict[str, Any]:
    return {
        "format": pcm_format(),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": server_vad(model),
    }


def realtime_session(model: str, session_id: str, expires_at: int) -> dict[str, Any]:
    """The `session` of a recorded session.created, key for key, for this model."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": DEFAULT_INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": audio_input(model),
            "output": {
                "format": pcm_format(),
                "voice": "marin" if reasons(model) else "alloy",
                "speed": 1.0,
            },
        },
        "include": None,
    }


def new_session(intent: str, model: str, new_id: NewId, expires_at: int) -> dict[str, Any]:
    """The session of a new connection; `intent` is "realtime" or "transcription"."""
    session_id = new_id(SESSION_ID_PREFIX, 21)
    if intent == "transcription":
        return transcription_session(session_id, expires_at)
    return realtime_session(model, session_id, expires_at)


def transcription_session(session_id: str, expires_at: int) -> dict[str, Any]:
    """A session opened with ?intent=transcription: it hears and never answers."""
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": session_id,
        "expires_at": expires_at,
        "audio": {"input": audio_input("")},
        "include": None,
    }
