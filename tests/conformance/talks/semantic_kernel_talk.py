"""semantic-kernel: OpenAIRealtimeWebsocket, with a kernel function."""

import asyncio
from typing import Annotated

import talk
from openai import AsyncOpenAI
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import (
    ListenEvents,
    OpenAIRealtimeExecutionSettings,
    OpenAIRealtimeWebsocket,
    SendEvents,
)
from semantic_kernel.contents import AudioContent, RealtimeTextEvent
from semantic_kernel.contents.realtime_events import RealtimeAudioEvent, RealtimeEvent
from semantic_kernel.contents.text_content import TextContent
from semantic_kernel.functions import kernel_function


class Helpers:
    @kernel_function(name=talk.TOOL_NAME, description=talk.TOOL_DESCRIPTION)
    def get_weather(self, city: Annotated[str, "The city"]) -> str:
        return talk.weather(city)


async def main() -> None:
    kernel = Kernel()
    kernel.add_plugin(Helpers(), plugin_name="helpers")
    settings = OpenAIRealtimeExecutionSettings(
        instructions=talk.INSTRUCTIONS, function_choice_behavior=FunctionChoiceBehavior.Auto()
    )
    client = AsyncOpenAI(api_key=talk.KEY, websocket_base_url=talk.WS_BASE)
    service = OpenAIRealtimeWebsocket(ai_model_id=talk.MODEL, client=client)
    async with service(settings=settings, kernel=kernel):
        for part in (talk.SPOKEN, talk.SECOND, talk.TOOL):
            say = RealtimeTextEvent(
                service_type=SendEvents.CONVERSATION_ITEM_CREATE,
                text=TextContent(text=talk.SAY[part]),
            )
            await service.send(say)
            await service.send(RealtimeEvent(service_type=SendEvents.RESPONSE_CREATE))
            talk.report(part, *await answer(service, part))
        for part in (talk.HEARD, talk.INTERRUPTED):
            await speak(service)
            talk.report(part, *await answer(service, part))


async def speak(service: OpenAIRealtimeWebsocket) -> None:
    for chunk in talk.voice():
        audio = AudioContent(data=chunk, data_format="base64")
        await service.send(
            RealtimeAudioEvent(service_type=SendEvents.INPUT_AUDIO_BUFFER_APPEND, audio=audio)
        )


async def answer(service: OpenAIRealtimeWebsocket, part: str) -> tuple[str, int]:
    """A turn with a tool call is two responses: with the call, and with the answer. So is one that
    is interrupted at its first sound."""
    words, sound, responses = "", 0, 2 if part in (talk.TOOL, talk.INTERRUPTED) else 1
    interrupt = part == talk.INTERRUPTED
    async for event in service.receive():
        if isinstance(event, RealtimeAudioEvent):
            sound += len(event.audio.data or b"")
            if interrupt:
                interrupt = False
                await speak(service)
        elif isinstance(event, RealtimeTextEvent):
            words += event.text.text
        elif event.service_type == ListenEvents.RESPONSE_DONE:
            responses -= 1
            if not responses:
                break
            words, sound = "", 0
    return words, sound


asyncio.run(main())
