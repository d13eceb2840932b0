"""Every column of a comparison, from logs made so that it takes each of its values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rtwidgets import audio
from rtwidgets.comparison import Comparison
from rtwidgets.comparison.marks import FAILED, OPENED, PROBE_MARK, Setup
from rtwidgets.comparison.measures import Measures, measure
from rtwidgets.comparison.page import table_html
from rtwidgets.comparison.results import summary_of
from rtwidgets.log import EventLog
from rtwidgets.pricing import Tokens

SCRIPT = "Welcome to the museum! Shall I show you the fossils?"
SIMULATED = "sess_simulated_1"

Frame = tuple[str, dict[str, Any], float]


def usage(text_in: int, audio_out: int) -> dict[str, Any]:
    return {
        "total_tokens": text_in + audio_out,
        "input_tokens": text_in,
        "output_tokens": audio_out,
        "input_token_details": {"text_tokens": text_in, "audio_tokens": 0, "cached_tokens": 0},
        "output_token_details": {"text_tokens": 0, "audio_tokens": audio_out},
    }


class Crafted:
    """A trial's log, put together event by event at the times that are given."""

    def __init__(self, setup: Setup, session: str = "sess_1") -> None:
        self.log = EventLog(model="gpt-realtime-2.1")
        self.server("session.created", 0.0, session={"id": session})
        self.server("session.updated", 0.1, session={"id": session})
        self.log.append("local", setup.event(), 0.1)
        self._number = 0

    def server(self, type_: str, t: float, **fields: Any) -> None:
        self.log.append("server", {"type": type_, "event_id": f"e{len(self.log)}", **fields}, t)

    def client(self, type_: str, t: float, **fields: Any) -> None:
        self.log.append("client", {"type": type_, **fields}, t)

    def silent_item(self, text: str, t: float) -> Crafted:
        item = {
            "id": "item_s",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": text}],
        }
        self.client("conversation.item.create", t, item={**item, "id": "item_s"})
        self.server("conversation.item.added", t + 0.01, previous_item_id=None, item=item)
        self.server("conversation.item.done", t + 0.01, previous_item_id=None, item=item)
        return self

    def response(
        self,
        words: str,
        t: float,
        *,
        ms: int = 1000,
        status: str = "completed",
        reason: str = "",
        written: bool = False,
        **asked: Any,
    ) -> Crafted:
        """A response from its request at `t`: created after 0.2 s, words after 0.4, sound 0.5."""
        self._number += 1
        response, item = f"resp_{self._number}", f"item_{self._number}"
        ids = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        self.client("response.create", t, event_id=f"ask_{self._number}", **asked)
        begun = {"id": response, "status": "in_progress", "conversation_id": "conv_1"}
        self.server("response.created", t + 0.2, response=begun)
        message = {"id": item, "type": "message", "role": "assistant", "content": []}
        self.server("conversation.item.added", t + 0.3, previous_item_id=None, item=message)
        if written:
            self.server("response.output_text.delta", t + 0.4, delta=words, **ids)
            part = {"type": "output_text", "text": words}
        else:
            self.server("response.output_audio_transcript.delta", t + 0.4, delta=words, **ids)
            sound = audio.encode(bytes(ms * audio.BYTES_PER_MS))
            self.server("response.output_audio.delta", t + 0.5, delta=sound, **ids)
            part = {"type": "output_audio", "transcript": words}
        details: dict[str, Any] = {"type": status, "reason": reason} if reason else {}
        if status == "failed":
            details = {"type": "failed", "error": {"type": "server_error", "message": "It broke."}}
        done = {
            **begun,
            "status": status,
            "status_details": details or None,
            "output": [{**message, "content": [part]}],
            "usage": usage(50, 20),
        }
        self.server("response.done", t + 0.9, response=done)
        return self

    def opened(self, t: float = 2.0) -> Crafted:
        self.log.append("local", {"type": OPENED}, t)
        return self

    def probe(self, answer: str, t: float = 3.0) -> Crafted:
        return self.response(answer, t, written=True, response={"metadata": PROBE_MARK})

    def spoken_over(self, t: float, *, noticed: bool = True) -> Crafted:
        self.client("input_audio_buffer.append", t, audio="AAAA")
        if noticed:
            self.server("input_audio_buffer.speech_started", t, audio_start_ms=0, item_id="item_u")
        return self

    def failed(self, message: str, t: float = 2.0) -> Crafted:
        self.log.append("local", {"type": FAILED, "message": message}, t)
        return self

    def measured(self) -> Measures:
        return measure(self.log)


def scripted(**more: Any) -> Setup:
    return Setup("greeting", script=SCRIPT, **more)


def test_a_spoken_greeting_word_for_word() -> None:
    got = Crafted(scripted()).response(SCRIPT, 0.1).opened().probe(f"I said: {SCRIPT}").measured()
    assert (got.heard, got.said, got.likeness, got.greetings) == ("audio", SCRIPT, 1.0, 1)
    assert (got.created, got.first_text, got.first_audio) == pytest.approx((0.2, 0.4, 0.5))
    assert got.speech == pytest.approx(1.0)
    assert (got.status, got.knows, got.errors) == ("completed", True, ())
    assert got.items == (f"assistant (spoken): {SCRIPT}",)
    assert got.tokens == Tokens(text_in=50, audio_out=20)
    assert got.cost == pytest.approx((50 * 4 + 20 * 64) / 1e6)


def test_the_probe_is_no_part_of_the_greeting() -> None:
    got = Crafted(scripted()).response(SCRIPT, 0.1).opened().probe("Nothing.").measured()
    assert (got.greetings, got.answer, got.knows) == (1, "Nothing.", False)
    assert got.tokens == Tokens(text_in=50, audio_out=20)


def test_a_silent_item_is_remembered_and_not_heard() -> None:
    got = Crafted(scripted()).silent_item(SCRIPT, 0.1).opened().probe(SCRIPT).measured()
    assert (got.heard, got.first_audio, got.speech, got.greetings) == ("silent", None, 0.0, 0)
    assert (got.said, got.likeness, got.knows) == (SCRIPT, 1.0, True)
    assert (got.tokens, got.cost, got.status) == (Tokens(), 0.0, "")
    assert got.items == (f"assistant (text): {SCRIPT}",)


def test_a_recording_plays_here() -> None:
    setup = scripted(plays_ms=2500)
    got = Crafted(setup).silent_item(SCRIPT, 0.1).opened().measured()
    assert (got.heard, got.speech, got.answer, got.knows) == ("played here", 2.5, "", None)


def test_other_words_than_the_script() -> None:
    got = Crafted(scripted()).response("Hola, ¿qué tal?", 0.1).opened().measured()
    assert got.likeness == 0.0


def test_words_of_its_own_have_no_likeness() -> None:
    got = Crafted(Setup("own")).response("Good day!", 0.1).opened().measured()
    assert got.likeness is None


def test_text_where_audio_was_asked() -> None:
    got = Crafted(scripted()).response(SCRIPT, 0.1, written=True).opened().measured()
    assert (got.heard, got.first_audio) == ("text", None)
    assert got.first_text == pytest.approx(0.4)
    assert "text instead of audio in 1" in faults_of([got])


def test_text_that_was_asked_for_is_no_fault() -> None:
    setup = scripted(modality="text")
    got = Crafted(setup).response(SCRIPT, 0.1, written=True).opened().measured()
    assert faults_of([got]) == ()


def test_a_double_greeting() -> None:
    crafted = Crafted(Setup("two")).response("Hello!", 0.1).response("Hello again!", 1.1)
    got = crafted.opened(3.0).measured()
    assert (got.greetings, got.said) == (2, "Hello! Hello again!")
    assert "greeted more than once in 1 of 1" in faults_of([got])


def test_a_failed_response() -> None:
    got = Crafted(Setup("f")).response("", 0.1, status="failed", ms=0).opened().measured()
    assert (got.status, got.errors, got.greetings) == ("failed", ("It broke.",), 0)
    assert "failed in 1" in faults_of([got])


def test_a_greeting_that_comes_when_the_first_had_failed_is_one_greeting() -> None:
    crafted = Crafted(Setup("f")).response("", 0.1, status="failed", ms=0).response("Hi!", 1.1)
    got = crafted.opened(3.0).measured()
    assert (got.greetings, got.status, got.said) == (1, "completed", "Hi!")
    assert faults_of([got]) == ("It broke.",)


def test_the_answer_to_who_speaks_over_a_greeting_is_no_second_greeting() -> None:
    setup = Setup("o", kind="interruption")
    over = Crafted(setup).response("Hi", 0.1).spoken_over(0.7).response("Yes?", 2.0).measured()
    assert over.interruption == "interrupted"
    quiet = Crafted(Setup("o")).response("Hi", 0.1).opened().measured()
    assert faults_of([quiet, over]) == ()


def test_a_refusal_is_told_in_the_servers_words() -> None:
    crafted = Crafted(Setup("r"))
    error = {"type": "invalid_request_error", "message": "Invalid value: 'input_text'."}
    crafted.server("error", 0.2, error=error)
    got = crafted.opened().measured()
    assert (got.heard, got.errors) == ("silent", ("Invalid value: 'input_text'.",))


def test_a_trial_that_could_not_go_on() -> None:
    got = Crafted(Setup("x")).failed("The line was cut.").measured()
    assert (got.heard, got.items, got.errors) == ("silent", (), ("The line was cut.",))


@pytest.mark.parametrize("kind", ["greeting", "interruption"])
def test_where_no_session_began_nothing_was_played_said_or_tried(kind: Any) -> None:
    log = EventLog()
    log.append("local", scripted(kind=kind, plays_ms=1000).event())
    log.append("local", {"type": FAILED, "message": "No connection."})
    got = measure(log)
    assert (got.heard, got.speech, got.likeness, got.greetings) == ("silent", 0.0, None, 0)
    assert got.interruption == "not tried"
    summary = summary_of("o", "e", [got])
    assert (summary.exact, summary.faults) == ("", ("No connection.",))


@pytest.mark.parametrize(
    ("at", "outcome"),
    [(0.7, "interrupted"), (1.5, "interrupted"), (1.7, "spoken through"), (0.3, "spoken through")],
)
def test_speech_over_a_greeting_counts_while_it_would_be_heard(at: float, outcome: str) -> None:
    """The sound comes at 0.6 s and lasts one second, whenever the server was done with it."""
    setup = Setup("o", kind="interruption")
    assert Crafted(setup).response("Hi", 0.1).spoken_over(at).measured().interruption == outcome


def test_a_response_that_the_server_cancels_was_interrupted() -> None:
    crafted = Crafted(Setup("o", kind="interruption"))
    crafted.response("Hi", 0.1, status="cancelled", reason="turn_detected")
    assert crafted.measured().interruption == "interrupted"


@pytest.mark.parametrize("trouble", ["error", "line.lost"])
def test_speech_that_did_not_come_through_tells_nothing(trouble: str) -> None:
    crafted = Crafted(Setup("o", kind="interruption")).response("Hi", 0.1)
    crafted.spoken_over(0.7, noticed=False)
    if trouble == "error":
        crafted.server("error", 0.8, error={"message": "Nobody speaks here."})
    else:
        crafted.log.append("local", {"type": trouble, "message": "It was cut."}, 0.8)
    assert crafted.measured().interruption == "not tried"


def test_an_answer_that_was_cut_short_does_not_say_what_is_known() -> None:
    cut = Crafted(scripted()).response(SCRIPT, 0.1).opened()
    asked = {"response": {"metadata": PROBE_MARK}, "written": True, "status": "incomplete"}
    got = cut.response("The first", 3.0, reason="max_output_tokens", **asked).measured()
    assert (got.answer, got.knows) == ("The first", None)
    assert "the answer was cut short" in table_html(Comparison([cut.log]))


def test_a_protected_greeting_is_spoken_through() -> None:
    crafted = Crafted(Setup("o", kind="interruption")).response("Hi", 0.1)
    assert crafted.spoken_over(0.7, noticed=False).measured().interruption == "spoken through"


def test_a_line_that_was_lost_before_anybody_spoke_says_nothing_of_interruptions() -> None:
    crafted = Crafted(Setup("o", kind="interruption")).response("Hi", 0.1)
    assert crafted.failed("The line was cut.").measured().interruption == "not tried"


def test_where_nothing_is_heard_nothing_is_interrupted() -> None:
    got = Crafted(Setup("o", kind="interruption")).silent_item("Hi", 0.1).spoken_over(0.3)
    assert got.measured().interruption == "nothing to interrupt"


def test_a_recording_is_interrupted_while_it_plays() -> None:
    setup = Setup("o", kind="interruption", plays_ms=1000)
    assert Crafted(setup).spoken_over(0.9).measured().interruption == "interrupted"
    assert Crafted(setup).spoken_over(1.3).measured().interruption == "spoken through"


def test_an_undisturbed_trial_was_not_tried() -> None:
    assert Crafted(Setup("o")).response("Hi", 0.1).measured().interruption == "not tried"


def test_without_usage_the_cost_is_unknown() -> None:
    crafted = Crafted(Setup("u"))
    crafted.client("response.create", 0.1)
    crafted.server("response.created", 0.2, response={"id": "r", "status": "in_progress"})
    crafted.server("response.done", 0.3, response={"id": "r", "status": "completed"})
    got = crafted.opened().measured()
    assert (got.cost, got.tokens) == (None, None)
    assert summary_of("u", "e", [got]).tokens.values == ()
    assert ">–<br>" in table_html(Comparison([crafted.log]))
    assert crafted.response("Hi!", 1.0).measured().tokens is None, "a part is not the whole"


def test_any_log_can_be_measured() -> None:
    for log in (EventLog(), of_rubbish()):
        got = measure(log)
        assert (got.setup, got.heard, got.greetings) == (Setup(""), "silent", 0)


def of_rubbish() -> EventLog:
    log = EventLog()
    for frame in ("not JSON", '{"type": 7}', '{"type":"trial.setup","label":7}', "[]", ""):
        log.append("local", frame)
    return log


def test_the_numbers_are_the_files(tmp_path: Path) -> None:
    """Whoever has the JSONL alone has every column."""
    logs = [
        Crafted(scripted(number=1)).response(SCRIPT, 0.1).opened().probe(SCRIPT).log,
        Crafted(scripted(number=2)).response("Welcome!", 0.2).opened().probe("Nothing.").log,
        Crafted(scripted(kind="interruption")).response(SCRIPT, 0.1).spoken_over(0.7).log,
    ]
    told = Comparison(logs)
    folder = told.save(tmp_path / "told")
    again = Comparison.load(folder)
    assert [one.measures for one in again.trials] == [one.measures for one in told.trials]
    assert list(again.rows) == list(told.rows)
    summary = json.loads((folder / "summary.json").read_text())["rows"][0]
    assert summary["exact"] == "1 of 2"
    assert summary["interruption"] == "interrupted"
    assert len((folder / "results.csv").read_text().splitlines()) == 4
    assert len(list((folder / "audio").glob("*.wav"))) == 3


def faults_of(trials: Sequence[Measures]) -> tuple[str, ...]:
    return summary_of("o", "e", trials).faults


def test_a_greeting_that_comes_late_is_not_taken_for_the_answer() -> None:
    got = Crafted(scripted()).opened(0.1).response(SCRIPT, 0.2).probe("Nothing.").measured()
    assert (got.answer, got.knows) == ("Nothing.", False)
    assert (got.heard, got.said, got.greetings) == ("audio", SCRIPT, 1)
    assert got.tokens == Tokens(text_in=50, audio_out=20)
