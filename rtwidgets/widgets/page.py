"""What goes into a page: the widgets' own code, and text that a page can hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..events import whole_characters

STATIC = Path(__file__).parent / "static"
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)


def page_code(name: str) -> str:
    """The code of a widget: its file in `static/`, what it imports standing in the imports' places.

    A front end loads a widget's code as one text, which has nothing beside it to import. (And a
    widget that is given a path is never forgotten: anywidget has the file tell it of changes.)
    All top-level names of the files therefore share one scope; node's tests load the result.
    """
    return _with_imports(STATIC / name, set())


def _with_imports(path: Path, taken: set[Path]) -> str:
    """The code of a file with that of the files it imports in front, each once."""

    def code_of(found: re.Match[str]) -> str:
        imported = (path.parent / found[1]).resolve()
        if imported in taken:
            return ""
        taken.add(imported)
        return _with_imports(imported, taken)

    return _IMPORT.sub(code_of, path.read_text(encoding="utf-8"))


def page_style(name: str) -> str:
    """A style sheet in `static/`."""
    return (STATIC / name).read_text(encoding="utf-8")


def clean(value: Any) -> Any:
    r"""`value` with all its text as it can be written in UTF-8, down through dicts, lists, tuples.

    A server may send half of a surrogate pair (`"\ud83d"` is legal JSON), which no message to a
    page takes.
    """
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        return {clean(key): clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(clean, value))
    return value
