"""The bill of a session: tokens by kind and dollars, from its log alone.

One row a response, and one a transcription of the user's speech that reports usage. What was not
reported is shown as unknown, and the sum then says "at least".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import pricing
from ..events import ENDS_OF_A_LINE
from ..pricing import Prices
from ..tables import Table, column
from .ledger import BILLED, SESSION, Entry, Ledger, ledger_of

if TYPE_CHECKING:
    from ..log.rows import Rows


@dataclass(frozen=True)
class Charge:
    """One line of a bill. What was not reported is None; dollars too where there is no price.

    Cached tokens are part of the input of their kind and are billed once, at their own price;
    reasoning is part of the text output. `seq` is the row of the log that says so.
    """

    what: str = column("", default="")
    status: str = column("", default="")
    text_in: int | None = column("text in", default=None)
    text_cached: int | None = column("cached", default=None)
    audio_in: int | None = column("audio in", default=None)
    audio_cached: int | None = column("cached", default=None)
    image_in: int | None = column(hidden=True, default=None)
    image_cached: int | None = column(hidden=True, default=None)
    text_out: int | None = column("text out", default=None)
    reasoning: int | None = column("reasoning", default=None)
    audio_out: int | None = column("audio out", default=None)
    seconds: float | None = column("audio", unit="s", digits=1, default=None)
    dollars: float | None = column("US dollars", digits=5, default=None)
    model: str = column("model", hidden=True, default="")
    id: str = column(hidden=True, default="")
    t: float | None = column(hidden=True, default=None)
    seq: int | None = column(hidden=True, default=None)


class Bill(Table[Charge]):
    """What a session used: one row a response, and one a transcription that was billed.

    `total` is the sum of what is known; its dollars are None where a part is not, and then `known`
    is the least that it cost.

    Attributes:
        known: US dollars of all that is known. unknown: how many rows have no known cost.
        simulated: whether nobody charges for it.
    """

    def __init__(self, ledger: Ledger, prices: Prices | None = None) -> None:
        entries = tuple(ledger.entries.values())
        rows = [_charge(entry, prices) for entry in entries]
        costs = [row.dollars for row in rows]
        self.known = sum((cost for cost in costs if cost is not None), 0.0)
        self.unknown = costs.count(None)
        self.simulated = ledger.simulated
        super().__init__(
            rows, Charge, caption=self._caption(entries, prices), total=self._sum(rows)
        )

    def __str__(self) -> str:
        return self.to_text(width=None)

    __repr__ = __str__

    @property
    def dollars(self) -> float | None:
        """US dollars in all, None where a part of them is not known."""
        return None if self.unknown else self.known

    def _sum(self, rows: list[Charge]) -> Charge:
        sums: dict[str, Any] = {}
        for name in (*pricing.KINDS, "seconds"):
            known = [value for row in rows if (value := getattr(row, name)) is not None]
            sums[name] = sum(known) if known else None
        return Charge(what="total", dollars=self.dollars, **sums)

    def _caption(self, entries: tuple[Entry, ...], prices: Prices | None) -> str:
        models = tuple(dict.fromkeys(entry.model(prices) for entry in entries))
        named = ", ".join(filter(None, models)) or "a model that is not named"
        labels = dict.fromkeys(pricing.prices_label(model, prices) for model in models)
        said = [", ".join(filter(None, labels))]
        if self.simulated:
            said.insert(0, "simulated, nothing is charged")
        if self.unknown:
            said.append(f"at least ${self.known:.4f}: {self.unknown} of unknown cost")
        about = "; ".join(filter(None, said))
        return f"What {named} used" + (f" ({about})" if about else "") if entries else ""


def _charge(entry: Entry, prices: Prices | None) -> Charge:
    tokens = entry.tokens
    counts: dict[str, Any] = {kind: getattr(tokens, kind, None) for kind in pricing.KINDS}
    return Charge(
        what=entry.kind,
        status=entry.status,
        seconds=entry.seconds,
        dollars=entry.dollars(prices),
        model=entry.model(prices),
        id=entry.id,
        t=entry.t,
        seq=entry.seq,
        **counts,
    )


def bill(rows: Rows, prices: Prices | None = None) -> Bill:
    """What the responses and transcriptions in `rows`, a log or a part of one, used and cost.

    Args:
        prices: by model, in place of `rtwidgets.pricing.PRICES`.
    """
    log = rows.log
    session = (row for row in log.where(type=SESSION) if len(rows) and row.seq <= rows[-1].seq)
    ends = rows.where(type=ENDS_OF_A_LINE, direction="local")
    in_order = {row.seq: row for row in (*session, *rows.where(type=BILLED), *ends)}
    return Bill(ledger_of((in_order[seq] for seq in sorted(in_order)), log.model), prices)


# ---------------------------------------------------------------- the price list


@dataclass(frozen=True)
class PriceLine:
    """A model's prices in US dollars for a million tokens, or for a minute of audio."""

    model: str = column("model")
    text_in: float | None = column("text in", digits=2)
    text_cached: float | None = column("cached", digits=2)
    text_out: float | None = column("text out", digits=2)
    audio_in: float | None = column("audio in", digits=2)
    audio_cached: float | None = column("cached", digits=2)
    audio_out: float | None = column("audio out", digits=2)
    image_in: float | None = column("image in", digits=2)
    image_cached: float | None = column("cached", digits=2)
    minute: float | None = column("a minute", digits=4)
    source: str = column("source")


class PriceList(Table[PriceLine]):
    """The prices of all models, in full width."""

    def __str__(self) -> str:
        return self.to_text(width=None)

    __repr__ = __str__


def prices() -> PriceList:
    """The price table that dollars are reckoned by, with its date and source."""
    lines = [
        PriceLine(
            model=model,
            source=pricing.prices_label(model),
            **vars(price),
        )
        for model, price in pricing.PRICES.items()
    ]
    caption = (
        f"US dollars for a million tokens, as of {pricing.PRICES_AS_OF} ({pricing.PRICES_FROM}); "
        "set_prices() replaces them"
    )
    return PriceList(lines, PriceLine, caption=caption)
