"""What a picture costs: its size, read from the first bytes of the file, and the tokens for it.

Captured (gpt-realtime behind Azure Voice Live, in pydantic-ai's recordings): a JPEG of 597 x 566
is billed 323 tokens. That is OpenAI's documented rule of gpt-image-1: 65, and 129 for each square
of 512 pixels once the picture fits into 2048 x 2048 and its shorter side into 512. `low` detail
is the 65 alone (documented for the rule, not captured here).
"""

from __future__ import annotations

import binascii
import math
import struct
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

BASE_TOKENS = 65
SQUARE_TOKENS = 129
SQUARE = 512
LARGEST = 2048
UNKNOWN = (1024, 1024)  # assumption for what cannot be looked at, such as an https address
_HEAD = 256 * 1024  # characters of the address: a JPEG tells its size behind its colour profile

Size = tuple[int, int]


def image_tokens(address: str, detail: str | None = None) -> int:
    """Tokens of an input_image: `address` is its image_url, a data URI or an https address."""
    if detail == "low":
        return BASE_TOKENS
    width, height = size_of(address) or UNKNOWN
    shrink = min(1.0, LARGEST / max(width, height), SQUARE / min(width, height))
    squares = (math.ceil(round(side * shrink, 3) / SQUARE) for side in (width, height))
    return BASE_TOKENS + SQUARE_TOKENS * math.prod(squares)


def size_of(address: str) -> Size | None:
    """(width, height) of the picture in a data URI, None where it cannot be read."""
    scheme, _, rest = address[:_HEAD].partition(":")
    if scheme.lower() != "data":
        return None
    media, _, data = rest.partition(",")
    try:
        head = unquote_to_bytes(data)
        if media.endswith(";base64"):
            head = binascii.a2b_base64(head[: len(head) // 4 * 4])
        found = next((read(head) for starts, read in _FORMATS if head.startswith(starts)), None)
    except (ValueError, struct.error, IndexError):
        return None
    return found if found and min(found) > 0 else None


def _png(head: bytes) -> Size:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _gif(head: bytes) -> Size:
    width, height = struct.unpack_from("<HH", head, 6)
    return width, height


def _jpeg(head: bytes) -> Size | None:
    """Its segments are walked through to the one that begins the picture (SOF)."""
    at = 2
    while at + 9 <= len(head):
        marker, length = head[at + 1], struct.unpack_from(">H", head, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        at += 2 + length
    return None


def _webp(head: bytes) -> Size | None:
    kind = head[12:16]
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


_FORMATS: tuple[tuple[bytes, Callable[[bytes], Size | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF8", _gif),
    (b"\xff\xd8", _jpeg),
    (b"RIFF", _webp),
)
