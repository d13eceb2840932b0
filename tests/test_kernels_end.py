"""A real kernel with a session and a simulator, stopped, restarted, killed: nothing stays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

client = pytest.importorskip("jupyter_client")
psutil = pytest.importorskip("psutil")

pytestmark = pytest.mark.slow
SOON = 60.0
BEGIN = """
import rtwidgets as rt
session = rt.Session(rt.Simulated(latency="typical")).__enter__()
chat = rt.RealtimeChat(endpoint=rt.Simulated(latency="none"))
chat.start()
chat.wait(30)
print("ready")
"""


class Notebook:
    """A kernel, and cells that are run in it."""

    def __init__(self, checkout: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(checkout)}
        self.manager, self.client = client.manager.start_new_kernel(env=env)

    def run(self, code: str, heard: Callable[[str], None] = lambda text: None) -> str:
        """Run a cell; `heard` is called with what it prints. Gives all that, and its error."""
        said: list[str] = []

        def output(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
                heard(content["text"])
            elif message["msg_type"] == "error":
                said.append(content["ename"])

        self.client.execute_interactive(code, timeout=SOON, output_hook=output)
        return "".join(said)

    @property
    def pid(self) -> int:
        return int(self.run("import os; print(os.getpid())"))

    def children(self) -> list[Any]:
        """The processes that the kernel started: its simulators."""
        return list(psutil.Process(self.pid).children(recursive=True))

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(checkout: Path) -> Iterator[Notebook]:
    notebook = Notebook(checkout)
    yield notebook
    notebook.close()


def simulators(notebook: Notebook) -> list[Any]:
    assert "ready" in notebook.run(BEGIN)
    found = notebook.children()
    assert [one for one in found if "serve" in one.cmdline()]
    return found


def assert_gone(processes: list[Any]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=SOON)
    assert alive == []


def test_stopped_restarted_and_killed(notebook: Notebook) -> None:
    started = simulators(notebook)

    # The stop button, while a cell waits for a reply.
    said = notebook.run(
        "print('asking', flush=True); session.wait_for('no.such.event', timeout=60)",
        lambda text: notebook.manager.interrupt_kernel() if "asking" in text else None,
    )
    assert "KeyboardInterrupt" in said
    assert "completed" in notebook.run("print(session.ask('Still there?').status)")
    assert notebook.children() == started  # the button did not reach the simulator

    # A restart.
    notebook.manager.restart_kernel(now=False)
    notebook.client.wait_for_ready(timeout=SOON)
    assert_gone(started)

    # And the end that nobody can answer.
    started = simulators(notebook)
    psutil.Process(notebook.pid).kill()
    assert_gone(started)
