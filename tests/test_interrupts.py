"""The stop button in the middle of what waits: what is left can be used, and nothing is half."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scripted import Scripted, greet
from test_loop import waiting_function

import rtwidgets as rt
from rtwidgets import loop
from rtwidgets.transport import MemoryTransport, Transport
from rtwidgets.widgets.chat import RealtimeChat

SOON = 20.0


class Server:
    """A server that greets, begins every response, and ends one when it may or is told to."""

    def __init__(self, *, greets: bool = True) -> None:
        self.greets, self.answers = greets, False
        self.came: list[str] = []
        self.closed = False

    async def __call__(self, line: MemoryTransport) -> None:
        try:
            if self.greets:
                await greet(line)
            while True:
                self.came.append(json.loads(await line.recv())["type"])
                if self.came[-1] == "response.create":
                    await self._tell(line, "response.created", "in_progress")
                    if self.answers:
                        await self._tell(line, "response.done", "completed")
                elif self.came[-1] == "response.cancel":
                    await self._tell(line, "response.done", "cancelled")
        except rt.ConnectionLost:
            self.closed = True

    async def _tell(self, line: MemoryTransport, type_: str, status: str) -> None:
        number = self.came.count("response.create")
        response: dict[str, Any] = {"id": f"resp_{number}", "conversation_id": "conv_1"}
        part = {"type": "output_text", "text": "Here I am."}
        item = {"id": f"item_{number}", "type": "message", "role": "assistant", "content": [part]}
        output = [item] if status == "completed" else []
        response |= {"status": status, "output": output}
        await line.send(json.dumps({"type": type_, "response": response}))

    def saw(self, type_: str) -> Callable[[], bool]:
        return lambda: type_ in self.came


def press_stop(when: Callable[[], bool]) -> None:
    """Interrupt this thread, as the button does, once it waits and something is so."""

    async def press() -> None:
        while not (when() and waiting_function() == "wait"):
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    loop.submit(press())


async def until(so: Callable[[], bool]) -> None:
    while not so():
        await asyncio.sleep(0.001)


WAITS: dict[str, tuple[str, Callable[[rt.Session], object]]] = {
    "ask": ("response.create", lambda s: s.ask("Hello?")),
    "hear": ("input_audio_buffer.append", lambda s: s.hear(np.zeros(24_000 * 60))),
    "wait_for": ("conversation.item.create", lambda s: (s.say("Hello?"), s.wait_for("no.such"))),
    "settled": ("response.create", lambda s: (s.say("Hello?"), s.settled())),
}


@pytest.mark.parametrize("what", WAITS)
def test_a_session_is_usable_after_any_wait(what: str) -> None:
    server = Server()
    sign, wait = WAITS[what]
    with rt.Session(Scripted(server), rt.WaitForUser()) as s:
        press_stop(server.saw(sign))
        with pytest.raises(KeyboardInterrupt):
            wait(s)
        server.answers = True
        if what != "hear":
            s.interrupt()  # the reply that nobody waits for any more
        assert s.ask("Still there?", timeout=SOON).text == "Here I am."
        s.settled(SOON)
        assert not s.asynchronous._line._tasks
    loop.run(until(lambda: server.closed), SOON)


def test_half_a_spoken_turn_does_not_begin_the_next_one() -> None:
    server = Server()
    with rt.Session(Scripted(server), rt.WaitForUser()) as s:
        press_stop(server.saw("input_audio_buffer.append"))
        with pytest.raises(KeyboardInterrupt):
            s.hear(np.zeros(24_000 * 60))
        loop.run(until(server.saw("input_audio_buffer.clear")), SOON)
        assert server.came[-1] == "input_audio_buffer.clear"


@pytest.mark.parametrize("greets", [False, True])
def test_who_is_stopped_while_entering_leaves_no_line_behind(greets: bool) -> None:
    server = Server(greets=greets)
    endpoint = Scripted(server)
    opened: list[Transport] = []

    def entering() -> bool:
        return bool(greets and server.came) or (not greets and hasattr(endpoint, "serving"))

    press_stop(entering)
    with pytest.raises(KeyboardInterrupt), rt.Session(endpoint, rt.ModelGreeting(), timeout=SOON):
        opened.append(None)  # type: ignore[arg-type]
    assert not opened
    loop.run(until(lambda: server.closed), SOON)
    again = Server()
    again.answers = True
    with rt.Session(Scripted(again), rt.WaitForUser()) as s:
        assert s.ask("Hello?", timeout=SOON).text == "Here I am."


class Reluctant(MemoryTransport):
    """An end of a line that takes its time to close."""

    may_close: asyncio.Event

    async def close(self) -> None:
        await self.may_close.wait()
        await super().close()


class Lingering(Scripted):
    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        there: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        back: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.line = Reluctant(there, back)
        self.line.may_close = asyncio.Event()
        self.serving = asyncio.ensure_future(self._serve(MemoryTransport(back, there)))
        return self.line

    async def let_go(self) -> None:
        self.line.may_close.set()


def test_who_is_stopped_while_leaving_leaves_all_the_same() -> None:
    server = Server()
    endpoint = Lingering(server)
    with pytest.raises(KeyboardInterrupt), rt.Session(endpoint, rt.WaitForUser()) as s:
        press_stop(lambda: not s.is_open)
    assert not server.closed
    loop.run(endpoint.let_go(), SOON)
    loop.run(until(lambda: server.closed), SOON)
    s.close()


def test_a_chat_goes_on_when_the_cell_that_waits_for_it_is_stopped() -> None:
    server = Server()
    chat = RealtimeChat(endpoint=Scripted(server), opening=rt.WaitForUser())
    chat.start()
    chat.say("Hello?")
    press_stop(server.saw("response.create"))
    with pytest.raises(KeyboardInterrupt):
        chat.wait(SOON)
    server.answers = True
    chat.interrupt()  # the reply that nobody waits for any more
    chat.wait(SOON)
    assert chat.session is not None and chat.session.is_open
    assert chat.session.ask("Still there?", timeout=SOON).text == "Here I am."
    assert "Here I am." in [line.text for line in chat._presenter._transcript.lines()]
    chat.stop()
    assert not chat._presenter._sender.failures
