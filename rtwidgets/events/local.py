"""Local events: what happens on this side of the line, and builders for them.

They are logged as rows of direction `local`. Every one has a `type`; a log of another version may
have more of them, and more fields.
"""

from __future__ import annotations

from collections.abc import Sequence

from .names import Event

#   type                  further fields       what happened
#   playback.started      item_id              a person began to hear an item
#   playback.heard        item_id, ms, done    so much of it was heard, in ms from its start; `done`
#                                              when that is all there will be
#   playback.flushed      item_id, ms          the rest was thrown away, `ms` of it had been heard
#   playback.skipped      ms                   so much came before a page was there to play it
#   microphone.dropped    ms, message          so much was said that the server did not take
#   microphone.started    -                    from here on sound is sent
#   microphone.stopped    -                    and from here on none
#   tool.called           call_id, name,       a function of the user's is called; arguments as an
#                         arguments            object, or as the text that was none
#   tool.answered         call_id, ms, ok      it was answered after so long; `ok`: with a result
#   line.stalled          message              the server takes nothing of what is to be sent
#   line.resumed          ms                   and takes again, after so long
#   line.lost             code, reason,        the connection ended; a WebSocket's close code (null
#                         message, again       without one), the server's reason, a person's words;
#                                              `again`: another is being tried
#   line.moving           message              the session is about to reach its longest duration,
#                                              and the conversation moves to a new one
#   line.trying           attempt, seconds,    a new connection is tried after so long; why the
#                         message              attempt before failed
#   line.failed           code, message        no session came to stand: the close code, HTTP status
#                                              or error's code (null without one), and why
#   line.restored         attempts, seconds,   a new session goes on with the conversation: items
#                         carried, left_out,   told to it, ids of those that could not be, how much
#                         sent_again, message  of what was sent before was sent again
#   response.overdue      response_id,         nothing comes of a response any more, not even its
#                         message              end; what waited behind it is asked for
#   log.in_memory         message              the log's sound stays in memory: no room on the disk
#   opening.ended         ms, by               the opening's sound is over, said once: by `page`
#                                              where a person heard `ms` of it, by `clock` where
#                                              nobody plays, by `silence` where there was none
#   opening.failed        message              an opening's own code raised
#   budget.reached        message, budget,     no further reply is asked for: dollars allowed and
#                         spent                spent (null where that cannot be told)
LOCAL_EVENTS = (
    "playback.started",
    "playback.heard",
    "playback.flushed",
    "playback.skipped",
    "microphone.started",
    "microphone.stopped",
    "microphone.dropped",
    "tool.called",
    "tool.answered",
    "line.stalled",
    "line.resumed",
    "line.lost",
    "line.moving",
    "line.trying",
    "line.failed",
    "line.restored",
    "response.overdue",
    "log.in_memory",
    "opening.ended",
    "opening.failed",
    "budget.reached",
)

ENDS_OF_A_LINE = ("line.lost", "line.moving")
"""After these rows nothing comes from that session any more; another may go on with the
conversation."""


def playback_started(item_id: str) -> Event:
    """`playback.started`: a person began to hear an item."""
    return {"type": "playback.started", "item_id": item_id}


def playback_heard(item_id: str, ms: int, *, done: bool = False) -> Event:
    """`playback.heard`: of an item `ms` milliseconds from its start; `done`: that is all of it."""
    return {"type": "playback.heard", "item_id": item_id, "ms": ms, "done": done}


def playback_flushed(item_id: str, ms: int) -> Event:
    """`playback.flushed`: the rest of an item was thrown away when `ms` of it had been heard."""
    return {"type": "playback.flushed", "item_id": item_id, "ms": ms}


def playback_skipped(ms: int) -> Event:
    """`playback.skipped`: so much sound came before a page was there to play it."""
    return {"type": "playback.skipped", "ms": ms}


def microphone_dropped(ms: int, message: str) -> Event:
    """`microphone.dropped`: so much was said that the server did not take."""
    return {"type": "microphone.dropped", "ms": ms, "message": message}


def microphone(on: bool) -> Event:
    """`microphone.started` or `microphone.stopped`."""
    return {"type": "microphone.started" if on else "microphone.stopped"}


def tool_called(call_id: str, name: str, arguments: Event | str) -> Event:
    """`tool.called`: a function is called with what the model gave."""
    return {"type": "tool.called", "call_id": call_id, "name": name, "arguments": arguments}


def tool_answered(call_id: str, ms: int, ok: bool) -> Event:
    """`tool.answered`: a call was answered after `ms`; not `ok` where it brought no result."""
    return {"type": "tool.answered", "call_id": call_id, "ms": ms, "ok": ok}


def line_stalled(message: str) -> Event:
    """`line.stalled`: the server takes nothing of what is to be sent."""
    return {"type": "line.stalled", "message": message}


def line_resumed(ms: int) -> Event:
    """`line.resumed`: it takes again, after `ms`."""
    return {"type": "line.resumed", "ms": ms}


def line_lost(code: int | None, reason: str, message: str, *, again: bool = False) -> Event:
    """`line.lost`: the connection ended, with the close code and reason of the server, if any;
    `again` where another is being tried."""
    lost: Event = {"type": "line.lost", "code": code, "reason": reason, "message": message}
    return {**lost, "again": True} if again else lost


def line_moving(message: str) -> Event:
    """`line.moving`: the conversation moves to a new session before this one ends."""
    return {"type": "line.moving", "message": message}


def line_trying(attempt: int, seconds: float, message: str) -> Event:
    """`line.trying`: a new connection is tried after so many seconds; why the last one failed."""
    return {
        "type": "line.trying",
        "attempt": attempt,
        "seconds": round(seconds, 3),
        "message": message,
    }


def line_failed(code: int | str | None, message: str) -> Event:
    """`line.failed`: no session came to stand, and none is tried any more."""
    return {"type": "line.failed", "code": code, "message": message}


def line_restored(
    attempts: int,
    seconds: float,
    *,
    carried: int,
    left_out: Sequence[str],
    sent_again: int,
    message: str,
) -> Event:
    """`line.restored`: a new session goes on with the conversation, so long after the old one."""
    return {
        "type": "line.restored",
        "attempts": attempts,
        "seconds": round(seconds, 3),
        "carried": carried,
        "left_out": list(left_out),
        "sent_again": sent_again,
        "message": message,
    }


def response_overdue(response_id: str, seconds: float) -> Event:
    """`response.overdue`: nothing came of a response for so many seconds, while others waited; an
    empty id for one that was asked for and has not begun."""
    what = "this response" if response_id else "the reply that was asked for"
    message = (
        f"Nothing has come of {what} for {seconds:g} s, not even its end: what waited behind it is "
        "asked for now."
    )
    return {"type": "response.overdue", "response_id": response_id, "message": message}


def log_in_memory(message: str) -> Event:
    """`log.in_memory`: the log's sound could not be moved to a file, and stays in memory."""
    return {"type": "log.in_memory", "message": message}


def opening_ended(ms: int, by: str) -> Event:
    """`opening.ended`: the opening's sound is over, `by` page, clock or silence."""
    return {"type": "opening.ended", "ms": ms, "by": by}


def opening_failed(message: str) -> Event:
    """`opening.failed`: the code of an opening raised."""
    return {"type": "opening.failed", "message": message}


def budget_reached(message: str, *, budget: float | None, spent: float | None) -> Event:
    """`budget.reached`: no further reply is asked for; dollars allowed and spent, where known."""
    return {"type": "budget.reached", "message": message, "budget": budget, "spent": spent}
