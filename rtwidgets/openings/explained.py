"""An opening in words: each event it sends, what it does, and what it brings and costs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from .. import audio
from ..describing import describe
from ..events import Event, session_update, text_field
from ..explanations import Meaning, meaning_of
from .base import Opening
from .rehearsal import rehearsed

_SOURCE = re.compile(r"facts §\w+(?:, §\w+)*(?:: )?")
_CODE = re.compile(r"`([^`]*)`")
_EFFECTS = ("answer", "heard", "remembered", "costs")


@dataclass(frozen=True)
class Step:
    """One event of an opening.

    Attributes:
        when: "first", or what it waits for: "when its response is done".
        meaning: what it does, as sentences.
    """

    when: str
    event: Event
    meaning: Meaning


@dataclass(frozen=True, repr=False)
class Explanation:
    """What an opening does, step by step; shows itself as text and in a notebook.

    Attributes:
        title: what the opening is called.
        opening: how it is written.
        about: its trade-off, from its docstring; empty where it has none.
        sound: what is played on this side; empty where nothing is.
        steps: its events in their order.
        silent_later: whether nothing is sent after the first events.
    """

    title: str
    opening: str
    about: str
    sound: str
    steps: tuple[Step, ...]
    silent_later: bool

    @property
    def ending(self) -> str:
        """What is to be said below the steps."""
        if not self.steps:
            return "It sends nothing: the server waits, and nothing is heard, remembered or paid."
        if self.silent_later or any(step.when != "first" for step in self.steps):
            return ""
        return "It answers later events too, none of which comes in an ordinary course of things."

    def __str__(self) -> str:
        head = [f"{self.title}: {self.opening}", self.about, self.sound]
        blocks = [*filter(None, head), *self._blocks(), *filter(None, [self.ending])]
        return "\n\n".join(blocks)

    def _blocks(self) -> Iterator[str]:
        for number, step in enumerate(self.steps, 1):
            type_, said = text_field(step.event, "type"), describe(step.event)
            lines = [f"{number}. {type_}  {said}".rstrip(), step.meaning.does]
            if step.when != "first":
                lines[0] += f"  ({step.when})"
            lines += [f"{name.capitalize()}: {text}" for name, text in effects(step.meaning)]
            yield "\n   ".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        texts = (_CODE.sub(r"<code>\1</code>", escape(text)) for text in (self.about, self.sound))
        about = "".join(f"<p>{text}</p>" for text in texts if text)
        steps = "".join(map(_step_html, self.steps))
        steps = f'<ol style="padding-left:1.5em">{steps}</ol>' if steps else ""
        ending = f"<p>{escape(self.ending)}</p>" if self.ending else ""
        # No colour: a notebook's theme, light or dark, has its own.
        return (
            f'<div style="max-width:60em;text-align:left"><p><b>{escape(self.title)}</b> '
            f"<code>{escape(self.opening)}</code></p>{about}{steps}{ending}</div>"
        )


def explained(opening: Opening) -> Explanation:
    """The explanation of any opening, the user's own too."""
    fields = opening.session()
    events = [*([session_update(**fields)] if fields else []), *opening.events({})]
    steps = [Step("first", event, meaning_of(event)) for event in events]
    for scene in rehearsed(opening):
        steps += [Step(scene.when, event, meaning_of(event)) for event in scene.events]
    sound = ""
    if opening.audio is not None:
        seconds = len(opening.audio) / audio.RATE
        sound = (
            f"Heard at once: {seconds:.1f} s of audio, played on this side by the page. It is "
            "never sent, and the server knows nothing of it."
        )
    return Explanation(
        opening.name, repr(opening), _about(opening), sound, tuple(steps), not opening.reacts
    )


def effects(meaning: Meaning) -> Iterator[tuple[str, str]]:
    """What is known of an event's effects, by name: answer, heard, remembered, costs."""
    for name in _EFFECTS:
        text = getattr(meaning, name)
        if text:
            yield name, text


def _about(opening: Opening) -> str:
    """The docstring up to its section of arguments; empty where there is none of its own."""
    doc = type(opening).__doc__ or ""
    if doc.startswith(f"{type(opening).__name__}("):  # dataclass wrote it: the signature
        return ""
    paragraphs: list[str] = []
    for paragraph in doc.split("\n\n"):
        if paragraph.strip().startswith(("Args:", "Attributes:")):
            break
        paragraphs.append(" ".join(paragraph.split()))
    # Where a fact comes from is for who reads the code.
    return _SOURCE.sub("", " ".join(paragraphs)).replace(" ()", "").strip()


def _step_html(step: Step) -> str:
    later = "" if step.when == "first" else f" <i>{escape(step.when)}</i>"
    rows = "".join(_effect_html(name, text) for name, text in effects(step.meaning))
    raw = escape(json.dumps(step.event, indent=2, ensure_ascii=False))
    return (
        f'<li style="margin-bottom:.8em"><code>{escape(text_field(step.event, "type"))}</code> '
        f"{escape(describe(step.event))}{later}<br>{escape(step.meaning.does)}"
        f'<dl style="margin:.3em 0 .3em 1em">{rows}</dl>'
        f'<details><summary>the event</summary><pre style="white-space:pre-wrap">{raw}</pre>'
        f"</details></li>"
    )


def _effect_html(name: str, text: str) -> str:
    return f"<div><b>{name.capitalize()}:</b> {escape(text)}</div>"
