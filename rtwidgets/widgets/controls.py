"""The parts of the chat that must work while a cell computes: status, Start and Stop, the text box.

ipywidgets' own buttons, made in a cell, are not handled before a busy cell ends (ipykernel 7.4);
these speak through `comm.Live` and are. They know nothing of sessions: they pass on what a person
did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

import traitlets

from .comm import STATIC, Buffers, Content, Live, Sender
from .files import File
from .status import Status

Part = Literal["header", "composer"]
Act = Callable[[str, str], None]
"""What a person did: `start`, `stop`, `approve`, `decline`, `say` or `interrupt`; and the text."""


class Controls(Live):
    """One of the two strips of controls.

    Args:
        part: `header` (status, Start, Stop) or `composer` (text box, Send, Interrupt, downloads).
        act: called with what a person did.
        file: gives the file for a kind of download: `jsonl`, `wav` or `html`.
    """

    _esm = STATIC / "controls.js"
    part = traitlets.Unicode().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    hides = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        part: Part,
        act: Act,
        file: Callable[[str], File],
        *,
        status: Status | None = None,
        hides: str = "",
        sender: Sender | None = None,
    ) -> None:
        self._act = act
        self._file = file
        super().__init__(sender, part=part, status=asdict(status or Status()), hides=hides)

    def show(self, status: Status) -> None:
        """Say this in the status line, soon."""
        self.put(status=asdict(status))

    def page_do(self, content: Content, _buffers: Buffers) -> None:
        self._act(str(content["what"]), str(content.get("text", "")))

    def page_download(self, content: Content, _buffers: Buffers) -> None:
        self._sender.call(lambda: self._send_file(str(content["kind"]), content.get("for")))

    def _send_file(self, kind: str, page: Any) -> None:
        file = self._file(kind)
        self.send({"t": "file", "for": page, "name": file.name, "mime": file.mime}, [file.data])
