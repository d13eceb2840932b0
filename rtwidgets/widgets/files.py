"""What a conversation leaves: files to save, and the plain page for readers without a kernel."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..conversation import Conversation
from ..errors import Misuse
from ..events import whole_characters
from ..log import EventLog
from ..render import log_html, log_text, transcript_html, transcript_text

PLAIN_LIMIT = 80_000
"""Characters of plain HTML that a chat leaves in its notebook, about."""


@dataclass(frozen=True)
class File:
    """Something to save: a name, its MIME type, the bytes."""

    name: str
    mime: str
    data: bytes


def file_of(kind: str, conversation: Conversation, log: EventLog, title: str) -> File:
    """The log (`jsonl`), the assistant's audio (`wav`) or a page to read (`html`)."""
    name = f"conversation.{kind}"
    if kind == "jsonl":
        # Half a surrogate pair is written as the JSON escape it may have come as: nothing is lost.
        lines = (log.to_jsonl() or "").encode("utf-8", "backslashreplace")
        return File(name, "application/x-ndjson", lines)
    if kind == "wav":
        if not any(row.audio_bytes for row in log.where(direction="server")):
            raise Misuse("The assistant has said nothing aloud yet: there is no WAV to save.")
        return File(name, "audio/wav", log.wav())
    if kind == "html":
        head = f'<!doctype html><meta charset="utf-8"><title>{escape(title)}</title>'
        page = whole_characters(head + page_of(conversation, log, 2000))
        return File(name, "text/html", page.encode())
    raise Misuse(f"A chat is saved as .jsonl, .wav or .html, not {kind!r}.")


def page_of(conversation: Conversation, log: EventLog, limit: int) -> str:
    """Transcript and event table as HTML, with at most `limit` lines of events."""
    return transcript_html(conversation) + log_html(log, limit)


def small_page_of(conversation: Conversation, log: EventLog) -> str:
    """The same for a notebook, with fewer events where they are large."""
    pages = (page_of(conversation, log, limit) for limit in (100, 40, 15))
    return next((page for page in pages if len(page) < PLAIN_LIMIT), page_of(conversation, log, 5))


def text_of(conversation: Conversation, log: EventLog) -> str:
    """Transcript and event table as plain text."""
    return f"{transcript_text(conversation)}\n\n{log_text(log)}"
