"""MCP tools from a script: what a server of that label would list, and what its tools answer.

Nothing is ever connected to: `server_url`, `connector_id` and keys are accepted and left
alone. A script is a mapping of a server's label to its tools; "*" stands for any label.
Without a script every server has the one tool of `DICE` (the real service's own tests use
such a server), so that a lesson about MCP needs nothing else.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import Misuse

Json = dict[str, Any]


class ToolFailed(Exception):
    """The call came to nothing; shown as the call's error."""


@dataclass(frozen=True)
class McpTool:
    """One scripted tool. It answers `output`, fails with `error`, or (neither) rolls dice."""

    name: str
    description: str = ""
    input_schema: Json = field(default_factory=lambda: {"type": "object", "properties": {}})
    output: str | None = None
    error: str | None = None

    def listed(self) -> Json:
        shown = {"name": self.name, "description": self.description, "annotations": None}
        return {**shown, "input_schema": self.input_schema}

    def run(self, arguments: str) -> str:
        """The tool's answer. Raises ToolFailed."""
        if self.error is not None:
            raise ToolFailed(self.error)
        return rolled(arguments) if self.output is None else self.output


DICE = McpTool(
    "roll",
    "Roll dice, for example 2d6 + 1.",
    {
        "type": "object",
        "properties": {"diceRollExpression": {"type": "string"}},
        "required": ["diceRollExpression"],
    },
)

Script = Mapping[str, Sequence[McpTool]]
DEFAULT: Script = {"*": (DICE,)}


@dataclass(frozen=True)
class Granted:
    """A tool that a response may call: whose it is, and whether the client is asked first."""

    server_label: str
    tool: McpTool
    needs_approval: bool

    def as_function(self) -> Json:
        """How a brain sees it: a function like any other."""
        described = {"name": self.tool.name, "description": self.tool.description}
        return {"type": "function", **described, "parameters": self.tool.input_schema}


def rolled(arguments: str) -> str:
    """Dice whose numbers follow from the words, so that the same roll repeats."""
    found = re.search(r"(\d{1,2})d(\d{1,3})(?:\s*\+\s*(\d{1,3}))?", arguments)
    count, sides, more = (int(part or 0) for part in found.groups()) if found else (1, 6, 0)
    dice = [zlib.crc32(f"{arguments}|{n}".encode()) % max(1, sides) + 1 for n in range(count)]
    return str(sum(dice) + more)


def offered(script: Script, tool: Json) -> tuple[McpTool, ...] | None:
    """The tools that an `mcp` entry of a session lists, None when its server is not to be had."""
    found = script.get(tool["server_label"], script.get("*"))
    if found is None:
        return None
    names = _names(tool.get("allowed_tools"))
    return tuple(one for one in found if names is None or one.name in names)


def granted(tool: Json, offered: Sequence[McpTool]) -> list[Granted]:
    """The same with what `require_approval` says of each; absent means always."""
    label = tool["server_label"]
    return [Granted(label, one, _needs_approval(tool, one.name)) for one in offered]


def _names(allowed: Any) -> list[str] | None:
    if isinstance(allowed, dict):
        allowed = allowed.get("tool_names")
    return allowed if isinstance(allowed, list) else None


def _needs_approval(tool: Json, name: str) -> bool:
    rule = tool.get("require_approval")
    if not isinstance(rule, dict):
        return rule != "never"
    never, always = (_names(rule.get(key)) for key in ("never", "always"))
    if never is not None:
        return name not in never
    return always is None or name in always


def script_from(value: Any) -> Script:
    """A script as JSON has it: {"label": [{"name": …, "output": …}, …]}. Raises Misuse."""
    try:
        return {
            label: tuple(one if isinstance(one, McpTool) else McpTool(**one) for one in tools)
            for label, tools in value.items()
        }
    except (AttributeError, TypeError):
        raise Misuse(
            'A script of MCP tools is {"server label": [{"name": …, "output": …}, …]}; a tool may '
            f"also have description, input_schema and error. This is not: {json.dumps(value)[:80]}"
        ) from None
