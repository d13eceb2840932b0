"""Logs written by hand: what a session might have been, row by row."""

from __future__ import annotations

import json
from typing import Any

from rtwidgets import EventLog, audio
from rtwidgets.timeline import Timeline, timeline_of

MS = 48  # bytes of PCM16 in a millisecond


class Story:
    """A log written by hand: `at` seconds, `client`, `server` or `local`, an event."""

    def __init__(self, session: dict[str, Any] | None = None) -> None:
        self.log = EventLog()
        if session is not None:
            self.server(0.0, "session.created", session=session)

    def client(self, at: float, type: str, **fields: Any) -> int:
        return self.log.append("client", {"type": type, **fields}, t=at).seq

    def server(self, at: float, type: str, **fields: Any) -> int:
        return self.log.append("server", {"type": type, **fields}, t=at).seq

    def local(self, at: float, type: str, **fields: Any) -> int:
        return self.log.append("local", {"type": type, **fields}, t=at).seq

    def microphone(self, start: float, seconds: float, size: int = MS, chunk_ms: int = 40) -> None:
        """Audio appended at its own pace; `size` bytes are a millisecond."""
        chunk = audio.encode(b"\x10" * (size * chunk_ms))
        for number in range(round(seconds * 1000 / chunk_ms)):
            at = start + number * chunk_ms / 1000
            self.client(at, "input_audio_buffer.append", audio=chunk)

    def reply(
        self, at: float, seconds: float, item: str = "item_a", response: str = "resp_a",
        size: int = MS, **created: Any,
    ) -> None:  # fmt: skip
        """A reply that arrives in pieces of 250 ms, 50 ms apart, words first."""
        names = {"item_id": item, "response_id": response}
        self.server(at, "response.created", response={"id": response, **created})
        self.server(at, "response.output_audio_transcript.delta", delta="Hello ", **names)
        self.server(at, "response.output_audio_transcript.delta", delta="there", **names)
        sound = audio.encode(b"\x00\x40" * (size * 250 // 2))
        for number in range(round(seconds * 4)):
            self.server(at + 0.05 * number, "response.output_audio.delta", delta=sound, **names)

    def done(
        self, at: float, response: str = "resp_a", status: str = "completed", **more: Any
    ) -> int:
        return self.server(at, "response.done", response={"id": response, "status": status, **more})

    def timeline(self) -> Timeline:
        return timeline_of(self.log)


def barge_in(*, playback: bool) -> tuple[Story, dict[str, int]]:
    """A reply of 4 s that somebody speaks over 1.5 s after it began to arrive."""
    story = Story(session={})
    seqs = {}
    story.microphone(0.0, 2.4)
    story.reply(1.0, 4.0)
    if playback:
        story.local(1.1, "playback.started", item_id="item_a")
    seqs["speech"] = story.server(
        2.5, "input_audio_buffer.speech_started", audio_start_ms=2100, item_id="u"
    )
    seqs["done"] = story.done(
        2.55, status="cancelled",
        status_details={"type": "cancelled", "reason": "turn_detected"},
    )  # fmt: skip
    if playback:
        seqs["flushed"] = story.local(2.6, "playback.flushed", item_id="item_a", ms=1400)
    seqs["truncate"] = story.client(
        2.6, "conversation.item.truncate", item_id="item_a", content_index=0, audio_end_ms=1400
    )
    seqs["truncated"] = story.server(
        2.7, "conversation.item.truncated", item_id="item_a", content_index=0, audio_end_ms=1400
    )
    return story, seqs


def log_of(rows: list[dict[str, Any]], *, timed: bool) -> EventLog:
    log = EventLog()
    for number, row in enumerate(rows):
        log.append(row["direction"], json.dumps(row["event"]), t=number / 10 if timed else 0.0)
    return log
