"""What the page reported, as rows. Pure: the page's words come in, findings go out.

Nothing in a report is taken on trust: a missing or strange answer is a row that says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from ..versions import SUBSHELLS, UPGRADE, numbers
from .findings import Finding, Verdict

RATE = 24_000
CLOSE_CLOCKS = 120.0  # seconds; what a log's times and a person's watch may differ

AREA = "page"
VSCODE = (
    "Open the same notebook in a browser (rtwidgets lab) to talk: VS Code gives its notebooks no "
    "microphone; typing works."
)
NO_PAGE = Finding(
    AREA,
    "browser",
    "no page has answered yet",
    "waiting",
    "Run rt.doctor() as the last line of a cell in JupyterLab, and trust the notebook.",
)


def findings(report: Mapping[str, Any]) -> list[Finding]:
    """The rows of what a page says of itself."""
    rows = [front_end(report), browser(report), secure(report), microphone(report)]
    if isinstance(report.get("listened"), Mapping):
        rows.append(listened(report["listened"]))
    return [*rows, worklet(report), rates(report), sound(report), clocks(report)]


def _row(what: str, found: str, verdict: Verdict = "fine", remedy: str = "") -> Finding:
    return Finding(AREA, what, found, verdict, remedy)


def _text(report: Mapping[str, Any], name: str) -> str:
    value = report.get(name)
    return value[:200] if isinstance(value, str) else ""


def _number(report: Mapping[str, Any], name: str) -> float | None:
    value = report.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def front_end(report: Mapping[str, Any]) -> Finding:
    name = _text(report, "frontEnd") or "not told"
    if name == "VS Code":
        return _row("front end", name, "limited", VSCODE)
    if name.startswith("Colab"):
        return _row(
            "front end",
            name,
            "limited",
            "Run google.colab.output.enable_custom_widget_manager() first if nothing is shown; "
            "allow the microphone when the browser asks.",
        )
    return _row("front end", name)


def browser(report: Mapping[str, Any]) -> Finding:
    return _row("browser", _text(report, "browser") or "one that does not say its name")


def secure(report: Mapping[str, Any]) -> Finding:
    where = _text(report, "origin") or "this page"
    if report.get("secure") is True:
        return _row("secure page", f"yes, {where}")
    return _row(
        "secure page",
        f"no: {where}",
        "mend",
        "Open the notebook at https://… or at http://localhost…: browsers give no microphone to "
        "other pages.",
    )


def microphone(report: Mapping[str, Any]) -> Finding:
    """Permission and devices, without having listened."""
    permission, count = _text(report, "permission"), _number(report, "microphones")
    devices = {None: "devices not told", 0.0: "no device", 1.0: "1 device"}.get(
        count, f"{count or 0:.0f} devices"
    )
    if report.get("secure") is not True or count is None:
        return _row(
            "microphone",
            "the browser gives none to this page",
            "limited",
            "See the rows above; type, or speak samples with session.hear(samples), meanwhile.",
        )
    if permission == "denied" or report.get("microphoneAllowed") is False:
        return _row(
            "microphone",
            f"refused, {devices}",
            "mend",
            "Click the icon in front of the page's address, allow the microphone, and reload.",
        )
    if count == 0:
        return _row(
            "microphone",
            "no device",
            "limited",
            "Plug in a microphone or a headset; typing and session.hear(samples) work without.",
        )
    asked = {"granted": "allowed", "prompt": "the browser will ask"}.get(permission, "may ask")
    return _row("microphone", f"{devices}, {asked}")


def listened(heard: Mapping[str, Any]) -> Finding:
    """A second of sound was taken in, because somebody asked for that."""
    if problem := _text(heard, "problem"):
        return _row(
            "listening",
            f"the microphone did not start: {problem}",
            "mend",
            "Allow the microphone in the browser and in the system's settings, and close other "
            "programs that use it.",
        )
    level, rate = _number(heard, "level") or 0.0, _number(heard, "rate") or 0.0
    if level <= 0.0:
        return _row(
            "listening",
            f"{rate:.0f} Hz, and silence without the least noise",
            "mend",
            "The microphone is muted, in the system or by a switch on it: turn it on.",
        )
    return _row("listening", f"{rate:.0f} Hz, loudest sample {100 * level:.0f} % of the range")


def worklet(report: Mapping[str, Any]) -> Finding:
    if report.get("worklet") is True:
        return _row("AudioWorklet", "there, and loads")
    return _row(
        "AudioWorklet",
        _text(report, "workletProblem") or "missing",
        "limited",
        "Use a current Chrome, Edge, Firefox or Safari on a secure page; sound is played without "
        "it, the microphone needs it.",
    )


def rates(report: Mapping[str, Any]) -> Finding:
    usual, taken = _number(report, "rate"), _number(report, "rateOf24")
    if usual is None:
        return _row(
            "sample rate",
            "this browser makes no sound",
            "mend",
            "Use a current Chrome, Edge, Firefox or Safari.",
        )
    if taken == RATE:
        return _row("sample rate", f"{usual:.0f} Hz, and {RATE} Hz is taken")
    return _row("sample rate", f"{usual:.0f} Hz only: sound is converted in the page")


def sound(report: Mapping[str, Any]) -> Finding:
    if report.get("soundState") == "running":
        return _row("speaker", "may play at once")
    return _row("speaker", "silent until somebody clicks in the page, as browsers have it")


def clocks(report: Mapping[str, Any]) -> Finding:
    ahead = _number(report, "clockAhead")
    if ahead is None:
        return _row("clock of the page", "not told", "waiting")
    if abs(ahead) > CLOSE_CLOCKS:
        return _row(
            "clock of the page",
            f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the kernel's",
            "limited",
            "Set the clock of this computer, or of the one where the kernel runs.",
        )
    return _row("clock of the page", "agrees with the kernel's")


# ---------------------------------------------------------------- what was measured


def measured(report: Mapping[str, Any], handled: int | None, kernel: str) -> list[Finding]:
    """The rows of what page and kernel measured together.

    Args:
        report: the page's: `idle`, `busy` (ms of each answer), `asked` (messages into the busy
            kernel), `sent` and `arrived` (messages of a burst).
        handled: how many of those asked the kernel handled while it was busy; None where nobody
            could make it busy.
        kernel: ipykernel's version, empty where it is not known.
    """
    return [
        _round_trip(_times(report, "idle")),
        _while_busy(report, handled, kernel),
        _burst(report),
    ]


def _times(report: Mapping[str, Any], name: str) -> list[float]:
    given = report.get(name)
    listed = given if isinstance(given, Sequence) and not isinstance(given, str) else ()
    return [float(one) for one in listed if isinstance(one, int | float)]


def _round_trip(times: list[float]) -> Finding:
    if not times:
        return _row(
            "round trip",
            "no answer from the kernel",
            "mend",
            "Restart the kernel and run it again.",
        )
    found = f"page to kernel and back in {median(times):.0f} ms (slowest {max(times):.0f})"
    if median(times) > 300:
        return _row(
            "round trip",
            found,
            "limited",
            "The way to the kernel is slow: sound is buffered, but it is heard late; a kernel "
            "nearer by answers sooner.",
        )
    return _row("round trip", found)


def _while_busy(report: Mapping[str, Any], handled: int | None, kernel: str) -> Finding:
    what, asked = "while a cell computes", _number(report, "asked") or 0
    if handled is None or not asked:
        return _row(what, "not measured here", "waiting")
    busy = _times(report, "busy")
    if handled >= asked / 2:
        return _row(what, f"messages come through, answered in {median(busy or [0]):.0f} ms")
    remedy = (
        f"Run: {UPGRADE}, then restart the kernel."
        if kernel and numbers(kernel) < SUBSHELLS
        else "Use JupyterLab 4.4 or newer, with its setting “Kernel Comms over subshells” at “One "
        "subshell per comm-target”; until then talk only while no cell runs."
    )
    return _row(what, "messages wait until the cell ends", "limited", remedy)


def _burst(report: Mapping[str, Any]) -> Finding:
    sent, arrived = _number(report, "sent") or 0, _number(report, "arrived") or 0
    found = f"{arrived:.0f} of {sent:.0f} messages in a second arrived"
    if arrived < sent:
        return _row(
            "many messages",
            found,
            "mend",
            "Start the Jupyter server with "
            "--ZMQChannelsWebsocketConnection.iopub_msg_rate_limit=1000.",
        )
    return _row("many messages", found)
