"""How a session begins: a line, a session on it, its settings, and what opens the conversation."""

from __future__ import annotations

from ..conversation import Conversation
from ..dialects import formats_to_ask
from ..errors import Misuse, RealtimeError, TimedOut
from ..events import Event, line_failed, merged, session_update
from ..openings import Opening
from .handshake import Agreement, Greeting, unopened
from .pump import Pump
from .tries import Connect


class Beginning:
    """Begins one session.

    Args:
        settings: fields of the first `session.update`; the opening has more.
        timeout: seconds to wait for each answer.
    """

    def __init__(
        self,
        pump: Pump,
        conversation: Conversation,
        opening: Opening,
        settings: Event,
        timeout: float,
    ) -> None:
        self._pump, self._conversation, self._opening = pump, conversation, opening
        self._settings, self._timeout = settings, timeout

    async def begin(self, connect: Connect, again: bool) -> None:
        """Begin it; what the opening brings is not waited for. Raises ConnectFailed, TimedOut, and
        Misuse where the server refuses the settings.

        Args:
            connect: opens a line. again: also where one does not come to stand.
        """
        pump = self._pump
        await self._connect(connect, again)
        await self._configure()
        pump.stage.enter(self._expected(), pump.clock)
        await pump.line.flush()
        pump.stage.follow(None, pump.line, pump.clock)

    async def _connect(self, connect: Connect, again: bool) -> None:
        """Get a line with a session on it."""
        pump, conversation = self._pump, self._conversation
        tries = pump.tries
        greeted = Greeting(conversation, tries)
        try:
            await pump.start(connect, again)
            await pump.until(greeted, self._timeout, "the server's session.created")
        except Misuse:
            raise
        except (RealtimeError, OSError) as problem:
            failed = unopened(tries.problem or problem, tries.made, greeted.said)
            pump.record(line_failed(getattr(failed, "code", None), str(failed)))
            if failed is problem:
                raise
        else:
            return
        raise failed

    async def _configure(self) -> None:
        """Ask for the settings, and wait for them where the opening does."""
        pump, waits = self._pump, self._opening.waits
        agreed = Agreement(lambda: pump.line.mending)
        unsubscribe = pump.subscribe(agreed.take)
        try:
            update = session_update(**self._wanted())
            if not waits:  # it leaves together with the opening's events, and by its name no
                update["event_id"] = "settings"  # refusal of it is taken for theirs
            pump.request(update)
            if waits:
                await pump.line.flush()
                await pump.until(agreed, self._timeout, "the server's session.updated")
        except TimedOut as problem:  # of a refusal there is the server's own row
            pump.record(line_failed(None, str(problem)))
            raise
        finally:
            unsubscribe()

    def _wanted(self) -> Event:
        wanted = merged(self._settings, self._opening.session())
        return merged(formats_to_ask(self._conversation.session), wanted)

    def _expected(self) -> Event:
        """The session that the opening's events meet: confirmed, or as it will be if all goes
        well."""
        stands = self._conversation.session
        return stands if self._opening.waits else merged(stands, self._wanted())
