"""Secrets that do not show themselves, and the one place where keys are read.

A key comes from an argument, from `ask_key()`, from the environment, or, in Google Colab alone,
from its secrets. From then on it is a `Key`. What takes a key as text seals it in its first line,
which never raises: so no traceback that prints the variables of its frames shows it.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self
from urllib.parse import unquote, urlsplit

from .errors import ConnectFailed, Misuse

KEY_VARIABLE = "OPENAI_API_KEY"
AZURE_KEY_VARIABLE = "AZURE_OPENAI_API_KEY"

_EMPTY = "The key is empty. Paste the whole key, or leave it out to use the simulator."
_CUT = (  # what is wrong may be one character of a real key, so that is not shown
    "The key holds a space, a line break or a character that no key has (an ellipsis from a "
    "shortened display?). Copy it again as a whole."
)
_NO_TEXT = "A key is text, as the service shows it when it is made."


class Key:
    """A secret that never prints itself, is never copied and never pickled.

    Making one never raises: a traceback would show the text. `checked()` says what is wrong.
    """

    # Not the text: a traceback may print the attributes that its lines of source name.
    __slots__ = ("_give", "_problem")

    def __init__(self, secret: object) -> None:
        text = secret.strip() if isinstance(secret, str) else ""
        self._problem = _problem_of(secret, text)
        self._give: Callable[[], str] = lambda: text

    def checked(self, where: str = "") -> Self:
        """This key. Raises Misuse where it cannot be one, without showing it, but with `where` it
        was found."""
        if self._problem:
            raise Misuse(self._problem + (f" (It was taken from {where}.)" if where else ""))
        return self

    def reveal(self) -> str:
        """The secret itself, for the header it belongs in and nothing else."""
        return self._give()

    def __repr__(self) -> str:
        return "Key(…)"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise Misuse("A key is not written to disk. Read it again where it is needed.")

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


def _problem_of(secret: object, text: str) -> str:
    if not isinstance(secret, str):
        return _NO_TEXT
    if not text:
        return _EMPTY
    return "" if all("!" <= character <= "~" for character in text) else _CUT


class Header(Key):
    """A header's value, which may hold spaces and is as secret as a key."""

    __slots__ = ()

    def __init__(self, name: str, value: object) -> None:
        fits = isinstance(value, str) and all(" " <= character <= "~" for character in value)
        self._problem = "" if fits else f"The header {name} must be one line of plain ASCII text."
        self._give = lambda: str(value)


def sealed(key: str | Key | None) -> Key | None:
    """A key that was given, as one that does not show itself. Never raises."""
    return key if key is None or isinstance(key, Key) else Key(key)


def sealed_headers(headers: Mapping[str, str | Header] | None) -> dict[str, Header] | None:
    """Headers that were given, their values sealed; None for what are no headers. Never raises."""
    if headers is not None and not isinstance(headers, Mapping):
        return None
    return {
        name: value if isinstance(value, Header) else Header(name, value)
        for name, value in (headers or {}).items()
    }


_LOOKS = re.compile(r"(?<![A-Za-z0-9])(?:sk-[\w-]{20,}|ek_[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]{8,})")
# A name or password before the host, a parameter or fragment whose name says that it is secret.
_IN_ADDRESS = re.compile(
    r"(?i)://[^/?\s]*@|[?&;#](?:[\w.$-]*[-_.])?(?:api-?key|key|token|auth|authorization|secret"
    r"|password|passwd|pwd|sig|signature|jwt|bearer|credential)="
)


def looks_like_a_key(text: object) -> bool:
    """Whether a text that stands where none belongs is a key, put there by mistake."""
    return isinstance(text, str) and bool(_LOOKS.search(text))


def names_a_key(url: object) -> bool:
    """Whether an address holds a key or password: it is shown and logged, and so must not."""
    return isinstance(url, str) and any(
        _IN_ADDRESS.search(one) or _LOOKS.search(one) for one in (url, unquote(url))
    )


def shown(value: object) -> str:
    """What was given, for a message: but no key that was given in the wrong place."""
    return "a key" if looks_like_a_key(value) or names_a_key(value) else repr(value)


def address_problem(url: object) -> str:
    """What keeps an address from being one, in words that hold nothing of it. Never raises."""
    if names_a_key(url):
        return "An address must not hold a key, name or password. Pass key= or headers= instead."
    if not isinstance(url, str) or not url.lower().startswith(("ws://", "wss://")):
        return "This is not a WebSocket address: one begins with ws:// or wss://."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except (ValueError, UnicodeError):
        return "This is not an address to connect to: its host or port cannot be read."
    return "" if host else "This is not an address to connect to: it names no host."


# ---------------------------------------------------------------- where keys come from

_asked_key: Key | None = None
_colab_key: Key | None = None
_colab_refused = False


def ask_key() -> None:
    """Ask for an OpenAI key without showing it, and keep it for this process only."""
    global _asked_key
    from getpass import getpass

    no_input = ""
    try:
        key = Key(getpass("OpenAI API key (not shown, kept for this kernel only): "))
    except Exception as problem:  # a kernel without a person: StdinNotImplementedError, EOFError
        no_input = type(problem).__name__
    if no_input:
        raise Misuse(
            f"Nobody can type a key here ({no_input}). "
            f"Set {KEY_VARIABLE} before starting, or use the simulator."
        )
    _asked_key = key.checked()
    print("Key kept for this kernel. rtwidgets.OpenAI() uses it.")


def find_key(variable: str = KEY_VARIABLE) -> Key | None:
    """The key that a session takes when none is given; None where there is none.

    Raises Misuse for one that cannot be a key, without showing it.
    """
    return _found(variable)[0]


def key_found_in(variable: str = KEY_VARIABLE) -> str | None:
    """Where a session would take its key from, in words; None where there is none.

    Never the key itself. Raises Misuse for one that cannot be a key, without showing it.
    """
    return _found(variable)[1]


def _found(variable: str) -> tuple[Key | None, str | None]:
    ours = variable == KEY_VARIABLE
    if ours and _asked_key is not None:
        return _asked_key, "ask_key()"
    in_environment = _key_of_environment(variable)
    if in_environment is not None:
        return in_environment.checked(variable), variable
    in_colab = _key_of_colab() if ours else None
    return (in_colab, "Colab's secrets") if in_colab is not None else (None, None)


def _key_of_environment(variable: str) -> Key | None:
    """A function of its own that never raises: a traceback may print all that its lines name, and
    so the whole environment."""
    key = Key(os.environ.get(variable, ""))
    return key if key.reveal() else None


def _key_of_colab() -> Key | None:
    """The secret of that name in Google Colab; None anywhere else.

    Asking waits for the page, so it is done where cells run and, once refused, not again.
    """
    global _colab_key, _colab_refused
    if _colab_key is not None or _colab_refused:
        return _colab_key
    if threading.current_thread() is not threading.main_thread():
        return None
    userdata = _userdata_of_colab()
    if userdata is None:
        return None
    try:
        key = Key(userdata.get(KEY_VARIABLE))
    except Exception as problem:  # not there (may come yet), not for this notebook, no page
        _colab_refused = type(problem).__name__ != "SecretNotFoundError"
        return None
    if not key.reveal():
        return None
    _colab_key = key.checked()
    return _colab_key


def _userdata_of_colab() -> Any | None:
    """Colab's module for secrets, where this is Colab."""
    if "google.colab" not in sys.modules:
        try:
            importlib.import_module("google.colab")
        except Exception:  # there is none, or it cannot work outside of Colab
            return None
    try:
        return importlib.import_module("google.colab.userdata")
    except Exception:
        return None


def fetched(token: Callable[[], str]) -> Key:
    """A token, freshly had from a function such as azure.identity's. Raises ConnectFailed."""
    problem, key = "", None
    try:
        key = Key(token())
    except Exception as failed:
        problem = type(failed).__name__
    # Raised out here: the frames of whoever makes tokens hold some in their variables.
    if problem:
        raise ConnectFailed(
            f"token= gave no token ({problem}). Call it in a cell of its own to see why, and sign "
            "in again, for example with: az login"
        )
    assert key is not None
    if not key.reveal():
        raise ConnectFailed(
            "token= is to give the token as text; an async function or a credential object does "
            "not. With azure.identity: get_bearer_token_provider(DefaultAzureCredential(), "
            '"https://ai.azure.com/.default")'
        )
    return key.checked()
