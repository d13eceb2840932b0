"""The one thread that sends to the browser.

Two measurements stand behind it. More than 1000 messages a second trip the Jupyter server's limit
and are dropped without a word: so what has news is marked (`wake`) and flushed at most every 50 ms.
And ipykernel 7.4 sends every later message of a comm to the shell whose parent header was current
when the kernel last *sent* on that comm (`ipykernel/comm/comm.py: _reply_subshell_for`; not in 7.0
to 7.3, and 6.x has no subshells): one send from a cell, and the page's messages wait until that
cell ends. So all sends happen here, in a thread that has no parent header, and leave the route
alone.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import anywidget

STATIC = Path(__file__).parent / "static"
INTERVAL = 0.05
"""Seconds between two flushes: 20 Hz, smooth to the eye and cheap for the kernel."""

Content = dict[str, Any]
Buffers = Sequence[bytes | memoryview]


class Source(Protocol):
    """Something that has news for the page now and then."""

    def flush(self) -> None:
        """Send what is new. Runs on the sender's thread only."""


@dataclass(frozen=True)
class Failure:
    """A flush or a call that raised: `what` was being done, and the exception."""

    what: str
    error: BaseException

    def __str__(self) -> str:
        return f"{self.what}: {type(self.error).__name__}: {self.error}"


class Sender:
    """Flushes sources that have news, and makes calls that send, all on one thread of its own.

    The thread starts with the first work and waits without cost while there is none. An exception
    is kept in `failures` and told to whoever registered with `on_failure`; the thread goes on.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self.failures: deque[Failure] = deque(maxlen=20)
        self.on_failure: list[Callable[[Failure], None]] = []
        self._interval = interval
        self._news = threading.Condition()
        self._dirty: dict[Source, None] = {}
        self._calls: deque[Callable[[], object]] = deque()
        self._thread: threading.Thread | None = None

    def wake(self, source: Source) -> None:
        """Have `source.flush()` called soon; any number of wakes before that are one flush."""
        with self._news:
            self._dirty[source] = None
            self._start_or_notify()

    def call(self, work: Callable[[], object]) -> None:
        """Have `work()` called soon, after what was asked for before it."""
        with self._news:
            self._calls.append(work)
            self._start_or_notify()

    def drain(self, timeout: float) -> bool:
        """Wait until everything asked for so far was sent; False after `timeout` seconds."""
        if threading.current_thread() is self._thread:
            return True
        done = threading.Event()
        # Calls go before sources: the second call comes after the sources that are due now.
        self.call(lambda: self.call(done.set))
        return done.wait(timeout)

    def _start_or_notify(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="rtwidgets-sender", daemon=True)
            self._thread.start()
        self._news.notify()

    def _run(self) -> None:
        forget_parent_header()
        while True:
            for what, work in self._take():
                self.attempt(what, work)
            time.sleep(self._interval)

    def _take(self) -> list[tuple[str, Callable[[], object]]]:
        with self._news:
            self._news.wait_for(lambda: self._calls or self._dirty)
            work = [(getattr(call, "__qualname__", "a call"), call) for call in self._calls]
            work += [(f"{type(source).__name__}.flush", source.flush) for source in self._dirty]
            self._calls.clear()
            self._dirty.clear()
            return work

    def attempt(self, what: str, work: Callable[[], object]) -> None:
        """Call `work()` here and now; an exception is kept and told, not raised."""
        try:
            work()
        except Exception as error:
            failure = Failure(what, error)
            self.failures.append(failure)
            for tell in tuple(self.on_failure):
                try:
                    tell(failure)
                except Exception as second:
                    self.failures.append(Failure("telling of a failure", second))


class Duty:
    """A source made of a function: `wake()` has it called soon, on the sender's thread."""

    def __init__(self, work: Callable[[], None], sender: Sender) -> None:
        self.flush = work
        self._sender = sender

    def wake(self) -> None:
        self._sender.wake(self)


_shared: Sender | None = None
_making = threading.Lock()


def shared_sender() -> Sender:
    """The sender of this process."""
    global _shared
    with _making:
        if _shared is None:
            _shared = Sender()
        return _shared


def kernel() -> Any | None:
    """The running kernel, None in a plain script."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return getattr(get_ipython(), "kernel", None)


def forget_parent_header() -> None:
    """Let what this thread sends carry no parent header, on ipykernel 7.0 and later.

    `_shell_parent` is private, hence the guards, and it is a ContextVar: `kernel.set_parent` would
    also move what every other thread falls back on. A test in the browser keeps watch over this.
    """
    parent: Any = getattr(kernel(), "_shell_parent", None)
    if hasattr(parent, "set"):
        parent.set({})


def free_route(comm: Any) -> None:
    """Undo what opening `comm` from a cell did to its route (ipykernel 7.4: the main shell)."""
    getattr(comm, "__dict__", {}).pop("_reply_subshell_id", None)


def subshell_of_message() -> str | None:
    """The subshell that the message being handled came over, None for the main shell."""
    running: Any = kernel()
    parent = running.get_parent() if hasattr(running, "get_parent") else None
    header = parent.get("header") if isinstance(parent, dict) else None
    return header.get("subshell_id") if isinstance(header, dict) else None


class Live(anywidget.AnyWidget):
    """A widget that talks to its page through the sender, in messages `{"t": kind, …}`.

    A subclass has a method `page_<kind>(content, buffers)` for each kind of message it takes. These
    run on whatever thread the kernel chooses: they only hand work over.
    """

    def __init__(self, sender: Sender | None = None, **traits: Any) -> None:
        self._sender = sender or shared_sender()
        self._claimed = False
        super().__init__(**traits)
        free_route(self.comm)
        self.on_msg(self._take)

    def tell(self, content: Content, buffers: Buffers = ()) -> None:
        """Send a message to the page, soon."""
        self._sender.call(lambda: self.send(content, list(buffers)))

    def put(self, **traits: Any) -> None:
        """Set traits, soon. No trait of ours is set in any other way once the widget is made."""
        self._sender.call(lambda: self._put(traits))

    def _put(self, traits: Content) -> None:
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)

    def wake(self) -> None:
        """Have `flush` called soon."""
        self._sender.wake(self)

    def flush(self) -> None:
        """Send what is new; nothing here."""

    def _take(self, _widget: object, content: Content, buffers: Buffers) -> None:
        self._claim_route()
        name = f"page_{content.get('t')}"
        handler = getattr(self, name, None)
        if handler is not None:
            self._sender.attempt(f"{type(self).__name__}.{name}", lambda: handler(content, buffers))

    def _claim_route(self) -> None:
        """Answer the first message that came over a subshell from inside its handler.

        ipykernel 7.4 then keeps that route. A page's very first messages leave before its subshell
        exists: an answer to those would bind the comm to the main shell.
        """
        if not self._claimed and subshell_of_message():
            self._claimed = True
            self.send({"t": "claim"})
