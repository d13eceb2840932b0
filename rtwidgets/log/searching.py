"""Words found in the text of a log, upper or lower case, nearly as fast as `bytes.find` finds them.

Upper and lower case ASCII letters differ in one bit. A block of rows is copied with that bit set,
which goes at the speed of memory, and searched for words with that bit set; what is found is
compared in earnest. Rows whose case is no matter of one bit (escapes, "ß") are looked at alone.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..events import parse
from .storage import ROWS, Block, Texts, decoded, is_hard

_CASE = 0x20


class Words:
    """Words to look for, anywhere in the JSON of an event but its audio.

    They are found as they are, and where JSON escapes them: quotes, line breaks, `\\u00fc`.
    """

    def __init__(self, words: str) -> None:
        self._folded = words.casefold()
        escaped = json.dumps(self._folded, ensure_ascii=False)[1:-1]
        self._forms = tuple(dict.fromkeys((self._folded, escaped)))

    def are_in(self, kept: str | bytes) -> bool:
        """Whether the text of a row has them."""
        text = kept if isinstance(kept, str) else decoded(kept)
        folded = text.casefold()
        if any(form in folded for form in self._forms):
            return True
        if "\\u" not in text:
            return False
        event = parse(text)  # escapes hide what a person would type
        plain = json.dumps(event, ensure_ascii=False) if event is not None else ""
        return any(form in plain.casefold() for form in self._forms)

    def rows_of(self, texts: Texts, numbers: Iterable[int], length: int) -> list[int]:
        """The rows that have them, of these blocks of a log of that length, in order."""
        found: list[int] = []
        scratch = bytearray()
        for number in numbers:
            tail = texts.tail  # before the blocks: see Texts.at
            if number < len(texts.blocks):
                block = texts.blocks[number]
                if len(block.data) > len(scratch):
                    scratch = bytearray(len(block.data))
                places = self._in_block(block, scratch)
            else:
                kept = tail[: length - number * ROWS]
                places = [place for place, text in enumerate(kept) if self.are_in(text)]
            found += [number * ROWS + place for place in places]
        return [seq for seq in found if seq < length]  # a block may be longer than what is asked

    def _in_block(self, block: Block, scratch: bytearray) -> list[int]:
        if self._folded.isascii():
            places = {
                place for form in self._forms for place in _places(block, form.encode(), scratch)
            }
        else:
            places = set() if block.ascii else self._by_row(block, _not_ascii)
        if block.hard:
            places |= self._by_row(block, is_hard)
        return sorted(places)

    def _by_row(self, block: Block, worth: Callable[[bytes], bool]) -> set[int]:
        rows = enumerate(block.rows())
        return {place for place, row in rows if worth(row) and self.are_in(row)}


def _places(block: Block, form: bytes, scratch: bytearray) -> Iterator[int]:
    """The rows of a block with a form that is ASCII and lower case."""
    data, ends, size = block.data, block.ends, len(block.data)
    np.bitwise_or(
        np.frombuffer(data, np.uint8), _CASE, out=np.frombuffer(scratch, np.uint8, count=size)
    )
    anchor = bytes(letter | _CASE for letter in form)
    at = scratch.find(anchor, 0, size)
    while at >= 0:
        place, end = min(bisect_right(ends, at), len(ends) - 1), at + len(form)
        inside = block.start(place) <= at and end <= ends[place]
        fits = inside and data[at:end].lower() == form
        if fits:
            yield place
        at = scratch.find(anchor, ends[place] if fits else at + 1, size)


def _not_ascii(row: bytes) -> bool:
    return not row.isascii()
