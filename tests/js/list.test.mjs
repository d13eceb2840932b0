import assert from "node:assert/strict";
import test from "node:test";

import {
  Geometry,
  LINE,
  bringing,
  cellText,
  turnText,
} from "../../rtwidgets/widgets/static/table/list.js";

test("a pixel of the scroll bar is a pixel of the lines, as long as a browser can lay them out", () => {
  const { height, scale, end } = new Geometry(100_000, 300);
  assert.deepEqual([height, scale, end], [100_000 * LINE, 1, 100_000 * LINE - 300]);
});

test("beyond that every line can still be reached, the last one too", () => {
  const geometry = new Geometry(3_000_000, 300);
  assert.ok(geometry.height <= 12e6);
  assert.equal(geometry.offset(geometry.end), 3_000_000 * LINE - 300);
  assert.equal(geometry.offset(0), 0);
  for (const line of [1, 1_234_567, 2_999_000])
    assert.ok(Math.abs(geometry.offset(geometry.scrollTop(line * LINE)) - line * LINE) < 0.01);
});

test("fewer lines than there is room for do not scroll", () => {
  const geometry = new Geometry(3, 300);
  assert.deepEqual([geometry.end, geometry.offset(50), geometry.scrollTop(Infinity)], [0, 0, 0]);
});

test("a line is brought into sight with as little movement as will do, or to the middle", () => {
  assert.equal(bringing(10, 200, 240), 200); // it is in sight
  assert.equal(bringing(2, 200, 240), 2 * LINE);
  assert.equal(bringing(30, 200, 240), 31 * LINE - 240);
  assert.equal(bringing(100, 0, 240, true), 100 * LINE - 108);
  assert.equal(bringing(1, 900, 240, true), 0);
});

test("the cells of an event and of a run", () => {
  const row = {
    time: 1.5, direction: "client", item: "i", response: "r", size: 1200, audio: 40,
  }; // prettier-ignore
  const one = { member: -1, run: { places: [3], audio: 40, size: 1200 } };
  const many = { member: -1, run: { places: [3, 4], audio: 2400, size: 9000 } };
  const told = (line, before) =>
    ["time", "delta", "direction", "item", "response", "size", "audio"].map((name) =>
      cellText(name, line, row, before),
    );
  assert.deepEqual(told(one), ["1.500", "", "→", "i", "r", "1.2 kB", "0.04 s"]);
  assert.deepEqual(told(many, { time: 1.25 }).slice(1, 2), ["+0.250"]);
  assert.deepEqual(told(many).slice(5), ["9.0 kB", "2.40 s"]);
  assert.equal(cellText("audio", { ...one, run: { ...one.run, audio: 0 } }, { ...row, audio: 0 }), "");
});

test("a turn is told by its number, how it began, and when", () => {
  const row = { type: "input_audio_buffer.speech_started", time: 62.5 };
  assert.equal(turnText(3, row), "Turn 3 · spoken · 1:02.500");
  assert.equal(turnText(1, { type: "response.created", time: 0 }), "Turn 1 · 0.000");
});
