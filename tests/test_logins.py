"""What logs in somewhere: in no file, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY

import rtwidgets as rt
from rtwidgets.log import files
from rtwidgets.log.logins import HIDDEN, for_a_file, without_keys
from rtwidgets.widgets.files import file_of

pytestmark = pytest.mark.usefixtures("no_garbage")

LOGIN = "Zq87Kd2Vw9Xb"
CLIENT_SECRET = "ek_" + CANARY.removeprefix("sk-")
SOUND = rt.audio.encode(bytes(range(256)) * 40)


def tool(**more: Any) -> dict[str, Any]:
    return {"type": "mcp", "server_label": "museum", "authorization": LOGIN, **more}


def log_of(*frames: Any) -> rt.EventLog:
    log = rt.EventLog(started=1.0, endpoint="wss://here", model="m")
    for number, frame in enumerate(frames):
        log.append("client", frame, t=number / 8)
    return log


HARMLESS = [
    '{"type":"session.created","session":{"id":"sess_1","tools":[],"speed":1.0}}',
    '{ "type" : "session.update","session":{"instructions":"a risk-free task-word_of_1234567 x"}}',
    '{"type":"x","said":"ask-me-anything-about sk-short week_2024_01_02_and_03 Gr\\u00fc\\u00df"}',
    '{"type":"y","css":"sk-toggleable__content","headers":["authorization"],"n":1e400}',
    '{"type":"input_audio_buffer.append","audio":"' + SOUND + '"}',
    "no JSON: authorization, headers",
    '{"type":\n"two lines","parameters":{"properties":{"authorization":{"type":"string"}}}}',
    b'{"type":"bytes"} \xff',
    '{"type":"half","text":"\ud83d"}',
    '{"type":"z","session":{"tools":[{"type":"function","name":"headers","parameters":{}}, null]}}',
]


def test_a_log_without_logins_is_written_byte_for_byte() -> None:
    log = log_of(*HARMLESS)
    text = log.to_jsonl()
    assert text is not None and HIDDEN not in text and "hidden" not in text
    again = rt.EventLog.from_jsonl(text)
    assert [row.frame for row in again] == HARMLESS
    lines = text.splitlines()
    for place in (0, 1, 2, 3, 4, 9):  # a line each, as they are
        assert lines[1 + place].endswith(f',"event":{HARMLESS[place]}}}')


def test_of_a_frame_only_what_logs_in_is_replaced_and_its_line_says_so() -> None:
    headers = {"X-Team": "Xb4N/f6Hj", "X-Other": 'm\u00fc"sli'}
    asked = json.dumps(
        {"type": "session.update", "n": [1.50, 1e3], "session": {"tools": [tool(headers=headers)]}}
    )
    expected = asked.replace(json.dumps(LOGIN), f'"{HIDDEN}"')
    for value in headers.values():
        expected = expected.replace(json.dumps(value), f'"{HIDDEN}"')
    text = log_of(HARMLESS[0], asked, HARMLESS[0]).to_jsonl() or ""
    before, line, behind = text.splitlines()[1:]
    assert line == f'{{"seq":1,"t":0.125,"direction":"client","event":{expected},"hidden":true}}'
    assert HARMLESS[0] in before and HARMLESS[0] in behind
    again = rt.EventLog.from_jsonl(text)
    assert [row.raw for row in again] == [HARMLESS[0], expected, HARMLESS[0]]
    assert [row.t for row in again] == [0.0, 0.125, 0.25]


def test_what_is_escaped_beside_a_key_stays_so() -> None:
    said = '{"type":"error","n":1.50,"message":"No key \\u003cKEY\\u003e."}'
    assert for_a_file(said.replace("KEY", CANARY)) == said.replace("KEY", HIDDEN)


def test_of_a_key_that_is_half_escaped_nothing_is_left() -> None:
    middle = f"\\u{ord(CANARY[-9]):04x}"
    said = '{"type":"error","message":"' + CANARY[:-9] + middle + CANARY[-8:] + '"}'
    assert json.loads(said)["message"] == CANARY
    assert json.loads(for_a_file(said))["message"] == HIDDEN


SECRETS: list[tuple[str, Any]] = [
    (LOGIN, {"type": "response.create", "response": {"tools": [tool()]}}),
    (LOGIN, {"type": "session.updated", "session": {"tools": [None, tool(), tool()]}}),
    (LOGIN, {"type": "session.updated", "session": {"tools": [{"authorization": {"a": LOGIN}}]}}),
    (LOGIN, {"type": "s", "session": {"client_secret": {"value": LOGIN, "expires_at": 1}}}),
    (LOGIN, {"type": "s", "client_secret": LOGIN}),
    (LOGIN, json.dumps({"session": {"tools": [tool()]}}, indent=2)),
    (LOGIN, json.dumps({"session": {"tools": [tool(headers={"a": "b", "c": LOGIN})]}})[:-4]),
    (LOGIN, json.dumps({"session": {"tools": [tool()]}}).encode() + b" "),
    (LOGIN, '{"session":{"tools":[{"authorization":"' + LOGIN.replace("Z", "\\u005a") + '"}]}}'),
    (LOGIN, '{"session":{"tools":[{"\\u0061uthorization":"' + LOGIN + '"}]}}'),
    (
        LOGIN,
        json.dumps({"session": {"tools": [tool()]}})[:-4] + ', "authorization": "[hidden]"}]}}',
    ),
    (CANARY, {"type": "error", "error": {"message": f"No such key: {CANARY}."}}),
    (CANARY, {"type": "error", "error": {"message": f"No such key:\n{CANARY}"}}),
    (CANARY, '{"type":"error","message":"' + CANARY.replace("sk-", "sk\\u002d") + '"}'),
    (LOGIN, {"type": "session.update", "session": {"tools": [tool(headers=[f"A: {LOGIN}"])]}}),
    (LOGIN, {"type": "session.update", "session": {"tools": tool()}}),
    (CANARY, {"type": "input_audio_buffer.append", "audio": SOUND, "event_id": CANARY}),
    (CANARY, f"no JSON {CANARY}"),
    (CANARY, f"no UTF-8 {CANARY}".encode() + b"\xff"),
    (CLIENT_SECRET, {"type": "session.created", "session": {"client_secret": CLIENT_SECRET}}),
    (CLIENT_SECRET, {"type": "s", "value": CLIENT_SECRET}),
]


@pytest.mark.parametrize(("secret", "frame"), SECRETS)
def test_it_is_in_no_file_and_the_file_can_be_read(secret: str, frame: Any, tmp_path: Path) -> None:
    log = log_of(HARMLESS[4], frame)
    path = tmp_path / "log.jsonl"
    log.to_jsonl(path)
    saved = file_of("jsonl", [], log, "").data
    tail = secret[3:]  # what stands before may be escaped
    for text in (path.read_bytes(), saved, (log[::-1].to_jsonl() or "").encode()):
        again = rt.EventLog.from_jsonl(text.decode().splitlines(keepends=True))
        assert len(again) == 2 and again.problems == []
        everything = [text.decode(), *(row.raw for row in again), *(row.json() for row in again)]
        assert not [one for one in everything if tail in one]
        assert sum(HIDDEN in row.raw for row in again) == 1
        assert text.count(b'"hidden":true') == 1
    assert tail not in log[1].json() and HIDDEN in log[1].json()
    if not isinstance(frame, bytes):
        assert tail in log[1].raw, "in memory it is as it was"
    assert sum(len(row.pcm) for row in rt.EventLog.from_jsonl(path)) == log[0].audio_bytes + (
        log[1].audio_bytes
    )


def test_where_the_log_is_of_is_looked_through_too() -> None:
    text = rt.EventLog(endpoint=f"wss://here/?key={CANARY}").to_jsonl() or ""
    assert CANARY not in text and HIDDEN in text


def test_a_frame_without_such_a_word_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(frame: str) -> None:
        raise AssertionError(f"parsed: {frame}")

    monkeypatch.setattr("rtwidgets.log.logins.parse", parsed)
    monkeypatch.setattr(files.jsonl, "parse", parsed)
    plain = [one for one in HARMLESS[:5] if '"headers"' not in str(one)]
    log = log_of(*plain, f'{{"said":"{CANARY}"}}')
    assert [for_a_file(one) for one in plain] == plain
    assert (log[:-1].to_jsonl() or "").count("\n") == 1 + len(plain)


def test_a_frame_nested_too_deep_and_one_of_megabytes_hold_nothing_up() -> None:
    deep = '{"headers":' + "[" * 100_000 + "]" * 100_000 + "}"
    long = '{"authorization":"' + "sk-" * 400_000
    text = log_of(deep, long).to_jsonl() or ""
    assert text.count("\n") == 3 and len(without_keys("ek_" * 400_000)) > 0
