import assert from "node:assert/strict";
import test from "node:test";

import { halves, Lines, spliced } from "../../rtwidgets/widgets/static/transcript.js";

const line = (id, text, at = 0) => ({
  id,
  speaker: "assistant",
  note: "",
  state: "done",
  more: "",
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
