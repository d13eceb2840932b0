"""How long the user spoke: as the server measured it, else as it was sent."""

from __future__ import annotations

from typing import TypeVar

from ..dialects import input_bytes_per_ms
from ..events import Event, count_field, text_field
from ..items import Item, pcm_size

_MOST = 1000  # turns that no item was made of, in a session that goes wrong

T = TypeVar("T")


class Speech:
    """Give it what is appended, and what the server says of the input buffer."""

    def __init__(self) -> None:
        self._appended = 0  # bytes, since the buffer was last emptied
        self._begun: dict[str, int | None] = {}  # audio_start_ms by item
        self._ended: dict[str, tuple[float, bool]] = {}  # ms by item, and whether it was silence

    def appended(self, size: int) -> None:
        """So many bytes of sound were sent."""
        self._appended += size

    def sent(self, event: Event) -> None:
        """A client event that may hold sound, or throw it away."""
        type_, sound = event.get("type"), event.get("audio")
        if type_ == "input_audio_buffer.append" and isinstance(sound, str):
            self.appended(pcm_size(sound))
        elif type_ == "input_audio_buffer.clear":
            self._appended = 0

    def started(self, event: Event) -> None:
        _keep(self._begun, text_field(event, "item_id"), count_field(event, "audio_start_ms"))

    def stopped(self, event: Event, silence: bool = False) -> None:
        """The server heard the end of it, or (`silence`) lost patience."""
        id_, end = text_field(event, "item_id"), count_field(event, "audio_end_ms")
        begun = count_field(event, "audio_start_ms") if silence else self._begun.pop(id_, None)
        if begun is not None and end is not None:
            _keep(self._ended, id_, (max(0, end - begun), silence))

    def committed(self, event: Event, session: Event) -> None:
        """The server makes an item of what is in the buffer."""
        id_ = text_field(event, "item_id")
        if id_ not in self._ended and self._appended:
            _keep(self._ended, id_, (self._appended / input_bytes_per_ms(session), False))
        self._appended = 0

    def tell(self, item: Item) -> None:
        """Let an item know how long it is."""
        known = self._ended.pop(item.id, None)
        if known is not None:
            item.spoken_ms, item.silence = round(known[0]), known[1]

    def cut(self) -> None:
        """The line has ended, and with it what was in the buffer."""
        self._appended = 0
        self._begun.clear()


def _keep(of: dict[str, T], id_: str, value: T) -> None:
    if id_:
        of[id_] = value
        if len(of) > _MOST:
            del of[next(iter(of))]
