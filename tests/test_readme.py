"""What the README shows, runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_its_ten_lines_run_as_they_stand(tmp_path: Path) -> None:
    [lines] = [block for block in PYTHON if "response.cancel" in block]
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Simulator: The first thing I said was: “Welcome to the museum!”" in done.stdout
    assert "response_cancel_not_active" in done.stdout
    assert (tmp_path / "conversation.jsonl").stat().st_size > 10_000


def test_every_block_is_python() -> None:
    for block in PYTHON:
        compile(block, "README.md", "exec")


def test_the_files_it_links_to_are_there() -> None:
    root = Path(__file__).resolve().parent.parent
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (root / target).exists(), target
