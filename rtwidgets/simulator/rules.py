"""What each client event may do, and when it may not: one table, read by the engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """What one client event may do: read a row of RULES as a sentence."""

    method: str  # of Engine, called with the event
    answers: str
    refused_when: str
    source: str


#: What each client event may do, and when it may not. Shape is judged before (schema.py).
RULES: dict[str, Rule] = {
    "session.update": Rule(
        "_session_update",
        "session.updated with the whole session; only present fields change",
        "other session type; other voice once the assistant has sounded: nothing is applied",
        "facts §1.4, §2; recorded",
    ),
    "session.close": Rule(
        "_session_close",
        "the line closes with 1000",
        "never",
        "named by the live server's list of types; what it does is our assumption",
    ),
    "input_audio_buffer.append": Rule(
        "_append",
        "nothing; turn detection may answer with speech_started, speech_stopped …",
        "never, once it is base64",
        "facts §1.1, §3.4",
    ),
    "session.input_audio_buffer.append": Rule(
        "_append",
        "as input_audio_buffer.append",
        "never, once it is base64",
        "named by the live server's list of types; taken as the same thing",
    ),
    "input_audio_buffer.commit": Rule(
        "_commit",
        "input_audio_buffer.committed, conversation.item.added, .done; then nothing",
        "less than 100 ms since the last commit",
        "facts §3.4, §4.2; captured",
    ),
    "input_audio_buffer.clear": Rule("_clear", "input_audio_buffer.cleared", "never", "facts §1.1"),
    "conversation.item.create": Rule(
        "_item_create",
        "conversation.item.added, .done; an mcp_approval_response lets the call go on",
        "id taken; previous item unknown; output of a call that is not there",
        "facts §1.1, §2a, §3.8; recorded",
    ),
    "conversation.item.truncate": Rule(
        "_item_truncate",
        "conversation.item.truncated; the transcript goes",
        "item unknown, or not audio of the model; beyond its audio: refused and still truncated",
        "facts §3.5, errors.jsonl truncate_beyond_audio",
    ),
    "conversation.item.delete": Rule(
        "_item_delete", "conversation.item.deleted", "item unknown", "facts §1.1, §4.2"
    ),
    "conversation.item.retrieve": Rule(
        "_item_retrieve", "conversation.item.retrieved", "item unknown", "facts §1.1, §4.2"
    ),
    "response.create": Rule(
        "_response_create",
        "response.created … response.done, rate_limits.updated",
        "a response is active in the conversation (out of band ones run beside it)",
        "facts §1.5, §2, §3.1; recorded",
    ),
    "response.cancel": Rule(
        "_response_cancel",
        "the open .done events, then response.done cancelled",
        "nothing is active",
        "facts §3.5, §4.2",
    ),
}
