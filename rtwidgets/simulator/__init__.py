"""A Realtime server on this machine. It imports of rtwidgets only `audio` and `errors`.

engine.py      one session: frames in, events out; no I/O, no clock, no chance
  responses.py   one response, event by event      items.py   the conversation's order
  sessions.py    what session.update changes       tokens.py  usage
  input_audio.py, vad.py, g711.py                  what the user says
schema.py      what is accepted (shapes.py) and the words of refusal (refusals.py)
models.py, latency.py, ids.py                      tables
replies.py     what it answers       speech.py     how that sounds
server.py      HTTP and WebSocket on one port      memory.py   no socket, virtual clock
launch.py      Simulator (a child process or a thread), serve
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .launch import Simulator, serve

__all__ = ["Simulator", "serve"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import launch

        return getattr(launch, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
