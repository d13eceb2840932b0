"""strands-agents: BidiAgent. Its address is a constant of its module, set here from outside."""

import asyncio
import base64
import contextlib

import talk
from strands import tool
from strands.bidi import BidiAgent
from strands.bidi.models.openai import realtime
from strands.bidi.types.media import AudioDelta

realtime.OPENAI_REALTIME_URL = talk.WS_URL


@tool(name=talk.TOOL_NAME, description=talk.TOOL_DESCRIPTION)
def get_weather(city: str) -> str:
    return talk.weather(city)


async def main() -> None:
    model = realtime.OpenAIRealtimeModel(
        model_id=talk.MODEL, transcription_model_id="gpt-4o-transcribe", api_key=talk.KEY
    )
    agent = BidiAgent(model=model, tools=[get_weather], system_prompt=talk.INSTRUCTIONS)
    await agent.start()
    for part in (talk.SPOKEN, talk.SECOND, talk.TOOL):
        await agent.send(talk.SAY[part])
        talk.report(part, *await answer(agent, part))
    for part in (talk.HEARD, talk.INTERRUPTED):
        await speak(agent)
        talk.report(part, *await answer(agent, part))
    # In 1.62.0 its stop may wait for ever for its own reader, which took no notice of its end.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await agent.stop()


async def speak(agent: BidiAgent) -> None:
    for chunk in talk.voice():
        await agent.send(AudioDelta(format="pcm", source={"bytes": chunk}))


async def answer(agent: BidiAgent, part: str) -> tuple[str, int]:
    """A turn with a tool call is two responses: with the call, and with the answer. So is one that
    is interrupted at its first sound."""
    words, sound, responses = "", 0, 2 if part in (talk.TOOL, talk.INTERRUPTED) else 1
    interrupt = part == talk.INTERRUPTED
    async for event in agent.receive():
        kind = event.get("type")
        if kind == "bidi_audio_delta":
            sound += len(base64.b64decode(event["audio"]))
            if interrupt:
                interrupt = False
                await speak(agent)
        elif kind == "bidi_transcript_block" and event["role"] == "assistant":
            words = event["transcript"]
        elif kind == "bidi_response_stop":
            responses -= 1
            if not responses:
                break
    return words, sound


asyncio.run(main())
