import assert from "node:assert/strict";
import test from "node:test";

import { face } from "../../rtwidgets/widgets/static/comparison.js";

test("a button says what it does next, and keeps its length", () => {
  assert.equal(face("▶ 2.8 s", true), "■ 2.8 s");
  assert.equal(face("■ 2.8 s", false), "▶ 2.8 s");
  assert.equal(face("▶ 2.8 s", false), "▶ 2.8 s");
});
