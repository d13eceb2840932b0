"""Who has the floor: the responses of a session that are being played, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from . import refusals
from .faults import TOO_LONG
from .items import Entry
from .jobs import Result, Speak, Think
from .outputs import Stage
from .planning import plan_for
from .refusals import Refusal
from .responses import CancelReason, Pause, Response
from .timeline import Due
from .tokens import Ledger

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]

_OVER: Final = object()  # a script has ended
MOST_RESPONSES = 64  # at one time, out of band; what the real limit is we do not know
RATE_LIMIT = 15_000_000  # captured: {"name":"tokens","limit":15000000,…}


@dataclass(eq=False)
class Play:
    """A response being played: its script, and the step of it that is due (None: it waits)."""

    response: Response
    script: Iterator[Pause]
    step: Due | None = None


class Floor:
    """At most one response of the conversation, and any number out of band beside it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.active: Response | None = None  # of the conversation
        self.has_sounded = False  # the assistant, in the conversation: its voice is fixed now
        self.replies = 0  # responses that ended
        self._begun = 0
        self._plays: dict[str, Play] = {}
        self._ledger = Ledger()
        self._afterwards: list[tuple[Callable[[], None], str | None]] = []
        self._left_out: set[str] = set()  # items that a retention ratio cut off, for good

    # --- asking for a response

    def asked(self, wanted: Json) -> None:
        """A client's response.create. Raises Refusal while another response is active."""
        in_conversation = wanted.get("conversation", "auto") == "auto"
        if in_conversation and self.active is not None:
            raise refusals.active_response(self.active.id)
        if len(self._plays) >= MOST_RESPONSES:
            raise refusals.too_many_responses(MOST_RESPONSES)
        self._start(wanted, in_conversation)

    def answer_turn(self) -> None:
        """Turn detection answers by itself; refused (§4.2) where a response is active already."""
        if self._engine.session["type"] != "realtime":
            return
        try:
            self.asked({})
        except Refusal as refusal:  # nobody asked: there is no event to name
            self._engine.refuse(refusal, None)

    def _start(self, wanted: Json, in_conversation: bool = True) -> None:
        """Begin a response; `wanted` is the `response` of a response.create."""
        engine = self._engine
        tools = engine.session["tools"] if wanted.get("tools") is None else wanted["tools"]
        context = self._context(wanted)
        plan = plan_for(
            engine.session,
            wanted,
            context,
            conversation_id=engine.conversation_id if in_conversation else None,
            voice_is_fixed=self.has_sounded and in_conversation,
            replies_before=self.replies,
            granted=engine.listings.granted(tools),
        )
        engine.listings.want(tools)
        if in_conversation and wanted.get("input") is None:
            self._left_out |= {entry.id for entry in context} - {e.id for e in plan.context}
        self._begun += 1
        fault = engine.faults.of_response(self._begun, engine.session["model"])
        failure = TOO_LONG if plan.overflows else fault
        response = Response(self._stage(in_conversation), plan, failure)
        if in_conversation:
            self.active = response
            engine.idle.stop()
        self._plays[response.id] = play = Play(response, response.script())
        self._advance(play)

    def _stage(self, in_conversation: bool) -> Stage:
        engine = self._engine
        return Stage(
            emit=engine.emit,
            item_events=engine.item_events,
            ask=engine.ask,
            new_id=engine.new_id,
            pace=engine.pace,
            items=engine.items,
            ledger=self._ledger,
            heard_audio=self._fix_voice if in_conversation else lambda: None,
        )

    def _fix_voice(self) -> None:
        self.has_sounded = True

    # --- what a response sees

    def _context(self, wanted: Json) -> tuple[Entry, ...]:
        """The items a response sees: the conversation's, or just those of `input`."""
        engine = self._engine
        if wanted.get("input") is None:
            # What a retention ratio cut off stays away, so that the start stays cached; the
            # other ways of truncating look at everything each time.
            ratio = isinstance(engine.session["truncation"], dict)
            gone = self._left_out if ratio else ()
            return tuple(entry for entry in engine.items if entry.id not in gone)
        return tuple(
            self._referenced(item, f"response.input[{place}].id")
            if item["type"] == "item_reference"
            else engine.entry_of(item)
            for place, item in enumerate(wanted["input"])
        )

    def _referenced(self, item: Json, param: str) -> Entry:
        entry = self._engine.items.get(item["id"])
        if entry is None:
            raise refusals.no_referenced_item(item["id"], param)
        return entry

    def truncation_changed(self) -> None:
        """Another way of leaving things out begins with all there is."""
        self._left_out.clear()

    # --- playing

    def deliver(self, job: Think | Speak, result: Result, now: float) -> None:
        """Hand in what came of a job; ignored when its response is over."""
        play = self._plays.get(job.response_id)
        if play is not None:
            play.response.take(job, result)
            self._go_on(play, now)

    def plays(self, response_id: str) -> bool:
        """Whether this response still goes on. Safe to ask from another thread."""
        return response_id in self._plays

    def go_on(self) -> None:
        """Something that responses may wait for has come."""
        for play in list(self._plays.values()):
            self._go_on(play, self._engine.time)

    def _go_on(self, play: Play, now: float) -> None:
        """Wake a response that waits; one that pauses looks by itself."""
        if play.step is None:
            play.step = self._engine.call_at(now, partial(self._advance, play))

    def _advance(self, play: Play) -> None:
        """Go on with a response until it pauses, waits or ends."""
        play.step = None
        pause = next(play.script, _OVER)
        if pause is _OVER:
            self._ended(play.response)
        elif isinstance(pause, (int, float)):
            when = self._engine.time + pause
            play.step = self._engine.call_at(when, partial(self._advance, play))

    def check_approval(self, approval: Json) -> None:
        """Raises Refusal where nobody asked: no item, nor a response out of band."""
        request_id = approval["approval_request_id"]
        entry = self._engine.items.get(request_id)
        known = entry is not None and entry.wire["type"] == "mcp_approval_request"
        if not known and not any(p.response.asks(request_id) for p in self._plays.values()):
            raise refusals.no_such_approval_request(request_id)

    def approve(self, approval: Json) -> None:
        """A client's mcp_approval_response: the call that waits for it goes on."""
        for play in self._plays.values():
            if play.response.approve(approval):
                self._go_on(play, self._engine.time)

    # --- ending

    def is_calling(self, call_id: str) -> bool:
        """Whether the active response makes this call and is not done with it."""
        outputs = self.active.outputs if self.active else ()
        return any(output.entry.wire.get("call_id") == call_id for output in outputs)

    def wait_for_end(self, act: Callable[[], None], event_id: str | None) -> None:
        """Do something, which may be refused, once the active response is done."""
        self._afterwards.append((act, event_id))

    def _act_afterwards(self) -> None:
        waiting, self._afterwards = self._afterwards, []
        for act, event_id in waiting:
            try:
                act()
            except Refusal as refusal:
                self._engine.refuse(refusal, event_id)

    def cancelled(self, response_id: str | None) -> None:
        """A client's response.cancel. Raises Refusal when there is nothing to cancel."""
        wanted = response_id or (self.active.id if self.active else None)
        if wanted not in self._plays:
            raise refusals.nothing_to_cancel()
        self._cancel(self._plays[wanted], "client_cancelled")

    def interrupt(self) -> None:
        """Speech over a reply: the active response ends as `turn_detected` (§3.5)."""
        if self.active is not None:
            self._cancel(self._plays[self.active.id], "turn_detected")

    def _cancel(self, play: Play, reason: CancelReason) -> None:
        if play.step is not None:
            play.step.cancel()
        play.response.cancel(reason)
        self._ended(play.response)

    def _ended(self, response: Response) -> None:
        """Captured: rate_limits.updated directly after response.done, one entry."""
        was_active = response is self.active
        if was_active:
            self.active = None
            heard_ms = response.audio_ms if response.status != "cancelled" else 0
            self._engine.idle.reply_ended(heard_ms)
        self.replies += 1
        del self._plays[response.id]
        if not self._engine.faults.no_rate_limits:
            self._tell_rate_limits(response.tokens_used)
        if response.calls_mcp:
            self._engine.play(response.tail())
        if was_active:
            self._act_afterwards()

    def _tell_rate_limits(self, used: int) -> None:
        limit = {"name": "tokens", "limit": RATE_LIMIT, "remaining": RATE_LIMIT - used}
        limit["reset_seconds"] = round(60 * used / RATE_LIMIT, 3)
        self._engine.emit({"type": "rate_limits.updated", "rate_limits": [limit]})
