"""What a log says, computed from its rows alone.

linking                      which of our events each of the server's answers
userspeech  facts  marks     the user's speech in time; facts of an item; turns
sessions                     what a session is told of the one before it; the end of a line
chronicle                    all of it, in one pass that goes on as the log grows
tables                       items, responses, turns and causes
differing                    two logs side by side
"""

from .tables import ResponseRow, causes, items, responses, turn_starts, turns

__all__ = ["ResponseRow", "causes", "items", "responses", "turn_starts", "turns"]
