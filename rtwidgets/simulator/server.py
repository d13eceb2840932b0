"""The simulator as a server: HTTP and WebSocket on one port of this machine.

    GET  /                              what this is and how to point a client at it
    GET  /status.json                   how many sessions, how late they are served
    GET  /v1/realtime?model=…           WebSocket, one engine a connection
    POST /v1/realtime/client_secrets    an ek_… bound to a session's configuration

It listens on loopback only and wants a key. As the real server does, it accepts
the WebSocket even for a wrong key or model, sends the error and closes with the
real code (errors.jsonl is the witness); `handshake_errors=True` answers HTTP 401
and 404 instead. A page in a browser is another matter: see `Gate`.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import logging
import socket
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import tornado.httpserver
import tornado.web
import tornado.websocket

from . import models, refusals, sessions
from .access import Refused
from .engine import DROPPED, Engine
from .ids import random_ids
from .jobs import Job, Result
from .pages import SERVER_NAME, BetaSessions, ClientSecrets, NotHere, Status, StatusPage
from .refusals import Refusal
from .simulation import Simulation, check_model

Json = dict[str, Any]

_log = logging.getLogger(__name__)

LARGEST_FRAME = 16 * 1024 * 1024  # the 15 MiB of an append, and its JSON
MOST_SESSIONS = 512
MOST_UNSENT_BYTES = 64 * 1024 * 1024  # a client that does not read is dropped here


class RealtimeSocket(tornado.websocket.WebSocketHandler):
    """One connection: frames to its engine, its engine's events to the client."""

    def initialize(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.engine: Engine | None = None
        self._refusal: tuple[Refusal, int, str] | None = None
        self._unsent = 0
        self._wakes: list[float] = []  # when the ticker will come by, the earliest first
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
            refusal, code, _ = self._refusal
            by_code = {"invalid_model": 404}
            self._deny(401 if code == 3000 else by_code.get(refusal.code or "", 400), refusal)

    def _deny(self, status: int, refusal: Refusal) -> None:
        self.set_status(status)
        self.finish({"error": refusal.error()})

    def _judge(self) -> tuple[Refusal, int, str] | None:
        """Why the real server would close this connection at once, with code and reason."""
        try:
            self._configuration = self.simulation.gate.check(self.request.headers)
            self._model, self._intent = self._asked_for()
            self._check_configuration()
        except Refused as refused:
            return Refusal(str(refused), refused.code), 3000, _reason(refused.code)
        except Refusal as refusal:
            return refusal, 4000, _reason(refusal.code)
        return None

    def _check_configuration(self) -> None:
        """A client secret opens only a session of the kind and model it was made for."""
        if self._configuration:
            fresh = models.new_session(self._intent, self._model, random_ids(), 0)
            sessions.merged(fresh, self._configuration)

    def _asked_for(self) -> tuple[str, str]:
        """(model, intent) of the address. Raises Refusal as the real server closes."""
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if "realtime=v1" in self.request.headers.get("OpenAI-Beta", "") or "beta" in offered:
            raise refusals.beta_is_over()
        query = parse_qs(urlsplit(self.request.uri or "").query)
        bound = self._configuration or {}
        model = query.get("model", [bound.get("model", "")])[0]
        intent = query.get("intent", [bound.get("type", "")])[0]
        if intent == "transcription":
            if "model" in query:
                raise refusals.model_in_transcription()
            return "", "transcription"
        if not model:
            raise refusals.missing_model()
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
        make = self.simulation.engine
        self.engine = make(self._model, self._intent, self._now(), self._configuration)
        self._serve()

    def on_message(self, message: str | bytes) -> None:
        if self.engine is not None and not self._ended:
            self.engine.receive(message, self._now())
            self._serve()

    def on_close(self) -> None:
        self._ended = True
        self.engine = None  # the ticker may hold on to this object for a while
        self.simulation.sessions.discard(self)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _serve(self) -> None:
        """One round, in which a fault of ours ends this session and no other."""
        if self.engine is None or self._ended:
            return
        try:
            self._round(self.engine)
        except Exception:
            _log.exception("the simulator failed in a session")
            self._ended = True
            self.close(1011, "server_error")

    def _round(self, engine: Engine) -> None:
        """Send what is due, do or start the jobs that are open, come back when more is due."""
        jobs: list[Job] | None = None
        while jobs != []:  # what is done at once may have brought more
            now = self._now()
            for event in engine.take(now):
                self._send(event)
            if engine.closing is not None:
                self._ended = True
                return self._break() if engine.closing == DROPPED else self.close(*engine.closing)
            jobs = engine.take_jobs()
            for job in jobs:
                self._start(engine, job)
        self._wake_at(engine.due())

    def _break(self) -> None:
        """End as a broken line does, without the close that a client could wait for."""
        if self.ws_connection is not None:
            self.ws_connection._abort()

    def _wake_at(self, due: float | None) -> None:
        if due is None or (self._wakes and self._wakes[0] <= due):
            return
        heapq.heappush(self._wakes, due)
        self.simulation.ticker.at(due, self._woken)

    def _woken(self) -> None:
        due = heapq.heappop(self._wakes)
        if not self._ended:
            self.simulation.lateness.add(self._now() - due)
        self._serve()

    def _start(self, engine: Engine, job: Job) -> None:
        wanted = partial(engine.wants, job)
        later = partial(self._later, asyncio.get_running_loop(), job)
        result = self.simulation.workers.start(job, wanted, later)
        if result is not None:
            engine.deliver(job, result, self._now())

    def _later(self, loop: asyncio.AbstractEventLoop, job: Job, result: Result) -> None:
        """On another thread: hand over to the loop what came of a job."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            loop.call_soon_threadsafe(self._deliver, job, result)

    def _deliver(self, job: Job, result: Result) -> None:
        if self.engine is not None and not self._ended:
            self.engine.deliver(job, result, self._now())
            self._serve()

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


def _reason(code: str | None) -> str:
    """The words of the close, captured: the error's type, and its code where it has one."""
    return f"{refusals.REQUEST_ERROR}.{code}" if code else refusals.REQUEST_ERROR


class Doorway(RealtimeSocket):
    """/v1/realtime: a WebSocket, or for a person's browser a hint where to look."""

    async def get(self, *args: Any, **kwargs: Any) -> None:
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            self.set_status(426)
            self.set_header("Upgrade", "websocket")
            self.finish("This address takes WebSockets only; see / for how to use it.\n")
            return
        await super().get(*args, **kwargs)

    def post(self) -> None:
        """The beta's way to begin a WebRTC call: captured as HTTP 400."""
        self._deny(400, refusals.beta_is_over())


def application(simulation: Simulation) -> tornado.web.Application:
    shared = {"simulation": simulation}
    return tornado.web.Application(
        [
            (r"/", StatusPage, shared),
            (r"/status.json", Status, shared),
            (r"/v1/realtime", Doorway, shared),
            (r"/v1/realtime/client_secrets", ClientSecrets, shared),
            (r"/v1/realtime/sessions", BetaSessions, shared),
        ],
        default_handler_class=NotHere,
        default_handler_args=shared,
        websocket_max_message_size=LARGEST_FRAME,
        log_function=lambda handler: None,
    )


def listen(
    simulation: Simulation, host: str, port: int
) -> tuple[tornado.httpserver.HTTPServer, int]:
    """Start listening on the running loop; returns the server and its port.

    Raises OSError when the port is taken.
    """
    listener = socket.create_server((host, port), backlog=MOST_SESSIONS)
    listener.setblocking(False)
    server = tornado.httpserver.HTTPServer(
        application(simulation), max_buffer_size=2 * LARGEST_FRAME
    )
    server.add_sockets([listener])
    return server, listener.getsockname()[1]
