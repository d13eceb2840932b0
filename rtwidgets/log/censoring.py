"""What in a text must not be shared: keys, e-mail-like addresses, telephone numbers, long base64.

Each is replaced by a numbered word, the same for the same secret, so that one can still see what
belongs together. Too much is taken out rather than too little: who shares a log cannot take it
back. All searches are linear in the text's length; a server may send megabytes of one character.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..scanning import hiding, hiding_base64
from .logins import TOO_DEEP

_KEYS = (
    # Keys by their shape: OpenAI's, those of other services, tokens in three parts, Bearer …
    re.compile(r"(?<![A-Za-z0-9])(?:sk|rk|pk|ek)[-_][A-Za-z0-9_-]{6,}"),
    re.compile(r"(?:sk-|ek_)[A-Za-z0-9_-]{16,}"),
    re.compile(r"(?<![A-Za-z0-9])(?:gh[opsur]_|github_pat_|xox[abprs]-|AKIA|AIza|hf_)[\w-]{10,}"),
    re.compile(r"(?<![\w-])eyJ[\w-]{5,}+(?:\.[\w-]++){1,2}"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"://[^/\s@\"'<>]{1,500}@"),
    # … and by the name that stands before: api_key=…, "password": "…", token: …
    re.compile(
        r"(?i)(?:api[-_ ]?key|access[-_ ]?key|secret|password|passwd|passphrase|authorization"
        r"|credentials?|cookie|token|signature|\bsig|key)\\*[\"']?\s{0,3}[:=]\s{0,3}"
        r"(?P<value>\\*\"(?:[^\"\\]|\\[^\"])+|'[^']+|[^\s\"',;&}\]]+)"
    ),
)
_AT = re.compile(r"@|%40|&#64;|\s{1,3}(?:[(\[]\s?)?at(?:\s?[)\]])?\s{1,3}", re.IGNORECASE)
_LOCAL_PART = re.compile(r"[^\s@<>()\[\]{},;:\"\\=/?&]+")  # of the text turned round
_DOT = r"(?:\.|\s{1,2}(?:[(\[]\s?)?dot(?:\s?[)\]])?\s{1,2})"
_HOST = re.compile(rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,8}}", re.IGNORECASE)
_SPOKEN_HOST = re.compile(rf"[\w-]{{1,63}}(?:{_DOT}[^\W\d_]{{2,24}}){{1,8}}", re.IGNORECASE)
_PHONES = (
    re.compile(r"\+\d(?:[ ()./-]{0,2}\d){6,14}"),
    re.compile(r"(?<![\w.-])\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?![\w-])"),
)
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{256,}={0,2}")
_DATA = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w=.+-]+)*;base64,[A-Za-z0-9+/=_-]*")
# A printable character that a broken frame still has as JSON's escape.
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")

NO_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAC"
    "hwGA60e6kgAAAABJRU5ErkJggg=="
)
"""An image of one grey pixel, in the place of one that showed something."""

_SHORT = 100  # characters of a text whose cleaning is remembered
_MOST_KNOWN = 20_000

_SECRET_NAMES = re.compile(
    r"apikey|authorization|secret|password|passwd|passphrase|credential|cookie|signature|bearer"
    r"|key$|token$|^auth$|^headers$|^sig$|^pin$|^pwd$"
)


def is_secret_name(name: str) -> bool:
    """Whether what stands under this name is a secret, whatever it looks like."""
    return bool(_SECRET_NAMES.search(re.sub(r"[^a-z0-9]", "", name.casefold())))


class Censor:
    """Replaces secrets by numbered words, the same secret by the same word."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._known: dict[str, str] = {}  # a log says the same names and ids over and over

    def word(self, kind: str, secret: str) -> str:
        """The word that stands for a secret of a kind."""
        known = self._words.get((kind, secret))
        if known is None:
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            known = self._words[kind, secret] = f"[{kind} {number}]"
        return known

    def clean(self, text: str) -> str:
        """`text` without secrets; JSON in it is looked through as JSON."""
        if len(text) > _SHORT:
            return self._cleaned(text)
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[text] = self._cleaned(text)
        return known

    def _cleaned(self, text: str) -> str:
        inner = _as_json(text)
        if inner is not None:
            try:
                cleaned = self.tree(inner)
            except RecursionError:
                return TOO_DEEP
            if cleaned != inner:
                return json.dumps(cleaned, ensure_ascii=False)
        plain = self._scrub(text)
        if "\\u00" in text and self.frame(text) != _unescaped(text):  # half of some JSON
            return self.frame(text)
        return plain

    def frame(self, text: str) -> str:
        """A frame that is not JSON without secrets, those that are half escaped too."""
        return self._scrub(_unescaped(text))

    def tree(self, value: Any, secret: bool = False) -> Any:
        """Any JSON value without secrets, in names too.

        Args:
            secret: it stands under a name that makes everything below it a secret.
        """
        if isinstance(value, dict):
            return {
                self.clean(name): self.tree(inner, secret or is_secret_name(name))
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.tree(one, secret) for one in value]
        if isinstance(value, str):
            return self.word("key", value) if secret and value else self.clean(value)
        if secret and isinstance(value, int | float) and not isinstance(value, bool):
            return 0
        return value

    def _scrub(self, text: str) -> str:
        text = _DATA.sub(NO_PIXEL, text)
        # What was put in is long too: it is one pixel, and stays.
        text = _BLOB.sub(lambda match: "A" * len(match[0]), text)
        for run in hiding_base64(text):
            text = text.replace(run, self.word("key", run))
        text = hiding(text) or text
        for pattern in _KEYS:
            text = pattern.sub(self._key, text)
        text = self._addresses(text)
        for pattern in _PHONES:
            text = pattern.sub(lambda match: self.word("phone", match[0]), text)
        return text

    def _key(self, match: re.Match[str]) -> str:
        whole = match[0]
        if whole.startswith("://"):
            return f"://{self.word('key', whole[3:-1])}@"
        value = match.groupdict().get("value")
        if value is None:
            scheme = re.match(r"(?i)(?:bearer|basic)\s+", whole)
            lead = scheme[0] if scheme else ""
            return lead + self._once(whole[len(lead) :])
        quote = re.match(r"\\*[\"']?", value)
        lead = quote[0] if quote else ""
        return whole[: len(whole) - len(value)] + lead + self._once(value[len(lead) :])

    def _once(self, secret: str) -> str:
        """The word for a secret; what already is such a word stays."""
        is_word = secret.startswith("[key") or secret.casefold() in ("", "bearer", "basic")
        return secret if is_word else self.word("key", secret)

    def _addresses(self, text: str) -> str:
        """`text` without what looks like an e-mail address, written or spoken out."""
        pieces, done = [], 0
        for at in _AT.finditer(text):
            if at.start() < done:
                continue
            spoken = "@" not in at[0]
            host = (_SPOKEN_HOST if spoken else _HOST).match(text, at.end())
            local = _LOCAL_PART.match(text[max(done, at.start() - 256) : at.start()][::-1])
            if host is None or local is None:
                continue
            start = at.start() - len(local[0])
            pieces += [text[done:start], self.word("address", text[start : host.end()])]
            done = host.end()
        return "".join([*pieces, text[done:]])


def _as_json(text: str) -> Any:
    """What a text says that is a JSON object or list, None for any other."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
