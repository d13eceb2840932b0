"""pydantic-ai-slim: an agent's realtime session."""

import asyncio

import talk
from pydantic_ai import Agent
from pydantic_ai.messages import PartDeltaEvent, PartEndEvent, SpeechPart, SpeechPartDelta
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime import RealtimeSession, RealtimeTurnCompleteEvent
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

agent = Agent(instructions=talk.INSTRUCTIONS)


@agent.tool_plain(name=talk.TOOL_NAME, description=talk.TOOL_DESCRIPTION)
def get_weather(city: str) -> str:
    return talk.weather(city)


async def main() -> None:
    provider = OpenAIProvider(base_url=talk.HTTP_BASE, api_key=talk.KEY)
    model = OpenAIRealtimeModel(talk.MODEL, provider=provider)
    async with agent.realtime(model).session() as session:
        for part in (talk.SPOKEN, talk.SECOND, talk.TOOL):
            await session.send(talk.SAY[part])
            talk.report(part, *await answer(session))
        await speak(session)
        talk.report(talk.HEARD, *await answer(session))
        await speak(session)
        talk.report(talk.INTERRUPTED, *await answer(session, turns=2))


async def speak(session: RealtimeSession) -> None:
    for chunk in talk.voice():
        await session.send_audio(chunk)


async def answer(session: RealtimeSession, turns: int = 1) -> tuple[str, int]:
    """The sound and the last words of a turn, which includes the answer after a tool call.

    Of two turns the first is interrupted at its first sound.
    """
    words, sound, interrupt = "", 0, turns > 1
    async for event in session:
        if isinstance(event, PartDeltaEvent) and isinstance(event.delta, SpeechPartDelta):
            sound += len(event.delta.audio_chunk or b"")
            if sound and interrupt:
                interrupt = False
                await speak(session)
        elif isinstance(event, PartEndEvent) and isinstance(event.part, SpeechPart):
            words = event.part.transcript or "" if event.part.speaker == "assistant" else words
        elif isinstance(event, RealtimeTurnCompleteEvent):
            turns -= 1
            if not turns:
                break
    return words, sound


asyncio.run(main())
