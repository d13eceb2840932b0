"""The event log: every raw frame of a session, held, found, written and read again.

columns  storage             numbers by row; text and sound
choosing  searching          which rows fit; words in them
cutting                      audio out of a frame, and back to the byte
jsonl  row -> rows           one line; one row; reading a log
eventlog                     `EventLog`, which takes frames
files  dataframes  folding   as a file, as a DataFrame, as lines to read
logins                       what logs in somewhere, out of what is shown or written
censoring -> redaction       what may be shown to others
"""

from .eventlog import EventLog
from .rows import DIRECTIONS, Direction, Row, Rows, View

__all__ = ["DIRECTIONS", "Direction", "EventLog", "Row", "Rows", "View"]
