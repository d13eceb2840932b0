"""A line that ended is mended: another connection, a new session, and what it has to be told.

There is no resuming on the wire: "reconnect = new session + replay history as text items"
(openai's own client, livekit, pydantic-ai). In this order:

    line.lost      the conversation is cut where it is; what is to leave waits
    line.trying    after a growing, uneven pause another connection is tried (tries.py)
    session.update everything that was set, and its confirmation
    items          the history, as a server accepts it (history.py)
    again          what was sent and never confirmed (unanswered.py), once
    line.restored  what waited leaves, and replies that nobody heard a word of are asked for again

Where the line ends before a first session stood, there is nothing to restore but that one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from ..conversation import Conversation
from ..describing import carried_words
from ..errors import ConnectionLost, RealtimeError, TimedOut
from ..events import (
    CARRIED_ID,
    Event,
    error_of,
    frame_of,
    input_audio_commit,
    line_restored,
    response_create,
    session_update,
    text_field,
)
from ..items import Item
from ..log import EventLog, Row
from ..transport import FAREWELL, Clock, Transport
from .handshake import refusal
from .history import History, history_of
from .line import Line
from .news import Lookout
from .tries import ANSWER_S, EXPIRED, FATAL, Tries, passes
from .unanswered import Taken, Unanswered

CODES = (None, 1001, 1005, 1006, 1011, 1012, 1013, 1015)
"""Close codes after which a new session is worth trying, as openai's client has them; None: cut."""
GRACE_S = 5.0
"""So long a server that said an error in place of a session may yet begin one, or hang up."""
_BEGINS = "session.*ated"
"""`session.created`; some servers begin with `session.updated`, which nobody asked for by then."""
STEADY_S = 30.0
"""A line that stood so long, or brought a reply, was no failure: attempts count anew behind it."""


class Recovery:
    """Mends the line of one session.

    Args:
        subscribe: has every row told. until: waits until something is so, for some seconds, and
            raises TimedOut.
        record: writes a `local` row.

    Attributes:
        tries: those for lines.
    """

    def __init__(
        self,
        line: Line,
        log: EventLog,
        conversation: Conversation,
        unanswered: Unanswered,
        subscribe: Callable[[Callable[[Row], None]], Callable[[], None]],
        until: Callable[[Callable[[], bool], float, str], Awaitable[None]],
        record: Callable[[Event], Row],
    ) -> None:
        self.tries = Tries(record)
        self._line, self._log, self._conversation = line, log, conversation
        self._unanswered, self._subscribe = unanswered, subscribe
        self._until, self._record = until, record
        self._began = 0.0  # when the line ended
        self._stood: float | None = None  # when it was last restored
        self._fatal: Row | None = None  # the last error that no second try changes
        self._created = Lookout(_BEGINS)  # on the line that stands
        self._forget: Callable[[], None] = lambda: None  # ends that
        self._said: Event = {}  # the last error before that
        self._unconfirmed = 0  # new sessions in a row that did not confirm their settings

    # ------------------------------------------------------------ whether

    def take(self, row: Row) -> None:
        """A row came that may decide it: an error, or the end of a reply."""
        if row.type == "response.done":
            self.tries.made = 0
            return
        if _code_of(row) in (*FATAL, EXPIRED):
            self._fatal = row
        if self._created.row is None:
            self._said = error_of(row.event or {}) or {}

    def mends(self, lost: ConnectionLost) -> bool:
        """Whether a new session is worth trying after this."""
        last = self._last_words()
        if not self.tries.again or last in FATAL:
            return False
        return lost.code in CODES or last == EXPIRED or passes(self._refused)

    @property
    def _refused(self) -> Event:
        """The error that came in place of a session; empty where none did, or the session did."""
        return self._said if self._created.row is None else {}

    def _last_words(self) -> str:
        """The code of what decides, where nothing but errors came behind it: else the session went
        on, and it was one request that was refused."""
        if self._fatal is None:
            return ""
        since = self._log[self._fatal.seq :].where(direction="server")
        return _code_of(self._fatal) if all(row.type == "error" for row in since) else ""

    # ------------------------------------------------------------ a line

    def begin(self, now: float) -> None:
        """The line has ended."""
        if self.tries.first and self._created.row is not None:
            self.tries.stands()  # it stood, and ended before anybody had looked
        if self._stood is not None and now - self._stood > STEADY_S:
            self.tries.made = 0
        if self._stood is not None or not self.tries.made:
            self._began = now
        self._stood, self._fatal = None, None

    async def transport(self, lost: ConnectionLost, clock: Clock) -> Transport:
        """Another line, after as many tries as it takes. Raises ConnectionLost at the end of
        patience, or where the server refuses for good."""
        why: Exception = lost
        if self._refused:
            why = ConnectionLost(refusal(self._refused), code=lost.code, reason=lost.reason)
        try:
            return await self.tries.another(why, clock)
        except (RealtimeError, OSError) as problem:
            why = problem
        if self.tries.first:
            raise why
        said, tries = str(why).removesuffix(FAREWELL), self.tries.count()
        raise ConnectionLost(
            f"The line was lost, and {tries} for another brought none: {said}{FAREWELL}",
            code=lost.code,
            reason=lost.reason,
        )

    # ------------------------------------------------------------ a session

    def expect(self) -> None:
        """A line stands: look out for the session on it from its first event on."""
        self._forget()  # of a line that ended before anything could be waited for
        self._created, self._said = Lookout(_BEGINS), {}
        self._forget = self._subscribe(self._created.take)

    async def begun(self, clock: Clock) -> None:
        """Wait for the session on the very first line. Raises ConnectionLost where the server says
        an error in its place."""
        await self._begun(2 * self._line.patience)  # who opens it gives up before that
        self._stands(clock)

    async def restore(self, clock: Clock) -> None:
        """Bring the new session to where the old one was. Raises TimedOut, or ConnectionLost where
        the server refuses."""
        await self._begun(ANSWER_S)
        # As of now: what the new session adds by itself (the tools of an MCP server) is no history.
        before = [item.id for item in self._conversation.items]
        items = self._unanswered.edit(self._conversation.items)
        taken = self._unanswered.taken()
        try:
            if self._unanswered.settings:
                await self._configure(self._unanswered.settings)
            history = await self._tell_history(items, before)
            again = await self._send_again(taken)
        except BaseException:  # this one has ended, too: the next is sent all of it
            self._unanswered.put_back(taken)
            raise
        self._conversation.left_out(history.left_out)
        self._line.stand()
        again += self._conversation.turns.resume()
        if taken.owed and not self._conversation.turns.pending:
            self._conversation.request(response_create())
            again += 1
        if not self.tries.first:  # else nothing was there before
            self._record(self._report(history, again, clock.now() - self._began))
        self._stands(clock)

    def _stands(self, clock: Clock) -> None:
        self._stood = clock.now()
        if self.tries.first:
            self.tries.stands()

    async def _begun(self, seconds: float) -> None:
        """Wait for the new session, or for the words with which it is refused."""
        created = self._created

        def stands() -> bool:
            return created.row is not None

        def answered() -> bool:
            return stands() or bool(self._said)

        try:
            await self._until(answered, seconds, "a new session")
            if not stands() and self._last_words() not in FATAL:
                await self._until(stands, GRACE_S, "a new session")
        except TimedOut:
            if not self._said:
                raise
        finally:
            self._forget()
        if not stands():
            raise ConnectionLost(refusal(self._said))

    def _report(self, history: History, again: int, seconds: float) -> Event:
        carried, left_out = len(history.events), history.left_out
        what = carried_words(carried, len(left_out), again)
        return line_restored(
            self.tries.made,
            seconds,
            carried=carried,
            left_out=left_out,
            sent_again=again,
            message=f"A new session goes on after {seconds:.1f} s: {what}.",
        )

    async def _configure(self, settings: Event) -> None:
        """Set what was set before. A server that refuses it now goes on with its own; with one that
        says nothing to it another session is tried, once."""
        name = f"{CARRIED_ID}settings"
        answer = _Answer("session.updated", name)
        try:
            await self._ask([{**session_update(**settings), "event_id": name}], answer)
            self._unconfirmed = 0
        except TimedOut:
            self._unconfirmed += 1
            if self._unconfirmed == 1:
                raise

    async def _tell_history(self, items: Sequence[Item], before: Sequence[str]) -> History:
        unanswered = self._unanswered
        history = history_of(items, unanswered.content_of, unanswered.sound_of)
        told = _Told(history.events)
        try:
            await self._ask(history.events, told)
        except TimedOut:
            pass  # a server that confirms no item
        events = [one for one in history.events if one["item"]["id"] not in told.refused]
        known = {one["item"]["id"] for one in events}
        left_out = [item_id for item_id in before if item_id not in known]
        return History(events, left_out)

    async def _ask(self, events: Sequence[Event], answer: _Answer | _Told) -> None:
        """Send these events and wait until they are answered."""
        unsubscribe = self._subscribe(answer.take)
        try:
            for event in events:
                await self._send(event)
            await self._until(lambda: answer.came, ANSWER_S, "what a new session confirms")
        finally:
            unsubscribe()

    async def _send_again(self, taken: Taken) -> int:
        """Send what was never confirmed; gives how much that was, sound counted as one."""
        for event in (*taken.updates, *(event for _, event in taken.creates)):
            await self._send(event)
        for seqs in taken.commits:
            await self._speak(seqs)
            await self._send(input_audio_commit())
        await self._speak(taken.sound)
        return len(taken.creates) + len(taken.commits) + bool(taken.sound)

    async def _speak(self, seqs: Sequence[int]) -> None:
        for seq in seqs:
            row = self._log[seq]
            note = partial(self._conversation.spoke, row.audio_bytes)
            await self._line.send_first(row.raw, note)

    async def _send(self, event: Event) -> None:
        note = partial(self._conversation.sent_by_hand, event)
        await self._line.send_first(frame_of(event), note)


class _Answer:
    """Whether an event was answered: by a row of a type, or by an error that names it."""

    def __init__(self, type_: str, event_id: str) -> None:
        self.came = False
        self._type, self._event_id = type_, event_id

    def take(self, row: Row) -> None:
        refused = _refuses(row) in ("", self._event_id)  # nothing else was sent that it may mean
        self.came |= row.type == self._type or (row.type == "error" and refused)


class _Told:
    """Which of these items a new session has."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._refused: list[str] = []
        self._unnamed = 0  # errors that do not say what they are about
        self._waiting = {event["event_id"]: event["item"]["id"] for event in events}

    @property
    def came(self) -> bool:
        """Whether all are answered."""
        return len(self._waiting) <= self._unnamed

    @property
    def refused(self) -> list[str]:
        """Ids of those that it refused; by errors without a name, those that it did not confirm."""
        return [*self._refused, *self._waiting.values()] if self.came else self._refused

    def take(self, row: Row) -> None:
        if row.type in ("conversation.item.added", "conversation.item.created"):
            names = [name for name, item_id in self._waiting.items() if item_id == row.item_id]
            for name in names:
                del self._waiting[name]
        elif (refused := _refuses(row)) in self._waiting:
            self._refused.append(self._waiting.pop(refused))
        elif row.type == "error" and not refused:
            self._unnamed += 1


def _refuses(row: Row) -> str:
    """The id of the client event that an error is about; empty for any other row."""
    if row.type != "error":
        return ""
    return text_field(error_of(row.event or {}), "event_id")


def _code_of(row: Row) -> str:
    return text_field(error_of(row.event or {}), "code")
