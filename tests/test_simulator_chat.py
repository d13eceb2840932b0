"""Chat endpoints: whatever speaks OpenAI's /chat/completions may answer."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from simulator_driver import respond, update, user_text

from rtwidgets.simulator import Simulator
from rtwidgets.simulator.chat import ChatBrain, messages
from rtwidgets.simulator.jobs import Call, Question, Turn
from rtwidgets.simulator.memory import connect

TEXT = update(output_modalities=["text"])


class Endpoint(BaseHTTPRequestHandler):
    """An OpenAI-compatible chat endpoint: it says what it was asked, or fails."""

    asked: list[Any] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Endpoint.asked.append((self.path, self.headers.get("Authorization"), body))
        if body["model"] == "broken":
            return self.send_error(500, "Out of order")
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if body["model"] == "strange":
            self.wfile.write(b"data: {}}\n\n")
            return
        deltas: list[Any] = [{"role": "assistant", "content": ""}]
        if body.get("tools"):
            function = {"name": "look", "arguments": '{"at"'}
            deltas.append({"tool_calls": [{"index": 0, "id": "c", "function": function}]})
            rest = {"arguments": ':"it"}'}
            deltas.append({"tool_calls": [{"index": 0, "function": rest}]})
        else:
            deltas += [{"content": "You said "}, {"content": body["messages"][-1]["content"]}]
        for delta in deltas:
            event = {"choices": [{"index": 0, "delta": delta}]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def answered(url: str, model: str, **options: Any) -> Any:
    async def work() -> Any:
        line = connect(latency="none", chat_url=url, chat_model=model, **options)
        for event in (TEXT, user_text("Hello."), respond()):
            await line.send(json.dumps(event))
        while True:
            event = json.loads(await line.recv())
            if event["type"] == "response.done":
                return event["response"]

    return asyncio.run(asyncio.wait_for(work(), 10))


def test_a_chat_endpoint_answers(endpoint: str) -> None:
    Endpoint.asked.clear()
    response = answered(endpoint, "echo", chat_key="sk-test-not-a-key")
    assert response["output"][0]["content"][0]["text"] == "You said Hello."
    path, authorization, body = Endpoint.asked[0]
    assert (path, authorization) == ("/v1/chat/completions", "Bearer sk-test-not-a-key")
    assert body["stream"] is True
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_a_chat_endpoint_calls_tools(endpoint: str) -> None:
    question = Question("", (Turn("user", "Look."),), tools=({"type": "function", "name": "look"},))
    assert ChatBrain(endpoint, "echo").answer(question).calls == (Call("look", '{"at":"it"}'),)


def test_calls_and_their_outputs_are_told_as_strict_endpoints_want_them() -> None:
    """All calls of a turn in one message, and an output for each directly behind it."""
    history = (
        Turn("user", "Both, please."),
        Turn("call", "{}", name="one", call_id="c1"),
        Turn("call", "{}", name="two", call_id="c2"),
        Turn("user", "Hurry."),
        Turn("output", "First.", call_id="c1"),
        Turn("output", "Of another time.", call_id="c9"),
    )
    told = messages(Question("Be brief.", history))
    assert [message["role"] for message in told] == [
        "system", "user", "assistant", "tool", "tool", "user", "tool"
    ]  # fmt: skip
    assert [call["function"]["name"] for call in told[2]["tool_calls"]] == ["one", "two"]
    assert [(one["tool_call_id"], one["content"]) for one in told if one["role"] == "tool"] == [
        ("c1", "First."), ("c2", "(no output yet)"), ("c9", "Of another time.")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "reason"), [("broken", "answered 500 Out of order"), ("strange", "no chat answer")]
)
def test_a_chat_endpoint_that_fails_is_a_failed_response(
    endpoint: str, model: str, reason: str
) -> None:
    response = answered(endpoint, model)
    assert response["status"] == "failed"
    assert reason in response["status_details"]["error"]["message"]


def test_a_chat_endpoint_that_is_not_there_is_a_failed_response() -> None:
    response = answered("http://127.0.0.1:9/v1", "echo")
    assert response["status"] == "failed"
    assert "cannot be reached" in response["status_details"]["error"]["message"]


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_a_chat_endpoint_answers_through_the_server(endpoint: str, modality: str) -> None:
    from test_simulator_server import KEY, in_session, until

    chat = {"chat_url": endpoint, "chat_model": "echo"}
    with Simulator(in_process=True, key=KEY, **chat) as simulator:

        async def talk(line: Any) -> Any:
            for sent in (user_text("Hello."), respond(output_modalities=[modality])):
                await line.send(json.dumps(sent))
            return (await until(line, "response.done"))[-1]["response"]

        (item,) = in_session(simulator, talk)["output"]
    content = item["content"][0]
    assert (content.get("text") or content.get("transcript")) == "You said Hello."
