"""What max_output_tokens leave room for: a response ends there, and is billed for no more."""

from __future__ import annotations

from . import tokens

CALL_OVERHEAD = 10  # fitted: 12 pieces of arguments were billed 22
AUDIO_TOKENS_A_PIECE = 8  # about what a spoken piece costs: its sound is known only later


class Budget:
    """The output tokens of one response. `cut` is set once something did not fit."""

    def __init__(self, limit: int | str, effort: str | None) -> None:
        thought = tokens.REASONING_TOKENS.get(effort or "", 0)
        self._limit = limit if isinstance(limit, int) else None
        self.thought = thought if self._limit is None else min(thought, self._limit)
        self._left = None if self._limit is None else self._limit - self.thought
        self.cut = False

    @property
    def is_spent(self) -> bool:
        return self._left == 0

    def words(self, text: str, *, spoken: bool, first: bool) -> str:
        """As much of `text` as there is room for; of the first words one at least."""
        if self._left is None:
            return text
        cost = AUDIO_TOKENS_A_PIECE if spoken else 1
        found = tokens.pieces(text)
        most = max(1 if first and not self.cut else 0, self._left // cost)
        self._left = max(0, self._left - cost * min(most, len(found)))
        self.cut = self.cut or len(found) > most
        return "".join(found[:most])

    def arguments(self, text: str, *, whole: bool) -> str | None:
        """As much of a call's arguments as there is room for, None for no call at all."""
        if self._left is None:
            return text
        found = tokens.pieces(text)
        left, self._left = self._left, max(0, self._left - CALL_OVERHEAD - len(found))
        self.cut = self.cut or left < CALL_OVERHEAD + len(found)
        if self.cut and (whole or left == 0):
            return None
        return "".join(found[: max(0, left - CALL_OVERHEAD)])

    def sound(self, pcm: bytes, said: str, audio: int, bytes_per_ms: int) -> bytes:
        """As much of `pcm` as fits beside the transcript `said` and `audio` tokens of sound."""
        if self._limit is None:
            return pcm
        used = self.thought + tokens.transcript_tokens(said) + audio
        most = max(0 if audio else 1, self._limit - used)
        room = most * tokens.ASSISTANT_AUDIO_MS * bytes_per_ms
        self.cut = self.cut or len(pcm) > room
        return pcm[:room]

    def billed(self, text: int, audio: int) -> tuple[int, int]:
        """(text, audio) tokens as billed: the fitted overheads may go beyond the limit."""
        if self._limit is None:
            return text, audio
        audio = min(audio, self._limit - self.thought)
        return min(text, self._limit - audio), audio
