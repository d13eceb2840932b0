"""MCP: tools are listed, called and answered by the server, in the order of the real one."""

from __future__ import annotations

from typing import Any

import pytest
from simulator_driver import Desk, Event, Says, folded, respond, types, update, user_text

from rtwidgets.simulator import mcp
from rtwidgets.simulator.jobs import Answer, Call
from rtwidgets.simulator.mcp import McpTool, rolled

OF_ITEMS = ["conversation.item.added", "conversation.item.done"]
ROLL = Call("roll", '{"diceRollExpression": "2d4 + 1"}')


def server(**fields: Any) -> Event:
    url = "https://example.com/mcp"
    return {"type": "mcp", "server_label": "dice", "server_url": url, **fields}


def desk_with(*answers: Any, script: mcp.Script = mcp.DEFAULT, **fields: Any) -> Desk:
    desk = Desk("gpt-realtime-2.1", brain=Says(*answers), mcp_tools=script)
    desk.send(update(tools=[server(**fields)], output_modalities=["text"]))
    return desk


def test_tools_are_listed_once_they_are_in_the_session() -> None:
    desk = desk_with("Hello.")
    assert types(desk.events)[1:] == [
        "session.updated",
        "mcp_list_tools.in_progress",
        *OF_ITEMS,
        "mcp_list_tools.completed",
    ]
    item = desk.last("conversation.item.done")["item"]
    assert (item["type"], item["server_label"]) == ("mcp_list_tools", "dice")
    assert [tool["name"] for tool in item["tools"]] == ["roll"]
    assert desk.last("mcp_list_tools.completed")["item_id"] == item["id"]


def test_they_are_listed_once() -> None:
    desk = desk_with("Hello.")
    assert types(desk.send(update(tools=[server()]))) == ["session.updated"]


def test_a_server_that_is_not_to_be_had_fails_and_may_be_tried_again() -> None:
    desk = desk_with("Hello.", script={"other": []})
    assert types(desk.events)[-2:] == ["mcp_list_tools.in_progress", "mcp_list_tools.failed"]
    assert types(desk.send(update(tools=[server()])))[-1] == "mcp_list_tools.failed"


def test_a_call_runs_here_and_is_answered_after_the_response() -> None:
    desk = desk_with(Answer("", (ROLL,)), "You rolled well.", require_approval="never")
    came = desk.send(user_text("Roll 2d4+1"), respond())[2:]
    assert folded(types(came)) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.done",
        "rate_limits.updated",
        "conversation.item.done",
        "response.output_item.done",
        "response.mcp_call.completed",
    ]
    output = desk.last("response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["mcp_call"]
    item = desk.last("response.output_item.done")["item"]
    assert (item["arguments"], item["output"]) == (ROLL.arguments, rolled(ROLL.arguments))
    assert item["error"] is None


def test_a_second_response_speaks_of_the_answer() -> None:
    brain = Says(Answer("", (ROLL,)), "You rolled well.")
    desk = Desk(brain=brain)
    desk.send(update(tools=[server(require_approval="never")], output_modalities=["text"]))
    desk.send(user_text("Roll"), respond())
    desk.send(respond(tool_choice="none"))
    assert [turn.role for turn in brain.asked[1].history] == ["user", "call", "output"]
    assert desk.last("response.output_text.done")["text"] == "You rolled well."


def test_the_built_in_brain_rolls_when_asked() -> None:
    desk = Desk()
    desk.send(update(tools=[server(require_approval="never")], output_modalities=["text"]))
    desk.send(user_text("Roll 2d6 + 1, please"), respond(), respond())
    assert desk.last("response.output_item.done")["item"]["type"] == "mcp_call"
    rolls = desk.last("response.output_item.done")["item"]["output"]
    desk.send(respond())
    assert rolls in desk.last("response.output_text.done")["text"]


def approval(desk: Desk, approve: bool) -> Event:
    request = next(e["item"] for e in desk.events if e.get("item", {}).get("type") == REQUEST)
    answer = {"type": "mcp_approval_response", "approval_request_id": request["id"]}
    return {"type": "conversation.item.create", "item": {**answer, "approve": approve}}


REQUEST = "mcp_approval_request"


def test_a_call_waits_for_approval() -> None:
    desk = desk_with(Answer("", (ROLL,)))
    kinds = types(desk.send(user_text("Roll"), respond()))
    assert kinds[-3:] == ["response.mcp_call_arguments.done", *OF_ITEMS]
    came = desk.send(approval(desk, True))
    assert types(came) == [
        *OF_ITEMS,
        "response.mcp_call.in_progress",
        "response.done",
        "rate_limits.updated",
        "conversation.item.done",
        "response.output_item.done",
        "response.mcp_call.completed",
    ]
    assert came[-2]["item"]["approval_request_id"]


def test_a_call_that_is_not_approved_fails() -> None:
    desk = desk_with(Answer("", (ROLL,)))
    desk.send(user_text("Roll"), respond())
    came = desk.send(approval(desk, False))
    assert "response.mcp_call.in_progress" not in types(came)
    assert types(came)[-1] == "response.mcp_call.failed"
    assert came[-2]["item"]["error"]["type"] == "tool_execution_error"


def test_a_response_that_waits_for_approval_can_be_cancelled() -> None:
    desk = desk_with(Answer("", (ROLL,)))
    desk.send(user_text("Roll"), respond())
    desk.send({"type": "response.cancel"})
    assert desk.last("response.done")["response"]["status"] == "cancelled"
    assert types(desk.send(approval(desk, True))) == OF_ITEMS


def test_an_approval_that_nobody_asked_for_is_refused() -> None:
    desk = Desk()
    desk.send(user_text("Hello", id="item_mine"))
    for request_id in ("nowhere", "item_mine"):
        answer = {"type": "mcp_approval_response", "approval_request_id": request_id}
        item = {"type": "conversation.item.create", "item": {**answer, "approve": True}}
        (refused,) = desk.send(item)
        error = refused["error"]
        assert error["code"] == "invalid_approval_request_id"
        assert error["message"] == f"Approval request ID '{request_id}' not found in conversation."
    assert len(desk.engine.items) == 1


def test_a_tool_that_fails_says_so() -> None:
    broken = {"*": (McpTool("roll", error="The dice are lost."),)}
    desk = desk_with(Answer("", (ROLL,)), script=broken, require_approval="never")
    came = desk.send(user_text("Roll"), respond())
    assert types(came)[-1] == "response.mcp_call.failed"
    assert came[-2]["item"]["error"]["message"] == "The dice are lost."


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (None, True),
        ("always", True),
        ("never", False),
        ({"never": {"tool_names": ["roll"]}}, False),
        ({"always": {"tool_names": ["roll"]}}, True),
        ({"always": {"tool_names": ["other"]}}, False),
    ],
)
def test_whether_a_call_needs_approval(rule: Any, asks: bool) -> None:
    (granted,) = mcp.granted(server(require_approval=rule), [mcp.DICE])
    assert granted.needs_approval is asks


def test_only_allowed_tools_are_listed() -> None:
    tools = {"*": (McpTool("a"), McpTool("b"))}
    for allowed in (["b"], {"tool_names": ["b"]}):
        assert [t.name for t in mcp.offered(tools, server(allowed_tools=allowed)) or ()] == ["b"]


def test_the_same_roll_repeats_and_stays_in_bounds() -> None:
    assert rolled("2d4 + 1") == rolled("2d4 + 1")
    assert all(3 <= int(rolled(f"2d4 + 1 {n}")) <= 9 for n in range(50))
