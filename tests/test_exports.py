"""The names that others rely on: `import rtwidgets as rt; rt.<name>`."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys

import pytest

import rtwidgets as rt

OPENINGS = [
    "ContextGreeting",
    "GeneratedGreeting",
    "Greeting",
    "IdleGreeting",
    "ModelGreeting",
    "Opening",
    "OutOfBandGreeting",
    "RecordedGreeting",
    "ScriptedGreeting",
    "SeededGreeting",
    "SpokenGreeting",
    "WaitForUser",
]
NAMES = [
    *OPENINGS,
    "AsyncSession",
    "Azure",
    "Conversation",
    "Endpoint",
    "EventLog",
    "Price",
    "OpenAI",
    "RealtimeChat",
    "RealtimeError",
    "Replay",
    "Session",
    "Simulated",
    "Simulator",
    "ask_key",
    "mint",
    "prices",
    "set_prices",
    "check",
    "doctor",
    "Snapshot",
    "VoiceNote",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_the_surface_is_there_and_listed(name: str) -> None:
    assert callable(getattr(rt, name))
    assert name in dir(rt)
    assert name in rt.__all__


@pytest.mark.parametrize("name", OPENINGS)
def test_an_opening_is_found_under_openings_too(name: str) -> None:
    assert getattr(rt.openings, name) is getattr(rt, name)


def test_everything_that_is_listed_can_be_had() -> None:
    assert [name for name in rt.__all__ if not hasattr(rt, name)] == []
    assert set(rt.__all__) <= set(dir(rt))
    assert len(set(rt.__all__)) == len(rt.__all__)


def test_a_name_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = rt.no_such_name


def test_no_name_of_the_surface_is_the_name_of_a_module() -> None:
    """Importing rtwidgets.comparison sets rt.comparison: a function of that name would be lost."""
    modules = {module.name for module in pkgutil.iter_modules(rt.__path__)}
    lost = [name for name in set(rt.__all__) & modules if not inspect.ismodule(getattr(rt, name))]
    assert lost == []


def test_names_outlive_the_import_of_every_module() -> None:
    before = {name: getattr(rt, name) for name in rt.__all__}
    for module in pkgutil.walk_packages(rt.__path__, "rtwidgets."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    assert {name: getattr(rt, name) for name in rt.__all__} == before


LOAD_ONE = """
import json, sys
import rtwidgets as rt
getattr(rt, sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("name", ["RealtimeError", "WaitForUser", "EventLog", "Session"])
def test_a_name_loads_what_it_needs_and_no_more(name: str) -> None:
    """A log read in a script needs no widgets, a session no simulator until it connects to one."""
    done = subprocess.run([sys.executable, "-c", LOAD_ONE, name], capture_output=True, check=True)
    loaded = json.loads(done.stdout)
    assert {"ipywidgets", "anywidget", "pandas", "rtwidgets.simulator"}.isdisjoint(loaded)
