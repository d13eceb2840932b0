"""What a response is to be: response.create laid over the session it is sent in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import models, refusals, sessions, tokens
from .items import Entry, prompt_tokens
from .jobs import Question
from .mcp import Granted

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What response.create and the session together ask for."""

    instructions: str
    modality: Literal["audio", "text"]
    context: tuple[Entry, ...]
    prompt: tokens.Tokens
    tools: tuple[Json, ...]
    tool_choice: Any
    max_output_tokens: int | str
    metadata: Json | None
    conversation_id: str | None  # None: out of band
    voice: Any
    audio_format: Json
    speed: float
    reasoning: bool
    effort: str | None
    replies_before: int
    granted: Mapping[str, Granted]  # the MCP tools that may be called, by name
    overflows: bool  # the context is too long, and truncation is disabled

    @property
    def voice_name(self) -> str:
        """A custom voice ({"id": …}) goes by its id: a response's voice is a string."""
        return self.voice if isinstance(self.voice, str) else str(self.voice["id"])

    def question(self) -> Question:
        turns = (turn for entry in self.context for turn in entry.turns())
        return Question(
            instructions=self.instructions,
            history=tuple(turns),
            tools=(*self.tools, *(each.as_function() for each in self.granted.values())),
            tool_choice=_named(self.tool_choice, self.granted),
            commentary=self.reasoning,
            replies_before=self.replies_before,
        )


def plan_for(
    session: Json,
    wanted: Json,
    context: tuple[Entry, ...],
    *,
    conversation_id: str | None,
    voice_is_fixed: bool,
    replies_before: int,
    granted: Iterable[Granted] = (),
) -> Plan:
    """The plan of a response. `wanted` is the `response` of response.create, perhaps empty.

    Raises Refusal where the session or its model does not allow it.
    """
    sessions.check_model_fields(wanted, session["model"], "response")
    given = {key: value for key, value in sessions.given(wanted).items() if value is not None}
    asked: Json = {**session, **given}  # what the response says goes before what the session says
    output: Json = {**session["audio"]["output"], **given.get("audio", {}).get("output", {})}
    if voice_is_fixed and output["voice"] != session["audio"]["output"]["voice"]:
        raise refusals.voice_is_fixed()
    _check_choice(asked, "response" if "tool_choice" in given else "session")
    # §2c: instructions of a response replace the session's for this response.
    instructions = asked["instructions"] or session["instructions"]
    reasoning = models.reasons(session["model"])
    prompt = prompt_tokens(instructions, asked["tools"], reasoning)
    room = models.most_input_tokens(session["model"]) - prompt.total
    fitting = within(context, room, session["truncation"])
    return Plan(
        instructions=instructions,
        modality=asked["output_modalities"][0],
        context=context if fitting is None else fitting,
        prompt=prompt,
        tools=tuple(tool for tool in asked["tools"] if tool["type"] == "function"),
        tool_choice=asked["tool_choice"],
        max_output_tokens=asked["max_output_tokens"],
        metadata=given.get("metadata"),
        conversation_id=conversation_id,
        voice=output["voice"],
        audio_format=output["format"],
        speed=session["audio"]["output"]["speed"],
        reasoning=reasoning,
        effort=(asked.get("reasoning") or {}).get("effort"),
        replies_before=replies_before,
        granted={each.tool.name: each for each in granted},
        overflows=fitting is None,
    )


def within(context: tuple[Entry, ...], room: int, truncation: Any) -> tuple[Entry, ...] | None:
    """What of the context fits into `room` tokens; None when it does not and nothing may go.

    Documented (§1.4): `auto` leaves out the oldest items, `retention_ratio` more than need be,
    so that the next responses find the same start in the cache; `disabled` is an error.
    """
    ratio = 1.0
    if isinstance(truncation, dict):
        ratio = truncation["retention_ratio"]
        limit = (truncation.get("token_limits") or {}).get("post_instructions")
        room = room if limit is None else min(room, limit)
    sizes = [entry.tokens().total for entry in context]
    total, first = sum(sizes), 0
    if total <= room:
        return context
    if truncation == "disabled":
        return None
    while first < len(sizes) and total > ratio * room:
        total -= sizes[first]
        first += 1
    return context[first:]


def _check_choice(asked: Json, place: str) -> None:
    """A tool that must be called has to be there. Raises Refusal."""
    choice, tools, param = asked["tool_choice"], asked["tools"], f"{place}.tool_choice"
    if choice == "required" and not tools:
        raise refusals.no_tools_to_choose(param)
    if not isinstance(choice, dict):
        return
    key = "name" if choice["type"] == "function" else "server_label"
    if not any(tool["type"] == choice["type"] and tool[key] == choice[key] for tool in tools):
        raise refusals.no_such_tool(choice[key], param)


def _named(tool_choice: Any, granted: Mapping[str, Granted]) -> Any:
    """The choice of an MCP tool as that of a function: a brain knows no difference."""
    if not isinstance(tool_choice, dict) or tool_choice["type"] != "mcp":
        return tool_choice
    label, name = tool_choice["server_label"], tool_choice.get("name")
    of_server = [each.tool.name for each in granted.values() if each.server_label == label]
    return {"type": "function", "name": name or next(iter(of_server), None)}
