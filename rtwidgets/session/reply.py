"""One answer of the model: what it says, what it cost, how long it took. All from the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import audio
from ..events import Event, beta_names, text_field
from ..items import Response
from ..log import EventLog, Row
from ..pricing import cost_of
from ..tools import ToolCall


@dataclass(frozen=True, repr=False)
class Timing:
    """When a reply came, in seconds; None for what did not come.

    Counted from when its `response.create` was sent, or from the end of the spoken turn it answers.
    """

    created: float | None = None
    first_text: float | None = None
    first_audio: float | None = None
    done: float | None = None

    def __repr__(self) -> str:
        known = ((name, getattr(self, name)) for name in self.__dataclass_fields__)
        came = (f"{name}={time:.3f}" for name, time in known if time is not None)
        return f"Timing({', '.join(came)})"


@dataclass(frozen=True)
class Reply:
    """One answer of the model.

    Attributes:
        text: its words, written or spoken.
        transcript: the words of what was spoken; empty for a written reply.
        usage: the server's own report of tokens, None where it sent none.
        cost: US dollars by the price table, None where the model has no price. A simulator's reply
            has the price the real one would have had.
        status: completed, cancelled, failed or incomplete.
        error: why it failed, in the server's words; empty where it did not.
        tool_calls: the Python functions that were called on the way to it, in order; each with
            name, arguments, output, ok and seconds. Words, usage, cost and timing are those of the
            last response, in which the model answers.
    """

    text: str
    transcript: str
    usage: Event | None
    cost: float | None
    timing: Timing
    response_id: str
    status: str
    error: str
    log: EventLog
    tool_calls: tuple[ToolCall, ...] = ()

    sample_rate = audio.RATE

    @property
    def audio(self) -> audio.Samples:
        """What was spoken: int16 samples at 24 kHz, shape (n,); empty for a written reply."""
        return self.log.audio(self.response_id) if self.response_id else audio.samples_from_pcm(b"")

    def __repr__(self) -> str:
        seconds = len(self.audio) / self.sample_rate
        heard = f", {seconds:.1f} s of speech" if seconds else ""
        by = "simulated reply" if self.log.simulated else "reply"
        calls = ", ".join(dict.fromkeys(call.name for call in self.tool_calls))
        called = f", called {calls}" if calls else ""
        return f"<{by}, {self.status}{heard}{called}: {self.text or self.error!r}>"


def reply_of(
    response: Response,
    log: EventLog,
    model: str,
    request_id: str = "",
    calls: Sequence[ToolCall] = (),
) -> Reply:
    """The reply that a response is so far; its price is that of `model`.

    Args:
        request_id: the event id of the `response.create` that it answers, if it was one of ours.
        calls: of functions, on the way to it.
    """
    parts = (part for item in response.items for part in item.content)
    return Reply(
        text=response.text,
        transcript=" ".join(part.transcript for part in parts if part.transcript),
        usage=response.usage,
        cost=cost_of(response.usage, model),
        timing=_timing(response.id, log, request_id),
        response_id=response.id,
        status=response.status or "incomplete",
        error=response.error,
        log=log,
        tool_calls=tuple(calls),
    )


# What a reply may be the answer to, where no request of ours is known: the end of a spoken turn, or
# a request that was sent by hand.
_ASKING = ("response.create", "input_audio_buffer.speech_stopped")
_TEXT = ("response.output_text.delta", "response.output_audio_transcript.delta")
_AUDIO = ("response.output_audio.delta",)


def _timing(response_id: str, log: EventLog, request_id: str) -> Timing:
    rows = log.where(response_id=response_id)
    began = next(iter(rows), None)
    if began is None:
        return Timing()
    asked = _asked(log, request_id) or next(iter(log[: began.seq].where(type=_ASKING)[::-1]), began)

    def after(types: tuple[str, ...]) -> float | None:
        row = next(iter(rows.where(type=(*types, *beta_names(types)))), None)
        return None if row is None else row.t - asked.t

    return Timing(
        created=after(("response.created",)),
        first_text=after(_TEXT),
        first_audio=after(_AUDIO),
        done=after(("response.done",)),
    )


def _asked(log: EventLog, request_id: str) -> Row | None:
    if not request_id:
        return None
    requests = log.where(type="response.create", direction="client", text=request_id)
    named = (row for row in requests if text_field(row.event, "event_id") == request_id)
    return next(named, None)
