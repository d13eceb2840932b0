"""rt.check: what would be refused is what the simulator refuses, and what is proposed is taken."""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rtwidgets as rt
from rtwidgets.checking import Verdict, advice
from rtwidgets.events import assistant_text, item_create, response_create, session_update, user_text
from rtwidgets.explanations import explain
from rtwidgets.simulator import schema

FACTS = Path(__file__).resolve().parents[2] / "shared" / "facts" / "errors.jsonl"
Event = dict[str, Any]

SUPPORT_BOT: Event = {
    "type": "conversation.item.create",
    "item": {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "input_text", "text": "Welcome to the museum!"}],
    },
}


def update(**fields: Any) -> Event:
    return {"type": "session.update", "session": fields}


def item(role: str, *content: Any) -> Event:
    message = {"type": "message", "role": role, "content": list(content)}
    return {"type": "conversation.item.create", "item": message}


# ------------------------------------------------------------------ the support bot's advice


def test_the_support_bots_frame_is_answered_with_the_one_that_works() -> None:
    verdict = rt.check(SUPPORT_BOT)
    assert not verdict.ok and not verdict
    assert verdict.refusal == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "Invalid value: 'input_text'. Value must be 'output_text'.",
        "param": "item.content[0].type",
        "event_id": None,
    }
    assert verdict.fixed == item_create(assistant_text("Welcome to the museum!"))
    assert "silent" in verdict.why
    assert any("silent" in note for note in verdict.notes)
    assert SUPPORT_BOT["item"]["content"][0]["type"] == "input_text"  # left as it was


def test_a_verdict_prints_itself_and_escapes_what_it_shows() -> None:
    evil = copy.deepcopy(SUPPORT_BOT)
    evil["item"]["content"][0]["text"] = "<script>alert(1)</script>"
    verdict = rt.check(evil)
    text, html = str(verdict), verdict._repr_html_()
    assert repr(verdict) == text
    for words in ("would be refused", "Send this instead", "changed:", "Note:"):
        assert words in text
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "Send this instead" in html and "output_text" in html


def test_what_is_accepted_is_said_to_be() -> None:
    verdict = rt.check(response_create())
    assert verdict.ok and verdict.refusal is None and verdict.fixed is None
    assert str(verdict).startswith("response.create would be accepted.")


def test_the_clients_event_id_is_echoed_as_the_server_does() -> None:
    refusal = rt.check({**SUPPORT_BOT, "event_id": "mine"}).refusal
    assert refusal is not None and refusal["event_id"] == "mine"


# ------------------------------------------------------------------ corrections, by family

VAD = {"type": "server_vad"}
CORRECTED: list[tuple[str, Event, Event]] = [
    (
        "a user's text",
        item("user", {"type": "text", "text": "x"}),
        item("user", {"type": "input_text", "text": "x"}),
    ),
    (
        "an assistant's words as audio",
        item("assistant", {"type": "output_audio", "transcript": "Hi", "audio": "AAAA"}),
        item("assistant", {"type": "output_text", "text": "Hi"}),
    ),
    (
        "a developer, and bare words",
        {"type": "conversation.item.create", "item": {"role": "developer", "content": "x"}},
        item("system", {"type": "input_text", "text": "x"}),
    ),
    (
        "a bare item",
        {"type": "message", "role": "user", "content": "x"},
        item("user", {"type": "input_text", "text": "x"}),
    ),
    (
        "a bare session",
        {"type": "realtime", "instructions": "x"},
        update(type="realtime", instructions="x"),
    ),
    (
        "the beta's session",
        update(
            modalities=["text", "audio"],
            voice="alloy",
            input_audio_format="g711_ulaw",
            output_audio_format="pcm16",
            turn_detection=VAD,
            input_audio_transcription={"model": "whisper-1"},
            temperature=0.8,
            max_response_output_tokens="inf",
        ),
        update(
            type="realtime",
            output_modalities=["audio"],
            max_output_tokens="inf",
            audio={
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "turn_detection": VAD,
                    "transcription": {"model": "whisper-1"},
                },
                "output": {"voice": "alloy", "format": {"type": "audio/pcm", "rate": 24000}},
            },
        ),
    ),
    (
        "the beta's transcription session",
        {"type": "transcription_session.update", "session": {"turn_detection": None}},
        update(type="transcription", audio={"input": {"turn_detection": None}}),
    ),
    ("a type left out", update(instructions="x"), update(type="realtime", instructions="x")),
    (
        "a field one level too high",
        {"type": "response.create", "instructions": "Greet."},
        {"type": "response.create", "response": {"instructions": "Greet."}},
    ),
    (
        "a field one level too low",
        update(type="realtime", audio={"input": {"voice": "cedar"}}),
        update(type="realtime", audio={"input": {}, "output": {"voice": "cedar"}}),
    ),
    (
        "a response's speed and both modalities",
        {"type": "response.create", "response": {"modalities": ["text"], "speed": 1.2}},
        {"type": "response.create", "response": {"output_modalities": ["text"]}},
    ),
    (
        "turn detection that is none",
        update(type="realtime", audio={"input": {"turn_detection": {"type": "none"}}}),
        update(type="realtime", audio={"input": {"turn_detection": None}}),
    ),
    (
        "turn detection by its name",
        update(type="realtime", turn_detection="semantic_vad"),
        update(type="realtime", audio={"input": {"turn_detection": {"type": "semantic_vad"}}}),
    ),
    (
        "a voice that there is not",
        update(type="realtime", audio={"output": {"voice": "nova", "speed": "1.1"}}),
        update(type="realtime", audio={"output": {"speed": 1.1}}),
    ),
    (
        "a voice misspelled",
        update(type="realtime", audio={"output": {"voice": "Marine"}}),
        update(type="realtime", audio={"output": {"voice": "marin"}}),
    ),
    (
        "numbers out of range",
        update(
            type="realtime",
            max_output_tokens=9000,
            audio={"input": {"turn_detection": {**VAD, "idle_timeout_ms": 1000, "threshold": 2}}},
        ),
        update(
            type="realtime",
            max_output_tokens=4096,
            audio={"input": {"turn_detection": {**VAD, "idle_timeout_ms": 5000, "threshold": 1}}},
        ),
    ),
    (
        "tools as the chat interface has them",
        update(
            type="realtime",
            tools=[{"type": "function", "function": {"name": "f", "parameters": '{"a": 1}'}}],
            tool_choice="f",
        ),
        update(
            type="realtime",
            tools=[{"type": "function", "name": "f", "parameters": {"a": 1}}],
            tool_choice={"type": "function", "name": "f"},
        ),
    ),
    (
        "a tool's output that is no text",
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "tool_call_id": "c", "output": {"a": 1}},
        },
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "output": '{"a": 1}', "call_id": "c"},
        },
    ),
    (
        "metadata that is no text",
        {"type": "response.create", "response": {"metadata": {"n": 5, "b": True}}},
        {"type": "response.create", "response": {"metadata": {"n": "5", "b": "true"}}},
    ),
    (
        "an id that is too long",
        {"type": "conversation.item.create", "item": {"id": "i" * 40, **user_text("x")}},
        {"type": "conversation.item.create", "item": {"id": "i" * 32, **user_text("x")}},
    ),
    (
        "a tool's name with a dot and a blank",
        session_update(tools=[{"type": "function", "name": "pos.add item"}]),
        session_update(tools=[{"type": "function", "name": "pos_add_item"}]),
    ),
    (
        "a truncation without its type",
        {"item_id": "x", "audio_end_ms": 12.0},
        {
            "type": "conversation.item.truncate",
            "item_id": "x",
            "audio_end_ms": 12,
            "content_index": 0,
        },
    ),
    ("a type misspelled", {"type": "respones.create"}, {"type": "response.create"}),
    (
        "a type left out that only one can be",
        {"response": {}},
        {**response_create(), "response": {}},
    ),
    (
        "audio in a data address",
        {"type": "input_audio_buffer.append", "audio": "data:audio/pcm;base64,AAAA\n"},
        {"type": "input_audio_buffer.append", "audio": "AAAA"},
    ),
]


def test_a_name_and_an_approval_are_explained() -> None:
    verdict = rt.check(session_update(tools=[{"type": "function", "name": "pos.add"}]))
    assert "no dots" in verdict.why
    assert "no dots" not in rt.check(session_update(tools=5)).why
    assert "approval" in (explain({"code": "invalid_approval_request_id", "message": "…"}) or "")


@pytest.mark.parametrize(("_name", "wrong", "right"), CORRECTED, ids=[c[0] for c in CORRECTED])
def test_is_corrected(_name: str, wrong: Event, right: Event) -> None:
    verdict = rt.check(wrong)
    assert not verdict.ok and verdict.refusal is not None and verdict.why
    assert verdict.fixed == right
    assert verdict.changes
    schema.check(right)


HOPELESS = [
    ({"type": "nope"}, "cannot be told"),
    ({}, "cannot be told"),
    ({"type": 5}, "cannot be told"),
    ({"type": "response.done", "response": {}}, "the server sends"),
    ({"type": "output_audio_buffer.clear"}, "WebRTC"),
    ({"type": "session.update"}, "only you know"),
    ({"type": "conversation.item.delete"}, "only you know"),
    ({"type": "conversation.item.truncate", "item_id": "x"}, "audio_end_ms is missing"),
    ({"type": "input_audio_buffer.append", "audio": ""}, "audio cannot be"),
    (item("tool", {"type": "text", "text": "x"}), "item.role is one of"),
]


@pytest.mark.parametrize(("event", "sentence"), HOPELESS, ids=lambda value: str(value)[:50])
def test_where_only_its_author_can_know_it_is_given_up(event: Event, sentence: str) -> None:
    verdict = rt.check(event)
    assert not verdict.ok and verdict.fixed is None and verdict.changes == ()
    assert sentence in verdict.why
    assert "no correction" in str(verdict) and "no correction" in verdict._repr_html_()


# ------------------------------------------------------------------ text


def test_where_a_text_is_no_json_the_place_is_told() -> None:
    verdict = rt.check('{\n  "type": "response.create",\n  "response": {]\n}')
    assert verdict.refusal is not None and verdict.refusal["code"] == "invalid_json"
    assert verdict.why.startswith("Line 3, column 16:")
    assert verdict.event is None and verdict.fixed is None


@pytest.mark.parametrize(
    ("text", "slip"),
    [
        ('{"type": "response.create",}', "comma"),
        ("{“type”: “response.create”}", "typographic"),
        ("{'type': 'response.create', 'event_id': None}", "Python"),
    ],
)
def test_a_slip_of_the_pen_is_put_right(text: str, slip: str) -> None:
    verdict = rt.check(text)
    assert verdict.fixed is not None and verdict.fixed["type"] == "response.create"
    assert slip in verdict.changes[0]


def test_a_slip_of_the_pen_and_a_mistake_are_both_put_right() -> None:
    verdict = rt.check(str(SUPPORT_BOT))  # as Python prints it
    assert verdict.fixed == item_create(assistant_text("Welcome to the museum!"))


@pytest.mark.parametrize("text", ["[]", '"x"', "5", "null", "", " ", "{", "\x00", '{"a": NaN}'])
def test_what_is_no_object_is_refused(text: str) -> None:
    verdict = rt.check(text)
    assert not verdict.ok and verdict.why and verdict.fixed is None


@pytest.mark.parametrize("wrong", [None, 5, [], b"{}", object(), {"a": {1, 2}}])
def test_what_no_event_can_be_is_misuse(wrong: Any) -> None:
    with pytest.raises(rt.Misuse):
        rt.check(wrong)


def test_advice_is_short_and_follows_the_typing() -> None:
    whole = json.dumps(SUPPORT_BOT)
    assert advice("") == advice("  \n") == ""
    for end in range(1, len(whole) + 1):
        assert len(advice(whole[:end]).splitlines()) <= 2
    assert advice(whole).splitlines()[0].endswith("Value must be 'output_text'.")
    assert "output_text" in advice(whole).splitlines()[1]
    assert advice('{"type":"response.create"}').startswith("response.create would be accepted.")
    assert advice('{"type":"response.cre').startswith("Line 1")


# ------------------------------------------------------------------ notes

NOTED: list[tuple[Event, str]] = [
    (item_create(user_text("x")), "send response.create"),
    (response_create(), "one response at a time"),
    (response_create(instructions="Greet."), "replace the session's"),
    (response_create(input=[]), "sees nothing"),
    (response_create(conversation="none"), "nothing is remembered"),
    (session_update(instructions=""), "default comes back"),
    (session_update(audio={"output": {"voice": "cedar"}}), "another voice is refused"),
    (session_update(audio={"input": {"turn_detection": None}}), "commit"),
    (
        session_update(audio={"input": {"turn_detection": {**VAD, "create_response": False}}}),
        "still lets speech interrupt",
    ),
    (
        session_update(audio={"input": {"turn_detection": {**VAD, "idle_timeout_ms": 6000}}}),
        "unproven",
    ),
    (rt.events.input_audio_commit(), "100 ms"),
    (rt.events.item_truncate("x", 5), "transcript"),
]


@pytest.mark.parametrize(("event", "words"), NOTED, ids=lambda value: str(value)[:60])
def test_what_is_accepted_and_surprises_is_noted(event: Event, words: str) -> None:
    verdict = rt.check(event)
    assert verdict.ok
    assert any(words in note for note in verdict.notes)


def test_a_plain_setting_is_accepted_without_a_word() -> None:
    assert rt.check(session_update(instructions="Be kind.")).notes == ()


# ------------------------------------------------------------------ in a session


@pytest.fixture(scope="module")
def session() -> Any:
    """A session in which the assistant has spoken and nothing is going on."""
    with rt.Session(rt.Simulated("none", where="memory"), rt.SpokenGreeting("Hello.")) as s:
        s.send(item_create({"id": "item_user", **user_text("Hi.")}))
        s.wait_for("conversation.item.done", timeout=5)
        yield s


def spoken_item(session: rt.Session) -> str:
    return next(one.id for one in session.conversation.items if one.audio_ms)


def refused_by_both(session: rt.Session, event: Event) -> Verdict:
    """The verdict, once the server has been asked too and said the same."""
    verdict = rt.check({**event, "event_id": "asked"}, session=session)
    session.send({**event, "event_id": "asked"})
    row = session.wait_for("error", timeout=5)
    assert row.event is not None and verdict.refusal == row.event["error"]
    return verdict


STATEFUL: list[tuple[Event, Event | None]] = [
    (
        session_update(audio={"output": {"voice": "cedar"}}, instructions="x"),
        session_update(instructions="x"),
    ),
    (session_update(model="gpt-realtime-mini"), session_update()),
    (
        response_create(audio={"output": {"voice": "cedar"}}, instructions="x"),
        response_create(instructions="x"),
    ),
    (response_create(input=[{"type": "item_reference", "id": "gone"}]), None),
    (response_create(tool_choice="required"), None),
    (response_create(tool_choice={"type": "function", "name": "gone"}), None),
    (update(type="transcription"), None),
    (rt.events.response_cancel(), None),
    (rt.events.response_cancel("resp_gone"), None),
    (rt.events.item_delete("gone"), None),
    ({"type": "conversation.item.retrieve", "item_id": "gone"}, None),
    (rt.events.item_truncate("gone", 0), None),
    (rt.events.item_truncate("item_user", 0), None),
    (item_create(user_text("x"), previous_item_id="gone"), item_create(user_text("x"))),
    (item_create({"id": "item_user", **user_text("x")}), item_create(user_text("x"))),
    (item_create({"type": "function_call_output", "call_id": "gone", "output": "x"}), None),
    (rt.events.input_audio_commit(), None),
]


@pytest.mark.parametrize(("event", "right"), STATEFUL, ids=lambda value: str(value)[:70])
def test_a_session_is_asked_what_it_would_say_now(
    session: rt.Session, event: Event, right: Event | None
) -> None:
    verdict = refused_by_both(session, event)
    assert not verdict.ok and verdict.why
    assert verdict.fixed == (right and {**right, "event_id": "asked"})
    assert rt.check(event).ok  # without the session nothing is against it


TAKEN_OR_NOT = [
    *(right for _, _, right in CORRECTED),
    response_create(reasoning={"effort": "low"}),
    response_create(conversation="none", audio={"output": {"voice": "cedar"}}),
    response_create(input=[{"type": "item_reference", "id": "item_user"}]),
    session_update(reasoning={"effort": "low"}),
    session_update(tool_choice="required"),
    item_create(user_text("x"), previous_item_id="root"),
    item_create(user_text("x"), previous_item_id="item_user"),
    rt.events.item_delete("item_user"),
    {"type": "conversation.item.retrieve", "item_id": "item_user"},
]


@pytest.mark.parametrize("model", ["gpt-realtime-2.1", "gpt-realtime"])
@pytest.mark.parametrize("event", TAKEN_OR_NOT, ids=lambda value: str(value)[:70])
def test_what_a_session_answers_is_what_was_told(event: Event, model: str) -> None:
    """Whatever it is: accepted by both, or refused by both in the same words."""

    async def scene() -> None:
        opening, endpoint = rt.SpokenGreeting("Hello."), rt.Simulated("none", where="memory")
        async with rt.AsyncSession(endpoint, opening, model=model) as s:
            await s.send(item_create({"id": "item_user", **user_text("Hi.")}))
            await s.wait_for("conversation.item.done")
            told = rt.check({**event, "event_id": "mine"}, session=s).refusal
            await s.send({**event, "event_id": "mine"})
            await s.send({**rt.events.item_delete("gone"), "event_id": "behind"})
            while s.conversation.errors[-1:] == [] or (
                s.conversation.errors[-1]["event_id"] != "behind"
            ):
                await s.wait_for("error")
            answers = s.conversation.errors
            assert [one for one in answers if one["event_id"] == "mine"] == ([told] if told else [])
            await s.settled()

    asyncio.run(scene())


def test_beyond_the_end_of_the_speech_the_end_is_meant(session: rt.Session) -> None:
    spoken = spoken_item(session)
    length = next(one.audio_ms for one in session.conversation.items if one.id == spoken)
    verdict = refused_by_both(session, rt.events.item_truncate(spoken, length + 500))
    assert verdict.fixed is not None and verdict.fixed["audio_end_ms"] == length


def test_while_a_response_is_active_another_is_refused_but_not_one_aside() -> None:
    created = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}
    conversation = rt.Conversation()
    conversation.receive(created)
    verdict = rt.check(response_create(), session=conversation)
    assert verdict.refusal is not None and "resp_1" in verdict.refusal["message"]
    assert verdict.refusal["code"] == "conversation_already_has_active_response"
    assert rt.check(response_create(conversation="none"), session=conversation).ok
    assert rt.check(rt.events.response_cancel(), session=conversation).ok
    faster = session_update(audio={"output": {"speed": 1.2}})
    assert not rt.check(faster, session=conversation).ok


def test_settings_alone_say_what_their_model_takes() -> None:
    plain = {"type": "realtime", "model": "gpt-realtime"}
    verdict = rt.check(session_update(reasoning={"effort": "low"}), session=plain)
    assert verdict.refusal is not None and verdict.refusal["code"] == "unsupported_parameter"
    assert verdict.fixed == session_update()
    wrapped = {"type": "session.updated", "session": {"type": "transcription"}}
    assert not rt.check(response_create(), session=wrapped).ok
    assert rt.check(rt.events.item_delete("x"), session=plain).ok  # nothing is known of its items


def test_a_hundred_milliseconds_can_be_committed(session: rt.Session) -> None:
    session.send(rt.events.input_audio_append(rt.audio.encode(bytes(48 * 99))))
    assert not rt.check(rt.events.input_audio_commit(), session=session).ok
    session.send(rt.events.input_audio_append(rt.audio.encode(bytes(48))))
    assert rt.check(rt.events.input_audio_commit(), session=session).ok
    session.send(rt.events.input_audio_clear())
    session.wait_for("input_audio_buffer.cleared", timeout=5)
    assert not rt.check(rt.events.input_audio_commit(), session=session).ok


@pytest.mark.parametrize("wrong", [5, "sess_1", rt.EventLog()])
def test_what_is_no_session_is_misuse(wrong: Any) -> None:
    with pytest.raises(rt.Misuse, match="session="):
        rt.check(response_create(), session=wrong)


@pytest.mark.parametrize(
    "odd", [{}, {"type": 5}, {"model": 5, "audio": "x"}, {"audio": {"output": 1}}]
)
def test_settings_that_no_server_sends_refuse_nothing_by_mistake(odd: Event) -> None:
    assert rt.check(session_update(audio={"output": {"voice": "cedar"}}), session=odd).ok


# ------------------------------------------------------------------ against the live captures


def captured() -> list[Any]:
    if not FACTS.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason="needs ../shared/facts"))]
    rows = [json.loads(line) for line in FACTS.read_text("utf-8").splitlines()]
    return [pytest.param(row, id=row["key"]) for row in rows]


# Refused by the state of a session: which one each needs, and what stands for the capture's ids.
_OF_STATE = {
    "active_response", "cancel_none_active", "commit_empty", "truncate_not_audio",
    "truncate_unknown_item", "truncate_beyond_audio", "delete_unknown_item",
    "retrieve_unknown_item", "create_duplicate_item_id", "create_unknown_previous_item",
    "function_output_unknown_call", "voice_change_after_audio",
    "transcription_update_on_realtime", "realtime_update_on_transcription",
    "turn_detection_on_whisper",
}  # fmt: skip


@pytest.mark.parametrize("row", captured())
def test_the_live_services_refusals_are_told_before_sending(row: Event) -> None:
    event, error = row["client_event"], row["error"]
    if row["api"].startswith("beta"):
        pytest.skip("the beta's words; the GA service has others")
    if row["key"] == "binary_frame" or not (isinstance(event, dict) or row["key"] == "not_json"):
        pytest.skip("nothing that a client sends as text brings it")
    verdict = rt.check(event, session=state_for(row))
    assert not verdict.ok and verdict.refusal is not None
    unknown = row["unknown_fields"]
    for name in ("type", "code", "message", "param", "event_id"):
        if name not in unknown and "…" not in str(error[name]) and not partial(row, name):
            assert verdict.refusal[name] == error[name]


def partial(row: Event, name: str) -> bool:
    """A field of which the capture is another session's, or not of the service's own words."""
    return name == "message" and not row["verified_text"]


def state_for(row: Event) -> Any:
    key = row["key"]
    if key not in _OF_STATE:
        return None
    if key in ("realtime_update_on_transcription", "turn_detection_on_whisper"):
        return {"type": "transcription"}
    if key == "transcription_update_on_realtime":
        return {"type": "realtime", "model": "gpt-realtime"}
    if key == "commit_empty":
        return Line(rt.Conversation(), rt.EventLog())
    return conversation_for(row)


class Line:
    """What check looks at in a session: its conversation and its log."""

    def __init__(self, conversation: rt.Conversation, log: rt.EventLog) -> None:
        self.conversation, self.log = conversation, log


def conversation_for(row: Event) -> rt.Conversation:
    """A conversation in which the captured refusal is due."""
    conversation, event = rt.Conversation(), row["client_event"]
    conversation.receive(
        {"type": "session.created", "session": {"type": "realtime", "model": "gpt-realtime"}}
    )
    if row["key"] == "active_response":
        id_ = row["error"]["message"].split("progress: ")[1].split(".")[0]
        response = {"id": id_, "status": "in_progress", "conversation_id": "conv_1"}
        conversation.receive({"type": "response.created", "response": response})
    if row["key"] == "create_duplicate_item_id":
        conversation.receive({"type": "conversation.item.added", "item": event["item"]})
    if row["key"] == "truncate_not_audio":
        item_ = {"id": event["item_id"], **user_text("x")}
        conversation.receive({"type": "conversation.item.added", "item": item_})
    if row["key"] in ("truncate_beyond_audio", "voice_change_after_audio"):
        item_id = event.get("item_id", "item_x")
        response = {"id": "r", "status": "in_progress", "conversation_id": "c"}
        message = {"id": item_id, "type": "message", "role": "assistant", "content": []}
        place = {"response_id": "r", "item_id": item_id, "output_index": 0, "content_index": 0}
        sound = rt.audio.encode(bytes(48 * 9800))
        for one in (
            {"type": "response.created", "response": response},
            {"type": "response.output_item.added", **place, "item": message},
            {"type": "conversation.item.added", "item": message},
            {"type": "response.output_audio.delta", **place, "delta": sound},
            {"type": "response.done", "response": {**response, "status": "completed"}},
        ):
            conversation.receive(one)
    return conversation


# ------------------------------------------------------------------ any JSON at all

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
NAMES = st.sampled_from(
    "type session item response content role text audio input output voice format rate tools name "
    "turn_detection modalities instructions metadata id call_id conversation output_modalities "
    "transcript speed max_output_tokens tool_choice event_id item_id previous_item_id".split()
)
VALUES = SCALARS | st.sampled_from(
    "realtime message assistant user input_text output_text text server_vad audio/pcm pcm16 none "
    "session.update conversation.item.create response.create function marin auto".split()
)
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, JSON, max_size=5), st.sampled_from([None, *schema.EVENTS]))
def test_every_proposal_is_accepted_and_nothing_raises(event: Event, kind: str | None) -> None:
    event = event if kind is None else {"type": kind, **event} | {"type": kind}
    verdict = rt.check(event)
    assert verdict.ok == (verdict.refusal is None)
    if verdict.fixed is not None:
        schema.check(verdict.fixed)
        assert rt.check(verdict.fixed).ok
    assert str(verdict) and verdict._repr_html_()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40) | JSON.map(json.dumps))
def test_no_text_raises(text: str) -> None:
    rt.check(text)
    assert len(advice(text).splitlines()) <= 40


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_right_event_with_one_thing_broken_finds_its_way_back(data: st.DataObject) -> None:
    event = copy.deepcopy(data.draw(st.sampled_from([right for _, _, right in CORRECTED])))
    owner: Any = event
    while True:
        key = data.draw(st.sampled_from(sorted(owner) if isinstance(owner, dict) else [0]))
        inner = owner[key] if owner else None
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            break
        owner = inner
    if owner:
        owner[key] = data.draw(JSON)
    verdict = rt.check(event)
    if verdict.fixed is not None:
        schema.check(verdict.fixed)
