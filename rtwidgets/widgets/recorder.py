"""A recorder of ipywebrtc with what a person needs beside it: a button to send, and words.

Its buttons are ipywidgets made in a cell: they are handled between cells, not while one computes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets

from .comm import close_tree, shared_sender
from .delivery import say_in
from .fallback import VIEW_MIME
from .presence import Presence


class Recorder:
    """What stands in the cell.

    Args:
        stream, recorder: of ipywebrtc. The browser asks for its permission when they are shown.
        clip: the widget whose `value` is the bytes of the last recording.
        on_clip: takes these bytes, and gives what to say of them.
        on_send: called when the button is pressed, on whatever thread the kernel chooses.
        words: what stands beside the button at first.
        above, beside: more widgets.

    Attributes:
        closed: whether it is, and the microphone or the camera with it: when nobody can see it any
            more nothing listens.
    """

    def __init__(
        self,
        stream: Any,
        recorder: Any,
        clip: Any,
        on_clip: Callable[[bytes], str],
        on_send: Callable[[], None],
        words: str,
        above: tuple[Any, ...] = (),
        beside: tuple[Any, ...] = (),
    ) -> None:
        self._stream, self._recorder, self._on_clip = stream, recorder, on_clip
        self._one_at_a_time = threading.Lock()
        self.closed = False
        self._presence = Presence(lambda: shared_sender().call(self.close, "closing a recorder"))
        self._words = ipywidgets.Label(words)
        button = ipywidgets.Button(description="Send", tooltip="Send it into the conversation")
        button.on_click(lambda _button: on_send())
        clip.observe(self._took, "value")
        row = ipywidgets.HBox([*beside, button, self._words])
        # The recorder stands last: its preview appears with the first clip, and must move nothing.
        self.view = ipywidgets.VBox([*above, row, recorder, self._presence])

    def _took(self, change: Any) -> None:
        if change["new"]:
            self.work(lambda: self._on_clip(bytes(change["new"])))

    def work(self, do: Callable[[], object], said: str = "") -> None:
        """Do it on a thread of its own, and say beside the button what came of it."""

        def run() -> None:
            with self._one_at_a_time:  # a clip is read before it is sent
                try:
                    result = do()
                    words = said or str(result)
                except Exception as problem:  # a person reads it where they pressed
                    words = str(problem)
                say_in(self._words, words)

        threading.Thread(target=run, name="rtwidgets-recorder", daemon=True).start()

    def display(self, words: str) -> None:
        """Show it in the notebook; `words` stand there without a kernel."""
        from IPython.display import display

        model = {"version_major": 2, "version_minor": 0, "model_id": self.view.model_id}
        display({VIEW_MIME: model, "text/plain": words}, raw=True)

    def close(self) -> None:
        """Stop the stream and take everything from the page."""
        self.closed = True
        for widget in (self.view, self._stream):
            close_tree(widget)
