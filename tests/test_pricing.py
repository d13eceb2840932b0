"""Tokens to dollars, against sums done by hand from the price pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import rtwidgets as rt
from rtwidgets import pricing
from rtwidgets.pricing import (
    PRICES,
    Price,
    Tokens,
    cost_of,
    cost_of_seconds,
    cost_of_tokens,
    dollars_by_kind,
    prices_label,
    rough_cost_of_minutes,
    set_prices,
    tokens_of,
)

# A recorded turn of gpt-realtime: 41 in (14 text, 27 audio), 164 out (28 text, 136 audio).
TURN = {
    "input_token_details": {"text_tokens": 14, "audio_tokens": 27, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 28, "audio_tokens": 136},
}


@pytest.fixture(autouse=True)
def the_built_in_table() -> Iterator[None]:
    yield
    set_prices(None)


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


EVERY_KIND = Tokens(
    text_in=1000, text_cached=640, audio_in=500, audio_cached=128, image_in=300, image_cached=64,
    text_out=90, reasoning=40, audio_out=700,
)  # fmt: skip


def test_every_kind_has_its_own_price_and_reasoning_is_text() -> None:
    by_hand = (
        360 * 0.6 + 640 * 0.06 + 372 * 10 + 128 * 0.3 + 236 * 0.8 + 64 * 0.08 + 90 * 2.4 + 700 * 20
    ) / 1e6
    assert cost_of_tokens(EVERY_KIND, "gpt-realtime-2.1-mini") == pytest.approx(by_hand)
    kinds = dollars_by_kind(EVERY_KIND, PRICES["gpt-realtime-2.1-mini"])
    assert sum(part or 0 for part in kinds.values()) == pytest.approx(by_hand)
    assert kinds["audio_in"] == pytest.approx(372 * 10 / 1e6)


def test_a_sum_of_usages_costs_the_sum() -> None:
    both = EVERY_KIND + Tokens(text_in=5, audio_out=7)
    assert (both.text_in, both.audio_out, both.total) == (1005, 707, EVERY_KIND.total + 12)
    parts = [cost_of_tokens(t, "gpt-realtime") for t in (EVERY_KIND, Tokens(5, audio_out=7))]
    assert cost_of_tokens(both, "gpt-realtime") == pytest.approx(sum(p or 0 for p in parts))


def test_no_price_is_no_guess() -> None:
    assert cost_of(TURN, "some-model") is None
    assert cost_of(None, "gpt-realtime") is None
    assert rough_cost_of_minutes(1, "some-model") is None
    assert cost_of_seconds(3, "some-model") is None and cost_of_seconds(3, "gpt-realtime") is None
    image = {"input_token_details": {"image_tokens": 5}}
    assert cost_of(image, "gpt-4o-realtime-preview") is None, "it has no price for images"


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        "many",
        7,
        {"cost": 3},
        {"total_tokens": 12},
        {"total_tokens": 12, "input_tokens": 12, "output_tokens": 0},
        {"output_tokens": 3, "output_token_details": {}, **{"input_token_details": {"text": 1}}},
        {"output_tokens": 3, "input_tokens": 4, "input_token_details": {"text_tokens": 4}},
    ],
)
def test_usage_that_does_not_tell_the_kinds_is_unknown_and_not_nothing(usage: Any) -> None:
    assert tokens_of(usage) is None and cost_of(usage, "gpt-realtime") is None


@pytest.mark.parametrize("wrong", [-3, True, "5", 2.5, None, [1]])
def test_a_count_that_is_none_is_left_out(wrong: Any) -> None:
    usage = {"input_token_details": "many", "output_token_details": {"text_tokens": wrong}}
    assert cost_of(usage, "gpt-realtime") == 0
    usage = {"output_token_details": {"text_tokens": wrong, "audio_tokens": 2}}
    assert tokens_of(usage) == Tokens(audio_out=2)


def test_more_cached_than_there_is_is_no_gift() -> None:
    details = {"text_tokens": 10, "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 9}}
    assert tokens_of({"input_token_details": details}) == Tokens(text_in=10, text_cached=10)


def test_cached_tokens_of_untold_kind_never_make_it_too_cheap() -> None:
    details = {"text_tokens": 100, "audio_tokens": 100, "cached_tokens": 128}
    tokens = tokens_of({"input_token_details": details})
    assert tokens == Tokens(text_in=100, text_cached=100, audio_in=100, audio_cached=28)


def test_transcription_is_billed_by_the_minute_or_the_token() -> None:
    assert cost_of_seconds(90, "gpt-realtime-whisper") == pytest.approx(1.5 * 0.017)
    usage = {
        "type": "tokens",
        "total_tokens": 22,
        "input_tokens": 13,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 13},
        "output_tokens": 9,
        "output_token_details": {"text_tokens": 9},
    }
    assert cost_of(usage, "gpt-4o-transcribe") == pytest.approx((13 * 2.5 + 9 * 10) / 1e6)


def test_output_of_transcription_without_kinds_is_text() -> None:
    """As the transcription guide shows it: `output_tokens` alone."""
    usage = {
        "type": "tokens",
        "input_token_details": {"text_tokens": 0, "audio_tokens": 13},
        "input_tokens": 13,
        "output_tokens": 9,
    }
    assert tokens_of(usage) == Tokens(audio_in=13, text_out=9)


# ---------------------------------------------------------------- a table of one's own


def test_a_price_of_ones_own_wins_and_says_so() -> None:
    assert prices_label("gpt-realtime") == f"prices of {pricing.PRICES_AS_OF}"
    assert prices_label("my-deployment") == ""
    rt.set_prices({"my-deployment": Price(text_out=10), "gpt-realtime": Price(text_out=20)})
    usage = {"output_token_details": {"text_tokens": 100_000}}
    assert cost_of(usage, "my-deployment") == 1 and cost_of(usage, "gpt-realtime") == 2
    assert prices_label("my-deployment") == prices_label("gpt-realtime") == "your prices"
    assert prices_label("gpt-realtime-mini") == f"prices of {pricing.PRICES_AS_OF}"
    rt.set_prices(None)
    assert cost_of(usage, "my-deployment") is None
    assert prices_label("gpt-realtime") == f"prices of {pricing.PRICES_AS_OF}"


def test_set_in_the_table_itself_it_is_the_same() -> None:
    rt.pricing.PRICES["gpt-realtime"] = rt.Price(text_out=1)
    assert prices_label("gpt-realtime") == "your prices"


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "4", True])
def test_what_is_no_price_is_refused(wrong: Any) -> None:
    with pytest.raises(rt.Misuse, match="text_in"):
        Price(text_in=wrong)


@pytest.mark.parametrize("wrong", [{"m": 4}, ["m"], "m"])
def test_what_is_no_table_of_prices_is_refused(wrong: Any) -> None:
    before = dict(PRICES)
    with pytest.raises(rt.Misuse, match="set_prices"):
        set_prices(wrong)
    assert before == PRICES


def test_a_model_has_the_price_of_the_first_name_that_has_one_but_the_users_wins() -> None:
    names = ("gpt-realtime", "my-deployment")
    assert pricing.priced_as(names) == "gpt-realtime"
    assert pricing.priced_as(names[::-1]) == "gpt-realtime"
    assert pricing.priced_as(("one", "two")) == "one"
    set_prices({"my-deployment": Price(text_in=1)})
    assert pricing.priced_as(names) == "my-deployment"


def test_the_price_list_can_be_printed() -> None:
    set_prices({"my-deployment": Price(text_in=1.5)})
    text = str(rt.prices())
    assert pricing.PRICES_AS_OF in text and pricing.PRICES_FROM in text
    lines = {line.split()[0]: line for line in text.splitlines()[3:]}
    assert lines.keys() == PRICES.keys()
    assert "your prices" in lines["my-deployment"] and "1.50" in lines["my-deployment"]
    assert "64.00" in lines["gpt-realtime-2.1"] and "your" not in lines["gpt-realtime-2.1"]
    assert "<table" in rt.prices()._repr_html_()


def test_a_rough_minute_is_an_order_of_magnitude() -> None:
    rough = rough_cost_of_minutes(1, "gpt-realtime-2.1")
    assert rough is not None and 0.02 < rough < 0.2


@pytest.mark.parametrize(
    ("said", "asked", "names"),
    [
        ("gpt-realtime", "my-deployment", ("gpt-realtime", "my-deployment")),
        ("gpt-realtime-2025-08-28", "gpt-realtime", ("gpt-realtime-2025-08-28", "gpt-realtime")),
        ("openai/gpt-realtime", "gpt-realtime", ("openai/gpt-realtime", "gpt-realtime")),
        ("grok-voice-latest", "gpt-realtime", ("grok-voice-latest",)),
        ("", "gpt-realtime", ("gpt-realtime",)),
        ("", "", ("",)),
    ],
)
def test_a_server_that_has_another_model_than_was_asked_for_has_not_its_price(
    said: str, asked: str, names: tuple[str, ...]
) -> None:
    assert pricing.names_of(said, asked) == names


def test_the_users_own_price_for_what_was_asked_holds_whatever_the_server_names() -> None:
    set_prices({"gpt-realtime": Price(text_in=1)})
    assert pricing.names_of("grok-voice-latest", "gpt-realtime")[1:] == ("gpt-realtime",)
