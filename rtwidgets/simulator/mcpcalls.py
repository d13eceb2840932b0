"""An MCP call in a response: asked for, approved, run here, answered after response.done (§3.8).

Proven is only that response.done comes before response.mcp_call.completed. Where approval is
needed the response waits for it, as the order in the facts has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .mcp import ToolFailed
from .outputs import Output, Stage

Json = dict[str, Any]


def ask(
    stage: Stage, output: Output, place: Json, ask_approval: Callable[[Json], None]
) -> Iterator[None]:
    """End the arguments, wait for approval where it is needed, and say that the call runs.

    `ask_approval` shows the client an mcp_approval_request.
    """
    assert output.granted is not None
    output.entry.wire["arguments"] = output.said
    done = {"type": "response.mcp_call_arguments.done", **place}
    stage.emit({**done, "arguments": output.said})
    if output.granted.needs_approval:
        ask_approval(_request(stage, output))
        while output.approval is None:
            yield None
    if not _is_refused(output):
        tell(stage, "in_progress", output)


def _request(stage: Stage, output: Output) -> Json:
    wire = output.entry.wire
    request = {"id": stage.new_id("item_", 21), "type": "mcp_approval_request"}
    request |= {key: wire[key] for key in ("server_label", "name", "arguments")}
    wire["approval_request_id"] = request["id"]
    return request


def run(output: Output) -> str:
    """Let the tool answer into the item. Returns "completed" or "failed"."""
    assert output.granted is not None
    wire = output.entry.wire
    try:
        if _is_refused(output):
            raise ToolFailed("The client did not approve the call.")  # words are ours
        wire["output"] = output.granted.tool.run(output.said)
        return "completed"
    except ToolFailed as failed:
        wire["error"] = {"type": "tool_execution_error", "message": str(failed)}
        return "failed"


def tell(stage: Stage, what: str, output: Output) -> None:
    """response.mcp_call.<what>, which carries no response_id."""
    event = {"type": f"response.mcp_call.{what}", "output_index": output.index}
    stage.emit({**event, "item_id": output.entry.id})


def _is_refused(output: Output) -> bool:
    return output.approval is not None and not output.approval["approve"]
