"""`VoiceNote`: a recording that is sent as one turn, as a voice message is."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pybase64

from ..audio import RATE, Samples, pcm_from_samples, samples_from_pcm, wav_bytes
from ..errors import Misuse
from ..session.reply import Reply
from .clips import hindrance, needed, sound_of
from .delivery import deliver, speak
from .recorder import Recorder

if TYPE_CHECKING:
    from .delivery import Listener


class VoiceNote:
    """A recording of the browser's microphone, or of a file, for one turn of a conversation.

        note = rt.VoiceNote(session)      # shows a recorder (ipywebrtc): record, listen, send
        note.send()                       # what its button does

    Unlike the live microphone it needs no turn detection and no steady connection: the clip is
    whole before anything is sent.

    Args:
        to: the conversation it goes to, a `Session` or a `RealtimeChat`.

    Raises Misuse where ipywebrtc is missing; `from_file` and `from_samples` do without.
    """

    def __init__(self, to: Listener | None = None) -> None:
        self.to = to
        self._samples: Samples | None = None
        self._unread = ""  # why the clip that was recorded last could not be read
        self._recorder: Recorder | None = None
        self._record()

    @classmethod
    def from_file(cls, path: str | Path, to: Listener | None = None) -> VoiceNote:
        """A note from a wav; webm, ogg, mp3 and m4a need PyAV (`rtwidgets[notes]`)."""
        return cls.from_samples(sound_of(Path(path).read_bytes()), to)

    @classmethod
    def from_samples(cls, samples: Any, to: Listener | None = None) -> VoiceNote:
        """A note from int16 or floats in [-1, 1], mono 24 kHz, shape (n,)."""
        note = cls.__new__(cls)
        note.to, note._recorder, note._unread = to, None, ""
        note._samples = samples_from_pcm(pcm_from_samples(samples))
        return note

    def _record(self) -> None:
        webrtc = needed("ipywebrtc", "Recording in the browser")
        stream = webrtc.CameraStream(constraints={"audio": True, "video": False})
        recorder = webrtc.AudioRecorder(stream=stream)
        self._recorder = Recorder(
            stream,
            recorder,
            recorder.audio,
            self._recorded,
            self._press,
            hindrance() or "Nothing was recorded yet.",
        )

    @property
    def samples(self) -> Samples:
        """The note, int16 mono at 24 kHz. Raises Misuse before anything was recorded, and where
        what was recorded last cannot be read."""
        if self._unread:
            raise Misuse(self._unread)
        if self._samples is None:
            raise Misuse("Nothing was recorded yet. Press the round button, speak, press it again.")
        return self._samples

    @property
    def seconds(self) -> float:
        """How long it is; 0 before anything was recorded."""
        return 0.0 if self._samples is None else len(self._samples) / RATE

    def send(self, to: Listener | None = None, timeout: float | None = None) -> Reply | None:
        """Send it as one committed turn and ask for an answer.

        In a session it waits for the reply and gives it; in a chat it returns at once, with None.
        Raises Misuse, TimedOut, ConnectionLost.
        """
        samples = self.samples
        return deliver(to or self.to, lambda session: speak(session, samples, timeout), timeout)

    def close(self) -> None:
        """Let go of the microphone, and take the recorder from the page."""
        if self._recorder is not None:
            self._recorder.close()

    def _recorded(self, data: bytes) -> str:
        try:
            self._samples, self._unread = sound_of(data), ""
        except Misuse as problem:
            self._unread = str(problem)
            raise
        return f"{self.seconds:.1f} s recorded"

    def _press(self) -> None:
        """The button Send, on whatever thread the kernel chooses."""
        assert self._recorder is not None
        self._recorder.work(lambda: self.send(), said="Sent.")

    def __repr__(self) -> str:
        if self._samples is None:
            return "VoiceNote(nothing recorded yet)"
        return f"VoiceNote({self.seconds:.1f} s)"

    def _repr_html_(self) -> str:
        wav = pybase64.b64encode_as_string(wav_bytes(pcm_from_samples(self.samples)))
        return (
            f'<audio controls src="data:audio/wav;base64,{wav}"></audio> '
            f"<span>{escape(repr(self))}</span>"
        )

    def _ipython_display_(self) -> None:
        if self._recorder is not None:
            if self._recorder.closed:
                self._record()
            self._recorder.display(repr(self))
        else:
            from IPython.display import display

            display({"text/html": self._repr_html_(), "text/plain": repr(self)}, raw=True)
