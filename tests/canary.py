"""A key that is looked for: in every form in which it might have got somewhere."""

from __future__ import annotations

import base64
import binascii
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

CANARY = "sk-test-not-a-key-" + "q7Zk2Vw9Xb4Nf6Hj8Rt3"
"""Looks like a key, and says that it is none."""
_TELLING = CANARY.removeprefix("sk-test-not-a-key-")


def forms(secret: str = _TELLING) -> dict[str, bytes]:
    """What to look for: the part that no other text has."""
    plain = secret.encode()
    found = {
        "plain": plain,
        "reversed": plain[::-1],
        "hex": binascii.hexlify(plain),
        "escaped": b"".join(b"\\u%04x" % byte for byte in plain),
        "URL-encoded": b"".join(b"%%%02X" % byte for byte in plain),
        "quoted": quote(secret, safe="").encode(),
        "UTF-16": secret.encode("utf-16-le"),
    }
    for name, text in (("base64", plain), ("base64 reversed", plain[::-1])):
        for shift in range(3):  # as it stands behind anything: its whole groups of three bytes
            inner = text[(3 - shift) % 3 :]
            whole = inner[: len(inner) // 3 * 3]
            found[f"{name}, {shift} before"] = base64.b64encode(whole)
            found[f"{name} of URLs, {shift} before"] = base64.urlsafe_b64encode(whole)
    return found


def found_in(data: bytes | str, secret: str = _TELLING) -> list[str]:
    """The forms in which the key stands in there, upper or lower case; a few characters of it
    (what a server repeats of a wrong one) do not count."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    lower = data.lower()
    return [name for name, form in forms(secret).items() if form.lower() in lower]


def found_below(folder: Path, secret: str = _TELLING) -> list[str]:
    """Every file below a folder in which it stands, or whose name it is in."""
    hits = []
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        hits += [f"{path}: {form}" for form in found_in(data + str(path).encode(), secret)]
    return hits


def tracebacks(problem: BaseException) -> Iterator[tuple[str, str]]:
    """A traceback as every tool prints it that shows variables."""
    full = traceback.TracebackException.from_exception(problem, capture_locals=True)
    yield "traceback with locals", "".join(full.format())
    yield "all that it holds", _everything(problem)
    kind, trace = type(problem), problem.__traceback__
    ultratb = pytest.importorskip("IPython.core.ultratb")
    for mode in ("Verbose", "Context"):
        shown = ultratb.FormattedTB(mode=mode, include_vars=True)
        yield f"IPython {mode}", shown.text(kind, problem, trace)
    if sys.version_info < (3, 13) and not isinstance(problem, OSError):  # which cgitb cannot show
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import cgitb
        yield "cgitb", cgitb.text((kind, problem, trace), context=9)
        yield "cgitb, a page", cgitb.html((kind, problem, trace), context=9)
    try:
        from rich.console import Console
        from rich.traceback import Traceback
    except ImportError:
        return
    console = Console(record=True, width=200, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(
        Traceback.from_exception(
            kind, problem, trace, show_locals=True, locals_max_string=None, locals_max_length=None
        )
    )
    yield "rich", console.export_text()


def _everything(problem: BaseException) -> str:
    """The variables of every frame, also of exceptions that stand behind and are not printed."""
    told, waiting, seen = [], [problem], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        told += [repr(one), repr(one.args), repr(vars(one))]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if "/rtwidgets/" in frame.f_code.co_filename or not _is_of_a_test(frame):
                told += [
                    f"{frame.f_code.co_filename}: {name}={value!r}"
                    for name, value in frame.f_locals.items()
                ]
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "\n".join(told)


def _is_of_a_test(frame: object) -> bool:
    return "/tests/" in frame.f_code.co_filename  # type: ignore[attr-defined]
