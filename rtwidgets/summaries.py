"""What each of many rows says, in one line: the same as `row.summary`, in bulk."""

from __future__ import annotations

from .rows import Rows


def summaries_of(rows: Rows) -> list[str]:
    """The summary of each row, in order."""
    return [row.summary for row in rows]
