"""mcp_list_tools: what an `mcp` entry of session.tools or response.tools brings with it (§3.8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from . import mcp
from .items import Entry
from .responses import Pause

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]


class Listings:
    """Which MCP servers' tools a session has imported."""

    def __init__(self, engine: Engine, script: mcp.Script) -> None:
        self._engine, self._script = engine, script
        self._asked: set[str] = set()
        self._listed: set[str] = set()

    def want(self, tools: Iterable[Json]) -> None:
        """Import the tools of servers that nobody asked before."""
        for tool in tools:
            if tool["type"] == "mcp" and tool["server_label"] not in self._asked:
                self._asked.add(tool["server_label"])
                self._engine.play(self._list(tool))

    def granted(self, tools: Iterable[Json]) -> list[mcp.Granted]:
        """What a response may call: of servers whose listing is complete, and no others."""
        return [
            each
            for tool in tools
            if tool["type"] == "mcp" and tool["server_label"] in self._listed
            for each in mcp.granted(tool, mcp.offered(self._script, tool) or ())
        ]

    def _list(self, tool: Json) -> Iterator[Pause]:
        label, item_id = tool["server_label"], self._engine.new_id("item_", 21)
        self._tell("in_progress", item_id)
        yield self._engine.pace.of("first_delta")
        offered = mcp.offered(self._script, tool)
        if offered is None:
            self._asked.discard(label)
            return self._tell("failed", item_id)
        wire: Json = {"id": item_id, "type": "mcp_list_tools", "server_label": label}
        entry = Entry({**wire, "tools": [one.listed() for one in offered]})
        self._engine.item_events(entry, self._engine.items.add(entry))
        self._listed.add(label)
        self._tell("completed", item_id)

    def _tell(self, what: str, item_id: str) -> None:
        self._engine.emit({"type": f"mcp_list_tools.{what}", "item_id": item_id})
