"""The HTTP side of the server: the status page, client secrets, what is not there."""

from __future__ import annotations

import html
import time
from typing import Any

import tornado.web

from . import models, parsing, refusals, schema, sessions
from .access import Refused
from .chat import shown_url
from .ids import random_ids
from .refusals import Refusal
from .settings import Settings
from .simulation import Simulation, check_model

Json = dict[str, Any]

SERVER_NAME = "rtwidgets-simulator"


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
        if status_code == 405:
            asked = self.request.method or "", self.request.path
            return self.fail(status_code, refusals.method_not_supported(*asked))
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
                base=address.removesuffix("/realtime"),
                models=listed,
                sessions=len(self.simulation.sessions),
                latency=self.simulation.latency.name,
                sends=html.escape(_where_words_go(self.simulation.settings)),
            )
        )


def _where_words_go(settings: Settings) -> str:
    """What it costs and sends: that depends on who answers and who transcribes."""
    if settings.brain is not None or settings.transcriber is not None:
        return "and hands each conversation to code of whoever started it"
    if settings.chat_url:
        return f"and sends the words of each conversation to {shown_url(settings.chat_url)}"
    return "costs nothing and sends nothing anywhere"


class Status(Polite):
    """The same for a program: how many sessions, and how late they have been served."""

    def get(self) -> None:
        late = self.simulation.lateness.by_millisecond()
        told = {"simulator": SERVER_NAME, "sessions": len(self.simulation.sessions)}
        self.finish({**told, "latency": self.simulation.latency.name, "late_ms": late})


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>rtwidgets simulator</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:3em auto;padding:0 1em}}
code,pre{{background:#8882;padding:.1em .3em;border-radius:3px}}pre{{padding:1em;overflow:auto}}
</style></head><body>
<h1>rtwidgets simulator</h1>
<p>This is <b>not</b> OpenAI. It is a simulator of the Realtime service that runs on this machine,
speaks its protocol, {sends}. Its session ids begin with
<code>sess_simulated_</code>.</p>
<p>Point a client at <code>{address}?model=gpt-realtime-2.1</code> with the header
<code>Authorization: Bearer KEY</code>, where KEY is the one given to
<code>rtwidgets serve --key</code>, or printed by it. With the package <code>openai</code>:</p>
<pre>client = AsyncOpenAI(
    api_key=KEY,
    websocket_base_url="{base}",
)
async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
    ...</pre>
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
        self.fail(400, refusals.beta_is_over())


class ClientSecrets(Polite):
    """POST /v1/realtime/client_secrets: a short-lived key bound to a session's configuration."""

    def post(self) -> None:
        try:
            self.simulation.gate.check_origin(self.request.headers)
            self.simulation.gate.check_minting(self.request.headers)
            secret = self._minted(self._body())
        except Refused as refused:
            return self.fail(refused.status, Refusal(str(refused), refused.code))
        except Refusal as refusal:
            return self.fail(400, refusal)
        self.finish(secret)

    def _body(self) -> Json:
        try:
            body = parsing.parsed((self.request.body or b"{}").decode())
        except UnicodeDecodeError:
            raise refusals.not_json() from None
        schema.client_secret.check(body, "")
        return body

    def _minted(self, body: Json) -> Json:
        wanted = body.get("session", {"type": "realtime"})
        seconds = body.get("expires_after", {}).get("seconds", 600)
        expires_at = int(time.time()) + seconds
        model = wanted.get("model", models.REALTIME_MODELS[0])
        check_model(model)
        # Captured: the echo shows 0 where a session that stands shows when it ends.
        session = models.new_session(wanted["type"], model, random_ids(), 0)
        session = sessions.merged(session, wanted)
        value = self.simulation.gate.mint(seconds, wanted)
        return {"value": value, "expires_at": expires_at, "session": session}
