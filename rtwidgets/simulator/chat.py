"""A brain that asks a chat model: any endpoint with OpenAI's `/chat/completions`, streamed.

For example Ollama on this machine, http://127.0.0.1:11434/v1. It may take long, so
it is run on a thread of its own; an endpoint that fails is a failed response with the reason.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from ..errors import Misuse
from .jobs import Answer, Call, Question, Said, Turn, mended, whole, whole_characters

Json = dict[str, Any]

PATIENCE = 60.0  # seconds without a byte
LONGEST_LINE = 1024 * 1024
NO_OUTPUT = "(no output yet)"  # of a call that the client has not answered


class ChatFailed(Exception):
    """The endpoint did not answer, or not as such an endpoint does."""


class ChatBrain:
    """Answers with a chat model. `key` is sent as a bearer token when there is one."""

    quick = False

    def __init__(self, url: str, model: str, key: str | None = None) -> None:
        if not _is_http(url):
            raise Misuse(
                f"{shown_url(url)!r} is no chat endpoint; "
                "write for example http://127.0.0.1:11434/v1"
            )
        if not model:
            raise Misuse("A chat endpoint needs the name of a model, for example llama3.2.")
        self.url, self.model, self._key = url.rstrip("/"), model, key
        self._shown = shown_url(self.url)

    def answer(self, question: Question) -> Answer:
        """The whole answer at once. Raises ChatFailed."""
        return whole(self.stream(question))

    def stream(self, question: Question) -> Iterator[Said | Answer]:
        """The words as they come, then the calls. Raises ChatFailed."""
        calls: dict[int, dict[str, str]] = {}
        held = ""
        try:
            with closing(self._connection()) as connection:
                for delta in self._deltas(connection, question):
                    if delta.get("content"):
                        ready, held = whole_characters(held + str(delta["content"]))
                        if ready:
                            yield Said(ready)
                    for part in delta.get("tool_calls") or ():
                        _collect(calls, part)
        except (OSError, http.client.HTTPException) as problem:
            raise ChatFailed(f"{self._shown} cannot be reached: {problem}") from None
        made = (calls[index] for index in sorted(calls))
        yield Answer(
            mended(held),
            tuple(Call(mended(call["name"]), mended(call["arguments"]) or "{}") for call in made),
        )

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=PATIENCE)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)

    def _deltas(self, connection: http.client.HTTPConnection, question: Question) -> Iterator[Json]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        path = urlsplit(self.url).path + "/chat/completions"
        connection.request("POST", path, json.dumps(self._request(question)), headers)
        answer = connection.getresponse()
        if answer.status != 200:
            said = answer.read(300).decode("utf-8", "replace").strip()
            raise ChatFailed(f"{self._shown} answered {answer.status} {answer.reason}: {said}")
        if "json" in (answer.getheader("Content-Type") or ""):  # it does not stream
            yield _choice(answer.read().decode("utf-8", "replace"), "message")[0]
        elif not (yield from _streamed(answer)):
            raise ChatFailed(
                f"{self._shown} broke off in the middle of its answer. "
                "Look what it says there, then ask again."
            )

    def _request(self, question: Question) -> Json:
        body: Json = {"model": self.model, "stream": True, "messages": messages(question)}
        if question.tools and question.tool_choice != "none":
            body["tools"] = [_tool(tool) for tool in question.tools]
            body["tool_choice"] = _choice_of_tool(question.tool_choice)
        return body


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as "http://[", or a port that is no number
        return False


def shown_url(url: str) -> str:
    """`url` as it may be shown: without user, password and what follows the path."""
    return re.sub(r"[?#].*$", "", re.sub(r"^(\w*:?//)?[^/?#]*@", r"\1", url))


def _streamed(answer: http.client.HTTPResponse) -> Generator[Json, None, bool]:
    """The deltas of a stream of server-sent events. Returns whether it came to its end."""
    ended = False
    while line := answer.readline(LONGEST_LINE):
        text = line.decode("utf-8", "replace").strip()
        if text.startswith("data:"):
            text = text.removeprefix("data:").strip()
            if text == "[DONE]":
                return True
            delta, is_last = _choice(text, "delta")
            ended = ended or is_last
            yield delta
    return ended


def _choice(text: str, part: str) -> tuple[Json, bool]:
    """(what the first choice says, whether it is the last of it)."""
    try:
        event = json.loads(text)
        if event.get("error"):
            raise ChatFailed(f"the chat endpoint said: {event['error']}")
        if not event.get("choices"):
            return {}, False
        choice = event["choices"][0]
        return choice[part] or {}, bool(choice.get("finish_reason"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise ChatFailed(f"the chat endpoint sent what is no chat answer: {text[:200]}") from None


def _collect(calls: dict[int, dict[str, str]], part: Json) -> None:
    """A call comes in pieces: its name first, then its arguments bit by bit."""
    call = calls.setdefault(part.get("index", len(calls)), {"name": "", "arguments": ""})
    function = part.get("function") or {}
    call["name"] += function.get("name") or ""
    call["arguments"] += function.get("arguments") or ""


def messages(question: Question) -> list[Json]:
    """The context in a chat endpoint's form.

    Strict ones want the calls of one turn in one message, and the outputs directly behind them, all
    of them: an output that has not come yet is said to be missing.
    """
    told: list[Json] = [{"role": "system", "content": question.instructions}]
    outputs = {turn.call_id: turn.text for turn in question.history if turn.role == "output"}
    calls = {turn.call_id for turn in question.history if turn.role == "call"}
    for role, turns in groupby(question.history, lambda turn: turn.role):
        if role == "call":
            told += _calls(list(turns), outputs)
        elif role == "output":
            told += (
                _output(turn.call_id, turn.text) for turn in turns if turn.call_id not in calls
            )
        else:
            told += map(_message, turns)
    return told


def _calls(turns: list[Turn], outputs: dict[str, str]) -> list[Json]:
    made = [
        {
            "id": turn.call_id,
            "type": "function",
            "function": {"name": turn.name, "arguments": turn.text},
        }
        for turn in turns
    ]
    answered = (_output(turn.call_id, outputs.get(turn.call_id, NO_OUTPUT)) for turn in turns)
    return [{"role": "assistant", "content": None, "tool_calls": made}, *answered]


def _output(call_id: str, text: str) -> Json:
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def _message(turn: Turn) -> Json:
    unheard = f"({turn.seconds:.1f} seconds of speech that nobody transcribed)"
    return {"role": turn.role, "content": turn.text or (unheard if turn.seconds else "(silence)")}


def _tool(tool: Json) -> Json:
    shown = {key: tool[key] for key in ("name", "description", "parameters") if tool.get(key)}
    return {"type": "function", "function": shown}


def _choice_of_tool(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    return {"type": "function", "function": {"name": choice.get("name")}}
