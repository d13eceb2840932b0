"""How one simulator behaves: everything that can be chosen, from Python or the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import Misuse
from . import mcp, scripts
from .chat import ChatBrain
from .faults import Faults, faults_from
from .jobs import Brain, Transcriber
from .latency import latency_named
from .models import SESSION_SECONDS
from .replies import BuiltInBrain


@dataclass
class Settings:
    """Everything is checked when it is made; raises Misuse with the sentence.

    latency: "none", "typical" or "realtime". seed: of the words and the waits.
    script: [("user says", "assistant says"), …]; user_lines: what spoken turns say, in order
    (without it, the user's lines of the script). chat_url, chat_model: an OpenAI-compatible chat
    endpoint that answers. brain, transcriber: of one's own (jobs.py), in this process only.
    faults: Faults or texts such as "drop-after=20" (faults.py). mcp: scripted tools (mcp.py).
    idle_before_first_reply: let idle_timeout_ms count before anything was said.
    session_seconds: how long a session may last.
    """

    latency: str = "typical"
    seed: int = 0
    script: Sequence[Any] | None = None
    user_lines: Sequence[str] | None = None
    chat_url: str | None = None
    chat_model: str | None = None
    chat_key: str | None = None
    brain: Brain | None = None
    transcriber: Transcriber | None = None
    faults: Faults | Iterable[str] = ()
    mcp: Any = None
    idle_before_first_reply: bool = False
    session_seconds: float = SESSION_SECONDS
    handshake_errors: bool = False

    def __post_init__(self) -> None:
        latency_named(self.latency)
        if not 0 < self.session_seconds < math.inf:
            raise Misuse(
                "A session lasts more than 0 seconds and not for ever; the real one ends after "
                "3600. Write for example 86400 for a day."
            )
        if self.chat_model and not self.chat_url:
            raise Misuse("A chat model needs its address too, such as http://127.0.0.1:11434/v1.")
        self.found_faults()
        self.found_brain()
        self.found_transcriber()
        self.found_tools()

    def found_faults(self) -> Faults:
        if isinstance(self.faults, Faults):
            return self.faults
        return faults_from([self.faults] if isinstance(self.faults, str) else self.faults)

    def found_brain(self) -> Brain:
        """The script first, then a brain of one's own, the chat endpoint, or the built-in one."""
        brain: Brain = self.brain or BuiltInBrain(self.seed)
        if self.chat_url and self.brain is None:
            brain = ChatBrain(self.chat_url, self.chat_model or "", self.chat_key)
        if self.script is None:
            return brain
        return scripts.ScriptBrain(scripts.script_from(self.script), otherwise=brain)

    def found_transcriber(self) -> Transcriber | None:
        if self.transcriber is not None:
            return self.transcriber
        if self.user_lines is not None:
            return scripts.UserLines(scripts.lines_from(self.user_lines))
        if self.script is not None:
            said = [user for user, _ in scripts.script_from(self.script) if user]
            return scripts.UserLines(said)
        return None

    def found_tools(self) -> mcp.Script:
        return mcp.DEFAULT if self.mcp is None else mcp.script_from(self.mcp)

    # --- to a child process and back

    def check_for_a_process(self) -> None:
        """Raises Misuse for what cannot cross to another process."""
        if self.brain is not None or self.transcriber is not None:
            raise Misuse(
                "A brain or transcriber of your own runs in this process only: "
                "Simulator(…, in_process=True)."
            )

    def arguments(self, folder: Path) -> list[str]:
        """The same for `rtwidgets serve`; what is long is put into files in `folder`."""
        told = ["--latency", self.latency, "--seed", str(self.seed)]
        told += ["--session-seconds", str(self.session_seconds)]
        for name in ("script", "user_lines", "mcp"):
            value = getattr(self, name)
            if value is not None:
                path = folder / f"{name}.json"
                path.write_text(json.dumps(value, default=_plain), "utf-8")
                told += ["--" + name.replace("_", "-"), str(path)]
        for name in ("chat_url", "chat_model"):
            if getattr(self, name):
                told += ["--" + name.replace("_", "-"), getattr(self, name)]
        for word in _words(self.found_faults()):
            told += ["--fault", word]
        for name in ("idle_before_first_reply", "handshake_errors"):
            told += ["--" + name.replace("_", "-")] if getattr(self, name) else []
        return told


def settings_from(**options: Any) -> Settings:
    """`Settings` of these options. Raises Misuse, for an unknown name too."""
    known = [field.name for field in fields(Settings)]
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        raise Misuse(f"The simulator has no option {unknown!r}; it has {', '.join(known)}.")
    return Settings(**options)


def _plain(value: Any) -> Any:
    return vars(value) if isinstance(value, mcp.McpTool) else list(value)


def _words(faults: Faults) -> list[str]:
    """The faults as the command line names them; 0, for every one, is said by no number."""
    found = []
    for field in fields(faults):
        value = getattr(faults, field.name)
        if value != field.default:
            name = field.name.replace("_", "-")
            bare = value is True or (value == 0 and not isinstance(value, float))
            found.append(name if bare else f"{name}={value}")
    return found
