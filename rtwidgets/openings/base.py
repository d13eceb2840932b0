"""What every opening is: settings, first events, and answers to later ones; printable, stateless.

An opening may open any number of sessions, so it keeps nothing. What it has to recognise later it
marks: an item by an id of its own choosing (each session has a conversation of its own, so the same
id serves in all of them), a response by its `metadata`, which the server gives back with
`response.done`. That its sound is over it is told by a row of its own, `opening.ended`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from ..audio import Samples
from ..errors import Misuse
from ..events import Event, input_audio_clear, session_update, text_field
from ..events import field as value_at

if TYPE_CHECKING:
    from .explained import Explanation

ENDED = "opening.ended"
"""The local row that says, once a session, that the opening's sound is over: `ms` of it, and `by`
what is known (`page`: someone heard it; `clock`: nobody plays here, it would have been heard by
now; `silence`: there was none). Only an opening that `reacts` is told."""
WORDS = "opening_words"
"""The item id under which an opening's own `audio` is played, and which its silent item has."""

_MARK = "opening"
_OFF: Event = {"audio": {"input": {"turn_detection": None}}}
_DEFAULT_DETECTION: Event = {"type": "server_vad"}


def marked(what: str) -> dict[str, str]:
    """The `metadata` by which the response of an opening is known again."""
    return {_MARK: what}


def is_answer(event: Event, what: str) -> bool:
    """Whether this is the `response.done` of a response that was `marked`."""
    done = text_field(event, "type") == "response.done"
    return done and text_field(event, "response", "metadata", _MARK) == what


@dataclass(frozen=True, repr=False)
class Opening:
    """The shape of every opening; by itself it opens with nothing.

    Attributes:
        name: what a person calls it.
        heard: whether the server's reply is awaited (and heard) when the session opens.
        audio: samples to play on this side, int16 mono 24 kHz, or None.
    """

    name: ClassVar[str] = "Opening"
    heard: ClassVar[bool] = True
    audio: ClassVar[Samples | None] = None

    @property
    def script(self) -> str:
        """The words it wants said exactly; empty where it leaves them to the model."""
        return ""

    def session(self) -> Event:
        """Fields merged into the first `session.update`."""
        return {}

    def events(self, session: Event) -> list[Event]:
        """The first client events, given the session as the server confirmed it."""
        return []

    def react(self, event: Event) -> list[Event]:
        """Further client events, on a server event or on one of playback. None by default.

        Of a response that the end of the line cut in the middle, the `response.done` that no
        server said is told too, `incomplete` and with the words that were heard, once a new session
        stands.
        """
        return []

    @property
    def waits(self) -> bool:
        """Whether the first events wait until the server has confirmed the settings."""
        return True

    @property
    def reacts(self) -> bool:
        """Whether `react` may ever answer."""
        return type(self).react is not Opening.react

    def explain(self) -> Explanation:
        """What it sends, and what each event does, brings and costs. The last line of a cell
        shows it."""
        from .explained import explained

        return explained(self)

    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self._given())
        return f"{type(self).__name__}({', '.join(shown)})"

    def _given(self) -> Iterable[tuple[str, object]]:
        """The fields that say something: without those that are as they are by default."""
        for one in sorted(fields(self), key=lambda one: one.kw_only is True):
            value = getattr(self, one.name)
            if one.default is MISSING or value != one.default:
                yield one.name, value

    def __str__(self) -> str:
        from .rehearsal import rehearsed

        settings = self.session()
        first = [session_update(**settings)] if settings else []
        events = first + self.events({})
        lines = [f"{self!r} {'sends first:' if events else 'sends nothing first.'}"]
        lines += map(_shown, events)
        for scene in rehearsed(self):
            lines += [f"Later, {scene.when}:", *map(_shown, scene.events)]
        if not self.reacts:
            lines.append("Later: nothing.")
        return "\n".join(lines)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        # Not _repr_pretty_: IPython takes a subclass's generated __repr__ before it.
        return {"text/plain": str(self)}


@dataclass(frozen=True, repr=False)
class Greeting(Opening):
    """An opening with sound, which can be protected from being spoken over.

    Args:
        protect: switch turn detection off until the greeting has been heard to its end, so that
            neither a cough nor its own echo cuts it short (with server_vad on, both do; facts §2).
            Then what the microphone caught meanwhile is thrown away and turn detection comes back:
            the server's default for True, else the `turn_detection` object given here.
        wait: False sends the first events right behind `session.update`. Half a round trip is won;
            lost is the certainty that the settings stand: refused ones are noticed only after
            greeting with the server's own voice and instructions.
    """

    protect: bool | Mapping[str, Any] = field(default=False, kw_only=True)
    wait: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        kind = type(self).__name__
        if not isinstance(self.protect, (bool, Mapping)):
            raise Misuse(
                f"protect is True, False or the turn_detection to have afterwards, such as "
                f'{{"type": "semantic_vad"}}; {kind} was given {self.protect!r}.'
            )
        if not isinstance(self.wait, bool):
            raise Misuse(f"wait is True or False; {kind} was given {self.wait!r}.")

    def session(self) -> Event:
        return _OFF if self.protect is not False else {}

    def react(self, event: Event) -> list[Event]:
        if self.protect is False or text_field(event, "type") != ENDED:
            return []
        after = _DEFAULT_DETECTION if self.protect is True else dict(self.protect)
        return [
            input_audio_clear(),
            session_update(audio={"input": {"turn_detection": after}}),
        ]

    @property
    def waits(self) -> bool:
        return self.wait

    @property
    def reacts(self) -> bool:
        own = type(self).react is not Greeting.react
        return self.protect is not False or own


def checked_words(value: object, kind: str, field_name: str, example: str) -> None:
    """Raises Misuse where the words of an opening are no text."""
    if not isinstance(value, str):
        raise Misuse(
            f"{kind} needs its {field_name} as text, for example {kind}({example!r}), "
            f"not {type(value).__name__}."
        )


def answer_text(event: Event) -> str:
    """The words of a `response.done`, written or spoken."""
    output = value_at(event, "response", "output")
    parts = [
        part
        for item in (output if isinstance(output, list) else [])
        if text_field(item, "type") == "message"
        for part in (value_at(item, "content") or [])
    ]
    words = (text_field(part, "transcript") or text_field(part, "text") for part in parts)
    return " ".join(word for word in words if word)


def _shown(event: Event) -> str:
    return json.dumps(event, indent=2, ensure_ascii=False)
