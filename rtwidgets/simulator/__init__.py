"""A Realtime server on this machine. It imports of rtwidgets only `audio` and `errors`.

A module imports only from modules printed above it.

    refusals.py     the words with which the server says no
    shapes.py       what a JSON value may look like
    jobs.py         what an engine asks of its surroundings: answers and sound
    models.py  latency.py               tables: defaults, pace
    ids.py                              where chance comes from
    faults.py  mcp.py                   what goes wrong on request; tools from a script
    session_shapes.py  item_shapes.py  schema.py    what every client event may hold
    parsing.py      from a frame to an event
    images.py  tokens.py  items.py      what it costs; the conversation's order
    sessions.py                         what session.update changes
    g711.py         telephone audio
    budget.py       what max_output_tokens leave room for
    planning.py  outputs.py  answering.py    what a response is to be, and what it is to say
    mcpcalls.py  responses.py               one response, event by event
    vad.py  recordings.py  transcription.py  input_audio.py     what the user says
    timeline.py  idle.py  listings.py        what happens when, and by itself
    floor.py        the responses that are being played, and how they end
    rules.py        the table: what each client event may do, and when it may not
    engine.py       one session: frames in, events out; no I/O, no clock, no chance
    persona.py  toolcalls.py  replies.py    what it answers
    scripts.py  chat.py                     other brains: a script, a chat endpoint
    speech.py  workers.py                   how that sounds; who does the engine's jobs
    settings.py     everything that can be chosen
    access.py  simulation.py                what the connections of a server share
    frames.py  line.py  connection.py       one WebSocket, one session
    pages.py  server.py                     HTTP and WebSocket on one port
    memory.py       no socket, a virtual clock
    launch.py       Simulator (a child process or a thread), serve
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
