"""The parts of the chat that must work while a cell computes: status, Start and Stop, the text box.

ipywidgets' own buttons, made in a cell, are not handled before a busy cell ends (ipykernel 7.4);
these speak through `comm.Live` and are. They know nothing of sessions: they pass on what a person
did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from typing import Any, Literal

import traitlets

from .comm import Buffers, Content, Live, Sender
from .files import File
from .page import page_code
from .status import Status

Part = Literal["header", "composer"]
Act = Callable[[str, Content | None], None]
"""What a person did: `start`, `stop`, `approve`, `decline` or `interrupt`; and what the page showed
as chosen then, by the names of the `fields`, None where it could not tell."""

Say = Callable[[str], "Future[bool]"]
"""Says a text; whether it was taken."""


class Controls(Live):
    """One of the two strips of controls.

    Args:
        part: `header` (status, Start, Stop) or `composer` (text box, Send, Interrupt, downloads).
        act: called with what a person did.
        say: called with what a person typed. The page keeps the text until it was taken.
        file: gives the file for a kind of download, `jsonl`, `wav` or `html`; None where there is
            none.
        fields: the ipywidgets that hold what is chosen before Start, by name.
    """

    _esm = page_code("controls.js")
    part = traitlets.Unicode().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    hides = traitlets.Unicode("").tag(sync=True)
    fields = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        part: Part,
        act: Act,
        say: Say,
        file: Callable[[str], File | None],
        *,
        status: Status | None = None,
        hides: str = "",
        fields: Mapping[str, Any] | None = None,
        sender: Sender | None = None,
    ) -> None:
        self._act = act
        self._say = say
        self._file = file
        ids = {name: field.model_id for name, field in (fields or {}).items()}
        first = asdict(status or Status())
        super().__init__(sender, part=part, status=first, hides=hides, fields=ids)

    def show(self, status: Status) -> None:
        """Say this in the status line, soon."""
        self.put(status=asdict(status))

    def page_do(self, content: Content, _buffers: Buffers) -> None:
        self._act(str(content["what"]), content.get("chosen"))

    def page_say(self, content: Content, _buffers: Buffers) -> None:
        number = content["id"]
        said = self._say(str(content["text"]))
        said.add_done_callback(lambda said: self._answer(number, said))

    def _answer(self, number: Any, said: Future[bool]) -> None:
        taken = not said.cancelled() and said.exception() is None and said.result()
        self.tell({"t": "said", "id": number, "taken": taken})

    def page_download(self, content: Content, _buffers: Buffers) -> None:
        kind, page = str(content["kind"]), content.get("for")
        self.soon(lambda: self._send_file(kind, page), "download")

    def _send_file(self, kind: str, page: Any) -> None:
        file = self._file(kind)
        if file is not None:
            content = {"t": "file", "for": page, "name": file.name, "mime": file.mime}
            self.send(content, [file.data])
