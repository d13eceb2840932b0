"""Counting tokens, and the `usage` of a response.

Rates from the facts (§6): 1 token for 100 ms of a user's audio, 1 for 50 ms of the
assistant's, whose transcript costs text tokens too; every response is billed for the
whole context again; cached tokens are a subset of the input, in steps of 64.
Words are counted by `pieces`, which cuts as the recorded deltas are cut; the fixed
parts are fitted to the six recordings in ../shared/streams (see the test of the engine).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

USER_AUDIO_MS = 100
ASSISTANT_AUDIO_MS = 50
CACHE_STEP = 64
MOST_CONTEXTS = 4  # that differ, of one session; how many the real cache holds is not known
MESSAGE_OVERHEAD = 3
PROMPT_OVERHEAD = 1
#: Thought before a reply: captured are 17, 27, 31 on short ones; reported is that "none" thinks
#: nothing; the others are assumptions.
REASONING_TOKENS = {"none": 0, "minimal": 0, "low": 17, "medium": 64, "high": 192, "xhigh": 448}
#: Fitted: so many more than gpt-realtime a reasoning model bills, without tools and with.
REASONING_PREAMBLE, REASONING_TOOLS_PREAMBLE = 7, 286

_PIECE = re.compile(r"\s?[^\W\d_]+|[’'][^\W\d_]+|\s?\d+|\s+|\s?[^\w\s]|_", re.UNICODE)
_LONGEST = 12


def pieces(text: str) -> list[str]:
    """Cut text into what the server sends as one delta each; joined they are the text."""
    found: list[str] = []
    for match in _PIECE.finditer(text):
        piece = match.group()
        found += [piece[i : i + _LONGEST] for i in range(0, len(piece), _LONGEST)]
    return found


@lru_cache(maxsize=4096)  # the whole conversation is billed again with every response
def text_tokens(text: str) -> int:
    return len(pieces(text))


def transcript_tokens(text: str) -> int:
    """Text tokens billed for spoken words: 3, 8, 16 pieces were billed 9, 16, 28."""
    return round(1.5 * text_tokens(text) + 4.25) if text else 0


def assistant_audio_tokens(milliseconds: int) -> int:
    return math.ceil(milliseconds / ASSISTANT_AUDIO_MS)


def user_audio_tokens(milliseconds: int) -> int:
    """Captured: 2796 ms of speech were 27 tokens."""
    return milliseconds // USER_AUDIO_MS


@dataclass(frozen=True)
class Tokens:
    """Tokens of one block of context: the prompt, or an item. `key` tells blocks apart."""

    key: str
    text: int = 0
    audio: int = 0
    image: int = 0

    @property
    def total(self) -> int:
        return self.text + self.audio + self.image


@dataclass
class Ledger:
    """What a session was billed for before: what may be cached now.

    Every response counts, those out of band and those with an `input` of their own too: they
    bill like any other (§6). One context that another goes on from is kept no longer.
    """

    contexts: list[list[Tokens]] = field(default_factory=list)

    def bill(self, context: list[Tokens]) -> None:
        others = [one for one in self.contexts if one != context[: len(one)]]
        self.contexts = [*others[1 - MOST_CONTEXTS :], context]

    def cached(self, context: Sequence[Tokens]) -> tuple[int, int]:
        """Cached (text, audio) tokens: the longest common start, each in whole steps."""
        found = (_shared(before, context) for before in self.contexts)
        return max(found, key=sum, default=(0, 0))


def _shared(one: Sequence[Tokens], other: Sequence[Tokens]) -> tuple[int, int]:
    """(text, audio) of the start that both contexts have, in whole steps."""
    text = audio = 0
    for before, now in zip(one, other, strict=False):
        if before != now:
            break
        text, audio = text + now.text, audio + now.audio
    return text // CACHE_STEP * CACHE_STEP, audio // CACHE_STEP * CACHE_STEP


def usage(
    context: Sequence[Tokens],
    cached: tuple[int, int],
    text_out: int,
    audio_out: int,
    reasoning_out: int = 0,
) -> dict[str, Any]:
    """The `usage` object of response.done, key for key as recorded.

    reasoning_out: part of `text_out`; named only where there is any (captured).
    """
    thought = {"reasoning_tokens": reasoning_out} if reasoning_out else {}
    text = sum(block.text for block in context)
    audio = sum(block.audio for block in context)
    image = sum(block.image for block in context)
    cached_text, cached_audio = cached
    tokens_in, tokens_out = text + audio + image, text_out + audio_out
    return {
        "total_tokens": tokens_in + tokens_out,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "input_token_details": {
            "text_tokens": text,
            "audio_tokens": audio,
            "image_tokens": image,
            "cached_tokens": cached_text + cached_audio,
            "cached_tokens_details": {
                "text_tokens": cached_text,
                "audio_tokens": cached_audio,
                "image_tokens": 0,
            },
        },
        "output_token_details": {
            "text_tokens": text_out,
            "audio_tokens": audio_out,
            **thought,
        },
    }
