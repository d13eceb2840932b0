"""`rt.doctor()`: what works here, what does not, and what to do about it.

    findings.py     a row: what was looked at, what is there, a verdict, a remedy
    machine.py      what the kernel or a script can tell by itself: versions, keys, voices, the disk
    reaching.py     whether the simulator starts and the service is reached, without a key
    page.py         what a page reported, as rows
    examination.py  all of it together, shown while it comes in

A key is looked for and never shown, nor a part of it; nothing here can spend.
"""

from __future__ import annotations

from ..endpoints import Endpoint
from ..errors import Misuse
from .examination import Examination
from .findings import Finding
from .machine import kernel_of_this_process

__all__ = ["Examination", "Finding", "doctor"]


def doctor(
    endpoint: Endpoint | None = None, *, microphone: bool = False, timeout: float = 5.0
) -> Examination:
    """Look at everything that a conversation needs: a table with a verdict and a remedy a row.

    In a notebook it shows at once what the kernel knows, and fills in what the page reports. In a
    script, `print(rt.doctor())`; in a terminal, `rtwidgets doctor`.

    Args:
        endpoint: a server to look for in place of OpenAI. It is asked without a key, so that
            nothing is spent.
        microphone: listen for a second, for which the browser may ask. Without it nothing is
            recorded: the page has a button for that.
        timeout: seconds to wait for a server.
    """
    if endpoint is not None and not isinstance(endpoint, Endpoint):
        raise Misuse("doctor() takes an endpoint such as rt.OpenAI() or rt.Endpoint('wss://…').")
    if microphone and kernel_of_this_process() is None:
        raise Misuse("There is no page here to listen with: use microphone=True in a notebook.")
    return Examination(endpoint, timeout=timeout, listen=microphone)
