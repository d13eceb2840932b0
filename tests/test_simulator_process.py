"""Starting and ending: in a child process, in a thread, beyond this machine."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.request

import pytest
from test_simulator_server import KEY, MODEL, ending, event, http, in_session
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rtwidgets.errors import ConnectFailed, Misuse
from rtwidgets.simulator import Simulator


def test_a_child_process_serves_and_ends() -> None:
    with Simulator(key=KEY) as simulator:
        assert simulator.running
        assert in_session(simulator, event)["type"] == "session.created"
        url = simulator.url
    assert not simulator.running
    simulator.url = url
    with pytest.raises(OSError):
        in_session(simulator, event)


def test_the_child_ends_with_its_standard_input() -> None:
    command = [sys.executable, "-m", "rtwidgets", "serve", "--port", "0", "--until-stdin-closes"]
    environment = {**os.environ, "RTWIDGETS_SIMULATOR_KEY": KEY}
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    out, _ = child.communicate(input="", timeout=20)  # closes the pipe at once
    assert child.returncode == 0
    assert out.startswith("ws://127.0.0.1:")
    assert KEY not in out


def test_a_client_can_be_refused_by_http_instead() -> None:
    command = [sys.executable, "-m", "rtwidgets", "serve", "--port", "0", "--handshake-errors"]
    environment = {**os.environ, "RTWIDGETS_SIMULATOR_KEY": KEY}
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--until-stdin-closes"], env=environment, **options) as child:  # type: ignore[call-overload]
        simulator = Simulator(key=KEY)
        simulator.url = child.stdout.readline().strip()
        for query, key, status in (
            (MODEL, "sk-wrong-not-a-key", 401),
            (MODEL, None, 401),
            ("?model=gpt-nope", KEY, 404),
            ("", KEY, 400),
        ):
            with pytest.raises(InvalidStatus) as refused:
                in_session(simulator, event, query, key)
            assert refused.value.response.status_code == status
        child.stdin.close()


def test_beyond_this_machine_it_serves_with_a_key_and_a_warning() -> None:
    command = [sys.executable, "-m", "rtwidgets", "serve", "--port", "0", "--host", "0.0.0.0"]
    command += ["--key", KEY, "--until-stdin-closes"]
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    with subprocess.Popen(command, text=True, **pipes) as child:  # type: ignore[call-overload]
        simulator = Simulator(key=KEY)
        simulator.url = child.stdout.readline().strip()
        headers = {"Host": "teacher.example"}  # the name by which others know this machine
        created = in_session(simulator, event)
        request = urllib.request.Request(http(simulator, "/status.json"), headers=headers)
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["simulator"] == "rtwidgets-simulator"
        said, code, _ = in_session(simulator, ending, key="sk-wrong-not-a-key")
        child.stdin.close()
        warning = child.stderr.read()
    assert created["type"] == "session.created"
    assert (said["error"]["code"], code) == ("invalid_api_key", 3000)
    assert "listening on 0.0.0.0" in warning and KEY not in warning


@pytest.mark.parametrize("in_process", [True, False])
def test_a_port_that_is_taken_is_a_sentence(in_process: bool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConnectFailed, match=f"cannot listen on port {port}.*port 0"):
            Simulator(port=port, in_process=in_process).start()


def test_an_unknown_latency_is_a_sentence() -> None:
    with pytest.raises(Misuse, match="'none' or 'typical'"):
        Simulator(latency="fast")


def test_closing_the_server_tells_its_clients() -> None:
    simulator = Simulator(in_process=True, key=KEY).start()

    async def wait_for_the_end(line: ClientConnection) -> int | None:
        await event(line)
        await asyncio.to_thread(simulator.close)
        with pytest.raises(ConnectionClosed):
            await line.recv()
        return line.close_code

    assert in_session(simulator, wait_for_the_end) == 1001


def test_starting_and_closing_twice_is_once() -> None:
    simulator = Simulator(in_process=True)
    assert simulator.start().url == simulator.start().url
    simulator.close()
    simulator.close()
