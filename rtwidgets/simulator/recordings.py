"""The sound of users' turns, as far as there is room: one store for all sessions of a server."""

from __future__ import annotations

from collections.abc import Callable

ROOM = 8 * 1024 * 1024  # bytes; not quite three minutes of 24 kHz


class Recordings:
    """Sound of turns under way, by session, and of turns that ended, by item; the oldest goes."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self.size = 0
        # In the pieces it came in: growing buffers of many sessions leave holes in the memory.
        self._turns: dict[str, list[bytes] | None] = {}  # None: its beginning is lost
        self._items: dict[str, list[bytes]] = {}

    def add(self, session_id: str, sound: bytes) -> None:
        """Put `sound` after what the turn has already; others give way, the oldest first."""
        pieces = self._turns.setdefault(session_id, [])
        if pieces is None:
            return  # half a turn would be a lie
        pieces.append(sound)
        self._grown(len(sound))

    def keep(self, item_id: str, sound: bytes) -> None:
        """Put the sound of an item that came whole; what is too long for the room is not kept."""
        if len(sound) <= self._room:
            self._items[item_id] = [sound]
            self._grown(len(sound))

    def _grown(self, size: int) -> None:
        self.size += size
        while self.size > self._room:
            self._give_way()

    def _give_way(self) -> None:
        if self._items:
            return self.drop(next(iter(self._items)))
        oldest = next(one for one, kept in self._turns.items() if kept)
        self.drop(oldest)
        self._turns[oldest] = None

    def finish(self, session_id: str, item_id: str, most: int) -> None:
        """The turn is over: its first `most` bytes of sound belong to the item now."""
        sound = b"".join(self._turns.get(session_id) or ())[:most]
        self.drop(session_id)
        if sound:
            self._items[item_id] = [sound]
            self.size += len(sound)

    def convert(self, session_id: str, convert: Callable[[bytes], bytes]) -> None:
        """Keep what `convert` makes of a turn under way in its place."""
        kept = self._turns.get(session_id)
        if kept:
            sound = convert(b"".join(kept))
            self.drop(session_id)
            self.add(session_id, sound)

    def get(self, item_id: str) -> bytes:
        """The sound, b"" when there is none any more."""
        return b"".join(self._items.get(item_id, ()))

    def drop(self, key: str) -> None:
        """Forget the sound of an item, or of a session's turn."""
        for kept in (self._turns, self._items):
            self.size -= sum(map(len, kept.pop(key, None) or ()))
