"""The built-in brain: short, honest answers from the context alone.

It understands little and pretends nothing. What it can do is what a lesson needs:
say exactly what it is told, greet as the persona of its instructions, know what is in
its context and what is not, call a tool, and say that it is a simulator.
The same seed and the same question give the same words; another seed varies them.
"""

from __future__ import annotations

import ast
import operator
import random
import re
from collections.abc import Callable, Iterable

from . import persona, toolcalls
from .jobs import Answer, Question, Turn

_EXACTLY = re.compile(
    r"\b(?:say|repeat|speak|read)\b[^:\"“'\n]{0,20}?\b(?:exactly|verbatim|word for word)\b"
    r"[^:\"“‘'\n]{0,60}(?:[:,]\s*(?P<rest>.+)|(?P<quote>[\"“‘'].+))",
    re.I | re.S,
)
_PLAIN_SAY = re.compile(r"^\s*(?:please\s+)?say\s*:?\s*[\"“](?P<rest>[^\"”]+)[\"”]", re.I)
_QUOTED = re.compile(r"^[\"“‘'](.+)[\"”’'](?:[\s.!]|$)", re.S)
_ABOUT_ITSELF = re.compile(
    r"\bare you (?:an? |the )?(?:real|human|person|robot|bot|simulat\w+|fake|ai\b|openai|chatgpt|"
    r"gpt\S*|machine|computer)|\b(?:which|what) model\b|\bsimulator\b",
    re.I,
)
_WHO = re.compile(
    r"\bwho (?:are|r) (?:you|u)\b|\bwhat(?:'s| is) your name\b|\bintroduce yourself", re.I
)
_YOU_SAID = re.compile(
    r"\bwhat (?:did you|have you|were your|was your)\b|\bdid you (?:just )?say\b|"
    r"\brepeat\b.*\byou\b|\byour (?:first|last) (?:words?|sentence|message)\b|\bsay that again\b",
    re.I,
)
_SPOKE_FIRST = re.compile(
    r"\bwho (?:spoke|talked|began|started|said \w+) ?first\b|\bwho began\b", re.I
)
_I_SAID = re.compile(
    r"\bwhat did i (?:just )?(?:say|tell|ask)\b|\bwhat have i (?:said|told)\b", re.I
)
_FIRST = re.compile(r"\bfirst\b|\bat the (?:start|beginning)\b|\bbegin\b|\bopen\w*\b", re.I)
_FACT = re.compile(
    r"\bmy ([a-z][a-z ]{1,30}?) is (?:called )?([^.,!?;]+?)(?= and my\b|[.,!?;]|$)", re.I
)
_CALLED = re.compile(r"\b(?:i am|i'm|i’m|call me)\s+([A-Z][\w'-]+)")
_ASKED_FACT = re.compile(r"\b(?:what|who|do you (?:know|remember))\b.*\bmy\b", re.I)
_HELLO = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|day|evening)|greetings)\b[^?]{0,25}$", re.I
)
_GREET = re.compile(
    r"\b(?:greet|greeting|welcome|say hello|say hi|introduce yourself|start the conversation|"
    r"speak first|open the conversation)\b",
    re.I,
)
_ABILITIES = re.compile(r"\bwhat can you do\b|\bhow can you help\b|^\W*help\W*$", re.I)
_THANKS = re.compile(r"\bthank|\bthx\b", re.I)
_BYE = re.compile(r"\b(?:bye|goodbye|see you|that's all)\b", re.I)
_HOW = re.compile(r"\bhow are you\b|\bhow do you do\b", re.I)
_SUM = re.compile(r"[-+(]?\s*\d[\d\s.+\-*/x×÷()]*")
_WORD_OPERATORS = (
    ("divided by", "/"),
    ("multiplied by", "*"),
    ("plus", "+"),
    ("minus", "-"),
    ("times", "*"),
    ("×", "*"),
    ("÷", "/"),
)
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_IDLE_WORDS = frozenset(
    "the a an and or but is are was were be to of in on at it i you me my your we they he she this "
    "that what which who how why when where do does did can could would will shall should have has "
    "please tell about say with for from just like want know some there so not no yes "
    "am still now then here really again also too any".split()
)
# "When does the museum close?" What is asked about stands before the verb, and that is the last.
_ENDS_IN_VERB = re.compile(
    r"\b(?:what|who|when|where|why|how)\s+(?:do|does|did)\s+(?P<whom>[^,;.?!]+?)\s+\w+\s*\?", re.I
)


class BuiltInBrain:
    """See the module. `seed` varies the wording, not the facts."""

    quick = True  # it may be asked where nobody can wait

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def answer(self, question: Question) -> Answer:
        """Words, or a call of one of the question's tools."""
        turn = _Reply(question, self._chance(question))
        return turn.make()

    def _chance(self, question: Question) -> random.Random:
        last = question.history[-1].text if question.history else ""
        return random.Random(f"{self._seed}|{len(question.history)}|{question.instructions}|{last}")


class _Reply:
    """One answer: the rules are tried from top to bottom, the first that speaks is it."""

    def __init__(self, question: Question, chance: random.Random) -> None:
        self.question, self.chance = question, chance
        self.history = question.history
        self.persona = persona.read(question.instructions)
        self.asked = next((t for t in reversed(self.history) if t.role == "user"), None)
        self.words = self.asked.text if self.asked else ""

    def make(self) -> Answer:
        exact = exactly(self.question.instructions)
        if exact:
            return Answer(exact)
        if self.history and self.history[-1].role == "output":
            return Answer(self._results())
        call = toolcalls.choose(self.words, self.question.tools, self.question.tool_choice)
        if call is not None:
            announced = "I’ll check that for you." if self.question.commentary else ""
            return Answer(announced, (call,))
        rules = (
            self._exact,
            self._greeted_already,
            self._greets,
            self._silence,
            self._unheard,
            self._itself,
            self._recall,
            self._spoke_first,
            self._who,
            self._facts,
            self._abilities,
            self._arithmetic,
            self._noted,
            self._small_talk,
        )
        spoken = (text for rule in rules if (text := rule()))
        return Answer(next(spoken, "") or self._talk())

    # --- rules: each gives its sentence, or "" when it has nothing to say

    def _results(self) -> str:
        outputs: list[str] = []
        for turn in reversed(self.history):
            if turn.role != "output":
                break
            outputs.insert(0, toolcalls.told(turn.text))
        return " ".join(outputs)

    def _exact(self) -> str:
        return exactly(self.words)

    def _greeted_already(self) -> str:
        """Asked to speak again behind its own words: it knows them, and does not start anew."""
        last = self.history[-1] if self.history else None
        if last is None or last.role != "assistant" or self.asked or not last.text:
            return ""
        if self._per_response_greeting():
            return ""
        ending = self.chance.choice(("What would you like?", "It is your turn now."))
        return f"As I said: “{last.text}” {ending}"

    def _greets(self) -> str:
        """A greeting: nobody asked anything, or a greeting is what was asked for."""
        told = self.question.instructions
        if self.asked is None or _GREET.search(self.words) or _HELLO.match(self.words):
            asked = self.words if _GREET.search(self.words) else ""
            return self._greeting(f"{told}\n{asked}")
        if self._per_response_greeting():
            return self._greeting(told)
        return ""

    def _per_response_greeting(self) -> bool:
        """Instructions that order a greeting when the user's last turn is answered already."""
        answered = self.history[-1].role == "assistant"
        return answered and bool(_GREET.search(self.question.instructions))

    def _greeting(self, told: str) -> str:
        return persona.greeting(persona.read(told), self.chance)

    def _silence(self) -> str:
        """An empty turn: nobody spoke until the idle timeout."""
        if self.words or self.asked is None or self.asked.seconds:
            return ""
        return self.chance.choice(
            ("Are you still there?", "I am still here whenever you like.", "Take your time.")
        )

    def _unheard(self) -> str:
        if self.words or self.asked is None or not self.asked.seconds:
            return ""
        return (
            f"I heard you speak for {self.asked.seconds:.1f} seconds. I am a simulator and do not "
            "understand spoken words, so please type them."
        )

    def _itself(self) -> str:
        if not _ABOUT_ITSELF.search(self.words):
            return ""
        who = f" I only play {self.persona.introduction()}." if self.persona.known else ""
        return f"I am the rtwidgets simulator on your own machine, not OpenAI's model.{who}"

    def _recall(self) -> str:
        if _I_SAID.search(self.words):
            return self._quoted("user", "You said", "You have not told me anything before that.")
        if not _YOU_SAID.search(self.words):
            return ""
        first = bool(_FIRST.search(self.words))
        which = "The first thing I said was" if first else "I said"
        return self._quoted("assistant", which, "I have not said anything yet.")

    def _quoted(self, role: str, lead: str, otherwise: str) -> str:
        said = [t for t in self.history if t.role == role and t is not self.asked]
        if not said:
            return otherwise
        turn = said[0] if _FIRST.search(self.words) else said[-1]
        if not turn.text:
            return "I had only begun to speak when I was interrupted."
        return f"{lead}: “{turn.text}”"

    def _spoke_first(self) -> str:
        if not _SPOKE_FIRST.search(self.words):
            return ""
        first = self.history[0]
        if first.role == "assistant":
            return f"I spoke first: “{first.text}”"
        return "You spoke first."

    def _who(self) -> str:
        by_name = self.persona.name and f"who is {self.persona.name}".lower() in self.words.lower()
        if not by_name and not _WHO.search(self.words):
            return ""
        if self.persona.known:
            return f"I'm {self.persona.introduction()}."
        return self.chance.choice(
            (
                "Nobody has told me who to be: I am the rtwidgets simulator.",
                "I am the rtwidgets simulator, and my instructions give me no name.",
            )
        )

    def _facts(self) -> str:
        """'What is my name and favorite color?', from what the user said in this context."""
        if not _ASKED_FACT.search(self.words):
            return ""
        facts = known_facts(t for t in self.history if t.role == "user" and t is not self.asked)
        asked = [key for key in facts if key in self.words.lower()]
        if not asked:
            return "You have not told me that."
        said = ", and ".join(f"your {key} is {facts[key]}" for key in asked)
        return f"{said[0].upper()}{said[1:]}!"

    def _abilities(self) -> str:
        if not _ABILITIES.search(self.words):
            return ""
        return (
            "I can greet as I am told, say exactly what you want, remember what was said, do sums "
            "and call your tools. For more than that I am only a simulator."
        )

    def _noted(self) -> str:
        """The user said something about themselves: it is taken up, and so remembered."""
        facts = known_facts([self.asked] if self.asked else [])
        if "name" in facts:
            return f"Nice to meet you, {facts['name']}!"
        said = ", and ".join(f"your {key} is {value}" for key, value in facts.items())
        return f"I will remember that {said}." if said else ""

    def _arithmetic(self) -> str:
        value = calculated(self.words)
        return "" if value is None else f"That makes {value}."

    def _small_talk(self) -> str:
        if _HOW.search(self.words):
            return self.chance.choice(
                ("I'm doing fine, thank you! And you?", "Very well, thanks. How are you?")
            )
        if _THANKS.search(self.words):
            return self.chance.choice(("You're welcome!", "With pleasure.", "Any time!"))
        if _BYE.search(self.words):
            return self.chance.choice(("Goodbye, and come back soon!", "See you soon!"))
        return ""

    def _talk(self) -> str:
        """Something that takes up the user's words, and claims to know nothing."""
        if self.persona.language != "en":
            return persona.LOST_FOR_WORDS[self.persona.language]
        topic = topic_of(self.words)
        if self.persona.brief:
            return f"{topic[:1].upper()}{topic[1:]}? Certainly!"
        as_whom = f"As {self.persona.introduction()}, " if self.persona.known else ""
        frame = self.chance.choice(
            (
                "I can say little about {topic}, being a simulator. What makes you ask?",
                "I would love to talk about {topic}. What interests you most?",
                "I find {topic} a good subject. Will you tell me more?",
            )
        )
        return as_whom + frame.format(topic=topic)


def exactly(text: str) -> str:
    """The words that `text` orders to be said exactly, or ""."""
    found = _EXACTLY.search(text)
    if found is None:
        plain = _PLAIN_SAY.search(text)
        return plain.group("rest").strip() if plain else ""
    words = (found.group("rest") or found.group("quote")).strip()
    quoted = _QUOTED.match(words)
    return quoted.group(1).strip() if quoted else words


def known_facts(turns: Iterable[Turn]) -> dict[str, str]:
    """What the user told about themselves: {"name": "Alice", "favorite color": "teal"}."""
    facts: dict[str, str] = {}
    for turn in turns:
        for called in _CALLED.findall(turn.text):
            facts["name"] = called
        for key, value in _FACT.findall(turn.text):
            facts[key.lower()] = value.strip()
    return facts


def calculated(words: str) -> str | None:
    """The value of the sum in `words`, or None: 'What is 12 times 7?' -> '84'."""
    text = words.lower()
    for word, sign in _WORD_OPERATORS:
        text = text.replace(word, sign)
    text = re.sub(r"(?<=\d)\s*x\s*(?=\d)", "*", text)
    found = max(_SUM.findall(text), key=len, default="").strip(" .")
    is_date = re.search(r"\d+([-/])\d+\1\d+", found)
    if is_date or len(found) > 60 or not re.search(r"\d\s*[-+*/]\s*[\d(]", found):
        return None
    try:
        value = _value(ast.parse(found, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return f"{round(value, 4):g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _value(node: ast.expr) -> float:
    """Plus, minus, times, divided by, on numbers. Raises ValueError for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("not a sum")


def topic_of(words: str) -> str:
    """The last words that carry meaning and what stands between them, some six at most."""
    asked = _ENDS_IN_VERB.search(words)
    found = re.findall(r"[\w'’-]+", asked["whom"] if asked else words)
    meaning = [place for place, word in enumerate(found) if word.lower() not in _IDLE_WORDS]
    if not meaning:
        return "that"
    first = next(place for place in meaning if place > meaning[-1] - 6)
    if first and found[first - 1].lower() in ("the", "a", "an", "my", "your"):
        first -= 1
    return " ".join(found[first : meaning[-1] + 1])
