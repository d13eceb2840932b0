"""What was found out about an event that was not sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from ..events import Event, text_field
from ..tables import printable

_LONGEST = 4000  # characters of a corrected event that are shown; audio is longer


@dataclass(frozen=True, repr=False)
class Verdict:
    """What the server would say to an event; prints itself, and shows itself in a notebook.

    Attributes:
        ok: whether it would be taken.
        event: what was checked; None where it is no JSON object.
        refusal: the `error` object that the server would send; None where it would send none.
        why: what that means, and where the fault is.
        fixed: the event that was probably meant, which is accepted; None where only you can know.
        changes: what was changed for that, a sentence each.
        notes: what is accepted, and may yet surprise.
    """

    ok: bool
    event: Event | None
    refusal: Event | None = None
    why: str = ""
    fixed: Event | None = None
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """Accepted, or refused with the server's words."""
        kind = text_field(self.event, "type") or "This"
        if self.ok:
            return f"{kind} would be accepted."
        return f"{kind} would be refused: {text_field(self.refusal, 'message')}"

    @property
    def in_short(self) -> str:
        """The same in a line or two, for a place beside what is being written."""
        if self.ok:
            return "\n".join([self.headline, *self.notes[:1]])
        if self.event is None and self.fixed is None:
            return self.why  # still being typed, most likely
        lines = [self.headline if self.event is not None else self.why]
        if self.fixed is not None:
            lines.append("Probably meant: " + " ".join(self.changes[:2]))
        elif self.why:
            lines.append(self.why)
        return "\n".join(lines)

    def __str__(self) -> str:
        lines = [self.headline, self.why]
        if self.fixed is not None:
            lines += ["", "Send this instead:", shown(self.fixed)]
            lines += [f"  changed: {change}" for change in self.changes]
        elif not self.ok:
            lines.append("There is no correction that could be told for sure.")
        lines += [f"Note: {note}" for note in self.notes]
        text = "\n".join(line for at, line in enumerate(lines) if line or at > 1)
        return printable(text, lines=True)  # the event's own words command no terminal

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{escape(self.headline)}</b></p>"]
        parts += [f"<p>{escape(self.why)}</p>"] if self.why else []
        if self.fixed is not None:
            changed = "".join(f"<li>{escape(change)}</li>" for change in self.changes)
            parts.append(f"<p>Send this instead:</p><pre>{escape(shown(self.fixed))}</pre>")
            parts.append(f"<ul>{changed}</ul>" if changed else "")
        elif not self.ok:
            parts.append("<p>There is no correction that could be told for sure.</p>")
        parts += [f"<p>Note: {escape(note)}</p>" for note in self.notes]
        return f'<div style="max-width:60em;text-align:left">{"".join(parts)}</div>'

    def __bool__(self) -> bool:
        return self.ok


def shown(event: Any) -> str:
    """An event to read and to copy; a very long one with its end cut off."""
    text = json.dumps(event, indent=2, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… ({len(text)} characters)"


def brief(value: Any, longest: int = 60) -> str:
    """A value in a sentence."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
