"""The speaker in the page: the assistant's audio on its way there, and word of what was heard.

Audio goes as binary buffers, as soon as it comes: the server runs ahead of real time, so the page
has it long before it plays. Nothing is sent before a page says hello: until then the rows wait, and
the audio itself stays in the log.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import traitlets

from ..audio import RATE, SAMPLE_BYTES, milliseconds_of
from ..events import ENDS_OF_A_LINE, ga_name, whole_characters
from ..log import Row
from .comm import Buffers, Content, Live, Sender
from .page import page_code

AUDIO_DELTA = "response.output_audio.delta"
AUDIO_DONE = "response.output_audio.done"
LONGEST = 2 * RATE * SAMPLE_BYTES
"""Bytes of PCM in one message at most: two seconds, so that a long reply blocks no other."""

WAITING = 120 * RATE * SAMPLE_BYTES
"""Bytes of PCM that wait for a page, two minutes: who comes later hears the last of it."""

PATIENCE = 2.0
"""Seconds to wait beyond the end of the sound for the page to say that it was reached."""

ANSWER = 3.0
"""Seconds that a page has to say how far it played when it fell silent. Silent it is at once, but
on a machine that computes the answer may be late; without it, the count is up to a second old."""

T = TypeVar("T")
Heard = Callable[[str, int, bool], None]


@dataclass(frozen=True)
class Sound:
    """Sound that is in no row of a log, or is a piece of one; without `pcm` the end of it."""

    item_id: str
    pcm: bytes = b""
    response_id: str = ""

    @property
    def audio_bytes(self) -> int:
        return len(self.pcm)

    @property
    def type(self) -> str:
        return AUDIO_DELTA if self.pcm else AUDIO_DONE


def bundles(rows: Sequence[Row | Sound], longest: int = LONGEST) -> Iterator[tuple[str, bytes]]:
    """The audio of `rows` as (item id, PCM16), neighbours of one item joined up to `longest`."""
    item, size = "", 0
    parts: list[bytes] = []
    for row in rows:
        whole = row.pcm  # a frame of 15 MiB holds four minutes
        for pcm in (whole[at : at + longest] for at in range(0, len(whole), longest)):
            if parts and (row.item_id != item or size + len(pcm) > longest):
                yield item, b"".join(parts)
                parts, size = [], 0
            item = row.item_id
            parts.append(pcm)
            size += len(pcm)
    if parts:
        yield item, b"".join(parts)


def _pieces(sound: Row | Sound) -> list[Sound]:
    """A sound in pieces that a message takes."""
    pcm = sound.pcm
    return [
        Sound(sound.item_id, pcm[at : at + LONGEST], sound.response_id)
        for at in range(0, len(pcm), LONGEST)
    ]


class Speaker(Live):
    """Plays the assistant's audio in the page; `take` the rows of the session's log.

    Args:
        on_heard: called with (item id, milliseconds played so far, whether that was its end).
        on_skipped: called with how many milliseconds came too long before the page to be played.

    Attributes:
        volume: 0 to 1. muted: whether nothing is to be heard for now; playing goes on meanwhile.
        stats: the page's counts: samples `played`, those of them `nonzero`, `underruns`.
        heard: milliseconds played of each item, as far as the page has told.
        player: what plays there: its `kind` (`worklet` or `scheduled`), `rate` in Hz and `state`
            (`running`, or `suspended` while the browser waits for a click); empty before.
    """

    _esm = page_code("voice.js")
    volume = traitlets.Float(1.0, min=0.0, max=1.0).tag(sync=True)
    muted = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        on_heard: Heard | None = None,
        on_skipped: Callable[[int], None] | None = None,
        *,
        sender: Sender | None = None,
    ) -> None:
        self.stats: dict[str, int] = {"played": 0, "nonzero": 0, "underruns": 0}
        self.heard: dict[str, int] = {}
        self.player: dict[str, Any] = {}
        self._on_heard, self._on_skipped = on_heard, on_skipped
        self._page = ""  # the page that said hello last, empty before
        self._queue: deque[Row | Sound] = deque()
        self._queued = self._skipped = 0  # bytes that wait for the first page, and that were let go
        self._names: dict[str, str] = {}  # what the page calls a sound of this side -> its item
        self._silenced: set[str] = set()  # ids of responses and items
        self._begun: set[str] = set()  # items whose sound has begun to come and not ended
        self._sent: dict[str, int] = {}  # milliseconds sent of items that are not at their end
        self._acks: dict[int, asyncio.Future[dict[str, int]]] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._flushes = self._hushed = 0  # how often the page is to be silent, and was told so
        # What waits, what was sent and what is silenced change together: rows come and sound is
        # silenced on the session's loop, sound leaves on the sender's thread, a page's messages
        # come on the kernel's. Nothing is sent while it is held.
        self._lock = threading.Lock()
        super().__init__(sender)

    def take(self, row: Row) -> None:
        """A row of the session's log. Runs on the session's loop."""
        type_ = ga_name(row.type)
        if type_ == AUDIO_DELTA and row.audio_bytes:
            self._begun.add(row.item_id)
        elif type_ == AUDIO_DONE:
            self._begun.discard(row.item_id)
        elif row.direction == "local" and row.type in ENDS_OF_A_LINE:
            with self._lock:  # no more of it will come
                self._queue.extend(Sound(item_id) for item_id in self._begun)
            self._begun.clear()
            self.wake()
            return
        else:
            return
        with self._lock:
            self._queue.append(row.log[row.seq])  # without the event: it holds the sound as text
            if not self._page:
                self._let_go(row.audio_bytes)
        self.wake()

    def _let_go(self, more: int) -> None:
        """Nobody listens: of what waits only the last is kept. The log has all of it."""
        self._queued += more
        while self._queued > WAITING and len(self._queue) > 1:
            size = self._queue.popleft().audio_bytes
            self._queued -= size
            self._skipped += size

    def play(self, item_id: str, pcm: bytes) -> None:
        """Play a sound of this side, PCM16 at 24 kHz; it counts as that item's. Runs on the
        session's loop."""
        # Each time another name: the page counts what was heard of a name from its first day on.
        name = f"{item_id} {len(self._names)}"
        self._names[name] = item_id
        with self._lock:
            self._queue.extend(_pieces(Sound(name, pcm)))
            self._queued += 0 if self._page else len(pcm)
            self._queue.append(Sound(name))
        self.wake()

    def flush(self) -> None:
        if not self._page:
            return
        while rows := self._leaving():
            if ga_name(rows[0].type) == AUDIO_DONE:
                self.send({"t": "end", "item_id": rows[0].item_id})
                continue
            for item_id, pcm in bundles(rows):
                self.send({"t": "audio", "item_id": item_id}, [pcm])

    def _leaving(self) -> list[Row | Sound]:
        """What is in the next message, taken from what waits and counted as sent, in one step:
        `silence` finds a sound here or there. Nothing while the page is yet to be told to be
        silent: what it gets before that it does not play."""
        rows: list[Row | Sound] = []
        size = 0
        with self._lock:
            while self._queue and self._flushes == self._hushed:
                row = self._queue[0]
                if not self._silenced.isdisjoint((row.response_id, row.item_id)):
                    self._queue.popleft()
                    continue
                ends = ga_name(row.type) == AUDIO_DONE
                more = size + row.audio_bytes
                if rows and (ends or row.item_id != rows[0].item_id or more > LONGEST):
                    break
                self._queue.popleft()
                if ends:
                    return [row]
                if row.audio_bytes > LONGEST:
                    self._queue.extendleft(reversed(_pieces(row)))
                    continue
                rows.append(row)
                size = more
            if rows:
                known = whole_characters(rows[0].item_id)  # as the page will name it
                self._sent[known] = self._sent.get(known, 0) + milliseconds_of(size)
        return rows

    async def silence(self, ids: set[str], timeout: float = ANSWER) -> dict[str, int]:
        """Be silent at once, and play nothing more of these responses and items.

        Returns the milliseconds heard of each item that was not at its end, as the page counted
        them when it fell silent; as far as they were known before where no page answers within
        `timeout` seconds.
        """
        own = {name for name, item in self._names.items() if item in ids}
        with self._lock:
            self._silenced |= own | (ids - {""})
            # What is being sent meanwhile is counted already, and so is what failed to be sent: an
            # item that is missed would not be truncated.
            unheard = {whole_characters(row.item_id) for row in self._queue} | set(self._sent)
            self._sent.clear()
            number = self._ask_for_silence() if self._page else None
        heard = self.heard if number is None else await self._answered(number, timeout)
        return {self._names.get(item, item): heard.get(item, 0) for item in unheard}

    def _ask_for_silence(self) -> int:
        self._flushes += 1
        self._acks[self._flushes] = asyncio.get_running_loop().create_future()
        self.tell({"t": "flush", "id": self._flushes}, urgent=True)
        self._sender.call(self._hush_told, urgent=True)  # right behind it
        return self._flushes

    def _hush_told(self) -> None:
        self._hushed += 1
        self.wake()

    async def _answered(self, number: int, timeout: float) -> dict[str, int]:
        try:
            return await asyncio.wait_for(self._acks[number], timeout)
        except TimeoutError:
            return dict(self.heard)
        finally:
            del self._acks[number]

    @property
    def to_come(self) -> int:
        """Milliseconds of audio that were sent to a page and are still to be heard."""
        return sum(ms - self.heard.get(item, 0) for item, ms in tuple(self._sent.items()))

    @property
    def waiting(self) -> int:
        """How many items wait until the one before them was heard."""
        return max(0, len(self._sent) - 1)

    async def played_out(self) -> None:
        """Wait until what was sent has been heard, where a page plays it."""
        await asyncio.to_thread(self._sender.drain, 1.0)
        if self.to_come <= 0 or self.player.get("state") != "running":
            return
        end = asyncio.get_running_loop().create_future()
        self._waiting.append(end)
        await asyncio.wait([end], timeout=self.to_come / 1000 + PATIENCE)

    def page_hello(self, content: Content, _buffers: Buffers) -> None:
        """A page is there, or a person wants to hear it there: the page that asked last plays.

        A page says so until it is answered, so the same one may come twice.
        """
        with self._lock:
            if content["page"] != self._page:
                self._page = str(content["page"])
                self._sent.clear()  # what an earlier page had not played is gone with it
                self.player = {}
            skipped, self._skipped = milliseconds_of(self._skipped), 0
        self.tell({"t": "welcome", "page": self._page})
        if skipped and self._on_skipped is not None:
            self._on_skipped(skipped)
        self.wake()

    def page_left(self, content: Content, _buffers: Buffers) -> None:
        """The page that plays does not show the chat any more, and is mute: one that shows it may
        play from now on. Where there is none, the sound stays where it is: the view may come
        back."""
        if content["page"] == self._page:
            self.tell({"t": "free", "page": self._page})

    def page_speaker(self, content: Content, _buffers: Buffers) -> None:
        self.player = {name: content[name] for name in ("kind", "rate", "state")}

    def page_heard(self, content: Content, _buffers: Buffers) -> None:
        item_id, ms = str(content["item_id"]), int(content["ms"])
        self.stats = dict(content["stats"])
        self.heard[item_id] = ms
        if content["done"]:
            with self._lock:
                self._sent.pop(item_id, None)
        if not self._sent:
            self._release()
        if self._on_heard is not None:
            self._on_heard(self._names.get(item_id, item_id), ms, bool(content["done"]))

    def page_flushed(self, content: Content, _buffers: Buffers) -> None:
        self.stats = dict(content["stats"])
        self.heard |= {item: int(ms) for item, ms in content["heard"].items()}
        ack = self._acks.get(int(content["id"]))
        if ack is not None:
            _settle(ack, dict(self.heard))
        self._release()

    def _release(self) -> None:
        while self._waiting:
            _settle(self._waiting.pop(), None)


def _settle(future: asyncio.Future[T], result: T) -> None:
    """Give a future its result from another thread than its loop's."""

    def settle() -> None:
        if not future.done():
            future.set_result(result)

    future.get_loop().call_soon_threadsafe(settle)
