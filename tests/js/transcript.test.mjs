import assert from "node:assert/strict";
import test from "node:test";

import { halves, Lines, spliced, unfold } from "../../rtwidgets/widgets/static/transcript.js";

const line = (id, text, at = 0) => ({
  id,
  speaker: "assistant",
  note: "",
  state: "done",
  more: "",
  details: [],
  at,
  text,
});

test("text goes where it belongs, and not where something is missing", () => {
  assert.equal(spliced("Good", 4, " day"), "Good day");
  assert.equal(spliced("Good day", 0, "Hello"), "Hello");
  assert.equal(spliced("Good day", 4, " day"), "Good day");
  assert.equal(spliced("", 4, " day"), null);
});

test("what was not heard stands behind what was", () => {
  assert.deepEqual(halves({ text: "Good day", heard: 4 }), ["Good", " day"]);
  assert.deepEqual(halves({ text: "Good day", heard: -1 }), ["Good day", ""]);
});

test("changes put together give the same as the whole, also when they come twice", () => {
  const lines = new Lines();
  const first = { part: 1, order: ["a"], lines: [line("a", "Good 🦕")] };
  const second = { part: 1, order: ["a", "b"], lines: [line("a", " day", 7), line("b", "Hi")] };
  for (const message of [first, second, second]) assert.ok(lines.take(message));
  assert.deepEqual(
    lines.order.map((id) => lines.lines.get(id).text),
    ["Good 🦕 day", "Hi"],
  );
});

test("a page that missed something says so, and a snapshot heals it", () => {
  const lines = new Lines();
  assert.equal(lines.take({ part: 1, order: ["a", "b"], lines: [line("b", "day", 5)] }), false);
  assert.equal(
    lines.take({ part: 1, order: ["a", "b"], lines: [line("a", "x"), line("b", "Good day")] }),
    true,
  );
});

test("a line that left the conversation leaves, and another conversation begins empty", () => {
  const lines = new Lines();
  lines.take({ part: 1, order: ["a", "b"], lines: [line("a", "one"), line("b", "two")] });
  lines.take({ part: 1, order: ["b"], lines: [] });
  assert.deepEqual([...lines.lines.keys()], ["b"]);
  lines.take({ part: 2, order: [], lines: [] });
  assert.equal(lines.lines.size, 0);
});

/** The little of a page's elements that a row needs. */
class Element {
  constructor(tag) {
    this.tag = tag;
    this.attributes = {};
    this.children = [];
    this.textContent = "";
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  append(...children) {
    for (const child of children) child.parent = this;
    this.children.push(...children);
  }
  prepend(child) {
    child.parent = this;
    this.children.unshift(child);
  }
  remove() {
    this.parent.children = this.parent.children.filter((child) => child !== this);
  }
}

function row() {
  globalThis.document = { createElement: (tag) => new Element(tag) };
  return { said: new Element("span"), text: new Element("span") };
}

test("a row without details stays as it is", () => {
  const parts = row();
  unfold(parts, []);
  assert.equal(parts.said.children.length, 0);
});

test("a call unfolds to its arguments and later its result, as text and nothing else", () => {
  const parts = row();
  unfold(parts, [["Arguments", "{}"]]);
  const [fold] = parts.said.children;
  const [summary] = fold.children;
  assert.deepEqual([fold.tag, summary.tag], ["details", "summary"]);
  assert.equal(summary.children[0], parts.text);
  unfold(parts, [
    ["Arguments", "{}"],
    ["Result", "<img src=x onerror=alert(1)>"],
  ]);
  assert.equal(parts.said.children.length, 1);
  assert.deepEqual(
    fold.children.slice(1).map((each) => [each.tag, each.textContent]),
    [
      ["div", "Arguments"],
      ["pre", "{}"],
      ["div", "Result"],
      ["pre", "<img src=x onerror=alert(1)>"],
    ],
  );
  const result = fold.children.at(-1);
  assert.deepEqual([result.children.length, result.attributes["aria-label"]], [0, "Result"]);
});

test("what was opened stays open while the result comes, and what is gone goes", () => {
  const parts = row();
  unfold(parts, [["Arguments", "{}"]]);
  parts.fold.open = true;
  unfold(parts, [["Arguments", "{}"], ["Error", "no"]]);
  assert.ok(parts.said.children[0].open);
  unfold(parts, [["Arguments", "{}"]]);
  assert.equal(parts.fold.children.length, 3);
  unfold(parts, []);
  assert.equal(parts.fold.children.length, 1);
});
