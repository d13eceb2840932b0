"""Make .venv in this checkout and keep it up to date: `python3 .ci/bootstrap.py lab|check|test`.

    lab     for `make lab`      rtwidgets with its extras lab and speech
    check   for `make check`    the same and test
    test    for `make test`     the same, and a Chromium

rtwidgets is installed editable: what is changed in the checkout runs without installing again.
A stamp in .venv says what it was made from (`stamp_of`). While that is unchanged nothing is done,
and nothing is asked of the network.

Standard library only, in the syntax of Python 3.8, so that an old Python is told so in words.
Status 0: ready. 1: something failed, and the last line says what to do. 2: something is missing
that only the person at the machine can put there, and the last line is what to run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
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
# With these set, pip would install elsewhere than into .venv, or .venv's Python look elsewhere.
LEADS_ASTRAY = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")
# What pip says when it cannot reach the place that packages come from.
NO_NETWORK = (
    "name resolution",
    "nodename nor servname",
    "NewConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Connection refused",
    "connection broken",
    "Network is unreachable",
    "No route to host",
    "ProxyError",
    "(from versions: none)",
)


class Stop(Exception):
    """Ends the run: a sentence for the person, what to run (the last line printed), the status."""

    def __init__(self, sentence: str, command: str = "", status: int = 1) -> None:
        super().__init__(sentence)
        self.command = command
        self.status = status


class Done:
    """A finished command: its status, and all it printed in the order it was printed."""

    def __init__(self, status: int, output: str) -> None:
        self.ok = status == 0
        self.output = output

    def last_lines(self) -> str:
        """What it said of its failure: the lines that pip and apt-get mark, else the last ones."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        marked = [line for line in lines if line.startswith(("ERROR: ", "E: "))]
        return "\n".join("    " + line[:300] for line in (marked or lines)[-6:])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in EXTRAS:
        print("usage: python3 .ci/bootstrap.py " + "|".join(EXTRAS), file=sys.stderr)
        return 2
    try:
        prepare(arguments[0])
    except Stop as stop:
        print(*filter(None, [str(stop), stop.command]), sep="\n", file=sys.stderr)
        return stop.status
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


def prepare(goal: str, checkout: Path = CHECKOUT) -> None:
    """Bring .venv to what the goal needs. Raises Stop when that cannot be done."""
    check_version()
    leave_own_environment(checkout)
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


def run(command: list[str], folder: Path = CHECKOUT) -> Done:
    """Run to the end, keeping what is printed; a terminal shows its current line meanwhile."""
    environment = {key: value for key, value in os.environ.items() if key not in LEADS_ASTRAY}
    environment["DEBIAN_FRONTEND"] = "noninteractive"
    try:
        process = subprocess.Popen(
            command,
            cwd=str(folder),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return Done(127, str(error))
    with process:
        assert process.stdout
        output = "".join(shown(process.stdout))
    return Done(process.returncode, output)


def shown(lines: Iterable[str]) -> Iterator[str]:
    """Pass the lines on; at a terminal each one takes the place of the last on the screen."""
    at_terminal = sys.stdout.isatty()
    for line in lines:
        if at_terminal:
            print("\r\033[K  " + line.strip()[:76], end="", flush=True)
        yield line
    if at_terminal:
        print("\r\033[K", end="", flush=True)


# --- which Python ---------------------------------------------------------------------------------


def check_version(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> None:
    if version[:2] >= OLDEST:
        return
    sentence = (
        f"rtwidgets needs Python {dotted(OLDEST)} or newer; "
        f"this python3 is {dotted(version)} ({sys.executable})."
    )
    newer = newer_python()
    if newer:
        raise Stop(sentence + " A newer one is here:", "make lab PYTHON=" + newer, 2)
    raise Stop(sentence, "Install a newer one, then name it: make lab PYTHON=python3.13", 2)


def newer_python() -> str:
    """The newest python3.X on the PATH that is new enough, or ''."""
    names = [f"python3.{minor}" for minor in range(30, OLDEST[1] - 1, -1)]
    # A name on the PATH may be a version manager's shim for a Python that is not there.
    return next((name for name in names if shutil.which(name) and run([name, "-c", ""]).ok), "")


def leave_own_environment(checkout: Path) -> None:
    """Where .venv is activated, python3 is .venv's own: go on with the one it was made from."""
    if Path(sys.prefix).resolve() != (checkout / ".venv").resolve():
        return
    base = getattr(sys, "_base_executable", "")
    if base and os.path.exists(base) and not base.startswith(sys.prefix):
        raise SystemExit(subprocess.call([base, str(Path(__file__).resolve()), *sys.argv[1:]]))


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


# --- the environment ------------------------------------------------------------------------------


def program(environment: Path, name: str) -> str:
    folder, suffix = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")
    return str(environment / folder / (name + suffix))


def stamp_of(checkout: Path, extras: set[str]) -> dict[str, object]:
    """What an environment is made from. Where one of these changed, it is brought up to date."""
    return {
        "pyproject": hashlib.sha256((checkout / "pyproject.toml").read_bytes()).hexdigest(),
        "extras": sorted(extras),
        "python": f"{dotted(tuple(sys.version_info[:3]))} at {sys.base_prefix}",
        "checkout": str(checkout),  # scripts in .venv/bin name it: a moved checkout is a new one
    }


def read_stamp(environment: Path) -> dict[str, object]:
    try:
        stamp = json.loads((environment / "rtwidgets-stamp.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def held_extras(environment: Path) -> set[str]:
    held = read_stamp(environment).get("extras")
    return set(held) if isinstance(held, list) else set()


def is_current(environment: Path, checkout: Path, extras: tuple[str, ...]) -> bool:
    """True when .venv was made from this very checkout and Python and holds these extras."""
    held = held_extras(environment)
    return (
        held.issuperset(extras)
        and read_stamp(environment) == stamp_of(checkout, held)
        and works(environment)
    )


def works(environment: Path) -> bool:
    """A half-made environment has no pip; one whose Python was removed does not run at all."""
    return run([program(environment, "python"), "-c", "import pip"]).ok


def make_environment(environment: Path, checkout: Path) -> None:
    """An empty .venv of this Python, unless one is there."""
    stamp, wanted = read_stamp(environment), stamp_of(checkout, set())
    same = all(stamp.get(key) == wanted[key] for key in ("python", "checkout"))
    if same and works(environment):
        return
    python = python_with_venv()
    if environment.exists():
        say("Making .venv again: it is incomplete, or of another Python or folder ...")
        remove(environment)
    else:
        say("Making a virtual environment in .venv ...")
    done = run([python, "-m", "venv", str(environment)])
    if not (done.ok and works(environment)):
        remove(environment)
        raise Stop(f"{done.last_lines()}\n{python} could not make a virtual environment in .venv.")


def remove(environment: Path) -> None:
    if environment.is_symlink() or environment.is_file():
        environment.unlink()
    else:
        shutil.rmtree(str(environment), ignore_errors=True)
    if environment.exists():
        raise Stop(f"{environment} could not be removed. Remove it by hand, then run this again.")


def install(environment: Path, checkout: Path, extras: tuple[str, ...]) -> None:
    """rtwidgets, editable, with these extras and those that were there before."""
    wanted = held_extras(environment).union(extras)
    names = ",".join(sorted(wanted))
    say(f"Installing rtwidgets[{names}] into .venv (minutes the first time, seconds later) ...")
    stamp = environment / "rtwidgets-stamp.json"
    keep_python_and_checkout = dict(stamp_of(checkout, set()), pyproject="")
    stamp.write_text(json.dumps(keep_python_and_checkout), encoding="utf-8")
    pip = [program(environment, "python"), "-m", "pip", "--disable-pip-version-check"]
    done = run([*pip, "install", "--no-input", "--editable", f".[{names}]"], folder=checkout)
    if not done.ok:
        raise Stop(f"{done.last_lines()}\n{explain_pip(done.output)}")
    no_question_about_news(environment)
    stamp.write_text(json.dumps(stamp_of(checkout, wanted)), encoding="utf-8")


def no_question_about_news(environment: Path) -> None:
    """JupyterLab would ask about its news in front of the first notebook: not from this .venv."""
    config = environment / "etc" / "jupyter" / "labconfig" / "page_config.json"
    if not config.exists():
        config.parent.mkdir(parents=True, exist_ok=True)
        disabled = {"@jupyterlab/apputils-extension:announcements": True}
        config.write_text(json.dumps({"disabledExtensions": disabled}), encoding="utf-8")


def explain_pip(output: str) -> str:
    """pip's failure in a sentence: what happened, what to do."""
    again = "then run the same command again."
    if any(sign in output for sign in NO_NETWORK):
        return f"The packages could not be fetched: there is no network here. Connect, {again}"
    if "No space left" in output:
        return f"The disk is full. Make room, {again}"
    if "Permission denied" in output:
        return f"A file here may not be written. See whose this folder is, {again}"
    return f"pip could not install rtwidgets. Its last lines above say why. Mend that, {again}"


# --- what the system must give --------------------------------------------------------------------


def python_with_venv() -> str:
    """The Python to make .venv with: this one, once it can."""
    if can_make_environments(sys.executable):
        return sys.executable
    why = f"This python3 ({sys.executable}) has no venv or no ensurepip."
    package = venv_package()
    if not shutil.which("apt-get"):
        raise Stop(why, "Install a complete Python, then name it: make lab PYTHON=python3.13", 2)
    if not is_root():
        raise Stop(f"{why} Run this, then the same command again:", apt_line(package), 2)
    say(f"{why} Installing {package} with apt-get ...")
    done = apt_install(package)
    if not done.ok:
        raise Stop(f"{done.last_lines()}\napt-get failed. Mend that and run:", apt_line(package), 2)
    for python in (sys.executable, "/usr/bin/python3"):
        if can_make_environments(python):
            return python
    why = f"{package} is installed, and {sys.executable} is as before: it is not Debian's Python."
    raise Stop(why, "Name a complete Python: make lab PYTHON=/usr/bin/python3", 2)


def can_make_environments(python: str) -> bool:
    """True for one that is new enough and has venv and, which Debian packs apart, ensurepip."""
    probe = f"import ensurepip, sys, venv; sys.exit(sys.version_info < {OLDEST})"
    return run([python, "-c", probe]).ok


def venv_package() -> str:
    """Debian's package that completes this Python: python3-venv, or python3.X-venv for another."""
    name = f"python{dotted(tuple(sys.version_info[:2]))}"
    ours, default = os.path.realpath(sys.executable), os.path.realpath("/usr/bin/python3")
    return f"{name}-venv" if ours == f"/usr/bin/{name}" and ours != default else "python3-venv"


def apt_install(package: str) -> Done:
    install = ["apt-get", "install", "-y", "--no-install-recommends", package]
    done = run(install)
    if not done.ok:  # a fresh machine has no lists of packages, an old one has stale ones
        run(["apt-get", "update"])
        done = run(install)
    return done


def apt_line(package: str) -> str:
    return f"sudo apt-get install -y {package}"


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


# --- the browser of the tests ---------------------------------------------------------------------


def find_browser() -> str:
    """A Chromium or Chrome: $CHROMIUM, one on the PATH, one of macOS's applications, or ''."""
    if os.environ.get("CHROMIUM"):
        return os.environ["CHROMIUM"]
    on_path = [path for path in map(shutil.which, CHROMIUMS) if path]
    on_mac = [path for path in MAC_CHROMIUMS if os.path.exists(path)]
    return next(iter(on_path + on_mac), "")


def provide_browser(environment: Path) -> None:
    """A Chromium of this machine, else from apt-get, else Playwright's own. Raises Stop."""
    found = find_browser()
    if found and not shutil.which(found):
        raise Stop(f"CHROMIUM is set to {found}, which is no program. Correct or unset it.", "", 2)
    if found or has_own_chromium(environment):
        return
    has_apt = bool(shutil.which("apt-get"))
    if has_apt and is_root():
        say("The browser tests need a Chromium. Installing chromium with apt-get ...")
        if apt_install("chromium").ok and find_browser():
            return
    say("The browser tests need a Chromium. Downloading Playwright's own ...")
    done = run([program(environment, "playwright"), "install", "chromium"])
    if not (done.ok and has_own_chromium(environment)):
        sentence = "It could not be downloaded. Run this, then the same command again:"
        raise Stop(sentence, chromium_line(has_apt), 2)


def chromium_line(has_apt: bool) -> str:
    if has_apt:
        return apt_line("chromium")
    if sys.platform == "darwin":
        return "brew install --cask chromium"
    return "CHROMIUM=/path/to/one make test   # after installing one with this system's packages"


def has_own_chromium(environment: Path) -> bool:
    """True when Playwright has downloaded its Chromium on this machine."""
    probe = (
        "import os; from playwright.sync_api import sync_playwright as start\n"
        "with start() as p: raise SystemExit(not os.path.exists(p.chromium.executable_path))"
    )
    return run([program(environment, "python"), "-c", probe]).ok


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
