"""openai, asynchronous."""

import asyncio
import base64
import json
from typing import Any

import talk
from openai import AsyncOpenAI

FUNCTION: Any = {
    "type": "function",
    "name": talk.TOOL_NAME,
    "description": talk.TOOL_DESCRIPTION,
    "parameters": talk.TOOL_SCHEMA,
}


async def main() -> None:
    client = AsyncOpenAI(api_key=talk.KEY, websocket_base_url=talk.WS_BASE)
    async with client.realtime.connect(model=talk.MODEL) as connection:
        session: Any = {"type": "realtime", "instructions": talk.INSTRUCTIONS, "tools": [FUNCTION]}
        await connection.session.update(session=session)
        for part in (talk.SPOKEN, talk.SECOND, talk.TOOL):
            await ask(connection, talk.SAY[part])
            talk.report(part, *await answer(connection))
        await speak(connection)
        talk.report(talk.HEARD, *await answer(connection))
        await speak(connection)
        talk.report(talk.INTERRUPTED, *await answer(connection, interrupt=True))


async def ask(connection: Any, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await connection.conversation.item.create(item=item)
    await connection.response.create()


async def speak(connection: Any) -> None:
    for chunk in talk.voice():
        await connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())


async def answer(connection: Any, interrupt: bool = False) -> tuple[str, int]:
    """The words and the sound of the turn; a function call is answered on the way.

    With `interrupt` the user speaks at the first sound, and the turn is the one after that.
    """
    words, sound, interrupted = "", 0, False
    async for event in connection:
        if event.type == "response.output_audio.delta":
            sound += len(base64.b64decode(event.delta))
            if interrupt and not interrupted:
                interrupted = True
                await speak(connection)
        elif event.type == "response.output_audio_transcript.done":
            words = event.transcript
        elif event.type == "response.done":
            calls = [item for item in event.response.output if item.type == "function_call"]
            if not calls and not interrupt:
                break
            if interrupt:
                interrupt, words, sound = False, "", 0
                continue
            for call in calls:
                output = talk.weather(**json.loads(call.arguments))
                item = {"type": "function_call_output", "call_id": call.call_id, "output": output}
                await connection.conversation.item.create(item=item)
            await connection.response.create()
    return words, sound


asyncio.run(main())
