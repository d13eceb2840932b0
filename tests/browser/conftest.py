"""A real JupyterLab and a real Chromium: one server and one browser a run, one page a test."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: pip install -e '.[lab]'")
playwright_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install -e '.[test]'"
)

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
PLAYS_AT_ONCE = "--autoplay-policy=no-user-gesture-required"
WAITS_FOR_A_CLICK = "--autoplay-policy=document-user-activation-required"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the browser's tests, and run them last: Playwright leaves a loop running in the main
    thread, beside which no other test could start one of its own."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: here in item.path.parents)


def find_chromium() -> str | None:
    """Chromium's path; None to let Playwright take its own."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def await_server(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/api/status", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a JupyterLab with folders of its own, and the folder it serves."""
    with running_lab(tmp_path_factory.mktemp("lab")) as served:
        yield served


@contextmanager
def running_lab(home: Path) -> Iterator[tuple[str, Path]]:
    """The same, its folders being in `home`."""
    root = home / "notebooks"
    root.mkdir()
    news = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    port = free_port()
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    env = {**os.environ, **{name: str(home / name.lower()) for name in folders}}
    env["JUPYTERLAB_SETTINGS_DIR"] = str(home / "settings")
    env.pop("OPENAI_API_KEY", None)
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")])
    log = home / "lab.log"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.password="),
        *("--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}"),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"),
    ]
    with log.open("wb") as out:
        server = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        await_server(url, server, log)
        yield url, root
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    with playwright_api.sync_playwright() as running:
        yield running


def launch(playwright: Any, *flags: str) -> Any:
    path = find_chromium()
    try:
        return playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
    except playwright_api.Error as missing:
        if path is None:
            pytest.skip(
                f"no Chromium here: {str(missing).splitlines()[0]} Set CHROMIUM to its path."
            )
        raise


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Any]:
    """Chromium that plays sound without being asked."""
    browser = launch(playwright, PLAYS_AT_ONCE)
    yield browser
    browser.close()


class Notebook:
    """A notebook in a page of JupyterLab.

    Cells are run through the browser's own protocol: Playwright's `evaluate` counts as a person's
    gesture, and after it a page may play sound without being asked.
    """

    CONTENT = "jupyterapp.shell.currentWidget.content"
    KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"

    def __init__(self, page: Any, url: str, root: Path) -> None:
        self.page, self.url, self.root = page, url, root
        self.protocol = page.context.new_cdp_session(page)

    def js(self, expression: str) -> Any:
        """The value of an expression in the page, awaited, without a gesture."""
        answer = self.protocol.send(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True},
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until an expression in the page is true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.js(f"Boolean({expression})"):
                    return
            except playwright_api.Error as moved:  # a second tab is led on to another address
                if "navigated" not in str(moved):
                    raise
            self.page.wait_for_timeout(50)
        state = self.js(
            f"({self.KERNEL}?.status ?? 'no kernel') + ' | '"
            " + [...document.querySelectorAll('.jp-Dialog')].map(one => one.innerText).join()"
        )
        raise AssertionError(f"not true within {seconds:g} s: {expression} (kernel: {state})")

    def write(self, *cells: str, name: str = "test") -> str:
        """Write a notebook of code cells into the served folder; gives its file name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.root / f"{name}.ipynb")
        return f"{name}.ipynb"

    def fill(self, *cells: str) -> None:
        """Put other cells into the open notebook; its kernel goes on."""
        sources = json.dumps([{"cell_type": "code", "source": cell} for cell in cells])
        self.js(
            f"{{ const shared = {self.CONTENT}.model.sharedModel; shared.transact(() => {{"
            f"shared.deleteCellRange(0, shared.cells.length); shared.insertCells(0, {sources});"
            "}) }; 0"
        )

    def open(self, name: str, *, reset: bool = True) -> Notebook:
        """Open a notebook of the served folder and wait for its kernel."""
        address = f"{self.url}/lab/tree/{name}{'?reset' if reset else ''}"
        self.page.goto(address)
        try:
            self.until(f"{self.KERNEL}?.status === 'idle'", 40)
        except AssertionError:  # seen once: JupyterLab without a kernel, before any code of ours
            self.page.goto(address)
            self.until(f"{self.KERNEL}?.status === 'idle'", 40)
        return self

    def start_cell(self, index: int) -> None:
        """Run a cell without waiting for its end."""
        self.js(
            f"{self.CONTENT}.activeCellIndex = {index}; {self.CONTENT}.deselectAll();"
            "jupyterapp.commands.execute('notebook:run-cell'); 0"
        )

    def run(self, index: int) -> str:
        """Run a cell to its end; gives the text of its outputs."""
        self.js(
            f"{self.CONTENT}.activeCellIndex = {index}; {self.CONTENT}.deselectAll();"
            "jupyterapp.commands.execute('notebook:run-cell').then(() => 0)"
        )
        return self.output(index)

    def is_running(self, index: int) -> bool:
        prompt = self.js(f"{self.CONTENT}.widgets[{index}].promptNode.textContent")
        return str(prompt).startswith("[*]")

    def output(self, index: int) -> str:
        """The text of a cell's outputs."""
        outputs = self.js(f"{self.CONTENT}.widgets[{index}].model.outputs.toJSON()")
        return "".join(map(text_of_output, outputs))

    def set_theme(self, theme: str) -> None:
        self.js(f"jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})")
        self.until(f"document.body.dataset.jpThemeLight === '{str('Dark' not in theme).lower()}'")
        self.until("!document.getElementById('jupyterlab-splash')")

    def end(self) -> None:
        """Shut the kernel down."""
        self.js("window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown?.()")


def text_of_output(output: dict[str, Any]) -> str:
    words = output.get("text") or output.get("data", {}).get("text/plain")
    words = words or output.get("traceback") or ""
    return words if isinstance(words, str) else "".join(words)


@pytest.fixture(scope="module")
def bench(lab: tuple[str, Path], browser: Any) -> Iterator[Notebook]:
    """An open notebook with a kernel that several tests fill with cells of their own."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    notebook = Notebook(context.new_page(), *lab)
    notebook.open(notebook.write("", name="bench"))
    yield notebook
    notebook.end()
    context.close()


@pytest.fixture
def notebook(lab: tuple[str, Path], browser: Any) -> Iterator[Notebook]:
    """A page with nothing in it yet; its kernel ends with the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    notebook = Notebook(context.new_page(), *lab)
    yield notebook
    notebook.end()
    context.close()


@pytest.fixture
def strict_notebook(lab: tuple[str, Path], playwright: Any) -> Iterator[Notebook]:
    """The same in a browser as people have it: no sound before a click."""
    browser = launch(playwright, WAITS_FOR_A_CLICK)
    notebook = Notebook(browser.new_context().new_page(), *lab)
    yield notebook
    notebook.end()
    browser.close()
