import assert from "node:assert/strict";
import test from "node:test";

import {
  Lines,
  Rows,
  clock,
  describe,
  folds,
  matches,
  pieces,
} from "../../rtwidgets/widgets/static/eventtable.js";

const row = (
  type,
  { seq = 0, direction = "server", summary = "", item = "", audio = 0, text = "" } = {},
) => [seq, seq / 10, direction, type, summary, item, audio, text];

const shown = (lines) =>
  lines.lines.map(({ run, member }) =>
    member < 0 ? `${run.row[3]} ×${run.places.length}` : `  ${member}`,
  );

test("a time is told in seconds, and in minutes and hours where it is long", () => {
  assert.deepEqual([0, 12.0341, 62.5, 3723.4].map(clock), [
    "0.000",
    "12.034",
    "1:02.500",
    "1:02:03.400",
  ]);
});

test("deltas and audio chunks fold, other events do not", () => {
  const types = [
    "response.output_text.delta",
    "input_audio_buffer.append",
    "playback.heard",
    "response.done",
    "",
  ];
  assert.deepEqual(types.map(folds), [true, true, true, false, false]);
});

test("deltas of two kinds that alternate become one line each, until another event comes", () => {
  const lines = new Lines();
  const types = ["a.delta", "b.delta", "a.delta", "b.delta", "done", "a.delta"];
  types.forEach((type, place) => lines.add(place, row(type, { item: "item_1" })));
  assert.deepEqual(shown(lines), ["a.delta ×2", "b.delta ×2", "done ×1", "a.delta ×1"]);
});

test("deltas of two items do not fold together", () => {
  const lines = new Lines();
  ["item_1", "item_2", "item_1"].forEach((item, place) =>
    lines.add(place, row("a.delta", { item })),
  );
  assert.deepEqual(shown(lines), ["a.delta ×2", "a.delta ×1"]);
});

test("an open run shows its events, also those that come later, and folds again", () => {
  const lines = new Lines();
  lines.add(0, row("a.delta"));
  lines.add(1, row("a.delta"));
  lines.toggle(lines.lines[0].run);
  assert.deepEqual(shown(lines), ["a.delta ×2", "  0", "  1"]);
  lines.add(2, row("a.delta"));
  lines.settle();
  assert.deepEqual(shown(lines), ["a.delta ×3", "  0", "  1", "  2"]);
  lines.toggle(lines.lines[0].run);
  assert.deepEqual(shown(lines), ["a.delta ×3"]);
});

test("rows that come twice or overlap are taken once; a gap is refused", () => {
  const rows = new Rows();
  assert.equal(rows.take(0, ["a", "b"]), 2);
  assert.equal(rows.take(1, ["b", "c"]), 1);
  assert.equal(rows.take(0, ["a"]), 0);
  assert.equal(rows.take(5, ["f"]), -1);
  assert.deepEqual([rows.rows, rows.next], [["a", "b", "c"], 3]);
});

test("a page keeps a bounded number of rows, the newest, at their own places", () => {
  const rows = new Rows(10);
  rows.take(
    0,
    Array.from({ length: 12 }, (_, place) => place),
  );
  assert.equal(rows.trim(), true);
  assert.deepEqual([rows.first, rows.at(11), rows.at(rows.first), rows.next], [3, 11, 3, 12]);
  assert.equal(rows.trim(), false);
});

test("the filter wants every word, in type, summary or item id, and a direction that is on", () => {
  const all = new Set(["client", "server", "local"]);
  const one = row("response.done", { summary: "completed, 41 tokens", item: "item_Q" });
  assert.ok(matches(one, ["response", "41"], all));
  assert.ok(matches(one, ["item_q"], all));
  assert.ok(!matches(one, ["response", "42"], all));
  assert.ok(!matches(one, [], new Set(["client"])));
});

test("a run says its audio added up, its text put together, or its last event", () => {
  const run = (...rows) => {
    const lines = new Lines();
    rows.forEach((one, place) => lines.add(place, one));
    return lines.lines[0].run;
  };
  assert.equal(
    describe(run(row("a.delta", { audio: 250 }), row("a.delta", { audio: 1000 }))),
    "1.25 s of audio",
  );
  assert.equal(
    describe(run(row("a.delta", { text: "Good " }), row("a.delta", { text: "day" }))),
    "“Good day”",
  );
  assert.equal(
    describe(run(row("playback.heard"), row("playback.heard", { summary: "ms 900" }))),
    "ms 900",
  );
  assert.equal(describe(run(row("done", { summary: "completed" }))), "completed");
});

test("JSON in pieces is the same text, keys told from strings", () => {
  const text = JSON.stringify({ a: 'b\\"c: 1', n: [-1.5e3, true, null], "": {} }, null, 2);
  const found = pieces(text);
  assert.equal(found.map(([, piece]) => piece).join(""), text);
  assert.deepEqual(
    found.filter(([kind]) => kind === "key").map(([, piece]) => piece),
    ['"a"', '"n"', '""'],
  );
  assert.deepEqual(
    found.filter(([kind]) => kind === "word").map(([, piece]) => piece),
    ["true", "null"],
  );
});

test("a hundred thousand rows fold quickly enough to count", () => {
  const lines = new Lines();
  for (let place = 0; place < 100_000; place++)
    lines.add(place, row(place % 50 ? "a.delta" : "done"));
  assert.equal(lines.lines.length, 4000);
});
