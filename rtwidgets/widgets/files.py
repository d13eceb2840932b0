"""What a conversation leaves: files to save, and the plain page for readers without a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from ..errors import Misuse
from ..events import whole_characters
from ..log import EventLog
from ..money.metering import bill
from ..render import Said, log_html, log_text, said_html, said_text
from ..tables import printable
from .lines import Line

PLAIN_LIMIT = 80_000
"""Characters of plain HTML that a chat leaves in its notebook, about."""


ROWS = "application/x-ndjson"


@dataclass(frozen=True)
class File:
    """Something to save: a name, its MIME type, the bytes."""

    name: str
    mime: str
    data: bytes


def file_of(kind: str, lines: Sequence[Line], log: EventLog, opening: str) -> File:
    """The log (`jsonl`), the log for sharing (`redacted`), the assistant's audio (`wav`) or a page
    to read (`html`).

    Raises Misuse for another kind, and where there is no audio to save.
    """
    name = f"conversation.{kind}"
    if kind == "jsonl":
        return File(name, ROWS, _rows(log))
    if kind == "redacted":
        return File("conversation.redacted.jsonl", ROWS, _rows(log.redact()))
    if kind == "wav":
        if not any(row.audio_bytes for row in log.where(direction="server")):
            raise Misuse("The assistant has said nothing aloud yet: there is no WAV to save.")
        return File(name, "audio/wav", log.wav())
    if kind == "html":
        return File(name, "text/html", document_of(lines, log, opening).encode())
    raise Misuse(f"A chat is saved as .jsonl, .wav or .html, not {kind!r}.")


def _rows(log: EventLog) -> bytes:
    # Half a surrogate pair is written as the JSON escape it may have come as: nothing is lost.
    return (log.to_jsonl() or "").encode("utf-8", "backslashreplace")


def document_of(lines: Sequence[Line], log: EventLog, opening: str) -> str:
    """A page of its own: what was talked to, when, what was said and heard, what it cost, and every
    event."""
    heading = f"Conversation with {log.model}" if log.model else "A chat before its start"
    title = escape(printable(heading))
    about = escape(printable(" · ".join(filter(None, (_date(log), _place(log), opening)))))
    return whole_characters(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_DOCUMENT_CSS}</style></head><body><h1>{title}</h1><p>{about}</p>"
        f"<h2>Transcript</h2>{said_html(map(said_of, lines))}"
        f"<h2>Cost</h2>{bill(log).to_html()}"
        f"<h2>Events</h2>{log_html(log, 2000)}</body></html>"
    )


def _date(log: EventLog) -> str:
    if not log.started:
        return ""
    when = datetime.fromtimestamp(log.started).astimezone()
    return f"{when.day} {when:%B %Y, %H:%M}"


def _place(log: EventLog) -> str:
    return "Simulator" if log.simulated else log.endpoint


_DOCUMENT_CSS = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}"
)


def said_of(line: Line) -> Said:
    """A line of the live transcript for a reader without a kernel."""
    end = len(line.text) if line.heard < 0 else line.heard
    words = line.text[:end] or ("…" if line.state == "streaming" else "")
    unheard, known = line.text[end:], line.instead
    return Said(line.speaker, words, unheard, line.note, line.more, line.details, known)


def small_page_of(lines: Sequence[Line], log: EventLog) -> str:
    """Transcript and event table as HTML for a notebook, with fewer events where they are large."""
    said = said_html(map(said_of, lines))
    pages = (said + log_html(log, limit) for limit in (100, 40, 15))
    return next((page for page in pages if len(page) < PLAIN_LIMIT), said + log_html(log, 5))


def text_of(lines: Sequence[Line], log: EventLog) -> str:
    """Transcript and event table as plain text."""
    return f"{said_text(map(said_of, lines))}\n\n{log_text(log)}"
