"""Whether what was said is what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtwidgets.comparison.words import Piece, coverage, differences, similarity, spoken_words

SCRIPT = "Welcome to the museum! Shall I show you the fossils?"


@pytest.mark.parametrize(
    "said",
    [
        SCRIPT,
        "welcome to the museum shall I show you the fossils",
        "Welcome, to the museum. Shall I show you the fossils!",
        "  Welcome to the museum!\nShall I show you — the fossils?  ",
    ],
)
def test_what_sounds_the_same_is_the_same(said: str) -> None:
    assert similarity(SCRIPT, said) == 1.0


def test_an_apostrophe_is_an_apostrophe() -> None:
    assert similarity("I'm Ada", "I’m Ada") == 1.0


@pytest.mark.parametrize(
    ("said", "likeness"),
    [("", 0.0), ("Hola, ¿qué tal?", 0.0), ("Sure! " + SCRIPT, 20 / 21), ("Welcome.", 2 / 11)],
)
def test_how_much_is_the_same(said: str, likeness: float) -> None:
    assert similarity(SCRIPT, said) == pytest.approx(likeness)


def test_two_silences_are_the_same() -> None:
    assert similarity("", "…!") == 1.0


def test_differing_words_are_marked_in_reading_order() -> None:
    assert differences("Welcome to the museum!", "Sure! Welcome to our museum!") == [
        Piece("added", "Sure!"),
        Piece("same", "Welcome to"),
        Piece("missing", "the"),
        Piece("added", "our"),
        Piece("same", "museum!"),
    ]


def test_an_answer_covers_a_greeting_whatever_stands_around_it() -> None:
    assert coverage(SCRIPT, f"The first thing I said was: “{SCRIPT}”") == 1.0
    assert coverage(SCRIPT, "I have not said anything yet.") < 0.3
    assert coverage("", "anything") == 0.0


def test_words_of_other_scripts_are_words() -> None:
    assert spoken_words("Добро пожаловать! ¿Qué tal? 你好") == [
        "добро", "пожаловать", "qué", "tal", "你", "好",
    ]  # fmt: skip


def test_scripts_without_spaces_are_compared_by_the_character() -> None:
    assert similarity("你好，世界！", "你好世界") == 1.0
    assert similarity("ようこそ、博物館へ！", "ようこそ博物館へ。") == 1.0
    assert similarity("我带你看化石吗？", "我带您看化石吗？") == 6 / 7
    assert differences("你好，世界！ OK 3.5", "您好，世界！ OK 3.5") == [
        Piece("missing", "你"),
        Piece("added", "您"),
        Piece("same", "好，世界！ OK 3.5"),
    ]


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(script: str, said: str) -> None:
    assert 0.0 <= similarity(script, said) <= 1.0
    assert 0.0 <= coverage(script, said) <= 1.0
    kinds = {piece.kind for piece in differences(script, said)}
    assert kinds <= {"same", "missing", "added"}


@given(st.text())
def test_a_text_is_like_itself(text: str) -> None:
    assert similarity(text, text) == 1.0
    assert all(piece.kind == "same" for piece in differences(text, text))
