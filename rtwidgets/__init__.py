"""rtwidgets: who speaks first? OpenAI's Realtime API in a notebook, every event in view.

    import rtwidgets as rt
    rt.RealtimeChat(opening=rt.GeneratedGreeting("Greet the visitor."))

Importing this package starts nothing and loads nothing: a name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import checking as checking
    from . import endpoints as endpoints
    from . import events as events
    from . import openings as openings
    from . import pricing as pricing
    from .checking import check as check
    from .comparison import Comparison as Comparison
    from .comparison import compare as compare
    from .conversation import Conversation as Conversation
    from .diagnosis import doctor as doctor
    from .endpoints import Azure as Azure
    from .endpoints import Endpoint as Endpoint
    from .endpoints import OpenAI as OpenAI
    from .endpoints import Simulated as Simulated
    from .errors import ConnectFailed as ConnectFailed
    from .errors import ConnectionLost as ConnectionLost
    from .errors import Misuse as Misuse
    from .errors import RealtimeError as RealtimeError
    from .errors import SpendingNotApproved as SpendingNotApproved
    from .errors import TimedOut as TimedOut
    from .explanations import explain as explain
    from .keys import ask_key as ask_key
    from .log import EventLog as EventLog
    from .minting import mint as mint
    from .money.metering import prices as prices
    from .openings import ContextGreeting as ContextGreeting
    from .openings import GeneratedGreeting as GeneratedGreeting
    from .openings import Greeting as Greeting
    from .openings import IdleGreeting as IdleGreeting
    from .openings import ModelGreeting as ModelGreeting
    from .openings import Opening as Opening
    from .openings import OutOfBandGreeting as OutOfBandGreeting
    from .openings import RecordedGreeting as RecordedGreeting
    from .openings import ScriptedGreeting as ScriptedGreeting
    from .openings import SeededGreeting as SeededGreeting
    from .openings import SpokenGreeting as SpokenGreeting
    from .openings import WaitForUser as WaitForUser
    from .pricing import Price as Price
    from .pricing import set_prices as set_prices
    from .replay import Replay as Replay
    from .session import AsyncSession as AsyncSession
    from .session.blocking import Session as Session
    from .session.reply import Reply as Reply
    from .simulator import Simulator as Simulator
    from .tools import Tool as Tool
    from .tools import tool as tool
    from .widgets.chat import RealtimeChat as RealtimeChat
    from .widgets.eventtable import EventTable as EventTable
    from .widgets.snapshot import Snapshot as Snapshot
    from .widgets.timeline import Timeline as Timeline
    from .widgets.voicenote import VoiceNote as VoiceNote

_HOMES = {
    "Comparison": "comparison",
    "compare": "comparison",
    "check": "checking",
    "Conversation": "conversation",
    "Azure": "endpoints",
    "Endpoint": "endpoints",
    "OpenAI": "endpoints",
    "Simulated": "endpoints",
    "ask_key": "keys",
    "ConnectFailed": "errors",
    "ConnectionLost": "errors",
    "Misuse": "errors",
    "RealtimeError": "errors",
    "SpendingNotApproved": "errors",
    "TimedOut": "errors",
    "explain": "explanations",
    "EventLog": "log",
    "mint": "minting",
    "ContextGreeting": "openings",
    "GeneratedGreeting": "openings",
    "Greeting": "openings",
    "IdleGreeting": "openings",
    "ModelGreeting": "openings",
    "Opening": "openings",
    "OutOfBandGreeting": "openings",
    "RecordedGreeting": "openings",
    "ScriptedGreeting": "openings",
    "SeededGreeting": "openings",
    "SpokenGreeting": "openings",
    "WaitForUser": "openings",
    "Price": "pricing",
    "prices": "money.metering",
    "set_prices": "pricing",
    "AsyncSession": "session",
    "Replay": "replay",
    "Reply": "session.reply",
    "Session": "session.blocking",
    "Simulator": "simulator",
    "Tool": "tools",
    "tool": "tools",
    "RealtimeChat": "widgets.chat",
    "EventTable": "widgets.eventtable",
    "Snapshot": "widgets.snapshot",
    "Timeline": "widgets.timeline",
    "VoiceNote": "widgets.voicenote",
    "doctor": "diagnosis",
}
_MODULES = ("audio", "checking", "endpoints", "events", "openings", "pricing")

__all__ = ["__version__", *_HOMES, *_MODULES]  # noqa: PLE0604 - strings all, from the tables above


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
