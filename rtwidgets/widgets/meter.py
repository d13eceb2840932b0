"""The meter: tokens by kind and dollars, of a conversation and of its last reply, and the budget.

`reading_of` says what it shows, and is pure. The widget holds one small trait, which changes when a
response ends and costs nothing between.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import traitlets

from .. import pricing
from ..money.budgeting import Budget, money
from ..money.ledger import Entry, Ledger
from ..pricing import Price, Tokens
from .comm import Live, Sender
from .page import page_code

# A line of the meter: what it is called, how many tokens of it there are, the name of its price.
# What was cached is a part of the line above and has a price of its own.
_LINES = (
    ("Text in", "text_in", "text_in"),
    ("of it cached", "text_cached", "text_cached"),
    ("Audio in", "audio_in", "audio_in"),
    ("of it cached", "audio_cached", "audio_cached"),
    ("Image in", "image_in", "image_in"),
    ("of it cached", "image_cached", "image_cached"),
    ("Text out", "text_out", "text_out"),
    ("of it reasoning", "reasoning", ""),
    ("Audio out", "audio_out", "audio_out"),
)
_ALWAYS = ("text_in", "audio_in", "text_out", "audio_out")


@dataclass(frozen=True)
class Line:
    """One line. A count or a sum that is not known is None.

    Attributes:
        part: whether it is a part of the line above. rate: US dollars for a million tokens.
        used, dollars: of the conversation. last, last_dollars: of its last reply.
        unit: of what is counted; empty for tokens.
    """

    name: str
    part: bool = False
    rate: float | None = None
    used: float | None = None
    dollars: float | None = None
    last: float | None = None
    last_dollars: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Bar:
    """How much of a budget is spent: shares of it between 0 and 1, and what to say of it.

    Attributes:
        next: the share that the next reply may take.
        level: `within`, `near` (the next reply but one may be too much) or `reached`.
    """

    spent: float
    next: float
    level: str
    words: str


@dataclass(frozen=True)
class Reading:
    """What the meter shows.

    Attributes:
        total: the last line; its dollars are the least where a part is unknown (`at_least`).
        notes: sentences below: whose prices, what is not known, that nothing is charged.
    """

    model: str = ""
    lines: list[Line] = field(default_factory=list)
    total: Line = Line("Total")
    at_least: bool = False
    simulated: bool = False
    notes: list[str] = field(default_factory=list)
    budget: Bar | None = None


def reading_of(ledger: Ledger, budget: Budget | None = None) -> Reading:
    """What the meter shows of a session, with the budget it is kept to."""
    model = pricing.priced_as(ledger.models)
    price = pricing.PRICES.get(model)
    entries = tuple(ledger.entries.values())
    ended = [one for one in entries if one.done]
    used = sum((one.tokens for one in ended if one.kind == "response" and one.tokens), Tokens())
    last = ledger.last
    known, unknown = ledger.sums()
    lines = [*_token_lines(used, last.tokens if last else None, price), *_transcription(ended)]
    total = Line(
        "Total",
        used=used.total,
        dollars=known if known or not unknown else None,
        last=last.tokens.total if last and last.tokens else None,
        last_dollars=last.dollars() if last else None,
    )
    return Reading(
        model=model,
        lines=lines if ended else [],
        total=total,
        at_least=bool(unknown),
        simulated=ledger.simulated,
        notes=list(_notes(ledger, model, price, unknown)),
        budget=_bar(budget) if budget is not None else None,
    )


def _token_lines(used: Tokens, last: Tokens | None, price: Price | None) -> Iterable[Line]:
    costs = pricing.dollars_by_kind(used, price) if price else {}
    last_costs = pricing.dollars_by_kind(last, price) if price and last else {}
    for name, kind, priced in _LINES:
        if getattr(used, kind) or kind in _ALWAYS:
            yield Line(
                name,
                part=name.startswith("of it"),
                rate=getattr(price, priced, None) if priced else None,
                used=getattr(used, kind),
                dollars=costs.get(priced),
                last=getattr(last, kind) if last else None,
                last_dollars=last_costs.get(priced),
            )


def _transcription(entries: Iterable[Entry]) -> Iterable[Line]:
    """The lines of transcriptions: those billed by time and those billed by token."""
    heard = [one for one in entries if one.kind == "transcription"]
    for unit in ("s", ""):
        alike = [one for one in heard if (one.seconds is None) == (unit == "")]
        if not alike:
            continue
        told = [one.seconds for one in alike if one.seconds is not None]
        told += [float(one.tokens.total) for one in alike if one.tokens is not None]
        costs = [cost for one in alike if (cost := one.dollars()) is not None]
        yield Line(
            "Transcription",
            used=sum(told) if told else None,
            dollars=sum(costs) if costs else None,
            unit=unit,
        )


def _notes(ledger: Ledger, model: str, price: Price | None, unknown: int) -> Iterable[str]:
    label = pricing.prices_label(model)
    where = f", {pricing.PRICES_FROM}" if label and label != pricing.YOURS else ""
    if ledger.simulated and price:
        yield f"Simulated, nothing is charged: what {model} would cost ({label}{where})."
    elif price:
        yield f"{model}: {label}{where}."
    elif model:
        yield (
            f"No price is known for {model}. rtwidgets.set_prices("
            f'{{"{model}": rtwidgets.Price(text_in=…)}}) gives one.'
        )
    if price and unknown:
        yield f"At least: of {unknown} it is not known what they used or cost."
    if ledger.under_way:
        yield "A reply is being made: it is counted when it has ended."


def _bar(budget: Budget) -> Bar | None:
    if budget.dollars is None:
        return None
    whole, before = budget.whole, budget.before
    known, unknown = budget.ledger.sums()
    spent, following = before + known, budget.next_cost()
    said = f"{money(spent)} of the budget of {money(whole)} spent"
    said += f", {money(before)} of it in earlier conversations" if before else ""
    if following is None:
        return Bar(min(1, spent / whole), 0, "within", f"{said}.")
    left = whole - spent - unknown * following
    level = "reached" if left < following else "near" if left < 2 * following else "within"
    then = {
        "within": f"the next reply may cost {money(following)}.",
        "near": f"nearly reached: the next reply may cost {money(following)}.",
        "reached": "reached: no more replies are asked for. Start a new conversation with a "
        "larger budget= to go on.",
    }
    share = min(1.0, spent / whole)
    return Bar(share, min(1 - share, following / whole), level, f"{said}; {then[level]}")


class Meter(Live):
    """Shows what a session used: `wake` it when that may have changed.

    Args:
        ledger: of the session. budget: to show as a bar, None for no limit.
    """

    _esm = page_code("meter.js")
    reading = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        ledger: Ledger | None = None,
        budget: Budget | None = None,
        *,
        sender: Sender | None = None,
    ) -> None:
        self._shown = (ledger or Ledger(), budget)
        self._read: tuple[object, ...] = ()
        super().__init__(sender, reading=asdict(reading_of(*self._shown)))

    def show(self, ledger: Ledger, budget: Budget | None = None) -> None:
        """Show another session from here on."""
        self._shown = (ledger, budget)
        self.wake()

    def flush(self) -> None:
        ledger, budget = self._shown
        now = (id(ledger), ledger.version, id(ledger.session))
        if now != self._read:
            self._put({"reading": asdict(reading_of(ledger, budget))})
            self._read = now
