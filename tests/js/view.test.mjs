import assert from "node:assert/strict";
import test from "node:test";

import { countWords } from "../../rtwidgets/widgets/static/table/view.js";

test("the counts say how many events there are, are still to come, and fit", () => {
  assert.equal(countWords(12, 12, 5, false), "12");
  assert.equal(countWords(400, 900, 5, false), "400 of 900");
  assert.equal(countWords(12, 12, 5, true), "12 · 5 lines fit");
  assert.equal(countWords(12, 12, 1, true), "12 · 1 line fit");
});
