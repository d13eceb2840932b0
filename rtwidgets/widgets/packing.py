"""Rows of a log as a page of the live table gets them: columns of numbers, and a list of words.

Numbers travel as they lie in memory, words as one JSON text: a thousand events a second cost the
kernel little. `static/table/rows.js` takes the same apart.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable

from ..rows import DIRECTIONS, Row

LIMIT = 65_535
"""Rows in one pack at most: its codes have two bytes."""

_DIRECTION = {name: code for code, name in enumerate(DIRECTIONS)}


class _Names:
    """Codes for names, given out as they come."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        return self.codes.setdefault(name, len(self.codes))


def pack(rows: Iterable[Row]) -> list[bytes]:
    """`rows`, at most `LIMIT`, as two buffers that stand for themselves.

    The first holds the columns one after the other, little-endian: time (s, float64), then seq,
    size (bytes) and audio (ms) as uint32, then the codes of type, item and response as uint16, then
    direction as uint8. The second is a JSON text: the names behind the codes (`types` as
    `[type, family]`), and `words`, a text for each row (`words_of`).
    """
    times = array("d")
    numbers = seqs, sizes, audio = array("I"), array("I"), array("I")
    codes = types, items, responses = array("H"), array("H"), array("H")
    directions = bytearray()
    type_names, item_names, response_names = _Names(), _Names(), _Names()
    families: dict[str, str] = {}
    words = []
    for row in rows:
        type_, audio_ms = row.type, row.audio_ms
        if type_ not in families:
            families[type_] = row.family
        times.append(row.t)
        seqs.append(row.seq)
        sizes.append(min(row.size, 0xFFFFFFFF))
        audio.append(min(audio_ms, 0xFFFFFFFF))
        types.append(type_names.code(type_))
        items.append(item_names.code(row.item_id))
        responses.append(response_names.code(row.response_id))
        directions.append(_DIRECTION[row.direction])
        words.append(words_of(row, type_, audio_ms))
    strings = {
        "types": list(families.items()),
        "items": list(item_names.codes),
        "responses": list(response_names.codes),
        "words": words,
    }
    columns = b"".join(_little(column) for column in (times, *numbers, *codes)) + directions
    # Escaped to ASCII: half a character (a lone surrogate) is told as it came.
    return [columns, json.dumps(strings).encode("ascii")]


def words_of(row: Row, type_: str, audio_ms: int) -> str:
    """What a line of the table says of a row, as far as its numbers do not.

    A text delta's words in full: a folded run shows them put together. Nothing for audio, whose
    length is a number. Else its summary.
    """
    if audio_ms:
        return ""
    return row.text if type_.endswith(".delta") else row.summary


def _little(column: array[float] | array[int]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()
