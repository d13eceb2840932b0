"""Tokens to dollars: a dated table with its source, which a user may replace.

`rtwidgets.set_prices({"my-deployment": Price(...)})` sets prices for this process; they win, and
wherever dollars are shown the label then says "your prices". What has no price here costs None,
"not known", and never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .errors import Misuse

PRICES_AS_OF = "2026-11-22"
PRICES_FROM = "developers.openai.com/api/docs/models"
"""Speech models: the model pages. Transcription models: litellm 1.109.1's table of the same month,
which agrees with the pages where both have a model."""

YOURS = "your prices"
_DATED = f"prices of {PRICES_AS_OF}"


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens, by kind; None where a model has no such tokens.

    `…_cached` is input that the server had seen before. `minute` is US dollars for a minute of
    audio, for models that bill time. Raises Misuse for what is no price.
    """

    text_in: float | None = None
    text_cached: float | None = None
    text_out: float | None = None
    audio_in: float | None = None
    audio_cached: float | None = None
    audio_out: float | None = None
    image_in: float | None = None
    image_cached: float | None = None
    minute: float | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Misuse(f"{one.name} is a number of dollars, not {value!r}.")
            if not (math.isfinite(value) and value >= 0):
                raise Misuse(f"{one.name} is a price of 0 dollars or more, not {value!r}.")


_LARGE = Price(4, 0.40, 24, 32, 0.40, 64, 5, 0.50)
_FIRST_GA = Price(4, 0.40, 16, 32, 0.40, 64, 5, 0.50)
_MINI = Price(0.60, 0.06, 2.40, 10, 0.30, 20, 0.80, 0.08)
_PREVIEW = Price(5, 2.50, 20, 40, 2.50, 80)
_MINI_PREVIEW = Price(0.60, 0.30, 2.40, 10, 0.30, 20)
_TRANSCRIBE = Price(text_in=2.50, text_out=10, audio_in=2.50, minute=0.006)
_MINI_TRANSCRIBE = Price(text_in=1.25, text_out=5, audio_in=1.25, minute=0.003)

_BUILT_IN: dict[str, Price] = {
    "gpt-realtime-2.1": _LARGE,
    "gpt-realtime-2": _LARGE,
    "gpt-realtime-2.1-mini": _MINI,
    "gpt-realtime-1.5": _FIRST_GA,
    "gpt-realtime": _FIRST_GA,
    "gpt-realtime-2025-08-28": _FIRST_GA,
    "gpt-realtime-mini": _MINI,
    "gpt-realtime-mini-2025-10-06": _MINI,
    "gpt-realtime-mini-2025-12-15": _MINI,
    "gpt-4o-realtime-preview": _PREVIEW,
    "gpt-4o-realtime-preview-2024-12-17": _PREVIEW,
    "gpt-4o-realtime-preview-2025-06-03": _PREVIEW,
    "gpt-4o-mini-realtime-preview": _MINI_PREVIEW,
    "gpt-4o-mini-realtime-preview-2024-12-17": _MINI_PREVIEW,
    "gpt-realtime-whisper": Price(minute=0.017),
    "gpt-live-transcribe": Price(minute=0.017),
    "gpt-realtime-translate": Price(minute=0.034),
    "gpt-live-1": Price(minute=0.05),
    "whisper-1": Price(minute=0.006),
    "gpt-transcribe": Price(minute=0.0045),
    "gpt-4o-transcribe": _TRANSCRIBE,
    "gpt-4o-transcribe-diarize": _TRANSCRIBE,
    "gpt-4o-mini-transcribe": _MINI_TRANSCRIBE,
    "gpt-4o-mini-transcribe-2025-03-20": _MINI_TRANSCRIBE,
    "gpt-4o-mini-transcribe-2025-12-15": _MINI_TRANSCRIBE,
}

PRICES: dict[str, Price] = dict(_BUILT_IN)
"""By model, or by deployment: what this process reckons with."""

Prices = Mapping[str, Price]


def set_prices(prices: Prices | None) -> None:
    """Reckon with these prices, by model or deployment, from now on; other models keep theirs.

    None takes the built-in table again. `PRICES["my-model"] = Price(...)` does the same for one.
    """
    if prices is None:
        PRICES.clear()
        PRICES.update(_BUILT_IN)
        return
    if not isinstance(prices, Mapping) or not all(isinstance(p, Price) for p in prices.values()):
        raise Misuse(
            'Prices are a dict of Price by model: set_prices({"my-model": Price(text_in=4, …)}).'
        )
    PRICES.update(prices)


def is_yours(model: str, prices: Prices | None = None) -> bool:
    """Whether the price of `model` was set by the user."""
    price = (PRICES if prices is None else prices).get(model)
    return price is not None and price is not _BUILT_IN.get(model)


def prices_label(model: str, prices: Prices | None = None) -> str:
    """Where the price of `model` is from: "prices of …" with the date, "your prices", or empty."""
    if (PRICES if prices is None else prices).get(model) is None:
        return ""
    return YOURS if is_yours(model, prices) else _DATED


def names_of(said: str, asked: str) -> tuple[str, ...]:
    """The names that a model goes by: as the server says, and as it was asked for.

    A server that names another model than the one asked for has that one, and not its price. A
    snapshot of it (`gpt-realtime-2025-08-28`) and a gateway's prefix (`openai/gpt-realtime`) are no
    other model, nor is what stands behind a deployment's own name, for which there is no price.
    """
    another = bool(said) and asked in PRICES and not is_yours(asked) and asked not in said
    return tuple(dict.fromkeys(filter(None, (said, "" if another else asked)))) or ("",)


def priced_as(names: tuple[str, ...], prices: Prices | None = None) -> str:
    """The name, of several that one model goes by, to reckon with; the first where none has a
    price.

    A deployment is asked for by its own name, and the server names the model behind it. A price
    that the user set wins; else the first that is in the table.
    """
    table = PRICES if prices is None else prices
    known = [name for name in names if name in table]
    yours = (name for name in known if is_yours(name, table))
    return next(yours, known[0] if known else names[0])


# ---------------------------------------------------------------- what a response used


@dataclass(frozen=True)
class Tokens:
    """Tokens by kind, as a server reports them.

    Cached tokens are part of the input of their kind, reasoning tokens part of the text output.
    """

    text_in: int = 0
    text_cached: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    image_in: int = 0
    image_cached: int = 0
    text_out: int = 0
    reasoning: int = 0
    audio_out: int = 0

    @property
    def input(self) -> int:
        return self.text_in + self.audio_in + self.image_in

    @property
    def output(self) -> int:
        return self.text_out + self.audio_out

    @property
    def total(self) -> int:
        return self.input + self.output

    def __add__(self, other: Tokens) -> Tokens:
        sums = (getattr(self, one) + getattr(other, one) for one in KINDS)
        return Tokens(*sums)


KINDS = tuple(one.name for one in fields(Tokens))
_IN = ("text", "audio", "image")
_KNOWN_FIELDS = frozenset(
    ["total_tokens"]
    + [f"{side}_{rest}" for side in ("input", "output") for rest in ("tokens", "token_details")]
)


def tokens_of(usage: object) -> Tokens | None:
    """What a `usage` says by kind; None where it is missing, or gives a sum without its kinds.

    Cached tokens of untold kind are taken for the kind that saves least, so that no cost comes out
    too low.
    """
    if not isinstance(usage, Mapping) or not usage:
        return None
    if _KNOWN_FIELDS.isdisjoint(usage):
        return None
    read, written = _details(usage, "input"), _details(usage, "output")
    given = {kind: _count(read, f"{kind}_tokens") for kind in _IN}
    text, audio = _count(written, "text_tokens"), _count(written, "audio_tokens")
    if usage.get("type") == "tokens" and not written:  # a transcription writes nothing but text
        text = _count(usage, "output_tokens")
    sums = {"input": sum(given.values()), "output": text + audio}
    if any(told == 0 and _count(usage, f"{side}_tokens") for side, told in sums.items()):
        return None
    if not any(sums.values()) and _count(usage, "total_tokens"):
        return None
    cached = _cached(read, given)
    return Tokens(
        text_in=given["text"],
        text_cached=cached["text"],
        audio_in=given["audio"],
        audio_cached=cached["audio"],
        image_in=given["image"],
        image_cached=cached["image"],
        text_out=text,
        reasoning=min(_count(written, "reasoning_tokens"), text),
        audio_out=audio,
    )


def _details(usage: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    details = usage.get(f"{side}_token_details")
    return details if isinstance(details, Mapping) else {}


def _cached(read: Mapping[str, Any], given: Mapping[str, int]) -> dict[str, int]:
    """Cached tokens by kind: never more than there are of it."""
    details = read.get("cached_tokens_details")
    if isinstance(details, Mapping):
        return {kind: min(_count(details, f"{kind}_tokens"), given[kind]) for kind in _IN}
    left, by_kind = _count(read, "cached_tokens"), {}
    for kind in ("text", "image", "audio"):
        by_kind[kind] = min(left, given[kind])
        left -= by_kind[kind]
    return by_kind


_MOST = 2**53  # a count beyond that is none, and no float holds it


def _count(details: Mapping[str, Any], key: str) -> int:
    value = details.get(key)
    return value if value.__class__ is int and 0 < value <= _MOST else 0


# ---------------------------------------------------------------- dollars


def dollars_by_kind(tokens: Tokens, price: Price) -> dict[str, float | None]:
    """US dollars for each kind of token: text, audio and image `…_in` (without what was cached) and
    `…_cached`, `text_out`, `audio_out`. None for a kind that was used and has no price."""
    counts = {
        **{f"{k}_in": getattr(tokens, f"{k}_in") - getattr(tokens, f"{k}_cached") for k in _IN},
        **{f"{kind}_cached": getattr(tokens, f"{kind}_cached") for kind in _IN},
        "text_out": tokens.text_out,
        "audio_out": tokens.audio_out,
    }
    return {kind: _times(count, getattr(price, kind)) for kind, count in counts.items()}


def _times(count: int, price: float | None) -> float | None:
    if count == 0:
        return 0.0
    return None if price is None else count * price / 1_000_000


def cost_of_tokens(tokens: Tokens | None, model: str, prices: Prices | None = None) -> float | None:
    """US dollars for these tokens of `model`; None where they or the price are not known."""
    price = (PRICES if prices is None else prices).get(model)
    if tokens is None or price is None:
        return None
    parts = list(dollars_by_kind(tokens, price).values())
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def cost_of_seconds(seconds: float, model: str, prices: Prices | None = None) -> float | None:
    """US dollars for so much audio of a model that bills time; None where the price is unknown."""
    price = (PRICES if prices is None else prices).get(model)
    return None if price is None or price.minute is None else seconds * price.minute / 60


def cost_of(
    usage: Mapping[str, Any] | None, model: str, prices: Prices | None = None
) -> float | None:
    """US dollars of one response's `usage`; None where the model has no price here or usage is
    missing.

    Cached tokens are part of the input tokens and are billed at their own rate; reasoning tokens
    are part of the text output.
    """
    return cost_of_tokens(tokens_of(usage), model, prices)


def rough_cost_of_minutes(minutes: float, model: str) -> float | None:
    """A rough price of a conversation in which both sides speak half of the time.

    One token is 100 ms of the user's or 50 ms of the assistant's speech, and each of about four
    turns a minute reads what came before, mostly from the cache: an order of magnitude to decide
    by, not a bill.
    """
    heard, spoken = minutes * 30 * 10, minutes * 30 * 20
    reread = round(4 * minutes * (heard + spoken) / 2)
    first = round(heard)
    tokens = Tokens(audio_in=first + reread, audio_cached=reread, audio_out=round(spoken))
    return cost_of_tokens(tokens, model)
