"""The laws of the house, read from the imports.

    order   a module imports only modules above it in HOUSE, and of those only the named ones
    law 1   simulator/ imports of ours only audio and errors, and few import it, inside functions:
            a client and a server that share no code cannot share a misreading
    law 2   the pure modules do no I/O and read neither clock nor chance: both are handed in
    law 3   `import rtwidgets` starts nothing and loads nothing heavy

A module that needs a higher one imports it inside a function; UPWARD lists exactly these.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("no_garbage")

PACKAGE = Path(__file__).resolve().parent.parent / "rtwidgets"

# Who may import whom, anywhere. "*": everything above. A folder stands for its modules.
HOUSE: dict[str, str] = {
    "errors": "",
    "events": "errors",
    "audio": "errors",
    "pricing": "errors",
    "tables": "errors events",
    "explanations": "events",
    "describing": "events",
    "scanning": "",
    "versions": "",
    "log": "errors events describing audio tables scanning",
    "items": "events audio",
    "dialects": "events audio",
    "echoes": "events",
    "turns": "events",
    "conversation": "errors events items dialects echoes turns",
    "money": "errors events items dialects pricing tables log",
    "openings": "errors events describing audio explanations items conversation",
    "tools": "errors events items dialects turns conversation log",
    "report": "errors events audio items dialects turns pricing tables log",
    "listing": "events log tables",
    "render": "events explanations tables log items dialects conversation listing",
    "timeline": "errors events describing audio log report",
    "transport": "errors tables",
    "loop": "errors",
    "keys": "errors",
    "endpoints": "errors keys transport pricing",
    "minting": "errors tables keys transport loop endpoints",
    "replay": "errors events audio tables log transport endpoints",
    "session": "errors events describing audio pricing tables explanations log items dialects "
    "turns conversation money openings tools transport loop endpoints",
    "comparison": "errors events audio pricing tables log items conversation money openings report "
    "timeline loop endpoints session",
    "simulator": "audio errors",
    "checking": "errors events tables items conversation explanations",
    "widgets": "*",
    "diagnosis": "*",
    "commands": "*",
    "cli": "*",
    "__main__": "cli",
    "__init__": "",
}
# Law 1: who may import the simulator, inside functions only.
KNOW_THE_SIMULATOR = {"endpoints", "comparison", "checking", "commands", "cli", "__init__"}
# Who needs a higher module, inside a function: a log shows itself.
UPWARD = {
    ("log.rows", "widgets.eventtable"), ("log.rows", "render"), ("log.rows", "report"),
    ("log.row", "report"), ("log.rows", "report.differing"), ("log.rows", "timeline.plotting"),
    ("log.rows", "money.metering"), ("comparison.results", "widgets.comparison"),
    ("log.rows", "report.tables"),
}  # fmt: skip
# Law 2.
PURE = {
    "audio", "conversation", "describing", "dialects", "echoes", "errors", "events", "explanations",
    "items", "listing", "log", "log.censoring", "log.eventlog", "log.folding", "log.jsonl",
    "log.redaction", "log.row", "log.rows",
    "money.budgeting", "money.ledger", "money.metering", "openings", "openings.firstwords",
    "pricing", "render", "replay.recording", "report", "report.chronicle", "report.differing",
    "report.facts", "report.linking", "report.marks", "report.sessions", "report.tables",
    "report.userspeech",
    "simulator.engine", "simulator.floor", "simulator.item_shapes", "simulator.parsing",
    "simulator.responses", "simulator.rules", "simulator.schema", "simulator.session_shapes",
    "tables", "timeline", "turns",
}  # fmt: skip
IMPURE = {
    "IPython", "anywidget", "asyncio", "concurrent", "http", "ipykernel", "ipywidgets",
    "multiprocessing", "queue", "random", "secrets", "select", "selectors", "signal", "socket",
    "ssl", "subprocess", "threading", "time", "tornado", "traitlets", "urllib.request", "uuid",
    "websockets",
}  # fmt: skip
IMPURE_NAMES = {
    "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today",
    "datetime.datetime.utcnow", "numpy.random", "os.environ", "os.getenv", "os.urandom",
}  # fmt: skip
# Law 3.
HEAVY = [
    "IPython", "av", "matplotlib", "numpy", "openai", "pandas", "rtwidgets.simulator",
    "rtwidgets.widgets",
]  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One import: of a module of ours (`ours`, "log" or "simulator.engine") or of another's."""

    line: int
    name: str
    ours: bool
    lazy: bool  # inside a function, or for the type checker alone


# --- reading ------------------------------------------------------------------------------------


def imports_of(source: str, module: str, package: bool = False) -> list[Import]:
    """Every import of a module, the ones inside functions and those by name included."""
    found: list[Import] = []
    for node, lazy in walk(ast.parse(source), lazy=False):
        for name in imported_names(node, module, package):
            ours = name == "rtwidgets" or name.startswith("rtwidgets.")
            own_name = name.removeprefix("rtwidgets").removeprefix(".") or "__init__"
            found.append(Import(node.lineno, own_name if ours else name, ours, lazy))
    return found


def walk(node: ast.AST, lazy: bool) -> Iterator[tuple[ast.stmt | ast.expr, bool]]:
    """Every node below, and whether it runs only when somebody calls (or never)."""
    for child in ast.iter_child_nodes(node):
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        inside = inside or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test))
        if isinstance(child, ast.stmt | ast.expr):
            yield child, inside
        yield from walk(child, inside)


def imported_names(node: ast.AST, module: str, package: bool) -> list[str]:
    """The modules an import names, in full; `from . import a` names a."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = absolute(node, module, package)
        inner = [f"{base}.{alias.name}" for alias in node.names]
        return [name for name in inner if is_module(name)] or [base]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        first = node.args[0] if node.args else None
        if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
            return [str(first.value)]
    return []


def absolute(node: ast.ImportFrom, module: str, package: bool) -> str:
    if not node.level:
        return node.module or ""
    here = ["rtwidgets", *module.split(".")] if module != "__init__" else ["rtwidgets", ""]
    up = node.level - (1 if package and module != "__init__" else 0)
    return ".".join([*here[: len(here) - up], *([node.module] if node.module else [])])


def is_module(name: str) -> bool:
    """True for a name of ours that is a file of the package or a module of the house."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    inside = name.startswith("rtwidgets.") and name.count(".") == 1
    is_file = name.startswith("rtwidgets.") and (path.is_dir() or path.with_suffix(".py").is_file())
    return is_file or (inside and name.removeprefix("rtwidgets.") in HOUSE)


def impure_uses(source: str) -> list[tuple[int, str]]:
    """Where a clock, chance or the environment is read by name: datetime.now(), np.random."""
    tree = ast.parse(source)
    bound = dict(pair for node in ast.walk(tree) for pair in bindings(node))
    uses = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = dotted(node).partition(".")
            name = ".".join(filter(None, [bound.get(first, ""), rest]))
            uses += [(node.lineno, bad) for bad in IMPURE_NAMES if first in bound and name == bad]
    return uses


def bindings(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What the names of an import stand for: {"np": "numpy", "now_of": "datetime.datetime"}."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
    if isinstance(node, ast.ImportFrom) and not node.level:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


# --- judging ------------------------------------------------------------------------------------


def broken_laws(
    source: str, module: str, package: bool = False, pure: Set[str] = frozenset(PURE)
) -> list[str]:
    """One sentence for each law broken, with the line."""
    if module.split(".")[0] not in HOUSE:
        return [f"1: order: {module} is not in the house: give it a place there, and in HOUSE"]
    imports = imports_of(source, module, package)
    found = [(each.line, sentence) for each in imports for sentence in judge(module, each, pure)]
    if module in pure:
        uses = impure_uses(source)
        found += [(line, f"law 2: {module} is pure and uses {use}") for line, use in uses]
    return [f"{line}: {sentence}" for line, sentence in found]


def judge(module: str, each: Import, pure: Set[str]) -> Iterator[str]:
    room = module.split(".")[0]
    if not each.ours:
        if module in pure and names_any(each.name, IMPURE):
            yield f"law 2: {module} is pure and imports {each.name}"
        return
    target = each.name.split(".")[0]
    if target == room:
        return
    if room == "simulator" and target not in HOUSE["simulator"].split():
        yield f"law 1: the simulator imports {each.name}; of ours only audio and errors are allowed"
    elif target == "simulator":
        if room not in KNOW_THE_SIMULATOR:
            yield f"law 1: {module} imports {each.name}; only {sorted(KNOW_THE_SIMULATOR)} may"
        elif not each.lazy:
            yield f"law 1: {module} imports {each.name} at its top; import it inside a function"
    elif room in ("__init__", "cli", "commands", "__main__") and each.lazy:
        return
    elif each.lazy and (module, each.name) in UPWARD:
        return
    elif target not in allowed(room):
        yield f"order: {module} may import {allowed(room) or 'nothing'}, not {each.name}"


def names_any(name: str, modules: set[str]) -> bool:
    return any(name == each or name.startswith(each + ".") for each in modules)


def allowed(room: str) -> list[str]:
    names = list(HOUSE)
    above = names[: names.index(room)]
    return above if HOUSE[room] == "*" else HOUSE[room].split()


# --- the tests ----------------------------------------------------------------------------------


def modules() -> list[tuple[str, Path]]:
    """("log", …/log.py), ("simulator", …/simulator/__init__.py), ("__init__", …/__init__.py)."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found.append((name.removesuffix(".__init__"), path))
    return found


def test_every_module_keeps_the_laws() -> None:
    pure = PURE.union(*(loaded_by(module) for module in PURE))
    broken = [
        f"{path.relative_to(PACKAGE.parent)}:{sentence}"
        for module, path in modules()
        for sentence in broken_laws(path.read_text("utf-8"), module, is_package(path), pure)
    ]
    if broken:
        pytest.fail("\n".join(["", *broken]), pytrace=False)


def is_package(path: Path) -> bool:
    return path.name == "__init__.py"


def test_the_list_of_imports_upward_is_exact() -> None:
    """An entry that nobody needs any more would let a new one slip in."""
    used = {
        (module, each.name)
        for module, path in modules()
        for each in imports_of(path.read_text("utf-8"), module, is_package(path))
        if each.ours and each.lazy
    }
    assert used >= UPWARD, f"not imported any more, take them off: {UPWARD - used}"


def loaded_by(module: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """The modules of ours that importing this one loads. What is handed a clock must not reach one
    by way of a module it imports: these are held to law 2 too."""
    path = path_of(module)
    if not path.is_file():
        return seen
    for each in imports_of(path.read_text("utf-8"), module, is_package(path)):
        if each.ours and not each.lazy and each.name not in seen | {"__init__"}:
            seen = loaded_by(each.name, seen | {each.name})
    return seen


def path_of(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


IMPORT_AND_TELL = """
import json, sys, threading
import rtwidgets
print(json.dumps([sorted(sys.modules), [thread.name for thread in threading.enumerate()]]))
"""


def test_importing_rtwidgets_loads_nothing_heavy_and_starts_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_AND_TELL],
        cwd=PACKAGE.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded, threads = json.loads(done.stdout)
    assert "rtwidgets" in loaded
    assert not set(HEAVY) & set(loaded), "law 3"
    assert threads == ["MainThread"], "law 3"


BREAKS = [
    # module, source, what the sentence must name
    ("log", "from . import session", "1: order: log may import"),
    ("log", "import os\nfrom .widgets.eventtable import EventTable", "2: order: log may import"),
    ("errors", "from rtwidgets.events import Event", "1: order: errors may import nothing"),
    ("events", "def f():\n    from .openings import Opening", "2: order: events"),
    ("transport", "from . import *", "order: transport"),
    ("made_up", "import os\nimport os", "not in the house"),
    ("simulator.engine", "from ..events import Event", "law 1: the simulator imports events"),
    ("simulator.server", "def f():\n    import rtwidgets.log", "2: law 1: the simulator"),
    ("simulator.server", "from .. import conversation", "law 1: the simulator imports conv"),
    ("simulator.server", "from .. import Session", "law 1: the simulator imports __init__"),
    ("session", "def f():\n    from .simulator import Simulator", "2: law 1: session"),
    ("endpoints", "from .simulator import Simulator", "1: law 1: endpoints"),
    ("widgets.chat", "from ..simulator.engine import Engine", "law 1: widgets.chat"),
    ("events", "import time", "1: law 2: events is pure and imports time"),
    ("log", "def f():\n    import websockets.asyncio.client", "2: law 2: log is pure"),
    ("log", "import importlib\nimportlib.import_module('asyncio')", "2: law 2: log is pure"),
    ("openings", "from datetime import datetime as d\nd.now()", "2: law 2: openings"),
    ("conversation", "import datetime\ndatetime.datetime.utcnow()", "2: law 2"),
    ("simulator.engine", "import numpy as np\nnp.random.default_rng()", "2: law 2"),
    ("simulator.schema", "import os\nx = os.environ['HOME']", "2: law 2"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "source", "sentence"), BREAKS)
def test_a_broken_law_is_seen(module: str, source: str, sentence: str) -> None:
    assert sentence in "\n".join(broken_laws(source, module))


KEEPS = [
    ("log", "from . import audio\nfrom .errors import Misuse\nimport json"),
    ("log.rows", "def show(self):\n    from ..widgets.eventtable import EventTable"),
    ("log.rows", "import typing\nif typing.TYPE_CHECKING:\n    from ..widgets.eventtable import X"),
    ("session", "import asyncio\nfrom .log import EventLog\nfrom . import endpoints"),
    ("endpoints", "def start():\n    from .simulator import Simulator"),
    ("simulator.engine", "from ..audio import RATE\nfrom . import vad\nfrom .replies import reply"),
    ("simulator.server", "import asyncio, tornado.web, secrets, time"),
    ("conversation", "def f(clock):\n    return clock.now()"),
    ("widgets.chat", "from ..session import Session\nfrom .comm import send"),
    ("cli", "def main():\n    from .simulator import serve\n    from . import EventLog"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "source"), KEEPS)
def test_what_keeps_the_laws_is_left_alone(module: str, source: str) -> None:
    assert broken_laws(source, module) == []
