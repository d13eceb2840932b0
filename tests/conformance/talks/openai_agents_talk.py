"""openai-agents: RealtimeRunner and RealtimeSession over WebSocket."""

import asyncio

import talk
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession


@function_tool(name_override=talk.TOOL_NAME, description_override=talk.TOOL_DESCRIPTION)
def get_weather(city: str) -> str:
    return talk.weather(city)


async def main() -> None:
    agent = RealtimeAgent(name="guide", instructions=talk.INSTRUCTIONS, tools=[get_weather])
    runner = RealtimeRunner(agent)
    where = {"url": f"{talk.WS_URL}?model={talk.MODEL}", "api_key": talk.KEY}
    async with await runner.run(model_config=where) as session:
        for part in (talk.SPOKEN, talk.SECOND, talk.TOOL):
            await session.send_message(talk.SAY[part])
            talk.report(part, *await answer(session, part))
        for part in (talk.HEARD, talk.INTERRUPTED):
            await speak(session)
            talk.report(part, *await answer(session, part))


async def speak(session: RealtimeSession) -> None:
    for chunk in talk.voice():
        await session.send_audio(chunk)


async def answer(session: RealtimeSession, part: str) -> tuple[str, int]:
    """The sound until the agent's turn ends, the words from the session's own history.

    A turn with a tool call ends twice: with the call, and with the answer. So does one that is
    interrupted at its first sound.
    """
    words, sound, ends = "", 0, 2 if part in (talk.TOOL, talk.INTERRUPTED) else 1
    interrupt = part == talk.INTERRUPTED
    async for event in session:
        if event.type == "audio":
            sound += len(event.audio.data)
            if interrupt:
                interrupt = False
                await speak(session)
        elif event.type == "error":
            raise RuntimeError(str(event.error))
        elif event.type == "history_updated":
            words = last_words(event.history) or words
        elif event.type == "agent_end":
            ends -= 1
            if not ends:
                break
    return words, sound


def last_words(history: list) -> str:
    """What the last message of the agent says, as far as its transcript has come."""
    said = [item for item in history if getattr(item, "role", "") == "assistant"]
    content = said[-1].content if said else []
    return " ".join(getattr(part, "transcript", None) or "" for part in content).strip()


asyncio.run(main())
