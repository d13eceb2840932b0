"""What a new session is told of a conversation, in items that a server accepts.

No server takes a conversation up again: a new session begins empty, and is told what was before as
items. Assistant items can only be written ones (`output_text`; captured refusals of anything else),
so what was spoken is told by its transcript, and of what was cut short only what was heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import audio
from ..events import CARRIED_ID, Event, assistant_text, item_create, item_delete, item_truncate
from ..items import Item, heard_length

MOST_ITEMS = 500
"""So many of the newest items are told: more than a model's context holds of a spoken talk."""
MS_A_CHARACTER = 65
"""How long a character of speech takes, about: what was cut off by the line's end never said how
long it was going to be."""
NOT_WRITTEN = "(Something was said here that nobody wrote down.)"


@dataclass(frozen=True)
class History:
    """What to tell.

    Attributes:
        events: `conversation.item.create`, in order. left_out: ids of items that are not told.
    """

    events: list[Event]
    left_out: list[str]


def history_of(
    items: Sequence[Item],
    content_of: Callable[[Item], list[Event] | None],
    sound_of: Callable[[Item], bytes],
) -> History:
    """What to tell a new session of these items.

    Args:
        content_of: the content that an item was made with, where that was more than words.
        sound_of: the sound of a spoken turn, in the session's own format, where nobody wrote its
            words down.
    """
    told, left_out = [], [item.id for item in items[:-MOST_ITEMS]]
    calls = set()
    for item in items[-MOST_ITEMS:]:
        new = _retold(item, content_of, sound_of)
        if new is not None and item.type == "function_call":
            calls.add(item.call_id)
        if new is None or (item.type == "function_call_output" and item.call_id not in calls):
            left_out.append(item.id)
        else:
            told.append({**new, "id": item.id})
    events = (item_create(one) for one in told)
    named = [{**event, "event_id": f"{CARRIED_ID}{n}"} for n, event in enumerate(events, start=1)]
    return History(named, left_out)


def _retold(
    item: Item,
    content_of: Callable[[Item], list[Event] | None],
    sound_of: Callable[[Item], bytes],
) -> Event | None:
    """An item as a client may create it, None for one that no client can."""
    if item.type == "function_call" and item.call_id and item.status != "incomplete":
        return _whole(item, "call_id", "name", "arguments")
    if item.type == "function_call_output" and item.call_id:
        return _whole(item, "call_id", "output")
    if item.type not in ("message", ""):
        return None
    if item.role == "assistant":
        return _message(item, "output_text", heard_words(item))
    if item.role == "system":
        return _message(item, "input_text", item.text)
    if item.role == "user":
        content = content_of(item)
        if content is not None:
            return {"type": "message", "role": "user", "content": content}
        sound = b"" if item.text else sound_of(item)
        if sound:
            part = {"type": "input_audio", "audio": audio.encode(sound)}
            return {"type": "message", "role": "user", "content": [part]}
        return _message(item, "input_text", item.text or NOT_WRITTEN)
    return None


def _message(item: Item, kind: str, words: str) -> Event | None:
    content = [{"type": kind, "text": words}]
    return {"type": "message", "role": item.role, "content": content} if words else None


def _whole(item: Item, *names: str) -> Event:
    return {"type": item.type, **{name: getattr(item, name) for name in names}}


def heard_words(item: Item) -> str:
    """What was heard, or read, of what the assistant said.

    Of a reply that the end of the line cut off, the words run ahead of the sound: as many of them
    count as the sound that came takes.
    """
    words = item.said or item.text
    if item.truncated_ms is not None:
        return words[: heard_length(words, item.truncated_ms, item.audio_ms)].rstrip()
    written = any(part.text for part in item.content)
    if item.status == "incomplete" and not written:
        expected = max(item.audio_ms, MS_A_CHARACTER * len(words))
        heard = words[: heard_length(words, item.audio_ms, expected)].rstrip()
        return heard or words.partition(" ")[0]  # the model is to know that it began
    return words


def take_back(item: Item, heard_ms: int, retold: bool, behind: str) -> list[Event]:
    """The events by which the server forgets what nobody heard of an item.

    Args:
        retold: whether it was told to a new session, as text: "Only model output audio messages can
            be truncated", so it is replaced by what was heard. behind: the id of the item before
            it, empty where it is the first.
    """
    if heard_ms <= 0:
        return [item_delete(item.id)]
    if not retold:
        return [item_truncate(item.id, heard_ms)]
    words = item.said or item.text
    heard = words[: heard_length(words, heard_ms, item.audio_ms)].rstrip()
    new = [item_create(assistant_text(heard), previous_item_id=behind or "root")] if heard else []
    return [*new, item_delete(item.id)]
