"""What is chosen before Start: endpoint, model, voice and opening, as ipywidgets.

No endpoint and no opening is known here by name: what stands in the lists comes from their modules.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import ipywidgets

from ..endpoints import MODELS, VOICES, Endpoint, OpenAI, Simulated, default_endpoint
from ..openings import BUILT_IN, Opening, WaitForUser
from .comm import Sender

ANY_VOICE = "the model's own"
FIRST_WORDS = {
    "text": "Welcome to the museum! Shall I show you the fossils?",
    "instructions": "You guide visitors through a museum. Greet one, and offer a tour.",
}
"""What stands in an opening's text field before anyone writes there, by the field's name."""


@dataclass(frozen=True)
class Choice:
    """What a session is started with."""

    endpoint: Endpoint
    model: str
    voice: str | None
    opening: Opening


def words_field(opening: Opening) -> str:
    """The name of the field that holds an opening's words, empty where it has none."""
    texts = (one.name for one in fields(opening) if isinstance(getattr(opening, one.name), str))
    return next(texts, "")


def an_opening(kind: type[Opening]) -> Opening:
    """One of that kind, its words filled in from `FIRST_WORDS`."""
    known = {one.name: FIRST_WORDS[one.name] for one in fields(kind) if one.name in FIRST_WORDS}
    return kind(**known)


def openings_to_choose(given: Opening | None) -> dict[str, Opening]:
    """All openings by name; `given` stands in the place of its own kind."""
    known = {kind.name: an_opening(kind) for kind in BUILT_IN}
    return known | ({given.name: given} if given is not None else {})


def endpoints_to_choose(given: Endpoint | None) -> dict[str, Endpoint]:
    """The endpoints by name; `given` stands in the place of its own."""
    known: list[Endpoint] = [Simulated(), OpenAI()]
    return {one.name: one for one in (*known, *([given] if given is not None else []))}


class Choices:
    """The row of lists, and what is chosen in them.

    Attributes:
        view: the widget to show.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        opening: Opening | None = None,
        endpoint: Endpoint | None = None,
        model: str | None = None,
        voice: str | None = None,
    ) -> None:
        self._sender = sender
        self._endpoints = endpoints_to_choose(endpoint)
        self._openings = openings_to_choose(opening)
        first = endpoint or default_endpoint()
        chosen = opening or WaitForUser()
        models = dict.fromkeys([model or first.model, *MODELS])
        voices = dict.fromkeys([*([voice] if voice else []), ANY_VOICE, *VOICES])
        self._opening = _list("Opening", self._openings, chosen.name)
        self._words = ipywidgets.Text(layout=_words_layout(chosen))
        self._write_words(chosen)
        self._endpoint = _list("Endpoint", self._endpoints, first.name)
        self._model = _list("Model", models, model or first.model)
        self._voice = _list("Voice", voices, voice or ANY_VOICE)
        self._opening.observe(lambda _: sender.call(self._show_words), "value")
        self._endpoint.observe(lambda _: sender.call(self._show_model), "value")
        self._words.add_class("rtw-wide")
        self._fields = (self._opening, self._endpoint, self._model, self._voice, self._words)
        self.view = ipywidgets.HBox(self._fields)
        self.view.add_class("rtw-settings")

    def current(self) -> Choice:
        """What is chosen now."""
        voice = str(self._voice.value)
        return Choice(
            self._endpoints[self._endpoint.value],
            str(self._model.value),
            None if voice == ANY_VOICE else voice,
            self._current_opening(),
        )

    def lock(self, locked: bool) -> None:
        """Let nothing be chosen while a session stands. On the sender's thread."""
        for field in self._fields:
            field.disabled = locked

    def _current_opening(self) -> Opening:
        opening = self._openings[self._opening.value]
        name = words_field(opening)
        if not name or self._words.value == getattr(opening, name):
            return opening
        changed: dict[str, Any] = {name: self._words.value}
        return replace(opening, **changed)

    def _show_words(self) -> None:
        opening = self._openings[self._opening.value]
        self._write_words(opening)
        self._words.layout.display = _words_layout(opening)["display"]

    def _write_words(self, opening: Opening) -> None:
        name = words_field(opening)
        self._words.description = name.capitalize()
        self._words.value = getattr(opening, name) if name else ""

    def _show_model(self) -> None:
        model = self._endpoints[self._endpoint.value].model
        if model not in self._model.options:
            self._model.options = (model, *self._model.options)
        self._model.value = model


def _list(label: str, options: Any, value: str) -> Any:
    return ipywidgets.Dropdown(description=label, options=list(options), value=value)


def _words_layout(opening: Opening) -> dict[str, str]:
    return {"display": "flex" if words_field(opening) else "none"}
