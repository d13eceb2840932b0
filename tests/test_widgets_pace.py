"""How often a page is brought up to date while somebody speaks."""

from __future__ import annotations

from rtwidgets import EventLog
from rtwidgets.audio import encode
from rtwidgets.widgets.comm import Sender
from rtwidgets.widgets.eventtable import EventTable
from rtwidgets.widgets.pace import REST, Pace
from rtwidgets.widgets.timeline import Timeline

SOON = 10.0


def speak(log: EventLog) -> None:
    event = {"type": "input_audio_buffer.append", "audio": encode(bytes(1920))}
    log.append("client", event, t=0.2 * len(log))


def test_while_a_microphone_is_heard_a_few_flushes_are_let_pass_and_else_none() -> None:
    log, pace = EventLog(), Pace()
    passed = []
    for _ in range(2 * REST + 2):
        speak(log)
        passed.append(pace.lets_pass(log[:]))
    assert passed == ([True] * REST + [False]) * 2
    log.append("server", {"type": "input_audio_buffer.speech_started"}, t=9.0)
    assert pace.lets_pass(log[-2:]), "somebody talks"
    assert not pace.lets_pass(log[-1:]), "nobody does"


def told(view: EventTable | Timeline, log: EventLog, kind: str) -> list[int]:
    """How many messages of a kind each of some flushes sent, with a chunk before each."""
    kinds: list[str] = []
    view.send = lambda content, _buffers=(): kinds.append(content["t"])  # type: ignore[method-assign]
    counts = []
    for _ in range(REST + 1):
        kinds.clear()
        speak(log)
        view.flush()
        counts.append(kinds.count(kind))
    return counts


def test_table_and_timeline_take_a_chunk_of_sound_at_every_fourth_flush() -> None:
    still = Sender()
    still.wake = lambda _source: None  # type: ignore[method-assign]
    for kind, make in (("rows", EventTable), ("news", Timeline)):
        log = EventLog()
        view = make(log, sender=still)
        view.page_more({"table": 0, "start": 0}, [])
        assert still.drain(SOON)
        assert told(view, log, kind) == [0] * REST + [1]
