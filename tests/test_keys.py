"""A key shows itself nowhere: not printed, pickled, logged, in no traceback with variables."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import logging
import pickle
import pprint
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY, found_in, tracebacks
from websockets.asyncio.server import ServerConnection, serve

import rtwidgets as rt
from rtwidgets import keys, loop
from rtwidgets.keys import Header, Key
from rtwidgets.transport import secrets_in, without

BROKEN = f"{CANARY[:30]}…{CANARY[-12:]}"  # most of a key, shortened by a display


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("_asked_key", None), ("_colab_key", None), ("_colab_refused", False)):
        monkeypatch.setattr(keys, name, value)


@pytest.fixture(scope="module")
def server() -> Iterator[rt.Simulator]:
    with rt.Simulator(latency="none", in_process=True) as simulator:
        yield simulator


# ------------------------------------------------------------------ the object


@dataclasses.dataclass
class Holder:
    key: Any


HOLDERS: list[Callable[[], Any]] = [
    lambda: Key(CANARY),
    lambda: Key(BROKEN),
    lambda: Header("X", f"Bearer {CANARY}"),
    lambda: [Key(CANARY)],
    lambda: {"key": Key(CANARY)},
    lambda: Holder(Key(CANARY)),
    lambda: rt.OpenAI(key=CANARY),
    lambda: rt.Azure("res", "dep", key=CANARY),
    lambda: rt.Endpoint("wss://a.example/v1", headers={"Cookie": CANARY}, key=CANARY),
    lambda: rt.AsyncSession(rt.OpenAI(key=CANARY), budget=1),
]


@pytest.mark.parametrize("made", HOLDERS)
def test_whatever_holds_a_key_does_not_show_it(made: Callable[[], Any]) -> None:
    one = made()
    shown = [repr(one), str(one), f"{one}", f"{one!r:>200}", pprint.pformat(one)]
    shown += [json.dumps([one], default=str), repr(getattr(one, "__dict__", None))]
    shown += [repr(copy.copy(one)), ascii(one), repr(dir(one))]
    for name in dir(type(one)):  # also what a debugger or a traceback reads by itself
        if not name.startswith("__") and not callable(getattr(type(one), name)):
            shown.append(repr(getattr(one, name)))
    assert found_in("\n".join(shown)) == []


def test_a_key_is_not_pickled_and_a_copy_is_itself() -> None:
    key = Key(CANARY)
    assert copy.copy(key) is copy.deepcopy(key) is key
    assert dataclasses.asdict(Holder(key))["key"] is key
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(rt.Misuse, match="not written to disk"):
            pickle.dumps(key, protocol)
    with pytest.raises(rt.Misuse):
        key.__getstate__()
    with pytest.raises(TypeError):
        vars(key)
    assert key.reveal() == CANARY


def test_a_width_is_kept_and_shows_nothing() -> None:
    assert f"{Key(CANARY):>8}" == "  Key(…)"


# ------------------------------------------------------------------ tracebacks


# As functions: a traceback that shows variables may show these constants, which are the test's.
def canary() -> str:
    return CANARY


def broken() -> str:
    return BROKEN


def secret() -> str:
    """The same without what tells a key of OpenAI."""
    return CANARY.removeprefix("sk-test-not-a-key-")


def wrong(make: Callable[[], Any]) -> Callable[[rt.Simulator], None]:
    return lambda server: make()


def session(make: Callable[[str], rt.Endpoint]) -> Callable[[rt.Simulator], None]:
    def enter(server: rt.Simulator) -> None:
        with rt.Session(make(server.url), budget=1, timeout=5):
            pass

    return enter


def no_token() -> str:
    token = canary()
    raise ValueError(f"cannot parse {token}")


async def in_time_to_come() -> str:
    return canary()


WRONG: dict[str, Callable[[rt.Simulator], None]] = {
    "shortened key": wrong(lambda: rt.OpenAI(key=broken())),
    "shortened key of Azure": wrong(lambda: rt.Azure("r", "d", key=broken())),
    "shortened key of an address": wrong(lambda: rt.Endpoint("wss://a.example/", key=broken())),
    "key as model": wrong(lambda: rt.OpenAI(canary())),
    "key as model of an address": wrong(lambda: rt.Endpoint("wss://a.example/", model=canary())),
    "key in the address": wrong(lambda: rt.Endpoint(f"wss://a.example/?api-key={canary()}")),
    "key in the path": wrong(lambda: rt.Endpoint(f"wss://a.example/{canary()}/v1")),
    "key in two lines": wrong(lambda: rt.Endpoint("wss://a.example/", {"A": f"{canary()}\nb"})),
    "password in an address": wrong(lambda: rt.Endpoint(f"wss://me:{secret()}@a.example/")),
    "password of a page": wrong(lambda: rt.Endpoint(f"https://me:{secret()}@a.example/")),
    "password with a #": wrong(lambda: rt.Endpoint(f"wss://me:a#{secret()}@a.example/")),
    "key as port": wrong(lambda: rt.Endpoint(f"wss://a.example:{secret()}/")),
    "key as address": wrong(lambda: rt.Endpoint(secret())),
    "key of a gateway": wrong(lambda: rt.Endpoint(f"wss://a.example/?subscription-key={secret()}")),
    "key under an escaped name": wrong(lambda: rt.Endpoint(f"wss://a.ex/?api%2Dkey={secret()}")),
    "token behind a #": wrong(lambda: rt.Endpoint(f"wss://a.example/#access_token={secret()}")),
    "headers that are none": wrong(lambda: rt.Endpoint("wss://a.example/", [canary()])),  # type: ignore[arg-type]
    "no address": wrong(lambda: rt.Endpoint("nowhere", {"Authorization": canary()}, key=canary())),
    "two keys": wrong(lambda: rt.Azure("r", "d", key=canary(), token=lambda: canary())),
    "token that is none": wrong(lambda: rt.Azure("r", "d", token=canary())),  # type: ignore[arg-type]
    "wrong key": session(lambda url: rt.Endpoint(url, key=canary())),
    "wrong header": session(lambda url: rt.Endpoint(url, {"api-key": canary()})),
    "unknown model": session(lambda url: rt.Endpoint(url, key=canary(), model="gpt-nope")),
    "nobody there": session(lambda url: rt.Endpoint("ws://127.0.0.1:9/", key=canary())),
    "no WebSocket": session(
        lambda url: rt.Endpoint(url.replace("/v1/realtime", "/status.json"), key=canary())
    ),
    "token that fails": session(lambda url: rt.Azure("r", "d", token=no_token)),
    "token to come": session(lambda url: rt.Azure("r", "d", token=in_time_to_come)),  # type: ignore[arg-type]
    "minting with a wrong key": lambda server: rt.mint(
        2, endpoint=rt.Endpoint(server.url, key=canary())
    ),
    "minting where nobody is": lambda server: rt.mint(
        2, endpoint=rt.Endpoint("ws://127.0.0.1:9/", key=canary())
    ),
}


@pytest.mark.filterwarnings("ignore:coroutine 'in_time_to_come' was never awaited")
@pytest.mark.parametrize("what", WRONG)
def test_no_traceback_with_variables_shows_the_key(
    what: str,
    server: rt.Simulator,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(rt.RealtimeError) as failed:
        WRONG[what](server)
    told = dict(tracebacks(failed.value))
    for tool, text in told.items():
        assert found_in(text) == [], tool
    out, err = capfd.readouterr()
    client_side = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "websockets.server"
    )
    assert found_in(out + err + client_side + str(failed.value)) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: rt.Session(canary()),  # type: ignore[arg-type]
        lambda: rt.Session(secret()),  # type: ignore[arg-type]
        lambda: rt.RealtimeChat(endpoint=f"wss://a.example/?key={secret()}"),  # type: ignore[arg-type]
        lambda: rt.RealtimeChat(model=canary()),
        lambda: rt.Session(rt.Simulated(where="memory"), model=canary()).open(),
        lambda: rt.Simulated(canary()),  # type: ignore[arg-type]
    ],
)
def test_a_key_in_the_wrong_place_is_not_repeated(make: Callable[[], Any]) -> None:
    with pytest.raises(rt.Misuse) as failed:
        make()
    assert found_in(str(failed.value)) == []


@pytest.mark.parametrize(
    "url",
    [
        "wss://a.example/v1?max_tokens=5&monkey=1&api-version=2025-01-01&deployment=a",
        "ws://127.0.0.1:8000/p@th?to=me@a.example",
    ],
)
def test_an_address_without_a_key_is_one(url: str) -> None:
    assert rt.Endpoint(url).url == url


def test_what_a_traceback_shows_is_really_searched() -> None:
    def careless(key: str) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError) as failed:
        careless(CANARY)
    for tool, text in tracebacks(failed.value):
        if tool not in ("IPython Context", "all that it holds"):
            assert "plain" in found_in(text), tool


def test_a_cancelled_handshake_leaves_no_key_in_its_frames() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scene() -> BaseException:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        endpoint = rt.Endpoint(f"ws://127.0.0.1:{port}/", key=canary())
        task = asyncio.create_task(rt.AsyncSession(endpoint).open())
        try:
            await asyncio.wait_for(task, 0.3)  # the handshake is under way, and never ends
        except TimeoutError as late:
            return late
        finally:
            server.close()
        raise AssertionError("it was to be cancelled")

    late = asyncio.run(scene())
    assert late.__cause__ is not None
    for tool, text in tracebacks(late):
        assert found_in(text) == [], tool


# ------------------------------------------------------------------ what a server repeats


async def echo(line: ServerConnection) -> None:
    """A proxy that says the key it was shown in everything it says."""
    key = line.request.headers["Authorization"].removeprefix("Bearer ")  # type: ignore[union-attr]
    session = {"id": "sess_1", "type": "realtime", "instructions": key}
    await line.send(json.dumps({"type": "session.created", "event_id": "e", "session": session}))
    async for _ in line:
        error = {"type": "invalid_request_error", "message": f"bad {key}", "code": key}
        await line.send(json.dumps({"type": "error", "event_id": "e", "error": error}))
        await line.send(f"not json {key}".encode())
        await line.close(4000, f"no {key}")


def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_log(tmp_path: Path) -> None:
    async def scene() -> tuple[rt.AsyncSession, BaseException]:
        async with serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = rt.Endpoint(f"ws://127.0.0.1:{port}/", key=CANARY)
            session = rt.AsyncSession(endpoint, timeout=5)
            with pytest.raises(rt.RealtimeError) as failed:
                await session.open()
            await session.close()
            return session, failed.value

    session, problem = asyncio.run(scene())
    session.log.to_jsonl(tmp_path / "log.jsonl")
    kept = (tmp_path / "log.jsonl").read_text()
    assert "bad [the key]" in kept and b64encode(b"not json [the key]").decode() in kept
    told = [kept, str(problem), repr(session.log), str(session.log)]
    told += [text for _, text in tracebacks(problem)]
    assert found_in("\n".join(told)) == []


def taken_out(headers: dict[str, str], said: str) -> str:
    return without(said, secrets_in(headers))


@pytest.mark.parametrize("name", ["X-Gateway-Key", "X-Auth-Token", "Cookie", "cf-access-secret"])
def test_a_key_in_a_header_of_its_own_is_taken_out_as_well(name: str) -> None:
    assert taken_out({name: CANARY}, f"bad key {CANARY}.") == "bad key [the key]."


@pytest.mark.parametrize("proxy", ["ftp://me:{}@127.0.0.1:9", "http://me:{}@127.0.0.1:9"])
def test_the_password_of_a_proxy_is_not_shown(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy.format(secret()))
    with pytest.raises(rt.ConnectFailed) as failed:
        asyncio.run(rt.Endpoint("wss://host.invalid/", key="sk-test-not-a-key").open(timeout=20))
    for tool, text in tracebacks(failed.value):
        assert found_in(text) == [], tool


def test_each_secret_is_taken_out_however_it_is_written() -> None:
    headers = {"Cookie": 'session=abcdefgh1; theme=dark; other="abcdefgh2"', "X-Team": "abcdefgh3"}
    said = "abcdefgh1 dark abcdefgh2 abcdefgh3"
    assert taken_out(headers, said) == "[the key] dark [the key] abcdefgh3"
    login = {"Authorization": 'Negotiate ab/cd"ef=='}
    said = json.dumps('Negotiate ab/cd"ef==') + ' ab\\/cd\\"ef== ab%2Fcd%22ef%3D%3D'
    assert taken_out(login, said) == '"Negotiate [the key]" [the key] [the key]'


def test_a_server_that_sends_elsewhere_does_not_send_the_key_there() -> None:
    """Of Azure's header too, which the library would carry on to any address."""
    knocked = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async def scene() -> None:
        other = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
        there = f"ws://localhost:{other.sockets[0].getsockname()[1]}/"

        async def send_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 307 Go\r\nLocation: {there}\r\n\r\n".encode())
            writer.close()

        server = await asyncio.start_server(send_on, "127.0.0.1", 0)
        endpoint = rt.Azure("r", "d", key=CANARY)
        endpoint.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(rt.ConnectFailed, match="another address") as failed:
            await endpoint.open(timeout=20)
        assert failed.value.code == 307
        server.close()
        other.close()

    asyncio.run(scene())
    assert knocked == []


# ------------------------------------------------------------------ where it comes from


def test_a_key_in_the_environment_that_cannot_be_one_does_not_show_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", BROKEN)
    with pytest.raises(rt.Misuse, match="Copy it again.*from OPENAI_API_KEY") as failed:
        keys.find_key()
    for tool, text in tracebacks(failed.value):
        assert found_in(text) == [], tool
        assert CANARY[:30] not in text, tool


def test_a_token_is_fetched_anew_for_every_line() -> None:
    tokens = iter(["token-one-not-a-key", "token-two-not-a-key"])
    azure = rt.Azure("res", "dep", token=lambda: next(tokens))
    assert not azure.lacks_key
    shown = [
        {name: value.reveal() for name, value in loop.run(azure.headers()).items()}
        for _ in range(2)
    ]
    assert shown == [
        {"Authorization": "Bearer token-one-not-a-key"},
        {"Authorization": "Bearer token-two-not-a-key"},
    ]


@pytest.mark.parametrize("endpoint", [rt.OpenAI, lambda key: rt.Azure("r", "d", key=key)])
def test_a_client_secret_is_a_bearer_everywhere(endpoint: Callable[..., rt.Endpoint]) -> None:
    headers = loop.run(endpoint(key="ek_test_not_a_key").headers())
    assert {name: value.reveal() for name, value in headers.items()} == {
        "Authorization": "Bearer ek_test_not_a_key"
    }


COLAB = """
import sys
class SecretNotFoundError(Exception): pass
class NotebookAccessError(Exception): pass
asked = []
def get(name):
    asked.append(name)
    if ANSWER == "refused": raise NotebookAccessError(name)
    if ANSWER == "missing": raise SecretNotFoundError(name)
    return ANSWER
"""
IN_COLAB = """
import sys, threading
import rtwidgets as rt
from rtwidgets import keys
for _ in range(2):
    thread = threading.Thread(target=keys.find_key)
    thread.start(); thread.join()
    endpoint = rt.endpoints.default_endpoint()
    print(type(endpoint).__name__, keys.key_found_in(), repr(endpoint))
userdata = sys.modules.get("google.colab.userdata")
print(len(userdata.asked) if userdata else "never asked", set(userdata.asked if userdata else ()))
"""


@pytest.mark.parametrize(
    ("answer", "environment", "told"),
    [
        (CANARY, None, ["OpenAI Colab's secrets OpenAI(OpenAI, gpt-realtime-2.1)"] * 2
         + ["1 {'OPENAI_API_KEY'}"]),
        (CANARY, "sk-test-not-a-key", ["OpenAI OPENAI_API_KEY OpenAI(OpenAI, gpt-realtime-2.1)"] * 2
         + ["never asked set()"]),
        ("refused", None, ["Simulated None Simulated(Simulator, gpt-realtime-2.1)"] * 2
         + ["1 {'OPENAI_API_KEY'}"]),
        ("missing", None, ["Simulated None Simulated(Simulator, gpt-realtime-2.1)"] * 2
         + ["4 {'OPENAI_API_KEY'}"]),
        (None, None, ["Simulated None Simulated(Simulator, gpt-realtime-2.1)"] * 2
         + ["never asked set()"]),
    ],
    ids=["there", "environment first", "refused once", "not there yet", "not Colab"],
)  # fmt: skip
def test_the_secrets_of_colab_are_asked_in_colab_alone(
    tmp_path: Path, checkout: Path, answer: str | None, environment: str | None, told: list[str]
) -> None:
    """A package google.colab as Colab has it, whose userdata answers; in a process of its own."""
    import os

    folder = tmp_path / "google" / "colab"
    folder.mkdir(parents=True)
    if answer is not None:
        (folder / "__init__.py").touch()
        (folder / "userdata.py").write_text(COLAB.replace("ANSWER", repr(answer)))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(checkout), str(tmp_path)])}
    if environment:
        env["OPENAI_API_KEY"] = environment
    done = subprocess.run(
        [sys.executable, "-c", IN_COLAB], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == told
    assert found_in(done.stdout + done.stderr) == []
