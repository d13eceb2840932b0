import assert from "node:assert/strict";
import test from "node:test";

import { Rows, folds, unpack } from "../../rtwidgets/widgets/static/table/rows.js";
import { packed } from "./packed.mjs";

const types = (rows) => Array.from({ length: rows.length }, (_, place) => rows.at(place).type);

test("deltas and audio chunks fold, other events do not", () => {
  const names = [
    "response.output_text.delta",
    "input_audio_buffer.append",
    "playback.heard",
    "response.done",
    "",
  ];
  assert.deepEqual(names.map(folds), [true, true, true, false, false]);
});

test("columns are read where they lie, also from the middle of a buffer", () => {
  const [view] = packed([{ type: "a", seq: 7, time: 1.5 }, { type: "b", seq: 8, size: 300 }]);
  const shifted = new Uint8Array(view.byteLength + 3);
  shifted.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), 3);
  const columns = unpack(2, new DataView(shifted.buffer, 3));
  assert.deepEqual([...columns.seq], [7, 8]);
  assert.deepEqual([...columns.time], [1.5, 0]);
  assert.deepEqual([...columns.size], [0, 300]);
});

test("a row is what was sent, whatever codes its message had", () => {
  const rows = new Rows();
  rows.take(0, 1, ...packed([{ type: "x", item: "i1", family: "other" }]));
  rows.take(
    1,
    2,
    ...packed([
      { type: "y.delta", item: "i2", response: "r", direction: "client", words: "Hi", audio: 40 },
      { type: "x", item: "i1" },
    ]),
  );
  assert.deepEqual(rows.at(1), {
    place: 1,
    time: 0,
    seq: 0,
    size: 0,
    audio: 40,
    type: "y.delta",
    family: "text",
    item: "i2",
    response: "r",
    direction: "client",
    words: "Hi",
  });
  assert.deepEqual([rows.at(0).item, rows.at(2).item, rows.at(2).type], ["i1", "i1", "x"]);
});

test("rows that come twice or overlap are taken once; a gap is refused", () => {
  const rows = new Rows();
  const take = (start, ...names) =>
    rows.take(start, names.length, ...packed(names.map((type) => ({ type }))));
  assert.equal(take(0, "a", "b"), 2);
  assert.equal(take(1, "b", "c"), 1);
  assert.equal(take(0, "a"), 0);
  assert.equal(take(5, "f"), -1);
  assert.deepEqual([types(rows), rows.words.length], [["a", "b", "c"], 3]);
});

test("a hundred thousand rows are all kept", () => {
  const rows = new Rows();
  for (let start = 0; start < 100_000; start += 4000) {
    const some = Array.from({ length: 4000 }, (_, at) => ({ type: "a.delta", seq: start + at }));
    assert.equal(rows.take(start, 4000, ...packed(some)), 4000);
  }
  assert.deepEqual([rows.length, rows.at(0).seq, rows.at(99_999).seq], [100_000, 0, 99_999]);
});
