"""Reading instructions: who the assistant is to be, and how it greets.

A handful of patterns, not understanding: enough that a persona, a place, a language
or a question asked for in the instructions can be heard in the greeting, and that
its absence can be heard too.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

_ARTICLE = r"(?:an?|the|our|my)\s+"
#: Where a role ends: "a museum guide | who loves fossils".
_END = r"(?=\s*(?:[,.;:!\n—-]|\b(?:called|named|who|that|which|for|at|in|of|from|and|with|on)\b|$))"
_ROLE = re.compile(rf"\byou(?:'re| are|’re)\s+(?:{_ARTICLE})?([^,.;:!\n]+?){_END}", re.I)
#: Only the words around it may be of any case: a name has a capital.
_NAME = re.compile(
    r"\b(?i:called|named|name is|name's|you are|you're|you’re|du bist|sie sind|tu es|vous êtes|"
    r"eres|sei|je bent)\s+([A-Z][\w'-]+)"
)
_NAMED_ROLE = re.compile(
    rf"\byou(?:'re| are|’re)\s+[A-Z]\w+,\s+{_ARTICLE}([^,.;:!\n]+?){_END}", re.I
)
_PLACE = re.compile(
    r"\b(?:at|in|of|from|to)\s+((?:the|our|a)\s+[^,.;:!?\n]*?(?:museum|gallery|shop|store|caf[eé]|"
    r"restaurant|hotel|library|clinic|bank|school|zoo|park|station|airport|pizzeria|bakery|"
    r"office|theatre|theater|workshop|class|course)\b(?:\s+of\s+[^,.;:!?\n]+)?)",
    re.I,
)
_WELCOME = re.compile(r"\bwelcome\s+(?:[^,.;:!?\n]*?\s)?to\s+([^,.;:!?\n]+)", re.I)
_WHOM = re.compile(
    r"\b(?i:greet|welcome|address)\s+(?i:(?:the|an?|our|your|every|each|all|any)\s+)?"
    r"(visitors?|guests?|customers?|callers?|students?|class|patients?|travell?ers?|friends?|"
    r"[A-Z][\w-]+)",
)
_ASK = re.compile(
    r"\bask\s+(?:(?:them|him|her|the \w+|\w+)\s+)?(what|which|where|when|how|why|whether|if)\s+"
    r"(?:they|he|she|the \w+)\s+([^.;!?\n]+)",
    re.I,
)
_ASK_FOR = re.compile(
    r"\bask\s+(?:[^.;!?\n]{0,20}?\s)?for\s+(?:their|his|her)\s+([^,.;!?\n]+)", re.I
)
_OFFER = re.compile(r"\boffer(?:s|ing)?\s+(?:them\s+)?to\s+([^,.;!?\n]+)", re.I)
_ONE_SENTENCE = re.compile(r"\b(?:one|a single)(?: \w+)? sentence\b", re.I)
_ADJECTIVES = frozenset(
    "helpful witty friendly funny kind calm cheerful concise brief polite warm curious brave "
    "playful honest careful professional enthusiastic".split()
)
_SUBJECT = re.compile(
    r"\b(?:loves?|adores?|knows? all about|talks? about|about)\s+([^,.;:!?\n]+)", re.I
)
_BRIEF = re.compile(
    r"\bin (?:one|(?:one or )?two|(?:two or )?three|at most \w+) words?\b|\bfew words\b", re.I
)

#: Language pins, as people write them.
_LANGUAGES = {
    "de": r"\b(?:german|deutsch)\b",
    "fr": r"\b(?:french|fran[cç]ais)\b",
    "es": r"\b(?:spanish|espa[nñ]ol)\b",
    "it": r"\b(?:italian|italiano)\b",
    "nl": r"\b(?:dutch|nederlands)\b",
}
_GREETINGS = {
    "de": ("Hallo", "ich bin {name}", "ich bin hier, um zu helfen", "Wie kann ich Ihnen helfen?"),
    "fr": (
        "Bonjour",
        "je suis {name}",
        "je suis là pour vous aider",
        "Comment puis-je vous aider ?",
    ),
    "es": ("Hola", "soy {name}", "estoy aquí para ayudar", "¿En qué puedo ayudarle?"),
    "it": ("Ciao", "sono {name}", "sono qui per aiutare", "Come posso aiutarla?"),
    "nl": ("Hallo", "ik ben {name}", "ik ben er om te helpen", "Waarmee kan ik u helpen?"),
}
LOST_FOR_WORDS = {
    "de": "Das habe ich gehört, aber viel Deutsch kann ein Simulator wie ich nicht.",
    "fr": "J'ai bien entendu, mais un simulateur comme moi ne parle que peu le français.",
    "es": "Le he oído, pero un simulador como yo habla muy poco español.",
    "it": "Ho sentito, ma un simulatore come me parla poco italiano.",
    "nl": "Ik heb u gehoord, maar een simulator zoals ik spreekt maar weinig Nederlands.",
}


@dataclass(frozen=True)
class Persona:
    """What the instructions make of the assistant; every field may be empty."""

    name: str = ""
    role: str = ""
    place: str = ""
    subject: str = ""
    whom: str = ""
    question: str = ""
    language: str = "en"
    brief: bool = False
    one_sentence: bool = False

    @property
    def known(self) -> bool:
        return bool(self.name or self.role)

    def introduction(self) -> str:
        """'Ada, a museum guide', 'a museum guide', 'Ada', or nothing."""
        role = f"{_article(self.role)} {self.role}" if self.role else ""
        return ", ".join(part for part in (self.name, role) if part)


def read(instructions: str) -> Persona:
    """The persona in `instructions`."""
    name = _first(_NAME, instructions)
    role = _first(_NAMED_ROLE, instructions) or _first(_ROLE, instructions)
    if role == name or not _is_role(role):
        role = ""
    return Persona(
        name=name,
        role=role,
        place=_ours(_first(_WELCOME, instructions) or _first(_PLACE, instructions)),
        subject=_first(_SUBJECT, instructions) if name or role else "",
        whom=_first(_WHOM, instructions),
        question=_question(instructions),
        language=language(instructions),
        brief=bool(_BRIEF.search(instructions)),
        one_sentence=bool(_ONE_SENTENCE.search(instructions)),
    )


def language(instructions: str) -> str:
    """The language asked for by name; English when none is."""
    found = (code for code, name in _LANGUAGES.items() if re.search(name, instructions, re.I))
    return next(found, "en")


def greeting(persona: Persona, chance: random.Random) -> str:
    """One or two sentences in which everything the persona has can be heard."""
    if persona.language != "en":
        return _foreign(persona)
    if persona.brief:
        return chance.choice(("Hi there!", "Hello there!", "Hello, welcome!"))
    words = ("Hello", "Hi there", "Good day")
    hello = chance.choice(words if persona.place else (*words, "Welcome"))
    if persona.whom:
        hello += f", {_addressed(persona.whom)}"
    if persona.place:
        hello += f", and welcome to {persona.place}"
    me, offer = _me(persona), _offer(persona, chance)
    if persona.one_sentence:
        said = ", ".join(part for part in (hello, me) if part)
        return f"{said}: {offer[0].lower()}{offer[1:]}"
    return " ".join(part for part in (f"{hello}!", me and f"{me}.", offer) if part)


def _me(persona: Persona) -> str:
    if persona.name and persona.role:
        return f"I'm {persona.name}, your {persona.role}"
    if persona.name:
        return f"I'm {persona.name}"
    return f"I'm your {persona.role}" if persona.role else ""


def _offer(persona: Persona, chance: random.Random) -> str:
    if persona.question:
        return persona.question
    if persona.subject:
        verb = chance.choice(("Shall I tell you about", "Would you like to hear about"))
        return f"{verb} {persona.subject}?"
    return chance.choice(
        ("How can I help you today?", "What would you like to know?", "What can I do for you?")
    )


def _foreign(persona: Persona) -> str:
    hello, named, unnamed, offer = _GREETINGS[persona.language]
    me = named.format(name=persona.name) if persona.name else unnamed
    return f"{hello}, {me}. {offer}"


def _question(instructions: str) -> str:
    """'Ask what they would like to see' -> 'What would you like to see?', and offers likewise."""
    offered, wanted = _first(_OFFER, instructions), _first(_ASK_FOR, instructions)
    if wanted:
        return f"What is your {wanted}?"
    if offered:
        return _sentence("shall I " + _to_you(offered))
    found = _ASK.search(instructions)
    return _asked(found) if found else ""


def _to_you(offered: str) -> str:
    """'show the fossils' and 'show them the fossils' -> 'show you the fossils'."""
    verb, _, rest = offered.partition(" ")
    rest = re.sub(r"^(?:them|him|her|the (?:visitor|user|customer|guest)s?)\b\s*", "", rest)
    return f"{verb} you {rest}".strip() if verb in ("show", "tell", "give", "help") else offered


def _asked(found: re.Match[str]) -> str:
    word, rest = found.group(1).lower(), found.group(2).strip()
    first, _, more = rest.partition(" ")
    more = re.sub(r"\btheir\b", "your", more)
    if first.startswith(("'d", "’d", "would", "can", "could", "are", "have", "will", "should")):
        first = {"'d": "would", "’d": "would"}.get(first[:2], first)
        asked = f"{first} you {more}"
    else:
        asked = f"do you {first} {more}"
    if word in ("whether", "if"):
        return _sentence(asked)
    return _sentence(f"{word} {asked}")


def _sentence(words: str) -> str:
    words = words.strip()
    return f"{words[:1].upper()}{words[1:]}?"


def _addressed(whom: str) -> str:
    return "everyone" if whom == "class" else f"dear {whom}" if whom.islower() else whom


def _ours(place: str) -> str:
    """'a museum' is ours, once one speaks for it."""
    return re.sub(r"^an? ", "our ", place)


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


def _is_role(role: str) -> bool:
    """Not 'You are helpful, witty …' nor the server's own default text."""
    words = role.lower().split()
    return 0 < len(words) <= 6 and words[-1] not in _ADJECTIVES


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1).strip() if found else ""
