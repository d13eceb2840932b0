"""Who answers and who understands: scripts, lines, chat endpoints, and options that are wrong."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_events import problems
from simulator_driver import Desk, Says, hum, respond, silence, types, update, user_text

from rtwidgets.cli import main
from rtwidgets.errors import Misuse
from rtwidgets.simulator import Simulator
from rtwidgets.simulator.jobs import Answer, Call, Heard, Question, Said, Turn
from rtwidgets.simulator.replies import BuiltInBrain, topic_of
from rtwidgets.simulator.scripts import ScriptBrain, UserLines
from rtwidgets.simulator.settings import Settings

SCRIPT = [("", "Welcome!"), ("Who are you?", "I am Ada."), ("who are you", "Still Ada.")]
TEXT = update(output_modalities=["text"])


def said(brain: Any, *words: str) -> str:
    turns: list[Turn] = []
    for word in words:
        turns += [Turn("user", word), Turn("assistant", "…")]
    return str(brain.answer(Question("", tuple(turns[:-1]))).text)


# --- scripts


def test_a_script_answers_its_lines_in_turn_and_leaves_the_rest_to_another() -> None:
    brain = ScriptBrain(SCRIPT, Says("Elsewhere."))
    assert said(brain) == "Welcome!"
    assert said(brain, "WHO are you") == "I am Ada."
    assert said(brain, "Who are you?", "Who are you?", "Who are you?") == "Still Ada."
    assert said(brain, "What?") == "Elsewhere."


@pytest.mark.parametrize(
    ("words", "topic"),
    [
        ("When does the museum close?", "the museum"),
        ("Hello! And why did the old dinosaurs die?", "the old dinosaurs"),
        ("What did it eat?", "that"),  # nobody knows what "it" is
        ("Are you still there?", "that"),
        ("Does the museum have a café?", "the museum have a café"),
        ("Tell me about the blue whale, please.", "the blue whale"),
    ],
)
def test_what_nobody_can_answer_is_taken_up_by_its_subject(words: str, topic: str) -> None:
    assert topic_of(words) == topic


def test_spoken_turns_have_the_words_of_the_script() -> None:
    desk = Desk(
        brain=Settings(script=SCRIPT[1:2]).found_brain(),
        transcriber=Settings(script=SCRIPT[1:2]).found_transcriber(),
    )
    heard = {"transcription": {"model": "gpt-4o-transcribe"}}
    desk.send(update(output_modalities=["text"], audio={"input": heard}))
    came = desk.send(hum(1000), silence(400))
    completed = desk.last("conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == "Who are you?"
    assert desk.last("response.output_text.done")["text"] == "I am Ada."
    deltas = [e["delta"] for e in came if e["type"].endswith("transcription.delta")]
    assert "".join(deltas) == "Who are you?"
    assert completed["usage"]["type"] == "tokens"
    assert completed["usage"]["input_token_details"]["audio_tokens"] == 12


def test_the_model_that_tells_speakers_apart_sends_segments_instead_of_deltas() -> None:
    desk = Desk(transcriber=UserLines(["Hello there."]))
    heard = {"transcription": {"model": "gpt-4o-transcribe-diarize"}}
    desk.send(update(audio={"input": heard}))
    came = types(desk.send(hum(1000), silence(400)))
    name = "conversation.item.input_audio_transcription"
    segment, completed = desk.last(f"{name}.segment"), desk.last(f"{name}.completed")
    assert (segment["text"], segment["start"]) == ("Hello there.", 0.0)
    assert segment["item_id"] == completed["item_id"] and segment["end"] > 0.9
    assert problems(segment) == []
    assert f"{name}.delta" not in came
    assert came.index(f"{name}.segment") < came.index(f"{name}.completed")


def test_log_probabilities_come_where_the_session_wants_them() -> None:
    desk = Desk(transcriber=UserLines(["Hello there."]))
    included = ["item.input_audio_transcription.logprobs"]
    heard = {"transcription": {"model": "gpt-4o-transcribe"}}
    desk.send(update(include=included, audio={"input": heard}))
    desk.send(hum(1000), silence(400))
    completed = desk.last("conversation.item.input_audio_transcription.completed")
    assert "".join(each["token"] for each in completed["logprobs"]) == "Hello there."
    assert completed["logprobs"][0]["bytes"] == list(b"Hello")


def test_the_lines_end_and_nobody_pretends() -> None:
    lines = UserLines(["One."])
    assert [lines.words(Heard(n, 1.0)) for n in (1, 2)] == ["One.", None]
    assert lines.words(Heard(1, 0.0)) is None


def test_a_transcriber_of_ones_own_hears_the_sound() -> None:
    class Listening:
        def words(self, heard: Heard) -> str:
            self.heard = heard
            return "Hm."

    listening = Listening()
    Desk(transcriber=listening).send(silence(500), hum(1000), silence(400))
    assert listening.heard.turn == 1
    assert len(listening.heard.pcm) // 48 == pytest.approx(1500, abs=300)


def test_a_transcriber_that_fails_is_a_failed_transcript_and_the_reply_comes() -> None:
    class Broken:
        def words(self, heard: Heard) -> str:
            raise RuntimeError

    desk = Desk(transcriber=Broken())
    desk.send(update(audio={"input": {"transcription": {"model": "whisper-1"}}}))
    kinds = types(desk.send(hum(1000), silence(400)))
    assert "conversation.item.input_audio_transcription.failed" in kinds
    assert "response.done" in kinds


# --- streamed answers


class Streams:
    quick = True

    def __init__(self, *parts: Said | Answer) -> None:
        self.parts = parts

    def answer(self, question: Question) -> Answer:
        raise AssertionError("it streams")

    def stream(self, question: Question) -> Iterator[Said | Answer]:
        yield from self.parts


def streamed(modality: str, *parts: Said | Answer, **fields: Any) -> Desk:
    """A response whose answer comes in parts, each handed in by itself."""
    desk = Desk(brain=Streams(*parts), voice_ms=500)
    desk.streams = True
    desk.send(respond(output_modalities=[modality], **fields))
    return desk


PARTS = (Said("The first sen"), Said("tence is this. And then "), Said("comes another."), Answer())


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_words_are_sent_as_they_come(modality: str) -> None:
    desk = streamed(modality, *PARTS)
    response = desk.last("response.done")["response"]
    assert response["status"] == "completed"
    content = response["output"][0]["content"][0]
    whole = "The first sentence is this. And then comes another."
    assert (content.get("text") or content.get("transcript")) == whole
    sound = [e for e in desk.events if e["type"] == "response.output_audio.delta"]
    assert len(sound) == (4 if modality == "audio" else 0)  # two sentences of half a second
    kinds = types(desk.events)
    assert kinds.count("response.output_item.added") == 1


def test_a_call_may_follow_streamed_words() -> None:
    desk = streamed("text", Said("Let me look. "), Answer("", (Call("look", "{}"),)))
    output = desk.last("response.done")["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call"]


def test_a_stream_is_cut_at_its_budget() -> None:
    desk = streamed("text", Said("One two "), Said("three four "), Answer(), max_output_tokens=3)
    response = desk.last("response.done")["response"]
    assert response["status"] == "incomplete"
    assert response["output"][0]["content"][0]["text"] == "One two "


# --- brains of one's own


def test_a_brain_of_ones_own_may_be_slow_and_is_not_waited_for() -> None:
    """Another session is answered while this brain still thinks."""
    from test_simulator_server import KEY, MODEL, until
    from websockets.asyncio.client import connect as dial

    thinking = threading.Event()

    class Slow:
        def answer(self, question: Question) -> Answer:
            if question.instructions == "slow":
                thinking.wait(20)
            return Answer("Here.")

    async def both(url: str) -> list[str]:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with (
            dial(url, additional_headers=headers) as slow,
            dial(url, additional_headers=headers) as quick,
        ):
            text = {"output_modalities": ["text"]}
            await slow.send(json.dumps(respond(instructions="slow", **text)))
            await until(slow, "response.created")
            await quick.send(json.dumps(respond(**text)))
            first = await until(quick, "response.done")
            thinking.set()
            return [events[-1]["response"]["status"] for events in (first, await until(slow, DONE))]

    with Simulator(in_process=True, key=KEY, brain=Slow()) as simulator:
        url = simulator.url + MODEL
        assert asyncio.run(asyncio.wait_for(both(url), 15)) == ["completed", "completed"]


DONE = "response.done"


class Gives:
    """A brain that gives whatever it was given, if that is an answer or not."""

    quick = True

    def __init__(self, given: Any) -> None:
        self.given = given

    def answer(self, question: Question) -> Any:
        return self.given


@pytest.mark.parametrize("modality", ["text", "audio"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Half \ud83d a pair.", "Half � a pair."),
        ("\udc00", "�"),
        ("Whole \ud83d\ude00.", "Whole 😀."),
    ],
)
def test_half_a_character_does_not_end_the_session(given: str, said: str, modality: str) -> None:
    desk = Desk(brain=Gives(Answer(given, (Call("f\ud800", '{"a": "\ud800"}'),))))
    desk.send(respond(output_modalities=[modality]))
    message, call = desk.last("response.done")["response"]["output"]
    assert (message["content"][0].get("text") or message["content"][0]["transcript"]) == said
    assert (call["name"], call["arguments"]) == ("f�", '{"a": "�"}')
    assert all(json.dumps(event, ensure_ascii=False).encode() for event in desk.events)


def test_a_character_that_is_streamed_in_halves_arrives_whole() -> None:
    desk = streamed("text", Said("Hi \ud83d"), Said("\ude00 and \ud83d"), Answer())
    assert desk.last("response.output_text.done")["text"] == "Hi 😀 and �"


@pytest.mark.parametrize(
    "given",
    [None, "Hello.", 5, Answer(None), Answer("", ("f",)), Answer("", (Call("f", {}),)),  # type: ignore[arg-type]
     Answer("", [Call("f", "{}")]), Said(b"x")],  # type: ignore[arg-type]
)  # fmt: skip
def test_what_is_no_answer_is_a_failed_response_and_the_session_goes_on(given: Any) -> None:
    desk = Desk(brain=Gives(given))
    desk.send(respond())
    response = desk.last("response.done")["response"]
    assert response["status"] == "failed"
    assert "a brain gives an Answer" in response["status_details"]["error"]["message"]
    desk.brain = Gives(Answer("Better."))
    desk.send(respond())
    assert desk.last("response.done")["response"]["status"] == "completed"


@pytest.mark.parametrize("heard", [5, b"words", "half \ud83d"])
def test_what_is_no_transcript_is_a_failed_one_and_half_a_character_is_mended(heard: Any) -> None:
    class Odd:
        def words(self, turn: Heard) -> Any:
            return heard

    desk = Desk(transcriber=Odd())
    desk.send(update(audio={"input": {"transcription": {"model": "gpt-4o-transcribe"}}}))
    desk.send(hum(1000), silence(400))
    name = "conversation.item.input_audio_transcription"
    if isinstance(heard, str):
        assert desk.last(f"{name}.completed")["transcript"] == "half �"
    else:
        assert "message" in desk.last(f"{name}.failed")["error"]


def test_half_a_character_through_a_real_line() -> None:
    from test_simulator_server import KEY, in_session, until

    answer = Answer("Half \ud83d", (Call("f", '"\udc00"'),))
    with Simulator(in_process=True, key=KEY, brain=Gives(answer)) as simulator:

        async def talk(line: Any) -> Any:
            await line.send(json.dumps(respond(output_modalities=["text"])))
            return (await until(line, "response.done"))[-1]["response"]

        output = in_session(simulator, talk)["output"]
    assert output[0]["content"][0]["text"] == "Half �"


def test_a_stream_that_ends_without_an_answer_said_all_there_is() -> None:
    from test_simulator_server import KEY, in_session, until

    class Trails(Streams):
        quick = False

    with Simulator(in_process=True, key=KEY, brain=Trails(Said("And then"))) as simulator:

        async def talk(line: Any) -> Any:
            await line.send(json.dumps(respond(output_modalities=["text"])))
            return (await until(line, "response.done"))[-1]["response"]

        response = in_session(simulator, talk)
    assert response["output"][0]["content"][0]["text"] == "And then"
    assert response["status"] == "completed"


# --- in a process of its own


def test_script_lines_tools_and_faults_cross_to_a_child_process() -> None:
    from test_simulator_server import event, in_session, until

    tool = {"name": "ask", "output": "42"}
    options: dict[str, Any] = {"script": SCRIPT, "user_lines": ["Hello"], "mcp": {"*": [tool]}}
    with Simulator(key="sk-test-not-a-key", faults=["no-rate-limits"], **options) as simulator:

        async def talk(line: Any) -> Any:
            await event(line)
            for sent in (TEXT, user_text("Who are you?"), respond()):
                await line.send(json.dumps(sent))
            return (await until(line, "response.done"))[-1]["response"]

        response = in_session(simulator, talk)
    assert response["output"][0]["content"][0]["text"] == "I am Ada."


def test_everything_that_can_be_chosen_reaches_the_command_line(tmp_path: Path) -> None:
    from rtwidgets.cli import _parser

    chosen = Settings(
        script=SCRIPT,
        user_lines=["a"],
        chat_url="http://localhost:1/v1",
        chat_model="m",
        faults=["slow=2", "fail-response", "drop-after=3"],
        mcp={"*": []},
        idle_before_first_reply=True,
        session_seconds=9.0,
    )
    read = _parser().parse_args(["serve", *chosen.arguments(tmp_path)])
    assert json.loads(read.script.read_text()) == [list(pair) for pair in SCRIPT]
    assert Settings(faults=read.fault).found_faults() == chosen.found_faults()
    assert (read.chat_url, read.chat_model) == ("http://localhost:1/v1", "m")
    assert (read.idle_before_first_reply, read.session_seconds) == (True, 9.0)


# --- wrong options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"script": ["hello"]}, "list of pairs"),
        ({"script": [("a", 1)]}, "list of pairs"),
        ({"user_lines": [1]}, "list of texts"),
        ({"chat_url": "localhost:11434", "chat_model": "m"}, "no chat endpoint"),
        ({"chat_url": "http://localhost/v1"}, "name of a model"),
        ({"chat_model": "m"}, "needs its address"),
        ({"faults": ["explode"]}, "There is no fault 'explode'; there are drop-after"),
        ({"faults": ["drop-after"]}, "drop-after=5"),
        ({"faults": ["slow=fast"]}, "slow=5"),
        ({"mcp": {"label": ["roll"]}}, "script of MCP tools"),
        ({"session_seconds": 0}, "more than 0 seconds"),
        ({"latency": "fast"}, "'none' or 'typical'"),
        ({"colour": "red"}, "no option 'colour'"),
        ({"brain": BuiltInBrain()}, "in_process=True"),
    ],
)
def test_a_wrong_option_is_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Misuse, match=sentence):
        Simulator(**options)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--script", "/nowhere.json"], "The script cannot be read"),
        (["--user-lines", "/nowhere.txt"], "lines cannot be read"),
        (["--fault", "x"], "no fault 'x'"),
        (["--host", "0.0.0.0"], "needs a key of your own"),
        (["--host", "no.such.host.invalid", "--key", "sk-test-not-a-key"], "cannot listen"),
    ],
)
def test_a_wrong_command_is_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert said.strip().splitlines()[-1].startswith("rtwidgets serve: ")
