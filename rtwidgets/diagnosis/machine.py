"""What the kernel (or a script) can tell by itself, at once: versions, keys, voices, the disk.

Each function gives one row. What it looks at is handed in where a test wants another answer.
"""

from __future__ import annotations

import ctypes
import importlib
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import Misuse
from ..keys import key_found_in
from ..pricing import PRICES_AS_OF
from ..versions import STEADY, SUBSHELLS, UPGRADE, numbers
from .findings import Finding

OLDEST_PYTHON = (3, 11)
KEY_VARIABLES = {"OpenAI": "OPENAI_API_KEY", "Azure": "AZURE_OPENAI_API_KEY"}
USUAL_LIMIT = 1000
"""Messages a second from kernels to a page that a Jupyter server passes on unless told otherwise
(`jupyter_server.services.kernels.connection.channels: iopub_msg_rate_limit`)."""
NEEDED_LIMIT = 150
"""What a conversation with sound, its table and its timeline may send at its busiest."""

Version = Callable[[str], str | None]


def installed(package: str) -> str | None:
    """The version of a package that is installed here, None where it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def kernel_of_this_process() -> Any | None:
    """The running ipykernel; None in a script or a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None)


def findings(version_of: Version = installed) -> Iterator[Finding]:
    """All that needs neither a page nor a network."""
    yield python()
    yield place(kernel_of_this_process())
    yield ours(version_of("rtwidgets"))
    yield package("ipywidgets", version_of, oldest="8")
    yield package("anywidget", version_of, oldest="0.9.13")
    yield kernel(version_of("ipykernel"))
    yield lab(version_of)
    yield voice()
    yield notes(version_of)
    yield key("OpenAI")
    if key_is_there("Azure"):
        yield key("Azure")
    yield disk()
    yield clock(datetime.now(UTC))
    if kernel_of_this_process() is not None:
        yield message_limit(*limit_of_server())


# ---------------------------------------------------------------- versions


def python(version_info: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    found = f"{'.'.join(map(str, version_info))} on {platform.system()} {platform.machine()}"
    if version_info < OLDEST_PYTHON:
        return Finding(
            "Python", "Python", found, "mend", "Install Python 3.11 or newer and use its kernel."
        )
    return Finding("Python", "Python", found, "fine")


def place(running: Any | None) -> Finding:
    """Whether this is a notebook's kernel."""
    if running is not None:
        return Finding("Python", "runs in", "a notebook's kernel", "fine")
    return Finding("Python", "runs in", "a script or a terminal, without a page", "fine")


def ours(found: str | None) -> Finding:
    return Finding("Python", "rtwidgets", found or "a checkout, not installed", "fine")


def package(name: str, version_of: Version = installed, *, oldest: str = "0") -> Finding:
    """A package that must be there."""
    found = version_of(name)
    if found is None:
        remedy = f"Run: pip install {name!r}, then restart the kernel."
        return Finding("Python", name, "not installed", "mend", remedy)
    if numbers(found) < numbers(oldest):
        remedy = f"Run: pip install --upgrade '{name}>={oldest}', then restart the kernel."
        return Finding("Python", name, f"{found}, older than {oldest}", "mend", remedy)
    return Finding("Python", name, found, "fine")


def kernel(found: str | None) -> Finding:
    """ipykernel, and what its version means while a cell computes."""
    if found is None:
        remedy = "Run: pip install 'rtwidgets[lab,speech]', for notebooks; scripts do without."
        return Finding("Python", "ipykernel", "not installed", "limited", remedy)
    if numbers(found) < SUBSHELLS:
        return Finding(
            "Python",
            "ipykernel",
            f"{found}: what the page sends waits until a busy cell ends",
            "limited",
            f"Run: {UPGRADE}, then restart the kernel: the microphone "
            "and the buttons then work while a cell computes.",
        )
    if numbers(found) < STEADY:
        return Finding(
            "Python",
            "ipykernel",
            f"{found}: now and then a message of the page is left unread, and the kernel stands "
            "still until another page connects (ipykernel's issue 1554)",
            "limited",
            f"Run: {UPGRADE}, then restart the kernel.",
        )
    return Finding(
        "Python",
        "ipykernel",
        f"{found}: messages of the page travel by subshells, and rtwidgets sends so that none is "
        "led astray",
        "fine",
    )


def lab(version_of: Version = installed) -> Finding:
    found = version_of("jupyterlab") or version_of("notebook")
    if found is None:
        return Finding(
            "Python",
            "jupyterlab",
            "not installed beside this Python",
            "limited",
            "Run: pip install 'rtwidgets[lab,speech]', unless notebooks are opened from another "
            "place (a JupyterHub, VS Code).",
        )
    return Finding("Python", "jupyterlab", found, "fine")


# ---------------------------------------------------------------- what else is there


def voice() -> Finding:
    """Whether the simulator really speaks: eSpeak NG and the converter of its sound load."""
    try:
        importlib.import_module("soxr")
        espeak = importlib.import_module("espeakng_loader")
        ctypes.CDLL(espeak.get_library_path())
    except (ImportError, OSError, AttributeError) as problem:
        return Finding(
            "Python",
            "simulator's voice",
            f"soft tones in place of speech ({type(problem).__name__})",
            "limited",
            "Run: pip install 'rtwidgets[speech]', and the simulator speaks.",
        )
    return Finding("Python", "simulator's voice", "eSpeak NG", "fine")


def notes(version_of: Version = installed) -> Finding:
    """What voice notes and pictures from a camera need."""
    missing = [name for name in ("ipywebrtc", "av") if version_of(name) is None]
    if missing:
        return Finding(
            "Python",
            "voice notes",
            f"without {' and '.join(missing)}",
            "limited",
            "Run: pip install 'rtwidgets[notes]', to record notes and take pictures; files work "
            "without.",
        )
    return Finding("Python", "voice notes", "ipywebrtc and PyAV are there", "fine")


def key_is_there(whose: str) -> bool:
    try:
        return key_found_in(KEY_VARIABLES[whose]) is not None
    except Misuse:
        return True


def key(whose: str) -> Finding:
    """Whether there is a key and where it comes from. Never the key, nor a part of it."""
    what = f"key of {whose}"
    try:
        source = key_found_in(KEY_VARIABLES[whose])
    except Misuse:  # its words do not hold the key, but nothing of it is needed here
        return Finding(
            "Python",
            what,
            "there, but it cannot be one: it holds a blank or a character that no key has",
            "mend",
            f"Copy the whole key again into {KEY_VARIABLES[whose]}, or call rt.ask_key().",
        )
    if source is None:
        return Finding(
            "Python",
            what,
            "none, which is fine: the simulator needs none (rt.ask_key() for the real service)",
            "fine",
        )
    return Finding("Python", what, f"there, from {source} (not shown)", "fine")


def disk(folder: str | None = None) -> Finding:
    """Whether files can be written where the simulator and saved logs need it."""
    where = folder or tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(dir=where) as file:
            file.write(b"rtwidgets")
    except OSError as problem:
        return Finding(
            "Python",
            "temporary files",
            f"{where} cannot be written ({problem.strerror or type(problem).__name__})",
            "mend",
            "Free some space there, or set TMPDIR to a folder that can be written and restart.",
        )
    return Finding("Python", "temporary files", f"{where} can be written", "fine")


def clock(now: datetime) -> Finding:
    """A clock that is years behind refuses every certificate."""
    found = f"{now:%Y-%m-%d %H:%M} UTC"
    if found[:10] < PRICES_AS_OF:
        return Finding(
            "Python",
            "clock",
            f"{found}, which is in the past",
            "mend",
            "Set this machine's date and time: with a wrong date no secure connection stands.",
        )
    return Finding("Python", "clock", found, "fine")


# ---------------------------------------------------------------- the Jupyter server


def message_limit(limit: float, source: str) -> Finding:
    """How many messages a second the Jupyter server passes on to a page."""
    found = f"{limit:g} messages a second ({source})"
    if 0 < limit < NEEDED_LIMIT:
        return Finding(
            "server",
            "message limit",
            found,
            "mend",
            "Start the Jupyter server with "
            f"--ZMQChannelsWebsocketConnection.iopub_msg_rate_limit={USUAL_LIMIT}: below "
            f"{NEEDED_LIMIT} it drops parts of a conversation without a word.",
        )
    return Finding("server", "message limit", found, "fine")


def limit_of_server() -> tuple[float, str]:
    """The limit as its command line or its configuration has it, and where that was read.

    A server on another machine cannot be asked: then it is the usual one, and the words say so.
    """
    for source, text in _settings_of_server():
        found = re.findall(r"iopub_msg_rate_limit[\"']?\s*[=:]\s*([\d.]+)", text)
        if found:
            return float(found[-1]), source
    return USUAL_LIMIT, "the usual one: no other was found"


def _settings_of_server() -> Iterator[tuple[str, str]]:
    try:
        psutil = importlib.import_module("psutil")
        for parent in psutil.Process().parents():
            yield "from the server's command line", " ".join(parent.cmdline())
    except Exception:  # not installed, another user's process: then it cannot be read
        pass
    try:
        paths = importlib.import_module("jupyter_core.paths")
    except ImportError:
        return
    for folder in paths.jupyter_config_path():
        for name in ("jupyter_server_config.py", "jupyter_server_config.json"):
            path = Path(folder, name)
            if path.is_file():
                yield f"from {name}", path.read_text(encoding="utf-8", errors="replace")
