"""What a conversation costs: long ones, thought, pictures, and what is cut off."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from simulator_driver import Desk, Event, Says, respond, update, user_text

from rtwidgets.simulator.faults import faults_from
from rtwidgets.simulator.images import image_tokens
from rtwidgets.simulator.tokens import MOST_CONTEXTS, Ledger, Tokens


def usages(desk: Desk) -> list[Event]:
    return [e["response"]["usage"] for e in desk.events if e["type"] == "response.done"]


def long_talk(truncation: Any, model: str = "gpt-realtime") -> Desk:
    desk = Desk(model, brain=Says("Yes."))
    desk.send(update(truncation=truncation, output_modalities=["text"]))
    for place in range(40):
        desk.send(user_text("word " * 1000, id=f"item_{place}"))
    desk.send(respond())
    return desk


def test_the_oldest_items_are_left_out_of_a_context_that_is_too_long() -> None:
    desk = long_talk("auto")
    (usage,) = usages(desk)
    assert 27_000 < usage["input_tokens"] <= 28_672
    assert len(desk.engine.items) == 41  # they stay in the conversation
    (usage,) = usages(long_talk("auto", "gpt-realtime-2.1"))
    assert usage["input_tokens"] > 40_000


def test_a_retention_ratio_leaves_out_more_and_a_limit_counts() -> None:
    half = {"type": "retention_ratio", "retention_ratio": 0.5}
    (usage,) = usages(long_talk(half))
    assert 13_000 < usage["input_tokens"] < 15_000
    limited = {**half, "token_limits": {"post_instructions": 8_000}}
    (usage,) = usages(long_talk(limited))
    assert 3_000 < usage["input_tokens"] < 4_500


def test_with_truncation_disabled_the_response_fails() -> None:
    response = long_talk("disabled").last("response.done")["response"]
    assert response["status"] == "failed"
    assert response["status_details"]["error"]["code"] == "context_length_exceeded"


def test_thought_is_billed_as_text_and_named() -> None:
    desk = Desk("gpt-realtime-2.1", brain=Says("Yes."))
    desk.send(respond(output_modalities=["text"]))
    desk.send(respond(output_modalities=["text"], reasoning={"effort": "high"}))
    plain, thoughtful = (usage["output_token_details"] for usage in usages(desk))
    assert "reasoning_tokens" not in plain
    assert thoughtful["reasoning_tokens"] == 192
    assert thoughtful["text_tokens"] == plain["text_tokens"] + 192


def test_a_picture_is_billed_as_image_tokens_each_time() -> None:
    desk = Desk(brain=Says("A cat."))
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    item = {"type": "message", "role": "user", "content": [picture]}
    desk.send({"type": "conversation.item.create", "item": item})
    desk.send(respond(output_modalities=["text"]))
    desk.send(respond(output_modalities=["text"]))
    details = [usage["input_token_details"] for usage in usages(desk)]
    assert details[0]["image_tokens"] == details[1]["image_tokens"] == 194  # size unknown
    assert usages(desk)[0]["input_tokens"] == sum(
        details[0][f"{kind}_tokens"] for kind in ("text", "audio", "image")
    )


def jpeg(width: int, height: int) -> bytes:
    profile = b"\xff\xe2" + struct.pack(">H", 5002) + b"p" * 5000
    return b"\xff\xd8" + profile + b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width)


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size


def address(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64," + base64.b64encode(data + b"\0" * 40).decode()


@pytest.mark.parametrize(
    ("url", "detail", "tokens"),
    [
        (address("jpeg", jpeg(597, 566)), None, 323),  # captured
        (address("jpeg", jpeg(597, 566)), "low", 65),
        (address("png", png(1024, 1024)), "high", 65 + 129),
        (address("png", png(100, 100)), "auto", 65 + 129),
        (address("gif", gif(4096, 1024)), None, 65 + 4 * 129),
        (address("webp", webp(512, 513)), None, 65 + 2 * 129),
        ("https://example.com/cat.png", None, 65 + 129),
        ("data:image/png;base64,!!!", None, 65 + 129),
        ("data:image/png;base64,iVBORw0KGgo=", None, 65 + 129),
        (address("png", png(0, 7)), None, 65 + 129),
        ("data:,x", None, 65 + 129),
    ],
)
def test_a_picture_is_billed_by_its_size(url: str, detail: str | None, tokens: int) -> None:
    assert image_tokens(url, detail) == tokens


def test_what_failed_before_it_said_anything_costs_nothing() -> None:
    desk = Desk(faults=faults_from(["fail-response=1"]))
    desk.send(user_text("Hello"), respond())
    desk.send(respond())
    failed, answered = usages(desk)
    assert failed["total_tokens"] == 0
    assert answered["total_tokens"] > 0


def test_reasoning_can_be_switched_off() -> None:
    """Reported: every gpt-realtime-2 takes "none", which openai's types do not list."""
    desk = Desk("gpt-realtime-2.1", brain=Says("Yes."))
    desk.send(update(reasoning={"effort": "none"}, output_modalities=["text"]))
    assert desk.session()["reasoning"] == {"effort": "none"}
    desk.send(respond())
    (usage,) = usages(desk)
    assert "reasoning_tokens" not in usage["output_token_details"]
    (refused,) = desk.send(update(reasoning={"effort": "extreme"}))
    assert "'xhigh'." in refused["error"]["message"] and "none" not in refused["error"]["message"]


def test_a_reasoning_model_bills_a_little_more_and_with_tools_much_more() -> None:
    """Captured: 16 and 23 tokens for the same few words, 286 more where there were tools."""
    bills = []
    for model, tools in (("gpt-realtime", []), ("gpt-realtime-2.1", []), ("gpt-realtime-2.1", [1])):
        desk = Desk(model, brain=Says("Hi."))
        function = {"type": "function", "name": "f"}
        desk.send(update(instructions="Be brief.", tools=[function for _ in tools]))
        desk.send(user_text("Say a short greeting."), respond(output_modalities=["text"]))
        bills.append(usages(desk)[0]["input_tokens"])
    assert bills[1] - bills[0] == 7
    assert bills[2] - bills[1] > 270


def cached_tokens(desk: Desk) -> int:
    usage = desk.last("response.done")["response"]["usage"]
    count: int = usage["input_token_details"]["cached_tokens"]
    return count


def test_what_is_asked_aside_is_cached_like_any_other_and_takes_nothing_from_the_rest() -> None:
    """§6: responses out of band bill like any other; so do those with an input of their own."""
    desk = Desk()
    desk.send(user_text("word " * 200), respond())
    assert cached_tokens(desk) == 0
    for aside in ({"conversation": "none"}, {"conversation": "none", "instructions": "Be brief."}):
        desk.send(respond(**aside))
        assert (cached_tokens(desk) >= 192) == ("instructions" not in aside)  # which come first
    desk.send(respond(input=[], instructions="Say exactly: Hello."))
    assert cached_tokens(desk) == 0
    desk.send(user_text("And now?"), respond())
    assert cached_tokens(desk) >= 192


def test_a_ledger_keeps_few_contexts_and_no_beginning_of_another() -> None:
    ledger, words = Ledger(), [Tokens(str(number), text=64) for number in range(20)]
    for end in range(1, 21):
        ledger.bill(words[:end])
    assert ledger.contexts == [words]
    for number in range(10):
        ledger.bill([Tokens(f"other {number}", text=64)])
    assert len(ledger.contexts) == MOST_CONTEXTS
    assert ledger.cached([Tokens("other 9", text=64), *words]) == (64, 0)
    assert ledger.cached(words) == (0, 0)
