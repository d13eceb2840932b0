"""Text from outside: never a command to a terminal, and no longer than there is room."""

from __future__ import annotations

import re
import unicodedata

from ..events import whole_characters

# What a terminal or a page would obey rather than show: control characters, and the marks that
# turn the direction of what follows (U+202A-E, U+2066-9) or break the line (U+2028, U+2029).
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str, *, lines: bool = False) -> str:
    """`text` with everything that a terminal or a page would obey written out as an escape.

    Half characters (lone surrogates) are made whole or marked, so that the result has UTF-8.

    Args:
        lines: leave line ends and tabs as they are.
    """

    def escaped(match: re.Match[str]) -> str:
        character = match[0]
        if lines and character in "\n\t":
            return character
        code = ord(character)
        short = f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
        return _NAMED.get(character, short)

    return _OBEYED.sub(escaped, whole_characters(text))


def quoted(text: str, limit: int = 1000) -> str:
    """What a server said, for a message: printable, and no longer than a person reads."""
    return shortened(printable(text[: limit + 1]), limit)


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, with … where something was left out."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def width_of(text: str) -> int:
    """The cells of a terminal that printable `text` takes: two for wide characters, none for marks
    that join the one before."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def clipped(text: str, width: int) -> str:
    """As much of printable `text` as `width` cells hold, with … where something was left out."""
    if width_of(text[: 8 * width]) <= width and len(text) <= 8 * width:
        return text
    taken, cells = [], 0
    for character in text:
        cells += _cells(character)
        if cells > width - 1:
            break
        taken.append(character)
    return "".join(taken) + "…" if width > 0 else ""
