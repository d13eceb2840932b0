"""What we put into the conversation and the server has not said to be there.

OpenAI's server answers every `conversation.item.create` with `conversation.item.added`. A gateway
may not: then an item is taken to be there when the next response begins, under a name of our own,
so that nobody's words are missing. Where the server does say so later, its word counts.
"""

from __future__ import annotations

from collections import deque

from .events import Event, item_text, text_field

_MOST = 100  # of a client that only writes


class Echoes:
    """The items that we sent, until the server is heard to name one.

    Attributes:
        heard: whether it ever was; from then on nothing is made up.
    """

    def __init__(self) -> None:
        self.heard = False
        self._sent: deque[Event] = deque(maxlen=_MOST)
        self._named: list[tuple[tuple[str, str, str], str]] = []
        self._count = 0

    def sent(self, item: object) -> None:
        """A `conversation.item.create` was sent."""
        if not self.heard and isinstance(item, dict):
            self._sent.append(item)

    def refused(self) -> None:
        """The server refused something: one of these, perhaps, and none is made up."""
        self._sent.clear()

    def echo(self, item: object) -> str:
        """The server names an item of ours; gives the name that it had here, "" where none."""
        self.heard = True
        self._sent.clear()
        kind = _kind(item)
        found = next((one for one in self._named if one[0] == kind), None)
        if found is None:
            return ""
        self._named.remove(found)
        return found[1]

    def overdue(self) -> list[Event]:
        """A response begins: the items that must be there by now, each with an id."""
        items = []
        while self._sent:
            item = self._sent.popleft()
            self._count += 1
            id_ = text_field(item, "id") or f"item_unnamed_{self._count}"
            self._named.append((_kind(item), id_))
            items.append({**item, "id": id_})
        return items


def _kind(item: object) -> tuple[str, str, str]:
    words = item_text(item) if isinstance(item, dict) else ""
    return text_field(item, "type"), text_field(item, "role"), words
