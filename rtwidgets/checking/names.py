"""Names that other protocols, and this one's beta, have for what is meant (facts §1.3, §2a)."""

from __future__ import annotations

# Where a field of the beta (or of OpenAI's other interfaces) stands now, from the same object on.
FIELDS = {
    "modalities": "output_modalities",
    "max_response_output_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "input_audio_format": "audio.input.format",
    "output_audio_format": "audio.output.format",
    "input_audio_transcription": "audio.input.transcription",
    "input_audio_noise_reduction": "audio.input.noise_reduction",
    "output_audio": "audio.output",
    "input_audio": "audio.input",
    "system_prompt": "instructions",
    "system": "instructions",
}

# Why a field has no place any more.
GONE = {
    "temperature": "the GA protocol has none",
    "top_p": "the Realtime protocol has none",
    "stream": "the Realtime protocol always streams",
    "speed": "the speed belongs to the session",
}

# What a required field may have been called.
ALIASES = {
    "text": ("transcript", "value", "content"),
    "content": ("text", "message"),
    "output": ("result", "content"),
    "call_id": ("tool_call_id",),
    "audio": ("data", "delta"),
    "arguments": ("input",),
    "item_id": ("id",),
    "image_url": ("url",),
}

# Values by which a kind is chosen, or that an enumeration has.
VALUES = {
    "pcm16": "audio/pcm",
    "pcm": "audio/pcm",
    "g711_ulaw": "audio/pcmu",
    "g711_alaw": "audio/pcma",
    "developer": "system",
    "bot": "assistant",
    "ai": "assistant",
    "agent": "assistant",
    "model": "assistant",
    "human": "user",
    "customer": "user",
    "tool_call": "function_call",
    "tool_result": "function_call_output",
    "image": "input_image",
    "image_url": "input_image",
    "audio": "input_audio",
}

# What switches something off where null does.
OFF = (False, "", "none", "off", "disabled", {"type": "none"}, {"type": "disabled"}, {"type": None})

EVENTS = {
    "transcription_session.update": "session.update",
    "input_audio.append": "input_audio_buffer.append",
    "input_audio.commit": "input_audio_buffer.commit",
    "conversation.item.add": "conversation.item.create",
    "conversation.item.remove": "conversation.item.delete",
    "conversation.create": "conversation.item.create",
    "conversation.interrupt": "response.cancel",
    "response.interrupt": "response.cancel",
}
