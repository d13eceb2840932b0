"""The pure parts of the page's code, run by node."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

STATIC = Path(__file__).parent.parent / "rtwidgets" / "widgets" / "static"
SHAPE = re.MULTILINE | re.DOTALL
TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))


def test_every_module_with_pure_parts_is_tested() -> None:
    modules = {path.stem for path in STATIC.glob("*.js")}
    assert {path.name.removesuffix(".test.mjs") for path in TESTS} == modules


def test_helpers_that_stand_in_several_modules_are_the_same() -> None:
    """Each module is loaded alone and cannot import another: a helper it needs stands in it."""
    copies: dict[str, set[str]] = {}
    for path in STATIC.glob("*.js"):
        for name, body in re.findall(
            r"^(?:export )?function (\w+)(.*?^\})", path.read_text(), SHAPE
        ):
            copies.setdefault(name, set()).add(body)
    assert "insist" in copies
    assert [name for name, bodies in copies.items() if len(bodies) > 1] == []


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_javascript(path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; it runs the tests of the page's code")
    done = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
