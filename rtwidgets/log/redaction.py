"""A log for sharing: without keys, addresses and audio, and on request without any words.

What stays is the structure: types, directions, times, ids, sizes of things, numbers. Audio becomes
silence of the same length, so that durations, playback and the timeline stay as they were; images
become one grey pixel. A secret that was sent in pieces, over several deltas, is found in the whole
they make. Too much is taken out rather than too little.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from .. import audio
from ..events import AUDIO_FIELDS, Event
from .censoring import NO_PIXEL, Censor, is_secret_name
from .eventlog import EventLog
from .logins import TOO_DEEP, dumped
from .rows import Row, Rows

# Fields whose text is the protocol's own word, not anybody's: kept when all text is taken out,
# as long as it looks like a word.
_KEPT = {
    "type", "object", "role", "status", "model", "voice", "phase", "conversation", "tool_choice",
    "truncation", "eagerness", "delay", "language", "format", "effort", "code", "param", "reason",
    "include", "output_modalities", "modalities", "max_output_tokens", "detail", "direction",
    "input_audio_format", "output_audio_format", "obfuscation", "left_out",
}  # fmt: skip
_WORD = re.compile(r"[\w.:/\[\]+-]{1,128}")
_NAME = re.compile(r"[A-Za-z_$][\w.$-]{0,63}")

# Below these, names are the user's own as well; of JSON schema its vocabulary stays.
_OF_THE_USER = {"metadata", "parameters", "variables", "headers", "response_format"}
_SCHEMA = {
    "type", "properties", "required", "items", "enum", "description", "additionalProperties",
    "anyOf", "oneOf", "allOf", "default", "minimum", "maximum", "format", "title", "const",
}  # fmt: skip
# What a type in a schema may be.
_SCHEMA_TYPES = {"object", "string", "number", "integer", "boolean", "array", "null"}


def redact(rows: Rows, *, text: bool = False) -> EventLog:
    """A new log of these rows that can be shared.

    Taken out are keys (by their look and by the names they stand under), e-mail-like addresses,
    telephone numbers, credentials in addresses, audio, images, long base64, and the pieces of text
    that log probabilities repeat; each in names too, and in frames that are not JSON. The same
    secret becomes the same numbered word. Ids stay.

    Args:
        text: take out all words as well: instructions, transcripts, arguments, tools and their
            outputs, metadata, messages of errors. Text of the same length stands in their place;
            arguments stay JSON.
    """
    log = rows.log
    redactor = _Redactor(text)
    pieces = redactor.pieces(log)
    clean = redactor.censor.clean
    shared = EventLog(started=log.started, endpoint=clean(log.endpoint), model=clean(log.model))
    for row in rows:
        shared.append(row.direction, redactor.frame(row, pieces.get(row.seq)), t=row.t)
    return shared


class _Redactor:
    def __init__(self, erase: bool) -> None:
        self.censor = Censor()
        self._erase = erase

    # ------------------------------------------------------------ runs of deltas

    def pieces(self, log: EventLog) -> dict[int, str]:
        """What each delta of text says in the log for sharing, by row.

        Of the whole log, also where only a part is shared: the other half of a secret may be
        anywhere.
        """
        runs: dict[tuple[str, ...], list[tuple[int, str]]] = {}
        for row in log:
            if row.type.endswith(".delta") and not _is_audio(row.type):
                delta = (row.event or {}).get("delta")
                if isinstance(delta, str):
                    key = (row.type, row.response_id, row.item_id)
                    runs.setdefault(key, []).append((row.seq, delta))
        return {
            seq: piece
            for (type_, *_ids), run in runs.items()
            for seq, piece in self._redistributed(type_, run)
        }

    def _redistributed(self, type_: str, run: list[tuple[int, str]]) -> Iterable[tuple[int, str]]:
        """The pieces of a run, with the text for sharing cut where the old one was, about."""
        whole = "".join(piece for _, piece in run)
        clean = self._words(("arguments",) if "arguments" in type_ else ("delta",), whole)
        if clean == whole:
            return run
        done, at, cut = [], 0, 0
        for number, (seq, piece) in enumerate(run, start=1):
            at += len(piece)
            end = len(clean) if number == len(run) else at * len(clean) // max(1, len(whole))
            done.append((seq, clean[cut:end]))
            cut = end
        return done

    # ------------------------------------------------------------ frames

    def frame(self, row: Row, piece: str | None) -> str:
        """The frame of a row for sharing; `piece` is what its delta says there."""
        raw = row.raw
        try:
            event = json.loads(raw)
            if isinstance(event, dict):
                shared = self._event(event, row.type, piece)
            else:
                shared = self._value(event, ("",), False)
            return dumped(shared, compact='": ' not in raw[:200])
        except RecursionError:
            return json.dumps(TOO_DEEP)
        except ValueError:
            return _filler(len(raw)) if self._erase else self.censor.frame(raw)

    def _event(self, event: Event, type_: str, piece: str | None) -> Event:
        sound = AUDIO_FIELDS.get(type_, "delta" if _is_audio(type_) else "")
        known = dict(event)
        if piece is not None:
            known["delta"] = ""
        if sound and isinstance(event.get(sound), str):
            known[sound] = ""  # long, and not looked through: nothing of it stays
        shared = self._tree(known, (), False)
        if piece is not None:
            shared["delta"] = piece
        elif sound and isinstance(event.get(sound), str):
            shared[sound] = _silence(event[sound])
        return shared

    def _tree(self, value: Event, path: tuple[str, ...], secret: bool) -> Event:
        return {
            self._name(name, path): self._value(
                inner, (*path, name), secret or is_secret_name(name)
            )
            for name, inner in value.items()
        }

    def _value(self, value: Any, path: tuple[str, ...], secret: bool) -> Any:
        """Any value of an event, which stands under these names.

        Args:
            secret: one of the names makes everything below it a secret.
        """
        if isinstance(value, dict):
            return self._tree(value, path, secret)
        if isinstance(value, list):
            if path[-1] == "logprobs":
                return []  # the words again, in pieces, and their bytes
            return [self._value(one, path, secret) for one in value]
        if isinstance(value, str) and value:
            if secret:
                return self.censor.word("key", value)
            if path[-1] == "audio" or (path[-1] == "data" and "input_audio" in path):
                return _silence(value)
            return self._words(path, value)
        if secret and isinstance(value, int | float) and not isinstance(value, bool):
            return 0
        return value

    def _name(self, name: str, path: tuple[str, ...]) -> str:
        clean = self.censor.clean(name)
        if not self._erase:
            return clean
        if _is_the_users(path):
            known = clean in _SCHEMA and "parameters" in path
        else:
            known = bool(_NAME.fullmatch(clean))
        return clean if known else self.censor.word("name", name)

    def _words(self, path: tuple[str, ...], text: str) -> str:
        """A piece of text for sharing, which stands under these names."""
        clean, name = self.censor.clean(text), path[-1]
        if not self._erase:
            return clean
        if name == "image_url":
            return NO_PIXEL
        if _is_the_users(path):
            kept = name == "type" and clean in _SCHEMA_TYPES
        else:
            kept = _is_the_protocols(path) and bool(_WORD.fullmatch(clean))
        if kept:
            return clean
        if name == "arguments" and len(text) > 1:
            return "{" + " " * (len(text) - 2) + "}"
        return _filler(len(text))


def _is_the_users(path: tuple[str, ...]) -> bool:
    return any(name in _OF_THE_USER for name in path[:-1]) or path[-1:] == ("metadata",)


def _is_the_protocols(path: tuple[str, ...]) -> bool:
    name = path[-1]
    of_a_limit = name == "name" and path[0] == "rate_limits"
    return name in _KEPT or name == "id" or name.endswith(("_id", "_ids")) or of_a_limit


def _is_audio(type_: str) -> bool:
    """Whether a delta of this type is sound; also of events that are not known here."""
    return type_ in AUDIO_FIELDS or ("audio" in type_ and "transcript" not in type_)


def _silence(encoded: str) -> str:
    """Base64 of silence as long as what some other base64 holds."""
    size = len(encoded) * 3 // 4 - encoded[-2:].count("=")
    return audio.encode(bytes(max(0, size)))


def _filler(length: int) -> str:
    """Text of that length that says nothing."""
    return ("text " * (length // 5 + 1))[:length]
