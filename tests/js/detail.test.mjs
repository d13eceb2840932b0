import assert from "node:assert/strict";
import test from "node:test";

import { copyText, placeInRun } from "../../rtwidgets/widgets/static/table/detail.js";

test("an event in a run says which of them it is", () => {
  const run = { places: [4, 6, 9] };
  assert.deepEqual([-1, 0, 2].map((member) => placeInRun(run, member)), [
    "1 of 3",
    "1 of 3",
    "3 of 3",
  ]);
  assert.equal(placeInRun({ places: [4] }, -1), "");
});

test("where there is no clipboard, copying says so instead of failing", async () => {
  assert.equal(await copyText("words"), false); // node has none
  assert.equal(await copyText(Promise.resolve("words")), false);
});
