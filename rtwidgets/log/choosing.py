"""Rows of a log by their numbers, and which of them fit: what views are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .searching import Words
from .storage import ROWS

if TYPE_CHECKING:
    from .eventlog import EventLog

Seqs = range | NDArray[np.int64]
"""Numbers of rows: a range where they follow each other."""


def numbers(seqs: Seqs) -> Iterable[int]:
    return seqs if isinstance(seqs, range) else seqs.tolist()


def array(seqs: Seqs) -> NDArray[np.int64]:
    if isinstance(seqs, range):
        return np.arange(seqs.start, seqs.stop, seqs.step)
    return seqs


def some(log: EventLog, name: str, seqs: Seqs) -> NDArray[Any]:
    """A column of some rows; without a copy where they follow each other."""
    if isinstance(seqs, range) and seqs.step == 1:
        return log._columns.array(name, seqs.stop)[seqs.start :]
    chosen = array(seqs)
    column = log._columns.array(name, int(chosen.max()) + 1 if len(chosen) else 0)
    return column[chosen]


# Up to so many codes it is faster to compare with each than to look each up.
_FEW = 6


def with_code(log: EventLog, seqs: Seqs, name: str, codes: Iterable[int]) -> Seqs:
    """Of some rows those which have one of these codes in a column."""
    wanted = sorted(codes)
    if not wanted:
        return range(0)
    values = some(log, name, seqs)
    if len(wanted) <= _FEW:
        fits = values == wanted[0]
        for code in wanted[1:]:
            fits |= values == code
    else:
        table = np.zeros(int(values.max(initial=0)) + 1, dtype=bool)
        table[[code for code in wanted if code < len(table)]] = True
        fits = table[values]
    found = np.flatnonzero(fits)
    if isinstance(seqs, range):
        return found if seqs.start == 0 and seqs.step == 1 else found * seqs.step + seqs.start
    return seqs[found]


# A view of fewer than one in so many rows is searched row by row.
_SPARSE = 20


def with_words(log: EventLog, seqs: Seqs, text: str) -> Seqs:
    """Of some rows those which have these words."""
    if not text or not len(seqs):
        return seqs
    words, chosen = Words(text), array(seqs)
    length = int(chosen.max()) + 1
    if len(chosen) * _SPARSE < length:
        found = [seq for seq in chosen.tolist() if words.are_in(log._texts.at(seq))]
        return np.array(found, dtype=np.int64)
    blocks = range(int(chosen.min()) // ROWS, (length - 1) // ROWS + 1)
    fits = np.zeros(length, dtype=bool)
    fits[words.rows_of(log._texts, blocks, length)] = True
    return chosen[fits[chosen]]
