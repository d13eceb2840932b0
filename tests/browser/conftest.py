"""A real JupyterLab and a real Chromium: one server and one browser a run, one page a test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
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
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str | None:
    """Chromium's path; None to let Playwright take its own."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    return shutil.which("chromium") or shutil.which("chromium-browser")


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
    home = tmp_path_factory.mktemp("lab")
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


def launch(playwright: Any, autoplay: str) -> Any:
    path = find_chromium()
    try:
        return playwright.chromium.launch(executable_path=path, args=[*FLAGS, autoplay])
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


@pytest.fixture
def strict_browser(playwright: Any) -> Iterator[Any]:
    """Chromium as people have it: no sound before a click."""
    browser = launch(playwright, WAITS_FOR_A_CLICK)
    yield browser
    browser.close()


class Notebook:
    """A notebook in a page of JupyterLab."""

    def __init__(self, page: Any, url: str, root: Path) -> None:
        self.page, self.url, self.root = page, url, root

    def write(self, *cells: str, name: str = "test") -> str:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.root / f"{name}.ipynb")
        return f"{name}.ipynb"

    def open(self, name: str, workspace: str = "?reset") -> Notebook:
        """Open a notebook of the served folder and wait for its kernel."""
        self.page.goto(f"{self.url}/lab/tree/{name}{workspace}")
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext"
            "?.session?.kernel?.status == 'idle'"
        )
        return self

    def start_cell(self, index: int) -> None:
        """Run a cell without waiting for its end."""
        self.page.evaluate(
            """index => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                notebook.deselectAll();
                jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def run(self, index: int) -> None:
        """Run a cell to its end."""
        self.page.evaluate(
            """async index => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.activeCellIndex = index;
                notebook.deselectAll();
                await jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def cell_is_running(self, index: int) -> bool:
        return self.page.evaluate(
            "index => jupyterapp.shell.currentWidget.content.widgets[index].promptNode.textContent",
            index,
        ).startswith("[*]")

    def output(self, index: int) -> str:
        """The text of a cell's outputs."""
        return self.page.evaluate(
            """index => jupyterapp.shell.currentWidget.content.widgets[index].model.outputs.toJSON()
                .map(one => [].concat(one.text ?? one.data?.['text/plain'] ?? one.traceback ?? [])
                .join('')).join('')""",
            index,
        )

    def save(self) -> None:
        self.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")

    def set_theme(self, theme: str) -> None:
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
        )
        self.page.wait_for_function(
            "dark => document.body.dataset.jpThemeLight === String(!dark)", arg="Dark" in theme
        )

    def end(self) -> None:
        """Shut the kernel down."""
        self.page.evaluate(
            "async () => { await window.jupyterapp?.shell.currentWidget"
            "?.sessionContext?.shutdown?.(); }"
        )


@pytest.fixture
def notebook(lab: tuple[str, Path], browser: Any) -> Iterator[Notebook]:
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    notebook = Notebook(context.new_page(), *lab)
    yield notebook
    notebook.end()
    context.close()
