"""What a trial writes into its own log: what it was, and where one part of it ends.

A log cannot know by itself which opening it was, what should be said, or where the opening ended
and the asking began. With these `local` rows in it, every number of a comparison can be had again
from the log alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal

from ..events import Event
from ..log import EventLog

Kind = Literal["greeting", "interruption"]

SETUP = "trial.setup"  # what was tried
OPENED = "trial.opened"  # the opening has had its effect
FAILED = "trial.failed"  # what kept the trial from going on

PROBE_MARK = {"rtwidgets": "probe"}
"""The metadata by which the probe's response is told from the opening's."""

QUESTION = "What did you say first?"


@dataclass(frozen=True)
class Setup:
    """What a trial was made of, in words and numbers that a log can hold.

    Attributes:
        label: what the opening is called in this comparison.
        opening: the opening, as Python would print it.
        column: endpoint and model, as a person would name them.
        number: which of the trials of its kind, from 1.
        kind: `greeting` (undisturbed, then asked what was said) or `interruption` (spoken over).
        script: the words that should be said, empty where they are the model's to choose.
        plays_ms: milliseconds of sound that the opening plays on this side.
        modality: what was asked for, `audio` or `text`.
        question: what the model was asked about its greeting.
    """

    label: str
    opening: str = ""
    column: str = ""
    number: int = 1
    kind: Kind = "greeting"
    script: str = ""
    plays_ms: int = 0
    modality: str = "audio"
    question: str = QUESTION

    def event(self) -> Event:
        """The row that tells it to the log."""
        return {"type": SETUP, **asdict(self)}

    @classmethod
    def of(cls, log: EventLog) -> Setup | None:
        """What a log says that it was a trial of, None for any other log."""
        row = next(iter(log.where(type=SETUP)), None)
        event = row.event if row is not None else None
        if event is None or not isinstance(event.get("label"), str):
            return None
        known = {one.name: type(one.default) for one in fields(cls) if one.name != "label"}
        given = {
            name: event[name] for name, kind in known.items() if isinstance(event.get(name), kind)
        }
        return cls(event["label"], **given)
