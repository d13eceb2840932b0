"""Where to connect: addresses, keys that never show, and words for what goes wrong."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import serve

import rtwidgets as rt
from rtwidgets import endpoints
from rtwidgets.keys import Key

SECRET = "sk-test-not-a-key"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtwidgets.keys._asked_key", None)
    monkeypatch.setattr(endpoints.spending, "_spending_approved", False)


# ------------------------------------------------------------------ the key


def test_a_key_never_prints_itself() -> None:
    key = Key(SECRET)
    holders: list[Any] = [key, rt.OpenAI(key=key), rt.Endpoint("wss://x.example/v1", key=key)]
    holders += [[key], {"key": key}, copy.deepcopy(key), copy.copy(key)]
    for holder in holders:
        assert SECRET not in repr(holder) + str(holder) + f"{holder}"
    assert key.reveal() == SECRET


def test_a_key_is_not_pickled() -> None:
    with pytest.raises(rt.Misuse, match="not written to disk"):
        pickle.dumps(Key(SECRET))


@pytest.mark.parametrize("odd", ["sk-a…b", "sk-a\nb", "sk-a b"])
def test_a_key_cut_short_by_a_display_is_refused_without_showing_it(odd: str) -> None:
    with pytest.raises(rt.Misuse, match="Copy it again") as refused:
        rt.OpenAI(key=odd)
    assert odd not in str(refused.value) and "sk-a" not in str(refused.value)


@pytest.mark.parametrize("value", ["a\nb", "ü", 7])
def test_a_header_is_one_line_of_ascii(value: Any) -> None:
    with pytest.raises(rt.Misuse, match="X-Team"):
        rt.Endpoint("wss://a.example/", headers={"X-Team": value})


def test_headers_are_as_secret_as_keys() -> None:
    endpoint = rt.Endpoint("wss://a.example/", headers={"Authorization": f"Bearer {SECRET}"})
    assert SECRET not in repr(vars(endpoint))
    with pytest.raises(rt.Misuse):
        pickle.dumps(endpoint)


@pytest.mark.parametrize("empty", ["", "   "])
def test_an_empty_key_is_refused_in_words(empty: str) -> None:
    with pytest.raises(rt.Misuse, match="empty"):
        rt.OpenAI(key=empty)


def test_the_environment_decides_where_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(endpoints.default_endpoint(), rt.Simulated)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert isinstance(endpoints.default_endpoint(), rt.OpenAI)


def test_asking_keeps_the_key_for_this_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: SECRET)
    assert rt.ask_key() is None
    assert isinstance(endpoints.default_endpoint(), rt.OpenAI)
    assert SECRET not in capsys.readouterr().out


def test_asking_where_nobody_can_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    with pytest.raises(rt.Misuse, match="OPENAI_API_KEY"):
        rt.ask_key()


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        (rt.OpenAI(), "OPENAI_API_KEY"),
        (rt.Azure("res", "gpt-realtime"), "AZURE_OPENAI_API_KEY"),
    ],
)
def test_without_a_key_it_says_where_to_put_one(endpoint: rt.Endpoint, name: str) -> None:
    with pytest.raises(rt.ConnectFailed, match=name), rt.Session(endpoint, budget=1):
        pass


# ------------------------------------------------------------------ the address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("wss://a.example/v1/realtime", "wss://a.example/v1/realtime?model=m%2F1"),
        ("wss://a.example/v1?x=1", "wss://a.example/v1?x=1&model=m%2F1"),
        ("wss://a.example/v1?intent=transcription", "wss://a.example/v1?intent=transcription"),
        ("wss://a.example/v1?model=mine", "wss://a.example/v1?model=mine"),
        ("wss://a.example/v1?call_id=rtc_1", "wss://a.example/v1?call_id=rtc_1"),
    ],
)
def test_the_address_names_exactly_one_of_model_call_and_intent(url: str, address: str) -> None:
    assert rt.Endpoint(url)._address("m/1") == address


def test_headers_carry_the_key_where_each_service_wants_it() -> None:
    def shown(endpoint: rt.Endpoint) -> dict[str, str]:
        return {name: value.reveal() for name, value in endpoint._all_headers().items()}

    mine = rt.Endpoint("wss://a.example/v1", headers={"X-Team": "a"}, key=SECRET)
    assert shown(mine) == {"X-Team": "a", "Authorization": f"Bearer {SECRET}"}
    azure = rt.Azure("res", "dep", key=SECRET)
    assert shown(azure) == {"api-key": SECRET}
    assert azure._address("dep") == "wss://res.openai.azure.com/openai/v1/realtime?model=dep"


@pytest.mark.parametrize(
    ("given", "header", "value"),
    [
        ({"key": SECRET}, "api-key", SECRET),
        ({"token": lambda: "entra-not-a-token"}, "Authorization", "Bearer entra-not-a-token"),
    ],
    ids=["key", "token"],
)
def test_azure_is_asked_for_a_deployment_with_a_key_or_a_token(
    given: Any, header: str, value: str
) -> None:
    async def knock() -> Any:
        asked: list[Any] = []

        async def listen(line: Any) -> None:
            asked.append(line.request)

        async with serve(listen, "127.0.0.1", 0) as server:
            azure = rt.Azure("res", "my-deployment", **given)
            port = server.sockets[0].getsockname()[1]
            azure.url = azure.url.replace("wss://res.openai.azure.com", f"ws://127.0.0.1:{port}")
            await (await azure.open()).close()
        return asked[0]

    request = asyncio.run(asyncio.wait_for(knock(), 20))
    assert request.path == "/openai/v1/realtime?model=my-deployment"
    assert request.headers[header] == value
    names = ("api-key", "Authorization", "OpenAI-Beta")
    assert [name for name in names if name in request.headers] == [header]


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "a.example", "", "wss://a:99999/", "wss://[bad", "wss://.com", "wss://"],
)
def test_an_address_that_is_no_websocket_is_refused_in_words(url: str) -> None:
    with pytest.raises(rt.Misuse, match="address"):
        rt.Endpoint(url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(rt.Misuse) as refused:
        rt.Endpoint("wss://user:sekret@a.example/")
    assert "sekret" not in str(refused.value)


def test_an_address_that_names_a_model_decides() -> None:
    endpoint = rt.Endpoint("wss://a.example/?model=gpt-realtime-2.1")
    assert endpoint.model == rt.AsyncSession(endpoint, budget=1).model == "gpt-realtime-2.1"
    with pytest.raises(rt.Misuse, match="gpt-realtime-mini"):
        rt.AsyncSession(endpoint, model="gpt-realtime-mini")


@pytest.mark.parametrize(
    "wrong", [{"latency": "some"}, {"where": "moon"}, {"latency": "gpt-realtime-2.1"}]
)
def test_wrong_choices_of_the_simulator(wrong: dict[str, Any]) -> None:
    with pytest.raises(rt.Misuse):
        rt.Simulated(**wrong)


# ------------------------------------------------------------------ the line does not stand


def test_nobody_listens_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with (
        pytest.raises(rt.ConnectFailed, match="Check the network"),
        rt.Session(rt.Endpoint(f"ws://127.0.0.1:{port}/v1/realtime"), timeout=5),
    ):
        pass


def test_a_server_that_never_shakes_hands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = rt.Endpoint(f"ws://127.0.0.1:{silent.getsockname()[1]}/")
        with (
            pytest.raises(rt.ConnectFailed, match="did not answer"),
            rt.Session(endpoint, timeout=0.2),
        ):
            pass


def test_a_simulator_that_takes_long_to_start_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = threading.Event()
    monkeypatch.setattr(endpoints.simulated, "_running", lambda _: started.wait())
    try:
        with (
            pytest.raises(rt.ConnectFailed, match="did not start within 0.1 s"),
            rt.Session(rt.Simulated(), timeout=0.1),
        ):
            pass
    finally:
        started.set()


# ------------------------------------------------------------------ money


def test_only_this_machine_is_free() -> None:
    assert rt.OpenAI().paid and rt.Azure("r", "d").paid and rt.Endpoint("wss://a.example/").paid
    assert not rt.Simulated().paid and not rt.Endpoint("ws://127.0.0.1:1/").paid


def test_the_notice_names_endpoint_model_and_price_until_somebody_agrees() -> None:
    openai = rt.OpenAI(key=SECRET)
    notice = endpoints.spending_notice(openai, "gpt-realtime-2.1-mini")
    assert notice is not None
    assert "OpenAI" in notice and "gpt-realtime-2.1-mini" in notice and "$" in notice
    endpoints.approve_spending()
    assert endpoints.spending_notice(openai) is None


def test_where_a_key_is_missing_nobody_is_asked_about_money_first() -> None:
    for endpoint in (rt.OpenAI(), rt.Azure("res", "my-deployment")):
        assert endpoints.spending_notice(endpoint) is None
        with pytest.raises(rt.ConnectFailed, match="key"), rt.Session(endpoint):
            pass


# ------------------------------------------------------------------ the simulator in all its places


@pytest.mark.parametrize("where", ["memory", "thread", "process"])
def test_the_simulator_answers_and_says_what_it_is(where: Any) -> None:
    with rt.Session(rt.Simulated("none", where=where), rt.ModelGreeting()) as s:
        assert s.opening_reply is not None and s.opening_reply.status == "completed"
        assert s.conversation.session["id"].startswith("sess_simulated_")
        assert s.label == "Simulator" and s.simulated


@pytest.mark.parametrize("where", ["memory", "thread", "process"])
def test_the_simulators_options_can_be_given(where: Any) -> None:
    script = [("Where are the fossils?", "On the second floor.")]
    endpoint = rt.Simulated("none", where=where, script=script)
    for _ in range(2):
        with rt.Session(endpoint) as s:
            assert s.ask("Where are the fossils?").text == "On the second floor."
    with rt.Session(rt.Simulated("none", where=where)) as s:
        assert "second floor" not in s.ask("Where are the fossils?").text


def test_an_option_the_simulator_does_not_know_is_named() -> None:
    with pytest.raises(rt.Misuse, match="weather"), rt.Session(rt.Simulated(weather="rain")):
        pass


def test_one_process_serves_all_sessions_of_a_kind() -> None:
    endpoint = rt.Simulated("none")
    with rt.Session(endpoint), rt.Session(rt.Simulated("none")):
        kinds = [kind for kind in endpoints.simulated._simulators if kind == ("none", 0, "process")]
    assert len(kinds) == 1


@pytest.fixture(scope="module")
def server() -> Any:
    with rt.Simulator(latency="none", in_process=True) as simulator:
        yield simulator


def test_neither_the_librarys_log_nor_a_traceback_with_variables_shows_the_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(connection: Any, request: Any) -> Any:
        return connection.respond(401, "no")

    async def scene() -> str:
        async with serve(
            lambda connection: connection.wait_closed(), "127.0.0.1", 0, process_request=refuse
        ) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = rt.Endpoint(f"ws://127.0.0.1:{port}/", key=SECRET)
            try:
                await rt.AsyncSession(endpoint).open()
            except rt.ConnectFailed as failed:
                full = traceback.TracebackException.from_exception(failed, capture_locals=True)
                return "".join(full.format())
        return ""

    with caplog.at_level(logging.DEBUG):
        shown = asyncio.run(scene())
    sent = [r for r in caplog.records if r.name.startswith("rtwidgets") and "> " in r.getMessage()]
    assert any("Authorization" in record.getMessage() for record in sent)
    client_side = "\n".join(r.getMessage() for r in caplog.records if r.name != "websockets.server")
    assert "HTTP 401" in shown
    assert SECRET not in shown + client_side


def test_a_wrong_key_is_explained(server: Any) -> None:
    with (
        pytest.raises(rt.ConnectFailed, match="ask_key") as refused,
        rt.Session(rt.Endpoint(server.url, key=SECRET)),
    ):
        pass
    assert server.key not in str(refused.value)


def test_an_unknown_model_is_explained(server: Any) -> None:
    with (
        pytest.raises(rt.ConnectFailed, match="gpt-nope"),
        rt.Session(rt.Endpoint(server.url, key=server.key), model="gpt-nope"),
    ):
        pass


def test_a_taken_port_is_explained(server: Any) -> None:
    port = int(server.url.split(":")[2].split("/")[0])
    with pytest.raises(rt.ConnectFailed, match=str(port)):
        rt.Simulator(port=port, in_process=True).start()


def test_the_simulators_process_is_not_given_the_keys_of_paid_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with rt.Simulator(latency="none") as simulator:
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                theirs = environ.read_bytes()
            except OSError:
                continue
            if simulator.key.encode() in theirs:
                assert SECRET.encode() not in theirs
                return
    pytest.skip("this system does not show the environment of a process in /proc")


WARM = """
import sys
from rtwidgets import endpoints
wanted = {"websockets.asyncio.client", "rtwidgets.simulator.launch"}
assert not wanted & set(sys.modules)
endpoints.warm_up().join()
assert wanted <= set(sys.modules)
"""


def test_warming_up_loads_what_the_first_line_needs() -> None:
    subprocess.run([sys.executable, "-c", WARM], check=True)
