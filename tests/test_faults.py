"""The fault matrix: whatever goes wrong, and whenever, nothing that came or was said is lost.

Each case is one conversation on virtual time (fault_cases.py). `make faults` prints the table.
"""

from __future__ import annotations

import pytest
from fault_cases import CASES, Case, Outcome, play, some_of

import rtwidgets as rt

JUST = 0.5  # seconds that a call may take beyond its word: what is begun is ended


@pytest.mark.parametrize("case", some_of(CASES), ids=str)
def test_whatever_goes_wrong(case: Case) -> None:
    outcome = play(case)
    assert not outcome.events_lost, "every frame that was handed over is in the log as it came"
    assert not outcome.input_lost and not outcome.input_twice
    assert outcome.greetings <= 1
    for call in outcome.calls:
        assert call.seconds <= call.allowed + JUST, call
    assert outcome.same_from_log, "the log adds up to the conversation as it was live"
    assert_it_is_said(outcome)
    if case.phase == "connecting" and not outcome.was_open:
        assert outcome.calls[0].problem is not None
    elif case.ends and not case.again:
        assert outcome.lost is not None and outcome.afterwards.startswith("over")
        assert isinstance(outcome.calls[-2].problem, rt.ConnectionLost), "who asks on is told"
    elif not (case.silent and outcome.afterwards.startswith("nothing comes")):
        assert outcome.afterwards.startswith("goes on")
        assert (len(outcome.lines) > 1) >= case.ends
    if not case.silent and outcome.was_open:
        assert outcome.greetings == 1


def assert_it_is_said(outcome: Outcome) -> None:
    log = outcome.session.log
    ended = [line for line in outcome.lines if line.ended is not None and not line.left]
    if outcome.was_open:
        assert len(log.where(type="line.lost")) >= len(ended)
    if outcome.case.row:
        assert log.where(type=outcome.case.row)


def test_a_tool_that_fails_is_answered_in_words() -> None:
    said = {case.tool: play(case) for case in CASES if case.tool}
    outputs = {tool: _output(outcome) for tool, outcome in said.items()}
    assert "KeyError" in outputs["raises"] and "Traceback" not in outputs["raises"]
    assert "did not finish within 5 s" in outputs["hangs"]
    assert "Cut here" in outputs["returns megabytes"]
    assert len(outputs["returns megabytes"]) < 25_000


def _output(outcome: Outcome) -> str:
    items = outcome.session.conversation.items
    return next(item.output for item in items if item.type == "function_call_output")
