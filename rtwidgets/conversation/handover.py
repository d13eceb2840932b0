"""What the end of a line does to a conversation, and what goes over to the next session.

A new session is told of the items that the old one held (session/history.py), by requests whose ids
begin with `events.CARRIED_ID`. It knows less of these items than is known here.
"""

from __future__ import annotations

from typing import Any

from ..events import Event, count_field, text_field
from ..items import IN_PROGRESS, LINE_LOST, Response
from .contents import Contents


class Handover:
    """From one session to the next."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._carried: dict[str, str] = {}  # items told to a new session, by event id
        self._truncating: dict[str, int | None] = {}  # asked and not confirmed: to so many ms

    # ------------------------------------------------------------ the line ends

    def cut(self) -> list[Response]:
        """What was being made ends here, incomplete; items of which nobody heard a word are gone.

        Returns the responses that were being made.
        """
        making = [one for one in self._contents.live.values() if one.status == IN_PROGRESS]
        made = list(self._contents.items.order)
        for response in making:
            response.status = "incomplete"
            response.status_details = {"type": "incomplete", "reason": LINE_LOST}
            made += response.items  # those out of band stand nowhere else
        unheard = {one.id for one in making if one.unheard}
        self._contents.live.clear()
        items = self._contents.items
        for item in tuple(items.order):
            if item.response_id in unheard:
                items.delete(item.id)
        for item in made:
            if item.status == IN_PROGRESS:
                item.status = "incomplete"
        self._truncate_what_was_asked()
        self._carried.clear()
        return making

    def _truncate_what_was_asked(self) -> None:
        """What the line took along counts all the same: a new session is told no more of it."""
        for item_id, ms in self._truncating.items():
            item = self._contents.items.get(item_id)
            if item is not None and ms is not None and item.truncated_ms is None:
                item.said, item.truncated_ms = item.text, ms
        self._truncating.clear()

    # ------------------------------------------------------------ truncations on their way

    def truncating(self, event: Event) -> None:
        """A `conversation.item.truncate` was sent."""
        self._truncating[text_field(event, "item_id")] = count_field(event, "audio_end_ms")

    def truncated(self, item_id: str) -> None:
        """The server confirmed it."""
        self._truncating.pop(item_id, None)

    def truncation_refused(self) -> None:
        """The server refused one, and does not say of which item."""
        self._truncating.clear()

    # ------------------------------------------------------------ the next session is told

    def telling(self, event: Event) -> None:
        """A `conversation.item.create` was sent that tells the new session of an item."""
        self._carried[event["event_id"]] = text_field(event, "item", "id")

    def was_retold(self, item_id: str) -> bool:
        """Whether the session that stands was told of an item, and did not make it itself."""
        return item_id in self._carried.values()

    def repeats(self, event: Event) -> bool:
        """Whether a new session says that it has been told of an item: it knows less of it.

        Speech of which the old session had made no item yet is news.
        """
        id_ = text_field(event, "item", "id")
        return self.was_retold(id_) and self._contents.items.get(id_) is not None

    def refused(self, error: Event) -> bool:
        """Whether an error refuses what the new session was told: that item is left out."""
        item_id = self._carried.pop(text_field(error, "event_id"), None)
        if item_id is None:
            return False
        self.left_out([item_id])
        return True

    def left_out(self, item_ids: Any) -> None:
        """The new session could not be told of these items."""
        for item_id in item_ids if isinstance(item_ids, list) else ():
            if isinstance(item_id, str):
                self._contents.items.delete(item_id)
