"""The pure parts of the page's code, run by node."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rtwidgets.widgets.page import page_code

STATIC = Path(__file__).parent.parent / "rtwidgets" / "widgets" / "static"
TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))


def test_every_module_with_pure_parts_is_tested() -> None:
    modules = {path.stem for path in STATIC.rglob("*.js")}
    assert {path.name.removesuffix(".test.mjs") for path in TESTS} == modules


WIDGETS = sorted(path.name for path in STATIC.glob("*.js") if path.name != "page.js")


@pytest.mark.parametrize("name", WIDGETS)
def test_the_code_of_a_widget_is_one_module_that_imports_nothing(name: str) -> None:
    code = page_code(name)
    assert "export function make(" in code and not re.search(r"^import ", code, re.MULTILINE)
    check = f"import({json.dumps(data_url(code))}).then(m => process.exit(m.default ? 0 : 1))"
    done = subprocess.run([node(), "-e", check], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def data_url(code: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(code.encode()).decode()


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_javascript(path: Path) -> None:
    done = subprocess.run([node(), "--test", str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed; it runs the tests of the page's code")
    return found
