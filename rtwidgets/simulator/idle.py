"""turn_detection.idle_timeout_ms: the server prompts again when nobody speaks (§2g).

It counts from the end of the last reply's playback: response.done and then as long as
its sound lasts (documented). Nothing shows that it fires before a first reply,
so it does not, unless the engine is told otherwise; then it counts from session.updated.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .timeline import Due

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]


class Idle:
    """The one timer of a session."""

    def __init__(self, engine: Engine, before_first_reply: bool) -> None:
        self._engine, self._before_first_reply = engine, before_first_reply
        self._due: Due | None = None
        self._quiet_since: float | None = None  # when the last playback ends, or ended

    @property
    def _milliseconds(self) -> int | None:
        detection: Json = self._engine.session["audio"]["input"]["turn_detection"] or {}
        wait: int | None = detection.get("idle_timeout_ms")
        return wait if self._engine.session["type"] == "realtime" else None

    def session_changed(self) -> None:
        """The timeout may be another now, or none; a silence that lasts goes on counting."""
        waits_for_no_reply = self._before_first_reply and self._engine.floor.replies == 0
        if self._quiet_since is None and waits_for_no_reply and self._engine.floor.active is None:
            self._quiet_since = self._engine.time
        self._arm()

    def reply_ended(self, audio_ms: int) -> None:
        """response.done was sent; the reply's sound plays on for `audio_ms`."""
        self._quiet_since = self._engine.time + audio_ms / 1000
        self._arm()

    def stop(self) -> None:
        """Somebody speaks, or a reply begins: the silence is over."""
        self._quiet_since = None
        self._cancel()

    def _cancel(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _arm(self) -> None:
        self._cancel()
        if self._milliseconds is not None and self._quiet_since is not None:
            self._due = self._engine.call_at(self._quiet_since, self._playback_ended)

    def _playback_ended(self) -> None:
        assert self._quiet_since is not None and self._milliseconds is not None
        when = self._quiet_since + self._milliseconds / 1000
        fire = partial(self._fire, self._engine.input.appended_ms)
        self._due = self._engine.call_at(when, fire)

    def _fire(self, from_ms: int) -> None:
        self.stop()
        self._engine.input.time_out(from_ms)
        self._engine.floor.answer_turn()
