"""The microphone's strip in the page, and its sound on its way to the session.

The page records (static/voice/recorder.js): one microphone however often the chat is shown. What it
sends is handed on at once, from whatever thread the kernel chose.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import traitlets

from ..endpoints import VOICES
from ..versions import STEADY, SUBSHELLS, UPGRADE, numbers
from .comm import Buffers, Content, Live, Sender, kernel
from .page import page_code
from .turntaking import TurnSettings


class Ear(Protocol):
    """Who takes what the microphone brings. Called on any thread: it only hands on."""

    def begin(self, take: str) -> None:
        """Somebody wants to be heard from now on."""

    def hear(self, take: str, number: int, pcm: bytes) -> None:
        """A chunk of a take, PCM16 mono 24 kHz."""

    def end(self, take: str, count: int, why: str) -> None:
        """A take of so many chunks is over."""

    def choose(self, given: Content) -> None:
        """Something was chosen at the microphone."""


class Microphone(Live):
    """The browser's microphone.

    Attributes:
        ready: whether a session stands that would hear.
        settings: what the strip shows (`TurnSettings.shown`).
        note: a sentence beside the button. warning: one that stands while there is no other.
        lost: how many chunks of 40 ms never came.
        ear: who takes the sound.
        trouble: why the page has no microphone, in the words it shows; empty while it has.
    """

    _esm = page_code("microphone.js")
    ready = traitlets.Bool(False).tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    warning = traitlets.Unicode("").tag(sync=True)
    lost = traitlets.Int(0).tag(sync=True)
    voices = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, *, sender: Sender | None = None) -> None:
        self.ear: Ear | None = None
        self.trouble = ""
        self._page = ""  # the page that recorded last, or said hello last; empty before
        first = TurnSettings().shown({})
        super().__init__(sender, settings=first, voices=list(VOICES), warning=old_kernel())

    @property
    def shown(self) -> bool:
        """Whether a page is there that could record."""
        return bool(self._page)

    def talk(self) -> None:
        """Have the page record, as a press of the button does."""
        self.tell({"t": "talk", "page": self._page})

    def mute(self) -> None:
        """Have it end, as the release does."""
        self.tell({"t": "mute", "page": self._page})

    def refuse(self, take: str) -> None:
        """Nobody listens to this take: the page ends it."""
        self.tell({"t": "stop", "page": take.rpartition("-")[0], "take": take})

    def release(self) -> None:
        """Have every page let its microphone go."""
        self.tell({"t": "close"})

    # ------------------------------------------------------------ what a page says

    def page_hello(self, content: Content, _buffers: Buffers) -> None:
        self._page = str(content["page"])
        self.tell({"t": "welcome", "page": self._page})

    def page_take(self, content: Content, _buffers: Buffers) -> None:
        self._page, self.trouble = str(content["page"]), ""
        if self.ear is not None:
            self.ear.begin(str(content["take"]))

    def page_chunks(self, content: Content, buffers: Buffers) -> None:
        if self.ear is not None:
            for number, pcm in enumerate(buffers, content["n"]):
                self.ear.hear(content["take"], number, bytes(pcm))

    def page_over(self, content: Content, _buffers: Buffers) -> None:
        if self.ear is not None:
            self.ear.end(str(content["take"]), int(content["count"]), str(content.get("why", "")))

    def page_set(self, content: Content, _buffers: Buffers) -> None:
        if self.ear is not None:
            self.ear.choose(dict(content["settings"]))

    def page_trouble(self, content: Content, _buffers: Buffers) -> None:
        self.trouble = str(content["words"])


def old_kernel(running: Any = None, installed: str | None = None) -> str:
    """What to say where the kernel takes no message while a cell computes; empty where it does.

    ipykernel has subshells from 7.0 on, and not in every way to start it (versions.py).
    """
    running = running or kernel()
    if running is None:
        return ""
    try:
        installed = installed or version("ipykernel")
    except PackageNotFoundError:  # another kernel, which may be able to
        return ""
    if numbers(installed) < SUBSHELLS:
        return (
            f"While a cell computes nobody hears you: ipykernel {installed} is too old for that. "
            f"Upgrade it, {UPGRADE}, and restart the kernel."
        )
    if getattr(running, "_supports_kernel_subshells", True) is False:
        return (
            "While a cell computes nobody hears you: this kernel runs without subshells. A "
            "%gui or %matplotlib event loop switches them off; restart the kernel without it."
        )
    if numbers(installed) < STEADY:
        return (
            f"Now and then a kernel of ipykernel {installed} leaves a message unread and stands "
            f"still: then nobody hears you. Upgrade it, {UPGRADE}, and restart the kernel."
        )
    return ""
