"""A day of use on the virtual clock, in memory: every minute a question, every hour a new session.

    python benchmarks/day.py             24 hours; exit status 1 where something is not so
    python benchmarks/day.py --hours 6

A service ends every session after an hour; the conversation moves to a new one before (see
`rtwidgets/session/lifetime.py`). Printed for each few hours: turns, rows of the log, memory of the
process, and of it what the log does not account for: the rest has to be flat once a session is told
no more items than it can hold (`MOST_ITEMS`).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rtwidgets as rt  # noqa: E402
from rtwidgets.session.history import MOST_ITEMS  # noqa: E402

HOUR = 3600.0
ROW_BYTES = 300  # what a row of the log may cost where its sound is spilled (benchmarks/event_log)


async def live(hours: int) -> list[tuple[str, object, bool]]:
    """Use a session for so many hours; gives what was found: its name, its value, whether so."""
    endpoint, process = rt.Simulated(where="memory", latency="none"), psutil.Process()
    held: list[tuple[int, int]] = []  # bytes, rows; at each hour behind the fullest history
    async with rt.AsyncSession(endpoint, rt.GeneratedGreeting("Greet.")) as session:
        log, asked, replies = session.log, 0, []
        for hour in range(1, hours + 1):
            while session.clock.now() < hour * HOUR:
                replies.append(await session.ask(f"This is question {asked}. Tell me of it."))
                asked += 1
                await session.clock.sleep(60.0)
            gc.collect()
            memory = process.memory_info().rss
            if len(session.conversation.items) >= MOST_ITEMS:
                held.append((memory, len(log)))
            print(f"  {hour:2} h  {asked:5} turns  {len(log):7} rows  {memory / 1e6:6.1f} MB")
    questions = [row for row in log.where(type="conversation.item.create") if asked_in(row)]
    times = log.columns().t
    (first, rows), (last, more) = held[0], held[-1]
    growth = last - first - ROW_BYTES * (more - rows)
    return [
        ("sessions that followed one another", moves := len(log.where(type="line.restored")),
         moves >= hours - 1),
        ("lines lost", lost := len(log.where(type="line.lost")), lost == 0),
        ("errors", wrong := len(log.where(type="error")), wrong == 0),
        ("questions in the log, once each", len(questions), len(questions) == asked),
        ("replies completed", done := sum(one.status == "completed" for one in replies),
         done == asked),
        ("one clock: times in order", bool((times[1:] >= times[:-1]).all()), True),
        ("greetings asked for", greetings := len(log.where(type="response.create")) - asked,
         greetings == 1),
        ("memory besides the log's rows grew by MB", round(growth / 1e6, 1), growth < 15e6),
    ]  # fmt: skip


def asked_in(row: rt.Row) -> bool:
    """Whether a row is a question, and not one that is told to a new session."""
    return row.direction == "client" and "event_id" not in (row.event or {})


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hours", type=int, default=24, choices=range(6, 1000), metavar="N")
    found = asyncio.run(live(parser.parse_args().hours))
    for name, value, fine in found:
        print(f"  {'ok ' if fine else 'NOT'}  {name}: {value}")
    return 0 if all(fine for _, _, fine in found) else 1


if __name__ == "__main__":
    sys.exit(main())
