"""Before the first session stands: what will pass is waited for, what is final is told at once."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import virtual_time
from breaking import Fragile
from faulty_lines import Line, Prepare, Troubled, cut, error, event_in, struck_at, told
from refusals import EVER, FOR_GOOD, FOR_NOW, NOBODY, SILENT, by_http
from scripted import CREATED, UPDATED
from test_interrupts import SOON, press_stop, until
from websockets.asyncio.server import serve

import rtwidgets as rt
from rtwidgets import loop
from rtwidgets.log import EventLog
from rtwidgets.session.recovery import GRACE_S
from rtwidgets.session.tries import FATAL, LAST_S, LONGEST_S, PASSING
from rtwidgets.transport import OneClock, Transport, VirtualClock
from rtwidgets.widgets.chat import RealtimeChat
from rtwidgets.widgets.hints import UNSAID
from rtwidgets.widgets.narration import GIVEN_UP, NOT_YET

GREETING = rt.GeneratedGreeting("Greet the visitor.")
QUESTION = "Which is the oldest?"
BUSY = error(None, "The server had an error.")
BEFORE_A_SESSION = ("line.trying", "line.failed", "line.lost", "line.restored", "session.created")


def rows(log: EventLog) -> list[str]:
    """What became of the line, in order."""
    return [row.type for row in log if row.type in BEFORE_A_SESSION or row.type == "error"]


def tried(log: EventLog) -> list[dict[str, Any]]:
    return [row.event or {} for row in log.where(type="line.trying")]


class Opened:
    """What became of opening a session: where it failed, with what and after how long."""

    def __init__(self, *ready: Prepare | Exception, **options: Any) -> None:
        self.problem: BaseException | None = None
        self.reply: rt.Reply | None = None
        self.seconds = 0.0
        virtual_time.run(self._open(Troubled(*ready), options))

    async def _open(self, endpoint: Troubled, options: dict[str, Any]) -> None:
        self.lines = endpoint.lines
        self.session = s = rt.AsyncSession(endpoint, GREETING, **options)
        began = virtual_time.clock.now()
        try:
            async with s:
                self.seconds = virtual_time.clock.now() - began
                self.reply = await s.ask(QUESTION)
        except rt.RealtimeError as problem:
            self.problem = problem
            self.seconds = virtual_time.clock.now() - began
        self.log = s.log
        assert not s.is_open
        assert all(line.ended is not None for line in self.lines)


# ---------------------------------------------------------------- the handshake


@pytest.mark.parametrize("refused", FOR_NOW.values(), ids=FOR_NOW)
def test_what_will_pass_is_waited_for(refused: tuple[rt.ConnectFailed, ...]) -> None:
    opened = Opened(*refused)
    assert opened.problem is None and opened.reply is not None
    assert opened.reply.status == "completed"
    assert rows(opened.log) == ["line.trying"] * len(refused) + ["session.created"]
    assert [one["attempt"] for one in tried(opened.log)] == list(range(2, len(refused) + 2))
    assert [one["message"] for one in tried(opened.log)] == [str(one) for one in refused]
    asked = [item.text for item in opened.session.conversation.items if item.role == "user"]
    assert asked == [QUESTION]


@pytest.mark.parametrize("status", [status for status in PASSING if isinstance(status, int)])
def test_each_status_that_passes(status: int) -> None:
    assert rows(Opened(by_http(status)).log) == ["line.trying", "session.created"]


@pytest.mark.parametrize(
    "refused",
    [
        *(rt.ConnectFailed("No.", code=code) for code in FATAL),
        *(by_http(429, body_code=code) for code in FATAL if isinstance(code, str)),
        *(by_http(status) for status in (301, 400, 405, 501)),
        NOBODY,
    ],
    ids=repr,
)
def test_what_is_final_is_told_at_once_as_it_is(refused: rt.ConnectFailed) -> None:
    opened = Opened(refused)
    assert opened.problem is refused and opened.seconds == 0.0
    (row,) = opened.log
    assert row.event == {"type": "line.failed", "code": refused.code, "message": str(refused)}


def test_what_becomes_final_ends_it() -> None:
    opened = Opened(by_http(503), by_http(401))
    assert isinstance(opened.problem, rt.ConnectFailed) and opened.problem.code == 401
    assert "in 2 tries" in str(opened.problem) and "HTTP 401" in str(opened.problem)
    assert rows(opened.log) == ["line.trying", "line.failed"]


@pytest.mark.parametrize("what", [by_http(503), SILENT], ids=str)
def test_it_can_be_declined(what: rt.ConnectFailed) -> None:
    opened = Opened(what, reconnect=False)
    assert opened.problem is what and rows(opened.log) == ["line.failed"]


def test_an_endpoint_that_does_not_reconnect_is_not_tried_again() -> None:
    class Once(Troubled):
        reconnects = False

    async def scene() -> rt.AsyncSession:
        s = rt.AsyncSession(Once(by_http(503)))
        with pytest.raises(rt.ConnectFailed, match="503"):
            await s.open()
        return s

    assert rows(virtual_time.run(scene()).log) == ["line.failed"]


@pytest.mark.parametrize("timeout", [2.0, 30.0, 100.0])
@pytest.mark.parametrize(
    "fault", ["HTTP 503 for ever", "no answer for ever", "HTTP 429 for an hour"]
)
def test_patience_ends_with_the_timeout(fault: str, timeout: float) -> None:
    opened = Opened(*FOR_GOOD[fault], timeout=timeout)
    last, tries = FOR_GOOD[fault][0], len(tried(opened.log)) + 1
    assert isinstance(opened.problem, rt.ConnectFailed) and opened.problem.code == last.code
    assert opened.seconds <= timeout
    if fault == "HTTP 503 for ever":  # or it is given up when no pause and no try fit any more
        assert timeout - LAST_S - LONGEST_S < opened.seconds
    if tries > 1:
        assert f"in {tries} tries" in str(opened.problem)
    else:  # the whole time went into the one
        assert fault == "no answer for ever" and timeout == 2.0
    assert str(opened.problem).endswith(str(last))
    assert opened.log[-1].event == {
        "type": "line.failed", "code": last.code, "message": str(opened.problem),
    }  # fmt: skip


def test_a_server_that_needs_longer_than_others_is_given_it_by_a_longer_timeout() -> None:
    class Slow(Troubled):
        async def open(self, model: str | None = None, timeout: float = 30.0) -> Any:
            await asyncio.sleep(min(timeout, 20.0))
            if timeout < 20.0:
                raise SILENT
            return await super().open(model, timeout)

    async def scene(timeout: float) -> rt.AsyncSession:
        s = rt.AsyncSession(Slow(), timeout=timeout)
        try:
            await s.open()
        except rt.ConnectFailed as failed:
            assert failed.timed_out
        await s.close()
        return s

    assert rows(virtual_time.run(scene(60.0)).log) == ["session.created"]
    assert rows(virtual_time.run(scene(30.0)).log) == ["line.trying", "line.failed"]


def test_pauses_grow_and_are_uneven() -> None:
    pauses = [one["seconds"] for one in tried(Opened(*FOR_GOOD["HTTP 503 for ever"]).log)]
    assert max(pauses) <= LONGEST_S < sum(pauses)
    assert all(0.25 * 2**n <= one <= 0.5 * 2**n for n, one in enumerate(pauses[:5]))


def test_a_server_that_says_when_is_tried_then_or_at_the_end_of_the_time() -> None:
    assert [one["seconds"] for one in tried(Opened(by_http(429, retry_after=7.0)).log)] == [7.0]
    late = Opened(*FOR_GOOD["HTTP 429 for an hour"], timeout=10.0)
    assert [one["seconds"] for one in tried(late.log)] == [10.0 - LAST_S]
    assert isinstance(late.problem, rt.ConnectFailed) and late.problem.retry_after == 3600.0


def test_a_line_that_is_mended_honours_it_too_but_not_for_an_hour() -> None:
    async def scene() -> rt.AsyncSession:
        endpoint = Troubled(lambda _line: None, *FOR_GOOD["HTTP 429 for an hour"][:1])
        async with rt.AsyncSession(endpoint) as s:
            endpoint.lines[0].cut()
            await s.ask(QUESTION)
            return s

    first, second = tried(virtual_time.run(scene()).log)
    assert first["seconds"] < 1.0 and second["seconds"] == 8.0


# ---------------------------------------------------------------- an error in place of a session


def instead(*frames: dict[str, Any], then: Prepare | None = None) -> Prepare:
    """The server says this where a session would begin, and no more."""

    def ready(line: Line) -> None:
        def deliver(frame: str) -> Iterable[str]:
            if event_in(frame).get("type") != "session.created":
                return ()
            if then is not None:
                asyncio.get_running_loop().call_soon(then, line)
            return map(json.dumps, frames)

        line.deliver = deliver

    return ready


@pytest.mark.parametrize(
    "said",
    [
        BUSY,
        error("rate_limit_exceeded", "Slow down."),
        {"type": "error", "error": {"type": "rate_limit_exceeded", "message": "Slow down."}},
        {"type": "error", "error": {"code": 503, "message": "Slow down."}},
    ],
    ids=repr,
)
@pytest.mark.parametrize("code", [1000, 1011, 1013, None])
def test_an_error_that_passes_is_a_try_that_failed(said: dict[str, Any], code: int | None) -> None:
    opened = Opened(*[instead(said, then=cut(code))] * 2)
    assert opened.problem is None and opened.reply is not None and len(opened.lines) == 3
    assert rows(opened.log) == ["error", "line.lost", "line.trying"] * 2 + ["session.created"]
    lost = [row.event or {} for row in opened.log.where(type="line.lost")]
    assert [(one["code"], one["again"]) for one in lost] == [(code, True)] * 2
    assert "goes on" not in lost[0]["message"], "there is nothing that could"
    assert [one["attempt"] for one in tried(opened.log)] == [2, 3]
    assert all(said["error"]["message"] in one["message"] for one in tried(opened.log))
    assert rt.Conversation.of(opened.log).items


def test_behind_an_error_that_passes_a_server_need_not_hang_up() -> None:
    opened = Opened(instead(BUSY))
    assert opened.problem is None and GRACE_S < opened.seconds
    assert rows(opened.log) == ["error", "line.lost", "line.trying", "session.created"]
    assert opened.lines[0].left, "we did"


def test_nor_keep_from_beginning_a_session_all_the_same() -> None:
    opened = Opened(instead(BUSY, {**CREATED, "session": {"id": "sess_1"}}))
    assert rows(opened.log)[:2] == ["error", "session.created"] and len(opened.lines) == 1
    (failed,) = opened.log.where(type="line.failed")  # that line brings nothing else
    assert "session.updated" in (failed.event or {})["message"]


def test_each_of_thousands_of_errors_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr("rtwidgets.session.handshake.passes", lambda one: not looked.append(one))
    opened = Opened(instead(*[BUSY] * 3000))
    assert opened.problem is None and len(looked) == 3000


def test_a_try_that_fails_by_the_system_behind_one_that_passes_is_no_error_of_ours() -> None:
    opened = Opened(instead(BUSY, then=cut(1011)), OSError("No route to host."))
    assert str(opened.problem).endswith("in 2 tries. The last one: No route to host.")
    last = [row.event or {} for row in opened.log.where(type="line.lost")][-1]
    assert last["message"] == "No route to host."


@pytest.mark.parametrize("code", [code for code in FATAL if isinstance(code, str)])
def test_an_error_that_is_final_is_told_at_once(code: str) -> None:
    opened = Opened(instead(error(code, "Not you."), then=cut(1011)))
    assert isinstance(opened.problem, rt.ConnectFailed) and opened.problem.code == code
    assert str(opened.problem).startswith("The server said: Not you.")
    assert len(opened.lines) == 1 and rows(opened.log)[-1] == "line.failed"


def test_who_has_no_time_for_another_try_is_told_the_error() -> None:
    opened = Opened(instead(BUSY), timeout=3.0)
    assert isinstance(opened.problem, rt.ConnectFailed) and opened.seconds < GRACE_S
    assert str(opened.problem) == "The server said: The server had an error."


def test_so_is_any_where_that_is_declined() -> None:
    opened = Opened(instead(BUSY, then=cut(1011)), reconnect=False)
    assert str(opened.problem) == "The server said: The server had an error."
    assert len(opened.lines) == 1 and rows(opened.log)[-1] == "line.failed"


@pytest.mark.parametrize("hangs_up", [True, False])
def test_an_error_for_ever_ends_in_the_servers_words(hangs_up: bool) -> None:
    opened = Opened(*[instead(BUSY, then=cut(1013) if hangs_up else None)] * EVER)
    assert isinstance(opened.problem, rt.ConnectFailed)
    assert f"in {len(opened.lines)} tries" in str(opened.problem)
    assert str(opened.problem).endswith("The server said: The server had an error.")
    assert opened.seconds <= 30.0 + GRACE_S
    assert len(opened.log.where(type="error")) == len(opened.lines)
    assert rows(opened.log)[-1] == "line.failed"


def test_the_last_try_is_told_of_not_one_before_it() -> None:
    opened = Opened(instead(BUSY, then=cut(1011)), *[instead()] * EVER, timeout=10.0)
    assert isinstance(opened.problem, rt.ConnectFailed) and len(opened.lines) == 2
    assert "The last one: No sign of the server's session.created" in str(opened.problem)


@pytest.mark.parametrize("code", [1008, 4000])
def test_a_close_that_a_server_means_is_final(code: int) -> None:
    opened = Opened(instead(then=cut(code, "Go away.")))
    assert isinstance(opened.problem, rt.ConnectFailed) and opened.problem.code == code
    assert "Go away" in str(opened.problem) and "start again" not in str(opened.problem)
    assert rows(opened.log) == ["line.lost", "line.failed"]


def test_both_kinds_share_the_tries_and_behind_a_session_they_count_anew() -> None:
    async def scene() -> rt.AsyncSession:
        endpoint = Troubled(by_http(503), instead(BUSY, then=cut(1011)))
        async with rt.AsyncSession(endpoint) as s:
            endpoint.lines[-1].cut()
            await s.ask(QUESTION)
            return s

    log = virtual_time.run(scene()).log
    assert [one["attempt"] for one in tried(log)] == [2, 3, 1]


def test_a_server_that_begins_with_another_word_is_stayed_with() -> None:
    def updated(line: Line) -> None:
        def deliver(frame: str) -> Iterable[str]:
            return (frame.replace('"session.created"', '"session.updated"'),)

        line.deliver = deliver

    async def scene() -> rt.AsyncSession:
        endpoint = Troubled(updated, updated)
        async with rt.AsyncSession(endpoint, timeout=5.0) as s:
            await asyncio.sleep(30.0)
            assert s.is_open and len(endpoint.lines) == 1
            endpoint.lines[0].cut()
            await s.ask(QUESTION)
            return s

    assert rows(virtual_time.run(scene()).log) == ["line.lost", "line.trying", "line.restored"]


def test_nobody_listens_on_for_a_session_on_lines_that_ended_at_once() -> None:
    async def scene() -> None:
        endpoint = Troubled(lambda _line: None, *[cut(1011)] * 5)
        async with rt.AsyncSession(endpoint) as s:
            before = len(s._pump._news._listeners)
            endpoint.lines[0].cut()
            await s.ask(QUESTION, 100.0)
            assert len(endpoint.lines) == 7
            assert len(s._pump._news._listeners) == before

    virtual_time.run(scene())


def test_a_session_that_ends_with_its_first_word_stood_all_the_same() -> None:
    def struck(line: Line) -> None:
        def deliver(frame: str) -> Iterable[str]:
            if event_in(frame).get("type") == "session.created":
                asyncio.get_running_loop().call_soon(line.cut, 1011)
            return (frame,)

        line.deliver = deliver

    opened = Opened(struck, NOBODY)
    assert opened.problem is None and opened.reply is not None
    assert rows(opened.log) == [
        "session.created", "line.lost", "line.trying", "line.trying", "session.created",
        "line.restored",
    ]  # fmt: skip
    lost = opened.log.where(type="line.lost")[0].event or {}
    assert "goes on" in lost["message"]


def test_what_refuses_another_session_is_no_refusal_of_the_settings() -> None:
    lost = struck_at(cut(1011), "client", "session.update")
    opened = Opened(lost, instead(BUSY, then=cut(1013)))
    assert opened.problem is None and opened.reply is not None and len(opened.lines) == 3


def test_an_error_behind_the_session_is_no_excuse_for_a_close_that_is_meant() -> None:
    async def scene() -> None:
        endpoint = Troubled(told(BUSY))
        async with rt.AsyncSession(endpoint) as s:
            endpoint.lines[0].cut(1008)
            with pytest.raises(rt.ConnectionLost):
                await s.ask(QUESTION)
            assert len(endpoint.lines) == 1

    virtual_time.run(scene())


def test_a_replay_of_it_begins_with_the_session_that_stood() -> None:
    recorded = Opened(by_http(503), instead(BUSY, then=cut(1011))).log
    replay = rt.Replay(recorded, speed=float("inf"), clock=VirtualClock())

    async def scene() -> rt.AsyncSession:
        async with rt.AsyncSession(replay, GREETING) as s:
            await s.ask(QUESTION)
            return s

    log = asyncio.run(scene()).log
    assert rows(log) == ["session.created"]
    assert log.turns()[-1].answer == recorded.turns()[-1].answer != ""


def test_one_time_runs_from_the_first_try_on() -> None:
    clock = OneClock()
    before = clock.now()  # the wall's, a large number; a virtual clock begins at 0
    clock.follow(VirtualClock())
    assert clock.now() >= before
    opened = Opened(by_http(503))
    times = [row.t for row in opened.log]
    assert times == sorted(times) and times[0] == 0.0


# ---------------------------------------------------------------- stopped meanwhile

LATER = by_http(503, retry_after=3600.0)


class Unwilling(rt.Endpoint):
    """Refuses every connection for now. `tries`: how many there were."""

    def __init__(self) -> None:
        super().__init__("ws://localhost/v1/realtime", name="Unwilling")
        self.tries = 0

    async def open(self, model: str | None = None, timeout: float = 30.0) -> Transport:
        self.tries += 1
        raise LATER


def pausing(log: EventLog) -> Callable[[], bool]:
    return lambda: len(log.where(type="line.trying")) > 0


def left_nothing(s: rt.AsyncSession) -> bool:
    """Whether nothing of a session goes on."""
    own = [task for task in asyncio.all_tasks() if "Tries" in repr(task.get_coro())]
    return not (own or s.is_open or s._line._tasks)


def test_who_waits_for_a_row_while_it_is_tried_waits_on() -> None:
    async def scene() -> None:
        s = rt.AsyncSession(Troubled(by_http(503), by_http(503)))
        with pytest.raises(rt.Misuse):  # nobody opens it
            await s.wait_for("session.created")
        opening = asyncio.ensure_future(s.open())
        await until(pausing(s.log))
        assert not s.is_open and (await s.wait_for("session.created")).seq == 2
        await opening
        await s.close()

    virtual_time.run(scene())


def test_who_waits_for_a_row_that_never_comes_is_told_when_it_is_given_up() -> None:
    async def scene() -> None:
        s = rt.AsyncSession(Unwilling(), timeout=SOON)
        opening = asyncio.ensure_future(s.open())
        await until(pausing(s.log))
        with pytest.raises(rt.Misuse, match="closed"):
            await s.wait_for("session.created", 10 * SOON)
        with pytest.raises(rt.ConnectFailed):
            await opening

    virtual_time.run(scene())


@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_who_is_stopped_in_a_pause_is_let_go_at_once(how: str) -> None:
    async def scene() -> None:
        endpoint = Unwilling()
        s = rt.AsyncSession(endpoint, timeout=SOON)
        opening = asyncio.ensure_future(s.open())
        await until(pausing(s.log))
        began = virtual_time.clock.now()
        if how == "cancelled":
            opening.cancel()
        else:
            await s.close()
        with pytest.raises(asyncio.CancelledError if how == "cancelled" else rt.Misuse):
            await opening
        assert virtual_time.clock.now() - began < LAST_S, "it did not wait for the pause to end"
        assert left_nothing(s)
        await asyncio.sleep(2 * SOON)
        assert endpoint.tries == 1 and rows(s.log) == ["line.trying"]

    virtual_time.run(scene())


@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_a_line_that_stands_just_when_it_is_stopped_is_closed(how: str) -> None:
    """It stands, and before who waits for it is woken, it is stopped."""

    async def scene() -> None:
        closing: list[asyncio.Future[None]] = []

        class Stopping(Troubled):
            async def open(self, model: str | None = None, timeout: float = 30.0) -> Any:
                line = await super().open(model, timeout)
                if how == "cancelled":
                    asyncio.get_running_loop().call_soon(opening.cancel)
                else:
                    closing.append(asyncio.ensure_future(s.close()))
                    await asyncio.sleep(0)
                return line

        endpoint = Stopping(by_http(503))
        s = rt.AsyncSession(endpoint)
        opening = asyncio.ensure_future(s.open())
        with pytest.raises(asyncio.CancelledError if how == "cancelled" else rt.Misuse):
            await opening
        await asyncio.gather(*closing)
        assert endpoint.lines[0].ended is not None and left_nothing(s)
        assert not s.log.where(direction="server"), "nothing was taken from it"

    virtual_time.run(scene())


def test_a_cell_that_is_stopped_in_a_pause() -> None:
    endpoint = Unwilling()
    s = rt.Session(endpoint, timeout=SOON)
    press_stop(pausing(s.log))
    with pytest.raises(KeyboardInterrupt):
        s.open()

    async def over() -> None:
        await until(lambda: left_nothing(s.asynchronous))

    loop.run(over(), SOON)
    assert endpoint.tries == 1 and not s.is_open


# ---------------------------------------------------------------- the chat


def test_a_chat_says_what_keeps_it_and_begins() -> None:
    there, why = asyncio.Event(), rt.ConnectFailed("localhost is full: try again later.", code=503)
    chat = RealtimeChat(endpoint=Fragile(why, there), opening=GREETING)
    chat.start()
    session = chat.session
    assert session is not None
    loop.run(until(pausing(session.log)), SOON)
    (line,) = chat._presenter._transcript.lines()
    assert (line.text, line.state) == (f"{NOT_YET} {why}", "notice")
    assert "Connecting" in repr(chat)
    loop.shared_loop().call_soon_threadsafe(there.set)
    chat.wait(SOON)
    assert "Connected" in repr(chat)
    assert [one.speaker for one in chat._presenter._transcript.lines()] == ["notice", "assistant"]
    chat.stop()


def test_a_chat_that_is_stopped_while_it_tries_says_that_it_tries_no_more() -> None:
    why = rt.ConnectFailed("localhost is full: try again later.", code=503)
    chat = RealtimeChat(endpoint=Fragile(why, asyncio.Event()), opening=GREETING)
    chat.start()
    session = chat.session
    assert session is not None
    loop.run(until(pausing(session.log)), SOON)
    chat.stop()
    said = [line.text for line in chat._presenter._transcript.lines()]
    assert said == [f"{NOT_YET} {why}", GIVEN_UP]
    assert "Ended" in repr(chat)


@pytest.mark.parametrize(
    "ready",
    [by_http(503), instead(then=cut(1013)), instead(BUSY, then=cut(1011))],
    ids=["HTTP", "close", "error"],
)
def test_a_chat_that_gives_up_says_so_once(ready: Any) -> None:
    chat = RealtimeChat(endpoint=Troubled(*[ready] * EVER), opening=GREETING)
    chat.start()
    session = chat.session
    assert session is not None
    loop.run(until(pausing(session.log)), SOON)
    chat.say(QUESTION)
    session.asynchronous._pump.tries._until = 0.0  # the time is over
    chat.wait(SOON)
    assert chat._presenter._transcript.lines()[-1].text == UNSAID.format(QUESTION)
    errors = [line.text for line in chat._presenter._transcript.lines() if line.state == "error"]
    errors = [one for one in errors if one != BUSY["error"]["message"]]  # which stands there too
    tries = len(tried(session.log)) + 1
    (said,) = errors
    assert said.startswith(f"No session came to stand in {tries} tries")
    assert "Not connected" in repr(chat) and not session.is_open


def test_stop_in_a_chat_ends_the_tries() -> None:
    endpoint = Unwilling()
    chat = RealtimeChat(endpoint=endpoint)
    chat.start()
    session = chat.session
    assert session is not None
    loop.run(until(pausing(session.log)), SOON)
    chat.stop()

    async def over() -> None:
        await until(lambda: left_nothing(session.asynchronous))

    loop.run(over(), SOON)
    assert "Ended" in repr(chat) and endpoint.tries == 1
    chat.wait(SOON)
    assert rows(session.log) == ["line.trying"]


# ---------------------------------------------------------------- a real server


class Answer:
    """How a real server refuses a handshake."""

    def __init__(self, status: int, body: str = "", kind: str = "", **headers: str) -> None:
        self.status, self.body, self.kind, self.headers = status, body, kind, headers


def met(*answers: Answer, key: str = "") -> rt.AsyncSession:
    """A session at a server that refuses the first handshakes so, and takes the next."""
    left = list(answers)

    def answer(connection: Any, _request: Any) -> Any:
        if not left:
            return None
        one = left.pop(0)
        response = connection.respond(one.status, one.body)
        if one.kind:
            del response.headers["Content-Type"]
            response.headers["Content-Type"] = one.kind
        for name, value in one.headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    async def talk(connection: Any) -> None:
        await connection.send(json.dumps(CREATED))
        await connection.recv()
        await connection.send(json.dumps(UPDATED))
        await connection.wait_closed()

    async def scene() -> rt.AsyncSession:
        async with serve(talk, "127.0.0.1", 0, process_request=answer) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = rt.Endpoint(f"ws://127.0.0.1:{port}/v1/realtime", key=key or None)
            s = rt.AsyncSession(endpoint, timeout=SOON)
            s._pump.tries._vary = lambda: 0.0
            try:
                async with s:
                    assert s.is_open
            except rt.ConnectFailed as failed:
                assert failed.retry_after is None or math.isfinite(failed.retry_after)
                assert s.log[-1].event == {
                    "type": "line.failed", "code": failed.code, "message": str(failed),
                }  # fmt: skip
            return s

    return asyncio.run(scene())


def test_a_server_that_refuses_twice_and_then_accepts() -> None:
    full = json.dumps({"error": {"message": "All seats are taken.", "code": "full"}})
    s = met(Answer(503, full, "application/json"), Answer(503, "Not now.\n", Retry_After="1"))
    assert rows(s.log) == ["line.trying", "line.trying", "session.created"]
    first, second = tried(s.log)
    assert first["message"].endswith("The server said: All seats are taken.")
    assert second["message"].endswith("The server said: Not now.")
    assert (first["seconds"], second["seconds"]) == (0.25, 1.0)


def test_no_quota_is_final_whatever_the_status_is() -> None:
    error = {"message": "You exceeded your current quota.", "code": "insufficient_quota"}
    s = met(Answer(429, json.dumps({"error": error}), "application/json", Retry_After="1"))
    (row,) = s.log
    assert row.type == "line.failed" and (row.event or {})["code"] == 429
    assert (row.event or {})["message"].endswith("said: You exceeded your current quota.")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, "<html><h1>Bad</h1>", "text/html"),
        Answer(400, "[" * 100_000, "application/json"),
        Answer(400, '{"error":{"message":7,"code":[]}}', "application/json"),
        Answer(400, '{"error":null}', "application/json", Retry_After="soon"),
        Answer(400, "\x1b[2J" + "x" * 100_000, Retry_After="1e999"),
        Answer(400, "", Retry_After="Wed, 99 Foo 2026"),
    ],
    ids=["a page", "nested", "no words", "null", "control characters", "no date"],
)
def test_a_body_that_says_nothing_of_use_breaks_no_message(answer: Answer) -> None:
    message = (met(answer).log[-1].event or {})["message"]
    assert "refused the connection with HTTP 400: check the address." in message
    assert len(message) < 1000 and not {"\x1b", "<"} & set(message)


def test_a_key_that_a_refusal_repeats_is_taken_out() -> None:
    key = "a-secret-of-ours-1234"
    s = met(Answer(400, f"You sent {key}."), key=key)
    assert "You sent [the key]" in (s.log[-1].event or {})["message"]
    assert key not in repr([row.raw for row in s.log])
