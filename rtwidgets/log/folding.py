"""Runs: the deltas between two other events, gathered so that a person can read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .. import audio
from .eventlog import Row


class Run:
    """Rows that read as one: a single event, or the deltas of one kind and item in a row."""

    def __init__(self, first: Row) -> None:
        self.rows = [first]

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def last(self) -> Row:
        return self.rows[-1]

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def audio_bytes(self) -> int:
        return sum(row.audio_bytes for row in self.rows)

    @property
    def audio_ms(self) -> int:
        return audio.milliseconds_of(self.audio_bytes)

    @property
    def size(self) -> int:
        return sum(row.size for row in self.rows)

    @property
    def text(self) -> str:
        return "".join(row.text for row in self.rows)

    @property
    def summary(self) -> str:
        if self.count == 1:
            return self.first.summary
        if self.audio_bytes:
            return audio.describe(self.audio_bytes)
        return f"“{self.text}”" if self.text else self.last.summary


def is_delta(type_: str) -> bool:
    """Whether events of this type come in runs that fold into one row."""
    return type_.endswith(".delta") or type_ in ("input_audio_buffer.append", "playback.heard")


def fold(rows: Iterable[Row]) -> Iterator[Run]:
    """`rows` with the deltas between two other events gathered by type and item.

    Transcript and audio deltas of a reply alternate on the wire: gathered by kind they are two
    lines that can be read, at the place of their first delta.
    """
    open_runs: dict[tuple[str, str], Run] = {}
    for row in rows:
        if not is_delta(row.type):
            yield from open_runs.values()
            open_runs.clear()
            yield Run(row)
        elif run := open_runs.get((row.type, row.item_id)):
            run.rows.append(row)
        else:
            open_runs[row.type, row.item_id] = Run(row)
    yield from open_runs.values()
