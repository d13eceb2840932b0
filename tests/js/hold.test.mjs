import assert from "node:assert/strict";
import test from "node:test";

import { holdable, isSpace } from "../../rtwidgets/widgets/static/voice/hold.js";

/** A button that events are given to, and what became of them. */
function scene(held = true) {
  const s = { done: [], listeners: {}, prevented: [], held };
  const button = {
    addEventListener: (name, listen) => (s.listeners[name] = listen),
    removeEventListener: (name) => delete s.listeners[name],
  };
  s.letGo = holdable(button, {
    held: () => s.held,
    press: () => s.done.push("press"),
    release: () => s.done.push("release"),
    toggle: () => s.done.push("toggle"),
  });
  s.on = (name, event = {}) =>
    s.listeners[name]({
      button: 0,
      preventDefault: () => s.prevented.push(name),
      stopPropagation() {},
      ...event,
    });
  return s;
}

test("the space bar is held, however often the keyboard repeats it, and makes no click", () => {
  const s = scene();
  s.on("keydown", { key: " " });
  s.on("keydown", { key: " ", repeat: true });
  s.on("keyup", { key: "a" });
  s.on("keyup", { key: " " });
  s.on("keyup", { key: " " });
  assert.deepEqual(s.done, ["press", "release"]);
  assert.deepEqual(s.prevented, ["keydown", "keydown", "keyup"]);
});

test("a pointer holds, and its click does nothing more", () => {
  const s = scene();
  for (const name of ["pointerdown", "pointerup", "lostpointercapture", "click"]) s.on(name);
  assert.deepEqual(s.done, ["press", "release"]);
  s.on("pointerdown", { button: 2 });
  assert.deepEqual(s.done, ["press", "release"]);
});

test("a finger that slides away, and a window that loses the focus, let go", () => {
  const s = scene();
  s.on("pointerdown");
  s.on("pointercancel");
  s.on("keydown", { key: " " });
  s.on("blur");
  s.on("keyup", { key: " " });
  assert.deepEqual(s.done, ["press", "release", "press", "release"]);
});

test("who cannot hold clicks twice, and may look elsewhere between", () => {
  const s = scene();
  s.on("click");
  s.on("blur");
  assert.deepEqual(s.done, ["press"]);
  s.on("click");
  assert.deepEqual(s.done, ["press", "release"]);
  s.on("click");
  s.on("pointerdown");
  s.on("click");
  assert.deepEqual(s.done.slice(2), ["press", "release"]);
});

test("where turns are detected each click toggles, and nothing is held", () => {
  const s = scene(false);
  for (const name of ["pointerdown", "pointerup", "click"]) s.on(name);
  s.on("keydown", { key: " " });
  assert.deepEqual([s.done, s.prevented], [["toggle"], []]);
  s.on("blur"); // one looks elsewhere while talking
  assert.deepEqual(s.done, ["toggle"]);
});

test("a release that nobody told does not make a dead button", () => {
  const s = scene();
  s.on("keydown", { key: " " }); // then the button is disabled, and keyup goes elsewhere
  s.on("keydown", { key: " " });
  s.on("keyup", { key: " " });
  assert.deepEqual(s.done, ["press", "press", "release"]);
});

test("a view that is taken from the page lets go", () => {
  const s = scene();
  s.on("pointerdown");
  s.letGo();
  assert.deepEqual([s.done, Object.keys(s.listeners)], [["press", "release"], []]);
});

test("with another key it is another thing", () => {
  assert.ok(isSpace({ key: " " }));
  for (const more of [{ key: "a" }, { ctrlKey: true }, { shiftKey: true }, { altKey: true }, { metaKey: true }])
    assert.ok(!isSpace({ key: " ", ...more }));
});
