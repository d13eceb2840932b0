"""Which endpoint it is where none was given."""

from __future__ import annotations

import sys

from ..errors import Misuse
from ..keys import address_problem, find_key
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
        hint, kind = "", type(endpoint).__name__
        if isinstance(endpoint, str):  # what is no address may be a key, and is not shown
            hint = (
                " For a key write OpenAI(key=…)."
                if address_problem(endpoint)
                else f" For an address write Endpoint({endpoint!r})."
            )
        endpoint = None
        raise Misuse(f"An endpoint is an object such as Simulated() or OpenAI(), not {kind}.{hint}")
    default = default_endpoint()
    if isinstance(default, Simulated) and not _told:
        _told = True
        print(
            "rtwidgets: there is no key, so this talks to the simulator on this machine.",
            file=sys.stderr,
        )
    return default
