"""`compare`: openings times trials, several at once, nothing lost when it is stopped."""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from .. import audio, loop
from ..endpoints import Endpoint, approve_spending, chosen
from ..errors import Misuse, SpendingNotApproved
from ..log import EventLog
from ..money.budgeting import money
from ..money.metering import bill
from ..openings import Opening, checked
from ..pricing import rough_cost_of_minutes
from ..session import Modality
from .marks import Kind, Setup
from .progress import shown
from .purse import Purse
from .results import Comparison
from .trial import Settings, label_of, run_trial

AT_ONCE_PAID, AT_ONCE_FREE = 8, 16
"""Sessions at the same time: a real account may have few, the simulator serves a class."""

SPOKEN_OVER = "Excuse me, wait a moment please, I have a question."

Progress = Callable[[int, int, str], None]
"""Told after each trial: how many are done, of how many, and which it was."""


@dataclass(frozen=True)
class Column:
    """An endpoint and model to compare, and what to call it."""

    label: str
    endpoint: Endpoint
    model: str


@dataclass
class Job:
    """A trial to run, and its log when it has run."""

    setup: Setup
    opening: Opening
    column: Column
    log: EventLog | None = None


def compare(
    openings: Sequence[Opening] | Mapping[str, Opening],
    trials: int = 5,
    endpoint: Endpoint | Sequence[Endpoint] | None = None,
    *,
    model: str | Sequence[str] | None = None,
    instructions: str | None = None,
    voice: str | None = None,
    modality: Modality = "audio",
    probe: bool = True,
    interrupt: bool = True,
    at_once: int | None = None,
    timeout: float = 30.0,
    budget: float | None = None,
    progress: Progress | None = None,
    announce: Callable[[str], object] = print,
) -> Comparison:
    """Open a fresh session for every trial of every opening, and put what they show side by side.

    Args:
        openings: the ways to open, or these by the names they shall have.
        trials: sessions for each.
        endpoint, model: where; several of either become columns beside each other.
        instructions, voice, modality: of every session.
        probe: ask the model, out of band, what it said first.
        interrupt: one session more for each, in which somebody speaks over the greeting.
        at_once: sessions at the same time; by default 16, where it costs money 8.
        timeout: seconds to wait for any one thing in a session.
        budget: US dollars for all of it together, where the endpoint is paid.
        progress: told after each trial; by default a bar in a notebook or a line in a terminal.
        announce: told what a paid comparison will cost, before it begins.

    Stopped by the stop button (or Ctrl-C), it gives what it has. Raises Misuse, and
    SpendingNotApproved where it would cost money and no budget was named.
    """
    columns = _columns(endpoint, model)
    named = _named(openings)
    if not named or trials < 1 or (at_once is not None and at_once < 1):
        raise Misuse(
            "compare() needs an opening at least, trials=1 or more, and at_once=1 or more."
        )
    jobs = list(_jobs(named, columns, trials, interrupt, modality))
    paid = [job for job in jobs if job.column.endpoint.paid]
    if paid:
        _agree(paid, budget, announce)
    many = at_once or (AT_ONCE_PAID if paid else AT_ONCE_FREE)
    purse = Purse(budget, many)
    settings = Settings(instructions, voice, modality, timeout, probe)
    speech = _speech() if interrupt else None
    with shown(len(jobs)) if progress is None else nullcontext(progress) as tell:
        stopped = _run(_all(jobs, settings, speech, many, purse, tell))
    logs = [job.log for job in jobs if job.log is not None]
    return Comparison(logs, notice=_notice(stopped, len(logs), len(jobs), purse))


def _named(openings: Any) -> dict[str, Opening]:
    if isinstance(openings, Mapping):
        return {str(label): checked(opening) for label, opening in openings.items()}
    if isinstance(openings, Opening) or not isinstance(openings, Sequence):
        raise Misuse("compare() takes a list of openings: compare([ModelGreeting(), …]).")
    named: dict[str, Opening] = {}
    for opening in map(checked, openings):
        named[label_of(opening, named)] = opening
    return named


def _columns(endpoint: Any, model: Any) -> list[Column]:
    endpoints = list(endpoint) if isinstance(endpoint, Sequence) else [endpoint]
    models = [model] if model is None or isinstance(model, str) else list(model)
    columns: list[Column] = []
    for one in map(chosen, endpoints):
        for name in models:
            known = one.model_for(name)
            label = f"{one.name} · {known}"
            same = sum(column.label.split(" #")[0] == label for column in columns)
            columns.append(Column(f"{label} #{same + 1}" if same else label, one, known))
    return columns


def _jobs(
    named: Mapping[str, Opening],
    columns: Sequence[Column],
    trials: int,
    interrupt: bool,
    modality: Modality,
) -> Iterator[Job]:
    for label, opening in named.items():
        for column in columns:
            plain = Setup(
                label=label,
                opening=repr(opening),
                column=column.label,
                script=opening.script,
                plays_ms=0 if opening.audio is None else 1000 * len(opening.audio) // audio.RATE,
                modality=modality,
            )
            for number in range(1, trials + 1):
                yield Job(replace(plain, number=number), opening, column)
            if interrupt and modality == "audio" and (opening.heard or plain.plays_ms):
                yield Job(replace(plain, kind=_INTERRUPTION), opening, column)


_INTERRUPTION: Kind = "interruption"


def _agree(paid: Sequence[Job], budget: float | None, announce: Callable[[str], object]) -> None:
    """Say what it will cost, and take a budget for yes. Raises SpendingNotApproved without."""
    costs = [_estimate(job.column.model) for job in paid]
    known = sum(cost for cost in costs if cost is not None)
    about = f"about ${known:.2f}" if None not in costs else "an unknown sum (a price is missing)"
    where = ", ".join(dict.fromkeys(job.column.label for job in paid))
    sessions = "1 session" if len(paid) == 1 else f"{len(paid)} sessions"
    notice = f"This comparison opens {sessions} with {where}: {about}."
    if budget is None:
        raise SpendingNotApproved(
            f"{notice} Agree by budget=, in dollars, for example budget={max(0.5, 2 * known):.2f}; "
            "endpoint=rtwidgets.Simulated() costs nothing.",
            notice=notice,
        )
    if not (math.isfinite(budget) and budget > 0):
        raise Misuse(f"budget= is a sum of dollars greater than 0, not {budget!r}.")
    announce(f"{notice} It stops before {money(budget)} is passed.")
    approve_spending()


def _estimate(model: str) -> float | None:
    """US dollars for one trial: a greeting and a question, a quarter of a minute."""
    return rough_cost_of_minutes(0.25, model)


async def _all(
    jobs: Sequence[Job],
    settings: Settings,
    speech: audio.Samples | None,
    at_once: int,
    purse: Purse,
    tell: Progress,
) -> None:
    # The first trial of each, then the second: stopped, or out of money, it has something of all.
    waiting = iter(sorted(jobs, key=lambda job: job.setup.number))
    done = 0

    async def work() -> None:
        nonlocal done
        for job in waiting:  # one iterator for all workers: each takes the next
            await _one(job, settings, speech, purse)
            done += 1
            tell(done, len(jobs), f"{job.setup.label}, {job.setup.column}")

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(jobs))):
                group.create_task(work())
    except ExceptionGroup as several:  # wrong settings are wrong in every session: say it once
        raise several.exceptions[0] from None


async def _one(job: Job, settings: Settings, speech: audio.Samples | None, purse: Purse) -> None:
    async def run(budget: float | None) -> EventLog:
        over = speech if job.setup.kind == "interruption" else None
        chosen = replace(settings, budget=budget)
        column = job.column
        return await run_trial(job.setup, column.endpoint, job.opening, chosen, over, column.model)

    if not job.column.endpoint.paid:
        job.log = await run(None)
        return
    async with purse.part(_estimate(job.column.model) or 0.0) as part:
        if part is not None:
            job.log = await run(part)
            purse.spent += bill(job.log).known


def _run(work: Any) -> bool:
    """Do it on the shared loop. Gives whether a person stopped it."""
    if loop.on_loop_thread():
        work.close()
        raise Misuse("compare() waits, and so cannot be called from a session's own thread.")
    future = loop.submit(work)
    try:
        future.result()
    except KeyboardInterrupt:
        future.cancel()
        concurrent.futures.wait([future], timeout=5.0)
        return True
    return False


def _notice(stopped: bool, had: int, wanted: int, purse: Purse) -> str:
    if stopped:
        return f"It was stopped: {had} of {wanted} trials."
    if purse.refused:
        return f"The budget was reached: {had} of {wanted} trials."
    return ""


def _speech() -> audio.Samples:
    """What is spoken over a greeting: the simulator's voice, and so without any recording."""
    from ..simulator import speech

    return audio.samples_from_pcm(speech.shared().speak(SPOKEN_OVER, "cedar"))
