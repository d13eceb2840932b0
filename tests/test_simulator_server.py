"""A real server on a port of its own, a real client: who gets in, what is said to the others."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from simulator_driver import respond, update, user_text
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rtwidgets.simulator import Simulator
from rtwidgets.simulator.access import masked
from rtwidgets.simulator.line import LARGEST_MESSAGE

KEY = "sk-test-not-a-key"
MODEL = "?model=gpt-realtime-2.1"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(in_process=True, key=KEY) as running:
        yield running


def in_session(
    simulator: Simulator,
    work: Callable[[ClientConnection], Awaitable[Any]],
    query: str = MODEL,
    key: str | None = KEY,
    **options: Any,
) -> Any:
    """Connect, do `work`, close; returns what it returns."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= options.pop("headers", {})

    async def main() -> Any:
        url = simulator.url + query
        async with connect(url, additional_headers=headers, max_size=None, **options) as line:
            return await asyncio.wait_for(work(line), 10)

    return asyncio.run(main())


async def event(line: ClientConnection) -> dict[str, Any]:
    received: dict[str, Any] = json.loads(await line.recv())
    return received


async def until(line: ClientConnection, kind: str) -> list[dict[str, Any]]:
    events = [await event(line)]
    while events[-1]["type"] != kind:
        events.append(await event(line))
    return events


async def ending(line: ClientConnection) -> tuple[dict[str, Any], int | None, str | None]:
    """The one event before the close, and the close."""
    said = await event(line)
    with pytest.raises(ConnectionClosed):
        await line.recv()
    return said, line.close_code, line.close_reason


# --- conversations


def test_a_text_and_an_audio_response(simulator: Simulator) -> None:
    async def talk(line: ClientConnection) -> None:
        created = await event(line)
        assert created["session"]["id"].startswith("sess_simulated_")
        for modality in ("text", "audio"):
            for sent in (update(output_modalities=[modality]), user_text("Hello"), respond()):
                await line.send(json.dumps(sent))
            done = await until(line, "response.done")
            assert done[-1]["response"]["status"] == "completed"
        assert any(received["type"] == "response.output_audio.delta" for received in done)

    in_session(simulator, talk)


def test_the_handshake_says_what_this_is(simulator: Simulator) -> None:
    async def look(line: ClientConnection) -> str | None:
        assert line.response is not None
        assert line.response.headers.get("Sec-WebSocket-Extensions") is None
        return line.response.headers["Server"]

    assert in_session(simulator, look) == "rtwidgets-simulator"


@pytest.mark.parametrize("frame", ["not json", "[]", b"\x00" * 64, '{"type":"nope"}'])
def test_garbage_gets_an_error_and_the_session_lives(simulator: Simulator, frame: Any) -> None:
    async def talk(line: ClientConnection) -> list[str]:
        await line.send(frame)
        await line.send(json.dumps(update()))
        return [received["type"] for received in await until(line, "session.updated")]

    assert in_session(simulator, talk) == ["session.created", "error", "session.updated"]


def test_sessions_do_not_hear_each_other(simulator: Simulator) -> None:
    async def both() -> None:
        headers = {"Authorization": f"Bearer {KEY}"}
        url = simulator.url + MODEL
        async with (
            connect(url, additional_headers=headers) as one,
            connect(url, additional_headers=headers) as two,
        ):
            ids = {(await event(line))["session"]["id"] for line in (one, two)}
            assert len(ids) == 2
            await one.send(json.dumps(update(instructions="Only one.")))
            await until(one, "session.updated")
            await two.send(json.dumps(update()))
            (updated,) = await until(two, "session.updated")
            assert updated["session"]["instructions"] != "Only one."

    asyncio.run(both())


def test_a_frame_too_large_closes_the_line(simulator: Simulator) -> None:
    async def talk(line: ClientConnection) -> int | None:
        await event(line)
        with pytest.raises(ConnectionClosed):
            await line.send("x" * (LARGEST_MESSAGE + 1))
            await line.recv()
        return line.close_code

    assert in_session(simulator, talk) in (1009, 1006)


# --- who gets in


@pytest.mark.parametrize(
    ("query", "key", "headers", "code", "message", "close"),
    [
        (MODEL, None, {}, None, "Missing bearer or basic authentication in header",
         (3000, "invalid_request_error")),
        (MODEL, "sk-wrong-not-a-key-AAAA", {}, "invalid_api_key",
         "Incorrect API key provided: sk-wrong***********AAAA. You can find your API key at "
         "https://platform.openai.com/account/api-keys.",
         (3000, "invalid_request_error.invalid_api_key")),
        ("", KEY, {}, "missing_model",
         "You must provide a model parameter, for example "
         "wss://api.openai.com/v1/realtime?model=gpt-realtime-1.5",
         (4000, "invalid_request_error.missing_model")),
        ("?model=gpt-nope", KEY, {}, "invalid_model",
         'Model "gpt-nope" is not supported in realtime mode. '
         "See https://platform.openai.com/docs/models for a list of supported models.",
         (4000, "invalid_request_error.invalid_model")),
        (MODEL, KEY, {"OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled",
         "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
         (4000, "invalid_request_error.beta_api_shape_disabled")),
        ("?intent=transcription&model=gpt-realtime-whisper", KEY, {}, None,
         "You must not provide a model parameter for transcription sessions.",
         (4000, "invalid_request_error")),
    ],
    ids=["no key", "wrong key", "no model", "unknown model", "beta", "model of a transcription"],
)  # fmt: skip
def test_is_let_in_told_and_closed_as_by_the_real_server(
    simulator: Simulator,
    query: str,
    key: str | None,
    headers: dict[str, str],
    code: str | None,
    message: str,
    close: tuple[int, str],
) -> None:
    said, close_code, reason = in_session(simulator, ending, query, key, headers=headers)
    assert said["error"]["code"] == code
    assert said["error"]["message"] == message
    assert (close_code, reason) == close


def test_a_key_is_never_repeated_whole() -> None:
    assert masked("sk-test") == "*******"
    assert "secret" not in masked("sk-12345-secret-6789")


def test_a_transcription_session_needs_no_model(simulator: Simulator) -> None:
    created = in_session(simulator, event, "?intent=transcription")
    assert created["session"]["type"] == "transcription"


def test_a_browsers_subprotocol_carries_the_key(simulator: Simulator) -> None:
    async def look(line: ClientConnection) -> str | None:
        await event(line)
        return line.subprotocol

    offered = ["realtime", f"openai-insecure-api-key.{KEY}"]
    assert in_session(simulator, look, key=None, subprotocols=offered) == "realtime"


def test_no_subprotocol_is_chosen_when_none_is_offered(simulator: Simulator) -> None:
    async def look(line: ClientConnection) -> str | None:
        return line.subprotocol

    assert in_session(simulator, look) is None
    key_alone = [f"openai-insecure-api-key.{KEY}"]  # which is no protocol to speak
    assert in_session(simulator, look, key=None, subprotocols=key_alone) is None


@pytest.mark.parametrize(
    ("origin", "key", "status"),
    [
        ("https://evil.example", KEY, 403),
        ("null", KEY, 403),
        ("http://localhost:9999", "sk-wrong-not-a-key", 403),
        ("http://localhost:9999", None, 403),
        ("http://localhost:9999", KEY, 101),
        ("http://127.0.0.1:8888", KEY, 101),
    ],
)
def test_pages_need_the_key_and_foreign_pages_never_get_in(
    simulator: Simulator, origin: str, key: str | None, status: int
) -> None:
    if status == 101:
        assert in_session(simulator, event, key=key, origin=origin)["type"] == "session.created"
        return
    with pytest.raises(InvalidStatus) as refused:
        in_session(simulator, event, key=key, origin=origin)
    assert refused.value.response.status_code == status


def test_a_foreign_name_for_this_machine_is_refused(simulator: Simulator) -> None:
    request = urllib.request.Request(http(simulator, "/"), headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403


# --- HTTP on the same port


def http(simulator: Simulator, path: str) -> str:
    return simulator.url.replace("ws://", "http://").removesuffix("/v1/realtime") + path


def post(simulator: Simulator, path: str, body: Any, key: str | None = KEY) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(http(simulator, path), data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_the_status_page_explains_and_never_shows_the_key(simulator: Simulator) -> None:
    with urllib.request.urlopen(http(simulator, "/")) as answer:
        page = answer.read().decode()
        assert answer.headers["Server"] == "rtwidgets-simulator"
    assert "simulator" in page and simulator.url in page
    assert KEY not in page


def test_a_client_secret_opens_a_session_with_its_configuration(simulator: Simulator) -> None:
    session = {"type": "realtime", "model": "gpt-realtime", "instructions": "You are Ada."}
    body = {"session": session, "expires_after": {"anchor": "created_at", "seconds": 60}}
    status, minted = post(simulator, "/v1/realtime/client_secrets", body)
    assert status == 200
    assert minted["value"].startswith("ek_")
    assert minted["session"]["instructions"] == "You are Ada."
    assert minted["session"]["expires_at"] == 0
    created = in_session(simulator, event, "?model=gpt-realtime", key=minted["value"])
    assert created["session"]["instructions"] == "You are Ada."


def test_a_client_secret_opens_nothing_else(simulator: Simulator) -> None:
    path, session = "/v1/realtime/client_secrets", {"type": "realtime", "model": "gpt-realtime"}
    key = post(simulator, path, {"session": session})[1]["value"]
    said, code, _ = in_session(simulator, ending, MODEL, key)
    assert (said["error"]["param"], code) == ("session.model", 4000)
    assert in_session(simulator, event, "", key)["session"]["model"] == "gpt-realtime"


def test_a_client_secret_for_transcription(simulator: Simulator) -> None:
    body = {"session": {"type": "transcription"}}
    key = post(simulator, "/v1/realtime/client_secrets", body)[1]["value"]
    assert in_session(simulator, event, "", key)["session"]["type"] == "transcription"


@pytest.mark.parametrize(
    ("path", "body", "key", "status", "code"),
    [
        ("/v1/realtime?model=gpt-realtime", {}, KEY, 400, "beta_api_shape_disabled"),
        ("/v1/realtime/client_secrets", {}, "sk-wrong-not-a-key", 401, "invalid_api_key"),
        ("/v1/realtime/client_secrets", {}, None, 401, None),
        ("/v1/realtime/client_secrets", b"{", KEY, 400, "invalid_json"),
        ("/v1/realtime/client_secrets", {"session": {}}, KEY, 400, "missing_required_parameter"),
        ("/v1/realtime/client_secrets", {"session": {"type": "realtime", "model": "gpt-nope"}},
         KEY, 400, "invalid_model"),
        ("/v1/realtime/client_secrets",
         {"expires_after": {"anchor": "created_at", "seconds": 5}}, KEY, 400,
         "integer_below_min_value"),
        ("/v1/realtime/sessions", {}, KEY, 400, "beta_api_shape_disabled"),
        ("/v1/chat/completions", {}, KEY, 404, None),
    ],
)  # fmt: skip
def test_http_refusals(
    simulator: Simulator, path: str, body: Any, key: str | None, status: int, code: str | None
) -> None:
    answered, content = post(simulator, path, body, key)
    assert (answered, content["error"]["code"]) == (status, code)


def test_another_method_is_refused_in_words(simulator: Simulator) -> None:
    path = "/v1/realtime/client_secrets"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(http(simulator, path))
    error = json.load(refused.value)["error"]
    assert (refused.value.code, error["code"]) == (405, "method_not_supported")
    assert error["message"].startswith(f"Not allowed to GET on {path}. (HINT: ")
