"""Where to connect, and with which key; starts the simulator's process when no key is there.

endpoint                 a server at an address: what every endpoint is
services  simulated      OpenAI's own and Azure's; the simulator on this machine, and its process
choosing                 which it is where none was given
spending                 whether a person has agreed to paid sessions
"""

from .choosing import chosen, default_endpoint
from .endpoint import DEFAULT_MODEL, MODELS, VOICES, Endpoint
from .services import TOKEN_SECONDS, Azure, OpenAI
from .simulated import Simulated, warm_up
from .spending import approve_spending, spending_notice

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "TOKEN_SECONDS",
    "VOICES",
    "Azure",
    "Endpoint",
    "OpenAI",
    "Simulated",
    "approve_spending",
    "chosen",
    "default_endpoint",
    "spending_notice",
    "warm_up",
]
