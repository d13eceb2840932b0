"""Speaking into a session as a microphone would, and what the server makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .. import audio
from ..log import Row
from ..transport import Clock

CHUNK_MS = 40
LISTEN_MS = 3000
"""Silence sent behind speech until the server has noticed its end."""


_FRAME = '{"type":"input_audio_buffer.append","audio":"%s"}'


def append_frame(pcm: bytes) -> str:
    """The frame of `input_audio_buffer.append`, put together by hand: base64 needs no escaping, and
    there are twenty-five of them a second."""
    return _FRAME % audio.encode(pcm)


class Microphone:
    """Sends PCM in chunks at its own pace.

    Args:
        append: adds PCM to the session's input buffer.
        clock: the line's.
    """

    def __init__(self, append: Callable[[bytes], Awaitable[object]], clock: Clock) -> None:
        self._append = append
        self._clock = clock

    async def speak(self, pcm: bytes) -> None:
        begun, sent = self._clock.now(), 0
        for chunk in audio.chunks(pcm, CHUNK_MS):
            await self._append(chunk)
            sent += len(chunk)
            due = begun + audio.seconds_of(sent)  # by the clock, so that no delay adds up
            await self._clock.sleep(max(0.0, due - self._clock.now()))

    async def listen(self, over: Callable[[], bool]) -> bool:
        """Send silence until it is over, for `LISTEN_MS` at most; gives whether it is."""
        silence = bytes(CHUNK_MS * audio.BYTES_PER_MS)
        for _ in range(LISTEN_MS // CHUNK_MS):
            if over():
                return True
            await self.speak(silence)
        return over()


class HeardTurn:
    """What the server makes of what is spoken; takes the session's rows.

    Attributes:
        over: whether the last of the turns was committed, with no speech behind it.
        answers: the ids of the responses that began since the last turn ended.
    """

    def __init__(self) -> None:
        self.over = False
        self.answers: list[str] = []

    def take(self, row: Row) -> None:
        if row.type == "input_audio_buffer.speech_started":
            self.over = False
        elif row.type == "input_audio_buffer.committed":
            self.over, self.answers = True, []
        elif row.type == "response.created":
            self.answers.append(row.response_id)
