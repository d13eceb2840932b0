"""livekit-plugins-openai: an AgentSession without a room, with an audio output that counts."""

import asyncio

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool, utils
from livekit.agents.voice import io
from livekit.plugins import openai
from talk import (
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
    weather,
)


class Ears(io.AudioOutput):
    """A loudspeaker that is through with everything at once."""

    def __init__(self) -> None:
        can = io.AudioOutputCapabilities(pause=False)
        super().__init__(label="ears", capabilities=can, sample_rate=24000)
        self.sound, self._segment = 0, 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.sound += len(frame.data.cast("B"))
        self._segment += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._segment:
            self.on_playback_finished(playback_position=self._segment, interrupted=False)
        self._segment = 0.0

    def clear_buffer(self) -> None:
        self._segment = 0.0


@function_tool(name=TOOL_NAME, description=TOOL_DESCRIPTION)
async def get_weather(city: str) -> str:
    return weather(city)


async def main() -> None:
    async with utils.http_context.open():
        model = openai.realtime.RealtimeModel(model=MODEL, base_url=HTTP_BASE, api_key=KEY)
        ears = Ears()
        async with AgentSession(llm=model) as session:
            session.output.audio = ears
            await session.start(Agent(instructions=INSTRUCTIONS, tools=[get_weather]))
            for part in (SPOKEN, SECOND, TOOL):
                ears.sound = 0
                await session.generate_reply(user_input=SAY[part])
                report(part, last_words(session), ears.sound)


def last_words(session: AgentSession) -> str:
    said = [item for item in session.history.items if item.type == "message"]
    return next((m.text_content or "" for m in reversed(said) if m.role == "assistant"), "")


asyncio.run(main())
