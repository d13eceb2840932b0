"""What each client event may do, and when it may not: one rule an event, its source beside it.

`RULES` is the table; a rule's `do` stands above it. The shape of an event was judged before
(schema.py); what a rule refuses depends on the state of the session. A rule that raises a
`Refusal` has changed nothing, but for truncating, where the real server does both.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..audio import decode, encode
from . import refusals, sessions
from .items import Entry
from .parsing import event_id_of

if TYPE_CHECKING:
    from .engine import Engine

Json = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """What one client event may do: read a row of RULES as a sentence."""

    do: Callable[[Engine, Json], None]
    answers: str
    refused_when: str
    source: str


# --- session


def update_session(engine: Engine, event: Json) -> None:
    changes = event["session"]
    if engine.floor.has_sounded and sessions.changes_voice(engine.session, changes):
        raise refusals.voice_is_fixed()
    if engine.floor.active is not None and sessions.changes_speed(engine.session, changes):
        raise refusals.speed_is_in_use()
    before, engine.session = engine.session, sessions.merged(engine.session, changes)
    if before.get("truncation") != engine.session.get("truncation"):
        engine.floor.truncation_changed()
    engine.input.session_changed()
    engine.tell_session("session.updated")
    engine.idle.session_changed()
    engine.listings.want(engine.session.get("tools", ()))


def close_session(engine: Engine, event: Json) -> None:
    engine.closing = (1000, "")


# --- what the user says


def append_audio(engine: Engine, event: Json) -> None:
    engine.input.append(decode(event["audio"]))


def commit_audio(engine: Engine, event: Json) -> None:
    engine.input.commit()


def clear_audio(engine: Engine, event: Json) -> None:
    engine.input.clear()


# --- items


def create_item(engine: Engine, event: Json) -> None:
    item = event["item"]
    if item["type"] == "function_call_output":
        if not engine.items.has_call(item["call_id"]):
            raise refusals.no_such_call(item["call_id"])
        if engine.floor.is_calling(item["call_id"]):
            # Captured (§3.7): accepted, and it appears once the response with the call is done.
            return engine.floor.wait_for_end(partial(_add_item, engine, event), event_id_of(event))
    _add_item(engine, event)


def _add_item(engine: Engine, event: Json) -> None:
    item = event["item"]
    if item["type"] == "mcp_approval_response":
        engine.floor.check_approval(item)
    if engine.input.has_announced(item.get("id")):
        raise refusals.duplicate_item(item["id"])
    entry = engine.entry_of(item)
    previous = engine.items.add(entry, event.get("previous_item_id"))
    engine.item_events(entry, previous)
    sounds = [part["audio"] for part in item.get("content", ()) if part["type"] == "input_audio"]
    if len(sounds) == 1:
        engine.recordings.keep(entry.id, decode(sounds[0]))
    if item["type"] == "mcp_approval_response":
        engine.floor.approve(item)


def truncate_item(engine: Engine, event: Json) -> None:
    entry = engine.items.get(event["item_id"])
    if entry is None:
        raise refusals.no_item_to_truncate(event["item_id"])
    if not entry.is_spoken_reply:
        raise refusals.not_truncatable()
    asked = event["audio_end_ms"]
    if asked > entry.audio_ms:
        # Captured: the real server refuses and then truncates all the same.
        engine.refuse(refusals.already_shorter(entry.audio_ms, asked), event_id_of(event))
    entry.truncate(min(asked, entry.audio_ms))
    told = {"type": "conversation.item.truncated", "item_id": entry.id}
    engine.emit({**told, "content_index": 0, "audio_end_ms": entry.audio_ms})


def delete_item(engine: Engine, event: Json) -> None:
    engine.items.remove(event["item_id"])
    engine.recordings.drop(event["item_id"])
    engine.emit({"type": "conversation.item.deleted", "item_id": event["item_id"]})


def retrieve_item(engine: Engine, event: Json) -> None:
    entry = engine.items.get(event["item_id"])
    if entry is None:
        raise refusals.no_such_item("retrieve", event["item_id"])
    item = copy.deepcopy(entry.wire)
    _show_sound(engine, entry, item)
    engine.emit({"type": "conversation.item.retrieved", "item": item})


def _show_sound(engine: Engine, entry: Entry, item: Json) -> None:
    """Documented: retrieving shows the user's audio; here while it is kept."""
    sound = engine.recordings.get(entry.id)
    heard = [part for part in item.get("content", ()) if part["type"] == "input_audio"]
    if sound and heard:
        heard[0]["audio"] = encode(sound)


# --- responses


def create_response(engine: Engine, event: Json) -> None:
    if engine.session["type"] != "realtime":
        raise refusals.not_in_a_transcription_session(event["type"])
    engine.floor.asked(sessions.given(event.get("response") or {}))


def cancel_response(engine: Engine, event: Json) -> None:
    engine.floor.cancelled(event.get("response_id"))


#: The order is that in which the live server lists the types it knows.
RULES: dict[str, Rule] = {
    "session.update": Rule(
        update_session,
        answers="session.updated with the whole session; only present fields change",
        refused_when="the session is of the other type; the voice would change once the assistant "
        "has sounded, the speed while a response is active, the model, or tracing that is on; "
        "reasoning for a model without: then nothing is applied",
        source="facts §1.4, §2, §3.9; recorded",
    ),
    "session.close": Rule(
        close_session,
        answers="the line closes with 1000",
        refused_when="never",
        source="named by the live server's list of types; what it does is our assumption",
    ),
    "input_audio_buffer.append": Rule(
        append_audio,
        answers="nothing; turn detection may answer with speech_started, speech_stopped …",
        refused_when="never, once it is base64",
        source="facts §1.1, §3.4",
    ),
    "session.input_audio_buffer.append": Rule(
        append_audio,
        answers="as input_audio_buffer.append",
        refused_when="never, once it is base64",
        source="named by the live server's list of types; taken as the same thing",
    ),
    "input_audio_buffer.commit": Rule(
        commit_audio,
        answers="input_audio_buffer.committed, conversation.item.added, .done; then nothing",
        refused_when="less than 100 ms since the last commit",
        source="facts §3.4, §4.2; captured",
    ),
    "input_audio_buffer.clear": Rule(
        clear_audio,
        answers="input_audio_buffer.cleared",
        refused_when="never",
        source="facts §1.1",
    ),
    "conversation.item.create": Rule(
        create_item,
        answers="conversation.item.added, .done, of an early function_call_output after the call's "
        "response; an mcp_approval_response lets the call go on",
        refused_when="the id is taken; the previous item is unknown; the output is of a call, the "
        "approval of a request that is not there",
        source="facts §1.1, §2a, §3.7, §3.8; recorded",
    ),
    "conversation.item.truncate": Rule(
        truncate_item,
        answers="conversation.item.truncated; the transcript goes",
        refused_when="the item is unknown, or no audio of the model; beyond its audio: refused and "
        "truncated all the same",
        source="facts §3.5, errors.jsonl truncate_beyond_audio",
    ),
    "conversation.item.delete": Rule(
        delete_item,
        answers="conversation.item.deleted",
        refused_when="the item is unknown",
        source="facts §1.1, §4.2",
    ),
    "conversation.item.retrieve": Rule(
        retrieve_item,
        answers="conversation.item.retrieved, with the sound of a user's turn while it is kept",
        refused_when="the item is unknown",
        source="facts §1.1, §4.2",
    ),
    "response.create": Rule(
        create_response,
        answers="response.created … response.done, rate_limits.updated",
        refused_when="a response is active in the conversation (out of band ones run beside it); "
        "another voice once the assistant has sounded; a tool is demanded that is not there; a "
        "transcription session",
        source="facts §1.5, §2, §3.1; recorded",
    ),
    "response.cancel": Rule(
        cancel_response,
        answers="the open .done events, then response.done cancelled",
        refused_when="nothing is active",
        source="facts §3.5, §4.2",
    ),
}
