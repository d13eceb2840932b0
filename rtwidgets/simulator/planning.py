"""What a response is to be: response.create laid over the session it is sent in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from . import models, refusals, sessions, tokens
from .items import Entry, prompt_tokens
from .jobs import Question

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
    replies_before: int

    def question(self) -> Question:
        turns = (entry.turn() for entry in self.context)
        return Question(
            instructions=self.instructions,
            history=tuple(turn for turn in turns if turn is not None),
            tools=self.tools,
            tool_choice=self.tool_choice,
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
) -> Plan:
    """The plan of a response. `wanted` is the `response` of response.create, perhaps empty.

    Raises Refusal where the session or its model does not allow it.
    """
    sessions.check_model_fields(wanted, session["model"], "response")
    given = {key: value for key, value in wanted.items() if value is not None}
    asked: Json = {**session, **given}  # what the response says goes before what the session says
    output: Json = {**session["audio"]["output"], **given.get("audio", {}).get("output", {})}
    if voice_is_fixed and output["voice"] != session["audio"]["output"]["voice"]:
        raise refusals.voice_is_fixed()
    # §2c: instructions of a response replace the session's for this response.
    instructions = asked["instructions"] or session["instructions"]
    reasoning = models.reasons(session["model"])
    return Plan(
        instructions=instructions,
        modality=asked["output_modalities"][0],
        context=context,
        prompt=prompt_tokens(instructions, asked["tools"], reasoning),
        tools=tuple(asked["tools"]),
        tool_choice=asked["tool_choice"],
        max_output_tokens=asked["max_output_tokens"],
        metadata=given.get("metadata"),
        conversation_id=conversation_id,
        voice=output["voice"],
        audio_format=output["format"],
        speed=session["audio"]["output"]["speed"],
        reasoning=reasoning,
        replies_before=replies_before,
    )
