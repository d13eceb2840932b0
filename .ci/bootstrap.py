"""Make .venv in this checkout and keep it up to date: `python3 .ci/bootstrap.py lab|check|test`.

    lab     what `make lab` runs on       rtwidgets with [lab,speech]
    check   what `make check` runs on     the same with [test]
    test    what `make test` runs on      the same, and a Chromium

rtwidgets is installed editable: what is changed in the checkout runs without installing again. A stamp in
.venv says what it was made from (stamp_of); while that is unchanged, nothing is done and nothing is asked of
the network.

Standard library only, and in the syntax of Python 3.8, so that an old Python is told so in words.
Status 0: ready. 1: something failed, the last lines say what. 2: something is missing that only the person
at the machine can put there, and the last line is the command that does.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
EXTRAS = {
    "lab": ("lab", "speech"),
    "check": ("lab", "speech", "test"),
    "test": ("lab", "speech", "test"),
}
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_CHROMIUMS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# What pip says when it cannot reach where packages come from.
NO_NETWORK = (
    "name resolution",
    "NewConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Connection refused",
    "Network is unreachable",
    "No route to host",
    "ProxyError",
    "connection broken",
    "nodename nor servname",
)


class Stop(Exception):
    """Ends the run: the sentence for the person, the one command to run if there is one, the status."""

    def __init__(self, sentence: str, command: str = "", status: int = 1) -> None:
        super().__init__(sentence)
        self.command = command
        self.status = status


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in EXTRAS:
        print("usage: python3 .ci/bootstrap.py " + "|".join(EXTRAS), file=sys.stderr)
        return 2
    try:
        prepare(arguments[0])
    except Stop as stop:
        print(stop, file=sys.stderr)
        if stop.command:
            print(stop.command, file=sys.stderr)
        return stop.status
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def prepare(goal: str, checkout: Path = CHECKOUT) -> None:
    """Bring .venv to what the goal needs; raise Stop when that cannot be done."""
    check_version()
    leave_own_venv(checkout)
    environment = checkout / ".venv"
    if is_current(environment, checkout, EXTRAS[goal]):
        say("Using .venv, which is up to date.")
    else:
        make_environment(environment, checkout)
        install(environment, checkout, EXTRAS[goal])
    if goal == "test":
        provide_browser(environment)


def say(line: str) -> None:
    print(line, flush=True)


# --- which Python -----------------------------------------------------------------------------------------


def check_version(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> None:
    if version[:2] >= OLDEST:
        return
    sentence = "rtwidgets needs Python {} or newer, and this python3 is {} ({}).".format(
        dotted(OLDEST), dotted(version), sys.executable
    )
    newer = newer_python()
    if newer:
        raise Stop(sentence + " A newer one is on this machine:", "make lab PYTHON=" + newer, 2)
    raise Stop(sentence + " Install one and put it first on the PATH, or name it: make lab PYTHON=…", "", 2)


def newer_python() -> str:
    """The newest python3.X on the PATH that is new enough, or ''."""
    names = ["python3.{}".format(minor) for minor in range(30, OLDEST[1] - 1, -1)]
    return next((name for name in names if shutil.which(name) and runs(name)), "")


def runs(python: str) -> bool:
    """A name on the PATH may be a shim of a version manager that has no such Python."""
    return quietly([python, "-c", ""]).returncode == 0


def leave_own_venv(checkout: Path) -> None:
    """Where .venv is activated, python3 is .venv's own: go on with the one it was made from."""
    if Path(sys.prefix).resolve() != (checkout / ".venv").resolve():
        return
    base = getattr(sys, "_base_executable", "")
    if base and os.path.exists(base) and os.path.abspath(base) != os.path.abspath(sys.executable):
        raise SystemExit(subprocess.call([base, str(Path(__file__).resolve()), *sys.argv[1:]]))


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


# --- the environment --------------------------------------------------------------------------------------


def bin_of(environment: Path, name: str) -> Path:
    windows = os.name == "nt"
    return environment / ("Scripts" if windows else "bin") / (name + ".exe" if windows else name)


def stamp_of(checkout: Path, extras: tuple[str, ...]) -> dict[str, object]:
    """What an environment is made from. A changed pyproject.toml, another Python, a moved checkout: made anew."""
    project = (checkout / "pyproject.toml").read_bytes()
    return {
        "pyproject": hashlib.sha256(project).hexdigest(),
        "extras": sorted(extras),
        "python": "{} at {}".format(dotted(tuple(sys.version_info[:3])), sys.base_prefix),
        "checkout": str(checkout),
    }


def read_stamp(environment: Path) -> dict[str, object]:
    try:
        stamp = json.loads((environment / "rtwidgets-stamp.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def is_current(environment: Path, checkout: Path, extras: tuple[str, ...]) -> bool:
    """True when .venv was made from this very checkout and Python, and holds at least these extras."""
    stamp = read_stamp(environment)
    held = stamp.get("extras")
    return (
        isinstance(held, list)
        and set(extras) <= set(held)
        and stamp == stamp_of(checkout, tuple(held))
        and works(environment)
    )


def works(environment: Path) -> bool:
    """A half-made environment has no pip, one whose Python was removed does not run at all."""
    python = bin_of(environment, "python")
    return python.exists() and quietly([str(python), "-c", "import pip"]).returncode == 0


def make_environment(environment: Path, checkout: Path) -> None:
    """An empty .venv of the right Python, unless one is there."""
    stamp, wanted = read_stamp(environment), stamp_of(checkout, ())
    if all(stamp.get(key) == wanted[key] for key in ("python", "checkout")) and works(environment):
        return
    python = python_with_venv()
    if environment.exists():
        say("Making .venv again: it is incomplete, or was made by another Python or in another folder ...")
        remove(environment)
    else:
        say("Making a virtual environment in .venv ...")
    done = quietly([python, "-m", "venv", str(environment)])
    if done.returncode or not works(environment):
        remove(environment)
        raise Stop("The virtual environment could not be made with {}:\n{}".format(python, last_lines(done)))


def remove(environment: Path) -> None:
    if environment.is_symlink() or environment.is_file():
        environment.unlink()
    else:
        shutil.rmtree(str(environment), ignore_errors=True)
    if environment.exists():
        raise Stop("{} could not be removed. Remove it by hand, then run this again.".format(environment))


def install(environment: Path, checkout: Path, extras: tuple[str, ...]) -> None:
    """rtwidgets, editable, with these extras and those it had before."""
    held = read_stamp(environment).get("extras")
    wanted = sorted(set(extras) | set(held if isinstance(held, list) else ()))
    stamp_file = environment / "rtwidgets-stamp.json"
    if stamp_file.exists():
        stamp_file.unlink()  # an install that breaks off is not up to date
    say("Installing rtwidgets[{}] into .venv (a few minutes the first time) ...".format(",".join(wanted)))
    target = "{}[{}]".format(checkout, ",".join(wanted))
    pip = [str(bin_of(environment, "python")), "-m", "pip", "--disable-pip-version-check"]
    done = quietly([*pip, "install", "--no-input", "--editable", target])
    if done.returncode:
        raise Stop(explain_pip(done))
    stamp_file.write_text(json.dumps(stamp_of(checkout, tuple(wanted))), encoding="utf-8")


def explain_pip(done: subprocess.CompletedProcess[str]) -> str:
    """pip's failure in words, with its last lines."""
    said = done.stdout + done.stderr
    if any(sign in said for sign in NO_NETWORK):
        why = "The packages could not be fetched: no network, or the way to them is closed. Connect, then run"
    elif "No space left" in said:
        why = "The disk is full. Make room, then run"
    elif "Permission denied" in said:
        why = "A file could not be written. Look at whose this folder is, then run"
    else:
        why = "pip could not install what is needed. Look at its last lines above, then run"
    return "{}\n{} the same command again.".format(last_lines(done), why)


def last_lines(done: subprocess.CompletedProcess[str], count: int = 8) -> str:
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return "\n".join("    " + line for line in lines[-count:])


def quietly(command: list[str], **settings: object) -> subprocess.CompletedProcess[str]:
    """Run with what it prints kept. A command that does not exist has failed with status 127."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    environment["DEBIAN_FRONTEND"] = "noninteractive"
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


# --- what the system must give ----------------------------------------------------------------------------


def python_with_venv() -> str:
    """The Python to make .venv with: this one, once it has venv and ensurepip."""
    if has_venv(sys.executable):
        return sys.executable
    package = venv_package()
    if not shutil.which("apt-get"):
        raise Stop(
            "This python3 ({}) lacks venv or ensurepip, and so cannot make a virtual environment. "
            "Install a complete Python {} or newer.".format(sys.executable, dotted(OLDEST)),
            status=2,
        )
    need_from_apt(package, "This python3 ({}) cannot make a virtual environment yet.".format(sys.executable))
    for python in (sys.executable, "/usr/bin/python3"):
        if has_venv(python):
            return python
    raise Stop(
        "{} was installed, and {} still cannot make a virtual environment: it is not Debian's Python. "
        "Install a complete Python, or name one: make lab PYTHON=…".format(package, sys.executable),
        status=2,
    )


def has_venv(python: str) -> bool:
    probe = "import ensurepip, sys, venv; sys.exit(sys.version_info < {})".format(OLDEST)
    return quietly([python, "-c", probe]).returncode == 0


def venv_package() -> str:
    """Debian's package that completes this Python: python3-venv for its python3, python3.X-venv for another."""
    name = "python{}.{}".format(*sys.version_info[:2])
    ours, default = os.path.realpath(sys.executable), os.path.realpath("/usr/bin/python3")
    return name + "-venv" if ours == "/usr/bin/" + name and ours != default else "python3-venv"


def need_from_apt(package: str, why: str) -> None:
    """As root install it; else say the one line that does, and stop."""
    if not is_root():
        raise Stop(why + " Run this once, then the same command again:", apt_line(package), 2)
    say("{} Installing {} with apt-get ...".format(why, package))
    done = apt_install(package)
    if done.returncode:
        raise Stop("{}\napt-get could not install {}. Once that works, run:".format(
            last_lines(done), package), apt_line(package), 2)


def apt_install(package: str) -> subprocess.CompletedProcess[str]:
    install = ["apt-get", "install", "-y", "--no-install-recommends", package]
    done = quietly(install)
    if done.returncode:  # a fresh image has no lists of packages, an old one has stale ones
        quietly(["apt-get", "update"])
        done = quietly(install)
    return done


def apt_line(package: str) -> str:
    return "sudo apt-get install -y " + package


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


# --- the browser of the tests -----------------------------------------------------------------------------


def find_browser() -> str:
    """The path of a Chromium or Chrome of this machine: $CHROMIUM, the PATH, macOS's applications. '' if none."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        return named
    on_path = (shutil.which(name) for name in CHROMIUMS)
    on_mac = (path for path in MAC_CHROMIUMS if os.path.exists(path))
    return next((path for path in on_path if path), "") or next(on_mac, "")


def provide_browser(environment: Path) -> None:
    named = os.environ.get("CHROMIUM", "")
    if named and not shutil.which(named):
        raise Stop("CHROMIUM is set to {}, which is no program. Correct it or unset it.".format(named), "", 2)
    if find_browser() or has_playwrights_own(environment):
        return
    has_apt = bool(shutil.which("apt-get"))
    if has_apt and is_root():
        say("No Chromium for the browser tests. Installing chromium with apt-get ...")
        if apt_install("chromium").returncode == 0 and find_browser():
            return
    say("No Chromium for the browser tests. Downloading Playwright's own ...")
    done = quietly([str(bin_of(environment, "python")), "-m", "playwright", "install", "chromium"])
    if done.returncode == 0 and has_playwrights_own(environment):
        return
    raise Stop(
        "The browser tests need a Chromium, and Playwright's own could not be downloaded. "
        "Run this once, then the same command again:",
        apt_line("chromium") if has_apt else "brew install --cask chromium",
        2,
    )


def has_playwrights_own(environment: Path) -> bool:
    probe = (
        "import os, sys; from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as p: sys.exit(not os.path.exists(p.chromium.executable_path))"
    )
    return quietly([str(bin_of(environment, "python")), "-c", probe]).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
