"""livekit-plugins-openai: an AgentSession without a room, with an audio output that counts."""

import asyncio
from collections.abc import Callable

import talk
from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool, utils
from livekit.agents.voice import SpeechHandle, io
from livekit.plugins import openai


class Ears(io.AudioOutput):
    """A loudspeaker that is through with everything at once."""

    def __init__(self) -> None:
        can = io.AudioOutputCapabilities(pause=False)
        super().__init__(label="ears", capabilities=can, sample_rate=24000)
        self.sound, self._segment = 0, 0.0
        self.at_first_sound: Callable[[], None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.sound += len(frame.data.cast("B"))
        self._segment += frame.duration
        if self.at_first_sound is not None:
            interrupt, self.at_first_sound = self.at_first_sound, None
            interrupt()

    def flush(self) -> None:
        super().flush()
        if self._segment:
            self.on_playback_finished(playback_position=self._segment, interrupted=False)
        self._segment = 0.0

    def clear_buffer(self) -> None:
        if self._segment:
            self.on_playback_finished(playback_position=self._segment, interrupted=True)
        self._segment = 0.0


class Mouth(io.AudioInput):
    """A microphone that hears what is put into it, at the pace of speech: LiveKit's cancel names no
    response, so a turn spoken faster than that would lose its own answer to it."""

    def __init__(self) -> None:
        super().__init__(label="mouth")
        self.frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    def speak(self) -> None:
        for chunk in talk.voice():
            self.frames.put_nowait(rtc.AudioFrame(chunk, 24000, 1, len(chunk) // 2))

    async def __anext__(self) -> rtc.AudioFrame:
        frame = await self.frames.get()
        await asyncio.sleep(frame.duration)
        return frame


@function_tool(name=talk.TOOL_NAME, description=talk.TOOL_DESCRIPTION)
async def get_weather(city: str) -> str:
    return talk.weather(city)


async def main() -> None:
    async with utils.http_context.open():
        model = openai.realtime.RealtimeModel(
            model=talk.MODEL, base_url=talk.HTTP_BASE, api_key=talk.KEY
        )
        ears, mouth = Ears(), Mouth()
        async with AgentSession(llm=model) as session:
            session.input.audio, session.output.audio = mouth, ears
            await session.start(Agent(instructions=talk.INSTRUCTIONS, tools=[get_weather]))
            for part in (talk.SPOKEN, talk.SECOND, talk.TOOL):
                ears.sound = 0
                await session.generate_reply(user_input=talk.SAY[part])
                talk.report(part, last_words(session), ears.sound)
            ears.sound = 0
            answer = next_speech(session)
            mouth.speak()
            await (await answer).wait_for_playout()
            talk.report(talk.HEARD, last_words(session), ears.sound)
            ears.sound, ears.at_first_sound = 0, mouth.speak
            answer = next_speech(session)
            mouth.speak()
            first = await answer
            answer = next_speech(session)  # the answer to the turn that interrupts the first
            await first.wait_for_playout()
            await (await answer).wait_for_playout()
            talk.report(talk.INTERRUPTED, last_words(session), ears.sound)


def next_speech(session: AgentSession) -> asyncio.Future[SpeechHandle]:
    """The speech that the session begins of itself, when the user has spoken."""
    begun: asyncio.Future[SpeechHandle] = asyncio.get_running_loop().create_future()
    session.once("speech_created", lambda event: begun.set_result(event.speech_handle))
    return begun


def last_words(session: AgentSession) -> str:
    said = [item for item in session.history.items if item.type == "message"]
    return next((m.text_content or "" for m in reversed(said) if m.role == "assistant"), "")


asyncio.run(main())
