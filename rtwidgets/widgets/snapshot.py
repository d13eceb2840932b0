"""`Snapshot`: a picture in the conversation, from the camera or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from ..errors import Misuse
from ..session.reply import Reply
from .clips import Picture, needed, picture_of
from .delivery import deliver, show
from .recorder import Recorder

if TYPE_CHECKING:
    from .delivery import Listener

QUESTION = "What is this?"


class Snapshot:
    """A still of the browser's camera, or a file, that the model looks at.

        picture = rt.Snapshot(session)       # shows the camera (ipywebrtc): take one, then send
        picture.send("What is this?")        # what its button does

    Args:
        to: the conversation it goes to, a `Session` or a `RealtimeChat`.

    Raises Misuse where ipywebrtc is missing; `from_file` does without.
    """

    def __init__(self, to: Listener | None = None) -> None:
        self.to = to
        self._picture: Picture | None = None
        self._recorder: Recorder | None = None
        self._show_camera()

    @classmethod
    def from_file(cls, path: str | Path, to: Listener | None = None) -> Snapshot:
        """A picture from a PNG or JPEG. One above 1 MB, or of another kind, is made a JPEG of 1024
        pixels, which needs PyAV (`rtwidgets[notes]`)."""
        snapshot = cls.__new__(cls)
        snapshot.to, snapshot._recorder = to, None
        snapshot._picture = picture_of(Path(path).read_bytes())
        return snapshot

    def _show_camera(self) -> None:
        webrtc = needed("ipywebrtc", "Taking a picture in the browser")
        camera = webrtc.CameraStream(constraints={"audio": False, "video": True})
        recorder = webrtc.ImageRecorder(stream=camera, format="jpeg")
        question = ipywidgets.Text(QUESTION, description="Ask")
        self._recorder = Recorder(
            camera,
            recorder,
            recorder.image,
            self._taken,
            lambda: self._press(question.value),
            "No picture was taken yet.",
            above=(camera,),
            beside=(question,),
        )

    @property
    def picture(self) -> Picture:
        """The picture as it is sent. Raises Misuse before one was taken."""
        if self._picture is None:
            raise Misuse("No picture was taken yet. Press the camera's button first.")
        return self._picture

    def send(
        self, words: str = QUESTION, to: Listener | None = None, timeout: float | None = None
    ) -> Reply | None:
        """Send it with the user's `words` and ask for an answer.

        In a session it waits for the reply and gives it; in a chat it returns at once, with None.
        Raises Misuse, TimedOut, ConnectionLost.
        """
        address = self.picture.address
        return deliver(
            to or self.to, lambda session: show(session, address, words, timeout), timeout
        )

    def close(self) -> None:
        """Let go of the camera, and take it from the page."""
        if self._recorder is not None:
            self._recorder.close()

    def _taken(self, data: bytes) -> str:
        self._picture = picture_of(data)
        return f"{len(self._picture.data) / 1000:.0f} kB taken"

    def _press(self, words: str) -> None:
        assert self._recorder is not None
        self._recorder.work(lambda: self.send(words), said="Sent.")

    def __repr__(self) -> str:
        if self._picture is None:
            return "Snapshot(no picture yet)"
        return f"Snapshot({self._picture.media_type}, {len(self._picture.data) / 1000:.0f} kB)"

    def _repr_html_(self) -> str:
        return f'<img alt="{self!r}" src="{self.picture.address}" style="max-width:320px">'

    def _ipython_display_(self) -> None:
        if self._recorder is not None:
            if self._recorder.closed:
                self._show_camera()
            self._recorder.display(repr(self))
        else:
            from IPython.display import display

            display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)
