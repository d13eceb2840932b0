"""What a session has used so far, from its events alone, as they come.

Each response is one entry, and each transcription of the user's speech that reports usage is
another: the service bills both. What was not reported stays unknown and is never counted as
nothing. metering.py makes a bill of it, budgeting.py asks what the next response may cost.

Source: `response.done` and `…input_audio_transcription.completed` carry `usage`; the whole
conversation is input again at each response, and what was interrupted is billed too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from .. import pricing
from ..dialects import usage_of
from ..events import (
    ENDS_OF_A_LINE,
    MOST,
    SIMULATED_ID,
    Event,
    count_field,
    ga_name,
    is_carried,
    text_field,
)
from ..events import field as value_at
from ..items import ENDED, IN_PROGRESS
from ..pricing import Price, Prices, Tokens, tokens_of

TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


class AnyRow(Protocol):
    """What is read of a log's row."""

    @property
    def seq(self) -> int: ...
    @property
    def t(self) -> float: ...
    @property
    def direction(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def audio_ms(self) -> int: ...
    @property
    def event(self) -> Event | None: ...


@dataclass(frozen=True)
class Entry:
    """One thing that is billed, as it was reported.

    Attributes:
        kind: `response` or `transcription`. id: of the response, or of the item transcribed.
        status: a response's; `in_progress` while its usage is still to come, `incomplete` where the
            line's end cut it.
        in_conversation: whether what it read and said belongs to the conversation.
        models: the names its model goes by: as the server says, as it was asked for.
        seconds: of audio, where a transcription is billed by time.
    """

    kind: str
    id: str
    seq: int
    t: float
    models: tuple[str, ...]
    status: str = ""
    in_conversation: bool = True
    tokens: Tokens | None = None
    seconds: float | None = None

    @property
    def done(self) -> bool:
        return self.status != IN_PROGRESS

    def model(self, prices: Prices | None = None) -> str:
        """The name that its price stands under."""
        return pricing.priced_as(self.models, prices)

    def dollars(self, prices: Prices | None = None) -> float | None:
        """US dollars by the price table; None where usage or price is not known."""
        if self.seconds is not None:
            return pricing.cost_of_seconds(self.seconds, self.model(prices), prices)
        return pricing.cost_of_tokens(self.tokens, self.model(prices), prices)


@dataclass
class Ledger:
    """The charges of one session, and what bears on the next one.

    Args:
        asked_model: the model, or deployment, that was asked for; the server may name another.

    Attributes:
        entries: by response id, and by item id for transcriptions, in the order they came.
        session: the effective configuration, as the server last stated it.
        unread: what the next response will read beyond what the last one read and said, as far as
            it is known here: text by its length, speech by its time.
        cold: a session has begun to which everything before has to be told: nothing is cached.
        version: grows whenever an entry changes.
    """

    asked_model: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    session: Event = field(default_factory=dict)
    unread: Tokens = Tokens()
    cold: bool = False
    version: int = 0
    _names: dict[str, None] = field(default_factory=dict)  # of the models billed so far
    _summed: tuple[tuple[int, tuple[Price | None, ...]], float, int] | None = None
    _appended_ms: int = 0
    _speech_start_ms: int | None = None

    def take(self, row: AnyRow) -> None:
        """Take a row of the session's log; most say nothing of money and cost next to nothing."""
        handler = _HANDLERS.get(row.type)
        if handler is not None:
            handler(self, row)

    def cut(self) -> None:
        """The line has ended: what was under way will not say what it used."""
        for key, entry in tuple(self.entries.items()):
            if not entry.done:
                self._enter(replace(entry, status="incomplete"), key)
        self.cold = True
        self._appended_ms, self._speech_start_ms = 0, None

    # ------------------------------------------------------------ reading

    @property
    def models(self) -> tuple[str, ...]:
        """The names its model goes by: as the server says, as it was asked for."""
        said = text_field(self.session, "model")
        return pricing.names_of(said, self.asked_model)

    @property
    def simulated(self) -> bool:
        """Whether nobody charges for it: the session is a simulator's, by its id."""
        return text_field(self.session, "id").startswith(SIMULATED_ID)

    @property
    def responses(self) -> list[Entry]:
        return [one for one in tuple(self.entries.values()) if one.kind == "response"]

    @property
    def under_way(self) -> int:
        """How many responses have begun and not ended."""
        return sum(not one.done for one in self.responses)

    @property
    def last(self) -> Entry | None:
        """The response that ended last."""
        return next((one for one in reversed(self.responses) if one.done), None)

    @property
    def last_read(self) -> Entry | None:
        """The last response of the conversation that said what it used."""
        known = (one for one in reversed(self.responses) if one.tokens is not None)
        return next((one for one in known if one.in_conversation), None)

    @property
    def dollars(self) -> float | None:
        """US dollars of what has ended; None where a part of it is not known."""
        known, unknown = self.sums()
        return None if unknown else known

    def sums(self) -> tuple[float, int]:
        """US dollars of what has ended and is known, and how many ended of which they are not."""
        prices = tuple(pricing.PRICES.get(name) for name in self._names)
        if self._summed is None or self._summed[0] != (self.version, prices):
            costs = [one.dollars() for one in tuple(self.entries.values()) if one.done]
            known = [cost for cost in costs if cost is not None]
            self._summed = (self.version, prices), sum(known, 0.0), len(costs) - len(known)
        return self._summed[1:]

    # ------------------------------------------------------------ receiving

    def _session(self, row: AnyRow) -> None:
        session = value_at(row.event, "session")
        if isinstance(session, dict):
            self.session = session

    def _response(self, row: AnyRow) -> None:
        response = value_at(row.event, "response")
        id_ = text_field(response, "id")
        known = self.entries.get(id_)
        if not id_ or (known is not None and known.done):  # said twice: nothing is counted twice
            return
        ended = ga_name(row.type) == "response.done"
        status = text_field(response, "status")
        if status not in ENDED:
            status = "completed" if ended else IN_PROGRESS
        tokens = tokens_of(usage_of(row.event or {})) if ended else None
        inside = bool(text_field(response, "conversation_id")) or "conversation_id" not in response
        self._enter(
            Entry(
                kind="response",
                id=id_,
                seq=row.seq,
                t=row.t,
                models=self.models,
                status=status if ended else IN_PROGRESS,
                in_conversation=inside,
                tokens=tokens,
            )
        )
        if inside and tokens is not None:
            self.unread, self.cold = Tokens(), False

    def _transcribed(self, row: AnyRow) -> None:
        usage, id_ = value_at(row.event, "usage"), text_field(row.event, "item_id")
        key = f"{id_} {value_at(row.event, 'content_index') or 0}"
        if not isinstance(usage, dict) or key in self.entries:
            return
        seconds = _seconds_of(usage)
        self._enter(
            Entry(
                kind="transcription",
                id=id_,
                seq=row.seq,
                t=row.t,
                models=(_transcriber(self.session),),
                status="completed",
                tokens=tokens_of(usage) if seconds is None else None,
                seconds=seconds,
            ),
            key,
        )

    def _enter(self, entry: Entry, key: str = "") -> None:
        self.entries[key or entry.id] = entry
        self._names.update(dict.fromkeys(entry.models))
        self.version += 1

    # ------------------------------------------------------------ what is not read yet

    # "user audio 1 token/100 ms"; a token of text is rarely shorter than three characters.
    def _item_sent(self, row: AnyRow) -> None:
        if is_carried(row.event):
            return  # the last response has read it already
        parts = value_at(row.event, "item", "content")
        said = "".join(text_field(p, "text") for p in parts) if isinstance(parts, list) else ""
        said += text_field(row.event, "item", "output")
        self.unread += Tokens(text_in=_text_tokens(said))

    def _appended(self, row: AnyRow) -> None:
        self._appended_ms += row.audio_ms

    def _cleared(self, row: AnyRow) -> None:
        self._appended_ms = 0

    def _committed_by_hand(self, row: AnyRow) -> None:
        self.unread += Tokens(audio_in=-(-self._appended_ms // 100))
        self._appended_ms = 0

    def _speech_started(self, row: AnyRow) -> None:
        self._speech_start_ms = count_field(row.event, "audio_start_ms")

    def _speech_stopped(self, row: AnyRow) -> None:
        end = count_field(row.event, "audio_end_ms")
        if end is not None and self._speech_start_ms is not None:
            self.unread += Tokens(audio_in=-(-max(0, end - self._speech_start_ms) // 100))
        self._speech_start_ms, self._appended_ms = None, 0


_HANDLERS = {
    "session.created": Ledger._session,
    "session.updated": Ledger._session,
    "response.created": Ledger._response,
    "response.done": Ledger._response,
    TRANSCRIBED: Ledger._transcribed,
    "conversation.item.create": Ledger._item_sent,
    "input_audio_buffer.append": Ledger._appended,
    "input_audio_buffer.commit": Ledger._committed_by_hand,
    "input_audio_buffer.clear": Ledger._cleared,
    "input_audio_buffer.speech_started": Ledger._speech_started,
    "input_audio_buffer.speech_stopped": Ledger._speech_stopped,
}
TAKEN = frozenset(_HANDLERS)
"""The types of event that say anything of money."""
SESSION = ("session.created", "session.updated")
BILLED = ("response.created", "response.done", TRANSCRIBED)
"""The types of the events that a bill is made of."""


def _transcriber(session: Event) -> str:
    now = text_field(session, "audio", "input", "transcription", "model")
    return now or text_field(session, "input_audio_transcription", "model")


def _text_tokens(text: str) -> int:
    return -(-len(text) // 3)


def _seconds_of(usage: Event) -> float | None:
    """The audio that a transcription was billed for, where it is billed by time."""
    value = usage.get("seconds")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= MOST else None


def ledger_of(rows: Iterable[AnyRow], model: str = "") -> Ledger:
    """The ledger of rows that are already there."""
    ledger = Ledger(model)
    for row in rows:
        if row.direction == "local" and row.type in ENDS_OF_A_LINE:
            ledger.cut()
        else:
            ledger.take(row)
    return ledger
