"""The row of buttons that open and close what stands below the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import traitlets

from .comm import Buffers, Content, Live, Sender
from .page import page_code


class Panels(Live):
    """Which sections of a chat are open. The page decides, and the kernel remembers it for pages
    that appear later.

    Args:
        sections: what each is called, by name. Its widget has the class `rtw-<name>`, stands beside
            this one, and is hidden by the style sheet while it is closed.
        opened: the names of those that are open at first.
    """

    _esm = page_code("panels.js")
    sections = traitlets.Dict().tag(sync=True)
    opened = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        sections: Mapping[str, str],
        opened: Sequence[str] = (),
        *,
        sender: Sender | None = None,
    ) -> None:
        super().__init__(sender, sections=dict(sections), opened=list(opened))

    def reveal(self, name: str) -> None:
        """Have a section open where it is closed."""
        self.tell({"t": "reveal", "section": name})

    def page_open(self, content: Content, _buffers: Buffers) -> None:
        """A person opened or closed something."""
        self.put(opened=[name for name in self.sections if name in content["open"]])
