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

import socket
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import tornado.httpserver
import tornado.iostream
import tornado.web

from . import models, refusals, sessions
from .access import Refused, offered
from .connection import Connection
from .ids import random_ids
from .line import LARGEST_MESSAGE, Line, handshake, take_over
from .pages import SERVER_NAME, BetaSessions, ClientSecrets, NotHere, Polite, Status, StatusPage
from .refusals import Refusal
from .simulation import Simulation, check_model

Json = dict[str, Any]

LARGEST_BODY = 1024 * 1024  # of an HTTP request: a session's configuration
LARGEST_HEAD = 32 * 1024  # and its lines before
MOST_SESSIONS = 512
MOST_WAITING = 256  # connections that are not (yet) a session
MOST_REFUSED = 64  # that were let in only to be told why they are not
LARGEST_OF_REFUSED = 4096  # bytes of a message from those: all they are to send is their close
HANDSHAKE_SECONDS = 10.0  # for a request to come whole
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"


class Doorway(Polite):
    """/v1/realtime: a WebSocket, or for a person's browser a hint where to look."""

    _refusal: tuple[Refusal, int, str] | None = None

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
        if self.request.method != "GET":
            return
        self._refusal = self._judge()
        if self._refusal and self.simulation.refused >= MOST_REFUSED:
            return self._deny(429, self._refusal[0])
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
        beta = "realtime=v1" in self.request.headers.get("OpenAI-Beta", "")
        if beta or BETA_SUBPROTOCOL in offered(self.request.headers):
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

    async def get(self) -> None:
        """Answer the handshake, and let the connection go on as a WebSocket."""
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            self.set_status(426)
            self.set_header("Upgrade", "websocket")
            self.finish("This address takes WebSockets only; see / for how to use it.\n")
            return
        key = self.request.headers.get("Sec-WebSocket-Key", "")
        if not key or self.request.headers.get("Sec-WebSocket-Version") != "13":
            self.set_status(400)
            self.set_header("Sec-WebSocket-Version", "13")
            self.finish("The WebSocket handshake lacks its key, or is not of version 13.\n")
            return
        connection = self._connection()
        largest = LARGEST_OF_REFUSED if self._refusal else LARGEST_MESSAGE
        connection.line = Line(connection, handshake(key, self._answer_headers()), largest)
        await take_over(self.detach(), connection.line)

    def _answer_headers(self) -> dict[str, str]:
        """A subprotocol only when offered: clients refuse one that they did not ask for."""
        headers = {"Server": SERVER_NAME}
        if "realtime" in offered(self.request.headers):
            headers["Sec-WebSocket-Protocol"] = "realtime"
        return headers

    def _connection(self) -> Connection:
        if self._refusal is None:
            make = self.simulation.engine
            engine = partial(make, self._model, self._intent, self._configuration)
            return Connection(self.simulation, engine)
        refusal, code, reason = self._refusal
        event_id = random_ids()("event_", 21)
        error = {"type": "error", "event_id": event_id, "error": refusal.error()}
        return Connection(self.simulation, None, (error, code, reason))

    def post(self) -> None:
        """The beta's way to begin a WebRTC call: captured as HTTP 400."""
        self._deny(400, refusals.beta_is_over())


def _reason(code: str | None) -> str:
    """The words of the close, captured: the error's type, and its code where it has one."""
    return f"{refusals.REQUEST_ERROR}.{code}" if code else refusals.REQUEST_ERROR


class Entrance(tornado.httpserver.HTTPServer):
    """Of those who have connected and ask for nothing, so many stay; the oldest makes room.

    So whoever floods or stalls turns away only others that stall: a client that means it is
    through in milliseconds.
    """

    def initialize(self, *args: Any, **options: Any) -> None:
        self._waiting: list[tornado.iostream.IOStream] = []
        super().initialize(*args, **options)

    def handle_stream(self, stream: tornado.iostream.IOStream, address: Any) -> None:
        self._waiting = [one for one in self._waiting if not one.closed()]
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.pop(0).close()
        self._waiting.append(stream)
        super().handle_stream(stream, address)


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
    server = Entrance(
        application(simulation),
        max_buffer_size=LARGEST_BODY,
        max_header_size=LARGEST_HEAD,
        idle_connection_timeout=HANDSHAKE_SECONDS,
        body_timeout=HANDSHAKE_SECONDS,
    )
    server.add_sockets([listener])
    return server, listener.getsockname()[1]
