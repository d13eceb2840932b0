"""The conversation as a state machine, without I/O: events in, items, responses and usage out, and
what to send next.

contents         items and responses by id, and what an event adds to one
speech           how long the user spoke
handover         what the end of a line does, and what a new session is told
conversation     `Conversation`: the order of items, beginnings and ends, errors

Which of our requests may go out, and which response answers which, is in turns.py.
"""

from ..items import Item, Part, Response
from .conversation import Conversation, Heard

__all__ = ["Conversation", "Heard", "Item", "Part", "Response"]
