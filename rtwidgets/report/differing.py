"""Two runs side by side: what one has and the other lacks, and where they say different things.

Rows are compared by what they mean: ids and times do not count, nor do the pieces in which text
and audio came; audio is compared by its length. Events that mean the same are laid side by side
first, then, between these, events of the same kind, whose fields are compared one by one.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

from .. import audio
from ..events import AUDIO_FIELDS, ga_name, text_field
from ..log.rows import Row, Rows
from ..tables import Table, column

_IGNORED = {
    "obfuscation", "expires_at", "created_at", "logprobs", "rate_limits", "audio_start_ms",
    "audio_end_ms", "ms", "received_at", "start", "end", "started", "done",
}  # fmt: skip
# What a response repeats of its items, and what its sum of tokens is made of.
_REPEATED = (
    "response.output[",
    "response.usage.input",
    "response.usage.output",
    "response.usage.cached",
)
_WORDS = {"text", "transcript", "arguments", "output", "delta"}
_APPEND = "input_audio_buffer.append"
_ENDS_APPENDS = ("commit", "clear", "committed", "cleared")
_MOST_LEAVES = 2000  # of one event: what lies beyond is compared as one piece
_MOST_CELLS = 250_000  # of a comparison each with each
_PIECE = 400  # events; a longer stretch is compared in pieces of that many
_SHOWN = 240  # characters of a value


@dataclass(frozen=True)
class Difference:
    """One thing in which two logs differ.

    Attributes:
        what: `only here`, `only there`, or `differs`.
        seq, other_seq: the rows, in the log that was asked and in the other.
        field: where in the event, empty where all of it is missing on one side.
        here, there: what each says, from a little before the first difference on.
        repeated: how many more events repeat the same two texts, as those that end a reply do.
    """

    what: str = column("what")
    seq: int | None = column("row here")
    other_seq: int | None = column("row there", spare=1)
    direction: str = column("direction", spare=2)
    type: str = column("type")
    field: str = column("field")
    here: str = column("here")
    there: str = column("there")
    repeated: int = column("repeated", default=0, spare=2)


def diff(rows: Rows, other: Rows) -> Table[Difference]:
    """What `rows` have and `other` lacks, what it has beyond them, and where the two differ."""
    here, there = _steps(rows), _steps(other)
    found = list(_gathered(_differences(here, there)))
    caption = f"{len(found)} differences" if found else "No difference in what was said and done"
    return Table(found, of=Difference, caption=caption)


# ---------------------------------------------------------------- steps


@dataclass
class _Step:
    """One event, or the deltas of one kind and item, as they are compared."""

    row: Row
    type: str
    fields: dict[str, str]
    kind: tuple[str, ...]
    text: list[str] = field(default_factory=list)
    audio_bytes: int = 0

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.kind, tuple(self.fields.items()))

    def close(self) -> _Step:
        """Say what the deltas add up to."""
        if self.text:
            self.fields["text"] = "".join(self.text)
        if self.audio_bytes:
            self.fields["audio"] = _length(self.audio_bytes)
        return self


def _steps(rows: Rows) -> list[_Step]:
    steps: list[_Step] = []
    runs: dict[tuple[str, ...], _Step] = {}
    for row in rows:
        run = _run_of(row)
        if run is None:
            steps.append(_step(row))
            if row.type.startswith("input_audio_buffer.") and row.type.endswith(_ENDS_APPENDS):
                runs.pop(("client", _APPEND), None)
            continue
        if run not in runs:
            runs[run] = _Step(row, run[1], {}, run[:2])
            steps.append(runs[run])
        runs[run].audio_bytes += row.audio_bytes
        if not row.audio_bytes and row.type != "playback.heard":
            runs[run].text.append(row.text)
    return [step.close() for step in steps]


def _run_of(row: Row) -> tuple[str, ...] | None:
    """What tells the deltas of one run from others; None for an event that stands alone."""
    if row.type.endswith(".delta") or row.type == "playback.heard":
        return (row.direction, ga_name(row.type), row.response_id, row.item_id)
    return (row.direction, _APPEND) if row.type == _APPEND else None


def _step(row: Row) -> _Step:
    event, type_ = row.event, ga_name(row.type)
    if event is None:
        return _Step(row, type_, {"frame": row.raw}, (row.direction, ""))
    item = event.get("item")
    about = (text_field(item, one) for one in ("type", "role", "name"))
    fields = dict(_leaves(_compared(event, type_), AUDIO_FIELDS.get(row.type, "")))
    return _Step(row, type_, fields, (row.direction, type_, *about))


def _compared(event: dict[str, Any], type_: str) -> dict[str, Any]:
    """An event without what takes its time from chance: pauses before a line is tried again."""
    if type_ not in ("line.trying", "line.restored"):
        return event
    known = {name: value for name, value in event.items() if name != "seconds"}
    if type_ == "line.restored":  # its message says only what its numbers do, and those are ids
        left_out = known.pop("left_out", None)
        known["left_out"] = len(left_out) if isinstance(left_out, list) else 0
        known.pop("message", None)
    return known


def _leaves(event: dict[str, Any], sound: str) -> Iterator[tuple[str, str]]:
    """The values inside an event that are compared, each with its place, in a fixed order."""
    left: list[tuple[str, str, Any]] = [
        (name, name, value) for name, value in sorted(event.items(), reverse=True) if name != "type"
    ]
    count = 0
    while left:
        place, name, value = left.pop()
        if name in _IGNORED or name == "id" or name.endswith(("_id", "_ids")) or value is None:
            continue
        count += 1
        if count > _MOST_LEAVES:
            yield place, str(value)[: 10 * _SHOWN]
        elif place.startswith(_REPEATED):
            continue
        elif isinstance(value, dict):
            inside = sorted(value.items(), reverse=True)
            left += [(f"{place}.{inner}", inner, one) for inner, one in inside]
        elif isinstance(value, list):
            numbered = [(f"{place}[{at}]", name, one) for at, one in enumerate(value)]
            left += reversed(numbered[:_MOST_LEAVES])
        elif isinstance(value, str):
            is_sound = name == "audio" or place == sound
            yield place, _length(len(value) * 3 // 4 - value[-2:].count("=")) if is_sound else value
        else:
            yield place, json.dumps(value)


def _length(size: int) -> str:
    return f"{audio.milliseconds_of(size)} ms of audio"


# ---------------------------------------------------------------- differences


def _differences(here: list[_Step], there: list[_Step]) -> Iterator[Difference]:
    for a, b in _aligned(here, there):
        if b is None and a is not None:
            yield _alone("only here", a, seq=a.row.seq, here=_said(a))
        elif a is None and b is not None:
            yield _alone("only there", b, other_seq=b.row.seq, there=_said(b))
        elif a is not None and b is not None and a.fields != b.fields:
            yield from _between(a, b)


def _alone(what: str, step: _Step, **known: Any) -> Difference:
    nothing = Difference(what, None, None, step.row.direction, step.type, "", "", "")
    return replace(nothing, **known)


def _said(step: _Step) -> str:
    known = step.fields.get("text") or step.fields.get("audio") or step.row.summary
    return known[:_SHOWN]


def _between(a: _Step, b: _Step) -> Iterator[Difference]:
    for place in dict.fromkeys([*a.fields, *b.fields]):
        one, two = a.fields.get(place, ""), b.fields.get(place, "")
        if one != two:
            yield Difference(
                "differs", a.row.seq, b.row.seq, a.row.direction, a.type, place, one, two
            )


def _gathered(differences: Iterable[Difference]) -> Iterator[Difference]:
    """The same, where a text that several events repeat is named once, and long ones are cut."""
    first: dict[tuple[str, str], int] = {}
    kept: list[Difference] = []
    for one in differences:
        last_name = one.field.rpartition(".")[2].partition("[")[0]
        words = one.what == "differs" and last_name in _WORDS
        at = first.get((one.here, one.there)) if words else None
        if at is not None:
            kept[at] = replace(kept[at], repeated=kept[at].repeated + 1)
            continue
        if words:
            first[one.here, one.there] = len(kept)
        kept.append(one)
    return (replace(one, here=here, there=there) for one in kept for here, there in [_cut(one)])


def _cut(one: Difference) -> tuple[str, str]:
    """Both texts, from a little before the place where they begin to differ."""
    here, there = one.here, one.there
    if max(len(here), len(there)) <= _SHOWN:
        return here, there
    pairs = enumerate(zip(here, there, strict=False))
    same = next((at for at, (x, y) in pairs if x != y), min(len(here), len(there)))
    start = max(0, same - _SHOWN // 4)
    lead = "…" if start else ""
    return lead + here[start : start + _SHOWN], lead + there[start : start + _SHOWN]


# ---------------------------------------------------------------- alignment


def _aligned(here: list[_Step], there: list[_Step]) -> Iterator[tuple[_Step | None, _Step | None]]:
    """All steps of both in order, those that belong together side by side."""
    same = _pairs([step.key for step in here], [step.key for step in there])
    i = j = 0
    for a, b in [*same, (len(here), len(there))]:
        yield from _of_a_kind(here[i:a], there[j:b])
        if a < len(here):
            yield here[a], there[b]
        i, j = a + 1, b + 1


def _of_a_kind(
    here: list[_Step], there: list[_Step]
) -> Iterator[tuple[_Step | None, _Step | None]]:
    """Steps none of which mean the same: those of a kind are side by side."""
    i = j = 0
    alike = _pairs([step.kind for step in here], [step.kind for step in there])
    for a, b in [*alike, (len(here), len(there))]:
        yield from ((step, None) for step in here[i:a])
        yield from ((None, step) for step in there[j:b])
        if a < len(here):
            yield here[a], there[b]
        i, j = a + 1, b + 1


def _pairs(here: Sequence[Any], there: Sequence[Any]) -> list[tuple[int, int]]:
    """Places of equal things in both, in order, as many as can be found at a bounded cost.

    What is there once in each is laid side by side first and divides the rest, as in a patience
    diff; only the pieces between are compared each with each.
    """
    found: list[tuple[int, int]] = []
    left = [(0, len(here), 0, len(there))]
    while left:
        i, a, j, b = left.pop()
        while i < a and j < b and here[i] == there[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        while i < a and j < b and here[a - 1] == there[b - 1]:
            a, b = a - 1, b - 1
            found.append((a, b))
        if i == a or j == b:
            continue
        anchors = _anchors(here, there, i, a, j, b)
        if anchors:
            found += anchors
            for k, m in [*anchors, (a, b)]:
                left.append((i, k, j, m))
                i, j = k + 1, m + 1
        elif (a - i) * (b - j) > _MOST_CELLS:  # much that is frequent: piece by piece
            parts = -(-max(a - i, b - j) // _PIECE)
            for part in range(parts):
                left.append(
                    (
                        i + (a - i) * part // parts,
                        i + (a - i) * (part + 1) // parts,
                        j + (b - j) * part // parts,
                        j + (b - j) * (part + 1) // parts,
                    )
                )
        else:
            matcher = SequenceMatcher(None, here[i:a], there[j:b], autojunk=False)
            for block in matcher.get_matching_blocks():
                found += [(i + block.a + n, j + block.b + n) for n in range(block.size)]
    return sorted(found)


def _anchors(
    here: Sequence[Any], there: Sequence[Any], i: int, a: int, j: int, b: int
) -> list[tuple[int, int]]:
    """What is there exactly once on each side, as far as the order is the same."""
    once = [key for key, count in Counter(here[i:a]).items() if count == 1]
    counts = Counter(there[j:b])
    places = {there[at]: at for at in range(j, b)}
    wanted = {key for key in once if counts.get(key) == 1}
    pairs = [(at, places[here[at]]) for at in range(i, a) if here[at] in wanted]
    return _rising(pairs)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of `pairs` in which both numbers rise; the first ones rise already."""
    tops: list[int] = []
    at_top: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        place = bisect_left(tops, j)
        before.append(at_top[place - 1] if place else -1)
        if place == len(tops):
            tops.append(j)
            at_top.append(number)
        else:
            tops[place], at_top[place] = j, number
    chain: list[tuple[int, int]] = []
    number = at_top[-1] if at_top else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]
