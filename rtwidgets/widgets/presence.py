"""A widget without looks, which says when what it stands in is shown nowhere any more."""

from __future__ import annotations

from collections.abc import Callable

from .audience import Audience
from .comm import Buffers, Content, Live, Sender
from .page import page_code


class Presence(Live):
    """Stands among others in a box, and speaks for all of them.

    Args:
        gone: called on the shared loop when no page shows them any more.

    Attributes:
        audience: finds that out.
    """

    _esm = page_code("presence.js")

    def __init__(self, gone: Callable[[], None], *, sender: Sender | None = None) -> None:
        self.audience = Audience(lambda: self.tell({"t": "shown?"}), gone)
        super().__init__(sender)

    def page_shown(self, content: Content, _buffers: Buffers) -> None:
        self.audience.shown(bool(content["there"]))
