"""What a browser recorded, or a file holds, as the service takes it: PCM16, a picture not too big.

Clips come as webm with opus, which PyAV decodes (the extra `notes`, 30 MB and more, and so loaded
only when it is needed); a wav needs nothing, nor does a PNG or JPEG of moderate size.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybase64

from ..audio import RATE, Samples, read_wav
from ..errors import Misuse

INSTALL = "pip install 'rtwidgets[notes]'"
LARGEST_BYTES = 1_000_000
"""Of a picture as it is sent; a larger one is made smaller."""
LARGEST_SIDE = 1024
"""Pixels of a picture that was made smaller: more the service does not look at (facts: its shorter
side is brought to 512 for the count of tokens)."""

_PICTURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


def needed(package: str, why: str) -> Any:
    """A package of the extra `notes`. Raises Misuse with the command that installs it."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise Misuse(_missing(package, why)) from None


def hindrance() -> str:
    """What keeps a recording of the browser from being read, in words, without importing anything;
    "" where nothing does."""
    there = importlib.util.find_spec("av") is not None
    return "" if there else _missing("av", "What the browser records cannot be sent yet: that")


def _missing(package: str, why: str) -> str:
    name = {"av": "PyAV"}.get(package, package)
    return f"{why} needs {name}. Run: {INSTALL}, and restart the kernel."


def sound_of(data: bytes) -> Samples:
    """The sound in a wav, webm, ogg, mp3 or m4a, mono at 24 kHz, shape (n,). Raises Misuse."""
    if not data:
        raise Misuse("There is no sound in it: nothing was recorded.")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        try:
            return read_wav(data)
        except Misuse:
            pass  # of another kind than 16-bit PCM: PyAV reads those, too
    return _decoded(data)


def _decoded(data: bytes) -> Samples:
    av = needed("av", "Sound that is not a 16-bit wav")
    try:
        with av.open(io.BytesIO(data)) as clip:
            to_ours = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            frames = [piece for one in clip.decode(audio=0) for piece in to_ours.resample(one)]
            frames += to_ours.resample(None)
    except (av.error.FFmpegError, IndexError, ValueError) as problem:
        raise Misuse(
            f"No sound can be read from this ({type(problem).__name__}). Record it again, or save "
            "it as a wav."
        ) from None
    parts = [frame.to_ndarray().reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


@dataclass(frozen=True)
class Picture:
    """A picture as it is sent: its bytes, and `image/png` or `image/jpeg`."""

    data: bytes
    media_type: str

    @property
    def address(self) -> str:
        """The data URL that stands in the event."""
        return f"data:{self.media_type};base64,{pybase64.b64encode_as_string(self.data)}"


def picture_of(data: bytes) -> Picture:
    """The picture in a file; one that is large, or of another kind, becomes a JPEG of
    `LARGEST_SIDE`. Raises Misuse."""
    if not data:
        raise Misuse("There is no picture in it: nothing was taken.")
    kind = next((kind for start, kind in _PICTURES if data.startswith(start)), "")
    if kind and len(data) <= LARGEST_BYTES:
        return Picture(data, kind)
    why = f"A picture of {len(data) / 1e6:.1f} MB" if kind else "A picture that is no PNG or JPEG"
    return Picture(_smaller(needed("av", why), data), "image/jpeg")


def _smaller(av: Any, data: bytes) -> bytes:
    try:
        with av.open(io.BytesIO(data)) as file:
            picture = next(file.decode(video=0))
        shrink = min(1.0, LARGEST_SIDE / max(picture.width, picture.height))
        width, height = (
            max(2, round(side * shrink / 2) * 2) for side in (picture.width, picture.height)
        )
        return _jpeg(av, picture.reformat(width, height, format="yuvj420p"))
    except (av.error.FFmpegError, IndexError, ValueError, StopIteration) as problem:
        raise Misuse(
            f"No picture can be read from this ({type(problem).__name__}). Save it as PNG or JPEG."
        ) from None


def _jpeg(av: Any, picture: Any) -> bytes:
    written = io.BytesIO()
    with av.open(written, "w", format="mjpeg") as file:
        stream = file.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuvj420p"
        for packet in (*stream.encode(picture), *stream.encode()):
            file.mux(packet)
    return written.getvalue()
