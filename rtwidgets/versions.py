"""Versions of other packages, as numbers, and what is known of ipykernel's.

From 7.0 on it has subshells: what a page sends is handled while a cell computes. Before 7.4 a reply
that the kernel sends may take along the sign that a message has come
(https://github.com/ipython/ipykernel/issues/1554): seen once here in some twenty minutes of talking
on 7.3, which then stood still until another client connected.
"""

from __future__ import annotations

import re

SUBSHELLS = (7,)
STEADY = (7, 4)
UPGRADE = "pip install --upgrade 'ipykernel>=7.4'"


def numbers(text: str) -> tuple[int, ...]:
    """(7, 4, 0) for "7.4.0rc1"; the beginning that is numbers."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()
