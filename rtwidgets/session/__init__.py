"""A session: the only pump between a transport, the conversation and the log.

news, line             who is told of a row; the way to the server
handshake, hearing     until it stands; spoken turns
purse, stage, reply    money; the opening at work; one answer
unanswered, history    what was sent and not confirmed; what a new session is told
tries                  for a line: how many, with which pauses, what is final
recovery, lifetime     a line that ended is mended; how long a session may last
overdue                a response whose end does not come
answers, pump          what answers what; the loop
beginning              a line, a session on it, its settings, what opens the conversation
session -> blocking    `AsyncSession`; `Session`, the same for a cell
"""

from .session import AsyncSession, Modality

__all__ = ["AsyncSession", "Modality"]
