"""A comparison as HTML: the table in a notebook, and a page that stands by itself.

What a server said is text here, never markup, and turns nothing round: all goes through `escape`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape as escaped
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .. import audio
from ..errors import Misuse
from ..tables import printable
from . import words
from .measures import Measures

if TYPE_CHECKING:
    from .results import Comparison, Spread, Summary, Trial

_HERE = Path(__file__).parent

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="rtw-compare"><h1>{title}</h1>{body}</body>
</html>
"""

STRIP_WIDTH, STRIP_HEIGHT = 120, 18

Listen = Literal["no", "player", "button"]
"""How a row is heard: not at all, by a player that holds the sound, by a button that fetches it."""


def table_html(comparison: Comparison, listen: Listen = "no") -> str:
    """The table, for a notebook or a page."""
    headings = [
        "opening",
        "heard",
        "first sound",
        "the words",
        "tokens",
        "what it remembers",
        "spoken over",
    ]
    longest = max((row.first_audio.high or 0.0 for row in comparison.rows), default=0.0)
    rows = "".join(_row(comparison, row, longest, listen) for row in comparison.rows)
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in headings)
    return (
        f"<style>{_style('table.css')}</style><div class='rtw-compare'>{_notice(comparison)}"
        f"{_beside(comparison)}<div class='rtw-scroll'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{_legend(comparison)}</div>"
    )


def page_of(comparison: Comparison) -> str:
    """A whole page that needs nothing beside it: table, players, figure, every trial."""
    body = table_html(comparison, "player") + _figure(comparison) + _trials(comparison)
    title = "Who speaks first?" + (" (simulated)" if comparison.simulated else "")
    return _PAGE.format(title=escape(title), style=_style("page.css"), body=body)


def strip(spread: Spread, longest: float) -> str:
    """A dot a trial on a common scale from 0 to `longest` seconds, a tick at the median."""
    if spread.median is None or longest <= 0:
        return ""
    middle = STRIP_HEIGHT / 2

    def place(value: float) -> float:
        return 4 + value / longest * (STRIP_WIDTH - 8)

    dots = "".join(
        f'<circle cx="{place(value):.1f}" cy="{middle}" r="3" fill="currentColor" opacity=".5"/>'
        for value in spread.values
    )
    at = place(spread.median)
    words = f"{len(spread.values)} trials, median {spread.median:.2f} s of {longest:.2f} s shown"
    return (
        f'<svg width="{STRIP_WIDTH}" height="{STRIP_HEIGHT}" role="img" aria-label="{words}">'
        f'<line x1="4" x2="{STRIP_WIDTH - 4}" y1="{middle}" y2="{middle}" stroke="currentColor" '
        f'opacity=".25"/>{dots}<line x1="{at:.1f}" x2="{at:.1f}" y1="1" y2="{STRIP_HEIGHT - 1}" '
        'stroke="currentColor" stroke-width="2"/></svg>'
    )


def marked(script: str, said: str) -> str:
    """The words as they were said, with what differs from the script underlined or struck."""
    tags = {
        "same": "{}",
        "missing": "<del title='missing'>{}</del>",
        "added": "<ins title='added'>{}</ins>",
    }
    pieces = words.differences(script, said)
    return " ".join(tags[piece.kind].format(escape(piece.text)) for piece in pieces)


def _row(comparison: Comparison, row: Summary, longest: float, listen: Listen) -> str:
    trials = comparison.of(row.opening, row.endpoint)
    first = trials[0].measures if trials else None
    many = len(comparison.endpoints) > 1
    where = f"<br><small>{escape(row.endpoint)}</small>" if many else ""
    faults = "".join(f"<li class='rtw-fault'>{escape(one)}</li>" for one in row.faults)
    cells = [
        f"{escape(row.heard) or '–'}{_listen(comparison, trials, listen)}",
        f"{escape(str(row.first_audio))}{_unit(row.first_audio, 's')}"
        f"{strip(row.first_audio, longest) or '<br>'}<small>{_before(row)}</small>",
        _words(first, row) if first else "",
        f"{_total(row)}<br><small>{_kinds(row)}{_money(row.cost)}</small>",
        _remembered(row, first.said if first else ""),
        escape(row.interruption) or "–",
    ]
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    faults = f"<ul>{faults}</ul>" if faults else ""
    return f'<tr><th scope="row">{escape(row.opening)}{where}{faults}</th>{body}</tr>'


def _total(row: Summary) -> str:
    return "–" if row.tokens.median is None else f"{row.tokens.median:.0f}"


def _kinds(row: Summary) -> str:
    return "".join(f"{count:.0f} {escape(name)}<br>" for name, count in row.kinds.items())


def _remembered(row: Summary, said: str) -> str:
    """Whether the model knows what it said, its answer, and what the opening has left behind."""
    knows = f"knows it in {row.knows}" if row.knows else "had nothing to know"
    if said and not row.knows:
        knows = "the answer was cut short"
    asked = f"{escape(knows)}<br><small>{escape(row.answer)}</small><br>" if row.answer else ""
    left = _list(_told(row.items, said))
    return f"{asked}<small>{f'left behind:{left}' if left else 'nothing left behind'}</small>"


def _told(items: Iterable[str], said: str) -> list[str]:
    """Items, without saying the greeting's words once more."""
    return [one.replace(f": {said}", ": the greeting") if said else one for one in items]


def _before(row: Summary) -> str:
    """What came before the sound (the response, its first words), and its length, in seconds."""
    told = [("created", row.created), ("text", row.first_text), ("lasts", row.speech)]
    return "<br>".join(f"{name} {escape(str(one))}" for name, one in told if one.values)


def _words(first: Measures, row: Summary) -> str:
    if not first.said:
        return "–"
    if not first.setup.script:
        return f"{escape(first.said)}<br><small>the model's own</small>"
    if row.exact.startswith("0 ") or first.likeness != 1.0:
        likeness = f"exact in {row.exact}, {100 * (row.likeness.median or 0):.0f} % alike"
        return f"{marked(first.setup.script, first.said)}<br><small>{likeness}</small>"
    return f"{escape(first.said)}<br><small>exact in {row.exact}</small>"


def _beside(comparison: Comparison) -> str:
    """Where endpoints or models are compared: openings down, these across."""
    endpoints = comparison.endpoints
    if len(endpoints) < 2:
        return ""
    known = {(row.opening, row.endpoint): row for row in comparison.rows}
    longest = max((row.first_audio.high or 0.0 for row in comparison.rows), default=0.0)

    def cell(row: Summary | None) -> str:
        if row is None:
            return "<td>–</td>"
        sound = f"{row.first_audio} s {strip(row.first_audio, longest)}"
        heard = sound if row.first_audio.values else ""
        return f"<td>{escape(row.heard)} <small>{_money(row.cost)}</small><br>{heard}</td>"

    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in endpoints)
    rows = "".join(
        f'<tr><th scope="row">{escape(opening)}</th>'
        + "".join(cell(known.get((opening, endpoint))) for endpoint in endpoints)
        + "</tr>"
        for opening in comparison.openings
    )
    return (
        "<div class='rtw-scroll'><table><thead><tr><th scope='col'>first sound</th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _notice(comparison: Comparison) -> str:
    return f"<p class='rtw-notice'>{escape(comparison.notice)}</p>" if comparison.notice else ""


def _legend(comparison: Comparison) -> str:
    counts = {row.trials for row in comparison.rows}
    trials = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts, default=0)}"
    each = "trial" if trials == "1" else "trials"
    return (
        f"<p><small>{trials} {each} each: median (lowest–highest), a dot a trial. Seconds count "
        "from <code>session.updated</code>: to <code>response.created</code>, text and sound. "
        "<ins>Added</ins> and <del>missing</del> words are marked against the script. Dollars by "
        "the price table, for the opening alone."
        "</small></p>"
    )


def _figure(comparison: Comparison) -> str:
    try:
        figure = comparison.plot()
    except Misuse:  # no matplotlib: the page has everything but the picture
        return ""
    out = StringIO()
    figure.savefig(out, format="svg", transparent=True)
    picture = base64.b64encode(out.getvalue().encode()).decode()
    return (
        "<h2>On one time axis</h2><img style='max-width:100%' alt='The openings as lanes: events "
        f"as marks, speech as waveform' src='data:image/svg+xml;base64,{picture}'>"
    )


def _trials(comparison: Comparison) -> str:
    rows = "".join(_trial(trial) for trial in comparison.trials)
    head = "".join(
        f'<th scope="col">{one}</th>'
        for one in (
            "opening",
            "trial",
            "heard",
            "first sound (s)",
            "words",
            "left behind",
            "errors",
        )
    )
    return (
        "<h2>Every trial</h2><div class='rtw-scroll'><table><thead><tr>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _trial(trial: Trial) -> str:
    measures, setup = trial.measures, trial.setup
    first = "–" if measures.first_audio is None else f"{measures.first_audio:.2f}"
    over = f"spoken over: {measures.interruption}"
    number = str(setup.number) if setup.kind == "greeting" else over
    cells = [
        escape(number),
        escape(measures.heard),
        first,
        escape(measures.said) or "–",
        _list(measures.items),
        _list(measures.errors),
    ]
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    name = f"{escape(setup.label)}<br><small>{escape(setup.column)}</small>"
    return f'<tr><th scope="row">{name}</th>{body}</tr>'


def _listen(comparison: Comparison, trials: Sequence[Trial], listen: Listen) -> str:
    """How the first trial's greeting is heard from here."""
    if listen == "no" or not trials or not len(trials[0].samples):
        return ""
    trial = trials[0]
    if listen == "button":
        place = comparison.trials.index(trial)
        label = escape(f"Play the greeting of {trial.setup.label}")
        return (
            f'<br><button type="button" class="rtw-button" data-trial="{place}" '
            f'aria-label="{label}">▶ {trial.measures.speech:.1f} s</button>'
        )
    wav = audio.wav_bytes(audio.pcm_from_samples(trial.samples))
    label = escape(f"The greeting of {trial.setup.label}")
    return (
        f'<br><audio controls preload="none" aria-label="{label}" '
        f'src="data:audio/wav;base64,{base64.b64encode(wav).decode()}"></audio>'
    )


def _list(lines: Iterable[str]) -> str:
    items: Sequence[str] = [f"<li>{escape(line)}</li>" for line in lines]
    return f"<ul>{''.join(items)}</ul>" if items else ""


def escape(text: str) -> str:
    """A text as HTML shows it, also in an attribute, with what cannot be seen made visible."""
    return escaped(printable(text), quote=True)


def _style(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _unit(spread: Spread, unit: str) -> str:
    return f" {unit}" if spread.values else ""


def _money(cost: float | None) -> str:
    return "–" if cost is None else f"${cost:.4f}"
