"""Whether what was said is what was written: compared word by word, as an ear would."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["same", "missing", "added"]

# Chinese and Japanese put no spaces between words: each character counts as one.
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LETTER = rf"(?![{_ALONE}])[^\W_]"
# Letters and digits with what stands inside a word: "don't", "well-known", "3.5".
_WORD = re.compile(rf"(?=[^\W_])[{_ALONE}]|(?:{_LETTER})+(?:['’.,-](?:{_LETTER})+)*")
# The same as it is written, with the punctuation behind it.
_PIECE = re.compile(rf"(?=[^\W_])[{_ALONE}][\W_]*|(?:(?!(?=[^\W_])[{_ALONE}]).)+", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """Words in a row that are the same in both, missing from what was said, or added by it."""

    kind: Kind
    text: str


def spoken_words(text: str) -> list[str]:
    """The words of a text as they sound alike: no punctuation, no case, one kind of apostrophe."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _WORD.findall(plain)


def similarity(script: str, said: str) -> float:
    """How much of two texts is the same, word by word: 1.0 all and nothing else, 0.0 nothing."""
    wanted, heard = spoken_words(script), spoken_words(said)
    if not wanted and not heard:
        return 1.0
    return SequenceMatcher(None, wanted, heard, autojunk=False).ratio()


def coverage(script: str, said: str) -> float:
    """How much of `script` is found in `said`, in its order, whatever stands around it; 0 to 1."""
    wanted, heard = spoken_words(script), spoken_words(said)
    if not wanted:
        return 0.0
    blocks = SequenceMatcher(None, wanted, heard, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(wanted)


def differences(script: str, said: str) -> list[Piece]:
    """`said` against `script`, in reading order, as a proofreader would mark it."""
    wanted, heard = _marked(script), _marked(said)
    matcher = SequenceMatcher(None, [w for w, _ in wanted], [h for h, _ in heard], autojunk=False)
    pieces = []
    for tag, from_wanted, to_wanted, from_heard, to_heard in matcher.get_opcodes():
        written = "".join(text for _, text in wanted[from_wanted:to_wanted]).strip()
        spoken = "".join(text for _, text in heard[from_heard:to_heard]).strip()
        if tag == "equal":
            pieces.append(Piece("same", spoken))
            continue
        if written:
            pieces.append(Piece("missing", written))
        if spoken:
            pieces.append(Piece("added", spoken))
    return pieces


def _marked(text: str) -> list[tuple[str, str]]:
    """The words of a text, each as it sounds and as it is written, punctuation and all; with the
    blank behind it where there is one."""
    pieces = (piece for token in text.split() for piece in _PIECE.findall(f"{token} "))
    return [(" ".join(found), piece) for piece in pieces if (found := spoken_words(piece))]
