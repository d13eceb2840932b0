"""The one thread that sends: batches, keeps failures, needs no kernel."""

from __future__ import annotations

import json
import threading
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
import traitlets

from rtwidgets.widgets.comm import Duty, Failure, Live, Sender, Work, free_route, shared_sender

SOON = 10.0


@pytest.fixture
def sender() -> Sender:
    return Sender(interval=0.001)


def test_wakes_before_a_flush_are_one_flush(sender: Sender) -> None:
    flushes: list[str] = []
    hold, held = threading.Event(), threading.Event()
    sender.call(lambda: (held.set(), hold.wait(SOON)))
    assert held.wait(SOON)
    duty = Duty(lambda: flushes.append(threading.current_thread().name), sender)
    for _ in range(100):
        duty.wake()
    hold.set()
    assert sender.drain(SOON)
    assert flushes == ["rtwidgets-sender"]


def test_calls_keep_their_order_and_come_before_sources(sender: Sender) -> None:
    order: list[object] = []
    hold, held = threading.Event(), threading.Event()
    sender.call(lambda: (held.set(), hold.wait(SOON)))
    assert held.wait(SOON)
    Duty(lambda: order.append("source"), sender).wake()
    for number in range(5):
        sender.call(lambda number=number: order.append(number))
    hold.set()
    assert sender.drain(SOON)
    assert order == [0, 1, 2, 3, 4, "source"]


def test_a_call_of_garbage_that_is_collected_between_sources_is_made(sender: Sender) -> None:
    """Garbage may be collected wherever something is made: while the sender looks what is due."""
    called = threading.Event()

    class Wasteful:
        def flush(self) -> None: ...

        @property
        def outcome(self) -> None:
            sender.call(called.set)

    sender.wake(Wasteful())
    assert called.wait(SOON)


def test_what_is_urgent_comes_before_what_waits_and_does_not_wait_for_the_next_flush() -> None:
    sender, order = Sender(interval=SOON * 10), []  # a pause longer than the test's patience
    hold, held, hurried = threading.Event(), threading.Event(), threading.Event()
    sender.call(lambda: (held.set(), hold.wait(SOON)))
    assert held.wait(SOON)
    sender.call(lambda: order.append("call"))
    Duty(lambda: order.append("source"), sender).wake()
    sender.call(lambda: order.append("urgent"), urgent=True)
    hold.set()
    sender.call(lambda: (order.append("urgent too"), hurried.set()), urgent=True)
    assert hurried.wait(SOON)
    assert order[0] == "urgent" and "urgent too" in order


def test_a_failure_is_kept_and_told_and_the_thread_goes_on(sender: Sender) -> None:
    told: list[Failure | None] = []
    Duty(lambda: 1 / 0, sender, lambda _what, failure: told.append(failure)).wake()
    assert sender.drain(SOON)
    assert [str(one).split(": ")[1] for one in sender.failures] == ["ZeroDivisionError"]
    assert told == list(sender.failures)
    done = threading.Event()
    sender.call(done.set)
    assert done.wait(SOON)


def test_a_listener_that_fails_is_kept_too(sender: Sender) -> None:
    def fails(_what: str, _failure: Failure | None) -> None:
        raise RuntimeError("no")

    sender.attempt(Work("work", lambda: 1 / 0, fails))
    assert [type(one.error) for one in sender.failures] == [ZeroDivisionError, RuntimeError]


def test_no_work_needs_no_thread() -> None:
    assert Sender()._thread is None


def test_drain_from_the_thread_itself_does_not_wait(sender: Sender) -> None:
    answers: list[bool] = []
    sender.call(lambda: answers.append(sender.drain(0.0)))
    assert sender.drain(SOON)
    assert answers == [True]


def test_a_process_has_one_sender() -> None:
    assert shared_sender() is shared_sender()


def test_the_route_that_opening_a_comm_made_is_forgotten() -> None:
    comm = SimpleNamespace(_reply_subshell_id=None, comm_id="a")
    free_route(comm)
    free_route(comm)
    free_route(None)
    assert vars(comm) == {"comm_id": "a"}


class Parrot(Live):
    """Repeats what its page says."""

    _esm = "export default {}"

    def __init__(self, sender: Sender) -> None:
        self.sent: list[tuple[Any, Any]] = []
        super().__init__(sender)

    def send(self, content: object, buffers: object = None) -> None:
        self.sent.append((content, buffers))

    def page_word(self, content: dict[str, object], buffers: list[bytes]) -> None:
        self.tell({"t": "word", "word": content["word"]}, buffers)


def say(widget: Live, content: object, *buffers: bytes) -> None:
    """Hand a widget a message as the kernel does."""
    widget._handle_custom_msg(content, list(buffers))


def test_a_message_finds_its_method_and_the_answer_goes_through_the_sender(sender: Sender) -> None:
    parrot = Parrot(sender)
    say(parrot, {"t": "word", "word": "hello"}, b"\x01")
    assert sender.drain(SOON)
    assert parrot.sent == [({"t": "word", "word": "hello"}, [b"\x01"])]


def test_an_urgent_message_is_pushed_out_of_what_a_socket_holds_back(sender: Sender) -> None:
    """Behind it comes, before anything else, more than a segment holds (tcp(7): TCP_NODELAY)."""
    parrot = Parrot(sender)
    hold, held = threading.Event(), threading.Event()
    sender.call(lambda: (held.set(), hold.wait(SOON)))
    assert held.wait(SOON)
    parrot.tell({"t": "later"})
    parrot.tell({"t": "now"}, urgent=True)
    hold.set()
    assert sender.drain(SOON)
    assert [content["t"] for content, _ in parrot.sent] == ["now", "push", "later"]
    [padding] = parrot.sent[1][1]
    loopback, headers = 65_536, 20 + 20
    assert len(padding) >= loopback - headers
    assert len(zlib.compress(padding)) >= len(padding)


def test_what_no_method_takes_is_passed_over(sender: Sender) -> None:
    parrot = Parrot(sender)
    for nonsense in ({"t": "unknown"}, {}, {"t": 3}):
        say(parrot, nonsense)
    assert sender.drain(SOON)
    assert not parrot.sent and not sender.failures


class Line:
    """What a widget has for a comm: keeps what is sent over it."""

    comm_id, kernel = "line", True

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, data: object = None, metadata: object = None, buffers: object = None) -> None:
        self.sent.append(json.dumps(data, ensure_ascii=False))

    def on_msg(self, callback: object) -> None:
        pass


class Said(Live):
    _esm = "export default {}"
    word = traitlets.Any().tag(sync=True)


def test_no_message_and_no_trait_holds_half_a_character(sender: Sender) -> None:
    half, line = "\ud83d", Line()
    said = Said(sender, word=half)
    said.comm = line
    said.tell({"t": half, "deep": [{half: (half, f"{half}\ude00")}, 1, None]})
    said.put(word={"error": half})
    assert sender.drain(SOON)
    assert not sender.failures and len(line.sent) == 2
    for message in [*line.sent, json.dumps(said.get_state(), ensure_ascii=False, default=str)]:
        message.encode()
    assert "\U0001f600" in line.sent[0] and "\ufffd" in line.sent[1]


def test_a_message_with_something_missing_is_a_failure_that_is_kept(sender: Sender) -> None:
    parrot = Parrot(sender)
    say(parrot, {"t": "word"})
    assert [type(one.error) for one in sender.failures] == [KeyError]
