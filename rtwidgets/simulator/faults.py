"""Things that go wrong on request, so that others can test their clients.

    drop-after=N            the line breaks, without a close, after N events
    slow=FACTOR             every wait is FACTOR times as long (of latency "none": the typical)
    fail-response[=N]       every response (or the N-th) ends failed: server_error
    rate-limit[=N]          the same with rate_limit_exceeded, "Please try again in 2s."
    fail-transcription[=N]  every transcript (or the N-th) is …transcription.failed
    late-transcription[=S]  transcripts come S seconds later (3): after the reply
    swap-transcriptions     the transcripts of each two turns come in the wrong order
    no-rate-limits          no rate_limits.updated, as recorded on Azure

N counts in each session, from 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..errors import Misuse
from .jobs import Failure

EVERY = 0


#: Captured of a failed response (errors.jsonl response_done_failed_tpm), with type and code; ours
#: are the organization and the seconds.
TOO_FAST = (
    "Rate limit reached for {model} in organization org-simulated on tokens per min (TPM): Limit "
    "20000, Used 14305, Requested 7193. Please try again in 2s. "
    "Visit https://platform.openai.com/account/rate-limits to learn more."
)
#: Documented is that there is an error when truncation is disabled; the words are ours.
TOO_LONG = Failure(
    "The conversation exceeds the model's input token limit, and truncation is disabled.",
    "context_length_exceeded",
    "invalid_request_error",
)


@dataclass(frozen=True)
class Faults:
    """What shall go wrong; nothing by default. Counts: None never, 0 always, N the N-th."""

    drop_after: int | None = None
    slow: float = 1.0
    fail_response: int | None = None
    rate_limit: int | None = None
    fail_transcription: int | None = None
    late_transcription: float = 0.0
    swap_transcriptions: bool = False
    no_rate_limits: bool = False

    def of_response(self, count: int, model: str) -> Failure | None:
        """Why the `count`-th response of a session of `model` fails, None when it does not."""
        if self.fail_response in (EVERY, count):
            return Failure(
                "The server had an error while processing your request. Sorry about that!",
            )
        if self.rate_limit in (EVERY, count):
            return Failure(TOO_FAST.format(model=model), "rate_limit_exceeded", "tokens")
        return None

    def of_transcript(self, count: int) -> bool:
        return self.fail_transcription in (EVERY, count)


#: Name on the command line: (type of its value or None, value when none is given).
_KINDS: dict[str, tuple[type[int] | type[float] | None, Any]] = {
    "drop-after": (int, None),
    "slow": (float, None),
    "fail-response": (int, EVERY),
    "rate-limit": (int, EVERY),
    "fail-transcription": (int, EVERY),
    "late-transcription": (float, 3.0),
    "swap-transcriptions": (None, True),
    "no-rate-limits": (None, True),
}


def faults_from(words: Iterable[str]) -> Faults:
    """Faults as the command line names them. Raises Misuse for one there is not."""
    found = Faults()
    for word in words:
        name, _, given = word.partition("=")
        if name not in _KINDS:
            raise Misuse(f"There is no fault {name!r}; there are {', '.join(_KINDS)}.")
        found = replace(found, **{name.replace("-", "_"): _value(word, name, given)})
    return found


def _value(word: str, name: str, given: str) -> Any:
    kind, default = _KINDS[name]
    if not given and default is not None and "=" not in word:
        return default
    try:
        value = kind(given) if kind is not None else None
    except ValueError:
        value = None
    if value is None or not 0 < value < 1e9:
        example = name if kind is None else f"{name}=5"
        raise Misuse(f"The fault {word!r} is not understood; write for example {example}.")
    return value
