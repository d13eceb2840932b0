"""For everybody: what axe-core finds, the keyboard, a page at twice its size, screen readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import Notebook
from .test_chat import words

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="pip install -e '.[test]'"
)

CHAT = """
import rtwidgets as rt
chat = rt.RealtimeChat(opening=rt.SpokenGreeting("Welcome to the museum!"),
                       endpoint=rt.Simulated(latency="none"), budget=0.05)
chat
"""
START = "chat.start(); chat.wait(30)"
TALK = """
chat.say("Who are you?"); chat.wait(30)
chat.session.send("{nonsense"); chat.session.wait_for("error")
"""
COMPARISON = """
import rtwidgets as rt
rt.compare([rt.ScriptedGreeting("Welcome!"), rt.SpokenGreeting("Welcome!")], trials=1,
           endpoint=rt.Simulated(latency="none"), probe=False, interrupt=False)
"""
OTHERS = ["chat.log.show()", COMPARISON, "rt.doctor()"]
THEMES = ("JupyterLab Light", "JupyterLab Dark")
SERIOUS = ("serious", "critical")


OPEN_ONE = """(() => {
    const shut = document.querySelector(
        '.rtw-chat button[aria-expanded=false]:not([role=row] *), .rtw-chat details:not([open])');
    if (shut?.matches('button')) shut.click(); else if (shut) shut.open = true;
    return Boolean(shut);
})()"""
"""Opens whatever in the chat is folded, one at a time; gives whether there was something."""


@pytest.fixture(scope="module")
def everything(bench: Notebook) -> Iterator[Notebook]:
    """One page with all that we show: a conversation with everything open, and the rest."""
    bench.fill(CHAT, START, TALK, *OTHERS, "chat.stop()")
    for cell in range(2):
        bench.run(cell)
    bench.until(words("Welcome to the museum!"))
    bench.run(2)
    while bench.js(OPEN_ONE):
        pass
    for cell in range(3, 6):
        bench.run(cell)
    bench.until("document.querySelectorAll('.rtw-events').length === 2")
    bench.until("document.querySelector('.rtw-compare table')")
    bench.until("document.querySelector('.rtw-doctor table')?.innerText.includes('round trip')")
    yield bench
    bench.run(6)


def violations(notebook: Notebook, *places: str) -> list[str]:
    """What axe-core has to say against our part of the page, a line for each element."""
    found = axe.Axe().run(notebook.page, context={"include": [[place] for place in places]})
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]}"
        f" {[said['message'] for said in node['any'] + node['all'] + node['none']]}"
        for one in found.response["violations"]
        for node in one["nodes"]
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious(everything: Notebook, theme: str) -> None:
    everything.set_theme(theme)
    assert not everything.js(OPEN_ONE), "something is folded, and axe cannot see it"
    ours = (".rtw-chat", ".rtw-events", ".rtw-compare", ".rtw-doctor")
    found = violations(everything, *ours)
    assert not found, "\n".join(found)


NAMELESS = """(() => {
    const button = document.createElement('button');
    button.className = 'rtw-nameless';
    document.querySelector('.rtw-chat').append(button);
})()"""


def test_axe_would_find_a_button_without_a_name(everything: Notebook) -> None:
    everything.js(NAMELESS)
    found = violations(everything, ".rtw-nameless")
    everything.js("document.querySelector('.rtw-nameless').remove()")
    assert len(found) == 1 and found[0].startswith("button-name (critical)")


FOCUSABLE = """(() => {
    const shown = one => one.checkVisibility() && !one.disabled && one.tabIndex >= 0;
    const all = document.querySelector('.rtw-chat').querySelectorAll(
        'button, input, select, textarea, summary, a[href], [tabindex]');
    window.ours = [...all].filter(shown);
    return window.ours.map(one => one.ariaLabel || one.title || one.innerText || one.className);
})()"""
FOCUSED = """(() => {
    const one = document.activeElement, style = getComputedStyle(one);
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const next = one.nextElementSibling; // a list's ring: rows would cover an outline of its own
    const framed = next?.matches('.rtw-ring') && getComputedStyle(next).borderTopStyle === 'solid';
    return [window.ours.indexOf(one), Boolean(ring || framed)];
})()"""


def test_every_control_is_reached_by_tab_and_shows_the_focus(everything: Notebook) -> None:
    names = everything.js(FOCUSABLE)
    everything.js("window.ours[0].focus(); 0")
    everything.page.keyboard.press("Tab")  # it was a program that focused the first
    everything.page.keyboard.press("Shift+Tab")
    seen: dict[int, bool] = {}
    for _ in range(2 * len(names)):
        at, visible = everything.js(FOCUSED)
        if at < 0 or len(seen) == len(names):
            break
        seen[at] = visible
        everything.page.keyboard.press("Tab")
    assert [name for at, name in enumerate(names) if at not in seen] == [], "not reached by Tab"
    assert [names[at] for at, visible in seen.items() if not visible] == [], "focus not to be seen"


TOO_WIDE = """[...document.querySelectorAll('.rtw-chat, .rtw-chat *')]
    .filter(one => one.checkVisibility())
    .filter(one => one.matches('button, input, select, textarea, .rtw-text, .rtw-words'))
    .filter(one => {
        const chat = document.querySelector('.rtw-chat'), box = chat.getBoundingClientRect();
        for (let at = one.parentElement; at !== chat; at = at.parentElement)
            if (/auto|scroll/.test(getComputedStyle(at).overflowX)) return false;  // Tab scrolls it
        const own = one.getBoundingClientRect();
        return own.right > box.right + 1 || own.left < box.left - 1;
    }).map(one => one.className)"""


def test_at_twice_its_size_nothing_is_cut_off(everything: Notebook) -> None:
    """A page of 1280 pixels at 200 % has room for 640."""
    page: Any = everything.page
    size = page.viewport_size
    page.set_viewport_size({"width": 640, "height": 720})
    try:
        everything.until("document.querySelector('.rtw-chat').clientWidth < 640")
        assert everything.js(TOO_WIDE) == []
        chat = "document.querySelector('.rtw-chat')"
        assert everything.js(f"{chat}.scrollWidth <= {chat}.clientWidth + 1")
    finally:
        page.set_viewport_size(size)


LIVE = """[...document.querySelectorAll('.rtw-chat, .rtw-chat *, .rtw-events *, .rtw-doctor *')]
    .map(one => [one.className, one.getAttribute('role') ?? '', one.ariaLive ?? ''])"""


def test_a_screen_reader_is_told_politely(everything: Notebook) -> None:
    """The transcript and what is done are read out when there is time; only a question about money
    and trouble may interrupt. A table of events that streams is not read out at all."""
    live = everything.js(LIVE)
    assert [name for name, role, _ in live if role == "log"] == ["rtw-lines"]
    assert {name for name, role, _ in live if role == "alert"} == {"rtw-notice", "rtw-trouble"}
    assert not [name for name, _, said in live if said == "assertive"]
    assert not [name for name, role, said in live if role == "treegrid" and said]
    lines = "document.querySelector('.rtw-lines')"
    assert everything.js(f"{lines}.ariaLive") == "polite"
    assert "Welcome to the museum!" in everything.js(f"{lines}.innerText"), "what is spoken is text"
    assert everything.js("document.querySelectorAll('.rtw-line[aria-busy=true]').length") == 0
