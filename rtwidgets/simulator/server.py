"""The simulator as a server: HTTP and WebSocket on one port of this machine.

    GET  /                              what this is and how to point a client at it
    GET  /v1/realtime?model=…           WebSocket, one engine a connection
    POST /v1/realtime/client_secrets    an ek_… bound to a session's configuration

It listens on loopback only and wants a key. As the real server does, it accepts
the WebSocket even for a wrong key or model, sends the error and closes with the
real code (errors.jsonl is the witness); `handshake_errors=True` answers HTTP 401
and 404 instead. A page in a browser is another matter: see `Gate`.
"""

from __future__ import annotations

import asyncio
import heapq
import html
import json
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

from . import models, refusals, schema, sessions
from .access import Gate, Refused, presented_key
from .engine import Engine
from .ids import random_ids
from .jobs import Answer, Brain, Job, Think
from .latency import Latency
from .refusals import Refusal
from .speech import Speaker

Json = dict[str, Any]

SERVER_NAME = "rtwidgets-simulator"
LARGEST_FRAME = 16 * 1024 * 1024  # the 15 MiB of an append, and its JSON
MOST_SESSIONS = 512
MOST_UNSENT_BYTES = 64 * 1024 * 1024  # a client that does not read is dropped here
TICK = 0.005  # what is due within one tick is sent together


@dataclass
class Simulation:
    """What all connections of one server share."""

    gate: Gate
    latency: Latency
    brain: Brain
    speaker: Speaker
    handshake_errors: bool = False
    session_seconds: float = models.SESSION_SECONDS
    ticker: Ticker = field(default_factory=lambda: Ticker())
    sessions: set[RealtimeSocket] = field(default_factory=set)


class Ticker:
    """One timer for all sessions: calls back whoever is due, in the order of time."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call `call` at `when` (loop time), or within one tick after."""
        self._count += 1
        heapq.heappush(self._due, (when, self._count, call))
        if self._due[0][1] == self._count:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        when = max(self._due[0][0], loop.time())
        self._timer = loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        if self._due:
            self._timer = asyncio.get_running_loop().call_at(
                max(self._due[0][0], now + TICK), self._ring
            )


class Polite(tornado.web.RequestHandler):
    """Says what it is in every answer, and answers only this machine's own names."""

    simulation: Simulation

    def initialize(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def set_default_headers(self) -> None:
        self.set_header("Server", SERVER_NAME)

    def prepare(self) -> None:
        try:
            self.simulation.gate.check_host(self.request.headers)
        except Refused as refused:
            self.fail(refused.status, refusals.Refusal(str(refused)))

    def fail(self, status: int, refusal: Refusal) -> None:
        error = refusal.error()
        del error["event_id"]  # only events have one
        self.set_status(status)
        self.finish({"error": error})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.fail(status_code, Refusal(self._reason, type="server_error"))


class StatusPage(Polite):
    """What this is, for whoever opens the address in a browser. Never shows the key."""

    def get(self) -> None:
        address = html.escape(f"ws://{self.request.host}/v1/realtime")
        listed = ", ".join(models.REALTIME_MODELS)
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.finish(
            _PAGE.format(
                address=address,
                models=listed,
                sessions=len(self.simulation.sessions),
                latency=self.simulation.latency.name,
            )
        )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>rtwidgets simulator</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:3em auto;padding:0 1em}}
code,pre{{background:#8882;padding:.1em .3em;border-radius:3px}}pre{{padding:1em;overflow:auto}}
</style></head><body>
<h1>rtwidgets simulator</h1>
<p>This is <b>not</b> OpenAI. It is a simulator of the Realtime service that runs on this machine,
speaks its protocol, costs nothing and sends nothing anywhere. Its session ids begin with
<code>sess_simulated_</code>.</p>
<p>Point a client at <code>{address}?model=gpt-realtime-2.1</code> with the header
<code>Authorization: Bearer KEY</code>, where KEY is the one given to
<code>rtwidgets serve --key</code>, or printed by it. With the package <code>openai</code>:</p>
<pre>client = AsyncOpenAI(api_key=KEY, websocket_base_url="{address}".removesuffix("/realtime"))
async with client.realtime.connect(model="gpt-realtime-2.1") as connection: ...</pre>
<p>Models: {models}. Pace: {latency}. Sessions now: {sessions}.</p>
</body></html>
"""


class NotHere(Polite):
    """Any other path, with the words of the real server's 404."""

    def prepare(self) -> None:
        super().prepare()
        if not self._finished:
            path = f"{self.request.method} {self.request.path}"
            self.fail(404, Refusal(f"Invalid URL ({path})"))


class BetaSessions(Polite):
    """POST /v1/realtime/sessions, the door of the beta: captured as HTTP 400."""

    def post(self) -> None:
        self.fail(400, beta_is_over())


class ClientSecrets(Polite):
    """POST /v1/realtime/client_secrets: a short-lived key bound to a session's configuration."""

    def post(self) -> None:
        try:
            self.simulation.gate.check(self.request.headers)
            secret = self._minted(self._body())
        except Refused as refused:
            return self.fail(refused.status, Refusal(str(refused), "invalid_api_key"))
        except Refusal as refusal:
            return self.fail(400, refusal)
        self.finish(secret)

    def _body(self) -> Json:
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError:
            raise refusals.not_json() from None
        if not isinstance(body, dict):
            raise refusals.not_an_object()
        schema.client_secret.check(body, "")
        return body

    def _minted(self, body: Json) -> Json:
        wanted = body.get("session", {"type": "realtime"})
        seconds = body.get("expires_after", {}).get("seconds", 600)
        expires_at = int(time.time()) + seconds
        new_id = random_ids()
        session_id = new_id(models.SESSION_ID_PREFIX, 21)
        if wanted["type"] == "transcription":
            session = models.transcription_session(session_id, 0)
        else:
            model = wanted.get("model", models.REALTIME_MODELS[0])
            check_model(model)
            session = models.realtime_session(model, session_id, 0)
        session = sessions.merged(session, wanted)
        value = self.simulation.gate.mint(seconds, wanted)
        return {"value": value, "expires_at": expires_at, "session": session}


class RealtimeSocket(tornado.websocket.WebSocketHandler):
    """One connection: frames to its engine, its engine's events to the client."""

    def initialize(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.engine: Engine | None = None
        self._refusal: tuple[Refusal, int, str] | None = None
        self._unsent = 0
        self._waking_at: float | None = None
        self._ended = False

    def set_default_headers(self) -> None:
        self.set_header("Server", SERVER_NAME)

    # --- the handshake

    def prepare(self) -> None:
        """Foreign pages and names are turned away before any WebSocket stands."""
        gate = self.simulation.gate
        try:
            gate.check_host(self.request.headers)
            gate.check_origin(self.request.headers)
            if len(self.simulation.sessions) >= MOST_SESSIONS:
                raise Refused(503, f"All {MOST_SESSIONS} sessions of this simulator are taken.")
        except Refused as refused:
            return self._deny(refused.status, Refusal(str(refused)))
        self._refusal = self._judge()
        if self._refusal and self.simulation.handshake_errors:
            status = 404 if self._refusal[0].code == "invalid_model" else 401
            self._deny(status if self._refusal[1] == 3000 else max(status, 400), self._refusal[0])

    def _deny(self, status: int, refusal: Refusal) -> None:
        self.set_status(status)
        self.finish({"error": refusal.error()})

    def _judge(self) -> tuple[Refusal, int, str] | None:
        """Why the real server would close this connection at once, with code and reason."""
        try:
            self._configuration = self.simulation.gate.check(self.request.headers)
            self._model, self._intent = self._asked_for()
        except Refused as refused:
            code = refused.code
            reason = refusals.REQUEST_ERROR + (f".{code}" if code else "")
            return Refusal(str(refused), code), 3000, reason
        except Refusal as refusal:
            reason = refusals.REQUEST_ERROR + (f".{refusal.code}" if refusal.code else "")
            return refusal, 4000, reason
        return None

    def _asked_for(self) -> tuple[str, str]:
        """(model, intent) of the address. Raises Refusal as the real server closes."""
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if "realtime=v1" in self.request.headers.get("OpenAI-Beta", "") or "beta" in offered:
            raise beta_is_over()
        query = parse_qs(urlsplit(self.request.uri or "").query)
        bound = (self._configuration or {}).get("model", "")
        model = query.get("model", [bound])[0]
        if query.get("intent", [""])[0] == "transcription":
            if "model" in query:
                raise model_in_transcription()
            return "", "transcription"
        if not model:
            raise missing_model()
        check_model(model)
        return model, "realtime"

    def check_origin(self, origin: str) -> bool:
        return True  # judged in prepare, where the key is known too

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Answered only when offered: clients refuse a protocol that they did not ask for."""
        return "realtime" if "realtime" in subprotocols else None

    def get_compression_options(self) -> None:
        return None  # on loopback compression costs more than it saves

    # --- the session

    def open(self, *args: str, **kwargs: str) -> None:
        if self._refusal is not None:
            refusal, code, reason = self._refusal
            new_id = random_ids()
            error = {"type": "error", "event_id": new_id("event_", 21), "error": refusal.error()}
            self._send(error)
            return self.close(code, reason)
        self.set_nodelay(True)
        self.simulation.sessions.add(self)
        self.engine = Engine(
            self._model,
            random_ids(),
            self._now(),
            latency=self.simulation.latency,
            intent=self._intent,
            wall_clock=time.time(),
            lifetime=self.simulation.session_seconds,
            configuration=self._configuration,
        )
        self._serve()

    def on_message(self, message: str | bytes) -> None:
        if self.engine is not None and not self._ended:
            self.engine.receive(message, self._now())
            self._serve()

    def on_close(self) -> None:
        self._ended = True
        self.simulation.sessions.discard(self)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _serve(self) -> None:
        """Send what is due, start the jobs that are open, and come back when more is due."""
        engine = self.engine
        if engine is None or self._ended:
            return
        for event in engine.take(self._now()):
            self._send(event)
        if engine.closing is not None:
            self._ended = True
            return self.close(*engine.closing)
        for job in engine.take_jobs():
            self._start(job)
        self._wake_at(engine.due())

    def _wake_at(self, due: float | None) -> None:
        if due is None or (self._waking_at is not None and self._waking_at <= due):
            return
        self._waking_at = due
        self.simulation.ticker.at(due, self._woken)

    def _woken(self) -> None:
        self._waking_at = None
        self._serve()

    def _start(self, job: Job) -> None:
        if isinstance(job, Think):
            return self._deliver(job, self.simulation.brain.answer(job.question))
        sound = self.simulation.speaker.submit(job.text, job.voice, job.speed)
        if sound.done():
            return self._deliver(job, sound.result())
        loop = asyncio.get_running_loop()
        sound.add_done_callback(lambda done: self._sounded(loop, job, done))

    def _sounded(self, loop: asyncio.AbstractEventLoop, job: Job, done: Future[bytes]) -> None:
        """On the speaking thread: hand the sound over to the loop."""
        try:
            loop.call_soon_threadsafe(self._deliver, job, done.result())
        except RuntimeError:
            pass  # the loop is closed: the server has ended meanwhile

    def _deliver(self, job: Job, result: Answer | bytes) -> None:
        if self.engine is not None:
            self.engine.deliver(job, result, self._now())
            # Not at once: this may run inside _serve, which is still sending.
            self.simulation.ticker.at(self._now(), self._serve)

    def _send(self, event: Json) -> None:
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        size = len(text)
        self._unsent += size
        if self._unsent > MOST_UNSENT_BYTES:
            self._ended = True
            return self.close(1013, "The client does not read what it is sent.")
        try:
            written = self.write_message(text)
        except tornado.websocket.WebSocketClosedError:
            self._ended = True
            return
        written.add_done_callback(lambda done: self._written(size, done))

    def _written(self, size: int, done: asyncio.Future[None]) -> None:
        self._unsent -= size
        if not done.cancelled() and done.exception() is not None:
            self._ended = True


def beta_is_over() -> Refusal:
    message = (
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
    )
    return Refusal(message, "beta_api_shape_disabled")


def missing_model() -> Refusal:
    message = (
        "You must provide a model parameter, for example "
        "wss://api.openai.com/v1/realtime?model=gpt-realtime-1.5"
    )
    return Refusal(message, "missing_model")


def model_in_transcription() -> Refusal:
    return Refusal("You must not provide a model parameter for transcription sessions.")


def check_model(model: str) -> None:
    if model not in models.REALTIME_MODELS:
        message = (
            f'Model "{model}" is not supported in realtime mode. '
            "See https://platform.openai.com/docs/models for a list of supported models."
        )
        raise Refusal(message, "invalid_model")


def application(simulation: Simulation) -> tornado.web.Application:
    shared = {"simulation": simulation}
    return tornado.web.Application(
        [
            (r"/", StatusPage, shared),
            (r"/v1/realtime", Doorway, shared),
            (r"/v1/realtime/client_secrets", ClientSecrets, shared),
            (r"/v1/realtime/sessions", BetaSessions, shared),
        ],
        default_handler_class=NotHere,
        default_handler_args=shared,
        websocket_max_message_size=LARGEST_FRAME,
        log_function=lambda handler: None,
    )


class Doorway(RealtimeSocket):
    """/v1/realtime: a WebSocket, or for a person's browser a hint where to look."""

    async def get(self, *args: Any, **kwargs: Any) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            self.set_status(426)
            self.set_header("Upgrade", "websocket")
            self.finish("This address takes WebSockets only; see / for how to use it.\n")
            return
        await super().get(*args, **kwargs)


def listen(
    simulation: Simulation, host: str, port: int
) -> tuple[tornado.httpserver.HTTPServer, int]:
    """Start listening on the running loop; returns the server and its port.

    Raises OSError when the port is taken.
    """
    sockets = tornado.netutil.bind_sockets(port, address=host)
    server = tornado.httpserver.HTTPServer(
        application(simulation), max_buffer_size=2 * LARGEST_FRAME
    )
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


__all__ = ["Simulation", "application", "listen", "presented_key"]
