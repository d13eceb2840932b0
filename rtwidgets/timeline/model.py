"""What the model made: audio, words, calls of tools with their answers."""

from __future__ import annotations

from typing import Any

from ..events import field, text_field
from ..log import Row
from .envelope import Envelope, bytes_per_ms, format_named
from .tracks import Track, Tracks, words_of

_CALLS = ("function_call", "mcp_call")


class Model:
    """Makes the tracks of what comes out of responses."""

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks
        self._open: dict[str, list[Track]] = {}  # of a response: what has not ended
        self._under_way: set[str] = set()  # responses

    def response_created(self, row: Row, _at: float) -> None:
        """`conversation_id` null: the response is out of band (§3.3)."""
        self._under_way.add(row.response_id)
        response = field(row.event, "response")
        if isinstance(response, dict) and response.get("conversation_id", "") is None:
            self._tracks.aside.add(row.response_id)
        named = text_field(response, "audio", "output", "format", "type")
        if named:
            self._tracks.formats["output"] = format_named(named)

    def audio(self, row: Row, at: float) -> None:
        size = row.audio_bytes
        if not size:
            return
        track = self._tracks.of("generated", "audio", row, at)
        if track.envelope is None:
            track.envelope = Envelope(self._tracks.formats["output"])
            self._began(track)
        track.ms += size / bytes_per_ms(track.envelope.format)
        track.arrived = at
        track.end = track.start + track.ms / 1000 if self._tracks.timed else at
        self._tracks.take_sound(track.envelope, row)

    def words(self, row: Row, at: float) -> None:
        """Deltas of text or of a transcript; `.done` has the whole of it."""
        track = self._tracks.of("text", "text", row, at)
        if len(track.seqs) == 1:
            self._began(track)
        whole = row.type.endswith(".done")
        track.words = (row.text or track.words) if whole else track.words + row.text
        track.end, track.open = at, not whole
        if whole:
            self._name_sound(track)

    def _name_sound(self, words: Track) -> None:
        """What was spoken goes by its words."""
        sound = self._tracks.known("generated", words.item_id)
        if sound is not None:
            sound.words = words.words
            self._tracks.changed.add(sound.number)

    def _began(self, track: Track) -> None:
        self._open.setdefault(track.response_id, []).append(track)

    def item_added(self, row: Row, at: float) -> None:
        item = field(row.event, "item")
        if text_field(item, "type") in _CALLS:
            self._call(row, at, item)

    def item_done(self, row: Row, at: float) -> None:
        item = field(row.event, "item")
        kind = text_field(item, "type")
        if kind in _CALLS:
            track = self._call(row, at, item)
            track.open = track.open and kind == "function_call"
        elif self._tracks.known("text", row.item_id) is None and words_of(item):
            track = self._tracks.of("text", "text", row, at)  # a server that sends no deltas
            track.words, track.open = words_of(item), False
            self._name_sound(track)

    def arguments(self, row: Row, at: float) -> None:
        self._call(row, at, row.event if row.type.endswith(".done") else None)

    def listing(self, row: Row, at: float) -> None:
        """A call of an MCP server, or the listing of its tools, goes on or ends."""
        track = self._call(row, at)
        track.words = track.words or "list of tools"
        track.open = row.type.endswith(".in_progress")

    def _call(self, row: Row, at: float, item: Any = None) -> Track:
        """A call of a tool, by its item; its output comes by the call's own id."""
        track = self._tracks.of("tools", "call", row, at)
        name, arguments = text_field(item, "name"), " ".join(text_field(item, "arguments").split())
        if name:
            track.words = f"{name}({arguments if arguments != '{}' else ''})"
        call_id = text_field(item, "call_id")
        if call_id:
            self._tracks.name(track, call_id)
        if track.open:
            track.end = at
        return track

    def answered(self, row: Row, at: float) -> None:
        """A call has its output: from the client, and then in the conversation."""
        item = field(row.event, "item")
        if text_field(item, "type") != "function_call_output":
            return
        track = self._tracks.known("tools", text_field(item, "call_id"))
        if track is not None:
            if track.open:
                track.end, track.open = at, False
            self._tracks.join(track, row)

    def cut(self) -> None:
        """The line has ended: of the responses under way nothing more comes, and their calls are
        never answered."""
        calls = [one for one in self._tracks.all if one.lane == "tools" and one.open]
        dead = [one for one in calls if one.response_id in self._under_way]
        for track in (*dead, *(one for each in self._open.values() for one in each)):
            if track.lane == "text" and track.open:
                self._name_sound(track)
            track.open = False
            self._tracks.changed.add(track.number)
        self._open.clear()
        self._under_way.clear()

    def response_done(self, row: Row, _at: float) -> None:
        self._under_way.discard(row.response_id)
        whole = text_field(row.event, "response", "status") == "completed"
        for track in self._open.pop(row.response_id, ()):
            if whole and track.open and track.lane == "text":  # a server without .done of words
                self._name_sound(track)
            track.open = False
            self._tracks.changed.add(track.number)
