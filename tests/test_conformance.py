"""What `make conformance` stands on: its table, its relay, its order, its judgement."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai")

import websockets  # noqa: E402
from conformance import judging, visiting  # noqa: E402
from conformance.clients import CLIENTS  # noqa: E402
from conformance.hosts import HOSTS  # noqa: E402
from conformance.order import disorder  # noqa: E402
from conformance.relay import Frames, Relay  # noqa: E402
from conformance.serving import HostRow  # noqa: E402
from other_servers import GATEWAY, Played  # noqa: E402
from scripted import Scripted  # noqa: E402
from websockets.frames import Frame, Opcode  # noqa: E402
from websockets.protocol import Side  # noqa: E402

import rtwidgets as rt  # noqa: E402
from rtwidgets.simulator import Simulator  # noqa: E402

HERE = Path(__file__).resolve().parent
STREAMS = sorted((HERE.parents[1] / "shared" / "streams").glob("*.jsonl"))
KEY = "sk-test-not-a-key"
HEADERS = {"Authorization": f"Bearer {KEY}"}


# --- the table


def test_every_script_belongs_to_a_client_and_every_client_has_one() -> None:
    scripts = {path.name for path in (HERE / "conformance" / "talks").glob("*_talk.*")}
    assert scripts == {client.talk for client in CLIENTS}


def test_every_client_is_pinned_and_names_no_place_to_fetch_it_from() -> None:
    for client in CLIENTS:
        assert re.fullmatch(r"\d+(\.\d+)+", client.version), client.name
        assert not [need for need in client.needs if "://" in need or "git" in need]


def test_clients_share_an_environment_only_when_they_need_the_same() -> None:
    needs: dict[str, tuple[str, ...]] = {}
    for client in (*CLIENTS, *HOSTS):
        assert needs.setdefault(client.environment, client.needs) == client.needs


def test_every_server_has_a_script_and_is_pinned() -> None:
    scripts = {path.name for path in (HERE / "conformance" / "servers").glob("*.py")}
    assert scripts == {host.script for host in HOSTS}
    for host in HOSTS:
        assert re.fullmatch(r"\d+(\.\d+)+", host.version), host.name
        assert not [need for need in (*host.needs, *host.alone) if "://" in need or "git" in need]


# --- the relay


def test_the_relay_changes_nothing_and_writes_down_every_frame() -> None:
    written: list[tuple[str, str]] = []

    async def talk(url: str) -> list[str]:
        async with Relay(url, lambda *row: written.append(row)) as relay:
            where = relay.url + "?model=gpt-realtime"
            connect = websockets.connect(
                where,
                additional_headers=HEADERS,
                subprotocols=[websockets.Subprotocol("realtime")],
            )
            async with connect as line:
                assert line.subprotocol == "realtime"
                assert line.response and line.response.headers["Server"] == "rtwidgets-simulator"
                await line.send('{"type": "response.cancel"}')
                return [str(await line.recv()), str(await line.recv())]

    with Simulator(in_process=True, key=KEY) as simulator:
        received = asyncio.run(asyncio.wait_for(talk(simulator.url), 20))
    assert [frame for direction, frame in written if direction == "server"] == received
    assert ("client", '{"type": "response.cancel"}') in written
    assert [json.loads(frame)["type"] for frame in received] == ["session.created", "error"]


def test_the_relay_passes_a_refusal_on() -> None:
    async def talk(url: str) -> tuple[int, str]:
        async with Relay(url, lambda *row: None) as relay, websockets.connect(relay.url) as line:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                while True:
                    await line.recv()
            assert closed.value.rcvd
            return closed.value.rcvd.code, closed.value.rcvd.reason

    with Simulator(in_process=True, key=KEY) as simulator:
        code, reason = asyncio.run(asyncio.wait_for(talk(simulator.url), 20))
    assert code == 3000 and reason


def test_frames_are_read_whatever_the_pieces_they_come_in() -> None:
    parts = [Frame(Opcode.TEXT, b"caf\xc3", fin=False), Frame(Opcode.PING, b"?")]
    parts.append(Frame(Opcode.CONT, b"\xa9", fin=True))
    data = b"".join(part.serialize(mask=True) for part in parts)
    frames = Frames(Side.SERVER)
    assert [text for byte in data for text in frames.feed(bytes([byte]))] == ["café"]


# --- the order


def recorded(path: Path) -> list[dict[str, Any]]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [row["event"] for row in rows if row["direction"] == "server"]


@pytest.mark.skipif(not STREAMS, reason="there are no recordings here")
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_the_recordings_are_in_order_and_no_two_events_may_change_places(path: Path) -> None:
    events = recorded(path)
    assert disorder(events) == []
    for at in range(len(events) - 1):
        swapped = [*events[:at], events[at + 1], events[at], *events[at + 2 :]]
        if strictly_ordered(events[at], events[at + 1]):
            assert disorder(swapped), (events[at]["type"], events[at + 1]["type"])


@pytest.mark.skipif(not STREAMS, reason="there are no recordings here")
@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_what_comes_short_is_seen_once_its_response_is_done(path: Path) -> None:
    """A session may end amid an item; an item may not end amid a session."""
    events = recorded(path)
    ends = [at for at, event in enumerate(events) if event["type"] == "conversation.item.done"]
    for at in ends:
        assert disorder([*events[:at], *events[at + 1 :]]), events[at]
    begun = next(at for at, event in enumerate(events) if event["type"].endswith(".delta"))
    assert disorder(events[:begun]) == []


def strictly_ordered(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Two events of the same item, neither a transcript of the user's nor both deltas."""
    kinds = one["type"], other["type"]
    loose = any("input_audio_transcription" in kind for kind in kinds)
    deltas = all(kind.endswith(".delta") for kind in kinds)
    ids = [event.get("item_id") or event.get("item", {}).get("id") for event in (one, other)]
    return ids[0] is not None and ids[0] == ids[1] and not loose and not deltas


# --- the judgement

SAID = judging.Wire(said=["Your name is Ada!"])
REPORT = {"transcript": "Your name is  Ada!", "audio_ms": 900}


def test_a_part_passes_when_the_client_heard_what_was_sent() -> None:
    assert judging.judge(judging.SECOND, REPORT, SAID) == ""


@pytest.mark.parametrize(
    ("part", "changed", "why"),
    [
        (judging.SPOKEN, {"transcript": " "}, "no transcript"),
        (judging.SPOKEN, {"transcript": "Something else"}, "was not sent"),
        (judging.SPOKEN, {"audio_ms": 0}, "0 ms of audio"),
        (judging.TOOL, {"arguments": None}, "called with None"),
        (judging.TOOL, {"arguments": {"city": "Rome"}}, "does not tell"),
        (judging.HEARD, {}, "0 spoken turns"),
    ],
)
def test_a_part_that_is_not_shown_says_why(part: str, changed: dict[str, Any], why: str) -> None:
    assert why in judging.judge(part, {**REPORT, **changed}, SAID)


def test_a_field_that_nobody_knows_is_counted_and_no_pass() -> None:
    error = {"type": "invalid_request_error", "message": "No."}
    frame = {"type": "error", "event_id": "e", "error": error, "surprise": 1}
    wire = judging.read_wire([("server", json.dumps(frame)), ("client", "{}")], paced=False)
    assert judging.strange(wire) == ["surprise"]
    assert any("surprise" in fault for fault in wire.faults)
    invalid = judging.read_wire([("server", json.dumps({**frame, "event_id": 5}))], paced=False)
    assert invalid.faults and not invalid.undeclared


def test_a_part_that_no_script_reports_is_not_passed() -> None:
    assert judging.judge(judging.SPOKEN, None, SAID) == "not reached"
    chatter = 'a client says: {"part": 1}\n{"part": "tool call", "transcript": "x"}\n'
    assert set(judging.reports(chatter)) == {judging.TOOL}


# --- our sessions with other people's servers


def test_a_visit_shows_of_the_simulator_all_that_it_looks_for() -> None:
    made = visiting.visit(rt.Simulated(where="memory", latency="typical"))
    assert made.parts == dict.fromkeys(visiting.PARTS, "")
    assert made.passed and (made.lacks(), made.others()) == ([], [])
    row = HostRow(HOSTS[0], made)
    assert row.passed and set(row.cells()[2:-2]) == {"yes"}


def test_what_a_server_cannot_do_is_said_and_no_yes() -> None:
    made = visiting.visit(Scripted(Played(GATEWAY).serve), spoken=False)
    assert made.parts[visiting.GREETING] == ""
    assert "answers" in made.parts[visiting.SECOND]
    assert "without tokens, shown as unknown" in made.parts[visiting.USAGE]
    assert "conversation.item.done" in made.lacks()
    row = HostRow(HOSTS[0], made)
    assert not row.passed and "usage: 4 of 4 replies without tokens" in row.say()
    cells = dict(zip(visiting.PARTS, row.cells()[2:], strict=False))
    assert (cells[visiting.GREETING], cells[visiting.SECOND]) == ("yes", "NO")
    assert (cells[visiting.USAGE], cells[visiting.HEARD]) == ("no", "-")


def test_a_server_that_does_not_let_us_in_is_quoted() -> None:
    made = visiting.visit(rt.Endpoint("ws://127.0.0.1:9/v1/realtime"))
    assert not made.passed and made.logs == []
    assert all(made.parts[part] for part in visiting.MUST)
