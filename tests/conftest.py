"""What every test stands on: no key, no settings of whoever runs it, the recorded sessions."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
SHARED = CHECKOUT.parent / "shared"
OF_THE_PERSON = ("OPENAI_", "AZURE_", "RTWIDGETS_", "JUPYTER", "IPYTHON")
_own_settings = tempfile.TemporaryDirectory(prefix="rtwidgets-tests-")

# A shell lets what it starts in the background ignore the stop button's signal; the tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """A key in the environment must never be spent by a test, nor must a test read or change how
    this person has set up Jupyter. Done for the whole run: servers and kernels inherit it."""
    for name in [name for name in os.environ if name.startswith(OF_THE_PERSON)]:
        del os.environ[name]
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        os.environ[name] = str(Path(_own_settings.name, name.lower()))
    browser = load_script("bootstrap").find_browser()
    if browser:  # without one Playwright takes its own
        os.environ["CHROMIUM"] = browser


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """What asyncio has to say of tasks that are garbage it says now. While an ast is being made it
    would end a green run: CPython 3.11 then raises "AST constructor recursion depth mismatch"."""
    gc.collect()


@pytest.fixture
def no_garbage() -> None:
    """The same, before a test that makes an ast."""
    gc.collect()


def pytest_unconfigure() -> None:
    _own_settings.cleanup()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the project."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts and recordings beside the project. Skips where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED}: recorded sessions and facts lie there")
    return SHARED


@pytest.fixture(scope="session")
def streams(shared: Path) -> dict[str, list[dict[str, Any]]]:
    """The recorded sessions by name; their rows are {"direction", "event"}."""
    return {path.stem: rows_of(path) for path in sorted((shared / "streams").glob("*.jsonl"))}


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


@pytest.fixture(scope="session")
def python_named() -> Callable[[str], str]:
    """`python_named("python3.12")` is the path of such a Python of this machine, or ''."""

    def find(name: str) -> str:
        managed = Path.home().glob(f".pyenv/versions/*/bin/{name}")
        found = [shutil.which(name) or "", *map(str, sorted(managed))]
        return next((path for path in found if path and runs(path)), "")

    def runs(python: str) -> bool:  # a name on the PATH may be the shim of one that is not there
        return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0

    return find


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """`script("bootstrap")` is .ci/bootstrap.py as a module: .ci is no package."""
    return load_script


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ci_{name}", CHECKOUT / ".ci" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
