"""The fault matrix: whatever goes wrong, and whenever, nothing that came or was said is lost.

Each case is one conversation on virtual time (fault_cases.py). `make faults` prints the table.
"""

from __future__ import annotations

import pytest
from fault_cases import CASES, Case, Outcome, play, problems_of, some_of
from real_faults import relayed

import rtwidgets as rt
from rtwidgets.transport import websocket


@pytest.mark.parametrize("case", some_of(CASES), ids=str)
def test_whatever_goes_wrong(case: Case) -> None:
    assert problems_of(play(case)) == []


def test_a_tool_that_fails_is_answered_in_words() -> None:
    outputs = {case.tool: _output(play(case)) for case in CASES if case.tool}
    assert "KeyError" in outputs["raises"] and "Traceback" not in outputs["raises"]
    assert "did not finish within 5 s" in outputs["hangs"]
    assert "Cut here" in outputs["returns megabytes"]
    assert len(outputs["returns megabytes"]) < 25_000


def _output(outcome: Outcome) -> str:
    items = outcome.session.conversation.items
    return next(item.output for item in items if item.type == "function_call_output")


def test_a_line_of_which_one_half_is_left_is_found_by_a_ping(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert websocket.PING_S + websocket.PONG_S <= 20.0
    monkeypatch.setattr(websocket, "PING_S", 0.5)
    monkeypatch.setattr(websocket, "PONG_S", 2.5)
    with relayed(latency="none") as (relay, endpoint), rt.Session(endpoint, timeout=60.0) as s:
        assert s.ask("Are you there?").status == "completed"
        relay.strike(mute=True)
        assert s.ask("And now?").status == "completed"
        assert len(s.log.where(type="line.lost")) >= 1
        asked = [item.text for item in s.conversation.items if item.role == "user"]
        assert asked == ["Are you there?", "And now?"]
