"""What each opening brings about: heard, remembered, told to the model. Against the simulator."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rtwidgets as rt
from rtwidgets import audio
from rtwidgets.openings import SEED, WORDS
from rtwidgets.openings.examples import FIRST_WORDS, RECORDING, examples

Event = dict[str, Any]
PERSONA = "You are Ada, a museum guide."
WELCOME = "Welcome to the museum!"
ENDED = "opening.ended"


def simulated(**options: Any) -> rt.Simulated:
    return rt.Simulated("none", where="memory", **options)


def open_with(opening: rt.Opening, **options: Any) -> rt.Session:
    return rt.Session(simulated(), opening, instructions=PERSONA, **options)


def items(session: rt.Session) -> list[tuple[str, str]]:
    """(role, words) of every item of the conversation."""
    return [(one.role, one.text) for one in session.conversation.items]


def sent(session: rt.Session, type: str) -> list[Event]:
    rows = session.log.where(direction="client", type=type)
    return [row.event for row in rows if row.event is not None]


def detection(session: Any) -> Any:
    return session.conversation.session["audio"]["input"]["turn_detection"]


def restored(session: rt.Session) -> Any:
    """The turn detection, once there is one again."""
    while detection(session) is None:
        session.wait_for("session.updated", timeout=5)
    return detection(session)


# ------------------------------------------------------------------ what is heard and remembered

# opening, whether the server's speech is heard, what items remain (role, part of the words), and
# what the model says it said first.
NOTHING = "I have not said anything yet."
OUTCOMES: list[tuple[rt.Opening, bool, list[tuple[str, str]], str]] = [
    (rt.WaitForUser(), False, [], NOTHING),
    (rt.ScriptedGreeting(WELCOME), False, [("assistant", WELCOME)], WELCOME),
    (rt.SpokenGreeting(WELCOME), True, [("assistant", WELCOME)], WELCOME),
    (rt.GeneratedGreeting("Greet the visitor."), True, [("assistant", "")], "The first thing"),
    (rt.ModelGreeting(), True, [("assistant", "Ada")], "Ada"),
    (
        rt.SeededGreeting("Greet the visitor."),
        True,
        [("user", "Greet the visitor."), ("assistant", "Ada")],
        "Ada",
    ),
    (
        rt.SeededGreeting("Greet the visitor.", role="system"),
        True,
        [("system", "Greet the visitor."), ("assistant", "Ada")],
        "Ada",
    ),
    (rt.SeededGreeting("Greet the visitor.", delete=True), True, [("assistant", "Ada")], "Ada"),
    (
        rt.ContextGreeting([rt.events.user_text(f"Say exactly: {WELCOME}")]),
        True,
        [("assistant", WELCOME)],
        WELCOME,
    ),
    (rt.OutOfBandGreeting(f"Say exactly: {WELCOME}"), True, [], NOTHING),
    (
        rt.OutOfBandGreeting(f"Say exactly: {WELCOME}", remember=True),
        True,
        [("assistant", WELCOME)],
        WELCOME,
    ),
    (rt.RecordedGreeting(RECORDING, WELCOME), False, [("assistant", WELCOME)], WELCOME),
    (rt.IdleGreeting(6000), False, [], NOTHING),
]


@pytest.mark.parametrize(
    ("opening", "heard", "remain", "remembered"), OUTCOMES, ids=lambda value: repr(value)[:45]
)
def test_what_is_heard_what_remains_and_what_the_model_knows(
    opening: rt.Opening, heard: bool, remain: list[tuple[str, str]], remembered: str
) -> None:
    with open_with(opening) as s:
        reply = s.opening_reply
        assert (reply is not None) == opening.heard == heard
        assert reply is None or (reply.status == "completed" and len(reply.audio) > audio.RATE // 4)
        said = s.ask("What did you say first?").text
        after = items(s)
        before = after[: after.index(("user", "What did you say first?"))]
    assert [role for role, _ in before] == [role for role, _ in remain]
    assert all(part in words for (_, words), (_, part) in zip(before, remain, strict=True))
    assert remembered in said
    assert s.conversation.errors == []


def test_no_opening_sends_what_the_service_refuses() -> None:
    for opening, *_ in OUTCOMES:
        for event in [rt.events.session_update(**opening.session()), *opening.events({})]:
            assert rt.check(event).ok, event


def test_a_seed_is_deleted_once_and_only_the_seed() -> None:
    with open_with(rt.SeededGreeting("Greet the visitor.", delete=True)) as s:
        s.ask("Hello")
        s.ask("And now?")
        deleted = [one["item_id"] for one in sent(s, "conversation.item.delete")]
    assert deleted == [SEED]
    assert s.log.where(type="conversation.item.deleted")[0].item_id == SEED


def test_a_seed_that_stays_is_deleted_by_nobody() -> None:
    with open_with(rt.SeededGreeting("Greet the visitor.")) as s:
        s.ask("Hello")
        assert sent(s, "conversation.item.delete") == []


def test_one_opening_opens_many_sessions() -> None:
    opening = rt.SeededGreeting("Greet the visitor.", delete=True, protect=True)
    for _ in range(2):
        with open_with(opening) as s:
            s.wait_for("conversation.item.deleted", timeout=5)
            s.wait_for(ENDED, timeout=5)
            assert s.conversation.errors == []


def test_words_out_of_band_stand_in_front_of_what_was_said_meanwhile() -> None:
    async def scene() -> list[str]:
        opening = rt.OutOfBandGreeting(f"Say exactly: {WELCOME}", remember=True)
        async with rt.AsyncSession(rt.Simulated("typical", where="memory"), None) as s:
            for event in opening.events({}):
                await s.send(event)
            await s.send(rt.events.item_create(rt.events.user_text("Hello?")))
            row = await s.wait_for("response.done")
            assert row.event is not None and s.conversation.items[0].text == "Hello?"
            for event in opening.react(row.event):
                await s.send(event)
            while len(s.conversation.items) < 2:
                await s.wait_for("conversation.item.added")
            return [one.text for one in s.conversation.items]

    assert asyncio.run(scene()) == [WELCOME, "Hello?"]


def test_a_response_out_of_band_that_said_nothing_leaves_nothing() -> None:
    opening = rt.OutOfBandGreeting("Greet.", remember=True)
    metadata = {"opening": "aside"}
    for output in ([], None, [{"type": "message", "content": []}], [{"type": "function_call"}]):
        response = {"status": "failed", "metadata": metadata, "output": output}
        assert opening.react({"type": "response.done", "response": response}) == []
    assert opening.react({"type": "response.done"}) == []
    assert opening.react({}) == []


def test_joined_instructions_keep_the_persona() -> None:
    for kind in (rt.GeneratedGreeting, rt.OutOfBandGreeting):
        with open_with(kind("Greet the visitor.", join=True)) as s:  # type: ignore[call-arg]
            [asked] = sent(s, "response.create")
            assert asked["response"]["instructions"] == f"{PERSONA}\n\nGreet the visitor."
            assert s.opening_reply is not None and "Ada" in s.opening_reply.text


def test_idle_speaks_first_only_where_the_simulator_is_told_to() -> None:
    with rt.Session(simulated(idle_before_first_reply=True), rt.IdleGreeting(5000)) as s:
        s.wait_for("input_audio_buffer.timeout_triggered", timeout=5)
        s.wait_for("response.done", timeout=5)
        [user] = [one.id for one in s.conversation.items[:-1] if one.role == "user"][:1]
        assert user == s.log.where(type="input_audio_buffer.timeout_triggered")[0].item_id
        assert "assistant" in [role for role, _ in items(s)]
    with rt.Session(simulated(), rt.IdleGreeting(5000)) as s:
        reply = s.ask("Hello")
        assert reply.status == "completed"
        triggered = s.log.where(type="input_audio_buffer.timeout_triggered")
        assert all(row.seq > s.log.where(type="response.done")[0].seq for row in triggered)


# ------------------------------------------------------------------ protecting, waiting


@pytest.mark.parametrize(
    "opening",
    [
        rt.SpokenGreeting(WELCOME, protect=True),
        rt.GeneratedGreeting("Greet the visitor.", protect=True),
        rt.ModelGreeting(protect=True),
        rt.SeededGreeting("Greet the visitor.", protect=True),
        rt.ContextGreeting([rt.events.user_text("Greet me.")], protect=True),
        rt.OutOfBandGreeting("Greet the visitor.", protect=True),
        rt.RecordedGreeting(RECORDING, WELCOME, protect=True),
    ],
    ids=lambda opening: type(opening).__name__,
)
def test_a_protected_greeting_is_not_interrupted_until_it_would_have_been_heard(
    opening: rt.Opening,
) -> None:
    with open_with(opening) as s:
        first = sent(s, "session.update")[0]
        assert first["session"]["audio"]["input"]["turn_detection"] is None
        ended = s.wait_for(ENDED, timeout=5)
        assert restored(s)["type"] == "server_vad"
        assert len(s.log.where(type="input_audio_buffer.cleared")) == 1
        event = ended.event
    assert event is not None and event["by"] == "clock"
    lasted = 1000 * len(opening.audio) // audio.RATE if opening.audio is not None else None
    reply = s.opening_reply
    heard = lasted if reply is None else 1000 * len(reply.audio) // audio.RATE
    assert event["ms"] == pytest.approx(heard, abs=2)
    assert s.conversation.errors == []


def test_the_turn_detection_that_comes_back_can_be_chosen() -> None:
    after = {"type": "semantic_vad", "eagerness": "low"}
    with open_with(rt.SpokenGreeting(WELCOME, protect=after)) as s:
        s.wait_for(ENDED, timeout=5)
        assert restored(s)["type"] == "semantic_vad" and detection(s)["eagerness"] == "low"


def test_the_end_by_the_clock_comes_when_the_sound_would_be_over() -> None:
    async def scene() -> tuple[float, float, int]:
        opening = rt.SpokenGreeting(WELCOME, protect=True)
        async with rt.AsyncSession(rt.Simulated("typical", where="memory"), opening) as s:
            ended = await s.wait_for(ENDED)
            first = s.log.where(type="response.output_audio.delta")[0]
            return first.t, ended.t, (ended.event or {})["ms"]

    first, ended, ms = asyncio.run(scene())
    assert ended - first == pytest.approx(ms / 1000, abs=0.01)


def heard(item_id: str, ms: int, done: bool = True) -> Event:
    return {"type": "playback.heard", "item_id": item_id, "ms": ms, "done": done}


def test_where_a_page_plays_it_says_when_the_end_was_heard() -> None:
    async def scene() -> Event:
        opening = rt.SpokenGreeting(WELCOME, protect=True)
        s = rt.AsyncSession(rt.Simulated("none", where="memory"), opening)
        s.playing = lambda: True
        async with s:
            spoken = next(one for one in s.conversation.items if one.audio_ms)
            s.record(heard(spoken.id, 200, done=False))
            assert not len(s.log.where(type=ENDED))
            s.record(heard(spoken.id, spoken.audio_ms))
            [ended] = s.log.where(type=ENDED)
            s.record(heard(spoken.id, spoken.audio_ms))  # again: said once all the same
            assert len(s.log.where(type=ENDED)) == 1
            while detection(s) is None:
                await s.wait_for("session.updated")
            return ended.event or {}

    event = asyncio.run(scene())
    assert event["by"] == "page" and event["ms"] > 500


def test_a_page_that_cuts_it_short_ends_it_too() -> None:
    async def scene() -> Event:
        opening = rt.SpokenGreeting(WELCOME, protect=True)
        s = rt.AsyncSession(rt.Simulated("none", where="memory"), opening)
        s.playing = lambda: True
        async with s:
            spoken = next(one for one in s.conversation.items if one.audio_ms)
            s.record({"type": "playback.flushed", "item_id": spoken.id, "ms": 300})
            [ended] = s.log.where(type=ENDED)
            return ended.event or {}

    assert asyncio.run(scene()) == {"type": ENDED, "ms": 300, "by": "page"}


def test_a_page_that_says_nothing_more_does_not_leave_the_session_deaf() -> None:
    async def scene() -> Event:
        opening = rt.SpokenGreeting(WELCOME, protect=True)
        s = rt.AsyncSession(rt.Simulated("none", where="memory"), opening)
        s.playing = lambda: True
        async with s:
            return (await s.wait_for(ENDED)).event or {}

    assert asyncio.run(scene())["by"] == "clock"


def test_a_greeting_that_is_written_or_fails_is_over_at_once() -> None:
    opening = rt.SpokenGreeting(WELCOME, protect=True)
    with rt.Session(simulated(), opening, modality="text") as s:
        assert (s.wait_for(ENDED, timeout=5).event or {})["by"] == "silence"
        assert restored(s)["type"] == "server_vad"

    @dataclass(frozen=True)
    class Refused(rt.Greeting):
        def events(self, session: Event) -> list[Event]:
            return [rt.events.response_create(no_such_field=1)]

    with rt.Session(simulated(), Refused(protect=True)) as s:
        assert s.opening_reply is not None and s.opening_reply.status == "failed"
        assert (s.wait_for(ENDED, timeout=5).event or {})["by"] == "silence"
        assert restored(s)["type"] == "server_vad"


def test_an_opening_that_never_reacts_is_not_told_of_its_end() -> None:
    async def scene() -> rt.EventLog:
        async with rt.AsyncSession(
            rt.Simulated("none", where="memory"), rt.SpokenGreeting(WELCOME)
        ) as s:
            s.record(heard(s.conversation.items[-1].id, 5000))
            await s.ask("Hello")
            return s.log

    assert not len(asyncio.run(scene()).where(type=ENDED))


def test_speech_over_a_protected_greeting_does_not_cut_it() -> None:
    async def scene(protect: bool) -> str:
        opening = rt.SpokenGreeting("word " * 60, protect=protect)
        s = rt.AsyncSession(rt.Simulated("typical", where="memory"), opening)
        async with rt.AsyncSession(
            rt.Simulated("none", where="memory"), rt.SpokenGreeting(WELCOME)
        ) as other:
            assert other.opening_reply is not None
            voice = other.opening_reply.audio
        await s.open()
        await s.wait_for("response.output_audio.delta")
        await s.hear(voice[: audio.RATE // 2], reply=False)
        reply = await s.opened()
        await s.close()
        assert reply is not None
        return reply.status

    assert asyncio.run(scene(protect=False)) == "cancelled"
    assert asyncio.run(scene(protect=True)) == "completed"


def test_not_waiting_sends_the_greeting_right_behind_the_settings() -> None:
    async def order(opening: rt.Opening) -> tuple[list[str], str]:
        async with rt.AsyncSession(
            rt.Simulated("typical", where="memory"), opening, instructions=PERSONA
        ) as s:
            [asked] = s.log.where(type="response.create")
            words = (asked.event or {})["response"]["instructions"]
            kinds = ("session.updated", "response.create")
            return [row.type for row in s.log.where(type=kinds)], words

    early, words = asyncio.run(order(rt.GeneratedGreeting("Greet.", join=True, wait=False)))
    late, _ = asyncio.run(order(rt.GeneratedGreeting("Greet.", join=True)))
    assert early == ["response.create", "session.updated"]
    assert late == early[::-1]
    assert words == f"{PERSONA}\n\nGreet."  # the settings as they will be


def test_settings_that_are_refused_are_an_error_event_where_nothing_waits() -> None:
    with rt.Session(simulated(), rt.ModelGreeting(wait=False), voice="no_such_voice") as s:
        assert s.opening_reply is not None and s.opening_reply.text
        assert "no_such_voice" in s.conversation.errors[0]["message"]
    with (
        pytest.raises(rt.Misuse, match="no_such_voice"),
        rt.Session(simulated(), rt.ModelGreeting(), voice="no_such_voice"),
    ):
        pass


# ------------------------------------------------------------------ recordings


def test_a_recording_has_its_words_in_an_item_of_its_own_id() -> None:
    with open_with(rt.RecordedGreeting(RECORDING, WELCOME)) as s:
        s.wait_for("conversation.item.added", timeout=5)
        assert s.conversation.items[0].id == WORDS
        assert sent(s, "response.create") == []
        ended = s.wait_for(ENDED, timeout=5).event or {}
        assert ended["by"] == "clock" and 3000 < ended["ms"] < 4000


def test_of_a_recording_cut_short_the_model_knows_what_was_heard() -> None:
    words = "one two three four five six seven eight nine ten"
    opening = rt.RecordedGreeting(np.zeros(2 * audio.RATE), words)

    async def scene() -> str:
        async with rt.AsyncSession(rt.Simulated("none", where="memory"), opening) as s:
            await s.wait_for("conversation.item.done")
            await s.send(rt.events.item_create(rt.events.user_text("Stop!")))
            s.record({"type": "playback.flushed", "item_id": WORDS, "ms": 900})
            reply = await s.ask("What did you say first?")
            texts = [one.text for one in s.conversation.items]
            assert texts[:2] == ["one two three four", "Stop!"]
            assert s.conversation.errors == []
            return reply.text

    assert "one two three four”" in asyncio.run(scene())


def test_a_recording_cut_at_its_ends() -> None:
    opening = rt.RecordedGreeting(np.zeros(audio.RATE), "one two")
    cut = {"type": "playback.flushed", "item_id": WORDS}
    assert [one["type"] for one in opening.react({**cut, "ms": 0})] == ["conversation.item.delete"]
    assert opening.react({**cut, "ms": 1000}) == []
    assert opening.react({**cut, "item_id": "item_other", "ms": 5}) == []


def test_a_recording_is_taken_from_a_file_samples_and_bytes(tmp_path: Path) -> None:
    samples = (1000 * np.sin(np.arange(2400) / 10)).astype(np.int16)
    pcm = samples.tobytes()
    path = tmp_path / "greeting.wav"
    path.write_bytes(audio.wav_bytes(pcm))
    sources = (path, str(path), path.read_bytes(), pcm, samples, list(samples / 32767.0))
    openings = [rt.RecordedGreeting(source, "Hi.") for source in sources]
    for opening in openings:
        assert opening.audio.dtype == np.int16 and not opening.audio.flags.writeable
        assert np.abs(opening.audio - samples).max() <= 1
    assert len({opening for opening in openings[:5]}) == 1
    assert openings[0] != rt.RecordedGreeting(path, "Ho.") != "Hi."
    assert repr(openings[1]) == f"RecordedGreeting({str(path)!r}, 'Hi.')"
    assert repr(openings[4]) == "RecordedGreeting(<0.10 s of audio>, 'Hi.')"


# ------------------------------------------------------------------ bad arguments


WRONG: list[tuple[Any, str]] = [
    (lambda: rt.ScriptedGreeting(5), "ScriptedGreeting('"),  # type: ignore[arg-type]
    (lambda: rt.SpokenGreeting(None), "SpokenGreeting('"),  # type: ignore[arg-type]
    (lambda: rt.GeneratedGreeting(["x"]), "GeneratedGreeting('"),  # type: ignore[arg-type]
    (lambda: rt.SeededGreeting(b"x"), "SeededGreeting('"),  # type: ignore[arg-type]
    (lambda: rt.SeededGreeting("x", role="assistant"), "ScriptedGreeting"),  # type: ignore[arg-type]
    (lambda: rt.OutOfBandGreeting(5), "OutOfBandGreeting('"),  # type: ignore[arg-type]
    (lambda: rt.ContextGreeting("Greet."), "user_text"),  # type: ignore[arg-type]
    (lambda: rt.ContextGreeting(["Greet."]), "user_text"),  # type: ignore[list-item]
    (lambda: rt.ContextGreeting([{"role": "user"}]), "user_text"),
    (lambda: rt.ContextGreeting([{"type": "message", "x": {1}}]), "JSON"),
    (lambda: rt.ContextGreeting([], instructions=5), "ContextGreeting('"),  # type: ignore[arg-type]
    (lambda: rt.IdleGreeting(4999), "5000 to 30000"),
    (lambda: rt.IdleGreeting(30001), "5000 to 30000"),
    (lambda: rt.IdleGreeting(6000.0), "whole milliseconds"),  # type: ignore[arg-type]
    (lambda: rt.IdleGreeting(True), "whole milliseconds"),
    (lambda: rt.SpokenGreeting("x", protect="yes"), "protect is True"),  # type: ignore[arg-type]
    (lambda: rt.SpokenGreeting("x", wait=1), "wait is True"),  # type: ignore[arg-type]
    (lambda: rt.RecordedGreeting("no/such.wav", "x"), "no recording at"),
    (lambda: rt.RecordedGreeting(None, "x"), "welcome.wav"),
    (lambda: rt.RecordedGreeting(b"", "x"), "empty"),
    (lambda: rt.RecordedGreeting(b"RIFFnonsense", "x"), "not a wav"),
    (lambda: rt.RecordedGreeting(np.zeros((2, 100)), "x"), "mono"),
    (lambda: rt.RecordedGreeting(np.zeros(100), 5), "RecordedGreeting("),  # type: ignore[arg-type]
    (lambda: rt.Session(simulated(), "Hello"), "GeneratedGreeting"),  # type: ignore[arg-type]
    (lambda: rt.Session(simulated(), rt.ModelGreeting), "ModelGreeting("),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_bad_arguments_are_told_what_to_write_instead(wrong: Any, sentence: str) -> None:
    with pytest.raises(rt.Misuse) as told:
        wrong()
    assert sentence in str(told.value)


def test_what_an_opening_was_made_from_may_change_without_changing_it() -> None:
    given = [rt.events.user_text("Greet Kim.")]
    opening = rt.ContextGreeting(given)
    given[0]["content"][0]["text"] = "Insult Kim."
    opening.events({})[0]["response"]["input"].clear()
    [event] = opening.events({})
    assert event["response"]["input"] == [rt.events.user_text("Greet Kim.")]


# ------------------------------------------------------------------ in words


@pytest.mark.parametrize("opening", examples(), ids=lambda opening: type(opening).__name__)
def test_an_explanation_says_of_every_event_what_it_does(opening: rt.Opening) -> None:
    explanation = opening.explain()
    text, html = str(explanation), explanation._repr_html_()
    settings = opening.session()
    events = [*([rt.events.session_update(**settings)] if settings else []), *opening.events({})]
    assert [step.event for step in explanation.steps if step.when == "first"] == events
    for step in explanation.steps:
        assert step.meaning.does in text and step.meaning.does.split("'")[0] in html
        assert "none of the protocol's" not in step.meaning.does
    assert explanation.about and explanation.about in text
    assert "facts §" not in text and " ()" not in text and "`" not in html
    assert repr(explanation) == text
    assert (opening.audio is not None) == ("never sent" in text)


def test_what_comes_later_is_explained_with_its_moment() -> None:
    opening = rt.SeededGreeting("Greet.", delete=True, protect=True)
    later = [(step.when, step.event["type"]) for step in opening.explain().steps[3:]]
    assert later == [
        ("when its response is done", "conversation.item.delete"),
        ("when its sound is over", "input_audio_buffer.clear"),
        ("when its sound is over", "session.update"),
    ]
    printed = str(opening)
    assert printed.index("Later, when its response is done:") < printed.index('"item_id"')
    assert '"type": "server_vad"' in printed and "Later: nothing." not in printed


def test_an_explanation_shows_hostile_words_as_words() -> None:
    html = rt.ScriptedGreeting("<img src=x onerror=alert(1)>").explain()._repr_html_()
    assert "<img" not in html and "&lt;img" in html


def test_an_opening_of_ones_own_is_explained_too() -> None:
    @dataclass(frozen=True)
    class Question(rt.Opening):
        text: str

        def events(self, session: Event) -> list[Event]:
            asked = rt.events.item_create(rt.events.user_text(self.text))
            return [asked, rt.events.response_create(), {"type": "no.such.event"}]

        def react(self, event: Event) -> list[Event]:
            return [rt.events.response_cancel()] if event["response"]["never"] else []

    explanation = Question("Who?").explain()
    assert explanation.about == ""  # what dataclass writes for a docstring is none
    assert explanation.title == "Opening"
    text = str(explanation)
    assert "as if the user had said it" in text and "none of the protocol's" in text
    assert "answers later events too" in text
    json.dumps([step.event for step in explanation.steps])


def test_waiting_is_explained_as_what_it_is() -> None:
    assert "It sends nothing" in str(rt.WaitForUser().explain())


def test_a_protected_opening_of_ones_own_is_five_lines() -> None:
    @dataclass(frozen=True)
    class Question(rt.Greeting):
        text: str

        def events(self, session: Event) -> list[Event]:
            user = rt.events.user_text(self.text)
            return [rt.events.item_create(user), rt.events.response_create()]

    with rt.Session(simulated(), Question("Who are you?", protect=True)) as s:
        assert s.opening_reply is not None and s.opening_reply.text
        s.wait_for(ENDED, timeout=5)
        assert restored(s)["type"] == "server_vad"


def test_the_example_recording_says_its_words() -> None:
    samples = audio.read_wav(RECORDING)
    seconds = len(samples) / audio.RATE
    assert 2 < seconds < 5 and np.abs(samples).max() > 5000
    recorded = next(one for one in examples() if isinstance(one, rt.RecordedGreeting))
    assert recorded.text == FIRST_WORDS["text"]
