"""What the transcript says of events that are nobody's words: refusals, losses, replies cut off
before their first word."""

from __future__ import annotations

from ..conversation import Conversation
from ..events import ENDS_OF_A_LINE, count_field, error_of, field, text_field
from ..explanations import explain
from ..items import Response
from ..log import Row
from .lines import ending
from .transcript import Transcript

LOST = "cut off: the line was lost"
SKIPPED = (
    "{:.0f} s of sound came long before this page was there, and are not played; the log has them."
)
FELL = "The line fell, and another is looked for; what you say is kept."
NOT_YET = "No session yet; it is tried again."
HARD = 3
"""The try at which a person is told why the last ones failed."""
STOPPED = "cut off by Stop"
GIVEN_UP = "Stopped before a session stood: none is looked for any more."
UNSHOWN = "cut off: no page showed the chat"
LEFT = (
    "No page showed this chat any more, so its conversation was ended; the log stays. Press Start "
    "for a new one."
)


def narrate(row: Row, conversation: Conversation, transcript: Transcript) -> None:
    """Tell of a row that the log and the conversation have just taken."""
    if row.direction == "server":
        _tell_refusal(row, transcript)
        response = conversation.responses.get(row.response_id)
        if row.type == "response.done" and response is not None:
            _tell_end(response, transcript)
    elif row.direction == "local":
        said = text_field(row.event, "message")
        began = bool(conversation.session or conversation.items)
        lost_for_good = began and row.type == "line.lost" and field(row.event, "again") is not True
        if row.type == "budget.reached":
            transcript.notice(said, by="budget", once=True)
        elif row.type.startswith("line.") and not lost_for_good:
            _tell_line(row, said, transcript, began)
        elif said:
            transcript.notice(said, by="error", state="error")
        if row.type == "playback.skipped":
            seconds = (count_field(row.event, "ms") or 0) / 1000
            transcript.notice(SKIPPED.format(seconds))
        if row.type == "playback.flushed" and field(row.event, "ms") == 0:
            transcript.unheard(row.item_id)
        if row.type in ("tool.called", "tool.answered"):
            ms, ok = count_field(row.event, "ms"), field(row.event, "ok") is True
            transcript.called(text_field(row.event, "call_id"), ms, ok)
        if lost_for_good:
            transcript.over(LOST)
    transcript.wake()


def _tell_line(row: Row, said: str, transcript: Transcript, began: bool) -> None:
    """Tell of a line that is being mended: that it fell, that it is hard, and how it went on.

    Before a session `began`: what keeps it from that. That it is given up says who opens it.
    """
    attempt, left_out = field(row.event, "attempt"), field(row.event, "left_out")
    if not began:
        if row.type == "line.trying":
            transcript.notice(f"{NOT_YET} {said}", once=True)
        return
    if row.type in ENDS_OF_A_LINE:
        transcript.line_ends()
    if isinstance(left_out, list):
        transcript.left_behind(left_out)
    if row.type == "line.lost":
        transcript.notice(f"{FELL} {said.partition(' The log')[0]}")
    elif row.type == "line.trying" and attempt == HARD:
        transcript.notice(f"Still no line. {said}", once=True)
    elif row.type in ("line.stalled", "line.restored"):
        transcript.notice(said)


def _tell_refusal(row: Row, transcript: Transcript) -> None:
    error = error_of(row.event or {})
    if error is not None:
        said = text_field(error, "message") or "The server refused something."
        transcript.notice(said, explain(error) or "", by="server", state="error")


def _tell_end(response: Response, transcript: Transcript) -> None:
    """A reply that ended before its first word has no line of its own to say so."""
    if not response.items and response.status != "completed":
        state = "error" if response.status == "failed" else "notice"
        said = f"No word was said: {ending(response)}."
        transcript.notice(said, response.error, by="assistant", state=state)
