"""The sound of users' turns, as far as there is room: one store for all sessions of a server."""

from __future__ import annotations

ROOM = 16 * 1024 * 1024  # bytes; five and a half minutes of 24 kHz


class Recordings:
    """Sound by key (an item's id, or a session's own while the turn lasts); the oldest goes."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._size = 0
        self._kept: dict[str, bytearray] = {}

    def add(self, key: str, sound: bytes) -> None:
        """Put `sound` after what is kept of `key`; others give way, the oldest first."""
        self._kept.setdefault(key, bytearray()).extend(sound)
        self._size += len(sound)
        while self._size > self._room:
            self.drop(next(iter(self._kept)))

    def rename(self, key: str, new: str) -> None:
        """The turn is over: its sound belongs to the item `new`, as the newest there is."""
        sound = self._kept.pop(key, None)
        if sound is not None:
            self._kept[new] = sound

    def get(self, key: str) -> bytes:
        """The sound, b"" when there is none any more."""
        return bytes(self._kept.get(key, b""))

    def drop(self, key: str) -> None:
        self._size -= len(self._kept.pop(key, b""))

    def __len__(self) -> int:
        """Bytes kept."""
        return self._size
