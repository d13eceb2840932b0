"""A log written to a file and the lines of one read, a block of rows at a time."""

from __future__ import annotations

import codecs
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from .. import audio
from . import jsonl
from .cutting import NOT_CUT
from .logins import for_a_file, may_hold_logins, without_keys
from .rows import DIRECTIONS, Rows
from .storage import ROWS

if TYPE_CHECKING:
    from .eventlog import EventLog

_GZIP = b"\x1f\x8b"
_MARK = codecs.BOM_UTF8.decode("utf-8")  # what some editors put in front of a text

# ---------------------------------------------------------------- writing


def opened_to_write(path: str | Path) -> IO[bytes] | gzip.GzipFile:
    """A file for bytes, compressed where its name ends in `.gz`."""
    if str(path).endswith(".gz"):
        return gzip.open(path, "wb", compresslevel=6)
    return open(path, "wb")


def chunks_of(rows: Rows) -> Iterator[str]:
    """The text of a file that holds `rows`, in pieces of whole lines. All of it is UTF-8."""
    log, seqs = rows.log, rows._seqs()
    head = jsonl.header_line(jsonl.Header(log.started, log.endpoint, log.model))
    yield without_keys(head) + "\n"
    if isinstance(seqs, range) and seqs.step == 1:
        for block in range(seqs.start // ROWS, -(-seqs.stop // ROWS)):
            first, end = block * ROWS, min(seqs.stop, block * ROWS + ROWS)
            start = max(seqs.start, first)
            texts = log._texts.some(block, seqs.stop)
            yield _lines(log, range(start, end), texts[start - first : end - first])
    else:
        for at in range(0, len(seqs), ROWS):
            some = [int(seq) for seq in seqs[at : at + ROWS]]
            yield _lines(log, some, [log._texts.text(seq) for seq in some])


_HEADS = tuple(f',"direction":"{direction}","event":' for direction in DIRECTIONS)


def _lines(log: EventLog, seqs: Sequence[int], texts: list[str]) -> str:
    """One line for each row; `texts` are its frames without the audio that was cut out."""
    columns, odd, sound = log._columns, log._odd, log._sound
    numbers = np.fromiter(seqs, np.int64, len(seqs))
    length = int(numbers.max(initial=-1)) + 1
    times, directions, cuts = (
        columns.array(name, length)[numbers] for name in ("t", "direction", "cut")
    )
    heads = [_HEADS[direction] for direction in directions.tolist()]
    # Looked for without the sound, which is most of a log.
    whole = "".join(texts)
    some = may_hold_logins(whole)
    suspect = [place for place, text in enumerate(texts) if some and may_hold_logins(text)]
    raws = texts
    for place in np.flatnonzero(cuts != NOT_CUT).tolist():
        text, cut = texts[place], cuts[place]
        encoded = audio.encode(sound.read(columns.place[seqs[place]]))
        raws[place] = f"{text[:cut]}{encoded}{text[cut:]}"
    rounded = np.round(times, 6).tolist()
    lines = [
        f'{{"seq":{seq},"t":{t!r}{head}{raw}}}\n'
        for seq, t, head, raw in zip(seqs, rounded, heads, raws, strict=True)
    ]
    other = {place for place in suspect if for_a_file(raws[place]) != raws[place]}
    if odd or not jsonl.is_one_line(whole):
        for place, seq in enumerate(seqs):
            if seq in odd or not jsonl.is_one_line(raws[place]):
                other.add(place)
    for place in other:
        seq, direction = seqs[place], DIRECTIONS[directions[place]]
        lines[place] = jsonl.frame_line(seq, rounded[place], direction, log._frame(seq)) + "\n"
    return "".join(lines)


# ---------------------------------------------------------------- reading

Source = str | Path | Iterable[str] | Iterable[bytes]


def entries_of(source: Source) -> Iterator[tuple[int, Any]]:
    """What stands in a file, a text or an open file: lines with their numbers. Where the whole is
    one JSON list, as some tools write it, its entries with theirs."""
    lines = iter(_lines_of(source))
    for number, line in enumerate(lines, start=1):
        if number == 1:
            line = line.removeprefix(_MARK)
            if line.lstrip().startswith("["):
                rest = [line, *lines]
                yield from enumerate(_listed("".join(rest)) or rest, start=1)
                return
        yield number, line


def _listed(text: str) -> list[Any] | None:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    # A list of texts would look like lines; whose first line is a list is no list as a whole.
    fits = isinstance(whole, list) and not any(isinstance(one, str) for one in whole)
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
