"""A budget that is kept before it is passed: what the next reply may cost, and what then.

An estimate, for nobody knows how long an answer will be. Input: all that the last response read and
said is read again, cached as far as it was cached last (by a new session not at all), with what
came since. Output: as long as `max_output_tokens` allows, else as long as the longest so far, else
`FIRST_REPLY`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from .. import pricing
from ..dialects import turn_detection_of
from ..events import MOST, Event, budget_reached, session_update, text_field
from ..events import field as value_at
from ..pricing import Price, Tokens
from .ledger import Ledger

FIRST_REPLY = Tokens(text_out=40, audio_out=160)
"""What a first reply is taken for, about eight seconds of speech, while none has been seen."""

NEXT_WORDS = Tokens(text_in=100)
"""Room for the words that are being sent along with the request."""


@dataclass
class Budget:
    """So many US dollars for one session.

    Attributes:
        dollars: None for no limit.
        before: what earlier sessions took from the same budget; `dollars` is what they left.
    """

    dollars: float | None
    ledger: Ledger
    before: float = 0.0

    @property
    def whole(self) -> float:
        """US dollars of the budget with what earlier sessions took from it; 0 for no limit."""
        return self.before + (self.dollars or 0.0)

    def next_cost(self, request: Event | None = None) -> float | None:
        """US dollars that the next response may cost, None where its model has no price.

        Args:
            request: the `response.create` it answers; None for one that the server makes by itself.
        """
        model = pricing.priced_as(self.ledger.models)
        price = pricing.PRICES.get(model)
        if price is None:
            return None
        return pricing.cost_of_tokens(
            _input(self.ledger) + _output(self.ledger, price, request), model
        )

    def reason(self, request: Event | None = None, beside: int = 0) -> str | None:
        """Why no further response may be asked for, in words; None while one may.

        Args:
            beside: how many others are on their way, whose cost is not known yet.
        """
        if self.dollars is None:
            return None
        spent, unknown = self.ledger.sums()
        one = self.next_cost(request)
        if one is None:
            return self._untold() if self.ledger.entries else None
        # One that ended without saying what it used is counted as what one may cost.
        if spent + one * (1 + beside + unknown) <= self.dollars:
            return None
        taken = self.before + spent
        known = f"{money(taken)} spent" if taken else "nothing spent yet"
        known += f" ({money(self.before)} of it in earlier conversations)" if self.before else ""
        known += f", {unknown} of unknown cost" if unknown else ""
        return (
            f"The budget of {money(self.whole)} would be passed: {known}, and the next reply may "
            f"cost {money(one)}. Start a new conversation with a larger budget= to go on."
        )

    def _untold(self) -> str:
        return (
            f"A budget of {money(self.whole)} cannot be kept: no price is known for "
            f"{self.ledger.models[0]}. Give one by rtwidgets.set_prices(), and start again."
        )

    def reached(self, message: str) -> Event:
        """The `local` row that says so."""
        spent, unknown = self.ledger.sums()
        row = budget_reached(message, budget=self.whole, spent=self.before + spent)
        return {**row, "unknown": unknown, "next": self.next_cost()}

    def hold(self) -> Event | None:
        """The `session.update` by which the server answers no spoken turn, and no silence, by
        itself; None where it does not anyway."""
        detection = turn_detection_of(self.ledger.session)
        if not isinstance(detection, dict):
            return None
        if detection.get("create_response") is False and not detection.get("idle_timeout_ms"):
            return None
        held = {**detection, "create_response": False}
        if "idle_timeout_ms" in held:
            held["idle_timeout_ms"] = None
        return session_update(audio={"input": {"turn_detection": held}})


def money(dollars: float) -> str:
    """A small sum with the digits it needs: $0.0042, $0.05, $12.50."""
    in_cents = abs(dollars) >= 0.1 or abs(dollars - round(dollars, 2)) < 1e-9
    return f"${dollars:.2f}" if in_cents else f"${dollars:.4f}"


def _input(ledger: Ledger) -> Tokens:
    before = ledger.last_read
    if before is None or before.tokens is None:
        session = ledger.session
        given = text_field(session, "instructions") + json.dumps(session.get("tools") or [])
        return ledger.unread + NEXT_WORDS + Tokens(text_in=len(given) // 3)
    read = before.tokens
    # What it said is read again: as text where it was written, as audio where it was spoken.
    said = Tokens(text_in=0 if read.audio_out else read.text_out, audio_in=read.audio_out)
    again = replace(read, text_out=0, audio_out=0, reasoning=0)
    if ledger.cold:
        again = replace(again, text_cached=0, audio_cached=0, image_cached=0)
    return again + said + ledger.unread + NEXT_WORDS


def _output(ledger: Ledger, price: Price, request: Event | None) -> Tokens:
    asked = value_at(request, "response", "output_modalities")
    modalities = asked or ledger.session.get("output_modalities")
    spoken = modalities != ["text"]
    limit = value_at(request, "response", "max_output_tokens")
    limit = ledger.session.get("max_output_tokens") if limit is None else limit
    if limit.__class__ is int and 0 <= limit <= MOST:  # else "inf"
        dear = spoken and (price.audio_out or 0) > (price.text_out or 0)
        return Tokens(audio_out=limit) if dear else Tokens(text_out=limit)
    seen = [one.tokens for one in ledger.responses if one.tokens is not None]
    alike = [tokens for tokens in seen if bool(tokens.audio_out) == spoken]
    if not alike:
        total = FIRST_REPLY.text_out if spoken else FIRST_REPLY.total
        return Tokens(text_out=total, audio_out=FIRST_REPLY.audio_out if spoken else 0)
    return Tokens(
        text_out=max(tokens.text_out for tokens in alike),
        audio_out=max(tokens.audio_out for tokens in alike),
    )
