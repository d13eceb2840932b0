import assert from "node:assert/strict";
import test from "node:test";

import { Filter, Lines, Runs, describe } from "../../rtwidgets/widgets/static/table/lines.js";
import { packed } from "./packed.mjs";

/** A table without a page: rows can be added, lines are told as text. */
function table(...rows) {
  const runs = new Runs();
  const filter = new Filter();
  const lines = new Lines(runs, filter);
  const made = { runs, filter, lines, turns: [] };
  made.add = (...more) => {
    if (more.length) runs.rows.take(runs.rows.length, more.length, ...packed(more));
    runs.update();
    lines.update(made.turns);
  };
  made.told = () =>
    lines.all.map(({ run, member, turn }) => {
      if (turn) return `turn ${turn}`;
      const { type } = runs.rows.at(run.places[0]);
      return member < 0 ? `${type} ×${run.places.length}` : `  ${member}`;
    });
  made.add(...rows);
  return made;
}

const deltas = (...names) => names.map((type) => ({ type }));

test("deltas of two kinds that alternate become one line each, until another event comes", () => {
  const { told } = table(...deltas("a.delta", "b.delta", "a.delta", "b.delta", "done", "a.delta"));
  assert.deepEqual(told(), ["a.delta ×2", "b.delta ×2", "done ×1", "a.delta ×1"]);
});

test("deltas of two items, or of two directions, do not fold together", () => {
  const items = ["1", "2", "1"].map((item) => ({ type: "a.delta", item }));
  assert.deepEqual(table(...items).told(), ["a.delta ×2", "a.delta ×1"]);
  const both = ["client", "server"].map((direction) => ({ type: "a.delta", direction }));
  assert.deepEqual(table(...both).told(), ["a.delta ×1", "a.delta ×1"]);
});

test("lines come out the same, whether rows come at once or one by one", () => {
  const rows = [];
  for (let n = 0; n < 60; n++)
    rows.push({ type: n % 7 ? (n % 3 ? "a.delta" : "b.delta") : "done", words: `${n} ` });
  const whole = table(...rows);
  const slow = table();
  for (const row of rows) slow.add(row);
  for (const one of [whole, slow]) one.lines.toggle(one.runs.list[1]);
  assert.deepEqual(slow.told(), whole.told());
  const few = table(...rows.slice(0, 5));
  few.lines.toggle(few.runs.list[1]);
  for (const row of rows.slice(5)) few.add(row);
  assert.deepEqual(few.told(), whole.told());
});

test("an open run shows its events, also those that come later, and folds again", () => {
  const { add, told, lines, runs } = table(...deltas("a.delta", "a.delta"));
  lines.toggle(runs.list[0]);
  assert.deepEqual(told(), ["a.delta ×2", "  0", "  1"]);
  add(...deltas("a.delta"));
  assert.deepEqual(told(), ["a.delta ×3", "  0", "  1", "  2"]);
  add(...deltas("done"));
  lines.toggle(runs.list[0]);
  assert.deepEqual(told(), ["a.delta ×3", "done ×1"]);
});

test("a run says its audio added up, its text put together with its length, or its last event", () => {
  const say = (...rows) => {
    const { runs } = table(...rows);
    return describe(runs.list[0], runs.rows).join(" | ").replace(/^ \| /, "");
  };
  const audio = (ms) => ({ type: "a.delta", audio: ms });
  assert.equal(say(audio(250), audio(1000)), "1.25 s of audio");
  const text = (words) => ({ type: "a.delta", words });
  assert.equal(say(text("Good "), text("day")), "8 characters | “Good day”");
  assert.equal(say(text("\ud83e"), text("\udd95")).endsWith("“\u{1f995}”"), true);
  assert.equal(say(text("x".repeat(500)), text("y")).length, "501 characters | ".length + 302);
  const heard = (words) => ({ type: "playback.heard", words });
  assert.equal(say(heard("0.1 s heard"), heard("0.9 s heard")), "0.9 s heard");
  assert.equal(say({ type: "done", words: "completed" }), "completed");
  assert.equal(say(text("Hi")), "“Hi”");
  assert.equal(say({ type: "a.delta", item: "item_1" }), "item_1");
});

test("the filter wants every word, in type, text or ids", () => {
  const { filter, runs } = table({
    type: "response.done",
    words: "completed, 41 tokens",
    item: "item_Q",
    response: "resp_7",
  });
  const fits = (text) => (filter.type(text), filter.fits(runs.list[0], runs));
  assert.ok(fits("response 41"));
  assert.ok(fits("ITEM_q"));
  assert.ok(fits("resp_7"));
  assert.ok(!fits("response 42"));
  filter.found.add(0); // the kernel found it elsewhere in the event
  assert.ok(filter.fits(runs.list[0], runs));
});

test("the filter finds words that came in pieces, also once they are complete", () => {
  const { add, told, filter, lines } = table({ type: "a.delta", words: "the fos" });
  filter.type("fossils");
  lines.refilter();
  assert.deepEqual(told(), []);
  add({ type: "a.delta", words: "sils" });
  assert.deepEqual(told(), ["a.delta ×2"]);
});

test("directions and families choose; none chosen is all", () => {
  const { told, filter, lines } = table(
    { type: "x", direction: "client", family: "input" },
    { type: "y", direction: "server", family: "audio" },
    { type: "z", direction: "server", family: "input" },
  );
  const choose = (directions, families) => {
    filter.clear();
    for (const one of directions) filter.directions.add(one);
    for (const one of families) filter.families.add(one);
    lines.refilter();
    return told();
  };
  assert.equal(choose([], []).length, 3);
  assert.deepEqual(choose(["server"], []), ["y ×1", "z ×1"]);
  assert.deepEqual(choose([], ["input"]), ["x ×1", "z ×1"]);
  assert.deepEqual(choose(["server"], ["input"]), ["z ×1"]);
  assert.ok(filter.active);
});

test("typing the same words again is no other filter, and other words forget what was found", () => {
  const filter = new Filter();
  assert.ok(filter.type("a b"));
  filter.found.add(3);
  assert.ok(!filter.type(" A  b "));
  assert.equal(filter.found.size, 1);
  assert.ok(filter.type("a"));
  assert.equal(filter.found.size, 0);
});

test("a turn is marked before its first line in sight", () => {
  const { told, filter, lines, turns, add } = table(...deltas("s", "x", "y", "x", "y"));
  turns.push(0, 1, 3);
  add();
  assert.deepEqual(told(), ["turn 1", "s ×1", "turn 2", "x ×1", "y ×1", "turn 3", "x ×1", "y ×1"]);
  filter.type("y");
  lines.refilter();
  assert.deepEqual(told(), ["turn 2", "y ×1", "turn 3", "y ×1"]);
});

test("turns told late, one by one or changed, are marked as if they had been known", () => {
  const rows = Array.from({ length: 40 }, (_, n) => ({ type: n % 4 ? "a.delta" : `e${n}` }));
  const known = table(...rows);
  const late = table(...rows);
  known.turns = [0, 8, 16, 36];
  known.add();
  for (const turns of [[0], [0, 8], [0, 8, 20], [0, 8, 16], [0, 8, 16, 36]]) {
    late.turns = turns;
    late.add();
    assert.equal(late.told().filter((line) => line.startsWith("turn")).length, turns.length);
  }
  assert.deepEqual(late.told(), known.told());
});

test("the line of a place is its own in an open run, its run's else, none where it is filtered out", () => {
  const { filter, lines, runs, turns, add } = table(...deltas("s", "a.delta", "b.delta", "a.delta"));
  turns.push(0);
  add();
  assert.deepEqual([0, 1, 2, 3].map((place) => lines.showing(place)), [1, 2, 3, 2]);
  lines.toggle(runs.list[1]);
  assert.deepEqual([0, 1, 2, 3].map((place) => lines.showing(place)), [1, 3, 5, 4]);
  assert.equal(lines.indexOf(runs.list[1], 1), 4);
  filter.type("b.delta");
  lines.refilter();
  assert.deepEqual([0, 1, 2].map((place) => lines.showing(place)), [-1, -1, 1]);
  assert.equal(lines.showing(99), -1);
});

test("from one turn's mark to the next", () => {
  const { lines, turns, add } = table(...deltas("a", "b", "c"));
  turns.push(0, 2);
  add();
  assert.deepEqual([lines.turnFrom(-1, 1), lines.turnFrom(0, 1), lines.turnFrom(3, 1)], [0, 3, -1]);
  assert.equal(lines.turnFrom(4, -1), 3);
});

test("rows are counted by family", () => {
  const { runs } = table({ type: "x", family: "input" }, { type: "y", family: "input" });
  assert.deepEqual([...runs.families], [["input", 2]]);
});

test("a hundred thousand rows fold and filter", () => {
  const { add, lines, filter } = table();
  const some = Array.from({ length: 1000 }, (_, at) => ({ type: at % 50 ? "a.delta" : "done" }));
  for (let n = 0; n < 100; n++) add(...some);
  assert.equal(lines.length, 4000);
  filter.type("done");
  lines.refilter();
  assert.equal(lines.length, 2000);
});
