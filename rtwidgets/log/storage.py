"""Where a log keeps its bytes: text in blocks of rows, sound in blocks that may move to a file.

One thread adds, any thread reads, without a lock: what has been published is never moved or
resized, only replaced as a whole by something that reads the same.
"""

from __future__ import annotations

import logging
import os
import re
import weakref
from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

logger = logging.getLogger("rtwidgets")

ROWS = 512
"""Rows in a block of text: some 100 kB, which a processor's cache holds while it is searched."""

_CHUNK = 1 << 19

# A log that has outgrown its limit moves this many chunks for each new one, so that the thread that
# receives never stops for long.
_MOVES = 8

# The characters outside ASCII that Python's casefold turns into ASCII letters: "ß" is "ss".
FOLDING = (
    "\xdf\u0130\u0149\u017f\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a\u1e9e\u212a"
    "\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06"
)
_FOLDING = re.compile(b"|".join(letter.encode() for letter in FOLDING))


class Block(NamedTuple):
    """The text of ROWS rows, one behind the other, with a line break between them.

    Attributes:
        ends: where each row ends in `data`.
        ascii: whether there is nothing but ASCII.
        hard: whether a row has escapes, or characters of which lower case makes others.
        lines: whether a row has a line break of its own.
    """

    data: bytes
    ends: array[int]
    ascii: bool
    hard: bool
    lines: bool

    def start(self, place: int) -> int:
        """Where a row begins in `data`."""
        return self.ends[place - 1] + 1 if place else 0

    def row(self, place: int) -> bytes:
        return self.data[self.start(place) : self.ends[place]]

    def rows(self) -> list[bytes]:
        if not self.lines:
            return self.data.split(b"\n")
        return [self.row(place) for place in range(len(self.ends))]

    def texts(self) -> list[str]:
        """The same as text, odd bytes as they are shown."""
        if self.ascii and not self.lines:
            return self.data.decode("ascii").split("\n")
        return [decoded(row) for row in self.rows()]


def encoded(text: str | bytes) -> bytes:
    """The bytes by which a row is kept; half characters (lone surrogates) have some too."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


def decoded(data: bytes) -> str:
    """The text of a row. A frame that came as bytes and is not UTF-8 shows its odd bytes as
    \\xNN."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace")


class Texts:
    """The text of all rows. The last rows are as they came; ROWS of them become a block."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.tail: list[str | bytes] = []

    def add(self, text: str | bytes) -> None:
        self.tail.append(text)
        if len(self.tail) == ROWS:
            self.blocks.append(_block(self.tail))
            self.tail = []  # behind the block: who still reads the old list finds the same there

    def at(self, seq: int) -> str | bytes:
        tail = self.tail  # first, so that a row is either in a block or in this list
        blocks, at = self.blocks, seq // ROWS
        return blocks[at].row(seq % ROWS) if at < len(blocks) else tail[seq % ROWS]

    def text(self, seq: int) -> str:
        """A row's text, without the audio that was cut out."""
        kept = self.at(seq)
        return kept if isinstance(kept, str) else decoded(kept)

    def some(self, block: int, length: int) -> list[str]:
        """The texts of a block of a log of that length, or of what there is of the last one."""
        tail = self.tail
        if block < len(self.blocks):
            return self.blocks[block].texts()
        kept = tail[: length - block * ROWS]
        return [text if isinstance(text, str) else decoded(text) for text in kept]


def _block(rows: list[str | bytes]) -> Block:
    try:
        data = "\n".join(rows).encode("ascii")  # type: ignore[arg-type]  # bytes: see below
        ends = _ends(rows, 1)
    except (TypeError, UnicodeEncodeError):
        pieces = [encoded(row) for row in rows]
        data, ends = b"\n".join(pieces), _ends(pieces, 1)
    lines = data.count(b"\n") >= len(rows) or b"\r" in data
    return Block(data, ends, data.isascii(), is_hard(data), lines)


def _ends(pieces: Sequence[str | bytes], between: int = 0) -> array[int]:
    """Where each piece ends in all of them together, in as few bytes as hold it."""
    ends = [end + at * between for at, end in enumerate(accumulate(map(len, pieces)))]
    return array("I" if ends[-1] < 1 << 32 else "Q", ends)


def is_hard(data: bytes) -> bool:
    """Whether upper and lower case cannot be told from the bytes."""
    return b"\\u" in data or (not data.isascii() and _FOLDING.search(data) is not None)


class Chunk(NamedTuple):
    """Pieces of sound one behind the other: in memory, or their place in the file; and where each
    ends."""

    pcm: bytes | int
    ends: array[int]


class Sound:
    """PCM of all rows, as the pieces that came, in chunks of some hundred.

    Args:
        limit: bytes kept in memory; what is more moves to a temporary file, and soon all but the
            latest does. None: all stays in memory.
        tell: is given a sentence when there is no room for such a file.
    """

    def __init__(self, limit: int | None, tell: Callable[[str], None]) -> None:
        self.in_memory = 0
        """Bytes in full chunks that are in memory."""
        self._limit = limit
        self._tell = tell
        self._open: list[bytes] = []
        self._chunks: list[list[bytes] | Chunk] = [self._open]
        self._firsts = array("Q", [0])  # number of the first piece in each chunk
        self._count = 0
        self._room = _CHUNK
        self._moved = 0  # chunks in the file
        self._file: TemporaryFile | None = None

    def add(self, pcm: bytes) -> int:
        """Keep a piece; gives its number."""
        if self._room <= 0:
            self._next()
        number = self._count
        self._open.append(pcm)
        self._room -= len(pcm)
        self._count = number + 1
        return number

    def read(self, number: int) -> bytes:
        """The piece of that number. Raises OSError where the file is gone."""
        firsts = self._firsts
        at = bisect_right(firsts, number) - 1
        chunk, place = self._chunks[at], number - firsts[at]
        if isinstance(chunk, list):
            return chunk[place]
        start, end = chunk.ends[place - 1] if place else 0, chunk.ends[place]
        if isinstance(chunk.pcm, bytes):
            return chunk.pcm[start:end]
        assert self._file is not None  # the file comes before a chunk is in it
        return self._file.read(chunk.pcm + start, end - start)

    def _next(self) -> None:
        """Close the chunk to which pieces are added, and begin another.

        What stays in memory for good is joined: an allocator gives each piece a tenth more than it
        needs. What is to move is joined when it does, which is less work.
        """
        self.in_memory += _CHUNK - self._room
        if self._limit is None:
            self._chunks[-1] = _joined(self._open)
        elif self._moved or self.in_memory > self._limit:
            self._move()
        self._open = []
        self._chunks.append(self._open)
        self._firsts = self._firsts + array("Q", [self._count])  # readers search the old one
        self._room = _CHUNK

    def _move(self) -> None:
        """Move the oldest chunks to the file. Where that fails all stays as it is."""
        try:
            if self._file is None:
                self._file = TemporaryFile()
            for number in range(self._moved, min(self._moved + _MOVES, len(self._chunks))):
                pieces = self._chunks[number]
                chunk = _joined(pieces) if isinstance(pieces, list) else pieces
                assert isinstance(chunk.pcm, bytes)
                self._chunks[number] = Chunk(self._file.append(chunk.pcm), chunk.ends)
                self._moved = number + 1
                self.in_memory -= chunk.ends[-1]
        except OSError as problem:
            self._limit = None
            sentence = (
                f"The log's audio stays in memory: it could not be moved to a temporary file "
                f"({problem.strerror or problem}). Free some disk space, or set TMPDIR to a folder "
                "that has it, before the next session."
            )
            logger.warning(sentence)
            self._tell(sentence)


def _joined(pieces: list[bytes]) -> Chunk:
    return Chunk(b"".join(pieces), _ends(pieces))


class TemporaryFile:
    """A file that is gone when this object is, or when the process ends. Any thread reads it.

    Args:
        nameless: take the name away at once, as POSIX allows, so that nothing is left behind by a
            process that is killed either.
    """

    def __init__(self, nameless: bool = os.name == "posix") -> None:
        import tempfile

        self._fd, self._path = tempfile.mkstemp(prefix="rtwidgets-", suffix=".pcm")
        self._size = 0
        self._nameless = nameless
        if nameless:
            os.unlink(self._path)
        self._finalizer = weakref.finalize(self, _discard, self._fd, "" if nameless else self._path)

    def append(self, data: bytes) -> int:
        """Write all of `data` at the end; gives its place. Raises OSError where there is no room,
        and is then as long as before."""
        place, rest = self._size, memoryview(data)
        while len(rest):
            os.lseek(self._fd, place + len(data) - len(rest), os.SEEK_SET)
            rest = rest[os.write(self._fd, rest) :]
        self._size = place + len(data)
        return place

    def read(self, place: int, size: int) -> bytes:
        if self._nameless:
            return os.pread(self._fd, size, place)
        with open(self._path, "rb") as file:  # Windows cannot read elsewhere than it writes
            file.seek(place)
            return file.read(size)


def _discard(fd: int, path: str) -> None:
    os.close(fd)
    if path:
        os.unlink(path)
