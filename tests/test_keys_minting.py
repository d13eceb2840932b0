"""Client secrets for a class: made by a real server, hidden until asked for, no long-lived key."""

from __future__ import annotations

import http.client
import json
import pickle
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY, found_in

import rtwidgets as rt
from rtwidgets.minting import _address

KEY = "sk-test-not-a-key-minting"


@pytest.fixture(scope="module")
def server() -> Iterator[rt.Simulator]:
    with rt.Simulator(latency="none", in_process=True, key=KEY) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def secrets(server: rt.Simulator) -> Any:
    return rt.mint(30, ttl=60, endpoint=rt.Endpoint(server.url, key=KEY))


def test_thirty_students_get_thirty_secrets(server: rt.Simulator, secrets: Any) -> None:
    values = {one.secret.reveal() for one in secrets}
    assert len(secrets) == len(values) == 30
    assert all(value.startswith("ek_") for value in values)
    assert [one.name for one in secrets][:2] == ["1", "2"]
    assert all(one.expires.endswith(" UTC") and one.address == server.url for one in secrets)
    endpoint = rt.Endpoint(server.url, key=secrets.reveal(7))
    with rt.Session(endpoint) as session:
        assert session.ask("hello").text


def test_nothing_shows_a_secret_until_it_is_asked_for(secrets: Any) -> None:
    shown = str(secrets) + repr(secrets) + secrets._repr_html_() + str(list(secrets))
    shown += str(secrets.to_dicts()) + secrets.to_dataframe().to_csv() + str(secrets[:3])
    assert "ek_…" in shown and KEY not in shown
    assert not any(one.secret.reveal()[3:] in shown for one in secrets)
    with pytest.raises(rt.Misuse):
        pickle.dumps(secrets)


def test_the_file_to_hand_out_holds_them_and_no_long_lived_key(
    secrets: Any, tmp_path: Path
) -> None:
    path = tmp_path / "class.csv"
    path.touch(0o644)
    secrets.to_csv(path)
    lines = path.read_text().splitlines()
    assert lines[0] == "name,secret,good until,address" and len(lines) == 31
    assert lines[7].split(",")[1] == secrets.reveal(7) == secrets.reveal("7")
    assert KEY not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_names_in_place_of_numbers(server: rt.Simulator, tmp_path: Path) -> None:
    endpoint = rt.Endpoint(server.url, key=KEY)
    made = rt.mint(endpoint=endpoint, names=["Ada", "=cmd()", "<img src=x>"], ttl=7200)
    assert made.reveal("Ada").startswith("ek_")
    assert "&lt;img" in made._repr_html_() and "<img" not in made._repr_html_()
    made.to_csv(tmp_path / "a.csv")
    assert "\n'=cmd()," in (tmp_path / "a.csv").read_text()
    with pytest.raises(rt.Misuse, match="no secret for 'Bob'"):
        made.reveal("Bob")


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 0}, {"n": 1001}, {"n": True}, {"ttl": 9}, {"ttl": 7201}, {"ttl": 60.5},
        {"names": "Ada"}, {"names": []}, {"endpoint": "wss://a.example"},
        {"endpoint": rt.Simulated(where="memory")},
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(rt.Misuse):
        rt.mint(**wrong)


def test_a_secret_makes_no_secrets(server: rt.Simulator, secrets: Any) -> None:
    with pytest.raises(rt.ConnectFailed, match="HTTP 401") as refused:
        rt.mint(1, endpoint=rt.Endpoint(server.url, key=secrets.reveal(1)))
    assert refused.value.code == 401


def test_without_a_key_the_simulator_makes_them() -> None:
    made = rt.mint(2)
    assert "Simulator" in made.caption
    with rt.Session(rt.Endpoint(made[0].address, key=made.reveal(1))) as session:
        assert session.simulated


def test_without_a_key_openai_says_so() -> None:
    with pytest.raises(rt.ConnectFailed, match="OPENAI_API_KEY"):
        rt.mint(1, endpoint=rt.OpenAI())


@pytest.mark.parametrize(
    ("endpoint", "where"),
    [
        (rt.OpenAI(key=KEY), "https://api.openai.com/v1/realtime/client_secrets"),
        (rt.Azure("res", "dep", key=KEY),
         "https://res.openai.azure.com/openai/v1/realtime/client_secrets"),
        (rt.Endpoint("ws://127.0.0.1:1/v1/realtime/?model=a&x=1"),
         "http://127.0.0.1:1/v1/realtime/client_secrets?x=1"),
    ],
)  # fmt: skip
def test_where_each_service_makes_them(endpoint: rt.Endpoint, where: str) -> None:
    assert _address(endpoint.url) == where


# ------------------------------------------------------------------ servers that are not kind

ANSWERS: dict[str, tuple[int, Any]] = {
    "echo": (400, {"error": {"message": f"bad key {CANARY} \x1b[31m<script>"}}),
    "words": (429, b"slow down"),
    "empty": (200, b""),
    "list": (200, []),
    "no-expiry": (200, {"value": "ek_1"}),
    "far": (200, {"value": "ek_1", "expires_at": 10**30}),
    "odd": (200, {"value": "ek a b", "expires_at": 1_800_000_000}),
    "deep": (200, b"[" * 100_000),
}


class Strange(BaseHTTPRequestHandler):
    """Answers what its path says; `moved` sends on to `stolen`, which writes down what it gets."""

    seen: list[tuple[str, str | None]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.path.split("/")[1]
        type(self).seen.append((name, self.headers.get("Authorization")))
        status, body = ANSWERS.get(name, (307, b""))
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "/stolen/client_secrets")
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def strange() -> Iterator[str]:
    Strange.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Strange)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"ws://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("name", [*ANSWERS, "moved"])
def test_a_strange_answer_is_a_sentence_without_the_key(
    strange: str, name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)  # prints what is sent
    expected = rt.Misuse if name == "odd" else rt.ConnectFailed
    with pytest.raises(expected) as failed:
        rt.mint(2, endpoint=rt.Endpoint(f"{strange}/{name}", key=CANARY))
    said = str(failed.value)
    out, err = capfd.readouterr()
    assert found_in(said + out + err) == []
    assert "\x1b" not in said
    assert ("[the key]" in said) == (name == "echo")


def test_a_redirection_is_not_followed_with_the_key(strange: str) -> None:
    with pytest.raises(rt.ConnectFailed, match="HTTP 307"):
        rt.mint(1, endpoint=rt.Endpoint(f"{strange}/moved", key=CANARY))
    assert "stolen" not in {name for name, _ in Strange.seen}
