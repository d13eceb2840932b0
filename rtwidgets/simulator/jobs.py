"""What the engine asks of its surroundings, and what it gets back.

The engine does no I/O and takes no time. Finding words and making them sound
may do both, so the engine only states the job; whoever drives it (the server,
the in-memory transport, a test) does the job and hands the result to
`Engine.deliver`. All of these are plain values that cross threads safely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, runtime_checkable


@dataclass(frozen=True)
class Turn:
    """One item as a brain sees it: who, and which words reached the conversation.

    `text` of an interrupted reply holds only the words that were heard.
    `seconds` is the length of a spoken user turn whose words nobody wrote down.
    """

    role: Literal["system", "user", "assistant", "call", "output"]
    text: str
    name: str = ""
    call_id: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Question:
    """All a brain may know when it answers.

    `instructions` are those of this response (they replace the session's);
    `history` is the context this response sees, which `input` may have made
    empty; `commentary` says that this model announces its tool calls aloud.
    """

    instructions: str
    history: tuple[Turn, ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: Any = "auto"
    commentary: bool = False
    replies_before: int = 0


@dataclass(frozen=True)
class Call:
    """A function call: `arguments` is JSON text, as it goes over the wire."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Answer:
    """What a brain says: words, calls, or words before a call."""

    text: str = ""
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Said:
    """Words of an answer of which more is to come; their answer's own text follows them."""

    text: str


class Brain(Protocol):
    """Answers questions. The same question must get the same answer.

    A brain that takes its time says so by a method `stream(question)` beside this: an iterator
    of `Said` and, last, of one `Answer`. It is asked on a thread of its own, unless an
    attribute `quick` says that it answers at once.
    """

    def answer(self, question: Question) -> Answer: ...


@runtime_checkable
class StreamingBrain(Protocol):
    """A brain that answers bit by bit, and may take long."""

    def answer(self, question: Question) -> Answer: ...

    def stream(self, question: Question) -> Iterator[Said | Answer]: ...


class Voice(Protocol):
    """Turns words into PCM16 mono 24 kHz."""

    def speak(self, text: str, voice: str, speed: float) -> bytes: ...


@dataclass(frozen=True)
class Heard:
    """One turn that a user spoke: the `turn`-th of the session, from 1.

    `pcm` is its sound (PCM16 24 kHz) as far as it is kept; `seconds` is how much of it was
    speech, 0 for a turn that only the idle timeout made.
    """

    turn: int
    seconds: float
    pcm: bytes = b""


class Transcriber(Protocol):
    """Says which words a turn had; None when it did not understand them.

    One that knows them before they are spoken, from a script, says so by a method
    `ahead(turn)` beside this: streaming transcribers tell words while they are being spoken.
    """

    def words(self, heard: Heard) -> str | None: ...


class Deaf:
    """Understands nothing, and so never says that it did."""

    quick = True

    def words(self, heard: Heard) -> str | None:
        return None


@dataclass(frozen=True)
class Think:
    """Job: find an answer. Deliver `Said` any number of times and then an `Answer`."""

    response_id: str
    question: Question


@dataclass(frozen=True)
class Speak:
    """Job: make `text` sound, the `segment`-th piece of an output. Deliver PCM bytes."""

    response_id: str
    output_index: int
    segment: int
    text: str
    voice: str
    speed: float


@dataclass(frozen=True)
class Listen:
    """Job: what did the user say? Deliver `Words`."""

    item_id: str
    heard: Heard


@dataclass(frozen=True)
class Foresee:
    """Job: which words will the `turn`-th turn have, which has just begun? Deliver `Words`."""

    item_id: str
    turn: int


@dataclass(frozen=True)
class Words:
    """What a turn's words were, None when they were not understood."""

    text: str | None


@dataclass(frozen=True)
class Failure:
    """A job that came to nothing: the response fails, the session goes on.

    `code` and `message` are shown in the response's status_details.
    """

    message: str
    code: str | None = None
    type: str = "server_error"


Job = Think | Speak | Listen | Foresee
Result = Said | Answer | bytes | Words | Failure


def do(job: Job, brain: Brain, voice: Voice, transcriber: Transcriber | None = None) -> Result:
    """Do one job here and now (it may take as long as brain, voice or transcriber take)."""
    try:
        if isinstance(job, Think):
            return brain.answer(job.question)
        if isinstance(job, Listen):
            return Words((transcriber or Deaf()).words(job.heard))
        if isinstance(job, Foresee):
            ahead = getattr(transcriber, "ahead", None)
            return Words(ahead(job.turn) if ahead is not None else None)
        return voice.speak(job.text, job.voice, job.speed)
    except Exception as problem:  # a brain may be anybody's: its fault is a failed response
        return failure(problem)


def whole(parts: Iterable[Said | Answer]) -> Answer:
    """A streamed answer in one piece."""
    text, calls = "", tuple[Call, ...]()
    for part in parts:
        text += part.text
        calls += part.calls if isinstance(part, Answer) else ()
    return Answer(text, calls)


def failure(problem: BaseException) -> Failure:
    """What the client is told, in the real server's words, and what we know of the reason."""
    message = (
        "The server had an error while processing your request. Sorry about that! "
        f"({type(problem).__name__}: {problem})"
    )
    return Failure(message)


def checked(job: Job, result: object) -> Result:
    """`result` where it is one that `job` can have; whatever else a brain made is a failure."""
    if isinstance(result, Failure):
        return replace(result, message=mended(result.message))
    if isinstance(job, Listen | Foresee):
        if isinstance(result, Words) and isinstance(result.text, str | None):
            return result if result.text is None else Words(mended(result.text))
        return failure(TypeError("a transcriber gives the words as a text, or None"))
    if isinstance(job, Speak):
        if isinstance(result, bytes):
            return result[: len(result) // 2 * 2]  # half a sample is none
        return failure(TypeError("a voice gives PCM16 as bytes"))
    if isinstance(result, Said) and isinstance(result.text, str):
        return result  # a character may come in two halves: see `whole_characters`
    if isinstance(result, Answer) and isinstance(result.text, str) and _are_calls(result.calls):
        return replace(result, calls=tuple(map(_mended_call, result.calls)))
    return failure(TypeError("a brain gives an Answer of texts, and Said before it"))


def _are_calls(calls: object) -> bool:
    return isinstance(calls, tuple) and all(
        isinstance(call, Call) and isinstance(call.name, str) and isinstance(call.arguments, str)
        for call in calls
    )


def _mended_call(call: Call) -> Call:
    return Call(mended(call.name), mended(call.arguments))


def mended(text: str) -> str:
    """`text` whose halves of characters are put together, and replaced where one is missing."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def whole_characters(text: str) -> tuple[str, str]:
    """(what of `text` can be sent, what waits for its other half): a model's tokens cut emoji."""
    if "\ud800" <= text[-1:] <= "\udbff":
        return mended(text[:-1]), text[-1]
    return mended(text), ""


NewId = Callable[[str, int], str]
"""Makes an id: `new_id("item_", 21)` -> "item_" and 21 url-safe characters."""
