"""The paid services: OpenAI's own, and Azure's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..errors import ConnectFailed, Misuse
from ..keys import (
    AZURE_KEY_VARIABLE,
    KEY_VARIABLE,
    Key,
    fetched,
    find_key,
    looks_like_a_key,
    sealed,
)
from .endpoint import Endpoint

TOKEN_SECONDS = 60.0
"""How long a person may take to sign in when a token is asked for."""


class OpenAI(Endpoint):
    """OpenAI's own service.

    The key comes from the argument, `ask_key()`, `OPENAI_API_KEY`, or Google Colab's secrets. A
    client secret (`ek_…`, see `rtwidgets.mint`) is one too.
    """

    def __init__(self, model: str | None = None, key: str | Key | None = None) -> None:
        key = sealed(key)
        if looks_like_a_key(model):
            model = None
            raise Misuse("That is a key, not a model. Write OpenAI(key=…).")
        super().__init__("wss://api.openai.com/v1/realtime", model=model, name="OpenAI", key=key)
        self._given_key = self._key

    @property
    def lacks_key(self) -> bool:
        return (self._given_key or find_key()) is None

    async def headers(self) -> dict[str, Key]:
        self._key = self._given_key or find_key()
        if self._key is None:
            raise ConnectFailed(
                f"There is no OpenAI key. Call rtwidgets.ask_key(), set {KEY_VARIABLE} or pass "
                "key=; rtwidgets.Simulated() needs none."
            )
        return await super().headers()


class Azure(Endpoint):
    """Azure OpenAI's GA endpoint.

    Args:
        resource: the name in `https://<resource>.openai.azure.com`.
        deployment: the deployment's name, which stands where OpenAI has the model.
        key: the resource's key; otherwise `AZURE_OPENAI_API_KEY`.
        token: in place of a key, a function that gives a Microsoft Entra token. It is called for
            every connection, on a thread, so that a token is never an old one. With azure.identity:
            `get_bearer_token_provider(DefaultAzureCredential(), "https://ai.azure.com/.default")`.
    """

    key_header = "api-key"

    def __init__(
        self,
        resource: str,
        deployment: str,
        key: str | Key | None = None,
        token: Callable[[], str] | None = None,
    ) -> None:
        key = sealed(key)
        if token is not None and (key is not None or not callable(token)):
            token = None
            raise Misuse("token= is a function that gives a token, and stands in place of key=.")
        url = f"wss://{resource}.openai.azure.com/openai/v1/realtime"
        super().__init__(url, model=deployment, name=f"Azure {resource}", key=key)
        self._token = token
        if token is not None:
            self.key_header = "Authorization"
        elif key is None:
            self._key = find_key(AZURE_KEY_VARIABLE)

    @property
    def lacks_key(self) -> bool:
        return self._key is None and self._token is None

    async def headers(self) -> dict[str, Key]:
        if self._token is not None:
            self._key = await self._fetched(self._token)
        if self._key is None:
            raise ConnectFailed(
                f"There is no key for Azure. Set {AZURE_KEY_VARIABLE}, or pass key= or token=."
            )
        return await super().headers()

    async def _fetched(self, token: Callable[[], str]) -> Key:
        try:  # on a thread: it asks a server, and perhaps a person
            return await asyncio.wait_for(asyncio.to_thread(fetched, token), TOKEN_SECONDS)
        except TimeoutError:
            pass
        raise ConnectFailed(f"token= gave no token within {TOKEN_SECONDS:g} s.")
