"""The built-in brain (first cut)."""

from __future__ import annotations

import random

from .jobs import Answer, Question


class BuiltInBrain:
    """Answers from the question alone: the same seed and question, the same words."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def answer(self, question: Question) -> Answer:
        chance = random.Random(f"{self._seed}:{question}")
        users = [turn for turn in question.history if turn.role == "user"]
        if not users:
            return Answer(chance.choice(["Hello! Nice to meet you.", "Hi there, how can I help?"]))
        return Answer(f"You said: {users[-1].text}")
