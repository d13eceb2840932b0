"""A log and a conversation as plain HTML and plain text, for readers without a kernel.

GitHub, nbviewer and a printed page run no JavaScript: what stands here needs none. Everything a
server said is escaped; nothing of it is ever markup. Half a character (a lone surrogate) is mended
here, at the boundary: it has no UTF-8, and a cell that shows it would fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice

from .conversation import Conversation
from .dialects import transcribes
from .events import text_field, whole_characters
from .explanations import explain
from .items import Item
from .listing import events_text
from .log.folding import Run, fold
from .log.rows import Rows
from .tables import TABLE_CSS, breakable, printable

_ARROWS = {"client": "→", "server": "←", "local": "◦"}

# Notebooks strip <style> from what they do not trust, and align every cell to the right: what a
# table needs to be read at all stands in its own attributes.
_TABLE = '<table style="table-layout:auto;width:100%">'
_LEFT = ' style="text-align:left"'

_DETAILS_LIMIT = 4000  # characters of JSON a static row holds: a saved notebook stays small
_DELTAS_SHOWN = 12  # of a run, in one static row


def log_html(log: Rows, limit: int = 200) -> str:
    """The log as an HTML table of at most `limit` lines; a click opens an event's JSON, or the
    deltas that stand in one line. Below it, how many events more there are."""
    runs = list(islice(fold(log), limit))
    rows = "".join(_html_row(run) for run in runs)
    more = len(log) - sum(run.count for run in runs)
    rest = f"<p>… and {more} more events (the first {limit} lines are shown)</p>" if more else ""
    # The least widths: names are broken before what an event says has no room.
    names = {"direction": 0, "type": 17, "": 0, "what it says": 12}
    head = '<th class="rt-n" style="text-align:right">s</th>'
    head += "".join(
        f'<th style="text-align:left;min-width:{em}em">{name}</th>' for name, em in names.items()
    )
    return whole_characters(
        f'<div class="rt-static"><style>{TABLE_CSS}</style>'
        f"<p>{len(log)} events{escape(printable(source_of(log)))}</p>"
        f"{_TABLE}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{rest}</div>"
    )


def _html_row(run: Run) -> str:
    row = run.first
    count = f"× {run.count}" if run.count > 1 else ""
    said = escape(printable(_short(run.summary)))
    details = escape(printable(_details(run), lines=True)[:_DETAILS_LIMIT])
    said = f"<details><summary>{said or 'JSON'}</summary><pre>{details}</pre></details>"
    kind = breakable(escape(printable(_short(row.type)) or "(not JSON)"))
    important = ' class="rt-err"' if row.family == "error" else ""
    return (
        f'<tr{important}><td class="rt-n" style="text-align:right">{row.t:.3f}</td>'
        f'<td class="rt-d"{_LEFT}>{_ARROWS[row.direction]} {row.direction}</td>'
        f'<td class="rt-t"{_LEFT}>{kind}</td>'
        f'<td class="rt-n">{count}</td><td class="rt-w"{_LEFT}>{said}</td></tr>'
    )


def _details(run: Run) -> str:
    """An event's JSON; of several deltas a line each, as many as are shown."""
    if run.count == 1:
        return run.first.json()
    shown = (f"{row.t:9.3f}  {_short(row.summary)}" for row in islice(run.rows, _DELTAS_SHOWN))
    more = run.count - _DELTAS_SHOWN
    return "\n".join([*shown, *([f"… and {more} more"] if more > 0 else [])])


def log_text(log: Rows, limit: int = 40) -> str:
    """The log as lines of text, runs of deltas folded, at most `limit` of them."""
    head = printable(f"{len(log)} events{source_of(log)}")
    return "\n".join([head, *events_text(log, limit=limit)])


def source_of(log: Rows) -> str:
    """Which server a log is of, by the session's own id, so that a simulator is always named."""
    if log.simulated:
        return " with the simulator"
    return f" with {log.endpoint}" if log.endpoint else ""


@dataclass(frozen=True)
class Said:
    """A line of a transcript.

    Attributes:
        unheard: the words at its end that were made and not heard.
        note: a few words about it. more: a sentence or two.
        details: pairs of a heading and a text, to be unfolded.
        instead: what is known where there are no words: see `unwritten`.
    """

    who: str
    words: str
    unheard: str = ""
    note: str = ""
    more: str = ""
    details: Sequence[tuple[str, str]] = ()
    instead: str = ""


def said_html(lines: Iterable[Said]) -> str:
    """Who said what, as HTML."""
    return whole_characters(
        f'<div class="rt-static"><style>{TABLE_CSS}</style>'
        f"{_TABLE}<tbody>{''.join(map(_said_row, lines))}</tbody></table></div>"
    )


def _said_row(line: Said) -> str:
    unheard = f'<span style="opacity:.55">{_shown(line.unheard)}</span>' if line.unheard else ""
    instead = f'<em style="opacity:.75">{_shown(line.instead)}</em>' if line.instead else ""
    more = f"<br><small>{_shown(line.more)}</small>" if line.more else ""
    words = _shown(line.words)
    if line.details:
        inner = "".join(
            f"<b>{_shown(name)}</b><pre>{_shown(text)}</pre>" for name, text in line.details
        )
        words = f"<details><summary>{words}</summary>{inner}</details>"
    return (
        f'<tr><td class="rt-n">{_shown(line.who)}</td>'
        f'<td class="rt-w"{_LEFT}>{words}{unheard}{instead}{more}</td>'
        f"<td{_LEFT}>{_shown(line.note)}</td></tr>"
    )


def _shown(text: str) -> str:
    return escape(printable(text, lines=True))


def said_text(lines: Iterable[Said]) -> str:
    """Who said what, a line each."""
    return printable("\n".join(map(_said_line, lines)), lines=True)


def _said_line(line: Said) -> str:
    unheard = f" [not heard:{line.unheard}]" if line.unheard else ""
    instead = f"[{line.instead}]" if line.instead else ""
    note = f"  ({line.note})" if line.note else ""
    more = f"\n{'':>11}{line.more}" if line.more else ""
    for name, text in line.details:
        if name != "Arguments":  # they stand in the line
            more += f"\n{'':>11}{name}: {_short(' '.join(text.split()))}"
    return f"{line.who:>9}  {line.words}{unheard}{instead}{note}{more}"


def transcript_html(conversation: Conversation) -> str:
    """Who said what in a conversation, as HTML."""
    return said_html(_transcript(conversation))


def transcript_text(conversation: Conversation) -> str:
    """Who said what in a conversation, a line each."""
    return said_text(_transcript(conversation))


def _transcript(conversation: Conversation) -> list[Said]:
    said = [_said(item, conversation) for item in conversation.items]
    refused = [
        Said("error", text_field(error, "message"), more=explain(error) or "")
        for error in conversation.errors
    ]
    return said + refused


def _said(item: Item, conversation: Conversation) -> Said:
    response = conversation.responses.get(item.response_id)
    made = response is None or not response.active
    instead = unwritten(item, transcribes(conversation.session)) if made else ""
    words = item.text or ("" if instead else "…")
    more = remembered(item) or not_understood(item)
    note = note_of(item, length=not instead)
    return Said(speaker(item), words, note=note, more=more, instead=instead)


def speaker(item: Item) -> str:
    """Who an item is by, as a person would say it."""
    if item.type in ("function_call", "mcp_call"):
        return f"calls {item.name}"
    if item.type == "mcp_list_tools":
        return f"tools of {item.name}"
    if item.type == "function_call_output":
        return "result"
    return {"user": "you"}.get(item.role, item.role or item.type)


def unwritten(item: Item, transcribed: bool = False) -> str:
    """What is known of a spoken turn without words, in their place; empty where it has words, or
    none were spoken.

    Args:
        transcribed: the session writes down what the user says, so that words may still come.
    """
    if item.text or item.said or item.role not in ("user", "assistant"):
        return ""
    if item.role == "assistant":
        ms = item.audio_ms
        if not ms:
            return ""
    elif any(part.type == "input_audio" for part in item.content):
        ms = item.spoken_ms
    else:
        return ""
    known = "silence" if item.silence else "spoken"
    if ms:
        known += f", {ms / 1000:.1f} s"
    if item.silence:
        return known
    if not_understood(item):
        return f"{known}, its transcription failed"
    if item.role == "user" and any(part.transcribed for part in item.content):
        return f"{known}, without a word that was understood"
    waiting = transcribed and item.role == "user"
    return f"{known} …" if waiting else f"{known}, without a transcription"


def not_understood(item: Item) -> str:
    """Why nobody wrote down what was spoken, in the server's words; empty where words are there."""
    return "" if item.text else next((one.failure for one in item.content if one.failure), "")


def note_of(item: Item, *, length: bool = True) -> str:
    """What the words alone do not tell: heard or silent, typed or spoken, cut short.

    Args:
        length: also that it was spoken, and how long; else `unwritten` says so.
    """
    notes = []
    if item.role == "assistant":
        spoken = item.audio_ms
        if item.truncated_ms is not None:
            return _interruption(item.truncated_ms, spoken)
        if spoken and not length:
            pass
        elif spoken:
            notes.append(f"{spoken / 1000:.1f} s of speech")
        elif not item.response_id:
            notes.append("silent: remembered, not heard")
        else:
            notes.append("written")
    elif item.role == "user":
        if not any(part.type == "input_audio" for part in item.content):
            notes.append("typed")
        elif length:
            notes.append("spoken")
    if item.status == "incomplete":
        notes.append("cut short")
    return ", ".join(notes)


def remembered(item: Item) -> str:
    """What the model knows of an item that was cut short; empty for another."""
    if item.truncated_ms is None:
        return ""
    return (
        "Only what was heard is remembered." if item.truncated_ms else "None of it is remembered."
    )


def _interruption(heard_ms: int, spoken_ms: int) -> str:
    if not heard_ms:
        return "interrupted before any of it was heard"
    of = f" of {spoken_ms / 1000:.1f} s" if spoken_ms else ""
    return f"interrupted after {heard_ms / 1000:.1f} s{of}"


def _short(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
