"""The columns of a log: typed, growing, with names as codes; to be read as numpy arrays.

One thread adds, any thread reads, without a lock. A full column is replaced by a longer copy, never
resized: arrays that numpy was given keep what they show. Who reads takes the length first.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Column -> array type code.
_CODES = {
    "t": "d",
    "direction": "B",
    "type": "I",
    "item": "I",
    "response": "I",
    "size": "I",
    "audio_bytes": "I",
    "place": "I",
    "cut": "i",
}
_FIRST = 256


@dataclass(frozen=True)
class Arrays:
    """The columns of some rows as numpy arrays of one length, read-only.

    Of a whole log they are the log's own memory, as it stood when asked for.

    Attributes:
        seq: numbers of the rows.
        t: seconds since the log began.
        direction: 0 client, 1 server, 2 local.
        type, item, response: places in `type_names`, `item_names`, `response_names`.
        size: bytes on the wire.
        audio_bytes: bytes of PCM inside.
    """

    seq: NDArray[np.integer[Any]]
    t: NDArray[np.float64]
    direction: NDArray[np.uint8]
    type: NDArray[np.uint32]
    item: NDArray[np.uint32]
    response: NDArray[np.uint32]
    size: NDArray[np.uint32]
    audio_bytes: NDArray[np.uint32]
    type_names: tuple[str, ...]
    item_names: tuple[str, ...]
    response_names: tuple[str, ...]


class Names:
    """Strings that come again and again, each with a small number; "" is 0."""

    def __init__(self) -> None:
        self.all = [""]
        self.codes = {"": 0}
        self._fitting: dict[str, tuple[int, list[int]]] = {}

    def code(self, name: str) -> int:
        """The number of `name`, a new one for a new name."""
        code = self.codes.get(name)
        if code is None:
            code = len(self.all)
            self.all.append(name)  # before its code is known: who finds a code finds its name
            self.codes[name] = code
        return code

    def code_of(self, value: Any) -> int:
        """The number of what stands in a field of an event, 0 where that is no string."""
        try:
            return self.codes[value]
        except (KeyError, TypeError):
            return self.code(value) if isinstance(value, str) else 0

    def like(self, pattern: str) -> list[int]:
        """The numbers of the names that are, or fit, a pattern such as `response.*`."""
        exact = self.codes.get(pattern)
        if exact is not None or not any(sign in pattern for sign in "*?["):
            return [] if exact is None else [exact]
        names = tuple(self.all)
        count, codes = self._fitting.get(pattern, (0, []))
        if count < len(names):  # asked again and again while the log grows, of few types
            codes = [code for code, name in enumerate(names) if fnmatchcase(name, pattern)]
            self._fitting[pattern] = len(names), codes
        return codes


class Columns:
    """All columns of a log.

    Attributes:
        capacity: rows for which there is room; call `grow` before row `capacity` is written.
        place, cut: where the row's audio is kept, and where it was cut out of the text.
    """

    t: array[float]
    direction: array[int]
    type: array[int]
    item: array[int]
    response: array[int]
    size: array[int]
    audio_bytes: array[int]
    place: array[int]
    cut: array[int]

    def __init__(self) -> None:
        self.capacity = _FIRST
        self.types, self.items, self.responses = Names(), Names(), Names()
        for name, code in _CODES.items():
            setattr(self, name, _zeros(code, _FIRST))

    def grow(self) -> None:
        """Make room for half as many rows again."""
        more = self.capacity // 2
        for name, code in _CODES.items():
            setattr(self, name, getattr(self, name) + _zeros(code, more))
        self.capacity += more

    def array(self, name: str, length: int) -> NDArray[Any]:
        """The first `length` values of a column as numpy sees them, without a copy; read-only."""
        column = getattr(self, name)
        values: NDArray[Any] = np.frombuffer(column, dtype=column.typecode, count=length)
        values.flags.writeable = False
        return values


def _zeros(code: str, count: int) -> array[Any]:
    return array(code, bytes(array(code).itemsize * count))
