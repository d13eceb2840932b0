"""openai, synchronous, with its event handlers in between."""

import base64
import json
from typing import Any

import talk
from openai import OpenAI

FUNCTION: Any = {
    "type": "function",
    "name": talk.TOOL_NAME,
    "description": talk.TOOL_DESCRIPTION,
    "parameters": talk.TOOL_SCHEMA,
}


def main() -> None:
    client = OpenAI(api_key=talk.KEY, websocket_base_url=talk.WS_BASE)
    with client.realtime.connect(model=talk.MODEL) as connection:
        session: Any = {"type": "realtime", "instructions": talk.INSTRUCTIONS, "tools": [FUNCTION]}
        connection.session.update(session=session)
        for part in (talk.SPOKEN, talk.SECOND, talk.TOOL):
            ask(connection, talk.SAY[part])
            talk.report(part, *answer(connection))
        speak(connection)
        talk.report(talk.HEARD, *answer(connection))
        speak(connection)
        talk.report(talk.INTERRUPTED, *answer(connection, interrupt=True))


def ask(connection: Any, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    connection.conversation.item.create(item=item)
    connection.response.create()


def speak(connection: Any) -> None:
    for chunk in talk.voice():
        connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())


def answer(connection: Any, interrupt: bool = False) -> tuple[str, int]:
    """The words and the sound of the turn; a function call is answered on the way.

    With `interrupt` the user speaks at the first sound, and the turn is the one after that.
    """
    words, sound, interrupted = "", 0, False
    for event in connection:
        if event.type == "response.output_audio.delta":
            sound += len(base64.b64decode(event.delta))
            if interrupt and not interrupted:
                interrupted = True
                speak(connection)
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
                item: Any = {"type": "function_call_output", "call_id": call.call_id}
                connection.conversation.item.create(item={**item, "output": output})
            connection.response.create()
    return words, sound


main()
