"""The simulator's own order: a module imports only modules named above it in the package's text."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import rtwidgets.simulator

pytestmark = pytest.mark.usefixtures("no_garbage")

FOLDER = Path(rtwidgets.simulator.__file__).parent
ORDER = re.findall(r"(\w+)\.py", rtwidgets.simulator.__doc__ or "")


def imported(path: Path) -> set[str]:
    """Siblings that a module imports, but for those only a type checker sees."""
    tree = ast.parse(path.read_text())
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and id(node) not in unseen:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return found


def test_every_module_is_named() -> None:
    assert sorted(ORDER) == sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", ORDER)
def test_a_module_imports_only_what_stands_above_it(name: str) -> None:
    assert imported(FOLDER / f"{name}.py") <= set(ORDER[: ORDER.index(name)])
