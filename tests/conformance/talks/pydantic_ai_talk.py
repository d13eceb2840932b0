"""pydantic-ai-slim: an agent's realtime session."""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.messages import PartDeltaEvent, PartEndEvent, SpeechPart, SpeechPartDelta
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime import RealtimeSession, RealtimeTurnCompleteEvent
from pydantic_ai.realtime.openai import OpenAIRealtimeModel
from talk import (
    HEARD,
    HTTP_BASE,
    INSTRUCTIONS,
    KEY,
    MODEL,
    SAY,
    SECOND,
    SPOKEN,
    TOOL,
    TOOL_DESCRIPTION,
    TOOL_NAME,
    report,
    voice,
    weather,
)

agent = Agent(instructions=INSTRUCTIONS)


@agent.tool_plain(name=TOOL_NAME, description=TOOL_DESCRIPTION)
def get_weather(city: str) -> str:
    return weather(city)


async def main() -> None:
    provider = OpenAIProvider(base_url=HTTP_BASE, api_key=KEY)
    model = OpenAIRealtimeModel(MODEL, provider=provider)
    async with agent.realtime(model).session() as session:
        for part in (SPOKEN, SECOND, TOOL):
            await session.send(SAY[part])
            report(part, *await answer(session))
        for chunk in voice():
            await session.send_audio(chunk)
        report(HEARD, *await answer(session))


async def answer(session: RealtimeSession) -> tuple[str, int]:
    """The sound and the last words of a turn, which includes the answer after a tool call."""
    words, sound = "", 0
    async for event in session:
        if isinstance(event, PartDeltaEvent) and isinstance(event.delta, SpeechPartDelta):
            sound += len(event.delta.audio_chunk or b"")
        elif isinstance(event, PartEndEvent) and isinstance(event.part, SpeechPart):
            words = event.part.transcript or "" if event.part.speaker == "assistant" else words
        elif isinstance(event, RealtimeTurnCompleteEvent):
            break
    return words, sound


asyncio.run(main())
