"""Receiving a session as fast as the socket gives it: CPU an event, side by side in one run.

A server in a process of its own sends turns as the real one does (6 s of speech in 100 ms deltas,
transcripts, items, usage); each client takes all of it, a fresh process each, one after the other.

    python benchmarks/receiving.py                  medians of five rounds, 200 turns
    python benchmarks/receiving.py --check          fail unless the session costs at most 2.0 x bare

    bare      `websockets` and `json.loads`, nothing kept: what any client has to do
    log       the same with rtwidgets' log and conversation in place of `json.loads`
    session   rtwidgets.AsyncSession: the lossless log, the conversation's state, the money
    openai    openai's own client, its events kept in a list (where it is installed)

Only the ratios mean anything on another machine.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
KEY = "sk-test-not-a-key"
GO = json.dumps({"type": "response.create"})
END = "the.end"
MOST = 2.0
SESSION = {
    "type": "realtime", "object": "realtime.session", "id": "sess_bench", "model": "gpt-realtime",
    "output_modalities": ["audio"], "instructions": "Be brief.", "tools": [], "tool_choice": "auto",
    "audio": {"input": {"turn_detection": None}, "output": {"voice": "marin"}},
}  # fmt: skip


# ---------------------------------------------------------------- the server


def speech(milliseconds: int) -> bytes:
    """PCM16 that is as hard to compress and to copy as speech is."""
    random = np.random.default_rng(0)
    return (random.standard_normal(24 * milliseconds) * 3000).astype("<i2").tobytes()


def turn(number: int) -> Iterator[dict[str, Any]]:
    """The events of one spoken question and its answer, 6 s long."""
    asked, item, response = f"item_q{number:018}", f"item_a{number:018}", f"resp_{number:018}"
    where = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    about = {"object": "realtime.response", "id": response, "conversation_id": "conv_benchmark"}
    user = {"id": asked, "type": "message", "role": "user", "status": "completed", "content": []}
    answer = {"id": item, "type": "message", "role": "assistant", "content": []}
    usage = {
        "total_tokens": 500, "input_tokens": 300, "output_tokens": 200,
        "input_token_details": {"text_tokens": 100, "audio_tokens": 200, "cached_tokens": 64},
        "output_token_details": {"text_tokens": 40, "audio_tokens": 160},
    }  # fmt: skip
    heard = "conversation.item.input_audio_transcription"
    sound = base64.b64encode(speech(100)).decode()
    yield {"type": "input_audio_buffer.speech_started", "item_id": asked, "audio_start_ms": 0}
    yield {"type": "input_audio_buffer.speech_stopped", "item_id": asked, "audio_end_ms": 900}
    yield {"type": "input_audio_buffer.committed", "item_id": asked}
    yield {"type": "conversation.item.added", "item": user}
    yield {"type": "conversation.item.done", "item": user}
    yield {"type": "response.created", "response": {**about, "status": "in_progress", "output": []}}
    for piece in range(8):
        yield {
            "type": f"{heard}.delta",
            "item_id": asked,
            "content_index": 0,
            "delta": f" w{piece}",
        }
    yield {"type": "response.output_item.added", "response_id": response, "item": answer}
    yield {"type": "conversation.item.added", "previous_item_id": asked, "item": answer}
    yield {"type": "response.content_part.added", **where, "part": {"type": "audio"}}
    for piece in range(60):
        if piece < 40:
            words = {"delta": f" word{piece}", "obfuscation": "8fKq2Lm1Xc"}
            yield {"type": "response.output_audio_transcript.delta", **where, **words}
        yield {"type": "response.output_audio.delta", **where, "delta": sound}
    yield {"type": "response.output_audio.done", **where}
    yield {"type": "response.output_audio_transcript.done", **where, "transcript": "words " * 40}
    yield {"type": "response.content_part.done", **where, "part": {"type": "audio"}}
    yield {"type": "conversation.item.done", "item": {**answer, "status": "completed"}}
    yield {"type": "response.output_item.done", "response_id": response, "item": answer}
    ended = {**about, "status": "completed", "output": [answer], "usage": usage}
    yield {"type": "response.done", "response": ended}
    yield {"type": "rate_limits.updated", "rate_limits": []}


async def serve(turns: int) -> None:
    from websockets.asyncio.server import ServerConnection
    from websockets.asyncio.server import serve as listen

    events = [event for number in range(turns) for event in turn(number)]
    frames = [json.dumps({"event_id": f"event_{n:020}", **event}) for n, event in enumerate(events)]

    async def session(line: ServerConnection) -> None:
        await line.send(json.dumps({"type": "session.created", "session": SESSION}))
        async for asked in line:
            if json.loads(asked)["type"] == "session.update":
                await line.send(json.dumps({"type": "session.updated", "session": SESSION}))
            else:
                for frame in frames:
                    await line.send(frame)
                await line.send(json.dumps({"type": END, "event_id": "event_end"}))

    async with listen(session, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], len(frames), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# ---------------------------------------------------------------- the clients: CPU seconds of each


async def bare(port: int) -> float:
    from websockets.asyncio.client import connect

    url = f"ws://127.0.0.1:{port}/"
    async with connect(url, compression=None, max_size=None, proxy=None) as line:
        await line.recv()
        start = clock()
        await line.send(GO)
        while json.loads(await line.recv())["type"] != END:
            pass
        return time.process_time() - start


async def log(port: int) -> float:
    from websockets.asyncio.client import connect

    import rtwidgets as rt

    url = f"ws://127.0.0.1:{port}/"
    events, conversation = rt.EventLog(time.monotonic), rt.Conversation()
    async with connect(url, compression=None, max_size=None, proxy=None) as line:
        await line.recv()
        start = clock()
        await line.send(GO)
        while True:
            row = events.append("server", await line.recv())
            conversation.receive(row.event or {})
            if row.type == END:
                return time.process_time() - start


async def session(port: int) -> float:
    import rtwidgets as rt

    async with rt.AsyncSession(rt.Endpoint(f"ws://127.0.0.1:{port}/"), timeout=300) as s:
        start = clock()
        await s.send(GO)
        await s.wait_for(END)
        return time.process_time() - start


async def openai(port: int) -> float:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=KEY, websocket_base_url=f"ws://127.0.0.1:{port}")
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.recv()
        kept = []
        start = clock()
        await connection.send({"type": "response.create"})
        while True:
            kept.append(await connection.recv())
            if kept[-1].type == END:
                return time.process_time() - start


def clock() -> float:
    gc.collect()
    return time.process_time()


CLIENTS: dict[str, Callable[[int], Any]] = {
    "bare": bare, "log": log, "session": session, "openai": openai,
}  # fmt: skip


# ---------------------------------------------------------------- the comparison


def measured(client: str, port: int) -> float | None:
    """CPU seconds in a process of its own, None where the client cannot run here."""
    command = [sys.executable, __file__, "--client", client, "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{client} does not run here: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return float(done.stdout)


def compare(turns: int, rounds: int, clients: list[str]) -> dict[str, float]:
    """Median CPU seconds an event of each client."""
    command = [sys.executable, __file__, "--serve", str(turns)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as server:
        assert server.stdin and server.stdout
        port, count = map(int, server.stdout.readline().split())
        times: dict[str, list[float]] = {}
        for _ in range(rounds):
            for client in clients:
                seconds = measured(client, port)
                if seconds is not None:
                    times.setdefault(client, []).append(seconds / count)
        server.stdin.close()
    print(f"{count} events, {rounds} rounds; CPU an event")
    return {client: statistics.median(each) for client, each in times.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU an event while receiving, side by side.")
    parser.add_argument("clients", nargs="*", default=list(CLIENTS), help="which, by name")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help=f"fail above {MOST} x bare")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.serve))
        return 0
    if given.client:
        print(asyncio.run(CLIENTS[given.client](given.port)))
        return 0
    found = compare(given.turns, given.rounds, given.clients)
    for client, seconds in found.items():
        print(f"  {client:8} {seconds * 1e6:7.1f} us  {seconds / found['bare']:5.2f} x bare")
    return 1 if given.check and found["session"] > MOST * found["bare"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
