"""pipecat-ai: a pipeline with its realtime service, its aggregators and a tool.

Pipecat expects later user turns to be spoken; here they are typed, with the service's own
`send_client_event`.
"""

import asyncio

import talk
from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMFullResponseEndFrame,
    LLMRunFrame,
    TTSAudioRawFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner


class Ears(FrameProcessor):
    """Behind the service: what a listener would hear, response by response."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.sound = "", 0
        self.first_sound = asyncio.Event()
        self.ended: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def last_ended(self) -> tuple[str, int]:
        """Past what an interrupted response ends with, which may be cut short or empty."""
        words, sound = "", 0
        while not words.endswith(".") or len(words.split()) < 4:
            words, sound = await self.ended.get()
        return words, sound

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.sound += len(frame.audio)
            self.first_sound.set()
        elif isinstance(frame, TTSTextFrame):
            self.words += frame.text
        elif isinstance(frame, LLMFullResponseEndFrame):
            self.ended.put_nowait((self.words, self.sound))
            self.words, self.sound = "", 0
        await self.push_frame(frame, direction)


async def get_weather(params: FunctionCallParams) -> None:
    await params.result_callback(talk.weather(params.arguments["city"]))


async def main() -> None:
    llm = OpenAIRealtimeLLMService(
        api_key=talk.KEY,
        base_url=talk.WS_URL,
        settings=OpenAIRealtimeLLMService.Settings(
            model=talk.MODEL, system_instruction=talk.INSTRUCTIONS
        ),
    )
    llm.register_function(talk.TOOL_NAME, get_weather)
    function = FunctionSchema(
        name=talk.TOOL_NAME,
        description=talk.TOOL_DESCRIPTION,
        properties=talk.TOOL_SCHEMA["properties"],
        required=talk.TOOL_SCHEMA["required"],
    )
    first = {"role": "user", "content": talk.SAY[talk.SPOKEN]}
    context = LLMContext([first], ToolsSchema(standard_tools=[function]))
    pair, ears = LLMContextAggregatorPair(context), Ears()
    worker = PipelineWorker(Pipeline([pair.user(), llm, ears, pair.assistant()]))
    runner = WorkerRunner(handle_sigint=False)
    running = asyncio.create_task(runner.run(worker))
    await worker.queue_frame(LLMRunFrame())
    talk.report(talk.SPOKEN, *await ears.ended.get())
    await ask(llm, talk.SAY[talk.SECOND])
    talk.report(talk.SECOND, *await ears.ended.get())
    await ask(llm, talk.SAY[talk.TOOL])
    await ears.ended.get()  # the response with the call
    talk.report(talk.TOOL, *await ears.ended.get())
    await speak(worker)
    talk.report(talk.HEARD, *await ears.ended.get())
    ears.first_sound.clear()
    await speak(worker)
    await ears.first_sound.wait()
    await speak(worker)
    talk.report(talk.INTERRUPTED, *await ears.last_ended())
    await worker.cancel()
    await running


async def speak(worker: PipelineWorker) -> None:
    for chunk in talk.voice():
        await worker.queue_frame(InputAudioRawFrame(chunk, sample_rate=24000, num_channels=1))


async def ask(llm: OpenAIRealtimeLLMService, text: str) -> None:
    content = [events.ItemContent(type="input_text", text=text)]
    item = events.ConversationItem(type="message", role="user", content=content)
    await llm.send_client_event(events.ConversationItemCreateEvent(item=item))
    await llm.send_client_event(events.ResponseCreateEvent())


asyncio.run(main())
