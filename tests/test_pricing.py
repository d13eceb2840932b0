"""Tokens to dollars, against sums done by hand from the price pages."""

from __future__ import annotations

import pytest

from rtwidgets.pricing import cost_of, rough_cost_of_minutes

# A recorded turn of gpt-realtime: 41 in (14 text, 27 audio), 164 out (28 text, 136 audio).
TURN = {
    "input_token_details": {"text_tokens": 14, "audio_tokens": 27, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 28, "audio_tokens": 136},
}


def test_a_turn_costs_what_the_price_page_says() -> None:
    assert cost_of(TURN, "gpt-realtime") == pytest.approx(
        (14 * 4 + 27 * 32 + 28 * 16 + 136 * 64) / 1e6
    )


def test_cached_tokens_are_part_of_the_input_at_their_own_price() -> None:
    usage = {
        "input_token_details": {
            "text_tokens": 200,
            "audio_tokens": 0,
            "cached_tokens": 128,
            "cached_tokens_details": {"text_tokens": 128, "audio_tokens": 0},
        }
    }
    assert cost_of(usage, "gpt-realtime-2.1") == pytest.approx((72 * 4 + 128 * 0.4) / 1e6)


def test_no_price_is_no_guess() -> None:
    assert cost_of(TURN, "some-model") is None
    assert cost_of(None, "gpt-realtime") is None
    assert rough_cost_of_minutes(1, "some-model") is None


def test_strange_usage_costs_nothing_and_breaks_nothing() -> None:
    assert (
        cost_of(
            {"input_token_details": "many", "output_token_details": {"text_tokens": -3}},
            "gpt-realtime",
        )
        == 0
    )
