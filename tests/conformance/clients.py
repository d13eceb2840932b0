"""The clients, by version: the one table.

Only what a person would install by name is pinned; what that pulls in is resolved anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Client:
    """`talk` is the script in talks/; `needs` are requirements for pip, or packages for npm;
    `options` go to node, `arguments` to the script."""

    name: str
    talk: str
    needs: tuple[str, ...]
    remark: str = ""
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    alone: ClassVar[tuple[str, ...]] = ()  # nothing is installed without what it requires

    @property
    def javascript(self) -> bool:
        return self.talk.endswith(".mjs")

    @property
    def environment(self) -> str:
        """The folder; clients that need the same share one."""
        kind = "npm" if self.javascript else "pip"
        name = self.needs[0].rsplit("@", 1)[0] if self.javascript else self.needs[0].split("==")[0]
        return f"{kind}-{name.split('[')[0].strip('@').replace('/', '-')}"

    @property
    def version(self) -> str:
        return self.needs[0].rpartition("@" if self.javascript else "==")[2]


OPENAI = ("openai[realtime]==3.54.0",)
OPENAI_AGENTS_JS = ("@openai/agents@0.20.0", "zod@4.6.7")

CLIENTS = (
    Client("openai, async", "openai_async_talk.py", OPENAI),
    Client("openai, sync", "openai_sync_talk.py", OPENAI),
    Client("openai-agents", "openai_agents_talk.py", ("openai-agents==0.24.0",)),
    Client(
        "pydantic-ai-slim", "pydantic_ai_talk.py", ("pydantic-ai-slim[openai,realtime]==2.68.0",)
    ),
    Client("livekit-plugins-openai", "livekit_talk.py", ("livekit-plugins-openai==1.8.9",)),
    Client(
        "pipecat-ai",
        "pipecat_talk.py",
        ("pipecat-ai==1.14.0", "websockets>=16,<17"),
        "typed turns after the first by its send_client_event",
    ),
    Client("semantic-kernel", "semantic_kernel_talk.py", ("semantic-kernel==1.45.0",)),
    Client(
        "strands-agents",
        "strands_talk.py",
        ("strands-agents[bidi-openai]==1.62.0",),
        "its address is a constant, set from outside",
    ),
    Client("@openai/agents", "openai_agents_talk.mjs", OPENAI_AGENTS_JS),
    Client(
        "@openai/agents, browser",
        "openai_agents_talk.mjs",
        OPENAI_AGENTS_JS,
        "its browser build in node: a client secret, by subprotocol",
        options=("--conditions=browser", "--experimental-websocket"),
        arguments=("browser",),
    ),
    Client(
        "@livekit/agents-plugin-openai",
        "livekit_talk.mjs",
        (
            "@livekit/agents-plugin-openai@1.9.0",
            "@livekit/agents@1.9.0",
            "@livekit/rtc-node@0.13.35",
            "zod@4.6.7",
        ),
        "2.0.0 is older than its number: it asks for agents 1.1.0",
    ),
)
