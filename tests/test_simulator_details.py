"""Details that a reader of bills, schemas and closings would notice."""

from __future__ import annotations

from typing import Any

import pytest
from simulator_driver import (
    Desk,
    Event,
    Says,
    hum,
    respond,
    silence,
    types,
    update,
    user_text,
)

from rtwidgets.simulator.jobs import Answer, Call, Heard, Question
from rtwidgets.simulator.latency import TYPICAL
from rtwidgets.simulator.replies import BuiltInBrain
from rtwidgets.simulator.toolcalls import arguments

TOOL: Event = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
DICE: Event = {"type": "mcp", "server_label": "dice", "server_url": "https://example.com/mcp"}


def usages(desk: Desk) -> list[Event]:
    return [e["response"]["usage"] for e in desk.events if e["type"] == "response.done"]


def spoken_turn(desk: Desk, milliseconds: int = 1000) -> list[Event]:
    return desk.send(hum(milliseconds), silence(1000))


# --- the bill


def test_cached_tokens_come_in_steps_of_64_and_are_part_of_the_input() -> None:
    desk = Desk(voice_ms=4000)
    for _ in range(6):
        spoken_turn(desk, 3000)
    seen = set()
    for usage in usages(desk):
        details = usage["input_token_details"]
        cached = details["cached_tokens_details"]
        assert details["cached_tokens"] == sum(cached.values())
        for kind, count in cached.items():
            assert count % 64 == 0
            assert count <= details[kind]
        seen.add(cached["audio_tokens"])
    assert {0, 64} < seen


class Knows:
    def words(self, heard: Heard) -> str:
        return "What a great many words there are in this one short turn of mine"


def test_a_spoken_turn_is_billed_for_its_sound_alone() -> None:
    """Its words cost nothing more, and that they come later does not break the cache."""
    told, untold = (Desk(transcriber=knows, voice_ms=4000) for knows in (Knows(), None))
    for desk in (told, untold):
        desk.send(update(instructions="Be brief."), user_text("word " * 200))
        spoken_turn(desk)
        desk.brain = Says("Yes.")
        spoken_turn(desk)
    heard, unheard = ([u["input_token_details"] for u in usages(d)] for d in (told, untold))
    assert [one["text_tokens"] for one in heard] == [one["text_tokens"] for one in unheard]
    assert usages(told)[1]["input_token_details"]["cached_tokens"] >= 192


def test_a_retention_ratio_cuts_only_where_the_context_is_too_long() -> None:
    desk = Desk(brain=Says("Well."), voice_ms=100)
    limits = {"post_instructions": 400}
    ratio = {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": limits}
    desk.send(update(output_modalities=["text"], truncation=ratio))
    for _ in range(12):
        desk.send(user_text("word " * 40), respond())
    sizes = [usage["input_tokens"] for usage in usages(desk)]
    falls = sum(after < before for before, after in zip(sizes, sizes[1:], strict=False))
    assert 1 <= falls <= 3
    cached = [usage["input_token_details"]["cached_tokens"] for usage in usages(desk)]
    assert max(cached[-4:]) >= 256


# --- tools


def test_an_empty_list_of_tools_switches_the_tools_of_the_session_off() -> None:
    brain = Says("Well.")
    desk = Desk(brain=brain)
    desk.send(update(tools=[TOOL, {**DICE, "require_approval": "never"}]))
    desk.send(respond(tools=[]))
    desk.send(respond())
    asked = [[tool["name"] for tool in question.tools] for question in brain.asked]
    assert asked == [[], ["get_weather", "roll"]]


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ({"type": ["string", "null"]}, "Lima"),
        ({"type": ["null", "integer"]}, 1),
        ({"type": ["null"]}, None),
        ({"type": []}, "Lima"),
        ({"type": {}}, "Lima"),
        ({"type": 5}, "Lima"),
        ({"type": "string", "enum": 5}, "Lima"),
        ({"type": "string", "enum": {"a": 1}}, "Lima"),
        ({"enum": []}, "Lima"),
        ([], "Lima"),
    ],
)
def test_any_schema_gets_arguments(shape: Any, value: Any) -> None:
    parameters = {"type": "object", "properties": {"city": shape}, "required": ["city"]}
    found = arguments("weather in Lima", {**TOOL, "parameters": parameters})
    assert found == {"city": value}
    assert arguments("in Lima", {**TOOL, "parameters": {**parameters, "required": []}})
    loose = {**TOOL, "parameters": {**parameters, "required": 5}}
    question = Question("", tools=(loose,), tool_choice="required")
    assert BuiltInBrain().answer(question).calls


# --- max_output_tokens

LONG = "One two three four five six seven eight nine ten. " * 20
CALL = Call("get_weather", '{"city": "Llanfairpwllgwyngyll", "days": [1, 2, 3, 4, 5, 6, 7, 8, 9]}')


def limited(desk: Desk, limit: int, **fields: Any) -> Event:
    desk.send(user_text("Go on."), respond(max_output_tokens=limit, **fields))
    response: Event = desk.last("response.done")["response"]
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    usage = response["usage"]
    details = usage["output_token_details"]
    assert usage["output_tokens"] == details["text_tokens"] + details["audio_tokens"] <= limit
    assert min(details.values()) >= 0
    assert details.get("reasoning_tokens", 0) <= details["text_tokens"]
    return response


@pytest.mark.parametrize("limit", [1, 5, 20, 40])
def test_a_bill_never_exceeds_the_limit(limit: int) -> None:
    for effort in (None, "minimal", "low", "high"):
        for modality in ("text", "audio"):
            desk = Desk("gpt-realtime-2.1", brain=Says(LONG))
            reasoning = effort and {"effort": effort}
            limited(desk, limit, output_modalities=[modality], reasoning=reasoning)


@pytest.mark.parametrize("limit", [5, 60])
def test_a_long_sound_is_cut_at_the_limit(limit: int) -> None:
    desk = Desk(brain=Says("Hm."), voice_ms=20_000)
    response = limited(desk, limit)
    assert 0 < response["usage"]["output_token_details"]["audio_tokens"] <= limit
    assert response["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize("limit", [1, 5, 15])
def test_a_call_is_cut_at_the_limit(limit: int) -> None:
    desk = Desk(brain=Says(CALL))
    (item,) = limited(desk, limit, tools=[TOOL])["output"]
    assert item["status"] == "incomplete"
    assert item["arguments"] != CALL.arguments
    assert CALL.arguments.startswith(item["arguments"])


def test_of_what_was_cut_the_last_alone_is_incomplete() -> None:
    desk = Desk(brain=Says(Answer("Well.", (CALL, CALL))))
    output = limited(desk, 20, tools=[TOOL], output_modalities=["text"])["output"]
    assert [item["status"] for item in output] == ["completed", "incomplete"]


def test_half_a_call_of_an_mcp_tool_is_none() -> None:
    desk = Desk(brain=Says(Call("roll", '{"diceRollExpression": "2d4"}')))
    desk.send(update(tools=[{**DICE, "require_approval": "never"}]))
    assert limited(desk, 12)["output"] == []


def test_thinking_may_use_all_of_the_limit() -> None:
    desk = Desk("gpt-realtime-2.1", brain=Says("Hello."))
    response = limited(desk, 20, output_modalities=["text"], reasoning={"effort": "high"})
    assert response["output"] == []
    assert response["usage"]["output_token_details"]["reasoning_tokens"] == 20


def test_a_reply_within_the_limit_is_complete() -> None:
    desk = Desk(brain=Says("Hello."))
    desk.send(respond(max_output_tokens=200))
    assert desk.last("response.done")["response"]["status"] == "completed"


# --- items that are changed while they are sent


def speaking(seconds: float = 1.5) -> tuple[Desk, str]:
    """A desk in the middle of a long reply, and the reply's item."""
    desk = Desk(brain=Says(LONG), voice_ms=8000, latency=TYPICAL)
    desk.send_for(seconds, user_text("Count."), respond())
    assert any(kind == "response.output_audio.delta" for kind in types(desk.events))
    return desk, desk.last("response.output_item.added")["item"]["id"]


def truncate(item_id: str, audio_end_ms: int, content_index: int = 0) -> Event:
    event = {"type": "conversation.item.truncate", "item_id": item_id}
    return {**event, "content_index": content_index, "audio_end_ms": audio_end_ms}


@pytest.mark.parametrize("heard_ms", [0, 100])
def test_what_is_still_sent_does_not_undo_a_truncation(heard_ms: int) -> None:
    desk, item_id = speaking()
    came = desk.send(truncate(item_id, heard_ms))
    assert "conversation.item.truncated" in types(came)
    assert "response.output_audio.delta" in types(came)  # the reply went on
    desk.send({"type": "conversation.item.retrieve", "item_id": item_id})
    item = desk.last("conversation.item.retrieved")["item"]
    assert item["content"] == [{"type": "output_audio"}]
    desk.send(truncate(item_id, heard_ms + 50))
    assert desk.last("error")["error"]["message"].startswith(f"Audio content of {heard_ms}ms")


def test_an_item_that_was_deleted_is_not_done() -> None:
    desk, item_id = speaking()
    came = types(desk.send({"type": "conversation.item.delete", "item_id": item_id}))
    assert "conversation.item.done" not in came
    assert came.index("response.output_item.done") < came.index("response.done")


def test_a_message_has_one_content_to_truncate() -> None:
    desk = Desk(brain=Says("Hello."))
    desk.send(respond())
    item_id = desk.last("response.output_item.added")["item"]["id"]
    (refused,) = desk.send(truncate(item_id, 100, content_index=5))
    assert refused["error"]["code"] == "integer_above_max_value"
    assert refused["error"]["param"] == "content_index"


def test_an_approval_out_of_band_is_no_item_of_the_conversation() -> None:
    desk = Desk(brain=Says(Call("roll", '{"diceRollExpression": "2d4"}')))
    desk.send(update(tools=[DICE]))
    came = desk.send(respond(conversation="none", input=[]))
    assert not any(kind.startswith("conversation.item") for kind in types(came))
    shown = desk.last("response.output_item.done")
    assert shown["item"]["type"] == "mcp_approval_request"
    assert shown["output_index"] == 1
    approval = {"type": "mcp_approval_response", "approval_request_id": shown["item"]["id"]}
    event = {"type": "conversation.item.create", "item": {**approval, "approve": True}}
    assert "response.mcp_call.completed" in types(desk.send(event))
    output = desk.last("response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["mcp_call", "mcp_approval_request"]


@pytest.mark.parametrize("seconds", [0.1, 0.14, 0.15, 0.2])
def test_nothing_is_told_of_a_turn_that_was_deleted(seconds: float) -> None:
    desk = Desk(transcriber=Knows(), latency=TYPICAL)
    detection = {"type": "server_vad", "create_response": False}
    hearing = {"transcription": {"model": "whisper-1"}, "turn_detection": detection}
    desk.send(update(audio={"input": hearing}))
    desk.send_for(0.2, hum(1000), silence(1000))
    item_id = desk.last("conversation.item.done")["item"]["id"]
    desk.send_for(seconds, user_text("More."))
    after = desk.send({"type": "conversation.item.delete", "item_id": item_id})
    kinds = types(after)
    gone = kinds.index("conversation.item.deleted")
    assert not any("transcription" in kind for kind in kinds[gone:])


# --- values


def test_null_is_taken_as_absent() -> None:
    desk = Desk("gpt-realtime-2.1", brain=Says("Hello."))
    before = desk.session()
    nothing = dict.fromkeys(
        ("model", "output_modalities", "instructions", "tools", "tool_choice", "truncation")
        + ("max_output_tokens", "parallel_tool_calls", "audio", "prompt", "include")
    )
    output = {"voice": None, "format": None, "speed": None}
    for fields in (nothing, {"audio": {"input": None, "output": None}}):
        assert types(desk.send(update(**fields))) == ["session.updated"]
    desk.send(update(audio={"input": {"format": None}, "output": output}))
    assert desk.session() == before
    item = {**user_text("Hi")["item"], "id": None, "status": None, "object": None, "phase": None}
    desk.send({"type": "conversation.item.create", "item": item})
    assert desk.last("conversation.item.done")["item"]["id"].startswith("item_")
    fields = ("conversation", "input", "tools", "tool_choice", "max_output_tokens", "audio")
    desk.send(respond(**dict.fromkeys(fields)), respond(audio={"output": {"voice": None}}))
    assert desk.last("response.done")["response"]["conversation_id"] is not None
    assert desk.last("error")["error"]["code"] == "conversation_already_has_active_response"


def test_reasoning_that_is_taken_back_is_not_shown() -> None:
    """Captured: a session without `reasoning` does not name it."""
    desk = Desk("gpt-realtime-2.1")
    (updated,) = desk.send(update(reasoning={"effort": "high"}))
    assert updated["session"]["reasoning"] == {"effort": "high"}
    (updated,) = desk.send(update(reasoning=None))
    assert "reasoning" not in updated["session"]


def test_a_transcription_is_changed_field_by_field() -> None:
    desk = Desk()

    def change(transcription: Event | None) -> Any:
        desk.send(update(audio={"input": {"transcription": transcription}}))
        return desk.session()["audio"]["input"]["transcription"]

    first = {"model": "whisper-1", "language": "en", "prompt": None}
    assert change({"model": "whisper-1", "language": "en"}) == first
    assert change({"prompt": "Names."}) == {**first, "prompt": "Names."}
    assert change({"language": None, "model": None}) == {
        "model": "whisper-1",
        "language": None,
        "prompt": "Names.",
    }
    assert change(None) is None
    assert change({"prompt": "x"}) == {"model": None, "language": None, "prompt": "x"}


def test_tracing_stays_what_it_is_once_it_is_on() -> None:
    desk = Desk()
    came = desk.send(update(tracing=None), update(tracing="auto"), update(tracing="auto"))
    assert types(came) == 3 * ["session.updated"]
    for other in (None, {"workflow_name": "w"}):
        (refused,) = desk.send(update(tracing=other, instructions="Be brief."))
        assert refused["error"]["code"] == "invalid_parameter"
        assert refused["error"]["param"] == "session.tracing"
    assert desk.session()["tracing"] == "auto"
    assert desk.session()["instructions"] != "Be brief."


PLACES = {
    "data:image/png;base64,iVBORw0KGgo=": True,
    "https://example.com/a.png": True,
    "": False,
    "file:///etc/passwd": False,
    "http://example.com/a.png": False,
    "https://": False,
    "data:": False,
    "a.png": False,
}


@pytest.mark.parametrize("place", PLACES)
def test_an_image_is_a_data_uri_or_at_an_https_address(place: str) -> None:
    content = [{"type": "input_image", "image_url": place}]
    item = {"type": "message", "role": "user", "content": content}
    came = Desk().send({"type": "conversation.item.create", "item": item})
    if PLACES[place]:
        assert types(came) == ["conversation.item.added", "conversation.item.done"]
    else:
        assert came[0]["error"]["code"] == "invalid_value"
        assert came[0]["error"]["param"] == "item.content[0].image_url"
