"""Binder, by hand: the steps of repo2docker in a fresh environment.

repo2docker (buildpacks/base.py and python/) looks into binder/ alone when that folder exists. It
makes an environment of the Python that runtime.txt names, copies the repository, runs in its root
`pip install -r "binder/requirements.txt"`, then `./binder/postBuild`, all as a user without rights,
and serves that root. There it starts from a frozen conda environment of its own that has JupyterLab
already; here from an empty one, which shows that ours brings all it needs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

FIRST = "notebooks/01_who_speaks_first.ipynb"
KNOWN = {"apt.txt", "environment.yml", "postBuild", "requirements.txt", "runtime.txt", "start"}


@pytest.fixture(scope="module")
def home(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as an image has it: a copy, without what a checkout gathers."""
    if not (checkout / FIRST).is_file():
        pytest.skip(f"there is no {FIRST}")
    gathered = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "node_modules")
    folder = tmp_path_factory.mktemp("binder") / "home"
    return Path(shutil.copytree(checkout, folder, ignore=gathered))


@pytest.fixture(scope="module")
def image(home: Path, python_named: Callable[[str], str]) -> dict[str, str]:
    """The environment variables of the built image: its PATH comes first.

    Its Python is the one that runtime.txt names, or that of the tests where there is no such one.
    """
    prefix = home.parent / "srv"
    runtime = (home / "binder" / "runtime.txt").read_text(encoding="utf-8")
    python = python_named(runtime.strip().replace("-", "")) or sys.executable
    run([python, "-m", "venv", str(prefix)], home, dict(os.environ))
    own = {"PATH": f"{prefix / 'bin'}:{os.environ['PATH']}", "HOME": str(home.parent / "nb_user")}
    image = {**os.environ, **own, "PIP_CACHE_DIR": pip_cache()}
    run(["pip", "install", "--quiet", "-r", "binder/requirements.txt"], home, image)
    run(["./binder/postBuild"], home, image)
    return image


def pip_cache() -> str:
    """A build has no cache and downloads everything; the steps are the same with this machine's."""
    command = [sys.executable, "-m", "pip", "cache", "dir"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    found = shutil.which(command[0], path=environment["PATH"]) or command[0]
    done = subprocess.run(
        [found, *command[1:]], cwd=folder, env=environment, text=True, timeout=240,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_binder_holds_only_files_that_repo2docker_reads(checkout: Path) -> None:
    assert {path.name for path in (checkout / "binder").iterdir()} <= KNOWN
    assert os.access(checkout / "binder" / "postBuild", os.X_OK)


def test_the_python_is_pinned_to_one_that_we_support(checkout: Path) -> None:
    """Without runtime.txt repo2docker takes Python 3.10, which is too old for rtwidgets."""
    runtime = (checkout / "binder" / "runtime.txt").read_text(encoding="utf-8").strip()
    found = re.fullmatch(r"python-3\.(\d+)", runtime)
    assert found and int(found[1]) >= 11


def test_the_readme_leads_to_the_first_notebook(checkout: Path) -> None:
    readme = checkout / "README.md"
    if not readme.is_file():
        pytest.skip("there is no README.md")
    assert f"lab/tree/{FIRST}" in readme.read_text(encoding="utf-8")


def test_the_package_is_installed_and_complete(home: Path, image: dict[str, str]) -> None:
    located = ["python", "-c", "import rtwidgets; print(rtwidgets.__file__)"]
    where = run(located, home.parent, image)
    assert "site-packages" in where
    static = Path(where.strip()).parent / "widgets" / "static"
    in_checkout = {path.name for path in (home / "rtwidgets" / "widgets" / "static").iterdir()}
    assert {path.name for path in static.iterdir()} == in_checkout
    assert run(["rtwidgets", "--help"], home, image)


def test_the_first_notebook_runs_there(home: Path, image: dict[str, str]) -> None:
    before = (home / FIRST).read_bytes()
    run(["jupyter", "execute", "--timeout=120", FIRST], home, image)
    assert (home / FIRST).read_bytes() == before  # without --inplace it only runs


def test_the_link_of_the_readme_opens_it_in_jupyterlab(home: Path, image: dict[str, str]) -> None:
    jupyter = shutil.which("jupyter", path=image["PATH"]) or "jupyter"
    command = [
        jupyter, "lab", "--no-browser", "--allow-root", "--port=0", "--ServerApp.port_retries=0",
        "--IdentityProvider.token=made-up",
    ]  # fmt: skip
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=home, env=image, stderr=pipe, text=True) as server:
        try:
            address = address_of(server)
            assert "JupyterLab" in fetch(f"{address}/lab/tree/{FIRST}")
            assert '"type": "notebook"' in fetch(f"{address}/api/contents/{FIRST}?content=0")
        finally:
            server.terminate()
            server.communicate(timeout=30)


def address_of(server: subprocess.Popen[str]) -> str:
    """What the server says on its standard error, a moment before it listens."""
    assert server.stderr
    lines = []
    for line in server.stderr:
        lines.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return found[0]
    raise AssertionError("".join(lines))


def fetch(url: str, tries: int = 100) -> str:
    """The page, once the server listens: of that moment it tells nobody."""
    request = urllib.request.Request(url, headers={"Authorization": "token made-up"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())
    except urllib.error.URLError as error:
        if tries == 0 or not isinstance(error.reason, ConnectionRefusedError):
            raise
    time.sleep(0.1)
    return fetch(url, tries - 1)
