"""The servers of others, by version: the one table.

A server that runs alone has its own address. A proxy is put in front of `rtwidgets serve`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """`script` is what runs it, in servers/; `needs` are requirements for pip, the first its own.

    `alone`: packages that are installed without what they require, because only a part of them
    runs here; what that part imports stands in `needs`.
    """

    name: str
    script: str
    needs: tuple[str, ...]
    alone: tuple[str, ...] = ()
    behind: bool = False  # a proxy: a simulator stands behind it
    remark: str = ""

    javascript = False

    @property
    def _own(self) -> str:
        return (self.alone or self.needs)[0]

    @property
    def environment(self) -> str:
        return "server-" + self._own.partition("==")[0].partition("[")[0]

    @property
    def version(self) -> str:
        return self._own.partition("==")[2]


HOSTS = (
    Host(
        "speech-to-speech",
        "speech_to_speech_server.py",
        # What its router, its service and the stages between the models import, and no torch.
        ("fastapi", "uvicorn", "websockets", "openai==2.28.0", "numpy", "scipy", "httpx"),
        alone=("speech-to-speech==1.1.0",),
        remark="its router, service and stages; a script in place of the models",
    ),
    Host(
        "litellm proxy",
        "litellm_server.py",
        # 1.110.2 asks for a litellm-proxy that no registry has; of those before, this is the newest
        # whose own extras can be had.
        ("litellm[proxy]==1.108.7",),
        behind=True,
        remark="in front of the simulator",
    ),
)
