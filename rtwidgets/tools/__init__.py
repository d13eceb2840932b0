"""Python functions as tools: what the model is told of them, and calling them for it.

documentation.py  what a docstring says of each parameter
hints.py          from a type hint to a shape         models.py  a pydantic model as a parameter
shapes.py         a JSON schema, and JSON values checked against it
function.py       a function as a tool, and all tools of a session
results.py        what a tool gave, as a text that the model reads
running.py        one call: on a thread or on the loop, with a timeout
calling.py        the calls of a session: what is answered, and when the model is asked to go on
"""

from __future__ import annotations

from .calling import Calls, ToolCall
from .function import Given, Tool, Toolbox, tool, toolbox

__all__ = ["Calls", "Given", "Tool", "ToolCall", "Toolbox", "tool", "toolbox"]
