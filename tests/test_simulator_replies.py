"""What the built-in brain says: the lessons that a notebook builds on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rtwidgets.simulator.jobs import Answer, Question, Turn
from rtwidgets.simulator.models import DEFAULT_INSTRUCTIONS
from rtwidgets.simulator.replies import BuiltInBrain, calculated, exactly

ADA = "You are a museum guide called Ada who loves fossils."


def user(text: str, **fields: Any) -> Turn:
    return Turn("user", text, **fields)


def assistant(text: str) -> Turn:
    return Turn("assistant", text)


def reply(instructions: str, *history: Turn, seed: int = 0, **fields: Any) -> Answer:
    return BuiltInBrain(seed).answer(Question(instructions, tuple(history), **fields))


def said(instructions: str, *history: Turn, **fields: Any) -> str:
    return reply(instructions, *history, **fields).text


# --- greeting


@pytest.mark.parametrize("seed", range(5))
def test_a_bare_response_greets_as_its_persona(seed: int) -> None:
    words = said(ADA, seed=seed)
    assert "Ada" in words and "museum guide" in words and "fossils" in words


def test_the_same_seed_gives_the_same_words_and_others_vary() -> None:
    assert said(ADA, seed=3) == said(ADA, seed=3)
    assert len({said(ADA, seed=seed) for seed in range(12)}) > 1


def test_instructions_of_the_response_lose_the_persona() -> None:
    assert "Ada" not in said("Greet the visitor in one sentence.")
    assert "visitor" in said("Greet the visitor in one sentence.")


def test_both_together_keep_it() -> None:
    words = said(f"{ADA}\n\nGreet the visitor and ask what they want to see.")
    assert "Ada" in words and words.endswith("What do you want to see?")


def test_behind_its_own_greeting_it_does_not_greet_anew() -> None:
    words = said(ADA, assistant("Welcome to the museum!"))
    assert "As I said" in words and "Welcome to the museum!" in words


def test_a_place_is_named_in_the_welcome() -> None:
    assert "the museum of natural history" in said(
        "Welcome guests to the museum of natural history."
    )


@pytest.mark.parametrize(
    ("instructions", "parts"),
    [
        (
            "Greet the visitor of the museum in one short sentence, and offer to show the fossils.",
            ["dear visitor", "the museum", "shall I show you the fossils?"],
        ),
        (
            "You are Ada, a guide in a museum of natural history. Greet every visitor first, in "
            "English, in one sentence.",
            ["Ada, your guide", "dear visitor", "our museum of natural history"],
        ),
        ("Greet the visitor and ask for their name.", ["dear visitor", "What is your name?"]),
        ("You are Max, a barista. Greet Tom.", ["Tom", "I'm Max, your barista."]),
    ],
)
def test_a_greeting_does_what_it_is_told(instructions: str, parts: list[str]) -> None:
    for seed in range(4):
        words = said(instructions, seed=seed)
        assert all(part in words for part in parts), words


def test_the_servers_own_instructions_make_no_persona() -> None:
    words = said(DEFAULT_INSTRUCTIONS)
    assert words.endswith("?") and "them" not in words.split()


@pytest.mark.parametrize(
    ("instructions", "hello"),
    [
        ("You are Ada. Answer in German.", "Hallo, ich bin Ada."),
        ("You are Ada. Speak only French.", "Bonjour, je suis Ada."),
        ("You are Ada. Always speak Spanish.", "Hola, soy Ada."),
    ],
)
def test_a_language_can_be_pinned(instructions: str, hello: str) -> None:
    assert said(instructions).startswith(hello)


def test_brief_is_brief() -> None:
    words = said("Answer in two or three words.", user("Say a short greeting."))
    assert len(words.split()) <= 3


# --- exactly


@pytest.mark.parametrize(
    "order",
    [
        "Say exactly: Welcome to the lab! Shall we start?",
        "Say exactly the following: Welcome to the lab! Shall we start?",
        "Say exactly the following, and nothing else: Welcome to the lab! Shall we start?",
        "Say exactly 'Welcome to the lab! Shall we start?' now before continuing.",
        'Please say "Welcome to the lab! Shall we start?"',
    ],
)
def test_what_is_to_be_said_exactly_is(order: str) -> None:
    assert exactly(order) == "Welcome to the lab! Shall we start?"
    assert said(ADA, user(order)) == "Welcome to the lab! Shall we start?"


# --- memory


def test_it_quotes_what_it_said_first() -> None:
    history = (assistant("Welcome to the museum!"), user("Hi"), assistant("Hello."))
    words = said(ADA, *history, user("What did you say first?"))
    assert "Welcome to the museum!" in words and "Hello." not in words


def test_it_does_not_know_what_it_cannot_see() -> None:
    assert said(ADA, user("What did you say first?")) == "I have not said anything yet."


def test_it_knows_who_spoke_first() -> None:
    asked = user("Who spoke first?")
    assert said(ADA, assistant("Welcome!"), asked).startswith("I spoke first")
    assert said(ADA, user("Hello."), assistant("Hi."), asked) == "You spoke first."


def test_it_remembers_what_it_was_told() -> None:
    told = user("My name is Alice and my favorite color is teal.")
    asked = user("What is my name and favorite color?")
    assert said(ADA, told, asked) == "Your name is Alice, and your favorite color is teal!"
    assert said(ADA, asked) == "You have not told me that."


def test_it_knows_what_the_user_said() -> None:
    words = said(ADA, user("I like trains."), assistant("Good."), user("What did I say?"))
    assert words == "You said: “I like trains.”"


# --- honesty


@pytest.mark.parametrize("asked", ["Are you real?", "Are you ChatGPT?", "Are you a simulator?"])
def test_it_says_what_it_is(asked: str) -> None:
    words = said(ADA, user(asked))
    assert "rtwidgets simulator" in words and "not OpenAI's model" in words


def test_it_names_its_persona_and_admits_to_none() -> None:
    assert said(ADA, user("Who are you?")) == "I'm Ada, a museum guide."
    assert "simulator" in said(DEFAULT_INSTRUCTIONS, user("Who are you?"))


def test_it_does_not_pretend_to_have_understood_speech() -> None:
    words = said(ADA, user("", seconds=4.2))
    assert "4.2 seconds" in words and "simulator" in words


def test_its_answers_take_up_the_users_words() -> None:
    for seed in range(6):
        assert "black holes" in said(
            DEFAULT_INSTRUCTIONS, user("Tell me about black holes"), seed=seed
        )


# --- sums


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("What is 12 times 7?", "84"),
        ("2 + 2 * 5 =", "12"),
        ("10 divided by 4", "2.5"),
        ("(1+2)*3", "9"),
        ("what is 7 / 0", None),
        ("I am 12 years old", None),
        ("on 2026-11-22 at 10", None),
    ],
)
def test_sums(words: str, value: str | None) -> None:
    assert calculated(words) == value


# --- tools

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Look up the weather for a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
    },
}
DICE = {
    "type": "function",
    "name": "rollDice",
    "parameters": {"type": "object", "properties": {"sides": {"type": "integer"}}},
}


def test_words_that_match_a_tool_call_it() -> None:
    answer = reply("", user("What's the weather in New York?"), tools=(DICE, WEATHER))
    (call,) = answer.calls
    assert call.name == "get_weather"
    assert json.loads(call.arguments) == {"city": "New York"}
    assert answer.text == ""


def test_numbers_and_choices_are_taken_from_the_words() -> None:
    (call,) = reply("", user("Roll dice with 20 sides"), tools=(DICE,)).calls
    assert json.loads(call.arguments) == {"sides": 20}
    (call,) = reply("", user("Weather in Rome in fahrenheit?"), tools=(WEATHER,)).calls
    assert json.loads(call.arguments) == {"city": "Rome", "unit": "fahrenheit"}


def test_other_words_and_tool_choice_none_do_not() -> None:
    assert not reply("", user("Tell me a joke"), tools=(WEATHER,)).calls
    assert not reply("", user("Weather?"), tools=(WEATHER,), tool_choice="none").calls


def test_a_tool_can_be_required() -> None:
    assert reply("", user("Tell me a joke"), tools=(WEATHER,), tool_choice="required").calls
    chosen = {"type": "function", "name": "rollDice"}
    answer = reply("", user("Weather?"), tools=(WEATHER, DICE), tool_choice=chosen)
    assert answer.calls[0].name == "rollDice"


def test_reasoning_models_announce_the_call() -> None:
    answer = reply("", user("Weather in Rome?"), tools=(WEATHER,), commentary=True)
    assert answer.text and answer.calls


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("It is foggy.", "It is foggy."),
        ('{"sky": "grey", "wind_speed": 3}', "Here is what I found: sky is grey, wind speed is 3."),
        ("[1, 2]", "Here is what I found: 1, 2."),
        ("", "The tool gave no answer."),
    ],
)
def test_a_tools_output_is_told(output: str, words: str) -> None:
    history = (user("Weather?"), Turn("call", "{}", name="get_weather"), Turn("output", output))
    assert said("", *history, tools=(WEATHER,)) == words
