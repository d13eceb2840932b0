"""What is chosen before Start: endpoint, model, voice and opening, as ipywidgets.

No endpoint and no opening is known here by name: what stands in the lists comes from their modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import ipywidgets

from ..endpoints import MODELS, VOICES, Endpoint, OpenAI, Simulated, default_endpoint
from ..errors import Misuse
from ..events import whole_characters
from ..openings import Opening, WaitForUser
from ..openings.examples import FIRST_WORDS as FIRST_WORDS
from ..openings.examples import examples
from .comm import Sender, close_tree

ANY_VOICE = "the model's own"


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


def openings_to_choose(given: Opening | None) -> dict[str, Opening]:
    """All openings by name; `given` stands in the place of its own kind."""
    known = {one.name: one for one in examples()}
    return known | ({given.name: given} if given is not None else {})


def endpoints_to_choose(given: Endpoint | None) -> dict[str, Endpoint]:
    """The endpoints by name; `given` stands in the place of its own."""
    known: list[Endpoint] = [Simulated(), OpenAI()]
    return {one.name: one for one in (*known, *([given] if given is not None else []))}


class Choices:
    """The row of lists, and what is chosen in them.

    Each opening has a text field of its own for its words, and the page itself shows the one that
    belongs to the opening in the list: what is on the screen does not wait for the kernel.

    Attributes:
        view: the widget to show.
        fields: the widgets that hold what is chosen, by name. A page that reads them out can say
            with Start what it shows (`choice`).
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
        self._endpoints = endpoints_to_choose(endpoint)
        self._openings = openings_to_choose(opening)
        first = endpoint or default_endpoint()
        chosen = opening or WaitForUser()
        model = first.model_for(model)
        models = dict.fromkeys([model, *MODELS])
        voices = dict.fromkeys([*([voice] if voice else []), ANY_VOICE, *VOICES])
        lists = {
            "opening": _list("Opening", self._openings, chosen.name),
            "endpoint": _list("Endpoint", self._endpoints, first.name),
            "model": _list("Model", models, model),
            "voice": _list("Voice", voices, voice or ANY_VOICE),
        }
        words = {
            _words_of(name): _words(opening)
            for name, opening in self._openings.items()
            if words_field(opening)
        }
        self.fields: dict[str, Any] = lists | words
        lists["endpoint"].observe(lambda _: sender.call(self._show_model, "choices"), "value")
        self.view = ipywidgets.HBox([*lists.values(), self._stack(lists["opening"], words)])
        self.view.add_class("rtw-settings")

    def current(self) -> Choice:
        """What is chosen now, as far as the kernel has heard."""
        return self.choice({name: field.value for name, field in self.fields.items()})

    def choice(self, shown: Mapping[str, Any]) -> Choice:
        """What is chosen where the fields say this, by name. Raises Misuse for what is in no list.

        ipywidgets' messages wait for a busy cell, and Start does not: what a page shows may be
        ahead of what the fields here say.
        """
        known = (
            shown.keys() >= self.fields.keys()
            and shown["opening"] in self._openings
            and shown["endpoint"] in self._endpoints
        )
        if not known:
            raise Misuse("This page shows other choices than the kernel has. Run the cell again.")
        return Choice(
            self._endpoints[shown["endpoint"]],
            str(shown["model"]),
            None if shown["voice"] == ANY_VOICE else str(shown["voice"]),
            self._opening(shown["opening"], shown),
        )

    def lock(self, locked: bool) -> None:
        """Let nothing be chosen while a session stands. On the sender's thread."""
        for field in self.fields.values():
            field.disabled = locked

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell()` when something else is chosen."""
        for field in self.fields.values():
            field.observe(lambda _: tell(), "value")

    def close(self) -> None:
        """Take everything from the page. On the sender's thread."""
        self._link.close()
        close_tree(self.view)

    def _opening(self, name: str, shown: Mapping[str, Any]) -> Opening:
        opening, field = self._openings[name], words_field(self._openings[name])
        if not field or shown[_words_of(name)] == whole_characters(getattr(opening, field)):
            return opening
        changed: dict[str, Any] = {field: str(shown[_words_of(name)])}
        return replace(opening, **changed)

    def _stack(self, openings: Any, words: Mapping[str, Any]) -> Any:
        places = [words.get(_words_of(name)) or ipywidgets.Box() for name in self._openings]
        stack = ipywidgets.Stack(places, selected_index=openings.index)
        stack.add_class("rtw-wide")
        # In the page, not here: it follows the list at once, also while a cell computes.
        self._link = ipywidgets.jslink((openings, "index"), (stack, "selected_index"))
        return stack

    def _show_model(self) -> None:
        model = self._endpoints[self.fields["endpoint"].value].model
        field = self.fields["model"]
        if model not in field.options:
            field.options = (model, *field.options)
        field.value = model


def _list(label: str, options: Iterable[str], value: str) -> Any:
    return ipywidgets.Dropdown(description=label, options=list(options), value=value)


def _words(opening: Opening) -> Any:
    name = words_field(opening)
    return ipywidgets.Text(
        description=name.capitalize(), value=whole_characters(str(getattr(opening, name)))
    )


def _words_of(opening: str) -> str:
    """The name of the field that holds an opening's words."""
    return f"words of {opening}"
