"""Inside a package: its text names each module and what it is for, and no two need each other."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("no_garbage")

PACKAGE = Path(__file__).resolve().parent.parent / "rtwidgets"
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
each_room = pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)


def siblings(path: Path) -> set[str]:
    """The modules beside `path` that it imports when it is loaded."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {str(name).split(".")[0] for name in names}
    return found


def modules_of(room: Path) -> list[Path]:
    return [path for path in room.glob("*.py") if path.stem != "__init__"]


@each_room
def test_every_module_is_named_in_the_text_of_its_package(room: Path) -> None:
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    words = set(re.findall(r"[a-z_0-9]+", text))
    assert {path.stem for path in modules_of(room)} - words == set()


@each_room
def test_no_two_modules_need_each_other(room: Path) -> None:
    needs = {path.stem: siblings(path) for path in modules_of(room)}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as circle:
        pytest.fail(f"{room.name}: {' -> '.join(circle.args[1])}")
