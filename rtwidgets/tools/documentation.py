"""What a docstring says of a function, and of each of its parameters.

Three styles are in use: Google's (`Args:` with an indented list), numpy's (`Parameters` underlined)
and Sphinx' (`:param name: …`). What stands before the first section describes the function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from inspect import cleandoc

_GOOGLE = re.compile(
    r"(Args|Arguments|Parameters|Params|Attributes|Keyword Args|Keyword Arguments|Other Parameters"
    r"|Returns?|Yields?|Raises|Examples?|Notes?|See Also|References|Warnings?|Todo):\s*$"
)
_UNDERLINE = re.compile(r"-{3,}\s*$")
_OF_PARAMETERS = {
    "Args", "Arguments", "Parameters", "Params", "Attributes", "Keyword Args", "Keyword Arguments",
    "Other Parameters",
}  # fmt: skip
_ENTRY = re.compile(
    r"(?P<names>\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)"
)
_NUMPY_ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?$")
_SPHINX = re.compile(r":(?P<what>\w+)(?:\s+(?P<said>[^:]*))?:\s*(?P<text>.*)")
_SPHINX_PARAMETERS = {"param", "parameter", "arg", "argument", "key", "keyword"}


@dataclass
class Documented:
    """A docstring taken apart.

    Attributes:
        text: what it says of the whole, before the first section.
        parameters: what it says of each parameter, by name, on one line.
    """

    text: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def documented(docstring: str) -> Documented:
    """Take a docstring apart; one that is in no known style is all text."""
    lines = cleandoc(docstring).splitlines()
    found, text = Documented(), []
    at, begun = 0, False  # begun: behind the first section nothing is of the function itself
    while at < len(lines):
        line = lines[at]
        google = _GOOGLE.match(line)
        numpy = at + 1 < len(lines) and line.strip() and _UNDERLINE.match(lines[at + 1])
        if google or numpy:
            begun = True
            name = google[1] if google else line.strip()
            body, at = _section(lines, at + (1 if google else 2), bool(google))
            if name in _OF_PARAMETERS:
                found.parameters |= _entries(body, _ENTRY if google else _NUMPY_ENTRY)
        elif line.startswith(":") and (sphinx := _SPHINX.match(line)):
            begun = True
            at = _sphinx(lines, at, sphinx, found)
        else:
            text += [] if begun else [line]
            at += 1
    found.text = "\n".join(text).strip()
    return found


def _section(lines: list[str], at: int, google: bool) -> tuple[list[str], int]:
    """The lines of a section and where it ends: at the margin, or at numpy's next heading."""
    start = at
    while at < len(lines):
        line = lines[at]
        ahead = lines[at + 1] if at + 1 < len(lines) else ""
        if line and not line[0].isspace() and (google or _UNDERLINE.match(ahead)):
            break
        at += 1
    return lines[start:at], at


def _entries(body: list[str], entry: re.Pattern[str]) -> dict[str, str]:
    """Names and what is said of them; a line that stands deeper goes on with the one before."""
    margin = min((_indent(line) for line in body if line.strip()), default=0)
    said: dict[str, list[str]] = {}
    names: list[str] = []
    for line in filter(str.strip, body):
        match = entry.match(line.strip()) if _indent(line) == margin else None
        if match:
            names = [name.strip(" *") for name in match["names"].split(",")]
            said |= {name: [match.groupdict().get("text") or ""] for name in names}
        else:
            for name in names:
                said[name].append(line.strip())
    return {name: " ".join(filter(None, words)) for name, words in said.items()}


def _sphinx(lines: list[str], at: int, match: re.Match[str], found: Documented) -> int:
    words = [match["text"]]
    at += 1
    while at < len(lines) and lines[at][:1].isspace():
        words.append(lines[at].strip())
        at += 1
    said = (match["said"] or "").split()
    if match["what"] in _SPHINX_PARAMETERS and said:
        found.parameters[said[-1].strip("*")] = " ".join(filter(None, words))
    return at


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
