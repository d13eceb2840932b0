"""Events that cost something, made by hand, for the tests of what a session costs."""

from __future__ import annotations

from typing import Any

import rtwidgets as rt


def usage(text_in: int = 0, audio_in: int = 0, text_out: int = 0, audio_out: int = 0) -> Any:
    return {
        "total_tokens": text_in + audio_in + text_out + audio_out,
        "input_tokens": text_in + audio_in,
        "output_tokens": text_out + audio_out,
        "input_token_details": {"text_tokens": text_in, "audio_tokens": audio_in},
        "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
    }


def session(model: str = "gpt-realtime", id: str = "sess_1", **fields: Any) -> Any:
    return {"type": "session.created", "session": {"id": id, "model": model, **fields}}


def response(id: str, used: Any = None, *, done: bool = True, **fields: Any) -> Any:
    status = "completed" if done else "in_progress"
    body = {"id": id, "status": status, "conversation_id": "conv_1", "usage": used, **fields}
    return {"type": "response.done" if done else "response.created", "response": body}


def a_log(*events: Any, model: str = "") -> rt.EventLog:
    log = rt.EventLog(model=model)
    for at, event in enumerate(events):
        log.append("server", event, t=float(at))
    return log
