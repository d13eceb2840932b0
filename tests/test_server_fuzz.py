"""Ten thousand broken server events: the conversation never raises and stays a conversation.

What a conversation is, whatever a server sends, is written down here as properties, looked at
after every event. The events come from recorded sessions and from our simulator
(server_hostile.py); the same seeds give the same events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import pytest
from conftest import SHARED
from server_hostile import Hostile, streams

import rtwidgets as rt
from rtwidgets.events import (
    MOST,
    Event,
    count_field,
    item_create,
    item_delete,
    response_cancel,
    response_create,
    user_text,
)
from rtwidgets.items import ENDED, Item, Part, Response

EVENTS = 10_000
LARGEST = 2**53
"""What a page, whose numbers are floats, can still count exactly."""


class Watched:
    """A conversation with what was so before, to see what never goes back."""

    def __init__(self) -> None:
        self.conversation = rt.Conversation()
        self.ended: dict[str, str] = {}
        self.sound: dict[int, tuple[Part, int]] = {}
        self.usage: Event = {}
        self.errors = 0

    def remember(self) -> None:
        state = self.conversation
        self.ended |= {
            id_: one.status for id_, one in state.responses.items() if one.status in ENDED
        }
        parts = (part for item in state.items for part in item.content)
        self.sound |= {id(part): (part, part.audio_bytes) for part in parts}
        self.usage = leaves(state.usage)
        self.errors = len(state.errors)


Property = Callable[[Watched], bool]
PROPERTIES: list[Property] = []


def holds(property_: Property) -> Property:
    PROPERTIES.append(property_)
    return property_


@holds
def no_item_stands_twice(now: Watched) -> bool:
    ids = [item.id for item in now.conversation.items]
    return len(ids) == len(set(ids))


@holds
def an_item_is_found_by_its_id(now: Watched) -> bool:
    state = now.conversation
    return all(item.id and state.item(item.id) is item for item in state.items)


@holds
def a_response_is_found_by_its_id(now: Watched) -> bool:
    return all(id_ and one.id == id_ for id_, one in now.conversation.responses.items())


@holds
def an_item_says_which_response_made_it_and_that_one_has_it(now: Watched) -> bool:
    responses = now.conversation.responses
    made = [item for item in now.conversation.items if item.response_id]
    return all(item in responses[item.response_id].items for item in made)


@holds
def no_response_has_an_item_twice(now: Watched) -> bool:
    found = [one.item_ids for one in now.conversation.responses.values()]
    return all(len(ids) == len(set(ids)) for ids in found)


@holds
def what_has_ended_stays_as_it_ended(now: Watched) -> bool:
    responses = now.conversation.responses
    return all(responses[id_].status == status for id_, status in now.ended.items())


@holds
def a_response_is_unknown_under_way_or_ended(now: Watched) -> bool:
    states = {"", "in_progress", *ENDED}
    return all(one.status in states for one in now.conversation.responses.values())


@holds
def the_active_response_is_a_known_one_that_has_not_ended(now: Watched) -> bool:
    state, active = now.conversation, now.conversation.active_response
    if active is None:
        return not any(one.active and one.conversation_id for one in state.responses.values())
    return state.responses[active.id] is active and active.active and active.status not in ENDED


@holds
def usage_is_whole_numbers_that_only_grow(now: Watched) -> bool:
    counts = leaves(now.conversation.usage)
    whole = all(type(value) is int and 0 <= value for value in counts.values())
    return whole and all(counts.get(key, -1) >= value for key, value in now.usage.items())


@holds
def what_a_response_used_is_counted_once(now: Watched) -> bool:
    total = now.conversation.usage.get("total_tokens", 0)
    reports = [one.usage or {} for one in now.conversation.responses.values()]
    used = sum(count_field(usage, "total_tokens") or 0 for usage in reports)
    return isinstance(total, dict) or total == min(MOST, used)


@holds
def sound_only_grows(now: Watched) -> bool:
    return all(part.audio_bytes >= size for part, size in now.sound.values()) and all(
        one.audio_ms >= 0 for one in now.conversation.items
    )


@holds
def what_is_counted_can_be_counted(now: Watched) -> bool:
    cut = [one.truncated_ms for one in now.conversation.items]
    return all(ms is None or (type(ms) is int and 0 <= ms <= LARGEST) for ms in cut)


@holds
def words_are_text(now: Watched) -> bool:
    def fits(item: Item) -> bool:
        said = (item.type, item.role, item.status, item.name, item.call_id, item.arguments)
        parts = [(part.type, part.text, part.transcript) for part in item.content]
        every = [*said, item.output, item.text, *(word for part in parts for word in part)]
        return all(type(word) is str for word in every)

    def tells(one: Response) -> bool:
        return all(type(word) is str for word in (one.text, one.error, one.status))

    state = now.conversation
    return all(map(fits, state.items)) and all(map(tells, state.responses.values()))


@holds
def a_request_is_on_one_road_at_most(now: Watched) -> bool:
    turns = now.conversation.turns
    roads = [*turns._waiting, *turns._asked, *turns._aside]
    if len(set(roads)) != len(roads):
        return False
    return not any(one.response_id or one.refusal for one in roads)


@holds
def nothing_waits_while_nothing_is_under_way(now: Watched) -> bool:
    state = now.conversation
    turns = state.turns
    return not turns.waiting or turns.asked or state.active_response is not None


@holds
def errors_are_kept(now: Watched) -> bool:
    errors = now.conversation.errors
    return len(errors) >= now.errors and all(isinstance(one, dict) for one in errors)


@holds
def the_session_is_an_object(now: Watched) -> bool:
    return isinstance(now.conversation.session, dict)


def leaves(usage: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The numbers of a usage report by where they stand."""
    if not isinstance(usage, dict):
        return {path: usage}
    return {at: n for key, more in usage.items() for at, n in leaves(more, (*path, key)).items()}


def told(state: rt.Conversation) -> list[Any]:
    """What a conversation says, to be compared."""
    items = [(one.id, one.text, one.status, one.audio_ms, one.response_id) for one in state.items]
    responses = [(one.id, one.status, one.item_ids) for one in state.responses.values()]
    return [items, responses, leaves(state.usage), len(state.errors), repr(state.session)]


def client_events(random: Random, state: rt.Conversation) -> Iterable[Event]:
    """What a user does meanwhile, now and then."""
    if random.random() < 0.1:
        yield item_create(user_text("And now?"))
        yield response_create()
    if random.random() < 0.03:
        yield response_create(conversation="none")
    if random.random() < 0.03 and state.active_response is not None:
        yield response_cancel()
    if random.random() < 0.03 and state.items:
        yield item_delete(random.choice(state.items).id)


def sessions(count: int) -> Iterator[tuple[int, list[str | bytes]]]:
    """A seed and the frames of a session, until so many frames were given."""
    given = seed = 0
    sources = list(streams().values())
    while given < count:
        frames = list(Hostile(seed).frames(sources[seed % len(sources)]))
        yield seed, frames
        given += len(frames)
        seed += 1


def test_a_conversation_survives_ten_thousand_broken_events() -> None:
    for seed, frames in sessions(EVENTS):
        watched, log, random = Watched(), rt.EventLog(), Random(seed)
        state = watched.conversation
        for number, frame in enumerate(frames):
            for asked in client_events(random, state):
                state.request(asked)
                for event in state.to_send():
                    log.append("client", event)
            event = log.append("server", frame).event
            if event is not None:
                state.receive(event)
            for property_ in PROPERTIES:
                where = f"of seed {seed}, frame {number}: {frame[:900]!r}"
                assert property_(watched), f"not so: {property_.__name__}, {where}"
            watched.remember()
        assert [row.frame for row in log.where(direction="server")] == frames
        assert told(rt.Conversation.of(log)) == told(state), seed


def test_recordings_are_among_what_is_broken() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED}: only the simulator's own events are broken")
    assert len(streams()) > 1
