"""Before an event is sent: what the server would refuse, in its words, and what to send instead.

The only reader of the simulator's description of the protocol outside the simulator: what is
checked here is what is refused there.

    judging.py    rt.check itself
    reading.py    from what was typed to an event, with the place where it is no JSON
    state.py      what is refused now, in this session
    correcting.py from a refused event to the one that was meant
    fitting.py    the same for a value and its shape      looking.py  what a shape may hold
    names.py      names of the beta and other protocols   notes.py    what surprises
    verdict.py    what is found, to be printed or shown
"""

from __future__ import annotations

from .judging import advice, check
from .verdict import Verdict

__all__ = ["Verdict", "advice", "check"]
