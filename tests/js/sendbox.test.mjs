import assert from "node:assert/strict";
import test from "node:test";

import { eventProblem } from "../../rtwidgets/widgets/static/table/jsontext.js";
import { BEGINNINGS, nameOf } from "../../rtwidgets/widgets/static/table/sendbox.js";

test("what a person may begin with is an event, each once", () => {
  for (const [words, event] of BEGINNINGS)
    assert.equal(eventProblem(JSON.stringify(event)), null, words);
  assert.equal(new Set(BEGINNINGS.map(([words]) => words)).size, BEGINNINGS.length);
});

test("a sent event is called by its type and what is in it, in short", () => {
  assert.equal(nameOf('{ "type": "response.create" }'), "response.create");
  assert.equal(nameOf('{"type": "x", "n": 1}'), 'x {"n":1}');
  const long = nameOf(JSON.stringify({ type: "x", text: "y".repeat(100) }), 30);
  assert.deepEqual([long.length, long.at(-1)], [30, "…"]);
  assert.equal(nameOf("no JSON"), "no JSON");
  assert.equal(nameOf("null"), "");
});
