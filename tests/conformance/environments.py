"""A folder of its own for each client: their pins collide.

A stamp says what a folder was made from; while that is unchanged nothing is asked of the network.
npm's install scripts are not run: some fetch binaries from places that are no registry.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Protocol

PIP_OPTIONS = ("--quiet", "--no-input")

OLDEST_NODE = 20
INSTALL_SECONDS = 900


class Package(Protocol):
    """What is installed: `needs` with all that they require, `alone` without."""

    @property
    def environment(self) -> str: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    @property
    def alone(self) -> tuple[str, ...]: ...
    @property
    def javascript(self) -> bool: ...


class NotInstalled(Exception):
    """The client could not be installed; the sentence says why."""


class NotHere(NotInstalled):
    """This machine has not what the client runs on: a documented skip."""


def prepare(client: Package, root: Path) -> list[str]:
    """Make the client's folder under `root` if need be.

    Returns the command that runs a script there. Raises NotInstalled.
    """
    folder = root / client.environment
    if client.javascript:
        check_node()
    wanted = stamp_of(client)
    if read(folder / "stamp.json") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install_npm(client, folder) if client.javascript else install_pip(client, folder)
        (folder / "stamp.json").write_text(wanted, encoding="utf-8")
    return ["node"] if client.javascript else [str(python_of(folder)), "-X", "utf8"]


def stamp_of(client: Package) -> str:
    runs_on = node_version() if client.javascript else sys.version.split()[0]
    alone = {"alone": client.alone} if client.alone else {}
    return json.dumps({"needs": client.needs, **alone, "runs on": runs_on})


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install_pip(client: Package, folder: Path) -> None:
    run([sys.executable, "-m", "venv", str(folder)], folder)
    pip = [str(python_of(folder)), "-m", "pip", "--disable-pip-version-check", "install"]
    run([*pip, *PIP_OPTIONS, *client.needs], folder)
    if client.alone:
        run([*pip, *PIP_OPTIONS, "--no-deps", *client.alone], folder)


def install_npm(client: Package, folder: Path) -> None:
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--no-save"]
    run(["npm", "install", *options, *client.needs], folder)


def node_version() -> str:
    if not shutil.which("node") or not shutil.which("npm"):
        return ""
    return subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()


def check_node() -> None:
    version = node_version().lstrip("v")
    if not version or int(version.split(".")[0]) < OLDEST_NODE:
        raise NotHere(f"needs node {OLDEST_NODE} or newer, with npm; here is {version or 'none'}")


def run(command: list[str], folder: Path) -> None:
    """Run to the end. Raises NotInstalled with the last line of what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        sentence = f"{command[0]} took longer than {INSTALL_SECONDS} seconds"
        raise NotInstalled(sentence) from None
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        marked = [line for line in lines if "ERR" in line.upper()]
        raise NotInstalled(f"could not be installed: {(marked or lines or ['no word'])[-1][:200]}")
