"""Tokens to dollars: a dated table with its source, which a user may replace.

Source: the model pages at developers.openai.com/api/docs/models, cross-checked in November 2026.
Prices change: `PRICES["some-model"] = Price(...)` replaces one for this process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRICES_AS_OF = "2026-11-22"


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens. `cached` is input that the server had seen before."""

    text_in: float
    text_cached: float
    text_out: float
    audio_in: float
    audio_cached: float
    audio_out: float
    image_in: float = 0.0
    image_cached: float = 0.0


_LARGE = Price(4, 0.40, 24, 32, 0.40, 64, 5, 0.50)
_FIRST_GA = Price(4, 0.40, 16, 32, 0.40, 64, 5, 0.50)
_MINI = Price(0.60, 0.06, 2.40, 10, 0.30, 20, 0.80, 0.08)

PRICES: dict[str, Price] = {
    "gpt-realtime-2.1": _LARGE,
    "gpt-realtime-2": _LARGE,
    "gpt-realtime-2.1-mini": _MINI,
    "gpt-realtime-1.5": _FIRST_GA,
    "gpt-realtime": _FIRST_GA,
    "gpt-realtime-2025-08-28": _FIRST_GA,
    "gpt-realtime-mini": _MINI,
    "gpt-realtime-mini-2025-10-06": _MINI,
    "gpt-realtime-mini-2025-12-15": _MINI,
}


def cost_of(usage: Mapping[str, Any] | None, model: str) -> float | None:
    """Dollars of one response's `usage`; None where the model has no price here or usage is
    missing.

    Cached tokens are part of the input tokens and are billed at their own rate; reasoning tokens
    are part of the text output.
    """
    price = PRICES.get(model)
    if price is None or not usage:
        return None
    if not ({"input_token_details", "output_token_details"} & usage.keys()) and usage.get(
        "total_tokens"
    ):
        return None
    read, written = _part(usage, "input_token_details"), _part(usage, "output_token_details")
    cached = _part(read, "cached_tokens_details")
    total = _count(written, "text_tokens") * price.text_out
    total += _count(written, "audio_tokens") * price.audio_out
    for kind, full, reduced in (
        ("text_tokens", price.text_in, price.text_cached),
        ("audio_tokens", price.audio_in, price.audio_cached),
        ("image_tokens", price.image_in, price.image_cached),
    ):
        seen_before = min(_count(cached, kind), _count(read, kind))
        total += (_count(read, kind) - seen_before) * full + seen_before * reduced
    return total / 1_000_000


def rough_cost_of_minutes(minutes: float, model: str) -> float | None:
    """A rough price of a conversation in which both sides speak half of the time.

    One token is 100 ms of the user's or 50 ms of the assistant's speech, and each of about four
    turns a minute reads what came before, mostly from the cache: an order of magnitude to decide
    by, not a bill.
    """
    price = PRICES.get(model)
    if price is None:
        return None
    heard, spoken = minutes * 30 * 10, minutes * 30 * 20
    reread = 4 * minutes * (heard + spoken) / 2
    return (heard * price.audio_in + spoken * price.audio_out + reread * price.audio_cached) / 1e6


def _part(details: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = details.get(key)
    return value if isinstance(value, Mapping) else {}


def _count(details: Mapping[str, Any], key: str) -> int:
    value = details.get(key)
    return value if isinstance(value, int) and value > 0 else 0
