"""A log written to a file and the lines of one read, a block of rows at a time."""

from __future__ import annotations

import codecs
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from . import audio, jsonl
from .cutting import NOT_CUT
from .rows import DIRECTIONS, Rows
from .storage import ROWS

_GZIP = b"\x1f\x8b"

# ---------------------------------------------------------------- writing


def opened_to_write(path: str | Path) -> IO[bytes] | gzip.GzipFile:
    """A file for bytes, compressed where its name ends in `.gz`."""
    if str(path).endswith(".gz"):
        return gzip.open(path, "wb", compresslevel=6)
    return open(path, "wb")


def chunks_of(rows: Rows) -> Iterator[str]:
    """The text of a file that holds `rows`, in pieces of whole lines. All of it is UTF-8."""
    log = rows.log
    yield jsonl.header_line(jsonl.Header(log.started, log.endpoint, log.model)) + "\n"
    seqs = rows._seqs()
    if isinstance(seqs, range) and seqs.step == 1:
        for block in range(seqs.start // ROWS, -(-seqs.stop // ROWS)):
            texts = log._texts.some(block, seqs.stop)
            first = max(seqs.start, block * ROWS)
            end = min(seqs.stop, block * ROWS + ROWS)
            numbers = range(first, end)
            yield _lines(rows, numbers, texts[first - block * ROWS : end - block * ROWS])
    else:
        for start in range(0, len(seqs), ROWS):
            some = [int(seq) for seq in seqs[start : start + ROWS]]
            yield _lines(rows, some, [log._texts.text(seq) for seq in some])


def _lines(rows: Rows, seqs: Iterable[int], texts: list[str]) -> str:
    """One line for each row; `texts` are its frames without the audio that was cut out."""
    log = rows.log
    columns, sound, odd = log._columns, log._sound, log._odd
    numbers = np.fromiter(seqs, np.int64, len(texts))
    some = columns.array("t", int(numbers.max(initial=-1)) + 1)[numbers]
    times = np.round(some, 6).tolist()
    directions, cuts = columns.direction, columns.cut
    lines: list[str] = []
    for seq, t, raw in zip(numbers.tolist(), times, texts, strict=True):
        cut, direction = cuts[seq], DIRECTIONS[directions[seq]]
        if cut != NOT_CUT:
            pcm = sound.read(columns.place[seq])
            raw = f"{raw[:cut]}{audio.encode(pcm)}{raw[cut:]}"
        if seq in odd or not jsonl.is_one_line(raw):
            lines.append(jsonl.frame_line(seq, t, direction, log._frame(seq)) + "\n")
        else:
            lines.append(f'{{"seq":{seq},"t":{t!r},"direction":"{direction}","event":{raw}}}\n')
    return "".join(lines)


# ---------------------------------------------------------------- reading

Source = str | Path | Iterable[str] | Iterable[bytes]


def entries_of(source: Source) -> Iterator[tuple[str, Any]]:
    """What stands in a file, a text or an open file: ("line 7", its text), or where the whole is
    one JSON list, as some tools write it, ("entry 7", what stands there)."""
    lines = iter(_lines_of(source))
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.lstrip().startswith("["):
            rest = [line, *lines]
            whole = _listed("".join(rest))
            if whole is not None:
                yield from ((f"entry {at}", entry) for at, entry in enumerate(whole, start=1))
            else:
                yield from ((f"line {at}", text) for at, text in enumerate(rest, start=1))
            return
        yield f"line {number}", line


def _listed(text: str) -> list[Any] | None:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(whole, list) and any(isinstance(one, dict) for one in whole)
    return whole if fits else None


def _lines_of(source: Source) -> Iterator[str]:
    if isinstance(source, str) and ("\n" in source or source.lstrip()[:1] in ("{", "[")):
        yield from io.StringIO(source, newline="\n")
    elif isinstance(source, str | Path):
        with open(source, "rb") as file:
            yield from _decoded(file)
    else:
        for line in source:
            yield line if isinstance(line, str) else jsonl.decoded(line)


def _decoded(file: IO[bytes]) -> Iterator[str]:
    """The lines of a file: UTF-8, or UTF-16 with its mark as shells write it, or gzip."""
    head = file.read(3)
    file.seek(0)
    if head.startswith(_GZIP):
        yield from _decoded(io.BytesIO(gzip.decompress(file.read())))
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from io.StringIO(file.read().decode("utf-16", "replace"), newline="\n")
    else:
        if head == codecs.BOM_UTF8:
            file.seek(len(head))
        for line in file:
            yield jsonl.decoded(line)
