import assert from "node:assert/strict";
import test from "node:test";

import { amount, cells, dollars, percent, totals } from "../../rtwidgets/widgets/static/meter.js";

const line = (more) => ({
  name: "Text in",
  part: false,
  rate: 4,
  used: 1234,
  dollars: 0.004936,
  last: 12,
  last_dollars: 0.000048,
  unit: "",
  ...more,
});

test("what nobody said is a dash and never a zero", () => {
  assert.deepEqual([null, undefined, 0, 1234].map((n) => amount(n, "")), ["–", "–", "0", "1,234"]);
  assert.deepEqual([null, undefined, 0, 0.00413, 1.5].map(dollars), ["–", "–", "$0.00000", "$0.00413", "$1.50"]);
});

test("seconds are named, tokens are counted", () => {
  assert.equal(amount(3, "s"), "3.0 s");
  assert.deepEqual(cells(line()), ["$4.00", "1,234", "$0.00494", "12", "$0.00005"]);
});

test("a line without a price of its own has no dollars", () => {
  const reasoning = line({ name: "of it reasoning", rate: null, dollars: null, last_dollars: null });
  assert.deepEqual(cells(reasoning), ["", "1,234", "", "12", ""]);
  assert.deepEqual(cells(line({ rate: null, dollars: null })).slice(0, 3), ["", "1,234", "–"]);
});

test("a sum of which a part is unknown says so", () => {
  const total = line({ name: "Total", rate: null });
  assert.equal(totals({ total, at_least: false })[2], "$0.00494");
  assert.equal(totals({ total, at_least: true })[2], "≥ $0.00494");
  assert.equal(totals({ total: { ...total, dollars: null }, at_least: true })[2], "not known");
});

test("a share is read out in whole percent", () => {
  assert.deepEqual([0, 0.126, 1].map(percent), [0, 13, 100]);
});
