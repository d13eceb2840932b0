"""A recorder of ipywebrtc with what a person needs beside it: a button to send, and words.

Its buttons are ipywidgets made in a cell: they are handled between cells, not while one computes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets

from .comm import close_tree
from .delivery import say_in


class Recorder:
    """What stands in the cell.

    Args:
        stream, recorder: of ipywebrtc. The browser asks for its permission when they are shown.
        clip: the widget whose `value` is the bytes of the last recording.
        on_clip: takes these bytes, and gives what to say of them.
        on_send: called when the button is pressed, on whatever thread the kernel chooses.
        above, below: more widgets.
    """

    def __init__(
        self,
        stream: Any,
        recorder: Any,
        clip: Any,
        on_clip: Callable[[bytes], str],
        on_send: Callable[[], None],
        above: tuple[Any, ...] = (),
        below: tuple[Any, ...] = (),
    ) -> None:
        self._stream, self._recorder, self._on_clip = stream, recorder, on_clip
        self._words = ipywidgets.Label("Nothing was recorded yet.")
        button = ipywidgets.Button(description="Send", tooltip="Send it into the conversation")
        button.on_click(lambda _button: on_send())
        clip.observe(self._took, "value")
        row = ipywidgets.HBox([*below, button, self._words])
        self.view = ipywidgets.VBox([*above, recorder, row])

    def _took(self, change: Any) -> None:
        if change["new"]:
            self.work(lambda: self._on_clip(bytes(change["new"])))

    def work(self, do: Callable[[], object], said: str = "") -> None:
        """Do it on a thread of its own, and say beside the button what came of it."""

        def run() -> None:
            try:
                words = do()
            except Exception as problem:  # a person reads it where they pressed
                say_in(self._words, str(problem))
            else:
                say_in(self._words, said or str(words))

        threading.Thread(target=run, name="rtwidgets-recorder", daemon=True).start()

    def close(self) -> None:
        """Stop the stream and take everything from the page."""
        for widget in (self.view, self._stream):
            close_tree(widget)
