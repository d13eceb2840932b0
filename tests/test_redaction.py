"""A log for sharing: no secret that was planted anywhere survives, and the structure does."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtwidgets as rt
from rtwidgets.log.censoring import Censor, is_secret_name
from rtwidgets.log.redaction import redact

KEY = "sk-test-not-a-key-0123456789"
SECRETS = [
    KEY,
    "sk-proj-Ab12Cd34Ef56Gh78",
    "ek_" + "68af296e8e408191a1120ab6383263c2",
    "Bearer abcdef0123456789.ABC",
    "ghp_abcdefghijklmnop1234",
    "eyJhbGciOi.eyJzdWIiOi.SflKxwRJ",
    "ada.lovelace@example.com",
    "ada+notes@mail.example.co.uk",
    "jürgen@müller.de",
    "ada at example dot com",
    "ada (at) example (dot) org",
    "+1 (415) 555-0132",
    "415-555-0132",
]


def exported(log: rt.EventLog) -> bytes:
    text = log.to_jsonl()
    assert text is not None
    return text.encode("utf-8", "surrogatepass")


def seen(data: bytes) -> str:
    """Everything that one could read out of a file: as it is, and with JSON's escapes resolved."""
    text = data.decode("utf-8", "surrogatepass")
    resolved = [text]
    for line in filter(None, text.split("\n")):
        resolved.append(repr_of(json.loads(line)))
    return "\n".join(resolved)


def repr_of(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{repr_of(key)} {repr_of(one)}" for key, one in value.items())
    if isinstance(value, list):
        return " ".join(map(repr_of, value))
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            return value
        return value + (" " + repr_of(inner) if isinstance(inner, dict | list) else "")
    return str(value)


def deltas(text: str, cuts: list[int], type_: str = "response.output_text.delta") -> list[Any]:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    pieces = [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    return [{"type": type_, "response_id": "r", "item_id": "i", "delta": one} for one in pieces]


def places(secret: str) -> list[Any]:
    """Frames that hold a secret, each in another place."""
    arguments = json.dumps({"note": f"call {secret}", "deep": {"list": [secret]}})
    escaped = "".join(f"\\u{ord(c):04x}" if c < "\x7f" else c for c in secret)
    return [
        {"type": "session.update", "session": {"instructions": f"Tell them {secret}, please."}},
        {"type": "session.update", "session": {"tools": [{"headers": {"x": secret}}]}},
        {"type": "response.create", "response": {"metadata": {secret: "value", "who": secret}}},
        {"type": "error", "error": {"message": f"Incorrect key provided: {secret}."}},
        {
            "type": "conversation.item.done",
            "item": {"type": "function_call", "arguments": arguments},
        },
        {"type": "conversation.item.done", "item": {"output": json.dumps({"a": arguments})}},
        {"type": secret, "event_id": secret, "item_id": f"x {secret}"},
        [secret, {"deep": [[[secret]]]}],
        f"not JSON: {secret}\x00",
        '{"type":"broken","text":"' + escaped,
        '{"type":"twice","text":"' + secret + '","text":"harmless"}',
        '{"type":"escaped","text":"' + escaped + '"}',
        json.dumps({"type": "nested", "a": json.dumps({"b": json.dumps({"c": secret})})}),
        {"type": "local thing", secret: {secret: [secret]}},
    ]


def log_of(frames: list[Any]) -> rt.EventLog:
    log = rt.EventLog()
    for number, frame in enumerate(frames):
        side: Any = ("client", "server", "local")[number % 3]
        log.append(side, json.dumps(frame) if isinstance(frame, list) else frame, t=number / 10)
    return log


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_taken_out_wherever_it_stands(secret: str, text: bool) -> None:
    frames = places(secret)
    for cut in range(1, len(secret)):
        for type_ in ("response.output_text.delta", "response.function_call_arguments.delta"):
            for event in deltas(f"it is {secret} now", [6 + cut, 6 + cut // 2], type_):
                frames.append({**event, "item_id": f"i{cut}"})
    log = log_of(frames)
    assert secret in "".join(row.raw for row in log)
    shared = redact(log, text=text)
    what = secret.removeprefix("Bearer ")
    assert what not in seen(exported(shared))
    joined: dict[Any, str] = {}
    for row in shared:
        if row.type.endswith(".delta"):
            key = (row.type, row.item_id)
            joined[key] = joined.get(key, "") + (row.event or {})["delta"]
    assert joined and not any(what in one for one in joined.values())
    assert len(shared) == len(log)


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
TREES = st.recursive(
    WORDS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def planted(tree: Any, secret: str, at: list[int]) -> Any:
    """`tree` with a secret in some of its texts and names."""
    at[0] += 1
    here = at[0] % 2 == 0
    if isinstance(tree, dict):
        return {
            (f"{name} {secret} " if here else name): planted(one, secret, at)
            for name, one in tree.items()
        }
    if isinstance(tree, list):
        return [planted(one, secret, at) for one in tree] + [secret]
    return f"{tree} {secret} {tree}" if isinstance(tree, str) and here else tree


@settings(max_examples=150, deadline=None)
@given(
    TREES, st.sampled_from(SECRETS), st.lists(st.integers(0, 60), max_size=6), st.booleans(), WORDS
)
def test_no_planted_secret_survives(
    tree: Any, secret: str, cuts: list[int], text: bool, around: str
) -> None:
    frames = [
        {"type": "anything", "tree": planted(tree, secret, [0])},
        *deltas(f"{around} {secret} {around}", cuts),
        *deltas(
            json.dumps({"who": f"{secret} {around}"}),
            cuts,
            "response.function_call_arguments.delta",
        ),
        f"{around} {secret}",
    ]
    log = log_of(frames)
    log.endpoint, log.model = f"wss://x/{secret} y", f"{secret} m"
    shared = redact(log, text=text)
    what = secret.removeprefix("Bearer ")
    assert what not in seen(exported(shared))
    for type_ in ("response.output_text.delta", "response.function_call_arguments.delta"):
        run = [row.event["delta"] for row in shared.where(type=type_) if row.event]
        assert what not in "".join(run)
    again = redact(shared, text=text)
    assert [row.type for row in again] == [row.type for row in shared]


# ------------------------------------------------------------------ names and headers


@pytest.mark.parametrize(
    "name",
    ["api-key", "api_key", "apiKey", "Authorization", "X-Api-Key", "client_secret", "password",
     "access_token", "Set-Cookie", "OPENAI_API_KEY", "sessionKey", "secret"],
)  # fmt: skip
def test_what_stands_under_a_secret_name_is_a_secret(name: str) -> None:
    assert is_secret_name(name)
    log = log_of([{"type": "x", "a": {name: "opal 17"}, "b": {name: {"value": "opal 17", "n": 5}}}])
    log.append("server", f"{name}: opal17")  # and as text
    log.append("server", {"type": "y", "text": f'{{"{name}": "opal 17"}} and {name}=opal17'})
    shown = exported(redact(log)).decode()
    assert "opal 17" not in shown and "opal17" not in shown and name in shown


@pytest.mark.parametrize(
    "name",
    [
        "total_tokens",
        "input_token_details",
        "keywords",
        "max_output_tokens",
        "item_id",
        "key_points",
    ],
)
def test_other_names_are_not(name: str) -> None:
    assert not is_secret_name(name)


def test_the_header_holds_no_credentials(tmp_path: Path) -> None:
    log = rt.EventLog(
        endpoint=f"wss://ada:hunter2@host.example/v1?api-key={KEY}&model=m", started=5.0
    )
    shared = redact(log)
    assert shared.endpoint == "wss://[key 2]@host.example/v1?api-key=[key 1]&model=m"
    assert shared.started == 5.0
    shared.to_jsonl(tmp_path / "shared.jsonl")
    assert b"hunter2" not in (tmp_path / "shared.jsonl").read_bytes()


def test_the_same_secret_is_the_same_word() -> None:
    censor = Censor()
    assert censor.clean(f"{KEY} a@b.de {KEY} c@d.de a@b.de") == (
        "[key 1] [address 1] [key 1] [address 2] [address 1]"
    )
    assert censor.clean('{"Authorization": "Bearer abcdefgh"}') == '{"Authorization": "[key 2]"}'
    assert censor.clean("Authorization: Bearer abcdefgh") == "Authorization: Bearer [key 3]"


@pytest.mark.parametrize(
    "text",
    [
        "Meet me at noon, @home or at the desk.",
        "The task-based risk-averse desk-lamp.",
        "resp_E4AmexTcfhrLsJgxHePcZ item_E4Ame0SgAs1MasF932TCe call_uMNE0Myi2tDTPu0w",
        "It costs 3.50 at 5 pm; the key is under the mat; tokens: 30.",
        "2026-11-22 13:10:33 and 12 000 000",
        "日本語 @ the museum",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Censor().clean(text) == text


@pytest.mark.parametrize(
    "unit", ["a", "@", "a@", "key=", "eyJ", "://", "sk-", "x at y ", "+1", "\\", "(", " ", "="]
)
def test_a_megabyte_of_anything_takes_no_time(unit: str) -> None:
    """Whoever made this quadratic waits here for minutes."""
    censor = Censor()
    censor.clean(unit * (1_000_000 // len(unit)))
    censor.clean("{" + unit * (300_000 // len(unit)))


# ------------------------------------------------------------------ what stays


@pytest.fixture(scope="module")
def session() -> rt.Session:
    endpoint = rt.Simulated(where="memory", latency="none")
    with rt.Session(endpoint, rt.GeneratedGreeting("Greet Ada, ada@example.com.")) as s:
        s.ask("My name is Ada and my key is sk-test-not-a-key.")
    return s


def test_structure_stays(session: rt.Session) -> None:
    log = session.log
    for text in (False, True):
        shared = redact(log, text=text)
        for name in ("t", "direction", "type", "item_id", "response_id", "audio_ms"):
            assert [getattr(row, name) for row in shared] == [getattr(row, name) for row in log]
        assert shared.simulated
        again = rt.Conversation()
        for row in shared.where(direction="server"):
            again.receive(row.event or {})
        assert [item.id for item in again.items] == [item.id for item in session.conversation.items]
        assert [item.audio_ms for item in again.items] == [
            item.audio_ms for item in session.conversation.items
        ]
        assert again.usage == session.conversation.usage


def test_audio_becomes_silence_of_the_same_length(session: rt.Session) -> None:
    shared = redact(session.log)
    assert session.log.audio().any() and not shared.audio().any()
    assert len(shared.audio()) == len(session.log.audio())


def test_audio_and_images_anywhere_are_taken_out() -> None:
    sound = base64.b64encode(bytes(range(1, 200))).decode()
    image = "data:image/jpeg;base64," + sound
    content = [
        {"type": "input_audio", "audio": sound},
        {"type": "input_image", "image_url": image},
        {"type": "input_audio", "input_audio": {"data": sound}},
        {"type": "input_text", "text": f"see {image} there"},
    ]
    log = log_of(
        [
            {"type": "conversation.item.create", "item": {"content": content}},
            {"type": "input_audio_buffer.append", "audio": sound},
            {"type": "input_audio_buffer.append", "audio": sound[:-1] + "!"},
            {"type": "response.some_audio.delta", "delta": sound},
            {"type": "conversation.item.done", "item": {"output": sound * 3}},
            '{"type":"response.output_audio.delta","delta":"' + sound * 3,
        ]
    )
    for text in (False, True):
        shown = exported(redact(log, text=text)).decode()
        assert sound[:40] not in shown and sound[40:80] not in shown
    item = (redact(log)[0].event or {})["item"]
    silent = base64.b64decode(item["content"][0]["audio"])
    assert silent == bytes(199)
    assert item["content"][1]["image_url"].startswith("data:image/png;base64,iVBOR")


def test_log_probabilities_repeat_the_words(session: rt.Session) -> None:
    log = log_of([{"type": "x", "logprobs": [{"token": "Ada", "bytes": [65, 100, 97]}]}])
    assert redact(log)[0].event == {"type": "x", "logprobs": []}


def test_without_text_no_word_of_anybody_is_left(session: rt.Session) -> None:
    words = ["Zanzibar", "Lovelace", "museum"]
    item = {
        "id": "item_1",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Zanzibar"}],
    }
    log = log_of(
        [
            {"type": "session.update", "session": {
                "instructions": "In the museum of Zanzibar",
                "tools": [{"type": "function", "name": "Zanzibar", "description": "Lovelace",
                    "parameters": {"type": "object", "properties":
                        {"Zanzibar": {"type": "string"}}}}],
                "audio": {"input": {"transcription": {"prompt": "Lovelace",
                    "keywords": ["Zanzibar"]}}}}},
            {"type": "conversation.item.create", "item": item},
            {"type": "response.create", "response": {"metadata": {"Lovelace": "museum"}}},
            {"type": "conversation.item.done", "item": {"type": "function_call", "name": "Lovelace",
                                                        "arguments": '{"Zanzibar": "museum"}'}},
            {"type": "conversation.item.done", "item": {"output": "Zanzibar"}},
            {"type": "error", "error": {"code": "invalid_value", "message": "Not 'Zanzibar'"}},
            {"type": "line.lost", "reason": "Lovelace left", "message": "Lovelace"},
            {"type": "Lovelace said", "Lovelace said": "museum"},
            "Zanzibar, not JSON",
            *deltas("The museum of Zanzibar", [3, 9, 15]),
            *deltas('{"Zanzibar": "museum"}', [4, 8], "response.function_call_arguments.delta"),
        ]
    )  # fmt: skip
    shared = redact(log, text=True)
    shown = seen(exported(shared))
    assert not [word for word in words if word.casefold() in shown.casefold()]
    update, created = shared[0].event or {}, shared[1].event or {}
    assert len(update["session"]["instructions"]) == len("In the museum of Zanzibar")
    schema = update["session"]["tools"][0]["parameters"]
    assert (schema["type"], list(schema)) == ("object", ["type", "properties"])
    assert created["item"]["role"] == "user" and created["item"]["id"] == "item_1"
    assert json.loads((shared[3].event or {})["item"]["arguments"]) == {}
    assert (shared[5].event or {})["error"]["code"] == "invalid_value"
    run = shared.where(type="response.function_call_arguments.delta")
    assert json.loads("".join((row.event or {})["delta"] for row in run)) == {}
    lengths = [len((row.event or {})["delta"]) for row in run]
    assert lengths == [len((row.event or {})["delta"]) for row in log.where(type=run[0].type)]


def test_deltas_say_what_the_finished_text_says(session: rt.Session) -> None:
    text = f"Write to ada@example.com with {KEY}, quickly."
    log = log_of(
        [
            *deltas(text, [10, 14, 33, 36]),
            {"type": "response.output_text.done", "response_id": "r", "item_id": "i", "text": text},
        ]
    )
    for erase in (False, True):
        shared = redact(log, text=erase)
        run = [row.event["delta"] for row in shared[:-1] if row.event]
        assert "".join(run) == (shared[len(shared) - 1].event or {})["text"]


def test_the_other_half_of_a_secret_outside_a_view_counts() -> None:
    log = log_of(deltas(f"it is {KEY}", [12, 20]))
    shared = redact(log[1:])
    assert "key-0123" not in exported(shared).decode() and len(shared) == 2


@pytest.mark.parametrize(
    "frame",
    ["", "null", "5", '"text"', "[]", "\x00\x1b", "half \ud83d", '{"a":"\\ud83d"}', "{" * 5000,
     '{"a":' * 5000 + "1" + "}" * 5000, '{"a":' * 300 + "1" + "}" * 300, '{"n":NaN,"i":1e999}',
     '{"audio":5,"delta":[],"logprobs":"x","type":7}', b"\xff\xfe"],
)  # fmt: skip
def test_any_frame_can_be_shared(frame: Any) -> None:
    log = rt.EventLog()
    log.append("server", frame)
    for text in (False, True):
        shared = redact(log, text=text)
        assert len(shared) == 1 and exported(shared)


def test_a_secret_too_deep_to_be_read_is_not_shared() -> None:
    for depth in (300, 480, 900, 5000):
        frame = '{"a":' * depth + json.dumps(KEY) + "}" * depth
        log = rt.EventLog()
        log.append("server", frame)
        log.append("server", {"type": "x", "arguments": frame})
        assert KEY not in exported(redact(log)).decode()


def test_redact_is_a_method_of_every_view(session: rt.Session) -> None:
    shared = session.log.where(direction="client").redact()
    assert isinstance(shared, rt.EventLog) and len(shared) == 4
    assert "ada@example.com" not in exported(shared).decode()


# ------------------------------------------------------------------ keys written in another way

RANDOM = "a7Kq9Zx2Lm4Wp8Rt" * 3
ANOTHER_WAY = {
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of a header": lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    "URL-encoded": lambda key: key.replace("-", "%2D").replace("_", "%5F"),
    "HTML": lambda key: key.replace("-", "&#45;").replace("_", "&#95;"),
    "colours": lambda key: f"{key[:12]}\x1b[31m{key[12:]}",
    "marks": lambda key: f"<b>{key[:12]}</b><i>{key[12:]}</i>",
    "unseen": lambda key: f"{key[:12]}\u200b{key[12:]}",
}


@pytest.mark.parametrize("how", ANOTHER_WAY)
@pytest.mark.parametrize("prefix", ["sk-proj-", "ek_"])
def test_a_key_that_is_written_in_another_way_is_taken_out(prefix: str, how: str) -> None:
    hidden = ANOTHER_WAY[how](prefix + RANDOM)
    log = rt.EventLog(endpoint=hidden, model=hidden)
    log.append("server", {"type": "error", "error": {"message": f"No {hidden} here."}}, t=0.0)
    log.append("server", {"type": hidden, hidden: [hidden], "item_id": hidden}, t=0.0)
    log.append("server", f"no JSON: {hidden}", t=0.0)
    shared = log.redact()
    text = "".join([shared.endpoint, shared.model, *(row.raw for row in shared)])
    assert RANDOM[16:32] not in text and hidden[16:40] not in text
    assert "here." in shared[0].raw


def test_what_only_looks_encoded_stays() -> None:
    log = rt.EventLog()
    said = "100 %25 of <b>this</b> &amp; item_CZ9jB1zQ8y7xK5aV3n2mQ, caf\u00e9\u200b!"
    log.append("server", {"type": "x", "text": said}, t=0.0)
    assert (log.redact()[0].event or {})["text"] == said
