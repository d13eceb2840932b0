"""Secrets that do not show themselves: keys, and the values of headers."""

from __future__ import annotations

from typing import Any, NoReturn

from .errors import Misuse


class Key:
    """A secret that never prints itself, is never copied and never pickled."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        secret = secret.strip() if isinstance(secret, str) else ""
        if not secret:
            raise Misuse(
                "The key is empty. Paste the whole key, or leave it out to use the simulator."
            )
        if not all("!" <= character <= "~" for character in secret):
            # Not shown: what is wrong with it may be one character of a real key.
            raise Misuse(
                "The key holds a space, a line break or a character that no key has (an ellipsis "
                "from a shortened display?). Copy it again as a whole."
            )
        self._secret = secret

    def reveal(self) -> str:
        """The secret itself, for the header it belongs in and nothing else."""
        return self._secret

    def __repr__(self) -> str:
        return "Key(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __copy__(self) -> Key:
        return self

    def __deepcopy__(self, memo: Any) -> Key:
        return self

    def __reduce__(self) -> NoReturn:
        raise Misuse("A key is not written to disk. Read it again where it is needed.")


class Header(Key):
    """A header's value, which may hold spaces and is as secret as a key."""

    __slots__ = ()

    def __init__(self, name: str, value: str) -> None:
        if not isinstance(value, str) or not all(" " <= character <= "~" for character in value):
            raise Misuse(f"The header {name} must be one line of plain ASCII text.")
        self._secret = value
