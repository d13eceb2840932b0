"""Keys and tokens in a text, also encoded; few false alarms, so that it can be a gate.

`log/censoring.py` has the other aim: it takes out too much rather than too little. Here a name
such as `sk-toggleable__content` or `task-description` is no key: what follows a prefix must look
random, and what says that it is no key (`sk-test-not-a-key`, `sk-xxxxxxxx`, `your-api-key`) is
none. All searches are linear in the text's length.
"""

from __future__ import annotations

import binascii
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from urllib.parse import unquote


@dataclass(frozen=True)
class Found:
    """One secret.

    Attributes:
        kind: what it is, in words.
        shown: its kind's prefix and its length; nothing of what is secret.
        line: where it stands, from 1.
        encoded: how, `""` for plain.
    """

    kind: str
    shown: str
    line: int
    encoded: str = ""


_PLACEHOLDER = re.compile(
    r"(?i)not[-_]?an?[-_]?(?:real[-_]?)?(?:key|token|secret)|x{6,}|\*{3,}|\.{3}|…|placeholder"
    r"|your[-_]?(?:api|open|azure|own|key|secret|token)|^sk-simulator-|EXAMPLE$"
)
_WORD = r"[A-Za-z0-9_-]"
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"

# What is known by its own look: kind, pattern, the prefix that may be shown.
_SHAPES: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (kind, re.compile(pattern), prefix)
    for kind, pattern, prefix in (
        ("OpenAI key", rf"sk-(?:proj|svcacct|admin)-{_WORD}{{10,}}", r"sk-\w+-"),
        ("Anthropic key", rf"sk-ant-{_WORD}{{10,}}", "sk-ant-"),
        ("OpenAI key", rf"{_START}sk-{_WORD}{{12,}}", "sk-"),
        ("client secret", rf"{_START}ek_{_WORD}{{12,}}", "ek_"),
        ("JSON web token", r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3}", "eyJ"),
        ("Hugging Face token", rf"{_START}hf_[A-Za-z0-9]{{16,}}", "hf_"),
        ("GitHub token", rf"{_START}gh[opsur]_[A-Za-z0-9]{{16,}}", "gh[opsur]_"),
        ("GitHub token", r"github_pat_\w{20,}", "github_pat_"),
        ("GitLab token", rf"{_START}glpat-{_WORD}{{16,}}", "glpat-"),
        ("Slack token", rf"{_START}xox[abeprs]-[A-Za-z0-9-]{{10,}}", "xox.-"),
        ("AWS key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])", "...."),
        ("Google key", rf"{_START}AIza{_WORD}{{35}}", "AIza"),
        ("Groq or xAI key", rf"{_START}(?:gsk_|xai-)[A-Za-z0-9]{{20,}}", "gsk_|xai-"),
        ("npm or PyPI token", rf"{_START}(?:npm_|pypi-AgEI){_WORD}{{20,}}", "npm_|pypi-"),
        ("private key", r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY-----", "-----BEGIN"),
    )
)
_ALWAYS = {"JSON web token", "private key", "AWS key"}  # the pattern alone says it

_AUTHORIZATION = re.compile(
    r"(?i)(?P<name>authorization\W{1,8})?\b(?:bearer|basic)\s+(?P<value>[A-Za-z0-9._~+/=-]{10,})"
)
_NAMES = (
    r"(?:x-[\w-]{1,40}key|api[-_ ]?key"
    r"|access[-_]?key|account[-_]?key|subscription[-_]?key|secret|password|passwd"
    r"|token|credential|authorization)"
)
_NAMED = re.compile(
    rf"(?i){_NAMES}(?![a-z]*s\b)[\w-]{{0,40}}\\*[\"'\])]{{0,3}}\s{{0,3}}(?::|=>?|,)\s{{0,3}}"
    r"(?P<quote>\\*[\"'])?(?P<value>[A-Za-z0-9+/_=~.-]{12,})(?P<after>\\*[\"'(\[.])?"
)
# A key of Azure: 32 hexadecimal digits, or 84 letters and digits, under any name that says key.
_AZURE = re.compile(
    r"(?i)key\d?\\*[\"'\])]{0,3}\s{0,3}(?::|=>?|,)\s{0,3}\\*[\"']?"
    r"(?P<value>[0-9a-f]{32}|[A-Za-z0-9]{84}|[A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])"
)
# key="…" of a call such as Endpoint(url, key="…"): long, and with all that a random text has.
_ARGUMENT = re.compile(
    r"(?<![\w.])key\s{0,3}=\s{0,3}\\*[\"'](?P<value>(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)"
    r"[\w-]{20,200})\\*[\"']"
)
_COOKIE = re.compile(
    r"(?i)\bcookie\\*[\"']?\s{0,3}[:=,]\s{0,3}\\*[\"']?(?:[^\s=;\"']{1,60}=[^\s=;\"']{0,200};\s?){0,20}"
    r"[^\s=;\"']{1,60}=(?P<value>[A-Za-z0-9%+/_.~-]{16,})"
)
_SIGNATURE = re.compile(r"[?&;]sig=(?P<value>[A-Za-z0-9%+/_-]{30,}=?)")
_SECRET_NAME = re.compile(rf"(?i){_NAMES}\w{{0,20}}$|(?:^|[_-])key\d?$")
_NO_SECRET_NAME = re.compile(r"(?i)tokens$|_id$|count$|type$|name$")
_IN_URL = re.compile(r"://[^/\s:@\"'<>]{1,100}:(?P<value>[^/\s@\"'<>{}$]{6,200})@")
_COMMON = {"password", "secret", "passwd", "changeme", "username"}

_ANSI = re.compile(r"(?:\x1b|\\x1b|\\u001b|\\033)\[[0-9;:]*[A-Za-z]", re.IGNORECASE)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,400}>")
_ESCAPE = re.compile(r"\\+u00([2-7][0-9a-fA-F])|\\+x([2-7][0-9a-fA-F])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}")
_KEY_IN_BASE64 = 40  # characters: no id of an event or item is as long
_ALL_BASE64 = re.compile(r"[A-Za-z0-9+/=_\s-]+")
_URL_SAFE = str.maketrans("-_", "+/")
_MAY_HOLD = re.compile(
    rb"sk-|ek_|eyJ|hf_|gh[opsur]_|github_pat|glpat|xox|AKIA|ASIA|AIza|gsk_|xai-|npm_|pypi-|PRIVATE"
    rb"|(?i:bearer)"
)


def scan(text: str, name: str = "") -> list[Found]:
    """The secrets in a text, each once, those that stand plain in it first.

    Args:
        name: the name that the text stands under in some JSON; under `api_key` all is a key that
            looks random.
    """
    told: set[str] = set()
    found = list(_new(_secrets(text, name), text, "", told))
    for encoded, plain in _decoded(text):
        found += _new(_secrets(plain, name), plain, encoded, told)
    for encoded, plain in _put_together(text):
        found += _new(_shapes(plain), plain, encoded, told)
    found += _in_base64(text, told)
    return found


def hiding(text: str) -> str | None:
    """How a text reads in which a key is hidden by the way it is written; None where none is."""
    for _, plain in chain(_decoded(text), _put_together(text)):
        if any(secret not in text for _, secret, _, _ in _shapes(plain)):
            return plain
    return None


def hiding_base64(text: str) -> list[str]:
    """The pieces of base64 in a text that hold a key."""
    runs = (run[0] for run in _BASE64.finditer(text) if len(run[0]) >= _KEY_IN_BASE64)
    return [run for run in runs if next(_in_base64(run, set()), None)]


def masked(text: str) -> str:
    """A text that is printed (a path, a place) with the secrets in it taken out."""
    for _, secret, _, shown in _secrets(text, ""):
        text = text.replace(secret, shown)
    return text


_Secret = tuple[str, str, int, str]  # kind, secret, where it begins, what may be shown


def _new(
    secrets: Iterator[_Secret], text: str, encoded: str, told: set[str], line: int | None = None
) -> Iterator[Found]:
    for kind, secret, at, shown in secrets:
        if not any(secret in other for other in told):
            told |= {secret, unquote(secret)}
            yield Found(kind, shown, line or text.count("\n", 0, at) + 1, encoded)


def _secrets(text: str, name: str) -> Iterator[_Secret]:
    yield from _shapes(text)
    for match in _AUTHORIZATION.finditer(text):
        if match["name"] or looks_random(match["value"]):
            yield from _one("Authorization header", match, "")
    for match in _AZURE.finditer(text):
        yield from _one("key by its name", match, "")
    for match in _NAMED.finditer(text):
        if looks_random(match["value"]) and not (not match["quote"] and _is_code(match)):
            yield from _one("secret by its name", match, "")
    for kind, pattern in (
        ("secret by its name", _ARGUMENT),
        ("cookie", _COOKIE),
        ("signature of an address", _SIGNATURE),
    ):
        for match in pattern.finditer(text):
            if looks_random(match["value"]):
                yield from _one(kind, match, "")
    for match in _IN_URL.finditer(text):
        if match["value"].casefold() not in _COMMON:
            yield from _one("password in an address", match, "")
    if _SECRET_NAME.search(name) and not _NO_SECRET_NAME.search(name):
        whole = re.fullmatch(r"\s*(?P<value>[A-Za-z0-9+/_=~.-]{12,})\s*", text)
        if whole and looks_random(whole["value"]):
            yield from _one("secret by its name", whole, "")


def _shapes(text: str) -> Iterator[_Secret]:
    """What is known by its own look, whatever stands around it."""
    for kind, pattern, prefix in _SHAPES:
        for match in pattern.finditer(text):
            lead = re.match(prefix, match[0])
            body = match[0][lead.end() if lead else 0 :]
            sure = kind in _ALWAYS or (lead is not None and len(lead[0]) > 6)
            if kind == "JSON web token" and not _is_token(match[0]):
                continue
            if sure or looks_random(body):
                yield from _one(kind, match, lead[0] if lead else "")


def _one(kind: str, match: re.Match[str], prefix: str) -> Iterator[_Secret]:
    group = "value" if "value" in match.re.groupindex else 0
    secret = match[group]
    if not _PLACEHOLDER.search(secret):
        yield kind, secret, match.start(group), f"{prefix}… ({len(secret)} characters)"


def looks_random(text: str) -> bool:
    """Whether a text is no word, and no words with hyphens."""
    parts = re.split(r"[-_./+=~]", text)
    if any(len(part) >= 20 for part in parts):
        return True
    mixed = (part for part in parts if re.search(r"\d", part) and re.search(r"[A-Za-z]", part))
    return any(len(part) >= 8 for part in mixed) or sum(map(str.isdigit, text)) >= 6


def _is_code(match: re.Match[str]) -> bool:
    """Whether what a name is set to without quotes is another name, perhaps of a call."""
    value, after = match["value"], match["after"] or ""
    if after and ("." in value or after[-1:] in "([."):
        return True
    digits = sum(map(str.isdigit, value))
    return digits < (3 if re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", value) else 1)


def _is_token(text: str) -> bool:
    """Whether the first part of a token is what a JSON web token begins with."""
    try:
        head = json.loads(_base64_decoded(text.split(".")[0]))
    except ValueError:
        return False
    return isinstance(head, dict) and bool({"alg", "typ", "enc", "kid"} & head.keys())


def _decoded(text: str) -> Iterator[tuple[str, str]]:
    """The text as it reads without what may hide a key: how it was written, and the reading."""
    if "%" in text:
        yield "URL-encoded", unquote(unquote(text))
    if "&" in text and ";" in text:
        yield "as HTML", html.unescape(text)
    if "\\u00" in text or "\\x" in text:
        yield "escaped", _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _put_together(text: str) -> Iterator[tuple[str, str]]:
    """The text without what may stand between the letters of a key. Words that were apart become
    one, so that only what is known by its own look is looked for."""
    for between, pattern, there in (
        ("colours", _ANSI, "[" in text),
        ("marks", _TAG, "<" in text),
        ("unseen characters", _UNSEEN, not text.isascii()),
    ):
        plain = pattern.sub("", text) if there else text
        if plain != text:
            yield f"between {between}", plain


def _in_base64(text: str, told: set[str]) -> Iterator[Found]:
    """Wherever in some base64 it begins: each of the four ways to cut it is read."""
    if _ALL_BASE64.fullmatch(text):  # the lines of one picture
        text = re.sub(r"\s", "", text)
    for run in _BASE64.finditer(text):
        line = text.count("\n", 0, run.start()) + 1
        for shift in range(4):
            data = _base64_decoded(run[0][shift:])
            if _MAY_HOLD.search(data):
                plain = data.decode("latin-1")
                yield from _new(_shapes(plain), plain, "in base64", told, line)


def _base64_decoded(text: str) -> bytes:
    """What base64 of either alphabet says, as far as it goes."""
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
    try:
        return binascii.a2b_base64(whole.translate(_URL_SAFE) + "=" * (-len(whole) % 4))
    except binascii.Error:
        return b""
