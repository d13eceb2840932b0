"""What `make lab` and `make test` do before anything of rtwidgets runs: .ci/bootstrap.py.

Run as a person runs it, with Pythons that lack what Debian's bare one lacks, and an apt-get that
only notes how it was called.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("no_garbage")

# Imported when Python starts: takes ensurepip away, and says which user this is.
WITHOUT_ENSUREPIP = """
import os, sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name == "ensurepip":
            raise ModuleNotFoundError("No module named 'ensurepip'")

sys.meta_path.insert(0, Without())
os.geteuid = lambda: {user}
"""
APT_GET = """#!/bin/sh
echo "$@" >> {folder}/apt.log
{then}
"""


@pytest.fixture
def bootstrap(script: Callable[[str], ModuleType]) -> Any:
    return script("bootstrap")


@pytest.fixture
def project(checkout: Path, tmp_path: Path) -> Path:
    """A folder with what the bootstrap reads, and nothing else."""
    folder = tmp_path / "a checkout"
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(checkout / ".ci" / "bootstrap.py", folder / ".ci")
    shutil.copy(checkout / "pyproject.toml", folder)
    return folder


class Machine:
    """A PATH of its own: a python3 as broken as asked for, an apt-get that notes its calls."""

    def __init__(self, folder: Path, user: int, apt_then: str = "exit 100") -> None:
        self.folder = folder
        self.python = folder / "python"
        venv.create(self.python, with_pip=False, symlinks=True)
        (site,) = self.python.glob("lib/python*/site-packages")
        (site / "broken.py").write_text(WITHOUT_ENSUREPIP.format(user=user))
        # Not as sitecustomize.py: Debian's Python has one of its own, which comes first.
        self.broken = site / "broken.pth"
        self.broken.write_text("import broken\n")
        then = apt_then.format(broken=f"'{self.broken}'")
        self.put("apt-get", APT_GET.format(folder=f"'{folder}'", then=then))

    def put(self, name: str, text: str) -> None:
        path = self.python / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, command: list[str], project: Path, **settings: str) -> Any:
        path = f"{self.python / 'bin'}:/usr/bin:/bin"
        return subprocess.run(
            command, cwd=project, env={**os.environ, "PATH": path, **settings},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def apt_calls(self) -> list[str]:
        log = self.folder / "apt.log"
        return log.read_text().splitlines() if log.exists() else []


LAB = ["python3", ".ci/bootstrap.py", "lab"]
# A place for packages where nobody listens, whatever the machine is set up with.
NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/none",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_RETRIES": "0",
    "PIP_NO_CACHE_DIR": "1",
}


def test_without_ensurepip_and_without_rights_it_prints_the_line_to_run(
    project: Path, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "machine", user=1000)
    done = machine.run(LAB, project)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "sudo apt-get install -y python3-venv"
    assert "ensurepip" in done.stderr.splitlines()[-2]
    assert machine.apt_calls() == []
    assert not (project / ".venv").exists()


def test_make_stops_with_the_same_line(checkout: Path, project: Path, tmp_path: Path) -> None:
    if not shutil.which("make", path="/usr/bin:/bin"):
        pytest.skip("there is no make here")
    shutil.copy(checkout / "Makefile", project)
    done = Machine(tmp_path / "machine", user=1000).run(["make", "lab"], project)
    assert done.returncode == 2
    assert "sudo apt-get install -y python3-venv" in done.stderr.splitlines()


def test_root_gets_what_is_missing_and_goes_on_until_there_is_no_network(
    project: Path, tmp_path: Path
) -> None:
    """apt-get fails at first, as with no lists of packages, and then mends this Python."""
    then = 'test "$1" = update && touch "$0.lists"; test -e "$0.lists" || exit 100; rm -f {broken}'
    machine = Machine(tmp_path / "machine", user=0, apt_then=then)
    done = machine.run(LAB, project, **NO_NETWORK)
    install = "install -y --no-install-recommends python3-venv"
    assert machine.apt_calls() == [install, "update", install]
    assert [line.split(" ...")[0] for line in done.stdout.splitlines()][1:] == [
        "Making a virtual environment in .venv",
        "Installing rtwidgets[lab,speech] into .venv (minutes the first time, seconds later)",
    ]
    assert done.returncode == 1
    assert "no network" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr + done.stdout


def test_root_is_told_where_apt_get_fails(project: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", user=0, apt_then="echo E: no disk; exit 100")
    done = machine.run(LAB, project)
    assert done.returncode == 2
    assert "E: no disk" in done.stderr
    assert done.stderr.splitlines()[-1] == "sudo apt-get install -y python3-venv"


def test_a_half_made_environment_is_made_again(bootstrap: Any, project: Path) -> None:
    """What `python3 -m venv` leaves where ensurepip is missing: a Python without pip."""
    environment = project / ".venv"
    venv.create(environment, with_pip=False, symlinks=True)
    assert not bootstrap.works(environment)
    bootstrap.make_environment(environment, project)
    assert bootstrap.works(environment)


# --- the stamp ----------------------------------------------------------------------------------


@pytest.fixture
def made(bootstrap: Any, project: Path) -> Path:
    """A .venv as an installation leaves it: it works, and its stamp is true."""
    environment = project / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    write_stamp(environment, bootstrap.stamp_of(project, {"lab", "speech"}))
    return environment


def write_stamp(environment: Path, stamp: dict[str, object]) -> None:
    (environment / "rtwidgets-stamp.json").write_text(json.dumps(stamp))


def is_current(bootstrap: Any, environment: Path, *extras: str) -> bool:
    return bool(bootstrap.is_current(environment, environment.parent, extras or ("lab", "speech")))


def test_an_environment_is_used_again_while_nothing_changed(bootstrap: Any, made: Path) -> None:
    assert is_current(bootstrap, made)
    assert is_current(bootstrap, made, "lab")


def test_its_jupyterlab_asks_no_question_about_news(bootstrap: Any, tmp_path: Path) -> None:
    bootstrap.no_question_about_news(tmp_path)
    config = tmp_path / "etc" / "jupyter" / "labconfig" / "page_config.json"
    assert "apputils-extension:announcements" in config.read_text()
    config.write_text("{}")  # whoever changed it meant to
    bootstrap.no_question_about_news(tmp_path)
    assert config.read_text() == "{}"


def test_a_changed_project_is_installed_again(bootstrap: Any, made: Path) -> None:
    with (made.parent / "pyproject.toml").open("a") as file:
        file.write("# another dependency\n")
    assert not is_current(bootstrap, made)


def test_what_is_asked_for_beyond_it_is_installed(bootstrap: Any, made: Path) -> None:
    assert not is_current(bootstrap, made, "lab", "speech", "test")


@pytest.mark.parametrize("key", ["python", "checkout"])
def test_another_python_or_a_moved_checkout_makes_it_again(
    bootstrap: Any, made: Path, key: str
) -> None:
    write_stamp(made, {**bootstrap.stamp_of(made.parent, {"lab", "speech"}), key: "another"})
    assert not is_current(bootstrap, made)


def test_a_python_that_is_gone_makes_it_again(bootstrap: Any, made: Path) -> None:
    (made / "bin" / "python").unlink()
    (made / "bin" / "python").symlink_to(made / "removed")
    assert not is_current(bootstrap, made)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"extras": 3}', '{"extras": ["lab", "speech"]}'])
def test_a_broken_stamp_is_no_stamp(bootstrap: Any, made: Path, text: str) -> None:
    (made / "rtwidgets-stamp.json").write_text(text)
    assert not is_current(bootstrap, made)


# --- bad input ----------------------------------------------------------------------------------


def test_an_old_python_is_told_so_in_words(bootstrap: Any) -> None:
    words = r"needs Python 3\.11 or newer; this python3 is 3\.9\.2 "
    with pytest.raises(bootstrap.Stop, match=words) as stop:
        bootstrap.check_version((3, 9, 2))
    assert stop.value.status == 2


def test_an_old_python_can_read_the_script(checkout: Path) -> None:
    source = (checkout / ".ci" / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))


def test_a_real_old_python_stops_with_status_2(
    project: Path, python_named: Callable[[str], str]
) -> None:
    python = python_named("python3.8") or python_named("python3.9") or python_named("python3.10")
    if not python:
        pytest.skip("there is no Python 3.8, 3.9 or 3.10 here")
    done = subprocess.run(
        [python, ".ci/bootstrap.py", "lab"], cwd=project, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make lab PYTHON=" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [[], ["everything"], ["lab", "test"]])
def test_another_goal_is_refused_with_the_usage(
    bootstrap: Any, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert bootstrap.main(arguments) == 2
    assert "lab|check|test" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("WARNING: Retrying … NewConnectionError('…')", "no network"),
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("PermissionError: [Errno 13] Permission denied: '/opt'", "may not be written"),
        ("ERROR: ResolutionImpossible", "last lines above say why"),
    ],
)
def test_pips_failure_is_put_into_words(bootstrap: Any, said: str, sentence: str) -> None:
    assert sentence in bootstrap.explain_pip(said)


# --- the browser --------------------------------------------------------------------------------


def test_a_chromium_that_is_named_is_used(
    bootstrap: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHROMIUM", sys.executable)
    assert bootstrap.find_browser() == sys.executable
    bootstrap.provide_browser(tmp_path)


def test_a_chromium_that_is_named_wrongly_is_refused(
    bootstrap: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(bootstrap.Stop, match="CHROMIUM is set to") as stop:
        bootstrap.provide_browser(tmp_path)
    assert stop.value.status == 2


def test_without_any_chromium_it_prints_the_line_to_run(
    bootstrap: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No browser, no rights, and a playwright that is not there either."""
    machine = Machine(tmp_path / "machine", user=1000)
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(bootstrap, "MAC_CHROMIUMS", ())
    monkeypatch.setattr(bootstrap, "is_root", lambda: False)
    monkeypatch.setenv("PATH", str(machine.python / "bin"))
    with pytest.raises(bootstrap.Stop) as stop:
        bootstrap.provide_browser(tmp_path / "no environment")
    assert stop.value.status == 2
    assert stop.value.command == "sudo apt-get install -y chromium"
    assert machine.apt_calls() == []


# --- what CI and people run ---------------------------------------------------------------------


def test_ci_runs_exactly_make_test(checkout: Path) -> None:
    lines = (checkout / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "make" in line] == ["exec make test"]
    assert os.access(checkout / ".ci" / "run", os.X_OK)


def test_make_alone_lists_every_target(checkout: Path) -> None:
    if not shutil.which("make"):
        pytest.skip("there is no make here")
    done = subprocess.run(["make"], cwd=checkout, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^make (\w+)", done.stdout, re.MULTILINE))
    makefile = (checkout / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert listed == targets - {"help", "style"}


def test_the_base_dependencies_are_few_and_have_no_upper_pin(checkout: Path) -> None:
    """Packages that people keep beside us pin websockets below 16 or 17: we fit beside each."""
    with (checkout / "pyproject.toml").open("rb") as file:
        needed = tomllib.load(file)["project"]["dependencies"]
    names = {re.split(r"[<>=~!]", each)[0] for each in needed}
    assert names == {"anywidget", "ipywidgets", "numpy", "pybase64", "tornado", "websockets"}
    assert not [each for each in needed if re.search(r"<|==|~=", each)]


def test_no_file_names_a_place_to_fetch_packages_from(checkout: Path) -> None:
    """Where packages come from is the business of the machine, not of the project."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in [checkout / "pyproject.toml", checkout / "Makefile"]
        + [path for folder in (".ci", "binder") for path in (checkout / folder).iterdir()
           if path.is_file()]
    )  # fmt: skip
    assert not re.search(r"--(extra-)?index-url|--find-links|https?://", text)
