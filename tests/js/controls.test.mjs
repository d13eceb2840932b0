import assert from "node:assert/strict";
import test from "node:test";

import { dollars, elapsed, meter, running } from "../../rtwidgets/widgets/static/controls.js";

const status = (more) => ({
  state: "open",
  since: 1000,
  seconds: 0,
  tokens: 1234,
  cost: 0.0041,
  simulated: false,
  ...more,
});

test("time that went by", () => {
  assert.deepEqual([-1, 0, 61.9, 3661].map(elapsed), ["00:00", "00:00", "01:01", "1:01:01"]);
});

test("small sums have the digits they need, an unknown price none", () => {
  assert.deepEqual([0.00413, 1.5, null].map(dollars), ["$0.0041", "$1.50", ""]);
});

test("the meter counts while a session stands, and keeps what it was at the end", () => {
  assert.deepEqual(meter(status(), 43_000), ["00:42", "1,234 tokens", "$0.0041"]);
  assert.deepEqual(meter(status({ state: "ended", seconds: 5 }), 99_000)[0], "00:05");
  assert.deepEqual(meter(status({ since: 0 }), 43_000), []);
});

test("a simulator's price is one that nobody pays", () => {
  assert.equal(meter(status({ simulated: true }), 0)[2], "would be $0.0041");
  assert.equal(meter(status({ simulated: true, cost: null }), 0).length, 2);
});

test("Stop is offered from the question on", () => {
  assert.deepEqual(
    ["idle", "confirm", "connecting", "open", "ended", "failed"].map((state) => running({ state })),
    [false, true, true, true, false, false],
  );
});
