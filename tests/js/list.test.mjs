import assert from "node:assert/strict";
import test from "node:test";

import { Geometry, LINE, bringing } from "../../rtwidgets/widgets/static/table/list.js";

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
