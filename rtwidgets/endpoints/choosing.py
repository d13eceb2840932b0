"""Which endpoint it is where none was given."""

from __future__ import annotations

import sys

from ..errors import Misuse
from ..keys import find_key
from .endpoint import Endpoint
from .services import OpenAI
from .simulated import Simulated


def default_endpoint() -> Endpoint:
    """OpenAI where a key is there, else the simulator."""
    return OpenAI() if find_key() else Simulated()


_told = False


def chosen(endpoint: object) -> Endpoint:
    """`endpoint`, or the default for None, which is told once when it is the simulator.

    Raises Misuse for what is no endpoint.
    """
    global _told
    if isinstance(endpoint, Endpoint):
        return endpoint
    if endpoint is not None:
        hint = f" For an address write Endpoint({endpoint!r})." if isinstance(endpoint, str) else ""
        raise Misuse(
            f"An endpoint is an object such as Simulated() or OpenAI(), not "
            f"{type(endpoint).__name__}.{hint}"
        )
    default = default_endpoint()
    if isinstance(default, Simulated) and not _told:
        _told = True
        print(
            "rtwidgets: there is no key, so this talks to the simulator on this machine.",
            file=sys.stderr,
        )
    return default
