"""What a person can do next, in a sentence below the transcript."""

from __future__ import annotations

from ..conversation import Conversation
from ..openings import Opening
from ..session.unanswered import typed_words

CHOOSE = (
    "Who speaks first? Choose an opening and press Start. Without a key the simulator on this "
    "machine answers, and it really speaks."
)
SPEAK = "Say something: the assistant waits for you."
YOUR_TURN = "The greeting is silent; now it is your turn."
QUEUED = "Your words wait until the assistant has finished. Interrupt asks now."
NOT_SENT = "No conversation is running, so nothing was sent. Press Start, then send it again."
UNSAID = "What you said did not arrive: “{}”."
RECONNECTING = "The line is being looked for. What you say is kept, and sent when it stands again."
UNHEARD = "The next reply is heard when this one has ended."


def hint_before(state: str, empty: bool) -> str:
    """What is said while no session stands; `empty`: the transcript has no line yet."""
    return CHOOSE if empty and state in ("idle", "ended", "failed") else ""


def hint_during(opening: Opening, conversation: Conversation, unheard: int) -> str:
    """What is said in a session.

    Args:
        unheard: how many replies wait in the page until another was heard.
    """
    if has_to_wait(conversation):
        return QUEUED
    if unheard:
        return UNHEARD
    if opening.heard or conversation.responses or "user" in _roles(conversation):
        return ""
    return YOUR_TURN if "assistant" in _roles(conversation) and opening.audio is None else SPEAK


def hint_without_line(conversation: Conversation) -> str:
    """What is said while another line is looked for: also what the user typed meanwhile, which no
    row of the transcript shows before a server has it."""
    waiting = typed_words(conversation.turns.unsent)
    return f"{RECONNECTING} It waits: {waiting}" if waiting else RECONNECTING


def has_to_wait(conversation: Conversation) -> bool:
    """Whether a reply is asked for while another is being made, and so has to wait."""
    return conversation.active_response is not None and conversation.turns.pending


def _roles(conversation: Conversation) -> set[str]:
    return {item.role for item in tuple(conversation.items)}
