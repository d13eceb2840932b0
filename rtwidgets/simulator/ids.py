"""Where chance comes from: ids, from the system or from a seed, and how much waits vary."""

from __future__ import annotations

import random
import secrets
import string

from .jobs import NewId
from .latency import Vary

ALPHABET = string.ascii_letters + string.digits
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


def random_ids() -> NewId:
    """Ids that no other session has. Not secrets: nothing but the id hangs on them."""
    return _ids(random.Random(secrets.randbits(128)))


def seeded_ids(seed: object) -> NewId:
    """The same ids in the same order for the same seed."""
    return _ids(random.Random(f"ids:{seed}"))


def _ids(chance: random.Random) -> NewId:
    def new_id(prefix: str, length: int) -> str:
        return prefix + chance.randbytes(length).translate(_LETTERS).decode("ascii")

    return new_id


def seeded_variation(seed: object) -> Vary:
    """The same factors in the same order for the same seed (see `latency.py`)."""
    chance = random.Random(f"pace:{seed}")
    return lambda spread: chance.lognormvariate(0.0, spread)
