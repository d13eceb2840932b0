"""What a log says: its items, responses and turns as tables, and which row caused which.

All of it comes from the rows alone, in one pass that is remembered: asked again after more rows
came, only these are read. What the rows do not tell is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ..events import Event, count_field
from ..items import IN_PROGRESS, LINE_LOST
from ..log import EventLog
from ..log.rows import Rows
from ..pricing import cost_of_tokens, priced_as, tokens_of
from ..tables import Table, column
from .chronicle import Chronicle
from .facts import ItemFacts, ResponseFacts


@dataclass(frozen=True)
class ItemRow:
    """One item.

    Attributes:
        item_id: empty where the server never said it.
        status: the server's, or `deleted`, `sent` (not confirmed), `refused`.
        t: when it was first heard of, or sent.
        text: its words; a call with its arguments; the words of one cut short as they were made.
        audio_ms: made, or spoken by the user. heard_ms: what was played to a person, None where
            nothing was noted. truncated_ms: what the server kept of it.
    """

    item_id: str = column("item")
    role: str = column("role")
    type: str = column("type")
    status: str = column("status")
    t: float = column("at", unit="s")
    text: str = column("text")
    audio_ms: int = column("audio", unit="ms", spare=1)
    heard_ms: int | None = column("heard", unit="ms", spare=2)
    truncated_ms: int | None = column("cut at", unit="ms", spare=2)
    response_id: str = column("response", spare=3)


@dataclass(frozen=True)
class ResponseRow:
    """One response. Times are seconds since the log began.

    Attributes:
        asked_t: when its `response.create` was sent, or the speech that it answers had ended.
        status: the server's; `in_progress` where no end was seen, `incomplete` where the line's end
            cut it.
        reason: why it did not complete: the server's reason, an error's code or message, or
            `line_lost`.
        conversation: the conversation's id, `none` for a response outside of it.
        cost: US dollars, None where usage or price is not known.
    """

    response_id: str = column("response")
    asked_t: float | None = column("asked", unit="s", spare=1)
    created_t: float | None = column("created", unit="s", spare=3)
    first_text_t: float | None = column("first text", unit="s", spare=1)
    first_audio_t: float | None = column("first audio", unit="s")
    done_t: float | None = column("done", unit="s")
    status: str = column("status")
    reason: str = column("reason", spare=1)
    conversation: str = column("conversation", hidden=True)
    audio_ms: int = column("audio", unit="ms", spare=2)
    heard_ms: int | None = column("heard", unit="ms", spare=2)
    text: str = column("text")
    usage: Event | None = column("usage", hidden=True)
    tokens: int | None = column("tokens", spare=1)
    cost: float | None = column("cost", unit="$", digits=6, spare=1)


@dataclass(frozen=True)
class TurnRow:
    """One turn: what the user said and all that answered it.

    Attributes:
        first_seq, last_seq: its rows, both included.
        by: what began it: `opening` (before the user said anything), `typed`, `spoken`, `tool`
            (the log begins with a tool's result), `idle` (the user's silence), `asked` (a response
            was asked for without new words), `unknown` (the log begins in the middle).
        wait: seconds from the end of the user's part to the first audio or text, a lost line and
            its mending included; None in a log without times.
        status: of its last response; `silent` for an answer that was only written into the
            conversation, `refused` where the server refused to answer, empty without an answer.
        interrupted: whether an answer was cancelled, cut (by a line's end too), or not played to
            its end.
        cost: US dollars for its responses that ended; None where that of one is not known.
    """

    number: int = column("turn")
    t: float = column("at", unit="s", spare=1)
    first_seq: int = column("first row", hidden=True)
    last_seq: int = column("last row", hidden=True)
    by: str = column("by")
    said: str = column("said")
    answer: str = column("answer")
    audio_ms: int = column("audio", unit="ms", spare=2)
    heard_ms: int | None = column("heard", unit="ms", spare=2)
    wait: float | None = column("wait", unit="s")
    status: str = column("status")
    interrupted: bool = column("cut short", spare=3)
    response_ids: tuple[str, ...] = column("responses", hidden=True)
    cost: float | None = column("cost", unit="$", digits=6, spare=1)


def items(rows: Rows) -> Table[ItemRow]:
    """Every item in these rows, in the order in which they were first heard of."""
    told = _told(rows)
    facts = sorted(tuple(told.items.values()), key=lambda item: item.seq)
    return Table([_item_row(one, rows) for one in facts], of=ItemRow, caption="Items")


def responses(rows: Rows) -> Table[ResponseRow]:
    """Every response in these rows, those outside the conversation too, in order."""
    told = _told(rows)
    lines = [_response_row(one, rows) for one in tuple(told.responses.values())]
    return Table(lines, of=ResponseRow, caption="Responses")


def turns(rows: Rows) -> Table[TurnRow]:
    """The turns in these rows: each ends where the next begins."""
    told = _told(rows)
    timed = rows.log.timed
    starts = tuple(told.marks.starts)
    items_of: dict[int, list[ItemFacts]] = {}
    for item in sorted(tuple(told.items.values()), key=lambda one: one.seq):
        items_of.setdefault(told.marks.turn_at(item.origin), []).append(item)
    responses_of: dict[int, list[ResponseFacts]] = {}
    for response in tuple(told.responses.values()):
        responses_of.setdefault(max(0, told.marks.turn_at(response.origin)), []).append(response)
    refused = {told.marks.turn_at(one.origin) for one in told.requests if one.refused}
    lines = []
    for at, start in enumerate(starts):
        last = starts[at + 1].seq - 1 if at + 1 < len(starts) else told.last_seq
        turn = _Turn(items_of.get(at, []), responses_of.get(at, []), rows)
        lines.append(
            TurnRow(
                number=at + 1,
                t=start.t,
                first_seq=start.seq,
                last_seq=last,
                by=turn.by(start.by, first=at == 0),
                said=turn.said,
                answer=turn.answer,
                audio_ms=turn.audio_ms,
                heard_ms=turn.heard_ms,
                wait=turn.wait if timed else None,
                status=turn.status or ("refused" if at in refused else ""),
                interrupted=turn.interrupted,
                response_ids=tuple(one.id for one in turn.responses),
                cost=turn.cost,
            )
        )
    return Table(lines, of=TurnRow, caption="Turns")


def turn_starts(rows: Rows) -> list[int]:
    """The numbers of the rows at which a turn begins. As a log grows, so does the end of this."""
    return [start.seq for start in tuple(_told(rows).marks.starts)]


def causes(rows: Rows) -> Mapping[int, int]:
    """The number of the client row that caused a server row, by that row's number; rows without a
    known cause are not in it. Looking one up costs nothing; going through all reads all rows."""
    return _Causes(_told(rows), rows)


class _Causes(Mapping[int, int]):
    def __init__(self, told: Chronicle, rows: Rows) -> None:
        self._told = told
        self._rows = rows

    def __getitem__(self, seq: int) -> int:
        log = self._rows.log
        cause = self._told.cause_of(log[seq]) if 0 <= seq < len(log) else None
        if cause is None:
            raise KeyError(seq)
        return cause

    def __iter__(self) -> Iterator[int]:
        return (row.seq for row in self._rows if self._told.cause_of(row) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


# ---------------------------------------------------------------- what was read before


_chronicles: WeakKeyDictionary[EventLog, Chronicle] = WeakKeyDictionary()


def _told(rows: Rows) -> Chronicle:
    """What these rows say. A whole log's is kept, and goes on where it stopped.

    Readers on several threads: each takes it away while it reads on, so that none sees another's
    half-read row; one that finds it gone begins anew.
    """
    if not isinstance(rows, EventLog):
        chronicle = Chronicle(rows.log.model)
        for row in rows:
            chronicle.take(row)
        return chronicle
    kept = _chronicles.get(rows)
    if kept is not None and kept.length == len(rows):
        return kept
    try:
        chronicle = _chronicles.pop(rows)
    except KeyError:
        chronicle = Chronicle(rows.model)
    for row in rows[chronicle.length : len(rows)]:
        chronicle.take(row)
    _chronicles[rows] = chronicle
    return chronicle


# ---------------------------------------------------------------- lines


def _item_row(item: ItemFacts, rows: Rows) -> ItemRow:
    return ItemRow(
        item_id=item.id if not item.unnamed else "",
        role=item.role,
        type=item.type,
        status="deleted" if item.deleted else item.status,
        t=item.t,
        text=_text(item, rows),
        audio_ms=round(item.audio_ms),
        heard_ms=_heard(item, rows),
        truncated_ms=item.truncated_ms,
        response_id=item.response_id,
    )


def _text(item: ItemFacts, rows: Rows) -> str:
    """The words of an item; of what never ended, as far as its deltas came."""
    log = rows.log
    words = [item.parts[index] for index in sorted(item.parts)]
    unread = "".join(log[seq].text for seq in tuple(item.unread)).strip()
    words.append(unread if words or not item.other_words else "")
    text = " ".join(one for one in words if one) or item.other_words
    return (
        f"{item.name}({text})" if item.name and item.type in ("function_call", "mcp_call") else text
    )


def _heard(item: ItemFacts, rows: Rows) -> int | None:
    return None if item.last_heard is None else count_field(rows.log[item.last_heard].event, "ms")


def _heard_of(facts: list[ItemFacts], rows: Rows) -> int | None:
    known = [ms for ms in (_heard(one, rows) for one in facts) if ms is not None]
    return sum(known) if known else None


def _words_of(facts: list[ItemFacts], rows: Rows) -> str:
    words = (_text(one, rows) for one in facts if one.type in ("message", ""))
    return " ".join(one for one in words if one)


def _response_row(response: ResponseFacts, rows: Rows) -> ResponseRow:
    return ResponseRow(
        response_id=response.id,
        asked_t=response.asked_t,
        created_t=response.created_t,
        first_text_t=response.first_text_t,
        first_audio_t=response.first_audio_t,
        done_t=response.done_t,
        status=response.status,
        reason=response.reason,
        conversation=response.conversation,
        audio_ms=round(response.audio_ms),
        heard_ms=_heard_of(response.items, rows),
        text=_words_of(response.items, rows),
        usage=response.usage,
        tokens=_total(response.usage),
        cost=_cost(response),
    )


def _cost(response: ResponseFacts) -> float | None:
    return cost_of_tokens(tokens_of(response.usage), priced_as(response.models))


def _total(usage: Event | None) -> int | None:
    return count_field(usage, "total_tokens")


_OPENINGS_OWN = "opening_"
"""How the ids begin that our openings give to the items they make up."""


def _is_seed(item: ItemFacts) -> bool:
    """Whether a user's item was never the user's: made up by an opening, or taken back."""
    return item.deleted or item.id.startswith(_OPENINGS_OWN)


class _Turn:
    """What became of one turn.

    Where a response of the conversation answered, the others beside it are not the answer; where
    none did, a response outside the conversation is, or what was written into the conversation.
    """

    def __init__(self, items: list[ItemFacts], responses: list[ResponseFacts], rows: Rows) -> None:
        self.responses = responses
        self._items = items
        self._rows = rows
        inside = [one for one in responses if not one.aside]
        heard = [one for one in inside if not one.unheard]  # the others were asked for again
        self._answers = heard or inside or responses
        written = [one for one in items if one.role == "assistant" and not one.response_id]
        self._written = [one for one in written if not one.deleted] or written
        self._users = [one for one in items if one.role == "user" and one.type in ("message", "")]

    def by(self, by: str, first: bool) -> str:
        """What began it; a first turn whose only words are an opening's own is an opening."""
        seeded = first and by == "typed" and self._users
        return "opening" if seeded and all(map(_is_seed, self._users)) else by

    @property
    def said(self) -> str:
        # What is transcribed of silence is made up (facts: a light was switched off by it).
        said = [one for one in self._users if not one.idle and one.status != "refused"]
        return _words_of([one for one in said if not _is_seed(one)], self._rows)

    @property
    def answer(self) -> str:
        made = [item for one in self._answers for item in one.items]
        return _words_of(made, self._rows) or _words_of(self._written, self._rows)

    @property
    def audio_ms(self) -> int:
        return round(sum(one.audio_ms for one in self._answers))

    @property
    def heard_ms(self) -> int | None:
        made = [item for one in self._answers for item in one.items]
        heard = _heard_of(made, self._rows)
        return _heard_of(self._written, self._rows) if heard is None else heard

    @property
    def wait(self) -> float | None:
        asked = next((t for one in self._answers if (t := one.wanted_t) is not None), None)
        came = [t for one in self._answers for t in (one.first_text_t, one.first_audio_t)]
        known = [t for t in came if t is not None]
        return min(known) - asked if known and asked is not None else None

    @property
    def status(self) -> str:
        if self._answers:
            return self._answers[-1].status
        return "silent" if self._written else ""

    @property
    def interrupted(self) -> bool:
        cut = any(
            item.truncated_ms is not None or item.flushed
            for one in self._answers
            for item in one.items
        )
        return cut or any(
            one.status == "cancelled" or one.reason == LINE_LOST for one in self._answers
        )

    @property
    def cost(self) -> float | None:
        costs = [_cost(one) for one in self.responses if one.status != IN_PROGRESS]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if known and len(known) == len(costs) else None
