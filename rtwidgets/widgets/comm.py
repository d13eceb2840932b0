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

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import anywidget

from .page import clean

INTERVAL = 0.05
"""Seconds between two flushes: 20 Hz, smooth to the eye and cheap for the kernel."""

PUSH = os.urandom(1 << 16)
"""What follows an urgent message, so that it leaves the Jupyter server at once.

That server's sockets have Nagle's algorithm on: while a byte is not acknowledged yet they hold back
what does not fill a segment, and a browser acknowledges after up to 40 ms. On loopback a segment
has just under 64 KiB, elsewhere 1.5 kB: with this behind it the message is never in what is held
back. Noise, so that no compression on the way makes it small.
"""

Content = dict[str, Any]
Buffers = Sequence[bytes | memoryview]


class Source(Protocol):
    """Something that has news for the page now and then.

    Attributes:
        outcome: told how each flush went; None where nobody wants to know.
    """

    outcome: Outcome | None

    def flush(self) -> None:
        """Send what is new. Runs on the sender's thread only."""


@dataclass(frozen=True)
class Failure:
    """A flush or a call that raised: `what` was being done, and the exception."""

    what: str
    error: BaseException

    def __str__(self) -> str:
        return f"{self.what}: {type(self.error).__name__}: {self.error}"


Outcome = Callable[[str, Failure | None], None]
"""Told how a piece of work went: what was done, and the failure, None where it went well."""


@dataclass(frozen=True)
class Work:
    """Something to do on the sender's thread, and whom to tell how it went."""

    what: str
    do: Callable[[], object]
    tell: Outcome | None = None


class Sender:
    """Flushes sources that have news, and makes calls that send, all on one thread of its own.

    The thread starts with the first work and waits without cost while there is none. An exception
    is kept in `failures` and told to the `outcome` of the work's own; the thread goes on.
    """

    def __init__(self, interval: float = INTERVAL) -> None:
        self.failures: deque[Failure] = deque(maxlen=20)
        self._interval = interval
        self._news = threading.Condition()
        self._dirty: dict[Source, None] = {}
        self._calls: deque[Work] = deque()
        self._urgent: deque[Work] = deque()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self, source: Source) -> None:
        """Have `source.flush()` called soon; any number of wakes before that are one flush."""
        with self._news:
            self._dirty[source] = None
            self._start_or_notify()

    def call(
        self,
        do: Callable[[], object],
        what: str = "a call",
        tell: Outcome | None = None,
        *,
        urgent: bool = False,
    ) -> None:
        """Have `do()` called soon, after what was asked for before it.

        Args:
            urgent: before all that is not, and without waiting for the next flush. For what a
                person hears at once; there must be few of them a second.
        """
        with self._news:
            (self._urgent if urgent else self._calls).append(Work(what, do, tell))
            self._start_or_notify()
        if urgent:
            self._hurry.set()

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
            due = self._wait()
            while due or self._urgent:
                # let go of one by one: the last would hold its widget while nothing comes
                self.attempt((self._urgent or due).popleft())
            if self._hurry.wait(self._interval):
                self._hurry.clear()

    def _wait(self) -> deque[Work]:
        with self._news:
            self._news.wait_for(lambda: self._calls or self._dirty or self._urgent)
            if self._urgent:  # all else waits for its time
                return deque()
            flushes = (
                Work(f"{type(source).__name__}.flush", source.flush, source.outcome)
                for source in self._dirty
            )
            due: deque[Work] = deque()
            while self._calls:  # one by one: garbage that is collected here meanwhile may call, too
                due.append(self._calls.popleft())
            due.extend(flushes)
            self._dirty.clear()
            return due

    def attempt(self, work: Work) -> None:
        """Do it here and now. An exception is kept and told, not raised."""
        failure = self._done(work.what, work.do)
        if work.tell is not None:
            tell = work.tell
            self._done("telling of a failure", lambda: tell(work.what, failure))

    def _done(self, what: str, do: Callable[[], object]) -> Failure | None:
        try:
            do()
        except Exception as error:
            failure = Failure(what, error)
            self.failures.append(failure)
            return failure
        return None


class Duty:
    """A source made of a function: `wake()` has it called soon, on the sender's thread."""

    def __init__(
        self, work: Callable[[], None], sender: Sender, outcome: Outcome | None = None
    ) -> None:
        self.flush = work
        self.outcome = outcome
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


def when_free(do: Callable[[], None]) -> None:
    """Have `do()` called once no cell computes, on the kernel's own thread; outside a kernel, where
    that cannot be known, at once."""
    kernels_loop: Any = getattr(kernel(), "io_loop", None)
    if kernels_loop is None:
        do()
    else:
        kernels_loop.add_callback(do)


def forget_parent_header() -> None:
    """Let what this thread sends carry no parent header, on ipykernel 7.0 and later.

    `_shell_parent` is private, hence the guards, and it is a ContextVar: `kernel.set_parent` would
    also move what every other thread falls back on. A test in the browser keeps watch over this.
    """
    parent: Any = getattr(kernel(), "_shell_parent", None)
    if hasattr(parent, "set"):
        parent.set({})


def close_tree(widget: Any) -> None:
    """Close a widget with its children, layouts and styles, which ipywidgets holds until then."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for part in (getattr(widget, "style", None), widget.layout, widget):
        if part is not None:
            part.close()


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

    Attributes:
        outcome: told how each piece of its work went, messages from the page included; None where
            nobody wants to know.
    """

    def __init__(self, sender: Sender | None = None, **traits: Any) -> None:
        self.outcome: Outcome | None = None
        self._sender = sender or shared_sender()
        self._claimed = False
        super().__init__(**clean(traits))
        free_route(self.comm)
        self.on_msg(self._take)

    def soon(self, do: Callable[[], object], what: str) -> None:
        """Have `do()` called on the sender's thread; `what` names it where it fails."""
        self._sender.call(do, f"{type(self).__name__}.{what}", self.outcome)

    def send(self, content: Content, buffers: Buffers = ()) -> None:
        """Send a message to the page now. On the sender's thread only; from elsewhere `tell`."""
        super().send(clean(content), list(buffers))

    def tell(self, content: Content, buffers: Buffers = (), *, urgent: bool = False) -> None:
        """Send a message to the page, soon; `urgent` before all that waits, with a push behind it
        for which a page has no use."""
        what = f"{type(self).__name__}.tell {content['t']}"

        def do() -> None:
            self.send(content, buffers)
            if urgent:
                self.send({"t": "push"}, [PUSH])

        self._sender.call(do, what, self.outcome, urgent=urgent)

    def put(self, **traits: Any) -> None:
        """Set traits, soon. No trait of ours is set in any other way once the widget is made."""
        self.soon(lambda: self._put(clean(traits)), f"put {', '.join(traits)}")

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
            what = f"{type(self).__name__}.{name}"
            self._sender.attempt(Work(what, lambda: handler(content, buffers), self.outcome))

    def _claim_route(self) -> None:
        """Answer the first message that came over a subshell from inside its handler.

        ipykernel 7.4 then keeps that route. A page's very first messages leave before its subshell
        exists: an answer to those would bind the comm to the main shell.
        """
        if not self._claimed and subshell_of_message():
            self._claimed = True
            self.send({"t": "claim"})
