"""What rtwidgets may raise.

    RealtimeError
    ├── Misuse                    you: a call that cannot work, or not now
    │   └── SpendingNotApproved   a paid session that nobody agreed to yet
    ├── ConnectFailed             the line never stood: no network, key or model refused, port taken
    ├── ConnectionLost            the line stood and fell
    └── TimedOut                  what was waited for did not come (also a TimeoutError)

An `error` event of the server is none of these: it is a fact of the conversation, kept in the
log and shown, never raised.
"""

from __future__ import annotations


class RealtimeError(Exception):
    """The root: `except rtwidgets.RealtimeError` catches everything this package raises."""


class Misuse(RealtimeError):
    """The caller asked for something that cannot work; the message says what to do instead."""


class SpendingNotApproved(Misuse):
    """The session would cost money, and neither a click nor `budget=` has agreed to that.

    Attributes:
        notice: what it would cost, by itself, where that is what is to be agreed to.
    """

    def __init__(self, message: str, *, notice: str = "") -> None:
        super().__init__(message)
        self.notice = notice


class ConnectFailed(RealtimeError):
    """No session came to stand.

    Attributes:
        code: the server's close code, HTTP status or error code where there was one.
        body_code: the error's code in the body of an answer by HTTP, empty where there was none.
        retry_after: seconds after which the server asks to be tried again, where it does.
        timed_out: whether nothing was answered in time.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | str | None = None,
        body_code: str = "",
        retry_after: float | None = None,
        timed_out: bool = False,
    ) -> None:
        super().__init__(message)
        self.code, self.body_code = code, body_code
        self.retry_after, self.timed_out = retry_after, timed_out


class ConnectionLost(RealtimeError):
    """The session ended without being asked to. The log up to then is complete.

    Attributes:
        code: the WebSocket close code, None where the line was cut without one.
        reason: the server's own words, possibly empty.
    """

    def __init__(self, message: str, *, code: int | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class TimedOut(RealtimeError, TimeoutError):
    """Nothing is wrong that we know of, except that it took longer than `timeout` seconds."""
