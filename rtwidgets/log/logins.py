"""What logs in somewhere, out of the frames that are shown or written to a file.

Both are passed on: a notebook with its table, a log as .jsonl. So an MCP tool's login, a client
secret and whatever looks like a key of OpenAI's is `HIDDEN` there; every other byte stays. A frame
is parsed only where a look at its text finds cause. For sharing with strangers there is much more
to be taken out: see redaction.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ..events import Event, parse, whole_characters
from ..scanning import looks_random

HIDDEN = "[hidden]"
TOO_DEEP = "[nested too deep to be read]"

_KEY = re.compile(
    # at the beginning of a word, or behind what JSON escapes
    r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))(?:sk-|ek_)(?P<body>[\w-]{16,})",
    re.ASCII,
)
_KEYS = ("sk-", "ek_")
_LOGINS = ('"authorization"', '"headers"', '"client_secret"')
_LEADING = {"session", "response", "tools", "authorization", "headers", "client_secret", "value"}
_ESCAPED = re.compile(r"\\u00[2-7]")  # a letter that could stand there as it is, perhaps of these
_BROKEN = re.compile(
    r'("(?:authorization|client_secret|headers)"\s*:\s*)(?:"(?:[^"\\]|\\.)*+"?|\{[^{}]*+\}?)'
)


def may_hold_logins(text: str) -> bool:
    """Whether it is worth a closer look. Cheap: for all frames, or many in one text."""
    # One character is found at twenty times the pace of a word, and often is not there at all.
    if ("-" in text and "sk-" in text) or any(word in text for word in ("ek_", *_LOGINS)):
        return True
    return "\\" in text and "\\u00" in text and _ESCAPED.search(text) is not None


def without_keys(text: str) -> str:
    """A text without what looks like a key (`sk-…`) or a client secret (`ek_…`)."""
    if not any(word in text for word in _KEYS):
        return text
    return _KEY.sub(lambda key: HIDDEN if looks_random(key["body"]) else key[0], text)


def without_logins(event: Event) -> Event:
    """The event with its tools not telling what logs in to their servers, nor a session its client
    secret: keys like any other."""
    for owner in ("session", "response"):
        told = event.get(owner)
        if isinstance(told, dict):
            event = {**event, owner: _without_secret(_without_tools_logins(told))}
    return _without_secret(event)


def _without_tools_logins(told: Event) -> Event:
    tools = told.get("tools")
    if isinstance(tools, list):
        return {**told, "tools": list(map(_without_login, tools))}
    return {**told, "tools": _without_login(tools)} if tools else told  # written wrongly, by hand


def _without_login(tool: Any) -> Any:
    if not isinstance(tool, dict):
        return tool
    shown = dict(tool)
    if shown.get("authorization"):
        shown["authorization"] = HIDDEN
    headers = shown.get("headers")
    if headers:
        shown["headers"] = dict.fromkeys(headers, HIDDEN) if isinstance(headers, dict) else HIDDEN
    return shown


def _without_secret(told: Event) -> Event:
    secret = told.get("client_secret")
    if isinstance(secret, dict) and "value" in secret:
        return {**told, "client_secret": {**secret, "value": HIDDEN}}
    return {**told, "client_secret": HIDDEN} if isinstance(secret, str) and secret else told


def for_a_file(frame: str) -> str:
    """The frame as it is written: itself, unless something in it logs in somewhere."""
    if not may_hold_logins(frame):
        return frame
    try:
        plain = _without_escapes(frame)
        clean = without_keys(plain)
        if plain is frame:
            frame = clean
        else:  # its escapes stay, unless a key is half escaped
            direct = without_keys(frame)
            frame = direct if _without_escapes(direct) == clean else clean
        if not any(word in clean for word in _LOGINS):
            return frame
        event = parse(frame)
        if event is None:
            return _BROKEN.sub(rf'\1"{HIDDEN}"', frame)
        shown = without_logins(event)
        if _says_twice(frame):
            return _like(frame, shown)
        return frame if shown == event else _put_into(frame, event, shown)
    except RecursionError:
        return json.dumps(TOO_DEEP)


def _without_escapes(frame: str) -> str:
    """The frame without what JSON escapes and need not; itself where it is no event."""
    event = parse(frame) if _ESCAPED.search(frame) else None
    return frame if event is None else _like(frame, event)


def _says_twice(frame: str) -> bool:
    """Whether a name in it that leads to a login stands there twice: only the last one counts, and
    the others are in its text all the same."""
    twice = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        names = [name for name, _ in pairs if name in _LEADING]
        twice = twice or len(set(names)) < len(names)

    json.loads(frame, object_pairs_hook=look)
    return twice


def _put_into(frame: str, event: Event, shown: Event) -> str:
    """The frame of `event` saying `shown`: with as little of it changed as can be."""
    changed = frame
    for secret in sorted(set(_differing(event, shown)), key=len, reverse=True):
        for literal in {json.dumps(secret), json.dumps(secret, ensure_ascii=False)}:
            changed = changed.replace(literal, f'"{HIDDEN}"')
    return changed if parse(changed) == shown else _like(frame, shown)


def _like(frame: str, event: Event) -> str:
    """An event as the text of a frame, with as many spaces as that one."""
    return dumped(event, compact='": ' not in frame[:200])


def _differing(one: Any, other: Any) -> Iterable[str]:
    """The texts in `one` in whose place something else stands in `other`, of the same build."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one:
            yield from _differing(one[name], other.get(name))
    elif isinstance(one, list) and isinstance(other, list):
        for mine, others in zip(one, other, strict=False):
            yield from _differing(mine, others)
    elif isinstance(one, str) and one != other:
        yield one


def dumped(value: Any, compact: bool) -> str:
    """A value as the text of a frame."""
    separators = (",", ":") if compact else None
    text = json.dumps(value, ensure_ascii=False, separators=separators)
    # Half a character has no UTF-8, but JSON can escape it.
    whole = whole_characters(text) == text
    return text if whole else json.dumps(value, separators=separators)
