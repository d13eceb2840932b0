"""The command line: `rtwidgets lab | serve | compare | log | doctor | scan`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from .commands import compare, doctor, log, scan
from .errors import RealtimeError
from .tables import printable

FIRST_NOTEBOOK = "01_who_speaks_first.ipynb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0, 1 for a failure, 2 for a wrong call."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.command is None:
        parser.print_help()
        return 2
    try:
        status = int(chosen.run(chosen) or 0)
        sys.stdout.flush()  # while we can still say what became of it
        return status
    except BrokenPipeError:
        _stop_writing()
        return 128 + 13  # as a program says that ends by SIGPIPE
    except (RealtimeError, OSError) as problem:
        print(printable(f"rtwidgets {chosen.command}: {problem}", lines=True), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _stop_writing() -> None:
    """Whoever read our output has gone (`| head`): let Python's own last flush find a hole."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(
        prog="rtwidgets", description="Who speaks first? OpenAI's Realtime API in a notebook."
    )
    parser.add_argument("--version", action="version", version=f"rtwidgets {__version__}")
    commands = parser.add_subparsers(dest="command")

    lab = commands.add_parser("lab", help="open JupyterLab on the notebooks")
    lab.add_argument(
        "folder", nargs="?", type=Path, help="the notebooks' folder (default: notebooks/ here)"
    )
    lab.add_argument("--port", type=_port, default=8888, help="the port to try first")
    lab.set_defaults(run=_lab)

    serve = commands.add_parser("serve", help="run the simulator of the Realtime service")
    _serve_options(serve)
    serve.set_defaults(run=_serve)

    compare.add(commands)
    log.add(commands)
    doctor.add(commands)
    scan.add(commands)
    return parser


def _serve_options(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--port", type=_port, default=8765, help="0 takes any free one")
    serve.add_argument(
        "--key", help="what clients must send (default: $RTWIDGETS_SIMULATOR_KEY, or made up)"
    )
    serve.add_argument("--host", default="127.0.0.1", help="beyond this machine: needs a key")
    serve.add_argument("--latency", choices=("none", "typical", "realtime"), default="typical")
    serve.add_argument("--seed", type=int, default=0, help="the same seed gives the same words")
    serve.add_argument(
        "--script", type=Path, metavar="FILE", help='JSON: [["user says", "assistant says"], …]'
    )
    serve.add_argument(
        "--user-lines", type=Path, metavar="FILE", help="the words of spoken turns, one a line"
    )
    serve.add_argument("--chat-url", metavar="URL", help="an OpenAI-compatible chat endpoint")
    serve.add_argument("--chat-model", metavar="NAME", help="and its model")
    serve.add_argument("--mcp", type=Path, metavar="FILE", help="JSON: scripted tools of servers")
    serve.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="drop-after=N, slow=FACTOR, fail-response[=N], rate-limit[=N], "
        "fail-transcription[=N], late-transcription[=S], swap-transcriptions, no-rate-limits",
    )
    serve.add_argument(
        "--session-seconds", type=float, default=3600.0, help="how long a session may last"
    )
    serve.add_argument(
        "--idle-before-first-reply",
        action="store_true",
        help="let idle_timeout_ms count before anything was said",
    )
    serve.add_argument(
        "--handshake-errors",
        action="store_true",
        help="refuse with HTTP 401 and 404 before the upgrade",
    )
    serve.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when standard input does (for a parent process)",
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {port}")
    return port


def _lab(chosen: argparse.Namespace) -> int:
    folder = chosen.folder or _notebooks()
    if folder is None or not folder.is_dir():
        print(
            "rtwidgets lab: there is no folder of notebooks here. Run it where notebooks/ is, or "
            "name one: "
            "rtwidgets lab FOLDER",
            file=sys.stderr,
        )
        return 2
    try:
        from jupyterlab.labapp import LabApp
    except ImportError:
        print(
            "rtwidgets lab: JupyterLab is missing. Run: pip install 'rtwidgets[lab,speech]'",
            file=sys.stderr,
        )
        return 2
    os.environ["PATH"] = _with_our_programs(os.environ.get("PATH", ""))
    first = folder / FIRST_NOTEBOOK
    options = [
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--port={chosen.port}",
        "--LabApp.news_url=None",  # no question about news before the first notebook
    ]
    if first.is_file():
        options.append(f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}")
    if not _has_display():
        options.append("--no-browser")
        print("There is no display here: open the address below in a browser.", flush=True)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    LabApp.launch_instance(options)
    return 0


def _with_our_programs(path: str) -> str:
    """PATH, so that `!pip` and `!rtwidgets` in a cell, and JupyterLab's terminal, are those of the
    environment that rtwidgets runs in, though nobody has activated it."""
    ours = sysconfig.get_path("scripts")
    others = [one for one in path.split(os.pathsep) if one and one != ours]
    return os.pathsep.join([ours, *others])


def _notebooks() -> Path | None:
    beside_the_package = Path(__file__).parent.parent / "notebooks"
    return next((one for one in (Path("notebooks"), beside_the_package) if one.is_dir()), None)


def _has_display() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _serve(chosen: argparse.Namespace) -> int:
    from .simulator import serve
    from .simulator.scripts import read_json, read_lines

    options = {**vars(chosen), "faults": chosen.fault}
    for name in ("command", "run", "fault"):
        del options[name]
    for name, what in (("script", "The script"), ("mcp", "The script of MCP tools")):
        if options[name] is not None:
            options[name] = read_json(options[name], what)
    if chosen.user_lines is not None:
        options["user_lines"] = read_lines(chosen.user_lines)
    serve(**options)
    return 0
