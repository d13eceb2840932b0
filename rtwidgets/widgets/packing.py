"""Rows of a log as a page of the live table gets them: columns of numbers, and a list of words.

Numbers travel as they lie in memory, words as one JSON text: a thousand events a second cost the
kernel little. `static/table/rows.js` takes the same apart.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..audio import BYTES_PER_MS
from ..events import family_of
from ..log.rows import Row, Rows

LIMIT = 65_535
"""Rows in one pack at most: its codes have two bytes."""


def pack(rows: Rows) -> list[bytes]:
    """`rows`, at most `LIMIT`, as two buffers that stand for themselves.

    The first holds the columns one after the other, little-endian: time (s, float64), then seq,
    size (bytes) and audio (ms) as uint32, then the codes of type, item and response as uint16, then
    direction as uint8. The second is a JSON text: the names behind the codes (`types` as
    `[type, family]`), and `words`, a text for each row (`words_of`).
    """
    columns = rows.columns()
    types, type_codes = _named(columns.type, columns.type_names)
    items, item_codes = _named(columns.item, columns.item_names)
    responses, response_codes = _named(columns.response, columns.response_names)
    audio = columns.audio_bytes // BYTES_PER_MS
    parts: list[tuple[NDArray[Any], str]] = [
        (columns.t, "<f8"),
        *((numbers, "<u4") for numbers in (columns.seq, columns.size, audio)),
        *((codes, "<u2") for codes in (type_codes, item_codes, response_codes)),
        (columns.direction, "u1"),
    ]
    deltas = [types[code].endswith(".delta") for code in type_codes.tolist()]
    strings = {
        "types": [[name, family_of(name)] for name in types],
        "items": items,
        "responses": responses,
        "words": list(map(words_of, rows, audio.tolist(), deltas)),
    }
    # Escaped to ASCII: half a character (a lone surrogate) is told as it came.
    return [
        b"".join(values.astype(kind).tobytes() for values, kind in parts),
        json.dumps(strings).encode("ascii"),
    ]


def _named(codes: NDArray[Any], names: tuple[str, ...]) -> tuple[list[str], NDArray[Any]]:
    """The names that are used, and the places of each row's among them."""
    used, places = np.unique(codes, return_inverse=True)
    return [names[code] for code in used.tolist()], places


def words_of(row: Row, audio_ms: int, is_delta: bool) -> str:
    """What a line of the table says of a row, as far as its numbers do not.

    A text delta's words in full: a folded run shows them put together. Nothing for audio, whose
    length is a number. Else its summary.
    """
    if audio_ms:
        return ""
    return row.text if is_delta else row.summary
