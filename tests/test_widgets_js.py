"""The pure parts of the page's code, run by node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))


def test_every_module_with_pure_parts_is_tested() -> None:
    static = Path(__file__).parent.parent / "rtwidgets" / "widgets" / "static"
    modules = {path.stem for path in static.glob("*.js") if "\nexport " in path.read_text()}
    assert {path.name.removesuffix(".test.mjs") for path in TESTS} >= modules - {"default"}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_javascript(path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; it runs the tests of the page's code")
    done = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
