"""The event log at 100 000 events: what it costs beside what it is made of, in one run.

    python benchmarks/event_log.py                      everything (three minutes)
    python benchmarks/event_log.py memory columns       some of it; --check fails where one is over
    python benchmarks/event_log.py --events 20000       a quick look

    receiving  CPU an event of the log and the session, as receiving.py measures them
    memory     what a log holds, with its audio in memory and moved to a file, beside the wire
    columns    filters, searches and DataFrames, beside numpy, bytes.find and plain lists
    files      JSONL out and in, beside writing the raw text and json.loads on each line
    imports    `import rtwidgets` in a kernel that has ipywidgets, beside anywidget and websockets
    hour       an hour of full duplex on the virtual clock: memory, losses, the export replayed

The workload is that of receiving.py. Each part has a fresh process; what is compared takes turns,
and a number is the median of the rounds. Only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]

import receiving  # noqa: E402

Finding = tuple[str, float, float | None]
"""What was compared, the ratio, and the most it may be (None: for comparison only)."""


def frames(count: int) -> Iterator[str]:
    """Frames of a session: turns of 124 events, half of them 100 ms of sound."""
    number, turns = 0, 0
    while True:
        for event in receiving.turn(turns):
            if number == count:
                return
            yield json.dumps({"event_id": f"event_{number:020}", **event})
            number += 1
        turns += 1


def compared(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """Median seconds of each, after one round that is not counted."""
    times: list[list[float]] = [[] for _ in works]
    for counted in range(rounds + 1):
        for work, seconds in zip(works, times, strict=True):
            gc.collect()
            start = time.perf_counter()
            result = work()
            seconds.append(time.perf_counter() - start)
            del result
            if not counted:
                seconds.clear()
    return [statistics.median(seconds) for seconds in times]


def resident() -> int:
    """Bytes of memory that this process has."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ---------------------------------------------------------------- the parts


def memory(count: int, rounds: int) -> list[Finding]:
    found: list[Finding] = []
    for limit, name in ((None, "in memory"), (0, "moved to a file")):
        each = json.loads(in_a_process("held", str(count), "--limit", str(limit)))
        held, wire = each["held"] / count, each["wire"] / count
        print(f"  {wire:.0f} bytes an event on the wire; with audio {name} {held:.0f} are held")
        most = (held / wire, 0.8) if limit is None else (held / 300, 1.0)
        unit = "x the wire" if limit is None else "x 300 bytes an event"
        found.append((f"memory, audio {name}: {unit}", *most))
    return found


def held(count: int, limit: int | None) -> dict[str, int]:
    import rtwidgets as rt

    warm = rt.EventLog(time.monotonic, audio_limit=0)
    for frame in frames(2000):  # what is loaded once is not the log's
        warm.append("server", frame)
    del warm
    before, wire = resident(), 0
    log = rt.EventLog(time.monotonic, audio_limit=limit)
    for frame in frames(count):
        log.append("server", frame)
        wire += len(frame)
    del frame
    return {"held": resident() - before, "wire": wire, "events": len(log)}


def columns(count: int, rounds: int) -> list[Finding]:
    import numpy as np
    import pandas as pd

    import rtwidgets as rt

    log = rt.EventLog(time.monotonic, audio_limit=0)
    for frame in frames(count):
        log.append("server", frame)
    arrays = log.columns()
    found: list[Finding] = []

    def against(name: str, most: float | None, theirs: Any, ours: Any, times: int = 1) -> None:
        base, mine = compared(rounds * times, theirs, ours)
        found.append((name, mine / base, most))

    codes = {name: code for code, name in enumerate(arrays.type_names)}
    for kind in ("response.done", "response.output_audio.delta"):
        code = np.uint32(codes[kind])
        name = f"where(type={kind!r}) x numpy's comparison"
        against(name, 10.0, lambda c=code: arrays.type == c, lambda k=kind: log.where(type=k), 20)
    deltas = log.where(type="*.delta")
    own = deltas.columns().type
    code = np.uint32(codes["response.output_audio_transcript.delta"])
    name = "the same of a view x numpy's comparison"
    chosen = "response.output_audio_transcript.delta"
    against(name, None, lambda: own == code, lambda: deltas.where(type=chosen), 20)

    # What is searched: all frames, without their audio.
    text = "\n".join(log._texts.text(seq) for seq in range(len(log))).encode()
    for words in ("event_00000000000000001234", "Word17", "not in there"):
        needle = b"\0" + words.encode()  # nowhere: bytes.find reads all, as the log must
        name = f"where(text={words!r}) x bytes.find"
        against(name, 5.0, lambda n=needle: text.find(n), lambda w=words: log.where(text=w))

    plain = {name: values.tolist() for name, values in log.to_dataframe().items()}
    name = "to_dataframe() x a DataFrame from plain lists"
    against(name, 1.0, lambda: pd.DataFrame(plain), log.to_dataframe)
    whole = {**plain, "summary": [row.summary for row in log]}
    name = "to_dataframe(summary=True), every frame parsed, x the same"
    against(name, None, lambda: pd.DataFrame(whole), lambda: log.to_dataframe(summary=True))
    return found


def files(count: int, rounds: int) -> list[Finding]:
    import rtwidgets as rt

    found: list[Finding] = []
    words = [frame for frame in frames(count) if len(frame) < 3000]
    for name, some in (("with audio", list(frames(count // 4))), ("words alone", words)):
        log = rt.EventLog(time.monotonic, audio_limit=None)
        for frame in some:
            log.append("server", frame)
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = f"{folder}/ours.jsonl", f"{folder}/theirs.jsonl"

            def raw(path: str = theirs, some: list[str] = some) -> None:
                with open(path, "w", encoding="utf-8") as file:
                    for frame in some:
                        file.write(frame)
                        file.write("\n")

            def parsed(path: str = ours) -> None:
                with open(path, encoding="utf-8") as file:
                    for line in file:
                        json.loads(line)

            base, mine = compared(rounds, raw, lambda log=log, ours=ours: log.to_jsonl(ours))
            found.append((f"to_jsonl(), {name}, x writing the raw text", mine / base, 2.0))
            base, mine = compared(rounds, parsed, lambda ours=ours: rt.EventLog.from_jsonl(ours))
            found.append((f"from_jsonl(), {name}, x json.loads on each line", mine / base, 2.5))
    return found


BEFORE = "import time, ipykernel, ipywidgets; start = time.perf_counter();"
AFTER = "; print((time.perf_counter() - start) * 1000)"
IMPORTS = {
    "anywidget and websockets": "import anywidget, websockets.asyncio.client",
    "rtwidgets": "import rtwidgets",
    "rtwidgets, all that a chat needs": (
        "import rtwidgets as rt; rt.RealtimeChat, rt.Session, rt.EventTable; "
        "import websockets.asyncio.client"
    ),
}


def imports(count: int, rounds: int) -> list[Finding]:
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds + 2):
        for name, statement in IMPORTS.items():
            command = [sys.executable, "-c", BEFORE + statement + AFTER]
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, cwd=HERE.parent.parent
            )
            times[name].append(float(done.stdout))
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}
    for name, took in medians.items():
        print(f"  import {name}: {took:.0f} ms")
    allowed = medians["anywidget and websockets"] + 60
    chat = medians["rtwidgets, all that a chat needs"]
    return [
        (
            "import rtwidgets x (anywidget and websockets + 60 ms)",
            medians["rtwidgets"] / allowed,
            1,
        ),
        ("all that a chat needs, loaded when first used, x the same", chat / allowed, None),
    ]


def received(count: int, rounds: int) -> list[Finding]:
    took = receiving.compare(max(1, count // 500), rounds, list(receiving.CLIENTS))
    found: list[Finding] = [
        (f"receiving, {name}: x bare websockets and json.loads", took[name] / took["bare"], 2.0)
        for name in ("log", "session")
    ]
    if "openai" in took:
        share = 3 * took["session"] / took["openai"]
        found.append(("receiving, session: x a third of openai's client", share, 1.0))
    return found


# ---------------------------------------------------------------- an hour


def hour(count: int, rounds: int, minutes: int = 59) -> list[Finding]:
    return asyncio.run(conversation_of(minutes))


async def conversation_of(minutes: int) -> list[Finding]:
    """Somebody speaks every ten seconds and is answered; the microphone is always on."""
    import numpy as np

    import rtwidgets as rt

    chance, ten = np.random.default_rng(0), 24_000 * 10
    speech = np.where(np.arange(ten) < ten * 0.15, chance.normal(0, 4000, ten), 0)
    pcm = (speech + chance.normal(0, 20, ten)).clip(-32768, 32767).astype("<i2")
    endpoint, held = rt.Simulated("typical", where="memory"), []
    async with rt.AsyncSession(endpoint, timeout=3600, reconnect=False) as session:
        session.subscribe(seen := Seen())
        start = len(session.log)
        for _ in range(minutes * 6):
            await session.hear(pcm, reply=False)
            held.append(resident())
        log, conversation = session.log, session.conversation
    heard = log.where(type="input_audio_buffer.append")
    early, late = held[len(held) // 3], held[-1]
    came = int(log[start:].columns().audio_bytes[-len(log) * 2 // 3 :].sum())
    print(f"  {minutes} minutes, {len(log)} events, {len(conversation.responses)} responses")
    print(f"  memory after a third {early >> 20} MiB, at the end {late >> 20} MiB", end=", ")
    print(f"while {came >> 20} MiB of sound came")
    sent = sum(row.audio_bytes for row in heard)
    lost = abs(sent - minutes * 6 * 2 * ten) + (len(log) - start - seen.count)
    with tempfile.TemporaryDirectory() as folder:
        log.to_jsonl(f"{folder}/hour.jsonl")
        again = rt.EventLog.from_jsonl(f"{folder}/hour.jsonl")
    differing = sum(one.raw != other.raw for one, other in zip(log, again, strict=True))
    differing += state_of(rt.Conversation.of(again)) != state_of(conversation)
    return [
        ("an hour: memory that it grew by x a tenth of the sound", (late - early) * 10 / came, 1.0),
        ("an hour: bytes of sound and events lost", lost, 0),
        ("an hour: frames and states that differ after the export", differing, 0),
    ]


class Seen:
    """Counts the rows that a listener is told of."""

    count = 0

    def __call__(self, row: Any) -> None:
        self.count += 1


def state_of(conversation: Any) -> Any:
    """All that a conversation says."""
    items = [
        (vars(item) | {"content": [vars(p) for p in item.content]}) for item in conversation.items
    ]
    responses = [
        vars(response) | {"items": response.item_ids}
        for response in conversation.responses.values()
    ]
    return items, responses, conversation.usage, conversation.session, conversation.errors


# ---------------------------------------------------------------- running


PARTS: dict[str, Callable[[int, int], list[Finding]]] = {
    "receiving": received, "memory": memory, "columns": columns, "files": files,
    "imports": imports, "hour": hour,
}  # fmt: skip


def in_a_process(*arguments: str) -> str:
    command = [sys.executable, str(HERE), "--inside", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def inside(given: argparse.Namespace) -> None:
    """One part, in this process; its findings are the last line."""
    part, *rest = given.parts
    if part == "held":
        limit = None if given.limit == "None" else int(given.limit)
        print(json.dumps(held(int(rest[0]), limit)))
    elif part == "hour":
        print(json.dumps(hour(given.events, given.rounds, given.minutes)))
    else:
        print(json.dumps(PARTS[part](given.events, given.rounds)))


def main() -> int:
    parser = argparse.ArgumentParser(description="The event log beside what it is made of.")
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=int, default=59, help="of the hour")
    parser.add_argument("--check", action="store_true", help="fail where one is over")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--limit", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given)
        return 0
    over = 0
    for part in given.parts or PARTS:
        options = [f"--{name}={getattr(given, name)}" for name in ("events", "rounds", "minutes")]
        *said, last = in_a_process(part, *options).strip().split("\n")
        print(f"\n{part}", *said, sep="\n")
        for name, ratio, most in json.loads(last):
            verdict = "" if most is None else "ok" if ratio <= most else "OVER"
            over += verdict == "OVER"
            print(
                f"  {name:66} {ratio:7.2f}  {'' if most is None else f'<= {most:<4g}':8}{verdict}"
            )
    return 1 if given.check and over else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True) if isinstance(
        sys.stdout, io.TextIOWrapper
    ) else None
    raise SystemExit(main())
