"""Where a recording comes from, and the lines that its conversation ran over, one after another."""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path

from ..errors import ConnectionLost, Misuse
from ..events import ENDS_OF_A_LINE, field, text_field
from ..log import EventLog
from ..log.rows import Rows
from ..tables import quoted
from ..transport import GOING_ON, TRIED_AGAIN
from .recording import Recording


def opened(path: str | Path | Rows) -> tuple[Rows, str]:
    """The rows to play, and what to call them. Raises Misuse where they cannot be read."""
    if isinstance(path, Rows):
        known = path.endpoint.removeprefix("Replay of ")
        return path[:], f"a session with {known}" if known == path.endpoint and known else (
            known or "a log"
        )
    if not isinstance(path, str | Path):
        raise Misuse(f"Replay takes the path of a recording or a log, not {type(path).__name__}.")
    try:
        return EventLog.from_jsonl(path), Path(path).name
    except OSError as problem:
        raise Misuse(f"{path} cannot be read: {problem.strerror or problem}.") from None


def lines_of(rows: Rows) -> list[Rows]:
    """These rows line by line: each ends with the row that says so (`line.lost`, `line.moving`).

    What has no word of a server, or none but errors before another line, is none: no session came
    to stand there.
    """
    ends = [row.seq + 1 for row in rows.where(type=ENDS_OF_A_LINE, direction="local")]
    start, seqs = 0, [row.seq for row in rows] if ends else []
    parts: list[Rows] = []
    for end in ends:
        stop = bisect_left(seqs, end)
        parts.append(rows[start:stop])
        start = stop
    parts.append(rows[start:])
    heard = [part for part in parts if len(part.where(direction="server"))]
    return [part for part in heard[:-1] if _stood(part)] + heard[-1:] or [rows]


def _stood(line: Rows) -> bool:
    return any(row.type != "error" for row in line.where(direction="server"))


def end_of(recording: Recording, goes_on: bool) -> ConnectionLost:
    """How a recorded line ends for who plays it; `goes_on`: the conversation did, over another."""
    lost = recording.lost.event if recording.lost is not None else None
    if lost is None and goes_on:
        return ConnectionLost("The recorded conversation moved to another line.", code=1001)
    if lost is None:
        return ConnectionLost(
            "The recording ends here, there is nothing more to play. "
            "Start again to play it from the beginning.",
            code=1000,
            reason="the recording ends here",
        )
    code, reason = field(lost, "code"), text_field(lost, "reason")
    said = text_field(lost, "message") or reason or "the line was lost"
    said = said.removesuffix(GOING_ON).removesuffix(TRIED_AGAIN)  # who goes on says so too
    return ConnectionLost(
        f"The recording ends as its line did then: {quoted(said)}",
        code=code if isinstance(code, int) else None,
        reason=reason,
    )
