"""The calls of a session: which are answered here, and when the model is asked to go on.

A response that ends with calls begins a round:

    response.done (completed)  ->  its calls run, all at once
                               ->  each is answered by an item as soon as it is done
                               ->  behind the last answer one `response.create`, in its turn

"Several calls: answer all, then one response.create", behind `response.done`: earlier it is refused
with `conversation_already_has_active_response` (captured sessions). What does not run so:

- A response that was cancelled or cut off: its calls may be cut off too, and the user has gone on.
  They are not called and not answered; the model sees so and may call again.
- A response beside the conversation: its calls are read by whoever asked for it.
- A call of a tool that was given as a dict: the user answers it. Where a response has such calls
  and ours, ours are answered, and asking the model to go on is left to the user as well.
- After an interruption: what the calls bring is put into the conversation, and nobody is asked.
- The same while the user speaks and will be answered anyway, by a server that detects turns or
  because a key is held to talk: the answer to the user's words covers what the calls brought.
- After MOST_ROUNDS rounds in a row: the calls are refused in words, and the model is asked to
  answer without calling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..conversation import Conversation
from ..dialects import turn_detection_of
from ..errors import RealtimeError
from ..events import (
    Event,
    call_output,
    item_create,
    response_create,
    text_field,
    tool_answered,
    tool_called,
)
from ..events import field as value_at
from ..items import Item, Response
from ..log import Row
from .function import Tool, Toolbox, read_arguments
from .results import failure
from .running import Outcome, Tasks, outcome_of
from .shapes import Unfit

MOST_ROUNDS = 10
"""Rounds of calls for one question: more is a model that goes round in circles."""


@dataclass(frozen=True)
class ToolCall:
    """A call that the model made of a Python function.

    Attributes:
        arguments: as the model gave them; its own text where that was no JSON object.
        output: what the model was told, "" while the call runs.
        ok: whether the function returned. seconds: how long it took.
    """

    name: str
    arguments: Event | str
    output: str
    ok: bool
    seconds: float
    call_id: str


@dataclass(eq=False)
class Round:
    """The calls of one response.

    Attributes:
        depth: 1 for the first round of a question.
        asks: whether the model is asked to go on when the last is answered.
        request_id: by which event it was asked.
    """

    response_id: str
    calls: dict[str, Item]
    depth: int
    asks: bool
    answered: dict[str, ToolCall] = field(default_factory=dict)
    request_id: str = ""

    @property
    def complete(self) -> bool:
        return len(self.answered) == len(self.calls)

    @property
    def made(self) -> list[ToolCall]:
        """The calls that were answered, in the order in which the model made them."""
        return [self.answered[call_id] for call_id in self.calls if call_id in self.answered]

    @property
    def open(self) -> bool:
        """Whether something is still to come of it."""
        return self.asks and not self.complete


class Calls:
    """Answers the calls of one session. Give it every row whose type is in `heeds`, behind the
    conversation and before anyone else.

    Args:
        request: has an event sent when its turn comes, and gives it as it will be.
        record: writes a `local` row, and has what is due leave.
    """

    def __init__(
        self,
        tools: Toolbox,
        conversation: Conversation,
        request: Callable[[Event], Event],
        record: Callable[[Event], object],
    ) -> None:
        self._tools, self._conversation = tools, conversation
        self._request, self._record = request, record
        self._rounds: dict[str, Round] = {}  # by response
        self._asked: dict[str, Round] = {}  # by the request that ended it
        self._known: set[str] = set()  # calls that were seen
        self._others: set[str] = set()  # names of tools that the user answers
        self._speaking = self._microphone = False
        self._tasks = Tasks()
        self.heeds = frozenset([*_HANDLERS, *_DECLARING, *_LOCAL] if tools.functions else [])

    @property
    def busy(self) -> bool:
        """Whether a call runs behind which the model will be asked to go on."""
        return any(one.open for one in self._rounds.values())

    # ------------------------------------------------------------ what happens

    def take(self, row: Row) -> None:
        """A row that the log and the conversation have just taken."""
        if row.direction == "client":
            if row.type in _DECLARING:
                self._others |= _names_in(row.event)
        elif row.direction == "local":
            self._microphone = row.type == "microphone.started"
        else:
            handler = _HANDLERS.get(row.type)
            if handler is not None:
                handler(self, row)

    def interrupted(self) -> None:
        """The user wants no reply now: what runs is answered, and nobody is asked to go on."""
        for one in self._rounds.values():
            one.asks = False

    async def stop(self) -> None:
        """The session closes: what runs is not waited for."""
        self.interrupted()
        await self._tasks.stop()

    def _speech(self, _: Row) -> None:
        self._speaking = True
        if self._answers_by_itself():
            for request_id in self._asked:
                self._conversation.turns.withdraw(request_id)

    def _silence(self, row: Row) -> None:
        response = self._conversation.responses.get(row.response_id)
        if response is None or response.conversation_id:
            self._speaking = False

    def _answers_by_itself(self) -> bool:
        """Whether the server answers what it hears."""
        detection = self._detection()
        return isinstance(detection, dict) and detection.get("create_response") is not False

    def _will_be_answered(self) -> bool:
        """Whether the user speaks, and will be answered anyway."""
        if self._detection() is None:  # push to talk: the microphone is on for one turn
            return self._microphone
        return self._speaking and self._answers_by_itself()

    def _detection(self) -> Any:
        return turn_detection_of(self._conversation.session)

    # ------------------------------------------------------------ a round

    def _done(self, row: Row) -> None:
        response = self._conversation.responses.get(row.response_id)
        if response is None or response.id in self._rounds:  # said twice: nothing is called twice
            return
        if response.status != "completed" or not response.conversation_id:
            return
        calls = {
            item.call_id: item
            for item in response.items
            if item.type == "function_call" and item.call_id and item.call_id not in self._known
        }
        ours = {call_id: item for call_id, item in calls.items() if self._is_ours(item)}
        if ours:
            self._known |= ours.keys()
            self._begin(Round(response.id, ours, self._depth(response), len(ours) == len(calls)))

    def _is_ours(self, item: Item) -> bool:
        """Whether a call is answered here: that of a tool which nobody has, too."""
        return item.name in self._tools.functions or item.name not in self._others

    def _depth(self, response: Response) -> int:
        before = self._asked.get(self._conversation.turns.request_of(response.id))
        return 1 if before is None else before.depth + 1

    def _begin(self, one: Round) -> None:
        if one.depth > MOST_ROUNDS + 1:  # it was asked not to call, and did: that is the end of it
            one.asks = False
        self._rounds[one.response_id] = one
        for call_id in one.calls:
            # As a task: others have not heard yet that the response is done.
            self._tasks.start(self._answer(one, call_id))

    async def _answer(self, one: Round, call_id: str) -> None:
        item = one.calls[call_id]
        arguments = _as_given(item.arguments)
        self._record(tool_called(call_id, item.name, arguments))
        outcome = await self._outcome(one, item)
        one.answered[call_id] = ToolCall(
            item.name, arguments, outcome.output, outcome.ok, outcome.seconds, call_id
        )
        try:
            output = item_create(call_output(call_id, outcome.output))
            # By its name a refusal of it is not taken for one of the request behind it.
            self._request({**output, "event_id": f"output_{call_id}"})
            if one.complete and one.asks and not self._will_be_answered():
                self._go_on(one)
        except RealtimeError:
            one.asks = False  # the line is gone, and says so itself
        self._record(tool_answered(call_id, round(1000 * outcome.seconds), outcome.ok))

    async def _outcome(self, one: Round, item: Item) -> Outcome:
        if one.depth > MOST_ROUNDS:
            return Outcome(failure(_IN_CIRCLES), False)
        tool: Tool | None = self._tools.functions.get(item.name)
        if tool is None:
            known = ", ".join(self._tools.functions)
            return Outcome(failure(f"There is no tool {item.name!r}. There are: {known}."), False)
        return await outcome_of(tool, item.arguments)

    def _go_on(self, one: Round) -> None:
        refused = one.depth > MOST_ROUNDS
        asked = self._request(response_create(tool_choice="none") if refused else response_create())
        one.request_id = text_field(asked, "event_id")
        self._asked[one.request_id] = one

    def round_of(self, response_id: str) -> Round | None:
        """The calls of a response, None where it has none that are answered here."""
        return self._rounds.get(response_id)


_IN_CIRCLES = (
    f"Not called: these are more than {MOST_ROUNDS} rounds of calls for one question. "
    "Answer with what you know by now, and say what is missing."
)

_DECLARING = ("session.update", "response.create")
"""Client events that may name tools."""

_LOCAL = ("microphone.started", "microphone.stopped")

_HANDLERS: dict[str, Callable[[Calls, Row], None]] = {
    "response.done": Calls._done,
    "input_audio_buffer.speech_started": Calls._speech,
    "input_audio_buffer.cleared": Calls._silence,
    "response.created": Calls._silence,
}


def _as_given(arguments: str) -> Event | str:
    try:
        return read_arguments(arguments)
    except Unfit:
        return arguments


def _names_in(event: Any) -> set[str]:
    """The names of the functions that an event declares."""
    found = [value_at(event, "session", "tools"), value_at(event, "response", "tools")]
    return {
        text_field(one, "name") for tools in found if isinstance(tools, list) for one in tools
    } - {""}
