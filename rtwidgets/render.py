"""A log and a conversation as plain HTML and plain text, for readers without a kernel.

GitHub, nbviewer and a printed page run no JavaScript: what stands here needs none. Everything a
server said is escaped; nothing of it is ever markup. Half a character (a lone surrogate) is mended
here, at the boundary: it has no UTF-8, and a cell that shows it would fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import islice

from .conversation import Conversation
from .events import text_field, whole_characters
from .explanations import explain
from .folding import Run, fold
from .items import Item
from .log import Rows

_ARROWS = {"client": "→", "server": "←", "local": "◦"}

# Notebooks strip <style> from what they do not trust, and align every cell to the right: what a
# table needs to be read at all stands in its own attributes.
_TABLE = '<table style="table-layout:auto;width:100%">'
_LEFT = ' style="text-align:left"'

# The selectors name one element more than a notebook's own, which align every cell to the right.
_TABLE_CSS = """
.rt-static{font:13px/1.5 var(--jp-ui-font-family,system-ui,sans-serif);
color:var(--jp-ui-font-color1,inherit)}
.rt-static table{border-collapse:collapse;width:100%;margin:0}
.rt-static table tr td,.rt-static table tr th{padding:2px 8px;text-align:left;
vertical-align:top;max-width:none;border:0;
border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35))}
.rt-static table tr td.rt-n{font-variant-numeric:tabular-nums;text-align:right}
.rt-static table tr td.rt-n,.rt-static table tr td.rt-d{white-space:nowrap}
.rt-static table tr td.rt-w{white-space:normal;width:60%}
.rt-static table tr td.rt-t{font-family:var(--jp-code-font-family,monospace);white-space:nowrap}
.rt-static pre{margin:4px 0;max-height:24em;overflow:auto;font-size:12px;white-space:pre-wrap}
.rt-static summary{cursor:pointer}.rt-static .rt-err{font-weight:600}
""".replace("\n", "")

_DETAILS_LIMIT = 4000  # characters of JSON a static row holds: a saved notebook stays small


def log_html(log: Rows, limit: int = 200) -> str:
    """The log as an HTML table of at most `limit` lines, runs of deltas folded, JSON on click."""
    runs = list(islice(fold(log), limit + 1))
    rows = "".join(_html_row(run) for run in runs[:limit])
    more = f"<p>… the first {limit} lines of {len(log)} events.</p>" if len(runs) > limit else ""
    names = ("direction", "type", "", "what it says")
    head = "<th>s</th>" + "".join(f"<th{_LEFT}>{name}</th>" for name in names)
    return whole_characters(
        f'<div class="rt-static"><style>{_TABLE_CSS}</style>'
        f"<p>{len(log)} events{escape(_source(log))}</p>"
        f"{_TABLE}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>"
    )


def _html_row(run: Run) -> str:
    row = run.first
    count = f"× {run.count}" if run.count > 1 else ""
    said = escape(_short(run.summary))
    if run.count == 1:
        details = escape(row.json()[:_DETAILS_LIMIT])
        said = f"<details><summary>{said or 'JSON'}</summary><pre>{details}</pre></details>"
    important = ' class="rt-err"' if row.family == "error" else ""
    return (
        f'<tr{important}><td class="rt-n">{row.t:.3f}</td>'
        f'<td class="rt-d"{_LEFT}>{_ARROWS[row.direction]} {row.direction}</td>'
        f'<td class="rt-t"{_LEFT}>{escape(row.type or "(not JSON)")}</td>'
        f'<td class="rt-n">{count}</td><td class="rt-w"{_LEFT}>{said}</td></tr>'
    )


def log_text(log: Rows, limit: int = 40) -> str:
    """The log as lines of text, runs of deltas folded, at most `limit` of them."""
    runs = list(islice(fold(log), limit + 1))
    lines = [_text_row(run) for run in runs[:limit]]
    if len(runs) > limit:
        lines.append(f"… the first {limit} lines of {len(log)} events")
    return whole_characters("\n".join([f"{len(log)} events{_source(log)}", *lines]))


def _text_row(run: Run) -> str:
    row = run.first
    arrow = {"client": ">", "server": "<", "local": "="}[row.direction]
    kind = (row.type or "(not JSON)") + (f" × {run.count}" if run.count > 1 else "")
    return f"{row.t:9.3f} {arrow} {kind:<46} {_short(run.summary)}".rstrip()


def _source(log: Rows) -> str:
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
    """

    who: str
    words: str
    unheard: str = ""
    note: str = ""
    more: str = ""


def said_html(lines: Iterable[Said]) -> str:
    """Who said what, as HTML."""
    return whole_characters(
        f'<div class="rt-static"><style>{_TABLE_CSS}</style>'
        f"{_TABLE}<tbody>{''.join(map(_said_row, lines))}</tbody></table></div>"
    )


def _said_row(line: Said) -> str:
    unheard = f'<span style="opacity:.55">{escape(line.unheard)}</span>' if line.unheard else ""
    more = f"<br><small>{escape(line.more)}</small>" if line.more else ""
    return (
        f'<tr><td class="rt-n">{escape(line.who)}</td>'
        f'<td class="rt-w"{_LEFT}>{escape(line.words)}{unheard}{more}</td>'
        f"<td{_LEFT}>{escape(line.note)}</td></tr>"
    )


def said_text(lines: Iterable[Said]) -> str:
    """Who said what, a line each."""
    return whole_characters("\n".join(map(_said_line, lines)))


def _said_line(line: Said) -> str:
    unheard = f" [not heard:{line.unheard}]" if line.unheard else ""
    note = f"  ({line.note})" if line.note else ""
    more = f"\n{'':>11}{line.more}" if line.more else ""
    return f"{line.who:>9}  {line.words}{unheard}{note}{more}"


def transcript_html(conversation: Conversation) -> str:
    """Who said what in a conversation, as HTML."""
    return said_html(_transcript(conversation))


def transcript_text(conversation: Conversation) -> str:
    """Who said what in a conversation, a line each."""
    return said_text(_transcript(conversation))


def _transcript(conversation: Conversation) -> list[Said]:
    said = [
        Said(speaker(item), item.text or "…", note=note_of(item), more=remembered(item))
        for item in conversation.items
    ]
    refused = [
        Said("error", text_field(error, "message"), more=explain(error) or "")
        for error in conversation.errors
    ]
    return said + refused


def speaker(item: Item) -> str:
    """Who an item is by, as a person would say it."""
    if item.type == "function_call":
        return f"calls {item.name}"
    if item.type == "function_call_output":
        return "result"
    return {"user": "you"}.get(item.role, item.role or item.type)


def note_of(item: Item) -> str:
    """What the words alone do not tell: heard or silent, typed or spoken, cut short."""
    notes = []
    if item.role == "assistant":
        spoken = item.audio_ms
        if item.truncated_ms is not None:
            return _interruption(item.truncated_ms, spoken)
        if spoken:
            notes.append(f"{spoken / 1000:.1f} s of speech")
        elif not item.response_id:
            notes.append("silent: remembered, not heard")
        else:
            notes.append("written")
    elif item.role == "user":
        notes.append(
            "spoken" if any(part.type == "input_audio" for part in item.content) else "typed"
        )
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
